//! The response side of the machine: heads, bodies, interim answers, refusals.
//!
//! Framing and persistence of an answer are decided here, in [`Http1::head`], before a byte of it
//! is encoded (RFC 9112 §6, §9.3). The handler's own wishes about framing were taken out of its
//! fields before ([`Block`]).

use std::ops::Range;

use super::{CloseReason, Coding, Context, Http1, Request, Response, Timer};
use crate::limits;
use crate::proto::Fault;
use crate::wire::block::Block;
use crate::wire::encode::{self, InvalidField};
use crate::wire::status;

/// How long an answer's body is, as far as its giver knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes.
    Known(u64),
    /// Chunked, or until the end of the connection for HTTP/1.0.
    Unknown,
}

/// An answer whose head was encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Sending {
    /// Whether body bytes go on the wire; if not, what is given is dropped.
    pub has_body: bool,
    /// Where the digits of Content-Length stand in the buffer; empty when there are none.
    length: Range<usize>,
}

/// Why an answer was not taken. The connection is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// No head, or no body, is owed now.
    NotOwed,
    /// Status outside 200-599, or outside 100-199 for an interim answer.
    Status,
    /// More or fewer body bytes than the head said.
    Length,
    /// A trailer field is invalid.
    Field,
}

impl From<InvalidField> for AnswerError {
    fn from(_: InvalidField) -> Self {
        AnswerError::Field
    }
}

impl Http1 {
    /// Encodes the head of the answer that is owed.
    pub fn head(
        &mut self,
        out: &mut Vec<u8>,
        code: u16,
        block: &Block,
        length: BodyLength,
        cx: &Context<'_>,
    ) -> Result<Sending, AnswerError> {
        if !self.owes_head() {
            return Err(AnswerError::NotOwed);
        }
        if !(200..=599).contains(&code) {
            return Err(AnswerError::Status);
        }
        let suppressed = self.facts.is_head || status::is_bodiless(code);
        let coding = match length {
            _ if suppressed => Coding::Suppressed,
            BodyLength::Known(length) => Coding::Length(length),
            BodyLength::Unknown if self.facts.http10 => Coding::UntilClose,
            BodyLength::Unknown => Coding::Chunked,
        };
        self.facts.ends_by_close = coding == Coding::UntilClose;
        if coding == Coding::UntilClose || block.asks_to_close() {
            self.facts.persistent = false;
        }
        self.settle_request(cx);

        encode::status_line(out, code);
        if !block.has_date() {
            out.extend_from_slice(cx.date);
        }
        out.extend_from_slice(block.lines());
        let digits = self.framing_fields(out, code, block, length);
        match (self.facts.persistent, self.facts.http10) {
            (false, _) => out.extend_from_slice(b"Connection: close\r\n"),
            (true, true) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
            (true, false) => {}
        }
        out.extend_from_slice(b"\r\n");

        self.response = Response::Streaming(coding);
        self.deadlines.clear(Timer::Handler);
        Ok(Sending { has_body: coding != Coding::Suppressed, length: digits })
    }

    /// Content-Length or Transfer-Encoding (RFC 9110 §8.6, RFC 9112 §6). HEAD gets what GET would
    /// get; 204 and 304 get none, except a length that the handler declares for 304.
    fn framing_fields(
        &self,
        out: &mut Vec<u8>,
        code: u16,
        block: &Block,
        length: BodyLength,
    ) -> Range<usize> {
        let declared = match (code, length) {
            (204, _) => None,
            (304, _) => block.content_length(),
            (205, _) => Some(0),
            // A handler that answers HEAD without a body may say what GET would have.
            (_, BodyLength::Known(0)) if self.facts.is_head => {
                Some(block.content_length().unwrap_or(0))
            }
            (_, BodyLength::Known(length)) => Some(length),
            (_, BodyLength::Unknown) => {
                if !self.facts.http10 {
                    out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
                }
                None
            }
        };
        let Some(length) = declared else {
            return 0..0;
        };
        let start = out.len() + b"Content-Length: ".len();
        encode::content_length(out, length);
        // Only a length that speaks of the given body may be corrected by it.
        if matches!(code, 205 | 304) { 0..0 } else { start..out.len() - b"\r\n".len() }
    }

