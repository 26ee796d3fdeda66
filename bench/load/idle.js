/**
 * What a connection costs in memory while nothing passes: by how much a server grows from a state
 * in which it has answered many requests on few connections to one in which it has answered one on
 * each of many, all of which are still open.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { check, requestOf } from './check.js'
import { append, named } from './measure.js'
import { Member } from './member.js'
import { scenarios } from './scenarios.js'
import { shuffled } from './stats.js'
import { commandLine, load } from './wrk.js'

/** Each of them starts every server anew and takes seconds; the spread is small. */
const MOST_ROUNDS = 3

/** Connections that are opened at once. */
const BATCH = 100

/** Time for a server to come to rest, in milliseconds; less than any closes idle ones after. */
const REST = 1000

/**
 * @param {string} name of the scenario
 * @param {string[]} servers
 * @param {import('./options.js').Options} options
 * @param {import('./measure.js').How} how
 * @returns {Promise<import('./measure.js').Measured>}
 */
export async function measureIdle(name, servers, options, how) {
  const scenario = scenarios[name]
  const count = options.isQuick ? BATCH : Number(scenario.connections)
  /** @type {import('./measure.js').Measured} */
  const measured = { servers: {}, samples: {} }
  for (const server of servers) measured.samples[server] = {}
  for (let round = 0; round < Math.min(options.rounds, MOST_ROUNDS); round++) {
    for (const server of shuffled(servers, how.random)) {
      const member = await Member.start(server, name, how.server)
      try {
        await member.listening()
        const grown = await named(member, growth(member, scenario, count, options, how))
        append(measured.samples[server], { kib: grown / count })
        measured.servers[server] = { server: member.command, peakRss: member.usage().peakRss }
      } finally {
        await member.stop()
      }
    }
  }
  return measured
}

/**
 * In KiB, all connections together.
 * @param {Member} member
 * @param {import('./scenarios.js').Scenario} scenario
 * @param {number} count
 * @param {import('./options.js').Options} options
 * @param {import('./measure.js').How} how
 */
async function growth(member, scenario, count, { connections, duration }, how) {
  const { length } = await check(scenario, member.port)
  const run = { scenario, connections, duration }
  await load([...how.generator, ...commandLine(run, String(member.port))], duration)
  await sleep(REST)
  const before = member.usage().rss
  const request = requestOf(scenario, member.port)
  /** @type {import('node:net').Socket[]} */
  const sockets = []
  try {
    while (sockets.length < count) {
      const batch = Array.from({ length: BATCH }, () =>
        connect({ port: member.port, host: '127.0.0.1' }),
      )
      sockets.push(...batch)
      await Promise.all(batch.map((socket) => once(socket, 'connect')))
    }
    for (let at = 0; at < count; at += BATCH) {
      const batch = sockets.slice(at, at + BATCH)
      await Promise.all(batch.map((socket) => talk(socket, request, length)))
    }
    await sleep(REST)
    const open = sockets.filter((socket) => socket.readyState === 'open').length
    if (open < count) throw new Error(`only ${open} of ${count} connections stayed open`)
    return member.usage().rss - before
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

/**
 * @param {import('node:net').Socket} socket
 * @param {string} request
 * @param {number} answerLength
 */
async function talk(socket, request, answerLength) {
  socket.write(request)
  let received = 0
  while (received < answerLength) received += (await once(socket, 'data'))[0].length
  if (received > answerLength) throw new Error(`an answer of ${received} bytes`)
}
