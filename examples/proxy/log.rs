//! The access log: a line for each request, written together a few times a second.
//!
//! A line has the client, the time, the request line, the status, the bytes of the body, the time it
//! took, the upstream, and what became of it. Nothing of it needs escaping: a target is visible ASCII
//! and a method a token, or the request was refused.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::time::SystemTime;

use barewire::net::Peer;

use crate::exchange::Exchange;

/// Bytes of lines that are written without waiting for more.
const FULL: usize = 64 * 1024;
/// Longest wait of a line, in milliseconds.
const WAIT: u64 = 500;

pub(crate) struct Log {
    out: Option<Box<dyn Write>>,
    lines: Vec<u8>,
    written_ms: u64,
    /// The second that `date` is of.
    second: u64,
    date: String,
}

impl Log {
    pub(crate) fn open(name: &str) -> io::Result<Self> {
        let out: Option<Box<dyn Write>> = match name {
            "off" => None,
            "-" => Some(Box::new(io::stdout())),
            path => Some(Box::new(OpenOptions::new().create(true).append(true).open(path)?)),
        };
        Ok(Log { out, lines: Vec::new(), written_ms: 0, second: u64::MAX, date: String::new() })
    }

    pub(crate) fn is_on(&self) -> bool {
        self.out.is_some()
    }

    /// Adds a line. `outcome` is one word: `ok`, or what went wrong.
    pub(crate) fn add(&mut self, exchange: &Exchange, upstream: &str, outcome: &str, now_us: u64) {
        if self.out.is_none() {
            return;
        }
        let second = now_us / 1_000_000;
        if second != self.second {
            self.second = second;
            self.date = httpdate::fmt_http_date(SystemTime::now());
        }
        let took = now_us.saturating_sub(exchange.began_us) as f64 / 1000.0;
        let lines = &mut self.lines;
        // A vector takes every write.
        let _ = match exchange.peer {
            Some(Peer::Inet(address)) => write!(lines, "{} ", address.ip().to_canonical()),
            Some(Peer::Unix) | None => write!(lines, "- "),
        };
        let _ = write!(lines, "[{}] \"", self.date);
        lines.extend_from_slice(&exchange.request_line);
        let (status, bytes) = (exchange.status, exchange.bytes);
        let _ = writeln!(lines, "\" {status} {bytes} {took:.2}ms {upstream} {outcome}");
    }

    pub(crate) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Writes the lines that wait, if they are many or have waited for long.
    pub(crate) fn write_if_due(&mut self, now_ms: u64) {
        if self.lines.is_empty() {
            self.written_ms = now_ms;
            return;
        }
        if self.lines.len() < FULL && now_ms.saturating_sub(self.written_ms) < WAIT {
            return;
        }
        self.written_ms = now_ms;
        if let Some(out) = &mut self.out
            && let Err(error) = out.write_all(&self.lines).and_then(|()| out.flush())
        {
            // A full disk is no reason to serve nobody.
            eprintln!("access log: {error}");
        }
        self.lines.clear();
    }
}
