/** A server of the table as a process: started on a free port, asked what it has used, ended. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { FILES } from './fixtures.js'
import { root } from './machine.js'
import { scenarios } from './scenarios.js'
import { servers } from './servers.js'
import { family, usageOf } from './usage.js'

/** Longest wait for a server to listen, in milliseconds. */
const PATIENCE = 10_000

/** @type {Set<Member>} */
const running = new Set()

export class Member {
  #child

  /**
   * @param {string} name of the server
   * @param {string} scenario
   * @param {number} port
   * @param {string[]} command
   */
  constructor(name, scenario, port, command) {
    const [program, ...args] = command.map((part) => (part === 'node' ? process.execPath : part))
    const handler = servers[name].handler ?? scenarios[scenario].handler
    this.name = name
    this.port = port
    /** Without what differs from run to run. */
    this.command = command.map((part) =>
      part.replaceAll(String(port), 'PORT').replaceAll(`:${process.env.UPSTREAM}`, ':UPSTREAM'),
    )
    this.startedAt = performance.now()
    this.#child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, PORT: String(port), SCENARIO: handler, FILES },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    running.add(this)
  }

  /**
   * Starts a server on a free port; returns before it listens.
   * @param {string} name
   * @param {string} scenario
   * @param {string[]} pinned
   */
  static async start(name, scenario, pinned) {
    const port = await freePort()
    return new Member(name, scenario, port, [...pinned, ...servers[name].command(port, scenario)])
  }

  /** Ends all that run, for when the runner itself is ended. */
  static killAll() {
    for (const member of running) member.#kill()
  }

  /** Waits until the server takes connections; one that ends instead fails. */
  async listening() {
    const end = performance.now() + PATIENCE
    while (!(await isOpen(this.port))) {
      if (!this.#isRunning()) throw new Error('it ended instead of listening')
      if (performance.now() > end) throw new Error('it did not listen in time')
      await sleep(1)
    }
  }

  usage() {
    const { exitCode, signalCode } = this.#child
    if (!this.#isRunning()) throw new Error(`it has ended with ${signalCode ?? exitCode}`)
    return usageOf(this.pid)
  }

  get pid() {
    return /** @type {number} */ (this.#child.pid)
  }

  async stop() {
    if (!this.#isRunning()) return
    const ended = once(this.#child, 'exit')
    this.#kill()
    await ended
  }

  #kill() {
    running.delete(this)
    if (!this.#isRunning()) return
    for (const pid of family(this.pid)) process.kill(pid, 'SIGKILL')
  }

  #isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}

/** @param {number} port */
export async function isOpen(port) {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
