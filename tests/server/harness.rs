//! A server on a thread with a handler that obeys its target, and a naive blocking client.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use barewire::server::{
    Answer, Block, Config, Gone, Handler, ListenAddress, Remote, Reply, ReplyId, Request, Server,
    Stats,
};

/// The longest that anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Answers as its target says.
pub(crate) struct Desk {
    plain: Block,
    close: Block,
    owed: Sender<(ReplyId, String)>,
    gone: Sender<(ReplyId, Gone)>,
}

/// What a [`Desk`] tells: requests left for later, and those that are gone.
pub(crate) type News = (Receiver<(ReplyId, String)>, Receiver<(ReplyId, Gone)>);

impl Desk {
    pub(crate) fn new() -> (Desk, News) {
        let plain: (&[u8], &[u8]) = (b"Content-Type", b"text/plain");
        let close: (&[u8], &[u8]) = (b"Connection", b"close");
        let (owed, owed_news) = channel();
        let (gone, gone_news) = channel();
        let desk = Desk {
            plain: Block::parse([plain]).expect("valid"),
            close: Block::parse([plain, close]).expect("valid"),
            owed,
            gone,
        };
        (desk, (owed_news, gone_news))
    }
}

impl Handler for Desk {
    fn handle(&mut self, request: &mut Request<'_>, mut reply: Reply<'_>) -> Answer {
        let target = String::from_utf8_lossy(request.head.target()).into_owned();
        let (name, argument) = target[1..].split_once('/').unwrap_or((&target[1..], ""));
        match name {
            "echo" => reply.send_owned(200, &self.plain, request.take_body()),
            "length" => {
                let text = request.body().len().to_string();
                reply.send(200, &self.plain, text.as_bytes())
            }
            "big" => reply.send_owned(200, &self.plain, pattern(argument.parse().unwrap_or(0))),
            "later" => {
                let _ = self.owed.send((request.id, target));
                reply.later()
            }
            "close" => reply.send(200, &self.close, b"bye"),
            "sleep" => {
                std::thread::sleep(Duration::from_millis(argument.parse().unwrap_or(0)));
                reply.send(200, &self.plain, target.as_bytes())
            }
            "stats" => {
                let text = text_of(&reply.stats());
                reply.send(200, &self.plain, text.as_bytes())
            }
            _ => reply.send(200, &self.plain, target.as_bytes()),
        }
    }

    fn on_gone(&mut self, id: ReplyId, reason: Gone) {
        let _ = self.gone.send((id, reason));
    }
}

/// Numbers by name, one a line.
fn text_of(stats: &Stats) -> String {
    let mut text = format!(
        "active={}\npending={}\nbuffered={}\ntotal={}\n",
        stats.active_connections,
        // The request that asks is pending itself.
        stats.pending_requests - 1,
        stats.buffered_bytes,
        stats.total_requests
    );
    for (status, count) in &stats.rejected {
        let _ = writeln!(text, "{status}={count}");
    }
    for (reason, count) in &stats.closed {
        let _ = writeln!(text, "{reason}={count}");
    }
    text
}

/// Bytes that show a gap or a swap.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at) as u8).collect()
}

/// A server on its thread.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) remote: Remote,
    pub(crate) owed: Receiver<(ReplyId, String)>,
    pub(crate) gone: Receiver<(ReplyId, Gone)>,
    thread: Option<JoinHandle<(u64, Stats)>>,
}

/// Clients that were made later are dropped before, so nothing lingers.
impl Drop for Running {
    fn drop(&mut self) {
        self.remote.close(3000);
        if let Some(thread) = self.thread.take().filter(|_| !std::thread::panicking()) {
            wait(thread);
        }
    }
}

/// The defaults with short clocks are the test's own business.
pub(crate) fn start(config: Config) -> Running {
    let (desk, (owed, gone)) = Desk::new();
    let mut server = Server::new(config, desk).expect("a server");
    let address = listen(&mut server);
    let remote = server.remote();
    let thread = std::thread::spawn(move || {
        let cut = server.run().expect("the poll works");
        (cut, server.stats())
    });
    Running { address, remote, owed, gone, thread: Some(thread) }
}

pub(crate) fn listen(server: &mut Server<Desk>) -> SocketAddr {
    let any = ListenAddress::Tcp(([127, 0, 0, 1], 0).into());
    match server.listen(&any).expect("a free port") {
        ListenAddress::Tcp(address) => address,
        ListenAddress::Unix(_) => panic!("bound to TCP"),
    }
}

impl Running {
    pub(crate) fn client(&self) -> Client {
        Client::new(TcpStream::connect(self.address).expect("a connection"))
    }

    /// A client that has sent a request.
    pub(crate) fn get(&self, target: &str) -> Client {
        let mut client = self.client();
        client.get(target);
        client
    }

