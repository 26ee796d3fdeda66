/**
 * The Headers class of the Fetch standard over a flat list of fields, which is cut from a request's
 * head when it is first needed. Names are kept and sent in lower case. Knows nothing of requests
 * and responses.
 */

// biome-ignore-all lint/complexity/noArguments: Web IDL counts arguments, also undefined ones

import {
  blockFromList,
  combine,
  fieldName,
  fieldValue,
  listFromBlock,
  listFromInit,
} from './fields.js'
import { combinedValue, cutFields, findField } from './head.js'
import { inherit, inspect, PlatformHeaders } from './host.js'
import { PairIterator } from './pair-iterator.js'

/** @typedef {Headers | RequestInit['headers'] | Iterable<readonly [string, string]>} HeadersInit */

// Filled in by the static block below, which alone can see the private fields.

/**
 * The headers of an incoming request; nothing is cut before it is asked for. They can be changed,
 * as some frameworks do; the head stays as it was sent.
 * @type {(head: string, fieldsStart: number) => Headers}
 */
export let headersFromHead

/** @type {(block: string, immutable: boolean) => Headers} */
export let headersFromBlock

/**
 * A copy that is immutable when the original is.
 * @type {(headers: Headers) => Headers}
 */
export let cloneHeaders

/** @type {(value: unknown) => value is Headers} */
export let isHeaders

/**
 * The header block for the engine, `name\0value\0…`.
 * @type {(headers: Headers) => string}
 */
export let blockOf

/**
 * The head of which they are the fields, where they are still as they were sent; undefined for
 * others.
 * @type {(headers: Headers) => string | undefined}
 */
export let headOf

/**
 * Where in that head the fields begin.
 * @type {(headers: Headers) => number}
 */
export let fieldsStartOf

export class Headers {
  /**
   * `[name, value, name, value…]`; null until it is cut from the head.
   * @type {string[] | null}
   */
  #list = null
  /** The head of an incoming request, or '' for headers that were made in JavaScript. */
  #head = ''
  #fieldsStart = 0
  #immutable = false
  /**
   * The sorted and combined pairs that iteration sees; null after a change.
   * @type {Array<[string, string]> | null}
   */
  #pairs = null

