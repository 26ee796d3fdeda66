//! How a world grows from its seed. About a third of them are calm: the network is as unkind as
//! anywhere, but clients and handlers do nothing wrong and the server has its usual limits, so that
//! every request must get its answer.

use std::cell::Cell;
use std::rc::Rc;

use super::client::Client;
use super::drive::Simulation;
use super::random::Random;
use super::requests::Manners;
use super::world::{Faults, Happening, Net};
use crate::limits;
use crate::server::{Config, Timeouts};

pub(super) fn grow(seed: u64, is_traced: bool) -> Simulation {
    let mut random = Random::new(seed);
    let is_calm = random.chance(350);
    let faults = faults(&mut random, is_calm);
    let manners = Manners {
        is_calm,
        // A large body through a narrow socket takes many steps and shows nothing new.
        most: (faults.room.min(faults.window) * 60).min(300_000),
        delay: random.pick(&[0, 1000, 200_000, 3_000_000]),
    };
    let config = if is_calm { calm(&mut random) } else { config(&mut random) };
    let lags: &[u64] =
        if is_calm { &[0, 0, 100, 10_000] } else { &[0, 10_000, 300_000, 2_000_000] };
    let lag = random.pick(lags);
    let wall = Rc::new(Cell::new(random.pick(&[0, 1, 64_000, 1 << 40])));
    let mut net = Net::new(Random::new(random.next()), faults, &wall);
    net.is_traced = is_traced;
    let count = random.within(1..7);
    let clients = (0..count).map(|_| {
        let link = net.add();
        net.plan(random.pick(&[0, 0, 1000, 500_000, 5_000_000]), Happening::Connect(link));
        Client::new(link, &mut random, manners)
    });
    let clients = clients.collect();
    if !is_calm && random.chance(300) {
        let at = random.within(0..10_000_000);
        net.plan(at, Happening::Close);
    }
    net.trace(|| {
        format!("{config:?}\n{faults:?}\n{manners:?}, the loop is late by up to {lag} µs")
    });
    Simulation::new(config, net, &wall, clients, lag, is_calm)
}

fn faults(random: &mut Random, is_calm: bool) -> Faults {
    Faults {
        interrupted: random.pick(&[0, 0, 50, 300]),
        would_block: random.pick(&[0, 0, 50, 300]),
        short_write: random.pick(&[0, 0, 50, 500]),
        spurious: random.pick(&[0, 0, 100]),
        accept: random.pick(&[0, 0, 300]),
        refuses: !is_calm,
        reset_discards: random.chance(500),
        room: random.pick(&[200, 3000, 40_000, 200_000, 3_000_000]),
        window: random.pick(&[200, 3000, 70_000, 1_000_000]),
        latency: random.pick(&[0, 100, 5000, 50_000]),
    }
}

/// A server that no client of good manners can wear out.
fn calm(random: &mut Random) -> Config {
    Config { stream_above: random.pick(&[None, Some(0), Some(1000)]), ..Config::default() }
}

fn config(random: &mut Random) -> Config {
    let max_buffered_bytes = random.pick(&[0, 2000, 100_000, limits::BUFFERED_BYTES]);
    let mut clock = |usual: u64| random.pick(&[0, 200, 1000, 5000, usual, usual]);
    let mut timeouts = Timeouts {
        headers: clock(limits::HEADERS_TIMEOUT),
        idle: clock(limits::IDLE_TIMEOUT),
        body: clock(limits::BODY_TIMEOUT),
        send: clock(limits::SEND_TIMEOUT),
        handler: clock(limits::HANDLER_TIMEOUT),
    };
    if timeouts.body == 0 && max_buffered_bytes != 0 {
        // With both, bodies may wait for each other for ever, as `docs/protocol.md` says.
        timeouts.body = limits::BODY_TIMEOUT;
    }
    Config {
        timeouts,
        max_buffered_bytes,
        max_connections: random.pick(&[0, 1, 3, limits::CONNECTIONS]),
        max_body_size: random.pick(&[0, 1000, limits::BODY_SIZE]),
        max_pending: random.pick(&[0, 1, 2, limits::PENDING]),
        stream_above: random.pick(&[None, Some(0), Some(1000), Some(100_000)]),
        ..Config::default()
    }
}
