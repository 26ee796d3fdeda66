/**
 * The shapes in which options and handlers are given, brought into one. Says what a handler is
 * and how it is called; knows nothing of servers.
 */
import { BarewireError, CODES } from './errors.js'
import { describe, isPlain, readOptions } from './options.js'

/** @typedef {import('./request.js').Request} Request */
/** @typedef {import('./event.js').Context} Context */
/** @typedef {(request: Request, context: Context) => unknown} Call */

/**
 * Options and handler of a call of `serve`. An argument too many is an error, not ignored.
 * @param {unknown} first
 * @param {unknown} handler
 * @param {unknown} options
 * @returns {[options: object, handler: unknown]}
 */
export function readArguments(first, handler, options) {
  if (typeof first === 'number' || typeof first === 'string') {
    return withPort(first, handler, options ?? {})
  }
  if (handler !== undefined || options !== undefined) {
    throw new BarewireError(
      CODES.HANDLER,
      'serve() takes (handler), (port, handler, options) or one object of options with fetch',
    )
  }
  return isPlain(first) ? withFetch(first) : [{}, first]
}

/**
 * @param {number | string} port
 * @param {unknown} handler a plain object in its place is more options, as in `export default`
 * @param {unknown} options
 * @returns {[options: object, handler: unknown]}
 */
function withPort(port, handler, options) {
  if (!isPlain(options)) return [readOptions(options), handler]
  if (!isPlain(handler)) return [{ ...options, port: portOnce(port, options) }, handler]
  return withFetch({ ...options, ...handler, port: portOnce(port, options, handler) })
}

/**
 * @param {Record<string, unknown>} options
 * @returns {[options: object, handler: unknown]}
 */
function withFetch(options) {
  readOptions(options)
  if (options.fetch !== undefined) return [options, options.fetch]
  throw new BarewireError(
    CODES.HANDLER,
    'serve() needs a handler: serve(port, handler) or serve({ fetch, ...options })',
  )
}

/**
 * @param {number | string} port
 * @param {...Record<string, unknown>} options
 */
function portOnce(port, ...options) {
  if (options.every((given) => given.port === undefined)) return port
  throw new BarewireError(CODES.OPTION, 'port is given twice: as an argument and as an option')
}

/**
 * A handler as one function. An object is called as its method and finds the context in the third
 * place too, where frameworks look for it.
 * @param {any} handler
 * @returns {Call}
 */
export function callOf(handler) {
  if (typeof handler === 'function') return (request, context) => handler(request, context)
  if (typeof handler === 'object' && typeof handler?.fetch === 'function') {
    return (request, context) => handler.fetch(request, context, context)
  }
  throw new BarewireError(
    CODES.HANDLER,
    `a handler is a function or an object with a fetch method, but ${describe(handler)} was given`,
  )
}
