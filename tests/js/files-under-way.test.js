/** What happens while a file is sent: it changes, its client is slow or leaves, the server closes. */
import assert from 'node:assert/strict'
import { renameSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { file, Response, serveStatic } from 'barewire'
import { descriptorsBelow, folder, numbered } from './folder.js'
import { Client, exchange, GET_NEXT, open, request, sleep, until } from './raw.js'

/** More than the buffers of both ends' kernels take. */
const LARGE = numbered(32 * 1024 * 1024)
const GET = request('GET /large.bin')
/** Time for the whole of it, on a busy machine. */
const LONG = 20_000

/** A server for a folder with the large file, and a client that has asked for it and doesn't read. */
async function underWay(t, options) {
  const place = folder(t, { 'large.bin': LARGE, 'small.txt': 'small' })
  const files = serveStatic(place)
  const respond = (incoming) =>
    incoming.rawTarget === '/next' ? new Response('next') : files(incoming)
  const server = open(t, respond, options)
  const client = await Client.connect(server)
  t.after(() => client.destroy())
  client.socket.pause()
  client.send(GET)
  await stands(server)
  assert.equal(descriptorsBelow(place), 1, 'it is open')
  return { place, path: join(place, 'large.bin'), server, client }
}

/** Waits until no more of an answer is taken. */
async function stands(server) {
  for (let before = -1, now = 0; now !== before || now === 0; ) {
    before = now
    await sleep(60)
    now = server.stats().bytesSent
  }
  assert.ok(server.stats().bytesSent < LARGE.length, 'a part is left')
}

/** All of the large file, and nothing else. */
async function assertWhole(client) {
  // The reader of responses looks at all bytes whenever some come: too slow for so many.
  await until('it comes', () => client.socket.bytesRead > LARGE.length, LONG)
  const response = await client.response()
  assert.equal(response.status, 200)
  assert.ok(response.body.equals(LARGE), 'it is as it was')
}

describe('a file that changes', () => {
  for (const left of [0, 100, LARGE.length - 1]) {
    test(`cuts the connection when it becomes shorter: ${left} bytes`, async (t) => {
      const { path, server, client, place } = await underWay(t)
      truncateSync(path, left)
      client.socket.resume()
      const { responses, rest } = await client.close([], LONG)
      assert.deepEqual(responses, [], 'nothing looks complete')
      const body = rest.subarray(rest.indexOf('\r\n\r\n') + 4)
      assert.ok(body.length < LARGE.length)
      assert.equal(descriptorsBelow(place), 0)
      assert.equal((await exchange(server, request('GET /small.txt'))).text, 'small')
    })
  }

  test('is sent as long as it was when it was opened, if it grows', async (t) => {
    const { path, client } = await underWay(t)
    writeFileSync(path, 'more', { flag: 'a' })
    client.socket.resume()
    await assertWhole(client)
  })

  test('is sent as it was when it is removed', async (t) => {
    const { path, server, client } = await underWay(t)
    unlinkSync(path)
    assert.equal((await exchange(server, GET)).status, 404)
    client.socket.resume()
    await assertWhole(client)
  })

  test('is sent as it was when another takes its name', async (t) => {
    const { place, path, server, client } = await underWay(t)
    writeFileSync(join(place, 'new'), 'the new one')
    renameSync(join(place, 'new'), path)
    assert.equal((await exchange(server, GET)).text, 'the new one')
    client.socket.resume()
    await assertWhole(client)
    client.send(GET)
    assert.equal((await client.response()).text, 'the new one')
  })

  test('rejects when it becomes shorter while JavaScript reads it', async (t) => {
    const place = folder(t, { 'a.bin': LARGE.subarray(0, 1_000_000) })
    const reader = new Response(file(join(place, 'a.bin'))).body.getReader()
    await reader.read()
    truncateSync(join(place, 'a.bin'), 100)
    const readOn = async () => {
      while (!(await reader.read()).done);
    }
    await assert.rejects(readOn(), { name: 'TypeError', message: /shorter/ })
    await until('it is closed', () => descriptorsBelow(place) === 0)
  })
})

describe('a client', () => {
  test('that reads slowly holds no memory, and others are served meanwhile', async (t) => {
    const { server, client, place } = await underWay(t)
    assert.ok(server.stats().bufferedBytes < 1024 * 1024, `${server.stats().bufferedBytes}`)
    assert.equal((await exchange(server, GET_NEXT)).text, 'next')
    const other = await Client.connect(server)
    other.send(GET + request('GET /small.txt'))
    await assertWhole(other)
    assert.equal((await other.response()).text, 'small')
    other.destroy()
    assert.equal(client.received.length, 0)
    client.socket.resume()
    await assertWhole(client)
    // The small one may be kept for the next who asks for it.
    await until('the file is closed', () => descriptorsBelow(place) <= 1)
    const { bytesSent, bufferedBytes } = server.stats()
    assert.ok(bytesSent > 2 * LARGE.length)
    assert.equal(bufferedBytes, 0)
  })

  test('that has closed its side gets all of it', async (t) => {
    const { client } = await underWay(t)
    client.finish()
    client.socket.resume()
    await assertWhole(client)
    assert.equal((await client.close([], LONG)).ended, 'fin')
  })

  for (const how of ['destroy', 'reset']) {
    test(`that leaves frees the file: ${how}`, async (t) => {
      const { server, client, place } = await underWay(t)
      client[how]()
      await until('it is closed', () => descriptorsBelow(place) === 0)
      await until('so is the connection', () => server.stats().activeConnections === 0)
      assert.equal(server.stats().pendingRequests, 0)
      assert.equal((await exchange(server, GET_NEXT)).text, 'next')
    })
  }

  test('that takes nothing for timeouts.send is cut', async (t) => {
    const { server, client, place } = await underWay(t, { timeouts: { send: 400 } })
    await until('it is cut', () => server.stats().activeConnections === 0)
    assert.equal(descriptorsBelow(place), 0)
    assert.equal(
      Object.values(server.stats().closed).reduce((a, b) => a + b, 0),
      1,
    )
    client.socket.resume()
    const { responses } = await client.close([], LONG)
    assert.deepEqual(responses, [])
  })

  test('that takes a little at a time is not', async (t) => {
    const { client } = await underWay(t, { timeouts: { send: 1000 } })
    // A part that the server's kernel notices: it tells of room by the third of its buffer.
    const part = LARGE.length / 8
    for (let round = 0; round < 4; round++) {
      const wanted = Math.min(client.socket.bytesRead + part, LARGE.length)
      client.socket.resume()
      await until('a part comes', () => client.socket.bytesRead >= wanted)
      client.socket.pause()
      await sleep(600)
    }
    client.socket.resume()
    await assertWhole(client)
  })
})

describe('close()', () => {
  test('waits for a file under way', async (t) => {
    const { server, client } = await underWay(t)
    let isClosed = false
    const closed = server.close({ timeout: LONG }).then((result) => {
      isClosed = true
      return result
    })
    await sleep(100)
    assert.equal(isClosed, false)
    client.socket.resume()
    await assertWhole(client)
    assert.deepEqual(await closed, { cut: 0 })
    assert.equal((await client.close()).ended, 'fin')
  })

  test('cuts it at its timeout', async (t) => {
    const { server, client, place } = await underWay(t)
    await server.close({ timeout: 100 })
    assert.equal(descriptorsBelow(place), 0)
    client.socket.resume()
    assert.deepEqual((await client.close([], LONG)).responses, [])
  })
})
