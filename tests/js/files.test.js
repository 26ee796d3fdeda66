/** `file()` as a body: sent by the kernel, or read in JavaScript; its errors, and its descriptor. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { join, relative } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { file, Request, Response, toPlatform } from 'barewire'
import { start } from './child.js'
import { descriptorsBelow, folder, numbered } from './folder.js'
import { Client, exchange, GET_NEXT, open, request, until, untilClosed } from './raw.js'

const GET = request('GET /')
const LARGE = numbered(3 * 1024 * 1024 + 5)
const place = folder(
  { after },
  { 'a.txt': 'a file', 'empty.css': '', 'unknown.zzz9': 'what', 'large.bin': LARGE },
)
const path = (name) => join(place, name)

/** Answers `/next` plainly and anything else as told. */
const besideNext = (respond) => (incoming) =>
  incoming.rawTarget === '/next' ? new Response('next') : respond(incoming)

describe('a file as the body of an answer', () => {
  test('GET gets all of it, and the connection stays', async (t) => {
    const server = open(
      t,
      besideNext(() => new Response(file(path('a.txt')))),
    )
    const client = await Client.connect(server)
    client.send(GET)
    const response = await client.response()
    assert.deepEqual([response.status, response.text], [200, 'a file'])
    assert.equal(response.get('content-length'), '6')
    assert.equal(response.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(response.get('connection'), undefined)
    client.send(GET_NEXT)
    assert.equal((await client.response()).text, 'next')
    client.destroy()
  })

  test('HEAD gets the same fields and no body', async (t) => {
    const server = open(
      t,
      besideNext(() => new Response(file(path('large.bin')))),
    )
    const client = await Client.connect(server)
    client.send(request('HEAD /') + GET_NEXT)
    const [head, next] = await client.responses(2, ['HEAD', 'GET'])
    assert.equal(head.status, 200)
    assert.equal(head.get('content-length'), String(LARGE.length))
    assert.equal(head.get('content-type'), 'application/octet-stream')
    assert.equal(next.text, 'next')
    client.destroy()
  })

  test('HTTP/1.0 gets it with its length, and the end of the connection', async (t) => {
    const server = open(t, () => new Response(file(path('large.bin'))))
    const { responses, rest, ended } = await untilClosed(server, 'GET / HTTP/1.0\r\n\r\n')
    assert.equal(responses.length, 1)
    assert.ok(responses[0].body.equals(LARGE))
    assert.deepEqual([rest.length, ended], [0, 'fin'])
  })

  test('HTTP/1.0 that asks for it keeps the connection', async (t) => {
    const server = open(t, () => new Response(file(path('a.txt'))))
    const client = await Client.connect(server)
    for (let round = 0; round < 2; round++) {
      client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
      assert.equal((await client.response()).text, 'a file')
    }
    client.destroy()
  })

  test('requests behind a large file get their answers after it, in order', async (t) => {
    const server = open(t, ({ rawTarget }) => {
      if (rawTarget === '/large') return new Response(file(path('large.bin')))
      if (rawTarget === '/small') return new Response(file(path('a.txt')))
      return new Response(rawTarget)
    })
    const targets = ['/1', '/large', '/2', '/small', '/large', '/small', '/3']
    const client = await Client.connect(server)
    client.send(targets.map((target) => request(`GET ${target}`)).join(''))
    const responses = await client.responses(targets.length, [], 10_000)
    for (const [index, target] of targets.entries()) {
      if (target === '/large') assert.ok(responses[index].body.equals(LARGE), `${index}`)
      else assert.equal(responses[index].text, target === '/small' ? 'a file' : target)
    }
    client.destroy()
  })

  test('an empty file is an empty body', async (t) => {
    const server = open(
      t,
      besideNext(() => new Response(file(path('empty.css')))),
    )
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT)
    const [empty, next] = await client.responses(2)
    assert.deepEqual([empty.status, empty.text, empty.get('content-length')], [200, '', '0'])
    assert.match(empty.get('content-type'), /^text\/css/)
    assert.equal(next.text, 'next')
    client.destroy()
  })

  const kinds = {
    'from a promise': async () => new Response(file(path('a.txt'))),
    'from a promise that takes a while': async () => {
      await new Promise((done) => setTimeout(done, 20))
      return new Response(file(path('a.txt')))
    },
    'named by a relative path': () => new Response(file(relative(process.cwd(), path('a.txt')))),
    'named by a URL': () => new Response(file(pathToFileURL(path('a.txt')))),
    're-wrapped with its body and itself, as Hono does': () => {
      const response = new Response(file(path('a.txt')))
      return new Response(response.body, response)
    },
    'cloned, the clone sent': () => new Response(file(path('a.txt'))).clone(),
    'cloned, the original sent': () => {
      const response = new Response(file(path('a.txt')))
      response.clone()
      return response
    },
    "turned into the platform's response": () => toPlatform(new Response(file(path('a.txt')))),
    'whose body was looked at': () => {
      const response = new Response(file(path('a.txt')))
      assert.ok(response.body instanceof ReadableStream)
      return response
    },
  }
  for (const [name, respond] of Object.entries(kinds)) {
    test(name, async (t) => {
      const server = open(t, besideNext(respond))
      const client = await Client.connect(server)
      client.send(GET + GET_NEXT)
      const [response, next] = await client.responses(2)
      assert.deepEqual([response.status, response.text], [200, 'a file'])
      assert.match(response.get('content-type'), /^text\/plain/)
      assert.equal(next.text, 'next')
      client.destroy()
    })
  }

  test('one reference serves many answers, each with a file of its own', async (t) => {
    const reference = file(path('large.bin'))
    const server = open(t, () => new Response(reference))
    const answers = await Promise.all([1, 2, 3].map(() => exchange(server, GET)))
    for (const { body } of answers) assert.ok(body.equals(LARGE))
  })

  test('the handler of a request that was sent by server.fetch() gives it, too', async (t) => {
    const server = open(t, () => new Response(file(path('large.bin')), { status: 203 }))
    const response = await server.fetch('/')
    assert.equal(response.status, 203)
    assert.ok(LARGE.equals(await response.bytes()))
  })
})

