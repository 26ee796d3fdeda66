/** Interim answers: what goes before the real one (RFC 9110 §15.2, RFC 8297). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Response } from 'barewire'
import { Client, open, sleep } from './raw.js'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const LINK = { link: '</style.css>; rel=preload' }
const HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n'

/** Everything that a server sends for one request on a connection that it closes. */
async function all(server, request) {
  const client = await Client.connect(server)
  client.send(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  const chunks = []
  client.socket.on('data', (chunk) => chunks.push(chunk))
  while (client.ended === undefined) await sleep(5)
  return Buffer.concat(chunks).toString('latin1')
}

for (const [name, handler] of [
  [
    'a sync handler',
    (_, context) => {
      assert.equal(context.sendInformational(103, LINK), true)
      return new Response('done')
    },
  ],
  [
    'an async handler',
    async (_, context) => {
      await sleep(5)
      assert.equal(context.sendInformational(103, LINK), true)
      await sleep(5)
      return new Response('done')
    },
  ],
]) {
  test(`early hints of ${name} go before the answer`, async (t) => {
    const text = await all(open(t, handler), GET)
    assert.ok(text.startsWith(`${HINTS}HTTP/1.1 200 OK\r\n`), text)
    assert.ok(text.endsWith('\r\n\r\ndone'), text)
  })
}

test('several interim answers go out in their order', async (t) => {
  const server = open(t, (_, context) => {
    context.sendInformational(102)
    context.sendInformational(103, LINK)
    return new Response('done')
  })
  const text = await all(server, GET)
  assert.ok(text.startsWith(`HTTP/1.1 102 Processing\r\n\r\n${HINTS}HTTP/1.1 200`), text)
})

test('a client of HTTP/1.0 gets no interim answer', async (t) => {
  const server = open(t, (_, context) => {
    context.sendInformational(103, LINK)
    return new Response('done')
  })
  assert.ok((await all(server, 'GET / HTTP/1.0\r\n\r\n')).startsWith('HTTP/1.1 200 OK\r\n'))
})

test('after the answer has begun nothing is sent', async (t) => {
  let late
  const server = open(t, (_, context) => {
    context.waitUntil(
      sleep(10).then(() => {
        late = context.sendInformational(103, LINK)
      }),
    )
    return new Response('done')
  })
  const client = await Client.connect(server)
  client.send(GET)
  assert.equal((await client.response()).text, 'done')
  while (late === undefined) await sleep(5)
  assert.equal(late, false)
  assert.equal((await server.fetch('/')).status, 200)
  client.destroy()
})

test('a status that is no interim one, or a field that splits, is an error of the handler', async (t) => {
  const server = open(t, (_, context) => {
    for (const status of [99, 101, 200, 103.5, '103', undefined]) {
      assert.throws(() => context.sendInformational(status), RangeError)
    }
    assert.throws(() => context.sendInformational(103, { link: 'a\r\nb: c' }), TypeError)
    return new Response('done')
  })
  assert.ok((await all(server, GET)).startsWith('HTTP/1.1 200 OK\r\n'))
})
