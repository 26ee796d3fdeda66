/**
 * The stream of an answer on its way: its parts go to the engine as the client takes them. A
 * stream that ends within one turn of the event loop is no stream on the wire: its bytes are an
 * answer like any other, with their length. Knows the engine only by its writing calls.
 */

import { AsyncResource } from 'node:async_hooks'
import { nextTurn, ReadAhead } from './read-ahead.js'
import { streamOf, wrongLength } from './streams.js'

/**
 * Most bytes that are given at once. What the kernel doesn't take of a piece is copied; what is
 * behind it stays where it is.
 */
const PIECE = 64 * 1024
/** Bytes of one answer in a turn of the event loop. */
const BUDGET = 256 * 1024

/** What `write` of the engine says, beside that it may go on. */
const WAIT = 1
const GONE = 2
const WRONG_LENGTH = 3

/** @typedef {Pick<import('./engine.js').Engine, 'write' | 'end' | 'abort'>} Sink */

/**
 * Reads what a stream has ready: all of its bytes, or the beginning of an answer.
 * @param {ReadableStream} stream
 * @returns {Promise<Uint8Array | Outgoing>}
 */
export function gather(stream) {
  return new Outgoing(stream).gather()
}

/**
 * Gives a stream up whose length nobody knows: an empty one in its place says none.
 * @param {ReadableStream} stream
 */
export async function withoutBody(stream) {
  stream.cancel().catch(() => {})
  return new Outgoing(streamOf(''))
}

/** The stream is cancelled in the async context in which it is read. */
export class Outgoing extends AsyncResource {
  #source
  /** @type {Uint8Array | undefined} what of a large part hasn't been given yet */
  #rest
  /**
   * Bytes given in this turn. A turn in which all was gathered that may be is used up, so that many
   * who begin at once don't all hold their parts at the same time.
   */
  #given = BUDGET
  #isLost = false
  /** @type {(() => void) | undefined} */
  #onRoom

  /** @param {ReadableStream} stream */
  constructor(stream) {
    super('BarewireStream')
    this.#source = new ReadAhead(stream)
  }

  async gather() {
    if (await this.#source.gather()) return this.#source.takeParts()
    if (this.#source.isWaiting) this.#given = 0
    return this
  }

  /** The beginning of what was gathered. */
  takePiece() {
    return this.#pieceOf(this.#source.takeParts())
  }

  /**
   * Gives the rest to the engine, at the pace of the client and, so that a client that takes all
   * at once leaves time to others, of the event loop. Rejects when the stream fails; the connection
   * is cut then, since nothing else tells the client that this isn't the end.
   * @param {Sink} engine
   * @param {() => void} name makes the engine's record name the request
   */
  async run(engine, name) {
    try {
      // This frame lives as long as a client that reads nothing: no part may be in it.
      /** @param {{ done: boolean, value?: unknown }} [result] */
      const give = (result) => this.#give(engine, name, result)
      while (!this.#isLost) {
        const credit = this.#rest === undefined ? await this.#source.next().then(give) : give()
        if (credit === undefined) return
        if (credit === WAIT) await this.#room()
        else if (this.#given >= BUDGET) await nextTurn()
        else continue
        this.#given = 0
      }
    } catch (error) {
      if (this.#isLost) return
      name()
      engine.abort()
      throw error
    }
  }

  /**
   * Gives a piece of what was read, or of the rest. Says whether to go on or to wait, or nothing
   * when all is over.
   * @param {Sink} engine
   * @param {() => void} name
   * @param {{ done: boolean, value?: unknown }} [result]
   */
  #give(engine, name, result) {
    if (this.#isLost) return undefined
    const part = result === undefined ? this.#rest : this.#source.partOf(result)
    if (part === undefined) {
      name()
      if (engine.end() === WRONG_LENGTH) throw wrongLength('fewer')
      return undefined
    }
    const piece = this.#pieceOf(part)
    name()
    const credit = engine.write(piece)
    if (credit === WRONG_LENGTH) throw wrongLength('more')
    if (credit === GONE) return this.lose(new DOMException('the client has gone', 'AbortError'))
    this.#given += piece.byteLength
    return credit
  }

  /**
   * What of a part is given at once; the rest of it comes next.
   * @param {Uint8Array} part
   */
  #pieceOf(part) {
    const { buffer, byteOffset, byteLength } = part
    this.#rest = undefined
    if (byteLength <= PIECE) return part
    this.#rest = new Uint8Array(buffer, byteOffset + PIECE, byteLength - PIECE)
    return new Uint8Array(buffer, byteOffset, PIECE)
  }

  /** The client has taken everything. */
  makeRoom() {
    this.#onRoom?.()
  }

  /**
   * Nobody reads any more: the stream is cancelled.
   * @param {unknown} reason
   */
  lose(reason) {
    this.#isLost = true
    this.#onRoom?.()
    this.runInAsyncScope(this.#source.cancel, this.#source, reason)
  }

  #room() {
    return new Promise((resolve) => {
      this.#onRoom = () => resolve(undefined)
    })
  }
}
