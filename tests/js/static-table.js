/**
 * The table of requests for files in tests/golden/static-nginx.json: makes the files, plays a
 * row, and brings the answer to a form in which two servers can be compared. Knows no server.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { request } from './raw.js'

export const tablePath = new URL('../golden/static-nginx.json', import.meta.url)

/** @returns {{ modified: number, files: object[], rows: object[] }} */
export const readTable = () => JSON.parse(readFileSync(tablePath, 'utf8'))

/** Fields of an answer that are compared, where it has them. */
const FIELDS = [
  'accept-ranges',
  'allow',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
  'location',
  'vary',
]

/** Bodies above this are kept as a hash. */
const READABLE = 400

/** Makes the files of a table; their paths start at a folder that may have others beside it. */
export function makeFiles({ files, modified }, folder) {
  mkdirSync(folder, { recursive: true })
  for (const { path, text = '', times = 1, link } of files) {
    const place = join(folder, path)
    mkdirSync(dirname(place), { recursive: true })
    if (link !== undefined) {
      symlinkSync(link, place)
    } else {
      writeFileSync(place, text.repeat(times))
      utimesSync(place, modified, modified)
    }
  }
}

/** A row in one line: the request line, then its fields. */
export function nameOf({ send, fields = {} }) {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}`),
  )
  return [send, ...lines].join(' | ')
}

/**
 * Sends a row on a connection of its own. `$etag` in its fields stands for the entity tag that the
 * server gives that path, because each server makes its own.
 */
export async function play(connect, row) {
  const [method, path] = row.send.split(' ')
  const plain = await exchange(connect, 'GET', path, {})
  const etag = plain.status === 200 ? plain.get('etag') : undefined
  const answer = await exchange(connect, method, path, row.fields ?? {}, etag)
  return comparable(answer, etag)
}

async function exchange(connect, method, path, fields, etag = '"none"') {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one.replaceAll('$etag', () => etag)}\r\n`),
  )
  // The helper takes a field once; the table repeats some.
  const text = request(`${method} ${path}`).replace(/\r\n$/, `${lines.join('')}\r\n`)
  const client = await connect()
  client.send(text)
  try {
    return await client.response(method)
  } finally {
    client.destroy()
  }
}

/**
 * An answer without what has to differ: the server's own pages, tags, boundaries, and the parameters
 * of media types, since the charset is a server's choice.
 */
function comparable(answer, etag) {
  const { status } = answer
  const found = Object.fromEntries(
    FIELDS.flatMap((name) => (answer.get(name) === undefined ? [] : [[name, answer.get(name)]])),
  )
  if (found.etag !== undefined) found.etag = found.etag === etag ? '$etag' : 'another'
  if (found['content-type'] !== undefined) found['content-type'] = essenceOf(found['content-type'])
  const isPage = status >= 300 && status !== 304
  if (isPage) {
    delete found['content-type']
    delete found['content-length']
    return { status, fields: found }
  }
  let body = answer.body.toString('latin1')
  const type = answer.get('content-type') ?? ''
  const boundary = /^multipart\/byteranges; *boundary="?([^"]+)"?$/.exec(type)?.[1]
  if (boundary !== undefined) {
    // Its length is in the length of the whole; that the two agree was seen by reading it.
    delete found['content-length']
    body = body
      .replaceAll(`--${boundary}`, '--BOUNDARY')
      .replace(/^Content-Type: .*$/gm, (line) => essenceOf(line))
  }
  if (body.length > READABLE) {
    body = `sha256 ${createHash('sha256').update(body, 'latin1').digest('hex')}`
  }
  return { status, fields: found, body }
}

const essenceOf = (type) => type.replace(/\s*;[^\r]*/, '')
