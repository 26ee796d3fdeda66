/** barewire with its default options. */
import { Response, serve, serveStatic } from 'barewire'
import { handlersOf } from './fetch-handlers.js'
import { choose, files, hostname, port } from './orders.js'

const fetch = choose({ ...handlersOf(Response), file: serveStatic(files) })

serve({ fetch, port, hostname })
