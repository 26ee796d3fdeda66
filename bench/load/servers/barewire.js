/** barewire with its default options. */
import { Response, serve } from 'barewire'
import { READ_FIELDS } from '../scenarios.js'
import { announce, choose, port } from './member.js'

const ready = Promise.resolve()

const fetch = choose({
  json: () => Response.json({ hello: 'world' }),

  text: () => new Response('Hello, World!'),

  async: async () => {
    await ready
    return Response.json({ hello: 'world' })
  },

  headers: ({ headers }) => {
    let length = 0
    for (const name of READ_FIELDS) length += headers.get(name).length
    return new Response(`${length}`)
  },

  echo: async (request) => {
    const body = await request.arrayBuffer()
    return new Response(body, { headers: { 'content-type': 'application/octet-stream' } })
  },
})

announce(serve({ fetch, port: port(), hostname: '127.0.0.1' }).port)
