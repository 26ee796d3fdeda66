/**
 * Checks and converts what `new Request(input, init)` is given: the members of a RequestInit that
 * are no body and no headers. Knows nothing of the Request class.
 */

/**
 * What a Request says of how it wants to be fetched. A server has no use for it, but the platform
 * reads it where one of our requests is handed on.
 * @typedef {object} Settings
 * @property {globalThis.Request['cache']} cache
 * @property {globalThis.Request['credentials']} credentials
 * @property {string} integrity
 * @property {boolean} keepalive
 * @property {globalThis.Request['mode']} mode
 * @property {globalThis.Request['redirect']} redirect
 * @property {string} referrer
 * @property {globalThis.Request['referrerPolicy']} referrerPolicy
 */

/** What is the same in every Request that was not made by a browser. */
const CONSTANTS = Object.freeze({
  destination: /** @type {const} */ (''),
  duplex: /** @type {const} */ ('half'),
  isHistoryNavigation: false,
  isReloadNavigation: false,
})

/** @type {Readonly<Settings & typeof CONSTANTS>} */
export const DEFAULT_SETTINGS = Object.freeze({
  ...CONSTANTS,
  cache: 'default',
  credentials: 'same-origin',
  integrity: '',
  keepalive: false,
  mode: 'cors',
  redirect: 'follow',
  referrer: 'about:client',
  referrerPolicy: '',
})

/** The values of each enumeration of the standard. */
const ENUMERATIONS = Object.freeze({
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
  credentials: ['omit', 'same-origin', 'include'],
  duplex: ['half'],
  mode: ['navigate', 'same-origin', 'no-cors', 'cors'],
  priority: ['high', 'low', 'auto'],
  redirect: ['follow', 'error', 'manual'],
  referrerPolicy: [
    '',
    'no-referrer',
    'no-referrer-when-downgrade',
    'same-origin',
    'origin',
    'strict-origin',
    'origin-when-cross-origin',
    'strict-origin-when-cross-origin',
    'unsafe-url',
  ],
})

const MEMBERS = [
  ...['method', 'headers', 'body', 'integrity', 'keepalive', 'referrer', 'signal', 'window'],
  ...Object.keys(ENUMERATIONS),
]

const NORMALISED_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK']
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * @param {unknown} init
 * @returns {Record<string, unknown>}
 */
export function toDictionary(init) {
  if (init === undefined || init === null) return {}
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError('the second argument of a Request has to be an object')
  }
  return /** @type {Record<string, unknown>} */ (init)
}

/**
 * The settings of `base`, changed by what `init` has.
 * @param {Readonly<Settings>} base
 * @param {Record<string, unknown>} init
 * @returns {Readonly<Settings & typeof CONSTANTS>}
 */
export function mergeSettings(base, init) {
  if (init.window !== undefined && init.window !== null) {
    throw new TypeError('the window of a Request can only be null')
  }
  member(init, 'duplex', undefined)
  member(init, 'priority', undefined)
  // A request that is changed is a new one, which came from nowhere yet.
  const { referrer, referrerPolicy } = isEmpty(init) ? base : DEFAULT_SETTINGS
  const settings = {
    ...CONSTANTS,
    cache: member(init, 'cache', base.cache),
    credentials: member(init, 'credentials', base.credentials),
    integrity: init.integrity === undefined ? base.integrity : `${init.integrity}`,
    keepalive: init.keepalive === undefined ? base.keepalive : Boolean(init.keepalive),
    mode: member(init, 'mode', base.mode),
    redirect: member(init, 'redirect', base.redirect),
    referrer: init.referrer === undefined ? referrer : toReferrer(`${init.referrer}`),
    referrerPolicy: member(init, 'referrerPolicy', referrerPolicy),
  }
  if (init.mode !== undefined && settings.mode === 'navigate') {
    throw new TypeError('the mode of a Request cannot be navigate')
  }
  if (settings.cache === 'only-if-cached' && settings.mode !== 'same-origin') {
    throw new TypeError('the cache mode only-if-cached needs the mode same-origin')
  }
  return settings
}

/** @param {Record<string, unknown>} init */
function isEmpty(init) {
  return MEMBERS.every((name) => init[name] === undefined)
}

/**
 * The method, in upper case where the standard says so.
 * @param {unknown} method
 * @returns {string}
 */
export function toMethod(method) {
  const text = `${method}`
  const upper = text.toUpperCase()
  if (!TOKEN.test(text) || FORBIDDEN_METHODS.includes(upper)) {
    throw new TypeError(`${JSON.stringify(text)} is not a method that a Request can have`)
  }
  return NORMALISED_METHODS.includes(upper) ? upper : text
}

/**
 * @param {unknown} input
 * @returns {string}
 */
export function toUrl(input) {
  const text = `${input}`
  if (!URL.canParse(text)) throw new TypeError(`${JSON.stringify(text)} is not an absolute URL`)
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('the URL of a Request cannot include credentials')
  }
  return url.href
}

/**
 * @param {unknown} signal
 * @returns {AbortSignal | null}
 */
export function toSignal(signal) {
  if (signal === null || signal instanceof AbortSignal) return signal
  throw new TypeError('the signal of a Request has to be an AbortSignal')
}

/**
 * @template {string | undefined} T
 * @param {Record<string, unknown>} init
 * @param {keyof typeof ENUMERATIONS} name
 * @param {T} fallback
 * @returns {T}
 */
function member(init, name, fallback) {
  const given = init[name]
  if (given === undefined) return fallback
  const value = `${given}`
  if (ENUMERATIONS[name].includes(value)) return /** @type {T} */ (value)
  throw new TypeError(`${JSON.stringify(value)} is not a ${name} that a Request can have`)
}

/**
 * @param {string} referrer
 * @returns {string} '' for none
 */
function toReferrer(referrer) {
  if (referrer === '') return ''
  if (!URL.canParse(referrer)) {
    throw new TypeError(`the referrer ${JSON.stringify(referrer)} is not an absolute URL`)
  }
  const { protocol, pathname, href } = new URL(referrer)
  return protocol === 'about:' && pathname === 'client' ? 'about:client' : href
}
