/** Content negotiation by Accept-Encoding (RFC 9110 §12.5.3), rule by rule. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { acceptableCodings } from '../../lib/accept-encoding.js'

const OFFERED = ['zstd', 'br', 'gzip']

/** What is accepted, best first, by the value of the field. */
const tables = {
  'absent and empty': [
    [null, 'identity'],
    ['', 'identity'],
    [' \t ', 'identity'],
    [',', 'identity'],
    [' , ,\t, ', 'identity'],
  ],
  'names of codings': [
    ['gzip', 'gzip identity'],
    ['gzip, br', 'br gzip identity'],
    ['gzip, deflate, br, zstd', 'zstd br gzip identity'],
    ['deflate, compress', 'identity'],
    ['GZip,BR', 'br gzip identity'],
    ['x-gzip', 'gzip identity'],
    ['X-GZIP;q=0.5, br;q=0.4', 'gzip br identity'],
    ['\tgzip \t,\t br ', 'br gzip identity'],
    ['gzip,,br', 'br gzip identity'],
    ['gzipped, brr', 'identity'],
    ['identity', 'identity'],
  ],
  weights: [
    ['gzip;q=1.0, br;q=0.9', 'gzip br identity'],
    ['zstd;q=0.1, br;q=0.2, gzip;q=0.3', 'gzip br zstd identity'],
    ['gzip;q=0.001', 'gzip identity'],
    ['br;q=0.999, gzip', 'gzip br identity'],
    ['gzip;q=0.5, br;q=0.5', 'br gzip identity'],
    ['gzip;Q=0.5', 'gzip identity'],
    ['gzip ; q=0.5 , br ;\tq=0.6', 'br gzip identity'],
    ['gzip;q=1, br;q=1., zstd;q=1.000', 'zstd br gzip identity'],
    ['br;q=0., gzip', 'gzip identity'],
  ],
  'weight 0': [
    ['gzip;q=0', 'identity'],
    ['gzip;q=0.000, br', 'br identity'],
    ['br;q=0, *', 'zstd gzip identity'],
    ['identity;q=0', ''],
    ['identity;q=0, gzip', 'gzip'],
    ['*;q=0', ''],
    ['gzip, *;q=0', 'gzip'],
    ['identity, *;q=0', 'identity'],
    ['identity;q=0, *', 'zstd br gzip'],
    ['x-gzip;q=0, *', 'zstd br identity'],
  ],
  'identity by its weight': [
    ['identity;q=1, gzip;q=0.5', 'identity gzip'],
    ['identity;q=0.5, gzip;q=1', 'gzip identity'],
    ['gzip;q=0.5, identity;q=0.5', 'gzip identity'],
    ['identity;q=0.2, gzip;q=0.1, br;q=0.3', 'br identity gzip'],
  ],
  'the rest by *': [
    ['*', 'zstd br gzip identity'],
    ['gzip;q=0.5, *;q=0.1', 'gzip zstd br identity'],
    ['gzip;q=0.1, *;q=0.5', 'zstd br identity gzip'],
    ['*;q=0.5, identity;q=0.7', 'identity zstd br gzip'],
  ],
  'named twice: the smaller weight': [
    ['gzip, gzip;q=0', 'identity'],
    ['gzip;q=0, gzip', 'identity'],
    ['gzip;q=0.9, x-gzip;q=0.2, br;q=0.5', 'br gzip identity'],
    ['*;q=0, *', ''],
  ],
  'malformed members are left out': [
    ['gzip;q=', 'identity'],
    ['gzip;q=2', 'identity'],
    ['gzip;q=1.001', 'identity'],
    ['gzip;q=0.1234', 'identity'],
    ['gzip;q=-1', 'identity'],
    ['gzip;q=.5', 'identity'],
    ['gzip;q=1e0', 'identity'],
    ['gzip;q=NaN', 'identity'],
    ['gzip;q= 1', 'identity'],
    ['gzip;q =1', 'identity'],
    ['gzip;q=0.5;q=1', 'identity'],
    ['gzip;level=1', 'identity'],
    ['gzip;', 'identity'],
    ['gzip br', 'identity'],
    ['"gzip"', 'identity'],
    ['gzip\n', 'identity'],
    ['g\u00e9zip, br', 'br identity'],
    ['identity;q=zero', 'identity'],
    [';q=1, br', 'br identity'],
  ],
  'names of Object.prototype': [['constructor, __proto__, toString', 'identity']],
}

for (const [title, rows] of Object.entries(tables)) {
  describe(title, () => {
    for (const [field, accepted] of rows) {
      test(`${JSON.stringify(field)} → ${accepted || 'nothing'}`, () => {
        assert.equal(acceptableCodings(field, OFFERED).join(' '), accepted)
      })
    }
  })
}

test("between equals the server's order counts, and what it doesn't offer never comes", () => {
  assert.deepEqual(acceptableCodings('br, gzip, zstd', ['gzip', 'br']), ['gzip', 'br', 'identity'])
  assert.deepEqual(acceptableCodings('*', []), ['identity'])
  assert.deepEqual(acceptableCodings('identity;q=0, br', ['gzip']), [])
})

test('32 members are read and no more', () => {
  const others = (count) => Array.from({ length: count }, (_, index) => `x${index}`)
  assert.ok(acceptableCodings([...others(31), 'gzip'].join(), OFFERED).includes('gzip'))
  assert.ok(!acceptableCodings([...others(32), 'gzip'].join(), OFFERED).includes('gzip'))
})

// A quadratic step over a million characters would take minutes.
for (const [name, field] of Object.entries({
  commas: ','.repeat(1e6),
  blanks: `gzip${' '.repeat(1e6)}x`,
  'blanks before and after a semicolon': `gzip${' '.repeat(5e5)};${' '.repeat(5e5)}x`,
  'one name': 'a'.repeat(1e6),
  'a weight without end': `gzip;q=0.${'0'.repeat(1e6)}`,
  semicolons: ';'.repeat(1e6),
})) {
  test(`a million of ${name} is read in linear time`, () => {
    assert.deepEqual(acceptableCodings(field, OFFERED), ['identity'])
  })
}
