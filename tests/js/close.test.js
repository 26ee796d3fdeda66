/** close(): what is accepted is answered, what is idle is let go, what takes too long is cut. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Response, serve } from 'barewire'
import { Client, deferred, GET_NEXT, open, request, sleep, until } from './raw.js'

const LIB = import.meta.resolve('barewire')
const GET = request('GET /')

/** Runs a module in a process of its own; its exit and what it printed. */
function run(code) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code])
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 2800)
  return new Promise((resolve) => {
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer)
      resolve({ exitCode, signal, output })
    })
  })
}

test('a server without connections closes at once, and its port is free', async (t) => {
  const server = open(t, () => new Response('a'))
  const { port } = server
  assert.deepEqual(await server.close(), { cut: 0 })
  const again = serve({ fetch: () => new Response('b'), port, hostname: '127.0.0.1' })
  assert.equal(again.port, port)
  await again.close()
})

test('no connection is taken after close()', async (t) => {
  const server = open(t, () => new Response('a'))
  await server.close()
  await assert.rejects(Client.connect(server), { code: 'ECONNREFUSED' })
})

test('a request under way is answered, says close, and the connection ends with FIN', async (t) => {
  const gate = deferred()
  const server = open(t, () => gate.promise.then(() => new Response('owed')))
  const client = await Client.connect(server)
  client.send(GET)
  await until('it is pending', () => server.stats().pendingRequests === 1)
  const closed = server.close({ timeout: 2000 })
  await sleep(50)
  assert.equal(client.ended, undefined, 'an owed answer keeps the connection')
  gate.resolve()
  const { responses, ended } = await client.close()
  assert.deepEqual([responses[0].text, responses[0].get('connection')], ['owed', 'close'])
  assert.equal(ended, 'fin')
  assert.deepEqual(await closed, { cut: 0 })
})

test('requests parsed behind one under way are not served', async (t) => {
  const gate = deferred()
  let calls = 0
  const server = open(t, () => gate.promise.then(() => new Response(`${++calls}`)))
  const client = await Client.connect(server)
  client.send(GET + GET_NEXT)
  await until('it is pending', () => server.stats().pendingRequests === 1)
  const closed = server.close({ timeout: 2000 })
  gate.resolve()
  const { responses, ended } = await client.close()
  assert.deepEqual([responses.length, responses[0].get('connection'), ended], [1, 'close', 'fin'])
  await closed
  assert.equal(calls, 1)
})

test('idle connections get FIN and nothing else', async (t) => {
  const server = open(t, () => new Response('a'))
  const fresh = await Client.connect(server)
  const used = await Client.connect(server)
  used.send(GET)
  await used.response()
  await until('both are accepted', () => server.stats().activeConnections === 2)
  const closed = server.close({ timeout: 2000 })
  for (const client of [fresh, used]) {
    const { responses, rest, ended } = await client.close([], 1000)
    assert.deepEqual([responses, rest.length, ended], [[], 0, 'fin'])
  }
  assert.deepEqual(await closed, { cut: 0 })
})

test('a client that keeps its side open does not hold up close()', async (t) => {
  const server = open(t, () => new Response('a'))
  const client = await Client.connect(server)
  client.send(GET)
  await client.response()
  const start = performance.now()
  assert.deepEqual(await server.close({ timeout: 5000 }), { cut: 0 })
  assert.ok(performance.now() - start < 2500, 'lingering is bounded')
  client.destroy()
})

test('a request that just arrives on an idle connection is not lost', async (t) => {
  const server = open(t, () => new Response('just in time'))
  const clients = await Promise.all(Array.from({ length: 16 }, () => Client.connect(server)))
  for (const client of clients) {
    client.send(GET)
    await client.response()
  }
  // The bytes are in the socket before close() runs; the server has had no turn to read them.
  for (const client of clients) client.send(GET)
  const closed = server.close({ timeout: 2000 })
  for (const client of clients) {
    const { responses, ended } = await client.close()
    assert.deepEqual([responses.length, ended], [1, 'fin'])
    assert.deepEqual([responses[0].text, responses[0].get('connection')], ['just in time', 'close'])
  }
  assert.deepEqual(await closed, { cut: 0 })
})

test('a request that has begun to arrive is awaited', async (t) => {
  const server = open(t, async (incoming) => new Response(await incoming.text()))
  const client = await Client.connect(server)
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe')
  await sleep(50)
  const closed = server.close({ timeout: 2000 })
  await sleep(50)
  client.send('llo')
  const { responses } = await client.close()
  assert.deepEqual([responses[0].text, responses[0].get('connection')], ['hello', 'close'])
  assert.deepEqual(await closed, { cut: 0 })
})

