/** The Hono app on @hono/node-server, with its default options. */
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { files, hostname, port } from '../servers/orders.js'
import { honoApp } from './hono-app.js'

const app = honoApp((app) => app.get('/*', serveStatic({ root: files })))

serve({ fetch: app.fetch, port, hostname })
