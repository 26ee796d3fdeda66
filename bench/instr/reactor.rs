//! Cases of a whole server with a handler in Rust: one turn of its reactor, over a real socket.
//!
//! Client and server take turns in one thread, and a turn waits until the request is there, so
//! each round takes the same path. What the client does is counted, too: two system calls.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;

use barewire::server::{
    Answer, Block, Config, Handler, ListenAddress, Method, Reply, Request, Server,
};

use super::messages::{BROWSER, JSON, JSON_FIELDS, SMALL, post};

const WARM_UP: usize = 100;

/// Echoes what has a body, and says hello to the rest.
struct Hello {
    json: Block,
}

impl Handler for Hello {
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
        match request.head.method() {
            Method::Post => reply.send(200, &self.json, request.body()),
            _ => reply.send(200, &self.json, black_box(JSON)),
        }
    }
}

pub(crate) fn hello(rounds: usize) {
    turns(rounds, SMALL);
}

pub(crate) fn browser(rounds: usize) {
    turns(rounds, BROWSER);
}

pub(crate) fn pipelined(rounds: usize) {
    turns(rounds, &SMALL.repeat(16));
}

pub(crate) fn echo(rounds: usize) {
    turns(rounds, &post(1024));
}

fn turns(rounds: usize, input: &[u8]) {
    let json = Block::parse(JSON_FIELDS).expect("valid");
    let mut server = Server::new(Config::default(), Hello { json }).expect("a server");
    let any = ListenAddress::Tcp(([127, 0, 0, 1], 0).into());
    let ListenAddress::Tcp(address) = server.listen(&any).expect("a free port") else {
        panic!("bound to TCP");
    };
    let mut client = TcpStream::connect(address).expect("a connection");
    client.set_nodelay(true).expect("it can");
    // Accepted in a turn of its own.
    server.turn(None).expect("the poll works");
    let mut received = vec![0; 64 * 1024];
    for _ in 0..WARM_UP + rounds {
        client.write_all(input).expect("small enough for the socket's buffer");
        server.turn(None).expect("the poll works");
        // A turn answers all of it in one write, which loopback delivers whole.
        let length = client.read(&mut received).expect("an answer");
        assert!(received[..length].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}
