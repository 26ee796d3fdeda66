/** What a handler may do, and fail to do, over real sockets: each has one defined outcome. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import * as http from 'node:http'
import { describe, test } from 'node:test'
import { Response, Server } from 'barewire'
import { Client, deferred, exchange, open, request, sleep, until } from './raw.js'

/** A server whose errors go into a list; the hook only logs, so answers are the default ones. */
function logging(t, handler, options = {}) {
  const errors = []
  const server = open(t, handler, { error: (error) => void errors.push(error), ...options })
  return { server, errors }
}

const failures = {
  'throws at once': () => {
    throw new Error('secret')
  },
  'throws undefined': () => {
    throw undefined
  },
  rejects: async () => {
    await null
    throw new Error('secret')
  },
  'returns undefined': () => {},
  'resolves with undefined': async () => {},
  'returns null': () => null,
  'returns text': () => 'hello',
  'returns a plain object': () => ({ status: 200, body: 'x' }),
  'returns Response.error()': () => Response.error(),
  'returns a response whose body was read': async () => {
    const response = new Response('x')
    await response.text()
    return response
  },
  'returns a response whose body is locked': () => {
    const response = new Response('x')
    response.body.getReader()
    return response
  },
}

describe('a handler that fails', () => {
  for (const [name, handler] of Object.entries(failures)) {
    test(`${name}: 500 at once, nothing revealed, the connection lives`, async (t) => {
      const { server, errors } = logging(t, handler)
      const client = await Client.connect(server)
      const started = performance.now()
      for (const count of [1, 2]) {
        client.send(request('GET /'))
        const response = await client.response()
        assert.equal(response.status, 500)
        assert.equal(response.text, 'Internal Server Error\n')
        assert.equal(errors.length, count)
      }
      assert.ok(performance.now() - started < 1000)
      client.destroy()
    })
  }

  test('its error hook answers for it', async (t) => {
    const error = (cause, request) =>
      Response.json({ message: cause.message, url: request.url }, { status: 418 })
    for (const handler of [failures['throws at once'], failures.rejects]) {
      const server = open(t, handler, { error })
      const { status, text } = await exchange(server, request('GET /tea', { Host: 'a.test' }))
      assert.equal(status, 418)
      assert.deepEqual(JSON.parse(text), { message: 'secret', url: 'http://a.test/tea' })
    }
  })

  test('without a hook it is a warning', async (t) => {
    const server = open(t, failures['throws at once'])
    const [response, [warning]] = await Promise.all([
      exchange(server, request('GET /')),
      once(process, 'warning'),
    ])
    assert.equal(response.status, 500)
    assert.equal(warning.code, 'BAREWIRE_UNHANDLED_ERROR')
  })

  test('development shows the error', async (t) => {
    const { server } = logging(t, failures['throws at once'], { development: true })
    assert.match((await exchange(server, request('GET /'))).text, /^Error: secret\n {4}at /)
  })

  test('a response used twice is a 500 for the second client, the first is whole', async (t) => {
    const response = new Response('once')
    const { server, errors } = logging(t, () => response)
    assert.equal((await exchange(server, request('GET /'))).text, 'once')
    assert.equal((await exchange(server, request('GET /'))).status, 500)
    assert.ok(errors[0] instanceof TypeError)
  })

  test('a request after a failed one in the same pipeline is answered', async (t) => {
    const { server } = logging(t, ({ url }) => {
      if (url.endsWith('/bad')) throw new Error('bad')
      return new Response('good')
    })
    const client = await Client.connect(server)
    client.send(request('GET /bad') + request('GET /good') + request('GET /bad'))
    const responses = await client.responses(3)
    assert.deepEqual(
      responses.map(({ status }) => status),
      [500, 200, 500],
    )
    client.destroy()
  })
})

