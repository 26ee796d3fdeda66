/** The little statistics that the room needs, and chance that can be repeated. */

/**
 * The quantile of a sample, interpolated between its neighbours.
 * @param {number[]} sample
 * @param {number} share between 0 and 1
 */
export function quantile(sample, share) {
  if (sample.length === 0) throw new RangeError('an empty sample has no quantile')
  const sorted = sample.toSorted((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)]
  return below + (sorted[Math.ceil(place)] - below) * (place % 1)
}

/** @param {number[]} sample */
export function median(sample) {
  return quantile(sample, 0.5)
}

/**
 * The middle 95 % of a sample: its bounds, and half its width as a share of the median.
 * @param {number[]} sample
 */
export function spread95(sample) {
  const low = quantile(sample, 0.025)
  const high = quantile(sample, 0.975)
  return { low, high, relative: (high - low) / 2 / median(sample) }
}

/**
 * A source of chance from a seed (mulberry32), so that a run can be repeated in its order.
 * @param {number} seed
 * @returns {() => number} numbers from 0 up to but not including 1
 */
export function chance(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * A copy in a chance order.
 * @template T
 * @param {readonly T[]} items
 * @param {() => number} random
 */
export function shuffled(items, random) {
  const copy = [...items]
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[copy[last], copy[other]] = [copy[other], copy[last]]
  }
  return copy
}
