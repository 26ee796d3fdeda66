/**
 * nginx as a server of the table: one worker, files by `sendfile`, no log. Its configuration is
 * written where it is started, since the port is known no sooner.
 */
import { writeFileSync } from 'node:fs'
import { FILES, WORK } from './fixtures.js'
import { root } from './machine.js'

/**
 * @param {string[]} directives besides those that each configuration has
 * @returns {(port: number) => string[]} the command that serves the files at a port
 */
export function nginx(directives) {
  return (port) => {
    const path = `${WORK}/nginx-${port}.conf`
    writeFileSync(`${root}/${path}`, configuration(port, directives))
    return ['nginx', '-p', '.', '-e', 'stderr', '-c', path]
  }
}

/**
 * @param {number} port
 * @param {string[]} directives
 */
function configuration(port, directives) {
  const server = `  server {
    listen 127.0.0.1:${port} backlog=8192;
    root ${FILES};
  }
`
  return common(port, [...directives.map((directive) => `  ${directive};\n`), server].join(''))
}

/**
 * What every configuration has, around what a server does.
 * @param {number} port
 * @param {string} rest of the part about HTTP
 */
export function common(port, rest) {
  // Of a master that is root, the worker would be somebody who may not read the folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  return `${user}daemon off;
worker_processes 1;
pid ${WORK}/nginx-${port}.pid;
error_log stderr warn;
events {
  worker_connections 16384;
}
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 75s;
  default_type application/octet-stream;
  client_body_temp_path ${WORK}/nginx-temporary;
  proxy_temp_path ${WORK}/nginx-temporary;
  fastcgi_temp_path ${WORK}/nginx-temporary;
  uwsgi_temp_path ${WORK}/nginx-temporary;
  scgi_temp_path ${WORK}/nginx-temporary;
${rest}}
`
}
