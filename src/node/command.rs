//! What JavaScript asks for while the server is borrowed by a turn; done right after it.

use crate::server::{Block, Piece, ReplyId};

#[derive(Debug)]
pub(super) enum Command {
    /// A late answer, copied.
    Answer {
        id: ReplyId,
        status: u16,
        block: Block,
        body: Vec<u8>,
    },
    /// A late answer with a body that lies in files.
    AnswerPieces {
        id: ReplyId,
        status: u16,
        block: Block,
        pieces: Vec<Piece>,
    },
    /// The beginning of a streamed answer, with its first part, copied.
    Begin {
        id: ReplyId,
        status: u16,
        block: Block,
        first: Vec<u8>,
    },
    /// An interim answer.
    Inform {
        id: ReplyId,
        status: u16,
        block: Block,
    },
    /// The rest of a request's body is wanted.
    ReadBody {
        id: ReplyId,
    },
    /// A part of a streamed answer, copied.
    Write {
        id: ReplyId,
        part: Vec<u8>,
    },
    /// The end of a streamed answer; a cut where it isn't regular.
    End {
        id: ReplyId,
        is_regular: bool,
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
