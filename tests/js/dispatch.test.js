import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { compressionOf } from '../../lib/compression.js'
import { Dispatcher } from '../../lib/dispatch.js'
import { BarewireError } from '../../lib/errors.js'
import * as layout from '../../lib/record.js'
import { Response } from '../../lib/response.js'
import { FakeEngine, turn } from './fake-engine.js'

const config = /** @type {any} */ ({})

/** A dispatcher over a fake engine, with a handler and what else the service shall have. */
function over(handler, service = {}) {
  const reported = []
  const dispatcher = new Dispatcher(
    FakeEngine,
    config,
    {
      respond: handler,
      onError: undefined,
      report: (error) => reported.push(error),
      development: false,
      origin: { scheme: 'http', authority: 'localhost:3000' },
      ...service,
    },
    () => {},
  )
  return { dispatcher, engine: dispatcher.engine, reported }
}

const plain500 = {
  status: 500,
  kind: 'text',
  body: 'Internal Server Error\n',
  block: 'content-type\0text/plain;charset=UTF-8\0',
}

function assertAnswer(actual, expected) {
  for (const [name, value] of Object.entries(expected))
    assert.deepEqual(actual?.[name], value, name)
}

test('a response returned at once is answered inside the call', () => {
  const { engine } = over(() => new Response('hello'))
  assertAnswer(engine.request(), { status: 200, kind: 'text', body: 'hello' })
  assert.equal(engine.late.length, 0)
})

test('compressing answers inside the call, but for a large body', async () => {
  const compress = compressionOf({ codings: ['gzip'], threshold: 1024 })
  const bodies = ['tiny', 'x'.repeat(8192), 'x'.repeat(8193)]
  const { engine } = over(() => new Response(bodies.shift()), { compress })
  const fields = 'Accept-Encoding: gzip\r\n'
  assertAnswer(engine.request('/', { fields }), { kind: 'text', body: 'tiny' })
  const { kind, block } = engine.request('/', { fields })
  assert.equal(kind, 'bytes')
  assert.match(block, /content-encoding\0gzip\0/)
  assert.equal(engine.request('/', { fields }), undefined)
  while (engine.late.length === 0) await turn()
  assertAnswer(engine.late[0], { kind: 'bytes', block })
})

test('the kinds of bodies: none, text, bytes', () => {
  const bytes = new Uint8Array([1, 2])
  const answers = [new Response(null, { status: 204 }), new Response('é'), new Response(bytes)]
  const { engine } = over(() => answers.shift())
  assertAnswer(engine.request(), { status: 204, kind: 'empty', body: undefined, block: '' })
  assertAnswer(engine.request(), { kind: 'text', body: 'é' })
  assertAnswer(engine.request(), { kind: 'bytes' })
})

test('the request has what the record and the head say', () => {
  let seen
  const { engine } = over((request) => {
    seen = request
    return new Response()
  })
  engine.request('/a?b=1', { method: 'POST', fields: 'X-One: 1\r\n', body: 'hi' })
  assert.equal(seen.method, 'POST')
  assert.equal(seen.url, 'http://localhost/a?b=1')
  assert.equal(seen.headers.get('x-one'), '1')
  engine.request('/b', { method: 'PROPFIND' })
  assert.equal(seen.method, 'PROPFIND')
})

test('a promise is answered later, by the names of its own request', async () => {
  const resolvers = []
  const { engine } = over(() => new Promise((resolve) => resolvers.push(resolve)))
  assert.equal(engine.request('/', { slot: 3, generation: 7, sequence: 9 }), undefined)
  assert.equal(engine.request('/', { slot: 4, generation: 8, sequence: 1 }), undefined)
  resolvers[1](new Response('second'))
  await turn()
  resolvers[0](new Response('first'))
  await turn()
  assertAnswer(engine.late[0], { slot: 4, generation: 8, sequence: 1, body: 'second' })
  assertAnswer(engine.late[1], { slot: 3, generation: 7, sequence: 9, body: 'first' })
})

test('a body that takes time is awaited', async () => {
  const { engine } = over(() => new Response(new Blob(['blob'])))
  assert.equal(engine.request(), undefined)
  while (engine.late.length === 0) await turn()
  assert.equal(engine.late[0].status, 200)
  // How fast a Blob is read is the platform's affair: it may be a stream that has just begun.
  const isEnd = ({ part }) => part === undefined
  while (engine.late[0].kind === 'stream' && !engine.parts.some(isEnd)) await turn()
  const texts = [Buffer.from(engine.late[0].body), ...engine.parts.map(({ part }) => part ?? '')]
  assert.equal(texts.join(''), 'blob')
})