    /// Decides, before the head is encoded, what happens to the connection and to a body that is
    /// still coming: a known rest up to [`limits::DRAIN`] is read and dropped, anything else
    /// closes. A client that still waits for 100 (Continue) may or may not send its body, so that
    /// case always closes.
    fn settle_request(&mut self, cx: &Context<'_>) {
        if let Request::Body(body) = &self.request {
            let drains = body.known_rest().is_some_and(|rest| rest <= limits::DRAIN);
            if !drains || self.facts.expects_continue {
                self.facts.persistent = false;
            }
        }
        if cx.draining && self.facts.persistent {
            self.facts.persistent = false;
            self.close.get_or_insert(CloseReason::Drained);
        }
        if !self.facts.persistent {
            self.close.get_or_insert(CloseReason::Answered);
        }
    }

    /// Corrects the Content-Length of a head that was just encoded into `out`, for a body whose
    /// length is known only after it was written behind the head.
    pub fn amend_length(&mut self, out: &mut Vec<u8>, sending: Sending, length: u64) {
        if let Response::Streaming(Coding::Length(left)) = &mut self.response {
            *left = length;
        }
        if !sending.length.is_empty() {
            out.splice(sending.length, itoa::Buffer::new().format(length).bytes());
        }
    }

    /// Counts body bytes that the caller writes itself behind a head with a known length.
    pub fn body(&mut self, bytes: u64) -> Result<(), AnswerError> {
        match &mut self.response {
            _ if self.cut => Err(AnswerError::NotOwed),
            Response::Streaming(Coding::Length(left)) => {
                *left = left.checked_sub(bytes).ok_or(AnswerError::Length)?;
                Ok(())
            }
            Response::Streaming(Coding::UntilClose | Coding::Suppressed) => Ok(()),
            _ => Err(AnswerError::NotOwed),
        }
    }

    /// Appends a part of the body in the coding that the head chose.
    pub fn chunk(&mut self, out: &mut Vec<u8>, data: &[u8]) -> Result<(), AnswerError> {
        if let Some(behind) = self.frame(out, data.len() as u64)? {
            out.extend_from_slice(data);
            out.extend_from_slice(behind);
        }
        Ok(())
    }

