/** Request bodies that are still on their way when their handler is called. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Request, Response, toPlatform } from 'barewire'
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
} from './raw.js'

/** Bodies above this are handed over while they come. */
const THRESHOLD = 262_144
const SIZE = 300_000

/** Bytes that show a gap or a swap. */
function pattern(length) {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = at + Math.floor(at / 251)
  return bytes
}

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex')
const post = (length, headers = {}) => request('POST /', { 'Content-Length': length, ...headers })
const postChunked = (headers = {}) =>
  request('POST /', { 'Transfer-Encoding': 'chunked', ...headers })
const chunk = (bytes) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
const LAST_CHUNK = '0\r\n\r\n'

/** Pieces of odd sizes. */
function oddly(bytes, sizes = [1, 7, 4093, 60_001, 65_537, 16_384]) {
  const pieces = []
  for (let at = 0; at < bytes.length; ) {
    const size = sizes[pieces.length % sizes.length]
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

/** Answers `/next` plainly and anything else with a response of its own. */
const besideNext = (respond) => (incoming) =>
  incoming.rawTarget === '/next' ? new Response('next') : respond(incoming)

/** The error that a promise rejects with. */
async function failure(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  assert.fail('it should have failed')
}

/** What a client has got and not taken yet. */
function seenBy(client) {
  client.parse()
  return client.received.toString('latin1')
}

/** Reads so many bytes of a stream, and says how many it got. */
async function readSome(reader, wanted) {
  let count = 0
  while (count < wanted) {
    const { done, value } = await reader.read()
    if (done) break
    count += value.byteLength
  }
  return count
}

describe('the echo of a body', () => {
  for (const size of [5, THRESHOLD, THRESHOLD + 1, 5 << 20]) {
    const body = pattern(size)
    const framings = {
      'Content-Length': [post(size), (piece) => piece, ''],
      chunks: [postChunked(), chunk, LAST_CHUNK],
    }
    for (const [framing, [head, wrap, end]] of Object.entries(framings)) {
      const cutting = { whole: (bytes) => [bytes], 'in odd pieces': oddly }
      for (const [manner, cut] of Object.entries(cutting)) {
        test(`of ${size} bytes, ${framing}, sent ${manner}`, async (t) => {
          const server = open(t, (incoming) => new Response(incoming.body))
          const client = await Client.connect(server)
          client.send(head)
          for (const [index, piece] of cut(body).entries()) {
            if (index < 8) await new Promise(setImmediate)
            client.send(wrap(piece))
          }
          client.send(end)
          const response = await client.response('POST', 5000)
          assert.equal(response.status, 200)
          assert.equal(hash(response.body), hash(body))
          client.destroy()
        })
      }
    }
  }

  test('of many at a time', async (t) => {
    const server = open(t, (incoming) => new Response(incoming.body))
    const echoes = Array.from({ length: 40 }, async (_, index) => {
      const body = Buffer.alloc(150_000 + index, index)
      const client = await Client.connect(server)
      client.send(post(body.length)).send(body)
      const response = await client.response('POST')
      assert.ok(response.body.equals(body))
      client.destroy()
    })
    await Promise.all(echoes)
    await until('all is free', () => server.stats().bufferedBytes === 0)
  })

  test('by curl', async (t) => {
    const server = open(t, (incoming) => new Response(incoming.body))
    const body = 'curl'.repeat(500_000)
    const url = `http://127.0.0.1:${server.port}/`
    for (const options of [[], ['-H', 'Transfer-Encoding: chunked']]) {
      const curl = promisify(execFile)(
        'curl',
        ['-sS', '--max-time', '5', '--data-binary', '@-', ...options, url],
        { maxBuffer: 4 << 20 },
      )
      curl.child.stdin.end(body)
      assert.equal((await curl).stdout, body)
    }
  })
})

describe('the handler is called', () => {
  test('when a body of 64 KiB is complete, and at the head of a larger one', async (t) => {
    const called = []
    const server = open(t, async (incoming) => {
      called.push(incoming.headers.get('content-length'))
      return new Response(String((await incoming.bytes()).length))
    })
    const small = await Client.connect(server)
    small.send(post(THRESHOLD)).send(Buffer.alloc(THRESHOLD - 1))
    const large = await Client.connect(server)
    large.send(post(THRESHOLD + 1))
    await until('it is called', () => called.length > 0)
    await sleep(30)
    assert.deepEqual(called, [String(THRESHOLD + 1)])
    small.send('x')
    assert.equal((await small.response()).text, String(THRESHOLD))
    large.send(Buffer.alloc(THRESHOLD + 1))
    assert.equal((await large.response()).text, String(THRESHOLD + 1))
    for (const client of [small, large]) client.destroy()
  })

  test('when chunks have grown beyond 64 KiB', async (t) => {
    const called = deferred()
    const server = open(t, async (incoming) => {
      called.resolve()
      return new Response(hash(await incoming.bytes()))
    })
    const client = await Client.connect(server)
    const body = pattern(SIZE)
    client.send(postChunked()).send(chunk(body.subarray(0, 70_000)))
    await called.promise
    client.send(chunk(body.subarray(70_000))).send(LAST_CHUNK)
    assert.equal((await client.response()).text, hash(body))
    client.destroy()
  })

  test('although the request behind has come already, which waits', async (t) => {
    const order = []
    const server = open(t, async (incoming) => {
      order.push(incoming.rawTarget)
      const { length } = await incoming.bytes()
      order.push(length)
      return new Response(`${length}`)
    })
    const client = await Client.connect(server)
    const body = Buffer.alloc(SIZE)
    client.send(Buffer.concat([Buffer.from(post(SIZE)), body, Buffer.from(post(SIZE)), body]))
    client.send(GET_NEXT)
    const texts = (await client.responses(3)).map(({ text }) => text)
    assert.deepEqual(texts, [String(SIZE), String(SIZE), '0'])
    assert.deepEqual(order, ['/', SIZE, '/', SIZE, '/next', 0])
    client.destroy()
  })
})

describe('a body on its way is read', () => {
  const json = JSON.stringify({ text: 'ä€😀'.repeat(20_000) })
  const form = new FormData()
  form.set('field', 'x'.repeat(SIZE))
  form.set('file', new Blob([pattern(SIZE)]), 'name.bin')
  const encoded = new globalThis.Response(form)
  const multipart = encoded.arrayBuffer()
  const text = 'ä€😀'.repeat(20_000)
  const plain = Buffer.from(text)

  const cases = {
    'as text': [plain, '', async (incoming) => hash(await incoming.text())],
    'as JSON': [Buffer.from(json), '', async (incoming) => hash((await incoming.json()).text)],
    'as bytes': [plain, '', async (incoming) => hash(await incoming.bytes())],
    'as an ArrayBuffer': [
      plain,
      '',
      async (incoming) => hash(Buffer.from(await incoming.arrayBuffer())),
    ],
    'as a Blob': [plain, 'a/b', async (incoming) => hash(await (await incoming.blob()).text())],
    'by a reader': [
      plain,
      '',
      async (incoming) => {
        const sum = createHash('sha256')
        for await (const part of incoming.body) sum.update(part)
        return sum.digest('hex')
      },
    ],
    'by a reader that brings its own buffer': [
      plain,
      '',
      async (incoming) => {
        const sum = createHash('sha256')
        const reader = incoming.body.getReader({ mode: 'byob' })
        for (let buffer = new Uint8Array(5000); ; ) {
          const { done, value } = await reader.read(buffer)
          if (done) return sum.digest('hex')
          sum.update(value)
          buffer = new Uint8Array(value.buffer)
        }
      },
    ],
    'through textStream()': [
      plain,
      '',
      async (incoming) => {
        let all = ''
        for await (const part of incoming.textStream()) all += part
        return hash(all)
      },
    ],
    'long after the call': [
      plain,
      '',
      async (incoming) => {
        await sleep(50)
        return hash(await incoming.text())
      },
    ],
    'although its stream was looked at before': [
      plain,
      '',
      async (incoming) => {
        assert.ok(incoming.body instanceof ReadableStream)
        return hash(await incoming.text())
      },
    ],
    'although its stream was looked at long before': [
      plain,
      '',
      async (incoming) => {
        assert.ok(incoming.body instanceof ReadableStream)
        await sleep(20)
        return hash(await incoming.text())
      },
    ],
    'through another Request': [
      plain,
      '',
      async (incoming) => hash(await new Request(incoming).text()),
    ],
    "through the platform's Request": [
      plain,
      '',
      async (incoming) => hash(await toPlatform(incoming).text()),
    ],
    'through a Response over its stream': [
      plain,
      '',
      async (incoming) => hash(await new Response(incoming.body).text()),
    ],
  }
  for (const [name, [body, type, read]] of Object.entries(cases)) {
    for (const [framing, bytes] of [
      ['Content-Length', [post(body.length, { 'Content-Type': type }), body]],
      ['chunks', [postChunked({ 'Content-Type': type }), ...oddly(body).map(chunk), LAST_CHUNK]],
    ]) {
      test(`${name}: ${framing}`, async (t) => {
        const server = open(t, async (incoming) => new Response(await read(incoming)), {
          error: (error) => new Response(String(error?.stack), { status: 500 }),
        })
        const client = await Client.connect(server)
        for (const piece of bytes) client.send(piece)
        const response = await client.response()
        assert.equal(response.text, hash(plain))
        client.destroy()
        await until('all is free', () => server.stats().bufferedBytes === 0)
      })
    }
  }

  test('as form data with a file', async (t) => {
    const server = open(t, async (incoming) => {
      const read = await incoming.formData()
      const file = read.get('file')
      const sum = hash(Buffer.from(await file.arrayBuffer()))
      return Response.json([read.get('field').length, file.name, sum])
    })
    const body = Buffer.from(await multipart)
    const headers = { 'Content-Type': encoded.headers.get('content-type') }
    const client = await Client.connect(server)
    client.send(post(body.length, headers)).send(body)
    const response = await client.response()
    assert.deepEqual(JSON.parse(response.text), [SIZE, 'name.bin', hash(pattern(SIZE))])
    client.destroy()
  })

  test('once: a second reading is a TypeError', async (t) => {
    const errors = []
    const server = open(t, async (incoming) => {
      const first = incoming.text()
      assert.equal(incoming.bodyUsed, true)
      for (const read of ['text', 'bytes', 'json', 'arrayBuffer', 'blob', 'formData']) {
        errors.push(await failure(incoming[read]()))
      }
      assert.throws(() => incoming.clone(), TypeError)
      const { length } = await first
      errors.push(await failure(incoming.text()))
      return new Response(String(length))
    })
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE, 'x'))
    assert.equal((await client.response()).text, String(SIZE))
    assert.equal(errors.length, 7)
    for (const error of errors) assert.ok(error instanceof TypeError, String(error))
    client.destroy()
  })

  test('twice through clone(), which tees, in any order', async (t) => {
    const server = open(t, async (incoming) => {
      const copy = incoming.clone()
      const readings =
        incoming.headers.get('order') === 'together'
          ? await Promise.all([incoming.text(), copy.bytes()])
          : [await copy.text(), await incoming.bytes()]
      return new Response(readings.map(hash).join())
    })
    const body = Buffer.alloc(1_000_000, 'clone')
    for (const order of ['together', 'in turn']) {
      const client = await Client.connect(server)
      client.send(post(body.length, { order })).send(body)
      assert.equal((await client.response()).text, `${hash(body)},${hash(body)}`, order)
      client.destroy()
    }
  })

  test('while its answer is under way: collected', async (t) => {
    const server = open(t, (incoming) => {
      async function* answer() {
        yield 'got '
        await sleep(30)
        yield String((await incoming.text()).length)
      }
      return new Response(answer())
    })
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE, 'x'))
    assert.equal((await client.response()).text, `got ${SIZE}`)
    client.destroy()
  })

  test('while its answer is under way: by its stream, from the first byte on', async (t) => {
    const server = open(t, (incoming) => {
      async function* answer() {
        yield 'got '
        await sleep(30)
        const sum = createHash('sha256')
        for await (const part of incoming.body) sum.update(part)
        yield sum.digest('hex')
      }
      return new Response(answer())
    })
    const body = pattern(SIZE)
    const client = await Client.connect(server)
    client.send(postChunked())
    for (const piece of oddly(body, [70_000, 20_000])) client.send(chunk(piece))
    client.send(LAST_CHUNK)
    assert.equal((await client.response()).text, `got ${hash(body)}`)
    client.destroy()
  })
})

