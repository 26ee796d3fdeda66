/**
 * Reads the options of a server: defaults, types, ranges, and errors that name the option, what
 * was given and what is allowed. Plain data in, plain data out: knows neither the engine nor how
 * a name is resolved or a socket bound.
 */
import { AVAILABLE_CODINGS, CODINGS } from './codings.js'
import { BarewireError, CODES, nearest } from './errors.js'

const KIB = 1024
const MIB = 1024 * 1024
const UINT32 = 2 ** 32 - 1
/** Longest delay of a timer, some 24.8 days; the same bound as `setTimeout` of the platform. */
export const MAX_DELAY = 2 ** 31 - 1

/**
 * @typedef {object} NumberRule
 * @property {number} initial
 * @property {number} min
 * @property {number} max
 * @property {string} unit what the number counts, for the message
 */

/** @type {(initial: number, unit: string, max?: number) => NumberRule} */
export const limit = (initial, unit, max = UINT32) => ({ initial, min: 0, max, unit })

/** @type {(initial: number) => NumberRule} */
const delay = (initial) => limit(initial, 'milliseconds, 0 is off', MAX_DELAY)

/** Limits of the engine by option name. 0 switches one off, but a head needs some limit. */
const LIMITS = {
  maxConnections: limit(65536, 'connections, 0 is off'),
  maxBodySize: limit(10 * MIB, 'bytes, 0 is off'),
  maxHeaderSize: { initial: 16 * KIB, min: 1, max: MIB, unit: 'bytes' },
  maxFields: { initial: 100, min: 1, max: 1000, unit: 'header fields' },
  maxRequestLine: { initial: 8 * KIB, min: 1, max: MIB, unit: 'bytes' },
  maxPending: limit(16384, 'requests, 0 is off'),
  maxBufferedBytes: limit(256 * MIB, 'bytes, 0 is off', Number.MAX_SAFE_INTEGER),
  timeout: delay(30_000),
}

const TIMEOUTS = {
  headers: delay(15_000),
  idle: delay(75_000),
  body: delay(30_000),
  send: delay(30_000),
}

const THRESHOLD = limit(1024, 'bytes')

/** Largest backlog that every platform takes as it is; the kernel lowers it further. */
const BACKLOG = { initial: 8192, min: 1, max: MAX_DELAY, unit: 'connections' }
const PORT = { initial: 3000, min: 0, max: 65535, unit: 'a port, 0 lets the system choose one' }

export const NAMES = [
  ...['port', 'hostname', 'host', 'path', 'reusePort', 'backlog', 'signal'],
  ...['fetch', 'error', 'development', 'compression', 'timeouts'],
  ...Object.keys(LIMITS),
]
export const TIMEOUT_NAMES = Object.keys(TIMEOUTS)
export const COMPRESSION_NAMES = ['codings', 'threshold']

const NO_TLS =
  'TLS is not built in yet; let a proxy in front of the server (nginx, Caddy) end it for now'
const ROUTE_IN_HANDLER = 'route inside the handler, or pass a router such as a Hono app as handler'

/**
 * Options of other servers that people bring along, with what to use here.
 * @type {Record<string, string>}
 */
const FOREIGN = {
  bodyLimit: 'use maxBodySize, in bytes',
  ca: NO_TLS,
  cert: NO_TLS,
  compress: 'use compression: true',
  connectionTimeout: 'use timeouts.headers, timeouts.body and timeouts.send, in milliseconds',
  handler: 'use fetch',
  headersTimeout: 'use timeouts.headers, in milliseconds',
  https: NO_TLS,
  idleTimeout: 'use timeouts.idle, in milliseconds (Bun counts seconds)',
  keepAliveTimeout: 'use timeouts.idle, in milliseconds',
  key: NO_TLS,
  maxHeadersCount: 'use maxFields',
  maxRequestBodySize: 'use maxBodySize, in bytes',
  middleware: 'compose it in the handler, or pass a framework such as a Hono app as handler',
  onError: 'use error: (error, request) => Response',
  onListen: 'serve() has bound when it returns: read the url of its result, or await listen()',
  requestTimeout: 'use timeouts.headers and timeouts.body, in milliseconds',
  routes: ROUTE_IN_HANDLER,
  secureContext: NO_TLS,
  static: ROUTE_IN_HANDLER,
  tls: NO_TLS,
  unix: 'use path',
  websocket: 'WebSocket is not built in yet',
}

/** @typedef {import('./codings.js').Coding} Coding */

