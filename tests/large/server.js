/**
 * The server whose memory is measured, alone in its process. Says its port, and its numbers
 * whenever it gets a byte; with --expose-gc what is garbage is no part of them.
 */
import { Response, serve } from 'barewire'

const PART = 65_536
const GIBIBYTE = 2 ** 30

/**
 * What a small program holds. In a heap of less than 8 MiB the V8 of Node.js 24 collects no buffers
 * before there are 64 MiB of them, whoever makes them; that isn't what is measured here.
 */
globalThis.program = Array.from({ length: 40_000 }, (_, id) => ({ id, name: `${id}` }))

const handlers = {
  '/plain': () => new Response('plain'),
  '/endless': () => new Response(parts(Number.POSITIVE_INFINITY)),
  '/gibibyte': () =>
    new Response(parts(GIBIBYTE / PART), { headers: { 'Content-Length': String(GIBIBYTE) } }),
  '/generator': () => new Response(texts()),
  '/unread': () => new Promise(() => {}),
  '/echo': (request) => new Response(request.body),
}

/** A stream that makes each part when there is room for it. */
function parts(count) {
  let left = count
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(PART))
      left -= 1
      if (left === 0) controller.close()
    },
  })
}

async function* texts() {
  for (;;) yield 'x'.repeat(PART)
}

const server = serve({
  port: 0,
  hostname: '127.0.0.1',
  maxBodySize: 0,
  fetch: (request) => handlers[request.rawTarget](request),
})
console.log(`port ${server.port}`)

process.stdin.on('data', () => {
  globalThis.gc?.()
  const { bytesSent, bytesReceived, bufferedBytes, pendingRequests } = server.stats()
  const { rss } = process.memoryUsage()
  const peak = process.resourceUsage().maxRSS * 1024
  const numbers = { rss, peak, bytesSent, bytesReceived, bufferedBytes, pendingRequests }
  console.log(`numbers ${JSON.stringify(numbers)};`)
})
