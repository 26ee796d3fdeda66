//! Files for answers: opened so that no path leads out of its directory, and read where that
//! doesn't wait.
//!
//! A path is resolved by one system call or step by step on descriptors, never checked first and
//! opened later, so nobody who moves files meanwhile can turn it elsewhere. What was opened is asked
//! by its descriptor, too. This file must not know of requests, URLs or answers.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use memchr::memchr;
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::io::{Errno, retry_on_intr};

#[cfg(target_os = "linux")]
use crate::limits;

/// Which symbolic links are followed below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symlinks {
    /// Relative ones that stay inside of the directory, at every step. An absolute one is refused
    /// even where it leads back. Where the system can't tell (macOS; Linux before 5.6, or with a
    /// filter that forbids `openat2`), as [`Symlinks::Never`].
    Inside,
    /// None.
    Never,
    /// All, wherever they lead.
    Anywhere,
}

/// What a path names.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A regular file, open for reading.
    File(OpenFile),
    /// A directory.
    Directory,
}

/// A regular file and what was true of it when it was opened.
#[derive(Clone, Debug)]
pub struct OpenFile {
    /// Its descriptor.
    pub file: Arc<File>,
    /// Its length in bytes.
    pub length: u64,
    /// When it was last modified, since 1970. A time before is 0; one in the future is possible.
    pub modified: Duration,
}

impl OpenFile {
    /// Whether it still has the length and the time that it had, and a name.
    pub fn is_unchanged(&self) -> bool {
        fstat(&self.file).is_ok_and(|stat| {
            let (length, modified) = facts(&stat);
            length == self.length && modified == self.modified && stat.st_nlink > 0
        })
    }
}

/// A directory whose files may be served.
///
/// It is held open: a rename doesn't move it away, a successor at its path isn't seen.
#[derive(Debug)]
pub(crate) struct Directory {
    descriptor: OwnedFd,
    /// Whether the system resolves a path beneath a directory by itself.
    can_resolve: bool,
}

/// How files are opened. A FIFO without a writer doesn't block, a terminal doesn't become ours.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// How directories are opened: only to be passed through, where the system has that.
#[cfg(target_os = "linux")]
const PASS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const PASS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Directory {
    /// Opens a directory. Links on the way to it are followed: the path isn't a client's.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let descriptor = retry_on_intr(|| openat(CWD, path, PASS, Mode::empty()))?;
        // Old sandboxes answer EPERM to all that they don't know. Asked once, because later it could
        // be a file's own error.
        let probe = resolve(descriptor.as_fd(), b".", Symlinks::Never);
        let can_resolve = !matches!(probe, Err(Errno::NOSYS | Errno::PERM));
        Ok(Self { descriptor, can_resolve })
    }

    /// Opens what a path names below this directory; the empty one names the directory itself.
    ///
    /// The path is relative, its segments decoded. One that is absolute, or has an empty segment,
    /// `.`, `..` or a zero byte, is refused as `InvalidInput` before the system sees it.
    ///
    /// `NotFound` is all that can't be served by anyone: no such name, a name too long, a file in
    /// the place of a directory, a link that isn't followed, a FIFO, a socket, a device.
    /// `PermissionDenied` is what this process may not read. Other errors aren't the path's.
    pub(crate) fn entry(&self, path: &[u8], symlinks: Symlinks) -> io::Result<Entry> {
        if path.is_empty() {
            return Ok(Entry::Directory);
        }
        if !is_plain(path) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let directory = self.descriptor.as_fd();
        let opened = match symlinks {
            Symlinks::Anywhere => retry_on_intr(|| openat(directory, path, READ, Mode::empty())),
            Symlinks::Inside | Symlinks::Never if self.can_resolve => {
                resolve(directory, path, symlinks)
            }
            Symlinks::Inside | Symlinks::Never => walk(directory, path),
        };
        entry_of(opened.map_err(error_of)?)
    }
}

/// Opens what a path names, wherever links lead. Errors are the system's own; a FIFO, a socket or a
/// device is `NotFound`.
pub(crate) fn open(path: &Path) -> io::Result<Entry> {
    entry_of(retry_on_intr(|| openat(CWD, path, READ, Mode::empty()))?)
}

/// Now, since 1970, as the files' times are.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// What came of a reading that must not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cached {
    /// So many bytes, fewer than the buffer takes where only a beginning is in memory.
    Read(usize),
    /// Nothing is there, or the file has ended: a read that may wait must decide.
    Nothing,
    /// The system can't tell (macOS; some file systems, overlays among them).
    Unknown,
}

