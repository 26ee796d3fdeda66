/** The benchmark room: it runs, it refuses wrong answers, and its page shows its record. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { check, parse } from '../../bench/load/check.js'
import { readOptions } from '../../bench/load/options.js'
import { PAGE, REFERENCE, readRecord, rendered } from '../../bench/load/report.js'
import { scenarios } from '../../bench/load/scenarios.js'
import { servers } from '../../bench/load/servers.js'
import { chance, median, quantile, shuffled, spread95 } from '../../bench/load/stats.js'
import { judged, medians, ratios } from '../../bench/load/summary.js'
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
  test(`every scenario ${hasWrk ? 'runs on every server' : 'asks for wrk'}`, (t) => {
    const path = join(folder(t), 'new', 'record.json')
    const { status, stdout, stderr } = bench(['--quick', '--all', '--record', path])
    if (!hasWrk) {
      assert.equal(status, 1)
      assert.equal(stderr, `${MISSING}\n`)
      return
    }
    assert.equal(status, 0, stderr)
    const record = readRecord(path)
    assert.deepEqual(Object.keys(record.scenarios), Object.keys(scenarios))
    for (const [name, { rounds, servers: measured }] of Object.entries(record.scenarios)) {
      assert.equal(rounds.length, 1)
      assert.deepEqual(Object.keys(rounds[0]).sort(), Object.keys(servers).sort())
      for (const [server, round] of Object.entries(rounds[0])) {
        assert.ok(round.requests > 100, `${name}, ${server}: ${round.requests} requests`)
        assert.ok(round.user + round.system > 0, `${name}, ${server}: CPU time`)
        assert.ok(measured[server].peakRss > 10_000, `${name}, ${server}: peak RSS`)
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
    assert.throws(() => readOptions(['--rounds', '0']), /--rounds is a number of at least 1, not 0/)
    assert.throws(() => readOptions(['--rounds', '1.5']), /--rounds is a whole number, not 1.5/)
    assert.throws(() => readOptions(['--duration=']), /--duration .* not nothing/)
    assert.throws(() => readOptions(['--speed', '1']), /--speed/)
    const { rounds, duration, connections } = readOptions([])
    assert.deepEqual([rounds, duration, connections], [15, 2, 64])
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
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab'
    for (let end = 0; end < text.length; end++) assert.equal(parse(text.slice(0, end)), undefined)
    assert.equal(parse(text).length, text.length)
    assert.throws(() => parse('HTTP/1.1 200 OK\r\n\r\n'), /no Content-Length/)
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

  test('ratios are of paired rounds, and targets allow for the noise', () => {
    const round = (micros) => ({
      requests: 10,
      micros: 100,
      user: micros,
      system: 0,
      generator: 99,
    })
    const measured = {
      servers: { barewire: { peakRss: 2048 } },
      rounds: [
        { barewire: round(43), 'barewire-again': round(43), 'node-http': round(100) },
        { barewire: round(86), 'barewire-again': round(94.6), 'node-http': round(200) },
      ],
    }
    assert.equal(ratios(measured, { of: 'barewire', over: 'node-http' }).cpu.median, 0.43)
    assert.equal(medians(measured, 'barewire').cpu.toFixed(3), '6.450')
    assert.equal(medians(measured, 'barewire').isLimitedByGenerator, true)
    const [{ noise, isMet, ratio }] = judged('json', measured)
    assert.ok(noise > 0.04 && noise < 0.05)
    assert.deepEqual([ratio, isMet], [0.43, true])
    for (const it of measured.rounds) it['barewire-again'] = it.barewire
    assert.equal(judged('json', measured)[0].isMet, false)
  })

  test('the page shows the reference record', () => {
    const page = readFileSync(PAGE, 'utf8')
    assert.equal(page, rendered(page, readRecord(REFERENCE)))
  })
})
