//! The record: a few words of memory shared with JavaScript, so that a request crosses with one
//! call and no objects. `lib/record.js` names the same places; a test compares the two. It must not
//! know Node-API: the fuzz target `record` puts it over memory of its own.

use super::values::Words;
use crate::server::{Head, Method, Peer, ReplyId, Request, Version};
use crate::wire::fields::FieldSpan;

pub(super) const WORDS: usize = PLACES + 4 * MOST_PLACES;

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
// To JavaScript: where the fields lie, if they aren't more than a browser sends.
const FIELD_COUNT: usize = 23;
const MOST_PLACES: usize = 32;
const PLACES: usize = 32;

const HTTP_1_0: u32 = 1;
const HAS_BODY: u32 = 2;
const NEW_CONNECTION: u32 = 4;
const ABSOLUTE_FORM: u32 = 8;
const ASTERISK_FORM: u32 = 16;
const BODY_FOLLOWS: u32 = 32;

/// In BLOCK: the fields that the body in files has of its own.
pub(super) const OWN_BLOCK: u32 = u32::MAX;

/// What JavaScript gave as the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Later,
    Empty,
    Text,
    Bytes,
    /// The body follows in parts; what comes with it is the first.
    Stream,
    /// A handle of [`super::files`].
    File,
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

/// The record of an engine.
#[derive(Debug)]
pub(super) struct Record(Words);

impl Record {
    /// Over [`WORDS`] words.
    pub(super) fn new(words: Words) -> Self {
        Record(words)
    }

    fn get(&self, index: usize) -> u32 {
        self.0.get(index)
    }

    fn set(&self, index: usize, value: u32) {
        self.0.set(index, value);
    }

    /// States the facts of a request, and who sends it if its connection is new to JavaScript.
    pub(super) fn write(&self, request: &Request<'_>, is_new: bool) {
        self.write_head(request.id, &request.head);
        self.set(BODY_LENGTH, u32::try_from(request.body().len()).unwrap_or(u32::MAX));
        let mut flags = self.get(FLAGS);
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

    /// States what a head says.
    pub(super) fn write_head(&self, id: ReplyId, head: &Head<'_>) {
        let (target_start, target_end) = head.target_span();
        let [slot, generation, sequence] = id.to_words();
        self.set(SLOT, slot);
        self.set(GENERATION, generation);
        self.set(SEQUENCE, sequence);
        self.set(METHOD, head.method() as u32);
        self.set(TARGET_START, target_start);
        self.set(TARGET_END, target_end);
        self.set(FIELDS_START, head.fields_start());
        let mut flags = match (head.method(), head.target().first()) {
            (Method::Connect, _) | (_, Some(b'/')) => 0,
            (_, Some(b'*')) => ASTERISK_FORM,
            _ => ABSOLUTE_FORM,
        };
        if head.version() == Version::Http10 {
            flags |= HTTP_1_0;
        }
        self.set(FLAGS, flags);
        self.write_places(head.field_spans());
    }

    /// States where the fields lie, so that JavaScript finds one without reading lines.
    fn write_places(&self, spans: &[FieldSpan]) {
        self.set(FIELD_COUNT, spans.len() as u32);
        if spans.len() <= MOST_PLACES {
            self.0.set_rows(PLACES, spans, FieldSpan::offsets);
        }
    }

    /// States who is at the other end.
    pub(super) fn write_peer(&self, peer: Peer) {
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
    pub(super) fn id(&self) -> ReplyId {
        ReplyId::from_words([self.get(SLOT), self.get(GENERATION), self.get(SEQUENCE)])
    }

    /// The answer that JavaScript states.
    pub(super) fn stated(&self) -> Stated {
        Stated {
            // What isn't a status fails where it is encoded.
            status: u16::try_from(self.get(STATUS)).unwrap_or(0),
            block: self.get(BLOCK),
            kind: match self.get(KIND) {
                1 => Kind::Empty,
                2 => Kind::Text,
                3 => Kind::Bytes,
                4 => Kind::Stream,
                5 => Kind::File,
                _ => Kind::Later,
            },
            length: self.get(LENGTH) as usize,
        }
    }
}
