/** The options of the command line, checked. */
import { parseArgs } from 'node:util'
import { scenarios } from './scenarios.js'
import { OWN, servers } from './servers.js'

export const HELP = `Usage: npm run bench -- [options]

  --all                 every scenario on every server
  --scenario NAME       can be repeated; all, or some of (json):
                        ${Object.keys(scenarios).join(', ')}
  --server NAME         can be repeated; all, or some of (the first ones, without peers):
                        ${Object.keys(servers).join(', ')}
  --rounds N            rounds that count, after one that is dropped (15)
  --duration SECONDS    of one server in one round (2)
  --connections N       kept alive by the generator, where the scenario says no other (64)
  --seed N              of the order of the servers in each round (1)
  --server-core N       core that the servers are bound to (0)
  --generator-core N    core that the generator is bound to (1)
  --quiet SECONDS       longest wait, before each scenario, for a machine that does nothing else (0)
  --quick               one round of 0.3 seconds: does it all work?
  --record PATH         file of the record (build/bench.json)
  --help                this text`

/**
 * @typedef {object} Options
 * @property {string[]} scenarios
 * @property {string[]} servers
 * @property {number} rounds
 * @property {number} duration
 * @property {number} connections
 * @property {number} seed
 * @property {number} serverCore
 * @property {number} generatorCore
 * @property {number} quiet
 * @property {boolean} isQuick
 * @property {string} record
 */

/**
 * @param {string[]} args
 * @returns {Options | undefined} undefined when only the help was asked for
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      all: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: ['json'] },
      server: { type: 'string', multiple: true, default: OWN },
      rounds: { type: 'string' },
      duration: { type: 'string' },
      connections: { type: 'string', default: '64' },
      seed: { type: 'string', default: '1' },
      'server-core': { type: 'string', default: '0' },
      'generator-core': { type: 'string', default: '1' },
      quiet: { type: 'string', default: '0' },
      quick: { type: 'boolean', default: false },
      record: { type: 'string', default: 'build/bench.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined

  const preset = values.quick ? { rounds: '1', duration: '0.3' } : { rounds: '15', duration: '2' }
  return {
    scenarios: names('scenario', values.all ? ['all'] : values.scenario, scenarios),
    servers: names('server', values.all ? ['all'] : values.server, servers),
    rounds: whole('rounds', values.rounds ?? preset.rounds, 1),
    duration: atLeast('duration', values.duration ?? preset.duration, 0.1),
    connections: whole('connections', values.connections, 1),
    seed: whole('seed', values.seed, 0),
    serverCore: whole('server-core', values['server-core'], 0),
    generatorCore: whole('generator-core', values['generator-core'], 0),
    quiet: whole('quiet', values.quiet, 0),
    isQuick: values.quick,
    record: values.record,
  }
}

/**
 * Names of a table's rows, in its order.
 * @param {string} kind
 * @param {string[]} wanted
 * @param {object} table
 */
function names(kind, wanted, table) {
  const all = Object.keys(table)
  if (wanted.includes('all')) return all
  const unknown = wanted.find((name) => !all.includes(name))
  if (unknown === undefined) return all.filter((name) => wanted.includes(name))
  throw new Error(`no ${kind} ${unknown}; there are ${all.join(', ')}`)
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} least
 */
function whole(name, text, least) {
  const value = atLeast(name, text, least)
  if (Number.isInteger(value)) return value
  throw new Error(`--${name} is a whole number, not ${text}`)
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} least
 */
function atLeast(name, text, least) {
  const value = text === '' ? Number.NaN : Number(text)
  if (value >= least && value < Infinity) return value
  throw new Error(`--${name} is a number of at least ${least}, not ${text || 'nothing'}`)
}
