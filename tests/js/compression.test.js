/** Answers that go out compressed: which, in what coding, with which fields, and how streams flow. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { Response, Server } from 'barewire'
import { Agent, fetch } from 'undici'
import { AVAILABLE_CODINGS } from '../../lib/codings.js'
import {
  Client,
  deferred,
  exchange,
  GET_NEXT,
  open,
  request,
  sleep,
  until,
  untilClosed,
} from './raw.js'

const TEXT = 'A sentence that comes again and again, é. '.repeat(60)
const LARGE = 'A sentence that comes again and again. '.repeat(10_000)
const ALL = { 'Accept-Encoding': 'gzip, br, zstd' }
const GZIP = { 'Accept-Encoding': 'gzip' }
const encoder = new TextEncoder()

const DECODERS = {
  gzip: zlib.gunzipSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
}
const decode = ({ body, get }) => DECODERS[get('content-encoding')](body).toString()

const start = (t, handler, compression = true) => open(t, handler, { compression })
const get = (headers = GZIP, line = 'GET /') => request(line, headers)

/** A response with one more field, or several. */
const answer = (headers = {}, body = TEXT, status = 200) => new Response(body, { status, headers })

/** The bytes that a decoder has made of what came so far. */
function decodedSoFar(coding, bytes, encoding = 'utf8') {
  const { constants } = zlib
  const [run, finishFlush] = {
    gzip: [zlib.gunzipSync, constants.Z_SYNC_FLUSH],
    br: [zlib.brotliDecompressSync, constants.BROTLI_OPERATION_FLUSH],
    zstd: [zlib.zstdDecompressSync, constants.ZSTD_e_flush],
  }[coding]
  return run(bytes, { finishFlush }).toString(encoding)
}

/** The data of the chunks that have come completely, and whether the last one has. */
function chunksOf(client) {
  client.parse()
  const text = client.received.toString('latin1')
  let at = text.indexOf('\r\n\r\n') + 4
  let data = ''
  for (;;) {
    const end = text.indexOf('\r\n', at)
    const size = end < 0 ? Number.NaN : Number.parseInt(text.slice(at, end), 16)
    if (Number.isNaN(size) || text.length < end + 4 + size) break
    if (size === 0) return { data: Buffer.from(data, 'latin1'), hasEnded: true }
    data += text.slice(end + 2, end + 2 + size)
    at = end + 4 + size
  }
  return { data: Buffer.from(data, 'latin1'), hasEnded: false }
}

describe('every form of a body in every coding', () => {
  const forms = {
    'a string': [() => TEXT, TEXT],
    'a large string': [() => LARGE, LARGE],
    'a Uint8Array': [() => encoder.encode(TEXT), TEXT],
    'an ArrayBuffer': [() => encoder.encode(LARGE).buffer, LARGE],
    'a Blob': [() => new Blob([TEXT]), TEXT],
    'a large Blob': [() => new Blob([LARGE]), LARGE],
    'a stream that is ready': [() => new Blob([TEXT]).stream(), TEXT],
    'the stream of another Response': [() => new Response(TEXT).body, TEXT],
    'a stream that takes its time': [slowly, LARGE],
  }
  async function* slowly() {
    for (let at = 0; at < LARGE.length; at += 50_000) {
      await sleep(2)
      yield LARGE.slice(at, at + 50_000)
    }
  }
  for (const coding of AVAILABLE_CODINGS) {
    for (const [name, [make, text]] of Object.entries(forms)) {
      test(`${coding}: ${name}`, async (t) => {
        const server = start(t, ({ rawTarget }) =>
          rawTarget === '/next'
            ? new Response('next')
            : answer({ 'content-type': 'text/x' }, make()),
        )
        const client = await Client.connect(server)
        client.send(get({ 'Accept-Encoding': coding }) + GET_NEXT)
        const [response, next] = await client.responses(2)
        client.destroy()
        assert.equal(response.get('content-encoding'), coding)
        assert.equal(decode(response), text)
        assert.ok(response.body.length < TEXT.length)
        assert.equal(next.text, 'next')
      })
    }
  }

  test("the platform's Response, of an asynchronous handler", async (t) => {
    const server = start(t, async () => new globalThis.Response(TEXT))
    assert.equal(decode(await exchange(server, get())), TEXT)
  })

  test('an upload that is sent back', async (t) => {
    const server = start(t, ({ body }) => answer({ 'content-type': 'text/plain' }, body))
    const sent = await exchange(server, request('POST /', GZIP, LARGE))
    assert.equal(decode(sent), LARGE)
  })

  test('a body that is known whole has its length, whatever the handler says', async (t) => {
    const server = start(t, () => answer({ 'content-length': '7' }))
    const response = await exchange(server, get())
    assert.equal(Number(response.get('content-length')), response.body.length)
    assert.equal(decode(response), TEXT)
  })
})

