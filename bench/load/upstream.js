/**
 * The one upstream of the scenario with proxies: the bare epoll floor with the right answer, which
 * costs less than any proxy. It shares the generator's core, so that a proxy has its own for itself.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from './machine.js'
import { freePort, isOpen } from './member.js'
import { native } from './needs.js'
import { scenarios } from './scenarios.js'

/**
 * Starts it, bound to a core, and tells the proxies by the environment where it is.
 * @param {string[]} pinned
 * @returns {Promise<{ pid: number, stop(): Promise<void>, absent?: undefined }
 *   | { absent: string }>}
 */
export async function startUpstream(pinned) {
  const { absent } = native()
  if (absent !== undefined) return { absent }
  const port = await freePort()
  const { type, body } = scenarios.proxy.answer
  const [program, ...args] = [...pinned, 'target/release/floor', type, body]
  process.env.UPSTREAM = String(port)
  const env = { ...process.env, PORT: String(port) }
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
  const stop = async () => {
    const ended = once(child, 'exit')
    if (child.kill()) await ended
  }
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error('the upstream ended instead of listening')
  }
  return { pid: /** @type {number} */ (child.pid), stop }
}
