/** uWebSockets.js with its own API, which has no files and no streams. */
import uws from 'uwebsockets'
import { READ_FIELDS } from '../scenarios.js'
import { choose, hostname, port } from '../servers/orders.js'

const TEXT = 'text/plain;charset=UTF-8'
const BYTES = 'application/octet-stream'

const ready = Promise.resolve()

const app = uws.App()

choose({
  json: () => app.get('/', (response) => sendJson(response, { hello: 'world' })),

  text: () => app.get('/', (response) => send(response, TEXT, 'Hello, World!')),

  user: () =>
    app.get('/user/:id', (response, request) => send(response, TEXT, request.getParameter(0))),

  async: () =>
    app.get('/', async (response) => {
      let isThere = true
      response.onAborted(() => {
        isThere = false
      })
      await ready
      if (isThere) response.cork(() => sendJson(response, { hello: 'world' }))
    }),

  headers: () =>
    app.get('/', (response, request) => {
      let length = 0
      for (const name of READ_FIELDS) length += request.getHeader(name).length
      send(response, TEXT, `${length}`)
    }),

  echo: () =>
    app.post('/', (response) => {
      const chunks = []
      response.onAborted(() => {})
      response.onData((chunk, isLast) => {
        if (isLast && chunks.length === 0) return send(response, BYTES, chunk)
        // The memory of a chunk is valid during this call only.
        chunks.push(Buffer.from(chunk.slice(0)))
        if (isLast) response.cork(() => send(response, BYTES, Buffer.concat(chunks)))
      })
    }),
})()

function sendJson(response, value) {
  send(response, 'application/json', JSON.stringify(value))
}

function send(response, type, body) {
  response.writeHeader('Content-Type', type).end(body)
}

app.listen(hostname, port, (socket) => {
  if (!socket) process.exit(1)
})
