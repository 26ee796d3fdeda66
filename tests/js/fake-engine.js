/**
 * An engine without sockets: writes a request's facts into the record as the native one does,
 * calls dispatch, and keeps what comes back. Follows the contract in `lib/engine.js`.
 */
import * as layout from '../../lib/record.js'

const KINDS = ['later', 'empty', 'text', 'bytes', 'stream']

export class FakeEngine {
  record = new Uint32Array(160)
  /** Answers that came after their dispatch had returned. */
  late = []
  remembered = []
  listening = []
  timeouts = []
  /** What streamed answers were given, `undefined` at their end. */
  parts = []
  closedWith
  isRef = true
  #dispatch
  #gone
  #closed
  #staged
  #bodies = new Map()

  constructor(config, dispatch, gone, closed) {
    this.config = config
    this.#dispatch = dispatch
    this.#gone = gone
    this.#closed = closed
  }

  /** One request, as the reactor hands it over. The answer, or undefined when it is deferred. */
  request(
    target = '/',
    { method = 'GET', slot = 1, generation = 1, sequence = 1, fields = '', body, peer, head } = {},
  ) {
    const { record } = this
    const text = head ?? `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${fields}`
    const targetStart = text.indexOf(' ') + 1
    const bytes = body === undefined ? undefined : Buffer.from(body)
    record[layout.SLOT] = slot
    record[layout.GENERATION] = generation
    record[layout.SEQUENCE] = sequence
    record[layout.METHOD] = Math.max(0, layout.METHODS.indexOf(method))
    record[layout.TARGET_START] = targetStart
    record[layout.TARGET_END] = text.indexOf(' ', targetStart)
    record[layout.FIELDS_START] = text.indexOf('\r\n') + 2
    record[layout.FIELD_COUNT] = layout.MOST_PLACES + 1
    record[layout.FLAGS] = (bytes ? layout.HAS_BODY : 0) | (peer ? layout.NEW_CONNECTION : 0)
    record[layout.BODY_LENGTH] = bytes?.length ?? 0
    if (peer) {
      record[layout.PEER_FAMILY] = peer.family
      record.set(peer.words, layout.PEER_ADDRESS)
      record[layout.PEER_PORT] = peer.port
    }
    if (bytes?.length) this.#bodies.set(key({ slot, generation, sequence }), bytes)
    const result = this.#dispatch(text)
    return record[layout.KIND] === layout.LATER ? undefined : this.#answer(result)
  }

  gone(reason, { slot = 1, generation = 1, sequence = 1 } = {}) {
    this.#gone(slot, generation, sequence, reason)
  }

  /** The names of the request that the record names. */
  #named() {
    const { record } = this
    return {
      slot: record[layout.SLOT],
      generation: record[layout.GENERATION],
      sequence: record[layout.SEQUENCE],
    }
  }

  #answer(body) {
    const { record } = this
    const id = record[layout.BLOCK]
    const block =
      id === layout.NO_BLOCK
        ? ''
        : id === layout.STAGED_BLOCK
          ? this.#staged
          : this.remembered[id - 2]
    this.#staged = undefined
    const kind = KINDS[record[layout.KIND]]
    if (kind === 'text' && record[layout.LENGTH] !== body.length) throw new Error('wrong LENGTH')
    return { status: record[layout.STATUS], id, block, kind, body }
  }

  stage(block) {
    if (/[\r\n]/.test(block)) return false
    this.#staged = block
    return true
  }

  remember(block) {
    this.remembered.push(block)
    return this.remembered.length + 1
  }

  answer(body) {
    const named = this.#named()
    this.late.push({ ...named, ...this.#answer(body) })
    return true
  }

  write(part) {
    this.parts.push({ ...this.#named(), part: Buffer.from(part).toString() })
    return 0
  }

  end() {
    this.parts.push({ ...this.#named(), part: undefined })
    return true
  }

  #take() {
    const body = this.#bodies.get(key(this.#named()))
    this.#bodies.delete(key(this.#named()))
    return body
  }

  /** Bodies that are still in the engine's memory. */
  get bodiesLeft() {
    return this.#bodies.size
  }

  dropBodies() {
    this.#bodies.clear()
  }

  takeText() {
    return this.#take()?.toString()
  }

  takeBytes() {
    const body = this.#take()
    return body && new Uint8Array(body)
  }

  setTimeout(milliseconds) {
    this.timeouts.push({ ...this.#named(), milliseconds })
    return true
  }

  listen(address, port, reusePort, backlog) {
    this.listening.push({ address, port, reusePort, backlog })
    return port || 40000
  }

  close(timeout) {
    this.closedWith = timeout
    queueMicrotask(() => this.#closed(0))
  }

  ref() {
    this.isRef = true
  }

  unref() {
    this.isRef = false
  }
}

/** A system error as the native engine throws it. */
export function systemError(code) {
  return Object.assign(new Error(code), { code })
}

function key({ slot, generation, sequence }) {
  return `${slot}.${generation}.${sequence}`
}

/** Settled once all microtasks and ticks that are queued now have run. */
export function turn() {
  return new Promise((resolve) => setImmediate(resolve))
}
