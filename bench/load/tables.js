/** A record as Markdown. */
import { scenarios } from './scenarios.js'
import { servers } from './servers.js'
import { compared, disturbance, isLimitedByGenerator, noise, typical } from './summary.js'
import { judged } from './targets.js'

/** @typedef {import('./run.js').Record} Record */
/** @typedef {import('./measure.js').Measured} Measured */

/** @param {Record} record */
export function tables(record) {
  return [
    facts(record),
    '### Targets',
    targetTable(record),
    '### CPU µs a request, all scenarios by wrk',
    overview(record, undefined, 'cpu'),
    ...(record.scenarios['oha-json'] === undefined ? [] : byOha(record)),
    ...Object.entries(record.scenarios).flatMap(([name, measured]) => part(name, measured)),
  ]
    .join('\n\n')
    .concat('\n')
}

/** @param {Record} record */
function facts({ date, command, machine, versions, source, options, ...record }) {
  const { cpu, cores, memoryGiB, kernel, load } = machine
  const found = Object.entries(record.servers)
  const present = found.filter(([, { version }]) => version !== undefined)
  const isDisturbed = Object.values(record.scenarios).some((it) => disturbance(it)?.isDisturbed)
  return [
    `- Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB; ${kernel}; load before the run ${load[0]}`,
    `- Versions: barewire ${source.version} (${source.commit ?? 'no commit'}), ` +
      `Node.js ${versions.node}, wrk ${versions.wrk}` +
      (record.oha?.version === undefined ? '' : `, oha ${record.oha.version}`) +
      (versions.postgresql === undefined ? '' : `, PostgreSQL ${versions.postgresql}`),
    `- Servers: ${present.map(([name, { version }]) => `${servers[name].title} (${version})`).join(', ')}`,
    ...found.flatMap(([name, { absent }]) =>
      absent === undefined ? [] : [`- Absent: ${servers[name].title}, for ${absent}`],
    ),
    ...(record.withoutDatabase ? [`- Absent: the database, for ${record.withoutDatabase}`] : []),
    `- Run: ${date.slice(0, 10)}, ${options.rounds} ${options.rounds === 1 ? 'round' : 'rounds'} of ` +
      `${options.duration} s a server, seed ${options.seed}, ` +
      `servers ${place(options.isPinned, options.serverCore)}, ` +
      `generator ${place(options.isPinned, options.generatorCore)}: \`${command.join(' ')}\``,
    ...(isDisturbed ? ['- **Other programs were busy meanwhile: this is no record.**'] : []),
  ].join('\n')
}

/**
 * @param {boolean} isPinned
 * @param {number} core
 */
function place(isPinned, core) {
  return isPinned ? `on core ${core}` : 'not bound to a core'
}

const FIGURES = /** @type {{ [figure: string]: string }} */ ({
  cpu: 'CPU µs a request',
  rate: 'requests a second',
  p50: 'p50',
  p99: 'p99',
  kib: 'KiB a connection',
  ms: 'ms',
})

/** @param {Record} record */
function targetTable(record) {
  const rows = judged(record).map(({ target, found, noise, verdict }) => {
    const { scenario, figure, of, over, isDifference, most, least } = target
    const base = over === undefined ? '' : `${isDifference ? ' −' : ' /'} ${servers[over].title}`
    return [
      `${scenarios[scenario].title}: ${FIGURES[figure]}, ${servers[of].title}${base}`,
      most === undefined ? `≥ ${rounded(least)}` : `≤ ${most}`,
      ...(found === undefined ? ['', ''] : [spread(found), `±${percent(noise)} %`]),
      verdict,
    ]
  })
  return table(['what', 'target', 'median (95 % of the rounds)', 'noise', 'verdict'], rows)
}

/** @param {number | undefined} value */
function rounded(value) {
  return value === undefined ? 'that of the JSON hello' : String(Number(value.toFixed(2)))
}

/** @param {Record} record */
function byOha(record) {
  return [
    '### Requests a second by oha, 100 connections',
    overview(record, 'oha', 'rate'),
    '### CPU µs a request by oha, 100 connections',
    overview(record, 'oha', 'cpu'),
  ]
}

