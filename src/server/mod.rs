//! The policies of a server: what is bounded, what is buffered, who answers, when it ends.
//!
//! Here events of a connection become one call of a [`Handler`] for each request, with its whole
//! body. This room may use [`crate::net`] and what is below; it never sees a socket or a clock,
//! and nothing of JavaScript.

mod config;
mod engine;
pub mod files;
mod handler;
mod remote;
mod service;
mod stats;

pub use config::Config;
pub use engine::Server;
pub use handler::{Answer, Handler, Intake, Reply, Request};
pub use remote::Remote;
pub use stats::Stats;

pub use crate::net::{Credit, FileSpan, Gone, ListenAddress, Peer, Piece, ReplyError, ReplyId};
pub use crate::proto::Timeouts;
pub use crate::wire::block::Block;
pub use crate::wire::fields::Trailers;
pub use crate::wire::head::{Head, HeadLimits, Method, Version};
