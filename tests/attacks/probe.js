/**
 * The others: a client that behaves, in a process of its own, asks on one connection and on fresh
 * ones by turns, and notes how long each answer takes. Says what it saw whenever it gets a byte.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const [port, wantsFresh] = process.argv.slice(2).map(Number)
const PAUSE = 5
const PATIENCE = 5000
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

const open = async () => {
  const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
  await once(socket, 'connect')
  return socket
}

/** Asks once; throws unless the answer is the right one. */
async function ask(socket) {
  socket.write(REQUEST)
  let text = ''
  while (!text.endsWith('served')) {
    const [piece] = await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE) })
    text += piece
  }
  if (!text.startsWith('HTTP/1.1 200 OK\r\n')) throw new Error(`answered ${JSON.stringify(text)}`)
}

async function askAnew() {
  const socket = await open()
  await ask(socket)
  socket.destroy()
}

let times = []
let failures = []

process.stdin.on('data', () => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  const numbers = { count: times.length, failures, p50: at(0.5), p95: at(0.95), most: at(1) }
  console.log(`numbers ${JSON.stringify(numbers)};`)
  times = []
  failures = []
})

const kept = await open()
await ask(kept)
console.log('ready yes;')
for (let turn = 0; ; turn++) {
  const began = performance.now()
  try {
    await (wantsFresh && turn % 4 === 3 ? askAnew() : ask(kept))
    times.push(performance.now() - began)
  } catch (error) {
    failures.push(String(error))
    if (kept.destroyed) break
  }
  await sleep(PAUSE)
}