describe('the content type', () => {
  const typeOf = async (t, respond) => (await exchange(open(t, respond), GET)).get('content-type')

  test("is the one of the name's end, the told one, or that of the fields", async (t) => {
    assert.equal(file(path('a.txt')).type, 'text/plain; charset=utf-8')
    const told = file(path('a.txt'), { type: 'text/x-own' })
    assert.equal(told.type, 'text/x-own')
    assert.equal(await typeOf(t, () => new Response(told)), 'text/x-own')
    const headers = { 'content-type': 'text/x-field' }
    assert.equal(await typeOf(t, () => new Response(told, { headers })), 'text/x-field')
  })

  test('is one that no client looks into where it is unknown', async (t) => {
    const unknown = 'application/octet-stream'
    assert.equal(file(path('unknown.zzz9')).type, unknown)
    assert.equal(await typeOf(t, () => new Response(file(path('unknown.zzz9')))), unknown)
  })

  test('that no field can have is refused', () => {
    for (const type of ['a\r\nb: c', 'a\0b', 'ā']) {
      assert.throws(() => file(path('a.txt'), { type }), TypeError)
    }
  })
})

describe('read in JavaScript', () => {
  const small = () => new Response(file(path('a.txt')))
  const large = () => new Response(file(path('large.bin')))

  test('as text, bytes, a buffer, a blob, JSON', async () => {
    assert.equal(await small().text(), 'a file')
    assert.ok(LARGE.equals(await large().bytes()))
    assert.ok(LARGE.equals(new Uint8Array(await large().arrayBuffer())))
    const blob = await small().blob()
    assert.deepEqual([blob.type, await blob.text()], ['text/plain;charset=utf-8', 'a file'])
    await assert.rejects(small().json(), SyntaxError)
  })

  test('as a stream in parts, once', async () => {
    const response = large()
    const parts = []
    for await (const part of response.body) parts.push(part)
    assert.ok(parts.length > 1, 'not all at once')
    assert.ok(LARGE.equals(Buffer.concat(parts)))
    assert.equal(response.bodyUsed, true)
    await assert.rejects(response.text(), TypeError)
  })

  test('by a clone and the original', async () => {
    const response = large()
    const clone = response.clone()
    const [one, other] = await Promise.all([response.bytes(), clone.bytes()])
    assert.ok(LARGE.equals(one) && LARGE.equals(other))
  })

  test('by a clone and the original, after its stream was given out', async () => {
    const response = large()
    const { body } = response
    const clone = response.clone()
    assert.equal(body.locked, true, 'as the standard has it: its reader is the clones now')
    assert.ok(LARGE.equals(await clone.bytes()) && LARGE.equals(await response.bytes()))
  })

  test('by the platform', async () => {
    assert.ok(LARGE.equals(new Uint8Array(await toPlatform(large()).arrayBuffer())))
  })

  test('as the body of a request, too', async () => {
    const init = { method: 'POST', body: file(path('a.txt')) }
    const sent = new Request('http://example.test/', init)
    assert.match(sent.headers.get('content-type'), /^text\/plain/)
    assert.equal(await sent.text(), 'a file')
  })

  test('a stream that is cancelled closes the file', async () => {
    const reader = large().body.getReader()
    await reader.read()
    assert.equal(descriptorsBelow(place), 1)
    await reader.cancel()
    await until('the file is closed', () => descriptorsBelow(place) === 0)
  })

  test('an answer that was read is not sent', async (t) => {
    const server = open(
      t,
      async () => {
        const response = small()
        await response.text()
        return response
      },
      { error: (error) => new Response(error.constructor.name, { status: 500 }) },
    )
    const answer = await exchange(server, GET)
    assert.equal(answer.status, 500)
  })
})

