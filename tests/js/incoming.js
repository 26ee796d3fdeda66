// What the tests of the Fetch classes share: requests as the engine hands them over.

import { ABSOLUTE_FORM, ASTERISK_FORM } from '../../lib/record.js'
import { incomingRequest } from '../../lib/request.js'

export const ORIGIN = Object.freeze({ scheme: 'http', authority: 'localhost:3000' })

/** A Request over a head of these lines: a request line and field lines, without their CRLFs. */
export function incoming(lines, { body = null, origin = ORIGIN, method } = {}) {
  const head = lines.map((line) => `${line}\r\n`).join('')
  const [name, target] = lines[0].split(' ')
  const start = name.length + 1
  let flags = 0
  if (target === '*') flags = ASTERISK_FORM
  else if (!target.startsWith('/')) flags = ABSOLUTE_FORM
  const fieldsStart = lines[0].length + 2
  const end = start + target.length
  return incomingRequest(head, method ?? name, start, end, fieldsStart, flags, origin, body)
}

/** A body in the engine's memory, which counts how often it is moved out. */
export function nativeBody(text) {
  const bytes = new TextEncoder().encode(text)
  return {
    length: bytes.byteLength,
    taken: 0,
    text() {
      this.taken++
      return text
    },
    bytes() {
      this.taken++
      return bytes
    },
  }
}