describe('what cannot be looked at', () => {
  const refuse = () => {
    throw new Error('a trap')
  }
  const hostile = {
    'a Proxy that throws': () =>
      new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse }),
    'a revoked Proxy': () => {
      const { proxy, revoke } = Proxy.revocable([], {})
      revoke()
      return proxy
    },
    'an error whose message and stack throw': () =>
      Object.defineProperties(new Error(), { message: { get: refuse }, stack: { get: refuse } }),
    'an error whose message is a symbol': () =>
      Object.assign(new Error(), { message: Symbol('a') }),
    'an error whose stack is no text': () =>
      Object.defineProperty(new Error(), 'stack', { value: Object.create(null) }),
    'an object whose constructor throws': () =>
      Object.defineProperty({}, 'constructor', { get: refuse }),
    'a function whose name is a symbol': () =>
      Object.defineProperty(() => {}, 'name', { value: Symbol('a') }),
  }
  const ways = {
    thrown: (make) => {
      throw make()
    },
    rejected: async (make) => {
      throw make()
    },
    returned: (make) => make(),
    'in the background': (make, context) => {
      context.waitUntil(Promise.reject(make()))
      return new Response('x', { status: 500 })
    },
  }

  for (const [name, make] of Object.entries(hostile)) {
    test(`${name} is a 500 and a warning, thrown, returned or in the background`, async (t) => {
      const warnings = []
      const onWarning = (warning) => warnings.push(warning)
      process.on('warning', onWarning)
      t.after(() => process.off('warning', onWarning))
      for (const development of [false, true]) {
        for (const [way, respond] of Object.entries(ways)) {
          warnings.length = 0
          const server = open(t, (_, context) => respond(make, context), { development })
          assert.equal((await exchange(server, request('GET /'))).status, 500, way)
          await until(`it is reported: ${way}`, () => warnings.length === 1)
          assert.equal(warnings[0].code, 'BAREWIRE_UNHANDLED_ERROR')
          assert.deepEqual(await server.close(), { cut: 0 })
        }
      }
    })
  }

  test('a hook that throws such a thing does no harm to the end of the server', async (t) => {
    const server = open(
      t,
      (_, context) => {
        context.waitUntil(Promise.reject(new Error('background')))
        return new Response('fine')
      },
      {
        error() {
          throw hostile['a Proxy that throws']()
        },
      },
    )
    const warned = once(process, 'warning')
    assert.equal((await exchange(server, request('GET /'))).text, 'fine')
    assert.equal((await warned)[0].code, 'BAREWIRE_UNHANDLED_ERROR')
    assert.deepEqual(await server.close(), { cut: 0 })
  })
})

describe('listeners', () => {
  async function listening(t, listener) {
    const errors = []
    const server = new Server({
      port: 0,
      hostname: '127.0.0.1',
      error: (error) => void errors.push(error),
    })
    server.addEventListener('fetch', listener)
    await server.listen()
    t.after(() => server.close({ timeout: 0 }))
    return { server, errors }
  }

  test('respondWith twice: InvalidStateError, the first answer leaves', async (t) => {
    const { server, errors } = await listening(t, (event) => {
      event.respondWith(new Response('first'))
      event.respondWith(new Response('second'))
    })
    assert.equal((await exchange(server, request('GET /'))).text, 'first')
    await until('it is reported', () => errors.length === 1)
    assert.equal(errors[0].name, 'InvalidStateError')
  })

  test('respondWith never: 500 at once', async (t) => {
    const { server, errors } = await listening(t, () => {})
    const started = performance.now()
    assert.equal((await exchange(server, request('GET /'))).status, 500)
    assert.ok(performance.now() - started < 1000)
    assert.equal(errors[0].code, 'ERR_BAREWIRE_NO_RESPONSE')
  })

  test('respondWith after the event: InvalidStateError', async (t) => {
    const late = deferred()
    const { server } = await listening(t, (event) => {
      setTimeout(() => {
        try {
          event.respondWith(new Response('late'))
        } catch (error) {
          late.resolve(error)
        }
      }, 20)
    })
    assert.equal((await exchange(server, request('GET /'))).status, 500)
    assert.equal((await late.promise).name, 'InvalidStateError')
  })

  test('a body may be awaited before respondWith', async (t) => {
    const { server } = await listening(t, async (event) => {
      const text = await event.request.text()
      event.respondWith(new Response(text.toUpperCase()))
    })
    assert.equal((await exchange(server, request('POST /', {}, 'loud'))).text, 'LOUD')
  })
})