describe("what can't be opened is Node's own error", () => {
  mkdirSync(path('folder'))
  symlinkSync('loop', path('loop'))

  /** What Node says of the same call, but for the call's name. */
  const cases = {
    ENOENT: 'missing.txt',
    EISDIR: 'folder',
    ENOTDIR: 'a.txt/below',
    ENAMETOOLONG: 'a'.repeat(300),
    ELOOP: 'loop',
  }
  for (const [code, name] of Object.entries(cases)) {
    test(`${code} for ${name.slice(0, 20)}`, () => {
      assert.throws(
        () => new Response(file(path(name))),
        (error) => {
          assert.ok(error instanceof Error)
          const { syscall, message } = error
          assert.deepEqual(
            [error.code, error.errno, syscall, error.path],
            [code, -constants.errno[code], 'open', path(name)],
          )
          assert.match(message, new RegExp(`^${code}: .+, open '${path(name)}'$`))
          return true
        },
      )
    })
  }

  test('EACCES where it may not be read', { skip: process.getuid() === 0 && 'root may' }, () => {
    chmodSync(path('unknown.zzz9'), 0)
    assert.throws(() => new Response(file(path('unknown.zzz9'))), { code: 'EACCES' })
  })

  test('from a handler it goes to the error option', async (t) => {
    const error = (thrown) => new Response(thrown.code, { status: 404 })
    const server = open(t, () => new Response(file(path('missing.txt'))), { error })
    const answer = await exchange(server, GET)
    assert.deepEqual([answer.status, answer.text], [404, 'ENOENT'])
  })

  test('a reference alone opens nothing', () => {
    assert.equal(file(path('missing.txt')).path, path('missing.txt'))
  })

  test('a path that is none says what is wrong', () => {
    for (const wrong of [undefined, null, 7, {}, '', 'a\0b']) {
      assert.throws(() => file(wrong), { code: 'ERR_BAREWIRE_OPTION', message: /path must be/ })
    }
    assert.throws(() => file(new URL('http://example.test/a')), { code: 'ERR_INVALID_URL_SCHEME' })
  })
})

describe('descriptors', () => {
  test('are closed when an answer was sent, was refused, or was for HEAD', async (t) => {
    const server = open(t, () => new Response(file(path('large.bin'))))
    await exchange(server, GET)
    await exchange(server, request('HEAD /'))
    await server.fetch('/').then((response) => response.text())
    await until('they are closed', () => descriptorsBelow(place) === 0)
  })

  /** How many are opened by a program's lines, and how many are left when they are collected. */
  async function opened(t, lines, first = '') {
    const code = `
      import { file, Request, Response, serveStatic } from 'barewire'
      import { readdirSync } from 'node:fs'
      const count = () => readdirSync('/proc/self/fd').length
      const serve = () => serveStatic('examples/public')(new Request('http://a.test/notes.txt'))
      ${first}
      const before = count()
      ${lines}
      const open = count() - before
      for (let turn = 0; turn < 20 && count() > before; turn++) {
        globalThis.gc()
        await new Promise((done) => setTimeout(done, 10))
      }
      console.log(JSON.stringify({ open, left: count() - before }))
    `
    const running = start(t, code, { flags: ['--expose-gc'] })
    await running.ended
    return { ...JSON.parse(running.stdout), stderr: running.stderr }
  }

  test('of responses that nobody sends are closed with the garbage', async (t) => {
    const lines = "for (let made = 0; made < 300; made++) new Response(file('package.json'))"
    const { open, left, stderr } = await opened(t, lines)
    assert.ok(open > 0, 'they were open')
    assert.equal(left, 0, stderr)
  })

  test('of directories that nobody serves any more, too', async (t) => {
    const lines = 'for (let made = 0; made < 30; made++) await serve().text()'
    const { open, left, stderr } = await opened(t, lines, 'await serve().text()')
    assert.ok(open > 30, 'directories and the files that they keep')
    assert.ok(left <= 0, stderr)
  })
})

test('nothing of these tests is open at their end', async () => {
  assert.ok(readdirSync(place).length > 0)
  await until('all are closed', () => descriptorsBelow(place) === 0)
})