test('a stream that ends within one turn is an answer like any other', async () => {
  const { engine } = over(
    () => new Response(ReadableStream.from([Buffer.from('a'), Buffer.from('b')])),
  )
  assert.equal(engine.request(), undefined)
  while (engine.late.length === 0) await turn()
  assertAnswer(engine.late[0], { status: 200, kind: 'bytes' })
  assert.equal(Buffer.from(engine.late[0].body).toString(), 'ab')
  assert.equal(engine.parts.length, 0)
})

test('a stream that takes longer begins with what is there, its parts follow', async () => {
  let give
  const stream = new ReadableStream({
    start(controller) {
      give = controller
      controller.enqueue(Buffer.from('first'))
    },
  })
  const { engine } = over(() => new Response(stream, { status: 201 }))
  engine.request('/', { slot: 5 })
  while (engine.late.length === 0) await turn()
  assertAnswer(engine.late[0], { slot: 5, status: 201, kind: 'stream' })
  assert.equal(Buffer.from(engine.late[0].body).toString(), 'first')
  give.enqueue(Buffer.from('second'))
  give.close()
  await turn()
  const names = { slot: 5, generation: 1, sequence: 1 }
  assert.deepEqual(engine.parts, [
    { ...names, part: 'second' },
    { ...names, part: undefined },
  ])
})

test('a response of the platform is taken', async () => {
  const { engine } = over(
    () => new globalThis.Response('theirs', { status: 201, headers: { 'x-a': 'b' } }),
  )
  assert.equal(engine.request(), undefined)
  while (engine.late.length === 0) await turn()
  assertAnswer(engine.late[0], { status: 201 })
  assert.match(engine.late[0].block, /x-a\0b\0/)
  assert.equal(Buffer.from(engine.late[0].body).toString(), 'theirs')
})

const failures = {
  'a throw': () => {
    throw new Error('secret')
  },
  'a throw of undefined': () => {
    throw undefined
  },
  'undefined returned': () => undefined,
  'null returned': () => null,
  'text returned': () => 'hello',
  'a plain object returned': () => ({ status: 200 }),
  'a rejection': async () => {
    throw new Error('secret')
  },
  'undefined resolved': async () => {},
  'a thenable that throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: what the case is about
    then() {
      throw new Error('secret')
    },
  }),
  'a body used before': async () => {
    const response = new Response('x')
    await response.text()
    return response
  },
  'Response.error()': () => Response.error(),
  'a promise whose constructor throws': () =>
    Object.defineProperty(Promise.resolve(new Response()), 'constructor', {
      get() {
        throw new Error('secret')
      },
    }),
  'a value whose then throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: what the case is about
    get then() {
      throw new Error('secret')
    },
  }),
}

for (const [name, handler] of Object.entries(failures)) {
  test(`${name} is a plain 500 that says nothing, and is reported`, async () => {
    const { engine, reported } = over(handler)
    const answer = engine.request()
    await turn()
    assertAnswer(answer ?? engine.late[0], plain500)
    assert.equal(engine.late.length, answer ? 0 : 1)
    assert.equal(reported.length, 1)
  })

  test(`${name} goes to the error hook first`, async () => {
    const asked = []
    const { engine, reported } = over(handler, {
      onError(error, request) {
        asked.push([error, request.url])
        return new Response('sorry', { status: 503 })
      },
    })
    const answer = engine.request('/x')
    await turn()
    assertAnswer(answer ?? engine.late[0], { status: 503, body: 'sorry' })
    assert.equal(asked.length, 1)
    assert.equal(asked[0][1], 'http://localhost/x')
    assert.equal(reported.length, 0)
  })
}

test('a native promise with a then that calls back at once is awaited', async () => {
  const { engine, reported } = over(() => {
    const promise = Promise.resolve(new Response('its value'))
    // biome-ignore lint/suspicious/noThenProperty: what the case is about
    promise.then = (resolve) => resolve(new Response('at once'))
    return promise
  })
  assert.equal(engine.request(), undefined)
  await turn()
  assertAnswer(engine.late[0], { status: 200, body: 'its value' })
  assert.equal(engine.late.length, 1)
  assert.deepEqual(reported, [])
})

