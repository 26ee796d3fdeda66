/**
 * Counts what the addon executes for a request that JavaScript answers: the reactor, the record, the
 * calls. A server runs under callgrind for N and for 2N requests; of what was executed only the
 * addon's own code counts, not what it calls in V8, Node.js and the C library. So the count doesn't
 * move with what the engine has compiled or collected meanwhile.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROUNDS } from './count.js'

const SERVER = fileURLToPath(new URL('server.js', import.meta.url))
const ADDON = 'barewire.node'

const REQUEST =
  'GET /users/42 HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n'

export const NAME = 'crossing'

const what = "a GET with JSON by a handler in JavaScript: the addon's own code"

/** @returns {Promise<import('./record.js').Case>} */
export async function countCrossing() {
  const [once, twice] = await Promise.all([collected(ROUNDS), collected(2 * ROUNDS)])
  return { what, instructions: Math.round((twice - once) / ROUNDS) }
}

/**
 * The addon's instructions in the life of a server that answers so many requests.
 * @param {number} requests
 */
async function collected(requests) {
  const folder = mkdtempSync(join(tmpdir(), 'barewire-instr-'))
  const file = join(folder, 'profile')
  const tool = ['--quiet', '--tool=callgrind', `--callgrind-out-file=${file}`]
  const child = spawn('valgrind', [...tool, process.execPath, SERVER], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const closed = once(child, 'close')
    const ended = closed.then(([code]) => {
      throw new Error(`the server under callgrind ended early, with ${code}`)
    })
    const [port] = await Promise.race([once(child.stdout, 'data'), ended])
    await Promise.race([load(Number(port), requests), ended])
    child.stdin.end()
    await Promise.allSettled([ended])
    return ownCost(readFileSync(file, 'latin1'), ADDON)
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/**
 * One request after the other, so that each has a turn of its own.
 * @param {number} port
 * @param {number} requests
 */
async function load(port, requests) {
  const socket = connect(port, '127.0.0.1').setNoDelay()
  for (let sent = 0; sent < requests; sent++) {
    socket.write(REQUEST)
    const [answer] = await once(socket, 'data')
    if (!answer.includes('{"hello":"world"}')) throw new Error(`a wrong answer: ${answer}`)
  }
  socket.destroy()
}

/**
 * What the functions of an object file cost in a profile of callgrind, without those they call.
 * `ob=` says whose lines follow, by a number that is named at its first use; the line behind
 * `calls=` is what a call cost inside.
 * @param {string} profile
 * @param {string} file name without folders
 */
export function ownCost(profile, file) {
  /** @type {Map<string, boolean>} */
  const isWanted = new Map()
  let object = ''
  let isCall = false
  let cost = 0
  for (const line of profile.split('\n')) {
    const [, of, number, path] = /^(c?)ob=(\(\d+\)) ?(.*)$/.exec(line) ?? []
    if (number !== undefined) {
      if (path !== '') isWanted.set(number, path.split('/').at(-1) === file)
      if (of === '') object = number
    } else if (line.startsWith('calls=')) {
      isCall = true
    } else if (/^[+*\d-]/.test(line)) {
      if (!isCall && isWanted.get(object)) cost += Number(line.split(' ')[1])
      isCall = false
    }
  }
  if (cost === 0) throw new Error(`the profile has nothing of ${file}`)
  return cost
}
