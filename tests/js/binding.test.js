import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ABI_VERSION, load } from '../../binding.js'

const require = createRequire(import.meta.url)
const directory = mkdtempSync(join(tmpdir(), 'barewire-binding-'))
after(() => rmSync(directory, { recursive: true }))

/** A file that `require` takes for an addon. */
function fakeAddon(name, source) {
  const path = join(directory, name)
  writeFileSync(path, source)
  return path
}

const good = fakeAddon(
  'good.cjs',
  `exports.ABI_VERSION = ${ABI_VERSION}; exports.Engine = class {}`,
)
const old = fakeAddon('old.cjs', 'exports.ABI_VERSION = 0')

test('the first addon that is there is taken', () => {
  const addon = load({ paths: [join(directory, 'none.node'), good], open: require })
  assert.equal(addon.ABI_VERSION, ABI_VERSION)
  assert.equal(typeof addon.Engine, 'function')
})

test('a missing addon: the error lists what was looked for and how to build it', () => {
  const paths = [join(directory, 'none.node'), '@barewire/none-none']
  assert.throws(
    () => load({ paths, open: require }),
    (error) => {
      assert.equal(error.name, 'BarewireError')
      assert.equal(error.code, 'ERR_BAREWIRE_ADDON_MISSING')
      for (const path of paths) assert.ok(error.message.includes(`${path}: not there`))
      assert.match(error.message, /npm run build/)
      assert.equal(error.cause.code, 'MODULE_NOT_FOUND')
      return true
    },
  )
})

test('an addon that cannot be loaded: the error says why, whatever else is missing', () => {
  const broken = fakeAddon('broken.node', 'not a shared library')
  const paths = [join(directory, 'none.node'), broken, '@barewire/none-none']
  assert.throws(
    () => load({ paths, open: require }),
    (error) => {
      assert.equal(error.code, 'ERR_BAREWIRE_ADDON_MISSING')
      assert.ok(error.message.includes(`${broken}: ${error.cause.message}`))
      assert.equal(error.cause.code, 'ERR_DLOPEN_FAILED')
      return true
    },
  )
})

test('an addon of another ABI is refused, not passed over', () => {
  assert.throws(() => load({ paths: [old, good], open: require }), {
    code: 'ERR_BAREWIRE_ADDON_ABI',
    message: new RegExp(`ABI version 0.*needs ${ABI_VERSION}.*npm run build`, 's'),
  })
})

for (const node of ['18.20.4', '20.10.0', '16.0.0', '0.12.0']) {
  test(`Node ${node} is too old`, () => {
    assert.throws(() => load({ paths: [good], open: require, versions: { node } }), {
      code: 'ERR_BAREWIRE_NODE_VERSION',
      message: new RegExp(`20\\.11 or newer.*${node}`),
    })
  })
}

for (const node of ['20.11.0', '20.20.2', '21.0.0', '26.1.0']) {
  test(`Node ${node} is new enough`, () => {
    assert.ok(load({ paths: [good], open: require, versions: { node } }))
  })
}

for (const host of ['Bun', 'Deno']) {
  test(`${host} is refused by name, although it claims to be a Node`, () => {
    const versions = { node: '24.0.0', [host.toLowerCase()]: '1.0.0' }
    assert.throws(() => load({ paths: [good], open: require, versions }), {
      code: 'ERR_BAREWIRE_HOST',
      message: new RegExp(host),
    })
  })
}
