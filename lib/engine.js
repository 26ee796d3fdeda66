/**
 * The shape of the native engine, as types for the rooms of this layer that speak with it
 * (`server.js`, `dispatch.js`, `bind.js`, `blocks.js`). No code: the addon implements it.
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
 * @typedef {(head: string) => string | Uint8Array | undefined} Dispatch
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
 * @property {(body: string | Uint8Array | undefined) => boolean} answer a deferred answer to the
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
 * ) => Engine} EngineConstructor
 */

/** @typedef {{ ABI_VERSION: number, Engine: EngineConstructor }} Addon */

export {}
