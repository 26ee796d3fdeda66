/**
 * The body behind a Request or a Response: where its bytes are, how they are read, and what "used"
 * means. A body keeps the form that it was given (text stays text) and becomes a stream only when
 * someone asks for one. Knows nothing of requests, responses and the wire.
 */

import { Readable } from 'node:stream'
import { toUSVString } from 'node:util'
import { isArrayBuffer } from 'node:util/types'
import { copyOf } from './copies.js'
import { FileBody, MOVED } from './file-body.js'
import { FileReference } from './file-reference.js'
import { ForeignBody } from './foreign-body.js'
import { PlatformResponse } from './host.js'
import { ownBuffer, readAll, streamFromIterable, streamOf } from './streams.js'
import { Upload } from './upload.js'

/**
 * A body in the engine's memory. Each method may be called once and moves the bytes out.
 * @typedef {object} NativeBody
 * @property {number} length
 * @property {() => string} text UTF-8 decoded, with the byte order mark kept
 * @property {() => Uint8Array<ArrayBuffer>} bytes
 */

/**
 * @typedef {null | string | Uint8Array | ReadableStream | FileBody | ForeignBody | Upload | NativeBody
 * } BodySource
 */

export const TEXT_TYPE = 'text/plain;charset=UTF-8'
const FORM_TYPE = 'application/x-www-form-urlencoded;charset=UTF-8'

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Stands where the source of a body was before it was read. */
const CONSUMED = /** @type {NativeBody} */ ({ length: 0, text: refuse, bytes: refuse })

/**
 * The streams that were made here, with what is behind them: `new Response(request.body)` and its
 * kind find the text or the bytes again instead of reading a stream.
 * @type {WeakMap<ReadableStream, BodySource>}
 */
const sources = new WeakMap()

export class Body {
  #source
  #stream
  /** The source is a copy of `copyOf` that nothing but this body has. */
  #isSole = false

  /**
   * @param {BodySource} source
   * @param {ReadableStream | null} stream the one that is given out for the source, if there is one
   * @param {string} type the content type that the body implies, or ''
   */
  constructor(source, stream = null, type = '') {
    this.#source = source
    this.#stream = stream
    this.type = type
  }

  /**
   * What the standard calls to extract a body.
   * @param {unknown} content
   * @throws {TypeError} for a stream that is locked or was read from
   */
  static from(content) {
    if (ArrayBuffer.isView(content) || isArrayBuffer(content)) {
      const body = new Body(copyOf(content))
      body.#isSole = true
      return body
    }
    if (content instanceof ReadableStream) {
      requireUntouched(content)
      return new Body(sources.get(content) ?? content, content)
    }
    if (isAsyncIterable(content)) {
      const stream = streamFromIterable(content)
      return new Body(stream, stream)
    }
    if (content instanceof Blob || content instanceof FormData) {
      const response = new PlatformResponse(content)
      const length = content instanceof Blob ? content.size : undefined
      return new Body(
        new ForeignBody(response, length),
        null,
        response.headers.get('content-type') ?? '',
      )
    }
    if (content instanceof FileReference) return new Body(content.open(), null, content.type)
    const type = content instanceof URLSearchParams ? FORM_TYPE : TEXT_TYPE
    return new Body(`${content}`, null, type)
  }

  /**
   * The body that a stream of ours was given out for; undefined for streams of others.
   * @param {ReadableStream} stream
   * @throws {TypeError} for a stream that is locked or was read from
   */
  static behind(stream) {
    return sources.has(stream) ? Body.from(stream) : undefined
  }

  /**
   * A body that reads the stream through one of its own: the given one is used then.
   * @param {ReadableStream} stream
   * @throws {TypeError} for a stream that is locked or was read from
   */
  static through(stream) {
    requireUntouched(stream)
    const own = stream.pipeThrough(new TransformStream())
    return new Body(own, own)
  }

