/**
 * Takes a form apart: reads its stream only when a part's data or the next part is asked for, lets
 * the native parser say what the bytes are, and holds what is left to its limits. Knows nothing of
 * requests.
 */
import { isUint8Array } from 'node:util/types'
import { addon } from '../binding.js'
import { BarewireError, CODES } from './errors.js'
import { headersFromBlock } from './headers.js'
import { Part } from './part.js'
import { closeBytes, streamOf } from './streams.js'

/** @typedef {import('./engine.js').NativeEvent} NativeEvent */
/** @typedef {import('./engine.js').NativePart} NativePart */

// The kinds of `NativeEvent` that are told apart by them.
const PARTIAL = 0
const DATA = 2

const NOTHING = Object.freeze({ kind: PARTIAL, used: 0, part: undefined })

/** @type {Record<string, number>} */
const STATUSES = { [CODES.MULTIPART]: 400, [CODES.LIMIT]: 413 }

export class FormReader {
  #reader
  #parser
  #limits
  /**
   * What was read last; it was used up to the offset.
   * @type {Uint8Array}
   */
  #chunk = new Uint8Array(0)
  #at = 0
  #parts = 0
  /** Whether the last part is a file, and its bytes so far. */
  #isFile = false
  #size = 0
  /** @type {ReadableByteStreamController | undefined} of the body that can be read now */
  #controller
  /** @type {Promise<void> | undefined} the last reading of a body */
  #pulling
  /** @type {{ error: unknown } | undefined} why nothing more comes */
  #failure

  /**
   * @param {ReadableStream<Uint8Array> | null} stream
   * @param {string} boundary
   * @param {{ maxParts: number, maxFieldSize: number, maxFileSize: number }} limits 0 is off
   */
  constructor(stream, boundary, limits) {
    this.#parser = asFault(() => new (addon().MultipartParser)(boundary))
    this.#reader = (stream ?? streamOf('')).getReader()
    this.#limits = limits
  }

  /** The next part, or undefined at the form's end. What is left of the one before is skipped. */
  async nextPart() {
    this.#closeBody()
    await this.#pulling?.catch(() => {})
    for (;;) {
      const event = await this.#next()
      if (event === undefined) return undefined
      if (event.part !== undefined) return this.#open(event.part)
    }
  }

  /** Reads nothing more. */
  async release() {
    this.#closeBody()
    // A stream that has failed says so again, to somebody who knows.
    await this.#reader.cancel().catch(() => {})
    this.#reader.releaseLock()
  }

  /** @param {NativePart} part */
  #open({ name, filename, block }) {
    const body = new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.#controller = controller
        },
        pull: (controller) => {
          this.#pulling = this.#pull(controller)
          return this.#pulling
        },
        cancel: () => {
          this.#controller = undefined
        },
      },
      // Nothing is read before somebody reads.
      { highWaterMark: 0 },
    )
    return new Part(name, filename, headersFromBlock(block, true), body)
  }

  #closeBody() {
    this.#controller?.error(
      new DOMException(
        'a part can be read until the next one is asked for or the loop is left',
        'InvalidStateError',
      ),
    )
    this.#controller = undefined
  }

  /** @param {ReadableByteStreamController} controller */
  async #pull(controller) {
    const event = await this.#next()
    // Closed meanwhile: what was read is skipped.
    if (this.#controller !== controller) return
    if (event?.kind === DATA) {
      // The stream takes the memory away, so it gets a copy. `slice` of a Buffer would be none.
      const data = this.#chunk.subarray(this.#at - event.used, this.#at)
      controller.enqueue(new Uint8Array(data))
      return
    }
    this.#controller = undefined
    closeBytes(controller)
  }

  /**
   * The next event, or undefined at the form's end. Its bytes are those before the offset.
   * @returns {Promise<NativeEvent | undefined>}
   */
  async #next() {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      for (;;) {
        const event = this.#parse()
        if (event.kind !== PARTIAL) return event
        if (!(await this.#readOn())) {
          asFault(() => this.#parser.finish())
          return undefined
        }
      }
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }

  #parse() {
    if (this.#at === this.#chunk.byteLength) return NOTHING
    const event = asFault(() => this.#parser.next(this.#chunk, this.#at))
    this.#at += event.used
    this.#checkLimits(event)
    return event
  }

  /** Reads the next chunk, behind what wasn't used; false at the end of the stream. */
  async #readOn() {
    const { done, value } = await this.#reader.read()
    if (done) return false
    if (!isUint8Array(value)) throw new TypeError('a chunk of a body has to be a Uint8Array')
    const rest = this.#chunk.subarray(this.#at)
    this.#chunk = rest.byteLength === 0 ? value : Buffer.concat([rest, value])
    this.#at = 0
    return true
  }

  /**
   * Holds what was found to the limits.
   * @param {NativeEvent} event
   */
  #checkLimits({ kind, used, part }) {
    const { maxParts, maxFieldSize, maxFileSize } = this.#limits
    if (part !== undefined) {
      this.#parts++
      this.#isFile = part.filename !== undefined
      this.#size = 0
      if (isAbove(this.#parts, maxParts)) {
        throw clientFault(CODES.LIMIT, `The form has more than ${maxParts} parts.`)
      }
    } else if (kind === DATA) {
      this.#size += used
      const [what, max] = this.#isFile ? ['file', maxFileSize] : ['field', maxFieldSize]
      if (isAbove(this.#size, max)) {
        throw clientFault(CODES.LIMIT, `A ${what} of the form has more than ${max} bytes.`)
      }
    }
  }
}

/**
 * @param {number} count
 * @param {number} limit 0 is off
 */
function isAbove(count, limit) {
  return limit > 0 && count > limit
}

/**
 * Calls the native parser: what it refuses is the client's fault.
 * @template T
 * @param {() => T} call
 */
function asFault(call) {
  try {
    return call()
  } catch (error) {
    const { code, message } = /** @type {BarewireError} */ (error)
    throw code in STATUSES ? clientFault(code, message) : error
  }
}

/**
 * @param {string} code one of those with a status
 * @param {string} message for the client
 */
function clientFault(code, message) {
  return new BarewireError(code, message, { status: STATUSES[code] })
}
