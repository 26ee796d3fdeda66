/**
 * barewire: a web server for Node.js. A handler gets a Fetch API `Request` and returns a
 * `Response`; the HTTP below it is a native reactor inside Node's own event loop.
 *
 * Times are milliseconds, sizes are bytes, and 0 switches a limit off, unless said otherwise.
 */
/// <reference types="node" />

/**
 * Starts a server on the port in the environment's `PORT`, else on 3000.
 * @throws {BarewireError} `ERR_BAREWIRE_HANDLER`: not a function, and no object with `fetch`
 * @throws {Error} Node's own for a failed bind, such as `EADDRINUSE` or `EACCES`
 */
export function serve(handler: Handler | HandlerObject): Server
/**
 * Starts a server on a port.
 * @param port 0 to 65535; 0 lets the system choose, see {@link Server.port}
 * @throws {BarewireError} `ERR_BAREWIRE_HANDLER`, `ERR_BAREWIRE_OPTION`,
 *   `ERR_BAREWIRE_UNKNOWN_OPTION`, `ERR_BAREWIRE_HOSTNAME`
 * @throws {Error} Node's own for a failed bind
 */
export function serve(
  port: number | string,
  handler: Handler | HandlerObject,
  options?: Omit<ServerOptions, 'port' | 'path' | 'fetch'>,
): Server
/**
 * Starts a server from options, the shape that Bun, Deno and `export default { fetch }` know.
 * An object that is not a plain one, such as a Hono app or a module namespace, is a handler.
 * @throws {BarewireError} `ERR_BAREWIRE_HANDLER`, `ERR_BAREWIRE_OPTION`,
 *   `ERR_BAREWIRE_UNKNOWN_OPTION`, `ERR_BAREWIRE_HOSTNAME`
 * @throws {Error} Node's own for a failed bind
 */
export function serve(options: ServerOptions & { fetch: Handler }): Server

/**
 * Answers one request. What it throws or rejects with goes to the `error` option, else the answer
 * is 500; so it is when it gives no response, or one that has been used already.
 */
export type Handler = (
  request: Request,
  context: Context,
) => globalThis.Response | PromiseLike<globalThis.Response>

/**
 * A handler as an object. `fetch` is called as its method, with the context in the third place
 * too: that is where frameworks look for `waitUntil`.
 */
export interface HandlerObject {
  // biome-ignore lint/suspicious/noExplicitAny: frameworks type the second argument as they like
  fetch(request: Request, env: any, context: any): unknown
}

