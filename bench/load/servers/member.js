/**
 * What each server of the table does besides answering: it takes its orders from the environment,
 * says when it listens, and accounts for itself when asked. Knows nothing of HTTP.
 */
import { readFileSync } from 'node:fs'

/**
 * What the process has used so far.
 * @typedef {object} Usage
 * @property {number} user CPU time of all its threads, in microseconds
 * @property {number} system
 * @property {number} peakRss in KiB
 */

/**
 * The handler of the scenario that was asked for.
 * @template T
 * @param {Record<string, T>} handlers by scenario
 * @returns {T}
 */
export function choose(handlers) {
  const scenario = process.env.SCENARIO ?? 'json'
  if (!Object.hasOwn(handlers, scenario)) {
    throw new Error(`no scenario ${scenario}; there are ${Object.keys(handlers).join(', ')}`)
  }
  return handlers[scenario]
}

/** The port to listen on; 0 leaves the choice to the system. */
export function port() {
  return Number(process.env.PORT ?? 3000)
}

/**
 * Tells where the server listens: the runner by message, a person by a line. The runner asks for
 * the usage by any message, and the process ends with it.
 * @param {number} listening
 */
export function announce(listening) {
  if (process.send === undefined) {
    console.log(`listening on http://127.0.0.1:${listening}`)
    return
  }
  process.on('message', () => process.send?.(usage()))
  process.on('disconnect', () => process.exit())
  process.send({ port: listening, node: process.versions.node })
}

/** @returns {Usage} */
function usage() {
  return { ...process.cpuUsage(), peakRss: peakRss() }
}

/**
 * From the memory map of this program where there is one: the resident set that `getrusage` tells
 * counts that of the parent before the program was loaded.
 */
function peakRss() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS
  const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  return Number(peak)
}
