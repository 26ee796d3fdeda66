//! Outgoing connections of a reactor, with an app that writes down what it is told: connecting,
//! sending with back-pressure, leftovers, pausing, time, each way to end.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use barewire::net::{
    App, Credit, Gone, Io, LinkEnd, LinkId, ListenAddress, Reactor, ReplyId, Settings,
};
use barewire::wire::fields::Trailers;
use barewire::wire::framing::BodyKind;
use barewire::wire::head::Head;

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes down what it hears; uses bytes up to the last line end.
#[derive(Default)]
struct Notebook {
    connected: Vec<LinkId>,
    lines: Vec<u8>,
    largest: usize,
    writable: usize,
    ends: Vec<(LinkId, LinkEnd)>,
    /// Pauses after each call with bytes.
    pauses: bool,
}

impl App for Notebook {
    type Message = ();
    fn on_request(&mut self, _: &mut Io, _: ReplyId, _: &Head<'_>, _: BodyKind) {}
    fn on_body(&mut self, _: &mut Io, _: ReplyId, _: &[u8]) {}
    fn on_body_end(&mut self, _: &mut Io, _: ReplyId, _: Trailers) {}
    fn on_writable(&mut self, _: &mut Io, _: ReplyId) {}
    fn on_gone(&mut self, _: &mut Io, _: ReplyId, _: Gone) {}
    fn on_message(&mut self, _: &mut Io, (): ()) {}

    fn on_connected(&mut self, _: &mut Io, id: LinkId) {
        self.connected.push(id);
    }

    fn on_bytes(&mut self, io: &mut Io, id: LinkId, bytes: &[u8]) -> usize {
        self.largest = self.largest.max(bytes.len());
        if self.pauses {
            io.pause_link(id);
        }
        let used = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        self.lines.extend_from_slice(&bytes[..used]);
        used
    }

    fn on_link_writable(&mut self, _: &mut Io, _: LinkId) {
        self.writable += 1;
    }

    fn on_link_end(&mut self, io: &mut Io, id: LinkId, end: LinkEnd) {
        assert_eq!(io.send(id, [b"x", b"", b""]), None, "its name is stale by then");
        self.ends.push((id, end));
    }
}

fn reactor() -> Reactor<Notebook> {
    Reactor::new(Notebook::default(), Settings::default()).expect("a poll")
}

/// Turns until it is so.
fn until(
    reactor: &mut Reactor<Notebook>,
    what: &str,
    mut is_so: impl FnMut(&mut Notebook) -> bool,
) {
    let start = Instant::now();
    while !is_so(reactor.app()) {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        reactor.turn(Some(Duration::from_millis(20))).expect("a turn");
    }
}

fn listener() -> (TcpListener, ListenAddress) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = ListenAddress::Tcp(listener.local_addr().expect("bound"));
    (listener, address)
}

/// A link and its peer.
fn pair(reactor: &mut Reactor<Notebook>) -> (LinkId, TcpStream) {
    let (listener, address) = listener();
    let id = reactor.parts().1.connect(&address).expect("begun");
    let (peer, _) = listener.accept().expect("accepted");
    until(reactor, "connected", |app| app.connected.contains(&id));
    (id, peer)
}

#[test]
fn what_is_sent_before_the_connection_comes_about_arrives_in_order() {
    let mut reactor = reactor();
    let (listener, address) = listener();
    let (_, io) = reactor.parts();
    let id = io.connect(&address).expect("begun");
    assert_eq!(io.send(id, [b"ab", b"cd", b"ef"]), Some(Credit::Go));
    assert_eq!(io.send(id, [b"gh", b"", b""]), Some(Credit::Go));
    let (mut peer, _) = listener.accept().expect("accepted");
    until(&mut reactor, "connected", |app| app.connected == [id]);
    let mut got = [0; 8];
    peer.read_exact(&mut got).expect("sent");
    assert_eq!(&got, b"abcdefgh");
    peer.write_all(b"answer\n").expect("sent");
    until(&mut reactor, "the answer", |app| app.lines == b"answer\n");
}

