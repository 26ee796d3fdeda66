/** Many clients at once that never read: of a stream without end, of what they upload. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { MEBIBYTE, startServer } from './measured.js'

const CLIENTS = 200
const UPLOAD = 2 ** 30
const part = Buffer.alloc(65_536)
const chunk = Buffer.concat([Buffer.from('10000\r\n'), part, Buffer.from('\r\n')])

const get = (target, version = '1.1') => ({
  name: `read nothing of ${target}, HTTP/${version}`,
  send: (socket) => socket.write(`GET ${target} HTTP/${version}\r\nHost: a\r\n\r\n`),
})
const post = (target, framing, body) => ({
  name: `upload 1 GiB to ${target}, ${framing.split(':')[0]}`,
  send(socket) {
    socket.write(`POST ${target} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`)
    flood(socket, body)
  },
})

const once = [
  get('/gibibyte'),
  get('/endless'),
  get('/endless', '1.0'),
  get('/generator'),
  post('/unread', `Content-Length: ${UPLOAD}`, part),
  post('/unread', 'Transfer-Encoding: chunked', chunk),
  post('/echo', `Content-Length: ${UPLOAD}`, part),
]

/**
 * When they leave and others come, what they held serves the next ones; but a good part of it is
 * garbage that V8 doesn't collect before it is worth it. So eight waves have a bound of their own,
 * and one that a leak of a part for each client would break.
 */
export const forms = [
  ...once.map(({ name, send }) => ({
    name: `${CLIENTS} clients ${name}`,
    most: 64 * MEBIBYTE,
    run: () => measure(send, 1),
  })),
  {
    name: `8 times ${CLIENTS} clients ${once[1].name}`,
    most: 192 * MEBIBYTE,
    run: () => measure(once[1].send, 8),
  },
]

/** Says by how many bytes the server grew, at its largest. */
async function measure(send, waves) {
  const server = await startServer()
  try {
    const before = await server.numbers()
    for (let wave = 0; wave < waves; wave++) {
      const sockets = Array.from({ length: CLIENTS }, () => stuck(server.port, send))
      await settled(server)
      for (const socket of sockets) socket.resetAndDestroy()
      await sleep(200)
    }
    return (await server.numbers()).peak - before.rss
  } finally {
    server.end()
  }
}

function stuck(port, send) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  send(socket)
  return socket
}

/** Writes as long as the other side takes it, up to a gibibyte. */
function flood(socket, piece) {
  let left = UPLOAD / part.length
  const more = () => {
    while (left > 0 && socket.writable) {
      left -= 1
      if (!socket.write(piece)) return
    }
  }
  socket.on('drain', more)
  more()
}

/** Waits until all are being served and nothing moves any more. */
async function settled(server) {
  for (let last = -1; ; await sleep(500)) {
    const { pendingRequests, bytesSent, bytesReceived } = await server.numbers()
    const moved = bytesSent + bytesReceived
    if (pendingRequests >= CLIENTS && moved === last) return
    last = moved
  }
}
