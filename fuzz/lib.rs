//! The fuzz targets as plain functions of bytes. Each file in `mains/` gives one of them to
//! libFuzzer; `tests/fuzz.rs` runs all of them over the corpus, without any of that.

// `targets/record.rs` shares a file of the binding, which finds these rooms at the crate's root.
use barewire::{server, wire};

#[path = "targets/mod.rs"]
pub mod targets;
