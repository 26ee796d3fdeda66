/**
 * Answers a request without a socket: the handler and the error hook run as they do for a client,
 * limits and stats have no part. For tests, and for servers that ask themselves.
 */
import { AsyncResource } from 'node:async_hooks'
import { errorResponse, responseFrom } from './fallback.js'
import { NO_PEER } from './peer.js'
import { Request } from './request.js'

/** @typedef {import('./dispatch.js').Service} Service */

/**
 * @param {Service} service
 * @param {string} base what a relative URL starts from
 * @param {any} input a Request, a URL or text of one
 * @param {any} [init]
 */
export async function fetchInMemory(service, base, input, init) {
  const isUrl = typeof input === 'string' || input instanceof URL
  const request =
    input instanceof Request && init === undefined
      ? input
      : new Request(isUrl ? new URL(input, base).href : input, init)
  return new AsyncResource('BarewireRequest').runInAsyncScope(answer, undefined, service, request)
}

/**
 * @param {Service} service
 * @param {Request} request
 */
async function answer(service, request) {
  try {
    return unused(await service.respond(request, NO_PEER))
  } catch (error) {
    return recover(service, request, error)
  }
}

/**
 * @param {Service} service
 * @param {Request} request
 * @param {unknown} error
 */
async function recover({ onError, report, development }, request, error) {
  let failure = error
  if (onError !== undefined) {
    try {
      const value = await onError(error, request)
      return value === undefined ? errorResponse(error, development) : unused(value)
    } catch (second) {
      failure = second
    }
  }
  report(failure, request)
  return errorResponse(failure, development)
}

/** @param {unknown} value */
function unused(value) {
  const response = responseFrom(value)
  if (!response.bodyUsed && !response.body?.locked) return response
  throw new TypeError('the response has been used already: make a new one for each request')
}
