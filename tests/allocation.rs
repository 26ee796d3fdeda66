//! The usual request costs no memory: after a warm-up, a server with a handler that is ready
//! allocates nothing, neither for GET, nor for pipelined batches, nor for small bodies.
//!
//! Only this thread's allocations count, and server and client run in it, turn by turn.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use barewire::server::{
    Answer, Block, Config, Handler, ListenAddress, Method, Reply, ReplyId, Request, Server,
};
use barewire::wire::conditional::{Preconditions, Validators, Verdict};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is the system allocator's own work; counting touches a thread-local cell
// that needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ANSWER: &[u8] = br#"{"hello":"world"}"#;
const WARM_UP: usize = 300;
const MEASURED: usize = 1000;

/// Answers at once, or leaves the answer to the test.
struct Constant {
    json: Block,
    is_late: bool,
    owed: Option<ReplyId>,
    body_bytes: usize,
}

impl Handler for Constant {
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
        self.body_bytes += request.body().len();
        if self.is_late {
            self.owed = Some(request.id);
            return reply.later();
        }
        match request.head.method() {
            Method::Get => reply.send(200, &self.json, ANSWER),
            _ => reply.send_in_place(200, &self.json, ANSWER.len(), |out| {
                out.extend_from_slice(ANSWER);
                true
            }),
        }
    }
}

struct Bench {
    server: Server<Constant>,
    client: TcpStream,
    received: Vec<u8>,
}

impl Bench {
    fn new(is_late: bool) -> Bench {
        let json =
            Block::parse([(&b"Content-Type"[..], &b"application/json"[..])]).expect("valid fields");
        let handler = Constant { json, is_late, owed: None, body_bytes: 0 };
        let mut server = Server::new(Config::default(), handler).expect("a server");
        let any = ListenAddress::Tcp(([127, 0, 0, 1], 0).into());
        let ListenAddress::Tcp(address) = server.listen(&any).expect("a free port") else {
            panic!("bound to TCP");
        };
        let client = TcpStream::connect(address).expect("a connection");
        client.set_nonblocking(true).expect("it can");
        client.set_nodelay(true).expect("it can");
        Bench { server, client, received: vec![0; 256 * 1024] }
    }

    /// Sends the pieces, each before a turn of its own, and waits for so many answers.
    fn exchange(&mut self, pieces: &[&[u8]], answers: usize, answer_length: usize) {
        for piece in pieces {
            self.client.write_all(piece).expect("small enough for the socket's buffer");
            self.turn();
        }
        let wanted = answers * answer_length;
        let mut got = 0;
        for _ in 0..100_000 {
            match self.client.read(&mut self.received[got..]) {
                Ok(0) => panic!("the server has closed"),
                Ok(count) => got += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.turn(),
                Err(error) => panic!("{error}"),
            }
            if got >= wanted {
                break;
            }
        }
        assert_eq!(got, wanted);
        assert!(self.received[..got].ends_with(ANSWER));
    }

    fn turn(&mut self) {
        self.server.turn(Some(Duration::ZERO)).expect("the poll works");
        if let Some(id) = self.server.handler().owed.take() {
            let block = std::mem::take(&mut self.server.handler().json);
            self.server.answer(id, 200, &block, ANSWER).expect("it is owed");
            self.server.handler().json = block;
        }
    }

    /// The length of one answer; all are the same but for the date.
    fn answer_length(&mut self, request: &[u8]) -> usize {
        self.client.write_all(request).expect("small");
        for _ in 0..100_000 {
            self.turn();
            if let Ok(count) = self.client.read(&mut self.received) {
                assert!(self.received[..count].starts_with(b"HTTP/1.1 200 OK\r\n"));
                return count;
            }
        }
        panic!("no answer");
    }

    /// Allocations of this many rounds after a warm-up.
    fn allocations(&mut self, pieces: &[&[u8]], answers: usize, rounds: usize) -> u64 {
        let length = self.answer_length(GET);
        for _ in 0..WARM_UP {
            self.exchange(pieces, answers, length);
        }
        let before = ALLOCATIONS.with(Cell::get);
        for _ in 0..rounds {
            self.exchange(pieces, answers, length);
        }
        ALLOCATIONS.with(Cell::get) - before
    }
}

const GET: &[u8] = b"GET /users/42?full=1 HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: test\r\n\
    Accept: */*\r\nAccept-Encoding: gzip\r\n\r\n";
const POST: &[u8] =
    b"POST /users HTTP/1.1\r\nHost: localhost:3000\r\nContent-Length: 11\r\n\r\nhello world";
const CHUNKED: &[u8] = b"POST /users HTTP/1.1\r\nHost: localhost:3000\r\n\
    Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.with(Cell::get);
    drop(std::hint::black_box(vec![0_u8; 100]));
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 1);
}

#[test]
fn a_get_allocates_nothing() {
    assert_eq!(Bench::new(false).allocations(&[GET], 1, MEASURED), 0);
}

#[test]
fn a_get_in_two_pieces_allocates_nothing() {
    let (first, second) = GET.split_at(40);
    assert_eq!(Bench::new(false).allocations(&[first, second], 1, MEASURED), 0);
}

#[test]
fn a_pipelined_batch_allocates_nothing() {
    let batch = GET.repeat(32);
    assert_eq!(Bench::new(false).allocations(&[&batch], 32, MEASURED / 10), 0);
}

/// The rest of the batch waits for the next turn, in a buffer of the pool.
#[test]
fn a_batch_above_the_budget_of_a_turn_allocates_nothing() {
    let batch = GET.repeat(200);
    assert_eq!(Bench::new(false).allocations(&[&batch], 200, MEASURED / 20), 0);
}

#[test]
fn a_post_with_a_small_body_allocates_nothing() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.allocations(&[POST], 1, MEASURED), 0);
    assert_eq!(bench.server.handler().body_bytes, (WARM_UP + MEASURED) * 11);
}

#[test]
fn a_post_whose_body_comes_later_allocates_nothing() {
    let (head, body) = POST.split_at(POST.len() - 11);
    assert_eq!(Bench::new(false).allocations(&[head, body], 1, MEASURED), 0);
}

#[test]
fn a_chunked_post_allocates_nothing() {
    assert_eq!(Bench::new(false).allocations(&[CHUNKED], 1, MEASURED), 0);
}

#[test]
fn a_late_answer_allocates_nothing() {
    assert_eq!(Bench::new(true).allocations(&[GET], 1, MEASURED), 0);
    assert_eq!(Bench::new(true).allocations(&[POST], 1, MEASURED), 0);
}

#[test]
fn judging_preconditions_allocates_nothing() {
    let validators = Validators { etag: b"\"abc\"", last_modified: 784_111_777, date: 784_112_000 };
    let by_date = Preconditions {
        if_modified_since: Some(b"Sun, 06 Nov 1994 08:49:37 GMT"),
        if_range: Some(b"Sunday, 06-Nov-94 08:49:37 GMT"),
        ..Preconditions::default()
    };
    let by_tag = Preconditions {
        if_match: Some(b"\"x\", \"abc\""),
        if_none_match: Some(b"W/\"x,y\", W/\"abc\""),
        ..by_date
    };
    let before = ALLOCATIONS.with(Cell::get);
    for preconditions in [by_date, by_tag] {
        assert_eq!(preconditions.verdict(&validators), Verdict::NotModified);
        assert!(preconditions.allows_range(&validators));
    }
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0);
}
