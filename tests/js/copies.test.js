/** The memory of copies: theirs alone while they live, used again when they are given back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyOf, giveBack } from '../../lib/copies.js'

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
