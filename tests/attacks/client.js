/** One connection of an attacker, which comes again when it was cut. */
import { connect } from 'node:net'

/** Bytes that are written before the other side has to take some. */
const AHEAD = 64 * 1024

export class Attacker {
  #begin
  #port
  #chance
  #socket
  #timers = new Set()
  #isOver = false
  /** How often it was cut, refused or had to come again. */
  cuts = 0

  /**
   * @param {number} port
   * @param {(client: Attacker) => void} begin
   * @param {() => number} chance from 0 to 1
   */
  constructor(port, begin, chance) {
    this.#port = port
    this.#begin = begin
    this.#chance = chance
    this.#open()
  }

  #open() {
    const socket = connect(this.#port, '127.0.0.1')
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('connect', () => this.#begin(this))
    socket.resume()
    socket.on('close', () => this.#comeAgain())
  }

  #comeAgain() {
    this.#stop()
    if (this.#isOver) return
    this.cuts += 1
    this.after(10 + this.random(40), () => this.#open())
  }

  /** A whole number below `limit`. */
  random(limit) {
    return Math.floor(this.#chance() * limit)
  }

  send(text) {
    if (this.#socket.writable) this.#socket.write(text, 'latin1')
  }

  /** Sends what `next` gives as fast as the other side takes it. */
  pour(next) {
    const socket = this.#socket
    const more = () => {
      // A turn for the others of this process after each piece.
      if (!socket.writable) return
      if (socket.writableLength < AHEAD) socket.write(next(), 'latin1')
      this.after(1, more)
    }
    more()
  }

  every(milliseconds, act) {
    this.#timers.add(setInterval(act, milliseconds))
  }

  after(milliseconds, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, milliseconds)
    this.#timers.add(timer)
  }

  stopReading() {
    this.#socket.pause()
  }

  reset() {
    this.#socket.resetAndDestroy()
  }

  /** Leaves for good. */
  leave() {
    this.#isOver = true
    this.#stop()
    this.#socket.destroy()
  }

  #stop() {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
