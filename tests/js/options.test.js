import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AVAILABLE_CODINGS, CODINGS } from '../../lib/codings.js'
import { isPlain, readOptions } from '../../lib/options.js'

delete process.env.PORT

test('defaults', () => {
  assert.deepEqual(readOptions({}), {
    path: undefined,
    port: 3000,
    hostname: '0.0.0.0',
    reusePort: false,
    backlog: 8192,
    signal: undefined,
    fetch: undefined,
    error: undefined,
    development: false,
    maxBodySize: undefined,
    compression: false,
    native: {
      maxConnections: 65536,
      maxBodySize: 10485760,
      maxHeaderSize: 16384,
      maxFields: 100,
      maxRequestLine: 8192,
      maxPending: 16384,
      maxBufferedBytes: 268435456,
      timeout: 30000,
      headersTimeout: 15000,
      idleTimeout: 75000,
      bodyTimeout: 30000,
      sendTimeout: 30000,
    },
  })
})

test('undefined is not given', () => {
  const given = { port: undefined, timeouts: undefined, development: undefined, path: undefined }
  assert.deepEqual(readOptions({ ...given, timeouts: { idle: undefined } }), readOptions({}))
})

test('every limit can be set and switched off', () => {
  const { native } = readOptions({
    maxConnections: 1,
    maxBodySize: 0,
    maxHeaderSize: 2,
    maxFields: 3,
    maxRequestLine: 4,
    maxPending: 5,
    maxBufferedBytes: 2 ** 40,
    timeout: 0,
    timeouts: { headers: 6, idle: 7, body: 8, send: 9 },
  })
  assert.deepEqual(Object.values(native), [1, 0, 2, 3, 4, 5, 2 ** 40, 0, 6, 7, 8, 9])
})

test('compression is off, on, or on with options', () => {
  const usual = { codings: AVAILABLE_CODINGS, threshold: 1024 }
  assert.equal(readOptions({ compression: false }).compression, false)
  assert.deepEqual(readOptions({ compression: true }).compression, usual)
  assert.deepEqual(readOptions({ compression: { threshold: undefined } }).compression, usual)
  const chosen = { codings: ['gzip', 'br'], threshold: 0 }
  assert.deepEqual(readOptions({ compression: chosen }).compression, chosen)
})

test('a coding that this Node.js lacks is offered by nobody, and refused by name', () => {
  for (const coding of CODINGS) {
    const read = () => readOptions({ compression: { codings: [coding] } })
    if (AVAILABLE_CODINGS.includes(coding)) assert.deepEqual(read().compression.codings, [coding])
    else assert.throws(read, { code: 'ERR_BAREWIRE_OPTION', message: /zstd, which Node\.js v/ })
  }
})

test('host is an alias, brackets around an IPv6 address are taken off', () => {
  assert.equal(readOptions({ host: 'localhost' }).hostname, 'localhost')
  assert.equal(readOptions({ hostname: '[::1]' }).hostname, '::1')
})

test('the port may be decimal text, and comes from PORT when it is not given', () => {
  assert.equal(readOptions({ port: '8080' }).port, 8080)
  process.env.PORT = '4321'
  try {
    assert.equal(readOptions({}).port, 4321)
    assert.equal(readOptions({ port: 0 }).port, 0)
    process.env.PORT = ''
    assert.equal(readOptions({}).port, 3000)
    process.env.PORT = 'http'
    assert.throws(() => readOptions({}), {
      code: 'ERR_BAREWIRE_OPTION',
      message: /variable PORT must be an integer from 0 to 65535.*"http"/,
    })
  } finally {
    delete process.env.PORT
  }
})