/** What a server can be told. An option that is not one of these throws. */
export interface ServerOptions {
  /** The handler. On a `Server` with listeners it gets the requests which those left. */
  fetch?: Handler
  /**
   * 0 to 65535, as a number or its decimal text; 0 lets the system choose a free one.
   * @default `process.env.PORT`, else 3000
   */
  port?: number | string
  /**
   * Address to listen on. `localhost` is both 127.0.0.1 and ::1. A name that needs a look-up works
   * with `listen()` only: `serve()` throws `ERR_BAREWIRE_HOSTNAME`.
   * @default '0.0.0.0', all IPv4 addresses. '::' is all addresses on most systems
   */
  hostname?: string
  /** Another name of `hostname`. */
  host?: string
  /** Path of a unix socket, instead of `port` and `hostname`. */
  path?: string
  /**
   * Lets several processes or threads listen on the same port (SO_REUSEPORT).
   * @default false
   */
  reusePort?: boolean
  /**
   * Connections that wait in the kernel to be accepted, from 1 on; the system may lower it.
   * @default 8192
   */
  backlog?: number
  /** Closes the server when it aborts. One that has aborted before makes listening throw. */
  signal?: AbortSignal
  /**
   * Answers for a handler that failed. Without it, or if it fails too, or if it returns undefined,
   * the answer is a plain 500. It is also told of work that fails after its answer (`waitUntil`);
   * its result has no use then. Errors that no hook takes are warnings of the process
   * (`process.on('warning')`, code `BAREWIRE_UNHANDLED_ERROR`).
   */
  error?: (
    error: unknown,
    request: Request,
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only logs returns nothing
  ) => globalThis.Response | undefined | void | PromiseLike<globalThis.Response | undefined | void>
  /**
   * Puts the text and stack of an error into its 500 answer. Never inferred from NODE_ENV.
   * @default false
   */
  development?: boolean
  /**
   * Compresses answers for clients that take it (RFC 9110 section 8.4), `true` with the defaults of
   * {@link CompressionOptions}. Text, JSON, XML, scripts and the like are compressed, streams part by
   * part; responses with content-encoding, content-range, a digest, status 206 or
   * `cache-control: no-transform` are left alone.
   * @default false
   */
  compression?: boolean | CompressionOptions
  /**
   * Open connections; at the limit the server stops accepting until one ends.
   * @default 65536
   */
  maxConnections?: number
  /**
   * Bytes of a request body; above it the answer is 413 (RFC 9110 section 15.5.14). A function is
   * asked for each request that announces a body, at its head: the request that it gets has no body
   * yet, and is another object than the handler's. If it throws or gives no size, the default is
   * in force, and the process warns.
   * @default 10485760, 10 MiB
   */
  maxBodySize?: number | ((request: Request) => number)
  /**
   * Bytes of all header fields of a request, 1 to 1048576; above it the answer is 431 (RFC 6585
   * section 5).
   * @default 16384, 16 KiB
   */
  maxHeaderSize?: number
  /**
   * Header fields of a request, 1 to 1000; above it the answer is 431.
   * @default 100
   */
  maxFields?: number
  /**
   * Bytes of a request line, 1 to 1048576; above it the answer is 414 (RFC 9112 section 3).
   * @default 8192, 8 KiB
   */
  maxRequestLine?: number
  /**
   * Requests whose handlers have not answered yet; above it the answer is 503 with Retry-After.
   * @default 16384
   */
  maxPending?: number
  /**
   * Bytes of all buffered request bodies together; above it bodies are not read on, and requests
   * that would begin one get 503.
   * @default 268435456, 256 MiB
   */
  maxBufferedBytes?: number
  /**
   * Time of a handler, from its call to its response; then the answer is 503 and the request's
   * signal aborts. Time in which the body is read does not count; while the handler leaves it
   * unread, it does.
   * @default 30000
   */
  timeout?: number
  /** Limits on how long a client may be silent or slow. */
  timeouts?: {
    /**
     * From the first byte of a request to the end of its head; then the answer is 408.
     * @default 15000
     */
    headers?: number
    /**
     * Between two requests of a connection.
     * @default 75000
     */
    idle?: number
    /**
     * Without progress in a request's body, with a minimum average of 240 bytes a second after
     * 5 s; then the answer is 408.
     * @default 30000
     */
    body?: number
    /**
     * Without progress in sending an answer, with the same minimum average.
     * @default 30000
     */
    send?: number
  }
}

/** How answers are compressed. */
export interface CompressionOptions {
  /**
   * What is offered, in the server's order: it decides between those that a client likes equally
   * well. Naming a coding that this Node.js lacks throws `ERR_BAREWIRE_OPTION`.
   * @default ['zstd', 'br', 'gzip']; without zstd before Node.js 22.15 and 23.8
   */
  codings?: readonly ('zstd' | 'br' | 'gzip')[]
  /**
   * Bytes of a body, where they are known; smaller ones are sent as they are.
   * @default 1024
   */
  threshold?: number
}

/** A server. `new Server(options).listen()` is `serve(options)` for any hostname. */
export class Server {
  /**
   * @throws {BarewireError} `ERR_BAREWIRE_OPTION`, `ERR_BAREWIRE_UNKNOWN_OPTION`
   */
  constructor(options?: ServerOptions)
  /** The bound port; before that the one asked for; 0 for a unix socket. */
  readonly port: number
  /** As it was given; '0.0.0.0' by default; empty for a unix socket. */
  readonly hostname: string
  /** Without a slash at its end; says localhost for 0.0.0.0 and ::; `unix:PATH` for a path. */
  readonly url: string
  /**
   * Adds a listener for requests. They are asked in order until one calls
   * {@link FetchEvent.respondWith}; `this` is the server. Adding one twice has no effect.
   * @throws {BarewireError} `ERR_BAREWIRE_OPTION`: another type than 'fetch';
   *   `ERR_BAREWIRE_HANDLER`: not a function
   */
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => unknown): void
  /** Removes a listener; requests under way keep it. */
  removeEventListener(type: 'fetch', listener: (event: FetchEvent) => unknown): void
  /**
   * Binds, and resolves with the server when it has its port. A hostname is looked up and the
   * first of its addresses that can be bound is taken.
   * @throws {BarewireError} `ERR_BAREWIRE_STATE`: it listens already or was closed;
   *   `ERR_BAREWIRE_ADDON_MISSING`, `ERR_BAREWIRE_ADDON_ABI`, `ERR_BAREWIRE_NODE_VERSION`,
   *   `ERR_BAREWIRE_HOST`
   * @throws {Error} Node's own for a failed look-up or bind
   */
  listen(): Promise<this>
  /**
   * Stops accepting, lets the requests under way finish and waits for `waitUntil` work, then ends
   * what is left when the time is over; 0 ends all at once. Later calls get the first promise.
   * @param options.timeout 0 to 2147483647, 10000 by default
   * @returns how many requests had to be cut
   * @throws {BarewireError} `ERR_BAREWIRE_OPTION`
   */
  close(options?: { timeout?: number }): Promise<{ cut: number }>
  [Symbol.asyncDispose](): Promise<void>
  /** A snapshot of the counters; all 0 before the server listens. */
  stats(): ServerStats
  /** Keeps the process alive while the server listens, as it does from the start. */
  ref(): this
  /** Lets the process end although the server listens. */
  unref(): this
  /**
   * Replaces the handler from the next request on; those under way end on the old one.
   * @throws {BarewireError} `ERR_BAREWIRE_HANDLER`
   */
  reload(handler: Handler | HandlerObject): void
  /**
   * Sets the time limit of one request anew.
   * @returns false when the request is not under way here
   * @throws {BarewireError} `ERR_BAREWIRE_OPTION`
   */
  timeout(request: Request, milliseconds: number): boolean
  /**
   * Answers without a socket, through the handler and the `error` option; limits and stats have no
   * part. A relative URL starts from {@link Server.url}.
   */
  fetch(input: string | URL | globalThis.Request, init?: RequestInit): Promise<Response>
}

