/** `serveFile()`: what of a file a request gets, by RFC 9110 §13 and §14. */
import assert from 'node:assert/strict'
import { mkdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Request, serveFile, toPlatform } from 'barewire'
import { descriptorsBelow, folder, numbered } from './folder.js'
import { Client, exchange, open, request, until } from './raw.js'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const LARGE = numbered(1_000_003)
const MODIFIED = new Date('2024-03-01T10:20:30.250Z')
const LAST_MODIFIED = 'Fri, 01 Mar 2024 10:20:30 GMT'
const BEFORE = 'Fri, 01 Mar 2024 10:20:29 GMT'
const LATER = 'Fri, 01 Mar 2024 10:20:31 GMT'

const place = folder(
  { after },
  { 'letters.txt': LETTERS, 'empty.txt': '', 'large.bin': LARGE, 'unknown.zzz9': LETTERS },
)
const path = (name) => join(place, name)
for (const name of ['letters.txt', 'empty.txt', 'large.bin']) {
  utimesSync(path(name), MODIFIED, MODIFIED)
}

/** Serves the file that the target names. */
const serving = (init) => (incoming) => serveFile(incoming, path(incoming.rawTarget.slice(1)), init)

/** One answer of a server of its own. */
async function answerTo(t, headers = {}, { line = 'GET /letters.txt', init } = {}) {
  return exchange(open(t, serving(init)), request(line, headers))
}

async function etagOf(t, name = 'letters.txt') {
  return (await answerTo(t, {}, { line: `HEAD /${name}` })).get('etag')
}

/** The parts of a multipart/byteranges, read strictly (RFC 2046 §5.1.1, RFC 9110 §14.6). */
function partsOf(response) {
  const type = response.get('content-type')
  const [, boundary] = /^multipart\/byteranges; boundary=([0-9A-Za-z]{1,70})$/.exec(type) ?? []
  assert.ok(boundary, type)
  const text = response.body.toString('latin1')
  const end = `\r\n--${boundary}--\r\n`
  assert.ok(text.endsWith(end), 'the last boundary ends it')
  const [nothing, ...parts] = text.slice(0, -end.length).split(`\r\n--${boundary}\r\n`)
  assert.equal(nothing, '')
  return parts.map((part) => {
    const split = part.indexOf('\r\n\r\n')
    const lines = part.slice(0, split).split('\r\n')
    const fields = lines.map((line) => line.split(': '))
    return {
      ...Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value])),
      content: part.slice(split + 4),
    }
  })
}

describe('without conditions', () => {
  test('GET gets all of it, with what a cache needs', async (t) => {
    const response = await answerTo(t)
    assert.deepEqual([response.status, response.text], [200, LETTERS])
    assert.match(response.get('etag'), /^"[\x21\x23-\x7e]+"$/)
    assert.equal(response.get('last-modified'), LAST_MODIFIED)
    assert.equal(response.get('accept-ranges'), 'bytes')
    assert.equal(response.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(response.get('content-length'), '26')
    assert.equal(response.get('vary'), undefined)
  })

  test('HEAD gets the fields of GET', async (t) => {
    const server = open(t, serving())
    const got = await exchange(server, request('GET /large.bin'))
    const head = await exchange(server, request('HEAD /large.bin'))
    const comparable = ({ headers }) => headers.filter(([name]) => name.toLowerCase() !== 'date')
    assert.deepEqual(comparable(head), comparable(got))
    assert.ok(got.body.equals(LARGE))
  })

  test('an empty file is 200 with nothing in it, whatever range is asked for', async (t) => {
    for (const headers of [{}, { Range: 'bytes=0-' }, { Range: 'bytes=-1' }]) {
      const response = await answerTo(t, headers, { line: 'GET /empty.txt' })
      assert.deepEqual([response.status, response.get('content-length')], [200, '0'])
    }
  })

  test('a type that is unknown is one that no client looks into', async (t) => {
    const response = await answerTo(t, {}, { line: 'GET /unknown.zzz9' })
    assert.equal(response.get('content-type'), 'application/octet-stream')
    assert.equal(response.text, LETTERS)
  })

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    test(`${method} is 405 and says what is allowed`, async (t) => {
      const response = await answerTo(t, {}, { line: `${method} /letters.txt` })
      assert.deepEqual([response.status, response.get('allow')], [405, 'GET, HEAD'])
    })
  }

  test('the path may be a URL', async (t) => {
    const url = pathToFileURL(path('letters.txt'))
    const server = open(t, (incoming) => serveFile(incoming, url))
    assert.equal((await exchange(server, request('GET /'))).text, LETTERS)
  })
})

