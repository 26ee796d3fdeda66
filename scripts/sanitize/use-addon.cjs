/**
 * Loaded before a test: where it would load the addon that was built, it gets the one to check. Other
 * programs that it starts run without the sanitizer's runtime, with which curl hangs.
 */
const { ChildProcess } = require('node:child_process')
const load = process.dlopen
const start = /** @type {any} */ (ChildProcess.prototype).spawn

process.dlopen = (module, path, ...rest) => {
  const chosen = path.endsWith('barewire.node') ? process.env.BAREWIRE_ADDON : path
  return load.call(process, module, chosen ?? path, ...rest)
}

Object.assign(ChildProcess.prototype, {
  /** @param {{ file: string, envPairs: string[] }} options */
  spawn(options) {
    if (options.file !== process.execPath) {
      options.envPairs = options.envPairs.filter((pair) => !pair.startsWith('LD_PRELOAD='))
    }
    return start.call(this, options)
  },
})
