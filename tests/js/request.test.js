import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { abortRequest, detachBody, Request } from '../../lib/request.js'
import { incoming, nativeBody } from './incoming.js'

const get = (target, host, origin) =>
  incoming([`GET ${target} HTTP/1.1`, ...(host === undefined ? [] : [`Host: ${host}`])], { origin })
const post = (body) => incoming(['POST /a HTTP/1.1', 'Host: h', 'Content-Type: text/x'], { body })

test('method, url and target are cut from the head', () => {
  const request = get('/a/b?c=d', 'example.com:8080')
  assert.equal(request.method, 'GET')
  assert.equal(request.url, 'http://example.com:8080/a/b?c=d')
  assert.equal(request.rawTarget, '/a/b?c=d')
})

test('a method that the table of methods does not name is cut from the head as it was sent', () => {
  assert.equal(incoming(['PROPFIND / HTTP/1.1', 'Host: h'], { method: '' }).method, 'PROPFIND')
  assert.equal(incoming(['get / HTTP/1.1', 'Host: h'], { method: '' }).method, 'get')
})

test('raw headers keep order and case', () => {
  const request = incoming(['GET / HTTP/1.1', 'hOST: h', 'X-B: 1', 'x-a:  2 ', 'X-B: 3'])
  const pairs = [
    ['hOST', 'h'],
    ['X-B', '1'],
    ['x-a', '2'],
    ['X-B', '3'],
  ]
  assert.deepEqual(request.rawHeaders, pairs)
  assert.deepEqual(request.clone().rawHeaders, pairs)
})

test('a request made in JavaScript has a raw target and raw headers, too', () => {
  const request = new Request('http://h/a?b#c', { headers: { B: '1', A: '2' } })
  assert.equal(request.rawTarget, '/a?b')
  assert.deepEqual(request.rawHeaders, [
    ['a', '2'],
    ['b', '1'],
  ])
})

test('the url is in the form of the URL parser while the raw target stays', () => {
  const cases = [
    ['/', 'EXAMPLE.com:80', 'http://example.com/'],
    ['/a/../b', 'h', 'http://h/b'],
    ['/a/%2e%2E/b', 'h', 'http://h/b'],
    ['/a/.', 'h', 'http://h/a/'],
    ['/.well-known/x', 'h', 'http://h/.well-known/x'],
    ['//evil.example/x', 'h', 'http://h//evil.example/x'],
    ['/a\\..\\b', 'h', 'http://h/b'],
    ['/a"<>`{}', 'h', 'http://h/a%22%3C%3E%60%7B%7D'],
    ["/a?b='c'", 'h', 'http://h/a?b=%27c%27'],
    ['/a?../..', 'h', 'http://h/a?../..'],
    ['/a%2fb', 'h', 'http://h/a%2fb'],
    ['/', '0x7f.1', 'http://127.0.0.1/'],
    ['/', '1.2', 'http://1.0.0.2/'],
    ['/', '[::1]:3000', 'http://[::1]:3000/'],
    ['/', '[0:0::1]', 'http://[::1]/'],
    ['/', 'h:', 'http://h/'],
  ]
  for (const [target, host, url] of cases) {
    const request = get(target, host)
    assert.equal(request.url, url)
    assert.equal(request.rawTarget, target)
  }
})

test('a Host that makes no URL gives way to the authority of the server', () => {
  const hosts = [
    undefined,
    '',
    'evil.example/admin?',
    'user@evil.example',
    'a b',
    'h:99999',
    'h:port',
    '999.1.1.1',
    '[::1',
    'h#f',
    'h?q',
    'h\\x',
    'caf\xe9',
    'a\tb',
    '%2f',
    'xn--a-ä',
    'a,b:c',
  ]
  for (const host of hosts) assert.equal(get('/x', host).url, 'http://localhost:3000/x', host)
})

test('the scheme is the one of the connection', () => {
  const origin = { scheme: 'https', authority: 'localhost:443' }
  assert.equal(get('/', 'h:443', origin).url, 'https://h/')
  assert.equal(get('/', 'h:80', origin).url, 'https://h:80/')
  assert.equal(get('/', 'h:443').url, 'http://h:443/')
  assert.equal(get('/', undefined, origin).url, 'https://localhost/')
})

test('an absolute target has its own authority, path and query, but no say in the scheme', () => {
  const cases = {
    'http://a.example/b?c': 'http://a.example/b?c',
    'https://A.example:443/': 'http://a.example:443/',
    'http://a.example': 'http://a.example/',
    'http://a.example?b/c': 'http://a.example/?b/c',
    'ftp://a.example/b/../c': 'http://a.example/c',
    'http://user@a.example/b': 'http://localhost:3000/b',
    'http:///b': 'http://localhost:3000/b',
    'urn:b': 'http://localhost:3000/',
  }
  for (const [target, url] of Object.entries(cases)) {
    const request = get(target, 'other.example')
    assert.equal(request.url, url)
    assert.equal(request.rawTarget, target)
  }
})

