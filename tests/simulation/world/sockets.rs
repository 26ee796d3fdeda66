//! The server's side of the network: what its calls do, and which events its poll has.

use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;

use mio::event::Source;
use mio::{Interest, Registry, Token};

use super::{Happening, Net, Segment, Shared};
use crate::net::simulated::{Door, Network, Readiness, Wire};

impl Net {
    /// Whether a call is spoilt: it is interrupted, or would block, which an event makes good.
    fn spoil(&mut self, link: usize) -> io::Result<()> {
        if self.random.chance(self.faults.interrupted) {
            return Err(ErrorKind::Interrupted.into());
        }
        if self.random.chance(self.faults.would_block) {
            let after = self.random.within(0..2000);
            self.plan(after, Happening::Nudge(link));
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(())
    }

    fn receive(&mut self, link: usize, buffer: &mut [u8]) -> io::Result<usize> {
        self.spoil(link)?;
        let end = &mut self.links[link];
        let count = buffer.len().min(end.inbox.len());
        if count == 0 {
            if end.is_reset && !std::mem::replace(&mut end.told_reset, true) {
                return Err(ErrorKind::ConnectionReset.into());
            }
            return if end.has_fin || end.is_reset {
                Ok(0)
            } else {
                Err(ErrorKind::WouldBlock.into())
            };
        }
        for (place, byte) in buffer.iter_mut().zip(end.inbox.drain(..count)) {
            *place = byte;
        }
        self.received += count as u64;
        self.take_in(link);
        Ok(count)
    }

    fn transmit(&mut self, link: usize, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        if self.links[link].is_reset || self.links[link].sent_fin {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if total == 0 {
            return Ok(0);
        }
        self.spoil(link)?;
        let room = self.faults.room.saturating_sub(self.links[link].taken);
        if room == 0 {
            self.links[link].wants_room = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut count = total.min(room);
        if self.random.chance(self.faults.short_write) {
            count = self.random.within(1..count as u64 + 1) as usize;
            let after = self.random.within(0..2000);
            self.plan(after, Happening::Nudge(link));
        }
        let mut bytes: Vec<u8> = Vec::with_capacity(count);
        for part in parts {
            let rest = count - bytes.len();
            bytes.extend_from_slice(&part[..part.len().min(rest)]);
        }
        let end = &mut self.links[link];
        end.wants_room |= count == room && count < total;
        end.taken += count;
        self.sent += count as u64;
        self.send_to_client(link, Segment::Bytes(bytes));
        Ok(count)
    }

    fn close(&mut self, link: usize) {
        let end = &mut self.links[link];
        end.is_closed = true;
        end.has_event = false;
        self.events.retain(|&other| other != link);
        let end = &mut self.links[link];
        let is_rough = end.will_reset || !end.inbox.is_empty();
        if end.is_reset {
            // Nobody is there to be told.
        } else if is_rough {
            if self.random.chance(500) {
                self.links[link].to_client.clear();
            }
            self.send_to_client(link, Segment::Reset);
        } else if !std::mem::replace(&mut end.sent_fin, true) {
            self.send_to_client(link, Segment::Fin);
        }
        self.trace(|| format!("server closes {link}{}", if is_rough { " by a reset" } else { "" }));
    }

    fn readiness(&self, link: usize) -> Readiness {
        let end = &self.links[link];
        let has_room = end.taken < self.faults.room && !end.wants_room;
        Readiness {
            readable: !end.inbox.is_empty() || end.has_fin || end.is_reset,
            writable: end.watches_writable && (has_room || end.is_reset),
            read_closed: end.has_fin || end.is_reset,
            lost: end.is_reset || (end.has_fin && end.sent_fin),
        }
    }

    fn fetch(&mut self) -> Vec<(Token, Readiness)> {
        let mut links = std::mem::take(&mut self.events);
        let mut events = Vec::with_capacity(links.len() + 1);
        // No order is promised.
        for at in (1..links.len()).rev() {
            links.swap(at, self.random.within(0..at as u64 + 1) as usize);
        }
        for link in links {
            self.links[link].has_event = false;
            let mut readiness = self.readiness(link);
            if self.random.chance(self.faults.spurious) {
                readiness.readable = true;
            }
            if let Some(token) = self.links[link].token
                && (readiness.readable || readiness.writable || readiness.lost)
            {
                events.push((token, readiness));
            }
        }
        if std::mem::take(&mut self.rings)
            && let Some(token) = self.door
        {
            events.push((token, Readiness { readable: true, ..Readiness::default() }));
        }
        events
    }

    fn accept(&mut self) -> io::Result<usize> {
        if !self.waiting.is_empty() && self.random.chance(self.faults.accept) {
            // ECONNABORTED: it was gone again. EMFILE: no descriptor is left.
            let number = if self.faults.refuses { self.random.pick(&[103, 24]) } else { 24 };
            if number == 103
                && let Some(link) = self.waiting.pop_front()
            {
                self.refuse(link);
            }
            return Err(io::Error::from_raw_os_error(number));
        }
        let link = self.waiting.pop_front().ok_or(ErrorKind::WouldBlock)?;
        self.accepted += 1;
        self.trace(|| format!("server accepts {link}"));
        Ok(link)
    }
}

/// The poll.
#[derive(Debug)]
pub(in crate::simulation) struct Poll(pub(in crate::simulation) Shared);

impl Network for Poll {
    fn events(&self) -> Vec<(Token, Readiness)> {
        self.0.borrow_mut().fetch()
    }
}

/// The listening socket.
#[derive(Debug)]
pub(in crate::simulation) struct FrontDoor(pub(in crate::simulation) Shared);

impl Door for FrontDoor {
    fn accept(&self) -> io::Result<(Box<dyn Wire>, std::net::SocketAddr)> {
        let link = self.0.borrow_mut().accept()?;
        let address = ([192, 0, 2, link as u8], 1000 + link as u16).into();
        Ok((Box::new(End { net: Rc::clone(&self.0), link }), address))
    }
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        let mut net = self.0.borrow_mut();
        net.is_open = false;
        while let Some(link) = net.waiting.pop_front() {
            net.refuse(link);
        }
    }
}

/// The server's end of a connection.
#[derive(Debug)]
struct End {
    net: Shared,
    link: usize,
}

impl Wire for End {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.net.borrow_mut().receive(self.link, buffer)
    }

    fn transmit(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.net.borrow_mut().transmit(self.link, parts)
    }

    fn shutdown_write(&self) -> io::Result<()> {
        let mut net = self.net.borrow_mut();
        if net.links[self.link].is_reset {
            return Err(ErrorKind::NotConnected.into());
        }
        net.links[self.link].sent_fin = true;
        net.send_to_client(self.link, Segment::Fin);
        // Both sides are shut: that is an event.
        if net.links[self.link].has_fin {
            net.nudge(self.link);
        }
        Ok(())
    }

    fn reset_on_close(&self) {
        self.net.borrow_mut().links[self.link].will_reset = true;
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.net.borrow_mut().close(self.link);
    }
}

impl Source for End {
    fn register(&mut self, _: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        let mut net = self.net.borrow_mut();
        let end = &mut net.links[self.link];
        end.token = Some(token);
        end.watches_writable = interest.is_writable();
        net.nudge(self.link);
        Ok(())
    }

    fn reregister(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.register(registry, token, on)
    }

    fn deregister(&mut self, _: &Registry) -> io::Result<()> {
        self.net.borrow_mut().links[self.link].token = None;
        Ok(())
    }
}

impl Source for FrontDoor {
    fn register(&mut self, _: &Registry, token: Token, _: Interest) -> io::Result<()> {
        self.0.borrow_mut().door = Some(token);
        Ok(())
    }

    fn reregister(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.register(registry, token, on)
    }

    fn deregister(&mut self, _: &Registry) -> io::Result<()> {
        self.0.borrow_mut().door = None;
        Ok(())
    }
}
