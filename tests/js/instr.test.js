/** The gate of instruction counts: what it fails on, and that its page shows its record. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { MISSING, read } from '../../bench/instr/count.js'
import { NAME, ownCost } from '../../bench/instr/crossing.js'
import { compare, differences, faults, gains, table } from '../../bench/instr/judge.js'
import { PAGE, readRecord, rendered } from '../../bench/instr/record.js'

const counts = (counts) =>
  Object.fromEntries(
    Object.entries(counts).map(([name, instructions]) => [name, { what: name, instructions }]),
  )
const rows = (recorded, counted) => compare(counts(recorded), counts(counted))

describe('a count', () => {
  test('may grow by 3 % and no more', () => {
    assert.deepEqual(faults(rows({ a: 1000, b: 1000 }, { a: 1030, b: 1000 })), [])
    assert.deepEqual(faults(rows({ a: 1000, b: 1000 }, { a: 1031, b: 1000 })), [
      'a has grown from 1000 to 1031 instructions (+3.1 %)',
    ])
  })

  test('has to be in the record, and what is in the record has to be counted', () => {
    const [fresh, gone] = faults(rows({ old: 5 }, { new: 5 }))
    assert.match(fresh, /^new is not in the record$/)
    assert.match(gone, /^old is in the record, but is not counted any more$/)
  })

  test('that fell is no fault, but is mentioned', () => {
    const fallen = rows({ a: 1000, b: 1000 }, { a: 960, b: 980 })
    assert.deepEqual(faults(fallen), [])
    assert.deepEqual(
      gains(fallen).map(({ name }) => name),
      ['a'],
    )
  })

  test('is read from what callgrind says', () => {
    assert.equal(read('==7== Events    : Ir\n==7== Collected : 123456\n==7== \n'), 123456)
    assert.throws(() => read('valgrind: no such file'), /callgrind gives no count: valgrind: no/)
  })
})

test('of a profile only the own lines of one object file count', () => {
  const profile = [
    'events: Ir',
    'ob=(1) /usr/bin/node',
    'fn=(1) main',
    '16 400',
    'cob=(2) /srv/build/barewire.node',
    'cfn=(2) on_readable',
    'calls=1 50',
    '20 5000',
    '+3 7',
    '',
    'ob=(2)',
    'fn=(2)',
    '50 10',
    'cob=(1)',
    'cfn=(3) napi_call_function',
    'calls=3 70',
    '* 900',
    '-2 30',
    '* 2',
    'totals: 449',
  ].join('\n')
  assert.equal(ownCost(profile, 'barewire.node'), 42)
  assert.equal(ownCost(profile, 'node'), 407)
  assert.throws(() => ownCost(profile, 'other.node'), /nothing of other.node/)
})

test('the table shows every count beside its record', () => {
  const text = table(rows({ a: 1000, gone: 7 }, { a: 1100, fresh: 123456 }))
  assert.deepEqual(
    text.split('\n').map((line) => line.trimEnd().split(/\s{2,}/)),
    [
      ['one round of', 'instructions', 'record', 'change'],
      ['a', '1,100', '1,000', '+10.0 %'],
      ['fresh', '123,456', 'new'],
      ['gone', 'gone', '7'],
    ],
  )
})

test('counts of other tools do not compare, and what differs is named', () => {
  const { toolchain } = readRecord()
  assert.deepEqual(differences(toolchain, { ...toolchain }), [])
  assert.deepEqual(differences(toolchain, { ...toolchain, rustc: 'rustc 9.9.9' }), [
    `rustc was ${toolchain.rustc}, is rustc 9.9.9`,
  ])
})

test('without valgrind it says how to install it, and fails', (t) => {
  const empty = mkdtempSync(join(tmpdir(), 'barewire-instr-'))
  t.after(() => rmSync(empty, { recursive: true }))
  const { status, stderr } = spawnSync(process.execPath, ['bench/instr/run.js', '--check'], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, PATH: empty },
    encoding: 'utf8',
  })
  assert.equal(status, 1)
  assert.equal(stderr, `${MISSING}\n`)
  assert.match(MISSING, /apt-get install valgrind/)
})

test('the record has the cases of the program, and the page shows the record', () => {
  const record = readRecord()
  const source = readFileSync(new URL('../../bench/instr/main.rs', import.meta.url), 'utf8')
  const [, list] = /^const CASES[^=]*= \[$(.*?)^\];$/ms.exec(source)
  const named = [...list.matchAll(/\(\s*"([\w-]+)",\s*"(.*?)"/gs)]
  assert.ok(named.length >= 10)
  assert.deepEqual(
    Object.entries(record.cases).map(([name, { what }]) => [name, what]),
    [...named.map(([, name, what]) => [name, what]), [NAME, record.cases[NAME].what]],
  )
  const page = readFileSync(PAGE, 'utf8')
  assert.equal(page, rendered(page, record))
})
