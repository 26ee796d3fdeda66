//! What a client makes of the bytes it gets: a naive reader of answers, which shares no line with
//! the server's own.

use super::requests::Planned;
use super::wish::pattern;

/// One answer, complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) tag: Option<String>,
    pub(super) says_close: bool,
    /// Whether the body is what the request asked for.
    pub(super) is_right: bool,
}

/// What was read, up to what isn't complete yet.
#[derive(Debug, Default)]
pub(super) struct Reader {
    got: Vec<u8>,
    pub(super) answers: Vec<Received>,
    /// 100 (Continue) came for the request that is to be answered next.
    pub(super) may_continue: bool,
    /// The server reads no further request.
    pub(super) says_close: bool,
    pub(super) faults: Vec<String>,
}

enum Body {
    Complete(Vec<u8>, usize),
    Partial,
    UntilEnd,
}

impl Reader {
    pub(super) fn read(&mut self, bytes: &[u8], requests: &[Planned]) {
        self.got.extend_from_slice(bytes);
        while self.next(requests, false) {}
    }

    /// The connection has ended; by a FIN, a body without another end is complete.
    pub(super) fn end(&mut self, by_fin: bool, requests: &[Planned]) {
        if by_fin {
            self.next(requests, true);
        }
    }

    /// Whether there are bytes that make no whole answer.
    pub(super) fn has_part(&self) -> bool {
        !self.got.is_empty()
    }

    fn next(&mut self, requests: &[Planned], has_ended: bool) -> bool {
        let Some(at) = self.got.windows(4).position(|four| four == b"\r\n\r\n") else {
            return false;
        };
        let head = String::from_utf8_lossy(&self.got[..at + 2]).into_owned();
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest[..3].parse().ok());
        let Some(status) = status.filter(|_| !self.says_close) else {
            self.faults.push(format!("no answer, or one behind `close`: {head:?}"));
            self.got.clear();
            return false;
        };
        let start = at + 4;
        if (100..200).contains(&status) {
            self.may_continue |= status == 100;
            self.got.drain(..start);
            return true;
        }
        let field = |name: &str| {
            let prefix = format!("\r\n{name}: ");
            let at = head.find(&prefix)? + prefix.len();
            head[at..].split("\r\n").next().map(str::to_owned)
        };
        let request = requests.get(self.answers.len());
        let has_none = request.is_some_and(|request| request.is_head);
        let body = if has_none {
            Body::Complete(Vec::new(), start)
        } else if field("Transfer-Encoding").is_some() {
            chunked(&self.got, start)
        } else if let Some(length) = field("Content-Length") {
            let end = start + length.parse::<usize>().unwrap_or(usize::MAX / 2);
            self.got
                .get(start..end)
                .map_or(Body::Partial, |body| Body::Complete(body.to_vec(), end))
        } else {
            Body::UntilEnd
        };
        let (body, end) = match body {
            Body::Complete(body, end) => (body, end),
            Body::UntilEnd if has_ended => (self.got[start..].to_vec(), self.got.len()),
            Body::UntilEnd | Body::Partial => return false,
        };
        let is_right = request.is_some_and(|request| {
            let wish = request.wish;
            has_none || body == pattern(wish.link, wish.number, 0..wish.length)
        });
        let says_close = field("Connection").is_some_and(|value| value == "close");
        self.answers.push(Received { status, tag: field("X-Tag"), says_close, is_right });
        self.got.drain(..end);
        self.may_continue = false;
        self.says_close = says_close;
        true
    }
}

fn chunked(got: &[u8], start: usize) -> Body {
    let mut body = Vec::new();
    let mut at = start;
    loop {
        let Some(rest) = got.get(at..) else {
            return Body::Partial;
        };
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else {
            return Body::Partial;
        };
        let size = std::str::from_utf8(&rest[..line]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size) = size else {
            return Body::Partial;
        };
        let data = at + line + 2;
        if size == 0 {
            // An empty line ends the trailers, or stands there alone.
            let end = got[data - 2..].windows(4).position(|four| four == b"\r\n\r\n");
            return end.map_or(Body::Partial, |end| Body::Complete(body, data - 2 + end + 4));
        }
        let Some(part) = got.get(data..data + size + 2) else {
            return Body::Partial;
        };
        body.extend_from_slice(&part[..size]);
        at = data + size + 2;
    }
}