test('an asterisk is the root of the authority', () => {
  const request = incoming(['OPTIONS * HTTP/1.1', 'Host: example.com'])
  assert.equal(request.url, 'http://example.com/')
  assert.equal(request.rawTarget, '*')
})

test('the first Host line decides, wherever it stands', () => {
  const request = incoming(['GET / HTTP/1.1', 'X-Host: a', 'Hos: b', 'hosT: c', 'Host: d'])
  assert.equal(request.url, 'http://c/')
})

test('the scan and the URL parser agree on thousands of hosts and targets', () => {
  const random = randomNumbers(20240607)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const some = (parts, most) => {
    let text = ''
    for (let left = Math.floor(random() * (most + 1)); left > 0; left--) text += pick(parts)
    return text
  }
  const hostParts = [
    ...[
      'a',
      'Z',
      'example',
      '.',
      '.',
      '-',
      '--',
      '_',
      '0',
      '1',
      '255',
      '256',
      '0x7f',
      '08',
      'xn--',
    ],
    ...['xn--maana-pta', '%41', '%2e', '%', '*', '~', '!', "'", '(', ';', '=', ',', '+', '$', '&'],
  ]
  const ports = ['', '', '', ':', ':80', ':443', ':0', ':00080', ':3000', ':65535']
  const ipv6 = ['[::1]', '[::]', '[FE80::1]', '[::ffff:1.2.3.4]', '[1:2:3:4:5:6:7:8]', '[0:0:0::2]']
  const targetParts = [
    ...[
      '/',
      '/',
      '/',
      'a',
      'B',
      '0',
      '.',
      '..',
      '...',
      '%2e',
      '%2E',
      '%2',
      '%',
      '%25',
      '%20',
      '%zz',
    ],
    ...[
      '\\',
      '^',
      '|',
      '"',
      '<',
      '>',
      '{',
      '}',
      '`',
      "'",
      '[',
      ']',
      '@',
      ':',
      ';',
      '=',
      '&',
      '+',
      ',',
    ],
    ...['!', '$', '(', ')', '*', '~', '_', '-', '?', '??', '?x=', '/.', '/..', '/.a', './', '//'],
  ]
  for (let round = 0; round < 20000; round++) {
    const host = (random() < 0.1 ? pick(ipv6) : some(hostParts, 5)) + pick(ports)
    const target = `/${some(targetParts, 8)}`
    const scheme = pick(['http', 'https'])
    const { url } = get(target, host, { scheme, authority: 'fallback:1' })
    const direct = `${scheme}://${host}${target}`
    const usable = host !== '' && URL.canParse(`${scheme}://${host}`)
    const expected = usable ? direct : `${scheme}://fallback:1${target}`
    assert.equal(url, new URL(expected).href, `${host} ${target}`)
    assert.equal(new URL(url).href, url)
  }
})

test('every byte in a path and in a query is as the URL parser has it', () => {
  for (let code = 0x21; code < 0x7f; code++) {
    const char = String.fromCharCode(code)
    if (char === '#') continue
    for (const target of [`/${char}`, `/a${char}/b`, `/?${char}`, `/a?b=${char}c`]) {
      assert.equal(get(target, 'h').url, new URL(`http://h${target}`).href)
    }
  }
})

test('the table of hosts serves more hosts than it holds', () => {
  for (let index = 0; index < 1000; index++) {
    assert.equal(get('/', `h${index}.example`).url, `http://h${index}.example/`)
  }
  assert.equal(get('/', 'h0.example').url, 'http://h0.example/')
})

test('a body stays in the memory of the engine until it is read', async () => {
  const body = nativeBody('{"a":1}')
  const request = post(body)
  assert.equal(request.bodyUsed, false)
  assert.equal(body.taken, 0)
  assert.deepEqual(await request.json(), { a: 1 })
  assert.equal(body.taken, 1)
  assert.equal(request.bodyUsed, true)
  await assert.rejects(request.text(), TypeError)
  assert.equal(body.taken, 1)
})

test('each reading method takes an incoming body', async () => {
  assert.equal(await post(nativeBody('\ufeffé')).text(), 'é')
  assert.deepEqual([...(await post(nativeBody('ab')).bytes())], [97, 98])
  assert.equal((await post(nativeBody('abc')).arrayBuffer()).byteLength, 3)
  const blob = await post(nativeBody('abc')).blob()
  assert.deepEqual([blob.type, await blob.text()], ['text/x', 'abc'])
  const type = 'Content-Type: application/x-www-form-urlencoded'
  const form = incoming(['POST / HTTP/1.1', type], { body: nativeBody('a=b') })
  assert.equal((await form.formData()).get('a'), 'b')
  const chunks = []
  for await (const chunk of post(nativeBody('abc')).body) chunks.push(...chunk)
  assert.deepEqual(chunks, [97, 98, 99])
})

test('reading a body that the engine has lost rejects', async () => {
  const body = {
    length: 1,
    text() {
      throw new TypeError('gone')
    },
    bytes() {
      throw new TypeError('gone')
    },
  }
  await assert.rejects(post(body).json(), { message: 'gone' })
  await assert.rejects(post(body).bytes(), { message: 'gone' })
})

