/**
 * Runs the tests under a checker of memory or of threads, `npm run sanitize -- NAME`:
 *
 *   address   AddressSanitizer over the tests of Rust, then over the addon under those of JavaScript
 *   leak      the same addon and tests; each process is asked at its end what it never gave back
 *   memory    valgrind over the tests of the formats and the machines: values never written
 *   miri      the same tests and the binding's own, by Rust's interpreter
 *   thread    ThreadSanitizer over the mailbox and the answers from other threads
 *   quick     what the gate has time for: address and leak with a part of the tests
 *
 * With --all, address and leak run every test of JavaScript that means anything there. A checker
 * that could not find what it is for is no check: before each run it has to find a fault that was
 * made for it. What a checker needs and isn't there is said, and is a failure; with --if-there it is
 * only said.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { root, run, testFiles } from './run.mjs'

/** What talks to the addon most, and takes seconds. */
const QUICK = ['answers', 'close', 'environments', 'files', 'reentrancy', 'serve-file', 'uploads']

/** Tests that say nothing under a sanitizer, and why. */
const LEFT_OUT = new Map([
  ['streaming-memory', 'measures the memory that the sanitizer itself holds back'],
  ['bench', 'runs other programs'],
  ['instr', 'runs other programs'],
  ['docs', 'runs other programs'],
  ['types', 'runs other programs'],
  ['clients', 'runs other programs'],
])

const folder = join(root, 'target', 'sanitize')
const reports = join(folder, 'reports')
const rest = process.argv.slice(2)
const [name = ''] = rest.filter((argument) => !argument.startsWith('--'))
const isWhole = rest.includes('--all')
const mayLack = rest.includes('--if-there')

/** @type {Record<string, () => boolean>} */
const CHECKS = {
  address: () => rustByAddress() && addon('address'),
  leak: () => addon('leak'),
  memory,
  miri,
  thread,
  quick: () => rustByAddress() && addon('address') && addon('leak'),
}

class Missing extends Error {}

try {
  const check = CHECKS[name]
  if (check === undefined) throw new Missing(`one of: ${Object.keys(CHECKS).join(', ')}`)
  process.exit(check() ? 0 : 1)
} catch (error) {
  if (!(error instanceof Missing)) throw error
  console.error(`sanitize ${name}: not run. It needs ${error.message}`)
  process.exit(mayLack ? 0 : 1)
}

/** The tests of Rust with AddressSanitizer in them, which looks for leaks as well at the end. */
function rustByAddress() {
  const host = nightly()
  // tests/allocation.rs counts by an allocator of its own.
  const tests = ['--lib', '--test', 'wire', '--test', 'proto', '--test', 'server']
  const env = { ...instrumented('address'), SEEDS: '100' }
  return run('cargo', ['+nightly', 'test', '--target', host, ...tests], env)
}

/**
 * The addon with AddressSanitizer in it, loaded by an ordinary Node.js: the sanitizer's runtime has
 * to be there before everything else.
 * @param {'address' | 'leak'} kind
 */
function addon(kind) {
  const host = nightly()
  const runtime = runtimeOf('libasan.so')
  const build = ['+nightly', 'build', '--features', 'node', '--target', host]
  if (!run('cargo', build, instrumented('address'))) return false
  // Node.js may leak as well: the reports tell whose leak it is, the exit code does not.
  const asks = kind === 'leak' ? 'detect_leaks=1:exitcode=0' : 'detect_leaks=0'
  const env = {
    LD_PRELOAD: runtime,
    ASAN_OPTIONS: `${asks}:log_path=${join(reports, kind)}`,
    LSAN_OPTIONS: `suppressions=${join(root, 'scripts', 'sanitize', 'leaks.txt')}:print_suppressions=0`,
    NODE_OPTIONS: `--require ${join(root, 'scripts', 'sanitize', 'use-addon.cjs')}`,
    BAREWIRE_ADDON: join(folder, 'address', host, 'debug', 'libbarewire.so'),
  }
  if (!isFound(kind, host, env)) return false
  const files = testFiles().filter((file) => {
    const [subject] = file.split(/[/\\]/).at(-1)?.split('.') ?? []
    return isWhole ? !LEFT_OUT.has(subject ?? '') : QUICK.includes(subject ?? '')
  })
  const passed = run(process.execPath, ['--test', ...files], env)
  const found = take(reports).flatMap(kind === 'leak' ? leaksOf : faultsOf)
  for (const report of found) console.error(report)
  console.log(`sanitize ${kind}: ${files.length} files of tests, ${found.length} reports`)
  // Looking for leaks makes the end of a process late, which some tests take for a failure.
  return found.length === 0 && (passed || kind === 'leak')
}

/** @param {string} report */
function faultsOf(report) {
  return report.includes('barewire') ? [report] : []
}

/**
 * The leaks of the addon: what it allocated, or had Node-API allocate. What V8 allocates while the
 * addon calls it is V8's.
 * @param {string} report
 */
