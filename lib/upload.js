/**
 * The body of a request that is still on its way when the handler is called. Nothing of it is read
 * from the socket until someone asks: for all of it, which the engine collects, or for a stream,
 * whose pulling is what reads. Knows the engine only by its reading calls.
 */

import { closeBytes, readAll } from './streams.js'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Bytes that wait in a stream before the socket has to. */
const HIGH_WATER = 64 * 1024

/**
 * @typedef {Pick<
 *   import('./engine.js').Engine, 'readBody' | 'takeText' | 'takeBytes' | 'takeTrailers'
 * >} Source
 */

export class Upload {
  #engine
  #name
  #hasEnded = false
  /** @type {(() => unknown) | undefined} makes the error that says why nothing more comes */
  #loss
  /** Whether the engine reads on without being asked. */
  #isFlowing = false
  /** Its trailer fields as a header block, once it has ended. */
  #trailers = ''
  /** @type {(() => void)[]} settle those who wait for the trailers */
  #onTrailers = []
  /** @type {(() => void) | undefined} settles the collecting */
  #onCollected
  /** @type {ReadableStream<Uint8Array> | undefined} */
  #stream
  /** @type {ReadableByteStreamController | undefined} */
  #controller

  /**
   * @param {Source} engine
   * @param {() => void} name makes the engine's record name the request
   */
  constructor(engine, name) {
    this.#engine = engine
    this.#name = name
  }

  // Where the stream was asked for, its parts may be on their way into it.

  /** All of it, UTF-8 decoded with the byte order mark kept. */
  text() {
    if (this.#stream !== undefined) return readAll(this.#stream).then((all) => decoder.decode(all))
    return this.#collect(() => this.#engine.takeText())
  }

  /** All of it, in memory of its own. */
  bytes() {
    if (this.#stream !== undefined) return readAll(this.#stream)
    return this.#collect(() => this.#engine.takeBytes())
  }

  /** The one stream of it. */
  stream() {
    this.#stream ??= this.#open()
    return this.#stream
  }

  /**
   * A part has come. Says whether more may.
   * @param {Uint8Array<ArrayBuffer>} part
   */
  onPart(part) {
    if (this.#loss !== undefined) return false
    this.#controller?.enqueue(part)
    // Without a mark of its own the stream's desire is the negative of what waits in it.
    const room = HIGH_WATER + (this.#controller?.desiredSize ?? -HIGH_WATER)
    this.#isFlowing = room > 0
    return this.#isFlowing
  }

  /** It is complete. */
  onEnd() {
    this.#hasEnded = true
    this.#name()
    this.#trailers = this.#engine.takeTrailers()
    this.#settleTrailers()
    this.#onCollected?.()
    if (this.#loss === undefined && this.#controller !== undefined) closeBytes(this.#controller)
  }

  /**
   * Nothing more of it comes.
   * @param {() => unknown} reason makes the error, where somebody gets it
   */
  lose(reason) {
    if (this.#hasEnded || this.#loss !== undefined) return
    this.#loss = reason
    this.#settleTrailers()
    this.#onCollected?.()
    this.#controller?.error(reason())
  }

  /**
   * The trailer fields as a header block, when it has ended.
   * @returns {Promise<string>}
   */
  trailers() {
    return new Promise((resolve, reject) => {
      this.#onTrailers.push(() => {
        if (this.#hasEnded) resolve(this.#trailers)
        else reject((this.#loss ?? gone)())
      })
      if (this.#hasEnded || this.#loss !== undefined) this.#settleTrailers()
    })
  }

  #settleTrailers() {
    for (const settle of this.#onTrailers.splice(0)) settle()
  }

  /**
   * @template T
   * @param {() => T | undefined} take
   * @returns {Promise<T>}
   */
  #collect(take) {
    return new Promise((resolve, reject) => {
      this.#onCollected = () => {
        // It is taken at once: the engine keeps it no longer than the request.
        if (this.#loss === undefined) this.#name()
        const body = this.#loss === undefined ? take() : undefined
        if (body === undefined) reject((this.#loss ?? gone)())
        else resolve(body)
      }
      if (this.#loss !== undefined) return this.#onCollected()
      this.#name()
      this.#engine.readBody(false)
    })
  }

  /** @returns {ReadableStream<Uint8Array>} */
  #open() {
    if (this.#loss !== undefined) return failed(this.#loss())
    return new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.#controller = controller
        },
        pull: (controller) => {
          if (this.#isFlowing || this.#hasEnded) return
          this.#isFlowing = true
          this.#name()
          const before = this.#engine.takeBytes()
          this.#name()
          this.#engine.readBody(true)
          if (before !== undefined && before.byteLength > 0) controller.enqueue(before)
        },
        cancel: (reason) => {
          this.#loss ??= () => reason ?? gone()
        },
      },
      // Nothing is read before the first reading, so nothing is asked of the client either.
      { highWaterMark: 0 },
    )
  }
}

/** @param {unknown} reason */
function failed(reason) {
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      controller.error(reason)
    },
  })
}

function gone() {
  return new DOMException('the body is gone with its connection', 'AbortError')
}
