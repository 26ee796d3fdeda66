/** `node:http` with its default options, written as its users write it. */
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { READ_FIELDS, STREAM } from '../scenarios.js'
import { choose, files, hostname, port, readRow } from './orders.js'

const BYTES = 'application/octet-stream'

const ready = Promise.resolve()
const chunk = Buffer.alloc(STREAM.size, 'x')

const server = createServer(
  choose({
    json: (_, response) => sendJson(response, { hello: 'world' }),

    text: (_, response) => sendText(response, 'Hello, World!'),

    user: ({ url }, response) => sendText(response, url.slice(url.lastIndexOf('/') + 1)),

    async: async (_, response) => {
      await ready
      sendJson(response, { hello: 'world' })
    },

    headers: ({ headers }, response) => {
      let length = 0
      for (const name of READ_FIELDS) length += headers[name].length
      sendText(response, `${length}`)
    },

    echo: (request, response) => {
      const chunks = []
      request.on('data', (chunk) => chunks.push(chunk))
      request.on('end', () => send(response, BYTES, Buffer.concat(chunks)))
    },

    file: async ({ url }, response) => {
      const path = join(files, basename(url))
      const { size, mtime } = await stat(path)
      response.writeHead(200, {
        'Content-Type': BYTES,
        'Content-Length': size,
        'Last-Modified': mtime.toUTCString(),
      })
      // A client that is gone is no fault of the server.
      await pipeline(createReadStream(path), response).catch(() => {})
    },

    database: async (_, response) => sendJson(response, await readRow(42)),

    stream: async (_, response) => {
      response.writeHead(200, { 'Content-Type': BYTES })
      for (let left = STREAM.chunks; left > 0; left--) {
        if (!response.write(chunk)) await once(response, 'drain')
      }
      response.end()
    },
  }),
)

function sendJson(response, value) {
  send(response, 'application/json', JSON.stringify(value))
}

function sendText(response, text) {
  send(response, 'text/plain;charset=UTF-8', text)
}

function send(response, type, body) {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}

server.listen(port, hostname)
