/** `index.d.ts` is written by hand: what it names is what there is. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as api from 'barewire'
import { LIMITS } from '../../lib/multipart.js'
import { COMPRESSION_NAMES, NAMES, readOptions, TIMEOUT_NAMES } from '../../lib/options.js'
import { NAMES as STATIC_NAMES } from '../../lib/static-options.js'

const types = readFileSync(new URL('../../index.d.ts', import.meta.url), 'utf8')

/** The text between the braces of an interface or class. */
function bodyOf(declaration) {
  const start = types.indexOf(`export ${declaration} {`)
  assert.ok(start >= 0, declaration)
  return types.slice(start, types.indexOf('\n}', start))
}

/** Names of members at one depth of indentation. */
function members(text, indent) {
  const pattern = new RegExp(`^ {${indent}}(?:readonly |static )?(\\w+)\\??[:(]`, 'gm')
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name))]
}

const same = (a, b) => assert.deepEqual([...a].sort(), [...b].sort())

test('options', () => {
  const options = bodyOf('interface ServerOptions')
  same(members(options, 2), NAMES)
  same(members(options, 4), [...TIMEOUT_NAMES, 'error', 'request'])
})

test('options of the compression', () => {
  const options = bodyOf('interface CompressionOptions')
  same(members(options, 2), COMPRESSION_NAMES)
  const { threshold } = readOptions({ compression: true }).compression
  assert.match(options, new RegExp(`@default ${threshold}\\b[^/]*\\*/\\s+threshold\\?: number`))
})

test('options of serveStatic', () => {
  same(members(bodyOf('interface StaticOptions'), 2), STATIC_NAMES)
})

test('defaults that are numbers', () => {
  const options = bodyOf('interface ServerOptions')
  const { native, ...rest } = readOptions({})
  const limits = { ...rest, ...native }
  const pattern = /@default (\d+)[^/]*\*\/\s+(\w+)\?: number/g
  const documented = [...options.matchAll(pattern)]
  assert.equal(documented.length, 13)
  for (const [, value, name] of documented) {
    assert.equal(Number(value), limits[name] ?? limits[`${name}Timeout`], name)
  }
})

test('options of multipart', () => {
  const options = bodyOf('interface MultipartOptions')
  const documented = [...options.matchAll(/@default (\d+)[^/]*\*\/\s+(\w+)\?: number/g)]
  const real = Object.entries(LIMITS).map(([name, { initial }]) => [name, initial])
  assert.deepEqual(
    documented.map(([, value, name]) => [name, Number(value)]),
    real,
  )
})

test('values that are exported', () => {
  const declared = [...types.matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name)
  same(new Set(declared), Object.keys(api))
})

const classes = [
  [api.Server, 'class Server'],
  [api.Context, 'class Context'],
  [api.FetchEvent, 'class FetchEvent extends Context'],
]

for (const [{ name, prototype }, heading] of classes) {
  test(`members of ${name}`, () => {
    const isMember = (member) => member !== 'constructor'
    same(
      members(bodyOf(heading), 2).filter(isMember),
      Object.getOwnPropertyNames(prototype).filter(isMember),
    )
  })
}

test('members of the stats', () => {
  same(members(bodyOf('interface ServerStats'), 2), Object.keys(new api.Server().stats()))
})
