/**
 * The content codings that Node's zlib makes (RFC 9110 §8.4.1, RFC 7932, RFC 8878), with levels for
 * content that is made for each request: bytes in, coded bytes out, whole or part by part. Knows
 * nothing of answers and of what is worth compressing. docs/api.md has the figures behind the numbers.
 */

import zlib from 'node:zlib'

const { constants } = zlib
/** Newer than the oldest Node.js that is supported, whose types are used. */
const { zstdCompress, zstdCompressSync, createZstdCompress } = /** @type {any} */ (zlib)

/** @typedef {'zstd' | 'br' | 'gzip'} Coding */

/** In the server's order: what costs least at the same gain comes first. */
export const CODINGS = /** @type {readonly Coding[]} */ (Object.freeze(['zstd', 'br', 'gzip']))

/** Those that this Node.js has; zstd came with 22.15 and 23.8. */
export const AVAILABLE_CODINGS = CODINGS.filter(
  (coding) => coding !== 'zstd' || createZstdCompress !== undefined,
)

/** Up to here the way to the thread pool costs the event loop about what compressing does. */
const MAX_ON_LOOP = 8 * 1024

/**
 * How many whole bodies are off the loop at a time, as many as the pool has threads by default. Each
 * takes up to 1 MiB from the start, also while it waits for a thread; so the others wait before that.
 */
const MAX_OFF_LOOP = 4

/**
 * `whole` compresses at once and `wholeLater` on the thread pool, both with the options `level`;
 * `open` makes a stream that flushes behind each part. A stream may live for hours among thousands,
 * so its options spare memory.
 * @typedef {object} Format
 * @property {(bytes: Uint8Array, options: object) => Uint8Array} whole
 * @property {(bytes: Uint8Array, options: object, callback: Callback) => void} wholeLater
 * @property {object} level
 * @property {() => import('node:stream').Transform} open
 */

/** @typedef {(error: Error | null, coded: Uint8Array) => void} Callback */

const BROTLI_LEVEL = { [constants.BROTLI_PARAM_QUALITY]: 5 }
const GZIP_LEVEL = { level: 4 }

/** @param {number} level */
function zstdLevel(level) {
  return { [/** @type {any} */ (constants).ZSTD_c_compressionLevel]: level }
}

/** @type {Readonly<Record<Coding, Format>>} */
const FORMATS = {
  zstd: {
    whole: zstdCompressSync,
    wholeLater: zstdCompress,
    level: { params: zstdLevel(3) },
    open: () =>
      createZstdCompress({
        flush: /** @type {any} */ (constants).ZSTD_e_flush,
        params: zstdLevel(1),
      }),
  },
  br: {
    whole: zlib.brotliCompressSync,
    wholeLater: zlib.brotliCompress,
    level: { params: BROTLI_LEVEL },
    open: () =>
      zlib.createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        params: { ...BROTLI_LEVEL, [constants.BROTLI_PARAM_LGWIN]: 16 },
      }),
  },
  gzip: {
    whole: zlib.gzipSync,
    wholeLater: zlib.gzip,
    level: GZIP_LEVEL,
    open: () => zlib.createGzip({ flush: constants.Z_SYNC_FLUSH, ...GZIP_LEVEL }),
  },
}

/**
 * The coded bytes; of a larger body a promise of them.
 * @param {Uint8Array} bytes
 * @param {Coding} coding
 * @returns {Uint8Array | Promise<Uint8Array>}
 */
export function encodeWhole(bytes, coding) {
  const { whole, wholeLater, level } = FORMATS[coding]
  if (bytes.byteLength <= MAX_ON_LOOP) return whole(bytes, level)
  return offLoop(
    () =>
      new Promise((resolve, reject) => {
        wholeLater(bytes, level, (error, coded) => {
          if (error) reject(error)
          else resolve(coded)
        })
      }),
  )
}

let running = 0
/** @type {(() => void)[]} */
const waiting = []

/**
 * @template T
 * @param {() => Promise<T>} work
 */
async function offLoop(work) {
  if (running < MAX_OFF_LOOP) running++
  else await new Promise((resolve) => waiting.push(() => resolve(undefined)))
  try {
    return await work()
  } finally {
    // Its place goes to the next in line, or is free.
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

/** Codes parts, each so far that the receiver can decode it without the next one. */
export class PartEncoder {
  #transform
  /** @type {Uint8Array[]} */
  #coded = []

  /** @param {Coding} coding */
  constructor(coding) {
    this.#transform = FORMATS[coding].open()
    this.#transform.on('data', (coded) => this.#coded.push(coded))
    // Who waits for a part hears of it, too; nobody may be waiting when it is closed.
    this.#transform.on('error', () => {})
  }

  /**
   * @param {Uint8Array} part
   * @returns {Promise<Uint8Array>}
   */
  write(part) {
    return new Promise((resolve, reject) => {
      this.#transform.write(part, (error) => {
        if (error) reject(error)
        else resolve(this.#take())
      })
    })
  }

  /** @returns {Promise<Uint8Array>} */
  end() {
    return new Promise((resolve, reject) => {
      this.#transform.once('error', reject)
      this.#transform.once('end', () => resolve(this.#take()))
      this.#transform.end()
    })
  }

  /** Gives its memory back, at any time. */
  close() {
    this.#transform.destroy()
  }

  /** In memory of its own: a byte stream takes that of its chunks away. */
  #take() {
    const coded = new Uint8Array(this.#coded.reduce((sum, { byteLength }) => sum + byteLength, 0))
    let offset = 0
    for (const piece of this.#coded) {
      coded.set(piece, offset)
      offset += piece.byteLength
    }
    this.#coded = []
    return coded
  }
}
