/**
 * What a field name and a field value may be (RFC 9110 §5, Fetch §2.2.2), and the two flat forms
 * in which fields are kept: a list `[name, value, name, value…]`, and the header block
 * `name\0value\0…` that goes to the engine. Knows nothing of the classes that use them.
 */

import { KnownBlocks } from './known-blocks.js'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Most programs use few names: those seen before skip the check and the lower-casing. */
const MAX_KNOWN_NAMES = 256
const MAX_KNOWN_NAME_LENGTH = 64

/** @type {Map<unknown, string>} */
const knownNames = new Map()

/**
 * The name in lower case.
 * @param {unknown} name
 * @returns {string}
 * @throws {TypeError} when it is not a token
 */
export function fieldName(name) {
  return knownNames.get(name) ?? checkName(name)
}

/** @param {unknown} name */
function checkName(name) {
  const text = `${name}`
  if (!TOKEN.test(text)) throw new TypeError(`${JSON.stringify(text)} is not a valid header name`)
  const lower = text.toLowerCase()
  if (knownNames.size < MAX_KNOWN_NAMES && text.length <= MAX_KNOWN_NAME_LENGTH) {
    knownNames.set(text, lower)
  }
  return lower
}

/**
 * The value without the white space around it.
 * @param {unknown} value
 * @returns {string}
 * @throws {TypeError} when it holds CR, LF, NUL or a character above 0xFF
 */
export function fieldValue(value) {
  const text = typeof value === 'string' ? value : `${value}`
  let start = 0
  let end = text.length
  while (start < end && isWhitespace(text.charCodeAt(start))) start++
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code > 0xff) throw badValue(text, 'a character above U+00FF')
    if (code < 0x0e && (code === 0x0d || code === 0x0a || code === 0)) {
      throw badValue(text, 'CR, LF or NUL')
    }
  }
  return text.slice(start, end)
}

/**
 * @param {string} value
 * @param {string} what
 */
function badValue(value, what) {
  return new TypeError(`the header value ${JSON.stringify(value)} contains ${what}`)
}

/** @param {number} code */
function isWhitespace(code) {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
}

/**
 * Several lines of one name make one value; cookies have a separator of their own (RFC 9110 §5.3,
 * RFC 6265 §4.2.1).
 * @param {string} name
 * @param {string | null} combined what the lines before make, null for the first
 * @param {string} value
 */
export function combine(name, combined, value) {
  if (combined === null) return value
  return combined + (name === 'cookie' ? '; ' : ', ') + value
}

/**
 * The checked fields of whatever a `HeadersInit` may be: pairs (an array, a Map, a Headers object
 * of the platform) or a record.
 * @param {unknown} init
 * @returns {string[]}
 */
export function listFromInit(init) {
  if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
    throw new TypeError('headers have to be a record, a sequence of pairs or a Headers object')
  }
  /** @type {string[]} */
  const list = []
  if (isRecord(init)) {
    const fields = /** @type {Record<string, unknown>} */ (init)
    for (const key of recordKeys(fields)) list.push(fieldName(key), fieldValue(fields[key]))
    return list
  }
  for (const pair of /** @type {Iterable<unknown>} */ (init)) {
    const [name, value, ...rest] = pairOf(pair)
    if (value === undefined || rest.length > 0) {
      throw new TypeError('each pair of headers has to have two items, a name and a value')
    }
    list.push(fieldName(name), fieldValue(value))
  }
  return list
}

/** @param {object} init */
export function isRecord(init) {
  const iterate = /** @type {{ [Symbol.iterator]?: unknown }} */ (init)[Symbol.iterator]
  return iterate === undefined || iterate === null
}

/**
 * The keys of a record; a symbol that would count as one is refused, as it has no text.
 * @param {object} record
 */
function recordKeys(record) {
  for (const symbol of Object.getOwnPropertySymbols(record)) {
    if (Object.prototype.propertyIsEnumerable.call(record, symbol)) {
      throw new TypeError('a symbol is not a valid header name')
    }
  }
  return Object.keys(record)
}

/**
 * @param {unknown} pair
 * @returns {string[]}
 */
function pairOf(pair) {
  if (pair === null || typeof pair !== 'object' || !(Symbol.iterator in pair)) {
    throw new TypeError('each pair of headers has to be a sequence of a name and a value')
  }
  return Array.from(/** @type {Iterable<unknown>} */ (pair), (item) => `${item}`)
}

const knownBlocks = new KnownBlocks()

/**
 * The block of a record's checked fields, with `implied` behind them unless the record has a
 * content-type of its own: the fields of most answers, for which no list has to be made.
 * @param {object} record
 * @param {string} implied the block of the content-type that the body implies, or ''
 * @returns {string}
 */
export function blockFromRecord(record, implied) {
  const fields = /** @type {Record<string, unknown>} */ (record)
  const names = recordKeys(fields)
  // Each value is read once, as it may be computed.
  const values = []
  for (const name of names) values.push(fields[name])
  const known = knownBlocks.find(names, values, implied)
  if (known !== '') return known
  let block = ''
  let rest = implied
  for (let index = 0; index < names.length; index++) {
    const name = fieldName(names[index])
    if (name === 'content-type') rest = ''
    block += `${name}\0${fieldValue(values[index])}\0`
  }
  block += rest
  knownBlocks.add(names, values, implied, block)
  return block
}

/**
 * @param {string[]} list
 * @returns {string}
 */
export function blockFromList(list) {
  let block = ''
  for (let index = 0; index < list.length; index += 2) {
    block += `${list[index]}\0${list[index + 1]}\0`
  }
  return block
}

/**
 * @param {string} block
 * @returns {string[]}
 */
export function listFromBlock(block) {
  const list = block.split('\0')
  list.pop()
  return list
}
