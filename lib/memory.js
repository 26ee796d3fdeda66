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
    return await finished(service, request, await service.respond(request, NO_PEER))
  } catch (error) {
    return recover(service, request, error)
  }
}

/**
 * @param {Service} service
 * @param {Request} request
 * @param {unknown} error
 */
async function recover(service, request, error) {
  const { onError, report, development } = service
  let failure = error
  if (onError !== undefined) {
    try {
      const value = await onError(error, request)
      if (value === undefined) return errorResponse(error, development)
      return await finished(service, request, value)
    } catch (second) {
      failure = second
    }
  }
  report(failure, request)
  return errorResponse(failure, development)
}

/**
 * @param {Service} service
 * @param {Request} request
 * @param {unknown} value
 */
function finished({ compress }, request, value) {
  const response = responseFrom(value)
  if (response.bodyUsed || response.body?.locked) {
    throw new TypeError('the response has been used already: make a new one for each request')
  }
  return compress === undefined ? response : compress(request, response)
}
