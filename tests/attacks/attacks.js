/**
 * The attacks: each is what one client of many does on one connection, and the options of the
 * server that it is done to. A client that was cut comes again. Knows nothing of what is measured.
 */

const FIELD = 'Host: a\r\n'
const get = (target) => `GET ${target} HTTP/1.1\r\n${FIELD}\r\n`
const post = (target, framing) => `POST ${target} HTTP/1.1\r\n${FIELD}${framing}\r\n\r\n`
const drip = (client, begin, piece = 'y') => {
  client.send(begin)
  client.every(100, () => client.send(piece))
}
const flood = (client, begin, piece) => {
  client.send(begin)
  client.pour(() => piece)
}

/** Short clocks, so that all of them strike within an attack. */
const clocks = { timeouts: { headers: 1000, body: 1000, send: 1000, idle: 1000 }, timeout: 2000 }

/**
 * @typedef {object} Attack
 * @property {object} [options] of the server
 * @property {number} [descriptors] that its process may have
 * @property {number} [held] MiB that each client may make the server hold, as it was told to
 * @property {boolean} [isWork] whether it is work that is done for them, so that others wait in line
 * @property {boolean} [isFull] whether new connections have to wait while it lasts
 * @property {(client: import('./client.js').Attacker) => void} begin
 */

/** @type {Record<string, Attack>} */
export const attacks = {
  'slow heads': {
    options: clocks,
    begin: (client) => drip(client, 'GET / HTTP/1.1\r\nX: '),
  },
  'slow bodies': {
    options: clocks,
    begin: (client) => drip(client, post('/echo', 'Content-Length: 100000')),
  },
  'slow bodies in chunks that nobody reads': {
    options: clocks,
    begin: (client) => drip(client, post('/unread', 'Transfer-Encoding: chunked'), '1\r\ny\r\n'),
  },
  'slow readers': {
    options: clocks,
    // The answer, which the handler gave whole.
    held: 1,
    begin(client) {
      client.stopReading()
      client.send(get('/large'))
    },
  },
  'idle connections': {
    options: clocks,
    begin: (client) => client.send(get('/')),
  },
  'more connections than there may be': {
    options: { maxConnections: 100 },
    isFull: true,
    begin: (client) => client.every(50, () => client.send(get('/'))),
  },
  'more connections than descriptors': {
    descriptors: 128,
    isFull: true,
    begin: (client) => client.every(50, () => client.send(get('/'))),
  },
  'heads without an end': {
    begin: (client) => flood(client, 'GET / HTTP/1.1\r\n', `X: ${'y'.repeat(1000)}\r\n`),
  },
  'request lines without an end': {
    begin: (client) => flood(client, 'GET /', 'y'.repeat(1000)),
  },
  'chunk extensions without an end': {
    begin: (client) =>
      flood(client, post('/echo', 'Transfer-Encoding: chunked'), `1;${'y'.repeat(500)}\r\ny\r\n`),
  },
  'trailers without an end': {
    begin: (client) =>
      flood(
        client,
        `${post('/echo', 'Transfer-Encoding: chunked')}0\r\n`,
        `X: ${'y'.repeat(99)}\r\n`,
      ),
  },
  'pipelines whose answers nobody reads': {
    options: clocks,
    // What was read with the last request.
    held: 0.0625,
    isWork: true,
    begin(client) {
      client.stopReading()
      client.pour(() => get('/').repeat(100))
    },
  },
  'resets at random points': {
    begin(client) {
      const bytes = `${get('/')}${post('/echo', 'Content-Length: 5')}hello${get('/large')}`
      client.send(bytes.slice(0, client.random(bytes.length + 1)))
      client.after(client.random(20), () => client.reset())
    },
  },
  'a handler that fails': {
    begin(client) {
      client.every(200, () => client.send(get('/throw')))
    },
  },
  'bodies that fill the memory for bodies': {
    options: { ...clocks, maxBufferedBytes: 4 << 20 },
    begin: (client) => drip(client, post('/echo', 'Content-Length: 200000') + 'y'.repeat(100_000)),
  },
  'fields that are reflected': {
    begin(client) {
      client.every(200, () => {
        const value = `v${client.random(2 ** 31)}`
        client.send(get('/reflect').replace(FIELD, `${FIELD}X-Value: ${value}\r\n`).repeat(4))
      })
    },
  },
}
