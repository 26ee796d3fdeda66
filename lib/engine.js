/**
 * The shape of the native engine, as types for the rooms of this layer that speak with it
 * (`server.js`, `dispatch.js`, `bind.js`, `blocks.js`, `form-reader.js`). No code: the addon
 * implements it.
 */

/**
 * Every member is present; 0 is off.
 * @typedef {object} NativeConfig
 * @property {number} maxConnections
 * @property {number} maxBodySize
 * @property {number} maxHeaderSize
 * @property {number} maxFields
 * @property {number} maxRequestLine
 * @property {number} maxPending
 * @property {number} maxBufferedBytes
 * @property {number} timeout
 * @property {number} headersTimeout
 * @property {number} idleTimeout
 * @property {number} bodyTimeout
 * @property {number} sendTimeout
 */

/**
 * One call per complete request: its facts are in the engine's record, its head is the argument,
 * the answer's body is the result.
 * @typedef {(head: string) => Content} Dispatch
 */

/**
 * The body of an answer, in the form that KIND says.
 * @typedef {string | Uint8Array | number | undefined} Content
 */

/**
 * What happened to a request whose answer was deferred: why it lost its client or its time, that
 * there is room for more of its answer, or that more of its body has come; the result of that says
 * whether still more may.
 * @typedef {(
 *   slot: number,
 *   generation: number,
 *   sequence: number,
 *   what: number,
 *   part: Uint8Array<ArrayBuffer>,
 * ) => unknown} Notify
 */

/**
 * @typedef {object} Engine
 * @property {Uint32Array} record shared memory, laid out in `record.js`
 * @property {(address: string, port: number, reusePort: boolean, backlog: number) => number} listen
 *   binds an IP literal at once and returns the port
 * @property {(path: string, backlog: number) => void} listenUnix
 * @property {(block: string) => boolean} stage puts a header block before the next answer; false
 *   when one of its fields is not valid
 * @property {(block: string) => number} remember an id from 2 on, or 0
 * @property {(body: Content) => boolean} answer a deferred answer to the
 *   request that the record names; false when it is gone
 * @property {(part: Uint8Array) => number} write a part of a streamed answer: 0 is go on, 1 wait for
 *   room, 2 it goes nowhere, 3 it is more than the announced length
 * @property {() => number} end the streamed answer is complete; 2 it goes nowhere, 3 it is less than
 *   the announced length
 * @property {() => boolean} inform an interim answer to the request that the record names; false
 *   when it can no longer be given
 * @property {() => void} abort the streamed answer is given up
 * @property {(isPassed: boolean) => void} readBody reads the rest of a body, part by part or as a
 *   whole
 * @property {() => string} takeTrailers the trailer fields as a header block
 * @property {() => string | undefined} takeText
 * @property {() => Uint8Array<ArrayBuffer> | undefined} takeBytes
 * @property {(ms: number) => boolean} setTimeout
 * @property {(timeout: number) => void} close
 * @property {() => NativeStats} stats
 * @property {() => void} ref
 * @property {() => void} unref
 */

/** @typedef {import('../index.js').ServerStats} NativeStats */

/**
 * @typedef {new (
 *   config: NativeConfig,
 *   dispatch: Dispatch,
 *   notify: Notify,
 *   closed: (cut: number) => void,
 *   limit: ((head: string) => number) | undefined,
 * ) => Engine} EngineConstructor
 */

/**
 * @typedef {object} FileResponse
 * @property {number} status
 * @property {string} block
 * @property {number} length of the body
 * @property {number} body its number
 */

/**
 * @typedef {object} FilePart
 * @property {Uint8Array} [bytes]
 * @property {number} [descriptor] of a file that the body keeps open
 * @property {number} [start]
 * @property {number} length
 */

/**
 * `serve` gives the block of an answer, with the rest in `facts`, or the status of one without file.
 * @typedef {new (
 *   path: string,
 *   config: {
 *     index: string | undefined,
 *     dotfiles: boolean,
 *     symlinks: string,
 *     precompressed: boolean,
 *     added: string,
 *   },
 * ) => {
 *   facts: Uint32Array,
 *   serve: (path: string, lines: string, start: number, options: number) => string | number,
 * }} DirectoryConstructor
 */

/**
 * The header of a form's part.
 * @typedef {object} NativePart
 * @property {string} name
 * @property {string} [filename]
 * @property {string} block its fields as a header block
 */

/**
 * @typedef {object} NativeEvent
 * @property {number} kind 0 more bytes are needed, 1 a part begins, 2 data, 3 the part ends
 * @property {number} used bytes that led to it; they are the data where it is data
 * @property {NativePart} [part] where one begins
 */

/**
 * Takes a multipart body apart. What isn't used of a chunk has to begin the next one. Throws errors
 * with a code of ours for what is wrong with the body; nothing more may be asked then.
 * @typedef {object} MultipartParser
 * @property {(chunk: Uint8Array, from: number) => NativeEvent} next
 * @property {() => void} finish throws if the body may not end here
 */

/**
 * @typedef {object} Addon
 * @property {number} ABI_VERSION
 * @property {EngineConstructor} Engine
 * @property {DirectoryConstructor} Directory
 * @property {(path: string, lines: string, isGet: boolean, added: string) => FileResponse} serveFile
 * @property {(path: string) => { length: number, body: number }} openBody
 * @property {(path: string) => string} mediaTypeOf
 * @property {(body: number) => FilePart[]} bodyParts
 * @property {(body: number) => number} cloneBody
 * @property {(body: number) => void} closeBody
 * @property {(body: number) => object} guardBody something that closes it when it is collected
 * @property {new (boundary: string) => MultipartParser} MultipartParser
 */

export {}
