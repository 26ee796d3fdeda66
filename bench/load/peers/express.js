/** Express with its default options. */
import express from 'express'
import { READ_FIELDS } from '../scenarios.js'
import { choose, files, hostname, port, readRow } from '../servers/orders.js'

const TEXT = 'text/plain;charset=UTF-8'

const ready = Promise.resolve()

const app = express()

choose({
  json: () => app.get('/', (_, response) => response.json({ hello: 'world' })),

  text: () => app.get('/', (_, response) => response.type(TEXT).send('Hello, World!')),

  user: () => app.get('/user/:id', ({ params }, response) => response.type(TEXT).send(params.id)),

  async: () =>
    app.get('/', async (_, response) => {
      await ready
      response.json({ hello: 'world' })
    }),

  headers: () =>
    app.get('/', ({ headers }, response) => {
      let length = 0
      for (const name of READ_FIELDS) length += headers[name].length
      response.type(TEXT).send(`${length}`)
    }),

  echo: () =>
    app.post('/', express.raw({ limit: '1mb' }), ({ body }, response) => response.send(body)),

  database: () => app.get('/', async (_, response) => response.json(await readRow(42))),

  file: () => app.use(express.static(files)),
})()

app.listen(port, hostname)
