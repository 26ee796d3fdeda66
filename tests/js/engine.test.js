/** What the engine owes to JavaScript beyond answers: identity, memory, the last numbers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Response, serve } from 'barewire'
import { run } from './child.js'
import { Client, deferred, open, until } from './raw.js'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

test('a connection whose first request never reached the handler has its own address', async (t) => {
  const gate = deferred()
  const server = open(
    t,
    async ({ rawTarget }, { clientPort }) => {
      if (rawTarget === '/wait') await gate.promise
      return new Response(`${clientPort}`)
    },
    { maxPending: 1 },
  )
  // A first owner of the slot, whose address must not be told of the next.
  const first = await Client.connect(server)
  first.send(GET)
  assert.equal((await first.response()).text, `${first.socket.localPort}`)
  first.destroy()
  await until('it is gone', () => server.stats().activeConnections === 0)

  const second = await Client.connect(server)
  const busy = await Client.connect(server)
  busy.send(GET.replace('/', '/wait'))
  await until('it waits', () => server.stats().pendingRequests === 1)
  second.send(GET)
  assert.equal((await second.response()).status, 503)
  gate.resolve()
  await busy.response()
  second.send(GET)
  assert.equal((await second.response()).text, `${second.socket.localPort}`)
  second.destroy()
  busy.destroy()
})

test('many large answers in one turn do not pile up in memory', async (t) => {
  const { exitCode, stdout } = await run(
    t,
    `import { connect } from 'node:net'
     import { Response, serve } from 'barewire'
     const text = 'x'.repeat(4 << 20)
     let calls = 0
     const server = serve({ port: 0, fetch: () => new Response(text + calls++) })
     const socket = connect(server.port, '127.0.0.1')
     socket.resume()
     socket.write('HEAD / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'.repeat(200))
     const timer = setInterval(() => {
       if (calls < 200) return
       clearInterval(timer)
       socket.destroy()
       server.close()
       console.log('all answered')
     }, 10)`,
    { flags: ['--max-old-space-size=128'] },
  )
  assert.deepEqual([exitCode, stdout.trim()], [0, 'all answered'])
})

test('a closed server is garbage, with its handler', async (t) => {
  const { exitCode, stdout } = await run(
    t,
    `import { setTimeout as sleep } from 'node:timers/promises'
     import { Response, serve } from 'barewire'
     let collected = 0
     const registry = new FinalizationRegistry(() => collected++)
     for (let round = 0; round < 20; round++) {
       const handler = () => new Response('x')
       registry.register(handler)
       const server = serve({ port: 0, fetch: handler })
       await (await fetch(server.url)).text()
       await server.close({ timeout: 50 })
     }
     for (let round = 0; round < 50 && collected < 18; round++) {
       globalThis.gc()
       await sleep(10)
     }
     console.log(collected >= 18 ? 'garbage' : \`only \${collected}\`)`,
    { flags: ['--expose-gc'] },
  )
  assert.deepEqual([exitCode, stdout.trim()], [0, 'garbage'])
})

test('stats() of a closed server tells its last numbers', async () => {
  const server = serve(0, () => new Response('x'))
  await (await fetch(server.url)).text()
  await server.close()
  const { totalRequests, activeConnections, bytesSent } = server.stats()
  assert.deepEqual([totalRequests, activeConnections, bytesSent > 0], [1, 0, true])
})
