/**
 * The stream of an answer in a content coding: a part comes out for each that goes in, at the pace of
 * its reader. Knows the source only as something to read, and nothing of answers.
 */

import { PartEncoder } from './codings.js'
import { closeBytes, wrongLength } from './streams.js'

/**
 * @param {import('./read-ahead.js').ReadAhead} source
 * @param {import('./codings.js').Coding} coding
 * @param {number} [length] bytes that the source has to give, where it was promised
 * @returns {ReadableStream<Uint8Array>} fails when the source does, or with its length
 */
export function encodedStream(source, coding, length) {
  const encoder = new PartEncoder(coding)
  const parts = countedParts(source, length)
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      try {
        let coded
        let part
        do {
          part = await parts.next()
          coded = part === undefined ? await encoder.end() : await encoder.write(part)
        } while (coded.byteLength === 0 && part !== undefined)
        if (coded.byteLength > 0) controller.enqueue(coded)
        if (part === undefined) closeBytes(controller)
      } catch (error) {
        encoder.close()
        source.cancel(error)
        throw error
      }
    },
    cancel(reason) {
      encoder.close()
      source.cancel(reason)
    },
  })
}

/**
 * What was gathered and then what follows, without empty parts. A source that keeps another length
 * than it promised must not end well: behind the coding nobody else can see that.
 * @param {import('./read-ahead.js').ReadAhead} source
 * @param {number | undefined} length
 */
function countedParts(source, length) {
  let count = 0
  /** @returns {Promise<Uint8Array | undefined>} */
  async function next() {
    let part = /** @type {Uint8Array | undefined} */ (source.takeParts())
    while (part?.byteLength === 0) part = source.partOf(await source.next())
    count += part?.byteLength ?? 0
    if (length !== undefined && (part === undefined ? count < length : count > length)) {
      throw wrongLength(part === undefined ? 'fewer' : 'more')
    }
    return part
  }
  return { next }
}
