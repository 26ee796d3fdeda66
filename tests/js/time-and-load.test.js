/** Limits on time, on size and on load, and clients that are slow, gone or many. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { Response } from 'barewire'
import {
  assertRefusal,
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

const GET = request('GET /')
/** A limit in these tests, and how much later its effect may come: timers are coarse. */
const LIMIT = 200
const COARSE = 1500

/** Milliseconds that a promise takes, with what it gives. */
async function timed(promise) {
  const start = performance.now()
  const value = await promise
  return { value, elapsed: performance.now() - start }
}

const inTime = (elapsed, limit = LIMIT) =>
  assert.ok(elapsed > limit - 50 && elapsed < limit + COARSE, `${elapsed.toFixed()} ms`)

describe('the limit on the head', () => {
  const options = { timeouts: { headers: LIMIT } }

  test('ends a head that stands still with 408', async (t) => {
    const server = open(t, () => new Response('a'), options)
    const { value, elapsed } = await timed(untilClosed(server, 'GET / HTTP/1.1\r\nHo'))
    assertRefusal(value, 408)
    inTime(elapsed)
  })

  test('is absolute: dripping bytes does not move it', async (t) => {
    const server = open(t, () => new Response('a'), options)
    const client = await Client.connect(server)
    client.send('GET / HTTP/1.1\r\nX: ')
    const drip = setInterval(() => client.send('y'), 20)
    t.after(() => clearInterval(drip))
    const { value, elapsed } = await timed(client.close())
    assertRefusal(value, 408)
    inTime(elapsed)
  })

  test('counts from the first byte of the request, not of the connection', async (t) => {
    const server = open(t, () => new Response('a'), options)
    const client = await Client.connect(server)
    for (let round = 0; round < 2; round++) {
      await sleep(LIMIT * 1.5)
      client.send(GET)
      assert.equal((await client.response()).status, 200)
    }
    client.send('GET')
    const { value, elapsed } = await timed(client.close())
    assertRefusal(value, 408)
    inTime(elapsed)
  })

  test('does not touch a slow handler or a slow body', async (t) => {
    const server = open(t, () => sleep(LIMIT * 2).then(() => new Response('a')), options)
    const client = await Client.connect(server)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na')
    await sleep(LIMIT * 2)
    client.send('b')
    assert.equal((await client.response()).text, 'a')
    client.destroy()
  })
})

