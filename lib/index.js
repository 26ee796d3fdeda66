/** The public API: exports only. */
export { BarewireError } from './errors.js'
export { Context, FetchEvent } from './event.js'
export { Headers } from './headers.js'
export { fetch, toPlatform } from './platform.js'
export { Request } from './request.js'
export { Response } from './response.js'
export { Server, serve } from './server.js'
