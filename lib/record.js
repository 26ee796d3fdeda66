/**
 * The layout of the record: the few words of shared memory through which the native engine states
 * the facts of a request and reads those of its answer. The same numbers stand in the engine; a
 * test compares the two. Knows nothing of what the words are used for.
 */

// Engine to JavaScript, written before each dispatch; the first three also name a request in
// `answer`, `takeText`, `takeBytes` and `setTimeout`.
export const SLOT = 0
export const GENERATION = 1
export const SEQUENCE = 2
/** Index into `METHODS`; 0 means that the method has to be read from the head. */
export const METHOD = 3
export const TARGET_START = 4
export const TARGET_END = 5
/** Offset in the head of its first field line. */
export const FIELDS_START = 6
export const FLAGS = 7
/** Bytes of the buffered request body. */
export const BODY_LENGTH = 8

// JavaScript to engine, read when dispatch returns and in `answer`.
export const STATUS = 9
/** Which header block the answer has: `NO_BLOCK`, `STAGED_BLOCK`, or a remembered id from 2 on. */
export const BLOCK = 10
export const KIND = 11
/** `string.length` of a TEXT body. */
export const LENGTH = 12

// The peer, written only when FLAGS has NEW_CONNECTION.
/** 4, 6, or 0 for a unix socket. */
export const PEER_FAMILY = 17
/** Four 32-bit words in network order; an IPv4 address is in the first. */
export const PEER_ADDRESS = 18
export const PEER_PORT = 22

// Where the fields lie in the head, four words for each: start and end of the name, start and end
// of the value. With more of them than MOST_PLACES nothing is said but the number.
export const FIELD_COUNT = 23
export const MOST_PLACES = 32
export const PLACES = 32

// Values of FLAGS.
export const HTTP_1_0 = 1
/** The framing announced a body, which may be empty. */
export const HAS_BODY = 2
/** The first request of its connection. */
export const NEW_CONNECTION = 4
export const ABSOLUTE_FORM = 8
export const ASTERISK_FORM = 16
/** The body is still on its way. */
export const BODY_FOLLOWS = 32

// Values of KIND.
export const LATER = 0
export const EMPTY = 1
export const TEXT = 2
export const BYTES = 3
/** The body follows in parts, of which the first may come along. */
export const STREAM = 4
/** A body that lies in files; what comes along is its handle. */
export const FILE = 5

// Values of BLOCK.
export const NO_BLOCK = 0
export const STAGED_BLOCK = 1
/** The fields with which the body in files was found. */
export const OWN_BLOCK = 0xffffffff

/** Methods by their METHOD index; the empty string stands for one that the table does not name. */
export const METHODS = Object.freeze([
  '',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'CONNECT',
  'TRACE',
])

// Why a request whose answer was deferred is gone.
export const GONE_CLIENT_CLOSED = 1
export const GONE_CONNECTION_LOST = 2
export const GONE_TIMEOUT = 3
export const GONE_SERVER_CLOSED = 4
/** Not gone at all: there is room for more of a streamed answer. */
export const WRITABLE = 5
/** A part of the request's body has come. */
export const BODY_PART = 6
/** The request's body is complete. */
export const BODY_END = 7
/** Gone after all: the rest of the request's body is wrong, or too large, or does not come. */
export const GONE_BAD_BODY = 8
