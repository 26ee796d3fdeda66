/**
 * Header blocks that were put together before, found by the names and values themselves: most
 * handlers give the same few fields with each answer, and a block that is the same string object
 * needs neither joining nor hashing again. Knows nothing of what makes a field valid: only blocks of
 * checked fields are put in.
 */

/** Values of one name, in one place, above which it is taken to be different each time. */
const MAX_VALUES = 8
/** What it holds is a secret, and one of a single client. */
const SET_COOKIE = /^set-cookie$/i

/** Places in all. Programs have a few dozen. */
const MAX_PLACES = 1024

/** Where a walk over fields has come to. */
class Place {
  /** The block of the fields up to here; '' before it was put in. */
  block = ''
  /** @type {Map<string, Map<string, Place> | null>} null for names whose values vary */
  names = new Map()
}

export class KnownBlocks {
  /** @type {Map<string, Place>} by what the block has apart from the fields */
  #roots = new Map()
  #count = 0

  /**
   * The block of these fields, or '' when it is not known.
   * @param {string[]} names
   * @param {unknown[]} values
   * @param {string} implied what stands behind them unless they have it themselves
   * @returns {string}
   */
  find(names, values, implied) {
    let place = this.#roots.get(implied)
    for (let index = 0; index < names.length && place !== undefined; index++) {
      place = place.names.get(names[index])?.get(/** @type {string} */ (values[index]))
    }
    return place === undefined ? '' : place.block
  }

  /**
   * Remembers a block, if its values are texts and not different each time.
   * @param {string[]} names
   * @param {unknown[]} values
   * @param {string} implied
   * @param {string} block
   */
  add(names, values, implied, block) {
    let place = this.#roots.get(implied) ?? this.#root(implied)
    for (let index = 0; index < names.length && place !== undefined; index++) {
      const value = values[index]
      place = typeof value === 'string' ? this.#next(place, names[index], value) : undefined
    }
    if (place !== undefined) place.block = block
  }

  /** @param {string} implied */
  #root(implied) {
    const place = this.#place()
    if (place !== undefined) this.#roots.set(implied, place)
    return place
  }

  /**
   * @param {Place} place
   * @param {string} name
   * @param {string} value
   */
  #next(place, name, value) {
    const values = place.names.get(name)
    if (values === null || SET_COOKIE.test(name)) return undefined
    const known = values?.get(value)
    if (known !== undefined) return known
    if (values !== undefined && values.size >= MAX_VALUES) {
      place.names.set(name, null)
      return undefined
    }
    const next = this.#place()
    if (next === undefined) return undefined
    if (values === undefined) place.names.set(name, new Map([[value, next]]))
    else values.set(value, next)
    return next
  }

  #place() {
    return ++this.#count > MAX_PLACES ? undefined : new Place()
  }
}
