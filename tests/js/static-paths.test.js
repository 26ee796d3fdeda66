/** No path, no link and no exchange of links leads out of the directory of a `serveStatic()`. */
import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { serveStatic } from 'barewire'
import { start } from './child.js'
import { folder } from './folder.js'
import { Client, exchange, open, request } from './raw.js'

const SECRET = 'what nobody may see'

/** A directory with a secret beside it. */
function site(t) {
  const place = folder(t, {
    'secret.txt': SECRET,
    'outside/secret.txt': SECRET,
    'site/index.html': 'top',
    'site/a.txt': 'inside',
    'site/sub/index.html': 'sub',
    'site/evil.example/index.html': 'a directory',
    'site/%2e%2e/secret.txt': 'a strange name',
  })
  return { place, root: join(place, 'site') }
}

describe('traversal', () => {
  /** Targets as they are sent, and what they may give; a target that is a full URL is in absolute form. */
  const rows = {
    '/../secret.txt': [400, 404],
    '/..%2fsecret.txt': [404],
    '/..%2Fsecret.txt': [404],
    '/%2e%2e/secret.txt': [404],
    '/%2e%2e%2fsecret.txt': [404],
    '/.%2e/secret.txt': [404],
    '/%252e%252e/secret.txt': [200],
    '/%252e%252e%252fsecret.txt': [404],
    '/sub/../../secret.txt': [400, 404],
    '/sub/%2e%2e/%2e%2e/secret.txt': [404],
    '/sub/..%2f..%2fsecret.txt': [404],
    '/..%5csecret.txt': [404],
    '/..%5c..%5csecret.txt': [404],
    '/%5c..%5csecret.txt': [404],
    '/..%c0%afsecret.txt': [404],
    '/%c0%ae%c0%ae/secret.txt': [404],
    '/..%ef%bc%8fsecret.txt': [404],
    '/..;/secret.txt': [404],
    '/.../secret.txt': [404],
    '/..%00/secret.txt': [400],
    '/a.txt%00': [400],
    '/a.txt%00.html': [400],
    '/%00': [400],
    '//secret.txt': [404],
    '//../secret.txt': [400, 404],
    '//etc/passwd': [404],
    '///etc/passwd': [404],
    '/%2fetc%2fpasswd': [404],
    '/%2f%2fetc/passwd': [404],
    '/sub//../../secret.txt': [400, 404],
    '/sub/%2f../secret.txt': [404],
    '/a.txt/../../secret.txt': [400, 404],
    'http://a/../secret.txt': [400, 404],
    'http://a/..%2fsecret.txt': [404],
    'http://a/%2e%2e/secret.txt': [404],
    'file:///etc/passwd': [400, 404],
    '*': [400, 404],
  }
  for (const [target, allowed] of Object.entries(rows)) {
    test(`${target} → ${allowed.join(' or ')}`, async (t) => {
      const { root } = site(t)
      const prefixes = ['/', '/files']
      for (const prefix of prefixes) {
        const server = open(t, serveStatic(root, { prefix, dotfiles: true }))
        const isPath = target.startsWith('/')
        const sent = isPath && prefix !== '/' ? `${prefix}${target}` : target
        const response = await exchange(server, request(`GET ${sent}`))
        assert.doesNotMatch(response.text, /nobody|root:/, sent)
        if (prefix === '/') assert.ok(allowed.includes(response.status), `${response.status}`)
        if (response.status === 200) assert.equal(response.text, 'a strange name')
      }
    })
  }

  test('bytes that no URL has are refused, or name nothing', async (t) => {
    const server = open(t, serveStatic(site(t).root))
    for (const target of ['/..\\secret.txt', '/a\tb', '/\xff', '/a.txt\x7f']) {
      const client = await Client.connect(server)
      client.send(request(`GET ${target}`))
      const { status, text } = await client.response()
      assert.ok(status === 400 || status === 404, `${JSON.stringify(target)}: ${status}`)
      assert.doesNotMatch(text, /nobody/)
      client.destroy()
    }
  })

  test('the path is decoded once: a name may look encoded', async (t) => {
    const server = open(t, serveStatic(site(t).root))
    const response = await exchange(server, request('GET /%252e%252e/secret.txt'))
    assert.equal(response.text, 'a strange name')
  })

  test('no redirect leads to another host', async (t) => {
    const server = open(t, serveStatic(site(t).root))
    const targets = [
      '//evil.example',
      '///evil.example',
      '//evil.example/..',
      '/.//evil.example',
      '/sub/..//evil.example',
      '/%2fevil.example',
      '/%5cevil.example',
      '/\\evil.example',
      '/sub/../\\evil.example',
      'http://a//evil.example',
      '/evil.example',
    ]
    for (const target of targets) {
      const response = await exchange(server, request(`GET ${target}`))
      const location = response.get('location')
      if (location === undefined) continue
      assert.equal(new URL(location, 'http://a/').host, 'a', target)
      assert.equal(location, '/evil.example/', target)
    }
  })
})