describe('the choice of a coding', () => {
  const server = (t, compression) => start(t, () => answer(), compression)
  const chosen = async (t, field, compression) => {
    const headers = field === undefined ? {} : { 'Accept-Encoding': field }
    return (await exchange(server(t, compression), get(headers))).get('content-encoding')
  }

  test("between equals the server's order decides", async (t) => {
    assert.equal(await chosen(t, 'gzip, br, zstd'), AVAILABLE_CODINGS[0])
    assert.equal(await chosen(t, 'gzip, br', { codings: ['gzip', 'br'] }), 'gzip')
    assert.equal(await chosen(t, 'gzip, br', { codings: ['br', 'gzip'] }), 'br')
  })

  test('weights of the client come first', async (t) => {
    assert.equal(await chosen(t, 'br;q=0.5, gzip'), 'gzip')
    assert.equal(await chosen(t, 'gzip;q=0.5, identity'), undefined)
  })

  test('several lines are one value', async (t) => {
    const lines =
      'GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br;q=0.1\r\naccept-encoding: gzip\r\n\r\n'
    const response = await exchange(server(t), lines)
    assert.equal(response.get('content-encoding'), 'gzip')
  })

  test('a coding that is not offered is not used', async (t) => {
    assert.equal(await chosen(t, 'br', { codings: ['gzip'] }), undefined)
  })

  test('nothing acceptable, not even identity: as it is', async (t) => {
    const response = await exchange(server(t), get({ 'Accept-Encoding': '*;q=0' }))
    assert.deepEqual([response.status, response.text], [200, TEXT])
    assert.equal(response.get('content-encoding'), undefined)
    assert.equal(response.get('vary'), 'Accept-Encoding')
  })
})

