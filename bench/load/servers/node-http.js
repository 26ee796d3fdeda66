/** `node:http` with its default options, written as its users write it. */
import { createServer } from 'node:http'
import { READ_FIELDS } from '../scenarios.js'
import { announce, choose, port } from './member.js'

const ready = Promise.resolve()

const server = createServer(
  choose({
    json: (_, response) => sendJson(response, { hello: 'world' }),

    text: (_, response) => sendText(response, 'Hello, World!'),

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
      request.on('end', () => send(response, 'application/octet-stream', Buffer.concat(chunks)))
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

server.listen(port(), '127.0.0.1', () => announce(server.address().port))
