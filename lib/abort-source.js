/**
 * What aborts the signal of a request. Listeners run in the async context in which the signal was
 * first asked for, which is the handler's with all that it has entered; that of whatever ended the
 * request would tell them nothing.
 */
import { AsyncResource } from 'node:async_hooks'

export class AbortSource extends AsyncResource {
  #controller = new AbortController()

  constructor() {
    super('BarewireSignal')
  }

  get signal() {
    return this.#controller.signal
  }

  /** @param {unknown} reason */
  abort(reason) {
    this.runInAsyncScope(this.#controller.abort, this.#controller, reason)
  }
}
