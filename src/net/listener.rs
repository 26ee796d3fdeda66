//! Listening sockets: an address becomes a source of connections.
//!
//! Binding is synchronous and takes addresses only; names are looked up elsewhere. This file must
//! not know how often connections are accepted, how many there may be, or what an error leads to
//! (`sys::AcceptError` sorts them, the reactor acts).

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};

#[cfg(test)]
use super::simulated::Door;
use super::socket::{Peer, Socket};
use super::sys::{self, ListenOptions, SocketFile};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// An IP address and a port; port 0 lets the system choose one.
    Tcp(SocketAddr),
    /// The path of a Unix socket, which must not exist yet.
    Unix(PathBuf),
}

impl ListenAddress {
    /// The port, if the address has one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(address) => Some(address.port()),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A bound socket that accepts connections.
///
/// Events are hints, as everywhere in mio: after one, accept until [`io::ErrorKind::WouldBlock`]
/// or come back without being told. Dropping it closes the socket and removes the socket file.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Before the socket, so that it is dropped first: an open socket keeps the number of its
    /// inode from being used again.
    #[allow(dead_code)] // held for what its drop does
    file: Option<SocketFile>,
    socket: ListenSocket,
    address: ListenAddress,
}

#[derive(Debug)]
enum ListenSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
    #[cfg(test)]
    Simulated(Box<dyn Door>),
}

impl Listener {
    /// Binds and listens. The error is the system's own, with its number.
    pub(crate) fn bind(address: &ListenAddress, options: ListenOptions) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(wanted) => {
                let listener = TcpListener::from_std(sys::listen_tcp(*wanted, options)?);
                let address = ListenAddress::Tcp(listener.local_addr()?);
                Ok(Self { socket: ListenSocket::Tcp(listener), address, file: None })
            }
            ListenAddress::Unix(path) => {
                let listener = UnixListener::from_std(sys::listen_unix(path, options.backlog)?);
                let file = SocketFile::at(path);
                Ok(Self { socket: ListenSocket::Unix(listener), address: address.clone(), file })
            }
        }
    }

    /// Listens on a network that a test has made up.
    #[cfg(test)]
    pub(super) fn simulated(door: Box<dyn Door>) -> Self {
        let address = ListenAddress::Tcp(([127, 0, 0, 1], 80).into());
        Self { socket: ListenSocket::Simulated(door), address, file: None }
    }

    /// The address that it really has: a port 0 has become the chosen port.
    pub(crate) fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Takes the next connection that waits: non-blocking, closed on exec, without Nagle's delay.
    pub(crate) fn accept(&self) -> io::Result<(Socket, Peer)> {
        match &self.socket {
            ListenSocket::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                Ok((Socket::Tcp(stream), Peer::Inet(address)))
            }
            ListenSocket::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                Ok((Socket::Unix(stream), Peer::Unix))
            }
            #[cfg(test)]
            ListenSocket::Simulated(door) => {
                let (wire, address) = door.accept()?;
                Ok((Socket::Simulated(wire), Peer::Inet(address)))
            }
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match &mut self.socket {
            ListenSocket::Tcp(listener) => listener,
            ListenSocket::Unix(listener) => listener,
            #[cfg(test)]
            ListenSocket::Simulated(door) => &mut **door,
        }
    }
}

impl Source for Listener {
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
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    const OPTIONS: ListenOptions =
        ListenOptions { backlog: 128, reuse_port: false, v6_only: false };

    fn bind_tcp(address: &str, options: ListenOptions) -> Option<Listener> {
        match Listener::bind(&ListenAddress::Tcp(address.parse().unwrap()), options) {
            // A container without IPv6.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => None,
            other => Some(other.unwrap()),
        }
    }

    fn scratch_path(name: &str) -> PathBuf {
        let name = format!("barewire-{}-{name}.sock", std::process::id());
        std::env::temp_dir().join(name)
    }

    /// Waits for the event that announces a connection, then accepts it.
    fn accept(listener: &mut Listener) -> (Socket, Peer) {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        poll.registry().register(listener, Token(7), Interest::READABLE).unwrap();
        poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
        assert_eq!(events.iter().next().map(mio::event::Event::token), Some(Token(7)));
        poll.registry().deregister(listener).unwrap();
        listener.accept().unwrap()
    }

    #[test]
    fn a_tcp_connection_comes_with_its_peer() {
        for (address, v6) in [("127.0.0.1:0", false), ("[::1]:0", true)] {
            let Some(mut listener) = bind_tcp(address, OPTIONS) else { continue };
            let &ListenAddress::Tcp(bound) = listener.address() else { panic!("not TCP") };
            assert_ne!(bound.port(), 0);
            assert_eq!(listener.address().port(), Some(bound.port()));
            assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);

            let mut client = TcpStream::connect(bound).unwrap();
            let (mut socket, peer) = accept(&mut listener);
            assert_eq!(peer, Peer::Inet(client.local_addr().unwrap()));
            assert_eq!(bound.is_ipv6(), v6);
            let early = socket.read(&mut [0; 8]).unwrap_err();
            assert_eq!(early.kind(), io::ErrorKind::WouldBlock, "the socket doesn't block");
            assert_eq!(socket.write(b"hello").unwrap(), 5);
            drop(socket);
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            assert_eq!(text, "hello");
        }
    }

    #[test]
    fn the_unspecified_v6_address_takes_v4_unless_told_otherwise() {
        for v6_only in [false, true] {
            let Some(mut listener) = bind_tcp("[::]:0", ListenOptions { v6_only, ..OPTIONS })
            else {
                continue;
            };
            let port = listener.address().port().unwrap();
            let client = TcpStream::connect(("127.0.0.1", port));
            assert_eq!(client.is_err(), v6_only);
            if let Ok(client) = client {
                let (_socket, peer) = accept(&mut listener);
                let Peer::Inet(peer) = peer else { panic!("not TCP") };
                assert_eq!(peer.ip().to_canonical(), client.local_addr().unwrap().ip());
            }
        }
    }

    #[test]
    fn a_unix_socket_works_and_its_file_goes_with_it() {
        let path = scratch_path("works");
        let address = ListenAddress::Unix(path.clone());
        let mut listener = Listener::bind(&address, OPTIONS).unwrap();
        assert_eq!((listener.address(), address.port()), (&address, None));
        let mut client = UnixStream::connect(&path).unwrap();
        let (mut socket, peer) = accept(&mut listener);
        assert_eq!(peer, Peer::Unix);
        client.write_all(b"hi").unwrap();
        let mut bytes = [0; 8];
        assert_eq!(socket.read(&mut bytes).unwrap(), 2);

        let taken = Listener::bind(&address, OPTIONS).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        assert!(path.exists(), "a failed bind leaves the file alone");
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn the_file_of_a_successor_stays() {
        let path = scratch_path("successor");
        let address = ListenAddress::Unix(path.clone());
        let old = Listener::bind(&address, OPTIONS).unwrap();
        std::fs::remove_file(&path).unwrap();
        let new = Listener::bind(&address, OPTIONS).unwrap();
        drop(old);
        assert!(path.exists());
        drop(new);
        assert!(!path.exists());
    }
}
