/**
 * The hot loop: the engine calls in once per request, the handler answers now or later, and the
 * answer goes back through the record. Each way a handler can fail ends in one answer. Knows
 * nothing of sockets, options or how the handler was given.
 */
import { AsyncResource } from 'node:async_hooks'
import { Blocks } from './blocks.js'
import { giveBack } from './copies.js'
import { isThenable } from './event.js'
import { ABORT_REASONS, answered, EngineBody, Exchange } from './exchange.js'
import { errorResponse, responseFrom, warn } from './fallback.js'
import { FileBody } from './file-body.js'
import { knowFields } from './head.js'
import { readSize } from './options.js'
import { gather, Outgoing, withoutBody } from './outgoing.js'
import { NO_PEER, peerFrom } from './peer.js'
import {
  BLOCK,
  BODY_END,
  BODY_FOLLOWS,
  BODY_LENGTH,
  BODY_PART,
  BYTES,
  EMPTY,
  FIELD_COUNT,
  FIELDS_START,
  FILE,
  FLAGS,
  GENERATION,
  GONE_CLIENT_CLOSED,
  GONE_CONNECTION_LOST,
  HAS_BODY,
  KIND,
  LATER,
  LENGTH,
  METHOD,
  METHODS,
  MOST_PLACES,
  NEW_CONNECTION,
  OWN_BLOCK,
  PLACES,
  SEQUENCE,
  SLOT,
  STATUS,
  STREAM,
  TARGET_END,
  TARGET_START,
  TEXT,
  WRITABLE,
} from './record.js'
import { abortRequest, detachBody, exchangeOf, incomingRequest, setExchange } from './request.js'
import { isResponse, prepare } from './response.js'
import { Upload } from './upload.js'

/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./request.js').Request} Request */
/** @typedef {import('./response.js').Response} Response */
/** @typedef {import('./engine.js').Content} Content */

/**
 * What the dispatcher needs of its server. Read afresh for each request, so that a reload counts
 * from the next one on.
 * @typedef {object} Service
 * @property {(request: Request, peer: Peer) => unknown} respond calls the handler
 * @property {((error: unknown, request: Request) => unknown) | undefined} onError the error hook
 * @property {(error: unknown, request: Request) => void} report takes what no hook took
 * @property {(error: unknown, request: Request) => void} reportLate takes what comes after the answer
 * @property {((request: Request) => unknown) | undefined} maxBodySize says it for one request
 * @property {import('./compression.js').Compress | undefined} compress gives an answer its last form
 * @property {boolean} development
 * @property {{ scheme: 'http', authority: string }} origin
 */

// Not the one that a promise may have of its own, which could call back at once.
const { then } = Promise.prototype

/** Its async context, in which the server was started, is what a handler begins with. */
export class Dispatcher extends AsyncResource {
  #service
  #record
  #places
  #blocks
  /** @type {(Peer | undefined)[]} by slot */
  #peers = []
  /** @type {(Exchange | undefined)[]} requests whose answer is deferred, by slot */
  #deferred = []
  /** @type {Exchange | undefined} the one whose handler is being called */
  #current