test('connections that wait in the backlog are accepted and served', async (t) => {
  const server = open(t, () => new Response('from the backlog'))
  const COUNT = 8
  const sent = new Int32Array(new SharedArrayBuffer(4))
  // The clients live in another thread: they connect and send while this one stands still.
  const worker = new Worker(
    `const { workerData: { port, count, sent }, parentPort } = require('node:worker_threads')
     const { connect } = require('node:net')
     for (let index = 0; index < count; index++) {
       const socket = connect(port, '127.0.0.1')
       let text = ''
       socket.setEncoding('latin1')
       socket.on('data', (chunk) => { text += chunk })
       socket.on('error', (error) => { text += error.code })
       socket.on('close', () => parentPort.postMessage(text))
       socket.on('connect', () => socket.write('GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n', () => {
         if (Atomics.add(sent, 0, 1) + 1 === count) Atomics.notify(sent, 0)
       }))
     }`,
    { eval: true, workerData: { port: server.port, count: COUNT, sent } },
  )
  const answers = []
  worker.on('message', (text) => answers.push(text))
  await new Promise((online) => worker.once('online', online))
  for (const end = Date.now() + 1500; Atomics.load(sent, 0) < COUNT && Date.now() < end; ) {
    Atomics.wait(sent, 0, Atomics.load(sent, 0), 20)
  }
  assert.equal(Atomics.load(sent, 0), COUNT)
  assert.deepEqual(await server.close({ timeout: 2000 }), { cut: 0 })
  await until('all are answered', () => answers.length === COUNT)
  for (const answer of answers)
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*from the backlog$/)
  await worker.terminate()
})

test('the time limit cuts what is left, aborts its signal and says how many', async (t) => {
  const aborted = deferred()
  const server = open(t, ({ signal }) => {
    signal.addEventListener('abort', () => aborted.resolve())
    return new Promise(() => {})
  })
  const clients = await Promise.all([0, 1, 2].map(() => Client.connect(server)))
  for (const client of clients.slice(0, 2)) client.send(GET)
  await until('two are pending', () => server.stats().pendingRequests === 2)
  const start = performance.now()
  assert.deepEqual(await server.close({ timeout: 150 }), { cut: 2 })
  const elapsed = performance.now() - start
  assert.ok(elapsed > 100 && elapsed < 2000, `${elapsed.toFixed()} ms`)
  await aborted.promise
  for (const client of clients) {
    const { responses } = await client.close()
    for (const { status } of responses) assert.equal(status, 503, 'never looks like a good answer')
  }
})

test('a limit of 0 cuts at once', async (t) => {
  const server = open(t, () => new Promise(() => {}))
  const client = await Client.connect(server)
  client.send(GET)
  await until('it is pending', () => server.stats().pendingRequests === 1)
  assert.deepEqual(await server.close({ timeout: 0 }), { cut: 1 })
  await client.close()
})

test('closing twice is harmless and gives the same result', async (t) => {
  const server = open(t, () => new Promise(() => {}))
  const client = await Client.connect(server)
  client.send(GET)
  await until('it is pending', () => server.stats().pendingRequests === 1)
  const results = await Promise.all([
    server.close({ timeout: 100 }),
    server.close({ timeout: 5000 }),
    server.close(),
  ])
  assert.deepEqual(results, [{ cut: 1 }, { cut: 1 }, { cut: 1 }])
  assert.deepEqual(await server.close(), { cut: 1 })
  client.destroy()
})

test('an answer to a request that was cut goes nowhere', async (t) => {
  const gate = deferred()
  const server = open(t, () => gate.promise.then(() => new Response('too late')))
  const client = await Client.connect(server)
  client.send(GET)
  await until('it is pending', () => server.stats().pendingRequests === 1)
  await server.close({ timeout: 50 })
  gate.resolve()
  const { responses } = await client.close()
  for (const { text } of responses) assert.notEqual(text, 'too late')
})

test('waitUntil keeps close() waiting, within its limit', async (t) => {
  const done = []
  const server = open(t, (_, context) => {
    context.waitUntil(sleep(200).then(() => done.push('work')))
    return new Response('a')
  })
  const client = await Client.connect(server)
  client.send(GET)
  await client.response()
  await server.close({ timeout: 2000 })
  assert.deepEqual(done, ['work'])
  client.destroy()
})

