//! What a body is made of that doesn't lie in memory as a whole: bytes, and spans of files, which
//! are read when they are sent. This file must not know who opened a file, or what it is for.

use std::fs::File;
use std::sync::Arc;

/// A part of a body.
#[derive(Clone, Debug)]
pub enum Piece {
    /// It is here.
    Bytes(Vec<u8>),
    /// It lies in a file. If the file has become shorter by the time it is sent, the connection is
    /// cut.
    File(FileSpan),
}

/// A part of an open file. Clones share the descriptor; reading doesn't move its position.
#[derive(Clone, Debug)]
pub struct FileSpan {
    /// The file.
    pub file: Arc<File>,
    /// Offset of the first byte.
    pub start: u64,
    /// How many bytes.
    pub length: u64,
}

impl Piece {
    /// How many bytes it is.
    pub fn length(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::File(span) => span.length,
        }
    }

    /// How many bytes all of them are.
    pub fn total(pieces: &[Piece]) -> u64 {
        pieces.iter().map(Piece::length).sum()
    }
}

impl FileSpan {
    /// Leaves its first bytes out.
    pub(super) fn advance(&mut self, count: usize) {
        self.start += count as u64;
        self.length -= count as u64;
    }
}
