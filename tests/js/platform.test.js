import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { Headers } from '../../lib/headers.js'
import { fetch, toPlatform } from '../../lib/platform.js'
import { Request } from '../../lib/request.js'
import { Response } from '../../lib/response.js'
import { incoming, nativeBody } from './incoming.js'

const Platform = {
  Headers: globalThis.Headers,
  Request: globalThis.Request,
  Response: globalThis.Response,
}
const CLASSES = { Headers, Request, Response }
const post = () =>
  incoming(['POST /a?b HTTP/1.1', 'Host: h', 'X-A: 1', 'Content-Type: text/x'], {
    body: nativeBody('abc'),
  })

/** A server that says what it was sent. */
const echo = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const { method, url, headers } = request
    const body = Buffer.concat(chunks).toString()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ method, url, headers, body }))
  })
})
let base = ''
before(async () => {
  await new Promise((resolve) => echo.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${echo.address().port}`
})
after(() => echo.close())

test('importing the classes replaces nothing global', () => {
  for (const name of Object.keys(CLASSES)) {
    assert.equal(globalThis[name], Platform[name])
    assert.notEqual(CLASSES[name], Platform[name])
  }
})

test("ours are instances of the platform's classes, not the other way round", () => {
  assert.ok(new Headers() instanceof Platform.Headers)
  assert.ok(post() instanceof Platform.Request)
  assert.ok(new Response() instanceof Platform.Response)
  assert.equal(new Platform.Response() instanceof Response, false)
})

test("no member of the platform's prototypes is left to throw on our objects", () => {
  for (const [name, Class] of Object.entries(CLASSES)) {
    const theirs = Object.getOwnPropertyDescriptors(Platform[name].prototype)
    for (const [key, descriptor] of Object.entries(theirs)) {
      if (!descriptor.get && typeof descriptor.value !== 'function') continue
      assert.ok(Object.hasOwn(Class.prototype, key), `${name}.prototype.${key}`)
    }
  }
})

test("the platform's constructors take our headers", () => {
  const headers = new Headers([
    ['a', 'b'],
    ['set-cookie', 'c'],
    ['set-cookie', 'd'],
  ])
  assert.deepEqual([...new Platform.Headers(headers)], [...headers])
  assert.deepEqual(new Platform.Response('', { headers }).headers.getSetCookie(), ['c', 'd'])
  const { headers: incomingHeaders } = post()
  assert.equal(new Platform.Headers(incomingHeaders).get('x-a'), '1')
})

test("the platform's Request takes ours as its init, with every member", async () => {
  const controller = new AbortController()
  const init = { cache: 'no-store', credentials: 'omit', redirect: 'manual', mode: 'same-origin' }
  const made = new Request('http://h/', { ...init, signal: controller.signal, referrer: '' })
  const copy = new Platform.Request(made.url, made)
  for (const [name, value] of Object.entries(init)) assert.equal(copy[name], value)
  assert.equal(copy.referrer, '')
  controller.abort('why')
  assert.equal(copy.signal.reason, 'why')
  const request = post()
  const second = new Platform.Request(request.url, request)
  assert.deepEqual([second.method, second.headers.get('x-a')], ['POST', '1'])
  assert.equal(await second.text(), 'abc')
  assert.equal(request.bodyUsed, true)
})

test("the platform's Response takes our body and our response as its init", async () => {
  const ours = Response.json([1], { status: 201, headers: { a: 'b' } })
  const theirs = new Platform.Response(ours.body, ours)
  assert.deepEqual([theirs.status, theirs.headers.get('a'), await theirs.json()], [201, 'b', [1]])
  assert.equal(ours.bodyUsed, true)
})

test("our constructors take the platform's objects", async () => {
  const request = new Platform.Request('http://h/a', {
    method: 'PUT',
    body: 'abc',
    headers: { a: 'b' },
    redirect: 'error',
  })
  const copy = new Request(request)
  assert.deepEqual([copy.method, copy.url, copy.redirect], ['PUT', 'http://h/a', 'error'])
  assert.equal(copy.headers.get('a'), 'b')
  assert.equal(request.body.locked, true)
  assert.equal(await copy.text(), 'abc')
  assert.equal(request.bodyUsed, true)
  assert.throws(() => new Request(request), TypeError)
  const response = new Platform.Response('abc', { status: 201, headers: { a: 'b' } })
  const second = new Response(response.body, response)
  assert.deepEqual([second.status, second.headers.get('a')], [201, 'b'])
  assert.equal(await second.text(), 'abc')
  assert.deepEqual([...new Headers(new Platform.Headers({ a: 'b' }))], [['a', 'b']])
})

test("our Request follows the signal of the platform's", () => {
  const controller = new AbortController()
  const copy = new Request(new Platform.Request('http://h/', { signal: controller.signal }))
  controller.abort('why')
  assert.equal(copy.signal.reason, 'why')
})

test('toPlatform gives a request with the same members and takes the body', async () => {
  const request = post()
  const theirs = toPlatform(request)
  assert.equal(new Platform.Request(theirs).url, 'http://h/a?b')
  const again = toPlatform(post())
  assert.deepEqual([again.method, again.headers.get('x-a')], ['POST', '1'])
  assert.equal(again.headers.get('content-type'), 'text/x')
  assert.equal(await again.text(), 'abc')
  assert.equal(request.bodyUsed, true)
  assert.throws(() => toPlatform(request), TypeError)
  const settings = { cache: 'no-store', redirect: 'manual', referrer: 'http://r/', integrity: 'x' }
  const full = toPlatform(new Request('http://h/', settings))
  for (const [name, value] of Object.entries(settings)) assert.equal(full[name], value)
})

test('toPlatform gives a response over each kind of body', async () => {
  async function* parts() {
    yield 'abc'
  }
  const bodies = ['abc', Buffer.from('abc'), new Blob(['abc']), new Blob(['abc']).stream(), parts()]
  for (const body of bodies) {
    const ours = new Response(body, { status: 201, statusText: 'x', headers: { a: 'b' } })
    const theirs = toPlatform(ours)
    assert.deepEqual([theirs.status, theirs.statusText, theirs.headers.get('a')], [201, 'x', 'b'])
    assert.equal(await theirs.clone().text(), 'abc')
    assert.throws(() => toPlatform(ours), TypeError)
  }
  assert.equal(toPlatform(new Response(null, { status: 204 })).body, null)
  assert.equal(toPlatform(Response.error()).type, 'error')
  assert.equal(toPlatform(Response.redirect('http://h/')).headers.get('location'), 'http://h/')
})

test("toPlatform leaves the platform's objects and refuses others", () => {
  const request = new Platform.Request('http://h/')
  assert.equal(toPlatform(request), request)
  assert.throws(() => toPlatform({}), TypeError)
})

test('fetch takes our requests, and sends a buffered body with its length', async () => {
  const ours = new Request(`${base}/a`, { method: 'POST', body: 'é', headers: { 'x-a': 'b' } })
  const seen = await (await fetch(ours)).json()
  assert.deepEqual([seen.method, seen.url, seen.body], ['POST', '/a', 'é'])
  assert.equal(seen.headers['x-a'], 'b')
  assert.equal(seen.headers['content-length'], '2')
  assert.equal(ours.bodyUsed, true)
  await assert.rejects(fetch(ours), TypeError)
})

test('fetch takes an incoming request that is sent on to another place', async () => {
  const request = post()
  const seen = await (await fetch(new Request(`${base}/next`, request))).json()
  assert.deepEqual([seen.method, seen.url, seen.body], ['POST', '/next', 'abc'])
})

test("fetch takes URLs and the platform's requests as ever", async () => {
  assert.equal((await (await fetch(`${base}/u`)).json()).url, '/u')
  assert.equal((await (await fetch(new URL(`${base}/o`))).json()).url, '/o')
  const request = new Platform.Request(`${base}/p`)
  assert.equal((await (await fetch(request, { method: 'PUT' })).json()).method, 'PUT')
  await assert.rejects(fetch(), TypeError)
})

test('an aborted signal of our request aborts its fetch', async () => {
  const request = new Request(base, { signal: AbortSignal.abort(new RangeError('mine')) })
  await assert.rejects(fetch(request), { message: 'mine' })
})

test("barewire/globals replaces the classes, and the platform's objects stay instances", () => {
  const source = `
    import assert from 'node:assert/strict'
    const Old = { Headers, Request, Response, fetch }
    await import(${JSON.stringify(import.meta.resolve('barewire/globals'))})
    const barewire = await import(${JSON.stringify(import.meta.resolve('barewire'))})
    for (const name of Object.keys(Old)) {
      assert.notEqual(globalThis[name], Old[name], name)
      assert.equal(globalThis[name], barewire[name], name)
    }
    assert.ok(new Old.Response() instanceof Response)
    assert.ok(new Old.Request('http://h/') instanceof Request)
    assert.ok(new Old.Headers() instanceof Headers)
    assert.ok(new Response() instanceof Old.Response)
    assert.equal({} instanceof Response, false)
    assert.equal(new Old.Headers() instanceof Response, false)
    class Mine extends Response {}
    assert.ok(new Mine() instanceof Mine)
    assert.equal(new Response() instanceof Mine, false)
    const result = await fetch('data:text/plain,abc')
    assert.ok(result instanceof Response)
    assert.equal(await new Response(result.body, result).text(), 'abc')
    assert.equal(await (await fetch(new Request('data:text/plain,abc'))).text(), 'abc')
    assert.equal(Object.keys(globalThis).includes('Response'), false)
  `
  execFileSync(process.execPath, ['--input-type=module', '-e', source])
})
