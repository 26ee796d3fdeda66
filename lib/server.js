/**
 * The server as its user sees it: how it is made, where it listens, when it ends. Ties the
 * handler, the engine and the background work together; knows nothing of how a request is
 * answered.
 */

import { addon } from '../binding.js'
import { Background } from './background.js'
import { bind, bindByName } from './bind.js'
import { compressionOf } from './compression.js'
import { Dispatcher } from './dispatch.js'
import { BarewireError, CODES, isClientFault } from './errors.js'
import { Context, FetchEvent, runListeners } from './event.js'
import { warn } from './fallback.js'
import { fetchInMemory } from './memory.js'
import { describe, readDelay, readOptions } from './options.js'
import { callOf, readArguments } from './shapes.js'

/** How long `close()` waits for requests and background work when it is not told, in ms. */
const CLOSE_TIMEOUT = 10_000

/** @typedef {import('./request.js').Request} Request */
/** @typedef {import('./event.js').Listener} Listener */
/** @typedef {'new' | 'binding' | 'listening' | 'closed'} Phase */

/**
 * Starts a server and returns it when it has bound. Takes `(handler)`, `(port, handler, options?)`
 * or `(options)` with `fetch` among them.
 * @param {unknown} first
 * @param {unknown} [handler]
 * @param {unknown} [options]
 */
export function serve(first, handler, options) {
  const [settings, call] = readArguments(first, handler, options)
  const server = new Server(settings)
  server.reload(call)
  listenNow(server)
  return server
}

/** @type {(server: Server) => void} */
let listenNow

export class Server {
  #settings
  /** @type {import('./dispatch.js').Service} */
  #service
  #background
  /** @type {import('./event.js').Tools} */
  #tools
  /** @type {import('./shapes.js').Call | undefined} */
  #handler
  /** @type {readonly Listener[]} replaced, never changed: a request keeps those it began with */
  #listeners = []
  /** @type {Dispatcher | undefined} */
  #dispatcher
  /** @type {Phase} */
  #phase = 'new'
  #isRef = true
  #port
  /** @type {Promise<{ cut: number }> | undefined} */
  #closing
  /** @type {(cut: number) => void} */
  #onClosed = () => {}
  #onAbort = () => void this.close()

  static {
    listenNow = (server) => {
      server.#begin()
      try {
        server.#take(bind(server.#open, server.#settings))
      } catch (error) {
        server.#phase = 'new'
        throw error
      }
    }
  }

