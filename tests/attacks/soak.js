/**
 * All attacks at once, for a long time: `npm run test:soak -- --minutes 60`. Samples the server's
 * memory and descriptors, and fails unless both stay flat and the others are always served.
 */
import { parseArgs } from 'node:util'
import { soak } from './mixture.js'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error(`--minutes has to be a number above 0, not ${values.minutes}`)
  process.exit(1)
}

const { faults } = await soak({
  milliseconds: minutes * 60_000,
  onSample: ({ seconds, rss, descriptors, others }) =>
    console.log(
      `${seconds.toFixed().padStart(6)} s  RSS ${(rss / 2 ** 20).toFixed(1)} MiB  ` +
        `${descriptors} descriptors  others: ${others.count} answers, p95 ${others.p95?.toFixed(1)} ms`,
    ),
})
for (const fault of faults) console.error(fault)
console.log(faults.length === 0 ? 'flat' : 'NOT flat')
process.exit(faults.length === 0 ? 0 : 1)
