//! The clocks of a connection: one enum of timers, an array of deadlines, the next one is the
//! smallest. Time is given by the caller, in milliseconds.

use crate::limits;

/// How long each phase may take, in milliseconds; 0 turns a clock off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From a head's first byte to its end, absolute.
    pub headers: u64,
    /// Between requests.
    pub idle: u64,
    /// A request body without progress.
    pub body: u64,
    /// An answer that the client doesn't take, without progress.
    pub send: u64,
    /// From the hand-over to the handler to the head of its answer.
    pub handler: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            headers: limits::HEADERS_TIMEOUT,
            idle: limits::IDLE_TIMEOUT,
            body: limits::BODY_TIMEOUT,
            send: limits::SEND_TIMEOUT,
            handler: limits::HANDLER_TIMEOUT,
        }
    }
}

/// What a deadline is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Timer {
    /// A head is under way.
    Headers,
    /// No request is under way.
    Idle,
    /// A body is under way.
    Body,
    /// Answer bytes wait for the client.
    Send,
    /// The handler owes an answer.
    Handler,
    /// Our side is shut; the client's last bytes are read and dropped.
    Linger,
}

const TIMERS: [Timer; 6] =
    [Timer::Headers, Timer::Idle, Timer::Body, Timer::Send, Timer::Handler, Timer::Linger];
const NEVER: u64 = u64::MAX;

/// One deadline for each timer.
#[derive(Clone, Debug)]
pub(super) struct Deadlines([u64; TIMERS.len()]);

#[expect(clippy::indexing_slicing, reason = "a timer's number is its place in TIMERS")]
impl Deadlines {
    pub(super) const fn new() -> Self {
        Deadlines([NEVER; TIMERS.len()])
    }

    /// Sets a timer `timeout` from now; 0 leaves it off.
    pub(super) fn arm(&mut self, timer: Timer, now: u64, timeout: u64) {
        self.0[timer as usize] = if timeout == 0 { NEVER } else { now.saturating_add(timeout) };
    }

    pub(super) fn set(&mut self, timer: Timer, deadline: u64) {
        self.0[timer as usize] = deadline;
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = NEVER;
    }

    pub(super) fn is_armed(&self, timer: Timer) -> bool {
        self.0[timer as usize] != NEVER
    }

    pub(super) fn next(&self) -> Option<u64> {
        self.0.iter().copied().min().filter(|&deadline| deadline != NEVER)
    }

    /// A timer whose time has come; it is cleared.
    pub(super) fn expired(&mut self, now: u64) -> Option<Timer> {
        let timer = TIMERS.into_iter().find(|&timer| self.0[timer as usize] <= now)?;
        self.clear(timer);
        Some(timer)
    }
}

/// How a transfer gets on: it fails after `timeout` without a byte, and also when its average
/// falls below [`limits::MINIMUM_RATE`] after [`limits::RATE_GRACE`], against a peer that drips.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    since: u64,
    bytes: u64,
}

impl Progress {
    pub(super) fn start(now: u64) -> Self {
        Progress { since: now, bytes: 0 }
    }

    /// Counts bytes and gives the new deadline; `None` when the clock is off.
    pub(super) fn advance(&mut self, bytes: u64, now: u64, timeout: u64) -> Option<u64> {
        self.bytes += bytes;
        if timeout == 0 {
            return None;
        }
        let stalled = now.saturating_add(timeout);
        let earned = self.bytes.saturating_mul(1000) / limits::MINIMUM_RATE;
        let dripping = self.since.saturating_add(earned.max(limits::RATE_GRACE));
        Some(stalled.min(dripping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_deadline_is_the_smallest_and_expiry_clears_it() {
        let mut deadlines = Deadlines::new();
        assert_eq!(deadlines.next(), None);
        deadlines.arm(Timer::Idle, 100, 50);
        deadlines.arm(Timer::Send, 100, 20);
        deadlines.arm(Timer::Body, 100, 0);
        assert_eq!(deadlines.next(), Some(120));
        assert_eq!(deadlines.expired(119), None);
        assert_eq!(deadlines.expired(150), Some(Timer::Idle));
        assert_eq!(deadlines.expired(150), Some(Timer::Send));
        assert_eq!(deadlines.expired(150), None);
    }

    #[test]
    fn a_peer_that_drips_a_byte_now_and_then_runs_out_of_time() {
        let mut progress = Progress::start(0);
        let mut now = 0;
        // A byte every 4 s stays under a timeout of 30 s for ever, but not above 240 bytes/s.
        let cut = loop {
            let deadline = progress.advance(1, now, 30_000).expect("on");
            now += 4000;
            if deadline <= now {
                break deadline;
            }
        };
        assert_eq!(cut, limits::RATE_GRACE);
    }

    #[test]
    fn a_steady_transfer_is_bounded_by_stalls_alone() {
        let mut progress = Progress::start(0);
        for second in 0..100 {
            let deadline = progress.advance(1000, second * 1000, 3000);
            assert_eq!(deadline, Some((second * 1000 + 3000).min(5000.max((second + 1) * 4166))));
            assert!(deadline > Some(second * 1000 + 1000));
        }
    }
}
