//! A server without Node.js: `cargo run --release --example hello`.
//!
//! Prints its address; `curl` it. The port is `PORT` or 3000. Ctrl-C ends it.

use barewire::server::{
    Answer, Block, Config, Handler, ListenAddress, Method, Reply, Request, Server,
};

/// Answers `GET /` and echoes what is posted to `/echo`.
struct Hello {
    json: Block,
    plain: Block,
}

impl Handler for Hello {
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
        match (request.head.method(), request.head.target()) {
            (Method::Get | Method::Head, b"/") => {
                reply.send(200, &self.json, br#"{"hello":"world"}"#)
            }
            (Method::Post, b"/echo") => reply.send_owned(200, &self.plain, request.take_body()),
            _ => reply.send(404, &self.plain, b"Not Found\n"),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let hello = Hello {
        json: Block::parse([(&b"Content-Type"[..], &b"application/json"[..])])?,
        plain: Block::parse([(&b"Content-Type"[..], &b"text/plain; charset=utf-8"[..])])?,
    };
    let mut server = Server::new(Config::default(), hello)?;
    let address = server.listen(&ListenAddress::Tcp(([127, 0, 0, 1], port).into()))?;
    println!("Listening on http://{address}");
    println!("Try: curl -i http://{address}/");
    server.run()?;
    Ok(())
}
