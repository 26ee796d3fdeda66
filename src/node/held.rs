//! Bodies in files that JavaScript holds, by number: a number costs nothing to make and nothing to
//! collect. Each thread that runs JavaScript has its own. What a number names is taken by the answer
//! that sends it; what is never sent has a guard of `lib/file-body.js`.

use std::cell::RefCell;

use slab::Slab;

use super::record::{OWN_BLOCK, Stated};
use crate::net::Piece;
use crate::server::Block;

/// What is sent, with the fields that tell of it.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) pieces: Vec<Piece>,
    pub(super) block: Block,
}

impl Body {
    /// The fields that an answer states for it: its own, or those that were given.
    pub(super) fn fields<'a>(&'a self, stated: Stated, given: &'a Block) -> &'a Block {
        if stated.block == OWN_BLOCK { &self.block } else { given }
    }
}

#[derive(Debug, Default)]
struct Held {
    slots: Slab<(u32, Body)>,
    /// Counts each use of a slot, so that an old number names nothing.
    uses: u32,
}

/// How many slots a number can tell apart. The rest of its 53 bits is the use.
const SLOTS: u64 = 1 << 21;

thread_local! {
    static HELD: RefCell<Held> = RefCell::default();
}

/// Keeps a body; its number is at least [`SLOTS`], so that it is no status.
pub(super) fn hold(body: Body) -> f64 {
    HELD.with_borrow_mut(|held| {
        held.uses = held.uses.wrapping_add(1).max(1);
        let slot = held.slots.insert((held.uses, body)) as u64;
        // A process has fewer descriptors than there are slots.
        (u64::from(held.uses) * SLOTS + slot % SLOTS) as f64
    })
}

/// Moves a body out. `None` if it was taken.
pub(super) fn take(number: f64) -> Option<Body> {
    // A guard may be collected when its thread has nearly ended.
    let take = |held: &RefCell<Held>| {
        let held = &mut *held.borrow_mut();
        let slot = find(held, number)?;
        Some(held.slots.remove(slot).1)
    };
    HELD.try_with(take).ok().flatten()
}

/// A copy of a body, which shares its files.
pub(super) fn copy(number: f64) -> Option<Body> {
    HELD.with_borrow(|held| Some(held.slots.get(find(held, number)?)?.1.clone()))
}

fn find(held: &Held, number: f64) -> Option<usize> {
    let number = number as u64;
    let (slot, uses) = ((number % SLOTS) as usize, (number / SLOTS) as u32);
    held.slots.get(slot).filter(|held| held.0 == uses).map(|_| slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_one_body_once() {
        let body =
            |byte: u8| Body { pieces: vec![Piece::Bytes(vec![byte])], block: Block::default() };
        let bytes = |body: Option<Body>| match body?.pieces.as_slice() {
            [Piece::Bytes(bytes)] => Some(bytes[0]),
            _ => None,
        };
        let (one, two) = (hold(body(1)), hold(body(2)));
        assert!(one >= SLOTS as f64 && two > one);
        assert_eq!((bytes(copy(one)), bytes(take(one))), (Some(1), Some(1)));
        assert_eq!((bytes(copy(one)), bytes(take(one))), (None, None));
        let three = hold(body(3));
        assert_eq!(
            (bytes(take(one)), bytes(take(three)), bytes(take(two))),
            (None, Some(3), Some(2))
        );
        assert!(take(0.0).is_none() && take(-1.0).is_none() && take(f64::NAN).is_none());
    }
}
