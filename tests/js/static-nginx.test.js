/** Files are served as nginx serves them, row by row of a recorded table, but where a rule says otherwise. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { serve, serveStatic } from 'barewire'
import { Client } from './raw.js'
import { makeFiles, nameOf, play, readTable } from './static-table.js'

const table = readTable()
const recorded = new Map(table.rows.map((row) => [nameOf(row), row.answer]))

const LETTERS = 'GET /letters.txt'
const NOTHING = { status: 404, fields: {} }
const NOT_ALLOWED = { status: 405, fields: { allow: 'GET, HEAD' } }

/** nginx's answer to another row. */
const like = (name) => {
  assert.ok(recorded.has(name), `a row of the table: ${name}`)
  return recorded.get(name)
}

/** Where nginx isn't followed: the rule, the answer that it asks for, the rows that it is about. */
const DIFFERENCES = [
  [
    'RFC 9110 §15.5.6: 405 has an Allow',
    NOT_ALLOWED,
    ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((method) => `${method} /letters.txt`),
    ['POST /letters.txt | If-None-Match: $etag', 'POST /letters.txt | Range: bytes=0-9'],
  ],
  [
    'RFC 9110 §14.2: Range is for GET alone',
    like('HEAD /letters.txt'),
    ['bytes=0-9', 'bytes=100-'].map((range) => `HEAD /letters.txt | Range: ${range}`),
  ],
  [
    'RFC 9110 §14.2: an invalid Range is ignored, not refused or half understood',
    like(LETTERS),
    ['9-0', 'a-b', '0', '-', '0-9,a-b', '0x0-1', '0--1', '+0-1', ',', '0-4,bytes=5-9'].map(
      (set) => `${LETTERS} | Range: bytes=${set}`,
    ),
    [`${LETTERS} | Range: bytes=0-4 | Range: bytes=10-14`],
  ],
  [
    'RFC 9110 §14.2, §17.15: more than two ranges over one byte',
    like(LETTERS),
    [`${LETTERS} | Range: bytes=0-4,0-4,0-4`],
  ],
  [
    'RFC 9110 §14.1.2: no number is too large',
    like(`${LETTERS} | Range: bytes=0-25`),
    ['0-99999999999999999999999', '-99999999999999999999999'].map(
      (set) => `${LETTERS} | Range: bytes=${set}`,
    ),
  ],
  [
    'RFC 9110 §5.6.1.2: empty elements of a list are skipped',
    like(`${LETTERS} | Range: bytes=0-4, 10-14`),
    [`${LETTERS} | Range: bytes=0-4,,10-14`],
  ],
  [
    'RFC 9110 §14.2: a Range may be ignored, and nothing has no parts',
    like('GET /empty.txt'),
    ['GET /empty.txt | Range: bytes=5-9'],
  ],
  [
    'RFC 9110 §13.1.3: not modified since a later date either; no date where there is a tag',
    like(`${LETTERS} | If-None-Match: $etag`),
    [
      `${LETTERS} | If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT`,
      `${LETTERS} | If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT`,
      `${LETTERS} | If-None-Match: $etag | If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT`,
    ],
  ],
  [
    'RFC 9110 §13.1.4: what is no date is ignored, and any date where there is a tag',
    like(LETTERS),
    [
      `${LETTERS} | If-Unmodified-Since: yesterday`,
      `${LETTERS} | If-Unmodified-Since: `,
      `${LETTERS} | If-Match: $etag | If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT`,
    ],
  ],
  [
    'RFC 9110 §5.3: the lines of a list are one list',
    like(`${LETTERS} | If-None-Match: $etag`),
    [`${LETTERS} | If-None-Match: "other" | If-None-Match: $etag`],
  ],
  [
    'RFC 3986 §5.2.4: what is above the root is the root, so this is another path',
    like(LETTERS),
    ['GET /../letters.txt'],
  ],
  [
    'RFC 3986 §5.2.4, and no file has that path',
    NOTHING,
    [
      'GET /../outside/secret.txt',
      'GET /%2e%2e/outside/secret.txt',
      'GET /folder/../../outside/secret.txt',
    ],
  ],
  [
    'RFC 3986 §2.2, §3.3: an encoded slash is data, and an empty segment is a segment',
    NOTHING,
    ['GET /folder%2finner.txt', 'GET /folder%2Finner.txt'],
    ['GET /..%2foutside/secret.txt', 'GET /%2e%2e%2foutside%2fsecret.txt'],
    ['GET //letters.txt', 'GET /folder//inner.txt'],
  ],
  [
    'RFC 9110 §15.5.4: what is not to be had may as well not be there',
    NOTHING,
    ['GET /', 'GET /folder/', 'HEAD /folder/', 'GET /.hidden.txt', 'GET /out.txt'],
  ],
]

const expected = new Map(
  DIFFERENCES.flatMap(([rule, answer, ...names]) =>
    names.flat().map((name) => [name, { rule, answer }]),
  ),
)

/** Fields that must not be there unless nginx sends them, too. */
const EXACT = ['content-range', 'location']

const folder = mkdtempSync(join(tmpdir(), 'barewire-static-'))
let server
let connect

before(() => {
  const root = join(folder, 'www')
  makeFiles(table, root)
  server = serve({ fetch: serveStatic(root), port: 0, hostname: '127.0.0.1' })
  connect = () => Client.connect(server)
})

after(async () => {
  await server?.close({ timeout: 0 })
  rmSync(folder, { recursive: true })
})

test('each difference is about a row of the table, and is one', () => {
  for (const [name, { rule, answer }] of expected) {
    assert.notDeepEqual(answer, like(name), `${rule}: ${name}`)
  }
})

for (const row of table.rows) {
  const name = nameOf(row)
  const { rule = 'as nginx', answer } = expected.get(name) ?? { answer: row.answer }
  test(`${name}: ${rule}`, async () => {
    const found = await play(connect, row)
    assert.equal(found.status, answer.status)
    for (const field of new Set([...EXACT, ...Object.keys(answer.fields)])) {
      assert.equal(found.fields[field], answer.fields[field], field)
    }
    assert.equal(found.body, answer.body)
  })
}
