//! Answers and requests of each framing, and what stands between them: 1xx, HEAD, trailers.

use super::harness::{Proxy, Upstream, body, get};

#[test]
fn an_answer_of_each_framing_reaches_the_client() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "5\r\nhello\r\n0\r\n\r\n"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ),
        ("HTTP/1.0 200 OK\r\n\r\nhello", "5\r\nhello\r\n0\r\n\r\n"),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\n", ""),
        ("HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", ""),
    ] {
        let upstream = Upstream::new(move |visitors| {
            let mut visitor = visitors.next();
            visitor.head();
            visitor.send(answer);
        });
        let proxy = Proxy::before(&[upstream.address]);
        let got = proxy.ask(&get("/"));
        let line = answer.lines().next().expect("a status line");
        assert_eq!(got[8..12], line[8..12], "{answer:?} became {got:?}");
        assert_eq!(body(&got), expected, "{answer:?} became {got:?}");
        assert!(proxy.log_line().ends_with(" ok"));
        upstream.end();
    }
}

#[test]
fn the_answer_to_head_says_what_get_would_and_has_no_body() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        assert!(visitor.head().starts_with("HEAD /a HTTP/1.1\r\n"));
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
        assert!(visitor.head().starts_with("HEAD /b HTTP/1.1\r\n"), "on the same connection");
        visitor.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.head().contains("\r\nContent-Length: 500\r\n"));
    client.send("HEAD /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = client.rest();
    assert!(answer.contains("\r\nTransfer-Encoding: chunked\r\n"), "{answer}");
    assert_eq!(body(&answer), "");
    upstream.end();
}

#[test]
fn a_request_body_of_each_framing_reaches_the_upstream() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        let head = visitor.head();
        assert!(head.contains("\r\nContent-Length: 5\r\n"), "{head}");
        assert_eq!(visitor.exactly(5), b"hello");
        visitor.send("HTTP/1.1 204 No\r\n\r\n");
        let head = visitor.head();
        assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n"), "{head}");
        assert_eq!(visitor.until("\r\n0\r\n\r\n"), "5\r\nhello\r\n0\r\n\r\n");
        visitor.send("HTTP/1.1 204 No\r\n\r\n");
        let head = visitor.head();
        assert!(head.contains("\r\nContent-Length: 0\r\n"), "{head}");
        visitor.send("HTTP/1.1 204 No\r\n\r\n");
        let head = visitor.head();
        assert_eq!(visitor.until("0\r\n\r\n"), "0\r\n\r\n", "{head}");
        visitor.send("HTTP/1.1 204 No\r\n\r\n");
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert!(client.head().starts_with("HTTP/1.1 204 "));
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    );
    assert!(client.head().starts_with("HTTP/1.1 204 "));
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 204 "));
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 204 "));
    upstream.end();
}

#[test]
fn trailers_pass_both_ways() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        let sent = visitor.until("\r\n\r\n");
        assert_eq!(sent, "1\r\na\r\n0\r\nDigest: up\r\n\r\n");
        visitor.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        // One that must be known before the content isn't passed on.
        visitor.send("1\r\nb\r\n0\r\nDigest: down\r\nContent-Type: x\r\n\r\n");
    });
    let proxy = Proxy::before(&[upstream.address]);
    let answer = proxy.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         1\r\na\r\n0\r\nDigest: up\r\nContent-Length: 9\r\n\r\n",
    );
    assert_eq!(body(&answer), "1\r\nb\r\n0\r\nDigest: down\r\n\r\n", "{answer}");
    upstream.end();
}

#[test]
fn interim_answers_pass_and_the_upstream_decides_about_100_continue() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        let head = visitor.head();
        assert!(head.contains("\r\nExpect: 100-continue\r\n"), "{head}");
        visitor.send("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(visitor.exactly(2), b"hi");
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        let head = visitor.head();
        assert!(head.contains("\r\nExpect: 100-continue\r\n"), "{head}");
        visitor.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
        visitor.expect_end();
    });
    let proxy = Proxy::before(&[upstream.address]);
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    let mut client = proxy.client();
    client.send(request);
    assert!(client.head().starts_with("HTTP/1.1 103 "));
    assert!(client.head().starts_with("HTTP/1.1 100 "));
    client.send("hi");
    assert!(client.until("ok").starts_with("HTTP/1.1 200 "));
    client.send(request);
    let refused = client.rest();
    assert!(refused.starts_with("HTTP/1.1 403 ") && refused.contains("Connection: close"));
    upstream.end();
}

#[test]
fn a_client_of_http_1_0_gets_what_it_understands() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        let head = visitor.head();
        assert!(head.starts_with("GET /a HTTP/1.1\r\nHost: 127.0.0.1:"), "{head}");
        assert!(head.contains("\r\nVia: 1.0 barewire\r\n"), "{head}");
        visitor.send("HTTP/1.1 103 Early Hints\r\n\r\n");
        visitor.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    });
    let proxy = Proxy::before(&[upstream.address]);
    let answer = proxy.ask("GET /a HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("Transfer-Encoding"));
    assert_eq!(body(&answer), "hi");
    upstream.end();
}

#[test]
fn pipelined_requests_are_answered_in_their_order_over_one_connection() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        for name in ["/a", "/b", "/c"] {
            assert!(visitor.head().starts_with(&format!("GET {name} ")));
            visitor.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{name}"));
        }
        visitor.expect_end();
    });
    let proxy = Proxy::with(&[upstream.address], &["--idle-timeout", "300"]);
    let mut client = proxy.client();
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    client.send("GET /c HTTP/1.1\r\nHost: a\r\n\r\n");
    for name in ["/a", "/b", "/c"] {
        assert!(client.until(name).starts_with("HTTP/1.1 200 "));
    }
    upstream.end();
}
