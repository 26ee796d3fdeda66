/**
 * Which answers go out compressed, and what that changes in their fields. One function stands
 * between the handler's response and the wire: a response in, the same or another one out. Knows
 * nothing of sockets, and of a coding only its name.
 */

import { acceptableCodings } from './accept-encoding.js'
import { encodeWhole } from './codings.js'
import { encodedStream } from './encoded-stream.js'
import { ReadAhead } from './read-ahead.js'
import { bodyOf, fieldsOf, remade } from './response.js'
import { streamOf } from './streams.js'

/** @typedef {import('./codings.js').Coding} Coding */
/** @typedef {import('./request.js').Request} Request */
/** @typedef {import('./response.js').Response} Response */
/** @typedef {(request: Request, response: Response) => Response | Promise<Response>} Compress */

/**
 * Media types that shrink: text in any form, and formats that aren't compressed by themselves. What
 * is not named here is sent as it is. Event streams are text like any other: each event is flushed
 * by itself, and events repeat one another.
 */
const COMPRESSIBLE = new RegExp(
  `^(?:${[
    'text/.+',
    '.+\\+(?:json|xml)',
    'application/(?:json|x-ndjson|javascript|xml|yaml|wasm|x-www-form-urlencoded)',
    'font/(?:ttf|otf|collection)',
    'image/(?:bmp|x-icon|vnd\\.microsoft\\.icon)',
  ].join('|')})$`,
)

/** Without content, or a part of some content (RFC 9110 §15.3.5 to 7, §15.4.5). */
const LEFT_ALONE = [204, 205, 206, 304]

/**
 * With one of these a response is coded already, is a part of something, or vouches for its bytes
 * (RFC 9110 §8.4, §14.4; RFC 9530).
 */
const FIXING_FIELDS = ['content-encoding', 'content-range', 'content-digest', 'repr-digest']

/** RFC 9111 §5.2.2.6. */
const NO_TRANSFORM = /(?:^|,)[\t ]*no-transform[\t ]*(?:,|$)/i

/** True of the bytes as they were, and of no coded ones. */
const LOST_FIELDS = ['content-length', 'accept-ranges']

const encoder = new TextEncoder()

/**
 * The function that gives each answer the form in which its client gets it.
 * @param {{ codings: readonly Coding[], threshold: number }} options
 * @returns {Compress}
 */
export function compressionOf({ codings, threshold }) {
  const least = Math.max(1, threshold)

  return function compress(request, response) {
    const isHead = request.method === 'HEAD'
    const { size } = bodyOf(response)
    if (size !== undefined && size < least && !(isHead && size === 0)) return response
    const fields = fieldsOf(response)
    if (!isEligible(response.status, fields)) return response
    // A handler may answer HEAD without a body, and say how long GET's would be.
    const length = size || declaredLength(fields)
    if (length === undefined ? size === 0 : length < least) return response

    const wanted = request.headers.get('accept-encoding')
    const [coding = 'identity'] = acceptableCodings(wanted, codings)
    const source = bodyOf(response).take()
    if (coding === 'identity') return remade(response, withVary(fields), source)
    if (isHead) return remade(response, codedFields(fields, coding), emptied(source))
    if (typeof source === 'string') return whole(response, fields, encoder.encode(source), coding)
    if (source instanceof Uint8Array) return whole(response, fields, source, coding)
    return streamed(response, fields, streamFrom(source), coding, least, length)
  }
}

/**
 * @param {Response} response
 * @param {string[]} fields
 * @param {Uint8Array} bytes
 * @param {Coding} coding
 */
function whole(response, fields, bytes, coding) {
  const answer = (/** @type {Uint8Array} */ coded) =>
    remade(response, codedFields(fields, coding), coded)
  const coded = encodeWhole(bytes, coding)
  return coded instanceof Uint8Array ? answer(coded) : coded.then(answer)
}

/**
 * A stream that has ended before it is under way is a whole body, which may turn out to be small.
 * @param {Response} response
 * @param {string[]} fields
 * @param {ReadableStream} stream
 * @param {Coding} coding
 * @param {number} least
 * @param {number | undefined} length
 */
async function streamed(response, fields, stream, coding, least, length) {
  const source = new ReadAhead(stream)
  if (!(await source.gather())) {
    return remade(response, codedFields(fields, coding), encodedStream(source, coding, length))
  }
  const bytes = source.takeParts()
  if (bytes.byteLength < least) return remade(response, fields, bytes)
  return whole(response, fields, bytes, coding)
}

/** @param {import('./body.js').BodySource} source one that isn't in memory */
function streamFrom(source) {
  return source instanceof ReadableStream
    ? source
    : /** @type {import('./foreign-body.js').ForeignBody} */ (source).stream()
}

/**
 * The body of an answer to HEAD, whose length only compressing would tell: a stream says none (RFC
 * 9110 §9.3.2). What the answer had is given up.
 * @param {import('./body.js').BodySource} source
 */
function emptied(source) {
  const isInMemory = source === null || typeof source === 'string' || source instanceof Uint8Array
  const stream = isInMemory ? undefined : streamFrom(source)
  stream?.cancel().catch(() => {})
  return streamOf('')
}

/**
 * @param {number} status
 * @param {string[]} fields
 */
function isEligible(status, fields) {
  if (LEFT_ALONE.includes(status)) return false
  let isCompressible = false
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]
    if (FIXING_FIELDS.includes(name)) return false
    if (name === 'cache-control' && NO_TRANSFORM.test(fields[index + 1])) return false
    if (name === 'content-type') isCompressible = isCompressibleType(fields[index + 1])
  }
  return isCompressible
}

/** @param {string} type a media type, maybe with parameters */
function isCompressibleType(type) {
  return COMPRESSIBLE.test(type.split(';', 1)[0].trim().toLowerCase())
}

/** @param {string[]} fields */
function declaredLength(fields) {
  const at = fields.indexOf('content-length')
  return at % 2 === 0 && /^\d{1,15}$/.test(fields[at + 1]) ? Number(fields[at + 1]) : undefined
}

/**
 * @param {string[]} fields
 * @param {Coding} coding
 */
function codedFields(fields, coding) {
  const result = ['content-encoding', coding]
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]
    const value = fields[index + 1]
    if (!LOST_FIELDS.includes(name)) result.push(name, name === 'etag' ? weak(value) : value)
  }
  return withVary(result)
}

/**
 * Bytes that are made anew for each request are equal in meaning only (RFC 9110 §8.8.3).
 * @param {string} tag
 */
function weak(tag) {
  return tag.startsWith('"') ? `W/${tag}` : tag
}

/**
 * Says that the answer depends on Accept-Encoding (RFC 9110 §12.5.5): each that another client would
 * get in another coding says so, the uncoded one, too.
 * @param {string[]} fields
 */
function withVary(fields) {
  const result = fields.slice()
  let last = -1
  for (let index = 0; index < result.length; index += 2) {
    if (result[index] !== 'vary') continue
    const names = result[index + 1].split(',').map((name) => name.trim().toLowerCase())
    if (names.includes('*') || names.includes('accept-encoding')) return result
    last = index + 1
  }
  if (last < 0) result.push('vary', 'Accept-Encoding')
  else result[last] = result[last] === '' ? 'Accept-Encoding' : `${result[last]}, Accept-Encoding`
  return result
}
