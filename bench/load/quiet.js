/** Waits until nothing else runs on the machine. */
import { setTimeout as sleep } from 'node:timers/promises'
import { machineCpu } from './usage.js'

/** A machine is quiet after this many seconds in a row in each of which it was idle. */
const SECONDS = 20

/** A second is idle when all programs together used at most this share of a core. */
export const IDLE = 0.05

/**
 * Returns whether the machine became quiet in time. What programs use second by second is asked
 * for, not the load average, which still remembers the scenario before.
 * @param {number} patience in seconds; 0 doesn't wait
 */
export async function becameQuiet(patience) {
  let idle = 0
  for (let waited = 0; waited < patience; waited++) {
    const before = machineCpu()
    await sleep(1000)
    idle = machineCpu() - before <= IDLE * 1e6 ? idle + 1 : 0
    if (idle === SECONDS) return true
  }
  return false
}
