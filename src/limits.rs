//! Every limit of the server: its value, why it is what it is, and where that comes from.
//!
//! These are the defaults and the hard bounds. Options override the defaults; nothing else in
//! the crate invents a number. This file must not know any other room.

/// Largest request line in bytes, CRLF not counted. RFC 9112 §3 asks for at least 8000.
pub const REQUEST_LINE: usize = 8 * 1024;
/// Largest field section of a head in bytes, with its line ends. The value of node:http.
pub const HEADER_SIZE: usize = 16 * 1024;
/// Largest value that the limit of a field section can be set to: offsets stay far below 2^31.
pub const HEADER_SIZE_MAX: usize = 1024 * 1024;
/// Most field lines in a head. The value of Apache httpd.
pub const FIELDS: usize = 100;
/// Most field lines that the limit can be set to.
pub const FIELDS_MAX: usize = 1000;
/// Most empty lines skipped before a request line. RFC 9112 §2.2 asks for at least one.
pub const EMPTY_LINES: u8 = 2;
/// Largest Content-Length: the largest integer that JavaScript can count, 2^53 - 1.
pub const CONTENT_LENGTH: u64 = (1 << 53) - 1;
/// Most interim answers (1xx) that an upstream may send before the final one. It needs one or two, and
/// each is passed on at once, whether the client takes it or not.
pub const INTERIM: u32 = 16;
/// Largest sum of chunk extensions in one body, in bytes. Nobody uses them; RFC 9112 §7.1.1
/// asks for a limit.
pub const CHUNK_EXTENSIONS: usize = 4 * 1024;
/// Largest trailer section in bytes.
pub const TRAILER_SIZE: usize = 8 * 1024;
/// Most ranges in a Range field; one with more is ignored. RFC 9110 §17.15 asks for a limit: each
/// costs a few bytes to ask for and a part of its own to send. Readers of documents ask for a
/// dozen; Apache httpd takes 200.
pub const RANGES: usize = 32;

/// Longest boundary of a multipart body in bytes. RFC 2046 §5.1.1.
pub const BOUNDARY: usize = 70;
/// Largest header of a part in bytes, with its line ends. The same as of a request.
pub const PART_HEADER_SIZE: usize = 16 * 1024;
/// Most header fields of a part. A form has two or three; the others are for who invents some.
pub const PART_FIELDS: usize = 32;
/// Most bytes of a multipart body outside of its parts: before the first boundary, behind the last
/// one, and white space behind each. Nobody sends any but a line end or two.
pub const OUTSIDE_PARTS: usize = 16 * 1024;

/// Time for a whole head, from its first byte, in milliseconds.
pub const HEADERS_TIMEOUT: u64 = 15_000;
/// Time between requests, in milliseconds. Above the 60 s of common load balancers, so that they
/// close first.
pub const IDLE_TIMEOUT: u64 = 75_000;
/// Time for a request body without progress, in milliseconds.
pub const BODY_TIMEOUT: u64 = 30_000;
/// Time for an answer that the client doesn't take, without progress, in milliseconds.
pub const SEND_TIMEOUT: u64 = 30_000;
/// Time for the handler, in milliseconds.
pub const HANDLER_TIMEOUT: u64 = 30_000;
/// Time that a connection stays half-open after our last byte, in milliseconds, so that the
/// client can read it before a reset (RFC 9112 §9.6).
pub const LINGER: u64 = 1_000;
/// Lowest average rate of a transfer in bytes a second. The value of Kestrel.
pub const MINIMUM_RATE: u64 = 240;
/// Time before the average counts, in milliseconds. The value of Kestrel.
pub const RATE_GRACE: u64 = 5_000;
/// Most bytes of an unread request body that are read and dropped to keep a connection.
pub const DRAIN: u64 = 64 * 1024;

