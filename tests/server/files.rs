//! Answers that lie in files, as an embedder gives them: through `Files` and `FileAnswer`, or as
//! pieces put together by hand.

use std::fs::File;
use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use barewire::server::files::{
    AddedFields, Coding, FileAnswer, FileRequest, Files, FilesConfig, Found, open_file,
};
use barewire::server::{
    Answer, Block, Config, FileSpan, Handler, ListenAddress, Piece, Reply, Request, Server, Stats,
};
use socket2::{Domain, Socket, Type};

use super::harness::{Client, PATIENCE, get, pattern};

/// More than the buffers of both ends' kernels take.
const LARGE: usize = 24 << 20;

/// A folder of files, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &[u8])]) -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("barewire-server-files-{}-{count}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).expect("it can be made");
        for (name, bytes) in files {
            std::fs::write(folder.0.join(name), bytes).expect("it can be written");
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Serves a folder; below `/pieces/` a file between bytes.
struct Site {
    files: Files,
    root: PathBuf,
}

impl Site {
    fn new(folder: &Folder) -> Site {
        let config = FilesConfig { precompressed: true, ..FilesConfig::default() };
        let files = Files::open(&folder.0, config).expect("a directory");
        Site { files, root: folder.0.clone() }
    }
}

impl Handler for Site {
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
        let head = &request.head;
        let none = Block::default();
        if let Some(name) = head.target().strip_prefix(b"/pieces/") {
            let name = std::str::from_utf8(name).expect("the tests' own names");
            let pieces = between_bytes(&self.root.join(name));
            return reply.send_pieces(200, &none, pieces);
        }
        let codings = head.field("accept-encoding").map_or(&[][..], |_| &Coding::ALL);
        let file = match self.files.find(head.target(), codings) {
            Ok(Found::File(file)) => file,
            Ok(Found::Directory) => return reply.send(301, &none, b""),
            Ok(Found::Nothing) => return reply.send(404, &none, b""),
            Ok(Found::Malformed) => return reply.send(400, &none, b""),
            Err(_) => return reply.fail(),
        };
        let answer = FileAnswer::new(file, &FileRequest::of(head), &AddedFields::default());
        reply.send_pieces(answer.status, &answer.block, answer.pieces)
    }
}

fn between_bytes(path: &Path) -> Vec<Piece> {
    let opened = open_file(path).expect("it is there");
    let (file, length) = (opened.file, opened.length);
    let span = |start, length| Piece::File(FileSpan { file: file.clone(), start, length });
    vec![
        Piece::Bytes(b"<".to_vec()),
        span(0, length),
        Piece::Bytes(Vec::new()),
        Piece::Bytes(b"|".to_vec()),
        span(1, 2),
        span(0, 0),
        Piece::Bytes(b">".to_vec()),
    ]
}

/// Serves a folder on a thread while a client does something; says what the numbers were at the end.
fn serve(folder: &Folder, address: &ListenAddress, play: impl FnOnce(&ListenAddress)) -> Stats {
    let mut server = Server::new(Config::default(), Site::new(folder)).expect("a server");
    let bound = server.listen(address).expect("a free address");
    let remote = server.remote();
    let thread = std::thread::spawn(move || {
        server.run().expect("the poll works");
        server.stats()
    });
    play(&bound);
    remote.close(3000);
    let begun = Instant::now();
    while !thread.is_finished() {
        assert!(begun.elapsed() < PATIENCE, "the server doesn't end");
        std::thread::sleep(Duration::from_millis(2));
    }
    thread.join().expect("no panic")
}

fn any() -> ListenAddress {
    ListenAddress::Tcp(([127, 0, 0, 1], 0).into())
}

fn connect(address: &ListenAddress) -> Client {
    let ListenAddress::Tcp(address) = address else { panic!("bound to TCP") };
    Client::new(TcpStream::connect(address).expect("a connection"))
}