describe('the limit on the body', () => {
  for (const [name, head, part] of [
    ['Content-Length', 'Content-Length: 100', 'hello'],
    ['chunks', 'Transfer-Encoding: chunked', '5\r\nhel'],
    ['chunks, at their end', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\nX: y'],
    ['a body that has not begun', 'Content-Length: 5', ''],
  ]) {
    test(`ends a body without progress with 408: ${name}`, async (t) => {
      let calls = 0
      const handler = () => new Response(`${++calls}`)
      const server = open(t, handler, { timeouts: { body: LIMIT } })
      const bytes = `POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n${part}`
      const { value, elapsed } = await timed(untilClosed(server, bytes))
      assertRefusal(value, 408)
      inTime(elapsed)
      assert.equal(calls, 0, 'the handler never sees a part of a body')
    })
  }

  test('is one on progress: a slow body that goes on is read', async (t) => {
    const handler = async (incoming) => new Response(await incoming.text())
    const server = open(t, handler, { timeouts: { body: LIMIT } })
    const client = await Client.connect(server)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n')
    for (const byte of 'progress') {
      await sleep(LIMIT / 2)
      client.send(byte)
    }
    assert.equal((await client.response()).text, 'progress')
    client.destroy()
  })
})

describe('the idle limit', () => {
  const options = { timeouts: { idle: LIMIT } }

  test('closes a new connection without a byte', async (t) => {
    const server = open(t, () => new Response('a'), options)
    const client = await Client.connect(server)
    const { value, elapsed } = await timed(client.close())
    assert.deepEqual([value.responses, value.rest.length, value.ended], [[], 0, 'fin'])
    inTime(elapsed)
  })

  test('closes between requests without a byte', async (t) => {
    const server = open(t, () => new Response('a'), options)
    const client = await Client.connect(server)
    client.send(GET)
    await client.response()
    const { value, elapsed } = await timed(client.close())
    assert.deepEqual([value.responses, value.rest.length, value.ended], [[], 0, 'fin'])
    inTime(elapsed)
  })

  test('does not cut a slow handler', async (t) => {
    const server = open(t, () => sleep(LIMIT * 5).then(() => new Response('slow')), options)
    assert.equal((await exchange(server, GET)).text, 'slow')
  })

  test('begins anew with each request', async (t) => {
    const server = open(t, () => new Response('a'), options)
    const client = await Client.connect(server)
    for (let round = 0; round < 6; round++) {
      client.send(GET)
      await client.response()
      await sleep(LIMIT / 2)
    }
    client.destroy()
  })
})

describe('the limit on the handler', () => {
  test('answers 503, aborts the signal and closes', async (t) => {
    const aborted = deferred()
    const server = open(
      t,
      ({ signal }) => {
        signal.addEventListener('abort', () => aborted.resolve(signal.reason))
        return new Promise(() => {})
      },
      { timeout: LIMIT },
    )
    const { value, elapsed } = await timed(untilClosed(server, GET + GET_NEXT))
    assertRefusal(value, 503)
    inTime(elapsed)
    assert.ok((await aborted.promise) instanceof Error)
    await until('nothing is pending', () => server.stats().pendingRequests === 0)
  })

  test('does not run while the body is still coming', async (t) => {
    const handler = async (incoming) => new Response(await incoming.text())
    const server = open(t, handler, { timeout: LIMIT })
    const client = await Client.connect(server)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na')
    await sleep(LIMIT * 3)
    client.send('b')
    assert.equal((await client.response()).text, 'ab')
    client.destroy()
  })

  test('can be set anew for one request, or off', async (t) => {
    const server = open(
      t,
      (incoming) => {
        assert.equal(server.timeout(incoming, 0), true)
        return sleep(LIMIT * 4).then(() => new Response('late and fine'))
      },
      { timeout: LIMIT },
    )
    assert.equal((await exchange(server, GET)).text, 'late and fine')
  })

  test('does not abort a request that was answered', async (t) => {
    let signal
    const server = open(
      t,
      (incoming) => {
        signal = incoming.signal
        return new Response('a')
      },
      { timeout: LIMIT },
    )
    const client = await Client.connect(server)
    client.send(GET)
    await client.response()
    await sleep(LIMIT * 3)
    assert.equal(signal.aborted, false)
    client.destroy()
  })
})

describe('the limit on a body', () => {
  const options = { maxBodySize: 1000 }
  const handler = async (incoming) => new Response(String((await incoming.text()).length))
  const post = (length) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`
  const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'

  test('lets a body of its size pass', async (t) => {
    const server = open(t, handler, options)
    assert.equal((await exchange(server, post(1000) + 'x'.repeat(1000))).text, '1000')
    const body = `1f4\r\n${'x'.repeat(500)}\r\n1f4\r\n${'y'.repeat(500)}\r\n0\r\n\r\n`
    assert.equal((await exchange(server, chunked + body)).text, '1000')
  })

  test('strikes from Content-Length before a byte of the body comes', async (t) => {
    let calls = 0
    const server = open(t, () => new Response(`${++calls}`), options)
    const response = await exchange(server, post(1001))
    assert.equal(response.status, 413)
    assert.ok(response.text.length > 8, 'says why')
    assert.equal(calls, 0)
  })

  test('drains a small rest or closes, and never takes it for a request', async (t) => {
    const server = open(t, handler, options)
    const client = await Client.connect(server)
    const body = GET_NEXT.repeat(60)
    client.send(post(body.length) + body)
    const refusal = await client.response()
    assert.equal(refusal.status, 413)
    if (refusal.get('connection') === 'close') {
      const { responses, ended } = await client.close()
      assert.deepEqual([responses.length, ended], [0, 'fin'])
    } else {
      client.send(`${post(3)}abc`)
      assert.equal((await client.response()).text, '3')
      client.destroy()
    }
  })

  test('closes when the rest is large, after the client could read why', async (t) => {
    const server = open(t, handler, options)
    const client = await Client.connect(server)
    client.socket.pause()
    client.send(post(400_000)).send(Buffer.alloc(400_000, 'x'))
    await sleep(50)
    client.socket.resume()
    assertRefusal(await client.close(), 413)
  })

  test('strikes while chunks are read', async (t) => {
    const server = open(t, handler, options)
    const client = await Client.connect(server)
    client.send(chunked)
    for (let round = 0; round < 3; round++) client.send(`1f4\r\n${'x'.repeat(500)}\r\n`)
    assertRefusal(await client.close(), 413)
  })

  test('strikes on a chunk that only says it will be large', async (t) => {
    const server = open(t, handler, options)
    const client = await Client.connect(server)
    client.send(`${chunked}ffffff\r\n${'x'.repeat(1001)}`)
    assertRefusal(await client.close(), 413)
  })
})

describe('load', () => {
  test('above maxPending the answer is 503 with Retry-After, and below it goes on', async (t) => {
    const gate = deferred()
    const server = open(t, () => gate.promise.then(() => new Response('in')), { maxPending: 2 })
    const clients = await Promise.all([0, 1, 2].map(() => Client.connect(server)))
    clients[0].send(GET)
    clients[1].send(GET)
    await until('two are pending', () => server.stats().pendingRequests === 2)
    clients[2].send(GET)
    const refusal = await clients[2].response()
    assert.equal(refusal.status, 503)
    assert.match(refusal.get('retry-after') ?? '', /^\d+$/)
    gate.resolve()
    for (const client of clients.slice(0, 2)) assert.equal((await client.response()).text, 'in')
    assert.equal((await exchange(server, GET)).text, 'in')
    for (const client of clients) client.destroy()
  })

  test('at maxConnections the server stops to accept, and goes on below', async (t) => {
    const server = open(t, () => new Response('in'), { maxConnections: 2 })
    const clients = await Promise.all([0, 1, 2, 3].map(() => Client.connect(server)))
    for (const client of clients) client.send(GET)
    const answered = () => clients.filter((client) => client.parse().responses.length === 1)
    await until('two are answered', () => answered().length === 2)
    await sleep(100)
    assert.equal(answered().length, 2)
    assert.equal(server.stats().activeConnections, 2)
    answered()[0].destroy()
    await until('a third is answered', () => answered().length === 3)
    answered()[1].destroy()
    await until('the fourth is answered', () => answered().length === 4)
    for (const client of clients) client.destroy()
  })

  test('above maxBufferedBytes new bodies get 503, requests without one are served', async (t) => {
    const server = open(t, async (incoming) => new Response(await incoming.text()), {
      maxBufferedBytes: 65_536,
    })
    const hog = await Client.connect(server)
    hog.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    hog.send(`1e000\r\n${'x'.repeat(100_000)}`)
    await until('much is buffered', () => server.stats().bufferedBytes >= 65_536)
    await sleep(30)
    assert.ok(server.stats().bufferedBytes < 65_536 + 65_537, 'and not much more')
    const refusal = await exchange(server, request('POST /', {}, 'hello'))
    assert.equal(refusal.status, 503)
    assert.equal((await exchange(server, GET)).status, 200)
    hog.reset()
    await until('the bytes are free', () => server.stats().bufferedBytes === 0)
    assert.equal((await exchange(server, request('POST /', {}, 'hello'))).text, 'hello')
  })

  test('a hundred pipelined requests are answered in order, whatever finishes first', async (t) => {
    let running = 0
    let most = 0
    const server = open(t, async ({ rawTarget }) => {
      most = Math.max(most, ++running)
      await sleep((Number(rawTarget.slice(1)) * 7) % 5)
      running--
      return new Response(rawTarget)
    })
    const client = await Client.connect(server)
    const targets = Array.from({ length: 100 }, (_, index) => `/${index}`)
    client.send(targets.map((target) => request(`GET ${target}`)).join(''))
    const responses = await client.responses(100)
    assert.deepEqual(
      responses.map(({ text }) => text),
      targets,
    )
    assert.equal(most, 1, 'the next waits while an answer is owed')
    client.destroy()
  })

  test('sync and async answers mix in one pipeline', async (t) => {
    const server = open(t, ({ rawTarget }) => {
      const response = new Response(rawTarget)
      return Number(rawTarget.slice(1)) % 3 ? response : sleep(1).then(() => response)
    })
    const client = await Client.connect(server)
    const targets = Array.from({ length: 60 }, (_, index) => `/${index}`)
    client.send(targets.map((target) => request(`GET ${target}`)).join(''))
    const responses = await client.responses(60)
    assert.deepEqual(
      responses.map(({ text }) => text),
      targets,
    )
    client.destroy()
  })
})

describe('a slow reader', () => {
  const SIZE = 12 << 20
  const bytes = Buffer.alloc(SIZE)
  for (let at = 0; at < SIZE; at += 4) bytes.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
  const text = 'aé€😀'.repeat(1_000_000)

  for (const [name, body, wanted] of [
    ['bytes', bytes, bytes],
    ['text', text, Buffer.from(text)],
  ]) {
    test(`gets every byte of a large answer: ${name}`, async (t) => {
      const server = open(t, ({ rawTarget }) => new Response(rawTarget === '/next' ? 'n' : body))
      const client = await Client.connect(server)
      client.socket.removeAllListeners('data')
      client.socket.pause()
      const chunks = []
      client.send(GET + GET_NEXT)
      await sleep(100)
      assert.equal((await exchange(server, GET_NEXT)).text, 'n', 'others are served meanwhile')
      // A little at a time at first, so that the window fills and empties again and again.
      let seen = 0
      client.socket.on('data', (chunk) => {
        chunks.push(chunk)
        seen += chunk.length
        if (chunks.length < 60) {
          client.socket.pause()
          setTimeout(() => client.socket.resume(), 2)
        }
      })
      client.socket.resume()
      await until('all came', () => seen > wanted.length + 160, 3000)
      const all = Buffer.concat(chunks)
      const start = all.indexOf('\r\n\r\n') + 4
      const got = all.subarray(start, start + wanted.length)
      const hash = (data) => createHash('sha256').update(data).digest('hex')
      assert.match(
        all.toString('latin1', 0, start),
        new RegExp(`length: ${wanted.length}\r\n`, 'i'),
      )
      assert.equal(hash(got), hash(wanted))
      await until('the next answer came', () =>
        Buffer.concat(chunks).toString('latin1').endsWith('\r\n\r\nn'),
      )
      client.destroy()
    })
  }

  test('that stops reading is cut by the limit on sending', async (t) => {
    const server = open(t, () => new Response(bytes), { timeouts: { send: LIMIT } })
    const client = await Client.connect(server)
    client.socket.pause()
    client.send(GET)
    await until('it is cut', () => server.stats().activeConnections === 0)
    client.destroy()
  })
})

describe('a client that leaves', () => {
  test('with FIN: the signal aborts and the answer is written all the same', async (t) => {
    const aborted = deferred()
    const server = open(t, async ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve())
      await aborted.promise
      await sleep(10)
      return new Response('all the same')
    })
    const client = await Client.connect(server)
    client.send(GET).finish()
    const { responses, ended } = await client.close()
    assert.deepEqual([responses[0].text, ended], ['all the same', 'fin'])
  })

  test('with FIN right behind the request: a sync answer is written', async (t) => {
    const server = open(t, () => new Response('sync'))
    const client = await Client.connect(server)
    client.send(GET).finish()
    const { responses, ended } = await client.close()
    assert.deepEqual([responses[0].text, ended], ['sync', 'fin'])
  })

  test('with FIN behind a pipeline: what is owed is written, in order, then FIN', async (t) => {
    const server = open(t, ({ rawTarget }) => sleep(5).then(() => new Response(rawTarget)))
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT).finish()
    const { responses, rest, ended } = await client.close()
    // Whether the one behind was owed already is the server's choice; half an answer is not.
    const texts = responses.map(({ text }) => text)
    assert.deepEqual(texts, ['/', '/next'].slice(0, Math.max(1, texts.length)))
    assert.deepEqual([rest.length, ended], [0, 'fin'])
  })

  test('with FIN inside a head or a body: no handler is called, no answer is owed', async (t) => {
    let calls = 0
    const server = open(t, () => new Response(`${++calls}`))
    for (const part of [
      'GET / HTTP/1.1\r\nHo',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel',
    ]) {
      const client = await Client.connect(server)
      client.send(part).finish()
      const { responses } = await client.close()
      for (const { status } of responses) assert.equal(status, 400)
    }
    assert.equal(calls, 0)
  })

  test('with RST: the signal aborts and the connection is free', async (t) => {
    const aborted = deferred()
    const server = open(t, ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve())
      return new Promise(() => {})
    })
    const client = await Client.connect(server)
    client.send(GET)
    await until('it is pending', () => server.stats().pendingRequests === 1)
    client.reset()
    await aborted.promise
    await until('all is free', () => {
      const { activeConnections, pendingRequests } = server.stats()
      return activeConnections === 0 && pendingRequests === 0
    })
  })

  test('with RST in the middle of a large answer: the connection is free', async (t) => {
    const server = open(t, () => new Response(new Uint8Array(16 << 20)))
    const client = await Client.connect(server)
    client.send(GET)
    await client.bytes(1000)
    client.reset()
    await until('all is free', () => server.stats().activeConnections === 0)
  })

  test('does not abort a request whose body ended as it should', async (t) => {
    let signal
    const server = open(t, async (incoming) => {
      signal = incoming.signal
      return new Response(await incoming.text())
    })
    const client = await Client.connect(server)
    client.send(request('POST /', {}, 'hello'))
    await client.response()
    client.destroy()
    await until('all is free', () => server.stats().activeConnections === 0)
    assert.equal(signal.aborted, false)
  })
})

describe('a body that the handler does not read', () => {
  for (const size of [5, 60_000]) {
    test(`of ${size} bytes does not disturb the next request`, async (t) => {
      const server = open(t, ({ rawTarget }) => new Response(rawTarget))
      const client = await Client.connect(server)
      client.send(request('POST /unread', {}, 'x'.repeat(size)) + GET_NEXT)
      const texts = (await client.responses(2)).map(({ text }) => text)
      assert.deepEqual(texts, ['/unread', '/next'])
      client.destroy()
    })
  }

  test('of 2000000 bytes ends the connection by rule, and the client can read why', async (t) => {
    const targets = []
    const server = open(t, ({ rawTarget }) => {
      targets.push(rawTarget)
      return new Response(rawTarget)
    })
    const client = await Client.connect(server)
    client.send(request('POST /unread', {}, 'x'.repeat(2_000_000)) + GET_NEXT)
    const { responses, rest, ended } = await client.close()
    assert.deepEqual([responses.length, responses[0].text], [1, '/unread'])
    assert.equal(responses[0].get('connection'), 'close')
    assert.deepEqual([rest.length, ended], [0, 'fin'])
    assert.deepEqual(targets, ['/unread'], 'nothing of the body is taken for a request')
  })
})