test('a promise of a class of its own, and a thenable, are asked by their then', async () => {
  class Lazy extends Promise {
    // biome-ignore lint/suspicious/noThenProperty: what the case is about
    then(...reactions) {
      return Promise.resolve(new Response('lazy')).then(...reactions)
    }
  }
  const values = [
    new Lazy(() => {}),
    // biome-ignore lint/suspicious/noThenProperty: what the case is about
    { then: (resolve) => resolve(new Response('lazy')) },
  ]
  const { engine } = over(() => values.shift())
  assert.equal(engine.request(), undefined)
  assert.equal(engine.request(), undefined)
  await turn()
  assert.deepEqual(
    engine.late.map(({ body }) => body),
    ['lazy', 'lazy'],
  )
})

test('a promise that throws when it is looked at leaves no request behind', () => {
  let kept
  const { dispatcher, engine } = over((request) => {
    kept = request
    return failures['a promise whose constructor throws']()
  })
  assertAnswer(engine.request(), plain500)
  assert.equal(dispatcher.setTimeout(kept, 50), false)
  engine.gone(layout.GONE_CONNECTION_LOST)
  assert.equal(kept.signal.aborted, false)
})

test('what is no response is named', () => {
  const { engine, reported } = over(() => 'hello')
  engine.request()
  assert.ok(reported[0] instanceof BarewireError)
  assert.equal(reported[0].code, 'ERR_BAREWIRE_NOT_A_RESPONSE')
  assert.match(reported[0].message, /"hello"/)
})

test('a response used twice is a 500 the second time', () => {
  const response = new Response('once')
  const { engine, reported } = over(() => response)
  assertAnswer(engine.request(), { status: 200 })
  assertAnswer(engine.request('/', { sequence: 2 }), { status: 500 })
  assert.ok(reported[0] instanceof TypeError)
})

test('development puts the error into the answer, and only there', () => {
  const handler = () => {
    throw new Error('secret')
  }
  const { engine } = over(handler, { development: true })
  assert.match(engine.request().body, /^Error: secret\n {4}at /)
})

const failingHooks = {
  'a hook that throws': () => {
    throw new Error('second')
  },
  'a hook that rejects': async () => {
    throw new Error('second')
  },
  'a hook that gives no response': () => 'oops',
  'a hook that resolves with no response': async () => 'oops',
  'a hook whose response was used': async () => {
    const response = new Response('x')
    await response.text()
    return response
  },
}

for (const [name, onError] of Object.entries(failingHooks)) {
  test(`${name}: a plain 500, its own failure is reported`, async () => {
    const { engine, reported } = over(failures['a throw'], { onError })
    const answer = engine.request()
    await turn()
    assertAnswer(answer ?? engine.late[0], plain500)
    assert.equal(reported.length, 1)
    assert.notEqual(reported[0].message, 'secret')
  })
}

for (const [name, onError] of Object.entries({ 'at once': () => {}, later: async () => {} })) {
  test(`a hook that only logs, ${name}: the plain 500, nothing reported`, async () => {
    const { engine, reported } = over(failures['a throw'], { onError })
    const answer = engine.request()
    await turn()
    assertAnswer(answer ?? engine.late[0], plain500)
    assert.equal(reported.length, 0)
  })
}

test('a header block is remembered at its second sight and an id from then on', () => {
  const { engine } = over(() => new Response('x', { headers: { 'x-kind': 'same' } }))
  const ids = [1, 2, 3, 4].map((sequence) => engine.request('/', { sequence }).id)
  assert.deepEqual(ids, [1, 2, 2, 2])
  assert.equal(engine.remembered.length, 1)
})

test('no headers at all need no block', () => {
  const { engine } = over(() => new Response(null))
  assert.deepEqual([engine.request().id, engine.request().id], [0, 0])
})

test('blocks with Set-Cookie, and long ones, are never remembered', () => {
  const headers = [{ 'Set-Cookie': 'a=b' }, { 'set-cookie': 'a=b' }, { 'x-long': 'x'.repeat(600) }]
  for (const init of headers) {
    const { engine } = over(() => new Response('x', { headers: init }))
    for (let sequence = 1; sequence < 5; sequence++) {
      assert.equal(engine.request('/', { sequence }).id, layout.STAGED_BLOCK)
    }
  }
})

