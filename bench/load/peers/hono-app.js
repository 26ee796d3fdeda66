/**
 * The Hono app of the scenario. `hono-node.js` and `hono-barewire.js` serve this very app; what
 * sends files is the server's own, as Hono has it.
 */
import { Hono } from 'hono'
import { READ_FIELDS } from '../scenarios.js'
import { streamed } from '../servers/fetch-handlers.js'
import { choose, readRow } from '../servers/orders.js'

const ready = Promise.resolve()
const bytes = { 'content-type': 'application/octet-stream' }

/** @param {(app: Hono) => Hono} routeFiles */
export function honoApp(routeFiles) {
  const app = new Hono()
  const text = (context, value) => context.body(value, 200, { 'content-type': TEXT })
  return choose({
    json: () => app.get('/', (context) => context.json({ hello: 'world' })),

    text: () => app.get('/', (context) => text(context, 'Hello, World!')),

    user: () => app.get('/user/:id', (context) => text(context, context.req.param('id'))),

    async: () =>
      app.get('/', async (context) => {
        await ready
        return context.json({ hello: 'world' })
      }),

    headers: () =>
      app.get('/', (context) => {
        let length = 0
        for (const name of READ_FIELDS) length += context.req.header(name).length
        return text(context, `${length}`)
      }),

    echo: () =>
      app.post('/', async (context) => context.body(await context.req.arrayBuffer(), 200, bytes)),

    database: () => app.get('/', async (context) => context.json(await readRow(42))),

    file: () => routeFiles(app),

    stream: () => app.get('/', (context) => context.body(streamed(), 200, bytes)),
  })()
}

const TEXT = 'text/plain;charset=UTF-8'
