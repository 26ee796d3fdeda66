//! Conditional requests: RFC 9110 §13 as tables, one row a request.

use barewire::wire::conditional::Verdict::{Failed, NotModified, Proceed};
use barewire::wire::conditional::{Preconditions, Validators, Verdict};

/// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 §5.6.7.
const MODIFIED: u64 = 784_111_777;
const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

const KNOWN: Validators<'_> =
    Validators { etag: b"\"abc\"", last_modified: MODIFIED, date: MODIFIED + 1000 };

/// Fields by the letters of their names: `m`atch, `n`one-match, modified `s`ince, `u`nmodified
/// since, `r`ange.
fn preconditions<'a>(fields: &[(char, &'a [u8])]) -> Preconditions<'a> {
    let mut found = Preconditions::default();
    for &(name, value) in fields {
        let field = match name {
            'm' => &mut found.if_match,
            'n' => &mut found.if_none_match,
            's' => &mut found.if_modified_since,
            'u' => &mut found.if_unmodified_since,
            'r' => &mut found.if_range,
            _ => panic!("no field {name}"),
        };
        *field = Some(value);
    }
    found
}

fn verdict(fields: &[(char, &[u8])]) -> Verdict {
    preconditions(fields).verdict(&KNOWN)
}

/// Lists, and what they match by the strong and by the weak comparison (§8.8.3.2).
const LISTS: &[(&[u8], bool, bool)] = &[
    (b"*", true, true),
    (b" * ", true, true),
    (b"\"abc\"", true, true),
    (b"\t\"abc\" ", true, true),
    (b"W/\"abc\"", false, true),
    (b"\"x\"", false, false),
    (b"\"ABC\"", false, false),
    (b"\"\"", false, false),
    (b"\"abc\",\"x\"", true, true),
    (b"\"x\", \"abc\"", true, true),
    (b"\"x\" ,\t\"abc\" , \"y\"", true, true),
    (b"W/\"x\", W/\"abc\"", false, true),
    (b"W/\"abc\", \"abc\"", true, true),
    // Empty elements (§5.6.1.2).
    (b",\"abc\"", true, true),
    (b"\"x\",, ,\"abc\",", true, true),
    (b"", false, false),
    (b" , ,", false, false),
    // Commas and latin1 in a tag; there are no escapes (§8.8.3).
    (b"\"x,\"abc\"", false, false),
    (b"\"x,y\", \"abc\"", true, true),
    (b"\"a,\", \",abc\"", false, false),
    (b"\"\xe9\xff\", \"abc\"", true, true),
    (b"\"x\\\", \"abc\"", true, true),
    (b"\"!#~\", \"abc\"", true, true),
    // Malformed, also where a tag would match: nothing does.
    (b"abc", false, false),
    (b"\"abc", false, false),
    (b"abc\"", false, false),
    (b"\"abc\"\"x\"", false, false),
    (b"\"abc\" \"x\"", false, false),
    (b"\"abc\", x", false, false),
    (b"\"abc\", *", false, false),
    (b"*, \"abc\"", false, false),
    (b"**", false, false),
    (b"*, *", false, false),
    (b"w/\"abc\"", false, false),
    (b"W/ \"abc\"", false, false),
    (b"W\"abc\"", false, false),
    (b"W/abc", false, false),
    (b"W/W/\"abc\"", false, false),
    (b"\"a bc\", \"abc\"", false, false),
    (b"\"a\tbc\", \"abc\"", false, false),
    (b"\"a\x7f\", \"abc\"", false, false),
    (b"\"abc\"; \"abc\"", false, false),
    (b"'abc'", false, false),
];

#[test]
fn if_match_compares_strongly_and_if_none_match_weakly() {
    for &(list, is_strong_match, is_weak_match) in LISTS {
        let name = list.escape_ascii();
        let wanted = if is_strong_match { Proceed } else { Failed };
        assert_eq!(verdict(&[('m', list)]), wanted, "If-Match: {name}");
        let wanted = if is_weak_match { NotModified } else { Proceed };
        assert_eq!(verdict(&[('n', list)]), wanted, "If-None-Match: {name}");
    }
}

#[test]
fn a_tag_has_every_byte_of_its_grammar_and_no_other() {
    for byte in 0..=u8::MAX {
        let is_valid = byte == 0x21 || (0x23..=0x7e).contains(&byte) || byte >= 0x80;
        let list = [b"\"x", [byte].as_slice(), b"y\", \"abc\""].concat();
        let wanted = if is_valid { NotModified } else { Proceed };
        assert_eq!(verdict(&[('n', &list)]), wanted, "{byte:#x}");
    }
}

