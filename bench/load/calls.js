/**
 * System calls and user-mode instructions of a server, counted by perf in a run of its own, since
 * counting slows a server down. Where perf is missing or the machine has no such counter, there is
 * no figure.
 */
import { spawnSync } from 'node:child_process'
import { family } from './usage.js'

const EVENTS = { calls: 'raw_syscalls:sys_enter', instructions: 'instructions:u' }

/**
 * The command that counts while another one runs; nothing where that can't be had.
 * @param {number} pid of the server
 * @returns {string[]}
 */
export function counting(pid) {
  const events = Object.values(EVENTS).join()
  const command = ['perf', 'stat', '-x;', '-e', events, '-p', family(pid).join()]
  return spawnSync(command[0], [...command.slice(1), '--', 'true']).status === 0
    ? [...command, '--']
    : []
}

/**
 * What perf has printed.
 * @param {string} text
 * @returns {{ calls?: number, instructions?: number }}
 */
export function counted(text) {
  const found = Object.entries(EVENTS).flatMap(([name, event]) => {
    const [, count] = new RegExp(`^(\\d+);[^;]*;${event};`, 'm').exec(text) ?? []
    return count === undefined ? [] : [[name, Number(count)]]
  })
  return Object.fromEntries(found)
}
