/** The protocol table, row by row, with raw bytes over a real socket. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Response } from 'barewire'
import { assertRefusal, Client, exchange, GET_NEXT, open, untilClosed } from './raw.js'

const get = (target, rest = 'Host: a\r\n') => `GET ${target} HTTP/1.1\r\n${rest}\r\n`
const fields = (lines) => get('/', `Host: a\r\n${lines}\r\n`)
const post = (lines, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${body}`
const chunked = (body) => post('Transfer-Encoding: chunked', body)

const REFUSED = {
  'a malformed request line': [
    [400, 'no version', 'GET /\r\n\r\n'],
    [400, 'no target', 'GET HTTP/1.1\r\nHost: a\r\n\r\n'],
    [400, 'two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
    [400, 'a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'],
    [400, 'a space at its end', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n'],
    [400, 'a space at its begin', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    [400, 'a tab', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    [400, 'a method that is no token', 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n'],
    [400, 'binary noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    [400, 'three empty lines before it', `\r\n\r\n\r\n${get('/')}`],
  ],
  'a malformed field': [
    [400, 'no colon', fields('X')],
    [400, 'no name', fields(': x')],
    [400, 'space before the colon', fields('X : y')],
    [400, 'a folded line', fields('X: y\r\n z')],
    [400, 'a name that is no token', fields('X(Y): z')],
    [400, 'NUL in a value', fields('X: a\0b')],
    [400, 'a control byte in a value', fields('X: a\x07b')],
    [400, 'a bare CR', fields('X: a\rY: b')],
    [400, 'a bare LF', fields('X: a\nY: b')],
    [400, 'only bare LF', 'GET / HTTP/1.1\nHost: a\n\n'],
  ],
  'a bad Host': [
    [400, 'missing', get('/', '')],
    [400, 'twice', get('/', 'Host: a\r\nHost: a\r\n')],
    [400, 'with a path', get('/', 'Host: evil.example/admin?\r\n')],
    [400, 'with user information', get('/', 'Host: u@a\r\n')],
    [400, 'with a space', get('/', 'Host: a b\r\n')],
    [400, 'missing beside an absolute target', get('http://a/', '')],
    [400, 'twice in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'],
  ],
  'a bad Content-Length': [
    ...['+5', '-1', '0x5', '5, 5', '5,6', 'abc', '', '5x', 'x5', '5 5', '05', '00', '1e1'],
    ...['18446744073709551616', '18446744073709551621', '9007199254740992'],
  ]
    .map((value) => [400, `"${value}"`, post(`Content-Length: ${value}`, 'hello')])
    .concat([
      [400, 'twice the same', post('Content-Length: 5\r\nContent-Length: 5', 'hello')],
      [400, 'two that differ', post('Content-Length: 5\r\nContent-Length: 6', 'hello')],
      [400, 'with latin1 bytes', post('Content-Length: 5\xe9', 'hello')],
    ]),
  'a bad Transfer-Encoding': [
    [
      400,
      'with Content-Length',
      post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    ],
    [
      400,
      'before Content-Length',
      post('Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'),
    ],
    [400, 'in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    [400, 'identity', post('Transfer-Encoding: identity', 'hello')],
    [400, 'gzip alone', post('Transfer-Encoding: gzip', 'hello')],
    [400, 'xchunked', post('Transfer-Encoding: xchunked', '0\r\n\r\n')],
    [400, 'chunked not last', post('Transfer-Encoding: chunked, gzip', '0\r\n\r\n')],
    [400, 'chunked twice', post('Transfer-Encoding: chunked, chunked', '0\r\n\r\n')],
    [400, 'space before the colon', post('Transfer-Encoding : chunked', '0\r\n\r\n')],
    [400, 'folded', post('Transfer-Encoding:\r\n chunked', '0\r\n\r\n')],
    [501, 'gzip, then chunked', post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n')],
    [
      501,
      'in two lines',
      post('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    ],
  ],
  'a bad chunk': [
    ...['g', '@', ':', ' 5', '+5', '-5', '0x5', '5h', '10000000000000000', 'fffffffffffffffff'].map(
      (size) => [400, `size "${size}"`, chunked(`${size}\r\nhello\r\n0\r\n\r\n`)],
    ),
    [400, 'an empty size', chunked('\r\nhello\r\n0\r\n\r\n')],
    [400, 'a bare LF after the size', chunked('5\nhello\r\n0\r\n\r\n')],
    [400, 'a bare LF after the data', chunked('5\r\nhello\n0\r\n\r\n')],
    [400, 'no CR LF after the data', chunked('5\r\nhello0\r\n\r\n')],
    [400, 'an extension of 1 MB', chunked(`5;${'x'.repeat(1 << 20)}\r\nhello\r\n0\r\n\r\n`)],
    [400, 'a malformed trailer', chunked('0\r\nX : y\r\n\r\n')],
    [431, 'trailers of 1 MB', chunked(`0\r\n${'X: yyyyyyyy\r\n'.repeat(81_000)}\r\n`)],
  ],
  'a bad target': [
    [400, 'a fragment', get('/a?b#c')],
    [400, 'a control byte', get('/a\x01')],
    [400, 'DEL', get('/a\x7f')],
    [400, 'a byte above ASCII', get('/caf\xe9')],
    [400, 'GET *', get('*')],
    [400, 'neither path nor URL', get('a/b')],
    [400, 'authority without CONNECT', get('a:80')],
    [400, 'another scheme', get('ftp://a/')],
    [400, 'no authority', get('http:///a')],
    [400, 'user information', get('http://u:p@a/')],
  ],
  'a bad version': [
    [400, 'in lower case', 'GET / http/1.1\r\nHost: a\r\n\r\n'],
    [400, 'HTTP/0.9', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n'],
    [400, 'two digits', 'GET / HTTP/1.11\r\nHost: a\r\n\r\n'],
    [400, 'no minor', 'GET / HTTP/1\r\nHost: a\r\n\r\n'],
    [505, 'HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'],
    [505, 'the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [505, 'HTTP/3.0', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n'],
  ],
  'a limit': [
    [414, 'request line', get(`/${'a'.repeat(9000)}`)],
    [414, 'request line without end', `GET /${'a'.repeat(20_000)}`],
    [431, 'field size', fields(`X: ${'a'.repeat(17_000)}`)],
    [431, 'field size without end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`],
    [431, 'field count', fields('X: y\r\n'.repeat(101).trimEnd())],
  ],
  'what this server does not do': [
    [417, 'an unknown expectation', post('Expect: tea\r\nContent-Length: 5')],
    [501, 'CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
  ],
}

for (const [subject, rows] of Object.entries(REFUSED)) {
  describe(`${subject} is refused`, () => {
    for (const [status, name, bytes] of rows) {
      test(`${name}: ${status}, says why, closes with FIN`, async (t) => {
        let calls = 0
        const server = open(t, () => {
          calls++
          return new Response('handled')
        })
        assertRefusal(await untilClosed(server, bytes), status)
        assertRefusal(await untilClosed(server, bytes + GET_NEXT), status)
        assert.equal(calls, 0, 'the handler is not called, also not for what follows')
      })
    }
  })
}

test('a refusal is readable although much more was sent behind the fault', async (t) => {
  const server = open(t, () => new Response('handled'))
  const client = await Client.connect(server)
  client.socket.pause()
  client.send('BAD\r\n\r\n').send(Buffer.alloc(300_000, 'x'))
  await new Promise((done) => setTimeout(done, 100))
  client.socket.resume()
  assertRefusal(await client.close(), 400)
})

test('a request before the fault is answered, the fault after it', async (t) => {
  const server = open(t, () => new Response('good'))
  const { responses, ended } = await untilClosed(server, `${get('/')}${get('/a#b')}${GET_NEXT}`)
  assert.deepEqual(
    responses.map(({ status, text }) => [status, status === 200 ? text : '']),
    [
      [200, 'good'],
      [400, ''],
    ],
  )
  assert.equal(ended, 'fin')
})

test('a refusal of HEAD closes the connection, so that a body after it harms nobody', async (t) => {
  const server = open(t, () => new Response('good'))
  const head = 'HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'
  const { responses, rest, ended } = await untilClosed(server, head, { methods: ['HEAD'] })
  assert.equal(responses[0].status, 400)
  assert.equal(responses[0].get('connection'), 'close')
  assert.ok([0, Number(responses[0].get('content-length'))].includes(rest.length))
  assert.equal(ended, 'fin')
})

describe('a request is handed to the handler', () => {
  const say = (request) => new Response(`${request.method} ${request.rawTarget}`)
  for (const [name, bytes, text] of [
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS *'],
    ['an unknown method', 'BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n', 'BREW /pot'],
    ['a method in lower case, which is another', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 'get /'],
    ['a WebDAV method', 'PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n', 'PROPFIND /'],
    ['HTTP/1.2, read as 1.1', 'GET /v HTTP/1.2\r\nHost: a\r\n\r\n', 'GET /v'],
    ['two empty lines before it', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /'],
    ['an expectation in HTTP/1.0', 'GET /e HTTP/1.0\r\nExpect: tea\r\n\r\n', 'GET /e'],
    ['no Host in HTTP/1.0', 'GET /h HTTP/1.0\r\n\r\n', 'GET /h'],
    ['an empty Host', 'GET /h HTTP/1.1\r\nHost:\r\n\r\n', 'GET /h'],
    ['latin1 in a value', 'GET /l HTTP/1.1\r\nHost: a\r\nX: \xe9\xff\r\n\r\n', 'GET /l'],
    ['two slashes', 'GET //a HTTP/1.1\r\nHost: a\r\n\r\n', 'GET //a'],
    ['dots in percent code', 'GET /%2e%2e/ HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /%2e%2e/'],
  ]) {
    test(name, async (t) => {
      const response = await exchange(open(t, say), bytes, 'GET')
      assert.deepEqual([response.status, response.text], [200, text])
    })
  }
})

describe('Host and target decide the URL by one rule', () => {
  for (const [name, bytes, url] of [
    ['origin form', 'GET /a?b HTTP/1.1\r\nHost: h:81\r\n\r\n', 'http://h:81/a?b'],
    [
      'two slashes never name a host',
      'GET //evil/a HTTP/1.1\r\nHost: h\r\n\r\n',
      'http://h//evil/a',
    ],
    [
      'absolute form: its authority wins',
      'GET http://b/p HTTP/1.1\r\nHost: h\r\n\r\n',
      'http://b/p',
    ],
    [
      'absolute form never sets the scheme',
      'GET https://b/p HTTP/1.1\r\nHost: h\r\n\r\n',
      'http://b/p',
    ],
    ['dot segments are resolved', 'GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n', 'http://h/b'],
    ['also in percent code', 'GET /a/%2e%2E/b HTTP/1.1\r\nHost: h\r\n\r\n', 'http://h/b'],
    ['a backslash', 'GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n', 'http://h/a/b'],
    ['a default port', 'GET / HTTP/1.1\r\nHost: h:80\r\n\r\n', 'http://h/'],
    ['capitals', 'GET /A HTTP/1.1\r\nHost: H.Example\r\n\r\n', 'http://h.example/A'],
  ]) {
    test(name, async (t) => {
      const server = open(t, (request) => new Response(request.url))
      const response = await exchange(server, bytes)
      assert.equal(response.text, url)
      assert.equal(new URL(url).href, url)
    })
  }
})
