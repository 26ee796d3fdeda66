/** Forms that are read part by part while they come. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Headers, multipart, Request, Response } from 'barewire'
import { Client, deferred, open, request, sleep, until } from './raw.js'

const MIB = 1 << 20

/** Bytes that show a gap or a swap, and have line ends and dashes in them. */
function pattern(length) {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = at + Math.floor(at / 251)
  for (let at = 1000; at + 8 < length; at += 9973) bytes.write('\r\n--\r\n--a\r', at, 'latin1')
  return bytes
}

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex')

const header = (parameters, fields = '') =>
  `--b\r\nContent-Disposition: form-data; ${parameters}\r\n${fields}\r\n`
const FIELD = `${header('name="a"')}1\r\n`
const FILE = header('name="f"; filename="x.bin"')
const END = '--b--\r\n'
const TYPE = { 'Content-Type': 'multipart/form-data; boundary=b' }

/** The head of an upload of so many bytes. */
const post = (length) => request('POST /', { 'Content-Length': length, ...TYPE })

/** A request that never was on a wire, in chunks of some size. */
function formRequest(body, size = body.length) {
  const bytes = Buffer.from(body)
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) {
        controller.enqueue(new Uint8Array(bytes.subarray(at, at + size)))
      }
      controller.close()
    },
  })
  const init = { method: 'POST', headers: TYPE, body: stream, duplex: 'half' }
  return new Request('http://localhost/', init)
}

/** The form as data: fields by text, files by their bytes. */
async function collect(form) {
  const found = []
  for await (const part of form) {
    const { name, filename, type } = part
    if (part.isFile) found.push({ name, filename, type, bytes: await part.bytes() })
    else found.push({ name, text: await part.text() })
  }
  return found
}

async function failure(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  assert.fail('it should have failed')
}

/** Sends a body on a connection of its own and takes the answer. */
async function upload(server, body, head = post(Buffer.byteLength(body, 'latin1'))) {
  const client = await Client.connect(server)
  client.send(head).send(body)
  try {
    return await client.response('POST')
  } finally {
    client.destroy()
  }
}

/** A handler that collects the form and answers with it. */
const echo = (options) => async (incoming) => {
  const found = await collect(multipart(incoming, options))
  return Response.json(
    found.map((part) =>
      part.bytes === undefined
        ? part
        : { ...part, bytes: undefined, size: part.bytes.length, hash: hash(part.bytes) },
    ),
  )
}

