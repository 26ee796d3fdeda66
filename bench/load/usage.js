/**
 * What processes have used, as the kernel of Linux counts it: one measure for servers of every
 * kind, taken from outside.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** The kernel's USER_HZ, the same on every architecture that Node.js runs on. */
const TICK_MICROS = 10_000

/**
 * @typedef {object} Usage of a process and its descendants, all threads
 * @property {number} cpu time in microseconds, exact
 * @property {number} userTicks sampled by the kernel, so good for a proportion only
 * @property {number} systemTicks
 * @property {number} rss resident set in KiB
 * @property {number} peakRss in KiB, each process at its own time
 */

/**
 * @param {number} pid
 * @returns {Usage}
 */
export function usageOf(pid) {
  const sum = { cpu: 0, userTicks: 0, systemTicks: 0, rss: 0, peakRss: 0 }
  for (const id of family(pid)) {
    for (const thread of readdirSync(`/proc/${id}/task`)) {
      const [nanos] = read(`/proc/${id}/task/${thread}/schedstat`).split(' ')
      sum.cpu += Number(nanos) / 1000
    }
    // The name, in brackets, can hold spaces.
    const fields = read(`/proc/${id}/stat`).split(') ')[1].split(' ')
    sum.userTicks += Number(fields[11])
    sum.systemTicks += Number(fields[12])
    const status = read(`/proc/${id}/status`)
    sum.rss += kib(status, 'VmRSS')
    sum.peakRss += kib(status, 'VmHWM')
  }
  return sum
}

/**
 * A process and its descendants.
 * @param {number} pid
 * @returns {number[]}
 */
export function family(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean),
  )
  return [pid, ...children.flatMap((child) => family(Number(child)))]
}

/**
 * CPU time of all programs of the machine so far, in microseconds, to a hundredth of a second.
 * Time that the hypervisor took counts, work of interrupts doesn't.
 */
export function machineCpu() {
  const [user, nice, system, , , , , steal] = read('/proc/stat')
    .split('\n', 1)[0]
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + steal) * TICK_MICROS
}

/**
 * @param {string} status
 * @param {string} name
 */
function kib(status, name) {
  const [, value] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? []
  return Number(value)
}

/** @param {string} path */
function read(path) {
  return readFileSync(path, 'latin1')
}
