//! Connections by number: a slab whose keys carry a generation, and the ids made from them.
//!
//! A slot is used again as soon as it is free, so everything that outlives a connection (an event
//! that the kernel already queued, an answer that JavaScript gives late) names its slot together
//! with the generation and is refused when that has passed. This file must not know what lies in
//! a slot, when slots are freed, or what the events mean.

use mio::Token;
use slab::Slab;

// A token carries an index and a generation of 32 bits each.
const _: () = assert!(usize::BITS == 64, "barewire needs a 64-bit platform");

/// From here on the indexes of tokens name outgoing connections, which have slots of their own.
const LINKS: u32 = 1 << 31;
/// First index that no slot has: tokens from here on name listeners and the waker.
const RESERVED: u32 = 0xffff_ff00;
/// Index in the token of the waker.
const WAKER: u32 = u32::MAX;

/// The name of one use of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Place in the slab; small, and used again.
    pub(crate) index: u32,
    /// Which use of that place this is.
    pub(crate) generation: u32,
}

/// The name of one request: which use of which slot, and which request of that connection.
///
/// It may be kept for as long as one likes and sent to any thread. An answer with an id whose
/// connection has gone, or whose request has been answered, is dropped and counted; it can never
/// reach another request. (A generation comes round again after 2^32 uses of one slot.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) sequence: u32,
}

impl ReplyId {
    /// Names request number `sequence` of the connection at `key`.
    pub(crate) fn new(key: Key, sequence: u32) -> Self {
        Self { slot: key.index, generation: key.generation, sequence }
    }

    /// The identity that [`ReplyId::to_words`] told. Numbers that name no request do no harm: each
    /// use is checked.
    pub const fn from_words([slot, generation, sequence]: [u32; 3]) -> Self {
        Self { slot, generation, sequence }
    }

    /// Its three numbers, to carry it through another language.
    pub const fn to_words(self) -> [u32; 3] {
        [self.slot, self.generation, self.sequence]
    }

    /// A small number that no other open connection has, for tables: the place of what is under way on
    /// it. It is used again afterwards, so the whole id must be compared.
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// The connection that the request came on.
    pub(crate) fn key(self) -> Key {
        Key { index: self.slot, generation: self.generation }
    }
}

/// Whom an event is for, as a [`Token`] says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A connection, or one that has gone: [`Slots::get`] tells.
    Slot(Key),
    /// An outgoing connection, in slots of its own.
    Link(Key),
    /// The listener with this number, below [`Target::LISTENERS`].
    Listener(u8),
    /// The waker of the mailboxes.
    Waker,
}

impl Target {
    /// How many listeners have tokens: 0 to 254, the last reserved index is the waker's.
    pub(crate) const LISTENERS: u8 = u8::MAX;
}

impl From<Target> for Token {
    fn from(target: Target) -> Self {
        let (index, generation) = match target {
            Target::Slot(key) => (key.index, key.generation),
            Target::Link(key) => (LINKS + key.index, key.generation),
            Target::Listener(number) => {
                debug_assert!(number < Target::LISTENERS);
                (RESERVED + u32::from(number), 0)
            }
            Target::Waker => (WAKER, 0),
        };
        Token(((generation as usize) << 32) | index as usize)
    }
}

impl From<Token> for Target {
    fn from(Token(bits): Token) -> Self {
        let key = Key { index: bits as u32, generation: (bits >> 32) as u32 };
        match key.index {
            WAKER => Target::Waker,
            RESERVED.. => Target::Listener((key.index - RESERVED) as u8),
            LINKS.. => Target::Link(Key { index: key.index - LINKS, ..key }),
            _ => Target::Slot(key),
        }
    }
}

/// A slab of `T` whose keys go stale when their value is removed.
///
/// Removing is immediate: the next insert may take the same index, under another generation.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    slab: Slab<Slot<T>>,
    /// For every index ever used, the generation that its next value gets.
    next_generations: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: T,
}

impl<T> Slots<T> {
    /// Makes an empty one. Nothing is allocated yet.
    pub(crate) fn new() -> Self {
        Self { slab: Slab::new(), next_generations: Vec::new() }
    }