describe('work after the answer', () => {
  test('waitUntil keeps close() waiting, the client does not wait', async (t) => {
    const work = deferred()
    let isDone = false
    const server = open(t, (_, context) => {
      context.waitUntil(work.promise)
      return new Response('now')
    })
    assert.equal((await exchange(server, request('GET /'))).text, 'now')
    const closing = server.close().then(() => {
      isDone = true
    })
    await sleep(50)
    assert.equal(isDone, false)
    work.resolve()
    await closing
  })

  test('a rejection there is reported and harms nobody', async (t) => {
    const { server, errors } = logging(t, (_, context) => {
      context.waitUntil(Promise.reject(new Error('background')))
      return new Response('fine')
    })
    assert.equal((await exchange(server, request('GET /'))).status, 200)
    await until('it is reported', () => errors.length === 1)
    assert.equal((await exchange(server, request('GET /'))).status, 200)
  })

  test('a request stays readable after its answer, its body too', async (t) => {
    const seen = []
    const server = open(t, (request, context) => {
      const read = async () => {
        await sleep(30)
        const { method, url, headers } = request
        seen.push([method, url, headers.get('x-a'), await request.text()])
      }
      context.waitUntil(read())
      return new Response('now')
    })
    const client = await Client.connect(server)
    client.send(request('PUT /first', { 'X-A': 'b' }, 'the first body'))
    await client.response('PUT')
    client.send(request('PUT /second', { 'X-A': 'c' }, 'the second body'))
    await client.response('PUT')
    await until('both are read', () => seen.length === 2)
    assert.deepEqual(seen, [
      ['PUT', 'http://a/first', 'b', 'the first body'],
      ['PUT', 'http://a/second', 'c', 'the second body'],
    ])
    client.destroy()
  })
})

