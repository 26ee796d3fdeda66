/** The package as it is shipped, and the way in which its files are built from `lib/`. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as api from 'barewire'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'barewire-package-'))
after(() => rmSync(scratch, { recursive: true }))

const npm = (cwd, ...args) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: 'pipe' })
const node = (cwd, ...args) =>
  execFileSync(process.execPath, args, { cwd, encoding: 'utf8', stdio: 'pipe' })

describe('what is shipped', () => {
  const app = join(scratch, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
  const packed = npm(root, 'pack', '--ignore-scripts', '--json', '--pack-destination', app)
  const [{ filename, files }] = JSON.parse(packed)
  npm(app, 'install', '--offline', '--no-audit', '--no-fund', `./${filename}`)
  const installed = join(app, 'node_modules', 'barewire')

  test('is the built files, their types and the documents, not the sources', () => {
    assert.deepEqual(files.map(({ path }) => path).sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/globals.js',
      'dist/index.js',
      'globals.d.ts',
      'index.d.ts',
      'package.json',
    ])
  })

  test('without an addon it names each package that could carry it', () => {
    const code = `
      import { serve } from 'barewire'
      try { serve(0, () => {}) } catch (error) { console.log(error.code, error.message) }`
    const text = node(app, '--input-type=module', '-e', code)
    assert.match(text, /^ERR_BAREWIRE_ADDON_MISSING /)
    const names = process.platform === 'linux' ? ['-gnu', '-musl'] : ['']
    for (const name of names) {
      assert.ok(text.includes(`@barewire/${process.platform}-${process.arch}${name}: not there`))
    }
  })

  test('with the addon of the platform it serves, and its globals are its classes', () => {
    const name = `@barewire/${process.platform}-${process.arch}`
    // The last one that is tried.
    const carrier = join(app, 'node_modules', process.platform === 'linux' ? `${name}-musl` : name)
    mkdirSync(carrier, { recursive: true })
    copyFileSync(join(root, 'build', 'barewire.node'), join(carrier, 'barewire.node'))
    writeFileSync(join(carrier, 'package.json'), '{ "main": "barewire.node" }')
    const code = `
      import 'barewire/globals'
      import { Response as Ours, serve } from 'barewire'
      const handler = (request) => new Response(new URL(request.url).pathname)
      const server = serve(0, handler, { hostname: '127.0.0.1' })
      const answer = await fetch(server.url + '/path')
      console.log(answer.status, await answer.text(), Response === Ours)
      await server.close()`
    assert.equal(node(app, '--input-type=module', '-e', code), '200 /path true\n')
    assert.ok(existsSync(join(installed, 'dist', 'index.js')))
  })
})

describe('the built files', () => {
  const built = readFileSync(join(root, 'dist', 'index.js'), 'utf8')

  test('import one built-in module, to require the others', () => {
    const imports = built.match(/^import .*$/gm)
    assert.deepEqual(imports, ["import { createRequire as requireFrom } from 'node:module';"])
  })

  test('keep the names of classes and functions', () => {
    for (const [name, value] of Object.entries(api)) assert.equal(value.name, name)
  })
})

test('a test has the classes of the package or those of lib/, never both', () => {
  const folder = join(root, 'tests', 'js')
  let checked = 0
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), 'utf8')
    if (!/ from '(barewire|\.\/raw\.js)'$/m.test(text)) continue
    // The layout of the record is numbers.
    const taken = text.matchAll(/^import ([^']*) from '\.\.\/\.\.\/lib\/(?!record\.js)/gm)
    const names = [...taken].flatMap(([, list]) => list.replace(/(\w) as \w+/g, '$1').match(/\w+/g))
    // Plain data is the same in both.
    const classes = names.filter((name) => name !== 'readOptions' && !/^[A-Z_]+$/.test(name))
    assert.deepEqual(classes, [], file)
    checked++
  }
  assert.ok(checked > 20, `only ${checked}`)
})

describe('build --if-stale', () => {
  const clone = join(scratch, 'clone')
  const inClone = (...path) => join(clone, ...path)
  for (const path of ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src', 'lib', 'scripts']) {
    cpSync(join(root, path), inClone(path), { recursive: true, preserveTimestamps: true })
  }
  for (const path of [
    'binding.js',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ]) {
    cpSync(join(root, path), inClone(path), { preserveTimestamps: true })
  }
  symlinkSync(join(root, 'node_modules'), inClone('node_modules'), 'junction')
  mkdirSync(inClone('build'))
  writeFileSync(inClone('build', 'barewire.node'), 'newer than its sources')
  const build = () => node(clone, 'scripts/build.mjs', '--if-stale')
  const BUILT = 'built dist/index.js and dist/globals.js\n'

  test('makes what is missing, once', () => {
    assert.equal(build(), BUILT)
    assert.equal(build(), '')
  })

  for (const path of ['lib/server.js', 'binding.js', 'scripts/bundle.mjs']) {
    test(`makes it again when ${path} has changed`, () => {
      const later = new Date(Date.now() + 1000)
      utimesSync(inClone(path), later, later)
      assert.equal(build(), BUILT)
      // The clock of the next case has to be past it.
      utimesSync(inClone('dist', 'index.js'), later, later)
      assert.equal(build(), '')
    })
  }
})