    /// Stores a value under a key that was not in use before.
    pub(crate) fn insert(&mut self, value: T) -> Key {
        let vacant = self.slab.vacant_entry();
        let index = vacant.key();
        // The limit on connections is far below the two billion of the other indexes.
        debug_assert!(index < (RESERVED - LINKS) as usize);
        if self.next_generations.len() <= index {
            self.next_generations.resize(index + 1, 0);
        }
        // The line above made room for `index`.
        let next = &mut self.next_generations[index];
        let generation = *next;
        *next = generation.wrapping_add(1);
        vacant.insert(Slot { generation, value });
        Key { index: index as u32, generation }
    }

    /// The value under `key`, if it is still that one.
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slab.get(key.index as usize)?;
        (slot.generation == key.generation).then_some(&slot.value)
    }

    /// The value under `key`, if it is still that one.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slab.get_mut(key.index as usize)?;
        (slot.generation == key.generation).then_some(&mut slot.value)
    }

    /// The key of the value at `index` now, for lists that keep bare indexes and are told of
    /// every removal.
    pub(crate) fn key_at(&self, index: u32) -> Option<Key> {
        let slot = self.slab.get(index as usize)?;
        Some(Key { index, generation: slot.generation })
    }

    /// Takes the value under `key` out, if it is still that one.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        Some(self.slab.remove(key.index as usize).value)
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    /// All values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slab.iter().map(|(_, slot)| &slot.value)
    }

    /// The keys of all values, by index.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.slab
            .iter()
            .map(|(index, slot)| Key { index: index as u32, generation: slot.generation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_value_until_it_is_removed() {
        let mut slots = Slots::new();
        let a = slots.insert("a");
        let b = slots.insert("b");
        assert_eq!((slots.get(a), slots.get(b), slots.len()), (Some(&"a"), Some(&"b"), 2));
        assert_eq!(slots.remove(a), Some("a"));
        assert_eq!(slots.get(a), None);
        assert_eq!(slots.get_mut(a), None);
        assert_eq!(slots.remove(a), None);
        assert_eq!(slots.keys().collect::<Vec<_>>(), [b]);
    }

    #[test]
    fn a_stale_key_does_not_reach_the_next_user_of_its_slot() {
        let mut slots = Slots::new();
        let mut seen = Vec::new();
        for user in 0..100 {
            let key = slots.insert(user);
            assert_eq!(key.index, 0, "the slot is used again");
            assert_eq!(slots.key_at(0), Some(key));
            for stale in &seen {
                assert_eq!(slots.get(*stale), None);
                assert_eq!(slots.remove(*stale), None);
            }
            assert_eq!(slots.remove(key), Some(user));
            assert_eq!(slots.key_at(0), None);
            seen.push(key);
        }
    }

    #[test]
    fn a_generation_wraps_around() {
        let mut slots = Slots::new();
        let first = slots.insert(());
        slots.remove(first);
        slots.next_generations[0] = u32::MAX;
        let last = slots.insert(());
        assert_eq!(last, Key { index: 0, generation: u32::MAX });
        assert_eq!(Target::from(Token::from(Target::Slot(last))), Target::Slot(last));
        slots.remove(last);
        assert_eq!(slots.insert(()).generation, 0);
        assert_eq!(slots.get(last), None);
    }

    #[test]
    fn a_key_from_nowhere_finds_nothing() {
        let mut slots = Slots::new();
        slots.insert(());
        assert_eq!(slots.get(Key { index: 7, generation: 0 }), None);
        assert_eq!(slots.get(Key { index: 0, generation: 1 }), None);
        assert_eq!(slots.key_at(7), None);
    }

    #[test]
    fn tokens_and_targets_are_the_same_thing() {
        let last_slot = Key { index: LINKS - 1, generation: u32::MAX };
        let targets = [
            Target::Slot(Key { index: 0, generation: 0 }),
            Target::Slot(Key { index: 3, generation: 9 }),
            Target::Slot(last_slot),
            Target::Link(Key { index: 0, generation: 0 }),
            Target::Link(Key { index: RESERVED - LINKS - 1, generation: u32::MAX }),
            Target::Listener(0),
            Target::Listener(Target::LISTENERS - 1),
            Target::Waker,
        ];
        for target in targets {
            assert_eq!(Target::from(Token::from(target)), target);
        }
    }

    #[test]
    fn a_reply_id_tells_requests_of_one_connection_apart() {
        let key = Key { index: 3, generation: 9 };
        assert_eq!(ReplyId::new(key, 4).key(), key);
        assert_ne!(ReplyId::new(key, 4), ReplyId::new(key, 5));
    }
}