#[test]
fn a_unix_socket_is_a_link_as_well() {
    let path = std::env::temp_dir().join(format!("barewire-link-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).expect("bound");
    let mut reactor = reactor();
    let id = reactor.parts().1.connect(&ListenAddress::Unix(path.clone())).expect("begun");
    let (mut peer, _) = listener.accept().expect("accepted");
    peer.write_all(b"hello\n").expect("sent");
    drop(peer);
    until(&mut reactor, "its end", |app| app.ends == [(id, LinkEnd::Closed)]);
    assert_eq!(reactor.app().lines, b"hello\n");
    std::fs::remove_file(path).expect("removed");
}

#[test]
fn nobody_listening_is_told_as_refused() {
    let mut reactor = reactor();
    let (listener, address) = listener();
    drop(listener);
    let id = reactor.parts().1.connect(&address).expect("begun");
    until(&mut reactor, "the refusal", |app| !app.ends.is_empty());
    assert_eq!(reactor.app().ends, [(id, LinkEnd::Refused)]);
    assert!(reactor.app().connected.is_empty());
    assert_eq!(reactor.parts().1.links(), 0);
}

#[test]
fn what_isnt_used_comes_again_with_more_behind_it() {
    let mut reactor = reactor();
    let (_, mut peer) = pair(&mut reactor);
    for part in ["on", "e\ntw", "o", "\n"] {
        peer.write_all(part.as_bytes()).expect("sent");
        reactor.turn(Some(Duration::from_millis(50))).expect("a turn");
    }
    until(&mut reactor, "both lines", |app| app.lines == b"one\ntwo\n");
    assert_eq!(reactor.parts().1.link_bytes(), 0);
}

#[test]
fn the_end_comes_after_all_bytes() {
    let mut reactor = reactor();
    let (id, mut peer) = pair(&mut reactor);
    let line = [vec![b'x'; 299_999], b"\n".to_vec()].concat();
    let sent = line.clone();
    let sender = std::thread::spawn(move || peer.write_all(&sent).map(|()| drop(peer)));
    until(&mut reactor, "the end", |app| !app.ends.is_empty());
    sender.join().expect("no panic").expect("sent");
    assert_eq!(reactor.app().ends, [(id, LinkEnd::Closed)]);
    assert!(reactor.app().lines == line, "every byte came before the end");
}

#[test]
fn a_paused_link_reads_nothing_until_it_is_resumed() {
    let mut reactor = reactor();
    let (id, mut peer) = pair(&mut reactor);
    reactor.parts().1.pause_link(id);
    peer.write_all(b"one\ntwo\n").expect("sent");
    drop(peer);
    for _ in 0..5 {
        reactor.turn(Some(Duration::from_millis(10))).expect("a turn");
    }
    assert!(reactor.app().lines.is_empty() && reactor.app().ends.is_empty());
    reactor.app().pauses = true;
    reactor.parts().1.resume_link(id);
    until(&mut reactor, "the lines", |app| app.lines == b"one\ntwo\n");
    assert!(reactor.app().ends.is_empty(), "it paused again");
    reactor.parts().1.resume_link(id);
    until(&mut reactor, "the end", |app| app.ends == [(id, LinkEnd::Closed)]);
}

#[test]
fn a_peer_that_reads_nothing_holds_the_sender_back_and_gets_every_byte_later() {
    let mut reactor = reactor();
    let (id, mut peer) = pair(&mut reactor);
    let part = vec![b'p'; 64 * 1024];
    let mut sent = 0;
    loop {
        let credit = reactor.parts().1.send(id, [&part, b"", b""]);
        sent += part.len();
        if credit == Some(Credit::Wait) {
            break;
        }
        assert!(sent < 64 << 20, "the kernel never had enough");
    }
    assert!(reactor.parts().1.link_bytes() <= part.len() + 16 * 1024);
    for _ in 0..3 {
        reactor.turn(Some(Duration::from_millis(5))).expect("a turn");
    }
    assert_eq!(reactor.app().writable, 0);
    peer.set_nonblocking(true).expect("set");
    let mut got = 0;
    let mut buffer = vec![0; 1 << 20];
    until(&mut reactor, "room", |app| {
        match peer.read(&mut buffer) {
            Ok(count) => got += count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        app.writable == 1 && got == sent
    });
    assert_eq!(reactor.parts().1.link_bytes(), 0);
}

#[test]
fn time_ends_a_link_unless_it_is_pushed_back() {
    let mut reactor = reactor();
    let (id, _peer) = pair(&mut reactor);
    let start = Instant::now();
    reactor.parts().1.set_link_timeout(id, 100);
    reactor.parts().1.set_link_timeout(id, 300);
    until(&mut reactor, "the timeout", |app| !app.ends.is_empty());
    assert_eq!(reactor.app().ends, [(id, LinkEnd::Timeout)]);
    assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
    let (id, _peer) = pair(&mut reactor);
    reactor.parts().1.set_link_timeout(id, 100);
    reactor.parts().1.set_link_timeout(id, 0);
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(300) {
        reactor.turn(Some(Duration::from_millis(20))).expect("a turn");
    }
    assert_eq!(reactor.app().ends.len(), 1, "0 is for ever");
}

#[test]
fn a_reset_is_told_as_lost() {
    let mut reactor = reactor();
    let (id, peer) = pair(&mut reactor);
    let socket = socket2::SockRef::from(&peer);
    socket.set_linger(Some(Duration::ZERO)).expect("set");
    drop(peer);
    until(&mut reactor, "the reset", |app| app.ends == [(id, LinkEnd::Lost)]);
}

#[test]
fn an_answer_is_read_though_the_peer_takes_no_more() {
    let mut reactor = reactor();
    let (id, mut peer) = pair(&mut reactor);
    peer.write_all(b"enough\n").expect("sent");
    // Unread bytes make a reset of its close, and the next write fails.
    reactor.parts().1.send(id, [b"more", b"", b""]);
    std::thread::sleep(Duration::from_millis(50));
    drop(peer);
    std::thread::sleep(Duration::from_millis(50));
    for _ in 0..3 {
        assert_eq!(reactor.parts().1.send(id, [b"still more", b"", b""]), Some(Credit::Go));
    }
    until(&mut reactor, "the end", |app| !app.ends.is_empty());
    assert_eq!(reactor.app().lines, b"enough\n");
}

#[test]
fn a_closed_link_tells_nothing_and_its_name_reaches_nobody_else() {
    let mut reactor = reactor();
    let (first, mut peer) = pair(&mut reactor);
    peer.write_all(b"too late\n").expect("sent");
    reactor.parts().1.close_link(first);
    let (second, mut next_peer) = pair(&mut reactor);
    assert_eq!(first.slot(), second.slot());
    assert_ne!(first, second);
    reactor.parts().1.close_link(first);
    assert_eq!(reactor.parts().1.send(first, [b"x", b"", b""]), None);
    next_peer.write_all(b"here\n").expect("sent");
    until(&mut reactor, "the line", |app| app.lines == b"here\n");
    assert!(reactor.app().ends.is_empty());
    let mut rest = Vec::new();
    assert!(peer.read_to_end(&mut rest).is_err() || rest.is_empty());
}