    /// The next request that was left for later.
    pub(crate) fn owed(&self) -> ReplyId {
        self.owed.recv_timeout(PATIENCE).expect("a request was left for later").0
    }

    pub(crate) fn gone(&self) -> (ReplyId, Gone) {
        self.gone.recv_timeout(PATIENCE).expect("a request is gone")
    }

    pub(crate) fn reply(&self, id: ReplyId, body: &str) {
        assert!(self.remote.answer(id, 200, Block::default(), body.into()), "the server runs");
    }

    /// One number, as a client asks for it; a connection that asks counts itself.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        let text = self.get("/stats").answer().body;
        let text = String::from_utf8(text).expect("text");
        let prefix = format!("{name}=");
        let value = text.lines().find_map(|line| line.strip_prefix(&prefix));
        value.map_or(0, |digits| digits.parse().expect("a number"))
    }

    /// Waits until a number is as expected.
    pub(crate) fn until(&self, name: &str, wanted: impl Fn(u64) -> bool) {
        let start = Instant::now();
        while !wanted(self.stat(name)) {
            assert!(start.elapsed() < PATIENCE, "{name} is {}", self.stat(name));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Closes, and says how many requests were cut and what the numbers were at the end.
    pub(crate) fn stop(self) -> (u64, Stats) {
        self.remote.close(3000);
        self.join()
    }

    /// Waits for the end of a server that was closed.
    pub(crate) fn join(mut self) -> (u64, Stats) {
        wait(self.thread.take().expect("it is joined once"))
    }
}

fn wait(thread: JoinHandle<(u64, Stats)>) -> (u64, Stats) {
    let start = Instant::now();
    while !thread.is_finished() {
        assert!(start.elapsed() < PATIENCE, "the server doesn't end");
        std::thread::sleep(Duration::from_millis(2));
    }
    thread.join().expect("no panic")
}

/// The other end of a connection.
pub(crate) struct Client<S = TcpStream> {
    pub(crate) stream: S,
    received: Vec<u8>,
}

/// One answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn says_close(&self) -> bool {
        self.head.contains("\r\nConnection: close\r\n")
    }
}

impl Client<TcpStream> {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("it can");
        stream.set_read_timeout(Some(PATIENCE)).expect("it can");
        stream.set_write_timeout(Some(PATIENCE)).expect("it can");
        Client::over(stream)
    }

    pub(crate) fn fin(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).expect("it can");
    }

    /// Leaves without a word: the server gets a reset.
    pub(crate) fn reset(self) {
        let socket = socket2::Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("it can");
    }

    /// Whether nothing comes for a while.
    pub(crate) fn is_silent(&mut self) -> bool {
        let short = Some(Duration::from_millis(150));
        self.stream.set_read_timeout(short).expect("it can");
        let read = self.stream.read(&mut [0; 1]);
        self.stream.set_read_timeout(Some(PATIENCE)).expect("it can");
        let kinds = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
        self.received.is_empty() && read.is_err_and(|error| kinds.contains(&error.kind()))
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        Client { stream, received: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server reads");
    }

    pub(crate) fn get(&mut self, target: &str) {
        self.send(get(target));
    }

    pub(crate) fn post(&mut self, target: &str, body: &[u8]) {
        self.send(post(target, body));
    }

    /// Reads one answer with its whole body.
    pub(crate) fn answer(&mut self) -> Received {
        let head = self.head_only();
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|text| text[..3].parse().ok());
        let status = status.expect("a status line");
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.map_or(0, |digits| digits.parse().expect("digits"));
        while self.received.len() < length {
            assert!(self.read() > 0, "the connection ended inside a body");
        }
        let body = self.received.drain(..length).collect();
        Received { status, head, body }
    }

    /// Reads one answer that has no body, whatever its fields say.
    pub(crate) fn head_only(&mut self) -> String {
        let head_end = loop {
            let found = self.received.windows(4).position(|four| four == b"\r\n\r\n");
            match found {
                Some(at) => break at + 4,
                None => assert!(self.read() > 0, "the connection ended before an answer"),
            }
        };
        let head: Vec<u8> = self.received.drain(..head_end).collect();
        String::from_utf8(head).expect("ASCII")
    }

    /// Reads to a regular end; a reset is a failure.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        while self.read() > 0 {}
        std::mem::take(&mut self.received)
    }

    /// The text of an answer.
    pub(crate) fn text(&mut self) -> String {
        self.answer().text().to_string()
    }

    fn read(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer).expect("no reset, and in time");
        self.received.extend_from_slice(&buffer[..count]);
        count
    }
}

pub(crate) fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: t\r\n\r\n").into_bytes()
}

pub(crate) fn post(target: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {target} HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
