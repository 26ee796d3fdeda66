// A Hono app as the handler. `barewire/globals` comes first: then the responses that Hono makes
// are barewire's own, which are much lighter than the platform's.
import 'barewire/globals'
import { serve } from 'barewire'
import { Hono } from 'hono'

const app = new Hono()

app.use(async (c, next) => {
  const started = performance.now()
  await next()
  c.header('server-timing', `app;dur=${(performance.now() - started).toFixed(2)}`)
})
app.get('/', (c) => c.text('Hello from Hono\n'))
app.get('/users/:name', (c) => c.json({ name: c.req.param('name') }))
app.post('/sum', async (c) => c.json({ sum: (await c.req.json()).reduce((a, b) => a + b, 0) }))
app.get('/later', (c) => {
  c.executionCtx.waitUntil(Promise.resolve())
  return c.text('done\n')
})

const server = serve(process.env.PORT ?? 3000, app)

console.log(`listening on ${server.url}`)
console.log(`try: curl ${server.url}/users/ada`)
