/** `serveStatic()`: what each option does, and the handler inside of others. */
import assert from 'node:assert/strict'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Request, Response, serveStatic, toPlatform } from 'barewire'
import { run } from './child.js'
import { descriptorsBelow, folder } from './folder.js'
import { Client, exchange, open, request, sleep } from './raw.js'

const place = folder(
  { after },
  {
    'index.html': '<p>top',
    'notes.txt': 'notes',
    'a b.txt': 'blank',
    'ümläut/ä.txt': 'umlaut',
    '100%.txt': 'percent',
    'what?.txt': 'question',
    'hash#.txt': 'hash',
    'plus+.txt': 'plus',
    'docs/index.html': '<p>docs',
    'docs/home.html': '<p>home',
    'bare/file.txt': 'file',
    'index.html.gz': 'top as gzip',
    '.secret': 'secret',
    '.git/config': 'config',
    'docs/.hidden': 'hidden',
    '.well-known/security.txt': 'security',
    '.well-known/.deep': 'deep',
    'docs/.well-known/a.txt': 'not at the top',
    'app.js': 'app as it is',
    'app.js.br': 'app as brotli',
    'app.js.zst': 'app as zstandard',
    'app.js.gz': 'app as gzip',
    'one.css': 'one as it is',
    'one.css.gz': 'one as gzip',
  },
)

/** The answer of a server whose handler is one for files. */
async function answerTo(t, target, { options, headers, method = 'GET' } = {}) {
  const server = open(t, serveStatic(place, options))
  return exchange(server, request(`${method} ${target}`, headers))
}

/** Status and text in one line. */
const brief = ({ status, text }) => `${status} ${text}`.trim()

