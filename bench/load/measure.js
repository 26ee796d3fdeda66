/**
 * One scenario: all servers started side by side, checked, then loaded one after another in
 * rounds. In each round every server runs once, in a chance order, so that whatever slows the
 * machine for a while slows all of them. The first round warms up and is dropped.
 */
import { check } from './check.js'
import { Member } from './member.js'
import { scenarios } from './scenarios.js'
import { servers } from './servers.js'
import { shuffled } from './stats.js'
import { commandLine, load, verify } from './wrk.js'

/**
 * One server in one round; times in microseconds.
 * @typedef {object} Round
 * @property {number} requests
 * @property {number} micros that the run took
 * @property {number} user CPU time of the server's process
 * @property {number} system
 * @property {number} generator CPU time of the generator's process
 * @property {number} p50 latency
 * @property {number} p99
 * @property {number} max
 */

/**
 * @typedef {object} Measured
 * @property {Record<string, { version: string, server: string[], generator: string[],
 *   answer: import('./check.js').Answer, peakRss: number }>} servers
 * @property {Record<string, Round>[]} rounds by server, each in the order of its runs
 */

/**
 * @param {string} name of the scenario
 * @param {import('./options.js').Options} options
 * @param {{ server: string[], generator: string[], random: () => number }} how
 * @returns {Promise<Measured>}
 */
export async function measure(name, { rounds, duration, connections }, how) {
  const scenario = scenarios[name]
  const run = { scenario, connections, duration }
  /** @type {Member[]} */
  const members = []
  try {
    for (const server of Object.keys(servers)) {
      members.push(await Member.start(server, name, how.server))
    }
    /** @type {Measured} */
    const measured = { servers: {}, rounds: [] }
    for (const member of members) {
      measured.servers[member.name] = {
        version: servers[member.name].version(member.node),
        server: Member.commandLine(member.name, how.server),
        generator: [
          ...how.generator,
          ...commandLine(run, 'http://127.0.0.1:PORT/', 'bench/load/wrk.lua'),
        ],
        answer: await named(member, check(scenario, member.port)),
        peakRss: 0,
      }
    }
    for (let round = 0; round <= rounds; round++) {
      /** @type {Record<string, Round>} */
      const results = {}
      for (const member of shuffled(members, how.random)) {
        const command = [...how.generator, ...commandLine(run, `http://127.0.0.1:${member.port}/`)]
        const answerLength = measured.servers[member.name].answer.length
        results[member.name] = await named(member, runOnce(member, command, answerLength, run))
      }
      if (round > 0) measured.rounds.push(results)
    }
    for (const member of members) {
      measured.servers[member.name].peakRss = (await member.usage()).peakRss
    }
    return measured
  } finally {
    await Promise.all(members.map((member) => member.stop()))
  }
}

/**
 * @param {Member} member
 * @param {string[]} command
 * @param {number} answerLength
 * @param {{ connections: number, duration: number }} run
 * @returns {Promise<Round>}
 */
async function runOnce(member, command, answerLength, { connections, duration }) {
  const before = await member.usage()
  const result = await load(command, duration)
  const after = await member.usage()
  verify(result, answerLength, connections)
  return {
    requests: result.requests,
    micros: result.micros,
    user: after.user - before.user,
    system: after.system - before.system,
    generator: result.cpu,
    p50: result.p50,
    p99: result.p99,
    max: result.max,
  }
}

/**
 * Says which server an error is about.
 * @template T
 * @param {Member} member
 * @param {Promise<T>} promise
 */
async function named(member, promise) {
  try {
    return await promise
  } catch (error) {
    const { message } = /** @type {Error} */ (error)
    throw new Error(`${member.name}: ${message}`, { cause: error })
  }
}
