//! Range requests: RFC 9110 §14 as tables, and a naive twin over random sets.

use std::ops::Range;

use barewire::limits;
use barewire::wire::range::{self, Ranges};

use super::ways::Random;

/// What a field asks for as text: `whole`, `none`, or `0-9 20-29` with the last byte included.
fn read(value: &[u8], length: u64) -> String {
    match range::parse(value, length) {
        Ranges::Whole => "whole".into(),
        Ranges::Unsatisfiable => "none".into(),
        Ranges::Satisfiable(ranges) => {
            let parts = ranges.iter().map(|part| format!("{}-{}", part.start, part.end - 1));
            parts.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Of 100 bytes.
const CASES: &[(&str, &str)] = &[
    ("bytes=0-0", "0-0"),
    ("bytes=0-9", "0-9"),
    ("bytes=99-99", "99-99"),
    ("bytes=0-99", "0-99"),
    ("bytes=0-", "0-99"),
    ("bytes=99-", "99-99"),
    ("bytes=-1", "99-99"),
    ("bytes=-100", "0-99"),
    ("BYTES=0-9", "0-9"),
    ("Bytes=0-9", "0-9"),
    ("bytes=007-09", "7-9"),
    // Cut at the end.
    ("bytes=0-100", "0-99"),
    ("bytes=90-1000", "90-99"),
    ("bytes=-101", "0-99"),
    ("bytes=0-18446744073709551615", "0-99"),
    ("bytes=0-18446744073709551616", "0-99"),
    ("bytes=5-99999999999999999999999999999999999999", "5-99"),
    ("bytes=-99999999999999999999999999999999999999", "0-99"),
    // Behind the end.
    ("bytes=100-", "none"),
    ("bytes=100-100", "none"),
    ("bytes=100-200, 300-", "none"),
    ("bytes=-0", "none"),
    ("bytes=-00", "none"),
    ("bytes=18446744073709551615-", "none"),
    ("bytes=18446744073709551616-", "none"),
    ("bytes=18446744073709551616-18446744073709551617", "none"),
    // Several: in the order asked for, those behind the end dropped.
    ("bytes=0-9,20-29", "0-9 20-29"),
    ("bytes=20-29,0-9", "20-29 0-9"),
    ("bytes=0-0,-1", "0-0 99-99"),
    ("bytes=0-9,100-", "0-9"),
    ("bytes=-0,5-5", "5-5"),
    ("bytes=0-9,10-19", "0-9 10-19"),
    ("bytes=0-9,5-14", "0-9 5-14"),
    ("bytes=0-9,0-9", "0-9 0-9"),
    ("bytes=0-49,50-99", "0-49 50-99"),
    // White space and empty elements of the list (§5.6.1); §14.1.2 has an example with the first.
    ("bytes= 0-9, 20-29, -1", "0-9 20-29 99-99"),
    ("bytes=0-9 ,\t20-29 ", "0-9 20-29"),
    ("bytes=,0-9,,20-29,", "0-9 20-29"),
    (" bytes=0-9", "0-9"),
    // Another unit.
    ("items=0-9", "whole"),
    ("byte=0-9", "whole"),
    ("bytess=0-9", "whole"),
    ("none", "whole"),
    // Wrong syntax, anywhere.
    ("", "whole"),
    ("bytes", "whole"),
    ("bytes=", "whole"),
    ("bytes=,", "whole"),
    ("bytes= , ,", "whole"),
    ("bytes=-", "whole"),
    ("bytes=--1", "whole"),
    ("bytes=0", "whole"),
    ("bytes=0--9", "whole"),
    ("bytes=0-9-", "whole"),
    ("bytes=9-0", "whole"),
    ("bytes=200-100", "whole"),
    ("bytes=0-9,9-0", "whole"),
    ("bytes=0-9,x", "whole"),
    ("bytes=100-,x", "whole"),
    ("bytes=0-9;20-29", "whole"),
    ("bytes=0-9 20-29", "whole"),
    ("bytes=0 -9", "whole"),
    ("bytes=0- 9", "whole"),
    ("bytes=- 9", "whole"),
    ("bytes=+0-9", "whole"),
    ("bytes=0-+9", "whole"),
    ("bytes=0x0-9", "whole"),
    ("bytes=a-b", "whole"),
    ("bytes=*", "whole"),
    ("bytes =0-9", "whole"),
    ("bytes:0-9", "whole"),
    ("bytes 0-9", "whole"),
    ("bytes 0-9/100", "whole"),
    ("bytes=0-9, bytes=20-29", "whole"),
    ("bytes==0-9", "whole"),
    // More than there is, and more than two over one byte.
    ("bytes=0-,0-0", "whole"),
    ("bytes=0-59,50-99", "whole"),
    ("bytes=0-9,0-9,0-9", "whole"),
    ("bytes=0-9,5-14,9-20", "whole"),
    ("bytes=9-20,0-9,5-14", "whole"),
    ("bytes=0-9,5-14,10-20", "0-9 5-14 10-20"),
    ("bytes=0-0,0-0,1-1,1-1", "0-0 0-0 1-1 1-1"),
    ("bytes=1-1,0-2,3-3,0-0", "1-1 0-2 3-3 0-0"),
];

#[test]
fn ranges_of_a_hundred_bytes() {
    for (value, wanted) in CASES {
        assert_eq!(read(value.as_bytes(), 100), *wanted, "{value:?}");
    }
    assert_eq!(read(b"bytes=0-\xff", 100), "whole");
    assert_eq!(read(b"bytes=0-9\0", 100), "whole");
}

#[test]
fn what_is_empty_is_sent_whole() {
    for value in ["bytes=0-", "bytes=0-0", "bytes=5-9", "bytes=-1", "bytes=-0", "bytes=0-0,-1"] {
        assert_eq!(read(value.as_bytes(), 0), "whole", "{value:?}");
    }
}

#[test]
fn one_byte_and_the_largest_length() {
    let most = u64::MAX;
    for (value, length, wanted) in [
        ("bytes=0-0", 1, "0-0".to_string()),
        ("bytes=0-", 1, "0-0".into()),
        ("bytes=-1", 1, "0-0".into()),
        ("bytes=-2", 1, "0-0".into()),
        ("bytes=1-", 1, "none".into()),
        ("bytes=0-", most, format!("0-{}", most - 1)),
        ("bytes=-1", most, format!("{0}-{0}", most - 1)),
        ("bytes=0-18446744073709551615", most, format!("0-{}", most - 1)),
        ("bytes=18446744073709551614-", most, format!("{0}-{0}", most - 1)),
        ("bytes=18446744073709551615-", most, "none".into()),
        // The sum is above what can be counted.
        ("bytes=0-,1-", most, "whole".into()),
    ] {
        assert_eq!(read(value.as_bytes(), length), wanted, "{value:?} of {length}");
    }
}

#[test]
fn more_ranges_than_the_limit_are_ignored() {
    let set = |count: usize| {
        let ranges: Vec<_> = (0..count).map(|at| format!("{0}-{0}", at * 10)).collect();
        format!("bytes={}", ranges.join(","))
    };
    assert_eq!(read(set(limits::RANGES).as_bytes(), 10_000).split(' ').count(), limits::RANGES);
    assert_eq!(read(set(limits::RANGES + 1).as_bytes(), 10_000), "whole");
    // Also those that would be dropped.
    let behind = vec!["200-"; limits::RANGES].join(",");
    assert_eq!(read(format!("bytes={behind}").as_bytes(), 100), "none");
    assert_eq!(read(format!("bytes=0-0,{behind}").as_bytes(), 100), "whole");
}

#[test]
fn a_range_set_is_that_of_a_naive_twin() {
    let mut random = Random(0x7A_6E55);
    let mut seen = [0; 3];
    for _ in 0..20_000 {
        let length = 1 + random.below(12) as u64;
        let mut specs = Vec::new();
        for _ in 0..=random.below(4) {
            let (first, last) = (random.below(14), random.below(14));
            specs.push(match random.below(6) {
                0 => format!("{first}-"),
                1 => format!("-{last}"),
                _ => format!("{first}-{last}"),
            });
        }
        let value = format!("bytes={}", specs.join(","));
        let wanted = naive(&specs, length);
        seen[usize::from(wanted == "whole") + 2 * usize::from(wanted == "none")] += 1;
        assert_eq!(read(value.as_bytes(), length), wanted, "{value} of {length}");
    }
    assert!(seen.iter().all(|&count| count > 500), "{seen:?}");
}

/// The rules byte by byte.
fn naive(specs: &[String], length: u64) -> String {
    let mut asked = vec![0; length as usize];
    let mut parts = Vec::new();
    for spec in specs {
        let (first, last) = spec.split_once('-').expect("a dash");
        let number = |text: &str| text.parse::<u64>().ok();
        let is_asked = |at: u64| match (number(first), number(last)) {
            (Some(first), Some(last)) => first <= at && at <= last,
            (Some(first), None) => first <= at,
            (None, Some(count)) => at + count >= length,
            (None, None) => unreachable!(),
        };
        if matches!((number(first), number(last)), (Some(first), Some(last)) if last < first) {
            return "whole".into();
        }
        let bytes: Vec<_> = (0..length).filter(|&at| is_asked(at)).collect();
        for &at in &bytes {
            asked[at as usize] += 1;
        }
        if let (Some(first), Some(last)) = (bytes.first(), bytes.last()) {
            parts.push(format!("{first}-{last}"));
        }
    }
    if asked.iter().any(|&times| times > 2) || asked.iter().sum::<u64>() > length {
        return "whole".into();
    }
    if parts.is_empty() { "none".into() } else { parts.join(" ") }
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"kept ".to_vec();
    write(&mut out);
    let text = String::from_utf8(out).expect("ASCII");
    text.strip_prefix("kept ").expect("what stood in the buffer stays").to_string()
}

#[test]
fn content_range_names_the_last_byte_and_the_length() {
    for (part, length, wanted) in [
        (0..10, 100, "bytes 0-9/100"),
        (0..1, 1, "bytes 0-0/1"),
        (99..100, 100, "bytes 99-99/100"),
        (
            u64::MAX - 1..u64::MAX,
            u64::MAX,
            "bytes 18446744073709551614-18446744073709551614/18446744073709551615",
        ),
    ] {
        assert_eq!(written(|out| range::content_range(out, &part, length)), wanted);
    }
    assert_eq!(written(|out| range::unsatisfied_range(out, 100)), "bytes */100");
    assert_eq!(written(|out| range::unsatisfied_range(out, 0)), "bytes */0");
}

#[test]
fn parts_stand_between_boundaries() {
    let content = b"abcdefghijklmnopqrstuvwxyz";
    let Ranges::Satisfiable(parts) = range::parse(b"bytes=0-4,-2", 26) else {
        panic!("satisfiable");
    };
    let multipart = written(|out| {
        for Range { start, end } in parts {
            range::part_head(out, b"B", Some(b"text/plain"), &(start..end), 26).expect("valid");
            out.extend_from_slice(&content[start as usize..end as usize]);
        }
        range::last_boundary(out, b"B");
    });
    assert_eq!(
        multipart,
        "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-4/26\r\n\r\nabcde\
         \r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 24-25/26\r\n\r\nyz\
         \r\n--B--\r\n"
    );
    let untyped = written(|out| range::part_head(out, b"B", None, &(0..1), 1).expect("valid"));
    assert_eq!(untyped, "\r\n--B\r\nContent-Range: bytes 0-0/1\r\n\r\n");
}

#[test]
fn a_part_with_an_invalid_type_leaves_no_byte() {
    for value in [b"text/plain\r\nX: y".as_slice(), b"a\0b", b"\n"] {
        let mut out = b"kept".to_vec();
        assert!(range::part_head(&mut out, b"B", Some(value), &(0..1), 1).is_err());
        assert_eq!(out, b"kept");
    }
}
