//! The one decision about a request's framing: where its body ends, whether the connection
//! persists, and what the client expects first.
//!
//! Every rule against request smuggling lives in [`Framing::decide`]; no other code looks at
//! Content-Length, Transfer-Encoding, Connection or Host of a request.

use super::head::{Head, Version};
use super::target::{self, Target};
use super::{Error, ascii};
use crate::limits;

/// How the body of a request is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// No body follows the head.
    None,
    /// Content-Length: so many bytes, maybe 0.
    Length(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
}

/// What the head says about the message and the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing<'a> {
    /// The delimitation of the body.
    pub body: BodyKind,
    /// The form of the target.
    pub target: Target<'a>,
    /// Whether the client lets the connection persist (RFC 9112 §9.3).
    pub persistent: bool,
    /// Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 §10.1.1).
    pub expects_continue: bool,
    /// Whether the client asks for another protocol (RFC 9110 §7.8); it may be ignored.
    pub upgrade: bool,
}

impl<'a> Framing<'a> {
    /// Decides. The steps follow RFC 9112; where it leaves a choice, the strict side is taken.
    pub fn decide(head: &Head<'a>) -> Result<Self, Error> {
        let seen = Seen::collect(head);
        let http10 = head.version() == Version::Http10;

        // 1. The target's form fits the method (§3.2).
        let target = Target::parse(head.method(), head.target())?;

        // 2. Exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0 (§3.2), also beside an
        //    absolute target.
        match seen.host {
            Some(host) if !seen.repeated_host && target::is_host(host) => {}
            None if http10 => {}
            _ => return Err(Error::Host),
        }

        // 3. Transfer-Encoding excludes Content-Length, has no meaning in HTTP/1.0, and must end
        //    with the one coding that delimits a message (§6.1, §6.3 items 3 and 4).
        let body = if let Some(codings) = seen.codings {
            if seen.content_length.is_some() {
                return Err(Error::LengthAndEncoding);
            }
            if http10 || codings.malformed || !codings.chunked_last {
                return Err(Error::TransferEncoding);
            }
            if codings.others {
                return Err(Error::TransferCoding);
            }
            BodyKind::Chunked
        // 4. Content-Length is one plain decimal number (§6.2, §6.3 item 5).
        } else if let Some(value) = seen.content_length {
            match ascii::decimal(value, limits::CONTENT_LENGTH) {
                Some(length) if !seen.repeated_length => BodyKind::Length(length),
                _ => return Err(Error::ContentLength),
            }
        // 5. Neither: a request has no body (§6.3 item 7).
        } else {
            BodyKind::None
        };

        // 6. An expectation that can't be met is refused; HTTP/1.0 has none (RFC 9110 §10.1.1).
        if seen.unknown_expectation && !http10 {
            return Err(Error::Expectation);
        }
        let awaits_body = !matches!(body, BodyKind::None | BodyKind::Length(0));

        // 7. `close` wins; HTTP/1.1 persists by default, HTTP/1.0 where it asks (§9.3).
        let persistent = !seen.close && (!http10 || seen.keep_alive);

        Ok(Framing {
            body,
            target,
            persistent,
            expects_continue: seen.expects_continue && awaits_body && !http10,
            upgrade: seen.upgrade && seen.connection_upgrade && !http10,
        })
    }
}

/// The transfer codings of all Transfer-Encoding lines together.
#[derive(Clone, Copy, Default)]
pub(super) struct Codings {
    pub(super) chunked_last: bool,
    pub(super) others: bool,
    pub(super) malformed: bool,
}

impl Codings {
    /// Several lines are one list (RFC 9110 §5.3). `chunked` before another coding, twice, or
    /// with parameters is malformed (RFC 9112 §6.1, §7); so is an element that isn't a token.
    pub(super) fn add(&mut self, value: &[u8]) {
        for coding in ascii::list(value) {
            if self.chunked_last || !ascii::is_token(coding) {
                self.malformed = true;
            } else if coding.eq_ignore_ascii_case(b"chunked") {
                self.chunked_last = true;
            } else {
                self.others = true;
            }
        }
    }
}

/// The fields that framing looks at, collected in one pass.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // each is one field's finding, not a state
struct Seen<'a> {
    host: Option<&'a [u8]>,
    repeated_host: bool,
    content_length: Option<&'a [u8]>,
    repeated_length: bool,
    codings: Option<Codings>,
    close: bool,
    keep_alive: bool,
    connection_upgrade: bool,
    upgrade: bool,
    expects_continue: bool,
    unknown_expectation: bool,
}

impl<'a> Seen<'a> {
    fn collect(head: &Head<'a>) -> Self {
        let mut seen = Seen::default();
        for span in head.field_spans() {
            let is = |name: &[u8]| span.name(head.bytes()).eq_ignore_ascii_case(name);
            let value = || span.value(head.bytes());
            // The length decides first: most fields are told apart by it alone.
            match span.name_length() {
                4 if is(b"host") => seen.repeated_host |= seen.host.replace(value()).is_some(),
                6 if is(b"expect") => seen.expectations(value()),
                7 if is(b"upgrade") => seen.upgrade = true,
                10 if is(b"connection") => seen.connection(value()),
                14 if is(b"content-length") => {
                    seen.repeated_length |= seen.content_length.replace(value()).is_some();
                }
                17 if is(b"transfer-encoding") => {
                    seen.codings.get_or_insert_default().add(value());
                }
                _ => {}
            }
        }
        seen
    }

    /// Connection is a list of tokens, matched whole (RFC 9110 §7.6.1).
    fn connection(&mut self, value: &[u8]) {
        for option in ascii::list(value) {
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.connection_upgrade = true;
            }
        }
    }

    /// Expect is a list (RFC 9110 §10.1.1), and one member is known; empty ones don't count.
    fn expectations(&mut self, value: &[u8]) {
        for expectation in ascii::list(value) {
            if expectation.eq_ignore_ascii_case(b"100-continue") {
                self.expects_continue = true;
            } else if !expectation.is_empty() {
                self.unknown_expectation = true;
            }
        }
    }
}