describe('Expect: 100-continue', () => {
  const EXPECT = { Expect: '100-continue' }
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

  for (const [name, read] of [
    ['text()', async (incoming) => (await incoming.text()).length],
    ['a reader', async (incoming) => readSome(incoming.body.getReader(), Infinity)],
  ]) {
    for (const size of [5, SIZE]) {
      test(`100 is sent when ${name} wants ${size} bytes, and not before`, async (t) => {
        const gate = deferred()
        const called = deferred()
        const server = open(t, async (incoming) => {
          called.resolve()
          await gate.promise
          return new Response(String(await read(incoming)))
        })
        const client = await Client.connect(server)
        client.send(post(size, EXPECT))
        await called.promise
        await sleep(40)
        assert.equal(seenBy(client), '', 'nothing yet')
        gate.resolve()
        await until('100 comes', () => seenBy(client) === CONTINUE)
        client.send(Buffer.alloc(size, 'x'))
        const response = await client.response()
        assert.equal(response.text, String(size))
        assert.deepEqual(
          response.informational.map(({ status }) => status),
          [100],
        )
        client.send(post(5)).send('again')
        assert.equal((await client.response()).text, '5', 'the connection goes on')
        client.destroy()
      })
    }
  }

  test('the final status comes alone, with the end, when nobody reads', async (t) => {
    const server = open(t, () => new Response('no, thank you', { status: 403 }))
    const client = await Client.connect(server)
    client.send(post(5, EXPECT))
    const { responses, ended } = await client.close()
    assert.deepEqual([responses.length, responses[0].status, ended], [1, 403, 'fin'])
    assert.equal(responses[0].get('connection'), 'close')
    assert.deepEqual(responses[0].informational, [])
  })

  test('a streamed answer that does not read either', async (t) => {
    const server = open(t, () => {
      async function* answer() {
        yield 'no, '
        await sleep(20)
        yield 'thank you'
      }
      return new Response(answer())
    })
    const client = await Client.connect(server)
    client.send(post(5, EXPECT))
    const { responses } = await client.close()
    assert.deepEqual([responses[0].text, responses[0].informational], ['no, thank you', []])
    assert.equal(responses[0].get('connection'), 'close')
  })

  test('413 comes without 100 when the body is declared too large', async (t) => {
    const server = open(t, () => new Response('a'), { maxBodySize: 1000 })
    const client = await Client.connect(server)
    client.send(post(1001, EXPECT))
    const result = await client.close()
    assertRefusal(result, 413)
    assert.deepEqual(result.responses[0].informational, [])
  })

  test('a body that comes without waiting is read all the same', async (t) => {
    const server = open(t, async (incoming) => new Response(await incoming.text()))
    const client = await Client.connect(server)
    client.send(`${post(5, EXPECT)}hello`)
    assert.equal((await client.response()).text, 'hello')
    client.destroy()
  })
})

