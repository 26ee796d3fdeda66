/** What lies on the disk for the file scenarios. */
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { root } from './machine.js'
import { FILLER, scenarios } from './scenarios.js'

/** From the project's folder, so that command lines are the same everywhere. */
export const WORK = 'build/bench'

export const FILES = `${WORK}/files`

/** Writes the file of each scenario whose path names one, unless it is there. */
export function makeFiles() {
  mkdirSync(`${root}/${FILES}`, { recursive: true })
  for (const { file } of Object.values(scenarios)) {
    if (file === undefined) continue
    const path = `${root}/${FILES}/${file.name}`
    if (existsSync(path) && statSync(path).size === file.size) continue
    writeFileSync(path, FILLER.repeat(file.size))
  }
}
