// Handlers of other projects, as they are; checked by `npm run types`, never run.
import 'barewire/globals'
import { Response, Server, serve } from 'barewire'
import { H3 } from 'h3'
import { Hono } from 'hono'
import { AutoRouter } from 'itty-router'

const hono = new Hono()
hono.get('/', (c) => c.text('hello'))
hono.get('/json', () => Response.json({ hello: 'world' }))

serve(hono)
serve(3000, hono)
serve(3000, hono.fetch)
serve({ fetch: hono.fetch, port: 3000 })
new Server({ fetch: hono.fetch }).reload(hono)

// Bindings of its own do not stand in the way.
const bound = new Hono<{ Bindings: { name: string } }>()
serve(bound)
serve(3000, bound)

const h3 = new H3()
serve(h3)
serve(3000, h3.fetch)

const itty = AutoRouter()
serve(3000, (request) => itty.fetch(request))
serve({ ...itty })

// The shape of `export default { fetch }`.
const worker = { fetch: (request: Request) => new Response(request.url) }
serve(worker)
serve(3000, worker)
