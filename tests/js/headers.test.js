import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { blockOf, Headers, headersFromBlock } from '../../lib/headers.js'
import { incoming } from './incoming.js'

const LINES = [
  'GET / HTTP/1.1',
  'Host: example.com',
  'X-Many: a',
  'cookie: a=1',
  'x-many:b',
  'COOKIE: b=2',
  'X-Empty:',
  'X-Spaces: \t in  between \t ',
  'X-Latin: caf\xe9',
]

test('a field of an incoming request is found in any case', () => {
  const { headers } = incoming(LINES)
  assert.equal(headers.get('host'), 'example.com')
  assert.equal(headers.get('HOST'), 'example.com')
  assert.equal(headers.get('ost'), null)
  assert.equal(headers.get('x-man'), null)
  assert.equal(headers.has('X-Empty'), true)
  assert.equal(headers.has('X-Missing'), false)
})

test('values lose the white space around them, not within', () => {
  const { headers } = incoming(LINES)
  assert.equal(headers.get('x-spaces'), 'in  between')
  assert.equal(headers.get('x-empty'), '')
  assert.equal(headers.get('x-latin'), 'caf\xe9')
})

test('lines of one name join by a comma, cookies by a semicolon', () => {
  const { headers } = incoming(LINES)
  assert.equal(headers.get('x-many'), 'a, b')
  assert.equal(headers.get('cookie'), 'a=1; b=2')
  assert.deepEqual(
    [...headers.keys()],
    ['cookie', 'host', 'x-empty', 'x-latin', 'x-many', 'x-spaces'],
  )
})

test('a field is the same before and after the head was cut', () => {
  const names = ['host', 'x-many', 'cookie', 'x-empty', 'x-spaces', 'x-latin', 'x-missing']
  const { headers } = incoming(LINES)
  const before = names.map((name) => [headers.get(name), headers.has(name)])
  headers.forEach(() => {})
  assert.deepEqual(
    names.map((name) => [headers.get(name), headers.has(name)]),
    before,
  )
})

test('a name with a caret is not taken for one with a tilde', () => {
  const { headers } = incoming(['GET / HTTP/1.1', 'a^: 1'])
  assert.equal(headers.get('a~'), null)
  assert.equal(headers.get('A^'), '1')
})

test('a request without fields has no headers', () => {
  const { headers } = incoming(['GET / HTTP/1.0'])
  assert.equal(headers.get('host'), null)
  assert.deepEqual([...headers], [])
})

test('headers of an incoming request can be changed, the head stays as it was sent', () => {
  const request = incoming(LINES)
  request.headers.set('x-many', 'c')
  request.headers.delete('cookie')
  assert.equal(request.headers.get('x-many'), 'c')
  assert.equal(request.headers.has('cookie'), false)
  assert.deepEqual(request.rawHeaders[1], ['X-Many', 'a'])
})

test('a copy of uncut headers is independent', () => {
  const { headers } = incoming(LINES)
  const copy = new Headers(headers)
  copy.set('host', 'other')
  assert.equal(headers.get('host'), 'example.com')
  assert.equal(new Headers(copy).get('host'), 'other')
})

test('immutable headers refuse changes with a hint, after the name and the value are checked', () => {
  const headers = headersFromBlock('a\0b\0', true)
  assert.throws(() => headers.append('c', 'd'), { name: 'TypeError', message: /new Headers/ })
  assert.throws(() => headers.set('a', 'd'), TypeError)
  assert.throws(() => headers.delete('a'), TypeError)
  assert.throws(() => headers.append('c d', 'e'), { message: /not a valid header name/ })
  new Headers(headers).set('a', 'c')
  assert.equal(headers.get('a'), 'b')
})

test('the header block has every field in order, with several set-cookie apart', () => {
  const headers = new Headers([
    ['Set-Cookie', 'a=1'],
    ['X-A', 'b'],
    ['set-cookie', 'c=2'],
    ['x-a', 'd'],
    ['x-empty', ''],
  ])
  const block = 'set-cookie\0a=1\0x-a\0b\0set-cookie\0c=2\0x-a\0d\0x-empty\0\0'
  assert.equal(blockOf(headers), block)
  assert.deepEqual([...headersFromBlock(block, false)], [...headers])
  assert.equal(blockOf(new Headers()), '')
  assert.deepEqual([...headersFromBlock('', false)], [])
})

test('the table of known names takes no more than its share', () => {
  for (let index = 0; index < 2000; index++) {
    assert.equal(new Headers({ [`X-Name-${index}`]: '1' }).get(`x-name-${index}`), '1')
  }
})

test('no field name finds what every object has', () => {
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
    assert.equal(new Headers().get(name), null)
    assert.equal(new Headers([[name, 'mine']]).get(name), 'mine')
  }
})

test('console.log shows the fields', () => {
  const headers = new Headers([
    ['a', 'b'],
    ['set-cookie', 'c'],
    ['set-cookie', 'd'],
  ])
  assert.equal(inspect(headers), "Headers { a: 'b', 'set-cookie': [ 'c', 'd' ] }")
})
