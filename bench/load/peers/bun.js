/** Bun.serve with its default options. */
import { basename } from 'node:path'
import { handlersOf } from '../servers/fetch-handlers.js'
import { choose, files, hostname, port } from '../servers/orders.js'

Bun.serve({
  hostname,
  port,
  fetch: choose({
    ...handlersOf(Response),
    file: ({ url }) => new Response(Bun.file(`${files}/${basename(new URL(url).pathname)}`)),
  }),
})
