//! Which requests are sent a second time, and where requests go.

use std::time::Duration;

use super::harness::{Proxy, Upstream, body, get, nobody};

/// An upstream that answers once, closes the kept connection when the next request has come on it,
/// and says what came on a second one.
fn stale() -> Upstream<Option<String>> {
    Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst");
        visitor.head();
        drop(visitor);
        let mut visitor = visitors.next_within(Duration::from_millis(400))?;
        let head = visitor.head();
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond");
        Some(head)
    })
}

#[test]
fn an_idempotent_request_on_a_stale_connection_is_sent_again() {
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let upstream = stale();
        let proxy = Proxy::before(&[upstream.address]);
        let mut client = proxy.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.until("first");
        client.send(format!("{method} /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        assert!(client.rest().starts_with("HTTP/1.1 200 "), "{method}");
        let head = upstream.end().expect("it came again");
        assert!(head.starts_with(&format!("{method} /x HTTP/1.1\r\n")), "{head}");
    }
}

#[test]
fn what_may_have_had_an_effect_is_not_sent_again() {
    for request in [
        "POST /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "PATCH /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "LOCK /x HTTP/1.1\r\nHost: a\r\n\r\n",
        // Its body is gone.
        "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
    ] {
        let upstream = stale();
        let proxy = Proxy::before(&[upstream.address]);
        let mut client = proxy.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.until("first");
        client.send(request);
        assert!(client.head().starts_with("HTTP/1.1 502 "), "{request}");
        assert_eq!(upstream.end(), None, "{request}");
    }
}

#[test]
fn a_request_on_a_fresh_connection_is_sent_once() {
    let upstream = Upstream::new(|visitors| {
        visitors.next().head();
        visitors.comes_another(Duration::from_millis(400))
    });
    let proxy = Proxy::before(&[upstream.address]);
    assert!(proxy.ask(&get("/")).starts_with("HTTP/1.1 502 "));
    assert!(!upstream.end());
}

#[test]
fn a_request_that_was_answered_in_part_is_sent_once() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst");
        visitor.head();
        visitor.send("HTTP/1.1 ");
        drop(visitor);
        visitors.comes_another(Duration::from_millis(400))
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.until("first");
    client.send(get("/"));
    assert!(client.rest().starts_with("HTTP/1.1 502 "));
    assert!(!upstream.end());
}

#[test]
fn a_kept_connection_that_the_upstream_has_closed_is_not_used() {
    let upstream = Upstream::new(|visitors| {
        for _ in 0..2 {
            let mut visitor = visitors.next();
            visitor.head();
            visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        }
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.until("hi");
    std::thread::sleep(Duration::from_millis(200));
    // Even what must not be repeated comes through.
    client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    assert!(client.rest().starts_with("HTTP/1.1 200 "));
    upstream.end();
}

#[test]
fn a_connection_that_the_upstream_wants_to_close_is_not_kept() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
        visitor.expect_end();
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = client.head();
    assert!(!head.contains("Connection: close"), "that is the upstream's hop: {head}");
    upstream.end();
}

#[test]
fn another_upstream_takes_what_one_that_is_down_can_not() {
    let upstream = Upstream::new(|visitors| {
        for _ in 0..2 {
            let mut visitor = visitors.next();
            let head = visitor.head();
            if head.starts_with("POST") {
                assert_eq!(visitor.exactly(2), b"hi");
            }
            visitor.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    for request in [get("/"), "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi".into()] {
        // The first in the list is asked first.
        let proxy = Proxy::before(&[nobody(), upstream.address]);
        assert_eq!(body(&proxy.ask(&request)), "ok");
    }
    upstream.end();
}

#[test]
fn the_upstream_with_the_fewest_requests_gets_the_next() {
    let busy = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        std::thread::sleep(Duration::from_millis(500));
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow");
        visitors.comes_another(Duration::from_millis(1))
    });
    let free = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        for _ in 0..5 {
            visitor.head();
            visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfast");
        }
    });
    let proxy = Proxy::before(&[busy.address, free.address]);
    let mut slow = proxy.client();
    slow.send(get("/"));
    std::thread::sleep(Duration::from_millis(100));
    let mut client = proxy.client();
    for _ in 0..5 {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.until("fast");
    }
    assert_eq!(body(&slow.rest()), "slow");
    assert!(!busy.end(), "the busy one was spared");
    free.end();
}