describe('conditions, in the order of §13.2.2', () => {
  /** A row: the fields, with $etag for the file's tag, and the status. */
  const rows = [
    [{ 'If-None-Match': '$etag' }, 304],
    [{ 'If-None-Match': 'W/$etag' }, 304],
    [{ 'If-None-Match': '"x", $etag' }, 304],
    [{ 'If-None-Match': '*' }, 304],
    [{ 'If-None-Match': '"x"' }, 200],
    [{ 'If-None-Match': '"x"', 'If-Modified-Since': LAST_MODIFIED }, 200],
    [{ 'If-None-Match': '$etag', 'If-Modified-Since': BEFORE }, 304],
    [{ 'If-Modified-Since': LAST_MODIFIED }, 304],
    [{ 'If-Modified-Since': LATER }, 304],
    [{ 'If-Modified-Since': BEFORE }, 200],
    [{ 'If-Modified-Since': 'yesterday' }, 200],
    [{ 'If-Match': '$etag' }, 200],
    [{ 'If-Match': '*' }, 200],
    [{ 'If-Match': '"x", $etag' }, 200],
    [{ 'If-Match': '"x"' }, 412],
    [{ 'If-Match': 'W/$etag' }, 412],
    [{ 'If-Match': '"x"', 'If-None-Match': '$etag' }, 412],
    [{ 'If-Match': '$etag', 'If-None-Match': '$etag' }, 304],
    [{ 'If-Match': '$etag', 'If-Unmodified-Since': BEFORE }, 200],
    [{ 'If-Unmodified-Since': LAST_MODIFIED }, 200],
    [{ 'If-Unmodified-Since': BEFORE }, 412],
    [{ 'If-Unmodified-Since': 'yesterday' }, 200],
    [{ Range: 'bytes=0-0', 'If-Range': '$etag' }, 206],
    [{ Range: 'bytes=0-0', 'If-Range': '"x"' }, 200],
    [{ Range: 'bytes=0-0', 'If-Range': 'W/$etag' }, 200],
    [{ Range: 'bytes=0-0', 'If-Range': LAST_MODIFIED }, 206],
    [{ Range: 'bytes=0-0', 'If-Range': LATER }, 200],
    [{ Range: 'bytes=0-0', 'If-Range': BEFORE }, 200],
    [{ Range: 'bytes=99-', 'If-Range': '"x"' }, 200],
    [{ Range: 'bytes=99-', 'If-None-Match': '$etag' }, 304],
    [{ Range: 'bytes=99-', 'If-Match': '"x"' }, 412],
    [{ 'If-Range': '"x"' }, 200],
  ]
  for (const [fields, status] of rows) {
    test(`${JSON.stringify(fields)} → ${status}, for HEAD without the range`, async (t) => {
      const etag = await etagOf(t)
      const headers = Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, value.replace('$etag', etag)]),
      )
      const response = await answerTo(t, headers)
      assert.equal(response.status, status)
      assert.equal(response.get('etag'), etag)
      const head = await answerTo(t, headers, { line: 'HEAD /letters.txt' })
      assert.equal(head.status, status === 206 ? 200 : status)
      if (status === 304) {
        assert.equal(response.get('content-length'), undefined)
        assert.equal(response.get('content-type'), undefined)
      }
    })
  }

  test('the connection goes on after 304 and 412', async (t) => {
    const client = await Client.connect(open(t, serving()))
    const etag = await etagOf(t)
    client.send(request('GET /letters.txt', { 'If-None-Match': etag }))
    client.send(request('GET /letters.txt', { 'If-Match': '"x"' }))
    client.send(request('GET /letters.txt'))
    const responses = await client.responses(3)
    assert.deepEqual(
      responses.map(({ status }) => status),
      [304, 412, 200],
    )
    client.destroy()
  })

  test('the tag is another one after a change of the time or of the length', async (t) => {
    const made = folder(t, { 'a.txt': 'one' })
    const server = open(t, (incoming) => serveFile(incoming, join(made, 'a.txt')))
    const tag = async () => (await exchange(server, request('GET /'))).get('etag')
    const first = await tag()
    assert.equal(await tag(), first)
    utimesSync(join(made, 'a.txt'), MODIFIED, MODIFIED)
    assert.notEqual(await tag(), first)
  })

  test('a time in the future is said to be now', async (t) => {
    const made = folder(t, { 'a.txt': 'one' })
    const future = new Date(Date.now() + 86_400_000)
    utimesSync(join(made, 'a.txt'), future, future)
    const server = open(t, (incoming) => serveFile(incoming, join(made, 'a.txt')))
    const response = await exchange(server, request('GET /'))
    const [modified, date] = ['last-modified', 'date'].map((name) => Date.parse(response.get(name)))
    assert.ok(modified <= date + 1000, `${modified} ${date}`)
  })
})

