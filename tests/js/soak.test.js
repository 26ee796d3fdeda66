/** All attacks at once for two minutes; an hour of it is `npm run test:soak`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soak } from '../attacks/mixture.js'

const MILLISECONDS = 120_000

test('all attacks at once leave memory and descriptors flat, and the others served', async () => {
  const { faults, samples } = await soak({ milliseconds: MILLISECONDS })
  assert.deepEqual(faults, [])
  assert.ok(samples.length > 20)
})
