//! The body of a request as it comes, by its length or in chunks.

use super::Event;
use crate::proto::Fault;
use crate::wire::chunk::{self, Decoder};
use crate::wire::fields::Trailers;

#[derive(Debug)]
pub(super) enum Body {
    Length(u64),
    Chunked(Decoder),
}

impl Body {
    pub(super) fn next(&mut self, input: &[u8]) -> Result<(usize, Event), Fault> {
        match self {
            Body::Length(0) => Ok((0, Event::BodyEnd(Trailers::default()))),
            Body::Length(_) if input.is_empty() => Ok((0, Event::NeedBytes)),
            Body::Length(left) => {
                let end = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= end as u64;
                Ok((end, Event::Data { start: 0, end }))
            }
            Body::Chunked(decoder) => match decoder.next(input).map_err(Fault::Wire)? {
                (used, chunk::Event::Partial) => Ok((used, Event::NeedBytes)),
                (used, chunk::Event::Data { start, end }) => Ok((used, Event::Data { start, end })),
                (used, chunk::Event::End(trailers)) => Ok((used, Event::BodyEnd(trailers))),
            },
        }
    }

    /// How many bytes are still to come, where the head said so.
    pub(super) fn known_rest(&self) -> Option<u64> {
        match self {
            Body::Length(left) => Some(*left),
            Body::Chunked(_) => None,
        }
    }
}
