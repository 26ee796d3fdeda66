//! One engine: a server, its bridge and its driver.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::asker::Asker;
use super::bridge::Bridge;
use super::command::Command;
use super::driver::Driver;
use super::values::Reference;
use crate::server::{ReplyError, Server, Stats};

/// Kept alive by the JavaScript objects that can call it and by its driver.
#[derive(Debug)]
pub(super) struct Shared {
    /// Gone once the server is closed and its last connection has ended.
    pub(super) server: RefCell<Option<Server<Asker>>>,
    pub(super) bridge: Rc<Bridge>,
    pub(super) driver: Driver,
    /// The numbers of a server that is gone.
    pub(super) last: RefCell<Stats>,
    /// Called once when the server is closed.
    pub(super) closed: RefCell<Option<Reference>>,
    pub(super) wants_ref: Cell<bool>,
}

impl Shared {
    /// Does something with the server now, or queues it when a turn is under way. `None` when it
    /// was queued or the server is gone.
    pub(super) fn apply<T>(
        &self,
        now: impl FnOnce(&mut Server<Asker>) -> T,
        queue: impl FnOnce() -> Command,
    ) -> Option<T> {
        let Ok(mut server) = self.server.try_borrow_mut() else {
            self.bridge.commands.borrow_mut().push(queue());
            return None;
        };
        let value = now(server.as_mut()?);
        self.driver.arm(server.as_mut()?);
        Some(value)
    }

    /// Whether the server is there, maybe in the middle of a turn.
    pub(super) fn is_open(&self) -> bool {
        self.server.try_borrow().map_or(true, |server| server.is_some())
    }

    /// Does what was queued, in its order. The turn is over.
    pub(super) fn run_commands(&self, server: &mut Server<Asker>) {
        let commands = std::mem::take(&mut *self.bridge.commands.borrow_mut());
        for command in commands {
            match command {
                Command::Answer { id, status, block, body } => {
                    self.bridge.forget(id);
                    if let Err(ReplyError::Answer(_)) =
                        server.answer_owned(id, status, &block, body)
                    {
                        // Only a stale id is left to fail here, and that was not it.
                        let _ = server.fail(id);
                    }
                }
                Command::AnswerPieces { id, status, block, pieces } => {
                    self.bridge.forget(id);
                    if let Err(ReplyError::Answer(_)) =
                        server.answer_pieces(id, status, &block, pieces)
                    {
                        let _ = server.fail(id);
                    }
                }
                // What fails here is stale: its request has been told so.
                Command::Begin { id, status, block, first } => {
                    let _ = server.begin(id, status, &block, &first);
                }
                Command::Inform { id, status, block } => {
                    let _ = server.inform(id, status, &block);
                }
                Command::ReadBody { id } => server.read_body(id),
                Command::Write { id, part } => {
                    let _ = server.chunk(id, &part);
                }
                Command::End { id, is_regular: true } => {
                    let _ = server.finish(id, &[]);
                }
                Command::End { id, is_regular: false } => {
                    let _ = server.abort(id);
                }
                Command::SetTimeout { id, timeout } => {
                    server.set_timeout(id, timeout);
                }
                Command::Close { timeout } => server.close_soon(timeout),
            }
        }
    }
}
