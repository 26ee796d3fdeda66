//! Range requests (RFC 9110 §14): which bytes of a representation are asked for, and the fields
//! and multipart lines of an answer that has only these.
//!
//! It must not know whether Range counts at all: that it is a GET, and what If-Range says, was
//! asked before.

use std::ops::Range;

use super::ascii;
use super::encode::{self, InvalidField};
use crate::limits;

/// What a Range field asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Ranges {
    /// Everything, as if the field weren't there, which is always allowed (§14.2). See [`parse`]
    /// for when.
    Whole,
    /// 206: these bytes, in the order asked for; at least one range, none of them empty.
    Satisfiable(Vec<Range<u64>>),
    /// 416: none of these bytes exist.
    Unsatisfiable,
}

/// Reads a Range field for a representation of `length` bytes.
///
/// Ranges are cut at its end, those that begin behind it are dropped, and a number too large to
/// count is as good as the largest one (§14.1.2). The field is ignored where
///
/// - the unit isn't `bytes`, or the syntax is wrong anywhere in it;
/// - nothing is there to be parted: a client that adds a Range to whatever it gets wants an empty
///   representation, not a refusal;
/// - it has the marks of an attack, many parts from a small request (§14.2, §17.15): more than
///   [`limits::RANGES`] ranges, more than two over one byte, or more bytes than there are.
pub fn parse(value: &[u8], length: u64) -> Ranges {
    let Some(set) = bytes_of(value) else {
        return Ranges::Whole;
    };
    if length == 0 {
        return Ranges::Whole;
    }
    let mut ranges = Vec::new();
    let mut count = 0;
    // Empty elements of a list are skipped (§5.6.1.2).
    for element in ascii::list(set).filter(|element| !element.is_empty()) {
        let Some(spec) = Spec::parse(element) else {
            return Ranges::Whole;
        };
        count += 1;
        if count > limits::RANGES {
            return Ranges::Whole;
        }
        ranges.extend(spec.within(length));
    }
    if count == 0 || is_excessive(&ranges, length) {
        return Ranges::Whole;
    }
    if ranges.is_empty() { Ranges::Unsatisfiable } else { Ranges::Satisfiable(ranges) }
}

/// The range set behind `bytes=`; the unit is case-insensitive (§14.1).
fn bytes_of(value: &[u8]) -> Option<&[u8]> {
    let (unit, set) = ascii::trim_ows(value).split_at_checked(b"bytes=".len())?;
    unit.eq_ignore_ascii_case(b"bytes=").then_some(set)
}

/// One member of the set (§14.1.2).
enum Spec {
    /// From the first to the last position, both included; to the end without a last one.
    Int(u64, Option<u64>),
    /// So many of the last bytes.
    Suffix(u64),
}

impl Spec {
    fn parse(element: &[u8]) -> Option<Self> {
        let mut ends = element.splitn(2, |&byte| byte == b'-');
        let (first, last) = (ends.next()?, ends.next()?);
        if first.is_empty() {
            return number(last).map(Spec::Suffix);
        }
        let first = number(first)?;
        if last.is_empty() {
            return Some(Spec::Int(first, None));
        }
        let last = number(last)?;
        (first <= last).then_some(Spec::Int(first, Some(last)))
    }

    /// The bytes of a representation that isn't empty; none if it is unsatisfiable.
    fn within(&self, length: u64) -> Option<Range<u64>> {
        let range = match *self {
            Spec::Int(first, None) => first..length,
            Spec::Int(first, Some(last)) => first..length.min(last.saturating_add(1)),
            Spec::Suffix(count) => length.saturating_sub(count)..length,
        };
        (range.start < range.end).then_some(range)
    }
}

/// `1*DIGIT`, leading zeros among them; the largest number stands for all above it.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0u64, |value, &digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    }))
}

/// Whether the ranges cost more than the whole, or more than two of them share a byte.
fn is_excessive(ranges: &[Range<u64>], length: u64) -> bool {
    let total: u128 = ranges.iter().map(|range| u128::from(range.end - range.start)).sum();
    // Where most of them overlap, one begins. Their number is bounded, so this is, too.
    let is_shared = |at: u64| ranges.iter().filter(|range| range.contains(&at)).nth(2).is_some();
    total > u128::from(length) || ranges.iter().any(|range| is_shared(range.start))
}

/// Appends the value of a Content-Range for a part: `bytes 0-9/100` (§14.4). The range isn't empty.
pub fn content_range(out: &mut Vec<u8>, range: &Range<u64>, length: u64) {
    debug_assert!(range.start < range.end && range.end <= length, "{range:?} of {length}");
    out.extend_from_slice(b"bytes ");
    encode::decimal(out, range.start);
    out.push(b'-');
    encode::decimal(out, range.end - 1);
    out.push(b'/');
    encode::decimal(out, length);
}

/// Appends the value of a Content-Range for 416: `bytes */100` (§14.4).
pub fn unsatisfied_range(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"bytes */");
    encode::decimal(out, length);
}

/// Appends what stands before the bytes of a part in a `multipart/byteranges` (§14.6): the
/// delimiter, the two fields that the answer's own head can't have (§15.3.7.2), and the empty line.
///
/// The delimiter begins with its CR LF also before the first part, which §14.6 allows, so that all
/// parts are alike. The boundary must occur in no part; [`last_boundary`] ends the last one. The
/// content type is that of the representation, if it has one; an invalid one leaves no byte.
pub fn part_head(
    out: &mut Vec<u8>,
    boundary: &[u8],
    content_type: Option<&[u8]>,
    range: &Range<u64>,
    length: u64,
) -> Result<(), InvalidField> {
    let start = out.len();
    out.extend_from_slice(b"\r\n--");
    out.extend_from_slice(boundary);
    out.extend_from_slice(b"\r\n");
    if let Some(value) = content_type {
        encode::field(out, b"Content-Type", value).inspect_err(|_| out.truncate(start))?;
    }
    out.extend_from_slice(b"Content-Range: ");
    content_range(out, range, length);
    out.extend_from_slice(b"\r\n\r\n");
    Ok(())
}

/// Appends what stands behind the last part.
pub fn last_boundary(out: &mut Vec<u8>, boundary: &[u8]) {
    out.extend_from_slice(b"\r\n--");
    out.extend_from_slice(boundary);
    out.extend_from_slice(b"--\r\n");
}
