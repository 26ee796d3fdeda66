import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchEvent, Response, Server } from 'barewire'
import { turn } from './fake-engine.js'

/** A server with these listeners; what fails goes into `errors`. */
function listening(...listeners) {
  const errors = []
  const server = new Server({
    error(error) {
      errors.push(error)
      return new Response('failed', { status: 500 })
    },
  })
  for (const listener of listeners) server.addEventListener('fetch', listener)
  return { server, errors }
}

const invalidState = { name: 'InvalidStateError', constructor: DOMException }

test('respondWith answers, with a response or a promise of one', async () => {
  for (const answer of [() => new Response('ok'), async () => new Response('ok')]) {
    const { server } = listening((event) => event.respondWith(answer()))
    assert.equal(await (await server.fetch('/')).text(), 'ok')
  }
})

test('an event has its request, its type and the context', async () => {
  const { server, errors } = listening(function (event) {
    assert.equal(this, server)
    assert.equal(event.server, server)
    assert.equal(event.type, 'fetch')
    assert.equal(new URL(event.request.url).pathname, '/path')
    assert.equal(event.clientAddress, '')
    assert.equal(event.clientPort, 0)
    assert.ok(event instanceof FetchEvent)
    event.respondWith(new Response('ok'))
  })
  assert.equal((await server.fetch('/path')).status, 200)
  assert.deepEqual(errors, [])
})

test('a second respondWith throws, the first answer stands', async () => {
  let caught
  const { server } = listening((event) => {
    event.respondWith(new Response('first'))
    try {
      event.respondWith(new Response('second'))
    } catch (error) {
      caught = error
    }
  })
  assert.equal(await (await server.fetch('/')).text(), 'first')
  assert.ok(caught instanceof DOMException)
  assert.equal(caught.name, 'InvalidStateError')
})

test('what a listener throws after its answer is reported, the answer stands', async () => {
  const { server, errors } = listening((event) => {
    event.respondWith(new Response('first'))
    throw new Error('after')
  })
  assert.equal(await (await server.fetch('/')).text(), 'first')
  await turn()
  assert.deepEqual(errors.map(String), ['Error: after'])
})

test('what an async listener rejects with after its answer is reported', async () => {
  for (const wait of [undefined, turn()]) {
    const { server, errors } = listening(async (event) => {
      await wait
      event.respondWith(new Response('first'))
      await turn()
      throw new Error('after')
    })
    assert.equal(await (await server.fetch('/')).text(), 'first')
    await turn()
    await turn()
    assert.deepEqual(errors.map(String), ['Error: after'])
  }
})

test('a listener that never answers: an error at once', async () => {
  const { server, errors } = listening(() => {})
  assert.equal((await server.fetch('/')).status, 500)
  assert.equal(errors[0].code, 'ERR_BAREWIRE_NO_RESPONSE')
})

test('listeners are asked in order, until one answers', async () => {
  const asked = []
  const { server } = listening(
    () => void asked.push(1),
    async () => {
      await turn()
      asked.push(2)
    },
    (event) => {
      asked.push(3)
      event.respondWith(new Response('third'))
    },
    () => void asked.push(4),
  )
  assert.equal(await (await server.fetch('/')).text(), 'third')
  assert.deepEqual(asked, [1, 2, 3])
})

test('a listener may read the body first', async () => {
  const { server } = listening(async (event) => {
    const text = await event.request.text()
    event.respondWith(new Response(text.toUpperCase()))
  })
  const response = await server.fetch('/', { method: 'POST', body: 'loud' })
  assert.equal(await response.text(), 'LOUD')
})

test('an async listener answers when it calls respondWith, not when it ends', async () => {
  const { server } = listening(async (event) => {
    await turn()
    event.respondWith(new Response('early'))
    await new Promise(() => {})
  })
  assert.equal(await (await server.fetch('/')).text(), 'early')
})

test('respondWith after the event ended throws', async () => {
  let kept
  const { server } = listening((event) => {
    kept = event
  })
  assert.equal((await server.fetch('/')).status, 500)
  assert.throws(() => kept.respondWith(new Response()), invalidState)
})

test('respondWith after its listener had failed throws', async () => {
  let kept
  for (const fail of [
    (event) => {
      kept = event
      throw new Error('early')
    },
    async (event) => {
      kept = event
      throw new Error('early')
    },
  ]) {
    const { server, errors } = listening(fail, (event) => event.respondWith(new Response('no')))
    assert.equal((await server.fetch('/')).status, 500)
    assert.deepEqual(errors.map(String), ['Error: early'])
    assert.throws(() => kept.respondWith(new Response()), invalidState)
  }
})

test('a rejected promise given to respondWith is a 500', async () => {
  const { server, errors } = listening((event) => event.respondWith(Promise.reject(new Error('x'))))
  assert.equal((await server.fetch('/')).status, 500)
  assert.deepEqual(errors.map(String), ['Error: x'])
})

test('the fetch option gets what listeners leave', async () => {
  const server = new Server({ fetch: (_, event) => new Response(event.type) })
  server.addEventListener('fetch', (event) => {
    if (event.request.url.endsWith('/mine')) event.respondWith(new Response('listener'))
  })
  assert.equal(await (await server.fetch('/mine')).text(), 'listener')
  assert.equal(await (await server.fetch('/other')).text(), 'fetch')
})

test('adding twice counts once, a removed listener is not asked', async () => {
  let count = 0
  const listener = () => void count++
  const { server } = listening(listener, listener)
  await server.fetch('/')
  assert.equal(count, 1)
  server.removeEventListener('fetch', listener)
  await server.fetch('/')
  assert.equal(count, 1)
})

test('other events, and what is no function, are refused', () => {
  const server = new Server()
  assert.throws(() => server.addEventListener('request', () => {}), {
    code: 'ERR_BAREWIRE_OPTION',
  })
  assert.throws(() => server.addEventListener('fetch', {}), { code: 'ERR_BAREWIRE_HANDLER' })
  assert.throws(() => server.removeEventListener('fetch', null), { code: 'ERR_BAREWIRE_HANDLER' })
})
