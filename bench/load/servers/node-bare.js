/**
 * The least that a process of Node.js can do to answer, for the scenario of the start: it listens,
 * has the platform's Request loaded, and sends an answer that it has ready.
 */
import { createServer } from 'node:net'
import { hostname, port } from './orders.js'

globalThis.Request

const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n'

createServer((socket) => {
  socket.on('data', () => {
    socket.write(`${head}Date: ${new Date().toUTCString()}\r\n\r\n{"hello":"world"}`)
  })
  // A client that is gone is no fault of the server.
  socket.on('error', () => {})
}).listen(port, hostname)
