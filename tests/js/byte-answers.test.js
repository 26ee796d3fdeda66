/** Bytes as bodies: each answer has its own copy, though the memory of copies is used again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Response } from 'barewire'
import { Client, open, request } from './raw.js'

/** Bytes that tell their place and their giver. */
const pattern = (size, giver) =>
  Uint8Array.from({ length: size }, (_, index) => (index * 31 + giver) % 251)

describe('what was sent once is not changed by later answers', () => {
  const size = 100_000
  const kept = []
  const respond = {
    '/plain': (bytes) => new Response(bytes),
    '/clone': (bytes) => {
      const response = new Response(bytes)
      kept.push(response.clone())
      return response
    },
    '/original': (bytes) => {
      const response = new Response(bytes)
      kept.push(response)
      return response.clone()
    },
    '/stream': (bytes) => {
      const response = new Response(bytes)
      kept.push(new Response(response.body))
      return new Response(bytes)
    },
    '/passed': (bytes) => {
      const response = new Response(bytes)
      return new Response(response.body)
    },
    '/refilled': (bytes) => {
      const response = new Response(bytes)
      bytes.fill(0)
      return response
    },
    '/late': async (bytes) => {
      const response = new Response(bytes)
      await new Promise(setImmediate)
      return response
    },
  }
  for (const target of Object.keys(respond)) {
    test(target, async (t) => {
      kept.length = 0
      let giver = 0
      const server = open(t, ({ rawTarget }) => respond[rawTarget](pattern(size, ++giver)))
      const clients = await Promise.all([1, 2, 3].map(() => Client.connect(server)))
      for (let round = 0; round < 4; round++) {
        const seen = new Set()
        for (const client of clients) client.send(request(`GET ${target}`))
        for (const client of clients) {
          const { body } = await client.response()
          const match = [...Array(13).keys()].find((giver) => body.equals(pattern(size, giver)))
          assert.ok(match > round * 3 && match <= round * 3 + 3, 'the bytes of one answer')
          seen.add(match)
        }
        assert.equal(seen.size, 3)
      }
      const others = await Promise.all(kept.map((response) => response.bytes()))
      others.forEach((bytes, index) => {
        assert.deepEqual(bytes, pattern(size, index + 1))
      })
    })
  }
})
