/**
 * The table of servers. Each is a program in `servers/` that reads PORT and SCENARIO from the
 * environment and answers that scenario as a user of the server would write it. A new row needs a
 * program there and an entry here.
 */

/**
 * @typedef {object} Server
 * @property {string} title as tables call it
 * @property {string} program a file of `servers/`
 * @property {(node: string) => string} version of what the program runs, by the version of Node.js
 */

/** @type {Record<string, Server>} in the order of the tables */
export const servers = {
  barewire: { title: 'barewire', program: 'barewire.js', version: (node) => `on Node.js ${node}` },
  /** The same program in a second process: how far it is from itself is the noise of a run. */
  'barewire-again': {
    title: 'barewire, again',
    program: 'barewire.js',
    version: (node) => `on Node.js ${node}`,
  },
  'node-http': { title: 'node:http', program: 'node-http.js', version: (node) => node },
}

/**
 * Which ratios a run is about: CPU time and throughput of one server over those of another. The
 * null comparison tells how far two runs of one thing differ.
 * @type {{ of: string, over: string, isNull?: boolean }[]}
 */
export const comparisons = [
  { of: 'barewire', over: 'node-http' },
  { of: 'barewire-again', over: 'barewire', isNull: true },
]
