/**
 * A body that only the platform, or a framework, can read: a Blob, a form, the body of a response
 * of theirs. Knows nothing of our own classes.
 */

import { streamOf } from './streams.js'

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

  stream() {
    return this.#owner.body ?? streamOf('')
  }

  clone() {
    return new ForeignBody(this.#owner.clone(), this.length)
  }
}
