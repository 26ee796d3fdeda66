/**
 * The stream of an answer on its way: its parts go to the engine as the client takes them. A
 * stream that ends within one turn of the event loop is no stream on the wire: its bytes are an
 * answer like any other, with their length. Knows the engine only by its writing calls.
 */

import { AsyncResource } from 'node:async_hooks'
import { isUint8Array } from 'node:util/types'
import { streamOf } from './streams.js'

/** Bytes that are gathered before the answer begins. */
const GATHERED = 64 * 1024

/** What `write` of the engine says. */
const WAIT = 1
const GONE = 2
const WRONG_LENGTH = 3

/** @typedef {Pick<import('./engine.js').Engine, 'write' | 'end' | 'abort'>} Sink */

/**
 * Reads what a stream has ready: all of its bytes, or the beginning of an answer.
 * @param {ReadableStream} stream
 * @returns {Promise<Uint8Array | Outgoing>}
 */
export function gather(stream) {
  return new Outgoing(stream).gather()
}

/**
 * Gives a stream up whose length nobody knows: an empty one in its place says none.
 * @param {ReadableStream} stream
 */
export async function withoutBody(stream) {
  stream.cancel().catch(() => {})
  return new Outgoing(streamOf(''))
}

/** The stream is cancelled in the async context in which it is read. */
export class Outgoing extends AsyncResource {
  #reader
  /** @type {ReturnType<ReadableStreamDefaultReader['read']> | undefined} the reading under way */
  #next
  /** @type {Uint8Array[]} */
  #parts = []
  #isLost = false
  /** @type {(() => void) | undefined} */
  #onRoom

  /** @param {ReadableStream} stream */
  constructor(stream) {
    super('BarewireStream')
    this.#reader = stream.getReader()
  }

  async gather() {
    const turn = new Promise((resolve) => {
      setImmediate(resolve)
    })
    for (let size = 0; size < GATHERED; ) {
      this.#next ??= this.#reader.read()
      const result = await Promise.race([this.#next, turn])
      if (result === undefined) return this
      this.#next = undefined
      if (result.done) return this.takeParts()
      const part = this.#checked(result.value)
      this.#parts.push(part)
      size += part.byteLength
    }
    return this
  }

  /** What was gathered. */
  takeParts() {
    const parts = this.#parts
    this.#parts = []
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  /**
   * Gives the rest to the engine, at the pace of the client. Rejects when the stream fails; the
   * connection is cut then, since nothing else tells the client that this isn't the end.
   * @param {Sink} engine
   * @param {() => void} name makes the engine's record name the request
   */
  async run(engine, name) {
    try {
      while (!this.#isLost) {
        const { done, value } = await (this.#next ?? this.#reader.read())
        this.#next = undefined
        if (this.#isLost) return
        const part = done ? undefined : this.#checked(value)
        name()
        const credit = part === undefined ? engine.end() : engine.write(part)
        if (credit === WRONG_LENGTH) {
          const more = part === undefined ? 'fewer' : 'more'
          throw new TypeError(`the stream gave ${more} bytes than its Content-Length says`)
        }
        if (part === undefined) return
        if (credit === GONE) this.lose(new DOMException('the client has gone', 'AbortError'))
        else if (credit === WAIT) await this.#room()
      }
    } catch (error) {
      if (this.#isLost) return
      name()
      engine.abort()
      throw error
    }
  }

  /** The client has taken everything. */
  makeRoom() {
    this.#onRoom?.()
  }

  /**
   * Nobody reads any more: the stream is cancelled.
   * @param {unknown} reason
   */
  lose(reason) {
    this.#isLost = true
    this.#onRoom?.()
    this.runInAsyncScope(this.#cancel, this, reason)
  }

  /** @param {unknown} reason */
  #cancel(reason) {
    this.#reader.cancel(reason).catch(() => {})
  }

  #room() {
    return new Promise((resolve) => {
      this.#onRoom = () => resolve(undefined)
    })
  }

  /** @param {unknown} part */
  #checked(part) {
    if (isUint8Array(part)) return part
    const error = new TypeError('a part of a streamed body has to be a Uint8Array')
    this.#cancel(error)
    throw error
  }
}