describe('async context', () => {
  test('enterWith never bleeds, in a batch, across batches, over one connection', async (t) => {
    const storage = new AsyncLocalStorage()
    const found = []
    const server = open(t, async ({ url }) => {
      const before = storage.getStore()
      const { pathname } = new URL(url)
      storage.enterWith(pathname)
      await null
      const after = storage.getStore()
      await sleep(Number(pathname.slice(1)) % 5)
      found.push([before, after === pathname && storage.getStore() === pathname])
      return new Response(storage.getStore())
    })
    let number = 0
    const clients = await Promise.all(Array.from({ length: 8 }, () => Client.connect(server)))
    for (let round = 0; round < 5; round++) {
      const expected = clients.map((client) => {
        const paths = [`/${number++}`, `/${number++}`, `/${number++}`]
        client.send(paths.map((path) => request(`GET ${path}`)).join(''))
        return paths
      })
      for (const [index, client] of clients.entries()) {
        for (const path of expected[index]) assert.equal((await client.response()).text, path)
      }
    }
    assert.equal(found.length, 120)
    for (const one of found) assert.deepEqual(one, [undefined, true])
    for (const client of clients) client.destroy()
  })

  test('enterWith of a handler that answers at once does not bleed', async (t) => {
    const storage = new AsyncLocalStorage()
    const server = open(t, ({ url }) => {
      const before = storage.getStore()
      storage.enterWith(url)
      return new Response(String(before))
    })
    const client = await Client.connect(server)
    client.send(request('GET /a') + request('GET /b') + request('GET /c'))
    for (const { text } of await client.responses(3)) assert.equal(text, 'undefined')
    client.send(request('GET /d'))
    assert.equal((await client.responses(4))[3].text, 'undefined')
    client.destroy()
  })

  test('the store is there in the error hook', async (t) => {
    const storage = new AsyncLocalStorage()
    const seen = []
    const server = open(
      t,
      ({ url }) => {
        storage.enterWith(new URL(url).pathname)
        if (url.endsWith('/sync')) throw new Error('x')
        return Promise.reject(new Error('x'))
      },
      { error: () => void seen.push(storage.getStore()) },
    )
    await exchange(server, request('GET /sync'))
    await exchange(server, request('GET /async'))
    assert.deepEqual(seen, ['/sync', '/async'])
  })

  test('a handler begins in the context in which its server was started', async (t) => {
    const storage = new AsyncLocalStorage()
    const seen = []
    const server = storage.run('of the start', () =>
      open(t, async () => {
        seen.push(storage.getStore())
        storage.enterWith('of the request')
        await sleep(1)
        seen.push(storage.getStore())
        return new Response('x')
      }),
    )
    const client = await Client.connect(server)
    client.send(request('GET /') + request('GET /'))
    await client.responses(2)
    client.destroy()
    const expected = ['of the start', 'of the start', 'of the request', 'of the request']
    assert.deepEqual(seen.sort(), expected.sort())
  })

  for (const [name, isAsync] of [
    ['sync', false],
    ['async', true],
  ]) {
    test(`an abort listener has what its ${name} handler entered`, async (t) => {
      const storage = new AsyncLocalStorage()
      const seen = []
      const listen = ({ signal }) => {
        signal.addEventListener('abort', () => seen.push(storage.getStore()))
        return new Promise(() => {})
      }
      const server = open(t, (incoming) => {
        storage.enterWith(incoming.rawTarget)
        return isAsync ? sleep(1).then(() => listen(incoming)) : listen(incoming)
      })
      const clients = [await Client.connect(server), await Client.connect(server)]
      for (const [index, client] of clients.entries()) client.send(request(`GET /${index}`))
      await until('both are under way', () => server.stats().pendingRequests === 2)
      await sleep(20)
      for (const client of clients) client.reset()
      await until('both abort', () => seen.length === 2)
      assert.deepEqual(seen.sort(), ['/0', '/1'])
    })
  }

  test('the source of a stream is cancelled in the context in which it is read', async (t) => {
    const storage = new AsyncLocalStorage()
    const seen = []
    const server = open(t, ({ rawTarget }) => {
      storage.enterWith(rawTarget)
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await sleep(1)
            seen[0] = storage.getStore()
            controller.enqueue(new Uint8Array(9))
          },
          cancel() {
            seen[1] = storage.getStore()
          },
        }),
      )
    })
    const client = await Client.connect(server)
    client.send(request('GET /a'))
    await until('it is read', () => seen.length === 1)
    client.reset()
    await until('it is cancelled', () => seen.length === 2)
    assert.deepEqual(seen, ['/a', '/a'])
  })

  /** The same steps in any server; `log` says in which order they ran. */
  function steps(log) {
    log.push('handler')
    setImmediate(() => log.push('immediate'))
    process.nextTick(() => {
      log.push('tick')
      Promise.resolve().then(() => log.push('microtask of tick'))
      process.nextTick(() => log.push('tick of tick'))
    })
    Promise.resolve().then(() => {
      log.push('microtask')
      process.nextTick(() => log.push('tick of microtask'))
    })
    queueMicrotask(() => log.push('queued microtask'))
    log.push('end of handler')
  }

  test('ticks and microtasks run as under node:http', async (t) => {
    const [ours, theirs] = [[], []]
    const server = open(t, () => {
      steps(ours)
      return new Response('x')
    })
    const reference = http.createServer((_, response) => {
      steps(theirs)
      response.end('x')
    })
    await new Promise((resolve) => reference.listen(0, '127.0.0.1', resolve))
    t.after(() => reference.close())
    await exchange(server, request('GET /'))
    await exchange(reference.address(), request('GET /'))
    await until('all ran', () => ours.includes('immediate') && theirs.includes('immediate'))
    assert.deepEqual(ours, theirs)
  })
})

