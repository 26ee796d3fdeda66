//! Files for `lib/`: a directory's files as answers to requests, single files as bodies. What they
//! give are numbers of [`super::held`].

use std::cell::RefCell;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::rc::Rc;

use napi::bindgen_prelude::{External, JsObjectValue, JsValue, This, Uint8Array, Unknown};
use napi::{Env, Error};
use napi_derive::napi;
use napi_sys::{napi_callback_info, napi_env, napi_value};

use super::calls;
use super::engine::{coded, of_io};
use super::held::{self, Body};
use super::values::{self, Failed, Js, Words};
use crate::net::{FileSpan, Piece};
use crate::server::Block;
use crate::server::files::{
    AddedFields, Coding, FileAnswer, FileRequest, Files, FilesConfig, Found, FoundFile, Symlinks,
    media_type, open_file,
};
use crate::wire::block::{fields_of_text, text_of_fields};

// What `facts` tells of the answer that was found last.
const STATUS: usize = 0;
const LENGTH_LOW: usize = 1;
const LENGTH_HIGH: usize = 2;
const NUMBER_LOW: usize = 3;
const NUMBER_HIGH: usize = 4;
const FACTS: usize = 5;

/// In the word of options, above the six bits of codings.
const IS_GET: u32 = 64;

/// The files below a directory.
#[napi]
pub struct Directory {
    _shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    files: Files,
    added: AddedFields,
    facts: Words,
    /// Path and fields of the request that is being asked about.
    texts: RefCell<(Vec<u8>, Vec<u8>)>,
}

#[napi]
impl Directory {
    /// Opens a directory.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        this: This<'_>,
        path: String,
        config: DirectoryConfig,
    ) -> Result<Self, Error<&'static str>> {
        let added = added_fields(&config.added)?;
        let files = Files::open(Path::new(&path), config.into()).map_err(|error| of_io(&error))?;
        // SAFETY: napi calls with a live environment on its thread; what keeps it is dropped by
        // finalizers, which come before its end.
        let js = unsafe { Js::new(env.raw()) };
        let refused = || coded("ERR_BAREWIRE_PANIC", "Node-API refused a call");
        let (array, facts) = js.words(FACTS).map_err(|_| refused())?;
        let shared = Rc::new(Shared { files, added, facts, texts: RefCell::default() });
        let mut this = this.object;
        let functions = [(c"serve", Some(serve as calls::Callback))];
        calls::install(js, this.raw(), &shared, &functions).map_err(|_| refused())?;
        // SAFETY: a value of this environment and scope.
        let array = unsafe { Unknown::from_raw_unchecked(env.raw(), array) };
        this.set_named_property("facts", array).map_err(|_| refused())?;
        Ok(Directory { _shared: shared })
    }
}

/// What `lib/static-options.js` has read.
#[napi(object, object_to_js = false)]
pub struct DirectoryConfig {
    pub index: Option<String>,
    pub dotfiles: bool,
    /// `inside`, `never` or `anywhere`.
    pub symlinks: String,
    pub precompressed: bool,
    /// A header block.
    pub added: String,
}

impl From<DirectoryConfig> for FilesConfig {
    fn from(config: DirectoryConfig) -> Self {
        FilesConfig {
            index: config.index,
            dotfiles: config.dotfiles,
            symlinks: match config.symlinks.as_str() {
                "anywhere" => Symlinks::Anywhere,
                "never" => Symlinks::Never,
                _ => Symlinks::Inside,
            },
            precompressed: config.precompressed,
        }
    }
}

/// `serve(path: string, lines: string, start: number, options: number): string | number`: the
/// header block of the answer to a request for a path, percent-encoded, with `facts` for the rest;
/// or the status of one without a file: 301 for a directory without its slash, 400 for what is no
/// path, 404.
///
/// The request's fields are the lines from `start` on. `options` names the codings that the client
/// takes, best first, two bits for each: 1 br, 2 zstd, 3 gzip; and whether it is GET.
unsafe extern "C" fn serve(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, [path, lines, start, options]: [napi_value; 4]| {
        let (name, text) = &mut *shared.texts.borrow_mut();
        js.read_latin1(path, name)?;
        js.read_latin1(lines, text)?;
        let (start, options) = (js.float(start)? as usize, js.float(options)? as u32);
        let codings: Vec<Coding> = (0..3)
            .filter_map(|place| {
                Coding::ALL.get((options >> (2 * place) & 3).checked_sub(1)? as usize)
            })
            .copied()
            .collect();
        let found = match shared.files.find(name, &codings) {
            Ok(Found::File(found)) => found,
            Ok(Found::Directory) => return js.number(301),
            Ok(Found::Malformed) => return js.number(400),
            Ok(Found::Nothing) => return js.number(404),
            Err(error) => {
                let error = of_io(&error);
                js.throw(error.status, &error.reason);
                return Err(Failed);
            }
        };
        let fields = fields_of(text.get(start..).unwrap_or_default());
        let request = FileRequest::new(options & IS_GET != 0, fields);
        let answer = FileAnswer::new(found, &request, &shared.added);
        let length = Piece::total(&answer.pieces);
        let block = js.latin1(&text_of_fields(fields_of(answer.block.lines())))?;
        let number = held::hold(Body { pieces: answer.pieces, block: answer.block }) as u64;
        for (place, value) in [
            (STATUS, u32::from(answer.status)),
            (LENGTH_LOW, length as u32),
            (LENGTH_HIGH, (length >> 32) as u32),
            (NUMBER_LOW, number as u32),
            (NUMBER_HIGH, (number >> 32) as u32),
        ] {
            shared.facts.set(place, value);
        }
        Ok(block)
    };
    // SAFETY: made by `install` with this type.
    unsafe { calls::call(env, info, run) }
}

