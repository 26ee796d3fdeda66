//! Deadlines of connections: a coarse timer wheel over slot indexes.
//!
//! Nearly every deadline is pushed back many times and never met, so pushing one back costs
//! nothing: `Wheel::schedule` ignores a later deadline, and the caller, who knows the real one,
//! schedules anew when the entry comes up. This file must not know what a deadline is for, and
//! reads no clock: times are milliseconds from any fixed point, handed in.

/// Length of a tick, as a power of two: 64 ms. The shortest time limit is a second.
const TICK_SHIFT: u32 = 6;
/// Buckets, one a tick: the wheel reaches over a minute ahead, longer than most limits.
const BUCKETS: usize = 1024;
/// Ticks are turned into buckets by this mask.
const MASK: u64 = BUCKETS as u64 - 1;
/// Words of the occupancy bitmap.
const WORDS: usize = BUCKETS / 64;
/// A tick that doesn't come.
const NEVER: u64 = u64::MAX;
/// The end of a list, and the bucket of an entry that is in none.
const NONE: u32 = u32::MAX;

const _: () = assert!(BUCKETS.is_power_of_two() && BUCKETS.is_multiple_of(64));

/// At most one pending deadline for each slot.
///
/// An entry comes up at the first [`Wheel::pop_due`] whose `now` has reached its deadline, rounded
/// up to a whole tick: never early, and less than 64 ms late on top of the caller's own delay.
/// Two exceptions. A deadline further than 1023 ticks (65 s) ahead of the last time that the
/// wheel was told is parked there and comes up early. A deadline that has passed when it is
/// scheduled comes up at the next call.
///
/// Memory grows with the highest index that was scheduled and is kept.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// By slot index: the links of a doubly linked list for each bucket.
    entries: Vec<Entry>,
    /// By bucket: the first entry of its list.
    heads: Box<[u32; BUCKETS]>,
    /// One bit a bucket: set while its list isn't empty.
    occupied: [u64; WORDS],
    /// The tick that the wheel stands at. Every entry's tick is in `cursor..cursor + BUCKETS`, so
    /// a bucket never mixes two turns of the wheel.
    cursor: u64,
    /// The first tick that has entries, [`NEVER`] without any: it is asked for in each turn, and
    /// hardly ever changes.
    first: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    next: u32,
    previous: u32,
    bucket: u32,
}

impl Entry {
    const IDLE: Self = Self { next: NONE, previous: NONE, bucket: NONE };
}

