/** Answers whose body is a stream, or something that has to be read like one. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Response } from 'barewire'
import { printed, start } from './child.js'
import { Client, deferred, exchange, GET_NEXT, open, request, sleep, until } from './raw.js'

const GET = request('GET /')
const GET_1_0 = 'GET / HTTP/1.0\r\n\r\n'
const encoder = new TextEncoder()
const bytesOf = (text) => encoder.encode(text)

/** A stream of texts, each after a pause; `seen.cancelled` gets the reasons of a cancel. */
function slowly(texts, { pause = 20, seen = {} } = {}) {
  const left = [...texts]
  seen.cancelled = []
  return new ReadableStream({
    async pull(controller) {
      await sleep(pause)
      if (left.length === 0) controller.close()
      else controller.enqueue(bytesOf(left.shift()))
    },
    cancel(reason) {
      seen.cancelled.push(reason)
    },
  })
}

/** Answers `/next` plainly and anything else with a response of its own. */
const besideNext = (respond) => (incoming) =>
  incoming.rawTarget === '/next' ? new Response('next') : respond(incoming)

/** What a client has got and not taken yet. */
function seenBy(client) {
  client.parse()
  return client.received.toString('latin1')
}

/** A connection that ended before its answer did: nothing looks complete. */
function assertCut({ responses, rest, ended }, { begins = '' } = {}) {
  assert.deepEqual(responses, [], 'no complete answer')
  const text = rest.toString('latin1')
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/, 'the head was out')
  assert.ok(text.includes(begins), `${begins} came before the cut`)
  assert.doesNotMatch(text, /\r\n0\r\n/, 'no end marker')
  assert.ok(ended)
}

describe('what ends within one turn of the event loop goes out whole', () => {
  const form = new FormData()
  form.set('a', 'b')
  const cases = {
    'a stream that is filled and closed at its start': () =>
      new ReadableStream({
        start(controller) {
          for (const part of ['al', 'l of', ' it']) controller.enqueue(bytesOf(part))
          controller.close()
        },
      }),
    'a byte stream that is pulled': () => {
      const parts = ['all ', 'of it']
      return new ReadableStream({
        type: 'bytes',
        pull(controller) {
          controller.enqueue(bytesOf(parts.shift()))
          if (parts.length === 0) controller.close()
        },
      })
    },
    'an async generator of texts': async function* () {
      yield 'all '
      yield 'of it'
    },
    'an async generator of bytes': async function* () {
      yield bytesOf('all ')
      await null
      yield bytesOf('of it').buffer
    },
    'a Blob': () => new Blob(['all ', 'of it']),
    'the stream of another Response': () => new Response('all of it').body,
  }
  for (const [name, make] of Object.entries(cases)) {
    test(name, async (t) => {
      const server = open(
        t,
        besideNext(() => new Response(make())),
      )
      const client = await Client.connect(server)
      client.send(GET + GET_NEXT)
      const [response, next] = await client.responses(2)
      assert.deepEqual([response.text, response.isChunked], ['all of it', false])
      assert.equal(response.get('content-length'), '9')
      assert.equal(response.get('connection'), undefined)
      assert.equal(next.text, 'next')
      client.destroy()
    })
  }

  test("the platform's Response", async (t) => {
    const server = open(t, () => new globalThis.Response('all of it', { headers: { 'x-a': 'b' } }))
    const response = await exchange(server, GET)
    assert.deepEqual([response.text, response.get('x-a')], ['all of it', 'b'])
    assert.equal(response.get('content-length'), '9')
  })

  test('URLSearchParams and FormData, with the types that they imply', async (t) => {
    const server = open(t, ({ rawTarget }) => {
      return new Response(rawTarget === '/form' ? form : new URLSearchParams({ a: 'ä b' }))
    })
    const params = await exchange(server, GET)
    assert.equal(params.text, 'a=%C3%A4+b')
    assert.match(params.get('content-type'), /^application\/x-www-form-urlencoded/)
    const sent = await exchange(server, request('GET /form'))
    const type = sent.get('content-type')
    const read = await new globalThis.Response(sent.body, {
      headers: { 'content-type': type },
    }).formData()
    assert.equal(read.get('a'), 'b')
  })

  test('a stream without a byte', async (t) => {
    const server = open(t, () => {
      return new Response(new ReadableStream({ start: (controller) => controller.close() }))
    })
    const response = await exchange(server, GET)
    assert.deepEqual([response.get('content-length'), response.isChunked], ['0', false])
  })

  test('a Blob of many parts, whatever length the handler says', async (t) => {
    const large = Buffer.alloc(3_000_000, 'blob')
    const server = open(t, ({ rawTarget }) => {
      const headers = rawTarget === '/wrong' ? { 'content-length': '3' } : {}
      return new Response(new Blob([large]), { headers })
    })
    for (const target of ['/', '/wrong']) {
      const response = await exchange(server, request(`GET ${target}`))
      assert.equal(response.get('content-length'), '3000000', target)
      assert.ok(response.body.equals(large), target)
    }
  })
})

