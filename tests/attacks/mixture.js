/** All attacks on one server, with clients that come and go, and what it holds meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import { attacks } from './attacks.js'
import { startChild } from './child.js'
import { Attacker } from './client.js'
import { seeded } from './harness.js'

const MEBIBYTE = 2 ** 20
/** Clients of each attack at a time. */
const CLIENTS = 8
/** Samples of one run, whatever its length. */
const SAMPLES = 24
/** The first ones, in which V8 finds its sizes, say nothing. */
const WARM_UP = 6
/** Most MiB between the first half of the rest and the second. */
const DRIFT = 12

const options = {
  timeouts: { headers: 1000, body: 1000, send: 1000, idle: 1000 },
  timeout: 2000,
  maxBufferedBytes: 16 << 20,
}

/**
 * @typedef {object} Sample
 * @property {number} seconds since the beginning
 * @property {number} rss in bytes
 * @property {number} descriptors
 * @property {{ count: number, failures: string[], p95: number }} others since the last one
 */

/** @param {{ milliseconds: number, onSample?: (sample: Sample) => void }} how */
export async function soak({ milliseconds, onSample = () => {} }) {
  const server = startChild('server.js', [JSON.stringify(options)])
  const children = [server]
  const chance = seeded(1)
  /** @type {Attacker[]} */
  let attackers = []
  try {
    const port = Number(await server.said(/port (\d+)\n/))
    const probe = startChild('probe.js', [String(port), '1'])
    children.push(probe)
    await probe.said(/ready (yes);\n/)
    const before = await server.numbers()
    const begin = performance.now()
    /** @type {Sample[]} */
    const samples = []
    for (let turn = 1; turn <= SAMPLES; turn++) {
      for (const attacker of attackers) attacker.leave()
      attackers = Object.values(attacks).flatMap(({ begin }) =>
        Array.from({ length: CLIENTS }, () => new Attacker(port, begin, chance)),
      )
      await sleep(begin + (milliseconds * turn) / SAMPLES - performance.now())
      const { rss, descriptors } = await server.numbers()
      const others = await probe.numbers()
      const sample = { seconds: (performance.now() - begin) / 1000, rss, descriptors, others }
      samples.push(sample)
      onSample(sample)
    }
    for (const attacker of attackers) attacker.leave()
    await sleep(3000)
    const after = await server.numbers()
    return { samples, faults: faultsOf(samples, after.descriptors - before.descriptors) }
  } finally {
    for (const attacker of attackers) attacker.leave()
    for (const child of children) child.end()
  }
}

/**
 * @param {Sample[]} samples
 * @param {number} descriptorsLeft
 */
function faultsOf(samples, descriptorsLeft) {
  const faults = samples.flatMap(({ others }) => others.failures)
  const warm = samples.slice(WARM_UP)
  const half = warm.length / 2
  const drift = (median(warm.slice(half)) - median(warm.slice(0, half))) / MEBIBYTE
  if (drift > DRIFT) faults.push(`memory has grown by ${drift.toFixed(1)} MiB`)
  if (descriptorsLeft > 1) faults.push(`${descriptorsLeft} descriptors are left`)
  if (samples.some(({ others }) => others.count === 0))
    faults.push('nobody else was served for a while')
  return faults
}

/** @param {Sample[]} samples */
function median(samples) {
  return samples.map(({ rss }) => rss).toSorted((a, b) => a - b)[samples.length >> 1]
}
