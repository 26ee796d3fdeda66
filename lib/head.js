/**
 * Cuts fields from a request's head: one latin1 string of a request line and field lines, each
 * ended by CRLF, which the engine has already found to be well formed (no folding, no space before
 * the colon). Nothing is parsed until it is asked for, and nothing is checked a second time.
 *
 * Of one head at a time it is known where its fields lie. The engine says it of the one that it
 * dispatches; of another, like that of a handler that reads on after an await, it is found out
 * here, line by line, as far as somebody asks. Which head that is, is asked of the string itself,
 * so nothing has to be kept with a request, and none can see the places of another.
 */

import { combine } from './fields.js'

const SPACE = 0x20
const TAB = 0x09

/** Words of a place: start and end of the name, start and end of the value. */
const WORDS = 4

/** The head of which the places are. */
let known = ''
/** @type {Uint32Array} */
let own = new Uint32Array(WORDS * 32)
/** The engine's words, or our own. */
let places = own
/** How many words of them are filled. */
let filled = 0
/** The offset of the first line that has no place yet. */
let rest = 0

/**
 * Takes the engine's word for where the fields of a head lie.
 * @param {string} head
 * @param {Uint32Array} words four for each field; they stay as they are until the next head is known
 * @param {number} count of fields
 */
export function knowFields(head, words, count) {
  known = head
  places = words
  filled = count * WORDS
  rest = head.length
}

/**
 * The place of the first field of this name, or -1.
 * @param {string} head
 * @param {number} fieldsStart offset of the first field line
 * @param {string} name in lower case
 * @returns {number}
 */
export function findField(head, fieldsStart, name) {
  if (head !== known) forget(head, fieldsStart)
  const { length } = name
  for (let at = 0; at < filled || findNext(); at += WORDS) {
    const start = places[at]
    if (places[at + 1] - start === length && isNamed(head, start, name)) return at
  }
  return -1
}

/**
 * The value at a place that was just found, without the white space around it.
 * @param {string} head
 * @param {number} place
 * @returns {string}
 */
export function valueAt(head, place) {
  return head.slice(places[place + 2], places[place + 3])
}

/**
 * The value that all fields of this name make together; null when there is none.
 * @param {string} head
 * @param {number} fieldsStart
 * @param {string} name in lower case
 * @returns {string | null}
 */
export function combinedValue(head, fieldsStart, name) {
  findAll(head, fieldsStart)
  // Constants, as nothing below can change them: that halves the time of the loop.
  const words = places
  const end = filled
  const { length } = name
  let value = null
  for (let at = 0; at < end; at += WORDS) {
    const start = words[at]
    if (words[at + 1] - start === length && isNamed(head, start, name)) {
      value = combine(name, value, valueAt(head, at))
    }
  }
  return value
}

/**
 * All fields in order, as `[name, value, name, value…]` with the names as they were sent.
 * @param {string} head
 * @param {number} fieldsStart
 * @returns {string[]}
 */
export function cutFields(head, fieldsStart) {
  findAll(head, fieldsStart)
  const list = []
  for (let at = 0; at < filled; at += WORDS) {
    list.push(head.slice(places[at], places[at + 1]), valueAt(head, at))
  }
  return list
}

/**
 * @param {string} head
 * @param {number} fieldsStart
 */
function findAll(head, fieldsStart) {
  if (head !== known) forget(head, fieldsStart)
  while (rest < head.length) findNext()
}

/**
 * Begins anew, with a head of which nothing is known.
 * @param {string} head
 * @param {number} fieldsStart
 */
function forget(head, fieldsStart) {
  known = head
  places = own
  filled = 0
  rest = fieldsStart
}

/** Finds the place of one field more; false when there is none. */
function findNext() {
  if (rest >= known.length) return false
  if (filled === own.length) grow()
  const colon = known.indexOf(':', rest)
  const lineEnd = known.indexOf('\r', colon)
  let start = colon + 1
  let end = lineEnd
  while (start < end && isBlank(known.charCodeAt(start))) start++
  while (end > start && isBlank(known.charCodeAt(end - 1))) end--
  own[filled] = rest
  own[filled + 1] = colon
  own[filled + 2] = start
  own[filled + 3] = end
  filled += WORDS
  rest = lineEnd + 2
  return true
}

/** The largest head of all decides, and the engine limits that. */
function grow() {
  const larger = new Uint32Array(own.length * 2)
  larger.set(own)
  own = larger
  places = larger
}

/**
 * @param {string} head
 * @param {number} at
 * @param {string} name in lower case
 */
function isNamed(head, at, name) {
  for (let index = 0; index < name.length; index++) {
    const wanted = name.charCodeAt(index)
    const code = head.charCodeAt(at + index)
    if (code !== wanted && (code < 0x41 || code > 0x5a || code + 0x20 !== wanted)) return false
  }
  return true
}

/** @param {number} code */
function isBlank(code) {
  return code === SPACE || code === TAB
}
