/**
 * The other generator, for the scenarios that ask for it: finds `oha`, runs it once, and refuses a
 * run in which any answer was wrong or missing. Knows nothing of servers and rounds.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { FILES, requestFile } from './fixtures.js'
import { generate } from './generator.js'

/** What ends a run; it isn't the server's fault. */
const DEADLINE = 'aborted due to deadline'

/** The kernel's USER_HZ, see `usage.js`. */
const TICK_MICROS = 10_000

/** @returns {import('./needs.js').Found} */
export function ohaItself() {
  const { error, stdout } = spawnSync('oha', ['--version'], { encoding: 'utf8' })
  const [, version] = /^oha (\S+)/.exec(stdout ?? '') ?? []
  if (error === undefined && version !== undefined) return { version }
  return { absent: 'oha was not found (cargo install oha)' }
}

/**
 * The command line of a run.
 * @param {object} run
 * @param {import('./scenarios.js').Scenario} run.scenario
 * @param {number} run.connections
 * @param {number} run.duration in seconds
 * @param {string} port
 */
export function commandLine({ scenario, connections, duration }, port) {
  const { method, headers, path, bodyLength } = scenario
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  return [
    ...['oha', '--no-tui', '--output-format', 'json', '--disable-compression'],
    ...['-c', `${connections}`, '-z', `${duration * 1000}ms`, '-m', method, ...fields],
    ...(bodyLength === 0 ? [] : ['-D', `${FILES}/${requestFile(bodyLength)}`]),
    `http://127.0.0.1:${port}${path}`,
  ]
}

/**
 * Loads a server once.
 * @param {string[]} command
 */
export async function load(command) {
  const before = cpuOfChildren()
  const { hasFailed, end, output, errors } = await generate(command)
  if (hasFailed) throw new Error(`oha ended with ${end}:\n${errors}${output}`)
  const { summary, latencyPercentiles, statusCodeDistribution, errorDistribution } =
    JSON.parse(output)
  /** @param {string} name */
  const percentile = (name) => Math.round(latencyPercentiles[name] * 1e6)
  return {
    /** @type {Record<string, number>} */
    statuses: statusCodeDistribution,
    /** @type {Record<string, number>} */
    failures: errorDistribution,
    requests: sum(statusCodeDistribution),
    micros: Math.round(summary.total * 1e6),
    bytes: summary.totalData,
    p50: percentile('p50'),
    p99: percentile('p99'),
    p999: percentile('p99.9'),
    cpu: cpuOfChildren() - before,
    errors,
  }
}

/**
 * Throws unless every request of a run had the status and the body that were checked before. What
 * was under way at the end isn't counted.
 * @param {Awaited<ReturnType<typeof load>>} result
 * @param {import('./scenarios.js').Scenario} scenario
 */
export function verify({ statuses, failures, requests, bytes }, { answer }) {
  const wrong = Object.keys(statuses).filter((status) => Number(status) !== answer.status)
  const failed = Object.keys(failures).filter((kind) => kind !== DEADLINE)
  if (wrong.length > 0 || failed.length > 0) {
    throw new Error(`wrong or failed answers: ${[...wrong, ...failed].join(', ')}`)
  }
  if (requests === 0) throw new Error('no request was answered')
  if (bytes !== requests * answer.body.length) {
    throw new Error(`${requests} bodies of ${answer.body.length} bytes each came as ${bytes} bytes`)
  }
}

/** @param {Record<string, number>} counts */
function sum(counts) {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

/** CPU time of this process's children that have ended, in microseconds. */
function cpuOfChildren() {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')
  return (Number(fields[13]) + Number(fields[14])) * TICK_MICROS
}
