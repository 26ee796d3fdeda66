//! Conditional requests (RFC 9110 §13): whether a request's preconditions hold for a
//! representation whose validators are known.
//!
//! For GET and HEAD; other methods end step 3 with 412 and have no step 4. It must not know where
//! validators come from, or what an answer looks like. Nothing is allocated.

use std::time::SystemTime;

use super::ascii;

/// What is known of the selected representation (RFC 9110 §8.8), and the time.
#[derive(Clone, Copy, Debug)]
pub struct Validators<'a> {
    /// Its entity tag: strong, with its quotes.
    pub etag: &'a [u8],
    /// Its Last-Modified as sent, in seconds since 1970. It is never after `date`: what claims to be
    /// from the future is sent as `date` (§8.8.2.1).
    pub last_modified: u64,
    /// Now, in seconds since 1970.
    pub date: u64,
}

/// The conditional fields of a request as sent; a repeated field is joined by `, `.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preconditions<'a> {
    /// `If-Match` (§13.1.1).
    pub if_match: Option<&'a [u8]>,
    /// `If-None-Match` (§13.1.2).
    pub if_none_match: Option<&'a [u8]>,
    /// `If-Modified-Since` (§13.1.3).
    pub if_modified_since: Option<&'a [u8]>,
    /// `If-Unmodified-Since` (§13.1.4).
    pub if_unmodified_since: Option<&'a [u8]>,
    /// `If-Range` (§13.1.5).
    pub if_range: Option<&'a [u8]>,
}

/// What the preconditions ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The usual answer.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: the client wants something else.
    Failed,
}

impl Preconditions<'_> {
    /// Evaluates in the order of §13.2.2, steps 1 to 4.
    ///
    /// A malformed list of entity tags matches nothing, as if it named only tags of other
    /// representations: If-Match fails, If-None-Match lets the request proceed. Both are safe. A
    /// date that isn't one, repeated ones among them, is ignored (§13.1.3, §13.1.4).
    pub fn verdict(&self, validators: &Validators<'_>) -> Verdict {
        // 1. and 2. The date counts only without the tags.
        let is_wanted = match (self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => is_listed(tags, |tag| !tag.is_weak && tag.opaque == validators.etag),
            (None, Some(date)) => seconds(date).is_none_or(|date| validators.last_modified <= date),
            (None, None) => true,
        };
        if !is_wanted {
            return Verdict::Failed;
        }
        // 3. and 4. Likewise.
        let is_held = match (self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => is_listed(tags, |tag| tag.opaque == validators.etag),
            (None, Some(date)) => {
                seconds(date).is_some_and(|date| validators.last_modified <= date)
            }
            (None, None) => false,
        };
        if is_held { Verdict::NotModified } else { Verdict::Proceed }
    }

    /// Evaluates step 5: whether Range counts, or must be ignored because the representation isn't
    /// the one that the client has parts of. Without If-Range it counts.
    ///
    /// The comparison is strong, because parts of two representations must never be put together:
    /// a weak tag never matches, and a date must be exactly that of Last-Modified, whose second
    /// must be over (§8.8.2.2). Before, the file could change again and keep its date.
    pub fn allows_range(&self, validators: &Validators<'_>) -> bool {
        let Some(value) = self.if_range.map(ascii::trim_ows) else {
            return true;
        };
        if let Some((tag, rest)) = EntityTag::split_from(value) {
            return rest.is_empty() && !tag.is_weak && tag.opaque == validators.etag;
        }
        let is_strong = validators.last_modified < validators.date;
        is_strong && seconds(value) == Some(validators.last_modified)
    }
}

/// Whether a list of entity tags, read to its end, has one that `matches`; `*` has any (§13.1.1).
///
/// Commas can stand inside of a tag, so this can't be split by [`ascii::list`]. Empty elements are
/// skipped (§5.6.1.2).
fn is_listed(value: &[u8], matches: impl Fn(EntityTag<'_>) -> bool) -> bool {
    let mut rest = ascii::trim_ows(value);
    if rest == b"*" {
        return true;
    }
    let mut is_found = false;
    loop {
        if let Some((tag, behind)) = EntityTag::split_from(rest) {
            is_found |= matches(tag);
            rest = ascii::trim_ows(behind);
        }
        // Only a comma may follow a tag or an empty element.
        match rest {
            [] => return is_found,
            [b',', behind @ ..] => rest = ascii::trim_ows(behind),
            _ => return false,
        }
    }
}

/// `entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE` (§8.8.3).
#[derive(Clone, Copy)]
struct EntityTag<'a> {
    is_weak: bool,
    /// With its quotes. There are no escapes in it.
    opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// A tag at the beginning, and what follows it.
    fn split_from(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        // "W" is case-sensitive.
        let unprefixed = bytes.strip_prefix(b"W/");
        let quoted = unprefixed.unwrap_or(bytes);
        let inside = quoted.strip_prefix(b"\"")?;
        let length = inside.iter().position(|&byte| !is_etagc(byte))?;
        if inside.get(length) != Some(&b'"') {
            return None;
        }
        let (opaque, rest) = quoted.split_at(length + 2);
        Some((Self { is_weak: unprefixed.is_some(), opaque }, rest))
    }
}

/// Visible ASCII without the quote, and `obs-text`: no white space, no control bytes.
fn is_etagc(byte: u8) -> bool {
    byte == b'!' || (b'#'..=b'~').contains(&byte) || byte >= 0x80
}

/// An HTTP-date in any of its three formats (§5.6.7) as seconds since 1970; none if it isn't valid
/// or before that.
fn seconds(value: &[u8]) -> Option<u64> {
    let date = httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()?;
    Some(date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs())
}
