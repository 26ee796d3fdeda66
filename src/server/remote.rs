//! The server as other threads see it.

use crate::net::{Mailbox, ReplyId};
use crate::wire::block::Block;

/// What another thread asks of a server.
#[derive(Debug)]
pub(super) enum Message {
    Answer { id: ReplyId, status: u16, block: Block, body: Vec<u8> },
    Close { timeout: u64 },
}

/// A handle for other threads: answers requests and closes the server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Remote {
    pub(super) mailbox: Mailbox<Message>,
}

impl Remote {
    /// Answers a request that was left for later. Says whether the server still runs; an answer
    /// for a request that is over is dropped and counted there.
    pub fn answer(&self, id: ReplyId, status: u16, block: Block, body: Vec<u8>) -> bool {
        self.mailbox.send(Message::Answer { id, status, block, body }).is_ok()
    }

    /// Closes the server; see [`super::Server::close`].
    pub fn close(&self, timeout: u64) -> bool {
        self.mailbox.send(Message::Close { timeout }).is_ok()
    }
}
