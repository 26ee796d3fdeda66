//! The parser of multipart forms for `lib/multipart.js`: a call for each event, so one for each
//! part of an upload that is in the middle of a file. What a form means isn't known here.

use napi::Error;
use napi_derive::napi;

use super::engine::coded;
use super::values;
use crate::wire::block::text_of_fields;
use crate::wire::multipart::{self, Event, Parser, Part};

/// What [`MultipartParser::next`] found, and how many bytes led to it.
#[napi(object, object_from_js = false)]
pub struct NativeEvent {
    /// 0 is more bytes are needed, 1 a part begins, 2 data, 3 the part ends.
    pub kind: u32,
    pub used: f64,
    /// Only where a part begins.
    pub part: Option<NativePart>,
}

/// The header of a part.
#[napi(object, object_from_js = false)]
pub struct NativePart {
    pub name: String,
    pub filename: Option<String>,
    /// Its fields as a header block, `name NUL value NUL …`, with names in lower case.
    pub block: String,
}

/// Parses one body.
#[napi]
pub struct MultipartParser {
    parser: Parser,
}

#[napi]
impl MultipartParser {
    /// Throws for a boundary that isn't one.
    #[napi(constructor)]
    pub fn new(boundary: String) -> Result<Self, Error<&'static str>> {
        let parser = Parser::new(boundary.as_bytes()).map_err(of_parser)?;
        Ok(MultipartParser { parser })
    }

    /// Looks on from an offset of a chunk; what isn't used has to begin the next one.
    #[napi(catch_unwind)]
    pub fn next(&mut self, chunk: &[u8], from: f64) -> Result<NativeEvent, Error<&'static str>> {
        let input = chunk.get(from as usize..).unwrap_or_default();
        let (used, event) = self.parser.next(input).map_err(of_parser)?;
        let (kind, part) = match event {
            Event::Partial => (0, None),
            Event::PartBegin(part) => (1, Some(native(part, input))),
            Event::Data => (2, None),
            Event::PartEnd => (3, None),
        };
        Ok(NativeEvent { kind, used: used as f64, part })
    }

    /// Throws if the body may not end here.
    #[napi]
    pub fn finish(&self) -> Result<(), Error<&'static str>> {
        self.parser.finish().map_err(of_parser)
    }
}

fn native(part: Part, input: &[u8]) -> NativePart {
    let fields = part.fields.iter();
    let fields = fields.map(|field| (field.name(input).to_ascii_lowercase(), field.value(input)));
    let block = values::of_latin1(&text_of_fields(fields));
    NativePart { name: part.name, filename: part.filename, block }
}

fn of_parser(error: multipart::Error) -> Error<&'static str> {
    let is_limit = error.status() == 413;
    coded(if is_limit { "ERR_BAREWIRE_LIMIT" } else { "ERR_BAREWIRE_MULTIPART" }, error.reason())
}