test('values that are new each time stay out, the table is bounded', () => {
  let count = 0
  let value = () => String(count++)
  const { engine } = over(() => new Response('x', { headers: { 'x-reflected': value() } }))
  for (let n = 0; n < 2000; n++) engine.request()
  assert.equal(engine.remembered.length, 0)
  value = () => String(count++ >> 1)
  for (let n = 0; n < 2000; n++) engine.request()
  assert.equal(engine.remembered.length, 256)
  const answer = engine.request()
  assert.equal(answer.id, layout.STAGED_BLOCK)
})

test('the body is taken as text, bytes or json by the handler', async () => {
  const { engine } = over(async (request) => new Response(await request.text()))
  engine.request('/', { method: 'POST', body: 'grüße' })
  await turn()
  assertAnswer(engine.late[0], { body: 'grüße' })
})

test('an empty body is a body', async () => {
  const bodies = []
  const { engine } = over(async (request) => {
    bodies.push(request.body !== null, await request.text())
    return new Response()
  })
  engine.request('/', { method: 'POST', body: '' })
  engine.request('/', { method: 'POST' })
  await turn()
  assert.deepEqual(bodies, [true, '', false, ''])
})

test('a body left unread leaves the engine before the answer does, and stays readable', async () => {
  let kept
  const { engine } = over((request) => {
    kept = request
    return new Response()
  })
  engine.request('/', { method: 'POST', body: 'later' })
  assert.equal(engine.bodiesLeft, 0)
  const first = kept
  engine.request('/', { method: 'POST', body: 'other', sequence: 2 })
  assert.equal(await first.text(), 'later')
  assert.equal(await kept.text(), 'other')
})

test('a body whose connection was lost rejects, the late answer does no harm', async () => {
  let respond
  let kept
  const { engine, reported } = over((request) => {
    kept = request
    return new Promise((resolve) => {
      respond = resolve
    })
  })
  engine.request('/', { method: 'POST', body: 'x' })
  engine.dropBodies()
  engine.gone(layout.GONE_CONNECTION_LOST)
  respond(new Response('late'))
  await turn()
  assertAnswer(engine.late[0], { status: 200, body: 'late' })
  assert.equal(reported.length, 0)
  await assert.rejects(kept.text(), { name: 'AbortError' })
})

const reasons = [
  [layout.GONE_CLIENT_CLOSED, 'AbortError', /client closed its side/],
  [layout.GONE_CONNECTION_LOST, 'AbortError', /connection .* lost/],
  [layout.GONE_TIMEOUT, 'TimeoutError', /time limit/],
  [layout.GONE_SERVER_CLOSED, 'AbortError', /server closed/],
  [layout.GONE_BAD_BODY, 'AbortError', /malformed, too large or cut short/],
]

for (const [reason, name, message] of reasons) {
  test(`the request's signal aborts: ${message.source}`, () => {
    let kept
    const { engine } = over((request) => {
      kept = request
      request.signal.addEventListener('abort', () => {})
      return new Promise(() => {})
    })
    engine.request()
    engine.gone(reason, { sequence: 2 })
    engine.gone(reason, { generation: 2 })
    engine.gone(reason, { slot: 2 })
    assert.equal(kept.signal.aborted, false)
    engine.gone(reason)
    assert.equal(kept.signal.aborted, true)
    assert.equal(kept.signal.reason.name, name)
    assert.match(kept.signal.reason.message, message)
  })
}

test('a signal that was not read before is aborted when it is', () => {
  let kept
  const { engine } = over((request) => {
    kept = request
    return new Promise(() => {})
  })
  engine.request()
  engine.gone(layout.GONE_TIMEOUT)
  assert.equal(kept.signal.aborted, true)
  assert.equal(kept.signal.reason.name, 'TimeoutError')
})

test('an answered request is not aborted by a later end of its connection', async () => {
  let kept
  const { engine } = over(async (request) => {
    kept = request
    return new Response()
  })
  engine.request()
  await turn()
  engine.gone(layout.GONE_CONNECTION_LOST)
  assert.equal(kept.signal.aborted, false)
})

