// What a server does without a socket: shapes of handlers, fetch(), states, background work.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { test } from 'node:test'
import { Context, Request, Response, Server, serve } from 'barewire'
import { turn } from './fake-engine.js'

test('fetch() answers through the handler, whatever names the request', async () => {
  const server = new Server({ port: 8080, fetch: (request) => new Response(request.url) })
  const inputs = ['/a?b', 'http://localhost:8080/a?b', new URL('http://localhost:8080/a?b')]
  inputs.push(new Request('http://localhost:8080/a?b'))
  inputs.push(new globalThis.Request('http://localhost:8080/a?b'))
  for (const input of inputs) {
    const response = await server.fetch(input)
    assert.ok(response instanceof Response)
    assert.equal(await response.text(), 'http://localhost:8080/a?b')
  }
})

test('fetch() gives the request as it was made', async () => {
  const server = new Server({
    fetch: async (request) =>
      Response.json([request.method, request.headers.get('x-a'), await request.text()]),
  })
  const init = { method: 'PUT', headers: { 'x-a': 'b' }, body: 'c' }
  assert.deepEqual(await (await server.fetch('/', init)).json(), ['PUT', 'b', 'c'])
})

test('fetch() takes a foreign response, and refuses one that was used', async () => {
  let response = new globalThis.Response('theirs', { status: 202 })
  const server = new Server({ fetch: () => response })
  const answer = await server.fetch('/')
  assert.ok(answer instanceof Response)
  assert.equal(answer.status, 202)
  assert.equal(await answer.text(), 'theirs')
  response = new Response('ours')
  await response.text()
  const [failed, [warning]] = await Promise.all([server.fetch('/'), once(process, 'warning')])
  assert.equal(failed.status, 500)
  assert.match(warning.message, /used already|used before|was read|used/)
})

test('an error without a hook is a warning, and its text stays inside', async () => {
  const server = new Server({
    fetch() {
      throw new Error('secret')
    },
  })
  const [response, [warning]] = await Promise.all([server.fetch('/'), once(process, 'warning')])
  assert.equal(response.status, 500)
  assert.equal(await response.text(), 'Internal Server Error\n')
  assert.equal(warning.name, 'BarewireWarning')
  assert.equal(warning.code, 'BAREWIRE_UNHANDLED_ERROR')
  assert.match(warning.message, /secret/)
  assert.match(warning.detail, /server\.test\.js/)
})

test('development shows the error', async () => {
  const server = new Server({
    development: true,
    error() {},
    fetch() {
      throw new Error('secret')
    },
  })
  assert.match(await (await server.fetch('/')).text(), /^Error: secret\n/)
})

test('fetch() keeps the async context of its caller', async () => {
  const storage = new AsyncLocalStorage()
  const server = new Server({
    fetch() {
      storage.enterWith('inside')
      return new Response()
    },
  })
  await storage.run('outside', async () => {
    await server.fetch('/')
    assert.equal(storage.getStore(), 'outside')
  })
})

test('a server without a handler says so', async () => {
  const errors = []
  const server = new Server({ error: (error) => void errors.push(error) })
  assert.equal((await server.fetch('/')).status, 500)
  assert.equal(errors[0].code, 'ERR_BAREWIRE_NO_RESPONSE')
})

test('a function gets request and context, and nothing as this', async () => {
  const server = new Server({
    fetch(...args) {
      assert.equal(this, undefined)
      assert.equal(args.length, 2)
      assert.ok(args[0] instanceof Request)
      assert.ok(args[1] instanceof Context)
      return new Response('ok')
    },
  })
  assert.equal(await (await server.fetch('/')).text(), 'ok')
})

