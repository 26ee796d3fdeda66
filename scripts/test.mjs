/**
 * Runs all tests, of Rust and of JavaScript, after setting up what they need. Every part runs even
 * if one before it has failed; the exit code tells of any failure.
 */
import { buildIfStale, installIfStale, run, testFiles } from './run.mjs'

const results = [
  installIfStale(),
  run('cargo', ['test']),
  run('cargo', ['test', '--features', 'node', '--lib', 'node::']),
  buildIfStale() && run(process.execPath, ['--test', ...testFiles()]),
]
process.exit(results.every(Boolean) ? 0 : 1)
