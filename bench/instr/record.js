/** The record of the counts, and the page that shows it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { number } from './judge.js'

const RECORD = fileURLToPath(new URL('record.json', import.meta.url))
export const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

const BEGIN = '<!-- counts: written by npm run bench:instr -- --accept -->\n'
const END = '<!-- end of counts -->\n'

/**
 * A path as `main.rs` names it, and what one round of it costs.
 * @typedef {object} Case
 * @property {string} what
 * @property {number} instructions
 */

/**
 * @typedef {object} Record
 * @property {import('./count.js').Toolchain} toolchain
 * @property {{ [name: string]: Case }} cases
 */

/** @returns {Record} */
export function readRecord() {
  return JSON.parse(readFileSync(RECORD, 'utf8'))
}

/**
 * Makes these counts the record, and shows them on the page.
 * @param {Record} record
 */
export function accept(record) {
  writeFileSync(RECORD, `${JSON.stringify(record, null, 2)}\n`)
  writeFileSync(PAGE, rendered(readFileSync(PAGE, 'utf8'), record))
}

/**
 * The page with its table replaced.
 * @param {string} page
 * @param {Record} record
 */
export function rendered(page, record) {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error('the page has no place for the counts')
  return `${page.slice(0, begin + BEGIN.length)}\n${table(record)}\n${page.slice(end)}`
}

/** @param {Record} record */
function table({ toolchain: { rustc, target, libc, valgrind, avx2 }, cases }) {
  const rows = Object.entries(cases).map(
    ([name, { what, instructions }]) => `| \`${name}\` | ${what} | ${number(instructions)} |`,
  )
  return `Counted with ${rustc} for ${target}, ${libc}, valgrind ${valgrind}, ${avx2 ? 'with' : 'without'} AVX2.

| case | one round is | instructions |
| --- | --- | --: |
${rows.join('\n')}
`
}
