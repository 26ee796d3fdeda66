/**
 * Asks a server once, with the bytes that the generator will send, and compares the answer with
 * the scenario's. Knows nothing of timing.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { FILLER } from './scenarios.js'

/** Longest wait for the answer, in milliseconds. */
const PATIENCE = 5000

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {[name: string, value: string][]} fields in their order, names in lower case
 * @property {string} body
 * @property {number} length of all of it, in bytes
 */

/**
 * The answer of a server to a scenario; throws when it is not the right one.
 * @param {import('./scenarios.js').Scenario} scenario
 * @param {number} port
 */
export async function check(scenario, port) {
  const answer = await ask(requestOf(scenario, port), port)
  const { status, type, body } = scenario.answer
  expect('status', answer.status, status)
  expect('Content-Type', field(answer, 'content-type'), type)
  expect('Content-Length', field(answer, 'content-length'), String(Buffer.byteLength(body)))
  expect('body', answer.body, body)
  const date = field(answer, 'date')
  if (new Date(date ?? '').toUTCString() !== date) throw new Error(`wrong Date: ${date}`)
  return answer
}

/**
 * @param {import('./scenarios.js').Scenario} scenario
 * @param {number} port
 */
function requestOf({ method, headers, bodyLength }, port) {
  const fields = Object.entries({ Host: `127.0.0.1:${port}`, ...headers })
  if (bodyLength > 0) fields.push(['Content-Length', String(bodyLength)])
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${method} / HTTP/1.1\r\n${lines}\r\n${FILLER.repeat(bodyLength)}`
}

/**
 * @param {string} request
 * @param {number} port
 * @returns {Promise<Answer>}
 */
async function ask(request, port) {
  const socket = connect({ port, host: '127.0.0.1' })
  const signal = AbortSignal.timeout(PATIENCE)
  try {
    await once(socket, 'connect', { signal })
    socket.write(request, 'latin1')
    let received = ''
    let answer
    while (answer === undefined) {
      const [chunk] = await once(socket, 'data', { signal })
      received += chunk.toString('latin1')
      answer = parse(received)
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
 * @param {string} text latin1
 * @returns {Answer | undefined} undefined while some of it is missing
 */
export function parse(text) {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [first, ...lines] = text.slice(0, end).split('\r\n')
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return /** @type {[string, string]} */ ([
      line.slice(0, colon).toLowerCase(),
      line.slice(colon + 1).trim(),
    ])
  })
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(first) ?? []
  if (status === undefined) throw new Error(`no status line of HTTP/1.1: ${first}`)
  const answer = { status: Number(status), fields, body: text.slice(end + 4), length: text.length }
  const length = field(answer, 'content-length')
  if (length === undefined) throw new Error('the answer has no Content-Length')
  return answer.body.length < Number(length) ? undefined : answer
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
 * @param {string} what
 * @param {unknown} actual
 * @param {unknown} expected
 */
function expect(what, actual, expected) {
  if (actual === expected) return
  throw new Error(`wrong ${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
}
