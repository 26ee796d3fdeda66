/** How a streamed answer gives its parts: in which pieces, and at whose pace. The engine is a fake. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gather } from '../../lib/outgoing.js'

const GO = 0
const WAIT = 1

/** An engine that keeps what it gets and says what it is told to say. */
function fakeEngine(credit) {
  const written = []
  const write = (part) => {
    written.push(part)
    return credit(written)
  }
  return { written, write, end: () => GO, abort: () => GO }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('a client that takes everything at once leaves turns of the event loop to others', async () => {
  const part = new Uint8Array(16_384)
  const stream = new ReadableStream({ pull: (controller) => controller.enqueue(part) })
  const outgoing = await gather(stream)
  let turns = 0
  const engine = fakeEngine(({ length }) => {
    assert.ok(length < 1024, 'it goes on and on')
    return GO
  })
  const running = outgoing.run(engine, () => {})
  for (let before = -1; turns < 20; turns++) {
    await nextTurn()
    assert.ok(engine.written.length - before <= 17, 'at most 256 KiB in a turn')
    before = engine.written.length
  }
  outgoing.lose(new Error('enough'))
  await running
  assert.ok(engine.written.length >= 16 * 10, 'it goes on meanwhile')
})

test('a large part is given in pieces, each when there is room, and arrives as it was', async () => {
  const part = Uint8Array.from({ length: 200_000 }, (_, at) => at * 7)
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(part)
      controller.enqueue(part)
      controller.close()
    },
  })
  const outgoing = await gather(stream)
  const first = outgoing.takePiece()
  const engine = fakeEngine(() => WAIT)
  const running = outgoing.run(engine, () => {})
  let given = 0
  for (let turns = 0; turns < 20; turns++) {
    await nextTurn()
    assert.ok(engine.written.length <= given + 1, 'the next piece waits for room')
    given = engine.written.length
    outgoing.makeRoom()
  }
  await running
  const pieces = [first, ...engine.written]
  assert.ok(pieces.every(({ byteLength }) => byteLength <= 65_536))
  assert.deepEqual(Buffer.concat(pieces), Buffer.concat([part, part]))
})
