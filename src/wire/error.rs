//! What can be wrong with a peer's bytes, which status says so, and in which words.

/// A fault in the bytes of a message, nearly always of a request: then it is the client's. The same
/// fault in a response is the upstream's, and a gateway says 502 for it, whatever it is.
///
/// Each fault of a request has one status code ([`Error::status`]) and one sentence ([`Error::reason`]) that
/// the client gets as the body of the answer. The connection can't go on after any of them: where
/// the next request begins is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// A line feed without a carriage return before it (RFC 9112 §2.2 lets a server refuse it).
    BareLineFeed,
    /// More than [`crate::limits::EMPTY_LINES`] empty lines before the request line.
    EmptyLines,
    /// The request line isn't `method SP target SP version` (RFC 9112 §3).
    RequestLine,
    /// The request line is above its limit (RFC 9112 §3).
    RequestLineTooLong,
    /// The method isn't a token (RFC 9110 §9.1).
    Method,
    /// The request target has a forbidden byte or form (RFC 9112 §3.2).
    Target,
    /// The status line isn't `version SP status [SP phrase]`, or its status isn't 100 to 599 (RFC 9112
    /// §4, RFC 9110 §15).
    StatusLine,
    /// The version isn't `HTTP/` DIGIT `.` DIGIT (RFC 9112 §2.3).
    Version,
    /// A well-formed version that this machine doesn't speak (RFC 9110 §15.6.6).
    VersionNotSupported,
    /// A field line isn't `token ":" OWS value OWS` (RFC 9112 §5), or is folded (§5.2).
    Field,
    /// The field section is above its size limit (RFC 6585 §5).
    FieldsTooLarge,
    /// More field lines than allowed (RFC 6585 §5).
    TooManyFields,
    /// Host is missing, given twice, or isn't `uri-host [ ":" port ]` (RFC 9112 §3.2).
    Host,
    /// Content-Length isn't one plain decimal number (RFC 9112 §6.3, stricter on purpose).
    ContentLength,
    /// Content-Length and Transfer-Encoding together (RFC 9112 §6.1).
    LengthAndEncoding,
    /// Transfer-Encoding in HTTP/1.0, malformed, or `chunked` isn't the last coding (RFC 9112 §6.1).
    TransferEncoding,
    /// A transfer coding before `chunked` that this server doesn't decode (RFC 9112 §6.1).
    TransferCoding,
    /// A chunk's size line, data or line end is malformed (RFC 9112 §7.1).
    Chunk,
    /// Chunk extensions above their limit (RFC 9112 §7.1.1).
    ChunkExtensions,
    /// A trailer field is malformed (RFC 9112 §7.1.2).
    Trailer,
    /// The trailer section is above its limit.
    TrailersTooLarge,
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1).
    Expectation,
}

impl Error {
    /// The status code of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Error::RequestLineTooLong => 414,
            Error::Expectation => 417,
            Error::FieldsTooLarge | Error::TooManyFields | Error::TrailersTooLarge => 431,
            Error::TransferCoding => 501,
            Error::VersionNotSupported => 505,
            _ => 400,
        }
    }

    /// One sentence for the client, without a line end.
    pub const fn reason(self) -> &'static str {
        match self {
            Error::BareLineFeed => "A line must end with CR LF.",
            Error::EmptyLines => "Too many empty lines before the request line.",
            Error::RequestLine => "The request line is malformed.",
            Error::RequestLineTooLong => "The request line is too long.",
            Error::Method => "The method is not a token.",
            Error::Target => "The request target is malformed.",
            Error::StatusLine => "The status line is malformed.",
            Error::Version => "The HTTP version is malformed.",
            Error::VersionNotSupported => "This HTTP version is not supported.",
            Error::Field => "A header field is malformed.",
            Error::FieldsTooLarge => "The header fields are too large.",
            Error::TooManyFields => "There are too many header fields.",
            Error::Host => "The Host field is missing, repeated or malformed.",
            Error::ContentLength => "The Content-Length field is malformed or repeated.",
            Error::LengthAndEncoding => "Content-Length and Transfer-Encoding exclude each other.",
            Error::TransferEncoding => "The Transfer-Encoding field is not acceptable.",
            Error::TransferCoding => "This transfer coding is not supported.",
            Error::Chunk => "The chunked body is malformed.",
            Error::ChunkExtensions => "The chunk extensions are too large.",
            Error::Trailer => "A trailer field is malformed.",
            Error::TrailersTooLarge => "The trailer fields are too large.",
            Error::Expectation => "This expectation can not be met.",
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Error {}