describe('a form', () => {
  const large = pattern(20 * MIB + 17)
  const small = pattern(3)

  test('of large files and fields, streamed by fetch', async (t) => {
    const server = open(t, echo(), { maxBodySize: 0 })
    const form = new FormData()
    form.append('title', 'Übung\n1')
    form.append('file', new Blob([large], { type: 'image/png' }), 'größe "1".png')
    form.append('file', new Blob([small]), 'small')
    form.append('none', new Blob([]), 'empty')
    form.append('title', '')
    const answer = await fetch(server.url, { method: 'POST', body: form })
    const octets = 'application/octet-stream'
    assert.deepEqual(await answer.json(), [
      { name: 'title', text: 'Übung\r\n1' },
      {
        name: 'file',
        filename: 'größe "1".png',
        type: 'image/png',
        size: large.length,
        hash: hash(large),
      },
      { name: 'file', filename: 'small', type: octets, size: 3, hash: hash(small) },
      { name: 'none', filename: 'empty', type: octets, size: 0, hash: hash('') },
      { name: 'title', text: '' },
    ])
  })

  test('by curl', async (t) => {
    const server = open(t, echo(), { maxBodySize: 0 })
    const folder = mkdtempSync(join(tmpdir(), 'barewire-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'upload.bin')
    writeFileSync(path, large)
    for (const framing of [[], ['-H', 'Transfer-Encoding: chunked']]) {
      const { stdout } = await promisify(execFile)('curl', [
        ...['-sS', '--max-time', '10', ...framing, '-F', 'title=ä', '-F', `file=@${path}`],
        ...['-F', `second=@${path};filename=b.txt;type=text/plain`, server.url],
      ])
      const whole = { size: large.length, hash: hash(large) }
      const octets = 'application/octet-stream'
      assert.deepEqual(JSON.parse(stdout), [
        { name: 'title', text: 'ä' },
        { name: 'file', filename: 'upload.bin', type: octets, ...whole },
        { name: 'second', filename: 'b.txt', type: 'text/plain', ...whole },
      ])
    }
  })

  test('is the same in chunks of any size', async () => {
    const body = `${FIELD}${FILE}\r\n--\r\n${FIELD}${END}`
    const expected = [
      { name: 'a', text: '1' },
      {
        name: 'f',
        filename: 'x.bin',
        type: 'text/plain',
        bytes: new Uint8Array(Buffer.from('\r\n--')),
      },
      { name: 'a', text: '1' },
    ]
    for (let size = 1; size <= body.length; size++) {
      assert.deepEqual(await collect(multipart(formRequest(body, size))), expected, `${size}`)
    }
  })

  test('has parts with headers, a type, and a body as byte stream', async () => {
    const fields = 'Content-Type: Text/CSV; charset=latin1\r\nX-A: 1\r\nx-a: \xe4\r\n'
    const file = header('name="f"; filename="x"', fields)
    const form = multipart(formRequest(Buffer.from(`${file}123\r\n${FIELD}${END}`, 'latin1')))
    const { value: part } = await form.next()
    assert.ok(part.headers instanceof Headers)
    assert.equal(part.type, 'Text/CSV; charset=latin1')
    assert.equal(part.headers.get('X-A'), '1, \xe4')
    assert.throws(() => part.headers.set('a', 'b'), TypeError)
    assert.deepEqual([part.name, part.filename, part.isFile], ['f', 'x', true])
    const reader = part.body.getReader({ mode: 'byob' })
    const { value } = await reader.read(new Uint8Array(2))
    assert.equal(Buffer.from(value).toString(), '12')
    assert.equal(Buffer.from((await reader.read(new Uint8Array(2))).value).toString(), '3')
    assert.equal((await reader.read(new Uint8Array(2))).done, true)

    const { value: field } = await form.next()
    assert.deepEqual([field.name, field.filename, field.isFile], ['a', undefined, false])
    assert.equal(field.type, 'text/plain')
    assert.equal(await field.text(), '1')
    await assert.rejects(field.text(), TypeError)
    assert.deepEqual(await form.next(), { done: true, value: undefined })
  })

  test('can come by a request of the platform, or anything that looks like one', async () => {
    const form = new FormData()
    form.set('a', '1')
    const init = { method: 'POST', body: form }
    const found = [{ name: 'a', text: '1' }]
    const platform = new globalThis.Request('http://localhost/', init)
    assert.deepEqual(await collect(multipart(platform)), found)
    const { headers, body } = new globalThis.Response(form)
    assert.deepEqual(await collect(multipart({ headers, body })), found)
  })

  test('leaves its connection ready for the next request', async (t) => {
    const server = open(t, echo())
    const client = await Client.connect(server)
    const body = `${FIELD}${END}`
    client.send(post(body.length) + body).send(post(body.length) + body)
    const texts = (await client.responses(2, ['POST', 'POST'])).map(({ text }) => text)
    assert.deepEqual(texts, Array(2).fill('[{"name":"a","text":"1"}]'))
    client.destroy()
  })
})

describe('a part', () => {
  const body = `${FILE}123\r\n${FIELD}${END}`

  test('that was not read is skipped', async () => {
    const names = []
    for await (const { name } of multipart(formRequest(body, 7))) names.push(name)
    assert.deepEqual(names, ['f', 'a'])
  })

  test('that was read in part, or cancelled, is skipped from there', async () => {
    for (const size of [1, 5, body.length]) {
      for (const leave of [(reader) => reader.cancel(), (reader) => reader.releaseLock()]) {
        const form = multipart(formRequest(body, size))
        const { value: file } = await form.next()
        const reader = file.body.getReader()
        await reader.read()
        await leave(reader)
        const { value: field } = await form.next()
        assert.equal(await field.text(), '1')
      }
    }
  })

  test('can not be read when the next one was asked for', async () => {
    const form = multipart(formRequest(body))
    const { value: file } = await form.next()
    await form.next()
    assert.equal((await failure(file.bytes())).name, 'InvalidStateError')
  })

  test('that is being read when the next one is asked for is skipped, too', async () => {
    const gate = deferred()
    const pieces = [FILE, '1', '23', `\r\n${FIELD}${END}`]
    const stream = new ReadableStream(
      {
        async pull(controller) {
          if (pieces.length === 2) await gate.promise
          controller.enqueue(new Uint8Array(Buffer.from(pieces.shift())))
          if (pieces.length === 0) controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const form = multipart({ headers: new Headers(TYPE), body: stream })
    const { value: file } = await form.next()
    const reading = failure(file.bytes())
    await sleep(5)
    const next = form.next()
    gate.resolve()
    assert.equal((await reading).name, 'InvalidStateError')
    assert.equal(await (await next).value.text(), '1')
  })

  test('ends with the loop, which releases the stream', async () => {
    for (const leave of ['break', 'throw']) {
      let cancelled = 0
      const stream = new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(Buffer.from(`${FILE}12`))),
        cancel: () => {
          cancelled++
        },
      })
      let file
      const run = async () => {
        for await (const part of multipart({ headers: new Headers(TYPE), body: stream })) {
          file = part
          if (leave === 'break') break
          throw new Error('thrown')
        }
      }
      if (leave === 'break') await run()
      else assert.equal((await failure(run())).message, 'thrown')
      assert.equal(cancelled, 1)
      assert.equal(stream.locked, false)
      assert.equal((await failure(file.text())).name, 'InvalidStateError')
    }
  })
})

describe('nothing is read that is not asked for', () => {
  test('of a stream', async () => {
    let pulled = 0
    const pieces = [FILE, 'x'.repeat(100), 'y'.repeat(100), `\r\n${END}`]
    const stream = new ReadableStream(
      {
        pull(controller) {
          controller.enqueue(new Uint8Array(Buffer.from(pieces[pulled++])))
          if (pulled === pieces.length) controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const form = multipart({ headers: new Headers(TYPE), body: stream })
    assert.equal(pulled, 0)
    const { value: file } = await form.next()
    await sleep(5)
    assert.equal(pulled, 1)
    const reader = file.body.getReader()
    await sleep(5)
    assert.equal(pulled, 1)
    await reader.read()
    await sleep(5)
    assert.equal(pulled, 2)
    assert.equal((await form.next()).done, true)
    assert.equal(pulled, 4)
  })

  test('of a socket: a handler that does not read holds the upload', async (t) => {
    const size = 30 * MIB
    const file = pattern(size)
    const [begun, gate] = [deferred(), deferred()]
    const server = open(
      t,
      async (incoming) => {
        for await (const part of multipart(incoming)) {
          begun.resolve()
          await gate.promise
          return new Response(hash(await part.bytes()))
        }
      },
      { maxBodySize: 0 },
    )
    const body = Buffer.concat([Buffer.from(FILE), file, Buffer.from(`\r\n${END}`)])
    const client = await Client.connect(server)
    client.send(post(body.length)).send(body)
    await begun.promise
    await sleep(100)
    const { bytesReceived } = server.stats()
    assert.ok(bytesReceived < 4 * MIB, `${bytesReceived} of ${body.length} bytes`)
    assert.ok(client.socket.writableLength > 0, 'the client waits')
    gate.resolve()
    assert.equal((await client.response('POST', 5000)).text, hash(file))
    client.destroy()
  })
})

describe('an early answer', () => {
  test('to an upload whose loop was left reaches the client', async (t) => {
    const server = open(
      t,
      async (incoming) => {
        for await (const part of multipart(incoming)) return new Response(part.name)
      },
      { maxBodySize: 0 },
    )
    const client = await Client.connect(server)
    client.send(post(10 * MIB)).send(`${FILE}${'x'.repeat(100_000)}`)
    const answer = await client.response('POST')
    assert.deepEqual([answer.status, answer.text], [200, 'f'])
    assert.equal(answer.get('connection'), 'close')
    client.destroy()
    await until('all is free', () => server.stats().bufferedBytes === 0)
  })
})

describe('a limit', () => {
  const file = (size) => `${FILE}${'x'.repeat(size)}\r\n${END}`
  const field = (size) => `${header('name="a"')}${'x'.repeat(size)}\r\n${END}`
  const fields = (count) => FIELD.repeat(count) + END

  const rows = [
    ['maxParts', { maxParts: 3 }, fields(3), fields(4), 'The form has more than 3 parts.'],
    ['maxParts, by default', {}, fields(1000), fields(1001), 'The form has more than 1000 parts.'],
    [
      'maxFieldSize',
      { maxFieldSize: 10, maxFileSize: 1 },
      field(10),
      field(11),
      'A field of the form has more than 10 bytes.',
    ],
    [
      'maxFieldSize, by default',
      {},
      field(MIB),
      field(MIB + 1),
      'A field of the form has more than 1048576 bytes.',
    ],
    [
      'maxFileSize',
      { maxFileSize: 10, maxFieldSize: 1 },
      file(10),
      file(11),
      'A file of the form has more than 10 bytes.',
    ],
    [
      'the size of a header',
      {},
      `${header('name="a"', `X: ${'x'.repeat(16_000)}\r\n`)}\r\n${END}`,
      header('name="a"', `X: ${'x'.repeat(17_000)}\r\n`),
      'The header of a part is too large.',
    ],
    [
      'the bytes around the parts',
      {},
      `${' '.repeat(16_000)}\r\n${END}`,
      `${' '.repeat(17_000)}\r\n${END}`,
      'The multipart body has too many bytes outside of its parts.',
    ],
  ]
  for (const [name, options, within, above, text] of rows) {
    test(`${name}: 413 above it`, async (t) => {
      const server = open(t, echo(options))
      assert.equal((await upload(server, within)).status, 200)
      const answer = await upload(server, above)
      assert.deepEqual([answer.status, answer.text], [413, `${text}\n`])
    })
  }

  test('counts what is skipped, too', async () => {
    const form = multipart(formRequest(file(11), 30), { maxFileSize: 10 })
    await form.next()
    const error = await failure(form.next())
    assert.deepEqual([error.code, error.status], ['ERR_BAREWIRE_LIMIT', 413])
  })

  test('of 0 is off', async () => {
    const off = { maxParts: 0, maxFieldSize: 0, maxFileSize: 0 }
    assert.equal((await collect(multipart(formRequest(fields(1500)), off))).length, 1500)
    assert.equal((await collect(multipart(formRequest(field(2 * MIB)), off))).length, 1)
  })

  test('of the server counts the whole body', async (t) => {
    const errors = []
    const server = open(t, echo(), {
      maxBodySize: 100_000,
      error: (error) => void errors.push(error.name),
    })
    const client = await Client.connect(server)
    const head = request('POST /', { 'Transfer-Encoding': 'chunked', ...TYPE })
    const piece = `${FILE}${'x'.repeat(150_000)}`
    client.send(`${head}${piece.length.toString(16)}\r\n${piece}\r\n`)
    assert.equal((await client.response('POST')).status, 413)
    client.destroy()
  })
})

describe('a form that is wrong', () => {
  const rows = [
    ['cut short', `${FIELD}${FILE}123`, 'The multipart body ends before its last boundary.'],
    ['no form', 'a=1', 'The multipart body ends before its last boundary.'],
    ['no header', '--b\r\n1\r\n\r\n--b--', 'A header field of a part is malformed.'],
    ['no name', '--b\r\nX: y\r\n\r\n', 'A part has no valid Content-Disposition of form-data.'],
    ['another boundary', `${FIELD}--bc--`, 'A boundary line of the multipart body is malformed.'],
  ]
  for (const [name, body, text] of rows) {
    test(`is 400: ${name}`, async (t) => {
      const server = open(t, echo())
      const answer = await upload(server, body)
      assert.deepEqual([answer.status, answer.text], [400, `${text}\n`])
      assert.match(answer.get('content-type'), /^text\/plain/)
    })
  }

  for (const [type, status, text] of [
    ['text/plain', 415, 'The body has to be multipart/form-data.'],
    ['multipart/mixed; boundary=b', 415, 'The body has to be multipart/form-data.'],
    ['nonsense', 415, 'The body has to be multipart/form-data.'],
    ['multipart/form-data', 400, 'The boundary of the multipart body is missing or malformed.'],
    [
      `multipart/form-data; boundary=${'b'.repeat(71)}`,
      400,
      'The boundary of the multipart body is missing or malformed.',
    ],
  ]) {
    test(`is ${status}: the type ${type.slice(0, 40)}`, async (t) => {
      const server = open(t, echo())
      const body = `${FIELD}${END}`
      const head = request('POST /', { 'Content-Length': body.length, 'Content-Type': type })
      const answer = await upload(server, body, head)
      assert.deepEqual([answer.status, answer.text], [status, `${text}\n`])
    })
  }

  test('is 415 without a type, 400 without a body', async (t) => {
    const server = open(t, echo())
    assert.equal((await upload(server, '', request('POST /'))).status, 415)
    assert.equal((await upload(server, '', request('POST /', TYPE))).status, 400)
    assert.equal((await upload(server, '', request('GET /', TYPE))).status, 400)
  })

  test('goes to the error option first, which may answer', async (t) => {
    const errors = []
    const server = open(t, echo(), {
      error(error) {
        errors.push([error.name, error.code, error.status])
        if (error.status === 400) return new Response('mine', { status: 422 })
      },
    })
    const own = await upload(server, FIELD)
    assert.deepEqual([own.status, own.text], [422, 'mine'])
    assert.equal((await upload(server, FIELD.repeat(1001) + END)).status, 413)
    assert.deepEqual(errors, [
      ['BarewireError', 'ERR_BAREWIRE_MULTIPART', 400],
      ['BarewireError', 'ERR_BAREWIRE_LIMIT', 413],
    ])
  })

  test('is no warning of the process, and its answer is the same in development', async (t) => {
    const warnings = []
    const onWarning = (warning) => warnings.push(warning)
    process.on('warning', onWarning)
    t.after(() => process.off('warning', onWarning))
    const server = open(t, echo(), { development: true })
    const answer = await upload(server, FIELD)
    assert.equal(answer.text, 'The multipart body ends before its last boundary.\n')
    const inMemory = await server.fetch('/', { method: 'POST', headers: TYPE, body: FIELD })
    assert.equal(inMemory.status, 400)
    await sleep(5)
    assert.deepEqual(warnings, [])
  })

  test('says so to the reader of a part and to the loop, as often as they ask', async () => {
    const form = multipart(formRequest(`${FILE}123`, 10))
    const { value: file } = await form.next()
    const error = await failure(file.text())
    assert.equal(error.code, 'ERR_BAREWIRE_MULTIPART')
    assert.equal(await failure(form.next()), error)
  })
})

describe('a form that gets lost', () => {
  test('rejects when the client leaves', async (t) => {
    const [begun, lost] = [deferred(), deferred()]
    const server = open(t, async (incoming) => {
      const form = multipart(incoming)
      const { value: file } = await form.next()
      begun.resolve()
      lost.resolve(await failure(file.bytes()))
      return new Response()
    })
    const client = await Client.connect(server)
    client.send(post(10 * MIB - 1)).send(`${FILE}${'x'.repeat(100_000)}`)
    await begun.promise
    client.reset()
    assert.equal((await lost.promise).name, 'AbortError')
  })
})

describe('multipart() throws', () => {
  const body = `${FIELD}${END}`
  const throwing = (options, code, message) => {
    assert.throws(() => multipart(formRequest(body), options), { code, message })
  }

  test('for an option that there is not, naming the nearest', () => {
    throwing({ maxPart: 1 }, 'ERR_BAREWIRE_UNKNOWN_OPTION', /did you mean maxParts\?/)
    throwing({ limits: {} }, 'ERR_BAREWIRE_UNKNOWN_OPTION', /maxParts, maxFieldSize, maxFileSize$/)
  })

  test('for an option of a wrong type or out of range', () => {
    for (const value of [-1, 1.5, '1', null, Number.NaN, Infinity]) {
      throwing({ maxFileSize: value }, 'ERR_BAREWIRE_OPTION', /^maxFileSize must be an integer/)
    }
    throwing([], 'ERR_BAREWIRE_OPTION', /^options must be a plain object/)
    throwing(null, 'ERR_BAREWIRE_OPTION', /^options must be a plain object/)
  })

  test('for a body that was read or is locked', async () => {
    const read = formRequest(body)
    await read.text()
    assert.throws(() => multipart(read), TypeError)
    const locked = formRequest(body)
    locked.body.getReader()
    assert.throws(() => multipart(locked), TypeError)
  })

  test('later, for a stream of something else than bytes', async () => {
    const stream = new ReadableStream({ start: (controller) => controller.enqueue('text') })
    const form = multipart({ headers: new Headers(TYPE), body: stream })
    assert.ok((await failure(form.next())) instanceof TypeError)
  })
})
