/** A record as Markdown. */
import { scenarios } from './scenarios.js'
import { servers } from './servers.js'
import { compared, judged, medians } from './summary.js'

/** @typedef {import('./run.js').Record} Record */
/** @typedef {import('./measure.js').Measured} Measured */

/** @param {Record} record */
export function tables(record) {
  return [facts(record), ...Object.entries(record.scenarios).map(([name, it]) => part(name, it))]
    .join('\n\n')
    .concat('\n')
}

/** @param {Record} record */
function facts({ date, machine, versions, source, options }) {
  const { cpu, cores, memoryGiB, kernel, load } = machine
  return [
    `- Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB; ${kernel}; load before the run ${load[0]}`,
    `- Versions: barewire ${source.version} (${source.commit ?? 'no commit'}), ` +
      `Node.js ${versions.node}, wrk ${versions.wrk}`,
    `- Run: ${date.slice(0, 10)}, ${options.rounds} ${options.rounds === 1 ? 'round' : 'rounds'} of ${options.duration} s a server, ` +
      `${options.connections} connections, seed ${options.seed}, ` +
      `servers ${place(options.isPinned, options.serverCore)}, ` +
      `generator ${place(options.isPinned, options.generatorCore)}`,
  ].join('\n')
}

/**
 * @param {boolean} isPinned
 * @param {number} core
 */
function place(isPinned, core) {
  return isPinned ? `on core ${core}` : 'not bound to a core'
}

/**
 * @param {string} name
 * @param {Measured} measured
 */
function part(name, measured) {
  return [
    `### ${scenarios[name].title}`,
    serverTable(measured),
    ratioTable(measured),
    ...judged(name, measured).map(verdict),
  ].join('\n\n')
}

/** @param {Measured} measured */
function serverTable(measured) {
  const rows = Object.keys(measured.servers).map((server) => {
    const it = medians(measured, server)
    const rate = `${thousands(it.rate)}${it.isLimitedByGenerator ? ' (generator’s limit)' : ''}`
    return [
      servers[server].title,
      it.cpu.toFixed(2),
      it.user.toFixed(2),
      it.system.toFixed(2),
      rate,
      thousands(it.p50),
      thousands(it.p99),
      it.peakRssMiB.toFixed(0),
      `${percent(it.busy)} / ${percent(it.generatorBusy)}`,
    ]
  })
  return table(
    [
      'server',
      'CPU µs a request',
      'user',
      'system',
      'requests a second',
      'p50 µs',
      'p99 µs',
      'peak RSS MiB',
      'busy %: server / wrk',
    ],
    rows,
  )
}

/** @param {Measured} measured */
function ratioTable(measured) {
  const rows = compared(measured).map(({ of, over, isNull, cpu, rate }) => [
    `${servers[of].title} / ${servers[over].title}${isNull ? ' (null run)' : ''}`,
    ...described(cpu),
    ...described(rate),
  ])
  return table(
    ['ratio', 'CPU time', '95 % of the rounds', 'requests a second', '95 % of the rounds'],
    rows,
  )
}

/** @param {{ median: number, low: number, high: number, relative: number }} ratio */
function described({ median, low, high, relative }) {
  const share = (relative * 100).toFixed(1)
  return [median.toFixed(3), `${low.toFixed(3)}–${high.toFixed(3)} (±${share} %)`]
}

/** @param {ReturnType<typeof judged>[number]} target */
function verdict({ of, over, most, ratio, noise, isMet }) {
  const allowed = (most * (1 + noise)).toFixed(3)
  return (
    `Target: CPU time at most ${most} × that of ${servers[over].title}. ${servers[of].title} ` +
    `needs ${ratio.toFixed(3)}; with the noise of the null run up to ${allowed} is allowed: ` +
    `**${isMet ? 'met' : 'missed'}**.`
  )
}

/**
 * A table whose cells are right-aligned but for the first of each row.
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** @param {number} share */
function percent(share) {
  return (share * 100).toFixed(0)
}

/** @param {number} value */
function thousands(value) {
  return Math.round(value).toLocaleString('en-US')
}