describe('a body that nobody reads', () => {
  test('above 64 KiB ends the connection with its answer', async (t) => {
    const server = open(t, () => new Response('unread'))
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE)).send(GET_NEXT)
    const { responses, rest, ended } = await client.close()
    assert.deepEqual([responses.length, responses[0].text], [1, 'unread'])
    assert.equal(responses[0].get('connection'), 'close')
    assert.deepEqual([rest.length, ended], [0, 'fin'])
  })

  test('to its end is drained when a known rest of 64 KiB is left', async (t) => {
    const server = open(
      t,
      besideNext(async (incoming) => {
        const reader = incoming.body.getReader()
        await readSome(reader, SIZE - 60_000)
        await reader.cancel()
        return new Response('read a part')
      }),
    )
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE - 50_000))
    const response = await client.response()
    assert.deepEqual([response.text, response.get('connection')], ['read a part', undefined])
    client.send(Buffer.alloc(50_000, 'GET / HTTP/1.1\r\n\r\n')).send(GET_NEXT)
    assert.equal((await client.response()).text, 'next')
    client.destroy()
  })

  test('cannot keep the connection for ever when its known rest never comes', async (t) => {
    const gate = deferred()
    const server = open(
      t,
      async (incoming) => {
        const reader = incoming.body.getReader()
        await readSome(reader, 40_000)
        await reader.cancel()
        await gate.promise
        return new Response('read a part')
      },
      { timeouts: { body: 150 } },
    )
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(50_000))
    await sleep(30)
    // A part that comes after the cancel pauses the reading, and with it the clock.
    client.send(Buffer.alloc(10_000))
    await sleep(30)
    gate.resolve()
    assert.equal((await client.response()).text, 'read a part')
    await until('it is closed', () => server.stats().activeConnections === 0)
    client.destroy()
  })

  test('makes its client wait: memory holds little of it', async (t) => {
    const gate = deferred()
    const server = open(
      t,
      async (incoming) => {
        await gate.promise
        return new Response(String(await readSome(incoming.body.getReader(), Infinity)))
      },
      { maxBodySize: 0 },
    )
    const client = await Client.connect(server)
    const size = 40 << 20
    client.send(post(size)).send(Buffer.alloc(size))
    await sleep(100)
    const { bytesReceived, bufferedBytes } = server.stats()
    assert.ok(bytesReceived < 1 << 20, `${bytesReceived} bytes were read for nobody`)
    assert.ok(bufferedBytes < 1 << 20)
    gate.resolve()
    assert.equal((await client.response('POST', 5000)).text, String(size))
    client.destroy()
  })

  test('makes its client wait also when it is read slowly', async (t) => {
    let read = 0
    const gate = deferred()
    const server = open(
      t,
      async (incoming) => {
        const reader = incoming.body.getReader()
        read = await readSome(reader, 1)
        await gate.promise
        return new Response(String(read + (await readSome(reader, Infinity))))
      },
      { maxBodySize: 0 },
    )
    const client = await Client.connect(server)
    const size = 20 << 20
    client.send(post(size)).send(Buffer.alloc(size))
    await until('it is read', () => read > 0)
    await sleep(100)
    const { bytesReceived } = server.stats()
    assert.ok(bytesReceived < 2 << 20, `${bytesReceived} bytes were read ahead`)
    gate.resolve()
    assert.equal((await client.response('POST', 5000)).text, String(size))
    client.destroy()
  })

  test('rejects after the answer', async (t) => {
    const late = deferred()
    const server = open(t, (incoming) => {
      setTimeout(() => incoming.text().then(late.reject, late.resolve), 30)
      return new Response('answered')
    })
    const client = await Client.connect(server)
    client.send(post(SIZE))
    await client.response()
    assert.equal((await late.promise).name, 'AbortError')
    client.destroy()
  })
})

