/** `maxBodySize` as a function: a limit for each request, in force before a byte is read. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Response } from 'barewire'
import { assertRefusal, Client, exchange, open, request, until, untilClosed } from './raw.js'

const MIB = 1 << 20

/** 1 MiB for uploads, 10 bytes for the rest. */
const byPath = ({ url }) => (new URL(url).pathname === '/upload' ? MIB : 10)
const size = async (incoming) => new Response(`${(await incoming.bytes()).length}`)

const withLength = (target, length, body = '') =>
  request(`POST ${target}`, { 'Content-Length': length }, body)
const chunked = (target, length) =>
  request(`POST ${target}`, { 'Transfer-Encoding': 'chunked' }) +
  `${length.toString(16)}\r\n${'x'.repeat(length)}\r\n0\r\n\r\n`

describe('maxBodySize as a function', () => {
  for (const [name, text, answer] of [
    ['a short body', withLength('/', 10, 'x'.repeat(10)), '10'],
    ['a body above it', withLength('/', 11, 'x'.repeat(11)), 413],
    ['a body that is only announced', withLength('/', 1e9), 413],
    ['a chunked body above it', chunked('/', 11), 413],
    ['a chunked body below it', chunked('/', 10), '10'],
    ['more for another path', withLength('/upload', 70_000, 'x'.repeat(70_000)), '70000'],
    ['more for another path, chunked', chunked('/upload', 200_000), '200000'],
    ['its own limit for another path', withLength('/upload', MIB + 1), 413],
    ['its own limit for another path, chunked', chunked('/upload', MIB + 1), 413],
    ['no body', request('POST /'), '0'],
  ]) {
    test(name, async (t) => {
      const server = open(t, size, { maxBodySize: byPath })
      if (answer === 413) return assertRefusal(await untilClosed(server, text), 413)
      assert.equal((await exchange(server, text)).text, answer)
    })
  }

  test('0 is no limit, also above the default', async (t) => {
    const server = open(t, () => new Response('taken'), { maxBodySize: () => 0 })
    const client = await Client.connect(server)
    client.send(withLength('/', 1e12))
    assert.equal((await client.response()).text, 'taken')
  })

  test('is asked once for each request with a body, and sees its head but no body', async (t) => {
    const seen = []
    const maxBodySize = (incoming) => {
      seen.push([incoming.method, incoming.rawTarget, incoming.headers.get('x-a'), incoming.body])
      return 100
    }
    const server = open(t, size, { maxBodySize })
    const get = request('GET /none')
    const post = request('POST /a?b', { 'X-A': '1', 'Content-Length': 2 }, 'hi')
    const client = await Client.connect(server)
    const responses = await client.send(get + post + get).responses(3)
    assert.deepEqual(
      responses.map(({ text }) => text),
      ['0', '2', '0'],
    )
    assert.deepEqual(seen, [['POST', '/a?b', '1', null]])
  })

  for (const [name, maxBodySize] of [
    [
      'throws',
      () => {
        throw new Error('no idea')
      },
    ],
    ['gives no size', () => 'a lot'],
    ['gives a promise', async () => 5],
    ['gives a negative size', () => -5],
  ]) {
    test(`that ${name} leaves the default in force and warns`, async (t) => {
      const warnings = []
      const listener = (warning) => warnings.push(warning)
      process.on('warning', listener)
      t.after(() => process.off('warning', listener))
      const server = open(t, size, { maxBodySize })
      assert.equal((await exchange(server, withLength('/', 20, 'x'.repeat(20)))).text, '20')
      assertRefusal(await untilClosed(server, withLength('/', 11 * MIB)), 413)
      await until('it warned', () => warnings.length === 2)
      assert.match(warnings[0].message, /^maxBodySize failed for POST http/)
    })
  }

  test('may close the server and ask for its numbers', async (t) => {
    const server = open(t, size, {
      maxBodySize() {
        server.stats()
        server.close()
        return 100
      },
    })
    const { responses } = await untilClosed(server, withLength('/', 2, 'hi'))
    assert.equal(responses[0].text, '2')
  })
})

test('an upload that is neither read nor answered is ended by the handler’s clock', async (t) => {
  let reason
  const handler = (incoming) => {
    incoming.signal.addEventListener('abort', () => {
      reason = incoming.signal.reason
    })
    return new Promise(() => {})
  }
  const server = open(t, handler, { timeout: 200 })
  const result = await untilClosed(server, withLength('/', 300_000) + 'x'.repeat(280_000))
  assertRefusal(result, 503)
  assert.equal(reason.name, 'TimeoutError')
})

test('a handler that reads an upload slowly is not ended by its clock', async (t) => {
  const server = open(t, size, { timeout: 300 })
  const client = await Client.connect(server)
  client.send(withLength('/', 300_000))
  for (let part = 0; part < 5; part++) {
    await new Promise((done) => setTimeout(done, 120))
    client.send('x'.repeat(60_000))
  }
  assert.equal((await client.response()).text, '300000')
})