test('an abandoned request does not hide its successor in the same slot', async () => {
  const requests = []
  const rejects = []
  const { engine } = over(
    (request) => {
      requests.push(request)
      return new Promise((_, reject) => rejects.push(reject))
    },
    { onError: () => new Promise(() => {}) },
  )
  engine.request('/old', { slot: 1, generation: 1 })
  engine.gone(layout.GONE_TIMEOUT, { slot: 1, generation: 1 })
  engine.request('/new', { slot: 1, generation: 2 })
  rejects[0](new Error('late'))
  await turn()
  engine.gone(layout.GONE_CONNECTION_LOST, { slot: 1, generation: 2 })
  assert.equal(requests[1].signal.aborted, true)
})

test('the time limit of a request is set by its names, while it is under way', async () => {
  const requests = []
  const { dispatcher, engine } = over((request) => {
    requests.push(request)
    return new Promise(() => {})
  })
  engine.request('/a', { slot: 1, generation: 5, sequence: 2 })
  engine.request('/b', { slot: 2, generation: 6, sequence: 3 })
  assert.equal(dispatcher.setTimeout(requests[0], 50), true)
  assert.equal(dispatcher.setTimeout(requests[1], 0), true)
  assert.deepEqual(engine.timeouts, [
    { slot: 1, generation: 5, sequence: 2, milliseconds: 50 },
    { slot: 2, generation: 6, sequence: 3, milliseconds: 0 },
  ])
  assert.equal(dispatcher.setTimeout(new Request('http://x/'), 50), false)
  assert.equal(dispatcher.setTimeout(requests[0].clone(), 50), false)
  assert.equal(over(() => {}).dispatcher.setTimeout(requests[0], 50), false, 'of another server')
})

test('a request that was answered or lost has no time limit any more', async () => {
  const requests = []
  const { dispatcher, engine } = over((request) => {
    requests.push(request)
    if (request.url.endsWith('/now')) return new Response()
    if (request.url.endsWith('/later')) return Promise.resolve(new Response())
    return new Promise(() => {})
  })
  engine.request('/now', { slot: 1 })
  engine.request('/later', { slot: 2 })
  engine.request('/lost', { slot: 3 })
  await turn()
  engine.gone(layout.GONE_CONNECTION_LOST, { slot: 3 })
  for (const request of requests) assert.equal(dispatcher.setTimeout(request, 50), false)
  assert.deepEqual(engine.timeouts, [])
})

test('setting the time limit inside the handler leaves its answer whole', () => {
  const { dispatcher, engine } = over((request) => {
    dispatcher.setTimeout(request, 50)
    return new Response('x')
  })
  assertAnswer(engine.request(), { status: 200, body: 'x' })
})

test('the peer is that of the connection, for all of its requests', () => {
  const peers = []
  const { engine } = over((_, peer) => {
    peers.push(peer)
    return new Response()
  })
  engine.request('/', { slot: 1, peer: { family: 4, words: [0x7f000001, 0, 0, 0], port: 5000 } })
  engine.request('/', { slot: 2, peer: { family: 6, words: [0, 0, 0, 1], port: 6000 } })
  engine.request('/', { slot: 1, sequence: 2 })
  assert.deepEqual(
    peers.map(({ address, port }) => [address, port]),
    [
      ['127.0.0.1', 5000],
      ['::1', 6000],
      ['127.0.0.1', 5000],
    ],
  )
  assert.equal(peers[0], peers[2])
})

test('async context: enterWith stays with its request, in a batch and after it', async () => {
  const storage = new AsyncLocalStorage()
  const seen = []
  const handler = async (request) => {
    seen.push(storage.getStore())
    storage.enterWith(new URL(request.url).pathname)
    await turn()
    seen.push(storage.getStore())
    return new Response()
  }
  const { engine } = storage.run('outside', () => over(handler))
  engine.request('/a', { slot: 1 })
  engine.request('/b', { slot: 2 })
  assert.equal(storage.getStore(), undefined)
  await turn()
  await turn()
  assert.deepEqual(seen, ['outside', 'outside', '/a', '/b'])
})

test('async context: the error hook runs in that of its request', async () => {
  const storage = new AsyncLocalStorage()
  const seen = []
  const { engine } = over(
    (request) => {
      storage.enterWith(new URL(request.url).pathname)
      if (request.url.endsWith('sync')) throw new Error()
      return Promise.reject(new Error())
    },
    {
      onError() {
        seen.push(storage.getStore())
        return new Response()
      },
    },
  )
  engine.request('/sync', { slot: 1 })
  engine.request('/async', { slot: 2 })
  await turn()
  assert.deepEqual(seen, ['/sync', '/async'])
})
