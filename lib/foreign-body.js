/**
 * A body that only the platform, or a framework, can read: a Blob, a form, the body of a response
 * of theirs. Knows nothing of our own classes.
 */

import { streamFromIterable } from './streams.js'

export class ForeignBody {
  #owner

  /**
   * @param {Request | Response} owner
   * @param {number} [length] in bytes, where it is known
   */
  constructor(owner, length) {
    this.#owner = owner
    this.length = length
  }

  async bytes() {
    return new Uint8Array(await this.#owner.arrayBuffer())
  }

  /** @returns {ReadableStream} */
  stream() {
    const { body } = this.#owner
    return body instanceof ReadableStream ? body : streamFromIterable(this.#read())
  }

  clone() {
    return new ForeignBody(this.#owner.clone(), this.length)
  }

  /** For an owner whose body is a stream of another kind, or hidden. */
  async *#read() {
    yield await this.bytes()
  }
}
