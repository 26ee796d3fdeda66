//! What a server is told once, before it begins.

use crate::limits;
use crate::net;
use crate::proto::{Timeouts, http1};
use crate::wire::head::HeadLimits;

/// The limits and clocks of a server. The defaults stand in [`crate::limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Limits of a request head.
    pub head: HeadLimits,
    /// Clocks, in milliseconds.
    pub timeouts: Timeouts,
    /// Most open connections; 0 is no limit. Above it nothing is accepted, and clients wait.
    pub max_connections: usize,
    /// Largest request body in bytes; 0 is no limit. Above it the answer is 413.
    pub max_body_size: u64,
    /// Most requests that wait for a late answer; 0 is no limit. Above it the answer is 503.
    pub max_pending: usize,
    /// A handler is asked before the body is complete when the body is larger than this, or when
    /// the client waits for 100 (Continue); `None` is never. See [`super::Request::is_complete`].
    /// Of a body of unknown length at most [`limits::STREAM_UNKNOWN_ABOVE`] bytes are waited for.
    pub stream_above: Option<u64>,
    /// Most bytes of request bodies held at a time; 0 is no limit. Above it bodies aren't read
    /// on, and a new request with a body gets 503.
    pub max_buffered_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            head: HeadLimits::default(),
            timeouts: Timeouts::default(),
            max_connections: limits::CONNECTIONS,
            max_body_size: limits::BODY_SIZE,
            max_pending: limits::PENDING,
            stream_above: None,
            max_buffered_bytes: limits::BUFFERED_BYTES,
        }
    }
}

impl Config {
    /// The part that the reactor must know. Head limits are clamped to what offsets can name.
    pub(super) fn net(&self) -> net::Settings {
        let head = HeadLimits {
            request_line: self.head.request_line.clamp(1, limits::HEADER_SIZE_MAX),
            size: self.head.size.clamp(1, limits::HEADER_SIZE_MAX),
            fields: self.head.fields.clamp(1, limits::FIELDS_MAX),
        };
        net::Settings {
            http1: http1::Settings { head, timeouts: self.timeouts },
            max_connections: self.max_connections,
        }
    }
}
