/**
 * `import 'barewire/globals'`: puts our Request, Response, Headers and `fetch` in the place of the
 * platform's, for code that says `new Response()` itself. Import it before such code. Objects of
 * the platform, such as the result of a `fetch`, stay instances of the classes.
 */

import { fetch, Headers, Request, Response } from './index.js'

install('Headers', Headers)
install('Request', Request)
install('Response', Response)
define('fetch', fetch)

/**
 * @param {string} name
 * @param {Function} Class
 */
function install(name, Class) {
  const Platform = Object.getPrototypeOf(Class.prototype).constructor
  Object.defineProperty(Class, Symbol.hasInstance, {
    // Ours are instances of the platform's class by their prototype chain. A subclass inherits
    // this function and has only its own instances.
    value(/** @type {unknown} */ value) {
      return Function.prototype[Symbol.hasInstance].call(this === Class ? Platform : this, value)
    },
    writable: true,
    configurable: true,
  })
  define(name, Class)
}

/**
 * @param {string} name
 * @param {Function} value
 */
function define(name, value) {
  Object.defineProperty(globalThis, name, {
    value,
    writable: true,
    enumerable: name === 'fetch',
    configurable: true,
  })
}
