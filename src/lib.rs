//! barewire: a web server with nothing between the wire and the handler.
//!
//! A [`server::Server`] owns a reactor, the policies over it and one [`server::Handler`], which gets
//! each request whole and answers it now, or later from any thread. It runs by itself
//! ([`server::Server::run`]), or inside of a foreign event loop by three functions:
//! [`server::Server::fd`], [`server::Server::next_deadline`] and [`server::Server::has_ready`].
//!
//! The crate has four rooms, and each may use only those before it:
//!
//! - [`wire`]: pure formats. Bytes in, meaning out.
//! - [`proto`]: the machine of a connection, without sockets and clocks.
//! - [`net`]: the reactor over mio, the only place with sockets and time.
//! - [`server`]: limits and policies, and the handler that answers.
//!
//! A program that asks other servers itself, a proxy above all, implements [`net::App`] instead of a
//! handler. docs/embedding.md has running examples of both, and examples/proxy is a whole one.
//!
//! [`limits`] has every limit with its reason, and is open to all of them. The Node.js addon is a
//! fifth room behind the feature `node`, which is off by default.
//!
//! # Example
//! ```
//! use barewire::server::{Answer, Block, Config, Handler, ListenAddress, Reply, Request, Server};
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! struct Hello;
//!
//! impl Handler for Hello {
//!     fn handle(&mut self, _: &mut Request<'_>, mut reply: Reply<'_>) -> Answer {
//!         // One answer is enough for an example.
//!         reply.close_server(1000);
//!         reply.send(200, &Block::default(), b"Hello, World!")
//!     }
//! }
//!
//! let mut server = Server::new(Config::default(), Hello)?;
//! let address = server.listen(&ListenAddress::Tcp(([127, 0, 0, 1], 0).into()))?;
//!
//! let mut client = TcpStream::connect(address.to_string())?;
//! client.write_all(b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n")?;
//! server.run()?;
//!
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
//! assert!(answer.ends_with("\r\nConnection: close\r\n\r\nHello, World!"));
//! # Ok::<(), std::io::Error>(())
//! ```
#![deny(unsafe_code)]

pub mod limits;
pub mod net;
#[cfg(feature = "node")]
#[allow(unsafe_code)]
mod node;
pub mod proto;
pub mod server;
pub mod wire;

/// The Rust example of the README, compiled with the examples here.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Those of its document about embedding.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;

/// The server over a made-up network. Here and not beside the other tests, because it needs the
/// seam that no release has.
#[cfg(test)]
#[path = "../tests/simulation/mod.rs"]
mod simulation;
