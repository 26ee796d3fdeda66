// Server-sent events: an async generator is the body, each event leaves as it is made. When the
// client goes, the generator is ended and its `finally` runs.
import { setTimeout as sleep } from 'node:timers/promises'
import { Response, serve } from 'barewire'

let watching = 0

const server = serve(process.env.PORT ?? 3000, (request) => {
  const { pathname } = new URL(request.url)
  if (pathname === '/watching') return new Response(`${watching}\n`)
  if (pathname !== '/events') return new Response('there is only /events\n', { status: 404 })
  const lastId = Number(request.headers.get('last-event-id') ?? 0)
  return new Response(events(lastId), {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
})

async function* events(lastId) {
  watching++
  try {
    for (let id = lastId + 1; ; id++) {
      yield `id: ${id}\nevent: time\ndata: ${new Date().toISOString()}\n\n`
      await sleep(500)
    }
  } finally {
    watching--
  }
}

console.log(`listening on ${server.url}`)
console.log(`try: curl -N ${server.url}/events`)