describe('paths', () => {
  const rows = {
    '/': '200 <p>top',
    '/index.html': '200 <p>top',
    '/notes.txt': '200 notes',
    '/notes.txt?v=1': '200 notes',
    '/docs/': '200 <p>docs',
    '/bare/file.txt': '200 file',
    '/bare/': '404 Not Found',
    '/missing': '404 Not Found',
    '/missing/': '404 Not Found',
    '/notes.txt/': '404 Not Found',
    '/notes.txt/more': '404 Not Found',
    '/NOTES.TXT': '404 Not Found',
    '/a%20b.txt': '200 blank',
    '/%C3%BCml%C3%A4ut/%C3%A4.txt': '200 umlaut',
    '/%c3%bcml%c3%a4ut/%c3%a4.txt': '200 umlaut',
    '/100%25.txt': '200 percent',
    '/100%.txt': '400 The path is malformed.',
    '/100%2': '400 The path is malformed.',
    '/what%3F.txt': '200 question',
    '/hash%23.txt': '200 hash',
    '/plus+.txt': '200 plus',
    '/plus%2b.txt': '200 plus',
    '/%6eotes.txt': '200 notes',
    '/docs/../notes.txt': '200 notes',
    '/docs/./index.html': '200 <p>docs',
    [`/${'a'.repeat(300)}`]: '404 Not Found',
    [`/${'a/'.repeat(3000)}`]: '404 Not Found',
  }
  for (const [target, expected] of Object.entries(rows)) {
    test(`${target.slice(0, 40)} → ${expected}`, async (t) => {
      const response = await answerTo(t, target)
      assert.equal(brief(response), expected)
    })
  }

  test('HEAD has the fields of GET; other methods get 405 where there is a file', async (t) => {
    const head = await answerTo(t, '/notes.txt', { method: 'HEAD' })
    assert.deepEqual([head.status, head.get('content-length')], [200, '5'])
    const server = open(t, serveStatic(place))
    const posting = () => exchange(server, request('POST /notes.txt'))
    const posted = await posting()
    assert.deepEqual([posted.status, posted.get('allow')], [405, 'GET, HEAD'])
    const open405 = descriptorsBelow(place)
    for (let time = 0; time < 5; time++) await posting()
    assert.ok(descriptorsBelow(place) <= open405, 'what was looked for is closed, or kept once')
    assert.equal((await answerTo(t, '/missing', { method: 'POST' })).status, 404)
  })

  test('conditions and ranges are those of serveFile', async (t) => {
    const headers = { Range: 'bytes=1-2' }
    const part = await answerTo(t, '/notes.txt', { headers })
    assert.deepEqual([part.status, part.text], [206, 'ot'])
    const unchanged = await answerTo(t, '/notes.txt', {
      headers: { 'If-None-Match': part.get('etag') },
    })
    assert.equal(unchanged.status, 304)
  })

  test('an absolute-form target is its path', async (t) => {
    const server = open(t, serveStatic(place))
    const response = await exchange(server, request('GET http://a/notes.txt'))
    assert.equal(brief(response), '200 notes')
  })

  test('a fragment, which only a Request made by hand has, is no part of it', async () => {
    const files = serveStatic(place)
    for (const Class of [Request, globalThis.Request]) {
      const response = files(new Class('http://example.test/notes.txt#a?b'))
      assert.equal(await response.text(), 'notes')
    }
  })

  test('a small file that is changed, replaced or removed is seen at once', async (t) => {
    const made = folder(t, { 'a.txt': 'one', 'next.txt': 'three' })
    const server = open(t, serveStatic(made))
    const text = async () => brief(await exchange(server, request('GET /a.txt')))
    for (let time = 0; time < 3; time++) assert.equal(await text(), '200 one')
    writeFileSync(join(made, 'a.txt'), 'two, in place')
    assert.equal(await text(), '200 two, in place')
    renameSync(join(made, 'next.txt'), join(made, 'a.txt'))
    assert.equal(await text(), '200 three')
    rmSync(join(made, 'a.txt'))
    assert.match(await text(), /^404/)
  })

  test('a small file that is moved away is gone within a second and a bit', async (t) => {
    const made = folder(t, { 'a.txt': 'one' })
    const server = open(t, serveStatic(made))
    const status = async () => (await exchange(server, request('GET /a.txt'))).status
    assert.equal(await status(), 200)
    renameSync(join(made, 'a.txt'), join(made, 'b.txt'))
    await sleep(1100)
    assert.equal(await status(), 404)
  })

  test('more files than are kept open are all served, with few of them open', async (t) => {
    const names = Array.from({ length: 300 }, (_, number) => `${number}.txt`)
    const made = folder(t, Object.fromEntries(names.map((name) => [name, name])))
    const server = open(t, serveStatic(made))
    const client = await Client.connect(server)
    for (const name of names) {
      client.send(request(`GET /${name}`))
      assert.equal((await client.response()).text, name)
    }
    assert.ok(descriptorsBelow(made) <= 256, `${descriptorsBelow(made)} are open`)
    client.destroy()
  })

  test('the directory stays the one that it was', async (t) => {
    const made = folder(t, { 'one/a.txt': 'one', 'two/a.txt': 'two' })
    const server = open(t, serveStatic(pathToFileURL(join(made, 'one'))))
    renameSync(join(made, 'one'), join(made, 'old'))
    renameSync(join(made, 'two'), join(made, 'one'))
    assert.equal(brief(await exchange(server, request('GET /a.txt'))), '200 one')
    rmSync(join(made, 'old'), { recursive: true })
    assert.equal((await exchange(server, request('GET /a.txt'))).status, 404)
  })
})

describe('index', () => {
  test("a directory's path without its slash is sent to the one with it", async (t) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await answerTo(t, '/docs', { method })
      assert.deepEqual([response.status, response.get('location')], [301, '/docs/'])
    }
    const { status, headers } = await answerTo(t, '/%C3%BCml%C3%A4ut?a=/b&c=?d')
    const location = headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
    assert.deepEqual([status, location], [301, '/%C3%BCml%C3%A4ut/?a=/b&c=?d'])
  })

  test('has the name that is told', async (t) => {
    const options = { index: 'home.html' }
    assert.equal(brief(await answerTo(t, '/docs/', { options })), '200 <p>home')
    assert.equal((await answerTo(t, '/', { options })).status, 404)
  })

  test('false serves no directories, with a slash or without', async (t) => {
    const options = { index: false }
    for (const target of ['/', '/docs', '/docs/']) {
      assert.equal((await answerTo(t, target, { options })).status, 404, target)
    }
    assert.equal((await answerTo(t, '/docs/index.html', { options })).status, 200)
  })
})

