/** Bytes as bodies: each answer has its own copy, though the memory of copies is used again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { copyOf, giveBack } from '../../lib/copies.js'
import { Response } from '../../lib/index.js'
import { Client, open, request } from './raw.js'

const SIZES = [0, 1, 4095, 4096, 4097, 65_536, 65_537, 524_287, 524_288, 524_289]

/** Bytes that tell their place and their giver. */
const pattern = (size, giver) =>
  Uint8Array.from({ length: size }, (_, index) => (index * 31 + giver) % 251)

const isSame = (copy, bytes) => Buffer.compare(copy, bytes) === 0

test('a copy has the bytes of a view and of a buffer, and none of their memory', () => {
  for (const size of SIZES) {
    const bytes = pattern(size, 1)
    const whole = pattern(size + 16, 2)
    const view = new DataView(whole.buffer, 8, size)
    assert.ok(isSame(copyOf(bytes), bytes))
    assert.ok(isSame(copyOf(bytes.buffer), bytes))
    assert.ok(isSame(copyOf(view), whole.slice(8, 8 + size)))
    assert.notEqual(copyOf(bytes).buffer, bytes.buffer)
  }
})

test('memory that is given back serves the next copy of its kind, others never', () => {
  for (const size of SIZES) {
    const first = copyOf(pattern(size, 1))
    const second = copyOf(pattern(size, 2))
    const { buffer } = first
    giveBack(first)
    const third = copyOf(pattern(size, 3))
    const isUsedAgain = size > 4096 && size <= 524_288
    if (isUsedAgain) assert.equal(third.buffer, buffer)
    assert.ok(isSame(second, pattern(size, 2)))
    assert.ok(isSame(third, pattern(size, 3)))
  }
})

test('a bounded amount of memory waits', () => {
  const copies = Array.from({ length: 100 }, () => copyOf(pattern(300_000, 1)))
  const buffers = new Set(copies.map(({ buffer }) => buffer))
  copies.forEach(giveBack)
  const again = copies.map(() => copyOf(pattern(300_000, 2)).buffer)
  assert.equal(again.filter((buffer) => buffers.has(buffer)).length, 2)
})

describe('what was sent once is not changed by later answers', () => {
  const size = 100_000
  const kept = []
  const respond = {
    '/plain': (bytes) => new Response(bytes),
    '/clone': (bytes) => {
      const response = new Response(bytes)
      kept.push(response.clone())
      return response
    },
    '/original': (bytes) => {
      const response = new Response(bytes)
      kept.push(response)
      return response.clone()
    },
    '/stream': (bytes) => {
      const response = new Response(bytes)
      kept.push(new Response(response.body))
      return new Response(bytes)
    },
    '/passed': (bytes) => {
      const response = new Response(bytes)
      return new Response(response.body)
    },
    '/refilled': (bytes) => {
      const response = new Response(bytes)
      bytes.fill(0)
      return response
    },
    '/late': async (bytes) => {
      const response = new Response(bytes)
      await new Promise(setImmediate)
      return response
    },
  }
  for (const target of Object.keys(respond)) {
    test(target, async (t) => {
      kept.length = 0
      let giver = 0
      const server = open(t, ({ rawTarget }) => respond[rawTarget](pattern(size, ++giver)))
      const clients = await Promise.all([1, 2, 3].map(() => Client.connect(server)))
      for (let round = 0; round < 4; round++) {
        const seen = new Set()
        for (const client of clients) client.send(request(`GET ${target}`))
        for (const client of clients) {
          const { body } = await client.response()
          const match = [...Array(13).keys()].find((giver) => body.equals(pattern(size, giver)))
          assert.ok(match > round * 3 && match <= round * 3 + 3, 'the bytes of one answer')
          seen.add(match)
        }
        assert.equal(seen.size, 3)
      }
      const others = await Promise.all(kept.map((response) => response.bytes()))
      others.forEach((bytes, index) => {
        assert.deepEqual(bytes, pattern(size, index + 1))
      })
    })
  }
})
