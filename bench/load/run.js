/**
 * The command: reads the options, runs the scenarios, writes the record and prints its tables.
 * Anything wrong ends it with a message and exit code 1, and no record is written.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { machine, pin, source } from './machine.js'
import { measure } from './measure.js'
import { HELP, readOptions } from './options.js'
import { chance } from './stats.js'
import { tables } from './tables.js'
import { version } from './wrk.js'

/** Counted up when the shape of a record changes. */
const FORMAT = 1

/**
 * @typedef {object} Record
 * @property {number} format
 * @property {string} date
 * @property {string[]} command
 * @property {import('./machine.js').Machine} machine
 * @property {{ node: string, v8: string, wrk: string }} versions
 * @property {ReturnType<typeof source>} source
 * @property {Omit<import('./options.js').Options, 'record'> & { isPinned: boolean }} options
 * @property {{ [scenario: string]: import('./measure.js').Measured }} scenarios
 */

/** @param {string[]} args */
async function main(args) {
  const options = readOptions(args)
  if (options === undefined) return console.log(HELP)
  const wrk = version()
  const pinned = { server: pin(options.serverCore), generator: pin(options.generatorCore) }
  const isPinned = pinned.server.length > 0 && pinned.generator.length > 0
  if (!isPinned) {
    pinned.server = pinned.generator = []
    console.error('Not bound to cores (taskset or a core is missing): expect more noise.')
  }
  const { record: path, ...settings } = options
  mkdirSync(dirname(path), { recursive: true })
  /** @type {Record} */
  const record = {
    format: FORMAT,
    date: new Date().toISOString(),
    command: ['node', 'bench/load/run.js', ...args.filter(isOfTheRun)],
    machine: machine(),
    versions: { node: process.versions.node, v8: process.versions.v8, wrk },
    source: source(),
    options: { ...settings, isPinned },
    scenarios: {},
  }
  const random = chance(options.seed)
  for (const scenario of options.scenarios) {
    console.error(`${scenario}: ${options.rounds + 1} rounds of ${options.duration} s a server`)
    record.scenarios[scenario] = await measure(scenario, options, { ...pinned, random })
  }
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`)
  console.log(tables(record))
  console.log(`recorded in ${path}`)
}

/**
 * Leaves out where the record went, which says nothing about it.
 * @param {string} argument
 * @param {number} index
 * @param {string[]} all
 */
function isOfTheRun(argument, index, all) {
  return !argument.startsWith('--record') && all[index - 1] !== '--record'
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    console.error(/** @type {Error} */ (error).message)
    process.exitCode = 1
  }
}
