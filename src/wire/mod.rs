//! Pure formats: bytes in, meaning out, and the reverse. No I/O, no clock, no state beyond the
//! value at hand; input is borrowed, output is appended to the caller's buffer.
//!
//! A parse says `Complete`, `Partial` (more bytes are needed) or an [`Error`]. The file names are
//! the chapters of RFC 9110 and RFC 9112, and of RFC 7578 for forms. This room may use
//! [`crate::limits`] and nothing else of the crate.

// No bytes of a client may lead to a panic. Where an index can't be wrong, its function says why.
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::todo,
    clippy::unimplemented,
    clippy::unreachable,
    clippy::unwrap_used
)]

pub mod ascii;
pub mod block;
pub mod chunk;
pub mod conditional;
mod disposition;
pub mod encode;
mod error;
pub mod fields;
pub mod framing;
pub mod head;
pub mod multipart;
pub mod percent;
pub mod range;
pub mod response;
pub mod status;
pub mod target;

pub use error::Error;