impl Wheel {
    /// Makes an empty wheel that stands at `now_ms`.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            entries: Vec::new(),
            heads: Box::new([NONE; BUCKETS]),
            occupied: [0; WORDS],
            cursor: now_ms >> TICK_SHIFT,
            first: NEVER,
        }
    }

    /// Makes sure that `index` comes up at `deadline_ms` or before.
    ///
    /// An entry that is due earlier already stays where it is: it comes up then, and the caller
    /// schedules what is left.
    pub(crate) fn schedule(&mut self, index: u32, deadline_ms: u64) {
        debug_assert!(index != NONE);
        if self.entries.len() <= index as usize {
            self.entries.resize(index as usize + 1, Entry::IDLE);
        }
        let due = deadline_ms.div_ceil(1 << TICK_SHIFT);
        let tick = due.clamp(self.cursor, self.cursor + MASK);
        let scheduled = self.entry(index).bucket;
        if scheduled != NONE {
            if self.tick_of(scheduled) <= tick {
                return;
            }
            self.unlink(index);
        }
        self.link(index, (tick & MASK) as u32);
    }

    /// Forgets the deadline of `index`, if there is one.
    pub(crate) fn cancel(&mut self, index: u32) {
        if self.entries.get(index as usize).is_some_and(|entry| entry.bucket != NONE) {
            self.unlink(index);
        }
    }

    /// When to call [`Wheel::pop_due`] next: it then has an entry to report.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        (self.first != NEVER).then_some(self.first << TICK_SHIFT)
    }

    /// When an entry comes up, if it does.
    #[cfg(test)]
    pub(super) fn due_of(&self, index: u32) -> Option<u64> {
        let entry = self.entries.get(index as usize).filter(|entry| entry.bucket != NONE)?;
        Some(self.tick_of(entry.bucket) << TICK_SHIFT)
    }

    /// How many entries are to come up.
    #[cfg(test)]
    pub(super) fn pending(&self) -> usize {
        self.entries.iter().filter(|entry| entry.bucket != NONE).count()
    }

    /// The tick that a deadline is watched at, in milliseconds.
    #[cfg(test)]
    pub(super) fn round_up(deadline_ms: u64) -> u64 {
        deadline_ms.next_multiple_of(1 << TICK_SHIFT)
    }

    /// Takes one entry that is due at `now_ms`; call it until it has no more.
    ///
    /// The caller may schedule the same entry again before the next call. That ends, as long as
    /// the new deadlines lie after `now_ms`.
    pub(crate) fn pop_due(&mut self, now_ms: u64) -> Option<u32> {
        let now = now_ms >> TICK_SHIFT;
        let tick = self.first;
        if tick > now {
            self.cursor = self.cursor.max(now);
            return None;
        }
        self.cursor = tick;
        let index = *self.head_mut((tick & MASK) as u32);
        self.unlink(index);
        Some(index)
    }

    /// Looks for the first tick that has entries.
    fn find_first(&self) -> u64 {
        let start = (self.cursor & MASK) as usize;
        let ahead = u64::MAX << (start % 64);
        // The word of the cursor comes twice: first its part ahead, at the end the part behind.
        let found = (0..=WORDS).find_map(|step| {
            let word = (start / 64 + step) % WORDS;
            let bits = match step {
                0 => ahead,
                WORDS => !ahead,
                _ => u64::MAX,
            };
            // `word` is a remainder of `WORDS`.
            let found = self.occupied[word] & bits;
            (found != 0).then(|| self.tick_of(word as u32 * 64 + found.trailing_zeros()))
        });
        found.unwrap_or(NEVER)
    }

    /// The one tick from the cursor on that belongs to `bucket`.
    fn tick_of(&self, bucket: u32) -> u64 {
        self.cursor + (u64::from(bucket).wrapping_sub(self.cursor) & MASK)
    }

    /// Puts an entry that is in no list at the front of one.
    fn link(&mut self, index: u32, bucket: u32) {
        let next = std::mem::replace(self.head_mut(bucket), index);
        *self.entry_mut(index) = Entry { next, previous: NONE, bucket };
        if next == NONE {
            *self.word_mut(bucket) |= 1 << (bucket % 64);
            self.first = self.first.min(self.tick_of(bucket));
        } else {
            self.entry_mut(next).previous = index;
        }
    }

    /// Takes an entry out of the list that it is in.
    fn unlink(&mut self, index: u32) {
        let Entry { next, previous, bucket } =
            std::mem::replace(self.entry_mut(index), Entry::IDLE);
        if next != NONE {
            self.entry_mut(next).previous = previous;
        }
        if previous != NONE {
            self.entry_mut(previous).next = next;
            return;
        }
        *self.head_mut(bucket) = next;
        if next == NONE {
            *self.word_mut(bucket) &= !(1 << (bucket % 64));
            if self.tick_of(bucket) == self.first {
                self.first = self.find_first();
            }
        }
    }

    fn entry(&self, index: u32) -> &Entry {
        // `schedule` makes room before an index gets into a list or is looked up.
        &self.entries[index as usize]
    }

    fn entry_mut(&mut self, index: u32) -> &mut Entry {
        // As in `entry`.
        &mut self.entries[index as usize]
    }

    fn head_mut(&mut self, bucket: u32) -> &mut u32 {
        // A bucket is a tick under the mask, and the array has one head for each.
        &mut self.heads[bucket as usize]
    }

    fn word_mut(&mut self, bucket: u32) -> &mut u64 {
        // As in `head_mut`; 64 buckets share a word.
        &mut self.occupied[bucket as usize / 64]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const TICK: u64 = 1 << TICK_SHIFT;
    const HORIZON: u64 = MASK * TICK;

    fn drain(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        let mut due: Vec<_> = std::iter::from_fn(|| wheel.pop_due(now)).collect();
        due.sort_unstable();
        due
    }

    #[test]
    fn an_entry_comes_up_at_its_tick_and_not_before() {
        let mut wheel = Wheel::new(1_000_000);
        assert_eq!(wheel.next_deadline(), None);
        wheel.schedule(3, 1_000_500);
        wheel.schedule(3, 1_009_000);
        let due = wheel.next_deadline().unwrap();
        assert!((1_000_500..1_000_500 + TICK).contains(&due), "a later deadline is ignored");
        assert_eq!(wheel.pop_due(due - 1), None);
        assert_eq!(wheel.pop_due(due), Some(3));
        assert_eq!((wheel.pop_due(due), wheel.next_deadline()), (None, None));
        wheel.schedule(3, 0);
        assert_eq!(wheel.pop_due(due), Some(3), "a deadline that has passed comes up at once");
    }

    #[test]
    fn a_far_deadline_comes_up_early_and_can_be_scheduled_again() {
        let mut wheel = Wheel::new(0);
        wheel.schedule(1, 2 * HORIZON);
        assert_eq!(wheel.pop_due(HORIZON), Some(1));
        wheel.schedule(1, 2 * HORIZON);
        assert_eq!(wheel.pop_due(HORIZON), None);
        assert_eq!(wheel.next_deadline(), Some(2 * HORIZON));
    }

    #[test]
    fn scheduling_again_while_popping_ends_even_after_a_long_sleep() {
        let mut wheel = Wheel::new(0);
        let now = 20 * HORIZON;
        (0..10).for_each(|index| wheel.schedule(index, TICK));
        let mut pops = 0;
        while let Some(index) = wheel.pop_due(now) {
            wheel.schedule(index, now + 1);
            pops += 1;
        }
        assert!(pops <= 10 * 21, "{pops}");
        assert_eq!(drain(&mut wheel, now + TICK), (0..10).collect::<Vec<_>>());
    }

    /// The naive twin: the rounded deadline of each index, searched whole each time.
    #[test]
    fn the_wheel_agrees_with_a_map() {
        for seed in 0..64 {
            let mut random = SplitMix(seed);
            let mut now = random.below(1 << 40);
            let mut wheel = Wheel::new(now);
            let mut twin = BTreeMap::new();
            (0..200).for_each(|index| wheel.schedule(index, 0));
            assert_eq!(drain(&mut wheel, now).len(), 200);
            let capacity = wheel.entries.capacity();
            for _ in 0..3000 {
                let index = random.below(200) as u32;
                match random.below(8) {
                    0..5 => {
                        let reach = 1 << random.below(18);
                        let deadline = (now + random.below(reach)).saturating_sub(reach / 8);
                        let floor = now / TICK * TICK;
                        let due = deadline.next_multiple_of(TICK).clamp(floor, floor + HORIZON);
                        wheel.schedule(index, deadline);
                        let kept = twin.entry(index).or_insert(due);
                        *kept = due.min(*kept);
                    }
                    5 => {
                        wheel.cancel(index);
                        twin.remove(&index);
                    }
                    _ => {
                        let reach = 1 << random.below(18);
                        now += random.below(reach);
                        let mut due: Vec<_> = twin.keys().copied().collect();
                        due.retain(|index| twin[index] <= now);
                        twin.retain(|_, due| *due > now);
                        assert_eq!(drain(&mut wheel, now), due, "seed {seed}");
                    }
                }
                assert_eq!(wheel.next_deadline(), twin.values().min().copied(), "seed {seed}");
            }
            assert_eq!(wheel.entries.capacity(), capacity, "no allocation after growth");
        }
    }

    struct SplitMix(u64);

    impl SplitMix {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % bound
        }
    }
}
