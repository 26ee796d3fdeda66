//! The HTTP/1.1 server machine: RFC 9112 from the server's side, without a socket.
//!
//! Methods come in four classes. `next` and `on_*` take input: bytes, the peer's FIN, the time.
//! `head`, `body`, `chunk`, `finish`, `informational`, `want_body`, `refuse` and `cut` bring the
//! answer and append to the caller's buffer. `closing` and `deadline` say what the caller must do.
//! The rest are getters.
//!
//! The two state tables, request side and response side, stand in this file; all transitions too.
//! What they cross with (timeouts, FIN, drain, a fault in mid-body) is in the same methods.
//!
//! ```text
//! request    Idle ─byte→ Head ─complete→ Body ─end→ Done ─┐   Body ─early answer→ Discarding ─end→ Done
//! response   Idle ─────────────complete→ Owed ─head→ Streaming ─finish→ Done
//!              ↑                                            │
//!              └──── both Done and persistent ──────────────┘   otherwise the connection closes
//! ```
//!
//! A request is read only while both sides are Idle: a pipelined one waits in the caller's buffer,
//! which is the back-pressure.

mod answer;
mod body;
mod words;

use super::deadlines::{Deadlines, Progress};
use super::{CloseReason, Fault, Timer};
use crate::limits;
use crate::wire::chunk::Decoder;
use crate::wire::framing::{BodyKind, Framing};
use crate::wire::head::{Extent, Head, HeadSpans, Method, Scanner, Version};

use body::Body;

pub use answer::{AnswerError, BodyLength, Sending};
pub use words::{Closing, Context, Event, Settings};

#[derive(Debug)]
enum Request {
    /// Between requests.
    Idle,
    /// A part of a head is there.
    Head,
    /// The body is handed up as it comes.
    Body(Body),
    /// The answer is complete; so many bytes of the body are still read and dropped.
    Discarding(u64),
    /// The request is complete.
    Done,
    /// Nothing more is read: the bytes aren't understood, or nobody wants them.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Response {
    /// No request is under way.
    Idle,
    /// A head is owed.
    Owed,
    /// The head is out, the body is under way.
    Streaming(Coding),
    /// The answer is complete.
    Done,
}

/// How the body of the answer under way is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// So many bytes are missing.
    Length(u64),
    /// Chunks.
    Chunked,
    /// The end of the connection is the end of the body (HTTP/1.0).
    UntilClose,
    /// No body is sent, whatever is given: HEAD, 204, 205, 304.
    Suppressed,
}

/// What the answer must know of its request.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of the request, not a state
struct Facts {
    is_head: bool,
    http10: bool,
    expects_continue: bool,
    upgrade: bool,
    asked_to_close: bool,
    persistent: bool,
    /// The end of the connection is the end of the answer's body.
    ends_by_close: bool,
}

/// One connection's machine.
#[derive(Debug)]
pub struct Http1 {
    request: Request,
    response: Response,
    scanner: Scanner,
    facts: Facts,
    sequence: u32,
    deadlines: Deadlines,
    received: Progress,
    sent: Progress,
    /// Bytes of ours wait for the client.
    is_blocked: bool,
    /// Bytes of the client's wait for us.
    is_paused: bool,
    /// The handler's time limit, for whenever its clock begins.
    handler_limit: u64,
    close: Option<CloseReason>,
    /// Whether to close without waiting for what isn't written yet.
    cut: bool,
}

impl Http1 {
    /// A new connection.
    pub fn new(cx: &Context<'_>) -> Self {
        let mut deadlines = Deadlines::new();
        deadlines.arm(Timer::Idle, cx.now, cx.settings.timeouts.idle);
        Http1 {
            request: Request::Idle,
            response: Response::Idle,
            scanner: Scanner::default(),
            facts: Facts::default(),
            sequence: 0,
            deadlines,
            received: Progress::default(),
            sent: Progress::default(),
            is_blocked: false,
            is_paused: false,
            handler_limit: 0,
            close: None,
            cut: false,
        }
    }

