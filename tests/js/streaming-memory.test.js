/**
 * Memory stays flat, whatever clients and handlers do; the small form of a promise whose large form
 * (hundreds of clients, a gibibyte each) is `npm run test:large`. Servers run in processes of their own, so
 * that nothing of the clients is measured.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { printed, start } from './child.js'
import { sleep, until } from './raw.js'

const CLIENTS = 50
/** Most bytes that the memory of a server may grow by. */
const GROWTH = 64 << 20
/** Bytes up and down; and one more than a body without a stream could have. */
const LARGE = 64 << 20

async function startServer(t) {
  const running = start(t, '', { file: 'tests/large/server.js', flags: ['--expose-gc'] })
  const [, port] = await printed(running, /^port (\d+)\n/)
  const numbers = async () => {
    const before = running.stdout.length
    running.child.stdin.write('?')
    await until('its numbers come', () => running.stdout.indexOf(';', before) >= 0)
    return JSON.parse(running.stdout.slice(running.stdout.indexOf('numbers ', before) + 8, -2))
  }
  return { port: Number(port), numbers }
}

/** Connections that send something and never read. */
async function stuck(t, port, send) {
  const sockets = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1'))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (const socket of sockets) {
    socket.on('error', () => {})
    socket.pause()
    send(socket)
  }
  return sockets
}

/**
 * Reads so many bytes of an answer and leaves. After that the garbage that a stream makes has its
 * usual size, and what grows from there on is what is held.
 */
async function readMuch(port, target, wanted) {
  const socket = connect(port, '127.0.0.1')
  let count = 0
  socket.on('data', (chunk) => {
    count += chunk.length
  })
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await until('much was read', () => count >= wanted)
  socket.resetAndDestroy()
}

/** Writes as fast as the other side takes it, without an end. */
function flood(socket, part) {
  const more = () => {
    while (socket.writable && socket.write(part));
  }
  socket.on('drain', more)
  more()
}

describe(`${CLIENTS} clients`, () => {
  for (const target of ['/endless', '/generator']) {
    test(`that read nothing of an endless answer: ${target}`, async (t) => {
      const server = await startServer(t)
      await readMuch(server.port, target, 256 << 20)
      const before = await server.numbers()
      await stuck(t, server.port, (socket) => {
        socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
      })
      await sleep(600)
      const first = await server.numbers()
      assert.equal(first.pendingRequests, CLIENTS)
      assert.ok(first.bytesSent - before.bytesSent > CLIENTS * 65_536, 'they are served')
      await sleep(300)
      const after = await server.numbers()
      assert.ok(after.bytesSent - first.bytesSent < 1 << 20, 'nothing goes on for nobody')
      assert.ok(after.bufferedBytes <= CLIENTS * 96 * 1024, `${after.bufferedBytes} are held`)
      if (process.platform === 'linux') {
        const taken = after.bytesSent - before.bytesSent
        assert.ok(taken < CLIENTS * 2 ** 20, `the kernel holds ${taken} bytes for nobody`)
      }
      const growth = after.rss - before.rss
      assert.ok(growth < GROWTH, `it grew by ${(growth / 2 ** 20).toFixed(1)} MiB`)
    })
  }

  for (const [framing, head, part] of [
    ['Content-Length', `Content-Length: ${2 ** 40}`, Buffer.alloc(65_536)],
    [
      'chunks',
      'Transfer-Encoding: chunked',
      Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')]),
    ],
  ]) {
    test(`that upload without end to a handler that reads nothing: ${framing}`, async (t) => {
      const server = await startServer(t)
      const before = await server.numbers()
      await stuck(t, server.port, (socket) => {
        socket.write(`POST /unread HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`)
        flood(socket, part)
      })
      await sleep(500)
      const after = await server.numbers()
      assert.equal(after.pendingRequests, CLIENTS)
      // What lay in the receive buffer with the head, and what made chunks grow, is all.
      const most = CLIENTS * 4 * 65_536
      assert.ok(after.bytesReceived < most, `${after.bytesReceived} bytes were read for nobody`)
      const growth = after.rss - before.rss
      assert.ok(growth < GROWTH, `it grew by ${(growth / 2 ** 20).toFixed(1)} MiB`)
    })
  }
})

describe('64 MiB up and down through new Response(request.body)', () => {
  const block = Buffer.alloc(1 << 20)
  for (let at = 0; at < block.length; at++) block[at] = at * 31 + (at >> 8)

  for (const [framing, headers] of [
    ['with Content-Length', { 'content-length': LARGE }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ]) {
    test(`${framing}: byte-exact, in little memory`, async (t) => {
      const server = await startServer(t)
      const before = await server.numbers()
      const sent = createHash('sha256')
      const received = createHash('sha256')
      let count = 0
      await new Promise((resolve, reject) => {
        const { port } = server
        const sending = httpRequest(
          { port, path: '/echo', method: 'POST', headers },
          (response) => {
            response.on('error', reject)
            response.on('end', resolve)
            response.on('data', (part) => {
              count += part.length
              received.update(part)
            })
          },
        )
        sending.on('error', reject)
        let left = LARGE / block.length
        const more = () => {
          for (let hasRoom = true; hasRoom && left > 0; left--) {
            // No two blocks are alike.
            const next = Buffer.from(block)
            next.writeUInt32LE(left, 0)
            sent.update(next)
            hasRoom = sending.write(next)
          }
          if (left === 0) sending.end()
        }
        sending.on('drain', more)
        more()
      })
      assert.equal(count, LARGE)
      assert.equal(received.digest('hex'), sent.digest('hex'))
      const growth = (await server.numbers()).rss - before.rss
      assert.ok(growth < GROWTH, `it grew by ${(growth / 2 ** 20).toFixed(1)} MiB`)
    })
  }
})
