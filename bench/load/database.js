/**
 * A PostgreSQL of our own for the scenario that reads a row: a fresh cluster in a temporary folder,
 * reached by a socket in there, gone when the scenario is over.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { peer } from './needs.js'

/** Where Debian and its kin keep what isn't in the PATH. */
const PLACE = '/usr/lib/postgresql'

/** Longest wait for it to take connections, in milliseconds. */
const PATIENCE = 10_000

/**
 * Starts it, bound to a core, and tells the servers by the environment where it is.
 * @param {string[]} pinned
 * @returns {Promise<{ version: string, pid: number, stop(): Promise<void>, absent?: undefined }
 *   | { absent: string }>}
 */
export async function startDatabase(pinned) {
  const { absent } = peer('pg')()
  if (absent !== undefined) return { absent }
  const programs = findPrograms()
  if (programs === undefined) {
    return { absent: 'PostgreSQL was not found (Debian, Ubuntu: apt-get install postgresql)' }
  }
  const user = unprivileged()
  const folder = mkdtempSync(join(tmpdir(), 'barewire-bench-'))
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const how = { ...user, cwd: folder, encoding: /** @type {const} */ ('utf8') }
  const data = join(folder, 'data')
  const made = spawnSync(join(programs, 'initdb'), ['-D', data, '-U', 'bench', '-A', 'trust'], how)
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const [program, ...args] = [...pinned, join(programs, 'postgres'), '-D', data, '-k', folder]
  const child = spawn(program, [...args, '-c', 'listen_addresses=', '-c', 'max_connections=400'], {
    ...how,
    stdio: 'ignore',
  })
  const stop = async () => {
    child.kill('SIGINT')
    if (child.exitCode === null) await once(child, 'exit')
    rmSync(folder, { recursive: true })
  }
  Object.assign(process.env, { PGHOST: folder, PGUSER: 'bench', PGDATABASE: 'postgres' })
  try {
    await fill(join(programs, 'psql'))
  } catch (error) {
    await stop()
    throw error
  }
  return { version: versionOf(programs), pid: /** @type {number} */ (child.pid), stop }
}

/** The folder of the programs; PATH wins, and then the newest release. */
function findPrograms() {
  const found = spawnSync('sh', ['-c', 'command -v initdb'], { encoding: 'utf8' }).stdout.trim()
  if (found !== '') return dirname(realpathSync(found))
  try {
    const newest = readdirSync(PLACE).toSorted((a, b) => Number(b) - Number(a))[0]
    return join(PLACE, newest, 'bin')
  } catch {
    return undefined
  }
}

/** @param {string} programs */
function versionOf(programs) {
  const { stdout } = spawnSync(join(programs, 'postgres'), ['--version'], { encoding: 'utf8' })
  return stdout.trim().split(' ')[2]
}

/** PostgreSQL refuses to run as root: then it is the system's own user for it. */
function unprivileged() {
  if (process.getuid?.() !== 0) return {}
  const [, uid, gid] =
    /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/** @param {string} psql */
async function fill(psql) {
  const sql = `create table item (id int primary key, name text not null);
    insert into item select id, 'item ' || id from generate_series(1, 1000) id; analyze item`
  const end = performance.now() + PATIENCE
  for (;;) {
    const { status, stderr, error } = spawnSync(psql, ['-q', '-c', sql], { encoding: 'utf8' })
    if (status === 0) return
    if (performance.now() > end)
      throw new Error(`PostgreSQL takes no connections: ${error ?? stderr}`)
    await sleep(50)
  }
}