    /// Finds the next event in `input`: all bytes that were received and not yet used. Says how
    /// many of them to take off the front, and what they were.
    ///
    /// Call it again until it says [`Event::NeedBytes`] or [`Event::Paused`]. After an error the
    /// connection reads nothing more; [`Http1::refuse`] brings the answer.
    pub fn next(
        &mut self,
        input: &[u8],
        spans: &mut HeadSpans,
        cx: &Context<'_>,
    ) -> Result<(usize, Event), Fault> {
        let found = match &mut self.request {
            Request::Idle | Request::Head if self.response == Response::Idle => {
                self.next_head(input, spans, cx)
            }
            Request::Body(body) => match body.next(input) {
                Ok((used, event)) => {
                    self.on_body_progress(used, &event, cx);
                    Ok((used, event))
                }
                Err(error) => Err(error),
            },
            Request::Discarding(_) => Ok(self.discard(input, cx)),
            Request::Idle | Request::Head | Request::Done => Ok((0, Event::Paused)),
            Request::Closed => Ok((input.len(), Event::Paused)),
        };
        found.inspect_err(|_| self.stop_reading())
    }

    fn next_head(
        &mut self,
        input: &[u8],
        spans: &mut HeadSpans,
        cx: &Context<'_>,
    ) -> Result<(usize, Event), Fault> {
        self.facts = Facts::default();
        let scan = self.scanner.scan(input, &cx.settings.head);
        let Some(extent) = scan.map_err(|error| self.on_bad_head(error))? else {
            if matches!(self.request, Request::Idle) && self.scanner.has_begun(input) {
                self.request = Request::Head;
                self.deadlines.clear(Timer::Idle);
                self.deadlines.arm(Timer::Headers, cx.now, cx.settings.timeouts.headers);
            }
            return Ok((0, Event::NeedBytes));
        };
        let body = self.on_head(input, extent, spans).map_err(|error| self.on_bad_head(error))?;
        self.deadlines.clear(Timer::Idle);
        self.deadlines.clear(Timer::Headers);
        match body {
            BodyKind::None => self.request = Request::Done,
            BodyKind::Length(length) => self.expect_body(Body::Length(length), cx),
            BodyKind::Chunked => self.expect_body(Body::Chunked(Decoder::new()), cx),
        }
        Ok((extent.end, Event::Request { start: extent.start, end: extent.end, body }))
    }

    fn on_head(
        &mut self,
        input: &[u8],
        extent: Extent,
        spans: &mut HeadSpans,
    ) -> Result<BodyKind, crate::wire::Error> {
        let head = Head::parse(input, extent, spans)?;
        // Known before the framing is judged: the answer to a bad HEAD has no body either.
        self.facts.is_head = head.method() == Method::Head;
        self.facts.http10 = head.version() == Version::Http10;
        let framing = Framing::decide(&head)?;
        self.facts.expects_continue = framing.expects_continue;
        self.facts.upgrade = framing.upgrade;
        self.facts.asked_to_close = !framing.persistent;
        self.facts.persistent = framing.persistent;
        self.sequence = self.sequence.wrapping_add(1);
        self.handler_limit = 0;
        self.scanner = Scanner::default();
        self.response = Response::Owed;
        Ok(framing.body)
    }

    /// A head that can't be understood is a request that is owed an answer, too.
    fn on_bad_head(&mut self, error: crate::wire::Error) -> Fault {
        self.sequence = self.sequence.wrapping_add(1);
        self.response = Response::Owed;
        Fault::Wire(error)
    }

    fn expect_body(&mut self, body: Body, cx: &Context<'_>) {
        self.request = Request::Body(body);
        self.is_paused = false;
        self.received = Progress::start(cx.now);
        self.on_received(0, cx);
    }

    fn on_body_progress(&mut self, used: usize, event: &Event, cx: &Context<'_>) {
        if used > 0 {
            // It didn't wait for 100 (Continue), so none is sent (RFC 9110 §10.1.1).
            self.facts.expects_continue = false;
        }
        if let Event::BodyEnd(_) = event {
            self.request = Request::Done;
            self.deadlines.clear(Timer::Body);
            self.on_dispatch(cx.now, self.handler_limit);
            self.cycle_if_done(cx);
        } else {
            self.on_received(used as u64, cx);
        }
    }

    fn on_received(&mut self, bytes: u64, cx: &Context<'_>) {
        // Only a byte is progress: a call without one leaves the deadline where it is.
        if bytes == 0 && self.deadlines.is_armed(Timer::Body) {
            return;
        }
        if let Some(at) = self.received.advance(bytes, cx.now, cx.settings.timeouts.body) {
            self.deadlines.set(Timer::Body, at);
        }
    }

    /// Drops body bytes after an early answer.
    fn discard(&mut self, input: &[u8], cx: &Context<'_>) -> (usize, Event) {
        let Request::Discarding(left) = &mut self.request else {
            return (0, Event::Paused);
        };
        if input.is_empty() && *left > 0 {
            return (0, Event::NeedBytes);
        }
        let used = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
        *left -= used as u64;
        if *left == 0 {
            self.request = Request::Done;
            self.deadlines.clear(Timer::Body);
            self.cycle_if_done(cx);
        } else {
            self.on_received(used as u64, cx);
        }
        (used, Event::Discarded)
    }