/// A client whose kernel takes little, so that the server's is full soon.
fn narrow(address: &ListenAddress) -> Client {
    let ListenAddress::Tcp(address) = address else { panic!("bound to TCP") };
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("it can");
    socket.connect(&(*address).into()).expect("a connection");
    Client::new(socket.into())
}

fn with(line: &str, fields: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: t\r\n{fields}\r\n")
}

#[test]
fn bytes_and_spans_leave_in_their_order_and_the_connection_goes_on() {
    for length in [3, 20_000, 3 << 20] {
        let bytes = pattern(length);
        let folder = Folder::new(&[("a.bin", &bytes)]);
        serve(&folder, &any(), |address| {
            let mut client = connect(address);
            client.send([get("/pieces/a.bin"), get("/a.bin"), get("/none")].concat());
            let expected = [b"<", &bytes[..], b"|", &bytes[1..3], b">"].concat();
            assert!(client.answer().body == expected, "{length}");
            assert!(client.answer().body == bytes, "{length}");
            assert_eq!(client.answer().status, 404);
        });
    }
}

#[test]
fn fields_ranges_and_conditions_are_those_of_the_rfc() {
    let folder = Folder::new(&[("a.txt", b"abcdefghij"), ("a.txt.gz", b"compressed")]);
    serve(&folder, &any(), |address| {
        let mut client = connect(address);
        client.get("/a.txt");
        let whole = client.answer();
        assert_eq!((whole.status, whole.text()), (200, "abcdefghij"));
        let field = |name: &str| {
            let line = whole.head.lines().find_map(|line| line.strip_prefix(name));
            line.expect("the field is there").to_owned()
        };
        assert_eq!(field("content-type: "), "text/plain; charset=utf-8");
        assert_eq!(field("accept-ranges: "), "bytes");
        assert_eq!(field("vary: "), "accept-encoding");
        let etag = field("etag: ");
        client.send(with("GET /a.txt", "Range: bytes=-3\r\n"));
        let part = client.answer();
        assert_eq!((part.status, part.text()), (206, "hij"));
        assert!(part.head.contains("\r\ncontent-range: bytes 7-9/10\r\n"));
        client.send(with("GET /a.txt", "Range: bytes=0-1,8-\r\n"));
        let parts = client.answer();
        assert_eq!(parts.status, 206);
        assert!(parts.head.contains("\r\ncontent-type: multipart/byteranges; boundary="));
        assert!(parts.text().contains("\r\n\r\nab\r\n--") && parts.text().ends_with("--\r\n"));
        client.send(with("GET /a.txt", &format!("If-None-Match: {etag}\r\n")));
        client.send(with("GET /a.txt", "Range: bytes=10-\r\n"));
        client.send(with("GET /a.txt", "Accept-Encoding: gzip\r\n"));
        assert!(client.head_only().starts_with("HTTP/1.1 304 "));
        let unsatisfied = client.answer();
        assert_eq!(unsatisfied.status, 416);
        assert!(unsatisfied.head.contains("\r\ncontent-range: bytes */10\r\n"));
        let coded = client.answer();
        assert_eq!(coded.text(), "compressed");
        assert!(coded.head.contains("\r\ncontent-encoding: gzip\r\n"));
        assert!(!coded.head.contains(&etag));
    });
}

#[test]
fn head_and_http_1_0() {
    let bytes = pattern(300_000);
    let folder = Folder::new(&[("a.bin", &bytes), ("empty.txt", b"")]);
    let stats = serve(&folder, &any(), |address| {
        let mut client = connect(address);
        client.send(with("HEAD /a.bin", "Range: bytes=0-1\r\n"));
        client.get("/empty.txt");
        let head = client.head_only();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(head.contains("\r\nContent-Length: 300000\r\n"));
        let empty = client.answer();
        assert_eq!((empty.status, empty.body.len()), (200, 0));
        let mut old = connect(address);
        old.send("GET /a.bin HTTP/1.0\r\n\r\n");
        assert!(old.answer().body == bytes);
        assert_eq!(old.end(), b"");
    });
    assert_eq!(stats.pending_requests, 0);
}

