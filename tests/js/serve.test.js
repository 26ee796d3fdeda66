/** Where servers listen and how they end, over real sockets. */
import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import * as http from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Context, Response, Server, serve } from 'barewire'
import { printed, run, start } from './child.js'
import { Client, deferred, exchange, open, request, sleep, until } from './raw.js'

const hello = () => new Response('hello')
const get = async (url) => (await fetch(url)).text()

/** Ends a server after its test. */
function ending(t, server) {
  t.after(() => server.close({ timeout: 0 }))
  return server
}

/** The text of an answer over `node:http`, which can also ask a unix socket. */
function ask(options) {
  return new Promise((resolve, reject) => {
    http
      .get({ agent: false, ...options }, async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        resolve(text)
      })
      .once('error', reject)
  })
}

async function isRefused(url) {
  const error = await fetch(url).then(
    () => undefined,
    (error) => error,
  )
  return error?.cause?.code === 'ECONNREFUSED'
}

describe('the shapes of serve', () => {
  test('(port, handler)', async (t) => {
    const server = ending(t, serve(0, hello))
    assert.ok(server instanceof Server)
    assert.equal(await get(server.url), 'hello')
  })

  test('(port, handler, options)', async (t) => {
    const server = ending(t, serve(0, hello, { hostname: '127.0.0.1' }))
    assert.equal(server.url, `http://127.0.0.1:${server.port}`)
    assert.equal(await get(server.url), 'hello')
  })

  test('({ fetch, ...options })', async (t) => {
    const server = ending(t, serve({ fetch: hello, port: 0 }))
    assert.equal(await get(server.url), 'hello')
  })

  test('(handler) listens on PORT', async (t) => {
    const code = `
      import { Response, serve } from 'barewire'
      const server = serve(() => new Response('hello'))
      console.log(server.port)
      await server.close()`
    const free = createServer()
    await new Promise((resolve) => free.listen(0, resolve))
    const { port } = free.address()
    await new Promise((resolve) => free.close(resolve))
    const { stdout, stderr } = await run(t, code, { env: { PORT: String(port) } })
    assert.equal(stdout, `${port}\n`, stderr)
  })

  test('(handler) takes an app object, which gets the context twice', async (t) => {
    class App {
      fetch(...args) {
        return Response.json([args.length, args[1] instanceof Context, args[1] === args[2]])
      }
    }
    const server = ending(t, serve(0, new App()))
    assert.equal(await get(server.url), '[3,true,true]')
  })

  test('new Server().listen() resolves with the bound server', async (t) => {
    const server = ending(t, new Server({ port: 0, fetch: hello }))
    assert.equal(await server.listen(), server)
    assert.ok(server.port > 0)
    assert.equal(await get(server.url), 'hello')
    await assert.rejects(server.listen(), { code: 'ERR_BAREWIRE_STATE', message: /already/ })
  })

  test('listeners of a server', async (t) => {
    const server = ending(t, new Server({ port: 0 }))
    server.addEventListener('fetch', (event) => event.respondWith(new Response(event.type)))
    await server.listen()
    assert.equal(await get(server.url), 'fetch')
  })
})

