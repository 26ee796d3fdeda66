/**
 * The Request class of the Fetch standard. An incoming request is the head that the engine handed
 * over and a few offsets in it: method, URL and headers are cut when they are asked for, so a
 * Request stays readable for ever and costs next to nothing unread. Knows nothing of connections.
 */

import { AbortSource } from './abort-source.js'
import { Body, isAsyncIterable, NO_BODY } from './body.js'
import { cutFields } from './head.js'
import { cloneHeaders, Headers, headersFromHead } from './headers.js'
import { inherit, inspect, PlatformRequest } from './host.js'
import {
  DEFAULT_SETTINGS,
  mergeSettings,
  toDictionary,
  toMethod,
  toSignal,
  toUrl,
} from './request-init.js'
import { requestUrl } from './request-url.js'

/** @typedef {import('./exchange.js').Exchange} Exchange */
/** @typedef {import('./request-url.js').Origin} Origin */
/** @typedef {import('./body.js').NativeBody} NativeBody */
/** @typedef {import('./upload.js').Upload} Upload */
/** @typedef {import('./headers.js').HeadersInit} HeadersInit */

/** What the constructor gets, from here alone, for a request that came over the wire. */
const INCOMING = Object.freeze({})

/** @type {Readonly<Origin>} */
const NO_ORIGIN = Object.freeze({ scheme: 'http', authority: '' })

const SAFELISTED_METHODS = ['GET', 'HEAD', 'POST']

// Filled in by the static block below, which alone can see the private fields.

/**
 * The Request for a head that came over the wire. `method` may be '' to be cut from the head.
 * @type {(
 *   head: string,
 *   method: string,
 *   targetStart: number,
 *   targetEnd: number,
 *   fieldsStart: number,
 *   flags: number,
 *   origin: Readonly<Origin>,
 *   body: NativeBody | Upload | null,
 * ) => Request}
 */
export let incomingRequest

/**
 * Aborts `request.signal`, or lets it be aborted already when it is first read. The reason is made
 * when a signal gets it.
 * @type {(request: Request, reason: () => unknown) => void}
 */
export let abortRequest

/**
 * Remembers what a request is under way as, for `exchangeOf`; its clones and copies are not.
 * @type {(request: Request, exchange: Exchange) => void}
 */
export let setExchange

/** @type {(value: unknown) => Exchange | undefined} */
export let exchangeOf

/**
 * Moves a body that is still in the engine's memory to JavaScript's.
 * @type {(request: Request) => void}
 */
export let detachBody

/** @type {(request: Request) => Body} */
export let bodyOf

/** @type {(value: unknown) => value is Request} */
export let isRequest

export class Request {
  #body = NO_BODY
  #method = 'GET'
  /** '' until it is made from the head. */
  #url = ''
  #head = ''
  #targetStart = 0
  #targetEnd = 0
  #fieldsStart = 0
  #flags = 0
  /** @type {Readonly<Origin>} */
  #origin = NO_ORIGIN
  /** @type {Headers | null} */
  #headers = null
  /** @type {AbortSignal | null} */
  #signal = null
  /** @type {AbortSource | null} */
  #source = null
  /**
   * Whose abortion is this request's, too; or why it was aborted when nobody had read its signal.
   * @type {Request | AbortSignal | (() => unknown) | null}
   */
  #follows = null
  /** @type {Exchange | undefined} */
  #exchange
  #settings = DEFAULT_SETTINGS

  /**
   * @param {string | URL | Request | globalThis.Request} input
   * @param {RequestInit | Request | globalThis.Request} [init]
   */
  constructor(input, init = undefined) {
    if (input === INCOMING) return
    const model = isModel(input) ? input : null
    const members = toDictionary(init)
    this.#url = model === null ? toUrl(input) : model.url
    this.#settings = mergeSettings(model ?? DEFAULT_SETTINGS, members)
    this.#method =
      members.method === undefined ? (model?.method ?? 'GET') : toMethod(members.method)
    if (this.#settings.mode === 'no-cors' && !SAFELISTED_METHODS.includes(this.#method)) {
      throw new TypeError(`a no-cors Request cannot have the method ${this.#method}`)
    }
    const headers = members.headers === undefined ? model?.headers : members.headers
    if (headers !== undefined) {
      this.#headers = new Headers(/** @type {HeadersInit} */ (headers))
    }
    if (members.signal !== undefined) this.#follows = toSignal(members.signal)
    else if (model !== null) this.#follows = isRequest(model) ? model : model.signal
    this.#fill(members, model)
  }

  get method() {
    if (this.#method === '') this.#method = this.#head.slice(0, this.#targetStart - 1)
    return this.#method
  }

  get url() {
    if (this.#url === '') {
      this.#url = requestUrl(
        this.#head,
        this.#targetStart,
        this.#targetEnd,
        this.#fieldsStart,
        this.#flags,
        this.#origin,
      )
    }
    return this.#url
  }

