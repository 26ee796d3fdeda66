//! The machines of a connection: they get bytes, answers and the time, and say what happened.
//!
//! Sans I/O: no socket, clock, random source or log in here. Time is an argument in milliseconds
//! since any fixed start; output is appended to the caller's buffer. This room may use
//! [`crate::wire`] and [`crate::limits`].
//!
//! [`http1::Http1`] plays the server's role, [`client::Client`] that of a proxy towards its upstreams.

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

pub mod client;
mod deadlines;
mod fault;
pub mod http1;

pub use deadlines::{Timeouts, Timer};
pub use fault::{CloseReason, Fault};
