/**
 * Errors of the operating system in the shape that Node gives them, from the engine's, which have
 * the code alone. Knows nothing of what was tried.
 */
import { getSystemErrorMap } from 'node:util'

/** @typedef {Error & { code: string, errno: number, syscall: string }} SystemError */

/**
 * Node's own error for the same failure; what has no code that Node knows is returned as it is.
 * @param {any} error of the engine, with the system's code
 * @param {(text: string) => string} say the message around the system's own text
 * @param {{ syscall: string, [member: string]: unknown }} members beside code and number
 */
export function systemError(error, say, members) {
  for (const [errno, [code, text]] of getSystemErrorMap()) {
    if (code !== error?.code) continue
    return Object.assign(new Error(say(text), { cause: error }), { code, errno, ...members })
  }
  return error
}
