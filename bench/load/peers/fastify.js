/** Fastify with its default options. */
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import fastifyStatic from '@fastify/static'
import fastify from 'fastify'
import { READ_FIELDS, STREAM } from '../scenarios.js'
import { choose, files, hostname, port, readRow } from '../servers/orders.js'

const TEXT = 'text/plain;charset=UTF-8'
const BYTES = 'application/octet-stream'

const ready = Promise.resolve()
const chunk = Buffer.alloc(STREAM.size, 'x')

const app = fastify()

choose({
  json: () => app.get('/', () => ({ hello: 'world' })),

  text: () => app.get('/', (_, reply) => reply.type(TEXT).send('Hello, World!')),

  user: () => app.get('/user/:id', ({ params }, reply) => reply.type(TEXT).send(params.id)),

  async: () =>
    app.get('/', async () => {
      await ready
      return { hello: 'world' }
    }),

  headers: () =>
    app.get('/', ({ headers }, reply) => {
      let length = 0
      for (const name of READ_FIELDS) length += headers[name].length
      reply.type(TEXT).send(`${length}`)
    }),

  echo: () => {
    app.addContentTypeParser(BYTES, { parseAs: 'buffer' }, (_, body, done) => done(null, body))
    app.post('/', ({ body }, reply) => reply.type(BYTES).send(body))
  },

  file: () => app.register(fastifyStatic, { root: resolve(files) }),

  database: () => app.get('/', () => readRow(42)),

  stream: () =>
    app.get('/', (_, reply) => {
      let left = STREAM.chunks
      const body = new Readable({
        read() {
          this.push(chunk)
          if (--left === 0) this.push(null)
        },
      })
      return reply.type(BYTES).send(body)
    }),
})()

await app.listen({ port, host: hostname })
