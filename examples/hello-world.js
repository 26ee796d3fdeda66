// The smallest server: one handler, one answer.
import { Response, serve } from 'barewire'

const server = serve(process.env.PORT ?? 3000, () => new Response('Hello, World!\n'))

console.log(`listening on ${server.url}`)
console.log(`try: curl -i ${server.url}`)
