/**
 * Finds and loads the native addon, once per thread and only when a server first listens, so that
 * the classes can be imported without it. Checks the host, its version and the addon's ABI, and
 * explains what to do when one of them does not fit. Knows nothing of what the addon does.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { BarewireError, CODES } from './lib/errors.js'

/** The version of the contract between this layer and the addon; both sides count it up. */
export const ABI_VERSION = 2

const OLDEST_NODE = [20, 11]
const LOCAL_BUILD = fileURLToPath(new URL('build/barewire.node', import.meta.url))

/** @typedef {import('./lib/engine.js').Addon} Addon */

/** @type {Addon | undefined} */
let loaded

/** The addon of this thread. */
export function addon() {
  loaded ??= load()
  return loaded
}

/**
 * Loads the first addon that is there. Everything it looks at can be given, for tests.
 * @param {object} [host]
 * @param {Record<string, string | undefined>} [host.versions] as `process.versions`
 * @param {Iterable<string>} [host.paths] files and packages to try, in order
 * @param {(path: string) => unknown} [host.require]
 * @returns {Addon}
 */
export function load({
  versions = process.versions,
  paths = defaultPaths(),
  require = createRequire(import.meta.url),
} = {}) {
  checkHost(versions)
  const failures = []
  let cause
  for (const path of paths) {
    try {
      return checked(require(path), path)
    } catch (error) {
      if (error instanceof BarewireError) throw error
      failures.push(`  ${path}: ${reason(error)}`)
      // The error of a file that is there tells more than that of one that is not.
      if (cause === undefined || !isNotFound(error)) cause = error
    }
  }
  throw new BarewireError(
    CODES.ADDON_MISSING,
    [
      `the native addon could not be loaded for ${process.platform} ${process.arch}. Looked for:`,
      ...failures,
      'In a checkout, build it with: npm run build (needs a Rust toolchain).',
      'As a dependency, install again without omitting optional packages.',
    ].join('\n'),
    { cause },
  )
}

/** @param {Record<string, string | undefined>} versions */
function checkHost(versions) {
  const other = versions.bun ? 'Bun' : versions.deno ? 'Deno' : undefined
  if (other !== undefined) {
    throw new BarewireError(
      CODES.HOST,
      `barewire runs inside the event loop of Node.js, which ${other} does not offer to addons: ` +
        'start this program with node',
    )
  }
  const [major, minor] = String(versions.node).split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  if (!(major > oldestMajor || (major === oldestMajor && minor >= oldestMinor))) {
    throw new BarewireError(
      CODES.NODE_VERSION,
      `barewire needs Node.js ${OLDEST_NODE.join('.')} or newer, but this is ${versions.node}`,
    )
  }
}

/**
 * @param {any} candidate
 * @param {string} path
 * @returns {Addon}
 */
function checked(candidate, path) {
  if (candidate?.ABI_VERSION === ABI_VERSION) return candidate
  throw new BarewireError(
    CODES.ADDON_ABI,
    `the native addon ${path} has ABI version ${candidate?.ABI_VERSION}, but this version of ` +
      `barewire needs ${ABI_VERSION}: build it again with npm run build, or install again`,
  )
}

/** In a checkout the first one is there, and asking for the C library is left out. */
function* defaultPaths() {
  yield LOCAL_BUILD
  yield platformPackage()
}

/** Name of the package that carries the addon prebuilt for this machine. */
function platformPackage() {
  const { platform, arch } = process
  const libc = platform === 'linux' ? (usesGlibc() ? '-gnu' : '-musl') : ''
  return `@barewire/${platform}-${arch}${libc}`
}

function usesGlibc() {
  const report = /** @type {any} */ (process.report?.getReport())
  return Boolean(report?.header?.glibcVersionRuntime)
}

/** @param {unknown} error */
function isNotFound(error) {
  return /** @type {any} */ (error)?.code === 'MODULE_NOT_FOUND'
}

/** @param {unknown} error */
function reason(error) {
  return isNotFound(error) ? 'not there' : String(/** @type {any} */ (error)?.message ?? error)
}
