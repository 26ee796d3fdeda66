//! A handler that does what the target of a request says: it answers now, later, from another
//! thread, in a stream, too early, with a failure, in halves, or never. It keeps a book of what it
//! was told and what it gave, and minds that the calls come in an order that makes sense.
//!
//! It must not know sockets or clients; a target is all that it has of them.

use std::cell::RefCell;
use std::rc::Rc;

use super::wish::{Kind, Wish, pattern};
use super::world::{Happening, Shared};
use crate::server::{
    Answer, Block, Credit, Gone, Handler, Intake, Piece, Remote, Reply, ReplyError, ReplyId,
    Request, Server, Trailers,
};

/// A request that the handler was asked about.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(super) struct Task {
    pub(super) id: ReplyId,
    pub(super) wish: Wish,
    /// Bytes of the answer that were given.
    given: usize,
    has_begun: bool,
    /// It waits for room.
    waits: bool,
    /// Bytes of the request's body that came behind its head.
    received: usize,
    awaits_body: bool,
    pub(super) is_answered: bool,
    /// Whether the server took the answer to its end.
    pub(super) is_whole: bool,
    /// Another thread has sent its answer.
    is_posted: bool,
    has_closed: bool,
    pub(super) gone: Option<Gone>,
}

impl Task {
    /// Whether the server counts on an answer.
    pub(super) fn is_owed(&self) -> bool {
        !self.is_answered && self.gone.is_none()
    }
}

/// What the handler knows; it and the world share it.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) tasks: Vec<Task>,
    /// What the handler was called for since the world last looked.
    woken: Vec<(u64, usize)>,
    pub(super) faults: Vec<String>,
}

impl Book {
    fn find(&mut self, id: ReplyId) -> Option<usize> {
        self.tasks.iter().rposition(|task| task.id == id)
    }

    /// The task of a call that may only come while an answer is owed.
    fn owed(&mut self, id: ReplyId, call: &str) -> Option<usize> {
        let found = self.find(id).filter(|&at| self.tasks[at].is_owed());
        if found.is_none() {
            self.faults.push(format!("{call} for a request that is over or unknown: {id:?}"));
        }
        found
    }

    /// The server has read its mail.
    pub(super) fn on_turn(&mut self) {
        for task in self.tasks.iter_mut().filter(|task| task.is_owed() && task.is_posted) {
            (task.is_answered, task.is_whole) = (true, true);
        }
    }

    /// The whole answer was given. Where it goes nowhere, the handler is about to hear so.
    fn on_finished(&mut self, at: usize, result: Result<(), ReplyError>) {
        let task = &mut self.tasks[at];
        (task.is_answered, task.is_whole) = (result != Err(ReplyError::Stale), result.is_ok());
    }

    /// The request was given up.
    fn on_failed(&mut self, at: usize, result: Result<(), ReplyError>) {
        self.tasks[at].is_answered = result.is_ok();
    }

    /// Requests that wait for the handler.
    pub(super) fn pending(&self) -> usize {
        self.tasks.iter().filter(|task| task.is_owed()).count()
    }
}

/// The handler.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) book: Rc<RefCell<Book>>,
    pub(super) net: Shared,
}

fn block_of(wish: &Wish) -> Block {
    let tag = format!("{}.{}", wish.link, wish.number);
    let length = wish.length.to_string();
    let fields = [(&b"X-Tag"[..], tag.as_bytes()), (b"Content-Length", length.as_bytes())];
    let count = if wish.kind == Kind::Sized { 2 } else { 1 };
    Block::parse(fields[..count].iter().copied()).expect("valid fields")
}