describe('what takes longer is chunked', () => {
  test('the first part, written at the start, is not lost', async (t) => {
    const server = open(
      t,
      besideNext(() => {
        const stream = new ReadableStream({
          async start(controller) {
            controller.enqueue(bytesOf('first,'))
            await sleep(20)
            controller.enqueue(bytesOf('second'))
            controller.close()
          },
        })
        return new Response(stream, { headers: { 'content-type': 'text/x' } })
      }),
    )
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT)
    const [response, next] = await client.responses(2)
    assert.deepEqual([response.text, response.isChunked], ['first,second', true])
    assert.equal(response.get('content-type'), 'text/x')
    assert.equal(next.text, 'next', 'the connection goes on')
    client.destroy()
  })

  for (const [name, parts] of [
    ['with a part right before it', ['only']],
    ['without a part', []],
  ]) {
    test(`an end long after the start ${name} is not lost`, async (t) => {
      const server = open(t, () => new Response(slowly(parts)))
      const response = await exchange(server, GET)
      assert.deepEqual([response.text, response.isChunked], [parts.join(''), true])
    })
  }

  test('the head and each part leave at once, before the next is made', async (t) => {
    const gates = [deferred(), deferred(), deferred()]
    async function* steps() {
      for (const [index, { promise }] of gates.entries()) {
        await promise
        yield `part ${index}`
      }
    }
    const server = open(t, () => new Response(steps()))
    const client = await Client.connect(server)
    client.send(GET)
    await until('the head is there', () => seenBy(client).includes('\r\n\r\n'))
    for (const [index, gate] of gates.entries()) {
      assert.ok(!seenBy(client).includes(`part ${index}`))
      gate.resolve()
      await until(`part ${index}`, () => seenBy(client).includes(`part ${index}`))
    }
    assert.equal((await client.response()).text, 'part 0part 1part 2')
    client.destroy()
  })

  test('many parts that are ready arrive whole and in order', async (t) => {
    const parts = Array.from({ length: 300 }, (_, index) => Buffer.alloc(1 + index * 37, index))
    const server = open(t, () => {
      const left = [...parts]
      const pull = (controller) =>
        left.length === 0 ? controller.close() : controller.enqueue(new Uint8Array(left.shift()))
      return new Response(new ReadableStream({ pull }))
    })
    const response = await exchange(server, GET)
    assert.ok(response.isChunked)
    assert.ok(response.body.equals(Buffer.concat(parts)))
  })

  test('one part that is much larger than any buffer', async (t) => {
    const large = Buffer.alloc(9_000_000, 'large')
    const stream = () => new Response(slowly([large.toString()], { pause: 5 }))
    const response = await exchange(open(t, stream), GET)
    assert.ok(response.body.equals(large))
  })

  test('a part without a byte does not end the body', async (t) => {
    const server = open(t, () => new Response(slowly(['a', '', 'b', '']), { status: 201 }))
    const response = await exchange(server, GET)
    assert.deepEqual([response.status, response.text], [201, 'ab'])
  })

  test("the platform's Response with a stream", async (t) => {
    const server = open(t, () => new globalThis.Response(slowly(['a', 'b']), { status: 202 }))
    const response = await exchange(server, GET)
    assert.deepEqual([response.status, response.text, response.isChunked], [202, 'ab', true])
  })

  test('an HTTP/1.0 client gets no chunks and reads to the end', async (t) => {
    const server = open(t, () => new Response(slowly(['a', 'b'])))
    const client = await Client.connect(server)
    client.send(GET_1_0)
    const { responses, ended } = await client.close()
    assert.deepEqual([responses[0].text, responses[0].isChunked, ended], ['ab', false, 'fin'])
    assert.equal(responses[0].get('connection'), 'close')
    assert.equal(responses[0].get('content-length'), undefined)
  })

  test('the next request waits for the end, and its handler too', async (t) => {
    let hasEnded = false
    const server = open(t, ({ rawTarget }) => {
      if (rawTarget === '/next') return new Response(`next, ended: ${hasEnded}`)
      return new Response(
        (async function* () {
          yield 'a'
          await sleep(60)
          hasEnded = true
          yield 'b'
        })(),
      )
    })
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT)
    const texts = (await client.responses(2)).map(({ text }) => text)
    assert.deepEqual(texts, ['ab', 'next, ended: true'])
    client.destroy()
  })

  test('a hundred streams at a time do not mix', async (t) => {
    const server = open(t, ({ rawTarget }) => {
      return new Response(slowly(Array(5).fill(`${rawTarget};`), { pause: 3 }))
    })
    const answers = Array.from({ length: 100 }, (_, index) =>
      exchange(server, request(`GET /${index}`)),
    )
    for (const [index, { text }] of (await Promise.all(answers)).entries()) {
      assert.equal(text, `/${index};`.repeat(5))
    }
  })
})

