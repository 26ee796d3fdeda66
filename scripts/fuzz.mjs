/**
 * The command: fuzzes all targets, or those that are named, one after the other, for so many
 * seconds each. Inputs that reach something new go to fuzz/found, those that fail to
 * fuzz/artifacts. --minimise merges what was found into the corpus instead. Knows nothing of what
 * the targets do.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, run } from './run.mjs'

const HELP = `Usage: npm run fuzz -- [options] [target...]

  --seconds N   how long each target runs; 10 without it
  --minimise    make the corpus anew: the fewest inputs that reach what the corpus and the
                inputs found so far reach
  --help        this text`

/** Of a single input, in seconds: more is a fault. */
const TIMEOUT = 10

/** Most bytes that a run may say, and how many lines of one that failed are shown. */
const OUTPUT = 256 * 1024 * 1024
const SHOWN = 80

const folder = join(root, 'fuzz')
const all = readdirSync(join(folder, 'mains')).map((name) => name.replace('.rs', ''))

try {
  main()
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exit(1)
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '10' },
      minimise: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  if (!/^[1-9]\d*$/.test(values.seconds)) {
    throw new Error(`--seconds takes a whole number above 0, not ${values.seconds}`)
  }
  for (const name of positionals) {
    if (!all.includes(name)) throw new Error(`no target ${name}; there are ${all.join(', ')}`)
  }
  const targets = positionals.length > 0 ? positionals : all
  prepare()
  const failed = values.minimise
    ? targets.filter((target) => !minimise(target))
    : targets.filter((target) => !fuzz(target, values.seconds))
  if (failed.length > 0) {
    throw new Error(`failed: ${failed.join(', ')}. docs/fuzzing.md says what to do with an input.`)
  }
}

/** Sees that the tools are there, and builds all targets at once. */
function prepare() {
  if (!isThere(['+nightly', '--version'])) {
    throw new Error(
      'Fuzzing needs a nightly toolchain, for the sanitizer: rustup toolchain install nightly',
    )
  }
  if (!isThere(['+nightly', 'fuzz', '--version']) && !cargo('install', 'cargo-fuzz', '--locked')) {
    throw new Error('cargo-fuzz could not be installed, see above.')
  }
  if (!cargo('+nightly', 'fuzz', 'build')) throw new Error('The targets could not be built.')
}

/**
 * @param {string} target
 * @param {string} seconds
 */
function fuzz(target, seconds) {
  const output = libfuzzer(
    target,
    [at('found', target), at('corpus', target), ...kept(target)],
    `-max_total_time=${seconds}`,
    `-timeout=${TIMEOUT}`,
    `-dict=${join(folder, 'dictionaries', `${target}.dict`)}`,
  )
  if (output === undefined) return false
  const [, runs, edges] = /^#(\d+)\s+DONE\s+cov: (\d+)/m.exec(output) ?? []
  console.log(`${target}: ${runs} runs in ${seconds} s, ${edges} edges`)
  return true
}

/**
 * Folders that are never minimised: seeds from the tables of the tests, and what once failed.
 * @param {string} target
 */
function kept(target) {
  return ['seeds', 'regressions']
    .map((kind) => join(folder, kind, target))
    .filter((path) => existsSync(path))
}

/** @param {string} target */
function minimise(target) {
  const fresh = at('fresh', target)
  const sources = [at('found', target), at('corpus', target)]
  if (libfuzzer(target, [fresh, ...sources], '-set_cover_merge=1') === undefined) return false
  rmSync(at('corpus', target), { recursive: true })
  renameSync(fresh, join(folder, 'corpus', target))
  rmSync(at('found', target), { recursive: true })
  console.log(`${target}: ${readdirSync(at('corpus', target)).length} inputs`)
  return true
}

/**
 * What a run said if it ended well; undefined if not, with the end of it shown.
 * @param {string} target
 * @param {string[]} folders
 * @param {string[]} options
 */
function libfuzzer(target, folders, ...options) {
  const args = ['+nightly', 'fuzz', 'run', target, ...folders, '--', ...options]
  const { status, stderr } = spawnSync('cargo', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: OUTPUT,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  if (status === 0) return stderr
  console.error((stderr ?? '').split('\n').slice(-SHOWN).join('\n'))
  return undefined
}

/**
 * A folder of a target, made if need be.
 * @param {string} kind
 * @param {string} target
 */
function at(kind, target) {
  const path = join(folder, kind, target)
  mkdirSync(path, { recursive: true })
  return path
}

/** @param {string[]} args */
function cargo(...args) {
  return run('cargo', args)
}

/** @param {string[]} args */
function isThere(args) {
  return spawnSync('cargo', args, { cwd: root, stdio: 'ignore' }).status === 0
}
