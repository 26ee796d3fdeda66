//! Cases of a connection's machine, without a socket: bytes in, bytes out, a clock that stands.

use std::hint::black_box;

use barewire::proto::http1::{BodyLength, Context, Event, Http1, Settings};
use barewire::wire::block::Block;
use barewire::wire::framing::BodyKind;
use barewire::wire::head::HeadSpans;

use super::MOST_ROUNDS;
use super::messages::{DATE, JSON, JSON_FIELDS, SMALL, post};

pub(crate) fn answer_head(rounds: usize) {
    let settings = Settings::default();
    let cx = context(&settings);
    let json = Block::parse(JSON_FIELDS).expect("valid");
    let mut spans = HeadSpans::default();
    let mut out = Vec::with_capacity(1024);
    // Each owes one answer.
    let mut machines: Vec<Http1> = (0..MOST_ROUNDS).map(|_| Http1::new(&cx)).collect();
    for machine in &mut machines {
        machine.next(SMALL, &mut spans, &cx).expect("a valid request");
    }
    for machine in &mut machines[..rounds] {
        out.clear();
        let length = BodyLength::Known(black_box(JSON.len() as u64));
        let head = machine.head(&mut out, black_box(200), &json, length, &cx);
        let _ = black_box(head.expect("it is owed"));
        black_box(&out);
    }
}

pub(crate) fn keep_alive(rounds: usize) {
    connection(rounds, SMALL, |machine, _, out, block, cx| {
        let length = BodyLength::Known(JSON.len() as u64);
        let _ = machine.head(out, 200, block, length, cx).expect("it is owed");
        machine.chunk(out, black_box(JSON)).expect("as long as it says");
    });
}

pub(crate) fn keep_alive_echo(rounds: usize) {
    connection(rounds, &post(1024), |machine, body, out, block, cx| {
        let length = BodyLength::Known(body.len() as u64);
        let _ = machine.head(out, 200, block, length, cx).expect("it is owed");
        machine.chunk(out, body).expect("as long as it says");
    });
}

pub(crate) fn keep_alive_stream(rounds: usize) {
    connection(rounds, SMALL, |machine, _, out, block, cx| {
        let _ = machine.head(out, 200, block, BodyLength::Unknown, cx).expect("it is owed");
        for _ in 0..4 {
            machine.chunk(out, black_box(JSON)).expect("it is under way");
        }
    });
}

/// Request after request on one machine; `answer` brings everything but the end.
fn connection(
    rounds: usize,
    input: &[u8],
    mut answer: impl FnMut(&mut Http1, &[u8], &mut Vec<u8>, &Block, &Context<'_>),
) {
    let settings = Settings::default();
    let cx = context(&settings);
    let json = Block::parse(JSON_FIELDS).expect("valid");
    let mut spans = HeadSpans::default();
    let mut out = Vec::with_capacity(4096);
    let mut machine = Http1::new(&cx);
    // The first one makes room for the spans.
    for _ in 0..=rounds {
        out.clear();
        let mut rest = black_box(input);
        let mut body: &[u8] = &[];
        loop {
            let (used, event) = machine.next(rest, &mut spans, &cx).expect("a valid request");
            match event {
                Event::Data { start, end } => body = &rest[start..end],
                Event::BodyEnd(_) | Event::Request { body: BodyKind::None, .. } => break,
                _ => {}
            }
            rest = &rest[used..];
        }
        answer(&mut machine, body, &mut out, &json, &cx);
        machine.finish(&mut out, &[], &cx).expect("the answer is complete");
        black_box(&out);
    }
    assert!(machine.is_idle());
}

fn context(settings: &Settings) -> Context<'_> {
    Context { settings, now: 0, date: DATE, draining: false }
}
