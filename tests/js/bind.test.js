import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bind, bindByName } from '../../lib/bind.js'
import { readOptions } from '../../lib/options.js'
import { systemError } from './fake-engine.js'

const directory = mkdtempSync(join(tmpdir(), 'barewire-bind-'))
after(() => rmSync(directory, { recursive: true }))

/** Engines that bind what `allows` lets them; the port 0 becomes one that counts up. */
function engines(allows = () => undefined) {
  const opened = []
  const open = () => {
    const engine = {
      bound: [],
      isClosed: false,
      listen(address, port, reusePort, backlog) {
        const actual = port || 40000 + opened.length
        const code = allows(address, actual)
        if (code !== undefined) throw systemError(code)
        this.bound.push(`${address} ${actual} ${reusePort} ${backlog}`)
        return actual
      },
      listenUnix(path) {
        const code = allows(path)
        if (code !== undefined) throw systemError(code)
        this.bound.push(path)
      },
      close(timeout) {
        assert.equal(timeout, 0)
        this.isClosed = true
      },
    }
    opened.push(engine)
    return { engine }
  }
  return { open, opened }
}

test('a literal binds with the options as they are', () => {
  const { open, opened } = engines()
  const options = readOptions({ hostname: '::1', port: 80, reusePort: true, backlog: 5 })
  const { port, dispatcher } = bind(open, options)
  assert.equal(port, 80)
  assert.equal(dispatcher.engine, opened[0])
  assert.deepEqual(opened[0].bound, ['::1 80 true 5'])
})

test('localhost is both loopback addresses on one port', () => {
  const { open, opened } = engines()
  assert.equal(bind(open, readOptions({ hostname: 'LocalHost', port: 0 })).port, 40001)
  assert.deepEqual(opened[0].bound, ['127.0.0.1 40001 false 8192', '::1 40001 false 8192'])
})

for (const code of ['EADDRNOTAVAIL', 'EAFNOSUPPORT']) {
  test(`localhost without IPv6 (${code}) is 127.0.0.1`, () => {
    const { open, opened } = engines((address) => (address === '::1' ? code : undefined))
    bind(open, readOptions({ hostname: 'localhost', port: 81 }))
    assert.deepEqual(opened[0].bound, ['127.0.0.1 81 false 8192'])
    assert.equal(opened[0].isClosed, false)
  })
}

test('localhost with port 0 tries another port when the second family has it taken', () => {
  const { open, opened } = engines((address, port) =>
    address === '::1' && port < 40003 ? 'EADDRINUSE' : undefined,
  )
  assert.equal(bind(open, readOptions({ hostname: 'localhost', port: 0 })).port, 40003)
  assert.deepEqual(
    opened.map((engine) => engine.isClosed),
    [true, true, false],
  )
})

test('it gives up after a few', () => {
  const { open, opened } = engines((address) => (address === '::1' ? 'EADDRINUSE' : undefined))
  assert.throws(() => bind(open, readOptions({ hostname: 'localhost', port: 0 })), {
    code: 'EADDRINUSE',
  })
  assert.equal(opened.length, 10)
  assert.ok(opened.every((engine) => engine.isClosed))
})

test('a port that was asked for is not tried again', () => {
  const { open, opened } = engines(() => 'EADDRINUSE')
  assert.throws(() => bind(open, readOptions({ hostname: 'localhost', port: 80 })))
  assert.equal(opened.length, 1)
})

test('a name needs listen()', () => {
  const { open, opened } = engines()
  assert.throws(() => bind(open, readOptions({ hostname: 'example.test' })), {
    code: 'ERR_BAREWIRE_HOSTNAME',
    message: /"example\.test".*listen\(\)/,
  })
  assert.equal(opened.length, 0)
})

test('a name that does not exist has the error of the look-up', async () => {
  const { open } = engines()
  await assert.rejects(bindByName(open, readOptions({ hostname: 'name.invalid' })), {
    syscall: 'getaddrinfo',
  })
})

test('literals, localhost and paths need no look-up', async () => {
  const { open, opened } = engines()
  assert.equal((await bindByName(open, readOptions({ hostname: '127.0.0.1', port: 5 }))).port, 5)
  assert.equal((await bindByName(open, readOptions({ path: '/tmp/x' }))).port, 0)
  assert.deepEqual(opened[1].bound, ['/tmp/x'])
})

/** What `net.Server` says when something else has what it wants. */
async function errorOfNode(...wanted) {
  const [first, second] = [createServer(), createServer()]
  await new Promise((resolve) => first.listen(...wanted, resolve))
  const address = first.address()
  const again = typeof address === 'string' ? [address] : [address.port, address.address]
  const error = await new Promise((resolve) => second.once('error', resolve).listen(...again))
  first.close()
  return error
}

const sameAsNode = [
  ['IPv4', [0, '127.0.0.1'], (error) => ({ hostname: error.address, port: error.port })],
  ['IPv6', [0, '::1'], (error) => ({ hostname: error.address, port: error.port })],
  ['a unix socket', [join(directory, 'socket')], (error) => ({ path: error.address })],
]

for (const [name, wanted, options] of sameAsNode) {
  test(`a bind error has the shape of Node's own: ${name}`, async () => {
    const expected = await errorOfNode(...wanted)
    const { open } = engines(() => expected.code)
    assert.throws(
      () => bind(open, readOptions(options(expected))),
      (error) => {
        assert.ok(error instanceof Error)
        assert.equal(error.message, expected.message)
        for (const key of Object.keys(expected)) assert.equal(error[key], expected[key], key)
        return true
      },
    )
  })
}

test('an error without a code of the system is passed on', () => {
  const own = new Error('own')
  const open = () => ({
    engine: {
      listen() {
        throw own
      },
      close() {},
    },
  })
  assert.throws(
    () => bind(open, readOptions({})),
    (error) => error === own,
  )
})