describe('what is left alone', () => {
  const type = { 'content-type': 'text/plain' }
  const rows = {
    'a content-encoding': answer.bind(null, { 'content-encoding': 'br' }),
    'content-encoding: identity': answer.bind(null, { 'content-encoding': 'identity' }),
    'cache-control: no-transform': answer.bind(null, { 'cache-control': 'no-transform' }),
    'No-Transform among others': answer.bind(null, {
      'cache-control': 'public,No-Transform , max-age=1',
    }),
    'content-range': answer.bind(null, { 'content-range': 'bytes 0-9/10' }),
    'content-digest': answer.bind(null, { 'content-digest': 'sha-256=:AA==:' }),
    'repr-digest': answer.bind(null, { 'repr-digest': 'sha-256=:AA==:' }),
    'status 206': answer.bind(null, {}, TEXT, 206),
    'status 204': answer.bind(null, type, null, 204),
    'status 205': answer.bind(null, type, null, 205),
    'status 304': answer.bind(null, { ...type, etag: '"a"' }, null, 304),
    'no body': answer.bind(null, type, null),
    'an empty body': answer.bind(null, {}, ''),
    'no content-type': answer.bind(null, {}, encoder.encode(TEXT)),
    '1023 bytes of text': answer.bind(null, {}, 'x'.repeat(1023)),
    '1023 bytes as bytes': answer.bind(null, type, new Uint8Array(1023)),
    '1023 bytes of a Blob': answer.bind(null, type, new Blob(['x'.repeat(1023)])),
    '1023 bytes of a stream': () => answer(type, streamOf('x'.repeat(1023))),
  }
  for (const [name, make] of Object.entries(rows)) {
    test(name, async (t) => {
      const [on, off] = [start(t, make), start(t, make, false)]
      const [response, plain] = await Promise.all([on, off].map((one) => exchange(one, get(ALL))))
      const comparable = ({ status, headers, body }) => {
        return [status, headers.filter(([field]) => field.toLowerCase() !== 'date'), body]
      }
      assert.deepEqual(comparable(response), comparable(plain))
    })
  }

  const taken = [
    ...['text/html; charset=utf-8', 'TEXT/CSS', 'text/event-stream', 'application/json'],
    ...['application/ld+json', 'image/svg+xml', 'application/javascript;a=b', 'application/xml'],
    ...['application/wasm', 'font/ttf', 'font/otf', 'image/bmp', 'application/x-ndjson'],
  ]
  const refused = [
    ...['image/png', 'image/jpeg', 'video/mp4', 'application/zip', 'application/octet-stream'],
    ...[
      'font/woff2',
      'application/gzip',
      'multipart/form-data; boundary=text/plain',
      'text',
      'json',
    ],
    ...['application/jsonx', 'x-text/plain', 'image/png; a=text/plain', ''],
  ]
  for (const [types, isTaken] of [
    [taken, true],
    [refused, false],
  ]) {
    for (const name of types) {
      test(`type ${JSON.stringify(name)}: ${isTaken ? 'compressed' : 'not'}`, async (t) => {
        const server = start(t, () => answer({ 'content-type': name }))
        const response = await exchange(server, get())
        assert.equal(response.get('content-encoding'), isTaken ? 'gzip' : undefined)
        assert.equal(response.get('vary'), isTaken ? 'Accept-Encoding' : undefined)
      })
    }
  }

  test('the threshold counts bytes, and 0 leaves none out but the empty ones', async (t) => {
    const body = 'é'.repeat(512)
    const server = start(t, () => answer({}, body))
    assert.equal(decode(await exchange(server, get())), body)
    const eager = start(t, ({ rawTarget }) => answer({}, rawTarget.slice(1)), { threshold: 0 })
    assert.equal(decode(await exchange(eager, get(GZIP, 'GET /x'))), 'x')
    assert.equal((await exchange(eager, get())).get('content-encoding'), undefined)
  })
})

