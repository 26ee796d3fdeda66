/** How a generator is run, whichever it is. Knows nothing of what it says. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a generator to its end.
 * @param {string[]} command
 * @param {number} [interruptAfter] seconds; an interrupt ends it early
 */
export async function generate([program, ...args], interruptAfter) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer =
    interruptAfter === undefined
      ? undefined
      : setTimeout(() => child.kill('SIGINT'), interruptAfter * 1000)
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  return { hasFailed: code !== 0, end: signal ?? code, output, errors }
}
