//! The two state tables crossed with what can happen in every state (design §5.2).

use barewire::proto::http1::{AnswerError, BodyLength, Closing};
use barewire::proto::{CloseReason, Fault};

use super::case::{cut, ok, refusal, shut};
use super::wire::{When, Wire};

const CLOSE: &str = "HTTP/1.1 200 OK|Content-Length: 2|Connection: close||ok";
const KEEP: &str = "HTTP/1.1 200 OK|Content-Length: 2||ok";

/// Request side and response side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Idle, Idle.
    Idle,
    /// Head, Idle.
    Head,
    /// Body, Owed.
    Body,
    /// Done, Owed.
    Owed,
    /// Done, Streaming.
    Streaming,
    /// Body, Streaming.
    Both,
    /// Discarding, Done.
    Discarding,
    /// Closed, Done: the answer said `close`.
    Closed,
}

const STATES: [State; 8] = [
    State::Idle,
    State::Head,
    State::Body,
    State::Owed,
    State::Streaming,
    State::Both,
    State::Discarding,
    State::Closed,
];

impl State {
    /// A connection in this state; its output so far is forgotten.
    fn reach(self) -> Wire {
        let mut wire = Wire::new(When::Late, ok);
        wire.receive(match self {
            State::Idle => b"",
            State::Head => b"GET /a HTTP/1.1\r\nHo",
            State::Body | State::Both | State::Discarding => {
                b"POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nab"
            }
            State::Owed | State::Streaming => b"GET /a HTTP/1.1\r\nHost: t\r\n\r\n",
            State::Closed => b"GET /a HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        });
        match self {
            State::Streaming | State::Both => {
                wire.head(200, &[], BodyLength::Unknown).expect("owed");
                wire.chunk(b"x").expect("streaming");
            }
            State::Discarding | State::Closed => wire.answer(),
            State::Owed => wire.machine.on_dispatch(0, 30_000),
            State::Idle | State::Head | State::Body => {}
        }
        wire.out.clear();
        wire
    }

    /// The client completes its request, the handler its answer.
    fn complete(self, wire: &mut Wire) {
        if wire.closing().is_none() {
            wire.receive(match self {
                State::Head => b"st: t\r\n\r\n",
                State::Body | State::Both | State::Discarding => b"cd",
                _ => b"",
            });
        }
        if matches!(wire.closing(), Some(Closing::Cut(_))) {
            // The handler doesn't know yet; whatever it does goes nowhere.
            let length = wire.out.len();
            wire.want_body();
            let _ = (wire.informational(103, &[]), wire.upgrade(&[]));
            let _ = (wire.reply(200, &[], b"ok"), wire.chunk(b"y"), wire.finish(&[]));
            wire.refuse(Fault::HandlerFailed);
            assert_eq!(wire.out.len(), length, "{self:?}: {}", wire.output());
        } else if wire.machine.owes_head() {
            wire.answer();
        } else if wire.machine.owes_answer() {
            wire.finish(&[]).expect("streaming");
        }
        wire.pump();
    }

    fn after(self, event: impl Fn(&mut Wire)) -> (String, Option<Closing>) {
        let mut wire = self.reach();
        event(&mut wire);
        self.complete(&mut wire);
        if let Some(closing) = wire.closing() {
            let length = wire.out.len();
            wire.receive(b"GET /tail HTTP/1.1\r\nHost: t\r\n\r\n");
            assert_eq!(wire.closing(), Some(closing), "{self:?}: closing stays");
            assert_eq!(wire.out.len(), length, "{self:?}: nothing is said behind the end");
            assert!(!wire.events().contains("tail"), "{self:?}");
        }
        (wire.output(), wire.closing())
    }
}

#[test]
fn nothing_happens() {
    for state in STATES {
        let expected = match state {
            State::Idle | State::Discarding => (String::new(), None),
            State::Head | State::Body | State::Owed => (KEEP.into(), None),
            State::Streaming | State::Both => ("0||".into(), None),
            State::Closed => (String::new(), shut(CloseReason::Answered)),
        };
        assert_eq!(state.after(|_| {}), expected, "{state:?}");
    }
}

#[test]
fn fin() {
    let incomplete = refusal("400 Bad Request", Fault::Incomplete);
    for state in STATES {
        let expected = match state {
            State::Idle => (String::new(), shut(CloseReason::Client)),
            State::Head | State::Body => (incomplete.clone(), shut(CloseReason::ClientAborted)),
            State::Owed => (KEEP.into(), shut(CloseReason::Client)),
            State::Streaming => ("0||".into(), shut(CloseReason::Client)),
            State::Both => (String::new(), cut(CloseReason::ClientAborted)),
            State::Discarding => (String::new(), shut(CloseReason::ClientAborted)),
            State::Closed => (String::new(), shut(CloseReason::Answered)),
        };
        assert_eq!(state.after(Wire::fin), expected, "{state:?}");
    }
}

#[test]
fn time() {
    for state in STATES {
        let expected = match state {
            State::Idle => (String::new(), shut(CloseReason::IdleTimeout)),
            State::Head => {
                let text = refusal("408 Request Timeout", Fault::HeadersTimeout);
                (text, shut(CloseReason::HeadersTimeout))
            }
            State::Body => {
                let text = refusal("408 Request Timeout", Fault::BodyTimeout);
                (text, shut(CloseReason::BodyTimeout))
            }
            State::Owed => {
                let text = refusal("503 Service Unavailable", Fault::HandlerTimeout);
                (text, shut(CloseReason::HandlerTimeout))
            }
            State::Streaming => ("0||".into(), None),
            State::Both => (String::new(), cut(CloseReason::BodyTimeout)),
            State::Discarding => (String::new(), shut(CloseReason::BodyTimeout)),
            State::Closed => (String::new(), shut(CloseReason::Answered)),
        };
        assert_eq!(state.after(|wire| wire.at(10_000_000)), expected, "{state:?}");
    }
}

#[test]
fn drain() {
    for state in STATES {
        let output = match state {
            State::Idle | State::Discarding | State::Closed => "",
            State::Head | State::Body | State::Owed => CLOSE,
            State::Streaming | State::Both => "0||",
        };
        let reason = match state {
            State::Closed => CloseReason::Answered,
            _ => CloseReason::Drained,
        };
        assert_eq!(state.after(Wire::drain), (output.into(), shut(reason)), "{state:?}");
    }
}

#[test]
fn drain_and_fin() {
    for state in [State::Idle, State::Owed, State::Streaming] {
        let (_, closing) = state.after(|wire| {
            wire.drain();
            wire.fin();
        });
        assert_eq!(closing, shut(CloseReason::Drained), "{state:?}");
    }
}

#[test]
fn loss() {
    for state in STATES {
        let reason = match state {
            State::Closed => CloseReason::Answered,
            _ => CloseReason::ClientAborted,
        };
        let after = state.after(|wire| wire.machine.cut(CloseReason::ClientAborted));
        assert_eq!(after, (String::new(), cut(reason)), "{state:?}");
    }
}

#[test]
fn a_body_above_its_limit() {
    let text = refusal("413 Content Too Large", Fault::BodyTooLarge);
    for state in [State::Body, State::Owed, State::Streaming, State::Both] {
        let expected = match state {
            State::Body | State::Owed => (text.clone(), shut(CloseReason::BodyTooLarge)),
            _ => (String::new(), cut(CloseReason::BodyTooLarge)),
        };
        let after = state.after(|wire| wire.refuse(Fault::BodyTooLarge));
        assert_eq!(after, expected, "{state:?}");
    }
}

#[test]
fn a_handler_that_fails() {
    let text = refusal("500 Internal Server Error", Fault::HandlerFailed);
    for state in [State::Body, State::Owed, State::Streaming, State::Both] {
        let expected = match state {
            State::Body | State::Owed => (text.clone(), None),
            _ => (String::new(), cut(CloseReason::HandlerAborted)),
        };
        let after = state.after(|wire| wire.refuse(Fault::HandlerFailed));
        assert_eq!(after, expected, "{state:?}");
    }
}

#[test]
fn an_upgrade_that_was_not_asked_for() {
    for state in STATES {
        let after = state.after(|wire| {
            assert_eq!(wire.upgrade(&[]), Err(AnswerError::NotOwed), "{state:?}");
        });
        assert_eq!(after, state.after(|_| {}), "{state:?}: as if nothing had happened");
    }
}
