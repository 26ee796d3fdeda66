//! Where a server can listen.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use barewire::server::{Config, ListenAddress, Server};

use super::harness::{Client, Desk, PATIENCE, start};

/// Serves on these addresses until the clients are done.
fn serve(addresses: &[ListenAddress], clients: impl FnOnce(Vec<ListenAddress>) + Send + 'static) {
    let mut server = Server::new(Config::default(), Desk::new().0).expect("a server");
    let bound = addresses.iter().map(|address| server.listen(address).expect("free")).collect();
    let remote = server.remote();
    let thread = std::thread::spawn(move || {
        clients(bound);
        remote.close(2000);
    });
    server.run().expect("the poll works");
    thread.join().expect("no panic");
}

fn ask(address: &ListenAddress) -> String {
    let ListenAddress::Tcp(address) = address else { panic!("a TCP address") };
    let mut client = Client::new(TcpStream::connect(address).expect("a connection"));
    client.get("/here");
    client.text()
}

#[test]
fn over_ipv4_and_ipv6_on_one_port() {
    let v6: SocketAddr = "[::1]:0".parse().expect("an address");
    match std::net::TcpListener::bind(v6) {
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => return,
        other => drop(other.expect("IPv6 works")),
    }
    serve(&[ListenAddress::Tcp(v6)], |bound| {
        assert_ne!(bound[0].port(), Some(0), "the real port");
        assert_eq!(ask(&bound[0]), "/here");
    });
    serve(&[ListenAddress::Tcp("[::]:0".parse().expect("an address"))], |bound| {
        let port = bound[0].port().expect("TCP");
        for host in ["127.0.0.1", "::1"] {
            let ip = host.parse().expect("an address");
            assert_eq!(ask(&ListenAddress::Tcp(SocketAddr::new(ip, port))), "/here", "{host}");
        }
    });
}

#[test]
fn on_several_addresses_at_once() {
    let any = ListenAddress::Tcp(([127, 0, 0, 1], 0).into());
    serve(&[any.clone(), any.clone(), any], |bound| {
        for address in &bound {
            assert_eq!(ask(address), "/here");
        }
    });
}

#[test]
fn on_a_unix_socket() {
    let name = format!("barewire-server-test-{}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let socket = path.clone();
    serve(&[ListenAddress::Unix(path.clone())], move |bound| {
        assert_eq!(bound, [ListenAddress::Unix(socket.clone())]);
        let stream = UnixStream::connect(&socket).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("it can");
        let mut client = Client::over(stream);
        client.get("/big/1000000");
        assert!(client.answer().body == super::harness::pattern(1_000_000));
        client.post("/echo", b"hello");
        assert_eq!(client.text(), "hello");
        client.send("GET /last HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        assert_eq!(client.text(), "/last");
        assert_eq!(client.end(), b"");
    });
    assert!(!path.exists(), "its file goes with it");
}

#[test]
fn a_port_in_use_is_an_error_with_the_systems_number() {
    let server = start(Config::default());
    let mut second = Server::new(Config::default(), Desk::new().0).expect("a server");
    let error = second.listen(&ListenAddress::Tcp(server.address)).expect_err("taken");
    assert_eq!((error.kind(), error.raw_os_error().is_some()), (ErrorKind::AddrInUse, true));
    assert_eq!(server.get("/first").text(), "/first");
}

#[test]
fn two_servers_of_one_process_know_nothing_of_each_other() {
    let (one, two) = (start(Config::default()), start(Config::default()));
    let (mut client, mut other) = (one.get("/later/1"), two.get("/later/2"));
    let (id, other_id) = (one.owed(), two.owed());
    one.reply(id, "one");
    assert_eq!(client.text(), "one");
    assert!(other.is_silent());
    drop(client);
    one.stop();
    two.reply(other_id, "two");
    assert_eq!(other.text(), "two");
    drop(other);
    two.stop();
}

#[test]
fn two_servers_share_a_port_when_asked_to() {
    let address = ListenAddress::Tcp(([127, 0, 0, 1], 0).into());
    let mut one = Server::new(Config::default(), Desk::new().0).expect("a server");
    let mut two = Server::new(Config::default(), Desk::new().0).expect("a server");
    let bound = one.listen_with(&address, true, 128).expect("free");
    two.listen_with(&bound, true, 128).expect("shared");
    let ListenAddress::Tcp(address) = bound else { panic!("bound to TCP") };
    let mut clients: Vec<_> =
        (0..32).map(|_| Client::new(TcpStream::connect(address).expect("a connection"))).collect();
    for client in &mut clients {
        client.get("/x");
    }
    for _ in 0..50 {
        one.turn(Some(Duration::from_millis(1))).expect("the poll works");
        two.turn(Some(Duration::from_millis(1))).expect("the poll works");
    }
    for client in &mut clients {
        assert_eq!(client.text(), "/x");
    }
    assert_eq!(one.stats().total_requests + two.stats().total_requests, 32);
}
