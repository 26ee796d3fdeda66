/**
 * All attacks at full size, on loopback: a thousand clients each, for some seconds. Prints what the
 * others saw and fails where one of them was not served, waited too long, or something was left
 * behind. An argument is a part of the names to run.
 */
import { attacks } from './attacks.js'
import { suffer } from './harness.js'

const CLIENTS = 1000
const MILLISECONDS = 5000
/** Most that 95 % of the others wait, in milliseconds; and while everybody gets work done. */
const SERVICE = 50
const SERVICE_IN_LINE = 500
/** Most MiB by which the server grows, besides what clients may make it hold. */
const GROWTH = 64

const wanted = process.argv[2] ?? ''
const names = Object.keys(attacks).filter((name) => name.includes(wanted))
if (names.length === 0) {
  console.error(`no attack is called like ${wanted}`)
  process.exit(1)
}
let hasFailed = false
console.log('others: answers, p50 ms, p95 ms, most ms | grown MiB | cuts | attack')
for (const name of names) {
  const found = await suffer(attacks[name], { clients: CLIENTS, milliseconds: MILLISECONDS })
  const { held = 0, isWork = false } = attacks[name]
  const bounds = {
    growth: GROWTH + CLIENTS * held,
    service: isWork ? SERVICE_IN_LINE : SERVICE,
  }
  const faults = faultsOf(found, bounds)
  hasFailed ||= faults.length > 0
  const { count, p50, p95, most } = found.others
  const times = [p50, p95, most].map((time) => time?.toFixed(1) ?? '-').join(' ')
  const verdict = faults.length === 0 ? 'ok' : faults.join('; ')
  console.log(
    `${count} ${times} | ${found.grown.toFixed(1)} | ${found.cuts} | ${CLIENTS} × ${name}: ${verdict}`,
  )
}
process.exit(hasFailed ? 1 : 0)

/**
 * @param {Awaited<ReturnType<typeof suffer>>} found
 * @param {{ growth: number, service: number }} bounds in MiB and milliseconds
 */
function faultsOf({ others, afterwards, ...found }, { growth, service }) {
  const faults = [...others.failures, ...afterwards.failures]
  if (!(others.p95 < service)) faults.push(`the others waited ${others.p95} ms`)
  if (afterwards.count === 0) faults.push('nobody was served afterwards')
  if (found.grown > growth) faults.push('it grew too much')
  if (found.descriptorsLeft > 1) faults.push(`${found.descriptorsLeft} descriptors are left`)
  if (found.pendingLeft > 0) faults.push(`${found.pendingLeft} requests are left`)
  if (found.bytesLeft > 0) faults.push(`${found.bytesLeft} bytes of bodies are left`)
  return faults
}
