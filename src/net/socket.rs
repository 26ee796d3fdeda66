//! A connected socket of either family, and who is at the other end.
//!
//! One type for TCP and Unix sockets, so that nothing above asks which it is. This file must not
//! know of protocols, buffers or readiness.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Its address, as the system reports it: an IPv4 peer of a socket that listens on `::` has a
    /// mapped address (`::ffff:192.0.2.1`).
    Inet(SocketAddr),
    /// A process of the same machine; it has no address worth telling.
    Unix,
}

/// A connected, non-blocking socket. Dropping it closes it.
#[derive(Debug)]
pub(crate) enum Socket {
    /// Over IPv4 or IPv6.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

impl Socket {
    /// Sends a FIN after what was written; reading goes on.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// Makes the coming close a reset, so that the peer can't take it for a regular end. A Unix
    /// socket knows no reset.
    pub(super) fn reset_on_close(&self) {
        if let Self::Tcp(stream) = self {
            // It fails only for a socket that is gone already.
            let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(slices),
            Self::Unix(stream) => stream.write_vectored(slices),
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