describe('prefix', () => {
  const rows = {
    '/assets/notes.txt': '200 notes',
    '/assets/': '200 <p>top',
    '/assets/docs/': '200 <p>docs',
    '/assets/docs': '301',
    '/assets': '301',
    '/assetsnotes.txt': '404 Not Found',
    '/assetsdocs/index.html': '404 Not Found',
    '/notes.txt': '404 Not Found',
    '/': '404 Not Found',
    '/assets//notes.txt': '404 Not Found',
    '/assets/../notes.txt': '404 Not Found',
    '/assets%2fnotes.txt': '404 Not Found',
  }
  for (const prefix of ['/assets', '/assets/']) {
    for (const [target, expected] of Object.entries(rows)) {
      test(`${prefix}: ${target} → ${expected}`, async (t) => {
        const response = await answerTo(t, target, { options: { prefix } })
        assert.equal(brief(response), expected)
      })
    }
  }

  test('is in the redirect', async (t) => {
    const options = { prefix: '/assets' }
    assert.equal(
      (await answerTo(t, '/assets/docs?a', { options })).get('location'),
      '/assets/docs/?a',
    )
    assert.equal((await answerTo(t, '/assets?a', { options })).get('location'), '/assets/?a')
  })

  test('may be written as it is read', async (t) => {
    for (const prefix of ['/mein büro', '/mein%20b%C3%BCro/']) {
      const response = await answerTo(t, '/mein%20b%C3%BCro/notes.txt', { options: { prefix } })
      assert.equal(brief(response), '200 notes', prefix)
    }
  })
})

describe('notFound', () => {
  test('gets the request and the context, and may give a promise', async (t) => {
    const seen = []
    const kinds = [
      (incoming, context) => {
        seen.push([incoming.rawTarget, typeof context.clientPort])
        return new Response('none', { status: 404 })
      },
      async () => new Response('none', { status: 404 }),
    ]
    for (const notFound of kinds) {
      const options = { notFound, prefix: '/a' }
      for (const target of ['/missing', '/a/missing']) {
        assert.equal(brief(await answerTo(t, target, { options })), '404 none')
      }
    }
    assert.deepEqual(seen, [
      ['/missing', 'number'],
      ['/a/missing', 'number'],
    ])
  })

  test('gets requests of all methods, where there is no file', async (t) => {
    const notFound = async (incoming) => new Response(await incoming.text())
    const server = open(t, serveStatic(place, { notFound }))
    const response = await exchange(server, request('POST /api', {}, 'a body'))
    assert.equal(brief(response), '200 a body')
  })
})

describe('dotfiles', () => {
  const rows = {
    '/.secret': ['404 Not Found', '200 secret'],
    '/%2esecret': ['404 Not Found', '200 secret'],
    '/.git/config': ['404 Not Found', '200 config'],
    '/docs/.hidden': ['404 Not Found', '200 hidden'],
    '/.well-known/security.txt': ['200 security', '200 security'],
    '/.well-known/.deep': ['404 Not Found', '200 deep'],
    '/docs/.well-known/a.txt': ['404 Not Found', '200 not at the top'],
  }
  for (const [target, expected] of Object.entries(rows)) {
    test(`${target} → ${expected.join('; with them ')}`, async (t) => {
      for (const [index, dotfiles] of [false, true].entries()) {
        const response = await answerTo(t, target, { options: { dotfiles } })
        assert.equal(brief(response), expected[index])
      }
    })
  }
})

