/** Programs in processes of their own, for tests of how a process lives and ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Longest life of a child, in milliseconds. */
const PATIENCE = 10_000

/** Starts a module given as text; `what.file` starts a file instead. */
export function start(t, code, { file, env = {}, flags = [] } = {}) {
  const program = file === undefined ? ['--input-type=module', '-e', code] : [file]
  const child = spawn(process.execPath, [...flags, ...program], {
    cwd: root,
    env: { ...process.env, PORT: '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const running = { child, stdout: '', stderr: '', ended: once(child, 'close') }
  child.stdout.on('data', (chunk) => {
    running.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    running.stderr += chunk
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  running.ended.then(() => clearTimeout(timer))
  t.after(() => child.kill('SIGKILL'))
  return running
}

/** Runs a module to its end. */
export async function run(t, code, options) {
  const running = start(t, code, options)
  const [exitCode, signal] = await running.ended
  return { exitCode, signal, stdout: running.stdout, stderr: running.stderr }
}

/** Waits until the output of a child matches, and gives the match. */
export async function printed(running, pattern) {
  for (;;) {
    const match = pattern.exec(running.stdout)
    if (match) return match
    const over = await Promise.race([
      once(running.child.stdout, 'data').then(() => false),
      running.ended.then(() => true),
    ])
    if (over && !pattern.test(running.stdout)) {
      throw new Error(`ended without ${pattern}: ${running.stdout}${running.stderr}`)
    }
  }
}
