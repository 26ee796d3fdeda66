/**
 * From our objects to the platform's: for `fetch` and for libraries that look into the platform's
 * private fields. Knows nothing of servers.
 */

import { FileBody } from './file-body.js'
import { ForeignBody } from './foreign-body.js'
import { PlatformRequest, PlatformResponse, platformFetch } from './host.js'
import { isRequest, Request, bodyOf as requestBody } from './request.js'
import { isResponse, Response, bodyOf as responseBody } from './response.js'
import { Upload } from './upload.js'

/**
 * The platform's object with the same members and the same body, which ours has lost then. The
 * platform's own objects are returned as they are.
 * @template {Request | Response | globalThis.Request | globalThis.Response} T
 * @param {T} value
 * @returns {T extends Request | globalThis.Request ? globalThis.Request : globalThis.Response}
 * @throws {TypeError} when the body was read already
 */
export function toPlatform(value) {
  return /** @type {any} */ (
    isRequest(value)
      ? platformRequest(value)
      : isResponse(value)
        ? platformResponse(value)
        : platformObject(value)
  )
}

/**
 * The platform's `fetch`, for requests of both kinds.
 * @param {string | URL | Request | globalThis.Request} input
 * @param {RequestInit} [init]
 * @returns {Promise<globalThis.Response>}
 */
export async function fetch(input, init) {
  return platformFetch(isRequest(input) ? platformRequest(input) : input, init)
}

/** @param {Request} request */
function platformRequest(request) {
  const { method, headers, signal, cache, credentials, integrity, keepalive, mode } = request
  const { redirect, referrer, referrerPolicy } = request
  /** @type {any} */
  const init = {
    method,
    headers: [...headers],
    signal,
    cache,
    credentials,
    integrity,
    keepalive,
    mode,
    redirect,
    referrer,
    referrerPolicy,
  }
  const body = platformBody(requestBody(request))
  if (body !== null) {
    init.body = body
    init.duplex = 'half'
  }
  return new PlatformRequest(request.url, init)
}

/** @param {Response} response */
function platformResponse(response) {
  if (response.type === 'error') return PlatformResponse.error()
  const { status, statusText, headers } = response
  return new PlatformResponse(platformBody(responseBody(response)), {
    status,
    statusText,
    headers: [...headers],
  })
}

/**
 * @param {import('./body.js').Body} body
 * @returns {string | Uint8Array<ArrayBuffer> | ReadableStream | null}
 */
function platformBody(body) {
  const source = body.take()
  if (source instanceof FileBody || source instanceof ForeignBody || source instanceof Upload) {
    return source.stream()
  }
  if (source === null || typeof source === 'string' || source instanceof ReadableStream) {
    return source
  }
  return /** @type {Uint8Array<ArrayBuffer>} */ (
    source instanceof Uint8Array ? source : source.bytes()
  )
}

/** @param {unknown} value */
function platformObject(value) {
  if (value instanceof PlatformRequest || value instanceof PlatformResponse) return value
  throw new TypeError('toPlatform takes a Request or a Response')
}
