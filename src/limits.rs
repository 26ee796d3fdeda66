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
/// Largest sum of chunk extensions in one body, in bytes. Nobody uses them; RFC 9112 §7.1.1
/// asks for a limit.
pub const CHUNK_EXTENSIONS: usize = 4 * 1024;
/// Largest trailer section in bytes.
pub const TRAILER_SIZE: usize = 8 * 1024;
