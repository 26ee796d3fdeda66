/**
 * Files for handlers: one as a body, one as the answer to a request, a directory's as a handler.
 * Ranges, conditions and the way to a file are the engine's business; this room gives it the
 * request's fields and makes a Response of what it says.
 */

import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addon } from '../binding.js'
import { acceptableCodings } from './accept-encoding.js'
import { fieldValue } from './fields.js'
import { FileBody } from './file-body.js'
import { FileReference, opening } from './file-reference.js'
import { blockOf, fieldsStartOf, Headers, headOf, isHeaders } from './headers.js'
import { wrongType } from './options.js'
import { Response, responseOf } from './response.js'
import { readStaticOptions } from './static-options.js'

/** @typedef {import('./request.js').Request} Request */
/** @typedef {import('./headers.js').HeadersInit} HeadersInit */

const CODINGS = /** @type {const} */ (['br', 'zstd', 'gzip'])

/** The fields that decide what of a file a request gets. */
const CONDITIONS = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
]

// What the engine tells of the answer that it found last.
const STATUS = 0
const LENGTH_LOW = 1
const LENGTH_HIGH = 2
const NUMBER_LOW = 3
const NUMBER_HIGH = 4

/** In the word of options that the engine reads. */
const IS_GET = 64

/**
 * A file as a body.
 * @param {string | URL} path
 * @param {{ type?: string }} [options]
 */
export function file(path, { type } = {}) {
  return new FileReference(pathOf(path), type === undefined ? type : fieldValue(type))
}

/**
 * The answer to a request for one file.
 * @param {Request | globalThis.Request} request
 * @param {string | URL} path
 * @param {{ headers?: HeadersInit }} [init]
 * @returns {Response}
 */
export function serveFile(request, path, { headers } = {}) {
  const refused = refusedMethod(request)
  if (refused !== undefined) return refused
  const name = pathOf(path)
  const added = blockOf(new Headers(headers))
  const lines = linesOf(request.headers)
  const isGet = request.method === 'GET'
  const found = opening(name, () => addon().serveFile(name, lines, isGet, added))
  return responseOf(found.status, new FileBody(found.body, found.length, found.block))
}

/**
 * A handler that answers with the files of a directory.
 * @param {string | URL} directory
 * @param {unknown} [options]
 * @returns {(request: Request | globalThis.Request, context?: unknown) => any}
 */
export function serveStatic(directory, options = {}) {
  const { prefix, index, dotfiles, symlinks, precompressed, headers, notFound } =
    readStaticOptions(options)
  const root = resolve(pathOf(directory))
  const { Directory } = addon()
  const config = {
    index: index === false ? undefined : index,
    dotfiles,
    symlinks,
    precompressed,
    added: blockOf(new Headers(headers)),
  }
  const files = opening(root, () => new Directory(root, config))
  const { facts } = files
  return (request, context) => {
    const path = pathnameOf(request.url)
    if (!path.startsWith(prefix)) return notFound(request, context)
    const { headers } = request
    const options =
      (precompressed ? codingsOf(headers) : 0) | (request.method === 'GET' ? IS_GET : 0)
    const name = path.slice(prefix.length)
    const { lines, start } = fieldsOf(headers)
    const found = files.serve(name, lines, start, options)
    if (typeof found === 'number')
      return answerWithout(found, request, path) ?? notFound(request, context)
    const number = facts[NUMBER_LOW] + facts[NUMBER_HIGH] * 2 ** 32
    const body = new FileBody(number, facts[LENGTH_LOW] + facts[LENGTH_HIGH] * 2 ** 32, found)
    const refused = refusedMethod(request)
    if (refused === undefined) return responseOf(facts[STATUS], body)
    body.close()
    return refused
  }
}

/**
 * The answer where no file was found, but for 404.
 * @param {number} status
 * @param {Request | globalThis.Request} request
 * @param {string} path
 */
function answerWithout(status, { url }, path) {
  if (status === 301) return redirect(url, path)
  if (status === 400) return new Response('The path is malformed.\n', { status })
  return undefined
}

/**
 * The answer to a method that files don't have.
 * @param {Request | globalThis.Request} request
 */
function refusedMethod({ method }) {
  if (method === 'GET' || method === 'HEAD') return undefined
  const headers = { allow: 'GET, HEAD' }
  return new Response('Files are read with GET and HEAD.\n', { status: 405, headers })
}

/**
 * A path without empty segments came here, so this can't lead to another host.
 * @param {string} url
 * @param {string} path
 */
function redirect(url, path) {
  const whole = withoutFragment(url)
  const query = whole.indexOf('?')
  const location = `${path}/${query < 0 ? '' : whole.slice(query)}`
  return new Response(null, { status: 301, headers: { location } })
}

/**
 * Fields as lines from a place on, for the engine: as they were sent, where they are still that.
 * @param {globalThis.Headers} headers
 */
function fieldsOf(headers) {
  const lines = isHeaders(headers) ? headOf(headers) : undefined
  if (lines === undefined) return { lines: linesOf(headers), start: 0 }
  return { lines, start: fieldsStartOf(/** @type {Headers} */ (headers)) }
}

/**
 * @param {globalThis.Headers} headers
 */
function linesOf(headers) {
  let lines = ''
  for (const name of CONDITIONS) {
    const value = headers.get(name)
    if (value !== null) lines += `${name}:${value}\r\n`
  }
  return lines
}

/**
 * The codings that the client likes better than none, as the engine reads them: two bits for each.
 * @param {globalThis.Headers} headers
 */
function codingsOf(headers) {
  let word = 0
  let place = 0
  for (const coding of acceptableCodings(headers.get('accept-encoding'), CODINGS)) {
    if (coding === 'identity') break
    word |= (CODINGS.indexOf(coding) + 1) << (2 * place++)
  }
  return word
}

/**
 * The path of an absolute URL in its standard form.
 * @param {string} url
 */
function pathnameOf(url) {
  const whole = withoutFragment(url)
  const start = whole.indexOf('/', whole.indexOf('://') + 3)
  const query = whole.indexOf('?', start)
  return query < 0 ? whole.slice(start) : whole.slice(start, query)
}

/**
 * No client sends a fragment, but a Request that was made by hand may have one.
 * @param {string} url
 */
function withoutFragment(url) {
  const fragment = url.indexOf('#')
  return fragment < 0 ? url : url.slice(0, fragment)
}

/** @param {string | URL} path */
function pathOf(path) {
  if (path instanceof URL) return fileURLToPath(path)
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw wrongType('the path', 'a string that is not empty, or a URL', path)
  }
  return path
}
