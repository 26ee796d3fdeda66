/** What barewire has promised of itself, and whether a record bears it out. */
import { compared, disturbance, isLimitedByGenerator, noise, values } from './summary.js'

/** Fewer rounds than this decide nothing, but where a round takes so long that there are few. */
const ROUNDS = 15
const IDLE_ROUNDS = 3

/**
 * A figure of one server over that of another in each round, or their difference, or one server
 * alone; the median of that is bounded by `most` or `least`.
 * @typedef {object} Target
 * @property {string} scenario
 * @property {string} figure
 * @property {string} of
 * @property {string} [over]
 * @property {boolean} [isDifference]
 * @property {number} [most]
 * @property {number} [least]
 * @property {string} [leastAsIn] the scenario whose own median is the bound
 */

const of = 'barewire'

/**
 * CPU time a request, at most so many times that of another.
 * @param {string} scenario
 * @param {string} over
 * @param {number} most
 * @returns {Target}
 */
const cpu = (scenario, over, most) => ({ scenario, figure: 'cpu', of, over, most })

/**
 * Requests a second, at least so many times those of another.
 * @param {string} scenario
 * @param {string} over
 * @param {number} least
 * @returns {Target}
 */
const rate = (scenario, over, least) => ({ scenario, figure: 'rate', of, over, least })

/** @type {Target[]} */
export const targets = [
  cpu('json', 'uws', 1),
  cpu('json', 'floor', 1.25),
  cpu('json', 'bun', 0.92),
  cpu('json', 'node-http', 0.4),
  cpu('json', 'hono-node', 0.3),
  rate('json', 'uws', 1),
  rate('json', 'bun', 1.05),
  rate('json', 'node-http', 2.5),
  { ...rate('json', 'hono-node', 2), of: 'hono-barewire' },
  cpu('user', 'uws', 1),
  cpu('headers', 'uws', 1),
  cpu('async', 'barewire-sync', 1.15),
  cpu('echo', 'uws', 1),
  cpu('echo', 'bun', 0.65),
  cpu('echo100k', 'uws', 1),
  cpu('echo100k', 'bun', 1),
  cpu('file10k', 'nginx', 1.1),
  cpu('file10k', 'nginx-cache', 1.1),
  { ...cpu('json', 'floor', 1.08), of: 'barewire-rust' },
  cpu('pipeline', 'uws', 1),
  { ...cpu('json', 'uws', 1), figure: 'p99' },
  { ...cpu('json1', 'node-http', 0.7), figure: 'p50' },
  { scenario: 'idle', figure: 'kib', of, most: 0.5 },
  { scenario: 'startup', figure: 'ms', of, over: 'node-bare', isDifference: true, most: 10 },
  rate('database', 'fastify', 1),
  {
    scenario: 'database',
    figure: 'cpu',
    of: 'fastify',
    over: of,
    isDifference: true,
    leastAsIn: 'json',
  },
]

/**
 * Each target against what was measured. It holds when the median is within the target and, on top
 * of it, the spread of two runs of one server.
 * @param {import('./run.js').Record} record
 */
export function judged({ scenarios }) {
  return targets.map((target) => {
    const { scenario, figure, leastAsIn } = target
    const measured = scenarios[scenario]
    const bound = leastAsIn === undefined ? target : boundOf(target, scenarios[leastAsIn])
    if (!isMeasured(target, measured) || bound === undefined) {
      return { target: bound ?? target, verdict: 'not measured' }
    }
    const found = compared(measured, target, figure)
    const spread = noise(measured, figure) ?? 0
    return { target: bound, found, noise: spread, verdict: verdict(bound, found, spread, measured) }
  })
}

/**
 * The target with what was measured in the other scenario as its bound.
 * @param {Target} target
 * @param {import('./measure.js').Measured | undefined} measured
 */
function boundOf(target, measured) {
  if (measured === undefined || !isMeasured(target, measured)) return undefined
  return { ...target, least: compared(measured, target, target.figure).median }
}

/**
 * @param {Target} target
 * @param {import('./measure.js').Measured | undefined} measured
 */
function isMeasured({ of, over }, measured) {
  const isThere = (/** @type {string} */ name) => measured?.samples[name] !== undefined
  return isThere(of) && (over === undefined || isThere(over))
}

/**
 * @param {Target} target
 * @param {{ median: number }} found
 * @param {number} spread
 * @param {import('./measure.js').Measured} measured
 */
function verdict({ figure, of, most, least }, { median }, spread, measured) {
  if (values(measured, of, figure).length < (figure === 'kib' ? IDLE_ROUNDS : ROUNDS)) {
    return 'too few rounds'
  }
  if (disturbance(measured)?.isDisturbed) return 'disturbed'
  const isMet =
    most !== undefined ? median <= most * (1 + spread) : median * (1 + spread) >= Number(least)
  if (isMet) return '**met**'
  const isOpen = figure === 'rate' && isLimitedByGenerator(measured, of)
  return isOpen ? 'open: the generator’s limit' : '**missed**'
}
