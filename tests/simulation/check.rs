//! What must hold of a world: after each turn of the server, and when everything is over.

use super::client::{Client, Wrong};
use super::handler::{Book, Desk, Task};
use super::world::Net;
use crate::net::simulated::Holdings;
use crate::server::{Gone, Server, Stats};

/// Statuses that the server says by itself.
const REFUSALS: [u16; 6] = [400, 408, 413, 500, 503, 417];

/// A server that was told of a client's end answers with its own, at the latest when the handler is
/// done: in microseconds, above the handler's time and below the idle clock.
const PROMPT: u64 = 30_000_000;

/// After a turn: nobody is forgotten, no timer is lost, and the numbers agree with the handler's
/// book and the sockets.
pub(super) fn turn(server: &mut Server<Desk>, book: &Book, net: &Net) -> Result<(), String> {
    if let Some(fault) = book.faults.first() {
        return Err(fault.clone());
    }
    let (held, under_way) = server.audit()?;
    let stats = server.stats();
    equal("bytes that were read", stats.bytes_received, net.received)?;
    equal("bytes that were sent", stats.bytes_sent, net.sent)?;
    equal("accepted connections", held.accepted, net.accepted)?;
    equal("open connections", stats.active_connections, held.connections)?;
    let closed: u64 = stats.closed.iter().map(|(_, count)| count).sum();
    equal("accepted and not closed", held.accepted - closed, held.connections as u64)?;
    equal("bytes in the cork", held.corked, 0)?;
    if held.lost == 0 {
        equal("requests that wait for the handler", stats.pending_requests, book.pending())?;
    }
    if stats.pending_requests > under_way || under_way > held.connections + held.lost {
        return Err(format!("{under_way} requests under way: {stats:?}, {held:?}"));
    }
    if held.timers > held.connections {
        return Err(format!("timers of nobody: {held:?}"));
    }
    Ok(())
}

/// When the server is closed and everybody has left: nothing is left behind.
pub(super) fn end(
    server: &mut Server<Desk>,
    book: &Book,
    clients: &[Client],
) -> Result<(), String> {
    let (held, under_way) = server.audit()?;
    let empty = Holdings { accepted: held.accepted, lent: held.lent, ..Holdings::default() };
    equal("what a server without connections holds", held, empty)?;
    equal("requests under way", under_way, 0)?;
    let stats = server.stats();
    equal("held bytes", stats.buffered_bytes, 0)?;
    equal("pending requests", stats.pending_requests, 0)?;
    if held.lent > 0 {
        return Err(format!("{} buffers didn't come back to the pool", held.lent));
    }
    for task in &book.tasks {
        if !task.is_answered && task.gone.is_none() {
            return Err(format!("nobody told the handler what became of {task:?}"));
        }
    }
    for client in clients {
        answers(client, book)
            .map_err(|text| format!("client {}: {text}: {client:?}", client.link))?;
    }
    numbers(&stats, server.cut(), book, clients)
}

/// The answers of a connection: in order, each of them given by the handler or the server, none
/// twice, and none missing without a reason.
fn answers(client: &Client, book: &Book) -> Result<(), String> {
    if let Some(fault) = client.reader.faults.first() {
        return Err(fault.clone());
    }
    let tasks: Vec<&Task> =
        book.tasks.iter().filter(|task| task.wish.link == client.link).collect();
    for (number, answer) in client.answers().iter().enumerate() {
        let task = tasks.iter().find(|task| task.wish.number == number);
        if answer.status != 200 {
            if !REFUSALS.contains(&answer.status) || answer.tag.is_some() {
                return Err(format!("answer {number} is strange: {answer:?}"));
            }
            continue;
        }
        let tag = format!("{}.{number}", client.link);
        if answer.tag.as_ref() != Some(&tag) || !answer.is_right {
            return Err(format!("answer {number} isn't that of its request: {answer:?}"));
        }
        let is_head = client.requests.get(number).is_some_and(|request| request.is_head);
        if !is_head && !task.is_some_and(|task| task.is_whole) {
            return Err(format!("answer {number} was never completed, and looks so: {task:?}"));
        }
    }
    Ok(())
}

