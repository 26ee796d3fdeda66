//! What the operating system must be told and what its errors mean: socket options, calls that the
//! standard library lacks, errno.
//!
//! Linux and macOS. socket2 and rustix have everything that is needed, so there is no unsafe code here yet;
//! if some is ever needed, this is its file. It must not know of the reactor, of mio, or of what
//! is done about an error.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

// Numbers that `io::ErrorKind` has no stable name for; these are the same on Linux and the BSDs.
const EBADF: i32 = 9;
const ENOMEM: i32 = 12;
const EFAULT: i32 = 14;
const EINVAL: i32 = 22;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
#[cfg(any(target_os = "linux", target_os = "android"))]
const ENOTSOCK: i32 = 88;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ENOTSOCK: i32 = 38;
#[cfg(any(target_os = "linux", target_os = "android"))]
const ENOBUFS: i32 = 105;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ENOBUFS: i32 = 55;

/// How a listening socket is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenOptions {
    /// Connections that the kernel keeps until they are accepted; it lowers this to its own limit
    /// (`net.core.somaxconn`, `kern.ipc.somaxconn`).
    pub(crate) backlog: u32,
    /// Whether other sockets may listen on the same address. TCP only.
    pub(crate) reuse_port: bool,
    /// Whether `::` leaves IPv4 alone. Every other IPv6 address always does.
    pub(crate) v6_only: bool,
}

/// Opens a listening TCP socket: non-blocking, closed on exec, its connections without Nagle's
/// delay.
///
/// `::` takes IPv4 as well unless `v6_only` says no, as it does in Node. All errors carry the
/// number that the system gave.
pub(crate) fn listen_tcp(address: SocketAddr, options: ListenOptions) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if let SocketAddr::V6(v6) = address {
        // Always set: the default is a sysctl.
        socket.set_only_v6(options.v6_only || !v6.ip().is_unspecified())?;
    }
    // Without it a restart fails while old connections are in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    // Accepted sockets inherit it, on Linux and (xnu's tcp_input.c) on macOS, which saves a system
    // call for each connection.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(clamp(options.backlog))?;
    Ok(socket.into())
}

/// Opens a listening Unix socket: non-blocking, closed on exec.
///
/// The file must not exist: one that another server left behind is `EADDRINUSE`, as it is in
/// Node, because it can't be told from one in use without a race. On an error no file is left. On
/// Linux, a path that starts with a zero byte is a name in the abstract namespace.
pub(crate) fn listen_unix(path: &Path, backlog: u32) -> io::Result<UnixListener> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address)?;
    if let Err(error) = socket.listen(clamp(backlog)) {
        // The bind made the file. If it can't be removed, the first error still says more.
        let _ = std::fs::remove_file(path);
        return Err(error);
    }
    Ok(socket.into())
}

/// Reads what a socket has.
///
/// This and the next three make the system call themselves: in a process with threads, the C library
/// makes each of its own a point at which a thread may be cancelled, which costs as much as parsing
/// a small request.
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (count, _) = recv(socket, buffer, RecvFlags::empty())?;
    Ok(count)
}

/// Sends bytes. A peer that is gone is an error and no signal.
pub(crate) fn transmit(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(socket, bytes, SendFlags::NOSIGNAL)?)
}

/// Sends what more will follow at once: the kernel may wait for that to fill a packet.
pub(crate) fn transmit_more(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    let more = SendFlags::MORE;
    #[cfg(not(target_os = "linux"))]
    let more = SendFlags::empty();
    Ok(send(socket, bytes, SendFlags::NOSIGNAL | more)?)
}

/// Has the kernel move a part of a file to a socket (`sendfile`), without passing through here.
/// A peer that is gone raises SIGPIPE, which Rust's and Node's runtimes ignore.
#[cfg(target_os = "linux")]
pub(crate) fn transmit_file(
    socket: impl AsFd,
    file: &File,
    start: u64,
    length: usize,
) -> io::Result<usize> {
    let mut offset = start;
    Ok(rustix::fs::sendfile(socket, file, Some(&mut offset), length)?)
}