describe('a body that goes wrong while it is read', () => {
  const readers = {
    'text()': (incoming) => incoming.text(),
    'a reader': (incoming) => readSome(incoming.body.getReader(), Infinity),
  }
  for (const [name, read] of Object.entries(readers)) {
    /** A server whose handler reads, and the error that it gets. */
    const reading = (t, options) => {
      const failed = deferred()
      const begun = deferred()
      const handler = async (incoming) => {
        begun.resolve(incoming)
        const error = await failure(read(incoming))
        failed.resolve(error)
        throw error
      }
      const error = () => new Response('from the hook', { status: 500 })
      return { failed, begun, server: open(t, besideNext(handler), { error, ...options }) }
    }

    const assertNotTime = (error) => {
      assert.ok(error instanceof Error)
      assert.notEqual(error.name, 'TimeoutError', `no clock has to do with it: ${error.message}`)
    }

    test(`413 strikes, rejects ${name} and is answered`, async (t) => {
      const { server, failed } = reading(t, { maxBodySize: 150_000 })
      const client = await Client.connect(server)
      client.send(postChunked())
      for (let sent = 0; sent < 4; sent++) client.send(chunk(Buffer.alloc(40_000)))
      assertRefusal(await client.close(), 413)
      assertNotTime(await failed.promise)
      await until('nothing is left', () => server.stats().bufferedBytes === 0)
    })

    test(`a malformed chunk rejects ${name} with 400`, async (t) => {
      const { server, failed, begun } = reading(t)
      const client = await Client.connect(server)
      client.send(postChunked()).send(chunk(Buffer.alloc(70_000)))
      await begun.promise
      client.send('no chunk\r\n')
      assertRefusal(await client.close(), 400)
      assertNotTime(await failed.promise)
    })

    test(`FIN in the middle rejects ${name}`, async (t) => {
      const { server, failed, begun } = reading(t)
      const client = await Client.connect(server)
      client.send(post(SIZE)).send(Buffer.alloc(1000))
      const { signal } = await begun.promise
      await sleep(20)
      client.finish()
      assertNotTime(await failed.promise)
      const { responses } = await client.close()
      for (const { status } of responses) assert.equal(status, 400)
      assert.equal(signal.aborted, true)
      assertNotTime(signal.reason)
    })

    test(`RST in the middle rejects ${name}`, async (t) => {
      const { server, failed, begun } = reading(t)
      const client = await Client.connect(server)
      client.send(post(SIZE)).send(Buffer.alloc(1000))
      const { signal } = await begun.promise
      await sleep(20)
      client.reset()
      const error = await failed.promise
      assert.equal(error.name, 'AbortError')
      assert.equal(signal.aborted, true)
      await until('all is free', () => {
        const { activeConnections, pendingRequests, bufferedBytes } = server.stats()
        return activeConnections + pendingRequests + bufferedBytes === 0
      })
    })

    test(`silence rejects ${name} with 408`, async (t) => {
      const { server, failed } = reading(t, { timeouts: { body: 150 } })
      const client = await Client.connect(server)
      client.send(post(SIZE)).send(Buffer.alloc(1000))
      assertRefusal(await client.close(), 408)
      assert.ok((await failed.promise) instanceof Error)
    })

    test(`after the client has left ${name} rejects at once`, async (t) => {
      const gate = deferred()
      const failed = deferred()
      const server = open(t, async (incoming) => {
        await gate.promise
        failed.resolve(await failure(read(incoming)))
        return new Response()
      })
      const client = await Client.connect(server)
      client.send(post(SIZE)).send(Buffer.alloc(1000))
      await until('it is pending', () => server.stats().pendingRequests === 1)
      client.reset()
      await until('it is lost', () => server.stats().activeConnections === 0)
      gate.resolve()
      assert.equal((await failed.promise).name, 'AbortError')
    })
  }

  test('FIN right behind the whole body is no harm', async (t) => {
    const server = open(t, async (incoming) => {
      await sleep(40)
      return new Response(String((await incoming.text()).length))
    })
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE, 'x')).finish()
    const { responses, ended } = await client.close()
    assert.deepEqual([responses[0].status, responses[0].text, ended], [200, String(SIZE), 'fin'])
  })

  test('an error in the middle of an echo is a cut', async (t) => {
    const server = open(t, (incoming) => new Response(incoming.body))
    const warned = deferred()
    process.once('warning', warned.resolve)
    const client = await Client.connect(server)
    client.send(postChunked()).send(chunk(Buffer.alloc(70_000)))
    await client.bytes(10_000)
    client.send('no chunk\r\n')
    const { responses, rest } = await client.close()
    assert.deepEqual(responses, [])
    assert.doesNotMatch(rest.toString('latin1'), /\r\n0\r\n/)
    process.off('warning', warned.resolve)
  })
})

