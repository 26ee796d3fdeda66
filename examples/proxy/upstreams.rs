//! The upstreams: which one gets the next request, and the connections to each.

use barewire::net::{LinkId, ListenAddress, ReplyId};
use barewire::proto::client::Client;

/// How long an upstream is left alone after nobody answered there, in microseconds.
const DOWN: u64 = 1_000_000;

/// Most upstreams: what was tried is a word of bits.
pub(crate) const MOST: usize = 64;

#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) address: ListenAddress,
    /// The address as text: for the log, and as Host where the client gave none.
    pub(crate) name: String,
    /// Unused connections, the one that was used last at the end.
    idle: Vec<LinkId>,
    /// Requests under way.
    active: usize,
    down_until_us: u64,
}

/// A connection to an upstream.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) id: LinkId,
    pub(crate) upstream: usize,
    pub(crate) client: Client,
    /// Whose answer comes on it; an unused one waits in the pool.
    pub(crate) exchange: Option<ReplyId>,
    pub(crate) is_connected: bool,
    /// It has carried a request before, so the upstream may have closed it meanwhile.
    pub(crate) was_used: bool,
}

#[derive(Debug)]
pub(crate) struct Upstreams {
    list: Vec<Upstream>,
    /// By the link's slot.
    lines: Vec<Option<Line>>,
    /// Where the search begins, so that equals take turns.
    next: usize,
}

impl Upstreams {
    pub(crate) fn new(addresses: &[ListenAddress]) -> Self {
        let upstream = |address: &ListenAddress| Upstream {
            address: address.clone(),
            name: match address {
                ListenAddress::Tcp(address) => address.to_string(),
                ListenAddress::Unix(_) => "localhost".into(),
            },
            idle: Vec::new(),
            active: 0,
            down_until_us: 0,
        };
        let list = addresses.iter().map(upstream).collect();
        Upstreams { list, lines: Vec::new(), next: 0 }
    }

    pub(crate) fn get(&self, number: usize) -> &Upstream {
        &self.list[number]
    }

    /// The upstream with the fewest requests under way that wasn't tried; one that is down only if
    /// there is no other.
    pub(crate) fn pick(&mut self, tried: u64, now_us: u64) -> Option<usize> {
        let count = self.list.len();
        let turns = (0..count).map(|step| (self.next + step) % count);
        let picked = turns.filter(|number| tried & (1 << number) == 0).min_by_key(|&number| {
            let upstream = &self.list[number];
            (upstream.down_until_us > now_us, upstream.active)
        })?;
        self.next = (picked + 1) % count;
        Some(picked)
    }

    /// Nobody answers there.
    pub(crate) fn mark_down(&mut self, number: usize, now_us: u64) {
        self.list[number].down_until_us = now_us + DOWN;
    }

    /// An unused connection to an upstream.
    pub(crate) fn take_idle(&mut self, number: usize) -> Option<LinkId> {
        self.list[number].idle.pop()
    }

    /// A fresh connection to an upstream, which is on its way.
    pub(crate) fn add(&mut self, id: LinkId, upstream: usize) {
        if self.lines.len() <= id.slot() {
            self.lines.resize_with(id.slot() + 1, || None);
        }
        self.lines[id.slot()] = Some(Line {
            id,
            upstream,
            client: Client::new(),
            exchange: None,
            is_connected: false,
            was_used: false,
        });
    }

    pub(crate) fn line(&mut self, id: LinkId) -> Option<&mut Line> {
        self.lines.get_mut(id.slot())?.as_mut().filter(|line| line.id == id)
    }

    /// A request takes a connection.
    pub(crate) fn occupy(&mut self, id: LinkId, exchange: ReplyId) {
        if let Some(line) = self.line(id) {
            line.exchange = Some(exchange);
            let upstream = line.upstream;
            self.list[upstream].active += 1;
        }
    }

    /// The request on a connection is over and another may follow on it. Gives the one that is to be
    /// closed when `keep` are unused already.
    pub(crate) fn keep(&mut self, id: LinkId, keep: usize) -> Option<LinkId> {
        let line = self.line(id)?;
        line.was_used = true;
        let had_exchange = line.exchange.take().is_some();
        let number = line.upstream;
        let upstream = &mut self.list[number];
        upstream.active -= usize::from(had_exchange);
        upstream.idle.push(id);
        (upstream.idle.len() > keep).then(|| upstream.idle.remove(0))
    }

    /// A connection is gone, or about to be.
    pub(crate) fn remove(&mut self, id: LinkId) -> Option<Line> {
        self.line(id)?;
        let line = self.lines[id.slot()].take()?;
        let upstream = &mut self.list[line.upstream];
        if line.exchange.is_some() {
            upstream.active -= 1;
        } else {
            upstream.idle.retain(|&other| other != id);
        }
        Some(line)
    }
}
