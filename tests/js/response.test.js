import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { Headers } from '../../lib/headers.js'
import { fromForeignResponse, isResponse, prepare, Response } from '../../lib/response.js'
import { incoming, nativeBody } from './incoming.js'

const TEXT = 'content-type\0text/plain;charset=UTF-8\0'
const JSON_TYPE = 'content-type\0application/json\0'

/** The parts for the wire, in an object of their own. */
/** What goes on the wire. */
function parts(response) {
  const { status, block, body } = prepare(response)
  return { status, block, body }
}

/** The text of a stream, which has to be one. */
async function textOf(stream) {
  assert.ok(stream instanceof ReadableStream)
  return new globalThis.Response(stream).text()
}

test('the usual shapes become status, header block and body', () => {
  const cases = [
    [new Response(), { status: 200, block: '', body: null }],
    [new Response(null, { status: 404 }), { status: 404, block: '', body: null }],
    [new Response('a'), { status: 200, block: TEXT, body: 'a' }],
    [new Response(''), { status: 200, block: TEXT, body: '' }],
    [Response.json({ a: 1 }), { status: 200, block: JSON_TYPE, body: '{"a":1}' }],
    [Response.json(1, { status: 201 }), { status: 201, block: JSON_TYPE, body: '1' }],
    [Response.redirect('http://a/b'), { status: 302, block: 'location\0http://a/b\0', body: null }],
    [
      new Response(new URLSearchParams('a=b')),
      {
        status: 200,
        block: 'content-type\0application/x-www-form-urlencoded;charset=UTF-8\0',
        body: 'a=b',
      },
    ],
  ]
  for (const [response, expected] of cases) assert.deepEqual(parts(response), expected)
})

test('the content-type that the body implies stands behind the given headers, unless they have one', () => {
  const block = (headers) => parts(new Response('a', { headers })).block
  assert.equal(block({ 'X-A': ' b ' }), `x-a\0b\0${TEXT}`)
  assert.equal(block({ 'Content-Type': 'a/b', 'X-A': 'b' }), 'content-type\0a/b\0x-a\0b\0')
  assert.equal(block({ vary: 'content-type' }), `vary\0content-type\0${TEXT}`)
  assert.equal(
    block([
      ['x-a', 'b'],
      ['X-A', 'c'],
    ]),
    `x-a\0b\0x-a\0c\0${TEXT}`,
  )
  assert.equal(block(new Headers({ 'content-type': 'a/b' })), 'content-type\0a/b\0')
  assert.equal(block(new globalThis.Headers({ a: 'b' })), `a\0b\0${TEXT}`)
  assert.equal(block({}), TEXT)
  const json = Response.json(1, { headers: { 'content-type': 'application/problem+json' } })
  assert.equal(parts(json).block, 'content-type\0application/problem+json\0')
})

test('headers that were changed after construction are the ones that are sent', () => {
  const response = new Response('a', { headers: { a: 'b' } })
  response.headers.append('Set-Cookie', 'c=1')
  response.headers.append('set-cookie', 'd=2')
  response.headers.delete('a')
  assert.equal(parts(response).block, `${TEXT}set-cookie\0c=1\0set-cookie\0d=2\0`)
})

test('bytes are a copy of what was given', () => {
  const mine = Uint8Array.of(1, 2, 3)
  const response = new Response(mine.subarray(1))
  mine.fill(9)
  assert.deepEqual([...parts(response).body], [2, 3])
  assert.deepEqual([...parts(new Response(Uint8Array.of(1, 2).buffer)).body], [1, 2])
})

test('buffers and bytes of another realm are bytes', async () => {
  const buffer = runInNewContext('Uint8Array.of(1, 2, 3).buffer')
  const view = runInNewContext('Uint8Array.of(1, 2, 3).subarray(1)')
  assert.deepEqual([...parts(new Response(buffer)).body], [1, 2, 3])
  assert.deepEqual([...parts(new Response(view)).body], [2, 3])
  async function* both() {
    yield buffer
    yield view
  }
  assert.deepEqual([...(await new Response(both()).bytes())], [1, 2, 3, 2, 3])
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(view)
      controller.close()
    },
  })
  assert.deepEqual([...(await new Response(stream).bytes())], [2, 3])
})