describe('clocks', () => {
  const LIMIT = 150

  test('the limit on the handler stands still while the body is incomplete', async (t) => {
    const server = open(
      t,
      async (incoming) => new Response(String(await incoming.text()).slice(0, 9)),
      {
        timeout: LIMIT,
      },
    )
    const client = await Client.connect(server)
    client.send(post(SIZE))
    for (let sent = 0; sent < 5; sent++) {
      await sleep(LIMIT / 2)
      client.send(Buffer.alloc(SIZE / 5, 'x'))
    }
    assert.equal((await client.response()).text, 'xxxxxxxxx')
    client.destroy()
  })

  test('and runs from its end on', async (t) => {
    const aborted = deferred()
    const server = open(
      t,
      async (incoming) => {
        incoming.signal.addEventListener('abort', () => aborted.resolve(incoming.signal.reason))
        await incoming.text()
        return new Promise(() => {})
      },
      { timeout: LIMIT },
    )
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE))
    assertRefusal(await client.close(), 503)
    assert.equal((await aborted.promise).name, 'TimeoutError')
  })

  test('the limit on the body does not run while nobody reads', async (t) => {
    const server = open(
      t,
      async (incoming) => {
        await sleep(LIMIT * 3)
        return new Response(String((await incoming.text()).length))
      },
      { timeouts: { body: LIMIT } },
    )
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE / 2))
    await sleep(LIMIT * 3)
    client.send(Buffer.alloc(SIZE / 2))
    assert.equal((await client.response()).text, String(SIZE))
    client.destroy()
  })
})

