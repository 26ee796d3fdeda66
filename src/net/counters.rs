//! Plain numbers about a reactor's work. The reactor counts, whoever asks reads.

use crate::proto::CloseReason;

const WINDOW: usize = 10;
/// Eight steps for each doubling: a latency is known to about 12 %.
const STEPS: u32 = 8;
const LATENCIES: usize = 8 * 40;

/// Counters since the reactor began.
#[derive(Clone, Debug)]
pub struct Counters {
    /// Connections accepted.
    pub accepted: u64,
    /// Requests whose head was complete and in order.
    pub requests: u64,
    /// Bytes read from sockets.
    pub bytes_received: u64,
    /// Bytes that the kernel took.
    pub bytes_sent: u64,
    /// Answers for requests that were over; they went nowhere.
    pub stale_answers: u64,
    /// Requests refused by the server itself, by status code.
    pub(crate) rejected: [u64; 600],
    closed: [u64; CloseReason::ALL.len()],
    /// Requests in each of the last seconds.
    window: [u32; WINDOW],
    window_second: u64,
    latencies: Box<[u64; LATENCIES]>,
    latency_count: u64,
    latency_sum_us: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Counters {
            accepted: 0,
            requests: 0,
            bytes_received: 0,
            bytes_sent: 0,
            stale_answers: 0,
            rejected: [0; 600],
            closed: [0; CloseReason::ALL.len()],
            window: [0; WINDOW],
            window_second: 0,
            latencies: Box::new([0; LATENCIES]),
            latency_count: 0,
            latency_sum_us: 0,
        }
    }
}

impl Counters {
    pub(super) fn on_request(&mut self, now_us: u64) {
        self.requests += 1;
        self.roll(now_us / 1_000_000);
        self.window[self.window_second as usize % WINDOW] += 1;
    }

    pub(super) fn on_close(&mut self, reason: CloseReason) {
        self.closed[reason as usize] += 1;
    }

    pub(super) fn on_rejected(&mut self, status: u16) {
        if let Some(count) = self.rejected.get_mut(status as usize) {
            *count += 1;
        }
    }

    pub(super) fn on_answered(&mut self, latency_us: u64, answers: u32) {
        self.latencies[bucket(latency_us)] += u64::from(answers);
        self.latency_count += u64::from(answers);
        self.latency_sum_us += latency_us * u64::from(answers);
    }

    fn roll(&mut self, second: u64) {
        for passed in self.window_second + 1..=second.min(self.window_second + WINDOW as u64) {
            self.window[passed as usize % WINDOW] = 0;
        }
        // The loop clears by residue, so after a long pause every entry is 0 all the same.
        self.window_second = second;
    }

    /// Requests a second, over the last ten whole seconds or as many as there were.
    pub fn requests_per_second(&mut self, now_us: u64) -> f64 {
        let second = now_us / 1_000_000;
        self.roll(second);
        let current = self.window[second as usize % WINDOW];
        let total: u64 = self.window.iter().map(|&count| u64::from(count)).sum();
        let part = (now_us % 1_000_000) as f64 / 1e6;
        let whole = second.min(WINDOW as u64 - 1) as f64;
        let seconds = whole + part;
        if seconds < 1.0 { f64::from(current) } else { total as f64 / seconds }
    }

    /// Mean time from a complete head to the last byte that the kernel took, in milliseconds.
    pub fn mean_latency_ms(&self) -> f64 {
        if self.latency_count == 0 {
            return 0.0;
        }
        self.latency_sum_us as f64 / self.latency_count as f64 / 1000.0
    }

    /// The latency that this share of answers (0 to 1) stays below, in milliseconds.
    pub fn latency_ms(&self, share: f64) -> f64 {
        let wanted = (self.latency_count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, &count) in self.latencies.iter().enumerate() {
            seen += count;
            if seen >= wanted && count > 0 {
                return upper_us(index) as f64 / 1000.0;
            }
        }
        0.0
    }

    /// How many connections were closed for each reason.
    pub fn closed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CloseReason::ALL.into_iter().map(|reason| (reason.name(), self.closed[reason as usize]))
    }

    /// How many requests the server refused itself, by status code; only those that happened.
    pub fn rejected(&self) -> impl Iterator<Item = (u16, u64)> {
        let codes = self.rejected.iter().enumerate().filter(|&(_, &count)| count > 0);
        codes.map(|(code, &count)| (code as u16, count))
    }
}

/// Linear below 8 µs, then eight steps for each power of two.
fn bucket(us: u64) -> usize {
    if us < u64::from(STEPS) {
        return us as usize;
    }
    let power = us.ilog2() - STEPS.ilog2();
    let step = (us >> power) as usize - STEPS as usize;
    ((power as usize + 1) * STEPS as usize + step).min(LATENCIES - 1)
}

/// The largest value of a bucket.
fn upper_us(index: usize) -> u64 {
    let steps = STEPS as usize;
    if index < steps {
        return index as u64;
    }
    let power = index / steps - 1;
    ((steps + index % steps + 1) as u64) << power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_hold_their_values() {
        let mut last = 0;
        for us in (0..100_000).chain([1 << 30, 1 << 40]) {
            let index = bucket(us);
            assert!(index == last || index == last + 1 || us > 100_000, "{us}");
            assert!(upper_us(index) >= us || index == LATENCIES - 1, "{us}");
            assert!(upper_us(index) <= us + us / 7 + 1 || index == LATENCIES - 1, "{us}");
            last = index;
        }
    }

    #[test]
    fn percentiles_come_from_the_histogram() {
        let mut counters = Counters::default();
        for us in 1..=100 {
            counters.on_answered(us * 1000, 1);
        }
        assert!((counters.mean_latency_ms() - 50.5).abs() < 0.01);
        assert!((50.0..58.0).contains(&counters.latency_ms(0.5)));
        assert!((99.0..113.0).contains(&counters.latency_ms(0.99)));
    }

    #[test]
    fn requests_a_second_forget_what_is_older_than_the_window() {
        let mut counters = Counters::default();
        for second in 0..20 {
            for _ in 0..50 {
                counters.on_request(second * 1_000_000 + 500_000);
            }
        }
        let rate = counters.requests_per_second(20_000_000);
        assert!((45.0..=55.0).contains(&rate), "{rate}");
        assert!(counters.requests_per_second(60_000_000) < 0.01);
    }
}
