/**
 * The documents say what is so: every snippet runs, every link leads somewhere, and the tables and
 * names in them are those of the sources. CONTRIBUTING.md says how a snippet states what it does.
 */
import assert from 'node:assert/strict'
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as api from 'barewire'
import { CODINGS } from '../../lib/codings.js'
import { CODES } from '../../lib/errors.js'
import { LIMITS } from '../../lib/multipart.js'
import { COMPRESSION_NAMES, NAMES, readOptions, TIMEOUT_NAMES } from '../../lib/options.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path) => readFileSync(join(root, path), 'utf8')
const isThere = (path) => existsSync(join(root, path))

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** Inside the project, so that `barewire` is found by its own name, and out of git's sight. */
const folder = 'build/snippets'
const PATIENCE = 10_000

/** Fenced blocks: ` ```language,attributes skip: why `. */
const snippets = documents.flatMap((file) =>
  [...read(file).matchAll(/^```([^\s,`]*)([^\n]*)\n(.*?)^```$/gms)].map((block, index) => {
    const [, language, info, code] = block
    const line = read(file).slice(0, block.index).split('\n').length
    const name = `${file.replace(/\W/g, '-')}-${index}`
    const skip = /skip:(.*)/.exec(info)?.[1].trim()
    return { file, line, name, language, info, code, skip }
  }),
)
const inLanguage = (wanted) => snippets.filter(({ language }) => language === wanted)
const place = ({ file, line, skip }) => `${file}:${line}${skip ? ` (skipped: ${skip})` : ''}`

test('every block names a language that is checked, and none is skipped without a reason', () => {
  for (const snippet of snippets) {
    assert.match(snippet.language, /^(js|ts|rust|sh|text)$/, place(snippet))
    assert.notEqual(snippet.skip, '', place(snippet))
  }
})

/**
 * Loaded before a snippet: takes a free port instead of the one that it asks for, and tells it.
 */
const PRELOAD = `
const { dlopen } = process
const bound = new Set()
process.dlopen = (module, ...rest) => {
  dlopen.call(process, module, ...rest)
  const { prototype } = module.exports.Engine
  const { listen } = prototype
  prototype.listen = function (address, wanted, ...rest) {
    const port = listen.call(this, address, bound.has(wanted) ? wanted : 0, ...rest)
    if (!bound.has(port)) process.send({ address, port })
    bound.add(port)
    return port
  }
}
`

describe('js snippets', () => {
  rmSync(join(root, folder), { recursive: true, force: true })
  mkdirSync(join(root, folder), { recursive: true })
  const preload = join(root, folder, 'preload.mjs')
  writeFileSync(preload, PRELOAD)

  for (const snippet of inLanguage('js')) {
    test(place(snippet), { skip: snippet.skip }, async (t) => {
      const file = join(root, folder, `${snippet.name}.mjs`)
      writeFileSync(file, snippet.code)
      const env = { ...process.env, PORT: '' }
      const child = fork(file, { execArgv: ['--import', preload], stdio: 'pipe', env })
      t.after(() => child.kill('SIGKILL'))
      await follow(child, snippet.code)
    })
  }
})

/** Asks a running snippet what it says it answers, and compares what it says that it prints. */
async function follow(child, code) {
  let output = ''
  let complaints = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    complaints += chunk
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  const ended = once(child, 'close').finally(() => clearTimeout(timer))

  const questions = [...code.matchAll(/^\/\/ ([A-Z]+) (\/\S*) → (\d{3})(?: (.*))?$/gm)]
  if (questions.length > 0) {
    const [message] = await Promise.race([once(child, 'message'), ended])
    assert.ok(message?.port, `it starts no server: ${complaints}`)
    const host = message.address === '0.0.0.0' ? '127.0.0.1' : message.address
    for (const [question, method, path, status, text] of questions) {
      const answer = await fetch(`http://${host}:${message.port}${path}`, { method })
      const body = await answer.text()
      assert.equal(answer.status, Number(status), question)
      if (text !== undefined) assert.equal(body.trim(), text, question)
    }
    child.kill('SIGTERM')
  }
  const [exitCode, signal] = await ended
  const isKilled = questions.length > 0 && signal === 'SIGTERM'
  assert.ok(exitCode === 0 || isKilled, `ended with ${exitCode ?? signal}: ${complaints}`)
  const lines = output.split('\n')
  for (const [, text] of code.matchAll(/^\/\/ prints: (.*)$/gm)) {
    assert.ok(lines.includes(text), `${JSON.stringify(text)} is not printed, but ${output}`)
  }
}