/// macOS says WouldBlock after a part was sent, and not how much, so its `sendfile` is left alone.
#[cfg(not(target_os = "linux"))]
pub(crate) fn transmit_file(_: impl AsFd, _: &File, _: u64, _: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The file of a Unix socket, which outlives the socket: dropping this removes it, if it is still
/// the same file.
#[derive(Debug)]
pub(crate) struct SocketFile {
    /// Absolute: the working directory may change before the end.
    path: PathBuf,
    /// Device and inode. A successor may have put its own socket at the path meanwhile.
    identity: (u64, u64),
}

impl SocketFile {
    /// The file that a bind has just made; there is none for a name in the abstract namespace.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).ok()?;
        let identity = Self::identity(&path)?;
        Some(Self { path, identity })
    }

    fn identity(path: &Path) -> Option<(u64, u64)> {
        let metadata = std::fs::symlink_metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if Self::identity(&self.path) == Some(self.identity) {
            // Nobody is left to hear of an error, and a file left behind does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What a failed accept means for the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcceptError {
    /// Nothing waits to be accepted: not a fault.
    Empty,
    /// That one connection failed. The next may be fine; count this against the turn's budget.
    Retry,
    /// No descriptors or no memory: every accept fails, and the connection stays in the queue,
    /// until something is freed. Wait before trying again, the queue makes no new event.
    OutOfDescriptors,
    /// The listening socket itself is unusable.
    Fatal,
}

impl AcceptError {
    /// Sorts an error of accept.
    ///
    /// Linux reports pending network errors of the new connection here, an open list that peers
    /// and firewalls can add to (accept(2)). So what isn't known to be the listener's or the
    /// system's fault is that connection's: no peer can stop a listener.
    pub(crate) fn of(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::WouldBlock {
            return Self::Empty;
        }
        match error.raw_os_error() {
            Some(EMFILE | ENFILE | ENOBUFS | ENOMEM) => Self::OutOfDescriptors,
            Some(EBADF | EFAULT | EINVAL | ENOTSOCK) => Self::Fatal,
            _ => Self::Retry,
        }
    }
}

/// The system takes a signed number and lowers it to its limit.
fn clamp(backlog: u32) -> i32 {
    i32::try_from(backlog).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::SockRef;
    use std::os::fd::AsFd;

    const OPTIONS: ListenOptions =
        ListenOptions { backlog: 8192, reuse_port: false, v6_only: false };

    #[test]
    fn a_tcp_socket_has_its_options() {
        let listener = listen_tcp(([127, 0, 0, 1], 0).into(), OPTIONS).unwrap();
        let socket = SockRef::from(&listener);
        assert!(socket.tcp_nodelay().unwrap() && socket.reuse_address().unwrap());
        assert!(socket.nonblocking().unwrap() && !socket.reuse_port().unwrap());
        assert!(closes_on_exec(&listener));
    }

    #[test]
    fn only_the_unspecified_v6_address_is_open_to_v4() {
        for (address, v6_only) in [("[::]:0", false), ("[::1]:0", true)] {
            match listen_tcp(address.parse().unwrap(), OPTIONS) {
                // A container without IPv6.
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
                other => assert_eq!(SockRef::from(&other.unwrap()).only_v6().unwrap(), v6_only),
            }
        }
    }

    #[test]
    fn accepted_connections_inherit_no_delay() {
        let listener = listen_tcp(([127, 0, 0, 1], 0).into(), OPTIONS).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(listener.accept().unwrap().0.nodelay().unwrap());
    }

    #[test]
    fn a_port_is_shared_only_when_asked() {
        let first = listen_tcp(([127, 0, 0, 1], 0).into(), OPTIONS).unwrap();
        let taken = listen_tcp(first.local_addr().unwrap(), OPTIONS).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        assert!(taken.raw_os_error().is_some());

        let shared = ListenOptions { reuse_port: true, ..OPTIONS };
        let first = listen_tcp(([127, 0, 0, 1], 0).into(), shared).unwrap();
        listen_tcp(first.local_addr().unwrap(), shared).unwrap();
    }

    #[test]
    fn a_backlog_without_end_is_taken() {
        let endless = ListenOptions { backlog: u32::MAX, ..OPTIONS };
        listen_tcp(([127, 0, 0, 1], 0).into(), endless).unwrap();
    }

    #[test]
    fn accept_errors_are_sorted_by_whose_fault_they_are() {
        let of = |number| AcceptError::of(&io::Error::from_raw_os_error(number));
        for number in [EMFILE, ENFILE, ENOBUFS, ENOMEM] {
            assert_eq!(of(number), AcceptError::OutOfDescriptors);
        }
        assert_eq!(of(EBADF), AcceptError::Fatal);
        assert_eq!(AcceptError::of(&io::ErrorKind::WouldBlock.into()), AcceptError::Empty);
        for kind in [io::ErrorKind::ConnectionAborted, io::ErrorKind::Interrupted] {
            assert_eq!(AcceptError::of(&kind.into()), AcceptError::Retry);
        }
    }

    #[test]
    fn the_numbers_are_those_of_this_system() {
        let directory = std::fs::File::open("/").unwrap();
        let error = SockRef::from(&directory).listen(1).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(ENOTSOCK));
        assert!(io::Error::from_raw_os_error(ENOBUFS).to_string().contains("buffer space"));
        assert!(io::Error::from_raw_os_error(EMFILE).to_string().contains("open files"));
    }

    fn closes_on_exec(socket: &impl AsFd) -> bool {
        // A child sees the descriptors that survive exec.
        use std::os::fd::AsRawFd;
        let path = format!("/dev/fd/{}", socket.as_fd().as_raw_fd());
        !std::process::Command::new("test").args(["-e", &path]).status().unwrap().success()
    }
}
