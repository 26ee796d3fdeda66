/**
 * Asks a server once, with the bytes that the generator will send, and compares the answer with
 * the scenario's. Knows nothing of timing.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { FILLER } from './scenarios.js'

/** Longest wait for the answer, in milliseconds. */
const PATIENCE = 5000

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {[name: string, value: string][]} fields in their order, names in lower case
 * @property {number} length of all of it, in bytes
 * @property {string} bodySha256
 */

/**
 * The answer of a server to a scenario; throws when it is not the right one.
 * @param {import('./scenarios.js').Scenario} scenario
 * @param {number} port
 * @returns {Promise<Answer>}
 */
export async function check(scenario, port) {
  const answer = await ask(requestOf(scenario, port), port)
  const { status, type, body } = scenario.answer
  const length = scenario.isStream ? undefined : String(Buffer.byteLength(body))
  expect('status', answer.status, status)
  expect('Content-Type', plain(field(answer, 'content-type')), plain(type))
  expect('Content-Length', field(answer, 'content-length'), length)
  expect('body', answer.body.toString('latin1'), body)
  const date = field(answer, 'date')
  if (new Date(date ?? '').toUTCString() !== date) throw new Error(`wrong Date: ${date}`)
  const { body: bytes, ...rest } = answer
  return { ...rest, bodySha256: createHash('sha256').update(bytes).digest('hex') }
}

/**
 * @param {import('./scenarios.js').Scenario} scenario
 * @param {number} port
 */
export function requestOf({ method, path, headers, bodyLength }, port) {
  const fields = Object.entries({ Host: `127.0.0.1:${port}`, ...headers })
  if (bodyLength > 0) fields.push(['Content-Length', String(bodyLength)])
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${method} ${path} HTTP/1.1\r\n${lines}\r\n${FILLER.repeat(bodyLength)}`
}

/**
 * @param {string} request
 * @param {number} port
 */
async function ask(request, port) {
  const socket = connect({ port, host: '127.0.0.1' })
  const signal = AbortSignal.timeout(PATIENCE)
  try {
    await once(socket, 'connect', { signal })
    socket.write(request, 'latin1')
    const chunks = []
    let answer
    while (answer === undefined) {
      const [chunk] = await once(socket, 'data', { signal })
      chunks.push(chunk)
      answer = parse(Buffer.concat(chunks))
    }
    return answer
  } catch (error) {
    if (signal.aborted) throw new Error(`no whole answer within ${PATIENCE / 1000} seconds`)
    throw error
  } finally {
    socket.destroy()
  }
}

/**
 * The answer that some bytes begin with; undefined while some of it is missing.
 * @param {Buffer} bytes
 */
export function parse(bytes) {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return /** @type {[string, string]} */ ([
      line.slice(0, colon).toLowerCase(),
      line.slice(colon + 1).trim(),
    ])
  })
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(first) ?? []
  if (status === undefined) throw new Error(`no status line of HTTP/1.1: ${first}`)
  const content = bodyOf(bytes.subarray(end + 4), { fields })
  if (content === undefined) return undefined
  return { status: Number(status), fields, body: content.body, length: end + 4 + content.length }
}

/**
 * The body and how many bytes it took; undefined while some of them are missing.
 * @param {Buffer} bytes
 * @param {Pick<Answer, 'fields'>} head
 */
function bodyOf(bytes, head) {
  if (field(head, 'transfer-encoding')?.toLowerCase() === 'chunked') return unchunked(bytes)
  const length = Number(field(head, 'content-length') ?? Number.NaN)
  if (Number.isNaN(length)) throw new Error('the answer has no Content-Length')
  return bytes.length < length ? undefined : { body: bytes.subarray(0, length), length }
}

/** @param {Buffer} bytes */
function unchunked(bytes) {
  const parts = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf('\r\n', at)
    if (end === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16)
    if (Number.isNaN(size)) throw new Error('a chunk has no size')
    at = end + 2 + size + 2
    if (at > bytes.length) return undefined
    if (size === 0) return { body: Buffer.concat(parts), length: at }
    parts.push(bytes.subarray(end + 2, end + 2 + size))
  }
}

/**
 * @param {Pick<Answer, 'fields'>} answer
 * @param {string} wanted
 */
export function field({ fields }, wanted) {
  const values = fields.filter(([name]) => name === wanted)
  if (values.length > 1) throw new Error(`the answer has ${wanted} more than once`)
  return values[0]?.[1]
}

/**
 * A media type without the charset that all text here has; some servers add it on their own, and
 * to send less would cost them more.
 * @param {string | undefined} type
 */
function plain(type) {
  return type?.toLowerCase().replace(/; ?charset=utf-8$/, '')
}

/**
 * @param {string} what
 * @param {unknown} actual
 * @param {unknown} expected
 */
function expect(what, actual, expected) {
  if (actual === expected) return
  throw new Error(`wrong ${what}: ${shown(actual)} instead of ${shown(expected)}`)
}

/** @param {unknown} value */
function shown(value) {
  const text = JSON.stringify(value) ?? 'none'
  return text.length > 100 ? `${text.slice(0, 100)}… (${text.length} characters)` : text
}
