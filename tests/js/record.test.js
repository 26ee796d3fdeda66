/** The two sides of the bridge agree: the record's layout, methods, and the default limits. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readOptions } from '../../lib/options.js'
import * as record from '../../lib/record.js'

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