test('an object is called as its method, the context in the third place too', async () => {
  class App {
    #text = 'app'
    fetch(...args) {
      assert.equal(args.length, 3)
      assert.ok(args[1] instanceof Context)
      assert.equal(args[2], args[1])
      return new Response(this.#text)
    }
  }
  const server = new Server()
  server.reload(new App())
  assert.equal(await (await server.fetch('/')).text(), 'app')
})

test('reload counts from the next request on', async () => {
  const { promise, resolve } = deferred()
  const server = new Server({ fetch: () => promise })
  const first = server.fetch('/')
  await turn()
  server.reload(() => new Response('new'))
  assert.equal(await (await server.fetch('/')).text(), 'new')
  resolve(new Response('old'))
  assert.equal(await (await first).text(), 'old')
  assert.throws(() => server.reload('x'), { code: 'ERR_BAREWIRE_HANDLER', message: /"x"/ })
})

const noHandler = [
  ['serve()', []],
  ['serve(port)', [3000]],
  ['serve({ port })', [{ port: 3000 }]],
  ['serve(port, 5)', [3000, 5]],
  ['serve(port, {})', [3000, {}]],
  ['serve(new Map())', [new Map()]],
  ['serve(handler, options)', [() => new Response(), { port: 3000 }]],
  ['serve({ fetch }, options)', [{ fetch() {} }, { port: 3000 }]],
]

for (const [name, args] of noHandler) {
  test(`${name} is refused before anything is bound`, () => {
    assert.throws(() => serve(...args), { code: 'ERR_BAREWIRE_HANDLER' })
  })
}

test('serve() refuses wrong options before anything is bound', () => {
  const handler = () => new Response()
  assert.throws(() => serve(70000, handler), { code: 'ERR_BAREWIRE_OPTION' })
  assert.throws(() => serve(0, handler, { port: 1 }), { message: /port is given twice/ })
  assert.throws(() => serve(0, handler, { idleTimeout: 1 }), {
    code: 'ERR_BAREWIRE_UNKNOWN_OPTION',
  })
  assert.throws(() => serve(0, handler, 5), { code: 'ERR_BAREWIRE_OPTION' })
  assert.throws(() => serve(0, { fetch: handler, prot: 1 }), {
    code: 'ERR_BAREWIRE_UNKNOWN_OPTION',
  })
  assert.throws(() => serve({ fetch: handler, hostname: 'example.test' }), {
    code: 'ERR_BAREWIRE_HOSTNAME',
  })
})

test('a signal that has aborted before: nothing is bound', async () => {
  const signal = AbortSignal.abort(new Error('stopped'))
  assert.throws(() => serve({ port: 0, signal, fetch: () => new Response() }), /stopped/)
  await assert.rejects(new Server({ port: 0, signal }).listen(), /stopped/)
})

test('before it listens: the address asked for, and empty stats', () => {
  const server = new Server({ port: 8080 })
  assert.equal(server.port, 8080)
  assert.equal(server.hostname, '0.0.0.0')
  assert.equal(server.url, 'http://localhost:8080')
  assert.equal(server.stats().totalRequests, 0)
  assert.equal(server.timeout(new Request('http://x/'), 5), false)
  assert.throws(() => server.timeout(new Request('http://x/'), -5), { code: 'ERR_BAREWIRE_OPTION' })
  assert.equal(server.ref().unref(), server)
})

const urls = [
  [{ hostname: '::' }, 'http://localhost:80'],
  [{ hostname: '::1' }, 'http://[::1]:80'],
  [{ hostname: '127.0.0.1' }, 'http://127.0.0.1:80'],
  [{ hostname: 'localhost' }, 'http://localhost:80'],
]

for (const [options, url] of urls) {
  test(`the url of ${options.hostname} is ${url}`, () => {
    assert.equal(new Server({ ...options, port: 80 }).url, url)
  })
}

test('the url of a path', () => {
  const server = new Server({ path: '/run/app.sock' })
  assert.equal(server.url, 'unix:/run/app.sock')
  assert.equal(server.hostname, '')
  assert.equal(server.port, 0)
})

test('close() of a server that never listened resolves, twice with one promise', async () => {
  const server = new Server()
  const closing = server.close()
  assert.equal(server.close({ timeout: 5 }), closing)
  assert.deepEqual(await closing, { cut: 0 })
  await assert.rejects(server.listen(), { code: 'ERR_BAREWIRE_STATE', message: /was closed/ })
})

test('close() refuses a wrong timeout and can be called again', async () => {
  const server = new Server()
  assert.throws(() => server.close({ timeout: '5s' }), { code: 'ERR_BAREWIRE_OPTION' })
  assert.deepEqual(await server.close(), { cut: 0 })
})

test('asyncDispose closes', async () => {
  const server = new Server()
  await server[Symbol.asyncDispose]()
  await assert.rejects(server.listen(), { code: 'ERR_BAREWIRE_STATE' })
})

test('close() waits for waitUntil, also for what is added meanwhile', async () => {
  const [first, second] = [deferred(), deferred()]
  const server = new Server({
    fetch(_, context) {
      context.waitUntil(first.promise.then(() => context.waitUntil(second.promise)))
      return new Response()
    },
  })
  await server.fetch('/')
  let isClosed = false
  const closing = server.close().then(() => {
    isClosed = true
  })
  await turn()
  assert.equal(isClosed, false)
  first.resolve()
  await turn()
  assert.equal(isClosed, false)
  second.resolve()
  await closing
})

test('close() does not wait for it longer than its timeout', async () => {
  const server = new Server({
    fetch(_, context) {
      context.waitUntil(new Promise(() => {}))
      return new Response()
    },
  })
  await server.fetch('/')
  const started = performance.now()
  assert.deepEqual(await server.close({ timeout: 30 }), { cut: 0 })
  const passed = performance.now() - started
  assert.ok(passed >= 25 && passed < 2000, `${passed}`)
})

test('what waitUntil was given and rejects goes to the error hook, else it is a warning', async () => {
  const fetch = (_, context) => {
    context.waitUntil(Promise.reject(new Error('background')))
    context.waitUntil('no promise at all')
    return new Response('ok')
  }
  const seen = []
  const error = (cause, request) => void seen.push([cause.message, new URL(request.url).pathname])
  const hooked = new Server({ fetch, error })
  assert.equal(await (await hooked.fetch('/x')).text(), 'ok')
  await hooked.close()
  assert.deepEqual(seen, [['background', '/x']])

  const plain = new Server({ fetch })
  const [response, [warning]] = await Promise.all([plain.fetch('/'), once(process, 'warning')])
  assert.equal(response.status, 200)
  assert.equal(warning.code, 'BAREWIRE_UNHANDLED_ERROR')
  assert.match(warning.message, /background/)
})

test('an error hook that fails on background work does not end the process', async () => {
  const server = new Server({
    fetch(_, context) {
      context.waitUntil(Promise.reject(new Error('first')))
      return new Response()
    },
    error() {
      throw new Error('second')
    },
  })
  const [, [warning]] = await Promise.all([server.fetch('/'), once(process, 'warning')])
  assert.match(warning.message, /second/)
})

function deferred() {
  let resolve
  const promise = new Promise((done) => {
    resolve = done
  })
  return { promise, resolve }
}
