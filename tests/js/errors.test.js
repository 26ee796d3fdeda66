import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { BarewireError, CODES, isClientFault, nearest } from '../../lib/errors.js'

test('an error has its code, name, message and cause', () => {
  const cause = new Error('below')
  const error = new BarewireError(CODES.OPTION, 'port must be a number', { cause })
  assert.ok(error instanceof Error)
  assert.equal(error.code, 'ERR_BAREWIRE_OPTION')
  assert.equal(String(error), 'BarewireError: port must be a number')
  assert.match(error.stack, /^BarewireError: port must be a number\n {4}at /)
  assert.equal(error.cause, cause)
  assert.deepEqual(Object.keys(error), ['code'])
})

test('an error with a status is the fault of the client, nothing else is', () => {
  const error = new BarewireError(CODES.LIMIT, 'Too much.', { status: 413 })
  assert.equal(error.status, 413)
  assert.equal(isClientFault(error), true)
  assert.equal(new BarewireError(CODES.OPTION, 'text').status, undefined)
  const lookalike = Object.assign(new Error(), { name: 'BarewireError', status: 400 })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const other of [new BarewireError(CODES.OPTION, 'text'), lookalike, proxy, null, 'text']) {
    assert.equal(isClientFault(other), false)
  }
})

test('the types list every code and no other', () => {
  const types = readFileSync(new URL('../../index.d.ts', import.meta.url), 'utf8')
  const [union] = /type BarewireErrorCode =[^\n]*\n(?: {2}\| '.*'\n)+/.exec(types)
  assert.deepEqual(union.match(/ERR_[A-Z_]+/g).sort(), Object.values(CODES).sort())
})

const names = ['port', 'hostname', 'maxBodySize', 'maxHeaderSize', 'timeout', 'timeouts', 'error']
const near = [
  ['prot', 'port'],
  ['Port', 'port'],
  ['hostName', 'hostname'],
  ['maxbodysize', 'maxBodySize'],
  ['maxBodySise', 'maxBodySize'],
  ['maxBodySzie', 'maxBodySize'],
  ['maxHeadersSize', 'maxHeaderSize'],
  ['timout', 'timeout'],
  ['timeots', 'timeouts'],
  ['errors', 'error'],
  ['xy', undefined],
  ['', undefined],
  ['middleware', undefined],
  ['po', undefined],
]

for (const [given, meant] of near) {
  test(`nearest(${JSON.stringify(given)}) is ${meant}`, () => {
    assert.equal(nearest(given, names), meant)
  })
}