function leaksOf(report) {
  if (!report.includes('detected memory leaks')) return faultsOf(report)
  return report.split('\n\n').filter((leak) => {
    const frames = leak.split('\n').filter((line) => /^ {4}#[1-9]/.test(line))
    const caller = frames.find((frame) => !/ in napi_\w+ \(/.test(frame))
    return leak.includes('barewire') && !caller?.includes(`${process.execPath}+0x`)
  })
}

/**
 * Whether the checker finds the fault of `control.rs`, by the road on which it would find one of the
 * addon's.
 * @param {string} kind
 * @param {string} host
 * @param {Record<string, string>} env
 */
function isFound(kind, host, env) {
  const library = join(folder, 'control.so')
  const flags = ['-Zsanitizer=address', '--crate-type', 'cdylib', '--target', host, '-o', library]
  const source = join(root, 'scripts', 'sanitize', 'control.rs')
  if (!run('rustc', ['+nightly', ...flags, source])) return false
  take(reports)
  const script = `process.dlopen({ exports: {} }, ${JSON.stringify(library)})`
  output(process.execPath, ['-e', script], { ...env, CONTROL: kind })
  const wanted = kind === 'leak' ? 'detected memory leaks' : 'heap-use-after-free'
  const isSeen = take(reports).some((report) => report.includes(wanted))
  if (!isSeen) console.error(`sanitize ${kind}: it does not find the fault of control.rs`)
  return isSeen
}

/** Valgrind runs the tests as they are, and knows of every bit whether it was ever written. */
function memory() {
  if (output('valgrind', ['--version']) === '') throw new Missing('valgrind')
  const suites = ['--test', 'wire', '--test', 'proto']
  // Valgrind makes them some fifty times slower.
  const env = { CARGO_PROFILE_TEST_OPT_LEVEL: '2', CARGO_TARGET_DIR: join(folder, 'memory') }
  const built = output('cargo', ['test', '--no-run', '--message-format=json', ...suites], env)
  const programs = [...built.matchAll(/"executable":"([^"]+)"/g)].map(([, path]) => `${path}`)
  const options = ['--quiet', '--error-exitcode=9', '--leak-check=no']
  const chosen = ['--test-threads=1', '--skip', 'random']
  return (
    programs.length > 0 &&
    programs.every((program) => run('valgrind', [...options, program, ...chosen]))
  )
}

function miri() {
  nightly()
  if (output('cargo', ['+nightly', 'miri', '--version']) === '') {
    throw new Missing('miri: rustup component add miri --toolchain nightly')
  }
  const env = { MIRIFLAGS: '-Zmiri-disable-isolation', CARGO_TARGET_DIR: join(folder, 'miri') }
  const tests = [
    ['--test', 'wire', '--test', 'proto'],
    ['--features', 'node', '--lib', 'node::'],
  ]
  return tests.every((chosen) => run('cargo', ['+nightly', 'miri', 'test', ...chosen], env))
}

/** Without the sanitizer in the standard library's own locks, every use of one looks like a race. */
function thread() {
  const host = nightly()
  const sysroot = output('rustc', ['+nightly', '--print', 'sysroot'])
  if (!existsSync(join(sysroot, 'lib', 'rustlib', 'src', 'rust', 'library', 'std'))) {
    throw new Missing('rust-src: rustup component add rust-src --toolchain nightly')
  }
  const build = ['+nightly', 'test', '-Zbuild-std', '--target', host]
  const tests = [
    ['--lib', 'mailbox'],
    ['--test', 'server', 'late'],
  ]
  return tests.every((chosen) => run('cargo', [...build, ...chosen], instrumented('thread')))
}

/** The machine that the nightly toolchain builds for. */
function nightly() {
  const host = /^host: (.*)$/m.exec(output('rustc', ['+nightly', '-vV']))?.[1]
  if (host === undefined) throw new Missing('a nightly toolchain: rustup toolchain install nightly')
  return host
}

/** @param {string} file */
function runtimeOf(file) {
  const path = output('gcc', [`-print-file-name=${file}`])
  if (!isAbsolute(path)) throw new Missing(`${file}, which comes with gcc`)
  return path
}

/**
 * The environment of a build with a sanitizer in it, in a folder of its own.
 * @param {string} sanitizer
 */
function instrumented(sanitizer) {
  return {
    RUSTFLAGS: `-Zsanitizer=${sanitizer} -Cforce-frame-pointers=yes`,
    CARGO_TARGET_DIR: join(folder, sanitizer),
  }
}

/**
 * The reports of all processes since the last time.
 * @param {string} path
 */
function take(path) {
  mkdirSync(path, { recursive: true })
  const texts = readdirSync(path).map((file) => readFileSync(join(path, file), 'utf8'))
  rmSync(path, { recursive: true })
  mkdirSync(path)
  return texts
}

/**
 * What a command prints; empty if it fails, or isn't there.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [more] variables of its environment
 */
function output(command, args, more = {}) {
  const env = { ...process.env, ...more }
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 28,
  })
  return status === 0 ? stdout.trim() : ''
}
