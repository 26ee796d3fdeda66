/**
 * Forms with files, read part by part while they come: `multipart(request)`. Checks the request and
 * the options and hands out the parts; knows neither how a form is taken apart (`form-reader.js`)
 * nor where the request is from.
 */
// Node loads its MIMEType when it is asked for the first time.
import * as util from 'node:util'
import { BarewireError, CODES } from './errors.js'
import { FormReader } from './form-reader.js'
import { limit, readNumbers } from './options.js'

/** @typedef {import('./part.js').Part} Part */

const MIB = 1024 * 1024

/** The options, all of them limits. */
export const LIMITS = {
  maxParts: limit(1000, 'parts, 0 is off'),
  maxFieldSize: limit(MIB, 'bytes, 0 is off', Number.MAX_SAFE_INTEGER),
  maxFileSize: limit(0, 'bytes, 0 is off', Number.MAX_SAFE_INTEGER),
}

/**
 * The parts of the form that a request carries, in order, each as soon as its header has come.
 * @param {{
 *   headers: { get(name: string): string | null },
 *   body: ReadableStream<Uint8Array> | null,
 *   bodyUsed?: boolean,
 * }} request
 * @param {unknown} [options]
 * @returns {AsyncGenerator<Part, void, undefined>}
 */
export function multipart(request, options = {}) {
  const limits = readNumbers(options, LIMITS)
  const boundary = boundaryOf(request.headers.get('content-type'))
  if (request.bodyUsed) throw new TypeError('the body was read already')
  return parts(new FormReader(request.body, boundary, limits))
}

/** @param {FormReader} form */
async function* parts(form) {
  try {
    for (;;) {
      const part = await form.nextPart()
      if (part === undefined) return
      yield part
    }
  } finally {
    await form.release()
  }
}

/** @param {string | null} type */
function boundaryOf(type) {
  const { essence, params } = mimeType(type ?? '') ?? {}
  if (essence === 'multipart/form-data') return params?.get('boundary') ?? ''
  throw new BarewireError(CODES.MULTIPART, 'The body has to be multipart/form-data.', {
    status: 415,
  })
}

/** @param {string} type */
function mimeType(type) {
  try {
    return new util.MIMEType(type)
  } catch {
    return undefined
  }
}