/// Dates, and where they lie compared to Last-Modified; none if they are none.
const DATES: &[(&str, Option<i8>)] = &[
    (SAME, Some(0)),
    (BEFORE, Some(-1)),
    (AFTER, Some(1)),
    ("Sunday, 06-Nov-94 08:49:37 GMT", Some(0)),
    ("Sunday, 06-Nov-94 08:49:36 GMT", Some(-1)),
    ("Sun Nov  6 08:49:37 1994", Some(0)),
    ("Sun Nov  6 08:49:38 1994", Some(1)),
    ("Thu, 01 Jan 1970 00:00:00 GMT", Some(-1)),
    ("Fri, 31 Dec 9999 23:59:59 GMT", Some(1)),
    ("Tuesday, 01-Jan-69 00:00:00 GMT", Some(1)),
    // Not valid: ignored.
    ("", None),
    ("0", None),
    ("-1", None),
    ("784111777", None),
    ("yesterday", None),
    ("Mon, 06 Nov 1994 08:49:37 GMT", None),
    ("Sun, 06 Nov 1994 08:49:37 UTC", None),
    ("Sun, 06 Nov 1994 08:49:37 +0000", None),
    ("Sun, 06 Nov 1994 08:49:37", None),
    ("Sun, 06 nov 1994 08:49:37 GMT", None),
    ("Sun, 6 Nov 1994 08:49:37 GMT", None),
    ("Sun, 06 Nov 1994 24:49:37 GMT", None),
    ("Sun, 06 Nov 1994 08:60:37 GMT", None),
    ("Wed, 30 Feb 1994 08:49:37 GMT", None),
    ("Mon, 06 Nov 0000 08:49:37 GMT", None),
    ("Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", None),
    ("\"abc\"", None),
];

#[test]
fn dates_compare_in_seconds_and_invalid_ones_are_ignored() {
    for &(date, order) in DATES {
        let wanted = if order.is_some_and(|order| order >= 0) { NotModified } else { Proceed };
        assert_eq!(verdict(&[('s', date.as_bytes())]), wanted, "If-Modified-Since: {date}");
        let wanted = if order.is_some_and(|order| order < 0) { Failed } else { Proceed };
        assert_eq!(verdict(&[('u', date.as_bytes())]), wanted, "If-Unmodified-Since: {date}");
    }
    assert_eq!(verdict(&[('s', b"\xff\xfe")]), Proceed);
}

#[test]
fn the_order_is_that_of_13_2_2() {
    let same = SAME.as_bytes();
    let (before, after) = (BEFORE.as_bytes(), AFTER.as_bytes());
    let (tag, other): (&[u8], &[u8]) = (b"\"abc\"", b"\"x\"");
    for (fields, wanted) in [
        (vec![], Proceed),
        // If-Match hides If-Unmodified-Since, whatever they say.
        (vec![('m', tag), ('u', before)], Proceed),
        (vec![('m', other), ('u', after)], Failed),
        (vec![('m', b"junk".as_slice()), ('u', after)], Failed),
        // If-None-Match hides If-Modified-Since, also if it is malformed.
        (vec![('n', tag), ('s', before)], NotModified),
        (vec![('n', other), ('s', same)], Proceed),
        (vec![('n', b"junk".as_slice()), ('s', same)], Proceed),
        // The first pair fails before the second is asked.
        (vec![('m', other), ('n', tag)], Failed),
        (vec![('u', before), ('s', same)], Failed),
        (vec![('u', before), ('n', tag)], Failed),
        (vec![('m', tag), ('n', tag)], NotModified),
        (vec![('m', tag), ('s', same)], NotModified),
        (vec![('u', same), ('n', tag)], NotModified),
        (vec![('u', same), ('s', same)], NotModified),
        (vec![('u', same), ('s', before)], Proceed),
        (vec![('m', b"*".as_slice()), ('n', b"*".as_slice())], NotModified),
        // If-Range is no part of it.
        (vec![('r', other)], Proceed),
        (vec![('r', other), ('n', tag)], NotModified),
    ] {
        assert_eq!(verdict(&fields), wanted, "{fields:?}");
    }
}

#[test]
fn if_range_matches_strongly_or_not_at_all() {
    for (value, wanted) in [
        (b"\"abc\"".as_slice(), true),
        (b" \"abc\" ", true),
        (b"W/\"abc\"", false),
        (b"\"x\"", false),
        (b"\"abc", false),
        (b"abc", false),
        (b"*", false),
        (b"", false),
        // One tag, not a list.
        (b"\"abc\", \"abc\"", false),
        (b"\"x\", \"abc\"", false),
        (b"\"abc\"x", false),
        (SAME.as_bytes(), true),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", true),
        (b"Sun Nov  6 08:49:37 1994", true),
        (BEFORE.as_bytes(), false),
        (AFTER.as_bytes(), false),
        (b"Sun, 06 Nov 1994 08:49:37 UTC", false),
    ] {
        let found = preconditions(&[('r', value)]).allows_range(&KNOWN);
        assert_eq!(found, wanted, "{}", value.escape_ascii());
    }
    assert!(preconditions(&[]).allows_range(&KNOWN));
}

#[test]
fn a_date_is_no_strong_validator_until_its_second_is_over() {
    let by_date = preconditions(&[('r', SAME.as_bytes())]);
    let by_tag = preconditions(&[('r', b"\"abc\"")]);
    for (date, wanted) in [(MODIFIED - 1, false), (MODIFIED, false), (MODIFIED + 1, true)] {
        let validators = Validators { date, ..KNOWN };
        assert_eq!(by_date.allows_range(&validators), wanted, "{date}");
        assert!(by_tag.allows_range(&validators));
    }
}
