/**
 * The iterator that Web IDL gives to Headers: it sees the pairs as they are at each step, so that a
 * change during iteration counts, and unlike a generator it goes on after a `break`.
 */

/** @template T */
export class PairIterator {
  #pairs
  #pick
  #index = 0

  /**
   * @param {() => Array<[string, string]>} pairs
   * @param {(name: string, value: string) => T} pick
   */
  constructor(pairs, pick) {
    this.#pairs = pairs
    this.#pick = pick
  }

  /** @returns {IteratorResult<T, undefined>} */
  next() {
    const pairs = this.#pairs()
    if (this.#index >= pairs.length) return { value: undefined, done: true }
    const [name, value] = pairs[this.#index++]
    return { value: this.#pick(name, value), done: false }
  }

  [Symbol.iterator]() {
    return this
  }
}

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([].values()))
Object.setPrototypeOf(PairIterator.prototype, IteratorPrototype)
Object.defineProperty(PairIterator.prototype, Symbol.toStringTag, {
  value: 'Headers Iterator',
  configurable: true,
})
