/** Headers of answers as records: what was put together before is found again, and only that. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockFromRecord } from '../../lib/fields.js'
import { KnownBlocks } from '../../lib/known-blocks.js'

const IMPLIED = 'content-type\0text/plain\0'

test('the same fields make the same block, whatever was made before', () => {
  const rows = [
    [{}, IMPLIED],
    [{ 'x-a': '1' }, `x-a\x001\0${IMPLIED}`],
    [{ 'X-A': '1' }, `x-a\x001\0${IMPLIED}`],
    [{ 'x-a': ' 1 ' }, `x-a\x001\0${IMPLIED}`],
    [{ 'x-a': 1 }, `x-a\x001\0${IMPLIED}`],
    [{ 'x-a': '2' }, `x-a\x002\0${IMPLIED}`],
    [{ 'x-a': '1', 'x-b': '' }, `x-a\x001\0x-b\0\0${IMPLIED}`],
    [{ 'x-b': '', 'x-a': '1' }, `x-b\0\0x-a\x001\0${IMPLIED}`],
    [{ 'Content-Type': 'a/b', 'x-a': '1' }, 'content-type\0a/b\0x-a\x001\0'],
  ]
  for (let time = 0; time < 3; time++) {
    for (const [record, block] of rows) assert.equal(blockFromRecord(record, IMPLIED), block)
    assert.equal(blockFromRecord({ 'x-a': '1' }, ''), 'x-a\x001\0')
  }
})

test('a value that is computed is read once, and what was read is what is sent', () => {
  let reads = 0
  const record = {
    get 'x-count'() {
      return `${++reads}`
    },
  }
  for (let time = 1; time <= 3; time++) {
    assert.equal(blockFromRecord(record, ''), `x-count\0${time}\0`)
  }
})

test('an invalid field throws each time', () => {
  for (let time = 0; time < 3; time++) {
    assert.throws(() => blockFromRecord({ 'a b': '1' }, ''), TypeError)
    assert.throws(() => blockFromRecord({ a: 'b\r\nc: d' }, ''), TypeError)
  }
})

test('values that are different each time are forgotten, their neighbours are not', () => {
  const known = new KnownBlocks()
  const add = (value) => known.add(['x-id'], [value], '', `x-id\0${value}\0`)
  known.add(['x-a'], ['1'], '', 'x-a\x001\0')
  for (let id = 0; id < 5000; id++) add(`${id}`)
  assert.equal(known.find(['x-id'], ['0'], ''), '')
  assert.equal(known.find(['x-a'], ['1'], ''), 'x-a\x001\0')
  for (let name = 0; name < 5000; name++) known.add([`x-${name}`], ['1'], '', `${name}`)
  assert.equal(known.find(['x-a'], ['1'], ''), 'x-a\x001\0')
  assert.equal(known.find(['x-4999'], ['1'], ''), '', 'there is an end to it')
})

test('a cookie that is set is never kept', () => {
  const known = new KnownBlocks()
  for (const name of ['set-cookie', 'Set-Cookie']) {
    known.add([name], ['a=1'], '', 'set-cookie\0a=1\0')
    assert.equal(known.find([name], ['a=1'], ''), '')
  }
})
