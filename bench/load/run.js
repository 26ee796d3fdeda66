/**
 * The command: reads the options, runs the scenarios, writes the record and prints its tables.
 * Anything wrong ends it with a message and exit code 1; what was measured whole before that is
 * recorded.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startDatabase } from './database.js'
import { makeFiles } from './fixtures.js'
import { measureIdle } from './idle.js'
import { bind, machine, pin, source } from './machine.js'
import { measure } from './measure.js'
import { Member } from './member.js'
import { ohaItself } from './oha.js'
import { HELP, readOptions } from './options.js'
import { becameQuiet } from './quiet.js'
import { scenarios } from './scenarios.js'
import { servers } from './servers.js'
import { measureStartup } from './startup.js'
import { chance } from './stats.js'
import { tables } from './tables.js'
import { startUpstream } from './upstream.js'
import { version } from './wrk.js'

/** Counted up when the shape of a record changes. */
const FORMAT = 2

const measures = { load: measure, idle: measureIdle, startup: measureStartup }

/**
 * @typedef {object} Record
 * @property {number} format
 * @property {string} date
 * @property {string[]} command
 * @property {import('./machine.js').Machine} machine
 * @property {{ node: string, v8: string, wrk: string, postgresql?: string }} versions
 * @property {ReturnType<typeof source>} source
 * @property {Omit<import('./options.js').Options, 'record'> & { isPinned: boolean }} options
 * @property {{ [server: string]: import('./needs.js').Found }} servers
 * @property {import('./needs.js').Found} oha
 * @property {string} [withoutDatabase] why
 * @property {{ [scenario: string]: import('./measure.js').Measured }} scenarios
 */

/** @param {string[]} args */
async function main(args) {
  const options = readOptions(args)
  if (options === undefined) return console.log(HELP)
  if (process.platform !== 'linux') throw new Error('The benchmark reads /proc: it needs Linux.')
  const wrk = version()
  const pinned = { server: pin(options.serverCore), generator: pin(options.generatorCore) }
  const isPinned = pinned.server.length > 0 && pinned.generator.length > 0
  if (!isPinned) {
    pinned.server = pinned.generator = []
    console.error('Not bound to cores (taskset or a core is missing): expect more noise.')
  }
  // The runner waits while the generator works, and must not meet a server that starts.
  if (isPinned) bind(process.pid, options.generatorCore)
  const { record: path, ...settings } = options
  mkdirSync(dirname(path), { recursive: true })
  makeFiles()
  /** @type {Record} */
  const record = {
    format: FORMAT,
    date: new Date().toISOString(),
    command: ['node', 'bench/load/run.js', ...args.filter(isOfTheRun)],
    machine: machine(),
    versions: { node: process.versions.node, v8: process.versions.v8, wrk },
    source: source(),
    options: { ...settings, isPinned },
    servers: found(options.servers),
    oha: ohaItself(),
    scenarios: {},
  }
  const how = { ...pinned, random: chance(options.seed) }
  for (const name of options.scenarios) {
    const present = options.servers.filter(
      (server) => servers[server].scenarios.includes(name) && !record.servers[server].absent,
    )
    if (options.quiet > 0 && !(await becameQuiet(options.quiet))) {
      console.error('The machine does something else: what follows is no record.')
    }
    console.error(`${scenarios[name].title}: ${present.join(', ')}`)
    const { generator, handler, kind } = scenarios[name]
    if (generator === 'oha' && record.oha.absent !== undefined) {
      console.error(`without this: ${record.oha.absent}`)
    } else if (handler === 'database') {
      await besideDatabase(record, name, present, options, how)
    } else if (handler === 'proxy') {
      await besideUpstream(record, name, present, options, how)
    } else {
      record.scenarios[name] = await measures[kind](name, present, options, how)
    }
    writeFileSync(path, `${JSON.stringify(record)}\n`)
  }
  console.log(tables(record))
  console.log(`recorded in ${path}`)
}

/**
 * Measures the scenario that needs a database, or records why there is none.
 * @param {Record} record
 * @param {string} name
 * @param {string[]} present
 * @param {import('./options.js').Options} options
 * @param {import('./measure.js').How} how
 */
async function besideDatabase(record, name, present, options, how) {
  const database = await startDatabase(how.generator)
  if (database.absent !== undefined) {
    record.withoutDatabase = database.absent
    return console.error(`without the database: ${database.absent}`)
  }
  try {
    record.versions.postgresql = database.version
    const besides = { ...how, beside: database.pid }
    record.scenarios[name] = await measure(name, present, options, besides)
  } finally {
    await database.stop()
  }
}

/**
 * Measures the scenario whose servers ask another one.
 * @param {Record} record
 * @param {string} name
 * @param {string[]} present
 * @param {import('./options.js').Options} options
 * @param {import('./measure.js').How} how
 */
async function besideUpstream(record, name, present, options, how) {
  if (present.length === 0) return
  const upstream = await startUpstream(how.generator)
  if (upstream.absent !== undefined) {
    return console.error(`without the upstream: ${upstream.absent}`)
  }
  try {
    const besides = { ...how, beside: upstream.pid }
    record.scenarios[name] = await measure(name, present, options, besides)
  } finally {
    await upstream.stop()
  }
}

/**
 * The version of each server, or why it can't be had.
 * @param {string[]} names
 */
function found(names) {
  const all = Object.fromEntries(names.map((name) => [name, servers[name].find()]))
  for (const [name, { absent }] of Object.entries(all)) {
    if (absent) console.error(`without ${name}: ${absent}`)
  }
  return all
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
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.once(signal, () => {
      Member.killAll()
      process.exit(1)
    })
  }
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    console.error(/** @type {Error} */ (error).message)
    process.exitCode = 1
  }
}
