/**
 * What a handler gets beside its request: the `Context`, and the `FetchEvent` that listeners get
 * instead. Nothing here knows how an answer reaches the client.
 */
import { BarewireError, CODES } from './errors.js'
import { blockOf, Headers } from './headers.js'

/** @typedef {import('./server.js').Server} Server */
/** @typedef {import('./request.js').Request} Request */
/** @typedef {import('./peer.js').Peer} Peer */
/**
 * What contexts do through their server.
 * @typedef {object} Tools
 * @property {import('./background.js').Background} background
 * @property {(request: Request) => Promise<string>} trailers
 * @property {(request: Request, status: number, block: string) => boolean} inform
 */
/** @typedef {(event: FetchEvent) => unknown} Listener */

// Filled in by the static block below: what the event, too, needs of its context.

/** @type {(context: Context) => Request} */
let requestOf

/** @type {(context: Context, error: unknown) => void} */
let reportLate

export class Context {
  #server
  #request
  #peer
  #tools

  /**
   * @param {Server} server
   * @param {Request} request
   * @param {Peer} peer
   * @param {Tools} tools
   */
  constructor(server, request, peer, tools) {
    this.#server = server
    this.#request = request
    this.#peer = peer
    this.#tools = tools
  }

  get server() {
    return this.#server
  }

  get clientAddress() {
    return this.#peer.address
  }

  get clientPort() {
    return this.#peer.port
  }

  /** @param {unknown} promise */
  waitUntil(promise) {
    this.#tools.background.add(promise, this.#request)
  }

  /** The fields behind a chunked body, when it has ended; ask while the request is under way. */
  get trailers() {
    return this.#tools.trailers(this.#request).then(headersFromTrailers)
  }

  /**
   * Sends an interim answer; false when the real one has begun.
   * @param {number} status 100 to 199, but not 101
   * @param {import('./headers.js').HeadersInit} [headers]
   */
  sendInformational(status, headers = undefined) {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new RangeError(
        `an interim status is from 100 to 199 and not 101, but ${status} was given`,
      )
    }
    return this.#tools.inform(this.#request, status, blockOf(new Headers(headers)))
  }

  static {
    requestOf = (context) => context.#request
    reportLate = (context, error) => context.#tools.background.report(error, context.#request)
  }
}

const OPEN = 0
const ANSWERED = 1
const ENDED = 2

/** @type {(event: FetchEvent, listeners: readonly Listener[], rest?: () => unknown) => unknown} */
let run

export class FetchEvent extends Context {
  #state = OPEN
  /** @type {unknown} */
  #answer
  /** @type {((value?: unknown) => void) | undefined} */
  #onAnswer

  get type() {
    return 'fetch'
  }

  get request() {
    return requestOf(this)
  }

  /** @param {unknown} response a Response or a promise of one */
  respondWith(response) {
    if (this.#state === ANSWERED) throw invalidState('respondWith was called twice')
    if (this.#state === ENDED) {
      throw invalidState('respondWith was called after the event had ended without it')
    }
    this.#state = ANSWERED
    this.#answer = response
    this.#onAnswer?.()
  }

  static {
    run = (event, listeners, rest) => event.#run(listeners, rest)
  }

  /**
   * @param {readonly Listener[]} listeners
   * @param {(() => unknown) | undefined} rest
   * @returns {unknown}
   */
  #run(listeners, rest) {
    for (let index = 0; index < listeners.length; index++) {
      const result = this.#call(listeners[index])
      if (this.#state === ANSWERED) {
        if (isThenable(result)) this.waitUntil(result)
        return this.#answer
      }
      if (isThenable(result)) return this.#wait(result, listeners.slice(index + 1), rest)
    }
    return this.#end(rest)
  }

  /** @param {Listener} listener */
  #call(listener) {
    try {
      return listener.call(this.server, this)
    } catch (error) {
      if (this.#state !== ANSWERED) {
        this.#state = ENDED
        throw error
      }
      reportLate(this, error)
    }
  }

  /**
   * @param {PromiseLike<unknown>} result
   * @param {readonly Listener[]} others
   * @param {(() => unknown) | undefined} rest
   */
  async #wait(result, others, rest) {
    const answered = new Promise((resolve) => {
      this.#onAnswer = resolve
    })
    try {
      await Promise.race([result, answered])
    } catch (error) {
      if (this.#state !== ANSWERED) {
        this.#state = ENDED
        throw error
      }
    }
    if (this.#state !== ANSWERED) return this.#run(others, rest)
    // What the listener does after its answer is background work like any other.
    this.waitUntil(result)
    return this.#answer
  }

  /** @param {(() => unknown) | undefined} rest */
  #end(rest) {
    this.#state = ENDED
    if (rest !== undefined) return rest()
    throw new BarewireError(
      CODES.NO_RESPONSE,
      'no fetch listener called event.respondWith() for this request',
    )
  }
}

/**
 * Asks listeners one after another until one has called respondWith. One that returns a promise
 * may still do so until that settles. What all of them leave goes to `rest`, the server's own
 * handler; without one it is an error.
 * @param {FetchEvent} event
 * @param {readonly Listener[]} listeners
 * @param {() => unknown} [rest]
 * @returns {unknown} the answer or a promise of it
 */
export function runListeners(event, listeners, rest) {
  return run(event, listeners, rest)
}

/** @param {string} block as they were sent, unlike the blocks of answers */
function headersFromTrailers(block) {
  const parts = block.split('\0')
  const headers = new Headers()
  for (let at = 0; at + 1 < parts.length; at += 2) headers.append(parts[at], parts[at + 1])
  return headers
}

/**
 * @param {unknown} value
 * @returns {value is PromiseLike<unknown>}
 */
export function isThenable(value) {
  return typeof (/** @type {any} */ (value)?.then) === 'function'
}

/** @param {string} message */
function invalidState(message) {
  return new DOMException(message, 'InvalidStateError')
}
