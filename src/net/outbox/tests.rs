//! Pieces over a pair of sockets: what an outbox waits for, and in which order things leave.

use super::*;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mio::net::{TcpStream, UnixStream};

/// An outbox, our socket, the client's.
struct Pair {
    outbox: Outbox,
    socket: Socket,
    pool: Pool,
    client: UnixStream,
}

impl Pair {
    fn new() -> Pair {
        let (ours, client) = UnixStream::pair().unwrap();
        let (outbox, pool) = (Outbox::default(), Pool::new());
        Pair { outbox, socket: Socket::Unix(ours), pool, client }
    }

    fn give(&mut self, first: &[u8], pieces: Vec<Piece>) -> io::Result<usize> {
        self.outbox.write_pieces(&mut self.socket, &mut self.pool, first, pieces.into())
    }

    fn flush(&mut self) -> io::Result<usize> {
        self.outbox.flush(&mut self.socket, &mut self.pool)
    }

    /// What lies in the client's socket.
    fn read(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let _ = self.client.read_to_end(&mut all);
        all
    }

    /// Reads until nothing waits any more, doing what the reactor does in between.
    fn read_all(&mut self) -> Vec<u8> {
        let mut all = self.read();
        while !self.outbox.is_empty() {
            if self.outbox.take_cold().is_some() {
                self.outbox.on_warm();
            }
            self.flush().unwrap();
            all.extend(self.read());
        }
        all
    }
}

/// Some bytes in a file without a name, written to the disk.
fn file(bytes: &[u8]) -> Arc<File> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("barewire-outbox-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, bytes).unwrap();
    let file = File::open(&path).unwrap();
    file.sync_all().unwrap();
    std::fs::remove_file(&path).unwrap();
    Arc::new(file)
}

fn span(file: &Arc<File>, start: u64, length: u64) -> Piece {
    Piece::File(FileSpan { file: file.clone(), start, length })
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at) as u8).collect()
}

#[test]
fn pieces_leave_in_order_and_what_is_given_meanwhile_behind_them() {
    let bytes = pattern(3 << 20);
    let large = file(&bytes);
    let mut pair = Pair::new();
    let pieces = vec![
        span(&large, 0, 0),
        Piece::Bytes(b"<1>".to_vec()),
        span(&large, 10, 2 << 20),
        Piece::Bytes(Vec::new()),
        Piece::Bytes(b"<2>".to_vec()),
        span(&large, 5, 1),
    ];
    pair.give(b"head", pieces).unwrap();
    let Pair { outbox, socket, pool, .. } = &mut pair;
    outbox.write(socket, pool, [b"be", b"hi", b"nd"]).unwrap();
    outbox.write_owned(socket, pool, b"ow", b"ned".to_vec()).unwrap();
    let expected =
        [b"head<1>", &bytes[10..10 + (2 << 20)], b"<2>", &bytes[5..6], b"behind", b"owned"];
    assert!(pair.read_all() == expected.concat());
    assert_eq!(pair.outbox.held(), 0);
    assert_eq!(pair.outbox.waits_for(), None);
}

#[test]
fn a_file_waits_without_memory_and_bytes_behind_it_count() {
    let large = file(&pattern(8 << 20));
    let mut pair = Pair::new();
    pair.give(b"head", vec![span(&large, 0, 8 << 20), Piece::Bytes(vec![0; 700])]).unwrap();
    while pair.outbox.waits_for() != Some(WaitsFor::Socket) {
        if pair.outbox.take_cold().is_some() {
            pair.outbox.on_warm();
        }
        pair.flush().unwrap();
    }
    assert_eq!(pair.outbox.held(), 700);
    pair.outbox.clear(&mut pair.pool);
    assert_eq!((pair.outbox.held(), pair.outbox.waits_for()), (0, None));
    assert_eq!(Arc::strong_count(&large), 1, "the file is given back");
}

/// Over TCP, whose buffers take more than the budget.
#[test]
fn a_turn_takes_no_more_than_its_budget() {
    let bytes = pattern(4 * limits::FILE_BUDGET);
    let large = file(&bytes);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut theirs, _) = listener.accept().unwrap();
    ours.set_nonblocking(true).unwrap();
    let mut pair = Pair::new();
    pair.socket = Socket::Tcp(TcpStream::from_std(ours));
    let reading = std::thread::spawn(move || {
        let mut all = vec![0; 4 * limits::FILE_BUDGET];
        theirs.read_exact(&mut all).unwrap();
        all
    });
    let mut most = pair.give(b"", vec![span(&large, 0, bytes.len() as u64)]).unwrap();
    while !pair.outbox.is_empty() {
        if pair.outbox.take_cold().is_some() {
            pair.outbox.on_warm();
        }
        most = most.max(pair.flush().unwrap());
    }
    assert!(reading.join().unwrap() == bytes);
    assert!(most <= limits::FILE_BUDGET + limits::FILE_WINDOW as usize, "{most} in one turn");
}

#[test]
fn a_file_that_became_shorter_is_an_error_and_nothing_of_the_rest_is_sent() {
    let path = std::env::temp_dir().join(format!("barewire-shorter-{}", std::process::id()));
    std::fs::write(&path, pattern(100_000)).unwrap();
    let short = Arc::new(File::open(&path).unwrap());
    let mut pair = Pair::new();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(30_000).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut result = pair.give(b"", vec![span(&short, 0, 100_000), Piece::Bytes(b"end".to_vec())]);
    while result.is_ok() {
        if pair.outbox.take_cold().is_some() {
            pair.outbox.on_warm();
        }
        result = pair.flush();
    }
    assert_eq!(result.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert!(pair.read() == pattern(100_000)[..30_000]);
}

/// Where a file can be put out of the page cache, and the system tells.
#[cfg(target_os = "linux")]
#[test]
fn what_is_cold_is_asked_for_once_and_sent_when_it_was_read() {
    use rustix::fs::{Advice, fadvise};

    let bytes = pattern(600_000);
    let cold = file(&bytes);
    fadvise(&*cold, 0, None, Advice::DontNeed).unwrap();
    let is_known = disk::read_cached(&cold, &mut [0], 0).unwrap() != Cached::Read(1);
    let mut pair = Pair::new();
    pair.give(b"head", vec![span(&cold, 0, 600_000)]).unwrap();
    if is_known {
        assert_eq!(pair.read(), b"head", "nothing is read from the disk here");
        assert_eq!(pair.outbox.waits_for(), Some(WaitsFor::Cold));
        let window = pair.outbox.take_cold().unwrap();
        assert_eq!((window.start, window.length), (0, limits::FILE_WINDOW));
        assert!(pair.outbox.take_cold().is_none(), "it is asked for once");
        assert_eq!(pair.flush().unwrap(), 0, "it waits for the disk, whatever the socket says");
        assert_eq!(pair.outbox.waits_for(), Some(WaitsFor::Disk));
        pair.outbox.on_warm();
        assert_eq!(pair.outbox.waits_for(), Some(WaitsFor::Turn));
    }
    pair.flush().unwrap();
    let rest = pair.read_all();
    let all = if is_known { [b"head", &rest[..]].concat() } else { rest };
    assert!(all == [b"head", &bytes[..]].concat());
}
