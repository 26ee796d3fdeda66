/**
 * How long a server takes from its start to its first right answer. In each round every server
 * starts once, alone, in a chance order.
 */
import { check } from './check.js'
import { append, named } from './measure.js'
import { Member } from './member.js'
import { scenarios } from './scenarios.js'
import { shuffled } from './stats.js'

/**
 * @param {string} name of the scenario
 * @param {string[]} servers
 * @param {import('./options.js').Options} options
 * @param {import('./measure.js').How} how
 * @returns {Promise<import('./measure.js').Measured>}
 */
export async function measureStartup(name, servers, { rounds }, how) {
  /** @type {import('./measure.js').Measured} */
  const measured = { servers: {}, samples: {} }
  for (const server of servers) measured.samples[server] = {}
  for (let round = 0; round <= rounds; round++) {
    for (const server of shuffled(servers, how.random)) {
      const member = await Member.start(server, name, how.server)
      try {
        const ms = await named(member, firstAnswer(member, name))
        // The first round has brought the program from the disk into memory.
        if (round > 0) append(measured.samples[server], { ms })
        measured.servers[server] = { server: member.command, peakRss: member.usage().peakRss }
      } finally {
        await member.stop()
      }
    }
  }
  return measured
}

/**
 * In milliseconds.
 * @param {Member} member
 * @param {string} name
 */
async function firstAnswer(member, name) {
  await member.listening()
  await check(scenarios[name], member.port)
  return performance.now() - member.startedAt
}
