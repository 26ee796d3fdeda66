/**
 * Proxies as servers of the table: each passes everything on to the one upstream that the environment
 * names, over kept connections, on one thread, without a log. All set the same fields: Via, Forwarded
 * and the X-Forwarded ones. Configurations are written where a proxy is started, since the ports are
 * known no sooner.
 */
import { writeFileSync } from 'node:fs'
import { WORK } from './fixtures.js'
import { root } from './machine.js'
import { common } from './nginx.js'

/** More than the generator has connections, so that none of a proxy's own is ever closed. */
const KEPT = 1024

/** @param {number} port */
export function barewireProxy(port) {
  const addresses = ['--listen', `127.0.0.1:${port}`, '--upstream', upstream()]
  const options = ['--log', 'off', '--idle', String(KEPT)]
  return ['target/release/examples/proxy', ...addresses, ...options]
}

/** @param {number} port */
export function nginxProxy(port) {
  const path = `${WORK}/nginx-proxy-${port}.conf`
  const server = `  upstream upstream {
    server ${upstream()};
    keepalive ${KEPT};
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    location / {
      proxy_pass http://upstream;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header Via "1.1 nginx";
      proxy_set_header Forwarded 'for=$remote_addr;host="$http_host";proto=$scheme';
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      add_header Via "1.1 nginx";
    }
  }
`
  writeFileSync(`${root}/${path}`, common(port, server))
  return ['nginx', '-p', '.', '-e', 'stderr', '-c', path]
}

/** @param {number} port */
export function haproxy(port) {
  const path = `${WORK}/haproxy-${port}.cfg`
  const text = `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 3s
  timeout client 75s
  timeout server 30s
  http-reuse always
frontend clients
  bind 127.0.0.1:${port} backlog 8192
  http-request add-header Via "1.1 haproxy"
  http-request set-header Forwarded "for=%[src];host=\\"%[req.hdr(host)]\\";proto=http"
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Proto http
  http-response add-header Via "1.1 haproxy"
  default_backend upstreams
backend upstreams
  balance leastconn
  server upstream ${upstream()} pool-max-conn ${KEPT}
`
  writeFileSync(`${root}/${path}`, text)
  return ['haproxy', '-db', '-q', '-f', path]
}

/** Where the upstream is; see `upstream.js`. */
function upstream() {
  return `127.0.0.1:${process.env.UPSTREAM}`
}