describe('precompressed', () => {
  const options = { precompressed: true }
  const codingOf = async (t, target, accept) => {
    const headers = accept === undefined ? {} : { 'Accept-Encoding': accept }
    const response = await answerTo(t, target, { options, headers })
    assert.equal(response.status, 200)
    assert.equal(response.get('vary'), 'accept-encoding', 'whatever is sent')
    return [response.get('content-encoding'), response.text]
  }

  const asIs = [undefined, 'app as it is']
  const rows = [
    [undefined, asIs],
    ['', asIs],
    ['identity', asIs],
    ['deflate', asIs],
    ['br', ['br', 'app as brotli']],
    ['gzip', ['gzip', 'app as gzip']],
    ['x-gzip', ['gzip', 'app as gzip']],
    ['zstd', ['zstd', 'app as zstandard']],
    ['gzip, deflate, br, zstd', ['br', 'app as brotli']],
    ['gzip, zstd', ['zstd', 'app as zstandard']],
    ['GZIP', ['gzip', 'app as gzip']],
    ['*', ['br', 'app as brotli']],
    ['br;q=0, *', ['zstd', 'app as zstandard']],
    ['br;q=0.5, gzip;q=0.8', ['gzip', 'app as gzip']],
    ['br;q=0.001, gzip;q=0', ['br', 'app as brotli']],
    ['br;q=0', asIs],
    ['*;q=0', asIs],
    ['gzip;q=0.2, identity;q=0.9', asIs],
    ['gzip;q=x', asIs],
  ]
  for (const [accept, expected] of rows) {
    test(`Accept-Encoding: ${accept} → ${expected[0] ?? 'as it is'}`, async (t) => {
      assert.deepEqual(await codingOf(t, '/app.js', accept), expected)
    })
  }

  test('takes the next best where a coding has no file', async (t) => {
    assert.deepEqual(await codingOf(t, '/one.css', 'br, gzip;q=0.1'), ['gzip', 'one as gzip'])
    assert.deepEqual(await codingOf(t, '/notes.txt', 'br, gzip'), [undefined, 'notes'])
    assert.deepEqual(await codingOf(t, '/', 'gzip'), ['gzip', 'top as gzip'])
  })

  test('keeps the type of the name, has tags of its own, and ranges of what is sent', async (t) => {
    const headers = { 'Accept-Encoding': 'br' }
    const plain = await answerTo(t, '/app.js', { options })
    const coded = await answerTo(t, '/app.js', { options, headers })
    assert.equal(coded.get('content-type'), plain.get('content-type'))
    assert.notEqual(coded.get('etag'), plain.get('etag'))
    const part = await answerTo(t, '/app.js', {
      options,
      headers: { ...headers, Range: 'bytes=-7' },
    })
    assert.deepEqual(
      [part.status, part.text, part.get('content-range'), part.get('content-encoding')],
      [206, 'brotli', 'bytes 6-12/13', 'br'].map((value, at) => (at === 1 ? ' brotli' : value)),
    )
    const conditional = { ...headers, 'If-None-Match': coded.get('etag') }
    const unchanged = await answerTo(t, '/app.js', { options, headers: conditional })
    assert.deepEqual([unchanged.status, unchanged.get('vary')], [304, 'accept-encoding'])
    const other = { ...headers, 'If-None-Match': plain.get('etag') }
    assert.equal((await answerTo(t, '/app.js', { options, headers: other })).status, 200)
  })

  test('is off by default: the files beside are files', async (t) => {
    const headers = { 'Accept-Encoding': 'br' }
    const response = await answerTo(t, '/app.js', { headers })
    assert.deepEqual([response.text, response.get('vary')], ['app as it is', undefined])
    assert.equal((await answerTo(t, '/app.js.br')).text, 'app as brotli')
  })
})

describe('headers', () => {
  test('are in answers with a file and in no others; vary is added to', async (t) => {
    const options = {
      precompressed: true,
      headers: { 'cache-control': 'max-age=60', vary: 'cookie', 'content-type': 'text/x-own' },
    }
    const found = await answerTo(t, '/notes.txt', { options })
    assert.equal(found.get('cache-control'), 'max-age=60')
    assert.equal(found.getAll('vary').join(', '), 'accept-encoding, cookie')
    assert.deepEqual(found.getAll('content-type'), ['text/x-own'])
    for (const target of ['/missing', '/docs', '/100%']) {
      assert.equal((await answerTo(t, target, { options })).get('cache-control'), undefined, target)
    }
  })
})

