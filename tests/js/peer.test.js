import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import { Peer } from '../../lib/peer.js'

const addresses = [
  [4, [0x7f000001, 0, 0, 0], '127.0.0.1'],
  [4, [0xffffffff, 0, 0, 0], '255.255.255.255'],
  [4, [0, 0, 0, 0], '0.0.0.0'],
  [6, [0, 0, 0, 0], '::'],
  [6, [0, 0, 0, 1], '::1'],
  [6, [0x20010db8, 0, 0, 1], '2001:db8::1'],
  [6, [0x20010db8, 0, 0x00010000, 1], '2001:db8::1:0:0:1'],
  [6, [0x20010db8, 0x00000001, 0x00010001, 0x00010001], '2001:db8:0:1:1:1:1:1'],
  [6, [0xfe800000, 0, 0x0000abcd, 0xef000000], 'fe80::abcd:ef00:0'],
  [6, [0x00010000, 0, 0, 0], '1::'],
  [6, [0x20010db8, 0x00010002, 0x00030004, 0x00050006], '2001:db8:1:2:3:4:5:6'],
  [6, [0, 0, 0, 0xc0a80102], '::c0a8:102'],
  [0, [0, 0, 0, 0], ''],
]

for (const [family, words, text] of addresses) {
  test(`${JSON.stringify(text)} is canonical (RFC 5952)`, () => {
    const peer = new Peer(family, 80, ...words)
    assert.equal(peer.address, text)
    assert.equal(peer.address, text, 'and stays so')
    if (isIP(text) === 6) assert.equal(new URL(`http://[${text}]/`).hostname, `[${text}]`)
  })
}
