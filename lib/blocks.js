/**
 * Header blocks by id: answers whose headers were seen before pass a number instead of the text.
 * The table is bounded and fills once; a block is admitted at its second sight, so that a value
 * which is different each time (an attacker's reflected one, say) never gets in and costs the
 * plain encoding only. Set-Cookie is never admitted. Knows nothing of requests.
 */
import { BarewireError, CODES } from './errors.js'
import { NO_BLOCK, STAGED_BLOCK } from './record.js'

/** Entries of one engine's table; servers have a few dozen kinds of answers, not thousands. */
const MAX_BLOCKS = 256
/** Longest block worth keeping, in characters. */
const MAX_BLOCK_LENGTH = 512

const SET_COOKIE = /(?:^|\0)set-cookie\0/i

export class Blocks {
  #engine
  /** @type {Map<string, number>} */
  #ids = new Map()
  /** @type {Set<string>} */
  #seenOnce = new Set()

  /** @param {Pick<import('./engine.js').Engine, 'remember' | 'stage'>} engine */
  constructor(engine) {
    this.#engine = engine
  }

  /**
   * The BLOCK word of the next answer, whose header block is staged when it has no id.
   * @param {string} block
   */
  idOf(block) {
    if (block === '') return NO_BLOCK
    const id = this.#ids.get(block) ?? this.#admit(block)
    if (id !== undefined) return id
    if (this.#engine.stage(block)) return STAGED_BLOCK
    throw new BarewireError(
      CODES.HEADER,
      'the response has a header field whose name or value HTTP does not allow',
    )
  }

  /** @param {string} block */
  #admit(block) {
    if (this.#ids.size >= MAX_BLOCKS) return undefined
    if (block.length > MAX_BLOCK_LENGTH || SET_COOKIE.test(block)) return undefined
    if (!this.#seenOnce.delete(block)) {
      if (this.#seenOnce.size >= MAX_BLOCKS) this.#seenOnce.clear()
      this.#seenOnce.add(block)
      return undefined
    }
    const id = this.#engine.remember(block)
    if (id === 0) return undefined
    this.#ids.set(block, id)
    return id
  }
}