describe('addresses', () => {
  test('the default is all IPv4 addresses, its url says localhost', async (t) => {
    const server = ending(t, serve(0, hello))
    assert.equal(server.hostname, '0.0.0.0')
    assert.equal(server.url, `http://localhost:${server.port}`)
    assert.equal(await get(`http://127.0.0.1:${server.port}`), 'hello')
    assert.equal(await get(`http://127.0.0.2:${server.port}`), 'hello')
  })

  test('localhost is both families on one port', async (t) => {
    const server = ending(t, serve(0, hello, { hostname: 'localhost' }))
    assert.equal(await get(`http://127.0.0.1:${server.port}`), 'hello')
    assert.equal(await get(`http://[::1]:${server.port}`), 'hello')
  })

  test('an IPv6 literal', async (t) => {
    const server = ending(t, serve(0, hello, { hostname: '::1' }))
    assert.equal(server.url, `http://[::1]:${server.port}`)
    assert.equal(await get(server.url), 'hello')
    assert.ok(await isRefused(`http://127.0.0.1:${server.port}`))
  })

  test(':: is both families', async (t) => {
    const address = (_, context) => new Response(context.clientAddress)
    const server = ending(t, serve(0, address, { hostname: '::' }))
    assert.equal(await get(`http://127.0.0.1:${server.port}`), '127.0.0.1')
    assert.equal(await get(`http://[::1]:${server.port}`), '::1')
  })

  test('the client is known by address and port', async (t) => {
    const server = open(t, (_, context) =>
      Response.json([context.clientAddress, context.clientPort]),
    )
    const client = await Client.connect(server)
    for (let count = 0; count < 2; count++) {
      client.send(request('GET /'))
      const { text } = await client.response()
      assert.deepEqual(JSON.parse(text), ['127.0.0.1', client.socket.localPort])
    }
    client.destroy()
  })

  test('a name is looked up by listen()', async (t) => {
    const name = 'ip6-localhost'
    if (!(await lookup(name).catch(() => false))) return t.skip(`${name} is not known here`)
    const server = ending(t, new Server({ port: 0, hostname: name, fetch: hello }))
    await server.listen()
    assert.equal(server.hostname, name)
    assert.equal(await get(`http://[::1]:${server.port}`), 'hello')
  })

  test('a unix socket', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'barewire-serve-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const path = join(directory, 'socket')
    const handler = (_, context) => Response.json([context.clientAddress, context.clientPort])
    const server = ending(t, serve({ path, fetch: handler }))
    assert.equal(server.url, `unix:${path}`)
    assert.equal(server.port, 0)
    assert.equal(await ask({ socketPath: path }), '["",0]')
    assert.throws(() => serve({ path, fetch: handler }), {
      code: 'EADDRINUSE',
      message: `listen EADDRINUSE: address already in use ${path}`,
      syscall: 'listen',
      address: path,
      port: -1,
    })
    await server.close()
    assert.equal(existsSync(path), false, 'it is removed')
  })

  test('a port in use: the error is the one of node:http', async (t) => {
    const server = open(t, hello)
    const other = http.createServer()
    const expected = await new Promise((resolve) =>
      other.once('error', resolve).listen(server.port, '127.0.0.1'),
    )
    const options = { port: server.port, hostname: '127.0.0.1', fetch: hello }
    const isSame = (error) => {
      assert.ok(error instanceof Error)
      assert.equal(error.message, expected.message)
      for (const key of Object.keys(expected)) assert.equal(error[key], expected[key], key)
      return true
    }
    assert.throws(() => serve(options), isSame)
    const second = new Server(options)
    await assert.rejects(second.listen(), isSame)
    assert.equal(await get(server.url), 'hello', 'the first is not hurt')
    await server.close()
    await second.listen()
    assert.equal(await get(second.url), 'hello', 'one that failed can try again')
    await second.close()
  })

  test('an address that is not of this machine', () => {
    assert.throws(() => serve(0, hello, { hostname: '192.0.2.1' }), {
      code: 'EADDRNOTAVAIL',
      message: /^listen EADDRNOTAVAIL: .* 192\.0\.2\.1:0$/,
      syscall: 'listen',
    })
  })

  test('localhost with a port taken in one family is in use', async (t) => {
    const server = ending(t, serve(0, hello, { hostname: '::1' }))
    assert.throws(() => serve(server.port, hello, { hostname: 'localhost' }), {
      code: 'EADDRINUSE',
      address: '::1',
    })
    await sleep(20)
    const free = ending(t, serve(server.port, hello, { hostname: '127.0.0.1' }))
    assert.equal(await get(free.url), 'hello', 'the other family was set free again')
  })

  test('reusePort lets two servers share a port', async (t) => {
    const options = { hostname: '127.0.0.1', reusePort: true }
    const first = ending(
      t,
      serve(0, () => new Response('1'), options),
    )
    const second = ending(
      t,
      serve(first.port, () => new Response('2'), options),
    )
    const answers = new Set()
    for (let count = 0; count < 64; count++) {
      answers.add((await exchange(first, request('GET /'))).text)
    }
    assert.deepEqual([...answers].sort(), ['1', '2'])
    await second.close()
    assert.equal((await exchange(first, request('GET /'))).text, '1')
  })

  test('two servers in one process', async (t) => {
    const servers = [1, 2].map((name) => open(t, () => new Response(`server ${name}`)))
    const texts = await Promise.all(servers.map((server) => get(server.url)))
    assert.deepEqual(texts, ['server 1', 'server 2'])
    await servers[0].close()
    assert.equal(await get(servers[1].url), 'server 2')
  })
})

