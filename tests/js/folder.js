/** Files for tests: a folder that is gone afterwards, large bytes that show a gap, open descriptors. */
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Makes a folder with files by their paths.
 * @param {{ after: (end: () => void) => void }} t a test; or `{ after }` of a file of tests
 * @param {Record<string, string | Uint8Array>} files
 * @returns the folder's path
 */
export function folder(t, files = {}) {
  const place = mkdtempSync(join(tmpdir(), 'barewire-files-'))
  t.after(() => rmSync(place, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), content)
  }
  return place
}

/** Bytes that show a gap or a swap: each group of four is its own number. */
export function numbered(length) {
  const bytes = Buffer.allocUnsafe(length)
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, length >> 2)
  for (let at = 0; at < words.length; at++) words[at] = (at * 2_654_435_761) >>> 0
  return bytes.fill(7, words.length << 2)
}

/** How many descriptors of this process, or of another, are files below a folder. */
export function descriptorsBelow(place, pid = 'self') {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((number) => {
    try {
      return readlinkSync(join(folder, number)).startsWith(`${place}/`)
    } catch {
      return false // It was the one that read the folder.
    }
  }).length
}