  /** @param {unknown} [options] */
  constructor(options = {}) {
    this.#settings = readOptions(options)
    this.#port = this.#settings.port
    const { error: onError, fetch, development, maxBodySize, compression } = this.#settings
    this.#service = {
      respond: (request, peer) => this.#respond(request, peer),
      onError: /** @type {import('./dispatch.js').Service['onError']} */ (onError),
      reportLate: (error, request) => this.#reportLate(error, request),
      maxBodySize: /** @type {import('./dispatch.js').Service['maxBodySize']} */ (maxBodySize),
      compress: compression ? compressionOf(compression) : undefined,
      report: (error) => {
        if (!isClientFault(error)) warn(error, 'a request failed and no error hook took it')
      },
      development,
      origin: { scheme: 'http', authority: 'localhost' },
    }
    this.#background = new Background((error, request) => this.#reportLate(error, request))
    this.#tools = {
      background: this.#background,
      trailers: async (request) => (await this.#dispatcher?.trailers(request)) ?? '',
      inform: (request, status, block) => this.#dispatcher?.inform(request, status, block) ?? false,
    }
    if (fetch !== undefined) this.reload(fetch)
  }

  /** The bound port; before that the one asked for; 0 for a unix socket. */
  get port() {
    return this.#port
  }

  get hostname() {
    return this.#settings.path === undefined ? this.#settings.hostname : ''
  }

  get url() {
    const { path, hostname } = this.#settings
    if (path !== undefined) return `unix:${path}`
    return `http://${authority(hostname, this.#port)}`
  }

  /**
   * @param {string} type
   * @param {unknown} listener
   */
  addEventListener(type, listener) {
    checkListener(type, listener)
    if (this.#listeners.includes(listener)) return
    this.#listeners = [...this.#listeners, listener]
  }

  /**
   * @param {string} type
   * @param {unknown} listener
   */
  removeEventListener(type, listener) {
    checkListener(type, listener)
    this.#listeners = this.#listeners.filter((other) => other !== listener)
  }

  /** Binds, by a look-up if the hostname needs one. */
  async listen() {
    this.#begin()
    try {
      const bound = await bindByName(this.#open, this.#settings)
      const { signal } = this.#settings
      if (this.#closing !== undefined || signal?.aborted) {
        bound.dispatcher.engine.close(1)
        signal?.throwIfAborted()
        throw new BarewireError(CODES.STATE, 'the server was closed before it could listen')
      }
      this.#take(bound)
    } catch (error) {
      if (this.#phase === 'binding') this.#phase = 'new'
      throw error
    }
    return this
  }

  /**
   * Drains and ends the server. Later calls get the promise of the first.
   * @param {{ timeout?: number }} [options]
   */
  close({ timeout = CLOSE_TIMEOUT } = {}) {
    this.#closing ??= this.#close(readDelay(timeout, 'the timeout of close()'))
    return this.#closing
  }

  async [Symbol.asyncDispose]() {
    await this.close()
  }

  /**
   * Replaces the handler from the next request on.
   * @param {unknown} handler
   */
  reload(handler) {
    this.#handler = callOf(handler)
  }

  /**
   * Sets the time limit of one request; false when it is no longer under way.
   * @param {Request} request
   * @param {number} milliseconds 0 is off
   */
  timeout(request, milliseconds) {
    const delay = readDelay(milliseconds, 'the second argument of timeout()')
    return this.#dispatcher?.setTimeout(request, delay) ?? false
  }

  /**
   * Answers a request without a socket.
   * @param {unknown} input
   * @param {unknown} [init]
   */
  fetch(input, init) {
    const base = this.#settings.path === undefined ? this.url : 'http://localhost'
    return fetchInMemory(this.#service, base, input, init)
  }

  stats() {
    return this.#dispatcher?.engine.stats() ?? idleStats()
  }

  ref() {
    this.#isRef = true
    this.#dispatcher?.engine.ref()
    return this
  }

  unref() {
    this.#isRef = false
    this.#dispatcher?.engine.unref()
    return this
  }

  /**
   * @param {Request} request
   * @param {import('./peer.js').Peer} peer
   */
  #respond(request, peer) {
    const handler = this.#handler
    if (this.#listeners.length > 0) {
      const event = new FetchEvent(this, request, peer, this.#tools)
      return runListeners(event, this.#listeners, handler && (() => handler(request, event)))
    }
    if (handler !== undefined) {
      return handler(request, new Context(this, request, peer, this.#tools))
    }
    throw new BarewireError(
      CODES.NO_RESPONSE,
      'the server has no handler: give it fetch, or add a listener for fetch events',
    )
  }

  /**
   * An error that no answer can carry any more goes to the error hook, for its log; what that
   * returns has no use. Without a hook it is a warning of the process.
   * @param {unknown} error
   * @param {Request} request
   */
  async #reportLate(error, request) {
    const where = 'work of a request failed after its answer'
    const { onError } = this.#service
    if (onError === undefined) return warn(error, where)
    try {
      await onError(error, request)
    } catch (second) {
      warn(second, where)
    }
  }

  #begin() {
    const { signal } = this.#settings
    if (this.#phase !== 'new') {
      const is = this.#phase === 'closed' ? 'was closed: make a new one' : 'listens already'
      throw new BarewireError(CODES.STATE, `this server ${is}`)
    }
    signal?.throwIfAborted()
    this.#phase = 'binding'
  }

  #open = () => {
    const { native } = this.#settings
    /** @type {Dispatcher} */
    const dispatcher = new Dispatcher(addon().Engine, native, this.#service, (cut) => {
      if (dispatcher === this.#dispatcher) this.#onClosed(cut)
    })
    return dispatcher
  }

  /** @param {import('./bind.js').Bound} bound */
  #take({ dispatcher, port }) {
    this.#phase = 'listening'
    this.#dispatcher = dispatcher
    this.#port = port
    const { path, hostname, signal } = this.#settings
    if (path === undefined) this.#service.origin.authority = authority(hostname, port)
    if (!this.#isRef) dispatcher.engine.unref()
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** @param {number} timeout */
  async #close(timeout) {
    this.#phase = 'closed'
    const deadline = performance.now() + timeout
    this.#settings.signal?.removeEventListener('abort', this.#onAbort)
    const engine = this.#dispatcher?.engine
    /** @type {Promise<number> | number} */
    const closed =
      engine === undefined
        ? 0
        : new Promise((resolve) => {
            this.#onClosed = resolve
            // The engine takes 0 for no limit; here it is no time.
            engine.close(Math.max(1, timeout))
          })
    const cut = await closed
    await this.#background.settle(Math.max(0, deadline - performance.now()))
    return { cut }
  }
}

/**
 * @param {string} type
 * @param {unknown} listener
 * @returns {asserts listener is Listener}
 */
function checkListener(type, listener) {
  if (type !== 'fetch') {
    throw new BarewireError(CODES.OPTION, `a server has only fetch events, not ${describe(type)}`)
  }
  if (typeof listener !== 'function') {
    throw new BarewireError(
      CODES.HANDLER,
      `a listener is a function, but ${describe(listener)} was given`,
    )
  }
}

/**
 * @param {string} hostname
 * @param {number} port
 */
function authority(hostname, port) {
  if (hostname === '0.0.0.0' || hostname === '::') return `localhost:${port}`
  return hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`
}

/** What a server that has not listened yet has to tell. */
function idleStats() {
  return {
    activeConnections: 0,
    totalRequests: 0,
    requestsPerSecond: 0,
    avgLatencyMs: 0,
    p50LatencyMs: 0,
    p99LatencyMs: 0,
    pendingRequests: 0,
    bytesReceived: 0,
    bytesSent: 0,
    bufferedBytes: 0,
    rejected: {},
    closed: {},
  }
}