#[test]
fn on_a_unix_socket() {
    let bytes = pattern(3 << 20);
    let folder = Folder::new(&[("a.bin", &bytes)]);
    let path = folder.path("socket");
    serve(&folder, &ListenAddress::Unix(path.clone()), |_| {
        let stream = UnixStream::connect(&path).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("it can");
        let mut client = Client::over(stream);
        client.get("/a.bin");
        assert!(client.answer().body == bytes);
        client.get("/pieces/a.bin");
        assert_eq!(client.answer().body.len(), bytes.len() + 5);
    });
}

#[test]
fn a_slow_reader_holds_no_memory_and_gets_all_while_others_are_answered() {
    let bytes = pattern(LARGE);
    let folder = Folder::new(&[("large.bin", &bytes), ("small.txt", b"small")]);
    let mut server = Server::new(Config::default(), Site::new(&folder)).expect("a server");
    let address = server.listen(&any()).expect("a free port");
    let mut slow = narrow(&address);
    slow.get("/large.bin");
    let turn = |server: &mut Server<Site>| {
        server.turn(Some(Duration::from_millis(2))).expect("the poll works");
        server.stats()
    };
    let begun = Instant::now();
    let mut sent = 0;
    loop {
        let now = turn(&mut server).bytes_sent;
        if now > 0 && now == sent && !server.has_ready() {
            break;
        }
        sent = now;
        assert!(begun.elapsed() < PATIENCE, "it stands when its client doesn't read");
    }
    assert!(sent < LARGE as u64);
    assert_eq!(turn(&mut server).buffered_bytes, 0);
    let reading = std::thread::spawn(move || slow.answer().body);
    let asking = std::thread::spawn(move || {
        let mut other = connect(&address);
        for _ in 0..20 {
            other.get("/small.txt");
            assert_eq!(other.text(), "small");
        }
    });
    let begun = Instant::now();
    while !(reading.is_finished() && asking.is_finished()) {
        turn(&mut server);
        assert!(begun.elapsed() < 2 * PATIENCE, "both end");
    }
    asking.join().expect("it is answered");
    assert!(reading.join().expect("all of it") == bytes);
}

/// A client that takes all at once doesn't have a turn for itself.
#[test]
fn a_large_file_takes_many_turns_and_another_is_answered_between_them() {
    let bytes = pattern(LARGE);
    let folder = Folder::new(&[("large.bin", &bytes), ("small.txt", b"small")]);
    let mut server = Server::new(Config::default(), Site::new(&folder)).expect("a server");
    let address = server.listen(&any()).expect("a free port");
    let mut fast = connect(&address);
    let mut other = connect(&address);
    fast.get("/large.bin");
    let reading = std::thread::spawn(move || fast.answer().body);
    let mut most = 0;
    let mut before = 0;
    let mut between = 0;
    let mut asks = true;
    other.stream.set_nonblocking(true).expect("it can");
    let begun = Instant::now();
    while !reading.is_finished() {
        if asks {
            other.get("/small.txt");
        }
        server.turn(Some(Duration::from_millis(2))).expect("the poll works");
        asks = other.stream.read(&mut [0; 4096]).is_ok();
        between += usize::from(asks);
        let now = server.stats().bytes_sent;
        most = most.max(now - before);
        before = now;
        assert!(begun.elapsed() < 2 * PATIENCE, "it ends");
    }
    assert!(reading.join().expect("all of it") == bytes);
    assert!(between > 5, "{between} answers meanwhile");
    assert!(most < 4 << 20, "{most} bytes in one turn");
}

