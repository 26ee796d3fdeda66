//! Range and the conditional fields: ranges lie in the representation and cost no more than it,
//! and are those of a naive twin where that is small enough; preconditions keep to their rules.
//!
//! The input has a line for each: the length, Range, If-Match, If-None-Match, If-Modified-Since,
//! If-Unmodified-Since, If-Range. A line that isn't there is a field that isn't there.

use std::ops::Range;

use barewire::limits;
use barewire::wire::conditional::{Preconditions, Validators, Verdict};
use barewire::wire::range::{self, Ranges};

const KNOWN: Validators<'_> =
    Validators { etag: b"\"abc\"", last_modified: 784_111_777, date: 784_112_777 };

pub fn run(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let length = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    let value = lines.next().unwrap_or_default();
    for length in [length.unwrap_or(100), 12, 1, 0, u64::MAX] {
        ranges(value, length);
    }
    conditions(&Preconditions {
        if_match: lines.next(),
        if_none_match: lines.next(),
        if_modified_since: lines.next(),
        if_unmodified_since: lines.next(),
        if_range: lines.next(),
    });
}

fn ranges(value: &[u8], length: u64) {
    let found = range::parse(value, length);
    if length == 12 {
        assert_eq!(found, naive(value, length), "{}", value.escape_ascii());
    }
    let Ranges::Satisfiable(parts) = found else {
        return;
    };
    assert!((1..=limits::RANGES).contains(&parts.len()));
    let mut total = 0u128;
    for part in &parts {
        assert!(part.start < part.end && part.end <= length);
        total += u128::from(part.end - part.start);
        let mut out = Vec::new();
        range::content_range(&mut out, part, length);
        let (start, last) = (part.start, part.end - 1);
        assert_eq!(out, format!("bytes {start}-{last}/{length}").into_bytes());
        part_head(value, part, length);
    }
    assert!(total <= u128::from(length), "more than the whole");
}

/// Whatever its content type is, the head of a part is three lines and the empty one.
fn part_head(content_type: &[u8], part: &Range<u64>, length: u64) {
    let mut out = Vec::new();
    if range::part_head(&mut out, b"B", Some(content_type), part, length).is_err() {
        assert!(out.is_empty(), "half a head");
        return;
    }
    let lines: Vec<_> = out.split(|&byte| byte == b'\n').collect();
    assert!(lines.len() == 6 && out.ends_with(b"\r\n\r\n"), "{}", out.escape_ascii());
}

/// RFC 9110 §14.1 and the rules of [`range::parse`], byte by byte.
fn naive(value: &[u8], length: u64) -> Ranges {
    let text: String = value.iter().copied().map(char::from).collect();
    let text = text.trim_matches([' ', '\t']);
    let (unit, set) = text.split_at_checked(6).unwrap_or_default();
    if !unit.eq_ignore_ascii_case("bytes=") {
        return Ranges::Whole;
    }
    let elements = set.split(',').map(|element| element.trim_matches([' ', '\t']));
    let elements: Vec<&str> = elements.filter(|element| !element.is_empty()).collect();
    let mut asked = vec![0u64; length as usize];
    let mut parts = Vec::new();
    for element in &elements {
        let Some((first, last)) = element.split_once('-').and_then(number_pair) else {
            return Ranges::Whole;
        };
        if (first, last) == (None, None) || last.is_some_and(|last| first.is_some_and(|f| last < f))
        {
            return Ranges::Whole;
        }
        let bytes: Vec<u64> = (0..length)
            .filter(|&at| match (first, last) {
                (Some(first), last) => first <= at && last.is_none_or(|last| at <= last),
                (None, last) => at.saturating_add(last.unwrap_or(0)) >= length,
            })
            .collect();
        for &at in &bytes {
            asked[at as usize] += 1;
        }
        if let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) {
            parts.push(first..last + 1);
        }
    }
    let is_excessive = asked.iter().any(|&times| times > 2) || asked.iter().sum::<u64>() > length;
    if elements.is_empty() || elements.len() > limits::RANGES || is_excessive {
        return Ranges::Whole;
    }
    if parts.is_empty() { Ranges::Unsatisfiable } else { Ranges::Satisfiable(parts) }
}

/// Both numbers, where they are there; `None` for what isn't a number.
fn number_pair((first, last): (&str, &str)) -> Option<(Option<u64>, Option<u64>)> {
    let number = |text: &str| match text {
        "" => Some(None),
        _ if !text.chars().all(|c| c.is_ascii_digit()) => None,
        // Too large to count is as good as the largest.
        _ => Some(Some(text.parse().unwrap_or(u64::MAX))),
    };
    Some((number(first)?, number(last)?))
}

fn conditions(fields: &Preconditions<'_>) {
    let verdict = fields.verdict(&KNOWN);
    // The date counts only without the tags.
    let without_dates = Preconditions {
        if_unmodified_since: fields.if_unmodified_since.filter(|_| fields.if_match.is_none()),
        if_modified_since: fields.if_modified_since.filter(|_| fields.if_none_match.is_none()),
        ..*fields
    };
    assert_eq!(without_dates.verdict(&KNOWN), verdict);
    // What stands alone decides alone, the first of the two first.
    let first = Preconditions { if_none_match: None, if_modified_since: None, ..*fields };
    let second = Preconditions { if_match: None, if_unmodified_since: None, ..*fields };
    let expected = match (first.verdict(&KNOWN), second.verdict(&KNOWN)) {
        (Verdict::Failed, _) => Verdict::Failed,
        (_, second) => second,
    };
    assert_eq!(verdict, expected);
    // A tag that was never given out is held by nobody.
    let other = Validators { etag: b"\"\x7f\"", ..KNOWN };
    let is_any = |field: Option<&[u8]>| field.is_some_and(|value| trimmed(value) == b"*");
    if fields.if_none_match.is_some() && !is_any(fields.if_none_match) {
        let alone = Preconditions { if_none_match: fields.if_none_match, ..Default::default() };
        assert_eq!(alone.verdict(&other), Verdict::Proceed);
    }
    // The comparison for parts is strong: the whole value, or nothing.
    let Some(value) = fields.if_range else {
        assert!(fields.allows_range(&KNOWN));
        return;
    };
    if value.contains(&b'"') {
        assert_eq!(fields.allows_range(&KNOWN), trimmed(value) == KNOWN.etag);
    } else if fields.allows_range(&KNOWN) {
        let unsure = Validators { date: KNOWN.last_modified, ..KNOWN };
        assert!(!fields.allows_range(&unsure), "its second isn't over");
    }
}

fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
