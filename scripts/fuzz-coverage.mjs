/**
 * The command: measures how much of the rooms that read a client's bytes the fuzz targets reach
 * over their corpus, by llvm-cov. Needs LLVM's tools in the version of the compiler: those of
 * `rustup component add llvm-tools`, or of a system's package (`llvm-cov-22` and its like).
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

const folder = join(root, 'target', 'coverage')
/** Not asked about: dependencies, what judges, and the rooms above. */
const IGNORED =
  '/(library|\\.cargo|registry)/|/tests/[a-z/]*\\.rs$|/targets/[a-z]+\\.rs$|/src/(net|server|limits)'

try {
  console.log(measure())
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exit(1)
}

function measure() {
  const compiler = output('rustc', ['-vV'])
  const [cov, profdata] = tools(compiler)
  const profiles = join(folder, 'profiles')
  rmSync(profiles, { recursive: true, force: true })
  const program = build()
  output(program, [], { LLVM_PROFILE_FILE: join(profiles, '%p.profraw') })
  const raw = readdirSync(profiles).map((name) => join(profiles, name))
  const merged = join(profiles, 'merged.profdata')
  output(profdata, ['merge', '-sparse', ...raw, '-o', merged])
  const options = [`-instr-profile=${merged}`, `-ignore-filename-regex=${IGNORED}`]
  return output(cov, ['report', program, ...options])
}

/** Builds the replay of the corpus, instrumented; gives the path of the program. */
function build() {
  const args = ['test', '--test', 'fuzz', '--no-run', '--message-format=json']
  const env = { RUSTFLAGS: '-C instrument-coverage', CARGO_TARGET_DIR: folder }
  const lines = output('cargo', args, env).split('\n')
  const programs = lines.map((line) => /"executable":"([^"]+)"/.exec(line)?.[1]).filter(Boolean)
  return /** @type {string} */ (programs.at(-1))
}

/**
 * llvm-cov and llvm-profdata: the toolchain's own, else the system's of the same version.
 * @param {string} compiler
 */
function tools(compiler) {
  const [, host] = /** @type {RegExpExecArray} */ (/^host: (.*)$/m.exec(compiler))
  const [, major] = /** @type {RegExpExecArray} */ (/^LLVM version: (\d+)/m.exec(compiler))
  const own = join(output('rustc', ['--print', 'sysroot']).trim(), 'lib', 'rustlib', host, 'bin')
  return ['llvm-cov', 'llvm-profdata'].map((name) => {
    const path = join(own, name)
    const found = existsSync(path) ? path : `${name}-${major}`
    if (spawnSync(found, ['--version']).status === 0) return found
    throw new Error(`There is no ${name} of LLVM ${major}: rustup component add llvm-tools`)
  })
}

/**
 * What a command prints.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
function output(command, args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...env },
  })
  if (status === 0) return stdout
  throw new Error(`${command} failed: ${error?.message ?? stderr}`)
}