describe('the end of a server', () => {
  test('close() refuses connections from then on, twice is harmless', async (t) => {
    const server = open(t, hello)
    assert.equal(await get(server.url), 'hello')
    const closing = server.close()
    assert.equal(server.close(), closing)
    assert.deepEqual(await closing, { cut: 0 })
    assert.ok(await isRefused(server.url))
    assert.equal(server.close(), closing)
  })

  test('close() lets requests under way finish, and says so on the wire', async (t) => {
    const answer = deferred()
    const server = open(t, () => answer.promise)
    const client = await Client.connect(server)
    client.send(request('GET /'))
    await until('it is under way', () => server.stats().pendingRequests === 1)
    const closing = server.close()
    await sleep(20)
    answer.resolve(new Response('finished'))
    const { responses, ended } = await client.close()
    assert.equal(responses[0].text, 'finished')
    assert.equal(responses[0].get('connection'), 'close')
    assert.equal(ended, 'fin')
    assert.deepEqual(await closing, { cut: 0 })
  })

  test('close() cuts what is left when the time is over, and counts it', async (t) => {
    const reasons = []
    const server = open(t, (request) => {
      request.signal.addEventListener('abort', () => reasons.push(request.signal.reason.name))
      return new Promise(() => {})
    })
    const clients = [await Client.connect(server), await Client.connect(server)]
    for (const client of clients) client.send(request('GET /'))
    await until('they are under way', () => server.stats().pendingRequests === 2)
    const started = performance.now()
    assert.deepEqual(await server.close({ timeout: 50 }), { cut: 2 })
    assert.ok(performance.now() - started < 1500)
    for (const client of clients) assert.equal((await client.close()).responses.length, 0)
    assert.deepEqual(reasons, ['AbortError', 'AbortError'])
  })

  test('close() ends idle connections', async (t) => {
    const server = open(t, hello)
    const client = await Client.connect(server)
    client.send(request('GET /'))
    await client.response()
    const started = performance.now()
    const closing = server.close()
    assert.equal((await client.close()).ended, 'fin')
    await closing
    assert.ok(performance.now() - started < 2000)
  })

  test('close() from inside a handler: its own answer still leaves', async (t) => {
    let closing
    const server = open(t, () => {
      closing = server.close()
      return new Response('last')
    })
    assert.equal(await get(server.url), 'last')
    assert.deepEqual(await closing, { cut: 0 })
  })

  test('a signal closes the server', async (t) => {
    const controller = new AbortController()
    const server = open(t, hello, { signal: controller.signal })
    assert.equal(await get(server.url), 'hello')
    controller.abort()
    assert.deepEqual(await server.close(), { cut: 0 })
    assert.ok(await isRefused(server.url))
  })

  test('await using closes the server', async (t) => {
    const server = open(t, hello)
    await server[Symbol.asyncDispose]()
    assert.ok(await isRefused(server.url))
  })

  test('reload: requests under way end on the old handler', async (t) => {
    const answer = deferred()
    const server = open(t, () => answer.promise)
    const first = get(server.url)
    await until('it is under way', () => server.stats().pendingRequests === 1)
    server.reload(() => new Response('new'))
    assert.equal(await get(server.url), 'new')
    answer.resolve(new Response('old'))
    assert.equal(await first, 'old')
  })

  test('stats count requests, connections and bytes', async (t) => {
    const server = open(t, hello)
    const client = await Client.connect(server)
    client.send(request('GET /'))
    await client.response()
    const stats = server.stats()
    assert.equal(stats.totalRequests, 1)
    assert.equal(stats.activeConnections, 1)
    assert.equal(stats.pendingRequests, 0)
    assert.ok(stats.bytesReceived > 0 && stats.bytesSent > 0)
    assert.deepEqual(Object.keys(stats).sort(), Object.keys(new Server().stats()).sort())
    client.destroy()
  })
})

