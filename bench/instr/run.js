/**
 * The command: counts the instructions of each path, compares them with the record, and prints
 * the table. `--check` fails where one has grown too much, `--accept` makes the counts the record.
 */
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build, count, toolchain } from './count.js'
import { countCrossing, NAME } from './crossing.js'
import { compare, differences, faults, gains, table } from './judge.js'
import { accept, readRecord } from './record.js'

const HELP = `Usage: npm run bench:instr -- [options]

  --check     fail when a count has grown by more than 3 %, or has no record
  --accept    write the counts into bench/instr/record.json and docs/performance.md
  --help      this text`

/** @param {string[]} args */
async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      check: { type: 'boolean', default: false },
      accept: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  const tools = toolchain()
  const cases = await count(build())
  cases[NAME] = await countCrossing()
  if (values.accept) {
    accept({ toolchain: tools, cases })
    console.log('recorded in bench/instr/record.json, shown in docs/performance.md')
    return
  }
  const record = readRecord()
  const rows = compare(record.cases, cases)
  console.log(table(rows))
  for (const { name } of gains(rows)) {
    console.log(`${name} needs fewer: hold that with npm run bench:instr -- --accept`)
  }
  if (!values.check) return
  const grown = faults(rows)
  for (const fault of grown) console.error(fault)
  const differing = differences(record.toolchain, tools)
  if (differing.length > 0) {
    console.error(`NOT CHECKED: the record was made with other tools: ${differing.join('; ')}.`)
    console.error(
      'The counts above are only for reading; npm run bench:instr -- --accept renews it.',
    )
  } else if (grown.length > 0) {
    console.error('How to accept a growth: CONTRIBUTING.md, "Instruction counts".')
    process.exitCode = 1
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    console.error(/** @type {Error} */ (error).message)
    process.exitCode = 1
  }
}
