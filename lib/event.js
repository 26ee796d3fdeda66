/**
 * What a handler gets beside its request: the `Context`, and the `FetchEvent` that listeners get
 * instead. Nothing here knows how an answer reaches the client.
 */
import { BarewireError, CODES } from './errors.js'

/** @typedef {import('./server.js').Server} Server */
/** @typedef {import('./request.js').Request} Request */
/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./background.js').Background} Background */
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
  #background

  /**
   * @param {Server} server
   * @param {Request} request
   * @param {Peer} peer
   * @param {Background} background
   */
  constructor(server, request, peer, background) {
    this.#server = server
    this.#request = request
    this.#peer = peer
    this.#background = background
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
    this.#background.add(promise, this.#request)
  }

  static {
    requestOf = (context) => context.#request
    reportLate = (context, error) => context.#background.report(error, context.#request)
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
