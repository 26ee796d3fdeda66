/**
 * The verdicts of tests/golden/smuggling/ over real sockets: each row whole and cut in two, with a
 * request behind it in the same write and in a later one, which is answered exactly when the row
 * says so; and once more with a handler that reads no body.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Response } from 'barewire'
import { Client, open, sleep } from './raw.js'
import { loadVerdicts } from './verdicts.js'

const NEXT = 'GET /next HTTP/1.1\r\nHost: next\r\n\r\n'
const NEXT_SEEN = { request: 'GET /next', url: 'http://next/next' }

/** Connections at work at once. */
const LANES = 32
/** Milliseconds after which a silent server is taken to wait. */
const QUIET = 60

/** What handlers saw, by the port of the client. */
class Witness {
  #seen = new Map()

  note(request, context, body) {
    const seen = this.#seen.get(context.clientPort) ?? []
    const line = [request.method, request.rawTarget, body].filter(Boolean).join(' ')
    // A URL that the platform can't read throws here, and fails the row.
    seen.push({ request: line, url: new URL(request.url) && request.url })
    this.#seen.set(context.clientPort, seen)
  }

  take(port) {
    const seen = this.#seen.get(port) ?? []
    this.#seen.delete(port)
    return seen
  }
}

/** A handler that reads all, and what it saw. */
function reader(witness) {
  return async (request, context) => {
    const body = Buffer.from(await request.arrayBuffer()).toString('latin1')
    witness.note(request, context, body)
    return new Response('seen')
  }
}

/** The methods of the answered requests: HEAD's answers have no body. */
function methodsOf({ bytes, seen }) {
  const methods = seen.map(({ request }) => request.split(' ', 1)[0])
  return methods.length > 0 ? methods : [bytes.startsWith('HEAD ') ? 'HEAD' : 'GET']
}

const statusesOf = (responses) => responses.map(({ status }) => status)

/** To the Fetch standard GET and HEAD have no body; the bytes of one are still no request. */
const withoutBodyOfGet = ({ request, url }) => ({
  request: /^(?:GET|HEAD) \S+/.exec(request)?.[0] ?? request,
  url,
})

/** One connection from beginning to end: pieces, and what must come of them. */
async function play({ server, witness, row, outcome, pieces, later }) {
  const { statuses, then } = outcome
  const methods = methodsOf(row)
  const client = await Client.connect(server)
  const port = client.socket.localPort
  await client.sendPieces(pieces)
  const isNextSent = later !== undefined || pieces.join('').length > row.bytes.length
  const served = statuses.filter((status) => status === 200).length
  const expected = row.seen.slice(0, served).map(withoutBodyOfGet)
  let found
  if (then === 'open') {
    const isServed = isNextSent ? 1 : 0
    if (later !== undefined) {
      await client.responses(statuses.length, methods)
      client.send(later)
    }
    const responses = await client.responses(statuses.length + isServed, methods)
    if (isNextSent) expected.push(NEXT_SEEN)
    client.finish()
    found = await client.close(methods)
    assert.deepEqual(statusesOf(responses), [...statuses, ...Array(isServed).fill(200)])
    assert.equal(found.responses.length, responses.length, 'no answer without a request')
  } else if (then === 'waits') {
    await client.responses(statuses.length, methods)
    await sleep(QUIET)
    assert.deepEqual(statusesOf(client.parse(methods).responses), statuses)
    client.finish()
    found = await client.close(methods)
    assert.deepEqual(statusesOf(found.responses), [...statuses, 400])
  } else {
    if (later !== undefined) {
      await client.responses(statuses.length, methods)
      client.send(later)
    }
    found = await client.close(methods)
    assert.deepEqual(statusesOf(found.responses), statuses)
    assert.equal(found.responses.at(-1).get('connection'), 'close')
  }
  assert.equal(found.rest.length, 0, 'nothing behind the answers')
  assert.equal(found.ended, 'fin')
  const seen = witness.take(port)
  assert.deepEqual(
    seen.map(({ request }) => request),
    expected.map(({ request }) => request),
  )
  for (const [index, { url }] of expected.entries()) {
    const own = `${server.hostname}:${server.port}`
    if (url !== undefined) assert.equal(seen[index].url, url.replace('{own}', own))
  }
}

/** Which of several right outcomes it is: one without an answer shows only by silence. */
async function choose(server, row) {
  if (row.outcomes.length === 1) return row.outcomes[0]
  const methods = methodsOf(row)
  const least = Math.min(...row.outcomes.map(({ statuses }) => statuses.length))
  const client = await Client.connect(server)
  await client.send(row.bytes).responses(least, methods)
  if (least === 0) await sleep(QUIET)
  const { responses } = client.parse(methods)
  client.destroy()
  const statuses = statusesOf(responses).join()
  const isClosing = responses.at(-1)?.get('connection') === 'close'
  const found = row.outcomes.find(
    (outcome) => outcome.statuses.join() === statuses && isClosing === (outcome.then === 'closes'),
  )
  return found ?? assert.fail(`${statuses}, ${isClosing ? 'closes' : 'stays'}`)
}

/** Two pieces each, cut at a few places of the row. */
function cuts({ bytes }, behind) {
  const places = [1, bytes.length >> 1, bytes.length - 1].filter((at) => at > 0)
  return places.map((at) => [bytes.slice(0, at), bytes.slice(at) + behind])
}

/** Does work for each of the rows, several at once, and tells all that failed. */
async function forEach(rows, work) {
  const waiting = [...rows]
  const failures = []
  const lane = async () => {
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      await work(row).catch(({ message }) => failures.push(`${row.id}: ${message}`))
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  assert.deepEqual(failures, [])
}

const documents = Object.entries(loadVerdicts())

test('there are hundreds of verdicts, each with a name of its own', () => {
  const ids = documents.flatMap(([, rows]) => rows.map(({ id }) => id))
  assert.ok(ids.length >= 500, `${ids.length} rows`)
  assert.equal(new Set(ids).size, ids.length)
})

describe('each request gets its verdict, whole and cut, and the one behind it its own', () => {
  for (const [name, rows] of documents) {
    test(name, async (t) => {
      const witness = new Witness()
      const server = open(t, reader(witness))
      await forEach(rows, async (row) => {
        const outcome = await choose(server, row)
        const run = (pieces, later) => play({ server, witness, row, outcome, pieces, later })
        if (outcome.then === 'waits') {
          await run([row.bytes])
          return
        }
        await run([row.bytes + NEXT])
        await run([row.bytes], NEXT)
        for (const pieces of cuts(row, NEXT)) await run(pieces)
      })
    })
  }
})

describe('a body that nobody reads is no request', () => {
  for (const [name, rows] of documents) {
    test(name, async (t) => {
      const witness = new Witness()
      const server = open(t, (request, context) => {
        witness.note(request, context)
        return new Response('unread')
      })
      await forEach(rows, async (row) => {
        const isOpen = row.outcomes.some(({ then }) => then === 'open')
        if (row.outcomes.some(({ then }) => then === 'waits')) return
        const client = await Client.connect(server)
        const port = client.socket.localPort
        const { ended } = await client
          .send(row.bytes + NEXT)
          .finish()
          .close(methodsOf(row))
        const targets = witness.take(port).map(({ request }) => request.split(' ')[1])
        const isMeant = row.seen.some(({ request }) => request === 'GET /hidden')
        assert.equal(ended, 'fin')
        assert.ok(isMeant || !targets.includes('/hidden'), `saw ${targets}`)
        assert.ok(isOpen || !targets.includes('/next'), `saw ${targets}`)
      })
    })
  }
})