/// Whether a client saw a regular end before an answer that the handler had completed: the
/// connection was cut over it.
fn misses_answer(client: &Client, book: &Book) -> bool {
    let completed = book
        .tasks
        .iter()
        .filter(|task| task.wish.link == client.link && task.is_whole && task.gone.is_none());
    let last = completed.map(|task| task.wish.number).max();
    // What is cut in the middle of an answer doesn't look regular.
    let is_regular = client.ended == Some(true) && !client.reader.has_part();
    is_regular && last.is_some_and(|last| client.answers().len() <= last)
}

/// What a client may expect that does nothing wrong and asks for nothing that goes wrong, while the
/// server isn't closed under its hands: every answer, and a regular end.
pub(super) fn courtesy(client: &Client) -> Result<(), String> {
    let statuses: Vec<u16> = client.answers().iter().map(|answer| answer.status).collect();
    // An answer before the end of a large body ends the connection, and says so.
    let is_all = statuses.len() == client.requests.len() || client.reader.says_close;
    let all_right = is_all && statuses.iter().all(|&status| status == 200);
    if client.wrong == Wrong::Nothing
        && (!all_right || client.ended != Some(true) || client.gave_up)
    {
        return Err(format!(
            "client {} was patient and got {statuses:?}, ended {:?}: {client:?}",
            client.link, client.ended
        ));
    }
    if client.waited > PROMPT {
        return Err(format!("client {} waited {} µs for its end", client.link, client.waited));
    }
    Ok(())
}

/// The server's numbers at the end, against everybody else's.
fn numbers(stats: &Stats, all_cut: u64, book: &Book, clients: &[Client]) -> Result<(), String> {
    let handled = book.tasks.len() as u64;
    // The head of some nonsense is in order.
    let nonsense = clients.iter().filter(|client| client.wrong == Wrong::Nonsense).count();
    let sent = clients.iter().map(Client::sent_heads).sum::<usize>() + nonsense;
    if stats.total_requests < handled || stats.total_requests > sent as u64 {
        return Err(format!("{handled} requests handled, {sent} sent: {stats:?}"));
    }
    let refusals = |status: u16| {
        let answers = clients.iter().flat_map(Client::answers);
        answers.filter(|answer| answer.status == status).count() as u64
    };
    for status in REFUSALS {
        let counted = stats.rejected.iter().find(|(other, _)| *other == status);
        let counted = counted.map_or(0, |(_, count)| *count);
        if refusals(status) > counted {
            return Err(format!("{} times {status}, but {stats:?}", refusals(status)));
        }
    }
    let count = |wanted: &[&str]| -> u64 {
        let of = stats.closed.iter().filter(|(name, _)| wanted.contains(name));
        of.map(|(_, count)| count).sum()
    };
    // Nobody misses an answer unless its connection was cut; the first reason to close it stays.
    let missing = clients.iter().filter(|client| misses_answer(client, book)).count() as u64;
    let all: u64 = stats.closed.iter().map(|(_, count)| count).sum();
    if missing > all - count(&["client", "idleTimeout", "headersTimeout", "malformed"]) {
        return Err(format!("{missing} clients miss an answer, but {stats:?}"));
    }
    let cut = book.tasks.iter().filter(|task| task.gone == Some(Gone::Cut)).count();
    if cut as u64 > all_cut {
        return Err(format!("{cut} requests were cut, but {stats:?}"));
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value)] // numbers, mostly
fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: T, wanted: T) -> Result<(), String> {
    if is == wanted { Ok(()) } else { Err(format!("{what}: {is:?}, but should be {wanted:?}")) }
}