describe('one range', () => {
  const rows = [
    ['bytes=0-0', 206, 'a', '0-0'],
    ['bytes=2-5', 206, 'cdef', '2-5'],
    ['bytes=20-', 206, 'uvwxyz', '20-25'],
    ['bytes=20-99', 206, 'uvwxyz', '20-25'],
    ['bytes=-3', 206, 'xyz', '23-25'],
    ['bytes=-99', 206, LETTERS, '0-25'],
    ['bytes=0-', 206, LETTERS, '0-25'],
    ['BYTES=25-', 206, 'z', '25-25'],
    ['bytes= 1-2 ', 206, 'bc', '1-2'],
    ['bytes=99-,1-2', 206, 'bc', '1-2'],
    ['bytes=26-', 416],
    ['bytes=-0', 416],
    ['bytes=99999999999999999999-', 416],
    ['bytes=5-2', 200],
    ['bytes=', 200],
    ['bytes=a-b', 200],
    ['bytes=1', 200],
    ['lines=1-2', 200],
    ['bytes=0-1,', 206, 'ab', '0-1'],
    ['bytes=0--1', 200],
  ]
  for (const [range, status, content, place] of rows) {
    test(`${range} → ${status} ${content ?? ''}`, async (t) => {
      const response = await answerTo(t, { Range: range })
      assert.equal(response.status, status)
      if (status === 416) {
        assert.equal(response.get('content-range'), 'bytes */26')
        return
      }
      assert.equal(response.text, content ?? LETTERS)
      assert.equal(response.get('content-range'), place && `bytes ${place}/26`)
      assert.equal(response.get('content-type'), 'text/plain; charset=utf-8')
      const head = await answerTo(t, { Range: range }, { line: 'HEAD /letters.txt' })
      assert.deepEqual([head.status, head.get('content-length')], [200, '26'], 'HEAD has no range')
    })
  }

  test('of a large file, from its middle', async (t) => {
    const headers = { Range: 'bytes=300001-900000' }
    const response = await answerTo(t, headers, { line: 'GET /large.bin' })
    assert.equal(response.status, 206)
    assert.ok(response.body.equals(LARGE.subarray(300_001, 900_001)))
  })
})

describe('several ranges', () => {
  test('are parts, in the order of the request', async (t) => {
    const response = await answerTo(t, { Range: 'bytes=20-21, 0-0,-2' })
    assert.equal(response.status, 206)
    assert.equal(response.get('content-range'), undefined)
    const type = 'text/plain; charset=utf-8'
    assert.deepEqual(partsOf(response), [
      { 'content-type': type, 'content-range': 'bytes 20-21/26', content: 'uv' },
      { 'content-type': type, 'content-range': 'bytes 0-0/26', content: 'a' },
      { 'content-type': type, 'content-range': 'bytes 24-25/26', content: 'yz' },
    ])
  })

  test('of a large file, and the connection goes on', async (t) => {
    const client = await Client.connect(open(t, serving()))
    client.send(request('GET /large.bin', { Range: 'bytes=0-399999,500000-999999' }))
    client.send(request('GET /letters.txt'))
    const [response, next] = await client.responses(2)
    const [first, second] = partsOf(response)
    assert.ok(LARGE.subarray(0, 400_000).equals(Buffer.from(first.content, 'latin1')))
    assert.ok(LARGE.subarray(500_000, 1_000_000).equals(Buffer.from(second.content, 'latin1')))
    assert.equal(next.text, LETTERS)
    client.destroy()
  })

  test('that ask for more than the file has, or for too many, get the file', async (t) => {
    const whole = ['bytes=0-,0-', 'bytes=0-9,0-9,0-9', `bytes=${'0-0,'.repeat(40)}1-1`]
    for (const range of whole) {
      const response = await answerTo(t, { Range: range })
      assert.deepEqual([response.status, response.text], [200, LETTERS], range)
    }
  })

  test('each answer has a boundary of its own', async (t) => {
    const headers = { Range: 'bytes=0-0,2-2' }
    const [one, other] = [await answerTo(t, headers), await answerTo(t, headers)]
    assert.notEqual(one.get('content-type'), other.get('content-type'))
  })

  test('can be read in JavaScript', async () => {
    const incoming = new Request('http://example.test/', {
      headers: { range: 'bytes=0-1,500000-599999' },
    })
    const read = async (take) => {
      const response = serveFile(incoming, path('large.bin'))
      const headers = [['content-type', response.headers.get('content-type')]]
      const body = Buffer.from(await take(response))
      assert.equal(response.status, 206)
      return partsOf({ get: (name) => Object.fromEntries(headers)[name], body })
    }
    const inParts = async (response) => {
      const parts = []
      for await (const part of response.body) parts.push(part)
      return Buffer.concat(parts)
    }
    const ways = [
      inParts,
      (response) => response.bytes(),
      (response) => response.clone().arrayBuffer(),
      (response) => toPlatform(response).arrayBuffer(),
    ]
    for (const take of ways) {
      const [first, second] = await read(take)
      assert.equal(first.content, LARGE.toString('latin1', 0, 2))
      assert.equal(second.content, LARGE.toString('latin1', 500_000, 600_000))
    }
  })
})