#[test]
fn a_file_that_becomes_shorter_ends_its_connection_and_no_other() {
    let bytes = pattern(LARGE);
    let folder = Folder::new(&[("large.bin", &bytes), ("small.txt", b"small")]);
    let stats = serve(&folder, &any(), |address| {
        let mut client = narrow(address);
        client.get("/large.bin");
        let mut some = [0; 4096];
        client.stream.read_exact(&mut some).expect("it has begun");
        let file = File::options().write(true).open(folder.path("large.bin"));
        file.and_then(|file| file.set_len(1000)).expect("it can");
        let mut count = some.len();
        let mut buffer = vec![0; 65_536];
        while let Ok(more @ 1..) = client.stream.read(&mut buffer) {
            count += more;
        }
        assert!(count < LARGE, "{count} bytes look complete");
        let mut other = connect(address);
        other.get("/small.txt");
        assert_eq!(other.text(), "small");
    });
    let closed: Vec<_> = stats.closed.iter().filter(|(_, count)| *count > 0).collect();
    assert!(closed.iter().any(|(reason, _)| *reason == "handlerAborted"), "{closed:?}");
}

/// What is seen through `/proc`, and files that can be put out of memory.
#[cfg(target_os = "linux")]
mod on_linux {
    use super::*;
    use rustix::fs::{Advice, fadvise};
    use rustix::io::{ReadWriteFlags, preadv2};

    /// The names of this process's threads that read files.
    fn disk_threads() -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").expect("Linux has it");
        let names =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim() == "barewire-disk").count()
    }

    /// Whether the system says that reading a file would wait, or can't say.
    fn is_cold(file: &File) -> bool {
        let mut byte = [0];
        let mut buffers = [std::io::IoSliceMut::new(&mut byte)];
        preadv2(file, &mut buffers, 0, ReadWriteFlags::NOWAIT) != Ok(1)
    }

    /// Where the system lets a file go and tells of it, the way over the thread is seen to be taken.
    #[test]
    fn a_file_that_is_not_in_memory_is_read_beside_the_reactor() {
        let bytes = pattern(5 << 20);
        let small = pattern(9_000);
        let folder = Folder::new(&[("cold.bin", &bytes), ("small.bin", &small)]);
        let mut was_cold = true;
        for name in ["cold.bin", "small.bin"] {
            let file = File::open(folder.path(name)).expect("it is there");
            file.sync_all().expect("it can");
            fadvise(&file, 0, None, Advice::DontNeed).expect("it can");
            was_cold &= is_cold(&file);
        }
        serve(&folder, &any(), |address| {
            let mut client = connect(address);
            client.send([get("/small.bin"), get("/cold.bin"), get("/small.bin")].concat());
            assert!(client.answer().body == small);
            assert!(client.answer().body == bytes);
            assert!(client.answer().body == small);
            assert!(!was_cold || disk_threads() > 0, "the thread has begun");
        });
    }

    #[test]
    fn a_client_that_leaves_and_a_server_that_ends_give_the_file_back() {
        let folder = Folder::new(&[("large.bin", &pattern(LARGE))]);
        let path = folder.path("large.bin");
        let descriptors = || {
            let all = std::fs::read_dir("/proc/self/fd").expect("Linux has it");
            let links = all.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
            links.filter(|link| *link == path).count()
        };
        let mut server = Server::new(Config::default(), Site::new(&folder)).expect("a server");
        let address = server.listen(&any()).expect("a free port");
        let until = |server: &mut Server<Site>, wanted: usize| {
            let begun = Instant::now();
            while descriptors() != wanted {
                server.turn(Some(Duration::from_millis(2))).expect("the poll works");
                assert!(begun.elapsed() < PATIENCE, "{} are open", descriptors());
            }
        };
        let mut clients = [narrow(&address), narrow(&address)];
        for client in &mut clients {
            client.get("/large.bin");
        }
        until(&mut server, 2);
        let [one, _other] = clients;
        one.reset();
        until(&mut server, 1);
        drop(server);
        assert_eq!(descriptors(), 0);
    }
}
