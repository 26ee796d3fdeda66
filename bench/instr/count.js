/**
 * Counts: builds the cases in release, runs each of them under callgrind for N and for 2N rounds,
 * and takes the difference, so that neither the start of the program nor a set-up counts. Callgrind
 * sees what the program executes itself; the kernel's work for it doesn't count.
 */
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** N; twice of it is the most that `main.rs` takes. */
export const ROUNDS = 1000

export const MISSING =
  'valgrind was not found, so no instructions can be counted: apt-get install valgrind'

/**
 * What the counts depend on besides the sources.
 * @typedef {object} Toolchain
 * @property {string} rustc
 * @property {string} target
 * @property {string} libc whose memcpy and malloc are counted
 * @property {string} valgrind
 * @property {boolean} avx2 whether the routines for it were chosen
 */

/** @returns {Toolchain} */
export function toolchain() {
  const valgrind = output('valgrind', ['--version'], MISSING)
  const rustc = output('rustc', ['-vV'], 'rustc was not found: install a Rust toolchain')
  const { header } = /** @type {any} */ (process.report.getReport())
  return {
    rustc: rustc.split('\n')[0],
    target: /^host: (.*)$/m.exec(rustc)?.[1] ?? arch(),
    libc: `glibc ${header.glibcVersionRuntime}`,
    valgrind: valgrind.trim().replace(/^valgrind-/, ''),
    avx2: /^flags.*\bavx2\b/m.test(readFileSync('/proc/cpuinfo', 'utf8')),
  }
}

/**
 * Builds the program and says where it lies.
 * @returns {string}
 */
export function build() {
  const args = ['bench', '--bench', 'instr', '--no-run', '--message-format=json-render-diagnostics']
  const { status, stdout } = spawnSync('cargo', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error('the cases could not be built, see above')
  for (const line of stdout.split('\n').filter((line) => line.startsWith('{'))) {
    const { target, executable } = JSON.parse(line)
    if (target?.name === 'instr' && executable) return executable
  }
  throw new Error('cargo does not say where it put the program')
}

/**
 * Instructions of one round, by case.
 * @param {string} program
 * @returns {Promise<{ [name: string]: import('./record.js').Case }>}
 */
export async function count(program) {
  const cases = output(program, [], 'the program could not be started')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
  const counts = await each(cases, async ([name]) => {
    const once = await collected(program, name, ROUNDS)
    return Math.round(((await collected(program, name, 2 * ROUNDS)) - once) / ROUNDS)
  })
  return Object.fromEntries(
    cases.map(([name, what], index) => [name, { what, instructions: counts[index] }]),
  )
}

/**
 * All instructions of one run.
 * @param {string} program
 * @param {string} name
 * @param {number} rounds
 */
async function collected(program, name, rounds) {
  const tool = ['--tool=callgrind', '--callgrind-out-file=/dev/null']
  // Variables lie on the stack and could move what is counted.
  const { stderr } = await promisify(execFile)('valgrind', [...tool, program, name, `${rounds}`], {
    env: { PATH: process.env.PATH },
  })
  return read(stderr)
}

/**
 * The sum in what callgrind says.
 * @param {string} text
 */
export function read(text) {
  const [, digits] = /Collected : (\d+)$/m.exec(text) ?? []
  if (digits === undefined) throw new Error(`callgrind gives no count: ${text}`)
  return Number(digits)
}

/**
 * Maps with as many at a time as there are cores.
 * @template T, R
 * @param {T[]} items
 * @param {(item: T) => Promise<R>} map
 */
async function each(items, map) {
  /** @type {R[]} */
  const results = []
  const rest = items.entries()
  const work = async () => {
    for (const [index, item] of rest) results[index] = await map(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return results
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} otherwise
 */
function output(command, args, otherwise) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(otherwise)
  return stdout
}
