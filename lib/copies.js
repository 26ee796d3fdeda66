/**
 * Copies of bytes that become answers (Fetch §5.2, "extract a body": what its owner writes into a
 * buffer later doesn't change an answer). The memory of those of a middle size is used again once
 * the engine has them: fresh memory for each would be cold, and costs more than the copy. Knows
 * nothing of answers.
 */

/** Node's own pool serves what is smaller. */
const SMALLEST = 4 * 1024
const LARGEST = 512 * 1024
/** Most bytes of one size that wait to be used again. */
const RETAINED = 1024 * 1024

/** @type {ArrayBuffer[][]} by the exponent of their size, which is a power of two */
const shelves = Array.from({ length: exponentOf(LARGEST) + 1 }, () => [])

/** @param {number} size */
function isShelved(size) {
  return size > SMALLEST && size <= LARGEST
}

/** @param {number} size of at most 32 bits */
function exponentOf(size) {
  return 32 - Math.clz32(size - 1)
}

/**
 * A copy of the bytes.
 * @param {ArrayBuffer | ArrayBufferView} content
 * @returns {Uint8Array}
 */
export function copyOf(content) {
  const bytes = ArrayBuffer.isView(content)
    ? new Uint8Array(content.buffer, content.byteOffset, content.byteLength)
    : new Uint8Array(content)
  if (!isShelved(bytes.length)) return Buffer.from(bytes)
  const exponent = exponentOf(bytes.length)
  const buffer = shelves[exponent].pop() ?? Buffer.allocUnsafeSlow(2 ** exponent).buffer
  const copy = new Uint8Array(buffer, 0, bytes.length)
  copy.set(bytes)
  return copy
}

/**
 * Takes the memory of a copy back. Nobody else may have a reference to it or look at it again.
 * @param {Uint8Array} copy of `copyOf`
 */
export function giveBack({ buffer, byteLength }) {
  if (!isShelved(byteLength)) return
  const exponent = exponentOf(byteLength)
  const shelf = shelves[exponent]
  if (shelf.length < RETAINED >> exponent) shelf.push(/** @type {ArrayBuffer} */ (buffer))
}
