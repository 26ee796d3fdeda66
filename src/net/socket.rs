//! A connected socket of either family, and who is at the other end.
//!
//! One type for TCP and Unix sockets, so that nothing above asks which it is. This file must not
//! know of protocols, buffers or readiness.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::event::{Event, Source};
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};

use super::listener::ListenAddress;
#[cfg(test)]
use super::simulated::Wire;
use super::sys;

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Its address, as the system reports it: an IPv4 peer of a socket that listens on `::` has a
    /// mapped address (`::ffff:192.0.2.1`).
    Inet(SocketAddr),
    /// A process of the same machine; it has no address worth telling.
    Unix,
}

/// What an event says of a socket: hints, all of them.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts; the kernel's own bits
pub(crate) struct Readiness {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer has closed its side.
    pub(crate) read_closed: bool,
    /// Nothing can be sent any more.
    pub(crate) lost: bool,
}

impl Readiness {
    #[inline]
    pub(super) fn of(event: &Event) -> Self {
        Readiness {
            readable: event.is_readable(),
            writable: event.is_writable(),
            read_closed: event.is_read_closed(),
            lost: event.is_error() || event.is_write_closed(),
        }
    }
}

/// A connected, non-blocking socket. Dropping it closes it.
#[derive(Debug)]
pub(crate) enum Socket {
    /// Over IPv4 or IPv6.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
    /// Over a network that a test has made up.
    #[cfg(test)]
    Simulated(Box<dyn Wire>),
}

impl Socket {
    /// Begins to connect; non-blocking, closed on exec, without Nagle's delay.
    pub(super) fn connect(address: &ListenAddress) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => {
                let stream = TcpStream::connect(*address)?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
            ListenAddress::Unix(path) => Ok(Self::Unix(UnixStream::connect(path)?)),
        }
    }

    /// Whether the connection has come about. The error says that it never will.
    pub(super) fn is_connected(&self) -> io::Result<bool> {
        let (error, peer) = match self {
            Self::Tcp(stream) => (stream.take_error()?, stream.peer_addr().map(|_| ())),
            Self::Unix(stream) => (stream.take_error()?, stream.peer_addr().map(|_| ())),
            #[cfg(test)]
            Self::Simulated(_) => (None, Ok(())),
        };
        match error.map_or(peer, Err) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends a FIN after what was written; reading goes on.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(test)]
            Self::Simulated(wire) => wire.shutdown_write(),
        }
    }

    /// Writes what more will follow at once, so that a small part of it needs no packet of its own.
    pub(super) fn write_more(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => sys::transmit_more(stream, bytes),
            Self::Unix(stream) => sys::transmit_more(stream, bytes),
            #[cfg(test)]
            Self::Simulated(wire) => wire.transmit(&[IoSlice::new(bytes)]),
        }
    }

    /// Has the kernel move a part of a file to the socket. Where it can't, that is
    /// [`io::ErrorKind::Unsupported`] or [`io::ErrorKind::InvalidInput`], and nothing was sent.
    pub(super) fn send_file(&self, file: &File, start: u64, length: usize) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => sys::transmit_file(stream, file, start, length),
            Self::Unix(stream) => sys::transmit_file(stream, file, start, length),
            #[cfg(test)]
            Self::Simulated(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Makes the coming close a reset, so that the peer can't take it for a regular end. A Unix
    /// socket knows no reset.
    pub(super) fn reset_on_close(&self) {
        if let Self::Tcp(stream) = self {
            // It fails only for a socket that is gone already.
            let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
        }
        #[cfg(test)]
        if let Self::Simulated(wire) = self {
            wire.reset_on_close();
        }
    }

    /// Lets the kernel take only so many bytes beyond those that the peer's window has room for.
    /// Only Linux knows it; elsewhere, and in a Unix socket, the kernel keeps what it likes.
    pub(super) fn limit_unsent(&self, bytes: u32) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Self::Tcp(stream) = self {
            // Without it the stream is as right as before, and takes more of the kernel's memory.
            let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(bytes);
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = bytes;
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
            #[cfg(test)]
            Self::Simulated(wire) => &mut **wire,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => sys::receive(stream, buffer),
            Self::Unix(stream) => sys::receive(stream, buffer),
            #[cfg(test)]
            Self::Simulated(wire) => wire.receive(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => sys::transmit(stream, bytes),
            Self::Unix(stream) => sys::transmit(stream, bytes),
            #[cfg(test)]
            Self::Simulated(wire) => wire.transmit(&[IoSlice::new(bytes)]),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(slices),
            Self::Unix(stream) => stream.write_vectored(slices),
            #[cfg(test)]
            Self::Simulated(wire) => wire.transmit(slices),
        }
    }

    /// Does nothing: what a write took is with the kernel already.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Socket {
    fn register(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.source().register(registry, token, on)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.source().reregister(registry, token, on)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::time::Duration;

    /// A socket of each family, and a blocking stream at the other end.
    fn pairs() -> Vec<(Socket, Box<dyn ReadWrite>)> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp_client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (tcp, _) = listener.accept().unwrap();
        tcp.set_nonblocking(true).unwrap();
        let (unix, unix_client) = std::os::unix::net::UnixStream::pair().unwrap();
        unix.set_nonblocking(true).unwrap();
        vec![
            (Socket::Tcp(TcpStream::from_std(tcp)), Box::new(tcp_client)),
            (Socket::Unix(UnixStream::from_std(unix)), Box::new(unix_client)),
        ]
    }

    trait ReadWrite: Read + Write {}
    impl<T: Read + Write> ReadWrite for T {}

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_is_told_how_much_may_wait() {
        for (socket, _peer) in pairs() {
            socket.limit_unsent(4321);
            if let Socket::Tcp(stream) = &socket {
                let told = socket2::SockRef::from(stream).tcp_notsent_lowat().unwrap();
                assert_eq!(told, 4321);
            }
        }
    }

    #[test]
    fn slices_go_out_in_order_and_the_fin_follows_while_reading_goes_on() {
        for (mut socket, mut client) in pairs() {
            let slices = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two")];
            assert_eq!(socket.write_vectored(&slices).unwrap(), 7);
            socket.flush().unwrap();
            socket.shutdown_write().unwrap();
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            assert_eq!(text, "one two");
            assert!(socket.write(b"more").is_err());

            let mut poll = Poll::new().unwrap();
            let mut events = Events::with_capacity(4);
            client.write_all(b"late").unwrap();
            poll.registry().register(&mut socket, Token(1), Interest::READABLE).unwrap();
            poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
            assert!(events.iter().any(|event| event.token() == Token(1) && event.is_readable()));
            let mut bytes = [0; 8];
            assert_eq!(socket.read(&mut bytes).unwrap(), 4);
        }
    }

    #[test]
    fn interest_can_be_changed_and_withdrawn() {
        for (mut socket, mut client) in pairs() {
            let mut poll = Poll::new().unwrap();
            let mut events = Events::with_capacity(4);
            poll.registry().register(&mut socket, Token(1), Interest::READABLE).unwrap();
            poll.registry().reregister(&mut socket, Token(2), Interest::WRITABLE).unwrap();
            poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
            assert!(events.iter().any(|event| event.token() == Token(2) && event.is_writable()));
            poll.registry().deregister(&mut socket).unwrap();
            client.write_all(b"x").unwrap();
            poll.poll(&mut events, Some(Duration::from_millis(20))).unwrap();
            assert!(events.is_empty());
        }
    }
}
