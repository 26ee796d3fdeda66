// Sends back the body of a request, byte for byte, with its type.
import { Response, serve } from 'barewire'

const server = serve({
  port: process.env.PORT ?? 3000,
  maxBodySize: 1024 * 1024,
  async fetch(request) {
    if (request.method !== 'POST') {
      return new Response('POST something\n', { status: 405, headers: { allow: 'POST' } })
    }
    const type = request.headers.get('content-type') ?? 'application/octet-stream'
    return new Response(await request.arrayBuffer(), { headers: { 'content-type': type } })
  },
})

console.log(`listening on ${server.url}`)
console.log(`try: curl ${server.url} --data 'anything'`)
