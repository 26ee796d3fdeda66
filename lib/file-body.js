/**
 * A body that lies in files, or in part: the engine sends it without JavaScript seeing a byte.
 * Where JavaScript does want them, they are read off the loop. Knows nothing of where the file
 * came from.
 */

import { read } from 'node:fs'
import { promisify } from 'node:util'
import { addon } from '../binding.js'
import { closeBytes, readAll } from './streams.js'

/** Bytes that are read at once. */
const PART = 64 * 1024

/** Why a stream is cancelled whose file goes on in another way: it stays open. */
export const MOVED = Symbol('moved')

const readFile = promisify(read)

/**
 * Those of this turn. Nearly all of them are sent within it, and to guard one costs more than that.
 * @type {FileBody[]}
 */
let fresh = []

export class FileBody {
  #number
  /**
   * Closes the file when it is collected with this body.
   * @type {object | undefined}
   */
  guard

  /**
   * @param {number} number by which the engine knows it
   * @param {number} length in bytes
   * @param {string} block the fields with which it was found, which the engine knows as well
   */
  constructor(number, length, block) {
    this.#number = number
    this.length = length
    this.block = block
    if (fresh.length === 0) setImmediate(FileBody.#guardUnsent)
    fresh.push(this)
  }

  /** Gives it to the engine, which sends it. */
  take() {
    const number = this.#number
    this.#number = 0
    return number
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer>>} */
  bytes() {
    return readAll(this.stream())
  }

  /** @returns {ReadableStream<Uint8Array>} */
  stream() {
    const parts = this.#read()
    const close = () => this.close()
    return new ReadableStream(
      {
        type: 'bytes',
        async pull(controller) {
          const { done, value } = await parts.next()
          if (value !== undefined) controller.enqueue(value)
          if (done) closeBytes(controller)
        },
        async cancel(reason) {
          if (reason === MOVED) return
          // It waits for the reading under way. One that has not begun closes nothing.
          await parts.return(undefined)
          close()
        },
      },
      { highWaterMark: 0 },
    )
  }

  clone() {
    return new FileBody(addon().cloneBody(this.#number), this.length, this.block)
  }

  /** Closes the file before it is collected. */
  close() {
    addon().closeBody(this.take())
  }

  /**
   * The body is held as long as this runs, so its descriptors stay what they are.
   * @returns {AsyncGenerator<Uint8Array<ArrayBuffer>, undefined>}
   */
  async *#read() {
    try {
      for (const { bytes, descriptor, start, length } of addon().bodyParts(this.#number)) {
        if (descriptor === undefined) yield/** @type {Uint8Array<ArrayBuffer>} */ (bytes)
        else yield* readSpan(descriptor, /** @type {number} */ (start), length)
      }
    } finally {
      this.close()
    }
  }

  /** Sees to it that files are closed which nobody can send any more. */
  static #guardUnsent() {
    const bodies = fresh
    fresh = []
    for (const body of bodies) {
      if (body.#number !== 0) body.guard = addon().guardBody(body.#number)
    }
  }
}

/**
 * @param {number} descriptor
 * @param {number} start
 * @param {number} length
 */
async function* readSpan(descriptor, start, length) {
  for (let at = 0; at < length; ) {
    const part = new Uint8Array(Math.min(PART, length - at))
    const { bytesRead } = await readFile(descriptor, part, 0, part.byteLength, start + at)
    if (bytesRead === 0) throw new TypeError('the file has become shorter while it was read')
    yield part.subarray(0, bytesRead)
    at += bytesRead
  }
}
