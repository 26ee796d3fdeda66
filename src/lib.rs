//! barewire: a web server with nothing between the wire and the handler.
#![deny(unsafe_code)]

pub mod limits;
pub mod wire;
