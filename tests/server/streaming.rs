//! Bodies in parts, both ways: answers that are streamed, and requests whose handler is asked before
//! their body is complete. The server is driven turn by turn, with blocking clients beside it.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use barewire::proto::http1::AnswerError;
use barewire::server::{
    Answer, Block, Config, Credit, Gone, Handler, Intake, ListenAddress, Reply, ReplyError,
    ReplyId, Request, Server, Timeouts,
};
use barewire::wire::fields::Trailers;
use socket2::{Domain, Socket, Type};

use super::harness::{Client, PATIENCE, get, pattern, post};

/// What a [`Recorder`] was told, in order.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Asked { target: String, begun: usize, is_complete: bool },
    Part(Vec<u8>),
    Ended(Vec<String>),
    Writable,
    Gone(Gone),
}

/// Writes down what it is told and answers as the target says.
struct Recorder {
    plain: Block,
    ten: Block,
    told: Vec<Told>,
    asked: Option<ReplyId>,
    intake: Intake,
}

impl Default for Recorder {
    fn default() -> Self {
        let ten: (&[u8], &[u8]) = (b"Content-Length", b"10");
        Recorder {
            plain: Block::default(),
            ten: Block::parse([ten]).expect("valid"),
            told: Vec::new(),
            asked: None,
            intake: Intake::More,
        }
    }
}

impl Handler for Recorder {
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
        let target = String::from_utf8_lossy(request.head.target()).into_owned();
        self.asked = Some(request.id);
        self.told.push(Told::Asked {
            target: target.clone(),
            begun: request.body().len(),
            is_complete: request.is_complete,
        });
        match target.as_str() {
            "/stream" => reply.stream(200, &self.plain),
            "/ten" => reply.stream(200, &self.ten),
            "/status" => reply.stream(99, &self.plain),
            "/204" => reply.stream(204, &self.plain),
            "/later" => reply.later(),
            _ => reply.send(200, &self.plain, target.as_bytes()),
        }
    }

    fn on_body(&mut self, _: ReplyId, bytes: &[u8]) -> Intake {
        match self.told.last_mut() {
            Some(Told::Part(part)) => part.extend_from_slice(bytes),
            _ => self.told.push(Told::Part(bytes.to_vec())),
        }
        self.intake
    }

    fn on_body_end(&mut self, _: ReplyId, trailers: &Trailers) {
        let line = |(name, value): (&[u8], &[u8])| {
            format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
        };
        self.told.push(Told::Ended(trailers.iter().map(line).collect()));
    }

    fn on_writable(&mut self, _: ReplyId) {
        self.told.push(Told::Writable);
    }

    fn on_gone(&mut self, _: ReplyId, reason: Gone) {
        self.told.push(Told::Gone(reason));
    }
}

/// A server that turns when it is told to.
struct House {
    server: Server<Recorder>,
    address: SocketAddr,
}

impl House {
    fn new(config: Config) -> House {
        let mut server = Server::new(config, Recorder::default()).expect("a server");
        let any = ListenAddress::Tcp(([127, 0, 0, 1], 0).into());
        match server.listen(&any).expect("a free port") {
            ListenAddress::Tcp(address) => House { server, address },
            ListenAddress::Unix(_) => panic!("bound to TCP"),
        }
    }

    fn client(&self) -> Client {
        Client::new(TcpStream::connect(self.address).expect("a connection"))
    }

    /// A client that has sent something.
    fn sent(&self, bytes: impl AsRef<[u8]>) -> Client {
        let mut client = self.client();
        client.send(bytes);
        client
    }

    fn turn(&mut self) {
        self.server.turn(Some(Duration::from_millis(5))).expect("the poll works");
    }

    /// Turns until something holds.
    fn until(&mut self, name: &str, holds: impl Fn(&mut Server<Recorder>) -> bool) {
        let begun = Instant::now();
        while !holds(&mut self.server) {
            assert!(begun.elapsed() < PATIENCE, "{name}: {:?}", self.server.handler().told);
            self.turn();
        }
    }

    /// Turns until the handler was told so many things.
    fn told(&mut self, count: usize) -> &[Told] {
        self.until("it is told", |server| server.handler().told.len() >= count);
        &self.server.handler().told
    }

