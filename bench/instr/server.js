/** The JSON hello for `crossing.js`: says its port, and ends when its input does. */
import { Response, serve } from 'barewire'

const server = serve({
  fetch: () => Response.json({ hello: 'world' }),
  port: 0,
  hostname: '127.0.0.1',
})
console.log(server.port)
process.stdin.resume().on('end', () => process.exit())