test('a large answer under way is sent to its end', async (t) => {
  const size = 12 << 20
  const server = open(t, () => new Response(new Uint8Array(size)))
  const client = await Client.connect(server)
  client.socket.pause()
  client.send(GET)
  await until('the answer is under way', () => server.stats().bytesSent > 0)
  const closed = server.close({ timeout: 3000 })
  let seen = 0
  client.socket.removeAllListeners('data')
  client.socket.on('data', (chunk) => {
    seen += chunk.length
  })
  client.socket.resume()
  await until('the server ended', () => client.ended)
  assert.equal(client.ended, 'fin')
  assert.ok(seen > size, `${seen} bytes`)
  client.destroy()
  assert.deepEqual(await closed, { cut: 0 })
})

test('an abort of the signal option closes', async (t) => {
  const controller = new AbortController()
  const server = open(t, () => new Response('a'), { signal: controller.signal })
  const client = await Client.connect(server)
  await until('it is accepted', () => server.stats().activeConnections === 1)
  controller.abort()
  assert.equal((await client.close()).ended, 'fin')
  await server.close()
})

test('under load by 64 clients every accepted request is answered whole', async (t) => {
  let calls = 0
  const server = open(t, async ({ rawTarget }) => {
    calls++
    if (calls % 3 === 0) await sleep(calls % 7)
    return new Response(rawTarget.repeat(50))
  })
  let answered = 0
  const faults = []
  const load = Array.from({ length: 64 }, async (_, lane) => {
    const client = await Client.connect(server)
    for (let round = 0; ; round++) {
      const target = `/${lane}/${round}`
      client.send(request(`GET ${target}`))
      try {
        const response = await client.response()
        answered++
        if (response.text !== target.repeat(50)) faults.push(`${target} got ${response.text}`)
        if (response.get('connection') === 'close') break
      } catch (error) {
        // Without an answer: allowed only if nothing of one came, and the end was a plain FIN.
        const { ended, rest } = await client.close()
        if (rest.length > 0) faults.push(`${target}: ${error.message}`)
        if (ended !== 'fin') faults.push(`${target}: ended by ${ended}`)
        break
      }
    }
    const { ended } = await client.close()
    if (ended !== 'fin') faults.push(`lane ${lane}: ended by ${ended}`)
  })
  await sleep(200)
  const result = await server.close({ timeout: 2000 })
  await Promise.all(load)
  assert.deepEqual(faults, [])
  assert.deepEqual(result, { cut: 0 })
  assert.ok(calls > 64)
  assert.equal(answered, calls, 'each call of the handler was an answer')
})

test('the process exits by itself after close()', async () => {
  const { exitCode, output } = await run(`
    import { connect } from 'node:net'
    import { once } from 'node:events'
    import { Response, serve } from ${JSON.stringify(LIB)}
    const server = serve({ fetch: () => new Response('a'), port: 0, hostname: '127.0.0.1' })
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')
    await once(socket, 'data')
    console.log(JSON.stringify(await server.close()))
  `)
  assert.deepEqual([exitCode, output.trim()], [0, '{"cut":0}'])
})

test('a server keeps the process alive, unref() lets it end', async () => {
  const start = `import { Response, serve } from ${JSON.stringify(LIB)}
    const server = serve({ fetch: () => new Response('a'), port: 0, hostname: '127.0.0.1' })
    process.on('exit', () => console.log('exit'))
  `
  const alive = run(`${start} setTimeout(() => { console.log('alive'); process.exit(3) }, 300)`)
  const unref = run(`${start} server.unref()`)
  const back = run(
    `${start} server.unref(); server.ref(); setTimeout(() => process.exit(4), 300).unref()`,
  )
  assert.deepEqual(await alive, { exitCode: 3, signal: null, output: 'alive\nexit\n' })
  assert.deepEqual(await unref, { exitCode: 0, signal: null, output: 'exit\n' })
  assert.deepEqual(await back, { exitCode: 4, signal: null, output: 'exit\n' })
})

test('SIGTERM, handled with close(), ends the process in order', async () => {
  const { exitCode, signal, output } = await run(`
    import { Response, serve } from ${JSON.stringify(LIB)}
    const server = serve({ fetch: () => new Response('a'), port: 0, hostname: '127.0.0.1' })
    process.once('SIGTERM', async () => console.log(JSON.stringify(await server.close())))
    process.kill(process.pid, 'SIGTERM')
  `)
  assert.deepEqual([exitCode, signal, output.trim()], [0, null, '{"cut":0}'])
})
