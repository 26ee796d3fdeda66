//! `Wire` plays the reactor: it keeps bytes that can't be used yet, asks the machine for events,
//! refuses on a fault, and lets a handler answer. What happened is readable text.

use std::fmt::Write as _;

use barewire::proto::Fault;
use barewire::proto::http1::{AnswerError, BodyLength, Closing, Context, Event, Http1, Settings};
use barewire::wire::block::Block;
use barewire::wire::framing::BodyKind;
use barewire::wire::head::{Head, HeadSpans, Method, Scanner};

/// The request that is put behind a case.
pub(crate) const TAIL: &[u8] = b"GET /tail HTTP/1.1\r\nHost: t\r\n\r\n";

/// How many clocks a machine has.
const CLOCKS: usize = 6;

/// A field with its value.
pub(crate) type Pair<'a> = (&'a [u8], &'a [u8]);

/// What a head in the output answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) is_head: bool,
    pub(crate) sequence: u32,
}

/// When the handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// As soon as there is a head, before its body.
    Head,
    /// When the request is complete.
    End,
    /// When a test says so.
    Late,
}

/// One machine, its surroundings, and a record of what it said.
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(crate) struct Wire {
    pub(crate) machine: Http1,
    pub(crate) settings: Settings,
    pub(crate) now: u64,
    pub(crate) draining: bool,
    pub(crate) input: Vec<u8>,
    pub(crate) out: Vec<u8>,
    pub(crate) log: Vec<String>,
    /// Each final head in `out`, in order.
    pub(crate) heads: Vec<Answered>,
    is_head: bool,
    is_tail: bool,
    fin: bool,
    is_paused: bool,
    spans: HeadSpans,
    body: Vec<u8>,
    dropped: u64,
    handler: fn(&mut Wire),
    when: When,
}

/// The context of a call, borrowing only what it needs.
macro_rules! context {
    ($wire:expr) => {
        Context { settings: &$wire.settings, now: $wire.now, date: b"", draining: $wire.draining }
    };
}

impl Wire {
    /// A new connection at time 0.
    pub(crate) fn new(when: When, handler: fn(&mut Wire)) -> Wire {
        Wire::with(Settings::default(), when, handler)
    }

    pub(crate) fn with(settings: Settings, when: When, handler: fn(&mut Wire)) -> Wire {
        let cx = Context { settings: &settings, now: 0, date: b"", draining: false };
        Wire {
            machine: Http1::new(&cx),
            settings,
            now: 0,
            draining: false,
            input: Vec::new(),
            out: Vec::new(),
            log: Vec::new(),
            heads: Vec::new(),
            is_head: false,
            is_tail: false,
            fin: false,
            is_paused: false,
            spans: HeadSpans::default(),
            body: Vec::new(),
            dropped: 0,
            handler,
            when,
        }
    }