impl Handler for Desk {
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
        let mut book = self.book.borrow_mut();
        let Some(wish) = Wish::read(request.head.target()) else {
            book.faults.push(format!("a target that nobody sent: {:?}", request.head.target()));
            return reply.fail();
        };
        let Wish { link, number, kind, length, delay, body } = wish;
        self.net.borrow().trace(|| format!("handler {link}.{number}: {kind:?} of {length}"));
        let earlier = book.tasks.iter().rfind(|task| task.wish.link == link);
        if let Some(task) = earlier
            && (task.wish.number >= number || (task.is_owed() && !task.is_posted))
        {
            let fault = format!("{link}.{number} was asked about after or within {task:?}");
            book.faults.push(fault);
        }
        let here = request.body().len();
        if *request.body() != pattern(link, number, 0..here) || here > body {
            book.faults.push(format!("the body of {link}.{number} is damaged"));
        }
        if request.is_complete && here != body {
            book.faults.push(format!("the body of {link}.{number} has {here} of {body} bytes"));
        }
        let block = block_of(&wish);
        let mut task = Task {
            id: request.id,
            wish,
            given: 0,
            has_begun: false,
            waits: false,
            received: here,
            awaits_body: !request.is_complete && kind != Kind::Now,
            is_answered: false,
            is_whole: false,
            is_posted: false,
            has_closed: false,
            gone: None,
        };
        let at = book.tasks.len();
        let answer = match kind {
            Kind::Now => {
                (task.is_answered, task.is_whole) = (true, true);
                let body = pattern(link, number, 0..length);
                match length % 3 {
                    0 => reply.send(200, &block, &body),
                    1 => reply.send_owned(200, &block, body),
                    // The guess is right for half of them.
                    _ => reply.send_in_place(200, &block, length & !1, |out| {
                        out.extend_from_slice(&body);
                        true
                    }),
                }
            }
            Kind::Stream if length % 2 == 0 => {
                task.has_begun = true;
                book.woken.push((delay, at));
                reply.stream(200, &block)
            }
            _ => {
                book.woken.push((delay, at));
                if kind == Kind::Later && length % 5 == 0 {
                    reply.later_within(delay / 1000 + 60_000)
                } else {
                    reply.later()
                }
            }
        };
        book.tasks.push(task);
        answer
    }

    fn on_gone(&mut self, id: ReplyId, reason: Gone) {
        let mut book = self.book.borrow_mut();
        self.net.borrow().trace(|| format!("handler is told {reason:?} of {id:?}"));
        let Some(at) = book.owed(id, "on_gone") else {
            return;
        };
        let task = &mut book.tasks[at];
        if reason == Gone::ClientClosed {
            let wish = task.wish;
            if std::mem::replace(&mut task.has_closed, true) {
                book.faults.push(format!("the client's FIN was told twice: {wish:?}"));
            }
            // Where no clock runs, this is what ends it.
            if wish.kind == Kind::Never {
                book.woken.push((wish.delay, at));
            }
        } else {
            task.gone = Some(reason);
        }
    }

    fn on_body(&mut self, id: ReplyId, bytes: &[u8]) -> Intake {
        let mut book = self.book.borrow_mut();
        let Some(at) = book.owed(id, "on_body") else {
            return Intake::More;
        };
        let task = &mut book.tasks[at];
        let (wish, from) = (task.wish, task.received);
        task.received += bytes.len();
        if *bytes != pattern(wish.link, wish.number, from..from + bytes.len()) {
            book.faults.push(format!("a part of the body is damaged: {wish:?} from {from}"));
        }
        match (wish.length + from) % 4 {
            0 => {
                book.woken.push((wish.delay / 4, at));
                Intake::Pause
            }
            1 => Intake::Kept,
            _ => Intake::More,
        }
    }

    fn on_body_end(&mut self, id: ReplyId, _: &Trailers) {
        let mut book = self.book.borrow_mut();
        let Some(at) = book.owed(id, "on_body_end") else {
            return;
        };
        let task = &mut book.tasks[at];
        let (wish, received) = (task.wish, task.received);
        task.awaits_body = false;
        if received != wish.body {
            book.faults.push(format!("a body of {received} bytes ended: {wish:?}"));
        }
        book.woken.push((wish.delay, at));
    }

    fn on_writable(&mut self, id: ReplyId) {
        let mut book = self.book.borrow_mut();
        let Some(at) = book.owed(id, "on_writable") else {
            return;
        };
        let delay = book.tasks[at].wish.delay / 8;
        book.tasks[at].waits = false;
        book.woken.push((delay, at));
    }
}

