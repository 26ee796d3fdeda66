/**
 * The example proxy before a node:http server: it answers as nginx does before the same one, also in
 * front of that nginx, and what flows through it arrives byte for byte.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildProxy, hasNginx, startNginx, startProxy } from './proxy.js'
import { until } from './raw.js'

const SIZE = 64 * 2 ** 20
const MEMORY = 24 * 2 ** 20

let program
/** What the upstream does, by path. */
const upstream = createServer({ keepAlive: true }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://upstream')
  const [, name] = pathname.split('/')
  return (answers[name] ?? answers.hello)(request, response, searchParams)
})

const answers = {
  hello: (request, response) => response.end(`${request.method} ${request.url}`),
  echo: (request, response, search) => {
    const length = search.has('chunked') ? undefined : request.headers['content-length']
    if (length !== undefined) response.setHeader('Content-Length', length)
    request.pipe(response)
  },
  seen: (request, response) => {
    const { host, cookie, via } = request.headers
    response.end(JSON.stringify({ method: request.method, url: request.url, host, cookie, via }))
  },
  status: (_, response, search) => response.writeHead(Number(search.get('code'))).end(),
  fields: (_, response) => {
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.setHeader('ETag', '"x"')
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('Location', '/elsewhere?a=b#c')
    response.writeHead(302).end('gone')
  },
  chunks: async (_, response) => {
    for (let part = 0; part < 5; part++) {
      response.write(`part ${part};`)
      await new Promise((done) => setTimeout(done, 5))
    }
    response.end()
  },
  close: (_, response) => {
    response.shouldKeepAlive = false
    response.end('closed')
  },
  untilClose: (request) => {
    request.socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end')
  },
  gzip: (_, response) => {
    response.setHeader('Content-Encoding', 'gzip')
    response.end(gzipSync('packed'.repeat(1000)))
  },
  early: (request, response) => {
    response.writeHead(413, { Connection: 'close' }).end('too much')
    request.resume()
  },
  dies: (request) => request.socket.destroy(),
  silent: () => {},
}

