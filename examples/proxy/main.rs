//! A reverse proxy over the lower trait of barewire: one reactor carries the clients and the
//! connections to the upstreams, and bodies stream both ways with back-pressure.
//!
//! ```sh
//! cargo run --release --example proxy -- --listen 127.0.0.1:8080 \
//!     --upstream 127.0.0.1:3000 --upstream 127.0.0.1:3001
//! ```
//!
//! What it does is written in docs/embedding.md. Reading order: `proxy.rs` has the events, `request.rs`
//! and `answer.rs` the two directions, `exchange.rs` is what is known of a request, `upstreams.rs`
//! chooses and keeps connections, `fields.rs` knows what a proxy may pass on, `log.rs` writes lines.

mod answer;
mod exchange;
mod fields;
mod log;
mod options;
mod proxy;
mod request;
mod upstreams;

use std::error::Error;
use std::time::Duration;

use barewire::limits;
use barewire::net::{Reactor, Settings};

use log::Log;
use options::Options;
use proxy::Proxy;

fn main() -> Result<(), Box<dyn Error>> {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return Ok(());
        }
        Err(message) => {
            eprintln!("{message}\n\n{}", options::HELP);
            std::process::exit(2);
        }
    };
    let log = Log::open(&options.log)?;
    let listen = options.listen.clone();
    let mut reactor = Reactor::new(Proxy::new(options, log), Settings::default())?;
    let address = reactor.listen(&listen, false, limits::BACKLOG)?;
    eprintln!("Listening on http://{address}");
    loop {
        // Lines wait for others to be written with, but not for long.
        let patience = reactor.app().log.has_lines().then_some(Duration::from_millis(500));
        reactor.turn(patience)?;
        let now = reactor.now_ms();
        reactor.app().log.write_if_due(now);
    }
}