  /** @param {HeadersInit} [init] */
  constructor(init = undefined) {
    if (init === undefined) return
    if (isHeaders(init)) {
      this.#head = init.#head
      this.#fieldsStart = init.#fieldsStart
      this.#list = init.#list?.slice() ?? null
    } else {
      this.#list = listFromInit(init)
    }
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  append(name, value) {
    requireArguments(arguments.length, 2)
    const key = fieldName(name)
    const text = fieldValue(value)
    this.#edit().push(key, text)
  }

  /** @param {string} name */
  delete(name) {
    requireArguments(arguments.length, 1)
    const key = fieldName(name)
    const list = this.#edit()
    for (let index = list.length - 2; index >= 0; index -= 2) {
      if (list[index] === key) list.splice(index, 2)
    }
  }

  /**
   * @param {string} name
   * @returns {string | null}
   */
  get(name) {
    requireArguments(arguments.length, 1)
    const key = fieldName(name)
    if (this.#list === null) return combinedValue(this.#head, this.#fieldsStart, key)
    let combined = null
    const list = this.#list
    for (let index = 0; index < list.length; index += 2) {
      if (list[index] === key) combined = combine(key, combined, list[index + 1])
    }
    return combined
  }

  /** @returns {string[]} */
  getSetCookie() {
    const cookies = []
    const list = this.#fields()
    for (let index = 0; index < list.length; index += 2) {
      if (list[index] === 'set-cookie') cookies.push(list[index + 1])
    }
    return cookies
  }

  /**
   * @param {string} name
   * @returns {boolean}
   */
  has(name) {
    requireArguments(arguments.length, 1)
    const key = fieldName(name)
    if (this.#list === null) return findField(this.#head, this.#fieldsStart, key) >= 0
    return indexOfName(this.#list, key) >= 0
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  set(name, value) {
    requireArguments(arguments.length, 2)
    const key = fieldName(name)
    const text = fieldValue(value)
    const list = this.#edit()
    const first = indexOfName(list, key)
    if (first < 0) {
      list.push(key, text)
      return
    }
    list[first + 1] = text
    for (let index = list.length - 2; index > first; index -= 2) {
      if (list[index] === key) list.splice(index, 2)
    }
  }

  /**
   * @param {(value: string, name: string, headers: Headers) => void} callback
   * @param {unknown} [thisArgument]
   */
  forEach(callback, thisArgument = undefined) {
    this.#sorted()
    if (typeof callback !== 'function') throw new TypeError('forEach needs a function')
    for (let index = 0; index < this.#sorted().length; index++) {
      const [name, value] = this.#sorted()[index]
      callback.call(thisArgument, value, name, this)
    }
  }

  /** @returns {IterableIterator<[string, string]>} */
  entries() {
    this.#sorted()
    return new PairIterator(
      () => this.#sorted(),
      (name, value) => [name, value],
    )
  }

  /** @returns {IterableIterator<string>} */
  keys() {
    this.#sorted()
    return new PairIterator(
      () => this.#sorted(),
      (name) => name,
    )
  }

  /** @returns {IterableIterator<string>} */
  values() {
    this.#sorted()
    return new PairIterator(
      () => this.#sorted(),
      (_, value) => value,
    )
  }

  /** @returns {IterableIterator<[string, string]>} */
  [Symbol.iterator]() {
    return this.entries()
  }

  /**
   * @param {number} _depth
   * @param {object} options
   * @param {(value: unknown, options: object) => string} render
   */
  [inspect](_depth, options, render) {
    /** @type {Record<string, string | string[]>} */
    const fields = Object.fromEntries(this.#sorted())
    const cookies = this.getSetCookie()
    if (cookies.length > 1) fields['set-cookie'] = cookies
    return `Headers ${render(fields, options)}`
  }

  #fields() {
    if (this.#list !== null) return this.#list
    const list = cutFields(this.#head, this.#fieldsStart)
    for (let index = 0; index < list.length; index += 2) list[index] = list[index].toLowerCase()
    this.#list = list
    return list
  }

  /** The list, for a change. */
  #edit() {
    const list = this.#fields()
    if (this.#immutable) {
      throw new TypeError('these headers are immutable; copy them with new Headers(headers)')
    }
    this.#pairs = null
    return list
  }

  /** Sort and combine (Fetch §2.2.2); every set-cookie stays a pair of its own. */
  #sorted() {
    if (this.#pairs !== null) return this.#pairs
    const list = this.#fields()
    /** @type {Array<[string, string]>} */
    const pairs = []
    for (let index = 0; index < list.length; index += 2) {
      const name = list[index]
      const at = placeOf(name, pairs)
      const previous = at > 0 ? pairs[at - 1] : null
      if (previous !== null && previous[0] === name && name !== 'set-cookie') {
        previous[1] = combine(name, previous[1], list[index + 1])
      } else {
        pairs.splice(at, 0, [name, list[index + 1]])
      }
    }
    this.#pairs = pairs
    return this.#pairs
  }

  static {
    headersFromHead = (head, fieldsStart) => {
      const headers = new Headers()
      headers.#head = head
      headers.#fieldsStart = fieldsStart
      return headers
    }

    headersFromBlock = (block, immutable) => {
      const headers = new Headers()
      headers.#list = listFromBlock(block)
      headers.#immutable = immutable
      return headers
    }

    cloneHeaders = (headers) => {
      const copy = new Headers(headers)
      copy.#immutable = headers.#immutable
      return copy
    }

    isHeaders = (value) => typeof value === 'object' && value !== null && #head in value

    headOf = (headers) =>
      headers.#list === null && headers.#head !== '' ? headers.#head : undefined

    fieldsStartOf = (headers) => headers.#fieldsStart

    blockOf = (headers) => blockFromList(headers.#fields())
  }
}

// Web IDL has one function under both names.
Headers.prototype[Symbol.iterator] = Headers.prototype.entries
inherit(Headers, PlatformHeaders)

/**
 * @param {string[]} list
 * @param {string} name
 */
function indexOfName(list, name) {
  for (let index = 0; index < list.length; index += 2) {
    if (list[index] === name) return index
  }
  return -1
}

/**
 * Where a field of that name goes into the sorted pairs: behind those of the same name.
 * @param {string} name
 * @param {Array<[string, string]>} pairs
 */
function placeOf(name, pairs) {
  let at = pairs.length
  while (at > 0 && pairs[at - 1][0] > name) at--
  return at
}

/**
 * @param {number} given
 * @param {number} wanted
 */
function requireArguments(given, wanted) {
  if (given < wanted) throw new TypeError(`${wanted} argument(s) required, but only ${given} given`)
}
