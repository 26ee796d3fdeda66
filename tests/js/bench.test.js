/** The benchmark room: it runs, it refuses wrong answers, and its page shows its record. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { counted } from '../../bench/load/calls.js'
import { charts } from '../../bench/load/charts.js'
import { check, parse } from '../../bench/load/check.js'
import { readOptions } from '../../bench/load/options.js'
import { CHARTS, PAGE, REFERENCE, readRecord, rendered } from '../../bench/load/report.js'
import { scenarios } from '../../bench/load/scenarios.js'
import { OWN, servers } from '../../bench/load/servers.js'
import { chance, median, quantile, shuffled, spread95 } from '../../bench/load/stats.js'
import {
  compared,
  disturbance,
  isLimitedByGenerator,
  noise,
  typical,
} from '../../bench/load/summary.js'
import { judged, targets } from '../../bench/load/targets.js'
import { MISSING, verify } from '../../bench/load/wrk.js'

const hasWrk = spawnSync('wrk', ['--version']).error === undefined

/** Runs the command in the project's folder. */
function bench(args, env = {}) {
  return spawnSync(process.execPath, ['bench/load/run.js', ...args], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  })
}

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'barewire-bench-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

describe('the command', () => {
  const SOME = ['json', 'echo', 'file10k', 'stream', 'pipeline', 'idle', 'startup']

  test(`scenarios of each kind ${hasWrk ? 'run' : 'ask for wrk'}`, (t) => {
    const path = join(folder(t), 'new', 'record.json')
    const names = SOME.flatMap((name) => ['--scenario', name])
    const { status, stdout, stderr } = bench(['--quick', ...names, '--record', path])
    if (!hasWrk) {
      assert.equal(status, 1)
      assert.equal(stderr, `${MISSING}\n`)
      return
    }
    assert.equal(status, 0, stderr)
    const record = readRecord(path)
    assert.deepEqual(Object.keys(record.scenarios).sort(), SOME.toSorted())
    assert.deepEqual(Object.keys(record.servers), OWN)
    for (const [name, { samples, servers: measured }] of Object.entries(record.scenarios)) {
      const expected = OWN.filter((server) => servers[server].scenarios.includes(name))
      assert.deepEqual(Object.keys(samples), expected)
      for (const [server, { requests, user, system, kib, ms }] of Object.entries(samples)) {
        const what = `${name}, ${server}`
        assert.ok(measured[server].peakRss > 10_000, `${what}: peak RSS`)
        const { kind } = scenarios[name]
        if (kind === 'load') assert.ok(requests[0] > 0 && user[0] + system[0] > 0, what)
        if (kind === 'idle') assert.ok(Number.isFinite(kib[0]), what)
        if (kind === 'startup') assert.ok(ms[0] > 1, what)
      }
      assert.ok(stdout.includes(`### ${scenarios[name].title}\n`))
    }
    const text = readFileSync(path, 'utf8')
    for (const local of [process.cwd(), tmpdir()]) assert.ok(!text.includes(local), `no ${local}`)
  })

  test('without wrk it says how to install it', (t) => {
    const { status, stderr } = bench([], { PATH: folder(t) })
    assert.equal(status, 1)
    assert.equal(stderr, `${MISSING}\n`)
    assert.match(MISSING, /apt-get install wrk/)
  })

  test('bad options are refused', () => {
    assert.throws(() => readOptions(['--scenario', 'nope']), /no scenario nope; there are json, /)
    assert.throws(() => readOptions(['--server', 'nope']), /no server nope; there are barewire, /)
    assert.throws(() => readOptions(['--rounds', '0']), /--rounds is a number of at least 1, not 0/)
    assert.throws(() => readOptions(['--rounds', '1.5']), /--rounds is a whole number, not 1.5/)
    assert.throws(() => readOptions(['--duration=']), /--duration .* not nothing/)
    assert.throws(() => readOptions(['--speed', '1']), /--speed/)
    const { rounds, duration, connections } = readOptions([])
    assert.deepEqual([rounds, duration, connections], [15, 2, 64])
    assert.deepEqual(readOptions(['--all']).servers, Object.keys(servers))
    assert.deepEqual(readOptions(['--server', 'node-http', '--server', 'barewire']).servers, [
      'barewire',
      'node-http',
    ])
  })
})