describe('the life of the process', () => {
  const preamble = `
    import { Response, serve } from 'barewire'
    const server = serve(0, () => new Response('hello'), { hostname: '127.0.0.1' })
    process.on('exit', () => console.log('exit'))
  `

  test('a listening server keeps it alive', async (t) => {
    const running = start(t, `${preamble}; console.log(server.url)`)
    const [url] = await printed(running, /http:\S+/)
    await sleep(200)
    assert.equal(await get(url), 'hello')
    assert.equal(running.child.exitCode, null)
  })

  test('and is kept alive, although nobody holds it', async (t) => {
    const code = `
      import { Response, serve } from 'barewire'
      console.log(serve(0, () => new Response('hello')).url)
      setTimeout(() => { gc(); gc(); console.log('collected') }, 50)`
    const running = start(t, code, { flags: ['--expose-gc'] })
    const [url] = await printed(running, /http:\S+/)
    await printed(running, /collected/)
    assert.equal(await get(url), 'hello')
  })

  test('it ends by itself after close()', async (t) => {
    const code = `${preamble}; await (await fetch(server.url)).text(); await server.close()`
    assert.deepEqual(await run(t, code), {
      exitCode: 0,
      signal: null,
      stdout: 'exit\n',
      stderr: '',
    })
  })

  test('it ends by itself after unref()', async (t) => {
    const result = await run(t, `${preamble}; server.unref()`)
    assert.deepEqual(result, { exitCode: 0, signal: null, stdout: 'exit\n', stderr: '' })
  })

  test('ref() after unref() keeps it', async (t) => {
    const running = start(t, `${preamble}; server.unref().ref(); console.log(server.url)`)
    const [url] = await printed(running, /http:\S+/)
    await sleep(200)
    assert.equal(await get(url), 'hello')
  })

  test('a failed bind leaves nothing behind that keeps it', async (t) => {
    const code = `${preamble};
      try { serve(server.port, () => new Response(), { hostname: '127.0.0.1' }) }
      catch (error) { console.log(error.code) }
      server.close()`
    const { exitCode, stdout, stderr } = await run(t, code)
    assert.deepEqual([exitCode, stdout], [0, 'EADDRINUSE\nexit\n'], stderr)
  })

  test('process.exit() inside a handler ends it', async (t) => {
    const code = `
      import { serve } from 'barewire'
      console.log(serve(0, () => process.exit(7), { hostname: '127.0.0.1' }).url)`
    const running = start(t, code)
    const [url] = await printed(running, /http:\S+/)
    await assert.rejects(get(url))
    assert.deepEqual(await running.ended, [7, null])
  })

  test('an error that nobody catches ends it as ever', async (t) => {
    const running = start(t, `${preamble}; setTimeout(() => { throw new Error('mine') }, 20)`)
    const [exitCode] = await running.ended
    assert.equal(exitCode, 1)
    assert.match(running.stderr, /Error: mine/)
  })

  test('barewire can be imported without its addon, and listening explains', async (t) => {
    const code = `
      process.dlopen = () => { throw Object.assign(new Error(), { code: 'ERR_DLOPEN_FAILED' }) }
      const { Server, serve, Response } = await import('barewire')
      console.log(await (await new Server({ fetch: () => new Response('hello') }).fetch('/')).text())
      try { serve(0, () => {}) } catch (error) { console.log(error.code) }`
    const { stdout, stderr } = await run(t, code)
    assert.equal(stdout, 'hello\nERR_BAREWIRE_ADDON_MISSING\n', stderr)
  })
})
