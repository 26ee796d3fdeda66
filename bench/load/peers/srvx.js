/** srvx on Node.js, with its default options: FastResponse is what its manual recommends there. */
import { FastResponse, serve } from 'srvx'
import { staticMiddleware } from 'srvx/static'
import { handlersOf } from '../servers/fetch-handlers.js'
import { choose, files, hostname, port } from '../servers/orders.js'

const sendFile = staticMiddleware({ dir: files })
const notFound = () => new FastResponse('Not Found', { status: 404 })

const fetch = choose({
  ...handlersOf(FastResponse),
  file: (request) => sendFile(request, notFound),
})

serve({ fetch, port, hostname, silent: true })
