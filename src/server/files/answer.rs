//! What of a file a request gets: all of it, ranges, the news that it hasn't changed, or a refusal
//! (RFC 9110 §13, §14).

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use super::{AddedFields, FileRequest, FoundFile};
use crate::net::disk;
use crate::net::{FileSpan, Piece};
use crate::wire::block::Block;
use crate::wire::conditional::{Validators, Verdict};
use crate::wire::range::{self, Ranges};

/// A whole answer. HEAD gets it, too; its body is dropped where it is sent.
#[derive(Debug)]
pub struct FileAnswer {
    /// 200, 206, 304, 412 or 416.
    pub status: u16,
    /// Its fields.
    pub block: Block,
    /// Its body.
    pub pieces: Vec<Piece>,
}

impl FileAnswer {
    /// Decides by §13.2.2 and makes the answer, as of now.
    pub fn new(found: FoundFile, request: &FileRequest<'_>, added: &AddedFields) -> FileAnswer {
        let now = disk::now();
        // What claims to be from the future is as of now (§8.8.2.1).
        let modified = found.file.modified.min(now);
        let etag = etag(&found);
        let validators =
            Validators { etag: &etag, last_modified: modified.as_secs(), date: now.as_secs() };
        let length = found.file.length;
        let mut answer = Making { status: 200, block: Block::default(), pieces: vec![], added };
        answer.push("etag", |out| out.extend_from_slice(&etag));
        let date = httpdate::HttpDate::from(SystemTime::UNIX_EPOCH + modified);
        answer.push("last-modified", |out| drop(write!(out, "{date}")));
        if found.varies {
            answer.push("vary", |out| out.extend_from_slice(b"accept-encoding"));
        }
        let preconditions = request.preconditions();
        match preconditions.verdict(&validators) {
            Verdict::Proceed => {}
            Verdict::NotModified => return answer.bare(304),
            Verdict::Failed => return answer.refused(412, "The file is another one by now.\n"),
        }
        let ranges = match request.range() {
            Some(range) if preconditions.allows_range(&validators) => range::parse(range, length),
            _ => Ranges::Whole,
        };
        if ranges == Ranges::Unsatisfiable {
            answer.push("content-range", |out| range::unsatisfied_range(out, length));
            return answer.refused(416, "The file has no such range.\n");
        }
        answer.push("accept-ranges", |out| out.extend_from_slice(b"bytes"));
        if let Some(coding) = found.coding {
            answer.push("content-encoding", |out| out.extend_from_slice(coding.name.as_bytes()));
        }
        let file = found.file.file;
        match ranges {
            Ranges::Satisfiable(ranges) if ranges.len() > 1 => {
                answer.parts(&file, &ranges, length, found.media_type)
            }
            Ranges::Satisfiable(ranges) => {
                for range in ranges {
                    answer.status = 206;
                    answer.push("content-range", |out| range::content_range(out, &range, length));
                    answer.pieces.push(span(&file, &range));
                }
                answer.of_type(found.media_type)
            }
            Ranges::Whole | Ranges::Unsatisfiable => {
                answer.pieces.push(span(&file, &(0..length)));
                answer.of_type(found.media_type)
            }
        }
    }
}

/// An answer that isn't complete.
struct Making<'a> {
    status: u16,
    block: Block,
    pieces: Vec<Piece>,
    added: &'a AddedFields,
}

impl Making<'_> {
    /// Adds a field of the answer's own, which is valid by what it is made of.
    fn push(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if !self.added.replaces(name.as_bytes()) {
            self.block.push_valid(name, value);
        }
    }

    fn bare(mut self, status: u16) -> FileAnswer {
        self.block.append(&self.added.block);
        FileAnswer { status, block: self.block, pieces: self.pieces }
    }

    fn of_type(mut self, media_type: &str) -> FileAnswer {
        let media_type = self.added.content_type.as_deref().unwrap_or(media_type.as_bytes());
        self.block.push_valid("content-type", |out| out.extend_from_slice(media_type));
        let status = self.status;
        self.bare(status)
    }

    fn refused(mut self, status: u16, text: &str) -> FileAnswer {
        let media_type = b"text/plain; charset=utf-8";
        self.block.push_valid("content-type", |out| out.extend_from_slice(media_type));
        self.pieces = vec![Piece::Bytes(text.as_bytes().to_vec())];
        self.bare(status)
    }

    /// Several ranges are a multipart/byteranges (§14.6).
    fn parts(
        mut self,
        file: &Arc<File>,
        ranges: &[Range<u64>],
        length: u64,
        media_type: &str,
    ) -> FileAnswer {
        let boundary = boundary();
        let media_type = self.added.content_type.as_deref().unwrap_or(media_type.as_bytes());
        for range in ranges {
            let mut head = Vec::new();
            // Its only error is an invalid type, and that was judged.
            let _ =
                range::part_head(&mut head, boundary.as_bytes(), Some(media_type), range, length);
            self.pieces.push(Piece::Bytes(head));
            self.pieces.push(span(file, range));
        }
        let mut end = Vec::new();
        range::last_boundary(&mut end, boundary.as_bytes());
        self.pieces.push(Piece::Bytes(end));
        self.block.push_valid("content-type", |out| {
            out.extend_from_slice(b"multipart/byteranges; boundary=");
            out.extend_from_slice(boundary.as_bytes());
        });
        self.bare(206)
    }
}

/// A strong entity tag (§8.8.3): when the file was changed, in nanoseconds, and how long it is. The
/// same content in another coding is another representation.
fn etag(found: &FoundFile) -> Vec<u8> {
    let mut tag = Vec::with_capacity(48);
    // Writing to a vector doesn't fail.
    let _ = write!(tag, "\"{:x}-{:x}", found.file.modified.as_nanos(), found.file.length);
    if let Some(coding) = found.coding {
        let _ = write!(tag, "-{}", coding.name);
    }
    tag.push(b'"');
    tag
}

fn span(file: &Arc<File>, range: &Range<u64>) -> Piece {
    Piece::File(FileSpan {
        file: file.clone(),
        start: range.start,
        length: range.end - range.start,
    })
}

/// A text that no file contains but by a chance of 2^-128: each hasher has random keys.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