describe('HEAD of a streamed answer', () => {
  const HEAD = request('HEAD /')

  test('has no body, and says no length that GET would not have', async (t) => {
    const seen = {}
    const server = open(
      t,
      besideNext(() => new Response(slowly(['a'], { seen }))),
    )
    const client = await Client.connect(server)
    client.send(HEAD)
    const response = await client.response('HEAD')
    // RFC 9110 section 8.6: a Content-Length to HEAD is that of GET, which isn't 0 here.
    assert.notEqual(response.get('content-length'), '0')
    client.send(GET_NEXT)
    assert.equal((await client.response()).text, 'next', 'the connection goes on')
    await until('it is cancelled', () => seen.cancelled.length === 1)
    client.destroy()
  })

  test('says the length that the handler declares, or that of a Blob', async (t) => {
    const server = open(t, ({ rawTarget }) => {
      if (rawTarget === '/blob') return new Response(new Blob(['12345']))
      return new Response(slowly(['a']), { headers: { 'content-length': '77' } })
    })
    assert.equal((await exchange(server, HEAD)).get('content-length'), '77')
    assert.equal((await exchange(server, request('HEAD /blob'))).get('content-length'), '5')
  })
})

describe('a length that the handler declares for a stream', () => {
  const declared = (length, parts) => () =>
    new Response(slowly(parts), { headers: { 'content-length': String(length) } })

  test('stands in place of chunks when it is right', async (t) => {
    const server = open(t, besideNext(declared(4, ['ab', 'cd'])))
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT)
    const [response, next] = await client.responses(2)
    assert.deepEqual([response.text, response.isChunked, next.text], ['abcd', false, 'next'])
    client.destroy()
  })

  test('is kept for HTTP/1.0, which may keep its connection then', async (t) => {
    const server = open(t, besideNext(declared(4, ['ab', 'cd'])))
    const client = await Client.connect(server)
    client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    const response = await client.response()
    assert.deepEqual([response.text, response.get('connection')], ['abcd', 'keep-alive'])
    client.send(GET_NEXT)
    assert.equal((await client.response()).text, 'next')
    client.destroy()
  })

  test('cuts the connection when bytes are missing', async (t) => {
    const server = open(t, besideNext(declared(5, ['ab', 'cd'])))
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT)
    assertCut(await client.close(), { begins: '\r\n\r\nabcd' })
  })

  for (const [name, parts] of [
    ['in the last part', ['ab', 'cde']],
    ['in a part of its own', ['abcd', 'e']],
  ]) {
    test(`cuts the connection when there are too many, ${name}`, async (t) => {
      const server = open(t, besideNext(declared(4, parts)))
      const client = await Client.connect(server)
      client.send(GET + GET_NEXT)
      await until('it is cut', () => client.ended !== undefined)
      const [, body] = seenBy(client).split('\r\n\r\n')
      assert.ok('abcd'.startsWith(body), `not a byte more, and no next answer: ${body}`)
      client.destroy()
    })
  }

  test('cuts also when the first part, sent with the head, is too long', async (t) => {
    const server = open(t, () => {
      const stream = new ReadableStream({
        start: (controller) => controller.enqueue(bytesOf('much too long')),
      })
      return new Response(stream, { headers: { 'content-length': '4' } })
    })
    const client = await Client.connect(server)
    client.send(GET)
    const { responses, rest } = await client.close()
    assert.deepEqual(responses, [])
    assert.equal(rest.includes('much too long'), false)
  })

  test('yields to the real one when the body is whole', async (t) => {
    const server = open(t, () => {
      return new Response(new Response('hello').body, { headers: { 'content-length': '99' } })
    })
    const response = await exchange(server, GET)
    assert.deepEqual([response.text, response.get('content-length')], ['hello', '5'])
  })
})

