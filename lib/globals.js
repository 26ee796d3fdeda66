/**
 * `import 'barewire/globals'`: puts our Request, Response, Headers and `fetch` in the place of the
 * platform's, for code that says `new Response()` itself. Import it before such code. Objects of
 * the platform, such as the result of a `fetch`, stay instances of the classes.
 */

import { Headers } from './headers.js'
import { PlatformHeaders, PlatformRequest, PlatformResponse } from './host.js'
import { fetch } from './platform.js'
import { Request } from './request.js'
import { Response } from './response.js'

install('Headers', Headers, PlatformHeaders)
install('Request', Request, PlatformRequest)
install('Response', Response, PlatformResponse)
define('fetch', fetch)

/**
 * @param {string} name
 * @param {Function} Class
 * @param {Function} Platform
 */
function install(name, Class, Platform) {
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
