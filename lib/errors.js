/**
 * The errors that barewire throws: one class, stable codes, messages that name the option or the
 * rule and say what to do. Knows nothing of requests, options or the native engine.
 */

/** Every code in one place; `index.d.ts` lists them for users and a test compares the two. */
export const CODES = Object.freeze({
  ADDON_ABI: 'ERR_BAREWIRE_ADDON_ABI',
  ADDON_MISSING: 'ERR_BAREWIRE_ADDON_MISSING',
  HANDLER: 'ERR_BAREWIRE_HANDLER',
  HEADER: 'ERR_BAREWIRE_HEADER',
  HOST: 'ERR_BAREWIRE_HOST',
  HOSTNAME: 'ERR_BAREWIRE_HOSTNAME',
  LIMIT: 'ERR_BAREWIRE_LIMIT',
  MULTIPART: 'ERR_BAREWIRE_MULTIPART',
  NODE_VERSION: 'ERR_BAREWIRE_NODE_VERSION',
  NO_RESPONSE: 'ERR_BAREWIRE_NO_RESPONSE',
  NOT_A_RESPONSE: 'ERR_BAREWIRE_NOT_A_RESPONSE',
  OPTION: 'ERR_BAREWIRE_OPTION',
  PANIC: 'ERR_BAREWIRE_PANIC',
  STATE: 'ERR_BAREWIRE_STATE',
  UNKNOWN_OPTION: 'ERR_BAREWIRE_UNKNOWN_OPTION',
})

/**
 * Whether the client is to blame, and may be told so. Anything can be thrown, and looking at it may
 * throw in its turn: this doesn't.
 * @type {(error: unknown) => error is BarewireError & { status: number }}
 */
export let isClientFault

/** An error with a stable `code`; the text may change between versions, the code does not. */
export class BarewireError extends Error {
  #status

  /**
   * @param {string} code one of `CODES`
   * @param {string} message
   * @param {ErrorOptions & { status?: number }} [options] with a status it is the client's fault,
   *   and the message is a sentence for the client
   */
  constructor(code, message, options) {
    super(message, options)
    this.code = code
    this.#status = options?.status
  }

  get status() {
    return this.#status
  }

  static {
    isClientFault = /** @type {typeof isClientFault} */ (
      (error) =>
        typeof error === 'object' &&
        error !== null &&
        #status in error &&
        error.#status !== undefined
    )
  }
}

// On the prototype and not enumerable, as the names of the language's own errors are.
Object.defineProperty(BarewireError.prototype, 'name', {
  value: 'BarewireError',
  writable: true,
  configurable: true,
})

/**
 * The known name that a mistyped one most likely meant, or undefined when none is near.
 * Near: equal but for case, or at most two edits away and fewer than half of its letters.
 * @param {string} name
 * @param {Iterable<string>} names
 * @returns {string | undefined}
 */
export function nearest(name, names) {
  const wanted = name.toLowerCase()
  let best
  let bestDistance = 3
  for (const candidate of names) {
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance < bestDistance && distance * 2 < candidate.length) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  if (Math.abs(a.length - b.length) > 2) return 3
  /** @type {number[]} */
  let beforeLast = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        last[column] + 1,
        current[column - 1] + 1,
        last[column - 1] + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2]
      if (swapped && a[row - 2] === b[column - 1]) cost = Math.min(cost, beforeLast[column - 2] + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return last[b.length]
}
