//! A server over real sockets on this machine: what clients see, from keep-alive to `close()`.
//!
//! Each test has a server of its own, on a thread or driven turn by turn. Times are short, and
//! what a test waits for is bounded by [`harness::PATIENCE`].

mod addresses;
mod descriptors;
mod ends;
mod files;
mod harness;
mod keep_alive;
mod late;
mod limits;
mod slow;
mod streaming;
mod time;
mod turns;
