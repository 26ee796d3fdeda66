/** A gibibyte up and down through examples/proxy, with a node:http server behind it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { buildProxy, startProxy } from '../js/proxy.js'
import { exchanges, upAndDown } from './echo.js'
import { MEBIBYTE } from './measured.js'

export const forms = exchanges.flatMap(([client, exchange]) =>
  [true, false].map((hasLength) => ({
    name: `1 GiB through the proxy with ${client}, ${hasLength ? 'Content-Length' : 'chunked'}`,
    most: 16 * MEBIBYTE,
    run: (signal) => measure((url, body) => exchange(url, body, hasLength, signal)),
  })),
)

/** Says by how many bytes the proxy grew, at its largest. */
async function measure(exchange) {
  const program = buildProxy('release')
  const upstream = createServer((request, response) => {
    const length = request.headers['content-length']
    if (length !== undefined) response.setHeader('Content-Length', length)
    request.pipe(response)
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const proxy = await startProxy(program, [upstream.address().port])
  try {
    const before = proxy.peakMemory()
    await upAndDown(`http://127.0.0.1:${proxy.port}/`, exchange)
    return proxy.peakMemory() - before
  } finally {
    proxy.end()
    upstream.close()
    upstream.closeAllConnections()
  }
}
