//! A world under way: the loop around the server, which does what any foreign loop does, and what
//! happens between its turns.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::check;
use super::client::Client;
use super::handler::{self, Book, Desk};
use super::world::{FrontDoor, Happening, Net, Poll, Shared};
use crate::server::{Config, Remote, Server};

/// More than any world needs; whoever gets there turns in circles.
const STEPS: u64 = 300_000;

pub(super) struct Simulation {
    pub(super) server: Server<Desk>,
    pub(super) net: Shared,
    pub(super) book: Rc<RefCell<Book>>,
    remote: Remote,
    clients: Vec<Client>,
    is_calm: bool,
    /// Longest delay of the server's loop in microseconds.
    lag: u64,
    /// When the loop is to wake up next, and the number of that plan.
    planned: Option<(u64, u64)>,
    plans: u64,
    /// Another thread has left a message.
    has_mail: bool,
    turns: u64,
}

/// What happened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) answers: u64,
    pub(super) refusals: u64,
    pub(super) resets: u64,
    steps: u64,
    turns: u64,
    virtual_seconds: u64,
}

impl Sums {
    pub(super) fn add(&mut self, other: &Sums) {
        self.answers += other.answers;
        self.refusals += other.refusals;
        self.resets += other.resets;
        self.steps += other.steps;
        self.turns += other.turns;
        self.virtual_seconds += other.virtual_seconds;
    }
}

impl Simulation {
    pub(super) fn new(
        config: Config,
        net: Net,
        wall: &Rc<Cell<u64>>,
        clients: Vec<Client>,
        lag: u64,
        is_calm: bool,
    ) -> Self {
        let net = Rc::new(RefCell::new(net));
        let book = Rc::new(RefCell::new(Book::default()));
        let desk = Desk { book: Rc::clone(&book), net: Rc::clone(&net) };
        let mut server = Server::new(config, desk).expect("a poll");
        let poll = Rc::new(Poll(Rc::clone(&net)));
        let door = Box::new(FrontDoor(Rc::clone(&net)));
        server.simulate(poll, door, wall).expect("a made-up door opens");
        let remote = server.remote();
        Simulation {
            server,
            net,
            book,
            remote,
            clients,
            is_calm,
            lag,
            planned: None,
            plans: 0,
            has_mail: false,
            turns: 0,
        }
    }

    /// Runs until everybody has left and the server is closed.
    pub(super) fn run(mut self) -> Result<Sums, String> {
        let begun = self.net.borrow().now();
        let mut steps = 0;
        while !(self.server.is_closed() && self.clients.iter().all(Client::is_over)) {
            let next = self.net.borrow_mut().next(u64::MAX);
            self.step(next.ok_or("nothing will ever happen again")?)?;
            steps += 1;
            if steps > STEPS {
                return Err(format!("no end after {steps} steps"));
            }
        }
        check::end(&mut self.server, &self.book.borrow(), &self.clients)?;
        if self.is_calm {
            self.clients.iter().try_for_each(check::courtesy)?;
        }
        let answers = self.clients.iter().flat_map(Client::answers);
        let (answers, refusals): (Vec<_>, Vec<_>) = answers.partition(|one| one.status == 200);
        let resets = self.clients.iter().filter(|client| client.ended == Some(false)).count();
        Ok(Sums {
            answers: answers.len() as u64,
            refusals: refusals.len() as u64,
            resets: resets as u64,
            steps,
            turns: self.turns,
            virtual_seconds: (self.net.borrow().now() - begun) / 1_000_000,
        })
    }

    /// Lets so many microseconds pass.
    pub(super) fn pass(&mut self, time: u64) {
        let until = self.net.borrow().now() + time;
        self.plan_turn();
        loop {
            let next = self.net.borrow_mut().next(until);
            let Some(happening) = next else {
                return self.net.borrow().wait_until(until);
            };
            self.step(happening).expect("the world keeps its promises");
        }
    }

    pub(super) fn step(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Turn(plan) => {
                if self.planned.is_some_and(|(_, current)| current == plan) {
                    self.turn()?;
                }
            }
            Happening::Connect(link) => self.net.borrow_mut().on_connect(link),
            Happening::Arrive(link) => self.net.borrow_mut().on_arrive(link),
            Happening::Deliver(link) => self.net.borrow_mut().on_deliver(link),
            Happening::Nudge(link) => self.net.borrow_mut().nudge(link),
            Happening::Orphan(link) => self.net.borrow_mut().on_orphan(link),
            Happening::Client(link) => {
                if let Some(client) = self.clients.get_mut(link) {
                    client.wake(&mut self.net.borrow_mut());
                    if self.clients.iter().all(Client::is_over) {
                        self.server.close(1000);
                    }
                }
            }
            Happening::Task(at) => {
                self.has_mail |= handler::work(&mut self.server, &self.remote, at);
            }
            Happening::Close => {
                let timeout = self.net.borrow_mut().random.pick(&[0, 1, 1000, 60_000]);
                self.net.borrow().trace(|| format!("the server is told to close in {timeout} ms"));
                self.server.close(timeout);
            }
        }
        handler::plan_tasks(&self.book, &self.net);
        self.plan_turn();
        Ok(())
    }

    fn turn(&mut self) -> Result<(), String> {
        self.planned = None;
        self.has_mail = false;
        self.turns += 1;
        self.server.turn(Some(Duration::ZERO)).map_err(|error| error.to_string())?;
        self.book.borrow_mut().on_turn();
        check::turn(&mut self.server, &self.book.borrow(), &self.net.borrow())
    }

    /// What any loop around the server does: it wakes up for events, for what is ready and for the
    /// next deadline, and for nothing else.
    fn plan_turn(&mut self) {
        let mut net = self.net.borrow_mut();
        let now = net.now();
        let is_due = self.has_mail || net.has_events() || self.server.has_ready();
        let at = if is_due {
            // Mostly at once; sometimes something else holds the loop up.
            if self.planned.is_some_and(|(at, _)| at <= now + self.lag) {
                return;
            }
            now + if net.random.chance(300) { net.random.within(0..self.lag + 1) } else { 0 }
        } else {
            match self.server.next_deadline() {
                Some(deadline) => now.max(deadline * 1000),
                None => return,
            }
        };
        if self.planned.is_none_or(|(planned, _)| planned > at) {
            self.plans += 1;
            self.planned = Some((at, self.plans));
            net.plan(at - now, Happening::Turn(self.plans));
        }
    }
}
