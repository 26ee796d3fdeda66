/**
 * The fields of requests as handlers read them, over real sockets: whatever heads come, whenever
 * they are read and whatever was read in between, they are what was sent. A naive reading of the
 * same lines says what is right.
 */
import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { describe, test } from 'node:test'
import { Headers, Response } from 'barewire'
import { MOST_PLACES } from '../../lib/record.js'
import { Client, open } from './raw.js'

const NAMES = [
  ...[
    'a',
    'ab',
    'b',
    'x-a',
    'x-ab',
    'x-b',
    'x_a',
    'a^',
    'a~',
    "!#$%&'*+-.^_`|~",
    'cookie',
    'cooki',
  ],
  ...['cookie2', 'accept', 'accept-encoding', 'referer', 'set-cookie', 'x-0123456789-abcdefghij'],
]
/** Never sent, and like one that is. */
const OTHERS = ['x', 'aa', 'x-abc', 'cookies', 'hos', 'host2', 'x-0123456789-abcdefghik']
const VALUES = [
  '',
  'v',
  'v w',
  'a, b',
  'k=1',
  'Host: b',
  ':',
  ' \t ',
  '\tv\t',
  'caf\xe9',
  'x'.repeat(40),
]
const OPTIONS = { maxFields: 1000, maxHeaderSize: 1024 * 1024, maxRequestLine: 1024 * 1024 }

/** Numbers that are the same in each run. */
function random(seed) {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const oddCase = (name, next) =>
  [...name].map((char) => (next(2) ? char.toUpperCase() : char)).join('')

/** Lines `[name, value]` as they are sent; the value has its white space. */
function linesOf(seed, count) {
  const next = random(seed)
  const lines = Array.from({ length: count }, () => [
    oddCase(NAMES[next(NAMES.length)], next),
    VALUES[next(VALUES.length)],
  ])
  lines.splice(next(lines.length + 1), 0, [oddCase('host', next), `h${seed}.example`])
  return lines
}

const textOf = (lines, target = '/') =>
  `GET ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}:${value}\r\n`).join('')}\r\n`

const trimmed = (value) => value.replace(/^[ \t]+|[ \t]+$/g, '')

/** The naive reading: what `get` says of a name. */
function expected(lines, name) {
  const values = lines.filter(([sent]) => sent.toLowerCase() === name).map(([, v]) => trimmed(v))
  return values.length === 0 ? null : values.join(name === 'cookie' ? '; ' : ', ')
}

/** Compares everything that a request says of its fields with the lines that were sent. */
function compare(request, lines, seed) {
  const next = random(seed + 1)
  for (const name of ['host', ...NAMES, ...OTHERS]) {
    const asked = oddCase(name, next)
    assert.equal(request.headers.get(asked), expected(lines, name), `get ${asked}, seed ${seed}`)
    assert.equal(request.headers.has(asked), expected(lines, name) !== null, `has ${asked}`)
  }
  assert.equal(request.url, `http://${expected(lines, 'host')}/`)
  assert.deepEqual(
    request.rawHeaders,
    lines.map(([name, value]) => [name, trimmed(value)]),
  )
}

/** What iteration says; it cuts the head, so it comes last. */
function compareCut(request, lines) {
  const names = [...new Set(lines.map(([name]) => name.toLowerCase()))].sort()
  const pairs = names.flatMap((name) =>
    name === 'set-cookie'
      ? lines
          .filter(([sent]) => sent.toLowerCase() === name)
          .map(([, value]) => [name, trimmed(value)])
      : [[name, expected(lines, name)]],
  )
  assert.deepEqual([...new Headers(request.headers)], pairs)
  assert.deepEqual([...request.headers], pairs)
}

/** Heads with no, few, just as many and more fields than the engine tells the places of. */
const HEADS = [0, 1, 2, 5, 11, 20, MOST_PLACES - 2, MOST_PLACES - 1, MOST_PLACES, 33, 60, 300]
  .flatMap((count) => [1, 2, 3, 4].map((seed) => ({ count, seed: seed * 1000 + count })))
  .map(({ count, seed }) => ({ seed, lines: linesOf(seed, count) }))

/** Sends all heads at once on one connection, and gives back what the handler found wrong. */
async function ask(t, handler, options = OPTIONS) {
  let index = 0
  const failures = []
  const answer = async (request) => {
    try {
      await handler(request, HEADS[index++])
    } catch (error) {
      failures.push(error)
    }
    return new Response('')
  }
  const server = open(t, answer, options)
  const client = await Client.connect(server)
  client.send(HEADS.map(({ lines }) => textOf(lines)).join(''))
  const responses = await client.responses(HEADS.length)
  client.destroy()
  assert.deepEqual(failures, [])
  assert.equal(index, HEADS.length)
  assert.ok(responses.every(({ status }) => status === 200))
}

/** Sends each head on a connection of its own, so that many are under way together. */
async function askTogether(t, handler) {
  const bySeed = new Map(HEADS.map((head) => [`h${head.seed}.example`, head]))
  const answer = async (request) => {
    await handler(request, bySeed)
    return new Response('')
  }
  const server = open(t, answer, { ...OPTIONS, error: (error) => new Response(error.stack) })
  const clients = await Promise.all(HEADS.map(() => Client.connect(server)))
  for (const [index, client] of clients.entries()) client.send(textOf(HEADS[index].lines))
  for (const client of clients) {
    const { text } = await client.response()
    client.destroy()
    assert.equal(text, '')
  }
}

