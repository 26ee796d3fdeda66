//! Sequences of everything that can happen to a machine, chosen by someone else: a seed in
//! `random.rs`, a fuzzer's bytes in `fuzz/`. [`Sequence::check`] says what must hold after each step.

use barewire::proto::http1::{BodyLength, Closing};
use barewire::proto::{CloseReason, Fault};

use super::parser::parse;
use super::wire::{When, Wire};

/// Who decides what happens next.
pub(crate) trait Choices {
    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64;

    /// Bytes of a client that may be no request at all.
    fn bytes(&mut self) -> Vec<u8>;

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

const REQUESTS: [&[u8]; 14] = [
    b"GET / HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: t\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: t\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    b"PUT / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    b"GET / HTTP/1.1\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc",
];

/// A connection under way, and what is known of it.
pub(crate) struct Sequence<C> {
    pub(crate) wire: Wire,
    pub(crate) choices: C,
    /// Bytes that the client is about to send.
    pending: Vec<u8>,
    has_fin: bool,
    pub(crate) closing: Option<Closing>,
    length_at_closing: usize,
    upgraded: bool,
}

impl<C: Choices> Sequence<C> {
    pub(crate) fn new(choices: C) -> Self {
        Sequence {
            wire: Wire::new(When::Late, |_| unreachable!("the answers come late")),
            choices,
            pending: Vec::new(),
            has_fin: false,
            closing: None,
            length_at_closing: 0,
            upgraded: false,
        }
    }

    /// Lets something happen, and says what.
    pub(crate) fn step(&mut self) -> &'static str {
        match self.choices.below(40) {
            0..14 => self.send(),
            14..26 => self.answer(),
            26..29 => self.misuse(),
            29..33 => {
                let span = self.choices.pick(&[1, 100, 3000, 5000, 20_000, 80_000]);
                let now = self.wire.now + self.choices.below(span);
                self.wire.at(now);
                let deadline = self.wire.machine.deadline();
                assert!(deadline.is_none_or(|at| at > now), "a deadline in the past");
                "time"
            }
            33 if !self.has_fin && self.choices.below(4) == 0 => {
                self.has_fin = true;
                self.wire.fin();
                "fin"
            }
            34 if self.choices.below(4) == 0 => {
                self.wire.drain();
                "drain"
            }
            35 => match self.choices.below(4) {
                0 => {
                    self.wire.machine.cut(CloseReason::ClientAborted);
                    "cut"
                }
                1 if self.wire.machine.is_in_body() => {
                    let limit = self.choices.below(5000);
                    self.wire.pause_for(limit);
                    "pause"
                }
                2 => {
                    self.wire.resume();
                    self.wire.pump();
                    "resume"
                }
                _ => "nothing",
            },
            36 if !self.wire.out.is_empty() => {
                let taken = self.choices.below(5000);
                self.wire.blocked(taken);
                "blocked"
            }
            37 => {
                self.wire.sent();
                "sent"
            }
            38 if matches!(self.wire.closing(), Some(Closing::Shut(_))) => {
                self.wire.machine.on_linger(self.wire.now);
                "linger"
            }
            39 if !self.has_fin && self.choices.below(4) == 0 => {
                let bytes = self.choices.bytes();
                self.wire.receive(&bytes);
                "other bytes"
            }
            _ => "nothing",
        }
    }