/**
 * @typedef {object} Settings
 * @property {number} port
 * @property {string} hostname an IP literal without brackets, or a name
 * @property {string | undefined} path unix socket, instead of port and hostname
 * @property {boolean} reusePort
 * @property {number} backlog
 * @property {AbortSignal | undefined} signal
 * @property {Function | undefined} fetch
 * @property {Function | undefined} error
 * @property {boolean} development
 * @property {Function | undefined} maxBodySize where it is a matter of the request
 * @property {false | { codings: readonly Coding[], threshold: number }} compression
 * @property {import('./engine.js').NativeConfig} native
 */

/**
 * Options as the server uses them.
 * @param {unknown} given a plain object
 * @returns {Settings}
 */
export function readOptions(given) {
  if (!isPlain(given)) throw wrongType('options', 'a plain object', given)
  checkNames(given, NAMES, '')
  return {
    ...readAddress(given),
    reusePort: flag(given, 'reusePort'),
    backlog: number(given, 'backlog', BACKLOG),
    signal: signal(given),
    fetch: callable(given, 'fetch'),
    error: callable(given, 'error'),
    development: flag(given, 'development'),
    maxBodySize: typeof given.maxBodySize === 'function' ? given.maxBodySize : undefined,
    compression: readCompression(given.compression),
    native: readLimits(given),
  }
}

/**
 * The options of something else than a server, all of them numbers.
 * @template {string} Name
 * @param {unknown} given a plain object
 * @param {Record<Name, NumberRule>} rules
 * @returns {Record<Name, number>}
 */
export function readNumbers(given, rules) {
  if (!isPlain(given)) throw wrongType('options', 'a plain object', given)
  const names = /** @type {Name[]} */ (Object.keys(rules))
  checkNames(given, names, '')
  const values = names.map((name) => [name, number(given, name, rules[name])])
  return Object.fromEntries(values)
}

/**
 * A delay that is not an option of `serve` but an argument.
 * @param {unknown} value
 * @param {string} name how the message calls it
 */
export function readDelay(value, name) {
  return check(value, name, delay(0))
}

/**
 * A size in bytes that is not an option but what a function of one gave.
 * @param {unknown} value
 * @param {string} name how the message calls it
 */
export function readSize(value, name) {
  return check(value, name, limit(0, 'bytes, 0 is off', Number.MAX_SAFE_INTEGER))
}

/**
 * Whether a value is an object literal's kind of object, whatever realm it is from. A module
 * namespace has no prototype either, but it is no set of options.
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isPlain(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false
  return /** @type {any} */ (value)[Symbol.toStringTag] !== 'Module'
}

/** @param {Record<string, unknown>} given */
function readAddress(given) {
  const path = text(given, 'path')
  if (given.host !== undefined && given.hostname !== undefined) {
    throw new BarewireError(CODES.OPTION, 'host is an alias of hostname: give only one of them')
  }
  const hostname = text(given, given.host === undefined ? 'hostname' : 'host') ?? '0.0.0.0'
  if (path !== undefined) {
    const other = ['port', 'hostname', 'host'].find((name) => given[name] !== undefined)
    if (other !== undefined) {
      throw new BarewireError(
        CODES.OPTION,
        `path listens on a unix socket and ${other} on a network address: give only one of them`,
      )
    }
    return { path, port: 0, hostname }
  }
  return { path, port: readPort(given.port), hostname: hostname.replace(/^\[(.*)\]$/, '$1') }
}

/**
 * The port that was given, else the one of the environment's PORT, else 3000. Decimal text is
 * taken as well, because `process.env` holds nothing else.
 * @param {unknown} value
 */
function readPort(value) {
  if (value !== undefined) return check(decimal(value), 'port', PORT)
  const { PORT: text } = process.env
  return text ? check(decimal(text), 'the environment variable PORT', PORT) : PORT.initial
}

/** @param {unknown} value */
function decimal(value) {
  return typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
}

/**
 * @param {Record<string, unknown>} given
 * @returns {import('./engine.js').NativeConfig}
 */
function readLimits(given) {
  const timeouts = given.timeouts ?? {}
  if (!isPlain(timeouts)) throw wrongType('timeouts', 'a plain object', timeouts)
  checkNames(timeouts, TIMEOUT_NAMES, 'timeouts.')
  return {
    maxConnections: number(given, 'maxConnections', LIMITS.maxConnections),
    maxBodySize:
      typeof given.maxBodySize === 'function'
        ? LIMITS.maxBodySize.initial
        : number(given, 'maxBodySize', LIMITS.maxBodySize),
    maxHeaderSize: number(given, 'maxHeaderSize', LIMITS.maxHeaderSize),
    maxFields: number(given, 'maxFields', LIMITS.maxFields),
    maxRequestLine: number(given, 'maxRequestLine', LIMITS.maxRequestLine),
    maxPending: number(given, 'maxPending', LIMITS.maxPending),
    maxBufferedBytes: number(given, 'maxBufferedBytes', LIMITS.maxBufferedBytes),
    timeout: number(given, 'timeout', LIMITS.timeout),
    headersTimeout: number(timeouts, 'headers', TIMEOUTS.headers, 'timeouts.'),
    idleTimeout: number(timeouts, 'idle', TIMEOUTS.idle, 'timeouts.'),
    bodyTimeout: number(timeouts, 'body', TIMEOUTS.body, 'timeouts.'),
    sendTimeout: number(timeouts, 'send', TIMEOUTS.send, 'timeouts.'),
  }
}

