/** Real clients: curl, undici, node:http, and a bounded load that checks every byte. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Response } from 'barewire'
import { Agent, fetch } from 'undici'
import { Client, open, request, until } from './raw.js'

const url = (server, path = '/') => `http://127.0.0.1:${server.port}${path}`

/** Says what it was asked, with the body that came. */
async function echo(incoming) {
  const { pathname, search } = new URL(incoming.url)
  return Response.json(
    { method: incoming.method, path: pathname + search, body: await incoming.text() },
    { headers: { 'x-type': incoming.headers.get('content-type') ?? 'none' } },
  )
}

describe('curl', () => {
  const curl = async (...options) => {
    const { stdout } = await promisify(execFile)('curl', ['-sS', '--max-time', '2', ...options])
    return stdout
  }

  test('gets', async (t) => {
    const server = open(t, echo)
    const answer = JSON.parse(await curl(url(server, '/a?b=c')))
    assert.deepEqual(answer, { method: 'GET', path: '/a?b=c', body: '' })
  })

  test('asks for the head alone', async (t) => {
    const server = open(t, () => new Response('hello'))
    const head = await curl('-I', url(server))
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(head, /content-length: 5\r\n/i)
  })

  test('posts a form', async (t) => {
    const server = open(t, echo)
    const answer = JSON.parse(await curl('-d', 'a=1&b=%20', url(server)))
    assert.equal(answer.body, 'a=1&b=%20')
  })

  test('posts a multipart form, which formData() reads', async (t) => {
    const server = open(t, async (incoming) => {
      const form = await incoming.formData()
      return Response.json([form.get('a'), await form.get('f').text(), form.get('f').name])
    })
    const out = await curl('-F', 'a=1', '-F', 'f=file text;filename=f.txt', url(server))
    assert.deepEqual(JSON.parse(out), ['1', 'file text', 'f.txt'])
  })

  test('posts chunks', async (t) => {
    const server = open(t, echo)
    const out = await curl('-H', 'Transfer-Encoding: chunked', '-d', 'x'.repeat(5000), url(server))
    assert.equal(JSON.parse(out).body, 'x'.repeat(5000))
  })

  test('waits for 100 (Continue) before a large body', async (t) => {
    const server = open(t, async (incoming) => {
      const body = await incoming.text()
      return new Response(`${body.length} ${incoming.headers.get('expect')}`)
    })
    const options = ['-H', 'Expect: 100-continue', '--expect100-timeout', '10']
    const out = await curl(...options, '-d', 'y'.repeat(90_000), url(server))
    assert.equal(out, '90000 100-continue')
  })

  test('speaks HTTP/1.0', async (t) => {
    const server = open(t, echo)
    assert.equal(JSON.parse(await curl('-0', url(server, '/old'))).path, '/old')
  })

  test('uses one connection for several requests', async (t) => {
    const server = open(t, (_, { clientPort }) => new Response(`${clientPort}\n`))
    const ports = (await curl(url(server), url(server), url(server))).trim().split('\n')
    assert.equal(ports.length, 3)
    assert.equal(new Set(ports).size, 1)
  })

  test('speaks through a unix socket', async (t) => {
    const path = `/tmp/barewire-test-${process.pid}.sock`
    const server = open(t, () => new Response('unix'), {
      path,
      port: undefined,
      hostname: undefined,
    })
    assert.equal(await curl('--unix-socket', path, 'http://a/'), 'unix')
    await server.close()
  })
})

