/**
 * Builds the package: the release addon, put where `binding.js` looks first, and the files in
 * `dist/` that users import. With --if-stale only what is missing or older than one of its sources.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { installIfStale, root } from './run.mjs'

const addon = join(root, 'build', 'barewire.node')

const PARTS = [
  {
    make: buildAddon,
    built: addon,
    sources: ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src'],
  },
  {
    make: buildEntries,
    built: join(root, 'dist', 'index.js'),
    sources: ['lib', 'binding.js', 'scripts/bundle.mjs', 'tsconfig.build.json', 'tsconfig.json'],
  },
]

const LIBRARIES = { darwin: 'libbarewire.dylib', win32: 'barewire.dll' }

const onlyIfStale = process.argv.includes('--if-stale')
for (const part of PARTS) {
  if (!onlyIfStale || isStale(part)) await part.make()
}

function buildAddon() {
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

async function buildEntries() {
  if (!installIfStale())
    fail('the packages that join the modules could not be installed, see above.')
  const { bundle } = await import('./bundle.mjs')
  if (!(await bundle())) fail('the compiler failed, see above.')
  console.log('built dist/index.js and dist/globals.js')
}

/** @param {{ built: string, sources: string[] }} part */
function isStale({ built, sources }) {
  return sources.some((source) => newest(join(root, source)) > changedAt(built))
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
