/** What servers need before they can start: found, installed or built here, or a reason why not. */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { root } from './machine.js'

/**
 * @typedef {{ version: string, absent?: undefined } | { absent: string }} Found
 */

const PEERS = 'bench/load/peers'

/** @returns {Found} */
export function nodeItself() {
  return { version: process.versions.node }
}

/** @returns {Found} */
export function nginxItself() {
  const { error, stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' })
  const [, version] = /nginx\/(\S+)/.exec(stderr ?? '') ?? []
  if (error === undefined && version !== undefined) return { version }
  return { absent: 'nginx was not found (Debian, Ubuntu: apt-get install nginx-light)' }
}

/** @returns {Found} */
export function haproxyItself() {
  const { error, stdout } = spawnSync('haproxy', ['-v'], { encoding: 'utf8' })
  const [, version] = /version (\S+)/.exec(stdout ?? '') ?? []
  if (error === undefined && version !== undefined) return { version }
  return { absent: 'haproxy was not found (Debian, Ubuntu: apt-get install haproxy)' }
}

/**
 * The example of the crate, built.
 * @returns {Found}
 */
export function exampleProxy() {
  const failure = once('cargo', ['build', '--release', '--example', 'proxy'])
  return failure === undefined ? compiler() : { absent: failure }
}

/**
 * A package of `peers/`, all of which are installed when the first one is asked for.
 * @param {string} name
 * @returns {() => Found}
 */
export function peer(name) {
  return () => {
    const install = ['ci', '--prefix', PEERS, '--no-audit', '--no-fund']
    const failure = isInstalled() ? undefined : once('npm', install)
    if (failure !== undefined) return { absent: failure }
    try {
      const path = `${root}/${PEERS}/node_modules/${name}/package.json`
      return { version: JSON.parse(readFileSync(path, 'utf8')).version }
    } catch {
      return { absent: `npm has installed no ${name} on ${process.platform} ${process.arch}` }
    }
  }
}

/**
 * A program of `bench/native`, built.
 * @returns {Found}
 */
export function native() {
  const failure = once('cargo', ['build', '--release', '--package', 'barewire-bench'])
  return failure === undefined ? compiler() : { absent: failure }
}

function compiler() {
  const { stdout } = spawnSync('rustc', ['--version'], { encoding: 'utf8' })
  return { version: stdout.split(' ')[1] }
}

/** npm writes its own lock file last, so that tells when the packages were installed. */
function isInstalled() {
  const lock = statSync(`${root}/${PEERS}/package-lock.json`)
  const installed = statSync(`${root}/${PEERS}/node_modules/.package-lock.json`, {
    throwIfNoEntry: false,
  })
  return installed !== undefined && installed.mtimeMs >= lock.mtimeMs
}

/** @type {Map<string, string | undefined>} how each command has failed */
const done = new Map()

/**
 * Runs a command the first time that it is needed; returns how it failed.
 * @param {string} program
 * @param {string[]} args
 */
function once(program, args) {
  const command = [program, ...args].join(' ')
  if (!done.has(command)) {
    console.error(command)
    const { status, error } = spawnSync(program, args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const failure = error?.message ?? `it ended with ${status}`
    done.set(command, status === 0 ? undefined : `${program} ${args[0]}: ${failure}`)
  }
  return done.get(command)
}
