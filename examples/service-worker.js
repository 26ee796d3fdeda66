// The style of service workers: a listener for fetch events, and work after the answer.
import { setTimeout as sleep } from 'node:timers/promises'
import { Response, Server } from 'barewire'

const visits = new Map()
const server = new Server({ port: process.env.PORT ?? 3000 })

server.addEventListener('fetch', (event) => {
  const { pathname } = new URL(event.request.url)
  if (pathname === '/visits') {
    event.respondWith(Response.json(Object.fromEntries(visits)))
    return
  }
  event.respondWith(new Response(`you asked for ${pathname}\n`))
  // The client does not wait for this; a graceful close does.
  event.waitUntil(count(pathname))
})

async function count(pathname) {
  await sleep(10)
  visits.set(pathname, (visits.get(pathname) ?? 0) + 1)
}

await server.listen()
console.log(`listening on ${server.url}`)
console.log(`try: curl ${server.url}/a ${server.url}/b ${server.url}/visits`)