/// Plans what the handler was called for.
pub(super) fn plan_tasks(book: &Rc<RefCell<Book>>, net: &Shared) {
    for (after, at) in book.borrow_mut().woken.drain(..) {
        net.borrow_mut().plan(after, Happening::Task(at));
    }
}

/// The handler's next step for one of its requests. Says whether it has sent a message to the server.
pub(super) fn work(server: &mut Server<Desk>, remote: &Remote, at: usize) -> bool {
    let book = Rc::clone(&server.handler().book);
    let net = Rc::clone(&server.handler().net);
    let task = book.borrow().tasks[at].clone();
    let Task { id, wish, .. } = task;
    if !task.is_owed() {
        // Nothing more is to be said, but whoever says it all the same must do no harm.
        if wish.length % 2 == 0 {
            let late = server.answer(id, 200, &Block::default(), b"too late");
            assert_eq!(late, Err(ReplyError::Stale), "a second answer was taken: {task:?}");
        }
        return false;
    }
    // The rest of the body first; some answer without it.
    if task.awaits_body && wish.length % 7 != 0 {
        server.read_body(id);
        return false;
    }
    if task.waits || task.is_posted {
        return false;
    }
    net.borrow().trace(|| format!("handler goes on with {}.{}", wish.link, wish.number));
    if wish.number % 4 == 1 && !task.has_begun {
        // Stale, if the connection is lost; the answer will find out as well.
        let _ = server.inform(id, 103, &Block::default());
    }
    let block = block_of(&wish);
    let body = || pattern(wish.link, wish.number, 0..wish.length);
    match wish.kind {
        Kind::Never if task.has_closed => book.borrow_mut().on_failed(at, server.fail(id)),
        Kind::Now | Kind::Never => {}
        Kind::Later => {
            let body = body();
            let given = match wish.length % 3 {
                0 => server.answer(id, 200, &block, &body),
                1 => server.answer_owned(id, 200, &block, body),
                _ => {
                    let (first, second) = body.split_at(body.len() / 3);
                    let pieces = [first, second].map(|part| Piece::Bytes(part.to_vec()));
                    server.answer_pieces(id, 200, &block, pieces.into())
                }
            };
            book.borrow_mut().on_finished(at, given);
        }
        // It is brought in the next turn.
        Kind::Remote => {
            book.borrow_mut().tasks[at].is_posted = true;
            return remote.answer(id, 200, block, body());
        }
        Kind::Fail => book.borrow_mut().on_failed(at, server.fail(id)),
        Kind::Stream | Kind::Sized | Kind::Abort => give_part(server, &book, at, &task),
    }
    false
}

/// The next part of a stream, and its end where that was the last one.
fn give_part(server: &mut Server<Desk>, book: &RefCell<Book>, at: usize, task: &Task) {
    let Task { id, wish, given, .. } = *task;
    let end = (given + 1 + wish.length / (1 + wish.number % 5)).min(wish.length);
    let part = pattern(wish.link, wish.number, given..end);
    let brought = if task.has_begun {
        server.chunk(id, &part)
    } else {
        server.begin(id, 200, &block_of(&wish), &part)
    };
    let Ok(credit) = brought else {
        assert_eq!(brought, Err(ReplyError::Stale), "a part was refused: {wish:?}");
        return;
    };
    let mut book = book.borrow_mut();
    let task = &mut book.tasks[at];
    (task.has_begun, task.given, task.waits) = (true, end, credit == Credit::Wait);
    if wish.kind == Kind::Abort {
        book.on_failed(at, server.abort(id));
    } else if end == wish.length {
        let trailers = [(&b"X-Sum"[..], &b"1"[..])];
        book.on_finished(at, server.finish(id, &trailers[..wish.number % 2]));
    } else if credit == Credit::Go {
        book.woken.push((wish.delay, at));
    }
}
