//! The clock of a reactor: read a few times a turn, never by anything below.

use std::time::{Instant, SystemTime};

/// Monotonic time since the reactor began, and the Date field of this second.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    now_us: u64,
    /// `Date: … GMT` and CR LF.
    date: [u8; DATE_LENGTH],
    /// When the field must be formatted anew.
    next_date_us: u64,
    /// The clock on a test's wall, in microseconds.
    #[cfg(test)]
    pub(super) simulated: Option<std::rc::Rc<std::cell::Cell<u64>>>,
}

const PREFIX: &[u8; 6] = b"Date: ";
const DATE_LENGTH: usize = 6 + 29 + 2;

impl Clock {
    pub(super) fn new() -> Self {
        let mut clock = Clock {
            start: Instant::now(),
            now_us: 0,
            date: [b' '; DATE_LENGTH],
            next_date_us: 0,
            #[cfg(test)]
            simulated: None,
        };
        clock.date[..6].copy_from_slice(PREFIX);
        clock.date[DATE_LENGTH - 2..].copy_from_slice(b"\r\n");
        clock.refresh();
        clock
    }

    /// Reads the clock.
    pub(super) fn refresh(&mut self) {
        self.now_us = self.start.elapsed().as_micros() as u64;
        #[cfg(test)]
        if let Some(wall) = &self.simulated {
            self.now_us = wall.get();
        }
        if self.now_us >= self.next_date_us {
            self.format_date();
        }
    }

    /// The Date field is formatted once a second (RFC 9110 §6.6.1), at the second's beginning.
    #[cold]
    fn format_date(&mut self) {
        use std::io::Write;
        let now = SystemTime::now();
        let into = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_micros();
        self.next_date_us = self.now_us + u64::from(1_000_000 - into);
        // An IMF-fixdate always has 29 bytes (RFC 9110 §5.6.7), which is the room between.
        let mut room = &mut self.date[6..DATE_LENGTH - 2];
        let _ = write!(room, "{}", httpdate::HttpDate::from(now));
    }

    pub(super) fn now_us(&self) -> u64 {
        self.now_us
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_us / 1000
    }

    pub(super) fn date(&self) -> &[u8] {
        &self.date
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_field_is_an_imf_fixdate_of_now() {
        let clock = Clock::new();
        let text = std::str::from_utf8(clock.date()).expect("ASCII");
        let value = text.strip_prefix("Date: ").and_then(|t| t.strip_suffix("\r\n"));
        let date = httpdate::parse_http_date(value.expect("a field line")).expect("a date");
        let age = SystemTime::now().duration_since(date).expect("not in the future");
        assert!(age.as_secs() <= 2, "{text}");
    }
}