    /// Turns for a while and says that nothing more was told.
    fn is_told_no_more(&mut self) {
        let before = self.server.handler().told.len();
        for _ in 0..10 {
            self.turn();
        }
        assert_eq!(self.server.handler().told.len(), before, "{:?}", self.server.handler().told);
    }

    /// The next request that was asked about.
    fn asked(&mut self) -> ReplyId {
        self.until("it is asked", |server| server.handler().asked.is_some());
        self.server.handler().asked.take().expect("it was asked")
    }

    fn begin(&mut self, id: ReplyId, first: &[u8]) -> Credit {
        self.server.begin(id, 200, &Block::default(), first).expect("it is owed")
    }

    fn chunk(&mut self, id: ReplyId, part: &[u8]) {
        assert_eq!(self.server.chunk(id, part), Ok(Credit::Go));
    }

    fn connections(&mut self) -> u64 {
        self.server.stats().active_connections as u64
    }

    /// Why connections ended.
    fn closed(&mut self) -> Vec<(&'static str, u64)> {
        let closed = self.server.stats().closed;
        closed.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Turns until no connection is left.
    fn until_empty(&mut self) {
        self.until("nobody is left", |server| server.stats().active_connections == 0);
    }

    /// Reads to the end of a connection; the server turns meanwhile.
    fn end(&mut self, mut client: Client) -> String {
        let reading = std::thread::spawn(move || client.end());
        while !reading.is_finished() {
            self.turn();
        }
        String::from_utf8(reading.join().expect("no reset")).expect("text")
    }

    /// Reads one answer with a known length; the server turns meanwhile.
    fn answer(&mut self, mut client: Client) -> (Client, String) {
        let reading = std::thread::spawn(move || {
            let text = client.text();
            (client, text)
        });
        while !reading.is_finished() {
            self.turn();
        }
        reading.join().expect("an answer")
    }
}

fn asked(target: &str, begun: usize, is_complete: bool) -> Told {
    Told::Asked { target: target.into(), begun, is_complete }
}

fn streaming(above: u64) -> Config {
    Config { stream_above: Some(above), ..Config::default() }
}

/// The text behind the head.
fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").expect("a head").1
}

fn get_and_close(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
}

