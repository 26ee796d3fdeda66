//! What is passed on, what ends here, and what is added.

use super::harness::{Proxy, Upstream};

/// The head that the upstream gets for this one, and the head that the client gets for that.
fn through(request: &str, answer: &'static str, options: &[&str]) -> (String, String) {
    let upstream = Upstream::new(move |visitors| {
        let mut visitor = visitors.next();
        let head = visitor.head();
        visitor.send(answer);
        head
    });
    let proxy = Proxy::with(&[upstream.address], options);
    let mut client = proxy.client();
    client.send(request);
    let answer = client.head();
    (upstream.end(), answer)
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn fields_of_one_hop_end_here_in_both_directions() {
    let (request, answer) = through(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-One, keep-alive\r\nConnection: x-two\r\n\
         X-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n\
         TE: trailers\r\nUpgrade: h2c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close, x-one\r\nX-One: 1\r\nX-Three: 3\r\n\
         Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
        &[],
    );
    for name in ["Connection", "X-One", "X-Two", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade"]
    {
        for head in [&request, &answer] {
            assert!(!head.contains(&format!("\r\n{name}: ")), "{name} in {head}");
        }
    }
    assert!(request.contains("\r\nX-Three: 3\r\n") && answer.contains("\r\nX-Three: 3\r\n"));
}

#[test]
fn end_to_end_fields_stay_in_their_order() {
    let (request, answer) = through(
        "GET /a?b HTTP/1.1\r\nhost: a:80\r\nCookie: 1\r\nx: caf\u{e9}\r\ncookie: 2\r\n\r\n",
        "HTTP/1.1 418 Short\r\nSet-Cookie: a\r\nServer: x\r\nset-cookie: b\r\n\
         Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
        &[],
    );
    assert!(request.starts_with("GET /a?b HTTP/1.1\r\nHost: a:80\r\nCookie: 1\r\n"), "{request}");
    assert!(request.contains("\r\nx: caf\u{e9}\r\ncookie: 2\r\n"), "{request}");
    assert!(answer.starts_with("HTTP/1.1 418 "), "{answer}");
    assert!(
        answer.contains("\r\nSet-Cookie: a\r\nServer: x\r\nset-cookie: b\r\nDate: Thu, 01 Jan")
    );
    assert_eq!(answer.matches("Date: ").count(), 1);
}

#[test]
fn via_and_the_forwarded_fields_are_added() {
    let (request, answer) = through(
        "GET / HTTP/1.1\r\nHost: a.test\r\nVia: 1.0 other\r\nForwarded: for=evil\r\n\
         X-Forwarded-For: evil\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /evil\r\n\r\n",
        "HTTP/1.0 204 No Content\r\n\r\n",
        &[],
    );
    for line in [
        "Forwarded: for=127.0.0.1;host=\"a.test\";proto=http",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: a.test",
        "X-Forwarded-Proto: http",
        "Via: 1.0 other",
        "Via: 1.1 barewire",
    ] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} isn't in {request}");
    }
    assert!(!request.contains("evil"), "a stranger's word is worth nothing: {request}");
    assert!(answer.contains("\r\nVia: 1.0 barewire\r\n"), "{answer}");
}

#[test]
fn a_trusted_client_s_forwarded_fields_are_added_to() {
    let (request, _) = through(
        "GET / HTTP/1.1\r\nHost: inner\r\nForwarded: for=192.0.2.1\r\nX-Forwarded-For: 192.0.2.1\r\n\
         X-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\n\r\n",
        OK,
        &["--trust-forwarded"],
    );
    let place = |line: &str| request.find(&format!("\r\n{line}\r\n")).expect(line);
    assert!(place("X-Forwarded-For: 192.0.2.1") < place("X-Forwarded-For: 127.0.0.1"));
    assert!(
        place("Forwarded: for=192.0.2.1")
            < place("Forwarded: for=127.0.0.1;host=\"inner\";proto=http")
    );
    place("X-Forwarded-Proto: https");
    place("X-Forwarded-Host: outer");
    assert_eq!(request.matches("X-Forwarded-Proto").count(), 1);
}

#[test]
fn an_absolute_target_becomes_host_and_path() {
    for (target, line) in [
        ("http://b.test:81/x?y", "GET /x?y HTTP/1.1\r\nHost: b.test:81\r\n"),
        ("http://b.test", "GET / HTTP/1.1\r\nHost: b.test\r\n"),
        ("http://b.test?y", "GET /?y HTTP/1.1\r\nHost: b.test\r\n"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n");
        let (request, _) = through(&request, OK, &[]);
        assert!(request.starts_with(line), "{request}");
        assert_eq!(request.matches("\r\nHost: ").count(), 1);
    }
    let (request, _) = through("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", OK, &[]);
    assert!(request.starts_with("OPTIONS * HTTP/1.1\r\n"), "{request}");
    let (request, _) = through("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", OK, &[]);
    assert!(request.starts_with("OPTIONS * HTTP/1.1\r\nHost: b\r\n"), "{request}");
}

#[test]
fn max_forwards_counts_down_and_ends_here() {
    let (request, _) = through("OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n", OK, &[]);
    assert!(request.contains("\r\nMax-Forwards: 2\r\n"), "{request}");
    let (request, _) = through("GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n", OK, &[]);
    assert!(request.contains("\r\nMax-Forwards: 3\r\n"), "it is for TRACE and OPTIONS: {request}");
    let upstream =
        Upstream::new(|visitors| visitors.comes_another(std::time::Duration::from_millis(300)));
    let proxy = Proxy::before(&[upstream.address]);
    let answer = proxy.ask("OPTIONS / HTTP/1.0\r\nMax-Forwards: 0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    let answer = proxy.ask("TRACE / HTTP/1.0\r\nMax-Forwards: 0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(!upstream.end());
}
