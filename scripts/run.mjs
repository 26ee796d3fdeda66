/** How the scripts run commands: in the project's folder, their output passed through. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs a command to its end; true when it succeeded.
 * @param {string} command
 * @param {string[]} args
 */
export function run(command, args) {
  // npm is a script on Windows, which only a shell starts.
  const shell = process.platform === 'win32' && command === 'npm'
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell })
  if (error !== undefined) console.error(`${command} could not be started: ${error.message}`)
  return status === 0
}

/** Builds the addon unless it is newer than its sources; true when it is there. */
export function buildIfStale() {
  return run(process.execPath, ['scripts/build.mjs', '--if-stale'])
}

/** Listed here because Node 20 does not expand patterns itself. */
export function testFiles() {
  const folder = join('tests', 'js')
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(folder, name))
}
