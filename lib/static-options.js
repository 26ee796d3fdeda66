/**
 * Reads the options of `serveStatic`. Plain data in, plain data out.
 */

import { callable, checkNames, flag, isPlain, text, wrongType } from './options.js'
import { Response } from './response.js'

export const NAMES = [
  'prefix',
  'index',
  'dotfiles',
  'symlinks',
  'precompressed',
  'headers',
  'notFound',
]
const SYMLINKS = ['inside', 'never', 'anywhere']

/**
 * @typedef {object} StaticSettings
 * @property {string} prefix without a slash at its end
 * @property {string | false} index
 * @property {boolean} dotfiles
 * @property {string} symlinks
 * @property {boolean} precompressed
 * @property {import('./headers.js').HeadersInit | undefined} headers
 * @property {Function} notFound
 */

/**
 * @param {unknown} given
 * @returns {StaticSettings}
 */
export function readStaticOptions(given) {
  if (!isPlain(given)) throw wrongType('the options of serveStatic', 'a plain object', given)
  checkNames(given, NAMES, '')
  return {
    prefix: readPrefix(given),
    index: given.index === false ? false : readIndex(given),
    dotfiles: flag(given, 'dotfiles'),
    symlinks: readSymlinks(given.symlinks),
    precompressed: flag(given, 'precompressed'),
    headers: /** @type {import('./headers.js').HeadersInit | undefined} */ (given.headers),
    notFound: callable(given, 'notFound') ?? notFound,
  }
}

/** @param {Record<string, unknown>} given */
function readPrefix(given) {
  const prefix = text(given, 'prefix') ?? '/'
  if (!prefix.startsWith('/') || /[?#]/.test(prefix)) {
    throw wrongType('prefix', 'a path that begins with /', prefix)
  }
  // In the form that the paths of requests have: with dots resolved, and what isn't ASCII encoded.
  return new URL(`http://host${prefix}`).pathname.replace(/\/+$/, '')
}

/** @param {Record<string, unknown>} given */
function readIndex(given) {
  const index = text(given, 'index') ?? 'index.html'
  if (index.includes('/')) throw wrongType('index', 'the name of a file, or false', index)
  return index
}

/** @param {unknown} value */
function readSymlinks(value = 'inside') {
  if (typeof value === 'string' && SYMLINKS.includes(value)) return value
  throw wrongType('symlinks', `one of ${SYMLINKS.join(', ')}`, value)
}

function notFound() {
  return new Response('Not Found\n', { status: 404 })
}
