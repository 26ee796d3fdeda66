/**
 * What counts as a response, and the answer when a handler gives none. Used by the hot loop and
 * by `server.fetch`; knows neither sockets nor the error hook.
 */
import { BarewireError, CODES, isClientFault } from './errors.js'
import { describe } from './options.js'
import { fromForeignResponse, isResponse, Response } from './response.js'

/**
 * The barewire response that a handler's value is or can be made into.
 * @param {unknown} value
 * @returns {Response}
 */
export function responseFrom(value) {
  if (isResponse(value)) return value
  const response = fromForeignResponse(value)
  if (response !== undefined) return response
  throw new BarewireError(
    CODES.NOT_A_RESPONSE,
    `a handler must return a Response or a promise of one, but it gave ${describe(value)}`,
  )
}

/**
 * The answer to a request whose handler failed. The client's own fault is told to it; any other
 * error's text is for its author, and leaves the server only in development.
 * @param {unknown} error
 * @param {boolean} development
 */
export function errorResponse(error, development) {
  if (isClientFault(error)) return new Response(`${error.message}\n`, { status: error.status })
  const text = development ? textOf(error) : 'Internal Server Error'
  return new Response(`${text}\n`, { status: 500 })
}

/**
 * The process warning by which an error is reported that no error hook took.
 * @param {unknown} error
 * @param {string} where
 */
export function warn(error, where) {
  process.emitWarning(`${where}: ${messageOf(error)}`, {
    type: 'BarewireWarning',
    code: 'BAREWIRE_UNHANDLED_ERROR',
    detail: textOf(error),
  })
}

// Anything can be thrown, and looking at it may throw in its turn.

/** @param {unknown} error */
function messageOf(error) {
  try {
    return `${/** @type {any} */ (error)?.message ?? describe(error)}`
  } catch {
    return describe(error)
  }
}

/** @param {unknown} error */
function textOf(error) {
  try {
    return error instanceof Error ? String(error.stack) : describe(error)
  } catch {
    return describe(error)
  }
}