test('a detached body is moved once and stays readable', async () => {
  const body = nativeBody('abc')
  const request = post(body)
  detachBody(request)
  detachBody(request)
  assert.equal(body.taken, 1)
  assert.equal(request.bodyUsed, false)
  assert.equal(await request.text(), 'abc')
  detachBody(request)
  assert.equal(body.taken, 1)
})

test('a GET or HEAD has no body, whatever came with it', () => {
  for (const method of ['GET', 'HEAD']) {
    const request = incoming([`${method} / HTTP/1.1`], { body: nativeBody('abc') })
    assert.equal(request.body, null)
    assert.equal(new Request(request).method, method)
  }
})

test('a clone of an incoming request reads the same bytes and leaves the original alone', async () => {
  const body = nativeBody('abc')
  const first = post(body)
  const second = first.clone()
  const third = second.clone()
  second.headers.set('content-type', 'text/y')
  assert.equal(first.headers.get('content-type'), 'text/x')
  assert.deepEqual(
    [await first.text(), await second.text(), await third.text()],
    ['abc', 'abc', 'abc'],
  )
  assert.equal(body.taken, 1)
  assert.throws(() => first.clone(), TypeError)
  assert.equal(third.url, first.url)
})

test('a new Request over an incoming one takes its body and can be changed', async () => {
  const first = post(nativeBody('abc'))
  const second = new Request(first, { headers: { a: 'b' } })
  assert.deepEqual(
    [second.method, second.url, second.headers.get('a')],
    ['POST', 'http://h/a', 'b'],
  )
  assert.equal(first.bodyUsed, true)
  assert.equal(first.body.locked, true)
  assert.equal(await second.text(), 'abc')
  assert.throws(() => new Request(first), TypeError)
})

test('a body that was moved to another Request no longer needs the memory of the engine', async () => {
  const body = nativeBody('abc')
  const first = post(body)
  const second = new Request(first)
  assert.equal(body.taken, 1)
  detachBody(first)
  assert.equal(body.taken, 1)
  assert.equal(await second.text(), 'abc')
})

test('a signal that is read before the abortion fires once', () => {
  const request = get('/', 'h')
  const { signal } = request
  const reason = new Error('gone')
  let fired = 0
  signal.addEventListener('abort', () => fired++)
  abortRequest(request, () => reason)
  abortRequest(request, () => new Error('later'))
  assert.deepEqual([fired, signal.aborted, signal.reason === reason], [1, true, true])
})

test('a signal that is read after the abortion is aborted, with the first reason', () => {
  const request = get('/', 'h')
  abortRequest(request, () => 'first')
  abortRequest(request, () => 'second')
  assert.deepEqual([request.signal.aborted, request.signal.reason], [true, 'first'])
})

test('the reason of an abortion is made when a signal is read, and once', () => {
  const request = get('/', 'h')
  let made = 0
  abortRequest(request, () => ++made)
  assert.equal(made, 0)
  assert.deepEqual([request.signal.reason, request.signal.reason, made], [1, 1, 1])
})

test('no signal is made unless it is read', () => {
  const { AbortController: Original } = globalThis
  let made = 0
  globalThis.AbortController = class extends Original {
    constructor() {
      super()
      made++
    }
  }
  try {
    const request = get('/', 'h')
    request.clone()
    new Request(request)
    assert.equal(made, 0)
    assert.equal(request.signal.aborted, false)
    assert.equal(made, 1)
  } finally {
    globalThis.AbortController = Original
  }
})

test('clones and copies follow the signal of the incoming request', () => {
  const request = get('/', 'h')
  const copies = [request.clone(), new Request(request), new Request('http://x/', request)]
  const early = copies[0].signal
  abortRequest(request, () => 'why')
  assert.equal(early.reason, 'why')
  for (const copy of copies) assert.equal(copy.signal.reason, 'why')
  assert.equal(new Request(request, { signal: null }).signal.aborted, false)
})

test('nobody outside can make an incoming request through the constructor', () => {
  assert.throws(() => new Request({}), TypeError)
  assert.throws(() => new Request(Object.freeze({})), TypeError)
})

test('an async iterable as a body is read as a stream', async () => {
  async function* parts() {
    yield 'a'
    yield Uint8Array.of(98)
  }
  const init = { method: 'POST', body: parts() }
  assert.throws(() => new Request('http://h/', init), TypeError)
  assert.equal(await new Request('http://h/', { ...init, duplex: 'half' }).text(), 'ab')
})

test('console.log shows method, url and headers', () => {
  assert.equal(
    inspect(get('/a', 'h')),
    "Request {\n  method: 'GET',\n  url: 'http://h/a',\n  headers: Headers { host: 'h' },\n  bodyUsed: false\n}",
  )
})

/** Reproducible random numbers from 0 to 1 (mulberry32). */
function randomNumbers(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
