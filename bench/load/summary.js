/** What the samples of a record say: medians, ratios of paired rounds, how undisturbed it was. */
import { IDLE } from './quiet.js'
import { NULL } from './servers.js'
import { median, quantile, spread95 } from './stats.js'

/** A process that is busy for this share of a run and more is what limits it. */
const SATURATED = 0.95

/** @typedef {import('./measure.js').Measured} Measured */
/** @typedef {import('./measure.js').Samples} Samples */

/**
 * The figures that are made of samples; the others are samples themselves.
 * @type {{ [figure: string]: (samples: Samples, round: number) => number }}
 */
const derived = {
  cpu: ({ user, system, requests }, i) => (user[i] + system[i]) / requests[i],
  userCpu: ({ user, requests }, i) => user[i] / requests[i],
  systemCpu: ({ system, requests }, i) => system[i] / requests[i],
  rate: ({ requests, micros }, i) => (requests[i] / micros[i]) * 1e6,
  busy: ({ user, system, micros }, i) => (user[i] + system[i]) / micros[i],
  generatorBusy: ({ generator, micros }, i) => generator[i] / micros[i],
  othersBusy: ({ others, micros }, i) => others[i] / micros[i],
}

/**
 * A figure of a server in each round.
 * @param {Measured} measured
 * @param {string} server
 * @param {string} figure
 * @returns {number[]}
 */
export function values({ samples }, server, figure) {
  const of = samples[server]
  if (!Object.hasOwn(derived, figure)) return of[figure]
  return of.requests.map((_, round) => derived[figure](of, round))
}

/**
 * The median of a figure over the rounds.
 * @param {Measured} measured
 * @param {string} server
 * @param {string} figure
 */
export function typical(measured, server, figure) {
  return median(values(measured, server, figure))
}

/**
 * Whether the generator was what limited a server's rounds.
 * @param {Measured} measured
 * @param {string} server
 */
export function isLimitedByGenerator(measured, server) {
  return typical(measured, server, 'generatorBusy') >= SATURATED
}

/**
 * The ratio of two servers within each round, or their difference, or one server alone: its median
 * and its spread.
 * @param {Measured} measured
 * @param {{ of: string, over?: string, isDifference?: boolean }} pair
 * @param {string} figure
 */
export function compared(measured, { of, over, isDifference }, figure) {
  const base = over === undefined ? undefined : values(measured, over, figure)
  const sample = values(measured, of, figure).map((value, round) => {
    if (base === undefined) return value
    return isDifference ? value - base[round] : value / base[round]
  })
  return { median: median(sample), ...spread95(sample) }
}

/**
 * How far two runs of one server differ in a figure, as a share of it; undefined where there was
 * only one.
 * @param {Measured} measured
 * @param {string} figure
 */
export function noise(measured, figure) {
  const isThere = [NULL.of, NULL.over].every((name) => Object.hasOwn(measured.samples, name))
  return isThere ? compared(measured, NULL, figure).relative : undefined
}

/**
 * What other programs used meanwhile, as a share of a core: the median of all runs, and what it
 * was at most in 95 % of them. More than idle ones use is a disturbance. Undefined where nothing
 * was under load.
 * @param {Measured} measured
 */
export function disturbance(measured) {
  const all = Object.entries(measured.samples).flatMap(([server, { others }]) =>
    others === undefined ? [] : values(measured, server, 'othersBusy'),
  )
  if (all.length === 0) return undefined
  return { median: median(all), most: quantile(all, 0.95), isDisturbed: median(all) > IDLE }
}