    /// Bytes from the client.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.pump();
    }

    /// The client closes its side.
    pub(crate) fn fin(&mut self) {
        self.fin = true;
        self.pump();
    }

    /// The server begins to close.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
        self.machine.on_drain();
        self.pump();
    }

    /// Lets the time pass, with every deadline on the way.
    pub(crate) fn at(&mut self, now: u64) {
        let mut times = 0;
        while let Some(deadline) = self.machine.deadline().filter(|&deadline| deadline <= now) {
            self.now = self.now.max(deadline);
            self.forget_request_if_answered();
            if let Some(fault) = self.machine.on_time(self.now) {
                self.refuse(fault);
            }
            // Each clock can run out at this moment, but only once.
            times = if self.machine.deadline() == Some(deadline) { times + 1 } else { 0 };
            assert!(times < CLOCKS, "a deadline is used up");
        }
        self.now = now;
        self.pump();
    }

    /// Asks for events until there are none, as the reactor does.
    pub(crate) fn pump(&mut self) {
        while self.wants_bytes() {
            self.forget_request_if_answered();
            let is_between = !self.machine.owes_answer();
            let found = self.machine.next(&self.input, &mut self.spans, &context!(self));
            match found {
                Ok((0, Event::NeedBytes | Event::Paused)) => break,
                Ok((used, event)) => {
                    assert!(used <= self.input.len(), "no more is used than there is");
                    let bytes: Vec<u8> = self.input.drain(..used).collect();
                    self.on_event(&bytes, event);
                }
                Err(fault) => {
                    if is_between {
                        self.is_head = self.is_bad_head();
                    }
                    self.input.clear();
                    self.is_tail = false;
                    self.refuse(fault);
                }
            }
        }
        if self.fin && self.wants_bytes() {
            self.forget_request_if_answered();
            if let Err(fault) = self.machine.on_fin() {
                self.refuse(fault);
            }
        }
    }

    /// Whether the input is a HEAD request that was refused for what its head says.
    fn is_bad_head(&self) -> bool {
        let found = Scanner::default().scan(&self.input, &self.settings.head);
        found.ok().flatten().is_some_and(|extent| {
            let mut spans = HeadSpans::default();
            let head = Head::parse(&self.input, extent, &mut spans);
            head.is_ok_and(|head| head.method() == Method::Head)
        })
    }

    fn wants_bytes(&self) -> bool {
        self.machine.wants_bytes() && !(self.is_paused && self.machine.is_in_body())
    }

    /// A fault from here on is a new request's, of which nothing is known.
    fn forget_request_if_answered(&mut self) {
        self.is_head &= self.machine.owes_answer();
    }

    fn on_event(&mut self, bytes: &[u8], event: Event) {
        if self.dropped > 0 && event != Event::Discarded {
            let dropped = std::mem::take(&mut self.dropped);
            self.log.push(format!("dropped {dropped}"));
        }
        match event {
            Event::NeedBytes | Event::Paused => {}
            Event::Discarded => self.dropped += bytes.len() as u64,
            Event::Data { start, end } => {
                assert!(start < end, "data is never empty");
                self.body.extend_from_slice(&bytes[start..end]);
            }
            Event::BodyEnd(trailers) => {
                let mut line = format!("body {}", self.body.escape_ascii());
                for (name, value) in trailers.iter() {
                    let _ = write!(line, " [{}={}]", name.escape_ascii(), value.escape_ascii());
                }
                self.log.push(line);
                self.answer_at(When::End);
            }
            Event::Request { start, end, body } => {
                let head = Head::of(&bytes[start..end], &self.spans);
                let kind = match body {
                    BodyKind::None => String::new(),
                    BodyKind::Length(length) => format!(" +{length}"),
                    BodyKind::Chunked => " +chunked".into(),
                };
                let (method, target) = (head.method_bytes(), head.target());
                self.log.push(format!("{} {}{kind}", method.escape_ascii(), target.escape_ascii()));
                self.is_head = head.method() == Method::Head;
                self.is_tail = head.target() == b"/tail";
                self.body.clear();
                let is_complete = body == BodyKind::None;
                self.answer_at(When::Head);
                if is_complete {
                    self.answer_at(When::End);
                }
            }
        }
    }

    fn answer_at(&mut self, when: When) {
        if self.when == when && self.machine.owes_head() {
            self.answer();
        }
    }

    /// Calls the handler for the request that is owed an answer.
    pub(crate) fn answer(&mut self) {
        if self.is_tail {
            self.reply(204, &[], b"").expect("the tail is owed an answer");
        } else {
            (self.handler)(self);
        }
    }

    /// Calls the handler for all requests that are there.
    pub(crate) fn answer_all(&mut self) {
        while self.machine.owes_head() {
            self.answer();
            self.pump();
        }
    }

    /// A whole answer.
    pub(crate) fn reply(
        &mut self,
        status: u16,
        fields: &[Pair<'_>],
        body: &[u8],
    ) -> Result<(), AnswerError> {
        self.head(status, fields, BodyLength::Known(body.len() as u64))?;
        self.chunk(body)?;
        self.finish(&[])
    }

    pub(crate) fn head(
        &mut self,
        status: u16,
        fields: &[Pair<'_>],
        length: BodyLength,
    ) -> Result<(), AnswerError> {
        let block = Block::parse(fields.iter().copied()).expect("valid fields");
        let sending = self.machine.head(&mut self.out, status, &block, length, &context!(self))?;
        self.note_head();
        assert!(!(self.is_head && sending.has_body), "HEAD has no body");
        Ok(())
    }

    fn note_head(&mut self) {
        let sequence = self.machine.sequence();
        self.heads.push(Answered { is_head: self.is_head, sequence });
    }

    pub(crate) fn chunk(&mut self, data: &[u8]) -> Result<(), AnswerError> {
        self.machine.chunk(&mut self.out, data)
    }

    /// What a failed command has appended is taken back, as the reactor does.
    pub(crate) fn finish(&mut self, trailers: &[Pair<'_>]) -> Result<(), AnswerError> {
        let length = self.out.len();
        let finished = self.machine.finish(&mut self.out, trailers, &context!(self));
        if finished.is_err() {
            self.out.truncate(length);
        }
        finished
    }

    pub(crate) fn informational(
        &mut self,
        status: u16,
        fields: &[Pair<'_>],
    ) -> Result<(), AnswerError> {
        let block = Block::parse(fields.iter().copied()).expect("valid fields");
        self.machine.informational(&mut self.out, status, &block)
    }

    pub(crate) fn want_body(&mut self) {
        self.machine.want_body(&mut self.out);
    }

    pub(crate) fn upgrade(&mut self, fields: &[Pair<'_>]) -> Result<(), AnswerError> {
        let block = Block::parse(fields.iter().copied()).expect("valid fields");
        self.machine.upgrade(&mut self.out, "websocket", &block)
    }

    /// Answers with an error of the server's own.
    pub(crate) fn refuse(&mut self, fault: Fault) {
        self.log.push(format!("fault {} {fault:?}", fault.status()));
        let length = self.out.len();
        self.machine.refuse(&mut self.out, fault, &context!(self));
        if self.out.len() > length {
            self.note_head();
        }
    }

    pub(crate) fn blocked(&mut self, taken: u64) {
        self.machine.on_send_blocked(taken, &context!(self));
    }

    pub(crate) fn sent(&mut self) {
        self.machine.on_sent(&context!(self));
    }

    /// Stops reading the body.
    pub(crate) fn pause(&mut self) {
        self.pause_for(0);
    }

    /// Stops reading it for at most this long.
    pub(crate) fn pause_for(&mut self, limit: u64) {
        self.is_paused = true;
        self.machine.on_pause(self.now, limit);
    }

    pub(crate) fn resume(&mut self) {
        self.is_paused = false;
        self.machine.on_resume(&context!(self));
    }

    /// The events so far, in a line.
    pub(crate) fn events(&self) -> String {
        let mut events = self.log.clone();
        if self.dropped > 0 {
            events.push(format!("dropped {}", self.dropped));
        }
        events.join(", ")
    }

    /// The output so far, with `|` for each CR LF.
    pub(crate) fn output(&self) -> String {
        let text: String = self.out.iter().map(|&byte| char::from(byte)).collect();
        text.replace("\r\n", "|")
    }

    pub(crate) fn closing(&self) -> Option<Closing> {
        self.machine.closing()
    }
}
