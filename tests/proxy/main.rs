//! The example proxy between real sockets: upstreams that follow a script, and die at any point of
//! it; clients that leave; bodies that are larger than memory may be.

mod exchange;
mod failures;
mod fields;
mod harness;
mod pressure;
mod retries;