  /** @returns {ReadableStream<Uint8Array> | null} */
  get stream() {
    if (this.#source === null) return null
    this.#stream ??= this.#open()
    return this.#stream
  }

  /**
   * Its bytes, where they are known without reading.
   * @returns {number | undefined}
   */
  get size() {
    const source = this.#source
    if (source === null) return 0
    if (typeof source === 'string') return Buffer.byteLength(source)
    if (source instanceof Uint8Array) return source.byteLength
    return source instanceof ReadableStream || source instanceof Upload ? undefined : source.length
  }

  get isUsed() {
    return this.#source === CONSUMED || (this.#stream !== null && isDisturbed(this.#stream))
  }

  get isSole() {
    return this.#isSole
  }

  get isUnusable() {
    return this.isUsed || this.#stream?.locked === true
  }

  /**
   * Marks the body as used and gives what it was made of.
   * @throws {TypeError} when it is used or locked already
   */
  take() {
    const source = this.#source
    if (source === null) return null
    if (this.isUnusable) throw unusable()
    this.#source = CONSUMED
    if (this.#stream !== null && isAtHand(source)) retire(this.#stream)
    return source
  }

  /** A body with what this one had; this one is used then. */
  move() {
    // The engine's memory is this request's alone, and is reclaimed with its answer.
    this.detach()
    const source = this.take()
    this.#stream = null
    return new Body(source, source instanceof ReadableStream ? source : null)
  }

  /**
   * A second body that reads the same.
   * @returns {Body}
   */
  tee() {
    if (this.isUnusable) throw unusable()
    this.detach()
    const source = this.#source
    if (source instanceof ReadableStream) {
      const [mine, other] = source.tee()
      this.#source = mine
      this.#stream = mine
      return new Body(other, other)
    }
    if (source === null) return NO_BODY
    if (source instanceof Upload) {
      this.#source = source.stream()
      return this.tee()
    }
    if (!(source instanceof ForeignBody || source instanceof FileBody)) {
      this.#isSole = false
      return new Body(source)
    }
    // Whoever still has the stream must not take the file from the clones.
    if (this.#stream !== null && isAtHand(source)) retire(this.#stream)
    this.#stream = null
    return new Body(source.clone())
  }

  /** Moves a body that is still in the engine's memory to JavaScript's. */
  detach() {
    if (isNative(this.#source)) this.#source = this.#source.bytes()
  }

  /** @returns {string | Promise<string>} */
  text() {
    const source = this.take()
    if (source === null) return ''
    if (typeof source === 'string') return withoutMark(toUSVString(source))
    if (source instanceof Uint8Array) return decode(source)
    if (source instanceof ReadableStream) return readAll(source).then(decode)
    if (source instanceof ForeignBody || source instanceof FileBody) {
      return source.bytes().then(decode)
    }
    if (source instanceof Upload) return source.text().then(withoutMark)
    return withoutMark(source.text())
  }

  /**
   * The bytes, in memory that nothing else holds.
   * @returns {Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>}
   */
  bytes() {
    const source = this.take()
    if (source === null) return new Uint8Array(0)
    if (typeof source === 'string') return encoder.encode(source)
    if (source instanceof Uint8Array) return new Uint8Array(source)
    if (source instanceof ReadableStream) return readAll(source)
    return source.bytes()
  }

  /** @returns {ArrayBuffer | Promise<ArrayBuffer>} */
  arrayBuffer() {
    const bytes = this.bytes()
    return bytes instanceof Uint8Array ? ownBuffer(bytes) : bytes.then(ownBuffer)
  }

  /** @returns {ReadableStream<string>} */
  textStream() {
    if (this.isUnusable) throw unusable()
    const stream = this.stream ?? streamOf('')
    return stream.pipeThrough(/** @type {any} */ (new TextDecoderStream()))
  }

  /**
   * The platform's object over the bytes, for what is asked for rarely and has a parser behind it
   * (multipart, media types).
   * @param {{ get(name: string): string | null }} headers
   */
  async toPlatform(headers) {
    const bytes = await this.bytes()
    const type = headers.get('content-type')
    return new PlatformResponse(bytes, type === null ? {} : { headers: { 'content-type': type } })
  }

  /** @returns {ReadableStream} */
  #open() {
    if (this.#source === CONSUMED) return spentStream()
    this.#isSole = false
    this.detach()
    const source = /** @type {string | Uint8Array | FileBody | ForeignBody | Upload} */ (
      this.#source
    )
    const isBytes = typeof source === 'string' || source instanceof Uint8Array
    const stream = isBytes ? streamOf(source) : source.stream()
    sources.set(stream, source)
    return stream
  }
}

/** The null body, which is never used up. */
export const NO_BODY = new Body(null)

/** @param {Uint8Array} bytes */
function decode(bytes) {
  return decoder.decode(bytes)
}

/**
 * @param {BodySource} source
 * @returns {source is NativeBody}
 */
function isNative(source) {
  return (
    source !== null &&
    typeof source === 'object' &&
    source !== CONSUMED &&
    !(source instanceof Uint8Array) &&
    !(source instanceof ReadableStream) &&
    !(source instanceof FileBody) &&
    !(source instanceof ForeignBody) &&
    !(source instanceof Upload)
  )
}

/**
 * Whether a stream that was given out for the source isn't where its bytes are.
 * @param {BodySource} source
 */
function isAtHand(source) {
  return typeof source === 'string' || source instanceof Uint8Array || source instanceof FileBody
}

/**
 * @param {unknown} content
 * @returns {content is AsyncIterable<unknown>}
 */
export function isAsyncIterable(content) {
  return typeof content === 'object' && content !== null && Symbol.asyncIterator in content
}

/**
 * True when something was read from the stream, or it was cancelled.
 * @param {ReadableStream} stream
 */
function isDisturbed(stream) {
  // Node documents that this takes web streams; the types know only of its own.
  return Readable.isDisturbed(/** @type {any} */ (stream))
}

/** @param {ReadableStream} stream */
function requireUntouched(stream) {
  if (stream.locked || isDisturbed(stream)) {
    throw new TypeError('a stream that is locked or was read from cannot be a body')
  }
}

/** @param {string} text */
function withoutMark(text) {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/**
 * Makes a stream that was given out, but not read, say that its bytes are gone.
 * @param {ReadableStream} stream
 */
function retire(stream) {
  stream.getReader().cancel(MOVED)
}

/** The stream of something that was read before anyone asked for one. */
function spentStream() {
  const stream = new ReadableStream()
  retire(stream)
  return stream
}

/** @returns {never} */
function refuse() {
  throw unusable()
}

function unusable() {
  return new TypeError('the body was read already or is locked; clone() before the first reading')
}
