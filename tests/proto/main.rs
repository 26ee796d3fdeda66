//! The machine of a connection from the outside: bytes in memory, a virtual clock, no socket.
//!
//! Cases come from the design's state tables (§5.1, §5.2) and RFC 9112. A case runs whole, cut at
//! each offset, byte by byte, and with a request behind it that must be served, or must not.

mod answers;
mod case;
mod client;
mod clocks;
mod cross;
mod early;
mod endings;
mod parser;
mod persistence;
mod random;
mod sequence;
mod smuggling;
mod verdicts;
mod wire;
