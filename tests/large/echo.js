/** A gibibyte up and down through `new Response(request.body)`, compared by its hash. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { request } from 'undici'
import { MEBIBYTE, startServer } from './measured.js'

const LENGTH = 2 ** 30
const BLOCK = 65_536

export const exchanges = [
  ['curl', throughCurl],
  ['undici', throughUndici],
]

export const forms = exchanges.flatMap(([client, exchange]) =>
  [true, false].map((hasLength) => ({
    name: `1 GiB up and down with ${client}, ${hasLength ? 'Content-Length' : 'chunked'}`,
    most: 64 * MEBIBYTE,
    run: (signal) => measure((url, body) => exchange(url, body, hasLength, signal)),
  })),
)

/** Says by how many bytes the server grew, at its largest. */
async function measure(exchange) {
  const server = await startServer()
  try {
    const before = await server.numbers()
    await upAndDown(`http://127.0.0.1:${server.port}/echo`, exchange)
    return (await server.numbers()).peak - before.rss
  } finally {
    server.end()
  }
}

/** Fails unless what is sent comes back. */
export async function upAndDown(url, exchange) {
  const sent = createHash('sha256')
  const received = createHash('sha256')
  let count = 0
  for await (const bytes of exchange(url, blocks(sent))) {
    received.update(bytes)
    count += bytes.length
  }
  if (count !== LENGTH) throw new Error(`${count} bytes came back`)
  if (received.digest('hex') !== sent.digest('hex')) throw new Error('other bytes came back')
}

/** The bytes, made as they are taken; no two blocks are alike. */
function* blocks(hash) {
  const pattern = Buffer.from({ length: BLOCK }, (_, at) => at * 31 + (at >> 8))
  for (let left = LENGTH / BLOCK; left > 0; left--) {
    const block = Buffer.from(pattern)
    block.writeUInt32LE(left)
    hash.update(block)
    yield block
  }
}

async function* throughCurl(url, body, hasLength, signal) {
  const framing = hasLength
    ? ['-H', `Content-Length: ${LENGTH}`, '-H', 'Transfer-Encoding:']
    : ['-H', 'Transfer-Encoding: chunked']
  const args = ['-sS', '--fail', '-X', 'POST', '-T', '-', ...framing, url]
  const curl = spawn('curl', args, { stdio: ['pipe', 'pipe', 'inherit'], signal })
  const ended = once(curl, 'close')
  const feeding = pipeline(body, curl.stdin)
  yield* curl.stdout
  await feeding
  const [code] = await ended
  if (code !== 0) throw new Error(`curl ended with ${code}`)
}

async function* throughUndici(url, body, hasLength, signal) {
  const headers = hasLength ? { 'Content-Length': String(LENGTH) } : {}
  const response = await request(url, { method: 'POST', body, headers, signal })
  yield* response.body
}
