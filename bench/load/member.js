/** A server of the table as a process: started, asked for what it has used, ended. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from './machine.js'
import { servers } from './servers.js'

/** Longest wait for a server to listen or to tell its usage, in milliseconds. */
const PATIENCE = 10_000

export class Member {
  #child

  /**
   * @param {string} name
   * @param {import('node:child_process').ChildProcess} child
   * @param {{ port: number, node: string }} started
   */
  constructor(name, child, { port, node }) {
    this.name = name
    this.port = port
    this.node = node
    this.#child = child
  }

  /**
   * The command line of a server, from the project's folder.
   * @param {string} name
   * @param {string[]} pinned
   */
  static commandLine(name, pinned) {
    return [...pinned, 'node', `bench/load/servers/${servers[name].program}`]
  }

  /**
   * Starts a server on a free port and waits until it listens.
   * @param {string} name
   * @param {string} scenario
   * @param {string[]} pinned
   */
  static async start(name, scenario, pinned) {
    const command = Member.commandLine(name, pinned)
    const [program, ...args] = command.map((part) => (part === 'node' ? process.execPath : part))
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, PORT: '0', SCENARIO: scenario },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    return new Member(name, child, await message(child, name))
  }

  /** @returns {Promise<import('./servers/member.js').Usage>} */
  async usage() {
    if (!this.#child.connected) throw new Error('it has ended')
    const answer = message(this.#child, this.name)
    this.#child.send('usage')
    return answer
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

/**
 * The next message of a server; a server that ends instead fails.
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} name
 * @returns {Promise<any>}
 */
async function message(child, name) {
  const waiting = new AbortController()
  const signal = AbortSignal.any([waiting.signal, AbortSignal.timeout(PATIENCE)])
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([value]) => value),
      once(child, 'exit', { signal }).then(([code, by]) => {
        throw new Error(`it ended with ${by ?? code}`)
      }),
    ])
  } catch (error) {
    child.kill('SIGKILL')
    const reason = signal.aborted
      ? 'it did not answer in time'
      : /** @type {Error} */ (error).message
    throw new Error(`${name} failed: ${reason}`, { cause: error })
  } finally {
    waiting.abort()
  }
}
