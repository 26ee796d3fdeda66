/**
 * Turns bytes, text and iterables into byte streams, and byte streams into bytes. Knows nothing of
 * bodies and who has read them.
 */

import { isArrayBuffer, isUint8Array } from 'node:util/types'

const encoder = new TextEncoder()

/**
 * A byte stream of one chunk, which is made when it is read.
 * @param {string | Uint8Array} content
 * @returns {ReadableStream<Uint8Array>}
 */
export function streamOf(content) {
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      // The stream takes the chunk's memory away, so it gets a copy.
      const bytes = typeof content === 'string' ? encoder.encode(content) : new Uint8Array(content)
      if (bytes.byteLength > 0) controller.enqueue(bytes)
      closeBytes(controller)
    },
  })
}

/**
 * A byte stream of what the iterable gives, one step for each reading.
 * @param {AsyncIterable<unknown>} iterable
 * @returns {ReadableStream<Uint8Array>}
 */
export function streamFromIterable(iterable) {
  const iterator = iterable[Symbol.asyncIterator]()
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      for (;;) {
        const { done, value } = await iterator.next()
        if (done) {
          closeBytes(controller)
          return
        }
        const bytes = copyChunk(value)
        if (bytes.byteLength > 0) {
          controller.enqueue(bytes)
          return
        }
      }
    },
    async cancel(reason) {
      await iterator.return?.(reason)
    },
  })
}

/**
 * Ends a byte stream. A reader that brought its own buffer waits for it to be answered.
 * @param {ReadableByteStreamController} controller
 */
export function closeBytes(controller) {
  controller.close()
  controller.byobRequest?.respond(0)
}

/**
 * Every byte of the stream, in memory of its own.
 * @param {ReadableStream} stream
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function readAll(stream) {
  const reader = stream.getReader()
  /** @type {Uint8Array[]} */
  const chunks = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!isUint8Array(value)) {
      const error = new TypeError('a chunk of a body has to be a Uint8Array')
      reader.cancel(error).catch(() => {})
      throw error
    }
    chunks.push(value)
    length += value.byteLength
  }
  const all = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    all.set(chunk, offset)
    offset += chunk.byteLength
  }
  return all
}

/**
 * The error of a stream that doesn't keep the length which was promised for it.
 * @param {'fewer' | 'more'} which
 */
export function wrongLength(which) {
  return new TypeError(`the stream gave ${which} bytes than its Content-Length says`)
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {ArrayBuffer}
 */
export function ownBuffer({ buffer, byteOffset, byteLength }) {
  return byteLength === buffer.byteLength
    ? buffer
    : buffer.slice(byteOffset, byteOffset + byteLength)
}

/**
 * @param {unknown} chunk
 * @returns {Uint8Array<ArrayBuffer>}
 */
function copyChunk(chunk) {
  if (typeof chunk === 'string') return encoder.encode(chunk)
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }
  if (isArrayBuffer(chunk)) return new Uint8Array(chunk.slice(0))
  throw new TypeError('an async iterable as a body has to give strings or bytes')
}
