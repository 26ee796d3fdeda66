/**
 * Finds and loads the native addon, once per thread and only when a server first listens, so that
 * the classes can be imported without it. Checks the host, its version and the addon's ABI, and
 * explains what to do when one of them does not fit. Knows nothing of what the addon does.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BarewireError, CODES } from './lib/errors.js'
import { ROOT } from './lib/root.js'

/** The version of the contract between this layer and the addon; both sides count it up. */
export const ABI_VERSION = 2

const OLDEST_NODE = [20, 11]
const LOCAL_BUILD = fileURLToPath(new URL('build/barewire.node', ROOT))

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
 * @param {(path: string) => unknown} [host.open] gives the exports of one
 * @returns {Addon}
 */
export function load({
  versions = process.versions,
  paths = defaultPaths(),
  open = openAddon,
} = {}) {
  checkHost(versions)
  const failures = []
  let cause
  for (const path of paths) {
    try {
      return checked(open(path), path)
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

/**
 * What `require` does for an addon, in less than half of its time: a file that is there isn't
 * searched for. Loaded again, it would be an addon anew.
 * @param {string} path
 */
function openAddon(path) {
  const module = { exports: {} }
  const isFile = isAbsolute(path) && existsSync(path)
  process.dlopen(module, isFile ? path : createRequire(import.meta.url).resolve(path))
  return module.exports
}

/**
 * The build of a checkout, and the packages that carry the addon prebuilt. On Linux there is one for
 * each C library: that of the other isn't installed, or can't be loaded. To ask which one this
 * process has takes longer than to try.
 */
function defaultPaths() {
  const { platform, arch } = process
  const name = `@barewire/${platform}-${arch}`
  return [LOCAL_BUILD, ...(platform === 'linux' ? [`${name}-gnu`, `${name}-musl`] : [name])]
}

/** @param {unknown} error */
function isNotFound(error) {
  return /** @type {any} */ (error)?.code === 'MODULE_NOT_FOUND'
}

/** @param {unknown} error */
function reason(error) {
  return isNotFound(error) ? 'not there' : String(/** @type {any} */ (error)?.message ?? error)
}
