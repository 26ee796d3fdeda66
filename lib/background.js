/**
 * Work that goes on after its answer: the promises of `waitUntil`. A graceful close waits for
 * them; a rejection is reported and never becomes an unhandled one.
 */

/** @typedef {import('./request.js').Request} Request */

export class Background {
  /** @type {Set<Promise<void>>} */
  #pending = new Set()
  #report

  /** @param {(error: unknown, request: Request) => unknown} report */
  constructor(report) {
    this.#report = report
  }

  /**
   * @param {unknown} work a promise; anything else is done already
   * @param {Request} request whose work it is
   */
  add(work, request) {
    const done = this.#follow(work, request).finally(() => this.#pending.delete(done))
    this.#pending.add(done)
  }

  /**
   * Reports an error that came too late to change an answer.
   * @param {unknown} error
   * @param {Request} request
   */
  report(error, request) {
    this.#report(error, request)
  }

  /**
   * Resolves when no work is left, that which was added meanwhile included, or the time is over.
   * @param {number} milliseconds
   */
  async settle(milliseconds) {
    if (this.#pending.size === 0) return
    let timer
    const over = new Promise((resolve) => {
      timer = setTimeout(resolve, milliseconds, true)
    })
    while (this.#pending.size > 0) {
      if (await Promise.race([over, Promise.all(this.#pending).then(() => false)])) break
    }
    clearTimeout(timer)
  }

  /**
   * Never rejects: an error of the report itself has nowhere to go.
   * @param {unknown} work
   * @param {Request} request
   */
  async #follow(work, request) {
    try {
      await work
    } catch (error) {
      try {
        await this.#report(error, request)
      } catch {}
    }
  }
}