  /** The target as it was sent, byte for byte. */
  get rawTarget() {
    if (this.#head !== '') return this.#head.slice(this.#targetStart, this.#targetEnd)
    const { pathname, search } = new URL(this.#url)
    return pathname + search
  }

  /** @returns {Headers} */
  get headers() {
    this.#headers ??=
      this.#head === '' ? new Headers() : headersFromHead(this.#head, this.#fieldsStart)
    return this.#headers
  }

  /**
   * The fields as they were sent, in their order and case.
   * @returns {Array<[string, string]>}
   */
  get rawHeaders() {
    if (this.#head === '') return [...this.headers]
    const list = cutFields(this.#head, this.#fieldsStart)
    /** @type {Array<[string, string]>} */
    const pairs = []
    for (let index = 0; index < list.length; index += 2) pairs.push([list[index], list[index + 1]])
    return pairs
  }

  /** @returns {AbortSignal} */
  get signal() {
    this.#signal ??= this.#openSignal()
    return this.#signal
  }

  get cache() {
    return this.#settings.cache
  }

  get credentials() {
    return this.#settings.credentials
  }

  get destination() {
    return this.#settings.destination
  }

  get duplex() {
    return this.#settings.duplex
  }

  get integrity() {
    return this.#settings.integrity
  }

  get isHistoryNavigation() {
    return this.#settings.isHistoryNavigation
  }

  get isReloadNavigation() {
    return this.#settings.isReloadNavigation
  }

  get keepalive() {
    return this.#settings.keepalive
  }

  get mode() {
    return this.#settings.mode
  }

  get redirect() {
    return this.#settings.redirect
  }

  get referrer() {
    return this.#settings.referrer
  }

  get referrerPolicy() {
    return this.#settings.referrerPolicy
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
    const copy = new Request(/** @type {any} */ (INCOMING))
    copy.#body = this.#body.tee()
    copy.#method = this.#method
    copy.#url = this.#url
    copy.#head = this.#head
    copy.#targetStart = this.#targetStart
    copy.#targetEnd = this.#targetEnd
    copy.#fieldsStart = this.#fieldsStart
    copy.#flags = this.#flags
    copy.#origin = this.#origin
    copy.#headers = this.#headers && cloneHeaders(this.#headers)
    copy.#follows = this
    copy.#settings = this.#settings
    return copy
  }

  /**
   * @param {number} _depth
   * @param {object} options
   * @param {(value: unknown, options: object) => string} render
   */
  [inspect](_depth, options, render) {
    const { method, url, headers, bodyUsed } = this
    return `Request ${render({ method, url, headers, bodyUsed }, options)}`
  }

  /**
   * The body of `init`, else the one of the Request that is the model, which is used then.
   * @param {Record<string, unknown>} init
   * @param {Request | globalThis.Request | null} model
   */
  #fill(init, model) {
    const content = init.body ?? null
    if (content === null && (model === null || !hasBody(model))) return
    if (this.#method === 'GET' || this.#method === 'HEAD') {
      throw new TypeError(`a Request of method ${this.#method} cannot have a body`)
    }
    if (content !== null) {
      this.#body = Body.from(content)
      const { type } = this.#body
      if (isAsyncIterable(content) && (init.duplex === undefined || this.#settings.keepalive)) {
        throw new TypeError("a stream as a body needs duplex: 'half', and no keepalive")
      }
      if (type !== '' && !this.headers.has('content-type')) this.headers.set('content-type', type)
    } else if (isRequest(model)) {
      this.#body = model.#body.move()
    } else if (model?.body) {
      this.#body = Body.through(model.body)
    }
  }

  #openSignal() {
    const followed = this.#follows
    if (typeof followed === 'function') return AbortSignal.abort(followed())
    if (followed !== null) {
      return AbortSignal.any([followed instanceof AbortSignal ? followed : followed.signal])
    }
    this.#source = new AbortSource()
    return this.#source.signal
  }

  static {
    incomingRequest = (head, method, targetStart, targetEnd, fieldsStart, flags, origin, body) => {
      const request = new Request(/** @type {any} */ (INCOMING))
      request.#head = head
      request.#method = method
      request.#targetStart = targetStart
      request.#targetEnd = targetEnd
      request.#fieldsStart = fieldsStart
      request.#flags = flags
      request.#origin = origin
      // The standard has no GET or HEAD with a body, and such a Request could not be handed on.
      if (body !== null && method !== 'GET' && method !== 'HEAD') request.#body = new Body(body)
      return request
    }

    abortRequest = (request, reason) => {
      if (request.#source !== null) request.#source.abort(reason())
      else request.#follows ??= reason
    }

    setExchange = (request, exchange) => {
      request.#exchange = exchange
    }

    exchangeOf = (value) => (isRequest(value) ? value.#exchange : undefined)

    detachBody = (request) => request.#body.detach()

    bodyOf = (request) => request.#body

    isRequest = (value) => typeof value === 'object' && value !== null && #head in value
  }
}

inherit(Request, PlatformRequest)

/**
 * Asks one of ours without making the stream that its `body` would be.
 * @param {Request | globalThis.Request} request
 */
function hasBody(request) {
  return isRequest(request) ? bodyOf(request) !== NO_BODY : request.body !== null
}

/**
 * A Request of ours or of the platform; anything else is taken for a URL.
 * @param {unknown} input
 * @returns {input is Request | globalThis.Request}
 */
function isModel(input) {
  return isRequest(input) || input instanceof PlatformRequest
}
