//! Messages from other threads: a queue that wakes the reactor.
//!
//! Late answers of Rust handlers, and commands, come this way. This file must not know what a
//! message says, nor which token the waker has.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;

/// The sending end, for any thread; clones send to the same queue.
#[derive(Debug)]
pub struct Mailbox<T> {
    shared: Arc<Shared<T>>,
}

/// The receiving end, owned by the reactor. Dropping it closes the mailbox for all senders and
/// drops what was not read.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    queue: Mutex<Queue<T>>,
    waker: Arc<Waker>,
}

#[derive(Debug)]
struct Queue<T> {
    messages: Vec<T>,
    is_closed: bool,
}

impl<T> Mailbox<T> {
    /// Makes a queue. A poll has only one waker, so mailboxes of one reactor share it.
    pub(crate) fn new(waker: Arc<Waker>) -> (Self, Inbox<T>) {
        let queue = Mutex::new(Queue { messages: Vec::new(), is_closed: false });
        let shared = Arc::new(Shared { queue, waker });
        (Self { shared: Arc::clone(&shared) }, Inbox { shared })
    }

    /// Queues a message, or gives it back when the reactor has gone.
    ///
    /// Messages of one thread arrive in their order. The poll is woken only by the first message
    /// of an empty queue; the rest ride along, since the reactor takes the queue whole.
    pub fn send(&self, message: T) -> Result<(), T> {
        let mut queue = self.shared.lock();
        if queue.is_closed {
            return Err(message);
        }
        let was_empty = queue.messages.is_empty();
        queue.messages.push(message);
        // The reactor must not run into the lock when it wakes up.
        drop(queue);
        if was_empty {
            // It fails only if the poll is gone or going, and then the inbox goes with it.
            let _ = self.shared.waker.wake();
        }
        Ok(())
    }
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Inbox<T> {
    /// Moves all messages to the end of `out`, oldest first.
    ///
    /// With an empty `out` the two vectors trade places, so a reactor that hands in the same one
    /// each time allocates nothing once both have grown.
    pub(crate) fn drain(&mut self, out: &mut Vec<T>) {
        let mut queue = self.shared.lock();
        if out.is_empty() {
            mem::swap(&mut queue.messages, out);
        } else {
            out.append(&mut queue.messages);
        }
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.is_closed = true;
        let unread = mem::take(&mut queue.messages);
        // A message may hold a clone of the mailbox and use it while it is dropped.
        drop(queue);
        drop(unread);
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        // Nothing under the lock leaves the queue half changed, so a panic there is no reason to
        // stop every other sender.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll, Token};
    use std::thread;
    use std::time::Duration;

    fn pair<T>() -> (Poll, Mailbox<T>, Inbox<T>) {
        let poll = Poll::new().unwrap();
        let waker = Waker::new(poll.registry(), Token(1)).unwrap();
        let (mailbox, inbox) = Mailbox::new(Arc::new(waker));
        (poll, mailbox, inbox)
    }

    fn is_woken(poll: &mut Poll) -> bool {
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        !events.is_empty()
    }

    #[test]
    fn only_the_first_message_of_an_empty_queue_wakes() {
        let (mut poll, mailbox, mut inbox) = pair();
        let mut out = Vec::new();
        for round in 0..3 {
            assert!(!is_woken(&mut poll));
            mailbox.send(round).unwrap();
            assert!(is_woken(&mut poll));
            mailbox.send(round + 10).unwrap();
            assert!(!is_woken(&mut poll));
            inbox.drain(&mut out);
            assert_eq!(out, [round, round + 10]);
            out.clear();
        }
    }

    #[test]
    fn draining_appends_to_what_is_there() {
        let (_poll, mailbox, mut inbox) = pair();
        let mut out = vec![1];
        mailbox.send(2).unwrap();
        inbox.drain(&mut out);
        inbox.drain(&mut out);
        assert_eq!(out, [1, 2]);
    }

    #[test]
    fn no_message_of_many_threads_is_lost_or_overtaken() {
        const THREADS: usize = 4;
        const MESSAGES: usize = 2000;
        let (mut poll, mailbox, mut inbox) = pair();
        let senders: Vec<_> = (0..THREADS)
            .map(|sender| {
                let mailbox = mailbox.clone();
                thread::spawn(move || {
                    (0..MESSAGES).for_each(|number| mailbox.send((sender, number)).unwrap());
                })
            })
            .collect();
        let mut events = Events::with_capacity(4);
        let mut next = [0; THREADS];
        let mut out = Vec::new();
        while next != [MESSAGES; THREADS] {
            poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
            assert!(!events.is_empty(), "a wake-up was lost");
            inbox.drain(&mut out);
            for (sender, number) in out.drain(..) {
                assert_eq!(number, next[sender]);
                next[sender] += 1;
            }
        }
        for sender in senders {
            sender.join().unwrap();
        }
    }

    #[test]
    fn a_message_to_a_reactor_that_has_gone_comes_back() {
        let (poll, mailbox, inbox) = pair();
        let held = Arc::new(());
        mailbox.send(Arc::clone(&held)).unwrap();
        drop(inbox);
        drop(poll);
        assert_eq!(Arc::strong_count(&held), 1, "what was not read is dropped");
        assert_eq!(mailbox.clone().send(Arc::clone(&held)), Err(held));
    }

    /// Answers hold a mailbox; dropping one in the inbox must not lock twice.
    #[test]
    fn a_message_may_send_while_it_is_dropped() {
        struct Echo(Mailbox<Option<Echo>>);
        impl Drop for Echo {
            fn drop(&mut self) {
                assert!(self.0.send(None).is_err());
            }
        }
        let (_poll, mailbox, inbox) = pair();
        assert!(mailbox.send(Some(Echo(mailbox.clone()))).is_ok());
        drop(inbox);
    }
}
