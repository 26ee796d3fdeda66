//! Buffers for what has to wait: the rest of an incomplete head, the rest of a short write.
//!
//! Most connections never need one, so a reactor keeps a few and lends them. Each size has its own
//! share of the memory, so that a burst of large answers can't crowd out the small buffers. This
//! file must not know who borrows a buffer or what is in it.

use crate::limits::{POOL_RETAINED as RETAINED_PER_SIZE, POOL_SIZES as SIZES};

/// Largest buffer that is kept. What is larger is rare, and memory is worth more than the malloc.
const LARGEST: usize = SIZES[SIZES.len() - 1];

/// Empty buffers to lend, of a few sizes.
///
/// A buffer that is never given back is no leak: it is an ordinary vector.
#[derive(Debug)]
pub(crate) struct Pool {
    shelves: [Shelf; SIZES.len()],
    /// Buffers that are lent; less those that came from elsewhere.
    #[cfg(test)]
    pub(crate) lent: i64,
}

#[derive(Debug)]
struct Shelf {
    /// Least capacity of each buffer here.
    size: usize,
    /// Sum of the capacities.
    retained: usize,
    buffers: Vec<Vec<u8>>,
}

impl Pool {
    /// Makes a pool without buffers.
    pub(crate) fn new() -> Self {
        Self {
            shelves: SIZES.map(|size| Shelf { size, retained: 0, buffers: Vec::new() }),
            #[cfg(test)]
            lent: 0,
        }
    }

    /// Lends an empty buffer with room for at least `min_capacity` bytes.
    pub(crate) fn take(&mut self, min_capacity: usize) -> Vec<u8> {
        #[cfg(test)]
        {
            self.lent += 1;
        }
        let Some(kept) = self.shelves.iter_mut().find(|kept| kept.size >= min_capacity) else {
            return Vec::with_capacity(min_capacity);
        };
        let Some(buffer) = kept.buffers.pop() else {
            return Vec::with_capacity(kept.size);
        };
        kept.retained -= buffer.capacity();
        buffer
    }

    /// Takes a buffer back, from here or from elsewhere; drops it when there are enough.
    pub(crate) fn give(&mut self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        #[cfg(test)]
        {
            self.lent -= i64::from(capacity >= SIZES[0]);
        }
        if capacity > LARGEST {
            return;
        }
        let Some(kept) = self.shelves.iter_mut().rfind(|kept| kept.size <= capacity) else {
            return;
        };
        if kept.retained + capacity > RETAINED_PER_SIZE {
            return;
        }
        buffer.clear();
        kept.retained += capacity;
        kept.buffers.push(buffer);
    }

    /// Bytes of memory that wait here to be lent.
    #[cfg(test)]
    fn retained_bytes(&self) -> usize {
        self.shelves.iter().map(|kept| kept.retained).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty() {
        let mut pool = Pool::new();
        let mut buffer = pool.take(100);
        assert!(buffer.capacity() >= SIZES[0]);
        buffer.extend_from_slice(b"a secret");
        let place = buffer.as_ptr();
        pool.give(buffer);
        assert_eq!(pool.retained_bytes(), SIZES[0]);
        let again = pool.take(SIZES[0]);
        assert_eq!((again.as_ptr(), again.len(), pool.retained_bytes()), (place, 0, 0));
    }

    #[test]
    fn a_request_is_met_by_the_next_size_up() {
        let mut pool = Pool::new();
        for (wanted, got) in [
            (0, SIZES[0]),
            (SIZES[0] + 1, SIZES[1]),
            (SIZES[1], SIZES[1]),
            (LARGEST, LARGEST),
            (LARGEST + 1, LARGEST + 1),
        ] {
            assert_eq!(pool.take(wanted).capacity(), got);
        }
    }

    #[test]
    fn a_grown_buffer_serves_the_size_that_it_still_covers() {
        let mut pool = Pool::new();
        pool.give(Vec::with_capacity(SIZES[1] + 5));
        assert_eq!(pool.retained_bytes(), SIZES[1] + 5);
        assert_eq!(pool.take(SIZES[2]).capacity(), SIZES[2]);
        assert_eq!(pool.take(SIZES[1]).capacity(), SIZES[1] + 5);
        assert_eq!(pool.retained_bytes(), 0);
    }

    #[test]
    fn tiny_and_huge_buffers_are_dropped() {
        let mut pool = Pool::new();
        pool.give(Vec::new());
        pool.give(Vec::with_capacity(SIZES[0] - 1));
        pool.give(Vec::with_capacity(LARGEST + 1));
        assert_eq!(pool.retained_bytes(), 0);
    }

    #[test]
    fn memory_is_bounded_for_each_size() {
        let mut pool = Pool::new();
        for size in SIZES {
            let before = pool.retained_bytes();
            (0..=RETAINED_PER_SIZE / size).for_each(|_| pool.give(Vec::with_capacity(size)));
            assert_eq!(pool.retained_bytes() - before, RETAINED_PER_SIZE);
        }
    }
}
