/**
 * Where a server listens: IP literals and `localhost` bind at once, other names after a look-up,
 * a path as a unix socket. Failures get the shape that Node's own have. Knows the engine only as
 * something that listens.
 */
import { isIPv4 } from 'node:net'
import { BarewireError, CODES } from './errors.js'
import { systemError } from './system-error.js'

/** How often another port is tried when the system's choice is taken in the other family. */
const LOCALHOST_TRIES = 10

/** @typedef {import('./dispatch.js').Dispatcher} Dispatcher */
/** @typedef {import('./options.js').Settings} Settings */
/** @typedef {{ dispatcher: Dispatcher, port: number }} Bound */

/**
 * Binds at once, or throws: a name other than localhost needs a look-up, which takes time.
 * @param {() => Dispatcher} open makes a fresh engine; one that has failed to bind is not reused
 * @param {Settings} settings
 * @returns {Bound}
 */
export function bind(open, settings) {
  const { hostname, path } = settings
  if (path !== undefined) return bindPath(open, path, settings)
  if (isLocalhost(hostname)) return bindLocalhost(open, settings)
  if (isAddress(hostname)) return bindAddresses(open, [hostname], settings.port, settings)
  throw new BarewireError(
    CODES.HOSTNAME,
    `serve() binds at once and cannot look up the hostname ${JSON.stringify(hostname)}: ` +
      'use an IP address or localhost, or await new Server(options).listen()',
  )
}

/**
 * The same with names: the first address that can be bound is taken.
 * @param {() => Dispatcher} open
 * @param {Settings} settings
 * @returns {Promise<Bound>}
 */
export async function bindByName(open, settings) {
  const { hostname, path, port } = settings
  if (path !== undefined || isLocalhost(hostname) || isAddress(hostname)) {
    return bind(open, settings)
  }
  const { lookup } = await import('node:dns/promises')
  let failure
  for (const { address } of await lookup(hostname, { all: true, verbatim: true })) {
    try {
      return bindAddresses(open, [address], port, settings)
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

/**
 * No name has a colon, so what isn't right with an IPv6 literal is for the engine to say. Node's own
 * check compiles a pattern for it, for longer than all the rest of the start takes to listen.
 * @param {string} hostname
 */
function isAddress(hostname) {
  return hostname.includes(':') || isIPv4(hostname)
}

/** @param {string} hostname */
function isLocalhost(hostname) {
  return hostname.toLowerCase() === 'localhost'
}

/**
 * Both loopback addresses on one port. A system without IPv6 gets the first alone.
 * @param {() => Dispatcher} open
 * @param {Settings} settings
 */
function bindLocalhost(open, settings) {
  for (let tries = 1; ; tries++) {
    try {
      return bindAddresses(open, ['127.0.0.1', '::1'], settings.port, settings)
    } catch (error) {
      const { code } = /** @type {ListenError} */ (error)
      const mayTryAgain = settings.port === 0 && code === 'EADDRINUSE'
      if (!mayTryAgain || tries === LOCALHOST_TRIES) throw error
    }
  }
}

/**
 * @param {() => Dispatcher} open
 * @param {string[]} addresses on one port; the first has to be there, the system may lack others
 * @param {number} port
 * @param {Settings} settings
 * @returns {Bound}
 */
function bindAddresses(open, [first, ...others], port, { reusePort, backlog }) {
  const dispatcher = open()
  const listen = (/** @type {string} */ address, /** @type {number} */ wanted) => {
    try {
      return dispatcher.engine.listen(address, wanted, reusePort, backlog)
    } catch (error) {
      throw listenError(error, address, wanted)
    }
  }
  try {
    const bound = listen(first, port)
    for (const address of others) unlessUnavailable(() => listen(address, bound))
    return { dispatcher, port: bound }
  } catch (error) {
    dispatcher.engine.close(0)
    throw error
  }
}

/** @param {() => void} listen */
function unlessUnavailable(listen) {
  try {
    listen()
  } catch (error) {
    const { code } = /** @type {ListenError} */ (error)
    if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') throw error
  }
}

/**
 * @param {() => Dispatcher} open
 * @param {string} path
 * @param {Settings} settings
 * @returns {Bound}
 */
function bindPath(open, path, { backlog }) {
  const dispatcher = open()
  try {
    dispatcher.engine.listenUnix(path, backlog)
  } catch (error) {
    dispatcher.engine.close(0)
    throw listenError(error, path, -1)
  }
  return { dispatcher, port: 0 }
}

/**
 * @typedef {import('./system-error.js').SystemError & { address: string, port: number }} ListenError
 */

/**
 * The error that `net.Server` gives for the same failure; -1 stands for no port there, too.
 * @param {any} error of the engine, with the system's code
 * @param {string} address
 * @param {number} port
 */
function listenError(error, address, port) {
  const where = port === -1 ? address : `${address}:${port}`
  const say = (/** @type {string} */ text) => `listen ${error.code}: ${text} ${where}`
  return systemError(error, say, { syscall: 'listen', address, port })
}
