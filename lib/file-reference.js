/**
 * A file by its name, as something that a body can be made of. Knows nothing of answers.
 */

import { addon } from '../binding.js'
import { FileBody } from './file-body.js'
import { systemError } from './system-error.js'

export class FileReference {
  #path
  #type

  /**
   * @param {string} path
   * @param {string} [type] the content type, instead of the one that its name implies
   */
  constructor(path, type) {
    this.#path = path
    this.#type = type
  }

  get path() {
    return this.#path
  }

  get type() {
    return this.#type ?? addon().mediaTypeOf(this.#path)
  }

  /**
   * Opens it anew: what lies under the name now is what the body has.
   * @throws {Error} Node's own: ENOENT, EISDIR, EACCES
   */
  open() {
    const { body, length } = opening(this.#path, () => addon().openBody(this.#path))
    return new FileBody(body, length, '')
  }
}

/**
 * Opens something; errors are Node's own for the same failure.
 * @template T
 * @param {string} path
 * @param {() => T} open
 */
export function opening(path, open) {
  try {
    return open()
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error)
    throw systemError(error, (text) => `${code}: ${text}, open '${path}'`, {
      syscall: 'open',
      path,
    })
  }
}