describe('fields of the author', () => {
  const init = {
    headers: [
      ['Cache-Control', 'max-age=60'],
      ['Content-Type', 'text/x-own'],
      ['Set-Cookie', 'a=b'],
      ['Set-Cookie', 'c=d'],
      ['Vary', 'cookie'],
    ],
  }

  test('are added, or put in the place of its own', async (t) => {
    const response = await answerTo(t, {}, { init })
    assert.deepEqual(response.getAll('cache-control'), ['max-age=60'])
    assert.deepEqual(response.getAll('content-type'), ['text/x-own'])
    assert.deepEqual(response.getAll('set-cookie'), ['a=b', 'c=d'])
    assert.deepEqual(response.getAll('vary'), ['cookie'])
    assert.equal(response.get('last-modified'), LAST_MODIFIED)
  })

  test('are in a 304, too', async (t) => {
    const response = await answerTo(t, { 'If-None-Match': '*' }, { init })
    assert.deepEqual([response.status, response.get('cache-control')], [304, 'max-age=60'])
  })

  test('leave the type of several ranges and of a refusal alone', async (t) => {
    const parts = await answerTo(t, { Range: 'bytes=0-0,2-2' }, { init })
    assert.deepEqual(
      partsOf(parts).map(({ content }) => content),
      ['a', 'c'],
    )
    const refused = await answerTo(t, { Range: 'bytes=99-' }, { init })
    assert.match(refused.get('content-type'), /^text\/plain/)
  })

  test('that are none throw', () => {
    const incoming = new Request('http://example.test/')
    const headers = { 'a b': 'c' }
    assert.throws(() => serveFile(incoming, path('letters.txt'), { headers }), TypeError)
  })
})

describe('without a socket', () => {
  test("server.fetch() and the platform's Request", async (t) => {
    const server = open(t, serving())
    const url = new URL('/letters.txt', 'http://example.test')
    const headers = { range: 'bytes=1-2' }
    const fetched = await server.fetch(url, { headers })
    assert.deepEqual([fetched.status, await fetched.text()], [206, 'bc'])
    const platform = new globalThis.Request(url, { headers })
    const response = serveFile(platform, path('letters.txt'))
    assert.deepEqual([response.status, await response.text()], [206, 'bc'])
  })

  test('a response of the platform is sent with its status and fields', async (t) => {
    const server = open(t, (incoming) => toPlatform(serveFile(incoming, path('letters.txt'))))
    const response = await exchange(server, request('GET /', { Range: 'bytes=-1' }))
    assert.deepEqual(
      [response.status, response.text, response.get('content-range')],
      [206, 'z', 'bytes 25-25/26'],
    )
  })
})

test("what can't be opened throws Node's own error", () => {
  const incoming = new Request('http://example.test/')
  mkdirSync(path('folder'))
  for (const [name, code] of [
    ['missing', 'ENOENT'],
    ['folder', 'EISDIR'],
  ]) {
    const expected = { code, syscall: 'open', path: path(name) }
    assert.throws(() => serveFile(incoming, path(name)), expected)
  }
})

test('nothing of these tests is open at their end', async () => {
  await until('all are closed', () => descriptorsBelow(place) === 0)
})
