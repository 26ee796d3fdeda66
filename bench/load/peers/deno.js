/** Deno.serve with its default options. */
import { basename } from 'node:path'
import { handlersOf } from '../servers/fetch-handlers.js'
import { choose, files, hostname, port } from '../servers/orders.js'

const fetch = choose({
  ...handlersOf(Response),

  file: async ({ url }) => {
    const file = await Deno.open(`${files}/${basename(new URL(url).pathname)}`)
    const { size, mtime } = await file.stat()
    return new Response(file.readable, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': `${size}`,
        'last-modified': mtime.toUTCString(),
      },
    })
  },
})

Deno.serve({ hostname, port, onListen() {} }, fetch)
