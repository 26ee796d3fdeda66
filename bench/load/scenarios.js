/**
 * The table of scenarios: what the generator sends and the one right answer. Servers and checks
 * both read it; how a server comes to the answer is its own business. A new row needs a handler of
 * its name in each program that `servers.js` gives it to.
 */

/**
 * @typedef {object} Scenario
 * @property {string} title as tables call it
 * @property {'load' | 'idle' | 'startup'} kind how it is measured
 * @property {string} handler what the servers are told to run
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} headers besides Host and Content-Length
 * @property {number} bodyLength of the request, in bytes; 0 for none
 * @property {number} pipeline requests that the generator sends at once
 * @property {number} [connections] where it isn't for the options to say
 * @property {'oha'} [generator] where it isn't wrk
 * @property {{ name: string, size: number }} [file] that the path names
 * @property {boolean} isStream whether the answer has no declared length
 * @property {{ status: number, type: string, body: string }} answer
 */

/** What a browser behind a proxy sends, all of it read by the handler of `headers`. */
const FIELDS = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-encoding': 'gzip, deflate, br',
  'accept-language': 'en-GB,en;q=0.7,de;q=0.3',
  authorization: 'Bearer 6fd8d272375cf6cd5d4e3a3b0dba7a1a',
  'cache-control': 'max-age=0',
  cookie: 'session=5bd1c6a2b7f04a2f; theme=dark',
  'if-none-match': '"33a64df551425fcc55e4d42a148795d9f25f89d4"',
  referer: 'https://example.com/articles/42?page=3',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'x-request-id': 'c0ffee00-4c1d-4f5e-9a63-1f8a6c6e0b42',
}

export const READ_FIELDS = Object.keys(FIELDS)

const lengthOfFields = Object.values(FIELDS).reduce((sum, { length }) => sum + length, 0)

const KIB = 1024
const MIB = 1024 * KIB

/** The byte that bodies and files consist of. */
export const FILLER = 'x'

/** The streamed answer: so many chunks of so many bytes. */
export const STREAM = { chunks: 64, size: 16 * KIB }

const BYTES = 'application/octet-stream'

const json = { status: 200, type: 'application/json', body: '{"hello":"world"}' }

/** @param {string} body */
const text = (body) => ({ status: 200, type: 'text/plain;charset=UTF-8', body })

/** @param {number} size */
const bytes = (size) => ({ status: 200, type: BYTES, body: FILLER.repeat(size) })

/** @type {Omit<Scenario, 'title' | 'handler' | 'answer'>} */
const GET = {
  kind: 'load',
  method: 'GET',
  path: '/',
  headers: {},
  bodyLength: 0,
  pipeline: 1,
  isStream: false,
}

/** @param {number} size */
const post = (size) => ({
  ...GET,
  method: 'POST',
  handler: 'echo',
  headers: { 'content-type': BYTES },
  bodyLength: size,
  answer: bytes(size),
})

/**
 * @param {string} name
 * @param {number} size
 */
const file = (name, size) => ({
  ...GET,
  handler: 'file',
  path: `/${name}`,
  file: { name, size },
  answer: bytes(size),
})

/** The JSON hello, asked for in another way. */
const hello = { ...GET, handler: 'json', answer: json }

const echo = { ...post(KIB), title: 'echo of 1 KiB' }
const echo100k = { ...post(100 * KIB), title: 'echo of 100 KiB' }
const file10k = { ...file('10k.bin', 10 * KIB), title: 'file of 10 KiB' }

const database = {
  ...GET,
  title: 'reading a row of a database',
  handler: 'database',
  answer: { ...json, body: '{"id":42,"name":"item 42"}' },
}

/**
 * The same by the other generator.
 * @template {{ title: string }} T
 * @param {T} scenario
 */
const byOha = (scenario) => ({
  ...scenario,
  title: `${scenario.title}, by oha`,
  generator: /** @type {const} */ ('oha'),
  connections: 100,
})

/** @type {Record<string, Scenario>} in the order of the tables */
export const scenarios = {
  json: { ...hello, title: 'JSON hello' },
  text: { ...GET, title: 'text hello', handler: 'text', answer: text('Hello, World!') },
  user: {
    ...GET,
    title: 'parameter in the path',
    handler: 'user',
    path: '/user/42',
    answer: text('42'),
  },
  headers: {
    ...GET,
    title: 'reading 10 header fields',
    handler: 'headers',
    headers: FIELDS,
    answer: text(`${lengthOfFields}`),
  },
  async: { ...GET, title: 'JSON hello after an await', handler: 'async', answer: json },
  echo,
  echo100k,
  file10k,
  file10m: { ...file('10m.bin', 10 * MIB), title: 'file of 10 MiB', connections: 8 },
  stream: {
    ...GET,
    title: 'stream of 1 MiB in chunks of 16 KiB',
    handler: 'stream',
    connections: 8,
    isStream: true,
    answer: bytes(STREAM.chunks * STREAM.size),
  },
  database,
  proxy: { ...hello, title: 'JSON hello through a proxy', handler: 'proxy' },
  json1: { ...hello, title: 'JSON hello, 1 connection', connections: 1 },
  json512: { ...hello, title: 'JSON hello, 512 connections', connections: 512 },
  pipeline: { ...hello, title: 'JSON hello, 16 pipelined', pipeline: 16 },
  short: {
    ...hello,
    title: 'JSON hello, a connection for each',
    headers: { connection: 'close' },
  },
  'oha-json': byOha({ ...hello, title: 'JSON hello' }),
  'oha-echo': byOha(echo),
  'oha-echo100k': byOha(echo100k),
  'oha-file10k': byOha(file10k),
  'oha-database': byOha(database),
  idle: { ...hello, title: '10,000 idle connections', kind: 'idle', connections: 10_000 },
  startup: { ...hello, title: 'from the start to the first answer', kind: 'startup' },
}
