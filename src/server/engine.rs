//! A server: a reactor, its policies, a handler.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::config::Config;
use super::handler::{Handler, length_of};
use super::remote::Remote;
use super::service::Service;
use super::stats::Stats;
use crate::limits;
#[cfg(test)]
use crate::net::simulated;
use crate::net::{Credit, ListenAddress, Piece, Reactor, ReplyError, ReplyId};
use crate::proto::Fault;
use crate::wire::block::Block;

/// An HTTP/1.1 server on one thread.
///
/// # Example
/// ```
/// use barewire::server::{Answer, Block, Config, Handler, ListenAddress, Reply, Request, Server};
///
/// struct Echo;
///
/// impl Handler for Echo {
///     fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
///         let body = request.take_body();
///         reply.send_owned(200, &Block::default(), body)
///     }
/// }
///
/// let mut server = Server::new(Config::default(), Echo)?;
/// let address = server.listen(&ListenAddress::Tcp(([127, 0, 0, 1], 0).into()))?;
/// let remote = server.remote();
/// let thread = std::thread::spawn(move || {
///     use std::io::{Read, Write};
///     let ListenAddress::Tcp(address) = address else { unreachable!("bound to TCP") };
///     let mut client = std::net::TcpStream::connect(address)?;
///     client.write_all(b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")?;
///     let mut answer = String::new();
///     client.read_to_string(&mut answer)?;
///     remote.close(1000);
///     Ok::<String, std::io::Error>(answer)
/// });
/// server.run()?;
/// let answer = thread.join().expect("no panic")?;
/// assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhi"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Server<H: Handler> {
    reactor: Reactor<Service<H>>,
}

impl<H: Handler> Server<H> {
    /// A server that doesn't listen yet.
    pub fn new(config: Config, handler: H) -> io::Result<Self> {
        let reactor = Reactor::new(Service::new(handler, config), config.net())?;
        Ok(Server { reactor })
    }

    /// Puts it over a network that a test has made up; see [`simulated`].
    #[cfg(test)]
    pub(crate) fn simulate(
        &mut self,
        network: std::rc::Rc<dyn simulated::Network>,
        door: Box<dyn simulated::Door>,
        wall: &std::rc::Rc<std::cell::Cell<u64>>,
    ) -> io::Result<()> {
        self.reactor.simulate(network, door, wall)
    }

    /// Looks for what must never be between two turns; says what it holds, and how many requests
    /// are under way.
    #[cfg(test)]
    pub(crate) fn audit(&mut self) -> Result<(simulated::Holdings, usize), String> {
        Ok((self.reactor.audit()?, self.reactor.app().under_way()))
    }

    /// Binds an address and begins to accept; gives the address that it got, with the real port.
    pub fn listen(&mut self, address: &ListenAddress) -> io::Result<ListenAddress> {
        self.listen_with(address, false, limits::BACKLOG)
    }

    /// Like [`Server::listen`], with `SO_REUSEPORT` and the length of the kernel's queue.
    pub fn listen_with(
        &mut self,
        address: &ListenAddress,
        reuse_port: bool,
        backlog: u32,
    ) -> io::Result<ListenAddress> {
        self.reactor.listen(address, reuse_port, backlog)
    }

    /// Serves until the server is closed and its last connection is gone. Says how many requests
    /// were cut because the close ran out of time.
    pub fn run(&mut self) -> io::Result<u64> {
        while !self.is_closed() {
            self.turn(None)?;
        }
        Ok(self.cut())
    }

