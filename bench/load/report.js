/**
 * Renders a record as Markdown. Without arguments, the reference record into the tables of
 * docs/benchmarks.md; with the path of another record, to the standard output.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { root } from './machine.js'
import { tables } from './tables.js'

export const REFERENCE = `${root}/bench/records/reference.json`
export const PAGE = `${root}/docs/benchmarks.md`

const BEGIN = '<!-- tables: written by node bench/load/report.js -->\n'
const END = '<!-- end of tables -->\n'

/**
 * The page with its tables replaced.
 * @param {string} page
 * @param {import('./run.js').Record} record
 */
export function rendered(page, record) {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error('the page has no place for the tables')
  return `${page.slice(0, begin + BEGIN.length)}\n${tables(record)}\n${page.slice(end)}`
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
  if (path === undefined) {
    writeFileSync(PAGE, rendered(readFileSync(PAGE, 'utf8'), readRecord(REFERENCE)))
    console.log('docs/benchmarks.md shows bench/records/reference.json')
  } else {
    console.log(tables(readRecord(path)))
  }
}