describe('an error in a stream', () => {
  const failing = (parts, pause = 20) => {
    const left = [...parts]
    return new ReadableStream({
      async pull(controller) {
        if (pause > 0) await sleep(pause)
        if (left.length > 0) controller.enqueue(left.shift())
        else throw new Error('the source broke')
      },
    })
  }

  /** A server that remembers what it was told, by the hook or by a warning of the process. */
  function told(t, handler) {
    const errors = []
    const onWarning = (warning) => errors.push(String(warning.cause ?? warning.message))
    process.on('warning', onWarning)
    t.after(() => process.off('warning', onWarning))
    const error = (problem) => {
      errors.push(String(problem))
      return new Response('from the hook', { status: 500 })
    }
    return { errors, server: open(t, handler, { error }) }
  }

  test('before its first part is answered like an error of the handler', async (t) => {
    const { server, errors } = told(t, () => new Response(failing([], 0)))
    const response = await exchange(server, GET)
    assert.deepEqual([response.status, response.text], [500, 'from the hook'])
    assert.match(errors.join(), /the source broke/)
  })

  test('in its middle cuts the connection, without the end marker, and is told', async (t) => {
    const { server, errors } = told(
      t,
      besideNext(() => new Response(failing([bytesOf('half')]))),
    )
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT)
    assertCut(await client.close(), { begins: 'half' })
    await until('it is told', () => errors.length > 0)
    assert.match(errors.join(), /the source broke/)
    assert.equal((await exchange(server, GET_NEXT)).text, 'next', 'others are served')
  })

  test('of an async generator does the same', async (t) => {
    const { server, errors } = told(t, () => {
      async function* broken() {
        yield 'half'
        await sleep(20)
        throw new Error('the generator broke')
      }
      return new Response(broken())
    })
    const client = await Client.connect(server)
    client.send(GET)
    assertCut(await client.close(), { begins: 'half' })
    await until('it is told', () => errors.length > 0)
    assert.match(errors.join(), /the generator broke/)
  })

  test('cuts an HTTP/1.0 connection with RST, since FIN would look like the end', async (t) => {
    const { server } = told(t, () => new Response(failing([bytesOf('half')])))
    const client = await Client.connect(server)
    client.send(GET_1_0)
    await until('it is cut', () => client.ended !== undefined)
    assert.equal(client.ended, 'reset')
    client.destroy()
  })

  test('of type: a part that is no bytes is 500 before the head and a cut after it', async (t) => {
    const { server, errors } = told(t, ({ rawTarget }) =>
      rawTarget === '/first'
        ? new Response(failing(['text'], 0))
        : new Response(failing([bytesOf('half'), { not: 'bytes' }])),
    )
    assert.equal((await exchange(server, request('GET /first'))).status, 500)
    const client = await Client.connect(server)
    client.send(GET)
    assertCut(await client.close(), { begins: 'half' })
    await until('both are told', () => errors.length === 2)
    for (const error of errors) assert.match(error, /Uint8Array/)
  })

  test('of state: a locked stream, or one that was used by another answer, is 500', async (t) => {
    const shared = slowly(['a'])
    const { server } = told(t, ({ rawTarget }) => {
      const stream = new ReadableStream()
      if (rawTarget !== '/locked') return new Response(shared)
      const response = new Response(stream)
      stream.getReader()
      return response
    })
    assert.equal((await exchange(server, request('GET /locked'))).status, 500)
    assert.equal((await exchange(server, GET)).text, 'a')
    assert.equal((await exchange(server, GET)).status, 500)
  })
})