describe('the check of an answer', () => {
  const right = {
    status: 200,
    fields: { 'content-type': 'application/json', 'content-length': '17' },
    body: '{"hello":"world"}',
  }

  async function checked(t, { status, fields, body }, sendDate = true) {
    const server = createServer((_, response) => {
      response.sendDate = sendDate
      response.writeHead(status, fields).end(body)
    })
    t.after(() => server.close())
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    return check(scenarios.json, server.address().port)
  }

  test('takes the right one', async (t) => {
    const answer = await checked(t, right)
    assert.equal(answer.status, 200)
    assert.ok(answer.length > 100)
  })

  for (const [what, change] of Object.entries({
    status: { status: 201 },
    'Content-Type': { fields: { ...right.fields, 'content-type': 'text/plain' } },
    'Content-Length': {
      fields: { ...right.fields, 'content-length': '18' },
      body: `${right.body} `,
    },
    body: { body: '{"hello":"World"}' },
  })) {
    test(`refuses a wrong ${what}`, async (t) => {
      await assert.rejects(
        checked(t, { ...right, ...change }),
        new RegExp(`^Error: wrong ${what}:`),
      )
    })
  }

  test('refuses one without a Date', async (t) => {
    await assert.rejects(checked(t, right, false), /wrong Date: undefined/)
  })

  test('waits for all of it', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n',
    ]) {
      const bytes = Buffer.from(text)
      for (let end = 0; end < bytes.length; end++) {
        assert.equal(parse(bytes.subarray(0, end)), undefined)
      }
      const { body, length } = parse(bytes)
      assert.deepEqual([String(body), length], ['ab', bytes.length])
    }
    assert.throws(() => parse(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')), /no Content-Length/)
  })
})

describe('the check of a run', () => {
  const result = { requests: 10, bytes: 1000, connect: 0, read: 0, write: 0, timeout: 0, status: 0 }

  test('takes whole answers, and what came of the last ones', () => {
    verify(result, 100, 2)
    verify({ ...result, bytes: 1150 }, 100, 2)
  })

  test('refuses errors, lost bytes and surplus bytes', () => {
    assert.throws(
      () => verify({ ...result, status: 3, read: 1 }, 100, 2),
      /1 read, 3 status errors/,
    )
    assert.throws(() => verify({ ...result, bytes: 999 }, 100, 2), /came as 999 bytes/)
    assert.throws(() => verify({ ...result, bytes: 1201 }, 100, 2), /came as 1201 bytes/)
    assert.throws(() => verify({ ...result, requests: 0, bytes: 0 }, 100, 2), /no request/)
  })

  test('chunks of a stream may be cut in another way', () => {
    verify({ ...result, bytes: 991 }, 100, 2, true)
    assert.throws(() => verify({ ...result, bytes: 989 }, 100, 2, true), /came as 989 bytes/)
  })
})

describe('the counts of perf', () => {
  test('are read, but for those that the machine lacks', () => {
    const text = [
      '<not supported>;;instructions:u;0;100.00;;',
      '123456;;raw_syscalls:sys_enter;1000000;100.00;;',
    ].join('\n')
    assert.deepEqual(counted(text), { calls: 123456 })
    assert.deepEqual(counted('7;;instructions:u;0;100.00;;'), { instructions: 7 })
  })
})

