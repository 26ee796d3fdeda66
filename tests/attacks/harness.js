/** An attack from its beginning to its end: what the others saw of it, and what it left behind. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from './child.js'
import { Attacker } from './client.js'

const MEBIBYTE = 2 ** 20
/** Connections that are begun at once. */
const BATCH = 50
/** Longest wait for a server to forget clients that are gone, in milliseconds. */
const REST = 10_000

/**
 * @param {import('./attacks.js').Attack} attack
 * @param {{ clients: number, milliseconds: number, seed?: number }} how
 */
export async function suffer({ options = {}, descriptors, isFull = false, begin }, how) {
  const server = startChild('server.js', [JSON.stringify(options)], descriptors)
  const children = [server]
  /** @type {Attacker[]} */
  const attackers = []
  try {
    const port = Number(await server.said(/port (\d+)\n/))
    const probe = startChild('probe.js', [String(port), isFull ? '0' : '1'])
    children.push(probe)
    await probe.said(/ready (yes);\n/)
    await sleep(300)
    const before = await server.numbers()
    await probe.numbers()
    const chance = seeded(how.seed ?? 1)
    const end = performance.now() + how.milliseconds
    while (performance.now() < end) {
      const wanted = Math.min(BATCH, how.clients - attackers.length)
      for (let count = 0; count < wanted; count++) {
        attackers.push(new Attacker(port, begin, chance))
      }
      await sleep(20)
    }
    const others = await probe.numbers()
    // Without a descriptor it can't look at itself.
    const during = descriptors === undefined ? await server.numbers() : before
    for (const attacker of attackers) attacker.leave()
    const after = await rested(server, before)
    await sleep(100)
    await probe.numbers()
    await sleep(200)
    return {
      others,
      afterwards: await probe.numbers(),
      during,
      connectionsLeft: after.activeConnections - before.activeConnections,
      descriptorsLeft: after.descriptors - before.descriptors,
      bytesLeft: after.bufferedBytes,
      pendingLeft: after.pendingRequests,
      grown: (Math.max(during.rss, after.rss) - before.rss) / MEBIBYTE,
      cuts: attackers.reduce((sum, { cuts }) => sum + cuts, 0),
    }
  } finally {
    for (const attacker of attackers) attacker.leave()
    for (const child of children) child.end()
  }
}

/**
 * The numbers of a server once nothing of the attack is left, or when it has had its time.
 * @param {ReturnType<typeof startChild>} server
 * @param {{ descriptors: number }} before
 */
async function rested(server, before) {
  const end = performance.now() + REST
  for (;;) {
    const now = await server.numbers()
    // The one that behaves may have a fresh connection just then.
    const isQuiet = now.descriptors <= before.descriptors + 1 && now.pendingRequests === 0
    if (isQuiet || performance.now() > end) return now
    await sleep(100)
  }
}

/**
 * Numbers from 0 to 1 that are the same in each run (xorshift32).
 * @param {number} seed not 0
 */
export function seeded(seed) {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