describe('a client that reads slowly', () => {
  test('makes the producer wait, and gets every byte', async (t) => {
    const PART = 16_384
    const PARTS = 2000
    let pulled = 0
    const server = open(t, () => {
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (pulled === PARTS) return controller.close()
            controller.enqueue(new Uint8Array(PART).fill(pulled++ % 251))
          },
        }),
      )
    })
    const client = await Client.connect(server)
    client.socket.pause()
    client.send(GET)
    await sleep(100)
    const before = pulled
    assert.ok(before > 0 && before * PART < 24 << 20, `${before * PART} bytes for nobody`)
    await sleep(100)
    assert.equal(pulled, before, 'nothing is made while nobody reads')
    let count = 0
    client.socket.removeAllListeners('data')
    client.socket.on('data', (chunk) => {
      count += chunk.length
    })
    client.socket.resume()
    await until('all came', () => pulled === PARTS && count > PARTS * PART, 5000)
    client.destroy()
  })

  test('and then not at all is cut by the limit on sending, and the stream cancelled', async (t) => {
    const seen = { cancelled: 0 }
    const server = open(
      t,
      () => {
        return new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
            cancel: () => seen.cancelled++,
          }),
        )
      },
      { timeouts: { send: 200 } },
    )
    const client = await Client.connect(server)
    client.socket.pause()
    client.send(GET)
    await until('it is cut', () => server.stats().activeConnections === 0)
    await until('it is cancelled', () => seen.cancelled === 1)
    assert.equal(server.stats().closed.sendTimeout, 1)
    client.destroy()
  })
})

describe('a client that leaves', () => {
  /** A stream that never gives anything after its first part. */
  function silent(seen) {
    seen.cancelled = []
    return new ReadableStream({
      start: (controller) => controller.enqueue(bytesOf('first')),
      pull: () => new Promise(() => {}),
      cancel: (reason) => {
        seen.cancelled.push(reason)
      },
    })
  }

  test('with RST cancels the stream once, although a pull is pending', async (t) => {
    const seen = {}
    let signal
    const server = open(t, (incoming) => {
      signal = incoming.signal
      return new Response(silent(seen))
    })
    const client = await Client.connect(server)
    client.send(GET)
    await until('the first part', () => seenBy(client).includes('first'))
    client.reset()
    await until('it is cancelled', () => seen.cancelled.length > 0)
    await sleep(30)
    assert.equal(seen.cancelled.length, 1)
    assert.equal(seen.cancelled[0].name, 'AbortError')
    assert.equal(signal.aborted, true)
    const { activeConnections, pendingRequests, bufferedBytes } = server.stats()
    assert.deepEqual([activeConnections, pendingRequests, bufferedBytes], [0, 0, 0])
  })

  test('with RST cancels a stream that waits for room', async (t) => {
    const seen = { cancelled: 0 }
    const server = open(t, () => {
      return new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
          cancel: () => seen.cancelled++,
        }),
      )
    })
    const client = await Client.connect(server)
    client.socket.pause()
    client.send(GET)
    await sleep(50)
    client.reset()
    await until('it is cancelled', () => seen.cancelled > 0)
    await sleep(30)
    assert.equal(seen.cancelled, 1)
  })

  test('between the call of the handler and the first part cancels it, too', async (t) => {
    const seen = { cancelled: 0 }
    const gate = deferred()
    const server = open(t, async () => {
      await gate.promise
      return new Response(
        new ReadableStream({
          pull: () => new Promise(() => {}),
          cancel: () => seen.cancelled++,
        }),
      )
    })
    const client = await Client.connect(server)
    client.send(GET)
    await until('it is pending', () => server.stats().pendingRequests === 1)
    client.reset()
    await until('it is lost', () => server.stats().activeConnections === 0)
    gate.resolve()
    await until('it is cancelled', () => seen.cancelled === 1)
  })

  test('ends an async generator: its finally runs', async (t) => {
    const ended = deferred()
    const server = open(t, () => {
      async function* forever() {
        try {
          for (;;) {
            yield 'tick\n'
            await sleep(5)
          }
        } finally {
          ended.resolve()
        }
      }
      return new Response(forever())
    })
    const client = await Client.connect(server)
    client.send(GET)
    await until('it ticks', () => seenBy(client).includes('tick'))
    client.destroy()
    await ended.promise
    await until('nothing is left', () => server.stats().pendingRequests === 0)
  })

  test('with FIN alone aborts the signal, and still gets the rest', async (t) => {
    const aborted = deferred()
    const server = open(t, ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve())
      async function* parts() {
        yield 'before;'
        await aborted.promise
        yield 'after'
      }
      return new Response(parts())
    })
    const client = await Client.connect(server)
    client.send(GET).finish()
    const { responses, ended } = await client.close()
    assert.deepEqual([responses[0].text, ended], ['before;after', 'fin'])
  })

  test('is no accident of the server: a cancel that fails hurts nobody', async (t) => {
    const server = open(
      t,
      besideNext(() => {
        return new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(bytesOf('first')),
            cancel() {
              throw new Error('cannot be cancelled')
            },
          }),
        )
      }),
    )
    const client = await Client.connect(server)
    client.send(GET)
    await until('the first part', () => seenBy(client).includes('first'))
    client.reset()
    await until('it is lost', () => server.stats().activeConnections === 0)
    assert.equal((await exchange(server, GET_NEXT)).text, 'next')
  })
})

