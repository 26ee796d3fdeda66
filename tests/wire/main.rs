//! The wire room from the outside: RFC 9110, RFC 9112 and the protocol table as cases over the
//! public API, written without looking at how the room works.
//!
//! Every case runs in three ways, by one small runner a format: whole; in two pieces cut at each
//! offset, and byte by byte; and with bytes behind it that belong to the next request and must be
//! left alone.

mod chunk;
mod conditional;
mod encode;
mod framing;
mod golden;
mod head;
mod multipart;
mod range;
mod reference;
mod response;
mod ways;
