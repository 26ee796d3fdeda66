/** Several environments: servers that come and go in worker threads, two servers in one process. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Response } from 'barewire'
import { Client, exchange, open, request, sleep, until } from './raw.js'

const LIB = import.meta.resolve('barewire')
const GET = request('GET /')

/** A worker thread that serves and says its port; messages: 'close' and 'exit'. */
async function startWorker(t, { port = 0, name = 'worker', body = 'new Response(name)' } = {}) {
  const worker = new Worker(
    `const { parentPort, workerData: { port, name, lib } } = require('node:worker_threads')
     import(lib).then(({ Response, serve }) => {
       const server = serve({ fetch: async () => ${body}, port, hostname: '127.0.0.1', reusePort: true })
       parentPort.on('message', async (message) => {
         if (message === 'exit') process.exit(7)
         parentPort.postMessage(await server.close({ timeout: 1000 }))
         parentPort.close()
       })
       parentPort.postMessage(server.port)
     })`,
    { eval: true, workerData: { port, name, lib: LIB } },
  )
  t.after(() => worker.terminate())
  const listening = await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  return Object.assign(worker, {
    listening,
    exited: new Promise((resolve) => worker.once('exit', resolve)),
  })
}

test('several workers share a port, serve, and close cleanly', async (t) => {
  const first = await startWorker(t, { name: 'w0' })
  const port = first.listening
  const others = await Promise.all(['w1', 'w2'].map((name) => startWorker(t, { name, port })))
  const workers = [first, ...others]
  assert.deepEqual(
    workers.map(({ listening }) => listening),
    [port, port, port],
  )
  const seen = new Set()
  for (let round = 0; round < 60; round++) seen.add((await exchange({ port }, GET)).text)
  assert.ok(seen.size > 1, `more than one worker answers: ${[...seen]}`)
  for (const worker of workers) {
    const result = new Promise((resolve) => worker.once('message', resolve))
    worker.postMessage('close')
    assert.deepEqual(await result, { cut: 0 })
    assert.equal(await worker.exited, 0, 'it ends by itself')
  }
  await assert.rejects(Client.connect({ port }), { code: 'ECONNREFUSED' })
})

test('terminate() while serving leaves the other environments whole', async (t) => {
  const main = open(t, () => new Response('main'))
  const worker = await startWorker(t, {
    body: 'new Promise((done) => setTimeout(done, 5, new Response(name)))',
  })
  const { listening: port } = worker
  let answers = 0
  const load = Array.from({ length: 16 }, async () => {
    const client = await Client.connect({ port })
    try {
      for (;;) {
        client.send(GET)
        assert.equal((await client.response('GET', 1000)).text, 'worker')
        answers++
      }
    } catch {
      // The worker is gone, and its connections with it.
      await until('the connection ended', () => client.ended)
      client.destroy()
    }
  })
  await until('it serves', () => answers > 50)
  await worker.terminate()
  await Promise.all(load)
  assert.equal((await exchange(main, GET)).text, 'main')
  await assert.rejects(Client.connect({ port }), { code: 'ECONNREFUSED' }, 'its listener is closed')
})

test('terminate() with idle connections and pending requests', async (t) => {
  const worker = await startWorker(t, { body: 'new Promise(() => {})' })
  const clients = await Promise.all([0, 1, 2].map(() => Client.connect({ port: worker.listening })))
  clients[0].send(GET)
  clients[1].send('GET / HT')
  await sleep(30)
  await worker.terminate()
  for (const client of clients) await client.close()
})

test('a worker that starts again and again leaks no port and no crash', async (t) => {
  for (let round = 0; round < 5; round++) {
    const worker = await startWorker(t)
    assert.equal((await exchange({ port: worker.listening }, GET)).text, 'worker')
    await worker.terminate()
    await assert.rejects(Client.connect({ port: worker.listening }))
  }
})

test('process.exit() in a worker ends that worker only', async (t) => {
  const main = open(t, () => new Response('main'))
  const worker = await startWorker(t)
  const client = await Client.connect({ port: worker.listening })
  client.send(GET)
  await client.response()
  worker.postMessage('exit')
  assert.equal(await worker.exited, 7)
  await client.close()
  assert.equal((await exchange(main, GET)).text, 'main')
})

test('process.exit() from inside a handler of a worker ends that worker only', async (t) => {
  const main = open(t, () => new Response('main'))
  const worker = await startWorker(t, { body: 'process.exit(5)' })
  const client = await Client.connect({ port: worker.listening })
  client.send(GET)
  assert.equal(await worker.exited, 5)
  await client.close()
  assert.equal((await exchange(main, GET)).text, 'main')
})

test('the process ends in order while workers still serve', async () => {
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { Worker } from 'node:worker_threads'
     const code = \`Promise.all([import('node:worker_threads'), import(${JSON.stringify(LIB)})]).then(
       ([{ parentPort }, { Response, serve }]) => {
         serve({ fetch: () => new Response('a'), port: 0, hostname: '127.0.0.1' })
         parentPort.postMessage('up')
       })\`
     let up = 0
     for (let index = 0; index < 3; index++) {
       new Worker(code, { eval: true }).on('message', () => { if (++up === 3) process.exit(0) })
     }`,
  ])
  const errors = []
  child.stderr.on('data', (chunk) => errors.push(String(chunk)))
  const timer = setTimeout(() => child.kill('SIGKILL'), 2800)
  const ended = await new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  clearTimeout(timer)
  assert.deepEqual(errors, [])
  assert.deepEqual(ended, { code: 0, signal: null })
})

test('two servers in one process have their own handlers, limits, stats and ends', async (t) => {
  const one = open(t, () => new Response('one'), { maxBodySize: 10 })
  const two = open(t, async (incoming) => new Response(`two ${await incoming.text()}`))
  const body = request('POST /', {}, 'x'.repeat(20))
  assert.equal((await exchange(one, GET)).text, 'one')
  assert.equal((await exchange(one, body)).status, 413)
  assert.equal((await exchange(two, body)).text, `two ${'x'.repeat(20)}`)
  await one.close()
  assert.equal((await exchange(two, body)).status, 200)
  assert.equal(two.stats().totalRequests, 2)
  assert.equal(two.stats().activeConnections <= 2, true)
})

test('two servers in one process can share a port with reusePort', async (t) => {
  const one = open(t, () => new Response('one'), { reusePort: true })
  const two = open(t, () => new Response('two'), { reusePort: true, port: one.port })
  const seen = new Set()
  for (let round = 0; round < 40; round++) seen.add((await exchange(one, GET)).text)
  assert.deepEqual(seen, new Set(['one', 'two']))
  await one.close()
  assert.equal((await exchange(two, GET)).text, 'two')
})

test('without reusePort a port is taken once, and the error says which', async (t) => {
  const one = open(t, () => new Response('one'))
  assert.throws(() => open(t, () => new Response('two'), { port: one.port }), {
    code: 'EADDRINUSE',
    address: '127.0.0.1',
    port: one.port,
  })
})
