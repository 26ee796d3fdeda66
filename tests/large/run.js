/**
 * The promises about large bodies and many clients at full size: runs every form, prints by how much
 * the server's memory grew, or the proxy's, and fails if one grew too much, was wrong, or took too long. Some minutes
 * and gigabytes, on loopback only; an argument is a part of the names to run.
 */
import { forms as clients } from './clients.js'
import { forms as echo } from './echo.js'
import { MEBIBYTE } from './measured.js'
import { forms as proxy } from './proxy.js'

/** Longest time of a form, in milliseconds. */
const PATIENCE = 120_000

const wanted = process.argv[2] ?? ''
const forms = [...echo, ...clients, ...proxy].filter(({ name }) => name.includes(wanted))
if (forms.length === 0) {
  console.error(`no form is called like ${wanted}`)
  process.exit(1)
}

const mebibytes = (bytes) => (bytes / MEBIBYTE).toFixed(1).padStart(6)
let hasFailed = false
console.log('RSS grew by, MiB | at most | seconds | ')
for (const { name, most, run } of forms) {
  const began = performance.now()
  const { growth, fault } = await attempt(run)
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(7)
  const verdict = fault ?? (growth < most ? 'ok' : 'TOO MUCH')
  hasFailed ||= verdict !== 'ok'
  const grew = growth === undefined ? '-' : mebibytes(growth)
  console.log(`${grew.padStart(16)} | ${mebibytes(most)} | ${seconds} | ${name}: ${verdict}`)
}
process.exit(hasFailed ? 1 : 0)

async function attempt(run) {
  const signal = AbortSignal.timeout(PATIENCE)
  const late = new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  try {
    return { growth: await Promise.race([run(signal), late]) }
  } catch (error) {
    return { fault: `FAILED: ${error.message}` }
  }
}
