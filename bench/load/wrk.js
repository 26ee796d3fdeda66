/**
 * The generator: finds `wrk`, runs it once, and refuses a run in which any answer was wrong or
 * missing. Knows nothing of servers and rounds.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { generate } from './generator.js'
import { FILLER } from './scenarios.js'

const SCRIPT = fileURLToPath(new URL('wrk.lua', import.meta.url))

export const MISSING = `The load generator wrk was not found. Install it and see that it is in the PATH:
  Debian, Ubuntu   apt-get install wrk
  Fedora           dnf install wrk
  Arch             pacman -S wrk
  macOS            brew install wrk
  others           https://github.com/wg/wrk (version 4.1 or newer)`

/**
 * What wrk tells of one run; times in microseconds.
 * @typedef {object} Result
 * @property {number} requests answered
 * @property {number} micros that the run took
 * @property {number} bytes received
 * @property {number} p50
 * @property {number} p99
 * @property {number} p999
 * @property {number} cpu of the generator
 */

/** The version of wrk; throws when there is none. */
export function version() {
  const { error, stdout } = spawnSync('wrk', ['--version'], { encoding: 'utf8' })
  const found = /^wrk (\S+)/.exec(stdout ?? '')
  if (error !== undefined || found === null) throw new Error(MISSING)
  return found[1]
}

/**
 * The command line of a run.
 * @param {object} run
 * @param {import('./scenarios.js').Scenario} run.scenario
 * @param {number} run.connections
 * @param {number} run.duration in seconds
 * @param {string} port
 * @param {string} [script]
 */
export function commandLine({ scenario, connections, duration }, port, script = SCRIPT) {
  const fields = Object.entries(scenario.headers).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ])
  return [
    ...['wrk', '-t1', `-c${connections}`, `-d${Math.ceil(duration)}s`, '--latency'],
    ...['-s', script, ...fields, `http://127.0.0.1:${port}${scenario.path}`],
    ...['--', scenario.method, String(scenario.bodyLength), FILLER, String(scenario.pipeline)],
  ]
}

/**
 * Loads a server once.
 * @param {string[]} command
 * @param {number} duration in seconds; wrk itself knows whole ones only, an interrupt ends it early
 * @returns {Promise<Result & { errors: string }>} with what was printed as errors
 */
export async function load(command, duration) {
  const early = Number.isInteger(duration) ? undefined : duration
  const { hasFailed, end, output, errors } = await generate(command, early)
  const line = output.trimEnd().split('\n').at(-1) ?? ''
  if (hasFailed || !line.startsWith('{')) {
    throw new Error(`wrk ended with ${end}:\n${errors}${output}`)
  }
  return { ...JSON.parse(line), errors }
}

/**
 * Throws unless every request of a run had the answer that was checked before: no error, no
 * status above 399, and as many bytes as that many answers have. What of the last answers came
 * after the end is at most one for each request that was under way. Where the length isn't
 * declared, chunks may be cut in another way each time, within a hundredth of the length.
 * @param {Result & Record<string, number>} result
 * @param {number} answerLength of the whole checked answer, in bytes
 * @param {number} underWay requests at once
 * @param {boolean} isStream
 */
export function verify(result, answerLength, underWay, isStream = false) {
  const failures = ['connect', 'read', 'write', 'timeout', 'status'].filter((kind) => result[kind])
  if (failures.length > 0) {
    const counts = failures.map((kind) => `${result[kind]} ${kind}`).join(', ')
    throw new Error(`wrong or failed answers: ${counts} errors in ${result.requests} requests`)
  }
  if (result.requests === 0) throw new Error('no request was answered')
  const slack = isStream ? result.requests * answerLength * 0.01 : 0
  const rest = result.bytes - result.requests * answerLength
  if (rest < -slack || rest > underWay * answerLength + slack) {
    throw new Error(
      `${result.requests} answers of ${answerLength} bytes each came as ${result.bytes} bytes`,
    )
  }
}