describe('fields', () => {
  const varies = [
    [undefined, 'Accept-Encoding'],
    ['', 'Accept-Encoding'],
    ['Origin', 'Origin, Accept-Encoding'],
    ['origin , cookie', 'origin , cookie, Accept-Encoding'],
    ['accept-encoding', 'accept-encoding'],
    ['Origin, ACCEPT-ENCODING', 'Origin, ACCEPT-ENCODING'],
    ['*', '*'],
    ['Origin, *', 'Origin, *'],
    ['X-Accept-Encoding', 'X-Accept-Encoding, Accept-Encoding'],
  ]
  for (const [given, sent] of varies) {
    test(`vary ${JSON.stringify(given)} → ${sent}, compressed or not`, async (t) => {
      const server = start(t, () => answer(given === undefined ? {} : { vary: given }))
      for (const [headers, coding] of [
        [GZIP, 'gzip'],
        [{}, undefined],
        [{ 'Accept-Encoding': 'identity' }, undefined],
      ]) {
        const response = await exchange(server, get(headers))
        assert.equal(response.get('content-encoding'), coding)
        assert.deepEqual(response.getAll('vary'), [sent])
      }
    })
  }

  test('several lines of vary stay several, and one of them is completed', async (t) => {
    const headers = [
      ['vary', 'Origin'],
      ['vary', 'Cookie'],
    ]
    const response = await exchange(
      start(t, () => answer(headers)),
      get(),
    )
    assert.deepEqual(response.getAll('vary'), ['Origin', 'Cookie, Accept-Encoding'])
  })

  for (const [given, compressed] of [
    ['"a"', 'W/"a"'],
    ['W/"a"', 'W/"a"'],
  ]) {
    test(`etag ${given} → ${compressed}, and as it was when not compressed`, async (t) => {
      const server = start(t, () => answer({ etag: given }))
      assert.equal((await exchange(server, get())).get('etag'), compressed)
      assert.equal((await exchange(server, get({}))).get('etag'), given)
    })
  }

  test('what is only true of the uncoded bytes goes, all others stay', async (t) => {
    const headers = new Headers({ 'accept-ranges': 'bytes', 'x-a': 'b', link: '</a>; rel=preload' })
    headers.append('set-cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    const response = await exchange(
      start(t, () => answer(headers, TEXT, 404)),
      get(),
    )
    assert.equal(response.status, 404)
    assert.deepEqual(response.getAll('set-cookie'), ['a=1', 'b=2'])
    assert.deepEqual([response.get('x-a'), response.get('link')], ['b', '</a>; rel=preload'])
    assert.deepEqual(response.getAll('accept-ranges'), [])
    assert.match(response.get('content-type'), /^text\/plain/)
  })

  test("the handler's own response stays as it was", async (t) => {
    let sent
    const server = start(t, () => {
      sent = answer({ etag: '"a"' })
      return sent
    })
    await exchange(server, get())
    assert.deepEqual([sent.headers.get('etag'), sent.headers.get('vary')], ['"a"', null])
    assert.equal(sent.bodyUsed, true)
  })
})

describe('HEAD', () => {
  const rows = {
    'of a string': () => answer({ etag: '"a"' }),
    'of a stream': () =>
      answer({ etag: '"a"', 'content-type': 'text/x' }, new Blob([TEXT]).stream()),
    'of a Blob': () => answer({ etag: '"a"', 'content-type': 'text/x' }, new Blob([TEXT])),
    'of no body but its length': ({ method }) =>
      answer(
        { etag: '"a"', 'content-type': 'text/x', 'content-length': `${TEXT.length}` },
        method === 'HEAD' ? null : TEXT,
      ),
  }
  for (const [name, handler] of Object.entries(rows)) {
    for (const headers of [GZIP, {}]) {
      test(`${name}, ${headers === GZIP ? 'gzip' : 'identity'}: GET's fields but for the length`, async (t) => {
        const server = start(t, handler)
        const client = await Client.connect(server)
        client.send(get(headers, 'HEAD /') + get(headers))
        const [head, whole] = await client.responses(2, ['HEAD', 'GET'])
        client.destroy()
        for (const field of ['content-encoding', 'vary', 'etag', 'content-type']) {
          assert.equal(head.get(field), whole.get(field), field)
        }
        if (headers === GZIP) assert.deepEqual(head.getAll('content-length'), [])
      })
    }
  }

  test('a stream is cancelled, not read', async (t) => {
    const cancelled = deferred()
    const body = () => new ReadableStream({ cancel: cancelled.resolve }, { highWaterMark: 0 })
    const server = start(t, () => answer({ 'content-type': 'text/x' }, body()))
    const head = await exchange(server, get(GZIP, 'HEAD /'))
    assert.equal(head.get('content-encoding'), 'gzip')
    await cancelled.promise
  })

  test('of neither a body nor a length is left alone', async (t) => {
    const server = start(t, () => answer({ 'content-type': 'text/x' }, null))
    const head = await exchange(server, get(GZIP, 'HEAD /'))
    assert.deepEqual([head.get('content-encoding'), head.get('vary')], [undefined, undefined])
  })
})

