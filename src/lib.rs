//! barewire: a web server with nothing between the wire and the handler.
//!
//! The crate has four rooms, and each may use only those before it:
//!
//! - [`wire`]: pure formats. Bytes in, meaning out.
//! - [`proto`]: the machine of a connection, without sockets and clocks.
//! - [`net`]: the reactor over mio, the only place with sockets and time.
//! - [`server`]: limits and policies, and the [`server::Handler`] that answers.
//!
//! Begin with [`server::Server`]. The Node.js addon is a fifth room behind the feature `node`.
#![deny(unsafe_code)]

pub mod limits;
pub mod net;
#[cfg(feature = "node")]
#[allow(unsafe_code)]
mod node;
pub mod proto;
pub mod server;
pub mod wire;
