// The shapes of serve and Server, right and wrong; checked by `npm run types`, never run.
import {
  BarewireError,
  type BarewireErrorCode,
  type Context,
  type FetchEvent,
  fetch,
  type Handler,
  Headers,
  multipart,
  type Part,
  Request,
  Response,
  Server,
  type ServerOptions,
  type ServerStats,
  serve,
  toPlatform,
} from 'barewire'

// (handler)
serve(() => new Response('hello'))
serve(async (request, context) => {
  const url: string = request.url
  const raw: string = request.rawTarget
  const address: string = context.clientAddress
  const port: number = context.clientPort
  context.waitUntil(Promise.resolve())
  const body: { name: string } = (await request.json()) as { name: string }
  return Response.json({ url, raw, address, port, body }, { status: 201, headers: { 'x-a': 'b' } })
})

// (port, handler, options)
const server: Server = serve(3000, (request) => new Response(request.body))
serve('8080', () => new globalThis.Response('of the platform'))
serve(0, async () => new Response(null, { status: 204 }), {
  hostname: '::',
  maxBodySize: 0,
  timeouts: { idle: 5000 },
  error: (error, request) => new Response(`${request.url}: ${String(error)}`, { status: 500 }),
})
serve(0, () => new Response(), { error: (error) => console.log(error) })
serve(0, () => new Response(), { error: async () => {} })

// ({ fetch, ...options })
serve({ fetch: () => new Response(), port: 3000, signal: AbortSignal.timeout(1000) })
serve({ fetch: (_request: Request, context: Context) => Response.json(context.clientPort) })

// @ts-expect-error: no handler
serve(3000)
// @ts-expect-error: no fetch
serve({ port: 3000 })
// @ts-expect-error: an option of Bun
serve({ fetch: () => new Response(), idleTimeout: 10 })
// @ts-expect-error: the port is the first argument
serve(3000, () => new Response(), { port: 3000 })
// @ts-expect-error: text is no response
serve(() => 'hello')

const handler: Handler = async (request) => new Response(await request.text())
const options: ServerOptions = { fetch: handler, host: 'localhost' }

// Server
const made = new Server(options)
made.addEventListener('fetch', (event) => event.respondWith(new Response('hello')))
made.addEventListener('fetch', async (event: FetchEvent) => {
  event.respondWith(handler(event.request, event))
  event.waitUntil(event.server.close())
})
// @ts-expect-error: there are only fetch events
made.addEventListener('connect', () => {})

const listening: Promise<Server> = made.listen()
const closed: Promise<{ cut: number }> = made.close({ timeout: 500 })
const stats: ServerStats = made.stats()
const reasons: Record<string, number> = stats.closed
made.ref().unref().reload(handler)
made.reload({ fetch: handler })
const url: string = made.url
const disposed: PromiseLike<void> = made[Symbol.asyncDispose]()
const answer: Promise<Response> = made.fetch('/path', { method: 'POST', body: 'x' })
made.fetch(new Request('http://localhost/'))
made.fetch(new globalThis.Request('http://localhost/'))
serve((request, { server }) => {
  server.timeout(request, 60_000)
  return new Response()
})

// Forms
serve(async (request) => {
  for await (const part of multipart(request, { maxFileSize: 0 })) {
    const { name, filename, isFile }: Part = part
    const text: string = await part.text()
    await new Response(part.body).text()
    console.log(name, filename?.length, isFile, text, part.headers.get('x'), part.type)
  }
  return new Response()
})
multipart(new globalThis.Request('http://localhost/'))
// @ts-expect-error: no such option
multipart(new Request('http://localhost/'), { limits: {} })

// Classes mix with the platform's.
const headers: globalThis.Headers = new Headers({ a: 'b' })
const request: globalThis.Request = new Request('http://localhost/', { method: 'PUT', headers })
const response: globalThis.Response = new Response(new Uint8Array(), { headers: [['a', 'b']] })
const cloned: Response = new Response().clone()
const redirect: Response = Response.redirect('http://localhost/', 303)
const platform: globalThis.Request = toPlatform(new Request(request))
const fetched: Promise<globalThis.Response> = fetch(new Request('http://localhost/'))
new Response(new Blob([]))
new Response(new URLSearchParams())
new Response(new FormData())
new Response(new ReadableStream())
new Response(
  (async function* () {
    yield new Uint8Array()
  })(),
)

const code: BarewireErrorCode = new BarewireError('ERR_BAREWIRE_OPTION', 'text').code
const status: number | undefined = new BarewireError('ERR_BAREWIRE_LIMIT', 'text').status
// @ts-expect-error: no such code
new BarewireError('ERR_BAREWIRE_NONE', 'text')

export {
  answer,
  cloned,
  closed,
  code,
  disposed,
  fetched,
  listening,
  platform,
  reasons,
  redirect,
  response,
  server,
  status,
  url,
}
