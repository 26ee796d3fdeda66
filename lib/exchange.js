/**
 * One request on its way to its answer: its names in the engine, what has become of it, its body in
 * the engine's memory, and the words for what can go wrong on the way. Knows nothing of handlers
 * and answers.
 */
import { AsyncResource } from 'node:async_hooks'
import {
  GENERATION,
  GONE_BAD_BODY,
  GONE_CLIENT_CLOSED,
  GONE_CONNECTION_LOST,
  GONE_SERVER_CLOSED,
  GONE_TIMEOUT,
  SEQUENCE,
  SLOT,
} from './record.js'

/** @typedef {import('./engine.js').Engine} Engine */
/** @typedef {import('./outgoing.js').Outgoing} Outgoing */
/** @typedef {import('./request.js').Request} Request */
/** @typedef {import('./upload.js').Upload} Upload */

/** It is the async resource that the request's code runs in, too. */
export class Exchange extends AsyncResource {
  /** @type {Request} */
  request = /** @type {any} */ (undefined)
  /** @type {EngineBody | Upload | null} */
  body = null
  /** @type {Upload | undefined} the same, when it is still on its way */
  upload
  isDeferred = false
  /** @type {Outgoing | undefined} a streamed answer that has begun */
  outgoing
  /** The engine has given it up: its body is no longer there, its answer goes nowhere. */
  isLost = false
  /** The error hook has been asked. */
  hasFailed = false
  /** @type {unknown} */
  failure

  /**
   * @param {number} slot
   * @param {number} generation
   * @param {number} sequence
   */
  constructor(slot, generation, sequence) {
    super('BarewireRequest')
    this.slot = slot
    this.generation = generation
    this.sequence = sequence
  }

  /**
   * Makes the record name this request for the next call into the engine.
   * @param {Uint32Array} record
   */
  name(record) {
    record[SLOT] = this.slot
    record[GENERATION] = this.generation
    record[SEQUENCE] = this.sequence
  }
}

/**
 * The bytes of a request's body, in the engine's memory until one of the methods moves them. The
 * engine keeps no empty ones.
 */
export class EngineBody {
  #engine
  #exchange

  /**
   * @param {Engine} engine
   * @param {Exchange} exchange
   * @param {number} length
   */
  constructor(engine, exchange, length) {
    this.#engine = engine
    this.#exchange = exchange
    this.length = length
  }

  text() {
    if (this.length === 0) return ''
    this.#exchange.name(this.#engine.record)
    return present(this.#engine.takeText())
  }

  bytes() {
    if (this.length === 0) return new Uint8Array()
    this.#exchange.name(this.#engine.record)
    return present(this.#engine.takeBytes())
  }
}

/**
 * @template T
 * @param {T | undefined} body
 * @returns {T}
 */
function present(body) {
  if (body !== undefined) return body
  throw aborted('the body is gone with its connection')
}

/**
 * Why a request is aborted, by the engine's number. The errors are made where somebody asks for
 * one: with its stack it costs more than the request.
 * @type {Readonly<Record<number, () => DOMException>>}
 */
export const ABORT_REASONS = Object.freeze({
  [GONE_CLIENT_CLOSED]: () => aborted('the client closed its side of the connection'),
  [GONE_CONNECTION_LOST]: () => aborted('the connection to the client was lost'),
  [GONE_TIMEOUT]: () =>
    new DOMException('the request took longer than its time limit', 'TimeoutError'),
  [GONE_SERVER_CLOSED]: () => aborted('the server closed before the request was answered'),
  [GONE_BAD_BODY]: () => aborted('the body of the request is malformed, too large or cut short'),
})

/** Why a body that nobody has read comes no more. */
export function answered() {
  return aborted('the request was answered before its body was read')
}

/** @param {string} message */
function aborted(message) {
  return new DOMException(message, 'AbortError')
}
