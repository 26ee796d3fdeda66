/**
 * The URL of an incoming request, from its Host field and its target: always what the URL parser
 * would say (`new URL(url).href === url`). A scan proves that the usual target is in that form
 * already; for all others the parser is asked. Knows nothing of the Request class.
 */

import { findField, valueAt } from './head.js'
import { ABSOLUTE_FORM } from './record.js'

/**
 * What a server knows of its own URL.
 * @typedef {object} Origin
 * @property {'http' | 'https'} scheme
 * @property {string} authority what stands for a Host that is missing or makes no URL
 */

const SLASH = 0x2f
const DOT = 0x2e
const PERCENT = 0x25
const QUESTION_MARK = 0x3f

/** The bytes that the URL parser leaves as they are in paths and queries, on every Node version. */
const PLAIN = new Uint8Array(256)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~!$&()*+,;=:@[]') {
  PLAIN[char.charCodeAt(0)] = 1
}

/**
 * The authorities that were found to be in the URL parser's form, with the start of a URL that they
 * make. Clients choose the Host, so the table is emptied when it is full.
 * @type {Map<string, string>}
 */
const httpPrefixes = new Map()
/** @type {Map<string, string>} */
const httpsPrefixes = new Map()
const MAX_PREFIXES = 256
const MAX_AUTHORITY_LENGTH = 256

/**
 * @param {string} head
 * @param {number} targetStart
 * @param {number} targetEnd
 * @param {number} fieldsStart
 * @param {number} flags
 * @param {Origin} origin
 * @returns {string}
 */
export function requestUrl(head, targetStart, targetEnd, fieldsStart, flags, origin) {
  if ((flags & ABSOLUTE_FORM) !== 0) {
    return absoluteUrl(head.slice(targetStart, targetEnd), origin)
  }
  const place = findField(head, fieldsStart, 'host')
  const prefix = prefixOf(place < 0 ? '' : valueAt(head, place), origin)
  // The target of OPTIONS or CONNECT may be no path: `*`, or an authority.
  if (head.charCodeAt(targetStart) !== SLASH) return `${prefix}/`
  const url = prefix + head.slice(targetStart, targetEnd)
  return isPlain(head, targetStart, targetEnd) ? url : new URL(url).href
}

/**
 * The target's own authority wins over Host (RFC 9112 §3.2.2); its scheme is what a client claims,
 * so the connection's stays.
 * @param {string} target
 * @param {Origin} origin
 */
function absoluteUrl(target, origin) {
  const [, authority = '', rest = ''] = /^[^:/?#]*:\/\/([^/?#]*)(.*)$/.exec(target) ?? []
  return new URL(prefixOf(authority, origin) + (rest.startsWith('/') ? rest : `/${rest}`)).href
}

/**
 * Scheme and authority in the URL parser's form.
 * @param {string} authority as the client sent it
 * @param {Origin} origin
 * @returns {string}
 */
function prefixOf(authority, { scheme, authority: fallback }) {
  const prefixes = scheme === 'http' ? httpPrefixes : httpsPrefixes
  const known = prefixes.get(authority)
  if (known !== undefined) return known
  const parsed = parseAuthority(scheme, authority) ?? parseAuthority(scheme, fallback)
  if (parsed === null) throw new TypeError(`the server's authority ${fallback} makes no URL`)
  const prefix = `${scheme}://${parsed}`
  if (parsed === authority && parsed.length <= MAX_AUTHORITY_LENGTH) {
    if (prefixes.size >= MAX_PREFIXES) prefixes.clear()
    // The parser's string: the client's is a part of the request's head and would keep all of it.
    prefixes.set(parsed, prefix)
  }
  return prefix
}

/**
 * @param {string} scheme
 * @param {string} authority
 * @returns {string | null} null when it is not a host with an optional port
 */
function parseAuthority(scheme, authority) {
  if (!/^[!-~]+$/.test(authority) || /[/?#@\\]/.test(authority)) return null
  const url = `${scheme}://${authority}`
  return URL.canParse(url) ? new URL(url).host : null
}

/**
 * True when the URL parser would leave this path and query as they are: no byte that it encodes,
 * and no segment that may be a dot segment.
 * @param {string} head
 * @param {number} start the target's first slash
 * @param {number} end
 */
function isPlain(head, start, end) {
  let inQuery = false
  for (let index = start; index < end; index++) {
    const code = head.charCodeAt(index)
    if (PLAIN[code] === 1) continue
    if (code === SLASH) {
      if (!inQuery && head.charCodeAt(index + 1) === DOT) return false
    } else if (code === QUESTION_MARK) {
      inQuery = true
    } else if (code === PERCENT) {
      // %2e is a dot where it makes a dot segment.
      if (!inQuery && head.charCodeAt(index + 1) === 0x32) return false
    } else if (code !== DOT) {
      return false
    }
  }
  return true
}
