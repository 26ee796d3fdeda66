/** The fields behind a chunked body (RFC 9110 §6.5). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Response } from 'barewire'
import { exchange, open } from './raw.js'

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
const TRAILERS = 'X-Sum: 7\r\nx-sum: caf\xe9\r\nServer-Timing: a\r\n'

const list = async (context) => JSON.stringify([...(await context.trailers)])
const WANTED = JSON.stringify([
  ['server-timing', 'a'],
  ['x-sum', '7, caf\xe9'],
])

for (const size of [0, 5, 200_000]) {
  const data = size === 0 ? '' : `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`

  test(`of a body of ${size} bytes come behind it`, async (t) => {
    const server = open(t, async (request, context) => {
      const body = await request.text()
      assert.equal(body.length, size)
      return new Response(await list(context))
    })
    assert.equal((await exchange(server, `${HEAD}${data}0\r\n${TRAILERS}\r\n`)).text, WANTED)
    assert.equal((await exchange(server, `${HEAD}${data}0\r\n\r\n`)).text, '[]')
  })
}

test('can be asked for before the body is read', async (t) => {
  const server = open(t, async (request, context) => {
    const trailers = list(context)
    await request.bytes()
    return new Response(await trailers)
  })
  const data = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`
  assert.equal((await exchange(server, `${HEAD}${data}0\r\n${TRAILERS}\r\n`)).text, WANTED)
})

test('are never among the header fields, and none where there is no body', async (t) => {
  const server = open(t, async (request, context) => {
    return Response.json([request.headers.get('x-sum'), await list(context)])
  })
  const answer = await exchange(server, `${HEAD}0\r\n${TRAILERS}\r\n`)
  assert.deepEqual(JSON.parse(answer.text), [null, WANTED])
  const none = await exchange(server, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.deepEqual(JSON.parse(none.text), [null, '[]'])
})
