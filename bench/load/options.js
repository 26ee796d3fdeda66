/** The options of the command line, checked. */
import { parseArgs } from 'node:util'
import { scenarios } from './scenarios.js'

export const HELP = `Usage: npm run bench -- [options]

  --all                 every scenario instead of the JSON hello
  --scenario NAME       one scenario, can be repeated: ${Object.keys(scenarios).join(', ')}
  --rounds N            rounds that count, after one that is dropped (15)
  --duration SECONDS    of one server in one round (2)
  --connections N       kept alive by the generator (64)
  --seed N              of the order of the servers in each round (1)
  --server-core N       core that the servers are bound to (0)
  --generator-core N    core that the generator is bound to (1)
  --quick               one round of 0.3 seconds: does it all work?
  --record PATH         file of the record (build/bench.json)
  --help                this text`

/**
 * @typedef {object} Options
 * @property {string[]} scenarios
 * @property {number} rounds
 * @property {number} duration
 * @property {number} connections
 * @property {number} seed
 * @property {number} serverCore
 * @property {number} generatorCore
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
      rounds: { type: 'string' },
      duration: { type: 'string' },
      connections: { type: 'string', default: '64' },
      seed: { type: 'string', default: '1' },
      'server-core': { type: 'string', default: '0' },
      'generator-core': { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
      record: { type: 'string', default: 'build/bench.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined

  const names = values.all ? Object.keys(scenarios) : values.scenario
  const unknown = names.find((name) => !Object.hasOwn(scenarios, name))
  if (unknown !== undefined) {
    throw new Error(`no scenario ${unknown}; there are ${Object.keys(scenarios).join(', ')}`)
  }
  const preset = values.quick ? { rounds: '1', duration: '0.3' } : { rounds: '15', duration: '2' }
  return {
    scenarios: names,
    rounds: whole('rounds', values.rounds ?? preset.rounds, 1),
    duration: atLeast('duration', values.duration ?? preset.duration, 0.1),
    connections: whole('connections', values.connections, 1),
    seed: whole('seed', values.seed, 0),
    serverCore: whole('server-core', values['server-core'], 0),
    generatorCore: whole('generator-core', values['generator-core'], 0),
    record: values.record,
  }
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
