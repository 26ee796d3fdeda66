// Ends without losing a request: on SIGTERM or SIGINT the server stops accepting, answers what is
// under way, waits for background work, and the process then exits by itself.
import { setTimeout as sleep } from 'node:timers/promises'
import { Response, serve } from 'barewire'

const server = serve(process.env.PORT ?? 3000, async () => {
  await sleep(500)
  return new Response('worth the wait\n')
})

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    console.log(`${signal}: closing`)
    const { cut } = await server.close({ timeout: 5000 })
    console.log(`closed, ${cut} requests cut`)
  })
}

console.log(`listening on ${server.url}`)
console.log(`try: curl ${server.url} & sleep 0.1; kill ${process.pid}; wait`)
