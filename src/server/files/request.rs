//! What a request says about the file that it asks for, and what an author adds to the answers.

use std::borrow::Cow;

use crate::wire::block::Block;
use crate::wire::conditional::Preconditions;
use crate::wire::encode::InvalidField;
use crate::wire::head::{Head, Method};

/// The fields of a request that decide what of a file it gets (RFC 9110 §13.1, §14.2).
///
/// A field that comes more than once is one list (§5.3).
#[derive(Clone, Debug, Default)]
pub struct FileRequest<'a> {
    values: [Option<Cow<'a, [u8]>>; NAMES.len()],
    is_get: bool,
}

const NAMES: [&[u8]; 6] = [
    b"if-match",
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"if-range",
    b"range",
];

impl<'a> FileRequest<'a> {
    /// What a request says.
    pub fn of(head: &Head<'a>) -> Self {
        Self::new(head.method() == Method::Get, head.fields())
    }

    /// What these fields say; a Range counts for GET alone.
    pub fn new(is_get: bool, fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut request = FileRequest { is_get, ..FileRequest::default() };
        for (name, value) in fields {
            // Nearly every field fails here.
            if !matches!(name.first(), Some(b'i' | b'I' | b'r' | b'R')) {
                continue;
            }
            let Some(at) = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)) else {
                continue;
            };
            // There is a place for each name.
            let place = &mut request.values[at];
            *place = Some(match place.take() {
                None => Cow::Borrowed(value),
                Some(before) => Cow::Owned([&before, &b", "[..], value].concat()),
            });
        }
        request
    }

    pub(super) fn preconditions(&self) -> Preconditions<'_> {
        let [if_match, if_none_match, if_modified_since, if_unmodified_since, if_range, _] =
            self.values.each_ref().map(Option::as_deref);
        Preconditions { if_match, if_none_match, if_modified_since, if_unmodified_since, if_range }
    }

    pub(super) fn range(&self) -> Option<&[u8]> {
        self.values[NAMES.len() - 1].as_deref().filter(|_| self.is_get)
    }
}

/// Fields that an author adds to each answer with a file, or puts in the place of its own. Vary and
/// Set-Cookie are added in any case. A Content-Type is that of the file: it doesn't count for what
/// is of another type, a refusal or several ranges.
#[derive(Clone, Debug, Default)]
pub struct AddedFields {
    pub(super) block: Block,
    pub(super) content_type: Option<Vec<u8>>,
    names: Vec<Vec<u8>>,
}

impl AddedFields {
    /// Collects fields; an invalid one is an error.
    pub fn new<'a>(
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, InvalidField> {
        let mut added = AddedFields::default();
        let mut others = Vec::new();
        for (name, value) in fields {
            if name.eq_ignore_ascii_case(b"content-type") {
                added.content_type = Some(value.to_vec());
            } else {
                others.push((name, value));
            }
        }
        // Judged with the rest.
        Block::parse(added.content_type.iter().map(|value| (&b"content-type"[..], &value[..])))?;
        added.block = Block::parse(others.iter().copied())?;
        let others = others.into_iter().map(|(name, _)| name.to_ascii_lowercase());
        added.names = others.filter(|name| name != b"vary" && name != b"set-cookie").collect();
        Ok(added)
    }

    /// Whether the author's value stands in the place of the answer's own.
    pub(super) fn replaces(&self, name: &[u8]) -> bool {
        self.names.iter().any(|added| added == name)
    }
}
