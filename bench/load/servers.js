/**
 * The table of servers. Each reads PORT, SCENARIO and FILES from the environment and answers that
 * scenario as a user of the server would write it. A new row needs a program and an entry here.
 */
import { exampleProxy, haproxyItself, native, nginxItself, nodeItself, peer } from './needs.js'
import { nginx } from './nginx.js'
import { barewireProxy, haproxy, nginxProxy } from './proxies.js'
import { scenarios } from './scenarios.js'

/**
 * @typedef {object} Server
 * @property {string} title as tables call it
 * @property {(port: number, scenario: string) => string[]} command from the project's folder
 * @property {() => import('./needs.js').Found} find makes sure that it can be started
 * @property {string[]} scenarios that it has an answer for
 * @property {string} [handler] that it runs in any scenario
 */

/** Of whom answers itself. */
const ALL = Object.keys(scenarios).filter((name) => name !== 'proxy')
const PEERS = 'bench/load/peers'
const BUN = `${PEERS}/node_modules/@oven/bun-linux-x64/bin/bun`
const DENO = `${PEERS}/node_modules/@deno/linux-x64-glibc/deno`

const FILES = ['file10k', 'file10m', 'oha-file10k']
const OHA = ALL.filter((name) => scenarios[name].generator === 'oha')
/** Other ways to ask, which say little new of servers far from the front. */
const VARIANTS = ['json1', 'json512', 'pipeline', 'short', ...OHA]
const HELLO = ALL.filter((name) => scenarios[name].handler === 'json' && !OHA.includes(name))

/** @param {string[]} names */
const except = (...names) => ALL.filter((name) => !names.includes(name))

/**
 * A program in JavaScript that runs in this Node.js.
 * @param {string} title
 * @param {string} program
 */
const node = (title, program) => ({
  title,
  command: () => ['node', `bench/load/servers/${program}`],
  find: nodeItself,
  scenarios: ALL,
})

/**
 * A program of `peers/`.
 * @param {string} title
 * @param {string} name of its package
 * @param {string} program
 * @param {string[]} engine the command that runs it
 */
const another = (title, name, program, engine = ['node']) => ({
  title,
  command: () => [...engine, `${PEERS}/${program}`],
  find: peer(name),
  scenarios: except('text'),
})

/**
 * A program of `bench/native`, which is told what to answer.
 * @param {string} title
 * @param {string} program
 * @param {string[]} its scenarios
 */
const compiled = (title, program, its) => ({
  title,
  command: (/** @type {number} */ _, /** @type {string} */ scenario) => {
    const { method, answer } = scenarios[scenario]
    const body = method === 'POST' ? [] : [answer.body]
    return [`target/release/${program}`, answer.type, ...body]
  },
  find: native,
  scenarios: its,
})

/**
 * @param {string} title
 * @param {string[]} directives
 */
const files = (title, ...directives) => ({
  title,
  command: nginx(directives),
  find: nginxItself,
  scenarios: FILES,
})

/**
 * A program that passes on what another server answers.
 * @param {string} title
 * @param {(port: number) => string[]} command
 * @param {() => import('./needs.js').Found} find
 */
const proxy = (title, command, find) => ({ title, command, find, scenarios: ['proxy'] })

/** @type {Record<string, Server>} in the order of the tables */
export const servers = {
  barewire: node('barewire', 'barewire.js'),
  /** The same program in a second process: how far it is from itself is the noise of a run. */
  'barewire-again': node('barewire, again', 'barewire.js'),
  /** What the asynchronous handler is compared with. */
  'barewire-sync': {
    ...node('barewire, without the await', 'barewire.js'),
    scenarios: ['async'],
    handler: 'json',
  },
  'node-http': node('node:http', 'node-http.js'),
  /** What the time to the first answer is compared with. */
  'node-bare': { ...node('bare node process', 'node-bare.js'), scenarios: ['startup'] },
  floor: compiled('bare epoll floor', 'floor', [
    ...HELLO.filter((name) => name !== 'short'),
    ...['text', 'echo', 'echo100k'],
  ]),
  'barewire-rust': compiled('barewire, handler in Rust', 'handler', [
    ...HELLO,
    ...['text', 'echo', 'echo100k'],
  ]),
  nginx: files('nginx'),
  'nginx-cache': files(
    'nginx with open_file_cache',
    'open_file_cache max=1000 inactive=60s',
    'open_file_cache_valid 60s',
  ),
  uws: {
    ...another('uWebSockets.js', 'uwebsockets', 'uws.js'),
    // It has neither files nor streams. Like Bun it closes without saying so in its answer, which
    // wrk takes for an error.
    scenarios: except('text', ...FILES, 'stream', 'short', 'database', 'oha-database'),
  },
  bun: {
    ...another('Bun.serve', '@oven/bun-linux-x64', 'bun.js', [BUN]),
    scenarios: except('text', 'short'),
  },
  deno: another('Deno.serve', '@deno/linux-x64-glibc', 'deno.js', [DENO, 'run', '-A', '--no-lock']),
  fastify: another('Fastify', 'fastify', 'fastify.js'),
  'hono-barewire': {
    ...another('Hono on barewire', 'hono', 'hono-barewire.js'),
    scenarios: except('text', ...VARIANTS),
  },
  'hono-node': another('Hono on node-server', '@hono/node-server', 'hono-node.js'),
  srvx: {
    ...another('srvx', 'srvx', 'srvx.js'),
    scenarios: except('text', ...VARIANTS),
  },
  express: {
    ...another('Express', 'express', 'express.js'),
    scenarios: ['json', 'user', 'echo', 'file10k', 'database', 'startup'],
  },
  'barewire-proxy': proxy('barewire, examples/proxy', barewireProxy, exampleProxy),
  'nginx-proxy': proxy('nginx as a proxy', nginxProxy, nginxItself),
  haproxy: proxy('HAProxy', haproxy, haproxyItself),
}

/** What runs when nothing else is asked for: needs neither network nor compiler. */
export const OWN = ['barewire', 'barewire-again', 'barewire-sync', 'node-http']

/** Two runs of one thing: how far they differ is the noise of a run. */
export const NULL = { of: 'barewire-again', over: 'barewire' }