test('blobs and forms are streams, with their content-type and a length that is known', async () => {
  const blob = parts(new Response(new Blob(['abc'], { type: 'a/b' })))
  assert.equal(blob.block, 'content-type\0a/b\0content-length\x003\0')
  assert.equal(await textOf(blob.body), 'abc')
  const form = new FormData()
  form.set('a', 'b')
  const { block, body } = parts(new Response(form))
  const [, boundary] = /^content-type\0multipart\/form-data; boundary=(.+)\0$/.exec(block)
  assert.ok((await textOf(body)).startsWith(`--${boundary}\r\n`))
})

test('a response is used once; one without a body as often as you like', async () => {
  const response = new Response('a')
  prepare(response)
  assert.equal(response.bodyUsed, true)
  assert.throws(() => prepare(response), TypeError)
  await assert.rejects(response.text(), TypeError)
  const empty = new Response(null, { status: 204 })
  prepare(empty)
  assert.equal(parts(empty).status, 204)
  const read = new Response('a')
  await read.text()
  assert.throws(() => prepare(read), TypeError)
})

test('a response whose stream is locked or read from cannot be sent', async () => {
  const locked = new Response('a')
  locked.body.getReader()
  assert.throws(() => prepare(locked), TypeError)
  const read = new Response('a')
  const reader = read.body.getReader()
  await reader.read()
  reader.releaseLock()
  assert.throws(() => prepare(read), TypeError)
})

test('a response whose stream was only looked at is still text', () => {
  const response = new Response('a')
  const { body } = response
  assert.equal(parts(response).body, 'a')
  assert.equal(body.locked, true)
})

test('a response over the body of another finds its text or bytes again', async () => {
  const first = new Response('a', { headers: { a: 'b' } })
  const second = new Response(first.body, first)
  second.headers.set('c', 'd')
  assert.deepEqual(parts(second), { status: 200, block: `a\0b\0${TEXT}c\0d\0`, body: 'a' })
  assert.equal(first.bodyUsed, true)
  await assert.rejects(first.text(), TypeError)
})

test('a response over the body of an incoming request sends its bytes', () => {
  const body = nativeBody('abc')
  const request = incoming(['POST / HTTP/1.1'], { body })
  assert.deepEqual([...parts(new Response(request.body)).body], [97, 98, 99])
  assert.equal(request.bodyUsed, true)
  assert.equal(body.taken, 1)
})

test('clones are sent each for itself', () => {
  const first = Response.json({ a: 1 }, { status: 201, headers: { b: 'c' } })
  const second = first.clone()
  first.headers.set('b', 'd')
  assert.equal(parts(first).block, `b\0d\0${JSON_TYPE}`)
  assert.deepEqual(parts(second), { status: 201, block: `b\0c\0${JSON_TYPE}`, body: '{"a":1}' })
})

test('a stream is sent as it is, an async iterable as a stream', async () => {
  const stream = new ReadableStream()
  const response = new Response(stream)
  assert.deepEqual(parts(response), { status: 200, block: '', body: stream })
  assert.equal(response.bodyUsed, true)
  async function* letters() {
    yield 'a'
    yield 'b'
  }
  assert.equal(await textOf(parts(new Response(letters())).body), 'ab')
})

test('an error response cannot be sent', () => {
  assert.throws(() => prepare(Response.error()), { name: 'TypeError', message: /Response\.error/ })
})

test('an async iterable gives text and bytes, empty chunks and all', async () => {
  async function* parts() {
    yield 'é'
    yield ''
    yield new Uint8Array(0)
    yield new Uint16Array([0x6261]).buffer
    yield new DataView(Uint8Array.of(0, 99).buffer, 1)
  }
  assert.equal(await new Response(parts()).text(), 'éabc')
  async function* wrong() {
    yield 5
  }
  await assert.rejects(new Response(wrong()).text(), TypeError)
})