/// Most open connections of a server. The kernel's backlog holds what is above.
pub const CONNECTIONS: usize = 65_536;
/// Connections that the kernel keeps until they are accepted. It lowers this to its own limit.
pub const BACKLOG: u32 = 8192;
/// Bytes read from a socket at once.
pub const READ_SIZE: usize = 64 * 1024;
/// Size of a reactor's receive buffer. So much is read at once from a connection whose last request
/// had a body of more than [`READ_SIZE`] that fits: the next one is likely to be its like.
pub const READ_BUFFER: usize = 256 * 1024;
/// Most bytes read from one connection in a turn, so that one busy client can't starve the rest.
pub const READ_BUDGET: usize = 256 * 1024;
/// Once so many bytes were read from all connections, the rest wait for the next turn: what a
/// handler makes of large bodies is still in the processor's caches when it is written then.
pub const TURN_BUDGET: usize = 192 * 1024;
/// Most requests of one connection served in a turn.
pub const REQUEST_BUDGET: usize = 16;
/// Most connections accepted in a turn.
pub const ACCEPT_BUDGET: usize = 128;
/// Most events taken from the kernel in a turn.
pub const EVENTS: usize = 256;
/// Room of the cork buffer: a string of 64 Ki characters of three bytes, and heads.
pub const CORK: usize = 256 * 1024;
/// Answer bytes of one connection that are collected before they are written.
pub const CORK_FLUSH: usize = 64 * 1024;
/// Bodies from here on are written beside the cork and not copied into it.
pub const WRITE_BESIDE: usize = 16 * 1024;
/// Bytes of a streamed body that the kernel takes beyond what it can send now; on Linux, where it
/// would take megabytes for a client that reads nothing. Twice this is what a fast client gets
/// between two events.
pub const UNSENT: u32 = 128 * 1024;
/// Unsent bytes of a connection above which the giver of a body must wait: small parts are written
/// together, and of a large one there is no second.
pub const HIGH_WATER: usize = 16 * 1024;
/// Bytes of a file that are read at once where they have to pass through our memory, or to bring
/// them into the page cache.
pub const FILE_READ: usize = 64 * 1024;
/// Bytes of a file that are asked for in the page cache, and sent, at once.
pub const FILE_WINDOW: u64 = 256 * 1024;
/// Most bytes of a file that one connection sends in a turn.
pub const FILE_BUDGET: usize = 512 * 1024;
/// Milliseconds for which a file that was found under a path is trusted to be the one there. The
/// value of lighttpd.
pub const FILE_TRUSTED: u64 = 1000;
/// Largest file in bytes that is trusted: to send a larger one costs far more than to open it, and
/// whoever removes it wants its space.
pub const FILE_TRUSTED_SIZE: u64 = 64 * 1024;
/// Most files of a directory that are kept open for that.
pub const FILES_TRUSTED: usize = 256;
/// Pause of accepting after the process ran out of descriptors, in milliseconds.
pub const ACCEPT_PAUSE: u64 = 100;

/// Largest request body in bytes.
pub const BODY_SIZE: u64 = 10 * 1024 * 1024;
/// Most requests that wait for their handler's answer.
pub const PENDING: usize = 16_384;
/// Most bytes of request bodies held by a server.
pub const BUFFERED_BYTES: u64 = 256 * 1024 * 1024;

/// Most attempts to open a file below a directory. Any rename on the machine can spoil one that
/// resolves a link's `..`; the next takes a few microseconds.
pub const OPEN_ATTEMPTS: u32 = 128;

/// Memory of waiting requests that a server keeps for the next ones.
pub const SPARE_REQUESTS: usize = 64;
/// Largest first piece of memory for a body that was only announced. The system gives pages only
/// where bytes come to lie.
pub const BODY_RESERVE: u64 = 1024 * 1024;
/// Sizes of the buffers that a reactor keeps: a usual head, the largest usual head, and the
/// largest body that is written in place.
pub const POOL_SIZES: [usize; 3] = [4 * 1024, 16 * 1024, 64 * 1024];
/// Most bytes that a reactor keeps of each size: 512 small buffers or 32 large ones, 6 MiB in all.
/// A burst of so many slow peers at once is an exception that may pay for its own memory.
pub const POOL_RETAINED: usize = 2 * 1024 * 1024;
/// Longest text in characters that JavaScript's answer is written in place, right behind its head.
pub const TEXT_IN_PLACE: usize = 64 * 1024;
/// Header blocks that one engine remembers for JavaScript.
pub const REMEMBERED_BLOCKS: usize = 256;
/// Bodies that are announced to be larger than this are handed to JavaScript while they come; smaller
/// ones are waited for, which costs a tenth less (echo of 100 KiB).
pub const STREAM_ABOVE: u64 = 256 * 1024;
/// The same for bodies of unknown length, of which each may turn out to be endless.
pub const STREAM_UNKNOWN_ABOVE: u64 = 64 * 1024;
/// Request bodies from here on are given to JavaScript without a copy. Below it, to register the
/// foreign memory costs as much as the copy.
pub const BODY_GIVEN: usize = 64 * 1024;
/// Request bodies whose memory an engine keeps for the next ones, if it is no more than
/// [`BODY_GIVEN`].
pub const SPARE_BODIES: usize = 16;
