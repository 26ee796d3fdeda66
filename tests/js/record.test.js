/** The two sides of the bridge agree: the record's layout, methods, and the default limits. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { addon } from '../../binding.js'
import { readOptions } from '../../lib/options.js'
import * as record from '../../lib/record.js'
import { Client } from './raw.js'

const rust = (path) => readFileSync(new URL(`../../src/${path}`, import.meta.url), 'utf8')

test('the words of the record and the flags', () => {
  const constants = rust('node/record.rs').matchAll(/^const ([A-Z_0-9]+): (?:usize|u32) = (\d+);/gm)
  const there = Object.fromEntries([...constants].map(([, name, value]) => [name, Number(value)]))
  const ours = Object.entries(record)
  assert.ok(Object.keys(there).length >= 21)
  for (const [name, value] of Object.entries(there)) {
    assert.equal(Object.fromEntries(ours)[name], value, name)
  }
})

test('the engine says where the fields lie, or only how many there are', async (t) => {
  const { FIELD_COUNT, MOST_PLACES, PLACES } = record
  const fields = (count) => Array.from({ length: count }, (_, index) => [`n${index}`, `v ${index}`])
  const heads = [0, 1, 3, MOST_PLACES - 1, MOST_PLACES].map((count) => [
    ['Host', 'a'],
    ...fields(count),
  ])
  const asked = []
  const dispatch = (head) => {
    const words = engine.record.slice(PLACES)
    const count = engine.record[FIELD_COUNT]
    const cut = (at) => head.slice(words[at], words[at + 1])
    const places = Array.from({ length: Math.min(count, MOST_PLACES) }, (_, index) => index * 4)
    asked.push({ count, found: places.map((at) => [cut(at), cut(at + 2)]) })
    engine.record[record.STATUS] = 204
    engine.record[record.BLOCK] = record.NO_BLOCK
    engine.record[record.KIND] = record.EMPTY
  }
  const nothing = () => {}
  const { Engine } = addon()
  const engine = new Engine(readOptions({}).native, dispatch, nothing, nothing, undefined)
  assert.equal(engine.record.length, PLACES + 4 * MOST_PLACES)
  const client = await Client.connect({ port: engine.listen('127.0.0.1', 0, false, 16) })
  t.after(() => engine.close(1))
  for (const lines of heads) {
    const text = lines.map(([name, value]) => `${name}:  ${value} \r\n`).join('')
    client.send(`GET / HTTP/1.1\r\n${text}\r\n`)
    assert.equal((await client.response()).status, 204)
    const { count, found } = asked.at(-1)
    assert.equal(count, lines.length)
    if (count <= MOST_PLACES) assert.deepEqual(found, lines)
    // Those of the request before: nothing was written.
    else assert.deepEqual(found, heads.at(-2))
  }
  client.destroy()
})

test('the methods', () => {
  const [, body] = /pub enum Method \{([^}]*)\}/.exec(rust('wire/head.rs'))
  const names = [...body.matchAll(/^ {4}(\w+)/gm)].map(([, name]) => name.toUpperCase())
  assert.deepEqual(names, ['OTHER', ...record.METHODS.slice(1)])
})

test('why a request is gone', () => {
  const [, body] = /pub enum Gone \{([^}]*)\}/.exec(rust('net/app.rs'))
  const reasons = [...body.matchAll(/^ {4}(\w+) = (\d+)/gm)].map(([, name, value]) => [
    name,
    +value,
  ])
  assert.deepEqual(reasons, [
    ['ClientClosed', record.GONE_CLIENT_CLOSED],
    ['Lost', record.GONE_CONNECTION_LOST],
    ['Timeout', record.GONE_TIMEOUT],
    ['Cut', record.GONE_SERVER_CLOSED],
    ['BadBody', record.GONE_BAD_BODY],
  ])
})

test('the default limits', () => {
  const source = rust('limits.rs')
  const limit = (name) => {
    const [, value] = new RegExp(`pub const ${name}: \\w+ = ([^;]+);`).exec(source)
    return value
      .replaceAll('_', '')
      .split('*')
      .reduce((product, factor) => product * Number(factor), 1)
  }
  assert.deepEqual(readOptions({}).native, {
    maxConnections: limit('CONNECTIONS'),
    maxBodySize: limit('BODY_SIZE'),
    maxHeaderSize: limit('HEADER_SIZE'),
    maxFields: limit('FIELDS'),
    maxRequestLine: limit('REQUEST_LINE'),
    maxPending: limit('PENDING'),
    maxBufferedBytes: limit('BUFFERED_BYTES'),
    timeout: limit('HANDLER_TIMEOUT'),
    headersTimeout: limit('HEADERS_TIMEOUT'),
    idleTimeout: limit('IDLE_TIMEOUT'),
    bodyTimeout: limit('BODY_TIMEOUT'),
    sendTimeout: limit('SEND_TIMEOUT'),
  })
  const { maxHeaderSize, maxFields } = {
    maxHeaderSize: limit('HEADER_SIZE_MAX'),
    maxFields: limit('FIELDS_MAX'),
  }
  assert.doesNotThrow(() =>
    readOptions({ maxHeaderSize, maxRequestLine: maxHeaderSize, maxFields }),
  )
  assert.throws(() => readOptions({ maxHeaderSize: maxHeaderSize + 1 }))
  assert.throws(() => readOptions({ maxFields: maxFields + 1 }))
})
