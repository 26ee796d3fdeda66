/** The same Hono app on barewire, whose classes stand in the place of the platform's. */
import '../../../dist/globals.js'
import { serve, serveStatic } from '../../../dist/index.js'
import { files, hostname, port } from '../servers/orders.js'
import { honoApp } from './hono-app.js'

const assets = serveStatic(files)
const app = honoApp((app) => app.get('/*', (context) => assets(context.req.raw)))

serve({ fetch: app.fetch, port, hostname })
