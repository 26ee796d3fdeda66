/**
 * Raw bytes over real sockets: a server on a free port, a client that sends pieces as told, and a
 * strict reader of responses. Knows nothing of how the server works.
 */
import assert from 'node:assert/strict'
import { connect as connectSocket } from 'node:net'
import { serve } from 'barewire'

/** Longest wait for anything, in milliseconds. */
const PATIENCE = 2500

/** Starts a server for one test and ends it after that. */
export function open(t, handler, options = {}) {
  const server = serve({ fetch: handler, port: 0, hostname: '127.0.0.1', ...options })
  t.after(() => server.close({ timeout: 0 }))
  return server
}

/** A promise with its functions. */
export function deferred() {
  let resolve
  let reject
  const promise = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds))

/** Waits until a condition holds, or fails with its name. */
export async function until(name, condition, patience = PATIENCE) {
  for (const end = Date.now() + patience; !condition(); await sleep(5)) {
    assert.ok(Date.now() < end, `in time: ${name}`)
  }
}

/** Latin1 text or bytes as bytes: each character of a string is one byte on the wire. */
const bytesOf = (piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)

/** One connection. Half-open: the server's FIN doesn't close our side. */
export class Client {
  /** @type {Buffer} */ received = Buffer.alloc(0)
  /** How the server ended: 'fin', 'reset', or undefined while it hasn't. */
  ended
  #chunks = []
  #waiting = new Set()

  constructor(socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#wake()
    })
    socket.on('end', () => {
      this.ended ??= 'fin'
      this.#wake()
    })
    socket.on('error', () => {
      this.ended = 'reset'
      this.#wake()
    })
  }

  static connect(server, options = {}) {
    return new Promise((resolve, reject) => {
      const target = { host: '127.0.0.1', port: server.port, allowHalfOpen: true, ...options }
      const socket = connectSocket(target)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Client(socket))
      })
    })
  }

  /** Sends one piece. */
  send(piece) {
    this.socket.write(bytesOf(piece))
    return this
  }

  /** Sends pieces with a pause between them, each as a segment of its own. */
  async sendPieces(pieces, pause = 3) {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await sleep(pause)
      this.send(piece)
    }
    return this
  }

  /** Ends our side. */
  finish() {
    this.socket.end()
    return this
  }

  /** Ends the connection with RST. */
  reset() {
    this.socket.resetAndDestroy()
  }

  destroy() {
    this.socket.destroy()
  }

  /** Everything so far as complete responses, and the bytes after them. */
  parse(methods = []) {
    if (this.#chunks.length > 0) {
      this.received = Buffer.concat([this.received, ...this.#chunks])
      this.#chunks = []
    }
    return parseResponses(this.received, methods, this.ended !== undefined)
  }

  /** Waits for so many complete final responses; fails if the connection ends before. */
  async responses(count, methods = [], patience = PATIENCE) {
    const found = await this.#until(patience, () => {
      const parsed = this.parse(methods)
      if (parsed.responses.length >= count) return parsed.responses
      if (this.ended) {
        const text = this.received.toString('latin1').slice(0, 500)
        throw new Error(`ended by ${this.ended} before ${count} responses: ${JSON.stringify(text)}`)
      }
    })
    return found
  }

  /** Waits for one response and takes it from the bytes received. */
  async response(method = 'GET', patience = PATIENCE) {
    const [first] = await this.responses(1, [method], patience)
    this.received = this.received.subarray(first.end)
    return first
  }

  /** Waits for so many bytes. */
  async bytes(count) {
    return this.#until(PATIENCE, () => {
      this.parse()
      return this.received.length >= count ? this.received : undefined
    })
  }

  /** Waits until the server ends the connection; says how, and all that came. */
  async close(methods = [], patience = PATIENCE) {
    await this.#until(patience, () => this.ended)
    const { responses, rest } = this.parse(methods)
    const ended = this.ended
    this.socket.destroy()
    return { responses, rest, ended }
  }

  #wake() {
    for (const check of this.#waiting) check()
  }

  #until(patience, find) {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer)
        this.#waiting.delete(check)
        settle(value)
      }
      const check = () => {
        try {
          const found = find()
          if (found !== undefined) finish(resolve, found)
        } catch (error) {
          finish(reject, error)
        }
      }
      const timer = setTimeout(() => {
        this.parse()
        const text = JSON.stringify(this.received.toString('latin1').slice(0, 500))
        finish(reject, new Error(`nothing more in ${patience} ms; ${this.ended}; got ${text}`))
      }, patience)
      this.#waiting.add(check)
      check()
    })
  }
}

/** Sends a request on a connection of its own and waits until the server closes it. */
export async function untilClosed(server, pieces, { methods, pause } = {}) {
  const client = await Client.connect(server)
  await client.sendPieces([pieces].flat(), pause)
  return client.close(methods)
}