/** What a handler knows of its request beside the request. */
export class Context {
  protected constructor()
  readonly server: Server
  /** IP address without port, canonical (RFC 5952), IPv4-mapped as IPv4; empty on unix sockets. */
  readonly clientAddress: string
  /** 0 on unix sockets. */
  readonly clientPort: number
  /**
   * Keeps a graceful close waiting for work that goes on after the answer, up to the timeout of
   * that close. A rejection goes to the `error` option, else it is a warning of the process.
   */
  waitUntil(promise: unknown): void
  /**
   * The trailer fields behind a chunked body (RFC 9110 §6.5), apart from the header fields; empty
   * where there are none. Ask before the answer is given. Resolves when the body has ended: one
   * above 64 KiB has to be read for that. Rejects when the body is lost.
   */
  readonly trailers: Promise<Headers>
  /**
   * Sends an interim answer before the real one (RFC 9110 §15.2), such as 103 with `link` fields
   * (RFC 8297). Clients of HTTP/1.0 get none.
   * @param status 100 to 199, but not 101
   * @returns false when the real answer has begun, or the request didn't come over a socket
   * @throws {RangeError} for another status
   * @throws {TypeError} for a field that can't be sent
   */
  sendInformational(status: number, headers?: HeadersSource): boolean
}

/** A request as listeners get it. */
export class FetchEvent extends Context {
  protected constructor()
  readonly type: 'fetch'
  readonly request: Request
  /**
   * Gives the answer, once. A listener that returns a promise may do so until that settles; after
   * the last listener is done without it the answer is 500, by way of the `error` option.
   * @throws {DOMException} `InvalidStateError`: called before, or after the event had ended
   */
  respondWith(response: globalThis.Response | PromiseLike<globalThis.Response>): void
}

/** A snapshot of a server's counters. */
export interface ServerStats {
  activeConnections: number
  /** Requests whose head was complete and in order. */
  totalRequests: number
  /** Over the last ten seconds. */
  requestsPerSecond: number
  /** From the complete head of a request to the last byte of its answer that the kernel took. */
  avgLatencyMs: number
  p50LatencyMs: number
  p99LatencyMs: number
  /** Requests whose answers aren't complete: that of the handler, or the end of a stream. */
  pendingRequests: number
  bytesReceived: number
  bytesSent: number
  /** Bytes of bodies in memory: of requests, and of answers that their clients do not take. */
  bufferedBytes: number
  /** Requests that the server itself refused, by status code. */
  rejected: Record<string, number>
  /** Connections that ended, by reason. */
  closed: Record<string, number>
}

/** Stable for programs; the text of a message may change. */
export type BarewireErrorCode =
  | 'ERR_BAREWIRE_ADDON_ABI'
  | 'ERR_BAREWIRE_ADDON_MISSING'
  | 'ERR_BAREWIRE_HANDLER'
  | 'ERR_BAREWIRE_HEADER'
  | 'ERR_BAREWIRE_HOST'
  | 'ERR_BAREWIRE_HOSTNAME'
  | 'ERR_BAREWIRE_LIMIT'
  | 'ERR_BAREWIRE_MULTIPART'
  | 'ERR_BAREWIRE_NODE_VERSION'
  | 'ERR_BAREWIRE_NO_RESPONSE'
  | 'ERR_BAREWIRE_NOT_A_RESPONSE'
  | 'ERR_BAREWIRE_OPTION'
  | 'ERR_BAREWIRE_PANIC'
  | 'ERR_BAREWIRE_STATE'
  | 'ERR_BAREWIRE_UNKNOWN_OPTION'