/**
 * One figure of all scenarios of a generator.
 * @param {Record} record
 * @param {'oha' | undefined} generator
 * @param {'cpu' | 'rate'} figure
 */
function overview(record, generator, figure) {
  const parts = Object.entries(record.scenarios).filter(
    ([name]) => scenarios[name].kind === 'load' && scenarios[name].generator === generator,
  )
  const columns = Object.keys(record.servers).filter((server) =>
    parts.some(([, { samples }]) => samples[server] !== undefined),
  )
  const rows = parts.map(([name, measured]) => [
    scenarios[name].title,
    ...columns.map((server) =>
      measured.samples[server] === undefined ? '–' : micros(typical(measured, server, figure)),
    ),
  ])
  return table(['scenario', ...columns.map((server) => servers[server].title)], rows)
}

/**
 * @param {string} name
 * @param {Measured} measured
 */
function part(name, measured) {
  const { kind, title } = scenarios[name]
  const head = `### ${title}`
  if (kind === 'idle') return [head, plainTable(measured, 'kib', 'KiB a connection')]
  if (kind === 'startup') return [head, plainTable(measured, 'ms', 'ms')]
  return [head, loadTable(measured), quality(measured)]
}

/**
 * Of a scenario in which one figure is measured.
 * @param {Measured} measured
 * @param {string} figure
 * @param {string} unit
 */
function plainTable(measured, figure, unit) {
  const rows = Object.keys(measured.samples).map((server) => {
    const { median, low, high } = compared(measured, { of: server }, figure)
    return [
      servers[server].title,
      median.toFixed(2),
      `${low.toFixed(2)}–${high.toFixed(2)}`,
      mebibytes(measured, server),
    ]
  })
  return table(['server', unit, '95 % of the rounds', 'peak RSS MiB'], rows)
}

/** @param {Measured} measured */
function loadTable(measured) {
  const hasBase = measured.samples.barewire !== undefined
  const rows = Object.keys(measured.samples).map((server) => {
    /** @param {string} figure */
    const of = (figure) => typical(measured, server, figure)
    const isLimited = isLimitedByGenerator(measured, server)
    const pair = { of: 'barewire', over: server }
    return [
      servers[server].title,
      micros(of('cpu')),
      micros(of('userCpu')),
      micros(of('systemCpu')),
      hasBase ? spread(compared(measured, pair, 'cpu')) : '',
      `${thousands(of('rate'))}${isLimited ? ' (generator’s limit)' : ''}`,
      thousands(of('p50')),
      thousands(of('p99')),
      thousands(of('p999')),
      mebibytes(measured, server),
      measured.servers[server].calls?.toFixed(2) ?? '',
      `${percent(of('busy'))} / ${percent(of('generatorBusy'))}`,
    ]
  })
  return table(
    [
      'server',
      'CPU µs a request',
      'user',
      'system',
      'barewire’s CPU over it (95 % of the rounds)',
      'requests a second',
      'p50 µs',
      'p99 µs',
      'p99.9 µs',
      'peak RSS MiB',
      'system calls a request',
      'busy %: server / generator',
    ],
    rows,
  )
}

/** @param {Measured} measured */
function quality(measured) {
  const { median, most, isDisturbed } = /** @type {NonNullable<ReturnType<typeof disturbance>>} */ (
    disturbance(measured)
  )
  const spread = noise(measured, 'cpu')
  return [
    ...(spread === undefined ? [] : [`Noise of the CPU ratios: ±${percent(spread)} %.`]),
    `Other programs used ${percent(median)} % of a core, in 95 % of the runs at most ` +
      `${percent(most)} %${isDisturbed ? ': **disturbed**' : ''}.`,
  ].join(' ')
}

/** @param {{ median: number, low: number, high: number }} found */
function spread({ median, low, high }) {
  return `${median.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`
}

/**
 * @param {Measured} measured
 * @param {string} server
 */
function mebibytes({ servers }, server) {
  return (Number(servers[server].peakRss) / 1024).toFixed(0)
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
  return (share * 100).toFixed(share < 0.1 ? 1 : 0)
}

/** @param {number} value */
function micros(value) {
  return value < 100 ? value.toFixed(2) : thousands(value)
}

/** @param {number} value */
function thousands(value) {
  return Math.round(value).toLocaleString('en-US')
}
