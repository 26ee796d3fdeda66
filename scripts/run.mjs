/** How the scripts run commands: in the project's folder, their output passed through. */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs a command to its end; true when it succeeded.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [more] variables of its environment
 */
export function run(command, args, more = {}) {
  // npm is a script on Windows, which only a shell starts.
  const shell = process.platform === 'win32' && command === 'npm'
  const env = { ...process.env, ...more }
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell, env })
  if (error !== undefined) console.error(`${command} could not be started: ${error.message}`)
  return status === 0
}

/** Builds what isn't newer than its sources; true when all is there. */
export function buildIfStale() {
  return run(process.execPath, ['scripts/build.mjs', '--if-stale'])
}

/** Installs what package-lock.json says unless that was done; true when all is there. */
export function installIfStale() {
  // npm writes its own lock file last, so that tells when the packages were installed.
  const installed = statSync(join(root, 'node_modules', '.package-lock.json'), {
    throwIfNoEntry: false,
  })
  const lock = statSync(join(root, 'package-lock.json'))
  const isThere = installed !== undefined && installed.mtimeMs >= lock.mtimeMs
  return isThere || run('npm', ['ci', '--no-audit', '--no-fund'])
}

/** Listed here because Node 20 does not expand patterns itself. */
export function testFiles() {
  const folder = join('tests', 'js')
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(folder, name))
}
