/**
 * Renders a record. Without arguments, the reference record into the tables of docs/benchmarks.md
 * and its charts beside that; with the path of another record, tables to the standard output.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { charts } from './charts.js'
import { root } from './machine.js'
import { tables } from './tables.js'

export const REFERENCE = `${root}/bench/records/reference.json`
export const PAGE = `${root}/docs/benchmarks.md`
export const CHARTS = `${root}/docs/charts`

const BEGIN = '<!-- tables: written by node bench/load/report.js -->\n'
const END = '<!-- end of tables -->\n'

/**
 * The page with its charts and tables replaced.
 * @param {string} page
 * @param {import('./run.js').Record} record
 */
export function rendered(page, record) {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error('the page has no place for the tables')
  const images = Object.keys(charts(record)).map((name) => `![](charts/${name})`)
  return [
    page.slice(0, begin + BEGIN.length),
    `${images.join('\n')}\n`,
    tables(record),
    page.slice(end),
  ].join('\n')
}

/**
 * @param {string} path
 * @returns {import('./run.js').Record}
 */
export function readRecord(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = process.argv[2]
  if (path !== undefined) {
    console.log(tables(readRecord(path)))
  } else {
    const record = readRecord(REFERENCE)
    writeFileSync(PAGE, rendered(readFileSync(PAGE, 'utf8'), record))
    rmSync(CHARTS, { recursive: true, force: true })
    mkdirSync(CHARTS)
    for (const [name, image] of Object.entries(charts(record))) {
      writeFileSync(`${CHARTS}/${name}`, image)
    }
    console.log('docs/benchmarks.md and docs/charts show bench/records/reference.json')
  }
}
