/** What the rounds of a record say: medians, ratios of paired rounds, targets. */
import { scenarios } from './scenarios.js'
import { comparisons } from './servers.js'
import { median, spread95 } from './stats.js'

/** A process that is busy for this share of a run and more is what limits it. */
const SATURATED = 0.95

/** @typedef {import('./measure.js').Measured} Measured */
/** @typedef {import('./measure.js').Round} Round */

/** @param {Round} round */
const cpu = ({ user, system, requests }) => (user + system) / requests

/** @param {Round} round */
const rate = ({ requests, micros }) => (requests / micros) * 1e6

/** @param {Round} round */
const busy = ({ user, system, micros }) => (user + system) / micros

/** @param {Round} round */
const generatorBusy = ({ generator, micros }) => generator / micros

/**
 * The medians of a server over the rounds; times in microseconds.
 * @param {Measured} measured
 * @param {string} server
 */
export function medians({ rounds, servers }, server) {
  /** @param {(round: Round) => number} value */
  const of = (value) => median(rounds.map((round) => value(round[server])))
  return {
    rate: of(rate),
    cpu: of(cpu),
    user: of(({ user, requests }) => user / requests),
    system: of(({ system, requests }) => system / requests),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    peakRssMiB: servers[server].peakRss / 1024,
    busy: of(busy),
    generatorBusy: of(generatorBusy),
    isLimitedByGenerator: of(generatorBusy) >= SATURATED,
  }
}

/**
 * The ratios of two servers, one a round.
 * @param {Measured} measured
 * @param {{ of: string, over: string }} pair
 */
export function ratios({ rounds }, { of, over }) {
  /** @param {(round: Round) => number} value */
  const describe = (value) => {
    const sample = rounds.map((round) => value(round[of]) / value(round[over]))
    return { median: median(sample), ...spread95(sample) }
  }
  return { cpu: describe(cpu), rate: describe(rate) }
}

/**
 * Each comparison of a scenario, and how far two runs of one server differ.
 * @param {Measured} measured
 */
export function compared(measured) {
  return comparisons.map((pair) => ({ ...pair, ...ratios(measured, pair) }))
}

/**
 * The targets of a scenario against what was measured. A target holds when the median ratio is at
 * most the target and the spread of the null comparison on top of it.
 * @param {string} scenario
 * @param {Measured} measured
 */
export function judged(scenario, measured) {
  const noise = compared(measured).find(({ isNull }) => isNull)?.cpu.relative ?? 0
  return (scenarios[scenario].targets ?? []).map((target) => {
    const ratio = ratios(measured, target).cpu.median
    return { ...target, ratio, noise, isMet: ratio <= target.most * (1 + noise) }
  })
}