describe('undici fetch', () => {
  test('keeps its connection over many requests of all kinds', async (t) => {
    const ports = new Set()
    const server = open(t, (incoming, { clientPort }) => {
      ports.add(clientPort)
      return echo(incoming)
    })
    const dispatcher = new Agent({ connections: 1 })
    t.after(() => dispatcher.destroy())
    for (let index = 0; index < 40; index++) {
      const body = index % 2 ? `body ${index}`.repeat(index * 50) : undefined
      const method = body ? 'PUT' : 'GET'
      const response = await fetch(url(server, `/${index}`), { method, body, dispatcher })
      assert.equal(response.status, 200)
      assert.deepEqual(await response.json(), { method, path: `/${index}`, body: body ?? '' })
    }
    assert.equal(ports.size, 1)
  })

  test('sends a stream as chunks', async (t) => {
    const server = open(t, echo)
    const dispatcher = new Agent()
    t.after(() => dispatcher.destroy())
    const body = new Blob(['one ', 'two ', 'three']).stream()
    const response = await fetch(url(server), { method: 'POST', body, duplex: 'half', dispatcher })
    assert.equal((await response.json()).body, 'one two three')
  })

  test('reads empty, large and failed answers in a row', async (t) => {
    const server = open(t, ({ rawTarget }) => {
      if (rawTarget === '/204') return new Response(null, { status: 204 })
      if (rawTarget === '/500') throw new Error('private')
      return new Response('é'.repeat(500_000))
    })
    const dispatcher = new Agent({ connections: 1 })
    t.after(() => dispatcher.destroy())
    for (const [path, status, length] of [
      ['/204', 204, 0],
      ['/large', 200, 500_000],
      ['/204', 204, 0],
      ['/large', 200, 500_000],
    ]) {
      const response = await fetch(url(server, path), { dispatcher })
      assert.deepEqual([response.status, (await response.text()).length], [status, length])
    }
    assert.equal((await fetch(url(server, '/500'), { dispatcher })).status, 500)
  })

  test('pipelines', async (t) => {
    const server = open(t, echo)
    const dispatcher = new Agent({ connections: 1, pipelining: 10 })
    t.after(() => dispatcher.destroy())
    const paths = Array.from({ length: 50 }, (_, index) => `/${index}`)
    const answers = await Promise.all(
      paths.map(async (path) => {
        const { body } = await dispatcher.request({ origin: url(server, ''), path, method: 'GET' })
        return (await body.json()).path
      }),
    )
    assert.deepEqual(answers, paths)
  })

  test('aborts a request, and the handler is told', async (t) => {
    const told = new Promise((resolve) => {
      t.server = open(t, ({ signal }) => {
        signal.addEventListener('abort', resolve)
        return new Promise(() => {})
      })
    })
    const dispatcher = new Agent()
    t.after(() => dispatcher.destroy())
    const controller = new AbortController()
    const pending = fetch(url(t.server), { signal: controller.signal, dispatcher })
    await until('it is pending', () => t.server.stats().pendingRequests === 1)
    controller.abort()
    await assert.rejects(pending, { name: 'AbortError' })
    await told
  })
})

describe('node:http', () => {
  /** One request through an agent; status, header fields and text. */
  const ask = (server, agent, path, { method = 'GET', body } = {}) =>
    new Promise((resolve, reject) => {
      const outgoing = httpRequest(url(server, path), { agent, method }, (incoming) => {
        const chunks = []
        incoming.on('data', (chunk) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const { statusCode: status, headers } = incoming
          resolve({ status, headers, text: Buffer.concat(chunks).toString() })
        })
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  test('an agent keeps few connections over many requests', async (t) => {
    const ports = new Set()
    const server = open(t, (incoming, { clientPort }) => {
      ports.add(clientPort)
      return echo(incoming)
    })
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 4 })
    t.after(() => agent.destroy())
    const asks = Array.from({ length: 200 }, async (_, index) => {
      const method = index % 3 ? 'GET' : 'POST'
      const body = index % 3 ? undefined : `body ${index}`
      const { text } = await ask(server, agent, `/${index}`, { method, body })
      assert.deepEqual(JSON.parse(text), { method, path: `/${index}`, body: body ?? '' })
    })
    await Promise.all(asks)
    assert.ok(ports.size <= 4, `${ports.size} connections`)
  })

  test('reads HEAD, 204 and 304 and goes on with the same connection', async (t) => {
    const ports = new Set()
    const server = open(t, ({ rawTarget }, { clientPort }) => {
      ports.add(clientPort)
      const status = Number(rawTarget.slice(1))
      return new Response(status === 200 ? 'hello' : null, { status })
    })
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 })
    t.after(() => agent.destroy())
    for (const [method, status, text] of [
      ['HEAD', 200, ''],
      ['GET', 204, ''],
      ['GET', 304, ''],
      ['GET', 205, ''],
      ['GET', 200, 'hello'],
    ]) {
      const answer = await ask(server, agent, `/${status}`, { method })
      assert.deepEqual([answer.status, answer.text], [status, text])
    }
    assert.equal(ports.size, 1)
  })
})

test('512 connections at once: every byte of every answer is right', async (t) => {
  const CONNECTIONS = 512
  const ROUNDS = 6
  const server = open(t, async ({ rawTarget }) => {
    const [, lane, round] = rawTarget.split('/').map(Number)
    if ((lane + round) % 5 === 0) await null
    return new Response(`${rawTarget} ${'é'.repeat((lane * 7 + round * 131) % 900)}`)
  })
  let answers = 0
  const clients = []
  for (let index = 0; index < CONNECTIONS; index += 64) {
    const batch = Array.from({ length: 64 }, () => Client.connect(server))
    clients.push(...(await Promise.all(batch)))
  }
  await Promise.all(
    clients.map(async (client, lane) => {
      for (let round = 0; round < ROUNDS; round++) {
        const target = `/${lane}/${round}`
        client.send(request(`GET ${target}`))
        const response = await client.response()
        const wanted = `${target} ${'é'.repeat((lane * 7 + round * 131) % 900)}`
        assert.equal(response.status, 200)
        assert.equal(response.text, wanted)
        assert.equal(client.parse().rest.length, 0)
        answers++
      }
    }),
  )
  assert.equal(answers, CONNECTIONS * ROUNDS)
  assert.equal(server.stats().totalRequests, answers)
  assert.equal(server.stats().activeConnections, CONNECTIONS)
  for (const client of clients) client.destroy()
  await until('all are gone', () => server.stats().activeConnections === 0)
})
