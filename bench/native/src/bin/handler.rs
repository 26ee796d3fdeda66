//! barewire without JavaScript: its default options under a handler in Rust.
//!
//! `PORT=3000 handler TYPE BODY` answers with that body, `PORT=3000 handler TYPE` with that of the
//! request.

use std::error::Error;

use barewire::server::{Answer, Block, Config, Handler, ListenAddress, Reply, Request, Server};

struct Fixed {
    block: Block,
    body: Option<String>,
}

impl Handler for Fixed {
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
        match &self.body {
            Some(body) => reply.send(200, &self.block, body.as_bytes()),
            None => reply.send_owned(200, &self.block, request.take_body()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let media_type = arguments.next().ok_or("handler TYPE [BODY]")?;
    let block = Block::parse([(&b"content-type"[..], media_type.as_bytes())])?;
    let port: u16 = std::env::var("PORT")?.parse()?;
    let mut server = Server::new(Config::default(), Fixed { block, body: arguments.next() })?;
    server.listen(&ListenAddress::Tcp(([127, 0, 0, 1], port).into()))?;
    server.run()?;
    Ok(())
}