describe('streams', () => {
  const sse = { 'content-type': 'text/event-stream' }

  for (const coding of AVAILABLE_CODINGS) {
    test(`${coding}: an event arrives before the next one exists`, async (t) => {
      const steps = [deferred(), deferred()]
      const server = start(t, () => {
        async function* events() {
          yield 'data: one\n\n'
          await steps[0].promise
          yield 'data: two\n\n'
          await steps[1].promise
        }
        return answer(sse, events())
      })
      const client = await Client.connect(server)
      client.send(get({ 'Accept-Encoding': coding }))
      const read = () => decodedSoFar(coding, chunksOf(client).data)
      await until('one', () => chunksOf(client).data.length > 0)
      await until('one', () => read() === 'data: one\n\n')
      steps[0].resolve()
      await until('two', () => read() === 'data: one\n\ndata: two\n\n')
      assert.equal(chunksOf(client).hasEnded, false)
      steps[1].resolve()
      const [response] = await client.responses(1)
      assert.equal(decode(response), 'data: one\n\ndata: two\n\n')
      client.destroy()
    })
  }

  for (const coding of AVAILABLE_CODINGS) {
    test(`${coding}: a large part that does not shrink arrives whole before the next`, async (t) => {
      const part = randomFillSync(Buffer.alloc(300_000))
      const next = deferred()
      const server = start(t, () => {
        async function* body() {
          yield part
          await next.promise
        }
        return answer(sse, body())
      })
      const client = await Client.connect(server)
      client.send(get({ 'Accept-Encoding': coding }))
      await until('all of it', () => {
        const { data } = chunksOf(client)
        return data.length > part.length && decodedSoFar(coding, data, 'latin1').length >= 300_000
      })
      assert.equal(decodedSoFar(coding, chunksOf(client).data, 'hex'), part.toString('hex'))
      next.resolve()
      await client.responses(1)
      client.destroy()
    })
  }

  test('empty parts and a stream without any bytes', async (t) => {
    const server = start(t, ({ rawTarget }) => {
      const parts = rawTarget === '/none' ? [] : ['a', '', 'b']
      const body = new ReadableStream({
        async pull(controller) {
          await sleep(5)
          if (parts.length === 0) controller.close()
          else controller.enqueue(encoder.encode(parts.shift()))
        },
      })
      return answer(sse, body)
    })
    assert.equal(decode(await exchange(server, get())), 'ab')
    assert.equal(decode(await exchange(server, get(GZIP, 'GET /none'))), '')
  })

  test('an HTTP/1.0 client reads to the end of the connection', async (t) => {
    async function* body() {
      yield TEXT
      await sleep(20)
      yield TEXT
    }
    const server = start(t, () => answer(sse, body()))
    const { responses } = await untilClosed(
      server,
      'GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n',
    )
    assert.equal(responses[0].isChunked, false)
    assert.equal(decode(responses[0]), TEXT + TEXT)
  })

  test('an error in the middle cuts the connection, and the coding has no end', async (t) => {
    const failed = deferred()
    const server = open(
      t,
      () => {
        async function* body() {
          yield TEXT
          await sleep(20)
          throw new Error('in the middle')
        }
        return answer(sse, body())
      },
      { compression: true, error: failed.resolve },
    )
    const client = await Client.connect(server)
    client.send(get())
    const { responses, ended } = await client.close()
    assert.equal((await failed.promise).message, 'in the middle')
    assert.deepEqual([responses, Boolean(ended)], [[], true])
    const { data, hasEnded } = chunksOf(client)
    assert.equal(hasEnded, false)
    assert.throws(() => zlib.gunzipSync(data), { code: 'Z_BUF_ERROR' })
  })

  test('an error before the first part is answered like any of the handler', async (t) => {
    const body = () =>
      new ReadableStream({ pull: (controller) => controller.error(new Error('no')) })
    const server = open(t, () => answer(sse, body()), {
      compression: true,
      error: ({ message }) => answer({}, message + TEXT, 503),
    })
    const response = await exchange(server, get())
    assert.deepEqual([response.status, decode(response)], [503, `no${TEXT}`])
  })

  test('a part that is no bytes fails the answer', async (t) => {
    const failed = deferred()
    const cancelled = deferred()
    const body = () =>
      new ReadableStream({
        async pull(controller) {
          await sleep(10)
          controller.enqueue('text')
        },
        cancel: cancelled.resolve,
      })
    const server = open(t, () => answer(sse, body()), { compression: true, error: failed.resolve })
    const client = await Client.connect(server)
    client.send(get())
    assert.deepEqual((await client.close()).responses, [])
    assert.match((await failed.promise).message, /Uint8Array/)
    await cancelled.promise
  })

  for (const [name, length] of [
    ['fewer', 5000],
    ['more', 1500],
  ]) {
    test(`${name} bytes than the handler declares cut the connection`, async (t) => {
      const failed = deferred()
      let isEnded = false
      async function* body() {
        try {
          for (let index = 0; index < 3; index++) {
            yield 'x'.repeat(1000)
            await sleep(10)
          }
        } finally {
          isEnded = true
        }
      }
      const server = open(t, () => answer({ ...sse, 'content-length': `${length}` }, body()), {
        compression: true,
        error: failed.resolve,
      })
      const client = await Client.connect(server)
      client.send(get())
      const { responses } = await client.close()
      assert.deepEqual(responses, [])
      assert.match(
        (await failed.promise).message,
        new RegExp(`${name} bytes than its Content-Length`),
      )
      assert.equal(chunksOf(client).hasEnded, false)
      await until('the source is ended', () => isEnded)
    })
  }

  test('a client that leaves cancels a source that is silent, once', async (t) => {
    const reasons = []
    const server = start(t, () => {
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(encoder.encode(TEXT)),
        cancel: (reason) => void reasons.push(reason),
      })
      return answer(sse, body)
    })
    const client = await Client.connect(server)
    client.send(get())
    await until('a part', () => chunksOf(client).data.length > 0)
    client.reset()
    await until('cancelled', () => reasons.length > 0)
    await until('forgotten', () => server.stats().pendingRequests === 0)
    assert.deepEqual(
      reasons.map(({ name }) => name),
      ['AbortError'],
    )
  })

  test('a client that does not read makes the source wait', async (t) => {
    let given = 0
    const server = start(t, () => {
      const body = new ReadableStream(
        {
          pull(controller) {
            given++
            controller.enqueue(randomFillSync(new Uint8Array(64 * 1024)))
          },
        },
        { highWaterMark: 0 },
      )
      return answer(sse, body)
    })
    const client = await Client.connect(server)
    client.socket.pause()
    client.send(get())
    let before
    do {
      before = given
      await sleep(100)
    } while (given === 0 || given > before)
    // Some megabytes fit into the kernel's buffers.
    assert.ok(given < 400, `${given} parts`)
    client.socket.resume()
    await until('it goes on', () => given > before + 50)
    client.destroy()
  })
})

