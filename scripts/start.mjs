/** Runs the first example, with the package built before if need be. */
import { buildIfStale } from './run.mjs'

if (!buildIfStale()) process.exit(1)
await import('../examples/hello-world.js')
