//! What a connection still has to send after the kernel would take no more: the third level of
//! writing, behind the cork and the system call.

use std::io::{self, ErrorKind, IoSlice, Write};

use super::pool::Pool;
use super::socket::Socket;

/// Bytes in their order, the sent ones at the front not yet cut off.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.sent
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
            pool.give(std::mem::replace(&mut self.bytes, second));
            return Ok(taken);
        }
        self.keep(pool, first.get(taken..).unwrap_or_default());
        self.keep(pool, second.get(taken.saturating_sub(first.len())..).unwrap_or_default());
        pool.give(second);
        Ok(taken)
    }

    fn keep(&mut self, pool: &mut Pool, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.is_empty() {
            pool.give(std::mem::take(&mut self.bytes));
            self.bytes = pool.take(bytes.len());
            self.sent = 0;
        } else if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes on after the socket became writable. Says how much the kernel took.
    pub(super) fn flush(&mut self, socket: &mut Socket, pool: &mut Pool) -> io::Result<usize> {
        let mut taken = 0;
        while !self.is_empty() {
            match socket.write(&self.bytes[self.sent..]) {
                Ok(count) => {
                    self.sent += count;
                    taken += count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(taken),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.clear(pool);
        Ok(taken)
    }

    /// Gives the memory back.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        self.sent = 0;
        pool.give(std::mem::take(&mut self.bytes));
    }
}

/// One system call for all; a full socket takes 0 bytes.
fn write_parts(socket: &mut Socket, parts: [&[u8]; 3]) -> io::Result<usize> {
    loop {
        let written = match parts {
            [only, [], []] => socket.write(only),
            parts => socket.write_vectored(&parts.map(IoSlice::new)),
        };
        match written {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            other => return other,
        }
    }
}
