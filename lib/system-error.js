/**
 * Errors of the operating system in the shape that Node gives them, from the engine's, which have
 * the code alone. Knows nothing of what was tried.
 */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** @typedef {Error & { code: string, errno: number, syscall: string }} SystemError */

/**
 * Node's own error for the same failure; what has no code of the system's is returned as it is.
 * @param {any} error of the engine, with the system's code
 * @param {(text: string) => string} say the message around the system's own text
 * @param {{ syscall: string, [member: string]: unknown }} members beside code and number
 */
export function systemError(error, say, members) {
  /** @type {number | undefined} */
  const number = /** @type {any} */ (constants.errno)[error?.code]
  if (number === undefined) return error
  const text = getSystemErrorMap().get(-number)?.[1] ?? error.message
  const shaped = new Error(say(text), { cause: error })
  return Object.assign(shaped, { code: error.code, errno: -number, ...members })
}