/// An answer: its status, its fields as a header block, its length, its number.
#[napi(object, object_from_js = false)]
pub struct FileResponse {
    pub status: u16,
    pub block: String,
    pub length: f64,
    pub body: f64,
}

/// The answer to a request for one file; `lines` are the request's fields, `added` is a header
/// block.
#[napi]
pub fn serve_file(
    path: String,
    lines: String,
    is_get: bool,
    added: String,
) -> Result<FileResponse, Error<&'static str>> {
    let file = open_file(Path::new(&path)).map_err(|error| of_io(&error))?;
    let media_type = media_type(path.as_bytes());
    let found = FoundFile { file, coding: None, media_type, varies: false };
    let request = FileRequest::new(is_get, fields_of(lines.as_bytes()));
    let answer = FileAnswer::new(found, &request, &added_fields(&added)?);
    Ok(FileResponse {
        status: answer.status,
        block: values::of_latin1(&text_of_fields(fields_of(answer.block.lines()))),
        length: Piece::total(&answer.pieces) as f64,
        body: held::hold(Body { pieces: answer.pieces, block: answer.block }),
    })
}

/// One open file.
#[napi(object, object_from_js = false)]
pub struct OpenedFile {
    pub length: f64,
    pub body: f64,
}

/// Opens one file as a body.
#[napi]
pub fn open_body(path: String) -> Result<OpenedFile, Error<&'static str>> {
    let file = open_file(Path::new(&path)).map_err(|error| of_io(&error))?;
    let span = FileSpan { file: file.file, start: 0, length: file.length };
    let body = Body { pieces: vec![Piece::File(span)], block: Block::default() };
    Ok(OpenedFile { length: file.length as f64, body: held::hold(body) })
}

/// The media type of a file of this name.
#[napi]
pub fn media_type_of(path: String) -> &'static str {
    media_type(path.as_bytes())
}

/// A part of a body as JavaScript reads it.
#[napi(object, object_from_js = false)]
pub struct FilePart {
    /// It is here.
    pub bytes: Option<Uint8Array>,
    /// It lies in the file of this descriptor, which the body keeps open.
    pub descriptor: Option<i32>,
    pub start: Option<f64>,
    pub length: f64,
}

/// The parts of a body, for a reader in JavaScript, who must keep the body meanwhile.
#[napi]
pub fn body_parts(body: f64) -> Vec<FilePart> {
    let part = |piece: Piece| match piece {
        Piece::Bytes(bytes) => FilePart {
            length: bytes.len() as f64,
            bytes: Some(Uint8Array::new(bytes)),
            descriptor: None,
            start: None,
        },
        Piece::File(span) => FilePart {
            bytes: None,
            descriptor: Some(span.file.as_raw_fd()),
            start: Some(span.start as f64),
            length: span.length as f64,
        },
    };
    held::copy(body).map(|body| body.pieces.into_iter().map(part).collect()).unwrap_or_default()
}

/// A second body of the same pieces; 0 of one that was taken.
#[napi]
pub fn clone_body(original: f64) -> f64 {
    held::copy(original).map_or(0.0, held::hold)
}

/// Closes a body that isn't sent.
#[napi]
pub fn close_body(body: f64) {
    drop(held::take(body));
}

/// Closes a body that isn't sent, when it is collected.
pub struct Guard(f64);

impl Drop for Guard {
    fn drop(&mut self) {
        drop(held::take(self.0));
    }
}

/// A guard for a body.
#[napi]
pub fn guard_body(body: f64) -> External<Guard> {
    External::new(Guard(body))
}

/// The fields of header lines; what is no line is left out.
fn fields_of(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.split(|&byte| byte == b'\n').filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

fn added_fields(block: &str) -> Result<AddedFields, Error<&'static str>> {
    let text = values::to_latin1(block);
    let fields = fields_of_text(&text);
    AddedFields::new(fields).map_err(|error| coded("ERR_BAREWIRE_HEADER", &error.to_string()))
}
