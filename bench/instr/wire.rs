//! Cases of the formats: bytes in, meaning out, and back.

use std::hint::black_box;

use barewire::wire::block::Block;
use barewire::wire::framing::Framing;
use barewire::wire::head::{Head, HeadLimits, HeadSpans, Scanner};
use barewire::wire::{chunk, encode, multipart, percent, range};

use super::messages::{BROWSER, SMALL, post, with_fields};

pub(crate) fn head_small(rounds: usize) {
    head(rounds, SMALL);
}

pub(crate) fn head_browser(rounds: usize) {
    head(rounds, BROWSER);
}

pub(crate) fn head_100(rounds: usize) {
    head(rounds, &with_fields(100));
}

fn head(rounds: usize, input: &[u8]) {
    let limits = HeadLimits::default();
    let mut spans = HeadSpans::default();
    // The first one makes room for the spans.
    for _ in 0..=rounds {
        let input = black_box(input);
        let found = Scanner::default().scan(input, &limits).expect("within the limits");
        let extent = found.expect("a whole head");
        black_box(Head::parse(input, extent, &mut spans).expect("a valid head"));
    }
}

pub(crate) fn framing_get(rounds: usize) {
    framing(rounds, BROWSER);
}

pub(crate) fn framing_post(rounds: usize) {
    framing(rounds, &post(0));
}

fn framing(rounds: usize, input: &[u8]) {
    let mut spans = HeadSpans::default();
    let extent = Scanner::default().scan(input, &HeadLimits::default()).expect("within the limits");
    let head = Head::parse(input, extent.expect("a whole head"), &mut spans).expect("valid");
    for _ in 0..rounds {
        black_box(Framing::decide(black_box(&head)).expect("valid"));
    }
}

pub(crate) fn chunk_decode(rounds: usize) {
    let mut input = b"40\r\n".to_vec();
    input.extend([b'x'; 64]);
    input.extend(b"\r\n");
    let mut input = input.repeat(16);
    input.extend(b"0\r\n\r\n");
    for _ in 0..rounds {
        let mut decoder = chunk::Decoder::new();
        let mut rest = black_box(&input[..]);
        loop {
            let (used, event) = decoder.next(rest).expect("valid");
            rest = &rest[used..];
            if let chunk::Event::End(trailers) = black_box(event) {
                assert!(rest.is_empty() && trailers.is_empty());
                break;
            }
        }
    }
}

pub(crate) fn chunk_encode(rounds: usize) {
    let mut out = Vec::with_capacity(256);
    for _ in 0..rounds {
        out.clear();
        encode::chunk(&mut out, black_box(&[b'x'; 64]));
        black_box(&out);
    }
}

pub(crate) fn block_fill(rounds: usize) {
    let text = b"content-type\0text/html; charset=utf-8\0cache-control\0private, max-age=60\0\
        etag\0\"686897696a7c876b7e\"\0vary\0Accept-Encoding\0x-request-id\x000f4e2d6c-11\0\
        strict-transport-security\0max-age=31536000; includeSubDomains";
    let mut block = Block::default();
    for _ in 0..=rounds {
        block.fill_text(black_box(text)).expect("valid");
        black_box(&block);
    }
}

pub(crate) fn percent_decode(rounds: usize) {
    let path = b"/files/annual%20report%202026/caf%C3%A9/%5Bdraft%5D.pdf";
    let mut out = Vec::with_capacity(256);
    for _ in 0..rounds {
        out.clear();
        percent::decode(black_box(path), &mut out).expect("valid");
        black_box(&out);
    }
}

pub(crate) fn range_parse(rounds: usize) {
    for _ in 0..rounds {
        let value = black_box(&b"bytes=0-499, 1000-1499, -500"[..]);
        let _ = black_box(range::parse(value, black_box(1 << 20)));
    }
}

pub(crate) fn multipart_fields(rounds: usize) {
    let part = |index: usize| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"field{index}\"\r\n\r\nvalue\r\n")
    };
    let body: String = (0..8).map(part).collect();
    form(rounds, &[body.as_bytes(), b"--limit--\r\n"].concat());
}

pub(crate) fn multipart_file(rounds: usize) {
    let head =
        b"--limit\r\nContent-Disposition: form-data; name=\"upload\"; filename=\"a.bin\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n";
    // With line ends in it, where each could begin a delimiter.
    let file = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n".repeat(1024);
    form(rounds, &[head, &file[..], b"\r\n--limit--\r\n"].concat());
}

fn form(rounds: usize, body: &[u8]) {
    for _ in 0..rounds {
        let mut parser = multipart::Parser::new(black_box(b"limit")).expect("a valid boundary");
        let mut rest = black_box(body);
        loop {
            let (used, event) = parser.next(rest).expect("valid");
            rest = &rest[used..];
            if black_box(event) == multipart::Event::Partial {
                break;
            }
        }
        parser.finish().expect("complete");
    }
}
