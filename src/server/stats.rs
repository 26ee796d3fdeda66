//! The numbers of a server at one moment.

use crate::net::Io;

/// A snapshot. Latencies run from a complete head to the last byte that the kernel took, in
/// milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Open connections.
    pub active_connections: usize,
    /// Requests whose head was complete and in order.
    pub total_requests: u64,
    /// Requests a second over the last ten seconds.
    pub requests_per_second: f64,
    /// Mean latency.
    pub avg_latency_ms: f64,
    /// Half of the answers were at least this fast.
    pub p50_latency_ms: f64,
    /// 99 of 100 answers were at least this fast.
    pub p99_latency_ms: f64,
    /// Requests that wait for a late answer.
    pub pending_requests: usize,
    /// Bytes read from sockets.
    pub bytes_received: u64,
    /// Bytes that the kernel took.
    pub bytes_sent: u64,
    /// Bytes of bodies held in memory: requests', and answers' that their clients don't take.
    pub buffered_bytes: u64,
    /// Answers for requests that were over; they went nowhere.
    pub stale_answers: u64,
    /// Requests refused by the server itself, by status code.
    pub rejected: Vec<(u16, u64)>,
    /// Connections closed, by reason.
    pub closed: Vec<(&'static str, u64)>,
}

impl Stats {
    pub(super) fn take(io: &mut Io, pending: usize, buffered: u64) -> Self {
        let active_connections = io.connections();
        let buffered_bytes = buffered + io.unsent_bytes() as u64;
        let now_us = io.now_us();
        let counters = io.counters();
        Stats {
            active_connections,
            total_requests: counters.requests,
            requests_per_second: counters.requests_per_second(now_us),
            avg_latency_ms: counters.mean_latency_ms(),
            p50_latency_ms: counters.latency_ms(0.5),
            p99_latency_ms: counters.latency_ms(0.99),
            pending_requests: pending,
            bytes_received: counters.bytes_received,
            bytes_sent: counters.bytes_sent,
            buffered_bytes,
            stale_answers: counters.stale_answers,
            rejected: counters.rejected().collect(),
            closed: counters.closed().collect(),
        }
    }
}
