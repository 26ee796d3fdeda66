//! Files that were found a moment ago: to open a file costs as much as to send a small one.
//!
//! Only small files are kept. An entry is trusted for [`limits::FILE_TRUSTED`], and only while its
//! file is as it was and has a name: that it was changed, replaced or removed is seen at once, that
//! it was moved within that time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use super::FoundFile;
use crate::limits;

const TRUSTED: Duration = Duration::from_millis(limits::FILE_TRUSTED);

/// Files by the path and the codings with which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Recent {
    // Hashed with keys of its own: the paths are the clients'.
    entries: RefCell<HashMap<Box<[u8]>, Entry>>,
}

#[derive(Debug)]
struct Entry {
    found: FoundFile,
    until: Duration,
}

impl Recent {
    /// What was found under this key, if it is to be trusted now.
    pub(super) fn find(&self, key: &[u8], now: Duration) -> Option<FoundFile> {
        let mut entries = self.entries.borrow_mut();
        let entry = entries.get(key)?;
        // A clock that was set back makes nothing last longer.
        let is_recent = entry.until > now && entry.until <= now + TRUSTED;
        if is_recent && entry.found.file.is_unchanged() {
            return Some(entry.found.clone());
        }
        entries.remove(key);
        None
    }

    /// Keeps what was found. Where there are too many, those go that aren't trusted any more; if all
    /// of them are, this one isn't kept.
    pub(super) fn keep(&self, key: &[u8], found: &FoundFile, now: Duration) {
        if found.file.length > limits::FILE_TRUSTED_SIZE {
            return;
        }
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= limits::FILES_TRUSTED {
            entries.retain(|_, entry| entry.until > now);
        }
        if entries.len() < limits::FILES_TRUSTED {
            let until = now + TRUSTED;
            entries.insert(key.into(), Entry { found: found.clone(), until });
        }
    }
}