    /// Frames a part of the body that the caller writes itself: appends what goes before it, and
    /// gives what goes behind it; `None` is a part that isn't sent.
    pub fn frame(
        &mut self,
        out: &mut Vec<u8>,
        length: u64,
    ) -> Result<Option<&'static [u8]>, AnswerError> {
        match self.response {
            _ if self.cut => Err(AnswerError::NotOwed),
            Response::Streaming(Coding::Suppressed) => Ok(None),
            // A chunk of size 0 would end the body.
            Response::Streaming(Coding::Chunked) if length == 0 => Ok(None),
            Response::Streaming(Coding::Chunked) => {
                encode::chunk_size(out, length);
                Ok(Some(b"\r\n"))
            }
            _ => {
                self.body(length)?;
                Ok(Some(b""))
            }
        }
    }

    /// Completes the answer. Trailers go only behind a chunked body.
    pub fn finish(
        &mut self,
        out: &mut Vec<u8>,
        trailers: &[(&[u8], &[u8])],
        cx: &Context<'_>,
    ) -> Result<(), AnswerError> {
        match self.response {
            _ if self.cut => return Err(AnswerError::NotOwed),
            Response::Streaming(Coding::Chunked) => encode::last_chunk(out, trailers)?,
            Response::Streaming(Coding::Length(0) | Coding::UntilClose | Coding::Suppressed) => {}
            Response::Streaming(Coding::Length(_)) => return Err(AnswerError::Length),
            _ => return Err(AnswerError::NotOwed),
        }
        self.response = Response::Done;
        if let Request::Body(body) = &self.request {
            match body.known_rest() {
                Some(0) => {
                    self.request = Request::Done;
                    self.deadlines.clear(Timer::Body);
                }
                Some(rest) if self.close.is_none() => {
                    self.request = Request::Discarding(rest);
                    // It may have been paused, with its clock off.
                    self.on_resume(cx);
                }
                _ => self.stop_reading(),
            }
        }
        self.cycle_if_done(cx);
        Ok(())
    }

    /// Encodes an interim answer (RFC 9110 §15.2); HTTP/1.0 clients don't know them and get none.
    pub fn informational(
        &mut self,
        out: &mut Vec<u8>,
        code: u16,
        block: &Block,
    ) -> Result<(), AnswerError> {
        if !self.owes_head() {
            return Err(AnswerError::NotOwed);
        }
        // 101 would change the protocol; that is `upgrade`.
        if !(100..=199).contains(&code) || code == 101 {
            return Err(AnswerError::Status);
        }
        if !self.facts.http10 {
            if code == 100 {
                self.facts.expects_continue = false;
            }
            encode::status_line(out, code);
            out.extend_from_slice(block.lines());
            out.extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    /// The body is wanted: a client that waits for 100 (Continue) gets it now.
    pub fn want_body(&mut self, out: &mut Vec<u8>) {
        if self.owes_head() && std::mem::take(&mut self.facts.expects_continue) {
            out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    /// Answers with an error of the server's own, whole, and says why in the body.
    ///
    /// Where the head of another answer is already out, that answer is cut instead: its end is
    /// never sent, so it can't look complete.
    pub fn refuse(&mut self, out: &mut Vec<u8>, fault: Fault, cx: &Context<'_>) {
        if let Some(reason) = fault.closes() {
            self.facts.persistent = false;
            self.close.get_or_insert(reason);
        }
        let mut block = Block::default();
        let retry: (&[u8], &[u8]) = (b"Retry-After", b"1");
        let fields = [(&b"Content-Type"[..], &b"text/plain; charset=utf-8"[..]), retry];
        let count = if fault.status() == 503 { 2 } else { 1 };
        // Constant and valid.
        let _ = block.fill(fields.into_iter().take(count));
        let reason = fault.reason();
        let length = BodyLength::Known(reason.len() as u64 + 1);
        let Ok(sending) = self.head(out, fault.status(), &block, length, cx) else {
            self.cut(CloseReason::HandlerAborted);
            return;
        };
        if sending.has_body {
            let _ = self.chunk(out, reason.as_bytes()).and_then(|()| self.chunk(out, b"\n"));
        }
        let _ = self.finish(out, &[], cx);
    }

    /// Hands the connection over to another protocol: 101 with its name and these fields is
    /// encoded, and what the client sent behind its head is the new machine's (RFC 9110 §7.8).
    /// Only a request that asked for it, without a body under way, can be upgraded.
    pub fn upgrade(
        &mut self,
        out: &mut Vec<u8>,
        protocol: &str,
        block: &Block,
    ) -> Result<(), AnswerError> {
        let ready = self.owes_head() && matches!(self.request, Request::Done);
        if !ready || !self.facts.upgrade {
            return Err(AnswerError::NotOwed);
        }
        let start = out.len();
        encode::status_line(out, 101);
        out.extend_from_slice(b"Connection: Upgrade\r\n");
        if encode::field(out, b"Upgrade", protocol.as_bytes()).is_err() {
            out.truncate(start);
            return Err(AnswerError::Field);
        }
        out.extend_from_slice(block.lines());
        out.extend_from_slice(b"\r\n");
        self.stop_reading();
        self.deadlines.clear(Timer::Handler);
        self.response = Response::Done;
        Ok(())
    }
}