describe('options', () => {
  const rows = [
    [{ indx: 'a' }, /unknown option indx: did you mean index\?/],
    [{ dotFiles: true }, /did you mean dotfiles\?/],
    [{ symlink: 'never' }, /did you mean symlinks\?/],
    [{ precompresed: true }, /did you mean precompressed\?/],
    [{ prefix: 'assets' }, /prefix must be/],
    [{ prefix: '/a?b' }, /prefix must be/],
    [{ prefix: '/a#b' }, /prefix must be/],
    [{ prefix: 7 }, /prefix must be/],
    [{ index: '' }, /index must be/],
    [{ index: 'a/b' }, /index must be/],
    [{ index: true }, /index must be/],
    [{ dotfiles: 'yes' }, /dotfiles must be/],
    [{ symlinks: 'outside' }, /symlinks must be/],
    [{ precompressed: 1 }, /precompressed must be/],
    [{ notFound: 404 }, /notFound must be/],
  ]
  for (const [options, message] of rows) {
    test(`${JSON.stringify(options)} is refused`, () => {
      assert.throws(() => serveStatic(place, options), { name: 'BarewireError', message })
    })
  }

  test('that are none are refused', () => {
    for (const wrong of [null, 7, 'a', () => {}]) {
      assert.throws(() => serveStatic(place, wrong), { code: 'ERR_BAREWIRE_OPTION' })
    }
    assert.throws(() => serveStatic(place, { headers: { 'a b': 'c' } }), TypeError)
  })

  test("a directory that can't be opened is Node's own error", () => {
    for (const [name, code] of [
      ['missing', 'ENOENT'],
      ['notes.txt', 'ENOTDIR'],
    ]) {
      const path = join(place, name)
      assert.throws(() => serveStatic(path), { code, syscall: 'open', path })
    }
    for (const wrong of [undefined, 7, '', 'a\0b']) {
      assert.throws(() => serveStatic(wrong), Error, String(wrong))
    }
  })
})

describe('inside of others', () => {
  test("the platform's Request, toPlatform() and server.fetch()", async (t) => {
    const files = serveStatic(place)
    const platform = files(new globalThis.Request('http://example.test/notes.txt'))
    assert.equal(await toPlatform(platform).text(), 'notes')
    const server = open(t, (incoming) => toPlatform(files(incoming)))
    assert.equal(await (await server.fetch('/notes.txt')).text(), 'notes')
    const response = await exchange(server, request('GET /', { Range: 'bytes=0-2' }))
    assert.equal(brief(response), '206 <p>')
    assert.match(response.get('content-type'), /^text\/html/)
  })

  test('a Hono app, with the globals and without', async (t) => {
    for (const globals of ["import 'barewire/globals'", '']) {
      const code = `
        ${globals}
        import { serve, serveStatic } from 'barewire'
        import { Hono } from 'hono'
        import { connect } from 'node:net'
        const app = new Hono()
        const files = serveStatic('examples/public', { prefix: '/assets' })
        app.use(async (c, next) => {
          await next()
          c.header('x-seen', 'yes')
        })
        app.get('/assets/*', (c) => files(c.req.raw))
        app.get('*', (c) => c.text('other'))
        const server = serve({ port: 0, hostname: '127.0.0.1', fetch: app.fetch })
        const lines = (path, more = '') => 'GET ' + path + ' HTTP/1.1\\r\\nHost: a\\r\\n' + more + '\\r\\n'
        const socket = connect(server.port, '127.0.0.1')
        socket.write(lines('/assets/notes.txt'))
        socket.write(lines('/assets/notes.txt', 'Range: bytes=2-5\\r\\n'))
        socket.write(lines('/assets/none') + lines('/', 'Connection: close\\r\\n'))
        socket.pipe(process.stdout)
        socket.on('end', () => server.close())
      `
      const { stdout, stderr } = await run(t, code)
      const statuses = [...stdout.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)
      assert.deepEqual(statuses, ['200', '206', '404', '200'], stderr)
      assert.equal(stdout.match(/x-seen: yes/gi).length, 4)
      assert.match(stdout, /content-length: 8\r\n/i)
      assert.match(stdout, /\r\n\r\nfileHTTP/)
    }
  })
})
