/** What a record says of where it was made, and how programs are bound to cores. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * @typedef {object} Machine
 * @property {string} cpu
 * @property {number} cores
 * @property {number} memoryGiB
 * @property {string} kernel
 * @property {number[]} load average before the run
 */

/** @returns {Machine} */
export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${platform()} ${release()} ${arch()}`,
    load: loadavg().map((value) => Number(value.toFixed(2))),
  }
}

/** What is under test: the version, the commit, and the very bytes of the addon. */
export function source() {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  const file = `${root}/build/barewire.node`
  if (!existsSync(file)) throw new Error('build/barewire.node is missing: npm run build')
  const addon = createHash('sha256').update(readFileSync(file))
  const commit = git('rev-parse', '--short=12', 'HEAD')
  const isChanged = git('status', '--porcelain', '--', 'src', 'lib', 'Cargo.lock') !== ''
  return {
    version,
    commit: commit && (isChanged ? `${commit} with changes` : commit),
    addonSha256: addon.digest('hex'),
  }
}

/**
 * The command that binds another one to a core, and nothing where that can't be had.
 * @param {number} core
 * @returns {string[]}
 */
export function pin(core) {
  const command = ['taskset', '-c', String(core)]
  return spawnSync(command[0], [...command.slice(1), 'true']).status === 0 ? command : []
}

/**
 * Binds a process that runs already.
 * @param {number} pid
 * @param {number} core
 */
export function bind(pid, core) {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)])
}

/** @param {string[]} args */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
