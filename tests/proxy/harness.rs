//! The example as a process, upstreams that follow a script, and a naive blocking client.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest that anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A proxy that ends with its test.
pub(crate) struct Proxy {
    process: Child,
    address: SocketAddr,
    lines: Receiver<String>,
}

/// Cargo builds the examples beside the tests.
fn program() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test has a path");
    path.pop();
    path.pop();
    path.join("examples").join("proxy")
}

impl Proxy {
    /// A proxy before these upstreams, with short times.
    pub(crate) fn before(upstreams: &[SocketAddr]) -> Self {
        Self::with(upstreams, &[])
    }

    pub(crate) fn with(upstreams: &[SocketAddr], options: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.args(["--listen", "127.0.0.1:0"]);
        command.args(["--connect-timeout", "600", "--answer-timeout", "600"]);
        for upstream in upstreams {
            command.arg("--upstream").arg(upstream.to_string());
        }
        command.args(options).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("built with the tests");
        let mut line = String::new();
        let mut errors = BufReader::new(process.stderr.take().expect("piped"));
        errors.read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("Listening on http://").expect("its address");
        let address = address.parse().expect("an address");
        // What else it has to say belongs to the test.
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::stderr()));
        let (sender, lines) = channel();
        let output = BufReader::new(process.stdout.take().expect("piped"));
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Proxy { process, address, lines }
    }

    pub(crate) fn client(&self) -> Client {
        Client::to(self.address)
    }

    /// The whole answer to a request, after which the connection ends.
    pub(crate) fn ask(&self, request: &str) -> String {
        let mut client = self.client();
        client.send(request);
        client.rest()
    }

    /// The next line of the access log.
    pub(crate) fn log_line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }

    /// The most memory that it has had, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("known");
        line.trim().strip_suffix(" kB").expect("kB").parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A blocking connection, on either side of the proxy.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    fn to(address: SocketAddr) -> Self {
        Client::on(TcpStream::connect(address).expect("it listens"))
    }

    fn on(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.set_write_timeout(Some(PATIENCE)).expect("set");
        Client(stream)
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("sent");
    }

    /// Reads until these bytes have come; gives everything up to their end.
    pub(crate) fn until(&mut self, end: &str) -> String {
        let mut got = Vec::new();
        let mut byte = [0];
        while !got.ends_with(end.as_bytes()) {
            match self.0.read(&mut byte) {
                Ok(1) => got.push(byte[0]),
                other => panic!("{other:?} after {:?}", String::from_utf8_lossy(&got)),
            }
        }
        String::from_utf8_lossy(&got).into_owned()
    }

    /// A head, with its empty line.
    pub(crate) fn head(&mut self) -> String {
        self.until("\r\n\r\n")
    }

    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).expect("so many bytes");
        bytes
    }

    /// Everything until the end of the connection, however it ends.
    pub(crate) fn rest(&mut self) -> String {
        let mut got = Vec::new();
        match self.0.read_to_end(&mut got) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("no end in time"),
            _ => String::from_utf8_lossy(&got).into_owned(),
        }
    }

    /// Waits for the end of the connection, which must come without a further byte.
    pub(crate) fn expect_end(&mut self) {
        assert_eq!(self.rest(), "");
    }

    /// Ends the connection by a reset.
    pub(crate) fn reset(self) {
        let socket = socket2::SockRef::from(&self.0);
        socket.set_linger(Some(Duration::ZERO)).expect("set");
    }

    pub(crate) fn shut(&self) {
        self.0.shutdown(Shutdown::Write).expect("open");
    }
}

/// An upstream whose connections follow a script, one after another. What a script gives is the
/// test's to judge.
pub(crate) struct Upstream<T> {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Upstream<T> {
    pub(crate) fn new(script: impl FnOnce(&mut Visitors) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("bound");
        let thread = std::thread::spawn(move || script(&mut Visitors(listener)));
        Upstream { address, thread }
    }

    /// What the script gave, when it is through.
    pub(crate) fn end(self) -> T {
        let start = Instant::now();
        while !self.thread.is_finished() {
            assert!(start.elapsed() < PATIENCE, "the upstream still waits");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.thread.join().expect("its script holds")
    }
}

/// The connections that come to an upstream.
pub(crate) struct Visitors(TcpListener);

impl Visitors {
    pub(crate) fn next(&mut self) -> Client {
        self.next_within(PATIENCE).expect("somebody comes")
    }

    /// The next connection, if one comes within this time.
    pub(crate) fn next_within(&mut self, time: Duration) -> Option<Client> {
        self.0.set_nonblocking(true).expect("set");
        let start = Instant::now();
        while start.elapsed() < time {
            if let Ok((stream, _)) = self.0.accept() {
                stream.set_nonblocking(false).expect("set");
                return Some(Client::on(stream));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// Whether somebody comes within this time.
    pub(crate) fn comes_another(&mut self, within: Duration) -> bool {
        self.next_within(within).is_some()
    }
}

/// An address at which nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    listener.local_addr().expect("bound")
}

/// An address at which somebody listens and takes no connection: the kernel's queue is full, for as
/// long as the rest is kept.
#[cfg(target_os = "linux")]
pub(crate) fn crowded() -> (SocketAddr, socket2::Socket, Vec<TcpStream>) {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("bound");
    socket.listen(0).expect("it listens");
    let address = socket.local_addr().expect("bound").as_socket().expect("an address");
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
    }
    (address, socket, waiting)
}

/// The body of an answer.
pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// A request that ends its connection.
pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n")
}