test('cancelling the stream of an async iterable ends it', async () => {
  let ended = false
  async function* parts() {
    try {
      yield 'a'
      yield 'b'
    } finally {
      ended = true
    }
  }
  const reader = new Response(parts()).body.getReader()
  await reader.read()
  await reader.cancel()
  assert.equal(ended, true)
})

test('textStream decodes, and refuses a used body', async () => {
  const chunks = []
  for await (const chunk of new Response('\ufeffé').textStream()) chunks.push(chunk)
  assert.equal(chunks.join(''), 'é')
  for await (const _ of new Response(null).textStream()) assert.fail('a null body has no chunk')
  const used = new Response('a')
  await used.text()
  assert.throws(() => used.textStream(), TypeError)
})

test('only our own objects are Responses of ours', () => {
  class Mine extends Response {}
  assert.equal(isResponse(new Response()), true)
  assert.equal(isResponse(new Mine('a')), true)
  for (const value of [
    new globalThis.Response(),
    Object.create(Response.prototype),
    {},
    null,
    'a',
  ]) {
    assert.equal(isResponse(value), false)
  }
})

test("the platform's response becomes ours", async () => {
  const foreign = new globalThis.Response('é', {
    status: 201,
    headers: [
      ['a', 'b'],
      ['set-cookie', 'c'],
    ],
  })
  foreign.headers.append('set-cookie', 'd')
  const { status, block, body } = parts(fromForeignResponse(foreign))
  assert.equal(status, 201)
  assert.equal(block, `a\0b\0${TEXT}set-cookie\0c\0set-cookie\0d\0`)
  assert.equal(await textOf(body), 'é')
  assert.equal(foreign.bodyUsed, true)
  assert.equal(
    parts(fromForeignResponse(new globalThis.Response(null, { status: 204 }))).body,
    null,
  )
})

test('a response of the same shape, without prototype, becomes ours', async () => {
  const foreign = {
    status: 200,
    headers: new Map([['a', 'b']]),
    arrayBuffer: async () => Uint8Array.of(97).buffer,
  }
  const response = fromForeignResponse(foreign)
  assert.equal(response.headers.get('a'), 'b')
  assert.equal(await response.text(), 'a')
  for (const body of [undefined, 'of another kind']) {
    const { body: stream } = parts(fromForeignResponse({ ...foreign, body }))
    assert.equal(await textOf(stream), 'a', 'no body that is a stream: it is read as a whole')
  }
})

test('an answer that is prepared while another one is does not mix with it', () => {
  const foreign = {
    status: 201,
    headers: new Map([['a', 'b']]),
    arrayBuffer: async () => new ArrayBuffer(0),
    get body() {
      prepare(new Response('other', { status: 404 }))
      return new ReadableStream()
    },
  }
  const { status, block, body } = prepare(fromForeignResponse(foreign))
  assert.deepEqual([status, block], [201, 'a\0b\0'])
  assert.ok(body instanceof ReadableStream)
})

test('what is no response is none, and one that cannot be sent is an error', async () => {
  const bytes = async () => new ArrayBuffer(0)
  const values = [undefined, null, 'a', 5, {}, () => {}, { status: 200 }, new Blob(['a'])]
  values.push({ status: 200, headers: {}, arrayBuffer: bytes })
  values.push({ status: '200', headers: new Map(), arrayBuffer: bytes })
  for (const value of values) assert.equal(fromForeignResponse(value), undefined)
  const used = new globalThis.Response('a')
  await used.text()
  assert.throws(() => fromForeignResponse(used), TypeError)
  assert.throws(() => fromForeignResponse(globalThis.Response.error()), RangeError)
})

test("a body of the platform's response that was looked at is still read", async () => {
  const response = fromForeignResponse(new globalThis.Response('abc'))
  assert.ok(response.body)
  const copy = response.clone()
  assert.equal(await response.text(), 'abc')
  assert.equal(await textOf(parts(copy).body), 'abc')
})

test('console.log shows status and headers', () => {
  assert.match(inspect(new Response('a', { status: 201 })), /^Response \{\n {2}status: 201,/)
})
