//! The floor: what reading and answering cost when nothing is done that a server has to do.
//!
//! One epoll loop that reads, looks for the end of the head and writes an answer that it has ready;
//! no method, target or field is looked at, but `Content-Length` where a body is echoed. It makes
//! as many calls of recv and send as barewire, with the same bytes.
//!
//! `PORT=3000 floor TYPE BODY` answers with that body, `PORT=3000 floor TYPE` with that of the
//! request.

use std::error::Error;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{SystemTime, UNIX_EPOCH};

use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

/// As barewire's.
const READ_BUFFER: usize = 64 * 1024;
const EVENTS: usize = 256;
const BACKLOG: i32 = 8192;
const LISTENER: u64 = u64::MAX;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let media_type = arguments.next().ok_or("floor TYPE [BODY]")?;
    let answers = Answers::new(media_type, arguments.next());
    let port: u16 = std::env::var("PORT")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    // The backlog of the standard library is too short for many clients at once.
    rustix::net::listen(&listener, BACKLOG)?;
    Floor { listener, connections: Vec::new(), answers }.run()
}

struct Floor {
    listener: TcpListener,
    /// A connection's place is its key with epoll; those that are gone leave theirs empty.
    connections: Vec<Option<Connection>>,
    answers: Answers,
}

impl Floor {
    fn run(mut self) -> Result<(), Box<dyn Error>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &self.listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let mut events = Vec::with_capacity(EVENTS);
        let mut buffer = vec![0; READ_BUFFER];
        loop {
            epoll::wait(&epoll, spare_capacity(&mut events), None)?;
            self.answers.pass_time();
            for event in events.drain(..) {
                let key = event.data.u64();
                if key == LISTENER {
                    self.accept(&epoll)?;
                    continue;
                }
                let slot = &mut self.connections[key as usize];
                let lives = slot.as_mut().is_some_and(|it| it.turn(&mut buffer, &mut self.answers));
                if !lives {
                    *slot = None;
                }
            }
        }
    }

    fn accept(&mut self, epoll: &OwnedFd) -> Result<(), Box<dyn Error>> {
        while let Ok((socket, _)) = self.listener.accept() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let free = self.connections.iter().position(Option::is_none);
            let key = free.unwrap_or(self.connections.len());
            let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            epoll::add(epoll, &socket, EventData::new_u64(key as u64), flags)?;
            let connection = Some(Connection::new(socket));
            match free {
                Some(key) => self.connections[key] = connection,
                None => self.connections.push(connection),
            }
        }
        Ok(())
    }
}

struct Connection {
    socket: TcpStream,
    /// Of a request: a head that isn't complete, then a body.
    received: Vec<u8>,
    /// Bytes of the body that are still to come.
    missing: usize,
    /// What the socket would not take.
    unsent: Vec<u8>,
}

impl Connection {
    fn new(socket: TcpStream) -> Self {
        Self { socket, received: Vec::new(), missing: 0, unsent: Vec::new() }
    }

    /// Reads what has come and answers it; returns whether the connection lives on.
    fn turn(&mut self, buffer: &mut [u8], answers: &mut Answers) -> bool {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            if !self.send(&unsent, &[]) {
                return false;
            }
        }
        loop {
            let length = match self.socket.read(buffer) {
                Ok(0) => return false,
                Ok(length) => length,
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            };
            let lives = if answers.body.is_some() {
                self.answer(&buffer[..length], answers)
            } else {
                self.echo(&buffer[..length], answers)
            };
            // A short read has emptied the socket.
            if !lives || length < buffer.len() {
                return lives;
            }
        }
    }

    /// One answer for each head that has come, all of them in one send.
    fn answer(&mut self, bytes: &[u8], answers: &mut Answers) -> bool {
        let whole;
        let mut rest = bytes;
        if !self.received.is_empty() {
            self.received.extend_from_slice(bytes);
            whole = std::mem::take(&mut self.received);
            rest = &whole;
        }
        let mut count = 0;
        while let Some(end) = answers.end_of_head.find(rest) {
            rest = &rest[end + 4..];
            count += 1;
        }
        self.received.extend_from_slice(rest);
        match count {
            0 => true,
            1 => self.send(answers.fixed(), &[]),
            _ => {
                let batch = answers.fixed().repeat(count);
                self.send(&batch, &[])
            }
        }
    }

    /// The body back, once it is complete; one request at a time.
    fn echo(&mut self, bytes: &[u8], answers: &mut Answers) -> bool {
        if self.missing == 0 {
            let Some(end) = answers.end_of_head.find(bytes) else { return false };
            let Some(length) = content_length(&bytes[..end]) else { return false };
            let body = &bytes[end + 4..];
            if body.len() == length {
                return self.send(answers.head(length), body);
            }
            self.missing = length;
            self.received.reserve_exact(length);
            return self.echo(body, answers);
        }
        self.received.extend_from_slice(bytes);
        self.missing = self.missing.saturating_sub(bytes.len());
        if self.missing > 0 {
            return true;
        }
        let body = std::mem::take(&mut self.received);
        let lives = self.send(answers.head(body.len()), &body);
        self.received = body;
        self.received.clear();
        lives
    }

    /// Sends both parts by one call; what the socket doesn't take waits until it does.
    fn send(&mut self, head: &[u8], body: &[u8]) -> bool {
        let result = if body.is_empty() {
            self.socket.write(head)
        } else {
            self.socket.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])
        };
        let sent = match result {
            Ok(sent) => sent,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return false,
        };
        if sent < head.len() {
            self.unsent.extend_from_slice(&head[sent..]);
        }
        self.unsent.extend_from_slice(&body[sent.saturating_sub(head.len())..]);
        true
    }
}

/// The bytes of the answers, made anew when the second or the length changes.
struct Answers {
    media_type: String,
    body: Option<String>,
    end_of_head: memmem::Finder<'static>,
    second: u64,
    date: String,
    head: Vec<u8>,
    /// That `head` announces; `None` when it has to be made.
    length: Option<usize>,
}

impl Answers {
    fn new(media_type: String, body: Option<String>) -> Self {
        let end_of_head = memmem::Finder::new(b"\r\n\r\n");
        let (date, head) = (String::new(), Vec::new());
        Self { media_type, body, end_of_head, second: 0, date, head, length: None }
    }

    fn pass_time(&mut self) {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        if second == self.second {
            return;
        }
        self.second = second;
        self.date = httpdate::fmt_http_date(now);
        self.length = None;
    }

    /// The whole answer with the fixed body.
    fn fixed(&mut self) -> &[u8] {
        let body = self.body.as_deref().unwrap_or_default();
        if self.length.is_none() {
            self.head = head(&self.date, &self.media_type, body.len());
            self.head.extend_from_slice(body.as_bytes());
            self.length = Some(body.len());
        }
        &self.head
    }

    fn head(&mut self, length: usize) -> &[u8] {
        if self.length != Some(length) {
            self.head = head(&self.date, &self.media_type, length);
            self.length = Some(length);
        }
        &self.head
    }
}

/// Field by field what barewire sends.
fn head(date: &str, media_type: &str, length: usize) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nDate: {date}\r\ncontent-type: {media_type}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

fn content_length(head: &[u8]) -> Option<usize> {
    let name = b"content-length: ";
    let start = head.windows(name.len()).position(|it| it.eq_ignore_ascii_case(name))?;
    let digits = head[start + name.len()..].split(|&byte| byte == b'\r').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
