//! What a client asks of the handler, as a target says it, and the bytes that both of them expect.
//! It must not know who sends them or what becomes of them.

/// What a target asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An answer at once; by its length, one of the ways to give it.
    Now,
    /// A late answer.
    Later,
    /// The same from another thread.
    Remote,
    /// A stream of parts, chunked.
    Stream,
    /// A stream of parts under a Content-Length.
    Sized,
    /// A stream that is given up after its first part.
    Abort,
    /// A failure, late.
    Fail,
    /// Nothing.
    Never,
}

const KINDS: [Kind; 8] = [
    Kind::Now,
    Kind::Later,
    Kind::Remote,
    Kind::Stream,
    Kind::Sized,
    Kind::Abort,
    Kind::Fail,
    Kind::Never,
];

/// The word of the law for one request, written into its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) link: usize,
    pub(super) number: usize,
    pub(super) kind: Kind,
    /// Bytes of the answer's body.
    pub(super) length: usize,
    /// Microseconds between the handler's steps.
    pub(super) delay: u64,
    /// Bytes of the request's body, as the client means it.
    pub(super) body: usize,
}

impl Wish {
    pub(super) fn target(&self) -> String {
        let Wish { link, number, kind, length, delay, body } = *self;
        format!("/{link}/{number}/{}/{length}/{delay}/{body}", kind as usize)
    }

    pub(super) fn read(target: &[u8]) -> Option<Wish> {
        let text = std::str::from_utf8(target).ok()?.strip_prefix('/')?;
        let mut words = text.split('/').map(|word| word.parse::<usize>().ok());
        let mut next = || words.next().flatten();
        let (link, number, kind, length) = (next()?, next()?, next()?, next()?);
        let (delay, body) = (next()? as u64, next()?);
        Some(Wish { link, number, kind: *KINDS.get(kind)?, length, delay, body })
    }
}

/// The byte at a place of a request's body, or of an answer's: a gap or a swap shows.
fn byte(link: usize, number: usize, at: usize) -> u8 {
    (at / 251 + at + 7 * link + 31 * number) as u8
}

pub(super) fn pattern(link: usize, number: usize, range: std::ops::Range<usize>) -> Vec<u8> {
    range.map(|at| byte(link, number, at)).collect()
}
