//! Reads what doesn't lie in the page cache, on a thread of its own: a turn never waits for a disk.
//!
//! What is read is dropped; the kernel keeps it, and the file's next window can be sent. The thread
//! begins with the first cold file. A client that leaves takes its file along: what is still to be
//! read of it isn't. This file must not know of sockets or of answers.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};

use mio::Waker;

use super::mailbox::{Inbox, Mailbox};
use super::piece::FileSpan;
use super::slots::Key;
use crate::limits;

/// The ways to the thread, and the thread. They are dropped in this order, so it finds them closed
/// after the reading under way, and is waited for so long.
#[derive(Debug)]
pub(super) struct Warmer {
    orders: Option<Sender<Order>>,
    done: Mailbox<Key>,
    inbox: Inbox<Key>,
    thread: Thread,
}

/// Waits for its end when it is dropped.
#[derive(Debug)]
struct Thread(Option<JoinHandle<()>>);

#[derive(Debug)]
struct Order {
    key: Key,
    /// Held by the connection alone, so that nothing stays open for those who are gone.
    file: Weak<File>,
    window: Range<u64>,
}

impl Warmer {
    pub(super) fn new(waker: Arc<Waker>) -> Self {
        let (done, inbox) = Mailbox::new(waker);
        Warmer { orders: None, done, inbox, thread: Thread(None) }
    }

    /// Reads a span for a connection, which [`Warmer::drain`] names when it is done.
    pub(super) fn warm(&mut self, key: Key, span: &FileSpan) {
        if self.orders.is_none() {
            let (orders, inbox) = channel();
            let done = self.done.clone();
            let thread = Builder::new().name("barewire-disk".to_owned());
            self.thread = Thread(thread.spawn(move || run(&inbox, &done)).ok());
            self.orders = Some(orders);
        }
        let window = span.start..span.start + span.length;
        let order = Order { key, file: Arc::downgrade(&span.file), window };
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        if !sent {
            // No thread could be had: the reactor reads it itself and waits.
            let _ = self.done.send(key);
        }
    }

    /// Moves the connections that can go on to the end of `keys`.
    pub(super) fn drain(&mut self, keys: &mut Vec<Key>) {
        self.inbox.drain(keys);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic in it has nobody to be told any more.
            let _ = thread.join();
        }
    }
}

fn run(orders: &Receiver<Order>, done: &Mailbox<Key>) {
    let mut buffer = vec![0; limits::FILE_READ];
    for Order { key, file, window } in orders {
        if let Some(file) = file.upgrade() {
            read(&file, window, &mut buffer);
        }
        if done.send(key).is_err() {
            return;
        }
    }
}

/// What is wrong with the file shows again when it is sent.
fn read(file: &File, window: Range<u64>, buffer: &mut [u8]) {
    let mut at = window.start;
    while at < window.end {
        let room = buffer.len().min((window.end - at) as usize);
        // No more than its length.
        match file.read_at(&mut buffer[..room], at) {
            Ok(count) if count > 0 => at += count as u64,
            _ => return,
        }
    }
}
