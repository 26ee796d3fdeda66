//! What JavaScript asks for while the server is borrowed by a turn; done right after it.

use crate::server::{Block, ReplyId};

#[derive(Debug)]
pub(super) enum Command {
    /// A late answer, copied.
    Answer {
        id: ReplyId,
        status: u16,
        block: Block,
        body: Vec<u8>,
    },
    SetTimeout {
        id: ReplyId,
        timeout: u64,
    },
    /// Done with the answer of the request on the stack, so that it says so.
    Close {
        timeout: u64,
    },
}