/** An error of barewire itself. Failed binds are Node's own errors, wrong states DOMExceptions. */
export class BarewireError extends Error {
  constructor(
    code: BarewireErrorCode,
    message: string,
    options?: ErrorOptions & { status?: number },
  )
  readonly code: BarewireErrorCode
  /**
   * Only where the client is to blame: the status of the answer, with the message as its text, when
   * a handler lets the error through and the `error` option gives no other answer.
   */
  readonly status?: number
}

/**
 * A file as a body, by its name. It is opened for each body that is made of it, and sent by the
 * kernel (`sendfile`): its bytes don't pass through JavaScript. Relative paths start from the
 * working directory.
 *
 * The body is all of the file, without regard to ranges and conditions: that is {@link serveFile}.
 * `new Response(file(path))` throws Node's own error when the file can't be opened, such as
 * `ENOENT`, `EISDIR`, `EACCES`. A file that becomes shorter while it is sent cuts the connection.
 * @param options.type content type; the one that the name's end implies by default
 * @throws {BarewireError} `ERR_BAREWIRE_OPTION`: no path, or an empty one
 * @throws {TypeError} for a type that no field can have
 */
export function file(path: string | URL, options?: { type?: string }): FileReference

/** What {@link file} gives. */
export interface FileReference {
  readonly path: string
  /** Content type; `application/octet-stream` where the name's end is unknown. */
  readonly type: string
}

/**
 * The answer to a request for one file: 200; 206 for a single or several ranges (RFC 9110 section
 * 14); 304, 412 and 416 as its conditions ask for (section 13.2.2); 405 but for GET and HEAD. It
 * has a strong `etag` of time and length, `last-modified`, `accept-ranges` and a `content-type`.
 *
 * The path is the author's, so links are followed and dots mean what they mean: never put one
 * together from a request. That is what {@link serveStatic} is for.
 * @param init.headers added to the answer, or put in the place of its own; `vary` is added to, and
 *   `content-type` is that of the file, never of several ranges or of a refusal
 * @throws {Error} Node's own when the file can't be opened, such as `ENOENT`
 */
export function serveFile(
  request: globalThis.Request,
  path: string | URL,
  init?: { headers?: HeadersSource },
): Response

/**
 * A handler that answers with the files of a directory, each as {@link serveFile} does. The
 * directory is opened at once, and files relative to it: no path and no exchanged link leads out.
 * `/` at the end of a path stands for the directory's index; without it the answer is 301. A small
 * file that was found is trusted for a second to be the one under its path.
 * @throws {BarewireError} `ERR_BAREWIRE_OPTION`, `ERR_BAREWIRE_UNKNOWN_OPTION`
 * @throws {Error} Node's own when the directory can't be opened
 */
export function serveStatic(
  directory: string | URL,
  options?: StaticOptions,
): (request: globalThis.Request, context?: Context) => StaticAnswer

/** An answer, or the promise of one where `notFound` gives that. */
export type StaticAnswer = globalThis.Response | PromiseLike<globalThis.Response>

/** What {@link serveStatic} can be told. An option that is not one of these throws. */
export interface StaticOptions {
  /**
   * The path under which the directory appears, encoded or as it is read; requests for others go
   * to `notFound`. Without its slash at the end it gets 301, as directories do.
   * @default '/'
   */
  prefix?: string
  /**
   * The file that stands for its directory; false serves no directories.
   * @default 'index.html'
   */
  index?: string | false
  /**
   * Whether names that begin with a dot are served. `/.well-known/` always is (RFC 8615).
   * @default false
   */
  dotfiles?: boolean
  /**
   * Which symbolic links are followed: relative ones that stay inside of the directory, none, or
   * all of them. Where the system can't tell (macOS, Linux before 5.6), 'inside' is as 'never'.
   * @default 'inside'
   */
  symlinks?: 'inside' | 'never' | 'anywhere'
  /**
   * Whether `NAME.br`, `NAME.zst` or `NAME.gz` beside a file is sent in its place to clients that
   * take the coding (RFC 9110 section 12.5.3). It has an `etag` of its own.
   * @default false
   */
  precompressed?: boolean
  /** Added to each answer with a file, as the headers of {@link serveFile}: `cache-control`, say. */
  headers?: HeadersSource
  /** Answers for paths without a file, whatever the method. By default 404 and a line of text. */
  // biome-ignore lint/suspicious/noExplicitAny: it gets whatever the handler was given
  notFound?: (request: any, context: any) => StaticAnswer
}
/** Limits on a form. Each is an integer from 0 on, and 0 is off. */
export interface MultipartOptions {
  /**
   * Fields and files of the form, up to 4294967295.
   * @default 1000
   */
  maxParts?: number
  /**
   * Bytes of each part that is no file.
   * @default 1048576, 1 MiB
   */
  maxFieldSize?: number
  /**
   * Bytes of each file. The server's `maxBodySize` bounds the whole body in any case.
   * @default 0
   */
  maxFileSize?: number
}

