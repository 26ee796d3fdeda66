/**
 * Reads a stream part by part, and can look at what is ready before anyone has decided what is to
 * become of it. Knows neither answers nor where the parts go.
 */

import { isUint8Array } from 'node:util/types'

/** Bytes that are gathered at least, where the stream has them. */
const GATHERED = 64 * 1024

export class ReadAhead {
  #reader
  /** @type {ReturnType<ReadableStreamDefaultReader['read']> | undefined} the reading under way */
  #pending
  /** @type {Uint8Array[]} */
  #parts = []

  /** @param {ReadableStream} stream */
  constructor(stream) {
    this.#reader = stream.getReader()
  }

  /** Reads for at most one turn of the event loop; true when the stream has ended by then. */
  async gather() {
    const turn = nextTurn()
    for (let size = 0; size < GATHERED; ) {
      this.#pending ??= this.#reader.read()
      const result = await Promise.race([this.#pending, turn])
      if (result === undefined) return false
      this.#pending = undefined
      const part = this.partOf(result)
      if (part === undefined) return true
      this.#parts.push(part)
      size += part.byteLength
    }
    return false
  }

  /** Whether the stream had nothing more when it was last asked. */
  get isWaiting() {
    return this.#pending !== undefined
  }

  /** What was gathered. */
  takeParts() {
    const parts = this.#parts
    this.#parts = []
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  /** What comes behind that, for `partOf`. */
  next() {
    const reading = this.#pending ?? this.#reader.read()
    this.#pending = undefined
    return reading
  }

  /**
   * The part that was read; undefined at the end.
   * @param {{ done: boolean, value?: unknown }} result
   * @throws {TypeError} for one that isn't bytes; the stream is cancelled then
   */
  partOf({ done, value }) {
    if (done) return undefined
    if (isUint8Array(value)) return value
    const error = new TypeError('a part of a streamed body has to be a Uint8Array')
    this.cancel(error)
    throw error
  }

  /** @param {unknown} reason */
  cancel(reason) {
    this.#reader.cancel(reason).catch(() => {})
  }
}

/**
 * Resolves when the event loop has gone around.
 * @returns {Promise<void>}
 */
export function nextTurn() {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
