/**
 * Records how nginx answers the table in static-nginx.json: starts the nginx of this machine on
 * the table's files, plays every row, and writes each answer into its row. Run it after the table's
 * requests were changed:
 *
 *     node tests/golden/record-nginx.mjs [path of nginx]
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, until } from '../js/raw.js'
import { makeFiles, play, readTable, tablePath } from '../js/static-table.js'

const nginx = process.argv[2] ?? 'nginx'
const config = fileURLToPath(new URL('static-nginx.conf', import.meta.url))
const version = spawnSync(nginx, ['-v'], { encoding: 'utf8' }).stderr.trim().split('/').at(-1)

const table = readTable()
const folder = mkdtempSync(join(tmpdir(), 'barewire-nginx-'))
makeFiles(table, join(folder, 'www'))
const server = spawn(nginx, ['-p', folder, '-c', config, '-e', 'stderr'], {
  cwd: folder,
  stdio: ['ignore', 'inherit', 'inherit'],
})
try {
  const path = join(folder, 'nginx.sock')
  await until('nginx listens', () => existsSync(path))
  const connect = () => Client.connect({}, { path })
  for (const row of table.rows) row.answer = await play(connect, row)
} finally {
  server.kill()
  rmSync(folder, { recursive: true })
}

writeFileSync(tablePath, JSON.stringify({ ...table, nginx: version }))
execFileSync('npx', ['biome', 'format', '--write', fileURLToPath(tablePath)], { stdio: 'inherit' })
console.log(`${table.rows.length} answers of nginx ${version}`)
