/**
 * The Response class of the Fetch standard, and the way from a Response to the parts that go on the
 * wire. An answer of the usual shapes is a body and a header block: its Headers object exists only
 * when someone asks for it. Knows nothing of connections and of the engine.
 */

import { Body, NO_BODY, TEXT_TYPE } from './body.js'
import { blockFromList, blockFromRecord, isRecord, listFromBlock } from './fields.js'
import { FileBody } from './file-body.js'
import { ForeignBody } from './foreign-body.js'
import { blockOf, cloneHeaders, Headers, headersFromBlock, isHeaders } from './headers.js'
import { inherit, inspect, PlatformResponse } from './host.js'
import { Upload } from './upload.js'

/**
 * What an answer has on the wire. One object serves all answers: it is valid until the next
 * `prepare`, so take what you need at once.
 * @typedef {object} Prepared
 * @property {number} status
 * @property {string} block fields as `name\0value\0…`; the same string object for the usual shapes
 * @property {null | string | Uint8Array | ReadableStream | FileBody} body
 * @property {boolean} isSole the body is a copy that nobody else has, see `copies.js`
 */

/** @typedef {RequestInit['body'] | AsyncIterable<string | Uint8Array>} BodyInit */

const TEXT_BLOCK = blockOfType(TEXT_TYPE)
const JSON_BLOCK = blockOfType('application/json')

const REDIRECTS = [301, 302, 303, 307, 308]

/** The characters of a reason phrase (RFC 9112 §4). */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/

// Filled in by the static block below, which alone can see the private fields.

/** @type {(value: unknown) => value is Response} */
export let isResponse

/**
 * Takes the body of an answer and gives its parts for the wire.
 * @type {(response: Response) => Prepared}
 * @throws {TypeError} when the body was used already, or for a `Response.error()`
 */
export let prepare

/** @type {(response: Response) => Body} */
export let bodyOf

/**
 * The fields as a list of their own, `[name, value, name, value…]`.
 * @type {(response: Response) => string[]}
 */
export let fieldsOf

/**
 * An answer in the place of another, whose body was taken: with its status, and these fields.
 * @type {(response: Response, fields: string[], source: import('./body.js').BodySource) => Response}
 */
export let remade

/** @type {(response: Response, body: Body) => Response} */
let withBody

/**
 * A Response with what the engine has found, and its fields.
 * @type {(status: number, body: FileBody) => Response}
 */
export let responseOf

export class Response {
  #body = NO_BODY
  #status = 200
  #statusText = ''
  /** The fields, until there is a Headers object. */
  #block = ''
  /** @type {Headers | null} */
  #headers = null

  /**
   * @param {BodyInit} [body]
   * @param {ResponseInit | Response} [init]
   */
  constructor(body = null, init = undefined) {
    if (typeof body === 'string') {
      this.#body = new Body(body)
      this.#block = TEXT_BLOCK
    } else if (body !== null) {
      this.#body = Body.from(body)
      this.#block = blockOfType(this.#body.type)
    }
    if (init !== undefined && init !== null) this.#initialise(init, body !== null)
  }

  static error() {
    const response = new Response()
    response.#status = 0
    response.#headers = headersFromBlock('', true)
    return response
  }

  /**
   * @param {unknown} data
   * @param {ResponseInit} [init]
   */
  static json(data, init = undefined) {
    const text = JSON.stringify(data)
    if (text === undefined) throw new TypeError('Response.json needs a value that JSON can express')
    const response = new Response()
    response.#body = new Body(text)
    response.#block = JSON_BLOCK
    if (init !== undefined && init !== null) response.#initialise(init, true)
    return response
  }

