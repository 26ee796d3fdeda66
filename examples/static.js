// Serves the files of a directory, with ranges, conditions and caching.
import { serve, serveStatic } from 'barewire'

const files = serveStatic(new URL('public', import.meta.url), {
  headers: { 'cache-control': 'max-age=60' },
})

const server = serve(Number(process.env.PORT ?? 3000), files)
console.log(`listening on ${server.url}`)
console.log(`try: curl -i ${server.url}/notes.txt`)