/**
 * @param {unknown} value
 * @returns {Settings['compression']}
 */
function readCompression(value) {
  if (value === undefined || value === false) return false
  const given = value === true ? {} : value
  if (!isPlain(given)) throw wrongType('compression', 'true, false or a plain object', given)
  checkNames(given, COMPRESSION_NAMES, 'compression.')
  return {
    codings: given.codings === undefined ? AVAILABLE_CODINGS : readCodings(given.codings),
    threshold: number(given, 'threshold', THRESHOLD, 'compression.'),
  }
}

/** @param {unknown} value */
function readCodings(value) {
  const allowed = `an array of one or more of ${CODINGS.join(', ')}, each once`
  if (!Array.isArray(value) || value.length === 0) {
    throw wrongType('compression.codings', allowed, value)
  }
  const codings = /** @type {Coding[]} */ ([...value])
  for (const [index, coding] of codings.entries()) {
    if (!CODINGS.includes(coding) || codings.indexOf(coding) < index) {
      throw wrongType('compression.codings', allowed, coding)
    }
    if (!AVAILABLE_CODINGS.includes(coding)) {
      throw new BarewireError(
        CODES.OPTION,
        `compression.codings names ${coding}, which Node.js ${process.version} does not have`,
      )
    }
  }
  return codings
}

/**
 * @param {Record<string, unknown>} given
 * @param {string[]} names
 * @param {string} prefix
 */
export function checkNames(given, names, prefix) {
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue
    const meant = nearest(name, names)
    let advice = `the options are ${names.join(', ')}`
    if (names === NAMES && Object.hasOwn(FOREIGN, name)) advice = FOREIGN[name]
    else if (meant !== undefined) advice = `did you mean ${prefix}${meant}?`
    throw new BarewireError(CODES.UNKNOWN_OPTION, `unknown option ${prefix}${name}: ${advice}`)
  }
}

/**
 * @param {Record<string, unknown>} given
 * @param {string} name
 * @param {NumberRule} rule
 * @param {string} [prefix]
 */
function number(given, name, rule, prefix = '') {
  const value = given[name]
  return value === undefined ? rule.initial : check(value, prefix + name, rule)
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {NumberRule} rule
 */
function check(value, name, { min, max, unit }) {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
    return value
  }
  throw wrongType(name, `an integer from ${min} to ${max} (${unit})`, value)
}

/**
 * @param {Record<string, unknown>} given
 * @param {string} name
 */
export function flag(given, name) {
  const value = given[name]
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false', value)
  return value
}

/**
 * @param {Record<string, unknown>} given
 * @param {string} name
 */
export function text(given, name) {
  const value = given[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    throw wrongType(name, 'a string that is not empty', value)
  }
  return value
}

/**
 * @param {Record<string, unknown>} given
 * @param {string} name
 */
export function callable(given, name) {
  const value = given[name]
  if (value !== undefined && typeof value !== 'function') {
    throw wrongType(name, 'a function', value)
  }
  return value
}

/** @param {Record<string, unknown>} given */
function signal(given) {
  const value = /** @type {any} */ (given.signal)
  if (value === undefined) return undefined
  if (typeof value?.aborted !== 'boolean' || typeof value.addEventListener !== 'function') {
    throw wrongType('signal', 'an AbortSignal', value)
  }
  return /** @type {AbortSignal} */ (value)
}

/**
 * @param {string} name
 * @param {string} allowed
 * @param {unknown} value
 */
export function wrongType(name, allowed, value) {
  return new BarewireError(
    CODES.OPTION,
    `${name} must be ${allowed}, but ${describe(value)} was given`,
  )
}

/**
 * A value in a few words, for messages. Never throws, whatever the value does.
 * @param {unknown} value
 */
export function describe(value) {
  try {
    return inWords(value)
  } catch {
    return 'a value that cannot be looked at'
  }
}

/** @param {unknown} value */
function inWords(value) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return 'an array'
  const name = value.constructor?.name
  return name && name !== 'Object' ? `an instance of ${name}` : 'an object'
}
