/** What answers look like on the wire: framing, fields, statuses, and what a handler can't break. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Headers, Response } from 'barewire'
import { Client, exchange, GET_NEXT, open, request, sleep, untilClosed } from './raw.js'

const GET = request('GET /')
const GET_1_0 = 'GET / HTTP/1.0\r\n\r\n'
const without = (response, ...names) =>
  response.headers.filter(([name]) => !names.includes(name.toLowerCase()))

describe('HEAD has the headers of GET and no body', () => {
  for (const [name, handler] of [
    ['text', () => new Response('hello', { headers: { 'x-a': 'b' } })],
    ['json', () => Response.json({ a: 1 })],
    ['bytes', () => new Response(new Uint8Array(3000))],
    ['a large text', () => new Response('é'.repeat(100_000))],
    ['nothing', () => new Response()],
    ['404', () => new Response('no', { status: 404 })],
    ['a failure', () => Promise.reject(new Error('private'))],
  ]) {
    test(name, async (t) => {
      const server = open(t, handler, { error: () => new Response('sorry', { status: 500 }) })
      const client = await Client.connect(server)
      client.send(GET)
      const got = await client.response()
      client.send(request('HEAD /') + GET_NEXT)
      const [head, next] = await client.responses(2, ['HEAD', 'GET'])
      assert.equal(head.status, got.status)
      assert.deepEqual(without(head, 'date'), without(got, 'date'))
      assert.equal(head.body.length, 0)
      assert.equal(next.text, got.text, 'the next answer begins right after')
      client.destroy()
    })
  }
})

describe('a status without content carries none', () => {
  for (const status of [204, 205, 304]) {
    test(`${status}`, async (t) => {
      const server = open(t, ({ rawTarget }) =>
        rawTarget === '/next'
          ? new Response('next')
          : new Response(null, { status, headers: { etag: '"a"', 'content-length': '5' } }),
      )
      const client = await Client.connect(server)
      client.send(GET + GET_NEXT)
      const [first, next] = await client.responses(2)
      assert.deepEqual([first.status, first.text, first.get('etag')], [status, '', '"a"'])
      assert.deepEqual([next.status, next.text], [200, 'next'])
      if (status === 204) assert.equal(first.get('content-length'), undefined)
      if (status === 205) assert.equal(first.get('content-length'), '0')
      client.destroy()
    })

    test(`${status} with a body is an error of the handler`, async (t) => {
      const response = await exchange(
        open(t, () => new Response('x', { status })),
        GET,
      )
      assert.equal(response.status, 500)
    })
  }
})

describe('HTTP/1.0', () => {
  test('without keep-alive is answered and closed, without chunks', async (t) => {
    const server = open(t, () => new Response('hello'))
    const { responses, rest, ended } = await untilClosed(server, GET_1_0)
    assert.equal(responses.length, 1)
    assert.deepEqual([responses[0].text, responses[0].isChunked], ['hello', false])
    assert.equal(responses[0].get('connection'), 'close')
    assert.deepEqual([rest.length, ended], [0, 'fin'])
  })

  test('a request behind one without keep-alive is not answered', async (t) => {
    let calls = 0
    const server = open(t, () => new Response(`${++calls}`))
    const { responses } = await untilClosed(server, GET_1_0 + GET_1_0)
    assert.deepEqual([responses.length, calls], [1, 1])
  })

  test('with keep-alive goes on, and the answer says so', async (t) => {
    const server = open(t, ({ rawTarget }) => new Response(rawTarget))
    const client = await Client.connect(server)
    for (const target of ['/1', '/2']) {
      client.send(`GET ${target} HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n`)
      const response = await client.response()
      assert.equal(response.text, target)
      assert.equal(response.get('connection')?.toLowerCase(), 'keep-alive')
    }
    client.send(GET_1_0)
    assert.equal((await client.close()).ended, 'fin')
  })

  test('gets no 100 (Continue) and no 417', async (t) => {
    const server = open(t, async (incoming) => new Response(await incoming.text()))
    for (const expectation of ['100-continue', 'tea']) {
      const bytes = `POST / HTTP/1.0\r\nExpect: ${expectation}\r\nContent-Length: 2\r\n\r\nok`
      const { responses } = await untilClosed(server, bytes)
      assert.deepEqual([responses[0].text, responses[0].informational], ['ok', []])
    }
  })
})

describe('Connection', () => {
  test('is not sent where HTTP/1.1 goes on', async (t) => {
    const response = await exchange(
      open(t, () => new Response('a')),
      GET,
    )
    assert.equal(response.get('connection'), undefined)
    assert.equal(response.get('keep-alive'), undefined)
  })

  for (const value of ['close', 'Close', 'keep-alive, close', 'x ,close', 'close, keep-alive']) {
    test(`"${value}" from the client: the answer says close, then FIN`, async (t) => {
      let calls = 0
      const server = open(t, () => new Response(`${++calls}`))
      const bytes = request('GET /', { Connection: value }) + GET_NEXT
      const { responses, rest, ended } = await untilClosed(server, bytes)
      assert.equal(responses.length, 1)
      assert.equal(responses[0].get('connection'), 'close')
      assert.deepEqual([rest.length, ended, calls], [0, 'fin', 1])
    })
  }

  test('close from the handler closes', async (t) => {
    const server = open(t, () => new Response('a', { headers: { connection: 'close' } }))
    const { responses, ended } = await untilClosed(server, GET)
    assert.deepEqual(responses[0].getAll('connection'), ['close'])
    assert.equal(ended, 'fin')
  })
})

describe('Expect', () => {
  const expecting = (length, value = '100-continue') =>
    `POST / HTTP/1.1\r\nHost: a\r\nExpect: ${value}\r\nContent-Length: ${length}\r\n\r\n`
  const echo = async (incoming) => new Response(await incoming.text())

  test('100-continue is answered when the body is wanted, then the body is read', async (t) => {
    const client = await Client.connect(open(t, echo))
    client.send(expecting(5))
    const interim = (await client.bytes(25)).toString()
    assert.equal(interim, 'HTTP/1.1 100 Continue\r\n\r\n')
    client.send('hello')
    const response = await client.response()
    assert.deepEqual([response.status, response.text], [200, 'hello'])
    assert.equal(response.informational.length, 1)
    client.send(GET_NEXT)
    assert.equal((await client.response()).status, 200, 'the connection goes on')
    client.destroy()
  })

  test('100-continue works for chunks and in capitals', async (t) => {
    const client = await Client.connect(open(t, echo))
    client.send(
      'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-CONTINUE\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    await client.bytes(25)
    client.send('2\r\nok\r\n0\r\n\r\n')
    assert.equal((await client.response()).text, 'ok')
    client.destroy()
  })

  test('a body that does not wait is read as well', async (t) => {
    const client = await Client.connect(open(t, echo))
    client.send(`${expecting(5)}hello`)
    assert.equal((await client.response()).text, 'hello')
    client.destroy()
  })

  test('a body that is not wanted gets its final status at once and no 100', async (t) => {
    const server = open(t, echo, { maxBodySize: 10 })
    const { responses, ended } = await untilClosed(server, expecting(11))
    assert.equal(responses[0].status, 413)
    assert.equal(responses[0].get('connection'), 'close', 'an unsent 100 always closes')
    assert.deepEqual([responses[0].informational, ended], [[], 'fin'])
  })

  test('an unknown expectation gets 417 and no 100', async (t) => {
    const { responses } = await untilClosed(open(t, echo), expecting(5, '100-continue, tea'))
    assert.equal(responses[0].status, 417)
    assert.deepEqual(responses[0].informational, [])
  })

  test('without a body there is nothing to wait for', async (t) => {
    const response = await exchange(open(t, echo), request('GET /', { Expect: '100-continue' }))
    assert.deepEqual([response.status, response.informational], [200, []])
  })
})

describe('what a handler gets wrong is a 500 and never bytes on the wire', () => {
  for (const [name, handler] of [
    ['status 199', () => new Response('', { status: 199 })],
    ['status 101', () => new Response(null, { status: 101 })],
    ['status 600', () => new Response('', { status: 600 })],
    ['status 0', () => Response.error()],
    ['CR LF in a value', () => new Response('', { headers: { a: 'b\r\nSet-Cookie: evil=1' } })],
    ['CR in a value', () => new Response('', { headers: { a: 'b\revil: 1' } })],
    ['LF in a value', () => new Response('', { headers: [['a', 'b\nevil: 1']] })],
    ['NUL in a value', () => new Response('', { headers: new Headers({ a: 'b\0' }) })],
    ['a value above latin1', () => new Response('', { headers: { a: '\u{100}' } })],
    ['a space in a name', () => new Response('', { headers: { 'a b': 'c' } })],
    ['a colon in a name', () => new Response('', { headers: { 'evil: 1\r\nx': 'c' } })],
    ['an empty name', () => new Response('', { headers: { '': 'c' } })],
    ['a line end in the status text', () => new Response('', { statusText: 'OK\r\nevil: 1' })],
    ['set() after the fact', () => badLater('set')],
    ['append() after the fact', () => badLater('append')],
    ['a sync throw', () => fail()],
    ['a rejection', async () => fail()],
    ['a late rejection', () => sleep(5).then(fail)],
    ['a thrown string', () => fail('private')],
    ['a thrown undefined', () => fail(undefined)],
    ['undefined', () => undefined],
    ['a promise of undefined', async () => undefined],
    ['null', () => null],
    ['a string', () => 'hello'],
    ['an object', () => ({ status: 200 })],
    ['a thenable that rejects', () => thenable((_, reject) => reject(new Error('private')))],
    ['a thenable that throws', () => thenable(() => fail())],
    ['a body read already', readAlready],
    ['a body that is locked', locked],
  ]) {
    test(name, async (t) => {
      const server = open(t, (incoming) =>
        incoming.rawTarget === '/next' ? new Response('next') : handler(),
      )
      const client = await Client.connect(server)
      client.send(GET + GET_NEXT)
      const [response, next] = await client.responses(2)
      assert.equal(response.status, 500)
      assert.equal(response.get('evil'), undefined)
      assert.doesNotMatch(response.text, /private|evil|at .*\.js|Error:/)
      assert.equal(next.text, 'next', 'the connection goes on')
      client.destroy()
    })
  }

  function fail(error = new Error('private')) {
    throw error
  }
  function thenable(then) {
    return Object.defineProperty({}, 'then', { value: then })
  }
  function badLater(method) {
    const response = new Response('')
    response.headers[method]('a', 'b\r\nevil: 1')
    return response
  }
  async function readAlready() {
    const response = new Response('hello')
    await response.text()
    return response
  }
  function locked() {
    const response = new Response('hello')
    response.body.getReader()
    return response
  }

  test('a response used twice answers once', async (t) => {
    const shared = new Response('hello')
    const server = open(t, () => shared)
    assert.equal((await exchange(server, GET)).text, 'hello')
    assert.equal((await exchange(server, GET)).status, 500)
  })

  test('a clone answers again', async (t) => {
    const shared = new Response('hello')
    const server = open(t, () => shared.clone())
    for (let round = 0; round < 3; round++) {
      assert.equal((await exchange(server, GET)).text, 'hello')
    }
  })
})

describe('error text', () => {
  const handler = () => {
    throw new Error('private text')
  }

  test('reaches the client in development only', async (t) => {
    const open500 = await exchange(open(t, handler, { development: true }), GET)
    assert.equal(open500.status, 500)
    assert.match(open500.text, /private text/)
    const closed500 = await exchange(open(t, handler), GET)
    assert.equal(closed500.status, 500)
    assert.doesNotMatch(closed500.text, /private/)
  })

  test('is not shown because of NODE_ENV', async (t) => {
    const before = process.env.NODE_ENV
    process.env.NODE_ENV = 'development'
    t.after(() => {
      if (before === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = before
    })
    assert.doesNotMatch((await exchange(open(t, handler), GET)).text, /private/)
  })

  test('goes to the error hook, which answers', async (t) => {
    const seen = []
    const error = (thrown, incoming) => {
      seen.push(`${thrown.message} ${incoming.rawTarget}`)
      return new Response('mended', { status: 502 })
    }
    const response = await exchange(open(t, handler, { error }), GET)
    assert.deepEqual([response.status, response.text, seen], [502, 'mended', ['private text /']])
  })

  test('of a failing hook stays inside too', async (t) => {
    const error = () => {
      throw new Error('private hook')
    }
    const response = await exchange(open(t, handler, { error }), GET)
    assert.equal(response.status, 500)
    assert.doesNotMatch(response.text, /private/)
  })
})

describe('fields', () => {
  test('several Set-Cookie stay several, in order', async (t) => {
    const headers = new Headers([
      ['set-cookie', 'a=1; Path=/'],
      ['x', '1'],
      ['set-cookie', 'b=2, 3'],
      ['x', '2'],
    ])
    headers.append('Set-Cookie', 'a=3')
    const response = await exchange(
      open(t, () => new Response('', { headers })),
      GET,
    )
    assert.deepEqual(response.getAll('set-cookie'), ['a=1; Path=/', 'b=2, 3', 'a=3'])
    assert.equal(response.getAll('x').join(', '), '1, 2')
  })

  test('duplicates of a request join by comma, cookies by semicolon', async (t) => {
    const server = open(t, ({ headers }) =>
      Response.json([headers.get('x'), headers.get('cookie'), headers.get('y')]),
    )
    const bytes =
      'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nCookie: a=1\r\nx: 2\r\ncookie: b=2\r\nX:\r\n\r\n'
    assert.deepEqual(JSON.parse((await exchange(server, bytes)).text), ['1, 2, ', 'a=1; b=2', null])
  })

  test('latin1 values go both ways as bytes', async (t) => {
    const server = open(t, ({ headers }) => new Response('', { headers: { y: headers.get('x') } }))
    const response = await exchange(server, request('GET /', { X: 'caf\xe9 \xff\x80' }))
    assert.equal(response.get('y'), 'caf\xe9 \xff\x80')
  })

  for (const length of ['100', '1', '0', 'abc', '-1', '5, 5']) {
    test(`Content-Length "${length}" from the handler gives way to the body's`, async (t) => {
      const server = open(t, () => new Response('hello', { headers: { 'content-length': length } }))
      const client = await Client.connect(server)
      client.send(GET + GET_NEXT)
      for (const response of await client.responses(2)) {
        assert.deepEqual(response.getAll('content-length'), ['5'])
        assert.equal(response.text, 'hello')
      }
      client.destroy()
    })
  }

  test('framing and hop-by-hop fields from the handler give way to the server', async (t) => {
    const headers = {
      'transfer-encoding': 'chunked',
      connection: 'keep-alive, x-hop',
      'keep-alive': 'timeout=1',
      upgrade: 'h2c',
      te: 'trailers',
      trailer: 'x',
      'proxy-connection': 'keep-alive',
      'x-kept': 'yes',
    }
    const server = open(t, () => new Response('hello', { headers }))
    const client = await Client.connect(server)
    client.send(GET + GET_NEXT)
    for (const response of await client.responses(2)) {
      assert.deepEqual([response.text, response.isChunked], ['hello', false])
      assert.deepEqual(response.getAll('content-length'), ['5'])
      for (const name of Object.keys(headers).slice(0, -1)) {
        assert.equal(response.get(name), undefined, name)
      }
      assert.equal(response.get('x-kept'), 'yes')
    }
    client.destroy()
  })

  const DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/

  test('Date is on every answer, in the format of HTTP, and right', async (t) => {
    const server = open(t, ({ rawTarget }) => {
      if (rawTarget === '/fail') throw new Error('private')
      return new Response(null, { status: rawTarget === '/204' ? 204 : 200 })
    })
    for (const bytes of [GET, request('GET /204'), request('GET /fail'), request('GET /#')]) {
      const response = await exchange(server, bytes)
      const dates = response.getAll('date')
      assert.equal(dates.length, 1)
      assert.match(dates[0], DATE)
      assert.ok(Math.abs(Date.parse(dates[0]) - Date.now()) < 2500, dates[0])
    }
  })

  test('Date moves with the clock on a connection that stays', async (t) => {
    const client = await Client.connect(open(t, () => new Response('')))
    client.send(GET)
    const first = Date.parse((await client.response()).get('date'))
    await sleep(1100)
    client.send(GET)
    const second = Date.parse((await client.response()).get('date'))
    assert.ok(second > first, `${second} after ${first}`)
    client.destroy()
  })

  test('a Date of the handler is the only one', async (t) => {
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT'
    const server = open(t, () => new Response('', { headers: { date } }))
    assert.deepEqual((await exchange(server, GET)).getAll('date'), [date])
  })
})

describe('bodies arrive byte for byte', () => {
  const bytes = Uint8Array.from({ length: 70_001 }, (_, index) => (index * 7) & 255)
  for (const [name, body, type] of [
    ['empty text', '', 'text/plain;charset=UTF-8'],
    ['text', 'hello', 'text/plain;charset=UTF-8'],
    ['latin1 text', 'caf\xe9'.repeat(50), 'text/plain;charset=UTF-8'],
    ['text of all planes', 'a\xe9\u20ac\u{1f600}\0\r\n'.repeat(99), 'text/plain;charset=UTF-8'],
    ['lone surrogates', 'a\ud800b\udc00c', 'text/plain;charset=UTF-8'],
    ['text of 64 KiB', 'x'.repeat(65_536), 'text/plain;charset=UTF-8'],
    ['text of 64 KiB and one', 'x'.repeat(65_537), 'text/plain;charset=UTF-8'],
    ['wide text about 64 KiB', '\u20ac'.repeat(65_535), 'text/plain;charset=UTF-8'],
    ['text of 1 MiB', 'é!'.repeat(350_000), 'text/plain;charset=UTF-8'],
    ['bytes', bytes, undefined],
    ['a view into bytes', bytes.subarray(17, 60_017), undefined],
    ['a DataView', new DataView(bytes.buffer, 3, 9), undefined],
    ['16-bit words', new Uint16Array([1, 256, 65_535]), undefined],
    ['an ArrayBuffer', bytes.buffer, undefined],
    ['a Buffer of the pool', Buffer.from('pooled'), undefined],
    ['a Blob', new Blob(['a', bytes], { type: 'image/x' }), 'image/x'],
    [
      'parameters',
      new URLSearchParams('a=é&b=2'),
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
  ]) {
    test(name, async (t) => {
      const response = await exchange(
        open(t, () => new Response(body)),
        GET,
      )
      const wanted = Buffer.from(await new globalThis.Response(body).arrayBuffer())
      assert.ok(response.body.equals(wanted), `${response.body.length} of ${wanted.length} bytes`)
      assert.equal(response.get('content-length'), String(wanted.length))
      assert.equal(response.get('content-type'), type)
    })
  }

  test('Response.json and Response.redirect', async (t) => {
    const server = open(t, ({ rawTarget }) =>
      rawTarget === '/json' ? Response.json({ a: 'é' }) : Response.redirect('http://b/c', 307),
    )
    const json = await exchange(server, request('GET /json'))
    assert.deepEqual([json.text, json.get('content-type')], ['{"a":"é"}', 'application/json'])
    const redirect = await exchange(server, GET)
    assert.deepEqual([redirect.status, redirect.get('location')], [307, 'http://b/c'])
  })

  test('a Response of the platform', async (t) => {
    const server = open(
      t,
      () => new globalThis.Response('theirs', { status: 201, headers: { 'x-a': 'b' } }),
    )
    const response = await exchange(server, GET)
    assert.deepEqual([response.status, response.text, response.get('x-a')], [201, 'theirs', 'b'])
  })

  for (const status of [200, 201, 299, 400, 404, 418, 451, 500, 599]) {
    test(`status ${status}`, async (t) => {
      const server = open(t, () => new Response('a', { status }))
      assert.equal((await exchange(server, GET)).status, status)
    })
  }
})