    /// Serves what there is, waiting for it at most this long; `None` waits until something
    /// happens.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.reactor.turn(timeout)
    }

    /// The descriptor that becomes readable when a turn has something to do. For drivers.
    pub fn fd(&self) -> RawFd {
        self.reactor.fd()
    }

    /// When a turn is due for time's sake, in milliseconds of [`Server::now_ms`]. For drivers.
    pub fn next_deadline(&self) -> Option<u64> {
        self.reactor.next_deadline()
    }

    /// Milliseconds since the server was made. Reads the clock.
    pub fn now_ms(&mut self) -> u64 {
        self.reactor.now_ms()
    }

    /// Whether a turn has something to do at once. For drivers.
    pub fn has_ready(&self) -> bool {
        self.reactor.has_ready()
    }

    /// Begins to close: no connection is accepted any more, idle ones end, answers under way are
    /// completed and carry `Connection: close`. After `timeout` milliseconds the rest is cut; 0
    /// waits for ever. A second call changes nothing.
    pub fn close(&mut self, timeout: u64) {
        self.reactor.drain(timeout);
    }

    /// Closes like [`Server::close`], but begins in the next turn: no handler is called inside of
    /// this call.
    pub fn close_soon(&mut self, timeout: u64) {
        self.reactor.parts().1.drain(timeout);
    }

    /// Whether the server was closed and its last connection is gone.
    pub fn is_closed(&self) -> bool {
        self.reactor.is_drained()
    }

    /// How many requests were cut because the close ran out of time.
    pub fn cut(&self) -> u64 {
        self.reactor.cut()
    }

    /// The server as other threads see it.
    pub fn remote(&self) -> Remote {
        Remote { mailbox: self.reactor.mailbox() }
    }

    /// The handler.
    pub fn handler(&mut self) -> &mut H {
        &mut self.reactor.app().handler
    }

    /// The numbers, as they are now.
    pub fn stats(&mut self) -> Stats {
        let (service, io) = self.reactor.parts();
        service.stats(io)
    }

    /// Answers a request that was left for later. It is written at once; what its connection has
    /// waiting is served by the next turn, never inside of this call.
    pub fn answer(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        body: &[u8],
    ) -> Result<(), ReplyError> {
        let (service, io) = self.reactor.parts();
        service.complete(io, id, |io| io.answer(id, status, block, body))
    }

    /// Like [`Server::answer`] with a body that is given away.
    pub fn answer_owned(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        body: Vec<u8>,
    ) -> Result<(), ReplyError> {
        let (service, io) = self.reactor.parts();
        service.complete(io, id, |io| io.answer_owned(id, status, block, body))
    }

    /// Like [`Server::answer`] with a body that lies in files, or in part.
    pub fn answer_pieces(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        pieces: Vec<Piece>,
    ) -> Result<(), ReplyError> {
        let (service, io) = self.reactor.parts();
        service.complete(io, id, |io| io.answer_pieces(id, status, block, pieces))
    }

    /// Like [`Server::answer`] with a body that `write` appends to the output buffer itself; see
    /// [`super::Reply::send_in_place`].
    pub fn answer_in_place(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        expected: usize,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Result<(), ReplyError> {
        let (service, io) = self.reactor.parts();
        service.complete(io, id, |io| io.answer_in_place(id, status, block, expected, write))
    }

    /// Sends an interim answer to a request that was left for later; see [`super::Reply::inform`].
    pub fn inform(&mut self, id: ReplyId, status: u16, block: &Block) -> Result<(), ReplyError> {
        self.reactor.parts().1.informational(id, status, block)
    }

    /// Reads the rest of a body that was incomplete when its handler was asked, from the start or
    /// after a pause. A client that waits for 100 (Continue) gets it now.
    pub fn read_body(&mut self, id: ReplyId) {
        let (_, io) = self.reactor.parts();
        // Stale only when nobody waits for the body any more.
        let _ = io.want_body(id);
        io.resume(id);
    }

    /// Begins the answer of a request that was left for later, with the first part of its body,
    /// which may be empty; see [`super::Reply::stream`]. Head and part go out together.
    pub fn begin(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        first: &[u8],
    ) -> Result<Credit, ReplyError> {
        let (_, io) = self.reactor.parts();
        io.corked(id, |io| {
            io.head(id, status, block, length_of(block))?;
            io.chunk(id, first)
        })
    }

    /// Brings a part of the body of a streamed answer and says whether more may come now.
    ///
    /// After [`Credit::Wait`] the client is slow: [`super::Handler::on_writable`] tells when it
    /// has taken everything. What is given all the same is held in memory. With a part that goes
    /// beyond the announced Content-Length the connection is cut.
    pub fn chunk(&mut self, id: ReplyId, data: &[u8]) -> Result<Credit, ReplyError> {
        let brought = self.reactor.parts().1.chunk(id, data);
        if let Err(ReplyError::Answer(_)) = brought {
            self.abort(id)?;
        }
        brought
    }

    /// Completes a streamed answer. A body shorter than the announced Content-Length can't be
    /// completed: the connection is cut.
    pub fn finish(&mut self, id: ReplyId, trailers: &[(&[u8], &[u8])]) -> Result<(), ReplyError> {
        let (service, io) = self.reactor.parts();
        let finished = service.complete(io, id, |io| io.finish(id, trailers));
        if let Err(ReplyError::Answer(_)) = finished {
            self.abort(id)?;
        }
        finished
    }

    /// Gives up a streamed answer: the connection is cut, and nothing looks like a regular end.
    pub fn abort(&mut self, id: ReplyId) -> Result<(), ReplyError> {
        let (service, io) = self.reactor.parts();
        service.complete(io, id, |io| io.abort(id))
    }

    /// Answers with 500 a request that was left for later: its handler has failed.
    pub fn fail(&mut self, id: ReplyId) -> Result<(), ReplyError> {
        let (service, io) = self.reactor.parts();
        service.complete(io, id, |io| io.refuse(id, Fault::HandlerFailed))
    }

    /// Gives a late answer this many milliseconds from now; 0 is for ever. Says whether the
    /// request is still under way.
    pub fn set_timeout(&mut self, id: ReplyId, timeout: u64) -> bool {
        self.reactor.parts().1.set_handler_timeout(id, timeout)
    }
}
