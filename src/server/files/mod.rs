//! Files as answers: which file a path names, and what of it a request gets.
//!
//! A path is judged, decoded once, and opened relative to the directory's descriptor, so nothing
//! outside of it can be reached. All that is told of a file comes from its own descriptor. This
//! room knows requests and answers, never connections.
//!
//! # Example
//! ```
//! use std::path::Path;
//!
//! use barewire::server::files::{AddedFields, FileAnswer, FileRequest, Files, FilesConfig, Found};
//! use barewire::server::{Answer, Block, Config, Handler, ListenAddress, Method, Reply, Request};
//! use barewire::server::Server;
//!
//! /// Serves the files below a directory.
//! struct Site(Files);
//!
//! impl Handler for Site {
//!     fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
//!         let head = &request.head;
//!         if !matches!(head.method(), Method::Get | Method::Head) {
//!             return reply.send(405, &Block::default(), b"");
//!         }
//!         let path = head.target().split(|&byte| byte == b'?').next().unwrap_or_default();
//!         let file = match self.0.find(path, &[]) {
//!             Ok(Found::File(file)) => file,
//!             Ok(Found::Malformed) => return reply.send(400, &Block::default(), b""),
//!             Ok(_) => return reply.send(404, &Block::default(), b""),
//!             Err(_) => return reply.fail(),
//!         };
//!         let answer = FileAnswer::new(file, &FileRequest::of(head), &AddedFields::default());
//!         reply.send_pieces(answer.status, &answer.block, answer.pieces)
//!     }
//! }
//!
//! let files = Files::open(Path::new("examples/public"), FilesConfig::default())?;
//! let mut server = Server::new(Config::default(), Site(files))?;
//! let address = server.listen(&ListenAddress::Tcp(([127, 0, 0, 1], 0).into()))?;
//! let remote = server.remote();
//! let thread = std::thread::spawn(move || {
//!     use std::io::{Read, Write};
//!     let ListenAddress::Tcp(address) = address else { unreachable!("bound to TCP") };
//!     let mut client = std::net::TcpStream::connect(address)?;
//!     client.write_all(b"GET /notes.txt HTTP/1.0\r\nRange: bytes=2-5\r\n\r\n")?;
//!     let mut answer = String::new();
//!     client.read_to_string(&mut answer)?;
//!     remote.close(1000);
//!     Ok::<String, std::io::Error>(answer)
//! });
//! server.run()?;
//! let answer = thread.join().expect("no panic")?;
//! assert!(answer.starts_with("HTTP/1.1 206 Partial Content\r\n"));
//! assert!(answer.contains("\r\ncontent-range: bytes 2-5/8\r\n"));
//! assert!(answer.ends_with("\r\n\r\nfile"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod answer;
mod media_type;
mod recent;
mod request;

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::net::disk::{self, Directory, Entry};
use crate::wire::percent;

pub use crate::net::disk::{OpenFile, Symlinks};
pub use answer::FileAnswer;
pub use media_type::media_type;
use recent::Recent;
pub use request::{AddedFields, FileRequest};

/// What of a directory is served.
#[derive(Clone, Debug)]
pub struct FilesConfig {
    /// The file that stands for its directory; `None` serves no directories.
    pub index: Option<String>,
    /// Whether names that begin with a dot are served. `.well-known` at the top always is
    /// (RFC 8615).
    pub dotfiles: bool,
    /// Which symbolic links are followed.
    pub symlinks: Symlinks,
    /// Whether requests may ask for siblings in a content coding, which answers then say.
    pub precompressed: bool,
}

impl Default for FilesConfig {
    fn default() -> Self {
        let index = Some("index.html".to_owned());
        FilesConfig { index, dotfiles: false, symlinks: Symlinks::Inside, precompressed: false }
    }
}

/// The files below one directory.
#[derive(Debug)]
pub struct Files {
    directory: Directory,
    config: FilesConfig,
    recent: Recent,
}

/// A content coding (RFC 9110 §8.4.1) that files may lie beside each other in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    /// As in Content-Encoding.
    pub name: &'static str,
    /// What the sibling's name ends with.
    pub suffix: &'static str,
}

impl Coding {
    /// Brotli (RFC 7932), Zstandard (RFC 8878), gzip (RFC 1952), in the order of their usual gain.
    pub const ALL: [Coding; 3] = [
        Coding { name: "br", suffix: ".br" },
        Coding { name: "zstd", suffix: ".zst" },
        Coding { name: "gzip", suffix: ".gz" },
    ];
}

/// What a path names.
#[derive(Debug)]
pub enum Found {
    /// A file.
    File(FoundFile),
    /// A directory whose path lacks its slash: relative links in it would go wrong.
    Directory,
    /// Nothing that is served.
    Nothing,
    /// The path isn't one: a broken `%`, or a NUL.
    Malformed,
}