describe('where it stands', () => {
  test('off by default', async (t) => {
    const response = await exchange(
      open(t, () => answer()),
      get(ALL),
    )
    assert.deepEqual([response.text, response.get('vary')], [TEXT, undefined])
  })

  test('large and small bodies of a pipeline keep their order', async (t) => {
    const server = start(t, ({ rawTarget }) => answer({}, rawTarget === '/l' ? LARGE : TEXT))
    const client = await Client.connect(server)
    client.send((get(GZIP, 'GET /l') + get(GZIP)).repeat(5))
    const texts = (await client.responses(10)).map(decode)
    assert.deepEqual(texts, Array.from({ length: 5 }, () => [LARGE, TEXT]).flat())
    client.destroy()
  })

  test('many large bodies at once', async (t) => {
    const server = start(t, ({ rawTarget }) => answer({}, rawTarget + LARGE))
    const targets = Array.from({ length: 40 }, (_, index) => `/${index}`)
    await Promise.all(
      targets.map(async (target) => {
        const response = await exchange(server, get(GZIP, `GET ${target}`))
        assert.equal(decode(response), target + LARGE)
      }),
    )
  })

  test('a client that leaves while its answer is compressed harms nobody', async (t) => {
    const asked = deferred()
    const server = start(t, ({ rawTarget }) => {
      if (rawTarget === '/gone') asked.resolve()
      return answer({}, rawTarget === '/gone' ? LARGE.repeat(20) : TEXT)
    })
    const client = await Client.connect(server)
    client.send(get(GZIP, 'GET /gone'))
    await asked.promise
    client.reset()
    await until('forgotten', () => server.stats().pendingRequests === 0)
    assert.equal(decode(await exchange(server, get())), TEXT)
  })

  test("the error hook's answer is compressed, the server's own is not", async (t) => {
    const fail = () => {
      throw new Error(TEXT)
    }
    const hooked = open(t, fail, { compression: true, error: () => answer({}, TEXT, 500) })
    const response = await exchange(hooked, get())
    assert.deepEqual([response.status, decode(response)], [500, TEXT])
    const own = open(t, fail, { compression: true, development: true, error: () => undefined })
    const plain = await exchange(own, get())
    assert.deepEqual([plain.status, plain.get('content-encoding')], [500, undefined])
    assert.ok(plain.text.includes(TEXT))
  })

  test('a response that was used before fails as without compression', async (t) => {
    const failures = []
    const used = answer()
    await used.text()
    const server = open(t, () => used, {
      compression: true,
      error: ({ name }) => void failures.push(name),
    })
    assert.equal((await exchange(server, get())).status, 500)
    assert.deepEqual(failures, ['TypeError'])
  })

  for (const [name, body] of [
    ['text', () => TEXT],
    ['a large text', () => LARGE],
    ['a stream', () => new Blob([TEXT, LARGE]).stream()],
  ]) {
    test(`server.fetch: ${name}`, async () => {
      const server = new Server({
        compression: true,
        fetch: async () => answer({ 'content-type': 'text/x' }, body()),
      })
      const response = await server.fetch('/', { headers: GZIP })
      assert.equal(response.headers.get('content-encoding'), 'gzip')
      assert.equal(response.headers.get('vary'), 'Accept-Encoding')
      const text = zlib.gunzipSync(await response.bytes()).toString()
      assert.equal(text, await new globalThis.Response(body()).text())
      const plain = await server.fetch('/')
      assert.equal(plain.headers.get('content-encoding'), null)
      assert.equal(await plain.text(), text)
    })
  }

  test("server.fetch: the error hook's answer", async () => {
    const server = new Server({ compression: true, error: () => answer({}, TEXT, 500) })
    const response = await server.fetch('/', { headers: GZIP })
    assert.equal(response.status, 500)
    assert.equal(zlib.gunzipSync(await response.bytes()).toString(), TEXT)
  })
})

