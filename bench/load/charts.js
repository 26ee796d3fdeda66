/** A scenario of a record as a chart: a bar of CPU time for each server, as an SVG image. */
import { scenarios } from './scenarios.js'
import { servers } from './servers.js'
import { typical } from './summary.js'

const WIDTH = 720
const LABELS = 190
const VALUES = 70
const ROW = 24
const TOP = 44

/** Readable on a white page and on a dark one. */
const STYLE = `text { font: 13px system-ui, sans-serif; fill: #767b82 }
.title { font-weight: 600; font-size: 15px }
.user { fill: #3b82f6 }
.system { fill: #9ca3af }
.own .user { fill: #f97316 }
.own .system { fill: #fdba74 }`

/**
 * The charts of a record by file name; scenarios without load have none.
 * @param {import('./run.js').Record} record
 * @returns {{ [name: string]: string }}
 */
export function charts(record) {
  const loaded = Object.entries(record.scenarios).filter(
    ([name]) => scenarios[name].kind === 'load',
  )
  return Object.fromEntries(
    loaded.map(([name, measured]) => [`${name}.svg`, chart(scenarios[name].title, measured)]),
  )
}

/**
 * @param {string} title
 * @param {import('./measure.js').Measured} measured
 */
function chart(title, measured) {
  const bars = Object.keys(measured.samples)
    .filter((server) => server !== 'barewire-again')
    .map((server) => ({
      server,
      cpu: typical(measured, server, 'cpu'),
      user: typical(measured, server, 'userCpu'),
    }))
    .sort((a, b) => a.cpu - b.cpu)
  const scale = (WIDTH - LABELS - VALUES) / Math.max(...bars.map(({ cpu }) => cpu))
  const height = TOP + bars.length * ROW + 8
  const head = `${title}: CPU µs a request, user and system, less is better`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${head}</title>`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="0" y="20">${head}</text>`,
    ...bars.map((it, index) => bar(it, TOP + index * ROW, scale)),
    '</svg>\n',
  ].join('\n')
}

/**
 * @param {{ server: string, cpu: number, user: number }} it
 * @param {number} y
 * @param {number} scale
 */
function bar({ server, cpu, user }, y, scale) {
  const middle = LABELS + Math.min(user, cpu) * scale
  const end = LABELS + cpu * scale
  const own = server.includes('barewire') ? ' class="own"' : ''
  const value = cpu < 100 ? cpu.toFixed(2) : Math.round(cpu).toLocaleString('en-US')
  return [
    `<g${own}>`,
    `<text x="${LABELS - 8}" y="${y + 15}" text-anchor="end">${servers[server].title}</text>`,
    `<rect class="user" x="${LABELS}" y="${y + 3}" ${size(middle - LABELS)}/>`,
    `<rect class="system" x="${middle.toFixed(1)}" y="${y + 3}" ${size(end - middle)}/>`,
    `<text x="${(end + 6).toFixed(1)}" y="${y + 15}">${value}</text>`,
    '</g>',
  ].join('')
}

/** @param {number} width */
function size(width) {
  return `width="${width.toFixed(1)}" height="${ROW - 6}"`
}
