//! What a connection still has to send after the kernel would take no more: the third level of
//! writing, behind the cork and the system call.
//!
//! Bytes wait in memory. Files wait where they are: the kernel moves them to the socket
//! (`sendfile`), a window at a time, and only while they lie in its page cache; what doesn't is
//! read first, by somebody who may wait for a disk.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::unix::fs::FileExt;

use super::disk::{self, Cached};
use super::piece::{FileSpan, Piece};
use super::pool::Pool;
use super::socket::Socket;
use crate::limits;

/// Bytes in their order, the sent ones at the front not yet cut off, and the pieces behind them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
    pieces: VecDeque<Waiting>,
    waits_for: WaitsFor,
}

/// What has to happen before more can be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// Room in the socket.
    #[default]
    Socket,
    /// Another turn: the file has had its share of this one.
    Turn,
    /// Somebody who reads the file's next window from the disk; see [`Outbox::take_cold`].
    Cold,
    /// The end of that reading; see [`Outbox::on_warm`].
    Disk,
}

/// A piece, and how far into its file it is known that reading won't wait.
#[derive(Debug)]
struct Waiting {
    piece: Piece,
    warm_until: u64,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && self.pieces.is_empty()
    }

    /// Bytes of memory that wait.
    pub(super) fn held(&self) -> usize {
        let behind = self.pieces.iter().map(|waiting| match &waiting.piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::File(_) => 0,
        });
        self.unsent() + behind.sum::<usize>()
    }

    /// Bytes that are sent before any piece.
    fn unsent(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// What it waits for, if something waits.
    pub(super) fn waits_for(&self) -> Option<WaitsFor> {
        (!self.is_empty()).then_some(self.waits_for)
    }

    /// Writes the parts behind what waits; what the kernel doesn't take is kept. Says how much it
    /// took.
    pub(super) fn write(
        &mut self,
        socket: &mut Socket,
        pool: &mut Pool,
        parts: [&[u8]; 3],
    ) -> io::Result<usize> {
        let taken = if self.is_empty() { write_parts(socket, parts)? } else { 0 };
        let mut skip = taken;
        for part in parts {
            self.keep(pool, part.get(skip..).unwrap_or_default());
            skip = skip.saturating_sub(part.len());
        }
        Ok(taken)
    }

    /// Like [`Outbox::write`] for a body that the caller gives away: its rest isn't copied.
    pub(super) fn write_owned(
        &mut self,
        socket: &mut Socket,
        pool: &mut Pool,
        first: &[u8],
        second: Vec<u8>,
    ) -> io::Result<usize> {
        let taken = if self.is_empty() { write_parts(socket, [first, &second, b""])? } else { 0 };
        if self.is_empty() && (first.len()..first.len() + second.len()).contains(&taken) {
            self.sent = taken - first.len();
            self.waits_for = WaitsFor::Socket;
            pool.give(std::mem::replace(&mut self.bytes, second));
            return Ok(taken);
        }
        self.keep(pool, first.get(taken..).unwrap_or_default());
        self.keep(pool, second.get(taken.saturating_sub(first.len())..).unwrap_or_default());
        pool.give(second);
        Ok(taken)
    }

    /// Writes bytes and then pieces. The first of the pieces, which has a byte at least, shares a
    /// packet with the bytes.
    pub(super) fn write_pieces(
        &mut self,
        socket: &mut Socket,
        pool: &mut Pool,
        first: &[u8],
        pieces: VecDeque<Piece>,
    ) -> io::Result<usize> {
        let taken = if self.is_empty() && !first.is_empty() {
            or_full(|| socket.write_more(first))?
        } else {
            0
        };
        self.keep(pool, first.get(taken..).unwrap_or_default());
        self.pieces.extend(pieces.into_iter().map(|piece| Waiting { piece, warm_until: 0 }));
        Ok(taken + self.flush(socket, pool)?)
    }

    /// Keeps bytes behind what waits.
    pub(super) fn keep(&mut self, pool: &mut Pool, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if !self.pieces.is_empty() {
            let piece = Piece::Bytes(bytes.to_vec());
            return self.pieces.push_back(Waiting { piece, warm_until: 0 });
        }
        self.waits_for = WaitsFor::Socket;
        if self.unsent() == 0 {
            pool.give(std::mem::take(&mut self.bytes));
            self.bytes = pool.take(bytes.len());
            self.sent = 0;
        } else if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes on: the socket became writable, or a turn is there for it. Says how much the kernel
    /// took. If something is left, [`Outbox::waits_for`] says what for.
    pub(super) fn flush(&mut self, socket: &mut Socket, pool: &mut Pool) -> io::Result<usize> {
        let mut taken = 0;
        while !self.is_empty() && self.waits_for != WaitsFor::Disk {
            let step = if self.unsent() > 0 {
                self.write_bytes(socket)?
            } else {
                self.send_piece(socket, pool, limits::FILE_BUDGET.saturating_sub(taken))?
            };
            match step {
                Step::Took(count) => taken += count,
                Step::WaitsFor(what) => {
                    self.waits_for = what;
                    return Ok(taken);
                }
            }
        }
        if self.is_empty() {
            self.clear(pool);
        }
        Ok(taken)
    }

    fn write_bytes(&mut self, socket: &mut Socket) -> io::Result<Step> {
        // `sent` is never beyond the end.
        match or_full(|| socket.write(&self.bytes[self.sent..]))? {
            0 => Ok(Step::WaitsFor(WaitsFor::Socket)),
            count => {
                self.sent += count;
                Ok(Step::Took(count))
            }
        }
    }

    /// Sends a window of the first piece, or makes it the bytes that are sent next.
    fn send_piece(
        &mut self,
        socket: &mut Socket,
        pool: &mut Pool,
        budget: usize,
    ) -> io::Result<Step> {
        let Some(Waiting { piece, warm_until }) = self.pieces.front_mut() else {
            return Ok(Step::Took(0));
        };
        let span = match piece {
            Piece::Bytes(bytes) => {
                self.sent = 0;
                pool.give(std::mem::replace(&mut self.bytes, std::mem::take(bytes)));
                self.pieces.pop_front();
                return Ok(Step::Took(0));
            }
            Piece::File(span) => span,
        };
        if span.length == 0 {
            self.pieces.pop_front();
            return Ok(Step::Took(0));
        }
        if budget == 0 {
            return Ok(Step::WaitsFor(WaitsFor::Turn));
        }
        if span.start >= *warm_until {
            if !is_warm(span) {
                return Ok(Step::WaitsFor(WaitsFor::Cold));
            }
            *warm_until = span.start + limits::FILE_WINDOW;
        }
        let window = (*warm_until - span.start).min(span.length) as usize;
        match socket.send_file(&span.file, span.start, window) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                span.advance(count);
                Ok(Step::Took(count))
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => Ok(Step::Took(0)),
                ErrorKind::WouldBlock => Ok(Step::WaitsFor(WaitsFor::Socket)),
                // This file system or this host doesn't do it: the bytes pass through here.
                ErrorKind::Unsupported | ErrorKind::InvalidInput => {
                    let window = window.min(limits::FILE_READ);
                    let mut bytes = pool.take(window);
                    bytes.resize(window, 0);
                    span.file.read_exact_at(&mut bytes, span.start)?;
                    span.advance(window);
                    self.sent = 0;
                    pool.give(std::mem::replace(&mut self.bytes, bytes));
                    Ok(Step::Took(0))
                }
                _ => Err(error),
            },
        }
    }

    /// What must come from the disk before more can be sent; said once, then it is waited for.
    pub(super) fn take_cold(&mut self) -> Option<FileSpan> {
        if self.waits_for() != Some(WaitsFor::Cold) {
            return None;
        }
        self.waits_for = WaitsFor::Disk;
        let Piece::File(span) = &self.pieces.front()?.piece else {
            return None;
        };
        Some(FileSpan { length: span.length.min(limits::FILE_WINDOW), ..span.clone() })
    }

    /// The cold window has been read. Whether it lies in the page cache isn't asked again: a
    /// machine without room for it would never get on.
    pub(super) fn on_warm(&mut self) {
        if self.waits_for != WaitsFor::Disk {
            return;
        }
        self.waits_for = WaitsFor::Turn;
        if let Some(Waiting { piece: Piece::File(span), warm_until }) = self.pieces.front_mut() {
            *warm_until = span.start + limits::FILE_WINDOW;
        }
    }

    /// Gives the memory back, and the files.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        self.sent = 0;
        self.pieces = VecDeque::new();
        self.waits_for = WaitsFor::Socket;
        pool.give(std::mem::take(&mut self.bytes));
    }
}

enum Step {
    Took(usize),
    WaitsFor(WaitsFor),
}

/// Whether the next window of a file can be read without waiting for long, as far as its ends tell.
/// Where nobody knows, a small one is risked.
fn is_warm(span: &FileSpan) -> bool {
    let length = span.length.min(limits::FILE_WINDOW);
    [span.start, span.start + length - 1].iter().all(|&offset| {
        match disk::read_cached(&span.file, &mut [0], offset) {
            // An error shows again when the file is sent.
            Ok(Cached::Read(_)) | Err(_) => true,
            Ok(Cached::Nothing) => false,
            Ok(Cached::Unknown) => length <= limits::FILE_READ as u64,
        }
    })
}

/// One system call for all; a full socket takes 0 bytes.
fn write_parts(socket: &mut Socket, parts: [&[u8]; 3]) -> io::Result<usize> {
    or_full(|| match parts {
        [only, [], []] => socket.write(only),
        parts => socket.write_vectored(&parts.map(IoSlice::new)),
    })
}

/// Writes; a full socket takes 0 bytes.
fn or_full(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests;