const later = () => new Promise((resolve) => setImmediate(resolve))

describe('the fields of a request are those that were sent', () => {
  test('read at once', async (t) => {
    await ask(t, (request, { lines, seed }) => {
      compare(request, lines, seed)
      compareCut(request, lines)
    })
  })

  test('read after an await', async (t) => {
    await ask(t, async (request, { lines, seed }) => {
      await later()
      compare(request, lines, seed)
      compareCut(request, lines)
    })
  })

  test('read at once and again after an await, with others in between', async (t) => {
    await askTogether(t, async (request, heads) => {
      const { lines, seed } = heads.get(request.headers.get('host'))
      for (let times = 0; times < 3; times++) {
        compare(request, lines, seed + times)
        await later()
      }
      compareCut(request, lines)
    })
  })

  test('first read after an await, with others in between', async (t) => {
    await askTogether(t, async (request, heads) => {
      await later()
      const { lines, seed } = heads.get(new URL(request.url).host)
      compare(request, lines, seed)
      await later()
      compareCut(request, lines)
    })
  })

  test('read in a function for maxBodySize, and then by the handler', async (t) => {
    let asked = 0
    const maxBodySize = ({ headers }) => {
      asked++
      assert.equal(headers.get('x-size'), '7')
      return Number(headers.get('x-size'))
    }
    const found = []
    const handler = ({ headers }) => {
      found.push([headers.get('x-size'), headers.get('x-b')])
      return new Response('')
    }
    const server = open(t, handler, { maxBodySize })
    const client = await Client.connect(server)
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nX-Size: 7\r\nx-b: c\r\nContent-Length: 2\r\n\r\n'
    await client.sendPieces([post, 'ab'])
    assert.equal((await client.response()).status, 200)
    client.destroy()
    assert.deepEqual([asked, found], [1, [['7', 'c']]])
  })
})

describe('requests of one turn', () => {
  test('each is read right while another is read in between', async (t) => {
    const kept = []
    await ask(t, (request, head) => {
      kept.push([request, head])
      // All that came so far, the newest first, in the middle and last.
      for (const [old, { lines, seed }] of [...kept].reverse().slice(0, 5)) {
        compare(old, lines, seed)
        compare(request, head.lines, head.seed)
      }
    })
    for (const [old, { lines, seed }] of kept) compare(old, lines, seed)
    for (const [old, { lines }] of kept) compareCut(old, lines)
  })

  test('one that is kept is read right by a hook that runs before the next one', async (t) => {
    const found = []
    let kept
    const hook = createHook({ before: () => kept && found.push(kept.headers.get('x-name')) })
    const server = open(t, (request) => {
      kept ??= request
      return new Response(request.headers.get('x-name'))
    })
    const client = await Client.connect(server)
    hook.enable()
    t.after(() => hook.disable())
    const get = (fields) => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
    client.send(get('X-Name: one\r\nX-Other: 1\r\n') + get('A: 1\r\nX-Name: second\r\n'))
    const texts = (await client.responses(2)).map(({ text }) => text)
    hook.disable()
    client.destroy()
    assert.deepEqual(texts, ['one', 'second'])
    assert.ok(found.length > 0)
    assert.deepEqual(new Set(found), new Set(['one']))
  })

  test('one server does not see the fields of another', async (t) => {
    const both = []
    const keep = (request) => {
      both.push(request)
      for (const each of both) assert.equal(each.headers.get('x-name'), new URL(each.url).host)
      return new Response('')
    }
    for (const host of ['first', 'other', 'third']) {
      const server = open(t, keep)
      const client = await Client.connect(server)
      const lines = [
        ['Host', host],
        ['X-Name', host],
      ]
      client.send(textOf(host === 'other' ? lines.reverse() : lines))
      assert.equal((await client.response()).status, 200)
      client.destroy()
    }
    assert.equal(both.length, 3)
  })
})

describe('fields far from the start of a head', () => {
  const LONG = 70_000
  const cases = {
    'behind a long value': textOf([
      ['Host', 'a'],
      ['X-Long', 'x'.repeat(LONG)],
      ['X-Last', 'here'],
      ['X-Last', 'too'],
    ]),
    'behind a long target': textOf(
      [
        ['Host', 'a'],
        ['X-Long', 'y'],
        ['X-Last', 'here'],
        ['X-Last', 'too'],
      ],
      `/${'x'.repeat(LONG)}`,
    ),
  }
  for (const [name, head] of Object.entries(cases)) {
    for (const wait of [false, true]) {
      test(`${name}, read ${wait ? 'late' : 'at once'}`, async (t) => {
        const handler = async ({ headers, url }) => {
          if (wait) await later()
          const found = [headers.get('x-last'), headers.has('x-long'), headers.get('x-lon')]
          return Response.json([...found, new URL(url).host, [...headers.keys()]])
        }
        const server = open(t, handler, OPTIONS)
        const client = await Client.connect(server)
        client.send(head)
        const { text } = await client.response()
        client.destroy()
        const keys = ['host', 'x-last', 'x-long']
        assert.deepEqual(JSON.parse(text), ['here, too', true, null, 'a', keys])
      })
    }
  }
})
