//! The record: a few words of memory shared with JavaScript, so that a request crosses with one
//! call and no objects. `lib/record.js` names the same places; a test compares the two.

use std::ptr::NonNull;

use crate::net::{Peer, ReplyId};
use crate::server::{Method, Request, Version};

pub(super) const WORDS: usize = 32;

// To JavaScript.
const SLOT: usize = 0;
const GENERATION: usize = 1;
const SEQUENCE: usize = 2;
const METHOD: usize = 3;
const TARGET_START: usize = 4;
const TARGET_END: usize = 5;
const FIELDS_START: usize = 6;
const FLAGS: usize = 7;
const BODY_LENGTH: usize = 8;
// From JavaScript.
const STATUS: usize = 9;
const BLOCK: usize = 10;
const KIND: usize = 11;
const LENGTH: usize = 12;
// To JavaScript, with NEW_CONNECTION.
const PEER_FAMILY: usize = 17;
const PEER_ADDRESS: usize = 18;
const PEER_PORT: usize = 22;

const HTTP_1_0: u32 = 1;
const HAS_BODY: u32 = 2;
const NEW_CONNECTION: u32 = 4;
const ABSOLUTE_FORM: u32 = 8;
const ASTERISK_FORM: u32 = 16;
const BODY_FOLLOWS: u32 = 32;

/// What JavaScript gave as the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Later,
    Empty,
    Text,
    Bytes,
    /// The body follows in parts; what comes with it is the first.
    Stream,
}

/// An answer as the record states it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated {
    pub(super) status: u16,
    pub(super) block: u32,
    pub(super) kind: Kind,
    /// Characters of a text.
    pub(super) length: usize,
}

/// The memory, owned by an `ArrayBuffer` that the engine's object keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record(NonNull<u32>);

impl Record {
    /// # Safety
    /// `words` is the start of [`WORDS`] aligned words that stay where they are and are touched by
    /// this thread alone, for as long as the record is used.
    pub(super) unsafe fn new(words: NonNull<u32>) -> Self {
        Record(words)
    }

    fn get(self, index: usize) -> u32 {
        debug_assert!(index < WORDS);
        // SAFETY: `new` was promised WORDS live words, and each index here is below that.
        unsafe { self.0.add(index).read() }
    }

    fn set(self, index: usize, value: u32) {
        debug_assert!(index < WORDS);
        // SAFETY: as in `get`.
        unsafe { self.0.add(index).write(value) }
    }

    /// States the facts of a request, and who sends it if its connection is new to JavaScript.
    pub(super) fn write(self, request: &Request<'_>, is_new: bool) {
        let head = &request.head;
        let (target_start, target_end) = head.target_span();
        self.set(SLOT, request.id.slot);
        self.set(GENERATION, request.id.generation);
        self.set(SEQUENCE, request.id.sequence);
        self.set(METHOD, head.method() as u32);
        self.set(TARGET_START, target_start);
        self.set(TARGET_END, target_end);
        self.set(FIELDS_START, head.fields_start());
        self.set(BODY_LENGTH, u32::try_from(request.body().len()).unwrap_or(u32::MAX));
        let mut flags = match (head.method(), head.target().first()) {
            (Method::Connect, _) | (_, Some(b'/')) => 0,
            (_, Some(b'*')) => ASTERISK_FORM,
            _ => ABSOLUTE_FORM,
        };
        if head.version() == Version::Http10 {
            flags |= HTTP_1_0;
        }
        if request.has_body {
            flags |= HAS_BODY;
        }
        if !request.is_complete {
            flags |= BODY_FOLLOWS;
        }
        if is_new {
            flags |= NEW_CONNECTION;
            self.write_peer(request.peer);
        }
        self.set(FLAGS, flags);
        self.set(KIND, 0);
    }

    fn write_peer(self, peer: Peer) {
        let Peer::Inet(address) = peer else {
            return self.set(PEER_FAMILY, 0);
        };
        self.set(PEER_PORT, u32::from(address.port()));
        match address.ip().to_canonical() {
            std::net::IpAddr::V4(ip) => {
                self.set(PEER_FAMILY, 4);
                self.set(PEER_ADDRESS, u32::from(ip));
            }
            std::net::IpAddr::V6(ip) => {
                self.set(PEER_FAMILY, 6);
                let bits = ip.to_bits();
                for (word, shift) in [96, 64, 32, 0].into_iter().enumerate() {
                    self.set(PEER_ADDRESS + word, (bits >> shift) as u32);
                }
            }
        }
    }

    /// The request that JavaScript names.
    pub(super) fn id(self) -> ReplyId {
        ReplyId {
            slot: self.get(SLOT),
            generation: self.get(GENERATION),
            sequence: self.get(SEQUENCE),
        }
    }

    /// The answer that JavaScript states.
    pub(super) fn stated(self) -> Stated {
        Stated {
            // What isn't a status fails where it is encoded.
            status: u16::try_from(self.get(STATUS)).unwrap_or(0),
            block: self.get(BLOCK),
            kind: match self.get(KIND) {
                1 => Kind::Empty,
                2 => Kind::Text,
                3 => Kind::Bytes,
                4 => Kind::Stream,
                _ => Kind::Later,
            },
            length: self.get(LENGTH) as usize,
        }
    }
}
