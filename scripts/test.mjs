/**
 * Runs all tests, of Rust and of JavaScript, after setting up what they need. Every part runs even
 * if one before it has failed; the exit code tells of any failure.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { buildIfStale, root, run, testFiles } from './run.mjs'

const results = [
  isInstalled() || run('npm', ['ci', '--no-audit', '--no-fund']),
  run('cargo', ['test']),
  run('cargo', ['test', '--features', 'node', '--lib', 'node::']),
  buildIfStale() && run(process.execPath, ['--test', ...testFiles()]),
]
process.exit(results.every(Boolean) ? 0 : 1)

/** npm writes its own lock file last, so that tells when the packages were installed. */
function isInstalled() {
  const lock = statSync(join(root, 'package-lock.json'))
  const installed = statSync(join(root, 'node_modules', '.package-lock.json'), {
    throwIfNoEntry: false,
  })
  return installed !== undefined && installed.mtimeMs >= lock.mtimeMs
}