/** Sends one request on a connection of its own and takes its response. */
export async function exchange(server, request, method = request.split(' ')[0]) {
  const client = await Client.connect(server)
  client.send(request)
  try {
    return await client.response(method)
  } finally {
    client.destroy()
  }
}

/** A request as text; a body sets Content-Length. */
export function request(line, headers = {}, body = '') {
  const fields = { Host: 'a', ...headers }
  if (body) fields['Content-Length'] = Buffer.byteLength(body, 'latin1')
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

export const GET_NEXT = 'GET /next HTTP/1.1\r\nHost: n\r\n\r\n'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Reads responses strictly; malformed bytes throw. `methods` are those of the requests, GET where
 * none is named. A response that isn't complete yet stays in `rest`.
 */
export function parseResponses(bytes, methods = [], ended = false) {
  const responses = []
  let informational = []
  let at = 0
  while (at < bytes.length) {
    const response = parseResponse(bytes, at, methods[responses.length] ?? 'GET', ended)
    if (response === undefined) break
    at = response.end
    if (response.status < 200) {
      informational.push(response)
    } else {
      responses.push(Object.assign(response, { informational }))
      informational = []
    }
  }
  return { responses, informational, rest: bytes.subarray(at) }
}

function parseResponse(bytes, start, method, ended) {
  const headEnd = bytes.indexOf('\r\n\r\n', start)
  if (headEnd < 0) return undefined
  const [statusLine, ...lines] = bytes.toString('latin1', start, headEnd).split('\r\n')
  const matched = STATUS_LINE.exec(statusLine)
  assert.ok(matched, `a status line: ${JSON.stringify(statusLine)}`)
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    assert.match(name, TOKEN, `a field name in ${JSON.stringify(line)}`)
    assert.match(value, FIELD_VALUE, `a field value in ${JSON.stringify(line)}`)
    return [name, value]
  })
  const status = Number(matched[1])
  const getAll = (name) =>
    headers.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value)
  const body = parseBody(bytes, headEnd + 4, { status, method, getAll, ended })
  if (body === undefined) return undefined
  return {
    status,
    reason: matched[2],
    headers,
    getAll,
    get: (name) => getAll(name).at(0),
    body: body.data,
    text: body.data.toString(),
    isChunked: getAll('transfer-encoding').length > 0,
    head: bytes.toString('latin1', start, headEnd),
    end: body.end,
  }
}

/** RFC 9112 section 6.3 for responses, without mercy for what a server must not send. */
function parseBody(bytes, start, { status, method, getAll, ended }) {
  const codings = getAll('transfer-encoding')
  const lengths = getAll('content-length')
  assert.ok(lengths.length <= 1, 'Content-Length once at most')
  assert.ok(codings.length === 0 || lengths.length === 0, 'not both framings')
  if (status < 200 || status === 204) {
    assert.deepEqual([...codings, ...lengths], [], `${status} has no framing fields`)
  }
  for (const length of lengths) assert.match(length, /^(0|[1-9]\d*)$/, 'Content-Length')
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    return { data: Buffer.alloc(0), end: start }
  }
  if (codings.length > 0) {
    assert.deepEqual(codings, ['chunked'])
    return parseChunked(bytes, start)
  }
  if (lengths.length > 0) {
    const end = start + Number(lengths[0])
    if (status === 205) assert.equal(end, start, '205 has no content')
    return end <= bytes.length ? { data: bytes.subarray(start, end), end } : undefined
  }
  assert.deepEqual(getAll('connection'), ['close'], 'without framing the end is that of the bytes')
  return ended ? { data: bytes.subarray(start), end: bytes.length } : undefined
}

function parseChunked(bytes, start) {
  const data = []
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const line = bytes.toString('latin1', at, lineEnd)
    assert.match(line, /^[0-9a-fA-F]+$/, 'a chunk size')
    const size = Number.parseInt(line, 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return undefined
    assert.equal(bytes.toString('latin1', end, end + 2), '\r\n', 'CR LF after a chunk')
    if (size === 0) return { data: Buffer.concat(data), end: end + 2 }
    data.push(bytes.subarray(lineEnd + 2, end))
    at = end + 2
  }
}

/** A refusal: says why in plain text, closes the connection for good, and lets the client read. */
export function assertRefusal({ responses, rest, ended }, status) {
  assert.equal(responses.length, 1, 'one answer and no more')
  const [response] = responses
  assert.equal(response.status, status)
  assert.equal(response.get('connection'), 'close')
  assert.match(response.get('content-type') ?? '', /^text\/plain/)
  assert.ok(response.text.trim().length > 8, `the body says why: ${JSON.stringify(response.text)}`)
  assert.ok(response.get('date'), 'Date is there')
  assert.equal(rest.length, 0, 'nothing after the answer')
  assert.equal(ended, 'fin', 'FIN and not RST')
}