    /// Both sides are done: begin anew, or close.
    fn cycle_if_done(&mut self, cx: &Context<'_>) {
        if self.response != Response::Done || !matches!(self.request, Request::Done) {
            return;
        }
        if cx.draining {
            self.close.get_or_insert(CloseReason::Drained);
            self.stop_reading();
        }
        if self.close.is_none() {
            self.request = Request::Idle;
            self.response = Response::Idle;
            if !self.is_blocked {
                self.deadlines.arm(Timer::Idle, cx.now, cx.settings.timeouts.idle);
            }
        }
    }

    fn stop_reading(&mut self) {
        self.request = Request::Closed;
        self.facts.persistent = false;
        for timer in [Timer::Idle, Timer::Headers, Timer::Body] {
            self.deadlines.clear(timer);
        }
    }

    /// The peer has closed its side and all its bytes were given to [`Http1::next`].
    ///
    /// Between requests the connection ends; inside one, that request is incomplete. While only
    /// the answer is missing it may still be sent: the client may have closed its half alone.
    pub fn on_fin(&mut self) -> Result<(), Fault> {
        match self.request {
            Request::Idle => {
                self.close.get_or_insert(CloseReason::Client);
                self.stop_reading();
                Ok(())
            }
            Request::Head => {
                self.stop_reading();
                self.sequence = self.sequence.wrapping_add(1);
                self.response = Response::Owed;
                Err(Fault::Incomplete)
            }
            Request::Body(_) => {
                self.stop_reading();
                Err(Fault::Incomplete)
            }
            Request::Discarding(_) => {
                self.close.get_or_insert(CloseReason::ClientAborted);
                self.stop_reading();
                Ok(())
            }
            Request::Done | Request::Closed => Ok(()),
        }
    }

    /// Tells which fault a clock that has run out means for the request under way; the answer is
    /// [`Http1::refuse`]. Where nothing can be said any more, [`Http1::closing`] tells so.
    pub fn on_time(&mut self, now: u64) -> Option<Fault> {
        match self.deadlines.expired(now)? {
            Timer::Idle => {
                self.close.get_or_insert(CloseReason::IdleTimeout);
                self.stop_reading();
                None
            }
            Timer::Headers => {
                self.stop_reading();
                self.sequence = self.sequence.wrapping_add(1);
                self.response = Response::Owed;
                Some(Fault::HeadersTimeout)
            }
            Timer::Body if self.response == Response::Owed && self.is_paused => {
                Some(Fault::Overloaded)
            }
            Timer::Body if self.response == Response::Owed => {
                self.stop_reading();
                Some(Fault::BodyTimeout)
            }
            Timer::Handler => Some(Fault::HandlerTimeout),
            // The answer is complete and may still be on its way.
            Timer::Body if self.response == Response::Done => {
                self.stop_reading();
                self.close.get_or_insert(CloseReason::BodyTimeout);
                None
            }
            Timer::Body => {
                self.cut(CloseReason::BodyTimeout);
                None
            }
            Timer::Send => {
                self.cut(CloseReason::SendTimeout);
                None
            }
            Timer::Linger => {
                // Why it lingers was recorded when it began.
                self.cut(CloseReason::Answered);
                None
            }
        }
    }

    /// The handler has the request now and may take this many milliseconds to the head of its
    /// answer; 0 is for ever. While the body is being read the clock stands still.
    pub fn on_dispatch(&mut self, now: u64, timeout: u64) {
        if self.response != Response::Owed {
            return;
        }
        self.handler_limit = timeout;
        if !matches!(self.request, Request::Body(_)) || self.is_paused {
            self.deadlines.arm(Timer::Handler, now, timeout);
        }
    }

    /// Bytes wait because the client doesn't take them; `taken` of them went since the last call.
    pub fn on_send_blocked(&mut self, taken: u64, cx: &Context<'_>) {
        if !std::mem::replace(&mut self.is_blocked, true) {
            // Idle is the time between requests, and this one isn't over.
            self.deadlines.clear(Timer::Idle);
            self.sent = Progress::start(cx.now);
        } else if taken == 0 {
            return;
        }
        if let Some(at) = self.sent.advance(taken, cx.now, cx.settings.timeouts.send) {
            self.deadlines.set(Timer::Send, at);
        }
    }

