/** Every example starts, answers what it promises, and ends. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { printed, start } from './child.js'
import { sleep, until } from './raw.js'

/** What to ask each example; `ask` fetches a path of it. */
const examples = {
  'hello-world.js': async (ask) => {
    const response = await ask('/')
    assert.equal(response.status, 200)
    assert.equal(await response.text(), 'Hello, World!\n')
  },

  'json-api.js': async (ask) => {
    assert.deepEqual(await (await ask('/notes')).json(), [{ id: 1, text: 'buy milk' }])
    const post = (body) => ask('/notes', { method: 'POST', body })
    const created = await post('{"text":"call home"}')
    assert.equal(created.status, 201)
    assert.equal(created.headers.get('location'), '/notes/2')
    assert.deepEqual(await (await ask('/notes/2')).json(), { id: 2, text: 'call home' })
    assert.equal((await ask('/notes/1', { method: 'DELETE' })).status, 204)
    assert.equal((await ask('/notes/1')).status, 404)
    assert.equal((await post('{')).status, 400)
    assert.equal((await post('{}')).status, 422)
    assert.equal((await post(JSON.stringify({ text: 'x'.repeat(70_000) }))).status, 413)
    const refused = await ask('/notes', { method: 'PUT' })
    assert.equal(refused.status, 405)
    assert.equal(refused.headers.get('allow'), 'GET, POST')
  },

  'echo-body.js': async (ask) => {
    const body = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7)
    const headers = { 'content-type': 'image/png' }
    const response = await ask('/', { method: 'POST', body, headers })
    assert.equal(response.headers.get('content-type'), 'image/png')
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body)
    assert.equal((await ask('/')).status, 405)
  },

  'static.js': async (ask) => {
    const response = await ask('/notes.txt')
    assert.equal(await response.text(), 'A file.\n')
    assert.equal(response.headers.get('cache-control'), 'max-age=60')
    const headers = { 'if-none-match': response.headers.get('etag') }
    assert.equal((await ask('/notes.txt', { headers })).status, 304)
    assert.match(await (await ask('/')).text(), /^<!doctype html>/)
  },

  'service-worker.js': async (ask) => {
    assert.equal(await (await ask('/a')).text(), 'you asked for /a\n')
    assert.equal(await (await ask('/a')).text(), 'you asked for /a\n')
    let visits
    for (let tries = 0; tries < 100 && visits?.['/a'] !== 2; tries++) {
      await sleep(10)
      visits = await (await ask('/visits')).json()
    }
    assert.deepEqual(visits, { '/a': 2 })
  },

  'hono.js': async (ask) => {
    const response = await ask('/')
    assert.equal(await response.text(), 'Hello from Hono\n')
    assert.match(response.headers.get('server-timing'), /^app;dur=/)
    assert.deepEqual(await (await ask('/users/ada')).json(), { name: 'ada' })
    const sum = await ask('/sum', { method: 'POST', body: '[1,2,3]' })
    assert.deepEqual(await sum.json(), { sum: 6 })
    assert.equal(await (await ask('/later')).text(), 'done\n')
    assert.equal((await ask('/none')).status, 404)
  },

  'sse.js': async (ask) => {
    const abort = new AbortController()
    const headers = { 'last-event-id': '41' }
    const response = await ask('/events', { headers, signal: abort.signal })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (const id of [42, 43]) {
      const { value } = await reader.read()
      assert.match(value, new RegExp(`^id: ${id}\nevent: time\ndata: \\d{4}-.*Z\n\n$`))
    }
    const watching = async () => Number(await (await ask('/watching')).text())
    assert.equal(await watching(), 1)
    abort.abort()
    for (let tries = 0; tries < 100 && (await watching()) > 0; tries++) await sleep(20)
    assert.equal(await watching(), 0, 'the generator was ended')
    assert.equal((await ask('/')).status, 404)
  },

  'graceful-shutdown.js': async (ask, running) => {
    const answers = [ask('/'), ask('/')]
    await sleep(100)
    running.child.kill('SIGTERM')
    for (const answer of answers) assert.equal(await (await answer).text(), 'worth the wait\n')
    const [exitCode, signal] = await running.ended
    assert.deepEqual([exitCode, signal], [0, null])
    assert.match(running.stdout, /SIGTERM: closing\nclosed, 0 requests cut\n$/)
  },
}

describe('examples', () => {
  for (const [file, check] of Object.entries(examples)) {
    test(file, async (t) => {
      const running = start(t, '', { file: `examples/${file}`, env: { PORT: '0' } })
      const [, url] = await printed(running, /^listening on (http:\S+)\n/)
      await until('it says what to try', () => running.stdout.includes('try: curl '))
      await check((path, init) => fetch(url + path, init), running)
      assert.equal(running.stderr, '')
    })
  }

  test('none is left out', () => {
    const folder = new URL('../../examples/', import.meta.url)
    const files = readdirSync(folder).filter((name) => name.endsWith('.js'))
    assert.deepEqual(files.sort(), Object.keys(examples).sort())
  })
})