describe('the figures', () => {
  test('quantiles are interpolated', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 2, 3]), 2.5)
    assert.equal(quantile([10, 20], 0.25), 12.5)
    assert.deepEqual(spread95([5]), { low: 5, high: 5, relative: 0 })
    assert.throws(() => median([]), RangeError)
  })

  test('a seed gives one order', () => {
    const order = (seed) => shuffled([1, 2, 3, 4, 5, 6, 7, 8], chance(seed))
    assert.deepEqual(order(7), order(7))
    assert.notDeepEqual(order(7), order(8))
    assert.deepEqual(order(7).toSorted(), [1, 2, 3, 4, 5, 6, 7, 8])
  })

  describe('of a record', () => {
    /** 15 rounds in which a server needs so many microseconds for each of 10 requests. */
    const samples = (micros) => ({
      requests: Array(15).fill(10),
      micros: Array(15).fill(1000),
      user: Array.from({ length: 15 }, (_, round) => 10 * micros(round)),
      system: Array(15).fill(0),
      generator: Array(15).fill(990),
      others: Array(15).fill(10),
      p99: Array(15).fill(500),
    })
    const measured = (again) => ({
      servers: {},
      samples: {
        barewire: samples((round) => 4.3 + round),
        'barewire-again': samples(again),
        'node-http': samples((round) => 10 * (4.3 + round)),
      },
    })
    const pair = { of: 'barewire', over: 'node-http' }

    test('ratios are of paired rounds', () => {
      const it = measured((round) => 4.3 + round)
      assert.equal(compared(it, pair, 'cpu').median.toFixed(3), '0.100')
      assert.ok(compared(it, pair, 'cpu').relative < 1e-9)
      assert.equal(typical(it, 'barewire', 'cpu').toFixed(3), '11.300')
      assert.equal(typical(it, 'barewire', 'rate'), 10_000)
      assert.equal(noise(it, 'cpu'), 0)
    })

    test('a busy generator and busy neighbours are told', () => {
      const it = measured((round) => 4.3 + round)
      assert.equal(isLimitedByGenerator(it, 'barewire'), true)
      assert.equal(disturbance(it).isDisturbed, false)
      it.samples.barewire.others.fill(900)
      it.samples['node-http'].others.fill(60)
      assert.equal(disturbance(it).isDisturbed, true)
    })

    test('targets allow for the noise and need enough rounds', () => {
      const verdictAt = (share, again, rounds = 15) => {
        const it = measured(again)
        it.samples['node-http'] = samples((round) => (4.3 + round) / share)
        for (const sample of Object.values(it.samples)) {
          for (const figure of Object.keys(sample)) sample[figure].length = rounds
        }
        return judged({ scenarios: { json: it } }).find(
          ({ target }) => target.over === 'node-http' && target.figure === 'cpu',
        ).verdict
      }
      const same = (round) => 4.3 + round
      const noisy = (round) => (4.3 + round) * (1 + (round % 3) / 10)
      assert.equal(verdictAt(0.4, same), '**met**')
      assert.equal(verdictAt(0.42, same), '**missed**')
      assert.equal(verdictAt(0.42, noisy), '**met**')
      assert.equal(verdictAt(0.4, same, 14), 'too few rounds')
    })

    test('a busy generator leaves a rate open, busy neighbours leave all open', () => {
      const it = measured((round) => 4.3 + round)
      it.samples.uws = samples((round) => 4.3 + round)
      it.samples.uws.requests.fill(20)
      const rate = () =>
        judged({ scenarios: { json: it } }).find(
          ({ target }) => target.over === 'uws' && target.figure === 'rate',
        ).verdict
      assert.equal(rate(), 'open: the generator’s limit')
      for (const { generator } of Object.values(it.samples)) generator.fill(500)
      assert.equal(rate(), '**missed**')
      for (const { others } of Object.values(it.samples)) others.fill(500)
      assert.equal(rate(), 'disturbed')
    })

    test('a difference and a bare value are compared as such', () => {
      const it = measured((round) => 4.3 + round)
      const apart = compared(it, { ...pair, isDifference: true }, 'cpu')
      assert.equal(apart.median.toFixed(3), (11.3 - 113).toFixed(3))
      assert.equal(compared(it, { of: 'barewire' }, 'cpu').median.toFixed(3), '11.300')
    })

    test('targets name servers that run in their scenario', () => {
      for (const { scenario, of, over = of } of targets) {
        for (const server of [of, over]) {
          assert.ok(servers[server].scenarios.includes(scenario), `${scenario}: ${server}`)
        }
      }
    })
  })

  test('the page and the charts show the reference record', () => {
    const page = readFileSync(PAGE, 'utf8')
    const record = readRecord(REFERENCE)
    assert.equal(page, rendered(page, record))
    const images = charts(record)
    assert.deepEqual(readdirSync(CHARTS).sort(), Object.keys(images).sort())
    for (const [name, image] of Object.entries(images)) {
      assert.equal(readFileSync(join(CHARTS, name), 'utf8'), image)
    }
  })
})