before(async () => {
  program = buildProxy('debug')
  upstream.on('checkContinue', (request, response) => {
    response.writeContinue()
    upstream.emit('request', request, response)
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
})

after(() => {
  upstream.close()
  upstream.closeAllConnections()
})

/** A whole answer: status, fields, body, trailers. */
async function ask(port, { method = 'GET', path, headers = {}, body, agent }) {
  const question = request({ port, host: '127.0.0.1', method, path, headers, agent })
  if (headers.Expect !== undefined) {
    question.flushHeaders()
    await once(question, 'continue')
  }
  question.end(body)
  const [response] = await once(question, 'response')
  const parts = []
  for await (const part of response) parts.push(part)
  const { statusCode: status, headers: fields } = response
  return { status, fields, body: Buffer.concat(parts).toString('latin1') }
}

/** Fields that say something of a hop, of its time or of who sent them. */
const OWN = ['connection', 'keep-alive', 'date', 'server', 'via', 'transfer-encoding']

const QUESTIONS = [
  { path: '/' },
  { path: '/a/b/../c?x=%2F&y' },
  { method: 'HEAD', path: '/' },
  { method: 'DELETE', path: '/thing' },
  { method: 'PATCH', path: '/echo', body: 'a patch' },
  { method: 'POST', path: '/echo', body: 'x'.repeat(100_000) },
  // nginx may know its length by the time it is passed on.
  {
    method: 'POST',
    path: '/echo?chunked',
    body: 'in chunks',
    headers: { 'Transfer-Encoding': 'chunked' },
  },
  { method: 'POST', path: '/echo', body: '', headers: { 'Content-Length': '0' } },
  {
    method: 'PUT',
    path: '/echo',
    body: 'after 100',
    headers: { Expect: '100-continue', 'Content-Length': '9' },
  },
  { path: '/status?code=204' },
  { path: '/status?code=304' },
  { path: '/status?code=418' },
  { path: '/fields' },
  { path: '/chunks' },
  { path: '/close' },
  { path: '/untilClose' },
  { path: '/gzip' },
  { method: 'HEAD', path: '/gzip' },
]

/** Answers of the proxy itself: the status alone is compared. */
const FAILURES = ['/dies', '/silent'].map((path) => ({ path }))

describe('beside nginx', { skip: hasNginx ? false : 'nginx is not installed' }, () => {
  let nginx
  let direct
  let chained

  before(async () => {
    const { port } = upstream.address()
    nginx = await startNginx(port)
    direct = await startProxy(program, [port], ['--answer-timeout', '1000'])
    chained = await startProxy(program, [nginx.port])
  })

  after(async () => {
    direct?.end()
    chained?.end()
    await nginx?.end()
  })

  for (const question of QUESTIONS) {
    const { method = 'GET', path, headers = {} } = question
    const name = [method, path, ...Object.values(headers)].join(' ')
    test(`${name}: the same answer`, async () => {
      const compared = ({ status, fields, body }) => ({
        status,
        body,
        fields: Object.fromEntries(Object.entries(fields).filter(([name]) => !OWN.includes(name))),
      })
      const theirs = compared(await ask(nginx.port, question))
      assert.deepEqual(compared(await ask(direct.port, question)), theirs)
      assert.deepEqual(compared(await ask(chained.port, question)), theirs, 'in front of nginx')
    })
  }

  for (const question of FAILURES) {
    test(`${question.path}: the same status`, async () => {
      const { status } = await ask(nginx.port, question)
      assert.ok([502, 504].includes(status))
      assert.equal((await ask(direct.port, question)).status, status)
      assert.equal((await ask(chained.port, question)).status, status, 'in front of nginx')
    })
  }
})

describe('before node:http', () => {
  test('the upstream sees the client’s request', async (t) => {
    const proxy = await startProxy(program, [upstream.address().port])
    t.after(proxy.end)
    const headers = { Host: 'a.test', Cookie: 'a=1; b=2' }
    const { body } = await ask(proxy.port, { path: '/seen?a', headers })
    assert.deepEqual(JSON.parse(body), {
      method: 'GET',
      url: '/seen?a',
      host: 'a.test',
      cookie: 'a=1; b=2',
      via: '1.1 barewire',
    })
  })

  test('an early answer arrives', async (t) => {
    const proxy = await startProxy(program, [upstream.address().port])
    t.after(proxy.end)
    const question = { method: 'POST', path: '/early', body: Buffer.alloc(200_000) }
    assert.equal((await ask(proxy.port, question)).status, 413)
  })

  test('connections that the upstream closes when it likes cost no request', async (t) => {
    const restless = createServer((_, response) => response.end('ok'))
    // node:http adds a second to it; and none may serve more than three.
    restless.keepAliveTimeout = 1
    restless.maxRequestsPerSocket = 3
    restless.listen(0, '127.0.0.1')
    await once(restless, 'listening')
    const proxy = await startProxy(program, [restless.address().port])
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    t.after(() => {
      agent.destroy()
      proxy.end()
      restless.close()
    })
    const statuses = await Promise.all(
      Array.from({ length: 400 }, () => ask(proxy.port, { path: '/', agent })),
    )
    assert.deepEqual(new Set(statuses.map(({ status }) => status)), new Set([200]))
  })

  test('an upstream that fails at any moment costs no more than the requests under way', async (t) => {
    const body = Buffer.from({ length: 300_000 }, (_, at) => at * 7 + (at >> 8))
    let isCalm = false
    let state = 1
    /** The same numbers in each run (Lehmer's generator). */
    const below = (bound) => {
      state = (state * 48_271) % 2_147_483_647
      return isCalm ? 0 : state % bound
    }
    const moody = createServer((request, response) => {
      request.resume()
      const mood = below(6)
      if (mood === 1) return request.socket.destroy()
      if (mood === 2) return request.socket.resetAndDestroy()
      if (mood === 3) response.shouldKeepAlive = false
      if (mood < 4) return response.end(body)
      response.writeHead(200, mood === 4 ? { 'Content-Length': body.length } : {})
      response.write(body.subarray(0, below(body.length)))
      setTimeout(() => request.socket.destroy(), below(5))
    })
    moody.listen(0, '127.0.0.1')
    await once(moody, 'listening')
    const proxy = await startProxy(program, [moody.address().port, moody.address().port])
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    t.after(() => {
      agent.destroy()
      proxy.end()
      moody.close()
      moody.closeAllConnections()
    })
    const question = (number) =>
      number % 3 === 0 ? { path: '/', agent } : { method: 'POST', path: '/', agent, body }
    const outcome = (number) =>
      ask(proxy.port, question(number)).then(
        (answer) => {
          if (answer.status === 502) return 'refused'
          assert.equal(answer.status, 200)
          assert.ok(answer.body === body.toString('latin1'), 'an answer is whole')
          return 'whole'
        },
        (error) => {
          assert.match(error.code, /^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/)
          return 'cut'
        },
      )
    const outcomes = await Promise.all(Array.from({ length: 600 }, (_, number) => outcome(number)))
    assert.deepEqual(new Set(outcomes), new Set(['whole', 'refused', 'cut']))
    isCalm = true
    const calm = await Promise.all(Array.from({ length: 60 }, (_, number) => outcome(3 * number)))
    assert.deepEqual(new Set(calm), new Set(['whole']))
  })

  test('an upstream that is gone is passed by', async (t) => {
    const { port } = upstream.address()
    const gone = createServer()
    gone.listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const proxy = await startProxy(program, [gone.address().port, port])
    t.after(proxy.end)
    gone.close()
    await once(gone, 'close')
    for (let attempt = 0; attempt < 10; attempt++) {
      assert.equal((await ask(proxy.port, { path: '/' })).status, 200)
    }
    await until('the log', () => proxy.log.split('\n').length > 10)
    assert.match(proxy.log, /^127\.0\.0\.1 \[[^\]]+ GMT\] "GET \/ HTTP\/1\.1" 200 5 \d+\.\d\dms /)
  })

  for (const hasLength of [true, false]) {
    const framing = hasLength ? 'Content-Length' : 'chunks'
    test(`64 MiB up and down in ${framing}, byte for byte, in bounded memory`, async (t) => {
      const proxy = await startProxy(program, [upstream.address().port])
      t.after(proxy.end)
      const sent = createHash('sha256')
      const received = createHash('sha256')
      const headers = hasLength ? { 'Content-Length': SIZE } : {}
      const how = { method: 'POST', path: '/echo', host: '127.0.0.1', port: proxy.port, headers }
      const question = request(how)
      const feeding = (async () => {
        for (const block of blocks()) {
          sent.update(block)
          if (!question.write(block)) await once(question, 'drain')
        }
        question.end()
      })()
      const [response] = await once(question, 'response')
      let count = 0
      for await (const bytes of response) {
        received.update(bytes)
        count += bytes.length
      }
      await feeding
      assert.equal(count, SIZE)
      assert.equal(received.digest('hex'), sent.digest('hex'))
      if (process.platform === 'linux') assert.ok(proxy.peakMemory() < MEMORY, proxy.peakMemory())
    })
  }
})

/** The bytes, made as they are taken; no two blocks are alike. */
function* blocks() {
  const pattern = Buffer.from({ length: 65_536 }, (_, at) => at * 31 + (at >> 8))
  for (let left = SIZE / pattern.length; left > 0; left--) {
    const block = Buffer.from(pattern)
    block.writeUInt32LE(left)
    yield block
  }
}
