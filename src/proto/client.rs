//! The client's role: what an upstream's bytes mean, one answer after another, without a socket.
//!
//! The counterpart of [`super::http1`] is small, because its caller sends the requests itself. It
//! must be told of each ([`Client::on_request`]) and then finds the answer's heads, data and end in
//! the bytes. Bytes that no request has asked for are a fault: on a connection that is used again
//! they would be taken for the next answer.

use crate::limits;
use crate::wire::Error;
use crate::wire::chunk::{self, Decoder};
use crate::wire::fields::Trailers;
use crate::wire::head::{HeadLimits, Method, Scanner};
use crate::wire::response::{ResponseBody, ResponseFraming, ResponseHead, ResponseSpans};

/// What [`Client::next`] found in the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// More bytes are needed.
    NeedBytes,
    /// A head is complete: its bytes are the first `length` ones, and the spans are filled. If it is
    /// an interim one (1xx), the final head follows.
    Head {
        /// Length of the head in bytes.
        length: usize,
        /// What it says of the body and of the connection.
        framing: ResponseFraming,
    },
    /// `input[start..end]` is body data.
    Data {
        /// Offset of the first byte.
        start: usize,
        /// Offset after the last byte.
        end: usize,
    },
    /// The answer is complete.
    End(Trailers),
}

/// Why an answer can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The bytes are wrong.
    Wire(Error),
    /// Bytes came that no request has asked for.
    Unasked,
    /// The connection ended before the answer did.
    Incomplete,
    /// 101 (Switching Protocols), which nobody asked for.
    Upgrade,
    /// More than [`limits::INTERIM`] interim answers.
    Interim,
}

#[derive(Debug)]
enum State {
    /// No request is under way.
    Idle,
    /// A head is awaited, final or interim.
    Head,
    Length(u64),
    Chunked(Decoder),
    UntilClose,
}

/// What one upstream connection says.
///
/// # Example
/// ```
/// use barewire::proto::client::{Client, Found};
/// use barewire::wire::head::{HeadLimits, Method};
/// use barewire::wire::response::ResponseSpans;
///
/// let mut client = Client::new();
/// client.on_request(Method::Get);
/// let mut input = &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"[..];
/// let (mut spans, limits) = (ResponseSpans::default(), HeadLimits::default());
/// let mut body = Vec::new();
/// loop {
///     let (used, found) = client.next(input, &mut spans, &limits).expect("a good answer");
///     match found {
///         Found::Data { start, end } => body.extend_from_slice(&input[start..end]),
///         Found::End(_) => break,
///         Found::Head { .. } => {}
///         Found::NeedBytes => unreachable!("it is all there"),
///     }
///     input = &input[used..];
/// }
/// assert_eq!(body, b"hello");
/// assert!(client.is_reusable());
/// ```
#[derive(Debug)]
pub struct Client {
    state: State,
    scanner: Scanner,
    method: Method,
    /// Whether another request may follow the answer.
    persistent: bool,
    /// Whether a byte of an answer has come since the request.
    has_begun: bool,
    /// Interim answers since the request.
    interim: u32,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A fresh connection.
    pub fn new() -> Self {
        Client {
            state: State::Idle,
            scanner: Scanner::default(),
            method: Method::Other,
            persistent: true,
            has_begun: false,
            interim: 0,
        }
    }

    /// A request with this method is sent, so its answer is awaited. Only on an idle connection:
    /// requests aren't pipelined.
    pub fn on_request(&mut self, method: Method) {
        debug_assert!(self.is_reusable());
        self.state = State::Head;
        self.method = method;
        self.has_begun = false;
        self.interim = 0;
    }

    /// Finds the next piece of the answer in `input`: all bytes that were received and not yet used.
    /// Says how many of them to take off the front, and what they were.
    pub fn next(
        &mut self,
        input: &[u8],
        spans: &mut ResponseSpans,
        limits: &HeadLimits,
    ) -> Result<(usize, Found), Broken> {
        self.has_begun |= !input.is_empty();
        match &mut self.state {
            State::Idle if input.is_empty() => Ok((0, Found::NeedBytes)),
            State::Idle => Err(Broken::Unasked),
            State::Head => self.next_head(input, spans, limits),
            State::Length(0) => Ok((0, self.end(Trailers::default()))),
            _ if input.is_empty() => Ok((0, Found::NeedBytes)),
            State::Length(left) => {
                let end = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= end as u64;
                Ok((end, Found::Data { start: 0, end }))
            }
            State::Chunked(decoder) => match decoder.next(input).map_err(Broken::Wire)? {
                (used, chunk::Event::Partial) => Ok((used, Found::NeedBytes)),
                (used, chunk::Event::Data { start, end }) => Ok((used, Found::Data { start, end })),
                (used, chunk::Event::End(trailers)) => Ok((used, self.end(trailers))),
            },
            State::UntilClose => Ok((input.len(), Found::Data { start: 0, end: input.len() })),
        }
    }

    fn next_head(
        &mut self,
        input: &[u8],
        spans: &mut ResponseSpans,
        limits: &HeadLimits,
    ) -> Result<(usize, Found), Broken> {
        let Some(extent) = self.scanner.scan(input, limits).map_err(Broken::Wire)? else {
            return Ok((0, Found::NeedBytes));
        };
        self.scanner = Scanner::default();
        let head = ResponseHead::parse(input, extent, spans).map_err(Broken::Wire)?;
        let framing = ResponseFraming::decide(&head, self.method).map_err(Broken::Wire)?;
        if head.status() == 101 {
            return Err(Broken::Upgrade);
        }
        if head.is_interim() {
            self.interim += 1;
            if self.interim > limits::INTERIM {
                return Err(Broken::Interim);
            }
        } else {
            self.persistent = framing.persistent;
            self.state = match framing.body {
                // Its end is an event of its own, as of every other body.
                ResponseBody::None => State::Length(0),
                ResponseBody::Length(length) => State::Length(length),
                ResponseBody::Chunked => State::Chunked(Decoder::new()),
                ResponseBody::UntilClose => State::UntilClose,
            };
        }
        Ok((extent.end, Found::Head { length: extent.end, framing }))
    }

    fn end(&mut self, trailers: Trailers) -> Found {
        self.state = State::Idle;
        Found::End(trailers)
    }

    /// The peer has closed its side and all its bytes were given to [`Client::next`]. That is the
    /// regular end of a body that is delimited by it, and of a connection on which nothing is awaited.
    pub fn on_fin(&mut self) -> Result<(), Broken> {
        self.persistent = false;
        match self.state {
            State::Idle | State::UntilClose => {
                self.state = State::Idle;
                Ok(())
            }
            _ => Err(Broken::Incomplete),
        }
    }

    /// Whether a byte of the answer to the last request has come. Before that, the peer may never
    /// have seen the request.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Whether the connection is idle and can carry another request.
    pub fn is_reusable(&self) -> bool {
        self.persistent && matches!(self.state, State::Idle)
    }
}
