/** What lies on the disk: the files of the file scenarios, and bodies that oha sends. */
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { root } from './machine.js'
import { FILLER, scenarios } from './scenarios.js'

/** From the project's folder, so that command lines are the same everywhere. */
export const WORK = 'build/bench'

export const FILES = `${WORK}/files`

/**
 * The name of the file that is a request's body.
 * @param {number} size
 */
export function requestFile(size) {
  return `request-${size}.bin`
}

/** Writes the files of all scenarios, unless they are there. */
export function makeFiles() {
  mkdirSync(`${root}/${FILES}`, { recursive: true })
  for (const { file, bodyLength } of Object.values(scenarios)) {
    if (file !== undefined) makeFile(file.name, file.size)
    if (bodyLength > 0) makeFile(requestFile(bodyLength), bodyLength)
  }
}

/**
 * @param {string} name
 * @param {number} size
 */
function makeFile(name, size) {
  const path = `${root}/${FILES}/${name}`
  if (existsSync(path) && statSync(path).size === size) return
  writeFileSync(path, FILLER.repeat(size))
}
