/**
 * Cuts fields from a request's head: one latin1 string of a request line and field lines, each
 * ended by CRLF, which the engine has already found to be well formed (no folding, no space before
 * the colon). Nothing is parsed until it is asked for, and nothing is checked a second time.
 */

const COLON = 0x3a
const SPACE = 0x20
const TAB = 0x09

/**
 * The offset of the first field line from `at` on that has this name, or -1.
 * @param {string} head
 * @param {number} at the start of a field line
 * @param {string} name in lower case
 * @returns {number}
 */
export function findField(head, at, name) {
  const { length } = name
  while (at < head.length) {
    if (head.charCodeAt(at + length) === COLON && isNamed(head, at, name)) return at
    at = nextLine(head, at)
  }
  return -1
}

/**
 * The value behind the colon at `colon`, without the white space around it.
 * @param {string} head
 * @param {number} colon
 * @returns {string}
 */
export function valueAfter(head, colon) {
  let start = colon + 1
  let end = head.indexOf('\r', start)
  while (start < end && isBlank(head.charCodeAt(start))) start++
  while (end > start && isBlank(head.charCodeAt(end - 1))) end--
  return head.slice(start, end)
}

/**
 * All fields in order, as `[name, value, name, value…]` with the names as they were sent.
 * @param {string} head
 * @param {number} at the start of the first field line
 * @returns {string[]}
 */
export function cutFields(head, at) {
  const list = []
  for (let colon = head.indexOf(':', at); colon >= 0; colon = head.indexOf(':', at)) {
    list.push(head.slice(at, colon), valueAfter(head, colon))
    at = nextLine(head, colon)
  }
  return list
}

/**
 * @param {string} head
 * @param {number} at
 */
export function nextLine(head, at) {
  const end = head.indexOf('\n', at)
  return end < 0 ? head.length : end + 1
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