/** A field or a file of a form. It can be read, once, until the next one is asked for. */
export interface Part {
  /** The form's name for it; parts may share one. */
  readonly name: string
  /**
   * As the client sent it; undefined for a plain field, empty where no file was chosen. Never use it
   * as a path: it may hold slashes and anything else.
   */
  readonly filename: string | undefined
  /** Whether it has a filename, even an empty one. */
  readonly isFile: boolean
  /** Its Content-Type as sent, else 'text/plain' (RFC 7578 section 4.4). Nobody has checked it. */
  readonly type: string
  /** All of its header fields, immutable. */
  readonly headers: Headers
  /** A byte stream; its pulling is what reads the request. */
  readonly body: ReadableStream<Uint8Array>
  /** All of it, decoded as UTF-8, in memory. */
  text(): Promise<string>
  /** All of it, in memory. */
  bytes(): Promise<Uint8Array>
}

/**
 * Reads a form (`multipart/form-data`, RFC 7578) part by part while it comes; nothing is read from
 * the request before a part, or its body, is asked for. What is left of a part is skipped when the
 * next one is asked for. Leaving the loop cancels the request's body.
 *
 * While it is read it rejects with a BarewireError of `ERR_BAREWIRE_MULTIPART` (status 400) for a
 * form that is malformed or cut short, `ERR_BAREWIRE_LIMIT` (status 413) for one above a limit, and
 * as other readings of a body when that is lost.
 * @throws {BarewireError} `ERR_BAREWIRE_OPTION`, `ERR_BAREWIRE_UNKNOWN_OPTION`;
 *   `ERR_BAREWIRE_MULTIPART`: another type of body (status 415), no valid boundary (status 400)
 * @throws {TypeError} for a body that was read already or is locked
 */
export function multipart(
  request: Pick<globalThis.Request, 'headers' | 'body'>,
  options?: MultipartOptions,
): AsyncGenerator<Part, void, undefined>

/** What a body can be made from. */
export type BodySource =
  | string
  | FileReference
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream
  | AsyncIterable<string | Uint8Array>
  | null

export type HeadersSource =
  | globalThis.Headers
  | Iterable<readonly [string, string]>
  | Record<string, string>

export interface RequestOptions extends Omit<RequestInit, 'body' | 'headers'> {
  body?: BodySource
  headers?: HeadersSource
}

export interface ResponseOptions {
  /** 200 to 599. */
  status?: number
  statusText?: string
  headers?: HeadersSource
}

/** The Headers of the Fetch standard, light; `instanceof` the platform's class holds. */
export class Headers {
  constructor(init?: HeadersSource)
}
export interface Headers extends globalThis.Headers {}

/** The Request of the Fetch standard, light and lazy; `instanceof` the platform's class holds. */
export class Request {
  constructor(input: string | URL | globalThis.Request, init?: RequestOptions)
}
export interface Request extends globalThis.Request {
  readonly headers: Headers
  /** The request target as its bytes were sent; `url` is its standard form. */
  readonly rawTarget: string
  /** The fields as they were sent, in their order and case; duplicates stay apart. */
  readonly rawHeaders: [name: string, value: string][]
  clone(): Request
}

/** The Response of the Fetch standard, light; `instanceof` the platform's class holds. */
export class Response {
  constructor(body?: BodySource, init?: ResponseOptions)
  static error(): Response
  static json(data: unknown, init?: ResponseOptions): Response
  static redirect(url: string | URL, status?: 301 | 302 | 303 | 307 | 308): Response
}
export interface Response extends globalThis.Response {
  readonly headers: Headers
  clone(): Response
}

/** The platform's object over the same body, for code that wants its private parts. */
export function toPlatform(request: Request): globalThis.Request
export function toPlatform(response: Response): globalThis.Response

/** The platform's `fetch`, which takes barewire's requests as well. */
export function fetch(
  input: string | URL | globalThis.Request,
  init?: RequestOptions,
): Promise<globalThis.Response>