/// Reads what the system has in memory, without waiting for the disk.
#[cfg(target_os = "linux")]
pub(crate) fn read_cached(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<Cached> {
    use rustix::io::{ReadWriteFlags, preadv2};

    let mut buffers = [io::IoSliceMut::new(buffer)];
    match preadv2(file, &mut buffers, offset, ReadWriteFlags::NOWAIT) {
        Ok(count @ 1..) => Ok(Cached::Read(count)),
        // Linux 5.9 and 5.10 say 0 also in the middle of a file (preadv2(2), BUGS).
        Ok(0) | Err(Errno::AGAIN | Errno::INTR) => Ok(Cached::Nothing),
        // A file system, a kernel or a filter without this.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => Ok(Cached::Unknown),
        Err(error) => Err(error.into()),
    }
}

/// See above: no such call here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read_cached(_: &File, _: &mut [u8], _: u64) -> io::Result<Cached> {
    Ok(Cached::Unknown)
}

/// Whether a path is relative and says what it means.
fn is_plain(path: &[u8]) -> bool {
    let mut segments = path.split(|&byte| byte == b'/');
    segments.all(|segment| !matches!(segment, b"" | b"." | b"..")) && memchr(0, path).is_none()
}

/// Lets the system resolve a path that must stay beneath a directory.
#[cfg(target_os = "linux")]
fn resolve(directory: BorrowedFd<'_>, path: &[u8], symlinks: Symlinks) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};

    // Magic links, as those of /proc, lead anywhere without being a path.
    let mut beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    if symlinks == Symlinks::Never {
        beneath |= ResolveFlags::NO_SYMLINKS;
    }
    let mut attempts = 0..limits::OPEN_ATTEMPTS;
    loop {
        match openat2(directory, path, READ, Mode::empty(), beneath) {
            // Something was renamed while a link's `..` was resolved, so the system isn't sure.
            Err(Errno::AGAIN | Errno::INTR) if attempts.next().is_some() => {}
            opened => return opened,
        }
    }
}

/// See above: no such call here.
#[cfg(not(target_os = "linux"))]
fn resolve(_: BorrowedFd<'_>, _: &[u8], _: Symlinks) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

/// Goes down segment by segment and follows no link, for systems that can't resolve by themselves.
///
/// Each step starts at the descriptor of the one before, so a directory that is moved meanwhile
/// takes the walk along, but without `..` and links never up.
fn walk(directory: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let step = |from: BorrowedFd<'_>, segment: &[u8], flags: OFlags| {
        retry_on_intr(|| openat(from, segment, flags | OFlags::NOFOLLOW, Mode::empty()))
    };
    let mut passed: Option<OwnedFd> = None;
    let mut rest = path;
    while let Some(slash) = memchr(b'/', rest) {
        let from = passed.as_ref().map_or(directory, AsFd::as_fd);
        // The slash is in it.
        passed = Some(step(from, &rest[..slash], PASS)?);
        rest = &rest[slash + 1..];
    }
    step(passed.as_ref().map_or(directory, AsFd::as_fd), rest, READ)
}

fn entry_of(opened: OwnedFd) -> io::Result<Entry> {
    let file = File::from(opened);
    let stat = fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let (length, modified) = facts(&stat);
            Ok(Entry::File(OpenFile { file: Arc::new(file), length, modified }))
        }
        FileType::Directory => Ok(Entry::Directory),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Its length, and when it was modified.
fn facts(stat: &Stat) -> (u64, Duration) {
    let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
    let nanoseconds = u32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    // A time before 1970 is 1970, whatever its fraction.
    let modified =
        if stat.st_mtime < 0 { Duration::ZERO } else { Duration::new(seconds, nanoseconds) };
    (u64::try_from(stat.st_size).unwrap_or(0), modified)
}

/// Sorts what nobody could be served from what went wrong: names, links that aren't followed or
/// lead out, and then sockets and devices that nobody drives.
fn error_of(error: Errno) -> io::Error {
    match error {
        Errno::NOENT
        | Errno::NOTDIR
        | Errno::NAMETOOLONG
        | Errno::LOOP
        | Errno::XDEV
        | Errno::NXIO
        | Errno::OPNOTSUPP
        | Errno::NODEV => io::ErrorKind::NotFound.into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests;