describe('clocks and the end', () => {
  const LIMIT = 150

  test('server-sent events: no clock of a request cuts them, each leaves at once', async (t) => {
    const server = open(
      t,
      () => {
        async function* events() {
          for (let id = 0; id < 3; id++) {
            yield `id: ${id}\ndata: ${performance.now()}\n\n`
            await sleep(LIMIT * 2)
          }
        }
        const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }
        return new Response(events(), { headers })
      },
      { timeout: LIMIT, timeouts: { headers: LIMIT, idle: LIMIT, body: LIMIT, send: LIMIT } },
    )
    const client = await Client.connect(server)
    client.send(GET)
    for (let id = 0; id < 3; id++) {
      await until(`event ${id}`, () => seenBy(client).includes(`id: ${id}\n`))
      const [, made] = new RegExp(`id: ${id}\ndata: ([\\d.]+)\n\n`).exec(seenBy(client))
      assert.ok(performance.now() - made < LIMIT, 'it was not held back')
    }
    const response = await client.response()
    assert.equal(response.get('content-type'), 'text/event-stream')
    assert.equal(response.text.match(/id: \d/g).length, 3)
    client.destroy()
  })

  test('close() waits for a stream, which then says the end of its connection', async (t) => {
    const server = open(t, () => new Response(slowly(['a', 'b'], { pause: 40 })))
    const client = await Client.connect(server)
    client.send(GET)
    await until('it has begun', () => seenBy(client).includes('\r\n\r\n'))
    const closed = server.close({ timeout: 2000 })
    const { responses, ended } = await client.close()
    assert.deepEqual([responses[0].text, ended], ['ab', 'fin'])
    assert.deepEqual(await closed, { cut: 0 })
  })

  test('close() cuts an endless stream at its timeout, counts and cancels it', async (t) => {
    const seen = {}
    const endless = (function* () {
      for (;;) yield 'tick'
    })()
    const server = open(t, () => new Response(slowly(endlessly(endless), { seen, pause: 5 })))
    const client = await Client.connect(server)
    client.send(GET)
    await until('it has begun', () => seenBy(client).includes('tick'))
    assert.deepEqual(await server.close({ timeout: 100 }), { cut: 1 })
    assertCut(await client.close(), { begins: 'tick' })
    await until('it is cancelled', () => seen.cancelled.length === 1)
  })
})

/** As many texts as anyone will ever read in a test. */
function endlessly(texts) {
  return Array.from({ length: 10_000 }, () => texts.next().value)
}

