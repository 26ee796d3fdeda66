//! A client of the model: it says its requests in parts, at its own pace, some before the answers to
//! the ones before, and reads what comes. Some go wrong on purpose: they reset, close a half, stall,
//! leave, or end with nonsense.
//!
//! It must not know how the server works; what it got is judged in `check.rs`.

use super::answers::{Reader, Received};
use super::random::Random;
use super::requests::{Manners, Planned, write};
use super::world::{Happening, Net, Segment};

/// What a client does wrong, when so many bytes are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Nothing,
    /// It resets the connection.
    Reset {
        at: usize,
    },
    /// It closes its half and reads on.
    HalfClose {
        at: usize,
    },
    /// It lets go of both halves.
    Leave {
        at: usize,
    },
    /// It sends nothing for so many microseconds.
    Stall {
        at: usize,
        pause: u64,
    },
    /// It reads nothing for so many microseconds.
    Deaf {
        at: usize,
        pause: u64,
    },
    /// Behind the last request comes what is none.
    Nonsense,
}

const NONSENSE: [&str; 6] = [
    "GET / HTTP/1.1\n\n",
    "GET  / HTTP/1.1\r\nHost: t\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: +5\r\n\r\nhello",
    "PUT / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "GET / HTTP/1.1\r\nHost: t\r\nHost: t\r\n\r\n",
    "\r\n\r\n\r\n\r\n\r\n\r\n",
];

/// How long a client waits for anything to happen, in microseconds.
const PATIENCE: u64 = 400_000_000;

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(super) struct Client {
    pub(super) link: usize,
    pub(super) requests: Vec<Planned>,
    pub(super) wrong: Wrong,
    pub(super) reader: Reader,
    /// How it ended: `true` by a FIN, `false` by a reset.
    pub(super) ended: Option<bool>,
    /// It left before the server did.
    pub(super) has_left: bool,
    pub(super) gave_up: bool,
    bytes: Vec<u8>,
    sent: usize,
    has_fin: bool,
    /// How long it waited for the end, its half closed and all answers there, in microseconds.
    pub(super) waited: u64,
    fin_at: u64,
    /// Requests that it sends before the answers to those before have come.
    depth: usize,
    /// Largest part, and longest pause between two, in microseconds.
    part: usize,
    pause: u64,
    /// The same for reading.
    gulp: usize,
    digestion: u64,
    /// Whether it closes its half at the end, instead of waiting for the server.
    closes: bool,
    sends_after: u64,
    reads_after: u64,
    /// When it has asked to be woken.
    planned: Option<u64>,
    /// When something last went on, once it has begun.
    progress: u64,
    waits_since: Option<u64>,
}

impl Client {
    pub(super) fn new(link: usize, random: &mut Random, manners: Manners) -> Self {
        let mut bytes = Vec::new();
        let mut requests = Vec::new();
        let count = random.within(0..8) as usize;
        for number in 0..count {
            let is_last = number + 1 == count;
            requests.push(write(&mut bytes, link, number, is_last, random, manners));
        }
        let at = random.within(0..bytes.len() as u64 + 2) as usize;
        let pause = random.pick(&[1000, 300_000, 7_000_000, 40_000_000, 200_000_000]);
        let wrong = if manners.is_calm && random.chance(300) {
            // That is nothing wrong: it has said everything.
            Wrong::HalfClose { at: bytes.len() }
        } else if manners.is_calm || random.chance(400) {
            Wrong::Nothing
        } else {
            match random.within(0..7) {
                0 => Wrong::Reset { at },
                1 => Wrong::HalfClose { at },
                2 => Wrong::HalfClose { at: bytes.len() },
                3 => Wrong::Leave { at },
                4 => Wrong::Stall { at, pause },
                5 => Wrong::Deaf { at, pause },
                _ => Wrong::Nonsense,
            }
        };
        if wrong == Wrong::Nonsense {
            bytes.extend_from_slice(random.pick(&NONSENSE).as_bytes());
        }
        Client {
            link,
            requests,
            wrong,
            reader: Reader::default(),
            ended: None,
            has_left: false,
            gave_up: false,
            sent: 0,
            has_fin: false,
            waited: 0,
            fin_at: 0,
            depth: random.pick(&[1, 1, 2, 10]),
            part: random.pick(&[1 + bytes.len() / 50, 1 + bytes.len() / 10, 70_000, 1 << 20]),
            pause: random.pick(&[0, 100, 2000, 30_000]),
            gulp: random.pick(&[2000, 20_000, 1 << 20]),
            digestion: random.pick(&[0, 100, 5000]),
            closes: random.chance(500),
            sends_after: 0,
            reads_after: 0,
            planned: None,
            progress: 0,
            waits_since: None,
            bytes,
        }
    }

    /// Whether it is done with the connection.
    pub(super) fn is_over(&self) -> bool {
        self.ended.is_some() || self.has_left
    }

