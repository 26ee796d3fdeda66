/**
 * The handlers of the scenarios as functions from a Request to a Response, for the servers that
 * take such, over the Response class that each of them has.
 */
import { READ_FIELDS, STREAM } from '../scenarios.js'
import { readRow } from './orders.js'

const bytes = { headers: { 'content-type': 'application/octet-stream' } }
const ready = Promise.resolve()
const chunk = new Uint8Array(STREAM.size).fill(0x78)

/** @param {typeof globalThis.Response} Response */
export const handlersOf = (Response) => ({
  json: () => Response.json({ hello: 'world' }),

  text: () => new Response('Hello, World!'),

  user: ({ url }) => new Response(url.slice(url.lastIndexOf('/') + 1)),

  async: async () => {
    await ready
    return Response.json({ hello: 'world' })
  },

  headers: ({ headers }) => {
    let length = 0
    for (const name of READ_FIELDS) length += headers.get(name).length
    return new Response(`${length}`)
  },

  echo: async (request) => new Response(await request.arrayBuffer(), bytes),

  database: async () => Response.json(await readRow(42)),

  stream: () => new Response(streamed(), bytes),
})

export function streamed() {
  let left = STREAM.chunks
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(chunk)
      if (--left === 0) controller.close()
    },
  })
}