describe('load and the end', () => {
  test('a collected body counts among the buffered bytes until its answer', async (t) => {
    const gate = deferred()
    const server = open(t, async (incoming) => {
      const { length } = await incoming.bytes()
      await gate.promise
      return new Response(String(length))
    })
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE - 1))
    await until('it is collected', () => server.stats().bufferedBytes === SIZE - 1)
    client.send('x')
    gate.resolve()
    assert.equal((await client.response()).text, String(SIZE))
    await until('it is free', () => server.stats().bufferedBytes === 0)
    client.destroy()
  })

  test('close() lets an upload under way finish', async (t) => {
    const begun = deferred()
    const server = open(t, async (incoming) => {
      begun.resolve()
      return new Response(String((await incoming.text()).length))
    })
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE / 2))
    await begun.promise
    const closed = server.close({ timeout: 2000 })
    await sleep(30)
    client.send(Buffer.alloc(SIZE / 2))
    const { responses, ended } = await client.close()
    assert.deepEqual([responses[0].text, ended], [String(SIZE), 'fin'])
    assert.equal(responses[0].get('connection'), 'close')
    assert.deepEqual(await closed, { cut: 0 })
  })

  test('close() cuts one that does not end, and its reading rejects', async (t) => {
    const failed = deferred()
    const server = open(t, async (incoming) => {
      failed.resolve(await failure(incoming.text()))
      return new Response()
    })
    const client = await Client.connect(server)
    client.send(post(SIZE)).send(Buffer.alloc(SIZE / 2))
    await until('it is pending', () => server.stats().pendingRequests === 1)
    assert.deepEqual(await server.close({ timeout: 100 }), { cut: 1 })
    assert.equal((await failed.promise).name, 'AbortError')
    client.destroy()
  })

  test('GET and HEAD with a body have none for the handler, and the rule holds', async (t) => {
    const server = open(t, (incoming) => new Response(String(incoming.body)))
    const client = await Client.connect(server)
    client.send(request('GET /', { 'Content-Length': SIZE })).send(Buffer.alloc(SIZE))
    const { responses } = await client.close()
    assert.deepEqual([responses[0].text, responses[0].get('connection')], ['null', 'close'])
    assert.equal((await exchange(server, `${request('GET /', {}, 'small')}`)).text, 'null')
  })
})
