/** A server in a process of its own, as `node` starts it, and what it says of its memory. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('server.js', import.meta.url))

export const MEBIBYTE = 2 ** 20

export async function startServer() {
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]()
  let text = ''
  const said = async (pattern) => {
    for (;;) {
      const match = pattern.exec(text)
      if (match) {
        text = text.slice(match.index + match[0].length)
        return match[1]
      }
      const { done, value } = await lines.next()
      if (done) throw new Error('the server has ended')
      text += value
    }
  }
  const port = Number(await said(/port (\d+)\n/))
  // What it needs to answer at all is no growth.
  await (await fetch(`http://127.0.0.1:${port}/plain`)).text()
  return {
    port,
    async numbers() {
      child.stdin.write('?')
      return JSON.parse(await said(/numbers (.*);\n/))
    },
    end: () => child.kill('SIGKILL'),
  }
}
