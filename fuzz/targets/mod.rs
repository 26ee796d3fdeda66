//! What is fuzzed, a file a target, named like its folders and its dictionary: each `run` takes any
//! bytes, and panics when something doesn't hold that must. They know neither libFuzzer nor files.
//!
//! The parts that judge (a naive client, a reading by the book, the sequences of a connection) are
//! those of `tests/`.

pub mod answer;
pub mod chunked;
pub mod encode;
pub mod framing;
pub mod head;
pub mod machine;
pub mod multipart;
pub mod range;
pub mod record;
pub mod target;

#[path = "../../tests/proto/parser.rs"]
mod parser;
#[path = "../../tests/wire/reference.rs"]
mod reference;
#[path = "../../tests/proto/sequence.rs"]
mod sequence;
#[allow(dead_code)] // what only the tests of the machine use
#[path = "../../tests/proto/wire.rs"]
mod wire;

/// Ways to cut bytes into pieces, as the size of a piece.
const PIECES: [usize; 5] = [1, 2, 3, 7, 64];