describe('real clients', () => {
  const url = (server) => `http://127.0.0.1:${server.port}/`

  test('curl --compressed', async (t) => {
    const server = start(t, () => answer())
    const args = ['-sS', '-i', '--max-time', '2', '--compressed', url(server)]
    const { stdout } = await promisify(execFile)('curl', args)
    assert.match(stdout, /\r\ncontent-encoding: (?:gzip|br|zstd)\r\n/)
    assert.ok(stdout.endsWith(`\r\n\r\n${TEXT}`))
  })

  test('undici keeps its connection', async (t) => {
    const ports = new Set()
    const server = start(t, (_, { clientPort }) => {
      ports.add(clientPort)
      return answer()
    })
    const dispatcher = new Agent({ connections: 1 })
    t.after(() => dispatcher.destroy())
    for (let index = 0; index < 5; index++) {
      const response = await fetch(url(server), { dispatcher, headers: GZIP })
      assert.equal(response.headers.get('content-encoding'), 'gzip')
      assert.equal(await response.text(), TEXT)
    }
    assert.equal(ports.size, 1)
  })

  test("the platform's fetch", async (t) => {
    const response = await globalThis.fetch(url(start(t, () => answer())))
    assert.ok(response.headers.get('content-encoding'))
    assert.equal(await response.text(), TEXT)
  })
})
