/**
 * Builds the release addon and puts it where `binding.js` looks first. With --if-stale only when
 * it is missing or older than one of its sources.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const addon = join(root, 'build', 'barewire.node')
const sources = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src']

const LIBRARIES = { darwin: 'libbarewire.dylib', win32: 'barewire.dll' }

if (process.argv.includes('--if-stale') && !isStale()) process.exit(0)
build()

function build() {
  const args = ['build', '--release', '--features', 'node']
  console.log(`building the native addon: cargo ${args.join(' ')}`)
  const { error, status, signal } = spawnSync('cargo', args, { cwd: root, stdio: 'inherit' })
  if (error !== undefined) {
    const isMissing = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT'
    fail(
      isMissing
        ? 'cargo was not found. The addon is written in Rust: install a Rust toolchain (1.88 or ' +
            'newer), see that cargo is in the PATH, and run this again.'
        : `cargo could not be started: ${error.message}`,
    )
  }
  if (status !== 0) fail(`cargo build failed (${signal ?? `exit code ${status}`}), see above.`)
  install()
}

/** Renamed into place, never written over: a process may have the old one mapped. */
function install() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
  const name = /** @type {Record<string, string>} */ (LIBRARIES)[process.platform]
  mkdirSync(join(root, 'build'), { recursive: true })
  const fresh = `${addon}.${process.pid}`
  copyFileSync(join(target, 'release', name ?? 'libbarewire.so'), fresh)
  renameSync(fresh, addon)
  console.log('built build/barewire.node')
}

function isStale() {
  const built = changedAt(addon)
  return sources.some((source) => newest(join(root, source)) > built)
}

/**
 * The latest change of a file, or of any file in a folder.
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats?.isDirectory()) return changedAt(path)
  const below = readdirSync(path).map((name) => newest(join(path, name)))
  return Math.max(0, stats.mtimeMs, ...below)
}

/** @param {string} path */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message)
  process.exit(1)
}