const wrong = [
  [{ port: -1 }, /^port must be an integer from 0 to 65535 \(.*\), but -1 was given$/],
  [{ port: 65536 }, /port/],
  [{ port: 1.5 }, /1\.5/],
  [{ port: '80x' }, /"80x"/],
  [{ port: null }, /null/],
  [{ port: Number.NaN }, /NaN/],
  [{ hostname: '' }, /^hostname must be a string that is not empty, but "" was given$/],
  [{ hostname: 1 }, /hostname/],
  [{ host: true }, /host must be a string/],
  [{ host: 'a', hostname: 'b' }, /host is an alias of hostname/],
  [{ path: 'a\0b' }, /path/],
  [{ path: '/x', port: 1 }, /path .* and port/],
  [{ path: '/x', hostname: 'a' }, /path .* and hostname/],
  [{ reusePort: 'yes' }, /^reusePort must be true or false, but "yes" was given$/],
  [{ reusePort: null }, /reusePort/],
  [{ development: 1 }, /development/],
  [{ backlog: 0 }, /backlog must be an integer from 1/],
  [{ signal: {} }, /^signal must be an AbortSignal, but an object was given$/],
  [{ signal: null }, /signal/],
  [{ fetch: {} }, /^fetch must be a function/],
  [{ error: 'x' }, /^error must be a function/],
  [
    { maxBodySize: '1mb' },
    /^maxBodySize must be an integer from 0 to 4294967295 \(bytes, 0 is off\)/,
  ],
  [{ maxBodySize: Infinity }, /Infinity/],
  [{ maxHeaderSize: 0 }, /maxHeaderSize must be an integer from 1 to 1048576 \(bytes\)/],
  [{ maxFields: 1001 }, /maxFields must be an integer from 1 to 1000 \(header fields\)/],
  [{ timeout: 2 ** 31 }, /timeout must be an integer from 0 to 2147483647 \(milliseconds/],
  [{ compression: 'gzip' }, /^compression must be true, false or a plain object, but "gzip" was/],
  [{ compression: null }, /compression/],
  [{ compression: ['gzip'] }, /an array was given/],
  [{ compression: { threshold: -1 } }, /^compression\.threshold must be an integer from 0 to 429/],
  [{ compression: { codings: 'gzip' } }, /^compression\.codings must be an array of one or more/],
  [{ compression: { codings: [] } }, /one or more of zstd, br, gzip, each once/],
  [{ compression: { codings: ['deflate'] } }, /but "deflate" was given/],
  [{ compression: { codings: ['gzip', 'gzip'] } }, /each once, but "gzip" was given/],
  [{ compression: { codings: [undefined] } }, /undefined was given/],
  [{ timeouts: 5 }, /^timeouts must be a plain object, but 5 was given$/],
  [{ timeouts: { idle: '5s' } }, /^timeouts\.idle must be .* but "5s" was given$/],
]

for (const [options, message] of wrong) {
  test(`${JSON.stringify(options)} is refused`, () => {
    assert.throws(() => readOptions(options), {
      name: 'BarewireError',
      code: 'ERR_BAREWIRE_OPTION',
      message,
    })
  })
}

const unknown = [
  [{ prot: 1 }, 'unknown option prot: did you mean port?'],
  [{ hostName: 'x' }, 'unknown option hostName: did you mean hostname?'],
  [{ timeouts: { header: 1 } }, 'unknown option timeouts.header: did you mean timeouts.headers?'],
  [{ timeouts: { idleTimeout: 1 } }, /the options are headers, idle, body, send$/],
  [{ compresion: true }, 'unknown option compresion: did you mean compression?'],
  [{ compress: true }, /use compression: true/],
  [
    { compression: { treshold: 1 } },
    'unknown option compression.treshold: did you mean compression.threshold?',
  ],
  [{ compression: { level: 1 } }, /the options are codings, threshold$/],
  [{ idleTimeout: 10 }, /use timeouts\.idle, in milliseconds/],
  [{ maxRequestBodySize: 1 }, /use maxBodySize/],
  [{ middleware: [] }, /in the handler/],
  [{ tls: {} }, /TLS is not built in yet/],
  [{ cert: '' }, /TLS/],
  [{ key: '' }, /TLS/],
  [{ websocket: {} }, /WebSocket is not built in yet/],
  [{ routes: {} }, /router/],
  [{ static: {} }, /router/],
  [{ requestTimeout: 1 }, /timeouts\.headers/],
  [{ headersTimeout: 1 }, /timeouts\.headers/],
  [{ keepAliveTimeout: 1 }, /timeouts\.idle/],
  [{ onListen() {} }, /url/],
  [{ onError() {} }, /use error/],
  [{ unix: '/x' }, /use path/],
  [{ constructor: 1 }, /the options are port/],
  [{ somethingElse: 1 }, /the options are port, hostname/],
]

for (const [options, message] of unknown) {
  test(`unknown: ${JSON.stringify(options)}`, () => {
    assert.throws(() => readOptions(options), { code: 'ERR_BAREWIRE_UNKNOWN_OPTION', message })
  })
}

for (const [name, value] of Object.entries({
  null: null,
  array: [],
  number: 1,
  instance: new Date(),
})) {
  test(`${name} is no set of options`, () => {
    assert.throws(() => readOptions(value), { code: 'ERR_BAREWIRE_OPTION' })
  })
}

test('plain objects of any realm, and only those, are options', async () => {
  const vm = await import('node:vm')
  assert.ok(isPlain({}))
  assert.ok(isPlain(Object.create(null)))
  assert.ok(isPlain(vm.runInNewContext('({})')))
  assert.ok(!isPlain(new (class {})()))
  assert.ok(!isPlain(vm))
  assert.ok(!isPlain(await import('./fake-engine.js')))
  assert.ok(!isPlain([]))
  assert.ok(!isPlain(() => {}))
})
