/**
 * How a server of the table gets its orders: PORT, SCENARIO and the folder of files from the
 * environment. Knows nothing of HTTP, and runs in each JavaScript engine of the table.
 */
import process from 'node:process'

/**
 * The handler of the scenario that was asked for.
 * @template T
 * @param {Record<string, T>} handlers by scenario
 * @returns {T}
 */
export function choose(handlers) {
  const scenario = process.env.SCENARIO ?? 'json'
  if (!Object.hasOwn(handlers, scenario)) {
    throw new Error(`no scenario ${scenario}; there are ${Object.keys(handlers).join(', ')}`)
  }
  return handlers[scenario]
}

export const hostname = '127.0.0.1'

export const port = Number(process.env.PORT ?? 3000)

/**
 * Reads a row of the database of that scenario, by the same client and pool for all.
 * @type {((id: number) => Promise<unknown>) | undefined}
 */
export const readRow =
  process.env.SCENARIO === 'database' ? (await import('../peers/database.js')).readRow : undefined

/** Holds the files of the scenarios; the runner makes it, see `fixtures.js`. */
export const files = process.env.FILES ?? 'build/bench/files'
