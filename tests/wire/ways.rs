//! The ways in which the same bytes can arrive.

use std::fmt::Write as _;

use barewire::wire::Error;

/// What may follow a message on its connection: another request, or bytes that make no sense.
pub(crate) const TAILS: [&[u8]; 4] =
    [b"", b"GET /next HTTP/1.1\r\nHost: n\r\n\r\n", b"\x00\xff\r\r\n: junk", b"\r\n\r\n"];

/// Above this size a cut at each offset takes too long, and offsets are sampled.
const EVERY_OFFSET: usize = 2048;

/// Each way of delivery, as the offsets where its pieces end: whole, two pieces, byte by byte.
pub(crate) fn deliveries(length: usize) -> Vec<Vec<usize>> {
    let step = if length > EVERY_OFFSET { 97 } else { 1 };
    let mut ways = vec![vec![length], (1..=length).collect()];
    ways.extend((1..length).step_by(step).map(|cut| vec![cut, length]));
    ways
}

/// Bytes as text for an expectation, escaped where they aren't visible.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// A fault as text: the status, then the variant.
pub(crate) fn fault(error: Error) -> String {
    let mut out = error.status().to_string();
    write!(out, " {error:?}").expect("a String takes every write");
    out
}

/// Compares an outcome with the expected one. A bare status expects any fault that has it, where
/// neither the RFC nor the table says which of several rules the bytes break first.
pub(crate) fn is_expected(actual: &str, expected: &str) -> bool {
    actual == expected
        || (expected.len() == 3
            && expected.bytes().all(|byte| byte.is_ascii_digit())
            && actual.strip_prefix(expected).is_some_and(|rest| rest.starts_with(' ')))
}

/// Runs a case in every way: `read` gets the bytes with a tail and the offsets where the pieces
/// end, and says what it found. Any way that differs from the expectation is named.
pub(crate) fn check(
    name: &str,
    input: &[u8],
    expected: &str,
    read: impl Fn(&[u8], &[usize]) -> String,
) {
    for tail in TAILS {
        let bytes = [input, tail].concat();
        for ends in deliveries(bytes.len()) {
            let actual = read(&bytes, &ends);
            assert!(
                is_expected(&actual, expected),
                "{name}\n  bytes    {}\n  tail     {}\n  pieces   {}\n  expected {expected}\n  actual   {actual}",
                text(&input[..input.len().min(400)]),
                text(tail),
                if ends.len() > 2 { "byte by byte".into() } else { format!("{ends:?}") },
            );
        }
    }
}

/// A small deterministic generator (xorshift64*), so that a failing round can be run again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    /// One of the choices.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
