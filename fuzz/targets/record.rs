//! The record between Rust and JavaScript: any words that JavaScript may leave in it are read
//! without harm, and what is stated of a request leads a reader like `lib/head.js` to the very
//! method, target and fields that were parsed.
//!
//! The first bytes of the input are the words, the others a request head.

use std::cell::RefCell;
use std::net::{Ipv6Addr, SocketAddr};
use std::rc::Rc;

use barewire::server::{HeadLimits, Method, Peer, ReplyId, Version};
use barewire::wire::head::{Head, HeadSpans, Scanner};

use layout::{Kind, Record};
use values::Words;

/// The file of the binding itself, over memory of our own.
#[allow(dead_code)] // a whole request can be made only by a server
#[path = "../../src/node/record.rs"]
mod layout;

/// Stands for the shared memory.
mod values {
    use super::{Rc, RefCell};

    #[derive(Clone, Debug)]
    pub(super) struct Words(pub(super) Rc<RefCell<Vec<u32>>>);

    impl Words {
        pub(super) fn get(&self, index: usize) -> u32 {
            self.0.borrow()[index]
        }

        pub(super) fn set(&self, index: usize, value: u32) {
            self.0.borrow_mut()[index] = value;
        }

        pub(super) fn set_rows<T, const N: usize>(
            &self,
            index: usize,
            items: &[T],
            words: impl Fn(&T) -> [u32; N],
        ) {
            for (row, item) in items.iter().enumerate() {
                self.0.borrow_mut()[index + row * N..][..N].copy_from_slice(&words(item));
            }
        }
    }
}

/// The methods by their number, as `lib/record.js` has them.
const METHODS: [&str; 10] =
    ["", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"];

pub fn run(data: &[u8]) {
    // The places of fields, behind these, are never read here.
    let (words, head) = data.split_at(data.len().min(32 * 4));
    let word = |bytes: &[u8]| bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
    let mut words: Vec<u32> = words.chunks(4).map(word).collect();
    words.resize(layout::WORDS, 0);
    let words = Words(Rc::new(RefCell::new(words)));
    let record = Record::new(words.clone());
    from_javascript(&record, &words);
    peer(&record, &words);
    to_javascript(&record, &words, head);
}

fn from_javascript(record: &Record, words: &Words) {
    let stated = record.stated();
    assert!(stated.status == 0 || u32::from(stated.status) == words.get(9));
    assert_eq!((stated.block, stated.length), (words.get(10), words.get(12) as usize));
    assert_eq!(stated.kind == Kind::Later, !(1..=5).contains(&words.get(11)));
    let id = record.id();
    assert_eq!(id.to_words(), [words.get(0), words.get(1), words.get(2)]);
    assert_eq!(ReplyId::from_words(id.to_words()), id);
}

/// Four words of the input as an address.
fn peer(record: &Record, words: &Words) {
    let bits = (13..17).fold(0, |bits: u128, at| bits << 32 | u128::from(words.get(at)));
    let address = SocketAddr::new(Ipv6Addr::from_bits(bits).into(), words.get(8) as u16);
    record.write_peer(Peer::Inet(address));
    let shown: u128 = (18..22).fold(0, |bits, at| bits << 32 | u128::from(words.get(at)));
    let ip = match words.get(17) {
        4 => std::net::IpAddr::from(words.get(18).to_be_bytes()),
        _ => std::net::IpAddr::from(shown.to_be_bytes()),
    };
    assert_eq!(ip, address.ip().to_canonical());
    assert_eq!(words.get(22), u32::from(address.port()));
    record.write_peer(Peer::Unix);
    assert_eq!(words.get(17), 0);
}

fn to_javascript(record: &Record, words: &Words, data: &[u8]) {
    let limits = HeadLimits::default();
    let Ok(Some(extent)) = Scanner::default().scan(data, &limits) else {
        return;
    };
    let mut spans = HeadSpans::default();
    let Ok(head) = Head::parse(data, extent, &mut spans) else {
        return;
    };
    let id = record.id();
    record.write_head(id, &head);
    assert_eq!(record.id(), id);

    // From here on as JavaScript does it: one string, and nothing but the words.
    let text: String = head.bytes().iter().copied().map(char::from).collect();
    let latin1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
    let characters: Vec<char> = text.chars().collect();
    let slice = |start: usize, end: usize| characters[start..end].iter().collect::<String>();
    let find = |c: char, from: usize| {
        characters[from..].iter().position(|&other| other == c).map(|at| from + at)
    };

    let method = match METHODS[words.get(3) as usize] {
        "" => slice(0, find(' ', 0).expect("a space")),
        name => name.to_owned(),
    };
    assert_eq!(method, latin1(head.method_bytes()));
    let target = slice(words.get(4) as usize, words.get(5) as usize);
    assert_eq!(target, latin1(head.target()));
    let mut at = words.get(6) as usize;
    let mut fields = Vec::new();
    while let Some(colon) = find(':', at) {
        let end = find('\r', colon + 1).expect("a line end");
        let value = slice(colon + 1, end).trim_matches([' ', '\t']).to_owned();
        fields.push((slice(at, colon), value));
        at = find('\n', colon).map_or(characters.len(), |end| end + 1);
    }
    let parsed: Vec<_> = head.fields().map(|(name, value)| (latin1(name), latin1(value))).collect();
    assert_eq!(fields, parsed);
    assert_eq!(words.get(23) as usize, parsed.len());
    if parsed.len() <= 32 {
        let place = |at: usize| words.get(at) as usize;
        let at_places: Vec<_> = (0..parsed.len())
            .map(|row| 32 + row * 4)
            .map(|at| (slice(place(at), place(at + 1)), slice(place(at + 2), place(at + 3))))
            .collect();
        assert_eq!(at_places, parsed);
    }

    let flags = words.get(7);
    assert_eq!(flags & 1 != 0, head.version() == Version::Http10);
    let is_path = target.starts_with('/') || head.method() == Method::Connect;
    assert_eq!(flags & 8 != 0, !is_path && !target.starts_with('*'), "absolute-form");
    assert_eq!(flags & 16 != 0, target.starts_with('*') && head.method() != Method::Connect);
}
