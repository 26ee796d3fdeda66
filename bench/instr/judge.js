/** What counts mean beside a record: the table, what has grown, and whether they compare at all. */

/** A growth above this share fails the check. */
export const MOST_GROWTH = 0.03

/**
 * One path, counted now and in the record; each may be without the other.
 * @typedef {object} Row
 * @property {string} name
 * @property {number} [now]
 * @property {number} [recorded]
 * @property {number} change as a share of what was recorded
 */

/** @typedef {{ [name: string]: import('./record.js').Case }} Cases */

/**
 * @param {Cases} recorded
 * @param {Cases} counted
 * @returns {Row[]}
 */
export function compare(recorded, counted) {
  const names = new Set([...Object.keys(counted), ...Object.keys(recorded)])
  return [...names].map((name) => {
    const now = counted[name]?.instructions
    const before = recorded[name]?.instructions
    const change = now === undefined || before === undefined ? 0 : (now - before) / before
    return { name, now, recorded: before, change }
  })
}

/**
 * Why the check fails, a sentence each.
 * @param {Row[]} rows
 */
export function faults(rows) {
  return rows.flatMap(({ name, now, recorded, change }) => {
    if (recorded === undefined) return [`${name} is not in the record`]
    if (now === undefined) return [`${name} is in the record, but is not counted any more`]
    if (change <= MOST_GROWTH) return []
    return [`${name} has grown from ${recorded} to ${now} instructions (${percent(change)})`]
  })
}

/**
 * What has fallen by more than a growth may be, so that the record should follow.
 * @param {Row[]} rows
 */
export function gains(rows) {
  return rows.filter(({ change }) => change < -MOST_GROWTH)
}

/**
 * What two toolchains differ in; nothing if their counts compare.
 * @param {import('./count.js').Toolchain} recorded
 * @param {import('./count.js').Toolchain} current
 */
export function differences(recorded, current) {
  return Object.entries(recorded).flatMap(([name, was]) => {
    const is = current[/** @type {keyof import('./count.js').Toolchain} */ (name)]
    return is === was ? [] : [`${name} was ${was}, is ${is}`]
  })
}

/**
 * For a terminal.
 * @param {Row[]} rows
 */
export function table(rows) {
  const cells = rows.map(({ name, now, recorded, change }) => [
    name,
    now === undefined ? 'gone' : number(now),
    recorded === undefined ? 'new' : number(recorded),
    percent(change),
  ])
  const all = [['one round of', 'instructions', 'record', 'change'], ...cells]
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)))
  return all
    .map(([name, ...figures]) =>
      [
        name.padEnd(widths[0]),
        ...figures.map((figure, column) => figure.padStart(widths[column + 1])),
      ].join('  '),
    )
    .join('\n')
}

/** @param {number} value */
export function number(value) {
  return value.toLocaleString('en')
}

/** @param {number} share */
function percent(share) {
  const digits = Math.abs(share * 100).toFixed(1)
  return digits === '0.0' ? '' : `${share > 0 ? '+' : '−'}${digits} %`
}