    /// The client has taken everything. Its idle time begins here, however long the answer took.
    pub fn on_sent(&mut self, cx: &Context<'_>) {
        if std::mem::take(&mut self.is_blocked) {
            self.deadlines.clear(Timer::Send);
        }
        if self.is_idle() {
            self.deadlines.arm(Timer::Idle, cx.now, cx.settings.timeouts.idle);
        }
    }

    /// The body isn't read for now, by our own wish: its clock stands still, and that of a handler
    /// who has the request runs. It may be for at most `limit` milliseconds, then the request is
    /// refused; 0 is for ever.
    pub fn on_pause(&mut self, now: u64, limit: u64) {
        self.is_paused = true;
        self.deadlines.arm(Timer::Body, now, limit);
        self.on_dispatch(now, self.handler_limit);
    }

    /// The body is read on: its clock begins anew.
    pub fn on_resume(&mut self, cx: &Context<'_>) {
        self.is_paused = false;
        self.deadlines.clear(Timer::Body);
        if matches!(self.request, Request::Body(_)) {
            self.deadlines.clear(Timer::Handler);
        }
        if matches!(self.request, Request::Body(_) | Request::Discarding(_)) {
            self.received = Progress::start(cx.now);
            self.on_received(0, cx);
        }
    }

    /// The caller has shut our side and drops what still comes.
    pub fn on_linger(&mut self, now: u64) {
        self.stop_reading();
        self.deadlines = Deadlines::new();
        self.deadlines.arm(Timer::Linger, now, limits::LINGER);
    }

    /// The server is closing: a connection ends that is idle, or that only drops what nobody wants.
    pub fn on_drain(&mut self) {
        if matches!(self.request, Request::Idle | Request::Discarding(_)) {
            self.close.get_or_insert(CloseReason::Drained);
            self.stop_reading();
        }
    }

    /// Ends the connection at once, whatever is under way: the peer is gone, or the handler or
    /// the server gives up. The first reason stays. An answer under way gets no regular end, so
    /// it can't look complete.
    pub fn cut(&mut self, reason: CloseReason) {
        self.stop_reading();
        self.close.get_or_insert(reason);
        self.cut = true;
    }

    /// Whether the connection must close now, how, and why.
    pub fn closing(&self) -> Option<Closing> {
        let reason = self.close?;
        if self.cut {
            Some(Closing::Cut(reason))
        } else if self.owes_answer() {
            None
        } else {
            Some(Closing::Shut(reason))
        }
    }

    /// When [`Http1::on_time`] must be called, if at all.
    pub fn deadline(&self) -> Option<u64> {
        self.deadlines.next()
    }

    /// Number of the request under way, or of the last one; part of a reply's identity.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Whether neither side has anything under way.
    pub fn is_idle(&self) -> bool {
        matches!(self.request, Request::Idle) && self.response == Response::Idle
    }

    /// Whether bytes could lead to an event now: no answer is owed, or a body is under way.
    pub fn wants_bytes(&self) -> bool {
        match self.request {
            Request::Idle | Request::Head => self.response == Response::Idle,
            Request::Body(_) | Request::Discarding(_) => true,
            Request::Done | Request::Closed => false,
        }
    }

    /// Whether bytes of a request body are still to come that somebody wants.
    pub fn is_in_body(&self) -> bool {
        match &self.request {
            Request::Body(body) => body.known_rest() != Some(0),
            _ => false,
        }
    }

    /// Whether the client waits for 100 (Continue) before it sends the body.
    pub fn awaits_continue(&self) -> bool {
        self.facts.expects_continue
    }

    /// Whether the client itself asked for the end of the connection, so that nothing follows.
    pub fn was_asked_to_close(&self) -> bool {
        self.facts.asked_to_close
    }

    /// Whether a plain close now would look like the regular end of an answer that isn't sent as a
    /// whole.
    pub fn ends_by_close(&self) -> bool {
        self.facts.ends_by_close && (self.owes_answer() || self.is_blocked)
    }

    /// Whether an answer is owed or under way.
    pub fn owes_answer(&self) -> bool {
        matches!(self.response, Response::Owed | Response::Streaming(_))
    }

    /// Whether the answer's head is still owed.
    pub fn owes_head(&self) -> bool {
        self.response == Response::Owed && !self.cut
    }

    /// Whether every byte of the request was read: closing now can't reset over unread bytes of
    /// this request.
    pub fn has_whole_request(&self) -> bool {
        matches!(self.request, Request::Done | Request::Idle)
    }

    /// Whether the request under way asks for another protocol.
    pub fn wants_upgrade(&self) -> bool {
        self.facts.upgrade
    }
}