describe('the signal of a request', () => {
  /** A server whose handler never answers, and the aborts that its requests saw. */
  function waiting(t, options) {
    const aborts = []
    const server = open(
      t,
      (request) => {
        request.signal.addEventListener('abort', () => aborts.push(request.signal.reason))
        return new Promise(() => {})
      },
      options,
    )
    return { server, aborts }
  }

  for (const [name, end] of [
    ['closes its side', (client) => client.finish()],
    ['resets the connection', (client) => client.reset()],
    ['goes away', (client) => client.destroy()],
  ]) {
    test(`aborts when the client ${name}`, async (t) => {
      const { server, aborts } = waiting(t)
      const client = await Client.connect(server)
      client.send(request('GET /'))
      await until('it is under way', () => server.stats().pendingRequests === 1)
      end(client)
      await until('it aborts', () => aborts.length === 1)
      assert.equal(aborts[0].name, 'AbortError')
      client.destroy()
    })
  }

  test('an answer after the client closed its side still arrives', async (t) => {
    const server = open(t, async (request) => {
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
      return new Response('still')
    })
    const client = await Client.connect(server)
    client.send(request('GET /')).finish()
    const { responses, ended } = await client.close()
    assert.equal(responses[0].text, 'still')
    assert.equal(ended, 'fin')
  })

  test('aborts with TimeoutError when the time limit strikes, the client gets 503', async (t) => {
    const { server, aborts } = waiting(t, { timeout: 60 })
    const response = await exchange(server, request('GET /'))
    assert.equal(response.status, 503)
    await until('it aborts', () => aborts.length === 1)
    assert.equal(aborts[0].name, 'TimeoutError')
  })

  test('server.timeout() changes the limit of one request', async (t) => {
    const server = open(
      t,
      async (request, context) => {
        if (request.url.endsWith('/long')) {
          assert.equal(context.server.timeout(request, 0), true)
          await sleep(200)
          return new Response('long')
        }
        assert.equal(context.server.timeout(request, 40), true)
        return new Promise(() => {})
      },
      { timeout: 80 },
    )
    const [long, short] = await Promise.all([
      exchange(server, request('GET /long')),
      exchange(server, request('GET /short')),
    ])
    assert.deepEqual([long.status, short.status], [200, 503])
  })

  test('an answer that comes after its time limit is dropped', async (t) => {
    const answer = deferred()
    let count = 0
    const server = open(t, () => (count++ === 0 ? answer.promise : new Response('second')), {
      timeout: 40,
    })
    assert.equal((await exchange(server, request('GET /'))).status, 503)
    answer.resolve(new Response('first, too late'))
    await sleep(20)
    assert.equal((await exchange(server, request('GET /'))).text, 'second')
  })

  test('does not abort because a body or an answer ended normally', async (t) => {
    const signals = []
    const server = open(t, async (request) => {
      signals.push(request.signal)
      return new Response(await request.text())
    })
    const client = await Client.connect(server)
    client.send(request('POST /', {}, 'body'))
    await client.response('POST')
    client.destroy()
    await sleep(50)
    assert.equal(signals[0].aborted, false)
  })

  test('is aborted when it is first read after the client left', async (t) => {
    const left = deferred()
    const seen = deferred()
    const server = open(t, async (request) => {
      await left.promise
      seen.resolve(request.signal.aborted)
      return new Response('x')
    })
    const client = await Client.connect(server)
    client.send(request('GET /'))
    await until('it is under way', () => server.stats().pendingRequests === 1)
    client.reset()
    await until('it is gone', () => server.stats().activeConnections === 0)
    left.resolve()
    assert.equal(await seen.promise, true)
  })
})

describe('calls from inside a handler', () => {
  test('server.fetch() asks the handler again', async (t) => {
    const server = open(t, async ({ url }, context) => {
      if (url.endsWith('/inner')) return new Response('inner')
      return new Response(`outer ${await (await context.server.fetch('/inner')).text()}`)
    })
    assert.equal((await exchange(server, request('GET /'))).text, 'outer inner')
  })

  test('one request answers another', async (t) => {
    const waiting = []
    const server = open(t, ({ url }) => {
      if (url.endsWith('/wait')) return new Promise((resolve) => waiting.push(resolve))
      for (const resolve of waiting) resolve(new Response('woken'))
      return new Response('waker')
    })
    const first = exchange(server, request('GET /wait'))
    const second = exchange(server, request('GET /wait'))
    await until('two wait', () => waiting.length === 2)
    assert.equal((await exchange(server, request('GET /'))).text, 'waker')
    assert.equal((await first).text, 'woken')
    assert.equal((await second).text, 'woken')
  })

  test('stats() and reload()', async (t) => {
    const server = open(t, (_, context) => {
      context.server.reload(() => new Response('new'))
      return new Response(String(context.server.stats().totalRequests))
    })
    assert.match((await exchange(server, request('GET /'))).text, /^[01]$/)
    assert.equal((await exchange(server, request('GET /'))).text, 'new')
  })

  test('answers of pipelined requests keep their order, whenever they come', async (t) => {
    const server = open(t, async ({ url }) => {
      const delay = Number(new URL(url).searchParams.get('delay'))
      if (delay > 0) await sleep(delay)
      return new Response(String(delay))
    })
    const client = await Client.connect(server)
    const delays = [30, 0, 10, 0, 0, 5]
    client.send(delays.map((delay) => request(`GET /?delay=${delay}`)).join(''))
    const responses = await client.responses(delays.length)
    assert.deepEqual(
      responses.map(({ text }) => Number(text)),
      delays,
    )
    client.destroy()
  })
})
