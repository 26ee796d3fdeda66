/**
 * Joins the modules of `lib/` into one file for each entry of the package, in `dist/`: to find, read
 * and link 50 of them is most of what an import takes. Nothing is renamed or squeezed, so a stack
 * trace reads as the source does; only comments are taken out, which V8 would have to read, too.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { rollup } from '@rollup/wasm-node'
import { root, run } from './run.mjs'

/** What the compiler makes of the modules: the same without comments. */
const plain = join(root, 'build', 'plain')

/** All that `globals.js` needs is exported by `index.js`, so that neither needs a third file. */
const ENTRIES = ['index.js', 'globals.js']

/** True when it succeeded. */
export async function bundle() {
  rmSync(plain, { recursive: true, force: true })
  if (!run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'])) {
    return false
  }
  const bundled = await rollup({
    input: ENTRIES.map((name) => join(plain, 'lib', name)),
    external: /^node:/,
    treeshake: false,
    onwarn: (warning) => {
      throw new Error(warning.message)
    },
  })
  await bundled.write({
    dir: join(root, 'dist'),
    hoistTransitiveImports: false,
    plugins: [{ name: 'require built-ins', renderChunk: requireBuiltIns }],
  })
  await bundled.close()
  return true
}

const BUILT_IN = /^import (.+) from '(node:.+)';\n/gm

/**
 * For an `import` of a built-in module Node makes a module of all its exports, those among them that
 * it would load later: some 0.4 ms each. `require` gives the object that is there.
 * @param {string} code
 */
function requireBuiltIns(code) {
  const required = [...code.matchAll(BUILT_IN)].map(([, names, module]) => {
    const pattern = names.replace('* as ', '').replaceAll(' as ', ': ')
    return `const ${pattern} = require('${module}');\n`
  })
  if (required.length === 0) return null
  const require = [
    "import { createRequire as requireFrom } from 'node:module';\n\n",
    'const require = requireFrom(import.meta.url);\n',
  ]
  return [...require, ...required, code.replace(BUILT_IN, '')].join('')
}
