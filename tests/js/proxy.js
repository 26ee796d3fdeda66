/** The proxy of examples/proxy as a process, and the one of nginx beside it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Builds the example; `profile` is debug or release. */
export function buildProxy(profile) {
  const args = ['build', '--example', 'proxy', ...(profile === 'release' ? ['--release'] : [])]
  const { status, stderr } = spawnSync('cargo', args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`cargo ${args.join(' ')}: ${stderr}`)
  return join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), profile, 'examples', 'proxy')
}

/** Starts it before some ports; ends by `end()`. */
export async function startProxy(program, ports, options = []) {
  const upstreams = ports.flatMap((port) => ['--upstream', `127.0.0.1:${port}`])
  const args = ['--listen', '127.0.0.1:0', ...upstreams, ...options]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  /** In bytes; on Linux. */
  const peakMemory = () => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)[1]) * 1024
  }
  const proxy = { port: 0, log: '', end: () => child.kill('SIGKILL'), peakMemory }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    proxy.log += text
  })
  let said = ''
  for await (const [text] of on(child.stderr.setEncoding('utf8'))) {
    said += text
    const [, port] = /Listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(said) ?? []
    if (port === undefined) continue
    proxy.port = Number(port)
    return proxy
  }
  throw new Error(`the proxy ended: ${said}`)
}

/** The texts that a stream gives until it ends. */
async function* on(stream) {
  const ended = once(stream, 'end').then(() => undefined)
  for (;;) {
    const data = await Promise.race([once(stream, 'data'), ended])
    if (data === undefined) return
    yield data
  }
}

export const hasNginx = spawnSync('nginx', ['-v']).error === undefined

/** Starts nginx as a proxy before a port. */
export async function startNginx(upstream) {
  const folder = mkdtempSync(join(tmpdir(), 'barewire-proxy-'))
  mkdirSync(join(folder, 'temporary'))
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path temporary/${name};\n`)
    .join('')
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user}daemon off;
worker_processes 1;
pid nginx.pid;
events {}
http {
  access_log off;
${temporary}  client_max_body_size 0;
  upstream upstream {
    server 127.0.0.1:${upstream};
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://upstream;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_read_timeout 1s;
    }
  }
}
`,
  )
  const args = ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf']
  const child = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  const end = async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  }
  for (let attempt = 0; attempt < 500; attempt++) {
    const isOpen = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    if (isOpen) return { port, end }
    await new Promise((done) => setTimeout(done, 10))
  }
  throw new Error('nginx does not listen')
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