    fn send(&mut self) -> &'static str {
        if self.has_fin {
            return "nothing to send";
        }
        if self.pending.is_empty() {
            for _ in 0..=self.choices.below(3) {
                // The malformed ones stand at the end, and come less often.
                let bound = if self.choices.below(6) == 0 { 14 } else { 12 };
                self.pending.extend_from_slice(REQUESTS[self.choices.below(bound) as usize]);
            }
        }
        let most = self.pending.len() as u64;
        let count = match self.choices.below(5) {
            0 | 1 => most,
            // A head without what follows: a client that waits for 100 (Continue).
            2 => self
                .pending
                .windows(4)
                .position(|end| end == b"\r\n\r\n")
                .map_or(most, |at| at as u64 + 4),
            _ => 1 + self.choices.below(most),
        };
        let bytes: Vec<u8> = self.pending.drain(..count as usize).collect();
        self.wire.receive(&bytes);
        "bytes"
    }

    /// Something that a handler does in order.
    fn answer(&mut self) -> &'static str {
        if self.wire.machine.owes_head() {
            return self.begin();
        }
        if !self.wire.machine.owes_answer() {
            return "nothing owed";
        }
        let name = match self.choices.below(8) {
            0..3 => {
                let data: &[u8] = self.choices.pick(&[b"", b"x", b"hello"]);
                // More than the head said is refused.
                let _ = self.wire.chunk(data);
                "chunk"
            }
            3 => {
                self.wire.refuse(Fault::HandlerFailed);
                "refusal in mid-answer"
            }
            _ => {
                let trailers = [(&b"X"[..], &b"y"[..])];
                let count = self.choices.below(2) as usize;
                let _ = self.wire.finish(&trailers[..count]);
                "finish"
            }
        };
        self.wire.pump();
        name
    }

    fn begin(&mut self) -> &'static str {
        let sequence = self.wire.machine.sequence().to_string();
        let tag = [(&b"X-Sequence"[..], sequence.as_bytes()), (b"Connection", b"close")];
        // Some handlers close.
        let tag = if self.choices.below(12) == 0 { &tag[..] } else { &tag[..1] };
        let name = match self.choices.below(14) {
            0..5 => {
                let status = self.choices.pick(&[200, 200, 204, 205, 304, 500]);
                let body: &[u8] = self.choices.pick(&[b"", b"hello"]);
                let _ = self.wire.reply(status, tag, body);
                "answer"
            }
            5 | 6 => {
                let _ = self.wire.head(200, tag, BodyLength::Unknown);
                "head"
            }
            7 => {
                let length = self.choices.below(8);
                let _ = self.wire.head(200, tag, BodyLength::Known(length));
                "head with a length"
            }
            8 => {
                let _ = self.wire.informational(103, &[]);
                "interim"
            }
            9 => {
                self.wire.want_body();
                "want body"
            }
            10 => {
                self.wire.machine.on_dispatch(self.wire.now, 10_000);
                "dispatch"
            }
            11 if self.choices.below(4) == 0 => {
                self.upgraded |= self.wire.upgrade(&[]).is_ok();
                "upgrade"
            }
            _ => {
                let faults = [Fault::HandlerFailed, Fault::Overloaded, Fault::BodyTooLarge];
                let fault = self.choices.pick(&faults);
                self.wire.refuse(fault);
                "refusal"
            }
        };
        self.wire.pump();
        name
    }

    /// Calls that must change nothing where they don't belong.
    fn misuse(&mut self) -> &'static str {
        let machine = &self.wire.machine;
        let (owes_head, owes_answer) = (machine.owes_head(), machine.owes_answer());
        let before = self.wire.out.len();
        if matches!(machine.closing(), Some(Closing::Cut(_))) {
            self.wire.reply(200, &[], b"late").expect_err("the connection is cut");
            self.wire.chunk(b"late").expect_err("the connection is cut");
            self.wire.finish(&[]).expect_err("the connection is cut");
        } else if owes_head {
            self.wire.chunk(b"early").expect_err("no head yet");
            self.wire.finish(&[]).expect_err("no head yet");
            self.wire.head(100, &[], BodyLength::Unknown).expect_err("no final status");
        } else {
            self.wire.reply(200, &[], b"twice").expect_err("no head is owed");
            self.wire.informational(103, &[]).expect_err("no head is owed");
            self.wire.upgrade(&[]).expect_err("no head is owed");
            self.wire.want_body();
        }
        if !owes_answer {
            self.wire.chunk(b"late").expect_err("no answer is owed");
            self.wire.finish(&[]).expect_err("no answer is owed");
        }
        let machine = &self.wire.machine;
        assert_eq!((machine.owes_head(), machine.owes_answer()), (owes_head, owes_answer));
        assert_eq!(self.wire.out.len(), before, "misuse leads to no byte");
        "misuse"
    }

    /// Panics with `name` if something doesn't hold.
    pub(crate) fn check(&mut self, name: &str) {
        let machine = &self.wire.machine;
        let closing = machine.closing();
        // Once closing, always closing; a shut may become a cut, for the same reason.
        match (self.closing, closing) {
            (Some(Closing::Shut(was)), Some(Closing::Shut(is) | Closing::Cut(is)))
            | (Some(Closing::Cut(was)), Some(Closing::Cut(is))) => assert_eq!(was, is, "{name}"),
            (None, None) => {}
            (None, Some(_)) => self.length_at_closing = self.wire.out.len(),
            (was, is) => panic!("{name}: closing was {was:?} and is {is:?}"),
        }
        self.closing = closing;
        if closing.is_some() {
            assert!(!machine.wants_bytes(), "{name}: reads on while closing");
            assert_eq!(self.wire.out.len(), self.length_at_closing, "{name}: speaks on");
        }
        let is_cut = matches!(closing, Some(Closing::Cut(_)));
        assert!(is_cut || closing.is_none() || !machine.owes_answer(), "{name}");
        assert!(!machine.is_idle() || (closing.is_none() && machine.wants_bytes()), "{name}");

        let answers = parse(&self.wire.out, &self.wire.heads);
        assert_eq!(answers.len(), self.wire.heads.len(), "{name}: every head is an answer");
        let sequences: Vec<u32> = self.wire.heads.iter().map(|head| head.sequence).collect();
        assert!(sequences.is_sorted_by(|a, b| a < b), "{name}: two answers: {sequences:?}");
        for (answer, sequence) in answers.iter().zip(&sequences) {
            if let Some(tag) = answer.field("x-sequence") {
                assert_eq!(tag, sequence.to_string(), "{name}: out of order");
            }
        }
        let is_under_way = machine.owes_answer() && !machine.owes_head();
        if let Some((last, others)) = answers.split_last() {
            let kept = others.iter().all(|answer| answer.field("connection") != Some("close"));
            assert!(kept, "{name}: an answer behind `close`");
            assert!(last.is_complete || is_cut || is_under_way, "{name}: an answer without an end");
            let said_close = last.field("connection") == Some("close");
            let is_over = !machine.owes_answer();
            assert!(!said_close || !is_over || closing.is_some(), "{name}: stays open");
        }
        if self.upgraded {
            assert!(!machine.wants_bytes() && !machine.owes_answer(), "{name}");
        }
    }
}