  /**
   * @param {string | URL} url absolute
   * @param {number} [status]
   */
  static redirect(url, status = 302) {
    if (!URL.canParse(`${url}`)) {
      throw new TypeError(
        `Response.redirect needs an absolute URL, not ${JSON.stringify(`${url}`)}`,
      )
    }
    const code = toUnsignedShort(status)
    if (!REDIRECTS.includes(code)) {
      throw new RangeError(
        `the status of a redirect is one of ${REDIRECTS.join(', ')}, not ${code}`,
      )
    }
    const response = new Response()
    response.#status = code
    response.#headers = headersFromBlock(`location\0${new URL(url).href}\0`, true)
    return response
  }

  /** @returns {globalThis.Response['type']} */
  get type() {
    return this.#status === 0 ? 'error' : 'default'
  }

  get url() {
    requireBrand(this)
    return ''
  }

  get redirected() {
    requireBrand(this)
    return false
  }

  get status() {
    return this.#status
  }

  get ok() {
    return this.#status >= 200 && this.#status <= 299
  }

  get statusText() {
    return this.#statusText
  }

  /** @returns {Headers} */
  get headers() {
    this.#headers ??= headersFromBlock(this.#block, false)
    return this.#headers
  }

  get body() {
    return this.#body.stream
  }

  get bodyUsed() {
    return this.#body.isUsed
  }

  async arrayBuffer() {
    return this.#body.arrayBuffer()
  }