  /**
   * @param {import('./engine.js').EngineConstructor} Engine
   * @param {import('./engine.js').NativeConfig} config
   * @param {Service} service
   * @param {(cut: number) => void} closed
   */
  constructor(Engine, config, service, closed) {
    super('BarewireServer')
    this.#service = service
    this.engine = new Engine(
      config,
      (head) => this.runInAsyncScope(this.#dispatch, this, this.#receive(head)),
      (slot, generation, sequence, what, part) =>
        this.#notify(slot, generation, sequence, what, part),
      closed,
      service.maxBodySize &&
        ((head) => this.runInAsyncScope(this.#limit, this, this.#receive(head))),
    )
    this.#record = this.engine.record
    this.#places = this.#record.subarray(PLACES)
    this.#blocks = new Blocks(this.engine)
  }

  /**
   * Sets the time limit of a request that is under way; false when it is not.
   * @param {Request} request
   * @param {number} milliseconds 0 is off
   */
  setTimeout(request, milliseconds) {
    return this.#name(request) !== undefined && this.engine.setTimeout(milliseconds)
  }

  /**
   * Sends an interim answer to a request that is under way; false when its answer has begun.
   * @param {Request} request
   * @param {number} status
   * @param {string} block
   */
  inform(request, status, block) {
    if (this.#name(request) === undefined) return false
    this.#record[STATUS] = status
    this.#record[BLOCK] = this.#blocks.idOf(block)
    return this.engine.inform()
  }

  /**
   * The trailer fields of a request that is under way, as a header block, when its body has ended.
   * @param {Request} request
   * @returns {Promise<string>}
   */
  async trailers(request) {
    const exchange = this.#name(request)
    if (exchange === undefined) return ''
    return exchange.upload?.trailers() ?? this.engine.takeTrailers()
  }

  /**
   * Makes the record name a request, and gives its exchange, if it is under way.
   * @param {Request} request
   */
  #name(request) {
    const exchange = this.#current?.request === request ? this.#current : exchangeOf(request)
    if (exchange === undefined) return undefined
    if (exchange !== this.#current && exchange !== this.#deferred[exchange.slot]) return undefined
    exchange.name(this.#record)
    return exchange
  }

  /**
   * Notes what the engine says of a head, before any other code can run and ask of another one.
   * @param {string} head
   */
  #receive(head) {
    const count = this.#record[FIELD_COUNT]
    if (count <= MOST_PLACES) knowFields(head, this.#places, count)
    return head
  }

  /** @param {string} head */
  #dispatch(head) {
    const record = this.#record
    const slot = record[SLOT]
    const flags = record[FLAGS]
    if (flags & NEW_CONNECTION) this.#peers[slot] = peerFrom(record)
    const exchange = new Exchange(slot, record[GENERATION], record[SEQUENCE])
    if (flags & BODY_FOLLOWS) {
      exchange.body = exchange.upload = new Upload(this.engine, () => exchange.name(record))
    } else if (flags & HAS_BODY) {
      exchange.body = new EngineBody(this.engine, exchange, record[BODY_LENGTH])
    }
    exchange.request = this.#request(head, exchange.body)
    this.#current = exchange
    const body = exchange.runInAsyncScope(this.#run, this, exchange)
    this.#current = undefined
    return body
  }

  /**
   * The request of which the record has the facts.
   * @param {string} head
   * @param {EngineBody | Upload | null} body
   */
  #request(head, body) {
    const record = this.#record
    return incomingRequest(
      head,
      METHODS[record[METHOD]],
      record[TARGET_START],
      record[TARGET_END],
      record[FIELDS_START],
      record[FLAGS],
      this.#service.origin,
      body,
    )
  }

  /**
   * How large the body of a request may be that has not been read yet; -1 leaves it to the server's
   * usual limit, as a function does that fails.
   * @param {string} head
   */
  #limit(head) {
    const request = this.#request(head, null)
    try {
      return readSize(this.#service.maxBodySize?.(request), 'what maxBodySize returned')
    } catch (error) {
      warn(error, `maxBodySize failed for ${request.method} ${request.url}`)
      return -1
    }
  }

  /**
   * Everything from here on runs in the request's own async resource, its later steps included.
   * @param {Exchange} exchange
   */
  #run(exchange) {
    let value
    try {
      value = this.#service.respond(exchange.request, this.#peers[exchange.slot] ?? NO_PEER)
    } catch (error) {
      return this.#recover(exchange, error)
    }
    return this.#settle(exchange, value)
  }

  /**
   * Makes an answer, or the promise of one, of what the handler or the error hook gave.
   * @param {Exchange} exchange
   * @param {unknown} value
   * @returns {Content} the body; the rest is in the record
   */
  #settle(exchange, value) {
    try {
      if (isResponse(value)) return this.#deliver(exchange, value)
      if (isThenable(value)) return this.#wait(exchange, value, this.#settle)
      if (value === undefined && exchange.hasFailed) return this.#giveUp(exchange, exchange.failure)
      return this.#deliver(exchange, responseFrom(value))
    } catch (error) {
      return this.#recover(exchange, error)
    }
  }

  /**
   * Asks the error hook, once a request; what comes after that has failed for good.
   * @param {Exchange} exchange
   * @param {unknown} error
   * @returns {Content}
   */
  #recover(exchange, error) {
    const { onError, report } = this.#service
    // That the client has left is no fault of the handler's.
    if (exchange.isLost && error instanceof DOMException) return this.#giveUp(exchange, error)
    if (exchange.hasFailed || onError === undefined) {
      report(error, exchange.request)
      return this.#giveUp(exchange, error)
    }
    exchange.hasFailed = true
    exchange.failure = error
    let value
    try {
      value = onError(error, exchange.request)
    } catch (second) {
      return this.#recover(exchange, second)
    }
    return this.#settle(exchange, value)
  }

  /**
   * @param {Exchange} exchange
   * @param {unknown} error
   */
  #giveUp(exchange, error) {
    return this.#send(exchange, errorResponse(error, this.#service.development))
  }

