/**
 * The platform's own Fetch classes, captured before `barewire/globals` can stand in their place,
 * and the way in which ours join their prototype chains. Knows nothing of how ours work.
 */

export const PlatformHeaders = globalThis.Headers
export const PlatformRequest = globalThis.Request
export const PlatformResponse = globalThis.Response
export const platformFetch = globalThis.fetch

/** The key under which `console.log` looks for an object's own rendering. */
export const inspect = Symbol.for('nodejs.util.inspect.custom')

/**
 * Makes instances of `Class` pass `instanceof Platform`, and its members enumerable as Web IDL has
 * them. `Class` has to have every member of the platform's, whose getters throw on our objects.
 * @param {Function} Class
 * @param {Function} Platform
 */
export function inherit(Class, Platform) {
  const { prototype } = Class
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true })
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: Class.name, configurable: true })
  Object.setPrototypeOf(prototype, Platform.prototype)
}