    /// Looks around: reads, sends, and says when to look again.
    pub(super) fn wake(&mut self, net: &mut Net) {
        let now = net.now();
        if self.planned.is_some_and(|at| at <= now) {
            self.planned = None;
        }
        if self.is_over() {
            return;
        }
        if self.progress == 0 {
            self.progress = now;
        }
        self.read(net);
        if !self.is_over() {
            self.send(net);
        }
        if !self.is_over() && now >= self.progress + PATIENCE {
            self.gave_up = true;
            self.leave(net);
        }
        if !self.is_over() {
            self.ask(net, self.progress + PATIENCE);
        }
    }

    /// Asks to be woken at a time.
    fn ask(&mut self, net: &mut Net, at: u64) {
        if self.planned.is_none_or(|planned| planned > at) {
            self.planned = Some(at);
            net.plan(at.saturating_sub(net.now()), Happening::Client(self.link));
        }
    }

    fn leave(&mut self, net: &mut Net) {
        self.has_left = true;
        net.trace(|| format!("client {} leaves", self.link));
        net.client_leaves(self.link);
    }

    fn read(&mut self, net: &mut Net) {
        let now = net.now();
        if now < self.reads_after {
            return self.ask(net, self.reads_after);
        }
        if let Wrong::Deaf { at, pause } = self.wrong
            && self.sent >= at
        {
            self.wrong = Wrong::Deaf { at: usize::MAX, pause };
            self.reads_after = now + pause;
            return self.ask(net, self.reads_after);
        }
        let read = net.client_reads(self.link, self.gulp);
        if !read.is_empty() {
            self.progress = now;
            self.reader.read(&read, &self.requests);
            self.reads_after = now + net.random.within(0..self.digestion + 1);
            self.ask(net, self.reads_after.max(now + 1));
        }
        let link = &net.links[self.link];
        if link.mail.is_empty() && (link.mail_fin || link.mail_reset) {
            let by_fin = link.mail_fin && !link.mail_reset;
            self.ended = Some(by_fin);
            self.waited = if self.has_fin { now - self.fin_at.max(self.progress) } else { 0 };
            self.reader.end(by_fin, &self.requests);
            net.trace(|| format!("client {} sees the end, by a FIN: {by_fin}", self.link));
            net.client_leaves(self.link);
        }
    }

    /// How far it may send by now.
    fn reach(&mut self, now: u64) -> usize {
        let answers = self.reader.answers.len();
        if self.reader.says_close {
            return self.sent;
        }
        let Some(last) = self.requests.get(answers + self.depth - 1) else {
            return self.bytes.len();
        };
        let mut reach = last.end;
        let current = self.requests.get(answers);
        if let Some(request) = current.filter(|request| request.expects)
            && !self.reader.may_continue
            && self.sent >= request.head_end
        {
            // Nobody has to wait for ever (RFC 9110 §10.1.1).
            let since = *self.waits_since.get_or_insert(now);
            if now < since + 1_000_000 {
                reach = reach.min(request.head_end);
            }
        } else {
            self.waits_since = None;
        }
        let held = self.requests.iter().skip(answers + 1).find(|request| request.expects);
        reach.min(held.map_or(usize::MAX, |request| request.head_end))
    }

    fn send(&mut self, net: &mut Net) {
        let now = net.now();
        if now < self.sends_after {
            return self.ask(net, self.sends_after);
        }
        match self.wrong {
            Wrong::Reset { at } if self.sent >= at => {
                self.has_left = true;
                net.trace(|| format!("client {} resets", self.link));
                return net.client_sends(self.link, Segment::Reset);
            }
            Wrong::Leave { at } if self.sent >= at => return self.leave(net),
            Wrong::HalfClose { at } if self.sent >= at => return self.fin(net),
            Wrong::Stall { at, pause } if self.sent >= at => {
                self.wrong = Wrong::Stall { at: usize::MAX, pause };
                self.sends_after = now + pause;
                return self.ask(net, self.sends_after);
            }
            _ => {}
        }
        let reach = self.reach(now);
        if self.sent < reach && !self.has_fin {
            let most = self.part.min(reach - self.sent) as u64;
            let size = net.random.within(1..most + 1) as usize;
            let part = self.bytes[self.sent..self.sent + size].to_vec();
            self.sent += size;
            self.progress = now;
            net.trace(|| format!("client {} sends {size}, {} in all", self.link, self.sent));
            net.client_sends(self.link, Segment::Bytes(part));
            self.sends_after = now + net.random.within(0..self.pause + 1);
            return self.ask(net, self.sends_after.max(now + 1));
        }
        if let Some(since) = self.waits_since.filter(|since| since + 1_000_000 > now) {
            self.ask(net, since + 1_000_000);
        }
        let is_done = self.reader.answers.len() >= self.requests.len();
        if is_done && self.sent == self.bytes.len() && self.closes {
            self.fin(net);
        }
    }

    fn fin(&mut self, net: &mut Net) {
        if !std::mem::replace(&mut self.has_fin, true) {
            self.fin_at = net.now();
            net.trace(|| format!("client {} closes its half", self.link));
            net.client_sends(self.link, Segment::Fin);
        }
    }

    /// The complete answers that it got.
    pub(super) fn answers(&self) -> &[Received] {
        &self.reader.answers
    }

    /// Of how many of its requests it has sent the head.
    pub(super) fn sent_heads(&self) -> usize {
        self.requests.iter().filter(|request| request.head_end <= self.sent).count()
    }
}
