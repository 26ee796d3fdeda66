/**
 * The table of scenarios: what the generator sends and the one right answer. Servers and checks
 * both read it; how a server comes to the answer is its own business. A new row needs a handler of
 * its name in each program of `servers/`.
 */

/**
 * @typedef {object} Scenario
 * @property {string} title as tables call it
 * @property {string} method
 * @property {Record<string, string>} headers besides Host and Content-Length
 * @property {number} bodyLength of the request, in bytes; 0 for none
 * @property {{ status: number, type: string, body: string }} answer
 * @property {Target[]} [targets] what the CPU ratios are held against
 */

/** @typedef {{ of: string, over: string, most: number }} Target */

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

const json = { status: 200, type: 'application/json', body: '{"hello":"world"}' }

/** @param {string} body */
const text = (body) => ({ status: 200, type: 'text/plain;charset=UTF-8', body })

/** The byte that request bodies consist of. */
export const FILLER = 'x'

/** @type {Record<string, Scenario>} in the order of the tables */
export const scenarios = {
  json: {
    title: 'JSON hello',
    method: 'GET',
    headers: {},
    bodyLength: 0,
    answer: json,
    targets: [{ of: 'barewire', over: 'node-http', most: 0.42 }],
  },
  text: {
    title: 'text hello',
    method: 'GET',
    headers: {},
    bodyLength: 0,
    answer: text('Hello, World!'),
  },
  async: {
    title: 'JSON hello after an await',
    method: 'GET',
    headers: {},
    bodyLength: 0,
    answer: json,
  },
  headers: {
    title: 'reading 10 header fields',
    method: 'GET',
    headers: FIELDS,
    bodyLength: 0,
    answer: text(`${lengthOfFields}`),
  },
  echo: {
    title: 'echo of 1 KiB',
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    bodyLength: 1024,
    answer: { status: 200, type: 'application/octet-stream', body: FILLER.repeat(1024) },
  },
}
