/**
 * The heads that the fuzz targets kept, sent to a whole server: whatever reaches a handler can be
 * read as a request, and each connection ends in order.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Response } from 'barewire'
import { Client, open, until } from './raw.js'

const folder = fileURLToPath(new URL('../../fuzz', import.meta.url))
/** Connections at a time. */
const WIDTH = 32

/** @param {string} target */
function inputs(target) {
  return ['corpus', 'seeds', 'regressions']
    .map((kind) => join(folder, kind, target))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path).map((name) => join(path, name)))
}

describe('the fuzz corpus over a socket', () => {
  for (const target of ['head', 'framing', 'chunked']) {
    test(target, async (t) => {
      const failures = []
      let handled = 0
      const server = open(
        t,
        async (request) => {
          handled++
          const fields = [...request.headers]
          const { protocol } = new URL(request.url)
          const body = await request.text().catch(() => 'cut')
          return new Response(`${request.method} ${protocol} ${fields.length} ${body.length}`)
        },
        { error: (error) => failures.push(error) && new Response(null, { status: 500 }) },
      )
      const left = inputs(target)
      assert.ok(left.length > 10, `${left.length} inputs`)
      const prefix =
        target === 'chunked'
          ? 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
          : ''
      const work = async () => {
        for (let path = left.pop(); path !== undefined; path = left.pop()) {
          const client = await Client.connect(server)
          client.send(Buffer.concat([Buffer.from(prefix), readFileSync(path)]))
          client.finish()
          await until(path, () => client.ended !== undefined)
          assert.equal(client.ended, 'fin', path)
          client.destroy()
        }
      }
      await Promise.all(Array.from({ length: WIDTH }, work))
      assert.deepEqual(failures, [])
      assert.ok(handled > 10, `${handled} requests`)
    })
  }
})