#[test]
fn a_streamed_answer_is_chunked_and_lets_the_next_request_in_at_its_end() {
    let mut house = House::new(Config::default());
    let client = house.sent([get("/stream"), get_and_close("/next").into()].concat());
    let id = house.asked();
    house.chunk(id, b"hello");
    house.chunk(id, b"");
    house.chunk(id, b" world");
    house.is_told_no_more();
    assert_eq!(house.server.finish(id, &[]), Ok(()));
    let all = house.end(client);
    assert!(
        all.contains("\r\nTransfer-Encoding: chunked\r\n") && !all.contains("Content-Length: 1")
    );
    let (first, next) = body_of(&all).split_once("HTTP/1.1 200 OK").expect("two answers");
    assert_eq!(first, "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
    assert!(next.ends_with("\r\n\r\n/next"));
}

#[test]
fn a_late_answer_is_begun_with_its_first_part() {
    let mut house = House::new(Config::default());
    let client = house.sent(get_and_close("/later"));
    let id = house.asked();
    assert_eq!(house.server.stats().pending_requests, 1);
    assert_eq!(house.begin(id, b"first"), Credit::Go);
    assert_eq!(
        house.server.begin(id, 200, &Block::default(), b"again").map(|_| ()),
        Err(ReplyError::Answer(AnswerError::NotOwed)),
        "a head is given once"
    );
    house.chunk(id, b"second");
    assert_eq!(house.server.finish(id, &[(b"X-Sum", b"11")]), Ok(()));
    assert_eq!(body_of(&house.end(client)), "5\r\nfirst\r\n6\r\nsecond\r\n0\r\nX-Sum: 11\r\n\r\n");
    assert_eq!(house.server.chunk(id, b"too late"), Err(ReplyError::Stale));
    assert_eq!(house.server.finish(id, &[]), Err(ReplyError::Stale));
    assert_eq!(house.server.abort(id), Err(ReplyError::Stale));
    assert_eq!(house.server.stats().pending_requests, 0);
}

#[test]
fn http_1_0_reads_to_the_end_of_the_connection() {
    let mut house = House::new(Config::default());
    let client = house.sent("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let id = house.asked();
    house.chunk(id, b"one ");
    house.chunk(id, b"two");
    assert_eq!(house.server.finish(id, &[]), Ok(()));
    let all = house.end(client);
    assert!(all.contains("\r\nConnection: close\r\n") && !all.contains("chunked"));
    assert_eq!(body_of(&all), "one two");
}

#[test]
fn head_and_204_swallow_the_parts() {
    for (request, has_framing) in [
        ("HEAD /stream HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".to_string(), true),
        (get_and_close("/204"), false),
    ] {
        let mut house = House::new(Config::default());
        let client = house.sent(request);
        let id = house.asked();
        house.chunk(id, b"unseen");
        assert_eq!(house.server.finish(id, &[]), Ok(()));
        let all = house.end(client);
        assert_eq!(body_of(&all), "");
        assert_eq!(all.contains("Transfer-Encoding: chunked"), has_framing);
        assert!(!all.contains("Content-Length"));
    }
}

#[test]
fn a_status_that_there_is_not_is_500() {
    let mut house = House::new(Config::default());
    let client = house.sent(get_and_close("/status"));
    let all = house.end(client);
    assert!(all.starts_with("HTTP/1.1 500 "), "{all}");
    assert_eq!(house.server.stats().pending_requests, 0);
}

#[test]
fn a_declared_length_is_kept() {
    let mut house = House::new(Config::default());
    let client = house.sent([get("/ten"), get_and_close("/next").into()].concat());
    let id = house.asked();
    house.chunk(id, b"0123456");
    house.chunk(id, b"789");
    assert_eq!(house.server.finish(id, &[]), Ok(()));
    let (client, text) = house.answer(client);
    assert_eq!(text, "0123456789");
    assert!(house.end(client).ends_with("/next"));
}

#[test]
fn too_many_bytes_cut_the_connection_and_are_never_sent() {
    let mut house = House::new(Config::default());
    let client = house.sent([get("/ten"), get("/next")].concat());
    let id = house.asked();
    house.chunk(id, b"01234567");
    assert!(matches!(house.server.chunk(id, b"89x"), Err(ReplyError::Answer(_))));
    assert_eq!(house.server.chunk(id, b"9"), Err(ReplyError::Stale));
    let all = house.end(client);
    assert!("01234567".starts_with(body_of(&all)), "{all}");
    house.until_empty();
    assert_eq!(house.server.stats().pending_requests, 0);
    assert_eq!(house.closed(), [("handlerAborted", 1)]);
}

#[test]
fn too_few_bytes_cut_the_connection() {
    let mut house = House::new(Config::default());
    let client = house.sent([get("/ten"), get("/next")].concat());
    let id = house.asked();
    house.chunk(id, b"01234567");
    assert!(matches!(house.server.finish(id, &[]), Err(ReplyError::Answer(_))));
    assert_eq!(body_of(&house.end(client)), "01234567");
    assert_eq!(house.closed(), [("handlerAborted", 1)]);
}

#[test]
fn an_answer_that_is_given_up_has_no_end() {
    let mut house = House::new(Config::default());
    let client = house.sent([get("/stream"), get("/next")].concat());
    let id = house.asked();
    house.chunk(id, b"half");
    assert_eq!(house.server.abort(id), Ok(()));
    assert_eq!(body_of(&house.end(client)), "4\r\nhalf\r\n");
    assert_eq!(house.server.abort(id), Err(ReplyError::Stale));
    let told = &house.server.handler().told;
    assert_eq!(*told, [asked("/stream", 0, true)], "its giver knows, and the next isn't served");
}

#[test]
fn a_slow_client_makes_the_giver_wait_until_it_is_told() {
    let mut house = House::new(Config::default());
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("it can");
    socket.connect(&house.address.into()).expect("a connection");
    let mut client = Client::new(TcpStream::from(socket));
    client.get("/stream");
    let id = house.asked();
    let part = pattern(50_000);
    let mut given = 0;
    while house.server.chunk(id, &part) == Ok(Credit::Go) {
        given += 1;
        assert!(given < 1000, "nobody reads, and still there is room");
    }
    given += 1;
    house.is_told_no_more();
    let buffered = house.server.stats().buffered_bytes;
    assert!(buffered > 16 * 1024 && buffered < 16 * 1024 + 50_100, "{buffered}");

    let reading = std::thread::spawn(move || {
        let mut all = client.end();
        all.drain(..all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4);
        all
    });
    house.told(2);
    assert_eq!(house.server.handler().told[1], Told::Writable);
    assert_eq!(house.server.stats().buffered_bytes, 0, "it has taken everything");
    house.is_told_no_more();
    house.server.close(1000);
    assert_eq!(house.server.finish(id, &[]), Ok(()));
    while !reading.is_finished() {
        house.turn();
    }
    let mut expected = Vec::new();
    for _ in 0..given {
        expected.extend_from_slice(b"c350\r\n");
        expected.extend_from_slice(&part);
        expected.extend_from_slice(b"\r\n");
    }
    expected.extend_from_slice(b"0\r\n\r\n");
    assert!(reading.join().expect("no panic") == expected);
}

#[test]
fn the_loss_of_the_client_is_told_once_and_parts_are_stale_then() {
    let mut house = House::new(Config::default());
    let client = house.sent(get("/stream"));
    let id = house.asked();
    house.chunk(id, b"first");
    client.reset();
    house.told(2);
    assert_eq!(house.server.handler().told[1], Told::Gone(Gone::Lost));
    assert_eq!(house.server.chunk(id, b"second"), Err(ReplyError::Stale));
    house.is_told_no_more();
    assert_eq!(house.server.stats().pending_requests, 0);
}

#[test]
fn a_stream_that_is_silent_outlives_every_clock_of_a_request() {
    let timeouts = Timeouts { headers: 100, idle: 100, body: 100, send: 100, handler: 100 };
    let mut house = House::new(Config { timeouts, ..Config::default() });
    let client = house.sent(get_and_close("/stream"));
    let id = house.asked();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(400) {
        house.turn();
    }
    house.chunk(id, b"still here");
    assert_eq!(house.server.finish(id, &[]), Ok(()));
    assert_eq!(body_of(&house.end(client)), "a\r\nstill here\r\n0\r\n\r\n");
}

#[test]
fn a_close_waits_for_a_stream_and_cuts_it_at_its_timeout() {
    let mut house = House::new(Config::default());
    let done = house.sent(get("/stream"));
    let first = house.asked();
    let endless = house.sent(get("/stream"));
    let second = house.asked();
    house.chunk(second, b"for ever");
    house.server.close(200);
    house.turn();
    house.chunk(first, b"in time");
    assert_eq!(house.server.finish(first, &[]), Ok(()));
    assert!(house.end(done).ends_with("in time\r\n0\r\n\r\n"));
    assert!(!house.server.is_closed());
    assert_eq!(body_of(&house.end(endless)), "8\r\nfor ever\r\n");
    house.until("it is closed", |server| server.is_closed());
    assert_eq!(house.server.cut(), 1);
    assert_eq!(house.server.handler().told.last(), Some(&Told::Gone(Gone::Cut)));
    assert_eq!(house.server.chunk(second, b"more"), Err(ReplyError::Stale));
}

#[test]
fn a_body_up_to_the_bound_is_waited_for_and_a_larger_one_is_not() {
    let mut house = House::new(streaming(10));
    let head = "POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: ";
    let mut small = house.sent(format!("{head}10\r\n\r\n012345678"));
    house.is_told_no_more();
    small.send("9");
    assert_eq!(house.told(1), [asked("/later", 10, true)]);
    let _large = house.sent(format!("{head}11\r\n\r\n0123"));
    assert_eq!(house.told(2)[1], asked("/later", 0, false));
    house.is_told_no_more();
}

#[test]
fn the_rest_comes_when_it_is_wanted_and_ends_with_its_trailers() {
    let mut house = House::new(streaming(10));
    let head = "POST /later HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n";
    let mut client = house.sent(format!("{head}Connection: close\r\n\r\n8\r\n01234567\r\n"));
    house.is_told_no_more();
    client.send("4\r\n89ab\r\n");
    assert_eq!(house.told(1), [asked("/later", 12, false)], "with what has come of it");
    client.send("3\r\ncde\r\n0\r\nX-Sum: 15\r\n\r\n");
    house.is_told_no_more();
    let id = house.asked();
    house.server.read_body(id);
    let expected = [Told::Part(b"cde".into()), Told::Ended(vec!["X-Sum: 15".into()])];
    assert_eq!(house.told(3)[1..], expected);
    assert_eq!(house.server.answer(id, 200, &Block::default(), b"thanks"), Ok(()));
    assert_eq!(body_of(&house.end(client)), "thanks");
}

#[test]
fn a_pause_makes_the_socket_wait() {
    let mut house = House::new(streaming(10));
    house.server.handler().intake = Intake::Pause;
    let length = 8 << 20;
    let body = pattern(length);
    let mut client = house.client();
    let request = post("/later", &body);
    client.stream.set_nonblocking(true).expect("it can");
    let mut sent = 0;
    let mut push = |house: &mut House| {
        while sent < request.len() {
            match client.stream.write(&request[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        house.turn();
    };
    let received = |house: &mut House| house.server.stats().bytes_received;
    while house.server.handler().asked.is_none() {
        push(&mut house);
    }
    let id = house.asked();
    for _ in 0..20 {
        push(&mut house);
    }
    let before = received(&mut house);
    assert!(before < 200_000, "{before} bytes were read for nobody");
    // One part for each time that it is wanted.
    house.server.read_body(id);
    for _ in 0..20 {
        push(&mut house);
    }
    let one = received(&mut house) - before;
    assert!(one < 200_000, "{one} bytes were read for one part");
    house.server.handler().intake = Intake::More;
    house.server.read_body(id);
    let begun = Instant::now();
    while !matches!(house.server.handler().told.last(), Some(Told::Ended(_))) {
        assert!(begun.elapsed() < PATIENCE);
        push(&mut house);
    }
    let parts = house.server.handler().told.iter().filter_map(|told| match told {
        Told::Part(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    assert!(parts.collect::<Vec<_>>().concat() == body);
    assert_eq!(house.server.stats().buffered_bytes, 0);
}

#[test]
fn what_the_handler_keeps_counts_until_the_answer() {
    let mut house = House::new(streaming(10));
    house.server.handler().intake = Intake::Kept;
    let mut client = house.sent(post("/later", &pattern(1000)));
    let id = house.asked();
    assert_eq!(house.server.stats().buffered_bytes, 0);
    house.server.read_body(id);
    house.until("it is kept", |server| server.stats().buffered_bytes == 1000);
    house.told(3);
    assert_eq!(house.server.answer(id, 200, &Block::default(), b"thanks"), Ok(()));
    assert_eq!(client.text(), "thanks");
    assert_eq!(house.server.stats().buffered_bytes, 0);
}

#[test]
fn above_the_limit_while_reading_is_413_and_the_handler_is_told() {
    let mut house = House::new(Config { max_body_size: 1000, ..streaming(10) });
    let head = "POST /later HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    let client = house.sent(format!("{head}14\r\n01234567890123456789\r\n"));
    let id = house.asked();
    house.server.read_body(id);
    let mut more = client;
    more.send(format!("3e8\r\n{}\r\n", "x".repeat(1000)));
    let all = house.end(more);
    assert!(all.starts_with("HTTP/1.1 413 ") && all.contains("Connection: close"), "{all}");
    assert_eq!(house.server.handler().told.last(), Some(&Told::Gone(Gone::BadBody)));
    let late = house.server.answer(id, 200, &Block::default(), b"late");
    assert_eq!(late, Err(ReplyError::Stale));
    let stats = house.server.stats();
    assert_eq!((stats.buffered_bytes, stats.pending_requests), (0, 0));
}

#[test]
fn a_fin_in_the_body_is_400_and_told_also_while_it_is_paused() {
    let head = "POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n0123";
    let mut house = House::new(streaming(10));
    let client = house.sent(head);
    let id = house.asked();
    client.fin();
    house.told(2);
    assert_eq!(house.server.handler().told[1], Told::Gone(Gone::ClientClosed), "it may still read");
    house.is_told_no_more();
    house.server.read_body(id);
    let all = house.end(client);
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
    let told = &house.server.handler().told;
    assert_eq!(told[2..], [Told::Part(b"0123".into()), Told::Gone(Gone::BadBody)]);
}

#[test]
fn a_reset_is_told_while_the_body_is_paused() {
    let head = "POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n0123";
    let mut house = House::new(streaming(10));
    let client = house.sent(head);
    house.asked();
    client.reset();
    house.told(2);
    assert_eq!(house.server.handler().told[1], Told::Gone(Gone::Lost));
    house.until_empty();
}

#[test]
fn an_unread_rest_is_dropped_up_to_its_bound_and_ends_the_connection_above() {
    for (length, goes_on) in [(60_000, true), (64 * 1024 + 1, false)] {
        let mut house = House::new(streaming(10));
        let body = pattern(length);
        let mut client = house.sent(format!(
            "POST /answered HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n"
        ));
        house.asked();
        house.turn();
        let answer = client.answer();
        assert_eq!((answer.text(), answer.says_close()), ("/answered", !goes_on), "{length}");
        client.send([&body[..], get_and_close("/next").as_bytes()].concat());
        let rest = house.end(client);
        assert_eq!(rest.ends_with("/next"), goes_on, "{length}: {rest}");
    }
}

/// The clock of a body stands still while nobody reads it; once its rest is only dropped, it is the
/// client's time again.
#[test]
fn a_rest_that_never_comes_does_not_hold_the_connection() {
    let timeouts = Timeouts { body: 150, ..Timeouts::default() };
    let mut house = House::new(Config { timeouts, ..streaming(10) });
    let mut client =
        house.sent("POST /answered HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n");
    house.asked();
    house.turn();
    assert_eq!(client.text(), "/answered");
    let begun = Instant::now();
    while house.connections() > 0 && begun.elapsed() < Duration::from_secs(2) {
        house.turn();
    }
    assert_eq!(house.connections(), 0, "it waits for a body that nobody wants");
    assert_eq!(house.closed(), [("bodyTimeout", 1)]);
}

#[test]
fn a_client_that_expects_100_gets_it_when_the_body_is_wanted() {
    let head = "POST /later HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n\
                Connection: close\r\nContent-Length: 5\r\n\r\n";
    let mut house = House::new(streaming(1000));
    let mut client = house.sent(head);
    assert_eq!(house.told(1), [asked("/later", 0, false)], "however small its body is");
    let id = house.asked();
    assert!(client.is_silent());
    house.server.read_body(id);
    let mut hundred = [0; 25];
    std::io::Read::read_exact(&mut client.stream, &mut hundred).expect("100 comes");
    assert_eq!(&hundred, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    assert_eq!(house.told(3)[1..], [Told::Part(b"hello".into()), Told::Ended(Vec::new())]);
    assert_eq!(house.server.answer(id, 200, &Block::default(), b"thanks"), Ok(()));
    assert_eq!(body_of(&house.end(client)), "thanks");
}

#[test]
fn a_client_that_expects_100_gets_the_final_answer_alone_when_nobody_reads() {
    let head = "POST /answered HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n\
                Content-Length: 5\r\n\r\n";
    let mut house = House::new(streaming(1000));
    let client = house.sent(head);
    let all = house.end(client);
    assert!(all.starts_with("HTTP/1.1 200 OK\r\n") && all.contains("Connection: close"), "{all}");
    assert!(all.ends_with("/answered"));
}

#[test]
fn both_directions_at_once() {
    let mut house = House::new(streaming(10));
    let head = "POST /later HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = house.sent(format!("{head}b\r\n01234567890\r\n"));
    let id = house.asked();
    assert_eq!(house.begin(id, b"up"), Credit::Go);
    house.server.read_body(id);
    client.send("3\r\nabc\r\n");
    house.told(2);
    house.chunk(id, b"abc");
    client.send("0\r\n\r\n");
    house.told(3);
    assert_eq!(house.server.handler().told[2], Told::Ended(Vec::new()));
    assert_eq!(house.server.finish(id, &[]), Ok(()));
    assert_eq!(body_of(&house.end(client)), "2\r\nup\r\n3\r\nabc\r\n0\r\n\r\n");
    assert_eq!(house.server.stats().pending_requests, 0);
}