  /**
   * @param {Exchange} exchange
   * @param {Response} response
   */
  #deliver(exchange, response) {
    const { compress } = this.#service
    if (compress === undefined) return this.#send(exchange, response)
    const answer = compress(exchange.request, response)
    if (isResponse(answer)) return this.#send(exchange, answer)
    return this.#wait(exchange, answer, this.#send)
  }

  /**
   * @param {Exchange} exchange
   * @param {Response} response
   */
  #send(exchange, response) {
    const { status, block, body, isSole } = prepare(response)
    if (!(body instanceof ReadableStream)) {
      // The engine has taken or copied it before any other code runs.
      if (isSole) giveBack(/** @type {Uint8Array} */ (body))
      return this.#write(exchange, status, block, body)
    }
    const answer = exchange.request.method === 'HEAD' ? withoutBody(body) : gather(body)
    return this.#wait(exchange, answer, (_, gathered) =>
      this.#write(exchange, status, block, gathered),
    )
  }

  /**
   * The last step before an answer leaves: no user code runs from here to the engine.
   * @param {Exchange} exchange
   * @param {number} status
   * @param {string} block
   * @param {string | Uint8Array | FileBody | Outgoing | null} body
   */
  #write(exchange, status, block, body) {
    if (exchange.body !== null && !exchange.isLost) detachBody(exchange.request)
    if (!(body instanceof Outgoing)) exchange.upload?.lose(answered)
    const record = this.#record
    const isOwn = body instanceof FileBody && block === body.block && block !== ''
    record[BLOCK] = isOwn ? OWN_BLOCK : this.#blocks.idOf(block)
    record[STATUS] = status
    if (typeof body === 'string') {
      record[KIND] = TEXT
      record[LENGTH] = body.length
      return body
    }
    if (body instanceof Outgoing) {
      record[KIND] = STREAM
      exchange.outgoing = body
      return body.takePiece()
    }
    if (body instanceof FileBody) {
      record[KIND] = FILE
      return body.take()
    }
    record[KIND] = body === null ? EMPTY : BYTES
    return body ?? undefined
  }

  /**
   * Puts the answer off until a promise settles.
   * @template T
   * @param {Exchange} exchange
   * @param {PromiseLike<T>} promise
   * @param {(this: this, exchange: Exchange, value: T) => Content} next
   */
  #wait(exchange, promise, next) {
    // What others have put on the promise runs and throws here, before anything is noted.
    then.call(
      plain(promise),
      (value) => this.#resume(exchange, next, value),
      (error) => this.#resume(exchange, this.#recover, error),
    )
    if (!exchange.isDeferred) {
      exchange.isDeferred = true
      this.#deferred[exchange.slot] = exchange
      setExchange(exchange.request, exchange)
    }
    this.#record[KIND] = LATER
    return undefined
  }

  /**
   * @template T
   * @param {Exchange} exchange
   * @param {(this: this, exchange: Exchange, value: T) => Content} next
   * @param {T} value
   */
  #resume(exchange, next, value) {
    let body
    try {
      body = next.call(this, exchange, value)
    } catch (error) {
      body = this.#recover(exchange, error)
    }
    if (this.#record[KIND] === LATER) return
    exchange.name(this.#record)
    const isTaken = this.engine.answer(body)
    if (isTaken && exchange.outgoing !== undefined) {
      this.#stream(exchange, exchange.outgoing)
      return
    }
    exchange.outgoing?.lose(ABORT_REASONS[GONE_CONNECTION_LOST]())
    this.#forget(exchange)
  }

  /**
   * Sends the rest of a streamed answer. An error in it is too late for another answer.
   * @param {Exchange} exchange
   * @param {Outgoing} outgoing
   */
  async #stream(exchange, outgoing) {
    try {
      await outgoing.run(this.engine, () => exchange.name(this.#record))
    } catch (error) {
      this.#service.reportLate(error, exchange.request)
    }
    exchange.upload?.lose(answered)
    this.#forget(exchange)
  }

  /** @param {Exchange} exchange */
  #forget(exchange) {
    if (this.#deferred[exchange.slot] === exchange) this.#deferred[exchange.slot] = undefined
  }

  /**
   * The engine's word that a deferred request lost its client or its time, or has room for more of
   * its answer. After a client has merely closed its side an answer still reaches it, so the
   * request stays under way.
   * @param {number} slot
   * @param {number} generation
   * @param {number} sequence
   * @param {number} what
   * @param {Uint8Array<ArrayBuffer>} part
   */
  #notify(slot, generation, sequence, what, part) {
    const exchange = this.#deferred[slot]
    if (exchange?.generation !== generation || exchange.sequence !== sequence) return
    if (what === BODY_PART) return exchange.upload?.onPart(part)
    if (what === BODY_END) return exchange.upload?.onEnd()
    if (what === WRITABLE) return exchange.outgoing?.makeRoom()
    const reason = ABORT_REASONS[what]
    if (what !== GONE_CLIENT_CLOSED) {
      exchange.isLost = true
      this.#deferred[slot] = undefined
      exchange.outgoing?.lose(reason())
      exchange.upload?.lose(reason)
    }
    abortRequest(exchange.request, reason)
  }
}

/**
 * The promise itself, or one of the plain kind that follows it.
 * @template T
 * @param {PromiseLike<T>} promise
 * @returns {Promise<T>}
 */
function plain(promise) {
  if (promise instanceof Promise && promise.constructor === Promise) return promise
  return new Promise((resolve) => resolve(promise))
}
