// Files as bodies and as answers, right and wrong; checked by `npm run types`, never run.
import { type FileReference, file, Response, serve, serveFile, serveStatic } from 'barewire'

const reference: FileReference = file(new URL('file:///a.txt'), { type: 'text/plain' })
const named: [path: string, type: string] = [reference.path, reference.type]
serve(() => new Response(reference, { headers: { 'x-name': named[0] } }))
serve((request) => serveFile(request, 'a.txt', { headers: [['cache-control', 'no-cache']] }))

const files = serveStatic('public', {
  prefix: '/assets',
  index: false,
  dotfiles: true,
  symlinks: 'never',
  precompressed: true,
  headers: { 'cache-control': 'max-age=60' },
  notFound: async (request: Request) => new Response(request.url, { status: 404 }),
})
serve(files)
serve((request, context) => files(request, context))
files(new globalThis.Request('http://a/'))

// @ts-expect-error: an option that is none
serveStatic('public', { symlink: 'never' })
// @ts-expect-error: a value that is none
serveStatic('public', { symlinks: 'outside' })
// @ts-expect-error: no path
file()
// @ts-expect-error: a path that is none
file(7)