describe('symbolic links', () => {
  const rows = {
    '/to-file': ['inside', 200, 404, 200],
    '/sub/up': ['inside', 200, 404, 200],
    '/to-folder/index.html': ['sub', 200, 404, 200],
    '/to-folder/': ['sub', 200, 404, 200],
    '/to-folder': ['', 301, 404, 301],
    '/chain': ['inside', 200, 404, 200],
    '/absolute-inside': ['inside', 404, 404, 200],
    '/out': [SECRET, 404, 404, 200],
    '/out-absolute': [SECRET, 404, 404, 200],
    '/out-folder/secret.txt': [SECRET, 404, 404, 200],
    '/out-and-in': ['inside', 404, 404, 200],
    '/dangling': ['', 404, 404, 404],
    '/loop': ['', 404, 404, 404],
    '/a.txt': ['inside', 200, 200, 200],
  }
  for (const [target, [text, ...statuses]] of Object.entries(rows)) {
    test(`${target}: inside ${statuses[0]}, never ${statuses[1]}, anywhere ${statuses[2]}`, async (t) => {
      const { place, root } = site(t)
      const link = (to, from) => symlinkSync(to, join(root, from))
      link('a.txt', 'to-file')
      link('../a.txt', 'sub/up')
      link('sub', 'to-folder')
      link('to-file', 'chain')
      link(join(root, 'a.txt'), 'absolute-inside')
      link('../secret.txt', 'out')
      link(join(place, 'secret.txt'), 'out-absolute')
      link('../outside', 'out-folder')
      link('../site/a.txt', 'out-and-in')
      link('nothing', 'dangling')
      link('loop', 'loop')
      for (const [index, symlinks] of ['inside', 'never', 'anywhere'].entries()) {
        const server = open(t, serveStatic(root, { symlinks }))
        const response = await exchange(server, request(`GET ${target}`))
        assert.equal(response.status, statuses[index], symlinks)
        if (response.status === 200) assert.equal(response.text, text)
        else assert.doesNotMatch(response.text, /nobody/)
      }
    })
  }

  test('inside is the default; the directory itself may be a link', async (t) => {
    const { place, root } = site(t)
    symlinkSync('../secret.txt', join(root, 'out'))
    symlinkSync('site', join(place, 'current'))
    const server = open(t, serveStatic(join(place, 'current')))
    assert.equal((await exchange(server, request('GET /a.txt'))).text, 'inside')
    assert.equal((await exchange(server, request('GET /out'))).status, 404)
  })

  test('a precompressed file may not be a link that leads out either', async (t) => {
    const { root } = site(t)
    symlinkSync('../secret.txt', join(root, 'a.txt.gz'))
    const server = open(t, serveStatic(root, { precompressed: true }))
    const response = await exchange(server, request('GET /a.txt', { 'Accept-Encoding': 'gzip' }))
    assert.deepEqual([response.status, response.text], [200, 'inside'])
  })
})

test('what is no file is not there, and nothing waits for it', async (t) => {
  const { root } = site(t)
  const code = `
    import { execFileSync } from 'node:child_process'
    execFileSync('mkfifo', [process.env.FIFO])
  `
  const made = start(t, code, { env: { FIFO: join(root, 'fifo') } })
  assert.deepEqual(await made.ended, [0, null], made.stderr)
  for (const symlinks of ['inside', 'never', 'anywhere']) {
    const server = open(t, serveStatic(root, { symlinks }))
    assert.equal((await exchange(server, request('GET /fifo'))).status, 404)
    symlinkSync('/dev/zero', join(root, symlinks))
    assert.equal((await exchange(server, request(`GET /${symlinks}`))).status, 404)
  }
})

test('a file and a directory that are exchanged for links out, over and over, give no secret', async (t) => {
  const { root } = site(t)
  const code = `
    import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
    const root = process.env.ROOT
    const at = (name) => root + '/' + name
    symlinkSync('../secret.txt', at('bad-file'))
    symlinkSync('../outside', at('bad-folder'))
    mkdirSync(at('good-folder'))
    writeFileSync(at('good-folder/secret.txt'), 'inside')
    writeFileSync(at('good-file'), 'inside')
    console.log('ready')
    const exchange = (good, bad, name) => {
      renameSync(at(good), at(name)); renameSync(at(name), at(good))
      renameSync(at(bad), at(name)); renameSync(at(name), at(bad))
    }
    for (;;) {
      exchange('good-file', 'bad-file', 'swapped')
      exchange('good-folder', 'bad-folder', 'folder')
    }
  `
  const running = start(t, code, { env: { ROOT: root } })
  for await (const chunk of running.child.stdout) if (`${chunk}`.includes('ready')) break
  for (const symlinks of ['inside', 'never']) {
    const client = await Client.connect(open(t, serveStatic(root, { symlinks })))
    const seen = { 200: 0, 301: 0, 404: 0 }
    for (let round = 0; round < 40; round++) {
      const pair = request('GET /swapped') + request('GET /folder/secret.txt')
      client.send(pair.repeat(16))
      for (let at = 0; at < 32; at++) {
        const { status, text } = await client.response()
        seen[status]++
        assert.doesNotMatch(text, /nobody/)
        if (status === 200) assert.equal(text, 'inside')
      }
    }
    client.destroy()
    assert.ok(seen[200] > 0 && seen[404] > 0, `both were met: ${JSON.stringify(seen)}`)
  }
  running.child.kill()
})

test('a file that is made, renamed and removed is seen as it is', async (t) => {
  const { root } = site(t)
  const client = await Client.connect(open(t, serveStatic(root)))
  const brief = async (target) => {
    client.send(request(`GET ${target}`))
    const { status, text } = await client.response()
    return status === 200 ? text : status
  }
  assert.equal(await brief('/new.txt'), 404)
  writeFileSync(join(root, 'new.txt'), 'one')
  assert.equal(await brief('/new.txt'), 'one')
  writeFileSync(join(root, 'other'), 'another')
  renameSync(join(root, 'other'), join(root, 'new.txt'))
  assert.equal(await brief('/new.txt'), 'another')
  rmSync(join(root, 'new.txt'))
  mkdirSync(join(root, 'new.txt'))
  assert.equal(await brief('/new.txt'), 301)
  client.destroy()
})
