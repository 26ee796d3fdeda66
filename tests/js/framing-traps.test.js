/** Every trap of parsing and framing, cut at each byte offset into two TCP segments. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Response } from 'barewire'
import { assertRefusal, Client, GET_NEXT, open } from './raw.js'

/** Connections at work at once. */
const LANES = 48

const echo = async (request) =>
  new Response(`${request.method} ${request.rawTarget} <${await request.text()}>`, {
    headers: { 'x-seen': request.headers.get('x') ?? '' },
  })

/** Bytes whose answers must not depend on how they come; the count of answers, their statuses. */
const GOOD = {
  'a bare request': ['GET /a HTTP/1.1\r\nHost: a\r\n\r\n', 1],
  'empty lines first': ['\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n', 1],
  'fields with latin1 and white space': ['GET /a HTTP/1.1\r\nHost: a\r\nX: \t caf\xe9 \r\n\r\n', 1],
  'a body of known length': [
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello\r\n\r\n!!',
    1,
  ],
  'an empty body': ['PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 1],
  'a chunked body': [
    'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n',
    1,
  ],
  'chunk extensions and trailers': [
    'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a="b;c"\r\nhello\r\n0;z\r\nT: u\r\nV: w\r\n\r\n',
    1,
  ],
  'a body that looks like requests': [
    `POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: ${GET_NEXT.length}\r\n\r\n${GET_NEXT}`,
    1,
  ],
  'three requests in a row': [
    `GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi${GET_NEXT}`,
    3,
  ],
  'a chunked one and another': [
    `POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n${GET_NEXT}`,
    2,
  ],
  'Connection with a token that only looks like close': [
    'GET /a HTTP/1.1\r\nHost: a\r\nConnection: closed, x-close\r\n\r\n',
    1,
  ],
  'HTTP/1.0 with keep-alive': ['GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 1],
  'an absolute target': ['GET http://b/p?q HTTP/1.1\r\nHost: a\r\n\r\n', 1],
  'a hundred fields': [`GET /a HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(99)}\r\n`, 1],
}

const head = (lines) => `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`
const chunked = (body) => head('Transfer-Encoding: chunked') + body

/** Bytes that are refused, whatever comes when; nothing behind them is ever answered. */
const BAD = {
  'Content-Length with a sign': [400, `${head('Content-Length: +5')}hello`],
  'a negative Content-Length': [400, head('Content-Length: -1')],
  'Content-Length in hex': [400, head('Content-Length: 0x5')],
  'Content-Length as a list': [400, head('Content-Length: 5, 5')],
  'an empty Content-Length': [400, head('Content-Length:')],
  'Content-Length above 2^64': [400, head('Content-Length: 18446744073709551621')],
  'Content-Length twice': [400, head('Content-Length: 5\r\nContent-Length: 5')],
  'two Content-Lengths that differ': [400, head('Content-Length: 5\r\nContent-Length: 0')],
  'both framings': [400, `${head('Content-Length: 5\r\nTransfer-Encoding: chunked')}0\r\n\r\n`],
  'Transfer-Encoding identity': [400, head('Transfer-Encoding: identity')],
  'Transfer-Encoding chunked twice': [400, head('Transfer-Encoding: chunked, chunked')],
  'Transfer-Encoding in two lines': [
    400,
    head('Transfer-Encoding: chunked\r\nTransfer-Encoding: x'),
  ],
  'Transfer-Encoding xchunked': [400, head('Transfer-Encoding: xchunked')],
  'Transfer-Encoding folded': [400, head('Transfer-Encoding:\r\n chunked')],
  'Transfer-Encoding with a space before the colon': [400, head('Transfer-Encoding : chunked')],
  'Transfer-Encoding beside latin1': [400, head('Transfer-Encoding: \xff, chunked\xff')],
  'a coding before chunked': [501, head('Transfer-Encoding: gzip, chunked')],
  'chunked in HTTP/1.0': [400, 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  'a chunk size with a letter past f': [400, chunked('g\r\n')],
  'a chunk size with a sign': [400, chunked('+5\r\nhello\r\n0\r\n\r\n')],
  'a chunk size with 0x': [400, chunked('0x5\r\nhello\r\n0\r\n\r\n')],
  'a chunk size with 17 digits': [400, chunked('10000000000000005\r\nhello\r\n0\r\n\r\n')],
  'a chunk size after a space': [400, chunked(' 5\r\nhello\r\n0\r\n\r\n')],
  'a bare LF after a chunk size': [400, chunked('5\nhello\r\n0\r\n\r\n')],
  'a bare LF in an extension': [400, chunked('5;a\nhello\r\n0\r\n\r\n')],
  'data that is longer than its chunk': [400, chunked('4\r\nhello\r\n0\r\n\r\n')],
  'a bare LF after data': [400, chunked('5\r\nhello\n0\r\n\r\n')],
  'a malformed trailer': [400, chunked('0\r\nT : u\r\n\r\n')],
  'a bare LF': [400, 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
  'a bare CR': [400, 'GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n'],
  'no Host': [400, 'GET / HTTP/1.1\r\nX: y\r\n\r\n'],
  'two Hosts': [400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  'Host with a path': [400, 'GET / HTTP/1.1\r\nHost: evil.example/admin?\r\n\r\n'],
  'a fragment in the target': [400, 'GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n'],
  'bytes above ASCII in the target': [400, 'GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n'],
  'too many empty lines': [400, '\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
}

/** The answers without what the clock put in. */
const essence = (responses) =>
  responses.map(({ head, text }) => `${head.replace(/\r\ndate: [^\r]*/i, '')}\n${text}`)

/** Two pieces for every offset, shared out over lanes. */
async function atEveryOffset(bytes, lane) {
  const offsets = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1)
  const cuts = offsets.map((offset) => [bytes.slice(0, offset), bytes.slice(offset)])
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let pieces = cuts.pop(); pieces; pieces = cuts.pop()) await lane(pieces)
    }),
  )
}

describe('two segments, cut anywhere, are answered as when whole', () => {
  for (const [name, [bytes, count]] of Object.entries(GOOD)) {
    test(name, async (t) => {
      const server = open(t, echo)
      const once = await Client.connect(server)
      const whole = essence(await once.send(bytes).responses(count))
      assert.equal(whole.length, count)
      for (const answer of whole) assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
      once.destroy()
      const idle = []
      await atEveryOffset(bytes, async (pieces) => {
        // One connection after another request is no different from a new one.
        const client = idle.pop() ?? (await Client.connect(server))
        await client.sendPieces(pieces)
        const responses = await client.responses(count)
        assert.deepEqual(essence(responses), whole, `cut after ${JSON.stringify(pieces[0])}`)
        client.received = client.received.subarray(responses.at(-1).end)
        assert.equal(client.received.length, 0, 'nothing more than the answers')
        idle.push(client)
      })
      for (const client of idle) client.destroy()
    })
  }

  test('byte by byte', async (t) => {
    const server = open(t, echo)
    await Promise.all(
      Object.values(GOOD).map(async ([bytes, count]) => {
        const whole = await Client.connect(server)
        const slow = await Client.connect(server)
        const expected = essence(await whole.send(bytes).responses(count))
        await slow.sendPieces([...bytes], 0)
        assert.deepEqual(essence(await slow.responses(count)), expected)
        whole.destroy()
        slow.destroy()
      }),
    )
  })
})

describe('two segments, cut anywhere, are refused as when whole', () => {
  for (const [name, [status, bytes]] of Object.entries(BAD)) {
    test(`${name}: ${status}`, async (t) => {
      let calls = 0
      const server = open(t, () => {
        calls++
        return new Response('handled')
      })
      const tailed = bytes + GET_NEXT
      await atEveryOffset(tailed, async (pieces) => {
        const client = await Client.connect(server)
        await client.sendPieces(pieces)
        assertRefusal(await client.close(), status)
      })
      assert.equal(calls, 0)
    })
  }
})

test('a large head in three segments is read once it is whole', async (t) => {
  const server = open(t, (request) => new Response(String(request.headers.get('x').length)))
  const client = await Client.connect(server)
  const bytes = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(15_000)}\r\n\r\n`
  await client.sendPieces([bytes.slice(0, 5000), bytes.slice(5000, 10_000), bytes.slice(10_000)])
  assert.equal((await client.response()).text, '15000')
  client.destroy()
})

test('a large body in many segments arrives byte for byte', async (t) => {
  const server = open(t, async (request) => new Response(await request.arrayBuffer()))
  const client = await Client.connect(server)
  const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31 + 7) & 255))
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
  for (let at = 0; at < body.length; at += 40_001) client.send(body.subarray(at, at + 40_001))
  assert.ok((await client.response()).body.equals(body))
  client.destroy()
})