/// A file and what it was chosen by.
#[derive(Clone, Debug)]
pub struct FoundFile {
    /// The file that is sent.
    pub file: OpenFile,
    /// The coding that it lies in.
    pub coding: Option<Coding>,
    /// Its Content-Type, by the name without the coding's suffix.
    pub media_type: &'static str,
    /// Whether other requests for the same path may get another coding, so that caches have to keep
    /// them apart (RFC 9110 §12.5.5).
    pub varies: bool,
}

impl Files {
    /// Serves what lies below a directory. The directory stays the same one if it is renamed.
    pub fn open(directory: &Path, config: FilesConfig) -> io::Result<Files> {
        Ok(Files { directory: Directory::open(directory)?, config, recent: Recent::default() })
    }

    /// Finds the file of a percent-encoded path, which begins with a slash, in the first of these
    /// codings that it lies in, or as it is. An empty path is the directory's own, without its slash.
    ///
    /// An error is the system's: no descriptors, a broken disk. What may not be read isn't there.
    ///
    /// A small file that was found is trusted for a second ([`crate::limits::FILE_TRUSTED`]) while
    /// it is as it was: another one under the same name is found after that.
    pub fn find(&self, path: &[u8], codings: &[Coding]) -> io::Result<Found> {
        let now = disk::now();
        let mut key = Cow::Borrowed(path);
        for coding in codings {
            // No path that names a file has a NUL.
            key.to_mut().push(0);
            key.to_mut().extend_from_slice(coding.suffix.as_bytes());
        }
        if let Some(found) = self.recent.find(&key, now) {
            return Ok(Found::File(found));
        }
        let found = self.look_up(path, codings)?;
        if let Found::File(found) = &found {
            self.recent.keep(&key, found, now);
        }
        Ok(found)
    }

    fn look_up(&self, path: &[u8], codings: &[Coding]) -> io::Result<Found> {
        if path.is_empty() {
            let has_index = self.config.index.is_some();
            return Ok(if has_index { Found::Directory } else { Found::Nothing });
        }
        let mut name = Vec::with_capacity(path.len() + 16);
        let decoded = percent::decode(path.strip_prefix(b"/").unwrap_or(path), &mut name);
        if decoded.is_err() || name.contains(&0) {
            return Ok(Found::Malformed);
        }
        // A slash that came encoded is a part of a name, and no name has one.
        let slashes = |bytes: &[u8]| memchr::memchr_iter(b'/', bytes).count();
        if !self.is_served(&name) || slashes(&name) + 1 != slashes(path) {
            return Ok(Found::Nothing);
        }
        let is_directory = name.last().is_none_or(|&byte| byte == b'/');
        if is_directory {
            let Some(index) = &self.config.index else {
                return Ok(Found::Nothing);
            };
            name.extend_from_slice(index.as_bytes());
        }
        let plain = name.len();
        for &coding in codings {
            name.extend_from_slice(coding.suffix.as_bytes());
            let found = self.entry(&name)?;
            name.truncate(plain);
            if let Some(Entry::File(file)) = found {
                return Ok(Found::File(self.found(file, &name, Some(coding))));
            }
        }
        Ok(match self.entry(&name)? {
            Some(Entry::File(file)) => Found::File(self.found(file, &name, None)),
            Some(Entry::Directory) if !is_directory && self.config.index.is_some() => {
                Found::Directory
            }
            Some(Entry::Directory) | None => Found::Nothing,
        })
    }

    fn found(&self, file: OpenFile, name: &[u8], coding: Option<Coding>) -> FoundFile {
        FoundFile { file, coding, media_type: media_type(name), varies: self.config.precompressed }
    }

    /// Whether each segment of a decoded path may name a file. The last one is empty where the path
    /// ends with a slash.
    fn is_served(&self, path: &[u8]) -> bool {
        let mut segments = path.split(|&byte| byte == b'/').enumerate().peekable();
        while let Some((place, segment)) = segments.next() {
            let is_last = segments.peek().is_none();
            let is_well_known = place == 0 && segment == b".well-known";
            let is_allowed = match segment {
                [] => is_last,
                b"." | b".." => false,
                [b'.', ..] => self.config.dotfiles || is_well_known,
                _ => true,
            };
            if !is_allowed {
                return false;
            }
        }
        true
    }

    fn entry(&self, path: &[u8]) -> io::Result<Option<Entry>> {
        present(self.directory.entry(path, self.config.symlinks))
    }
}

/// Opens one file, wherever it is. Its name is trusted, links are followed. Errors are the system's.
pub fn open_file(path: &Path) -> io::Result<OpenFile> {
    match disk::open(path)? {
        Entry::File(file) => Ok(file),
        Entry::Directory => Err(ErrorKind::IsADirectory.into()),
    }
}

/// Tells "nothing there that may be read" from errors of the system.
fn present(entry: io::Result<Entry>) -> io::Result<Option<Entry>> {
    match entry {
        Ok(entry) => Ok(Some(entry)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::InvalidInput => Ok(None),
            _ => Err(error),
        },
    }
}