test('ts snippets pass the compiler', async () => {
  const types = join(root, folder, 'types')
  mkdirSync(types, { recursive: true })
  const chosen = inLanguage('ts').filter(({ skip }) => skip === undefined)
  assert.ok(chosen.length >= 2)
  for (const { name, code } of chosen) writeFileSync(join(types, `${name}.ts`), code)
  const config = { extends: '../../../tests/types/tsconfig.json', include: ['*.ts'] }
  writeFileSync(join(types, 'tsconfig.json'), JSON.stringify(config))
  const compiler = join(root, 'node_modules', '.bin', 'tsc')
  await promisify(execFile)(compiler, ['-p', types]).catch(({ message, stdout }) =>
    assert.fail(`${message}\n${stdout}`),
  )
})

test('rust snippets are compiled by the documentation tests of the crate', () => {
  const files = new Set(inLanguage('rust').map(({ file }) => file))
  assert.ok(files.has('README.md'))
  for (const file of files)
    assert.ok(read('src/lib.rs').includes(`include_str!("../${file}")`), file)
  for (const snippet of inLanguage('rust')) assert.doesNotMatch(snippet.info, /ignore/)
})

describe('sh snippets', () => {
  const { scripts } = JSON.parse(read('package.json'))
  /** What can't be derived from the project, each known to work. */
  const known = [
    'curl -i http://localhost:3000',
    'cd ../my-project && npm install ../barewire',
    'cargo add --path ../barewire',
  ]
  const isKnown = (command) => {
    const [, script] = /^npm (?:run )?([\w:]+)(?: -- .*)?$/.exec(command) ?? []
    const [, file] = /^node ((?:bench|examples|scripts)\/\S+\.\w+)/.exec(command) ?? []
    const [, example] = /^cargo run --release --example (\w+)(?: --.*)?$/.exec(command) ?? []
    if (script !== undefined) return script in scripts
    if (file !== undefined) return isThere(file)
    if (example === undefined) return known.includes(command)
    return [`examples/${example}.rs`, `examples/${example}/main.rs`].some(isThere)
  }
  for (const snippet of inLanguage('sh')) {
    test(place(snippet), { skip: snippet.skip }, () => {
      for (const line of snippet.code.split('\n')) {
        const command = line.replace(/^cd barewire && /, '').replace(/\s+#.*$/, '')
        if (command !== '' && !command.startsWith('#')) assert.ok(isKnown(command), command)
      }
    })
  }
})

describe('links', () => {
  const withoutCode = (file) => read(file).replace(/^```.*?^```$/gms, '')
  const anchorOf = (heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
  const anchorsOf = (file) =>
    [...withoutCode(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading))

  for (const file of documents) {
    test(file, () => {
      for (const [, target] of withoutCode(file).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue
        const [path, anchor] = target.split('#')
        const goal = path === '' ? file : join(dirname(file), path)
        assert.ok(isThere(goal), target)
        if (anchor !== undefined) assert.ok(anchorsOf(goal).includes(anchor), target)
      }
    })
  }
})

/** The cells of the first table under a heading; `\|` is no border. */
function table(file, heading) {
  const text = read(file)
  const start = text.indexOf(`\n${heading}\n`)
  assert.ok(start >= 0, `${file} has no ${heading}`)
  const [rows] = /(?:^\|.*\n)+/m.exec(text.slice(start))
  return rows
    .trim()
    .split('\n')
    .slice(2)
    .map((row) => row.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
}

/** What stands in backticks in a cell. */
const codes = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code)
const firstCodes = (rows) => rows.flatMap(([cell]) => codes(cell))
const same = (a, b) => assert.deepEqual([...a].sort(), [...b].sort())

/** The options of the engine, by their names for users. */
function defaults() {
  const { native, ...rest } = readOptions({ port: 3000 })
  const timeouts = TIMEOUT_NAMES.map((name) => [`timeouts.${name}`, native[`${name}Timeout`]])
  // What this Node.js lacks of them is offered by others.
  const compression = { ...readOptions({ compression: true }).compression, codings: CODINGS }
  const codings = COMPRESSION_NAMES.map((name) => [`compression.${name}`, compression[name]])
  return { ...rest, ...native, timeouts: {}, ...Object.fromEntries([...timeouts, ...codings]) }
}

describe('docs/api.md', () => {
  const file = 'docs/api.md'

  test('exports', () => same(firstCodes(table(file, '## Exports')), Object.keys(api)))

  test('members of the server and of the context', () => {
    const nameOf = (code) => /^(?:new )?\[?([\w.]+)/.exec(code)[1]
    const membersOf = ({ prototype }) =>
      Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor')
    const server = firstCodes(table(file, '## Server')).map(nameOf)
    same(server, [...membersOf(api.Server), 'Server', 'Symbol.asyncDispose'])
    same(firstCodes(table(file, '### Context')).map(nameOf), membersOf(api.Context))
  })

  test('options: names, defaults and ranges', () => {
    const rows = table(file, '## Options')
    const timeouts = TIMEOUT_NAMES.map((name) => `timeouts.${name}`)
    const compression = COMPRESSION_NAMES.map((name) => `compression.${name}`)
    same(firstCodes(rows), [...NAMES, ...timeouts, ...compression])
    const values = defaults()
    for (const [cell, initial, range] of rows) {
      const [name] = codes(cell)
      const value = values[name]
      const literal = typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
      assert.equal(initial, literal === undefined ? 'none' : `\`${literal}\``, name)
      const [, min, max] = /^(\d+) to (\d+)/.exec(range) ?? []
      if (min === undefined) continue
      const [outer, inner] = name.split('.')
      const given = (number) => ({ [outer]: inner === undefined ? number : { [inner]: number } })
      for (const number of [min, max]) assert.ok(readOptions(given(Number(number))), name)
      for (const number of [Number(min) - 1, Number(max) + 1]) {
        assert.throws(() => readOptions(given(number)), { code: CODES.OPTION }, `${name} ${number}`)
      }
    }
  })

  test('options of multipart: names, defaults and ranges', () => {
    const rows = table(file, '### Forms with files')
    const documented = rows.map(([name, initial, range]) => [
      codes(name)[0],
      codes(initial)[0],
      range,
    ])
    const real = Object.entries(LIMITS).map(([name, { initial, min, max }]) => [
      name,
      `${initial}`,
      `${min} to ${max}`,
    ])
    assert.deepEqual(documented, real)
  })

  test('error codes', () => same(firstCodes(table(file, '## Errors')), Object.values(CODES)))

  test('stats, and why connections close', () => {
    same(firstCodes(table(file, '## stats')), Object.keys(new api.Server().stats()))
    const reasons = read('src/proto/fault.rs').matchAll(/CloseReason::\w+ => "(\w+)"/g)
    const closed = read(file).slice(read(file).indexOf('The reasons in `closed`'))
    const rows = /(?:^\|.*\n)+/m.exec(closed)[0].trim().split('\n').slice(2)
    same(
      rows.map((row) => codes(row)[0]),
      [...reasons].map(([, name]) => name),
    )
  })
})

test('README.md names options that there are', () => {
  const named = firstCodes(table('README.md', '## Options'))
  for (const name of named) assert.ok(NAMES.includes(name), name)
})

describe('docs/protocol.md', () => {
  const file = 'docs/protocol.md'

  test('limits: all of them, with their values and options', () => {
    const constants = [...read('src/limits.rs').matchAll(/^pub const (\w+): \w+ = ([^;]+);/gm)]
    const sources = Object.fromEntries(constants.map(([, name, source]) => [name, source]))
    const values = defaults()
    const rows = table(file, '## Limits')
    same(firstCodes(rows), Object.keys(sources))
    for (const [constant, value, option] of rows) {
      const [name] = codes(constant)
      assert.equal(value, `\`${limitOf(name, sources)}\``, name)
      const [chosen] = codes(option)
      if (chosen !== undefined) assert.equal(limitOf(name, sources), values[chosen], name)
    }
  })

  test('statuses: each that the server refuses with', () => {
    const said = table(file, '## Requests, by what is wrong with them').map((row) => row[1])
    const bodyOf = (path) => /pub const fn status.*?\n {4}\}/s.exec(read(path))[0]
    const used = `${bodyOf('src/wire/error.rs')}${bodyOf('src/proto/fault.rs')}`
    const statuses = new Set(used.match(/\b[45]\d\d\b/g))
    // The handler's own: its failure, its time, its load. The text and the clocks have them.
    for (const status of ['500', '503']) statuses.delete(status)
    same(new Set(said), statuses)
    assert.ok(read(file).includes('503') && read(file).includes('500'))
  })
})

/** The few forms in which limits.rs writes a number. */
function limitOf(name, sources) {
  const source = sources[name].replaceAll('_', '')
  const [, shift, less] = /^\(1 << (\d+)\) - (\d+)$/.exec(source) ?? []
  if (shift !== undefined) return 2 ** Number(shift) - Number(less)
  return sources[name]
    .split(' * ')
    .map((factor) =>
      /^\d/.test(factor) ? Number(factor.replaceAll('_', '')) : limitOf(factor, sources),
    )
    .reduce((product, factor) => product * factor, 1)
}

describe('docs/security.md', () => {
  const rows = [
    ...read('docs/security.md').matchAll(/^\|[^|\n]+\|[^|\n]+\|([^|\n]*`tests[^|\n]*)\|$/gm),
  ]

  test('every class has tests, and each is in the file that it is said to be in', () => {
    assert.ok(rows.length >= 50, `only ${rows.length}`)
    for (const [row, cell] of rows) {
      const [first, ...rest] = cell.split(/`(tests\/[^`]*)`/)
      assert.equal(first.trim(), '', row)
      while (rest.length > 0) {
        const [file, names] = [rest.shift(), codes(rest.shift())]
        assert.ok(names.length > 0, `${file}: no names`)
        const there = namesIn(file)
        for (const name of names) assert.ok(there.has(name), `${name} in ${file}`)
      }
    }
  })

  test('every table of classes is checked, row by row', () => {
    const lines = read('docs/security.md').match(/^\|.*\|$/gm)
    const heads = lines.filter((line) => line === '| Class | Rule | Held by |')
    assert.equal(lines.length, rows.length + 2 * heads.length)
  })
})

/**
 * The tests of a file of Rust or JavaScript, the attacks, or the rows of a table; of a template its
 * constant parts.
 */
function namesIn(file) {
  const text = read(file)
  const found = (pattern) => [...text.matchAll(pattern)].map((match) => match.at(-1))
  if (file.endsWith('.rs')) return new Set(found(/#\[test\]\nfn (\w+)\(\)/g))
  if (file.endsWith('.md')) return new Set(found(/^\| ([\w-]+) \| [`–]/gm))
  if (file.endsWith('/attacks.js')) return new Set(found(/^ {2}'([^']+)': \{$/gm))
  const titles = found(/\b(?:test|describe)\(\s*(['"`])((?:(?!\1).)*)\1/g)
  const parts = titles.flatMap((title) => title.split(/\$\{[^}]*\}/))
  return new Set(parts.map((part) => part.replace(/^[\s:,]+|[\s:,]+$/g, '')))
}

describe('docs/architecture.md', () => {
  const text = read('docs/architecture.md')

  test('files and folders that it names are there', () => {
    const paths = new Set(text.match(/`(?:src|lib|tests|scripts|examples)\/[\w./-]*`/g))
    assert.ok(paths.size >= 30, `only ${paths.size}`)
    for (const path of paths) assert.ok(isThere(path.slice(1, -1)), path)
  })

  test('functions are in the files that they are said to be in', () => {
    const named = [
      ...text.matchAll(/((?:`[^`\n]+`,?\s(?:and\s)?)+)in\s`((?:src|lib)\/[^`]+\.\w+)`/g),
      ...[...text.matchAll(/^\|[^|]*\| (`[^`]+`) \| (`[^|]+`) \|$/gm)]
        .filter(([, path]) => path.includes('/'))
        .map(([row, path, functions]) => [row, functions, path.slice(1, -1)]),
    ]
    assert.ok(named.length >= 40, `only ${named.length}`)
    for (const [, functions, path] of named) {
      for (const name of codes(functions)) {
        const definition = new RegExp(
          `(?:fn|struct|enum|trait|function|const|let) ${name}\\b|^ {2}(?:async )?${name}\\(`,
          'm',
        )
        assert.match(read(path), definition, `${name} in ${path}`)
      }
    }
  })
})
