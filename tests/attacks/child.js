/** Programs of this folder in processes of their own, which say something and answer when asked. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * @param {string} name of the file
 * @param {string[]} args
 * @param {number} [descriptors] most that the process may have open
 */
export function startChild(name, args, descriptors) {
  const file = fileURLToPath(new URL(name, import.meta.url))
  const command = [process.execPath, '--expose-gc', file, ...args]
  // A process can't lower its own limit from JavaScript.
  const limited = ['sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, ...command]
  const [program, ...rest] = descriptors === undefined ? command : limited
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  const pieces = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]()
  let text = ''
  /** Waits until it says what matches, and gives what is in the brackets. */
  const said = async (pattern) => {
    for (;;) {
      const match = pattern.exec(text)
      if (match !== null) {
        text = text.slice(match.index + match[0].length)
        return match[1]
      }
      const { done, value } = await pieces.next()
      if (done) throw new Error(`${name} has ended`)
      text += value
    }
  }
  return {
    said,
    async numbers() {
      child.stdin.write('?')
      return JSON.parse(await said(/numbers (.*);\n/))
    },
    end: () => child.kill('SIGKILL'),
  }
}
