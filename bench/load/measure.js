/**
 * A scenario under load: all servers started side by side, checked, then loaded one after another
 * in rounds. In each round every server runs once, in a chance order, so that whatever slows the
 * machine for a while slows all of them. The first round warms up and is dropped.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { counted, counting } from './calls.js'
import { check } from './check.js'
import { Member } from './member.js'
import * as oha from './oha.js'
import { scenarios } from './scenarios.js'
import { shuffled } from './stats.js'
import { machineCpu, usageOf } from './usage.js'
import * as wrk from './wrk.js'

/**
 * What was measured of a server, one value a round; times in microseconds.
 * @typedef {object} LoadSamples
 * @property {number[]} requests
 * @property {number[]} micros that the run took
 * @property {number[]} user CPU time of the server
 * @property {number[]} system
 * @property {number[]} generator CPU time of the generator
 * @property {number[]} others CPU time of all other programs of the machine
 * @property {number[]} p50 latency
 * @property {number[]} p99
 * @property {number[]} p999
 */

/** @typedef {{ [figure: string]: number[] }} Samples */

/**
 * @typedef {{ scenario: import('./scenarios.js').Scenario, connections: number, duration: number }
 * } Run duration in seconds
 */

/** As a reader of the record would name it. */
const SCRIPT = 'bench/load/wrk.lua'

/**
 * @typedef {object} Measured
 * @property {{ [server: string]: { server: string[], generator?: string[],
 *   answer?: import('./check.js').Answer, peakRss?: number, calls?: number,
 *   instructions?: number } }} servers calls and instructions are a request's
 * @property {{ [server: string]: Samples }} samples
 */

/**
 * @typedef {object} How
 * @property {string[]} server the command that binds it to its core
 * @property {string[]} generator
 * @property {() => number} random
 * @property {number} [beside] the process that the servers ask: a database, an upstream
 */

/**
 * @param {string} name of the scenario
 * @param {string[]} servers
 * @param {import('./options.js').Options} options
 * @param {How} how
 * @returns {Promise<Measured>}
 */
export async function measure(name, servers, { rounds, duration, connections, isQuick }, how) {
  const scenario = scenarios[name]
  const run = { scenario, connections: scenario.connections ?? connections, duration }
  /** @type {Measured} */
  const measured = { servers: {}, samples: {} }
  /** @type {Member[]} */
  const members = []
  try {
    for (const server of servers) members.push(await Member.start(server, name, how.server))
    for (const member of members) {
      measured.servers[member.name] = {
        server: member.command,
        generator: [...how.generator, ...commandLine(run, 'PORT', SCRIPT)],
        answer: await named(member, started(member, scenario)),
        peakRss: 0,
      }
      measured.samples[member.name] = {}
    }
    for (let round = 0; round <= rounds; round++) {
      for (const member of shuffled(members, how.random)) {
        const command = [...how.generator, ...commandLine(run, String(member.port))]
        const { length } = /** @type {any} */ (measured.servers[member.name].answer)
        const result = await named(member, runOnce(member, command, length, run, how))
        if (round > 0) append(measured.samples[member.name], result)
      }
    }
    for (const member of members) {
      const counts = isQuick ? {} : await countedOnce(member, run, how)
      const { peakRss } = member.usage()
      Object.assign(measured.servers[member.name], { peakRss, ...counts })
    }
    return measured
  } finally {
    await Promise.all(members.map((member) => member.stop()))
  }
}

/**
 * @param {Member} member
 * @param {import('./scenarios.js').Scenario} scenario
 */
async function started(member, scenario) {
  await member.listening()
  return check(scenario, member.port)
}

/**
 * @param {Member} member
 * @param {string[]} command
 * @param {number} answerLength
 * @param {Run} run
 * @param {How} how
 */
async function runOnce(member, command, answerLength, run, { beside }) {
  const used = () => (beside === undefined ? 0 : usageOf(beside).cpu)
  const before = member.usage()
  const besideBefore = used()
  const machineBefore = machineCpu()
  const result = await verified(command, answerLength, run).catch(async (error) => {
    // That it has ended says more than what the generator saw of it.
    await sleep(100)
    member.usage()
    throw error
  })
  const machine = machineCpu() - machineBefore
  const after = member.usage()
  const besideCpu = used() - besideBefore
  const cpu = after.cpu - before.cpu
  const user = after.userTicks - before.userTicks
  const system = after.systemTicks - before.systemTicks
  const userShare = user / (user + system || 1)
  return {
    requests: result.requests,
    micros: result.micros,
    user: Math.round(cpu * userShare),
    system: Math.round(cpu * (1 - userShare)),
    generator: result.cpu,
    others: Math.max(0, Math.round(machine - cpu - result.cpu - besideCpu)),
    p50: result.p50,
    p99: result.p99,
    p999: result.p999,
  }
}

/**
 * Loads a server once, and throws unless all its answers were right.
 * @param {string[]} command
 * @param {number} answerLength
 * @param {Run} run
 */
async function verified(command, answerLength, { scenario, connections, duration }) {
  if (scenario.generator === 'oha') {
    const result = await oha.load(command)
    oha.verify(result, scenario)
    return result
  }
  const result = await wrk.load(command, duration)
  wrk.verify(result, answerLength, connections * scenario.pipeline, scenario.isStream)
  return result
}

/**
 * @param {Run} run
 * @param {string} port
 * @param {string} [script]
 */
function commandLine(run, port, script) {
  const { generator } = run.scenario
  return generator === 'oha' ? oha.commandLine(run, port) : wrk.commandLine(run, port, script)
}

/**
 * System calls and instructions a request, from a run that counts them and nothing else.
 * @param {Member} member
 * @param {Run} run
 * @param {How} how
 */
async function countedOnce(member, run, how) {
  const perf = counting(member.pid)
  if (perf.length === 0) return {}
  const command = [...how.generator, ...perf, ...commandLine(run, String(member.port))]
  const { load } = run.scenario.generator === 'oha' ? oha : wrk
  const { requests, errors } = await load(command, Math.ceil(run.duration))
  return Object.fromEntries(
    Object.entries(counted(errors)).map(([name, count]) => [name, count / requests]),
  )
}

/**
 * @param {Samples} samples
 * @param {{ [figure: string]: number }} values
 */
export function append(samples, values) {
  for (const [figure, value] of Object.entries(values)) {
    samples[figure] ??= []
    samples[figure].push(value)
  }
}

/**
 * Says which server an error is about.
 * @template T
 * @param {Member} member
 * @param {Promise<T>} promise
 */
export async function named(member, promise) {
  try {
    return await promise
  } catch (error) {
    const { message } = /** @type {Error} */ (error)
    throw new Error(`${member.name}: ${message}`, { cause: error })
  }
}
