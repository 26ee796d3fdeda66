/**
 * A part of a form: a field or a file. Knows nothing of the form that it is from.
 */
import { readAll } from './streams.js'

const decoder = new TextDecoder()

export class Part {
  /**
   * @param {string} name
   * @param {string | undefined} filename
   * @param {import('./headers.js').Headers} headers
   * @param {ReadableStream<Uint8Array>} body
   */
  constructor(name, filename, headers, body) {
    this.name = name
    this.filename = filename
    this.headers = headers
    this.body = body
  }

  /** Whether it came as a file, even if its name is empty. */
  get isFile() {
    return this.filename !== undefined
  }

  /** What the client says that it is; RFC 7578 §4.4 has the default. */
  get type() {
    return this.headers.get('content-type') ?? 'text/plain'
  }

  async text() {
    return decoder.decode(await this.bytes())
  }

  async bytes() {
    return readAll(this.body)
  }
}