describe('frameworks', () => {
  const program = (first) => `
    ${first}
    import { serve } from 'barewire'
    import { Hono } from 'hono'
    import { stream, streamSSE, streamText } from 'hono/streaming'
    import { createEventStream, H3, iterable } from 'h3'

    const hono = new Hono()
    hono.get('/text', (c) => streamText(c, async (out) => {
      await out.writeln('one')
      await out.sleep(20)
      await out.write('two')
    }))
    hono.get('/bytes', (c) => stream(c, async (out) => {
      for (let part = 0; part < 100; part++) await out.write(new Uint8Array(10_000).fill(part))
    }))
    hono.get('/sse', (c) => streamSSE(c, async (out) => {
      for (let id = 0; id < 3; id++) {
        await out.writeSSE({ id: String(id), event: 'tick', data: 'number ' + id })
        await out.sleep(10)
      }
    }))
    hono.get('/gone', (c) => stream(c, async (out) => {
      out.onAbort(() => console.log('aborted'))
      while (!out.aborted) {
        await out.write('tick')
        await out.sleep(5)
      }
    }))
    hono.post('/echo', (c) => c.body(c.req.raw.body))
    hono.post('/length', async (c) => c.text(String((await c.req.text()).length)))
    hono.post('/form', async (c) => c.json((await c.req.parseBody()).a.length))

    const h3 = new H3()
    h3.get('/text', () => new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('one\\n'))
        await new Promise((done) => setTimeout(done, 20))
        controller.enqueue(new TextEncoder().encode('two'))
        controller.close()
      },
    }))
    h3.get('/iterable', () => iterable((async function* () {
      yield 'one'
      await new Promise((done) => setTimeout(done, 20))
      yield 'two'
    })()))
    h3.get('/sse', (event) => {
      const events = createEventStream(event)
      ;(async () => {
        for (let id = 0; id < 3; id++) {
          await events.push({ id: String(id), event: 'tick', data: 'number ' + id })
          await new Promise((done) => setTimeout(done, 10))
        }
        await events.close()
      })()
      return events.send()
    })
    h3.post('/echo', (event) => event.req.body)
    h3.post('/length', async (event) => String((await event.req.text()).length))

    for (const app of [hono, h3]) {
      console.log(serve({ fetch: (...all) => app.fetch(...all), port: 0, hostname: '127.0.0.1' }).url)
    }`

  const large = 'x'.repeat(200_000)
  const sse = ['id: 0', 'id: 1', 'id: 2', 'event: tick', 'data: number 2']

  for (const [name, first] of [
    ['with barewire/globals', `import 'barewire/globals'`],
    ["with the platform's classes", ''],
  ]) {
    test(`of others stream unmodified, ${name}`, async (t) => {
      const running = start(t, program(first))
      const [, hono, h3] = await printed(running, /^(http:\S+)\n(http:\S+)\n/)
      const ask = async (url, init) => {
        const response = await fetch(url, init)
        assert.equal(response.status, 200, `${url} ${running.stderr}`)
        return response
      }
      const post = async (url, body) => (await ask(url, { method: 'POST', body })).text()

      for (const url of [hono, h3]) {
        assert.equal(await (await ask(`${url}/text`)).text(), 'one\ntwo')
        const events = await ask(`${url}/sse`)
        assert.match(events.headers.get('content-type'), /^text\/event-stream/)
        const text = await events.text()
        for (const line of sse) assert.ok(text.includes(`${line}\n`), `${line} in ${text}`)
        assert.equal(await post(`${url}/length`, large), '200000')
        assert.equal(await post(`${url}/length`, 'small'), '5')
        assert.equal(await post(`${url}/echo`, large), large)
        assert.equal(await post(`${url}/echo`, 'small'), 'small')
      }
      assert.equal(await (await ask(`${h3}/iterable`)).text(), 'onetwo')
      const bytes = new Uint8Array(await (await ask(`${hono}/bytes`)).arrayBuffer())
      assert.ok(bytes.every((byte, at) => byte === Math.floor(at / 10_000)))
      assert.equal(bytes.length, 1_000_000)
      const form = new FormData()
      form.set('a', large)
      assert.equal(await post(`${hono}/form`, form), '200000')

      const controller = new AbortController()
      const gone = await ask(`${hono}/gone`, { signal: controller.signal })
      await gone.body.getReader().read()
      controller.abort()
      await until('it is aborted', () => running.stdout.includes('aborted'))
      assert.equal(running.stderr, '')
      running.child.kill('SIGTERM')
      await once(running.child, 'close')
    })
  }
})
