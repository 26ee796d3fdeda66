/**
 * Attacks over real sockets, in a small form: whatever hostile clients do, the others are served,
 * and nothing is left behind. The large form, with times, is `npm run test:attacks`.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attacks } from '../attacks/attacks.js'
import { suffer } from '../attacks/harness.js'

const SMALL = { clients: 100, milliseconds: 1500 }

describe('the others are served, and nothing is left behind', () => {
  for (const [name, attack] of Object.entries(attacks)) {
    test(name, async () => {
      const found = await suffer(attack, SMALL)
      assert.deepEqual([...found.others.failures, ...found.afterwards.failures], [])
      assert.ok(found.others.count > 10, `${found.others.count} answers meanwhile`)
      assert.ok(found.afterwards.count > 0, 'served afterwards')
      assert.ok(found.descriptorsLeft <= 1, `${found.descriptorsLeft} descriptors left`)
      assert.equal(found.pendingLeft, 0)
      assert.equal(found.bytesLeft, 0)
      const most = 64 + SMALL.clients * (attack.held ?? 0)
      assert.ok(found.grown < most, `${found.grown.toFixed(1)} MiB more`)
    })
  }
})
