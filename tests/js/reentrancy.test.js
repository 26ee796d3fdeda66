/** Commands from inside a handler, and answers that come when their request is long gone. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { Response } from 'barewire'
import { Client, deferred, exchange, GET_NEXT, open, request, sleep, until } from './raw.js'

const LIB = import.meta.resolve('barewire')
const GET = request('GET /')

describe('from inside a handler', () => {
  test('close() is answered by the request that asked for it', async (t) => {
    let closed
    const server = open(t, () => {
      closed = server.close({ timeout: 1000 })
      return new Response('closing')
    })
    const idle = await Client.connect(server)
    const client = await Client.connect(server)
    await until('both are accepted', () => server.stats().activeConnections === 2)
    client.send(GET)
    const { responses, ended } = await client.close()
    assert.deepEqual([responses[0].text, responses[0].get('connection')], ['closing', 'close'])
    assert.equal(ended, 'fin')
    assert.equal((await idle.close()).ended, 'fin')
    assert.deepEqual(await closed, { cut: 0 })
  })

  test('close() with a pipeline behind it serves this request and no more', async (t) => {
    let calls = 0
    const server = open(t, () => {
      calls++
      server.close({ timeout: 1000 })
      return new Response('closing')
    })
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT + GET_NEXT)
    const { responses } = await client.close()
    assert.deepEqual([responses.length, calls], [1, 1])
  })

  test('close({ timeout: 0 }) ends everything without harm', async (t) => {
    let closed
    const server = open(t, () => {
      closed = server.close({ timeout: 0 })
      return new Response('gone')
    })
    const clients = await Promise.all([0, 1, 2].map(() => Client.connect(server)))
    for (const client of clients) client.send(GET)
    for (const client of clients) await client.close()
    await closed
  })

  test('reload() takes effect with the next request of the same pipeline', async (t) => {
    const server = open(t, () => {
      server.reload(() => new Response('new'))
      return new Response('old')
    })
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT + GET_NEXT)
    const texts = (await client.responses(3)).map(({ text }) => text)
    assert.deepEqual(texts, ['old', 'new', 'new'])
    client.destroy()
  })

  test('a request under way ends on the old handler after reload()', async (t) => {
    const gate = deferred()
    const server = open(t, () => gate.promise.then(() => new Response('old')))
    const client = await Client.connect(server)
    client.send(GET)
    await until('it is pending', () => server.stats().pendingRequests === 1)
    server.reload(() => new Response('new'))
    assert.equal((await exchange(server, GET)).text, 'new')
    gate.resolve()
    assert.equal((await client.response()).text, 'old')
    client.destroy()
  })

  test('stats() counts the request that asks', async (t) => {
    const server = open(t, () => Response.json(server.stats()))
    await exchange(server, GET)
    const stats = JSON.parse((await exchange(server, GET)).text)
    assert.equal(stats.totalRequests, 2)
    assert.equal(stats.pendingRequests, 1)
    assert.ok(stats.activeConnections >= 1)
  })

  test('another pending request can be answered', async (t) => {
    const waiting = []
    const server = open(t, ({ rawTarget }) => {
      if (rawTarget === '/wait') return new Promise((answer) => waiting.push(answer))
      for (const [index, answer] of waiting.splice(0).entries()) answer(new Response(`${index}`))
      return new Response('released')
    })
    const clients = await Promise.all([0, 1, 2].map(() => Client.connect(server)))
    for (const client of clients) {
      client.send(request('GET /wait'))
      await until('it waits', () => waiting.length === clients.indexOf(client) + 1)
    }
    assert.equal((await exchange(server, GET)).text, 'released')
    const texts = await Promise.all(
      clients.map((client) => client.response().then(({ text }) => text)),
    )
    assert.deepEqual(texts, ['0', '1', '2'])
    for (const client of clients) client.destroy()
  })

  test('another request with a pipeline behind it goes on to the next', async (t) => {
    const waiting = []
    const order = []
    const server = open(t, ({ rawTarget }) => {
      order.push(rawTarget)
      if (rawTarget === '/wait') return new Promise((answer) => waiting.push(answer))
      waiting.splice(0).forEach((answer) => {
        answer(new Response('waited'))
      })
      order.push(`${rawTarget} done`)
      return new Response(rawTarget)
    })
    const client = await Client.connect(server)
    client.send(request('GET /wait') + GET_NEXT)
    await until('it waits', () => waiting.length === 1)
    assert.equal((await exchange(server, GET)).text, '/')
    const texts = (await client.responses(2)).map(({ text }) => text)
    assert.deepEqual(texts, ['waited', '/next'])
    assert.deepEqual(
      order,
      ['/wait', '/', '/ done', '/next', '/next done'],
      'no handler in another',
    )
    client.destroy()
  })

  test('server.fetch() answers without a socket', async (t) => {
    const server = open(t, async ({ rawTarget, url }) => {
      if (new URL(url).pathname === '/inner') return new Response('inner')
      const inner = await server.fetch('/inner')
      return new Response(`${rawTarget} ${inner.status} ${await inner.text()}`)
    })
    assert.equal((await exchange(server, request('GET /outer'))).text, '/outer 200 inner')
    assert.equal(server.stats().totalRequests, 1, 'stats have no part in it')
  })

  test('another server can be started and closed', async (t) => {
    const server = open(t, async () => {
      const inner = open(t, () => new Response('inner'))
      const response = await exchange(inner, GET)
      await inner.close({ timeout: 0 })
      return new Response(`outer ${response.text}`)
    })
    assert.equal((await exchange(server, GET)).text, 'outer inner')
  })

  for (const [name, statement] of [
    ['process.exit(0)', 'process.exit(0)'],
    [
      'process.exit(0) in a microtask',
      'Promise.resolve().then(() => process.exit(0)); return later',
    ],
    ['process.exit(0) while others wait', "if (path === '/') return later; process.exit(0)"],
  ]) {
    test(`${name} ends the process in order`, async (t) => {
      const child = spawn(process.execPath, [
        '--input-type=module',
        '-e',
        `import { Response, serve } from ${JSON.stringify(LIB)}
         const later = new Promise(() => {})
         const server = serve({
           port: 0, hostname: '127.0.0.1',
           fetch: ({ rawTarget: path }) => { ${statement} },
         })
         console.log(server.port)`,
      ])
      t.after(() => child.kill('SIGKILL'))
      const errors = []
      child.stderr.on('data', (chunk) => errors.push(String(chunk)))
      const port = await new Promise((resolve) => {
        child.stdout.once('data', (chunk) => resolve(Number(chunk)))
        child.once('close', () => resolve(0))
      })
      assert.ok(port > 0, `it serves: ${errors.join('')}`)
      const exited = new Promise((resolve) => {
        child.once('close', (code, signal) => resolve({ code, signal }))
      })
      const first = await Client.connect({ port })
      first.send(GET)
      await sleep(50)
      const second = await Client.connect({ port }).catch(() => undefined)
      second?.send(GET_NEXT)
      assert.deepEqual(await exited, { code: 0, signal: null })
      assert.deepEqual(errors, [])
      first.destroy()
      second?.destroy()
    })
  }
})

describe('a late answer never reaches another request', () => {
  test('after the time limit of its own, on a slot that is used again', async (t) => {
    const gates = []
    const server = open(
      t,
      ({ rawTarget }) => {
        const gate = deferred()
        gates.push(gate)
        return gate.promise.then(() => new Response(`for ${rawTarget}`))
      },
      { timeout: 150 },
    )
    const first = await Client.connect(server)
    first.send(request('GET /first'))
    const { responses } = await first.close()
    assert.equal(responses[0].status, 503)
    await until('its slot is free', () => server.stats().activeConnections === 0)
    const second = await Client.connect(server)
    second.send(request('GET /second'))
    await until('the second is pending', () => gates.length === 2)
    gates[0].resolve()
    await sleep(30)
    assert.equal(second.parse().responses.length, 0, 'the answer of the first is dropped')
    gates[1].resolve()
    assert.equal((await second.response()).text, 'for /second')
    second.destroy()
  })

  test('after the client was lost, on slots that are used again', async (t) => {
    const gates = new Map()
    const server = open(t, ({ rawTarget }) => {
      const gate = deferred()
      gates.set(rawTarget, gate)
      return gate.promise.then(() => new Response(`for ${rawTarget}`))
    })
    const lost = await Promise.all(Array.from({ length: 20 }, () => Client.connect(server)))
    for (const [index, client] of lost.entries()) client.send(request(`GET /lost/${index}`))
    await until('all are pending', () => gates.size === 20)
    for (const client of lost) client.reset()
    await until('all slots are free', () => server.stats().activeConnections === 0)
    const kept = await Promise.all(Array.from({ length: 20 }, () => Client.connect(server)))
    for (const [index, client] of kept.entries()) client.send(request(`GET /kept/${index}`))
    await until('all are pending again', () => gates.size === 40)
    for (const [target, gate] of gates) if (target.startsWith('/lost')) gate.resolve()
    await sleep(30)
    for (const client of kept) assert.equal(client.parse().responses.length, 0)
    for (const [target, gate] of gates) if (target.startsWith('/kept')) gate.resolve()
    for (const [index, client] of kept.entries()) {
      assert.equal((await client.response()).text, `for /kept/${index}`)
      client.destroy()
    }
  })

  test('of listeners that answer twice: the second is an error, the successor is untouched', async (t) => {
    const thrown = []
    const { Server } = await import('barewire')
    const server = new Server({ port: 0, hostname: '127.0.0.1' })
    server.addEventListener('fetch', (event) => {
      const { rawTarget } = event.request
      event.respondWith(new Response(`for ${rawTarget}`))
      const again = () => {
        try {
          event.respondWith(new Response('again'))
        } catch (error) {
          thrown.push(error.name)
        }
      }
      again()
      setTimeout(again, 20)
    })
    await server.listen()
    t.after(() => server.close({ timeout: 0 }))
    const client = await Client.connect(server)
    client.send(request('GET /1') + request('GET /2'))
    const first = (await client.responses(2)).map(({ text }) => text)
    assert.deepEqual(first, ['for /1', 'for /2'])
    await until('all have tried', () => thrown.length === 4)
    assert.deepEqual(new Set(thrown), new Set(['InvalidStateError']))
    assert.equal(client.parse().responses.length, 2, 'nothing more on the wire')
    client.destroy()
  })

  test('a request can be read long after its answer, and stays itself', async (t) => {
    const kept = []
    const server = open(t, (incoming) => {
      kept.push(incoming)
      return new Response('a')
    })
    const client = await Client.connect(server)
    for (let index = 0; index < 20; index++) {
      client.send(request(`POST /${index}`, { 'x-index': index }, `body ${index}`))
      await client.response()
    }
    client.destroy()
    await sleep(20)
    for (const [index, incoming] of kept.entries()) {
      assert.equal(incoming.method, 'POST')
      assert.equal(incoming.url, `http://a/${index}`)
      assert.equal(incoming.headers.get('x-index'), String(index))
      assert.equal(await incoming.text(), `body ${index}`)
    }
  })
})

describe('async context', () => {
  test('entered in one request is never seen by another, in a batch or later', async (t) => {
    const storage = new AsyncLocalStorage()
    const seen = []
    const server = open(t, async ({ rawTarget }) => {
      seen.push(storage.getStore())
      storage.enterWith(rawTarget)
      await sleep(1)
      return new Response(String(storage.getStore()))
    })
    const clients = await Promise.all(Array.from({ length: 8 }, () => Client.connect(server)))
    const targets = Array.from({ length: 10 }, (_, index) => `/${index}`)
    for (const client of clients)
      client.send(targets.map((target) => request(`GET ${target}`)).join(''))
    for (const client of clients) {
      const texts = (await client.responses(10)).map(({ text }) => text)
      assert.deepEqual(texts, targets)
      client.destroy()
    }
    assert.deepEqual(new Set(seen), new Set([undefined]))
  })

  test('ticks, microtasks and immediates that a handler starts all run', async (t) => {
    const ran = []
    const server = open(t, () => {
      process.nextTick(() => ran.push('tick'))
      queueMicrotask(() => ran.push('microtask'))
      setImmediate(() => ran.push('immediate'))
      return new Response('a')
    })
    await exchange(server, GET)
    await until('all ran', () => ran.length === 3)
    assert.deepEqual(ran, ['tick', 'microtask', 'immediate'])
  })
})
