/**
 * The server under attack, alone in its process. Options come as JSON in the first argument. Says
 * its port, and its numbers whenever it gets a byte.
 */
import { readdirSync } from 'node:fs'
import { Response, serve } from 'barewire'

const large = new Uint8Array(1 << 20)
let turn = 0

const handlers = {
  '/': () => new Response('served'),
  '/large': () => new Response(large),
  '/unread': () => new Promise(() => {}),
  '/echo': async (request) => new Response(await request.bytes()),
  '/reflect': ({ headers }) => {
    const value = headers.get('x-value') ?? ''
    return new Response('reflected', { headers: { 'x-value': value, [value || 'x-none']: '1' } })
  },
  '/throw': async () => {
    turn += 1
    if (turn % 3 === 0) throw new Error('at once')
    await null
    if (turn % 3 === 1) throw new Error('later')
    return turn % 2 === 0 ? new Response('served') : undefined
  },
}

const server = serve({
  port: 0,
  hostname: '127.0.0.1',
  ...JSON.parse(process.argv[2] ?? '{}'),
  fetch: (request) => (handlers[request.rawTarget] ?? handlers['/'])(request),
  error: () => new Response('failed', { status: 500 }),
})
console.log(`port ${server.port}`)

process.stdin.on('data', () => {
  globalThis.gc?.()
  const { activeConnections, pendingRequests, bufferedBytes, closed, rejected } = server.stats()
  const descriptors = readdirSync('/proc/self/fd').length
  const { rss } = process.memoryUsage()
  const numbers = { activeConnections, pendingRequests, bufferedBytes, closed, rejected }
  console.log(`numbers ${JSON.stringify({ ...numbers, descriptors, rss })};`)
})
