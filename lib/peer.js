/**
 * The address of a client, kept as the words that the engine wrote and put into text only when it
 * is asked for. One object per connection, shared by its requests.
 */
import { PEER_ADDRESS, PEER_FAMILY, PEER_PORT } from './record.js'

export class Peer {
  #family
  // Not an array: idle connections have one of these each.
  #a
  #b
  #c
  #d
  /** @type {string | undefined} */
  #address

  /**
   * @param {number} family 4, 6, or 0 for a peer without a network address
   * @param {number} port
   * @param {number} [a] the words of the address in network order
   * @param {number} [b]
   * @param {number} [c]
   * @param {number} [d]
   */
  constructor(family, port, a = 0, b = 0, c = 0, d = 0) {
    this.#family = family
    this.port = port
    this.#a = a
    this.#b = b
    this.#c = c
    this.#d = d
  }

  /**
   * The IP address in its canonical text, without port, brackets or zone; empty for a unix socket.
   * The engine states an IPv4 client of an IPv6 socket by its IPv4 address.
   */
  get address() {
    this.#address ??= this.#format()
    return this.#address
  }

  #format() {
    if (this.#family === 4) return formatIpv4(this.#a)
    if (this.#family !== 6) return ''
    return formatIpv6(
      [this.#a, this.#b, this.#c, this.#d].flatMap((word) => [word >>> 16, word & 0xffff]),
    )
  }
}

/** The peer of a unix socket, and of a request that came through no socket. */
export const NO_PEER = new Peer(0, 0)

/**
 * The peer that the record states.
 * @param {Uint32Array} record
 */
export function peerFrom(record) {
  const family = record[PEER_FAMILY]
  if (family === 0) return NO_PEER
  const at = PEER_ADDRESS
  const port = record[PEER_PORT]
  if (family === 4) return new Peer(4, port, record[at])
  return new Peer(6, port, record[at], record[at + 1], record[at + 2], record[at + 3])
}

/** @param {number} word */
function formatIpv4(word) {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

/**
 * RFC 5952 section 4: lower-case, no leading zeros, and the longest run of two or more zero groups
 * (the first of several) becomes `::`.
 * @param {number[]} groups
 */
function formatIpv6(groups) {
  let start = 0
  let longest = 1
  for (let from = 0; from < 8; from++) {
    let to = from
    while (to < 8 && groups[to] === 0) to++
    if (to - from > longest) {
      start = from
      longest = to - from
    }
  }
  const text = (/** @type {number[]} */ part) => part.map((group) => group.toString(16)).join(':')
  if (longest < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + longest))}`
}