  /** @returns {Promise<Blob>} */
  async blob() {
    return (await this.#body.toPlatform(this.headers)).blob()
  }

  async bytes() {
    return this.#body.bytes()
  }

  /** @returns {Promise<FormData>} */
  async formData() {
    return (await this.#body.toPlatform(this.headers)).formData()
  }

  /** @returns {Promise<any>} */
  async json() {
    return JSON.parse(await this.#body.text())
  }

  async text() {
    return this.#body.text()
  }

  textStream() {
    return this.#body.textStream()
  }

  clone() {
    const copy = new Response()
    copy.#body = this.#body.tee()
    copy.#status = this.#status
    copy.#statusText = this.#statusText
    copy.#block = this.#block
    copy.#headers = this.#headers && cloneHeaders(this.#headers)
    return copy
  }

  /**
   * @param {number} _depth
   * @param {object} options
   * @param {(value: unknown, options: object) => string} render
   */
  [inspect](_depth, options, render) {
    const { status, statusText, ok, headers, bodyUsed } = this
    return `Response ${render({ status, statusText, ok, headers, bodyUsed }, options)}`
  }

  #fieldBlock() {
    return this.#headers === null ? this.#block : blockOf(this.#headers)
  }

  /**
   * "Initialize a response" (Fetch §5.5), with the members converted in Web IDL's order.
   * @param {ResponseInit | Response} init
   * @param {boolean} hasBody
   */
  #initialise(init, hasBody) {
    if (typeof init !== 'object' && typeof init !== 'function') {
      throw new TypeError('the second argument of a Response has to be an object')
    }
    const { headers, status, statusText } = init
    if (headers !== undefined) this.#block = blockFromInit(headers, this.#block)
    if (status !== undefined) this.#status = toUnsignedShort(status)
    if (statusText !== undefined) this.#statusText = toReason(statusText)
    if (this.#status < 200 || this.#status > 599) {
      throw new RangeError(`the status of a Response has to be from 200 to 599, not ${status}`)
    }
    if (hasBody && isNullBodyStatus(this.#status)) {
      throw new TypeError(`a Response of status ${this.#status} cannot have a body`)
    }
  }

  static {
    isResponse = (value) => typeof value === 'object' && value !== null && #status in value

    prepare = (response) => {
      if (response.#status === 0) throw new TypeError('Response.error() cannot be sent')
      const block = response.#fieldBlock()
      const source = response.#body.take()
      prepared.isSole = response.#body.isSole
      if (source instanceof ForeignBody) return prepareForeign(response.#status, block, source)
      const body = /** @type {Prepared['body']} */ (
        source instanceof Upload ? source.stream() : source
      )
      return filled(response.#status, block, body)
    }

    fieldsOf = (response) => listFromBlock(response.#fieldBlock())

    remade = (response, fields, source) => {
      const other = new Response()
      other.#status = response.#status
      other.#statusText = response.#statusText
      other.#block = blockFromList(fields)
      other.#body = new Body(source, source instanceof ReadableStream ? source : null)
      return other
    }

    withBody = (response, body) => {
      response.#body = body
      return response
    }

    responseOf = (status, body) => {
      const response = new Response()
      response.#status = status
      response.#block = body.block
      if (isNullBodyStatus(status)) body.close()
      else response.#body = new Body(body)
      return response
    }

    bodyOf = (response) => response.#body
  }
}

inherit(Response, PlatformResponse)

/** @type {Prepared} */
const prepared = { status: 200, block: '', body: null, isSole: false }

/**
 * The last step: code of others, which may prepare another answer, has run before.
 * @param {number} status
 * @param {string} block
 * @param {Prepared['body']} body
 */
function filled(status, block, body) {
  prepared.status = status
  prepared.block = block
  prepared.body = body
  return prepared
}

/**
 * @param {number} status
 * @param {string} block
 * @param {ForeignBody} source
 */
function prepareForeign(status, block, source) {
  const length = source.length === undefined ? '' : `content-length\0${source.length}\0`
  return filled(status, block + length, source.stream())
}

/**
 * A Response of ours over one of the platform or of a framework, or undefined when the value is
 * none.
 * @param {unknown} value
 * @returns {Response | undefined}
 * @throws {TypeError} when its body was read already
 * @throws {RangeError} when its status cannot be sent
 */
export function fromForeignResponse(value) {
  if (!isForeignResponse(value)) return undefined
  const { status, statusText, headers } = value
  const response = new Response(null, { status, statusText, headers })
  // The body of a fetched response was decoded on its way in; its fields still tell of the coding.
  if (value.url) {
    response.headers.delete('content-encoding')
    response.headers.delete('content-length')
  }
  if (value.bodyUsed) throw new TypeError('the body of the returned response was read already')
  const { body } = value
  if (body === null) return response
  // Frameworks put the stream of one of our answers into one of the platform's.
  return withBody(response, Body.behind(body) ?? new Body(new ForeignBody(value)))
}

/**
 * @param {unknown} value
 * @returns {value is globalThis.Response}
 */
function isForeignResponse(value) {
  if (typeof value !== 'object' || value === null) return false
  const { status, headers, arrayBuffer } = /** @type {Partial<globalThis.Response>} */ (value)
  return (
    typeof status === 'number' &&
    typeof arrayBuffer === 'function' &&
    typeof headers === 'object' &&
    headers !== null &&
    !isRecord(headers)
  )
}

/**
 * @param {unknown} init
 * @param {string} implied the block of the content-type that the body implies, or ''
 */
function blockFromInit(init, implied) {
  const given = isHeaders(init)
  if (!given && typeof init === 'object' && init !== null && isRecord(init)) {
    return blockFromRecord(init, implied)
  }
  const headers = given
    ? init
    : new Headers(/** @type {import('./headers.js').HeadersInit} */ (init))
  const block = blockOf(headers)
  return headers.has('content-type') ? block : block + implied
}

/** @param {string} type */
function blockOfType(type) {
  return type === '' ? '' : `content-type\0${type}\0`
}

/**
 * Web IDL's `unsigned short`.
 * @param {unknown} value
 */
function toUnsignedShort(value) {
  return +(/** @type {number} */ (value)) & 0xffff
}

/** @param {unknown} value */
function toReason(value) {
  const text = `${value}`
  if (!REASON.test(text)) throw new TypeError('statusText contains a character that cannot be sent')
  return text
}

/** @param {number} status */
function isNullBodyStatus(status) {
  return status === 204 || status === 205 || status === 304
}

/** @param {Response} response */
function requireBrand(response) {
  if (!isResponse(response)) throw new TypeError('this is not a Response')
}
