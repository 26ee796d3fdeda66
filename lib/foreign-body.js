/**
 * A body that only the platform, or a framework, can read: a Blob, a form, the body of a response
 * of theirs. Knows nothing of our own classes.
 */

import { streamOf } from './streams.js'

export class ForeignBody {
  #owner

  /** @param {Request | Response} owner */
  constructor(owner) {
    this.#owner = owner
  }

  async bytes() {
    return new Uint8Array(await this.#owner.arrayBuffer())
  }

  stream() {
    return this.#owner.body ?? streamOf('')
  }

  clone() {
    return new ForeignBody(this.#owner.clone())
  }
}
