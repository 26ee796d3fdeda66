/**
 * Reads the tables of tests/golden/smuggling/; its README has the notation. Knows nothing of the
 * server. tests/proto/verdicts.rs is the same for Rust.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('../golden/smuggling/', import.meta.url)

/** All rows, by the name of their file. */
export function loadVerdicts() {
  const files = readdirSync(folder).filter((name) => name !== 'README.md')
  return Object.fromEntries(
    files.map((name) => [name, tables(readFileSync(new URL(name, folder), 'utf8'))]),
  )
}

/** The rows of a document, each in the frame that stands before its table. */
function tables(text) {
  const sections = text.matchAll(/^```request\n(.*?)^```\n+((?:^\|[^\n]*\n)+)/gms)
  return [...sections].flatMap(([, frame, table]) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((line) => row(line, frame.replaceAll('\n', ''))),
  )
}

function row(line, frame) {
  const cells = line.split('|').slice(1, -1)
  const [id, bytes, answers, seen, section, why] = cells.map((cell) => cell.trim())
  assert.equal(cells.length, 6, line)
  assert.match(section, /^(?:3986|6585|9110|9112) §\d+(?:\.\d+)*$/, line)
  assert.notEqual(why, '', line)
  const place = bytes === '–' ? '' : /^`(.*)`$/.exec(bytes)[1]
  return {
    id,
    bytes: bytesOf(frame.replace('{}', () => place)),
    outcomes: answers.split(' or ').map(outcome),
    seen: [...seen.matchAll(/`([^`]*)`(?: → `([^`]*)`)?/g)].map(([, request, url]) => ({
      request: bytesOf(request),
      url,
    })),
  }
}

/** `200 400 closes`, for example. */
function outcome(text) {
  const [, statuses, then] = /^((?:\d{3} )*)(open|closes|waits)$/.exec(text) ?? assert.fail(text)
  return { statuses: statuses.trim().split(' ').filter(Boolean).map(Number), then }
}

const LETTERS = { r: '\r', n: '\n', t: '\t', '\\': '\\' }

/** The bytes that an escaped text stands for, one character each. */
function bytesOf(text) {
  const escapes = /\\(?:\{(.*?)\*(\d+)\}|x([0-9a-f]{2})|(.))/g
  return text.replace(escapes, (escaped, unit, times, hex, letter) => {
    if (unit !== undefined) return bytesOf(unit).repeat(Number(times))
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return LETTERS[letter] ?? assert.fail(`no such escape: ${escaped}`)
  })
}
