//! Upstreams that die, stall or talk nonsense at every point, and clients that leave.

use std::time::{Duration, Instant};

use super::harness::{Proxy, Upstream, body, get, nobody};

/// The answer to GET where the upstream sends this and then ends, by a FIN or by a reset.
fn after(sent: &'static str, resets: bool) -> (String, String) {
    let upstream = Upstream::new(move |visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send(sent);
        if resets {
            // What was sent has to be there before the reset.
            std::thread::sleep(Duration::from_millis(100));
            visitor.reset();
        }
    });
    let proxy = Proxy::before(&[upstream.address]);
    let answer = proxy.ask(&get("/"));
    upstream.end();
    (answer, proxy.log_line())
}

#[test]
fn an_upstream_that_dies_before_its_head_is_complete_is_a_502() {
    for sent in ["", "H", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 103 Early Hints\r\n\r\n"] {
        for resets in [false, true] {
            let (answer, log) = after(sent, resets);
            let last = answer.rfind("HTTP/1.1 502 Bad Gateway\r\n");
            assert!(last.is_some(), "{sent:?} {resets}: {answer}");
            assert!(log.contains("\" 502 0 ") && log.ends_with(" upstream-lost"), "{log}");
        }
    }
}

#[test]
fn an_answer_that_breaks_off_never_looks_complete() {
    for sent in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        for resets in [false, true] {
            let (answer, log) = after(sent, resets);
            assert!(body(&answer).len() < 10 + "5\r\n\r\n".len(), "{sent:?}: {answer}");
            assert!(!answer.ends_with("0\r\n\r\n"), "{sent:?} {resets}: {answer}");
            assert!(log.contains("\" 200 ") && log.ends_with(" upstream-lost"), "{log}");
        }
    }
}

#[test]
fn an_answer_until_the_close_that_is_reset_never_looks_complete() {
    let (answer, _) = after("HTTP/1.1 200 OK\r\n\r\nhello", true);
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[test]
fn an_upstream_may_die_after_any_byte_of_its_answer() {
    const ANSWER: &str = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\
        Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n";
    let deaths = || (0..=ANSWER.len()).flat_map(|length| [(length, false), (length, true)]);
    let upstream = Upstream::new(move |visitors| {
        for (length, resets) in deaths() {
            let mut visitor = visitors.next();
            visitor.head();
            visitor.send(&ANSWER[..length]);
            if resets {
                visitor.reset();
            }
        }
    });
    let proxy = Proxy::before(&[upstream.address]);
    for (length, resets) in deaths() {
        let answer = proxy.ask(&get("/"));
        let is_whole = answer.ends_with("\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n");
        let is_refused = answer.contains("HTTP/1.1 502 ");
        let is_cut = answer.contains("HTTP/1.1 200 ") && !answer.contains("\r\n0\r\n");
        if length == ANSWER.len() {
            assert!(is_whole || resets, "{answer}");
        } else {
            assert!(is_refused || is_cut, "{length} {resets}: {answer}");
        }
    }
    upstream.end();
}

#[test]
fn an_upstream_may_die_after_any_byte_of_a_request() {
    // The head, as it is forwarded, has more than half as many.
    const BODY: usize = 300;
    let lengths = || 0..BODY * 3 / 2;
    let upstream = Upstream::new(move |visitors| {
        for length in lengths() {
            visitors.next().exactly(length);
        }
    });
    let proxy = Proxy::before(&[upstream.address]);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 300\r\n\r\n";
    let request = [head.as_bytes(), &[b'x'; BODY]].concat();
    for length in lengths() {
        let mut client = proxy.client();
        client.send(&request);
        let answer = client.rest();
        assert!(answer.starts_with("HTTP/1.1 502 "), "{length}: {answer}");
    }
    upstream.end();
}

#[test]
fn what_isnt_http_is_a_502() {
    let large = "HTTP/1.1 200 OK\r\nX: ".to_string() + &"x".repeat(20_000);
    let large: &'static str = Box::leak(large.into_boxed_str());
    for sent in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        large,
    ] {
        let (answer, log) = after(sent, false);
        assert!(answer.starts_with("HTTP/1.1 502 "), "{sent:?}: {answer}");
        assert!(log.ends_with(" malformed"), "{log}");
    }
}

#[test]
fn bytes_behind_an_answer_end_its_connection_and_reach_nobody() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
        visitor.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst{poison}"));
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond");
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.until("\r\n\r\nfirst");
    client.send(get("/"));
    assert_eq!(body(&client.rest()), "second");
    upstream.end();
}

#[test]
fn nobody_listening_is_a_502() {
    let proxy = Proxy::before(&[nobody()]);
    assert!(proxy.ask(&get("/")).starts_with("HTTP/1.1 502 "));
    assert!(proxy.log_line().ends_with(" - unreachable"));
    // With a body that nobody will take.
    let answer = proxy
        .ask("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
}

#[test]
fn an_upstream_that_never_answers_is_a_504() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.expect_end();
    });
    let proxy = Proxy::before(&[upstream.address]);
    let start = Instant::now();
    let answer = proxy.ask(&get("/"));
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    assert!((600..3000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert!(proxy.log_line().ends_with(" upstream-timeout"));
    upstream.end();
}

#[test]
#[cfg(target_os = "linux")]
fn an_upstream_that_takes_no_connection_is_a_504_unless_there_is_another() {
    let (crowded, _socket, _waiting) = super::harness::crowded();
    let proxy = Proxy::before(&[crowded]);
    let start = Instant::now();
    let answer = proxy.ask(&get("/"));
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    assert!((600..3000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert!(proxy.log_line().ends_with(" - unreachable"));
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        assert_eq!(visitor.exactly(2), b"hi");
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    let proxy = Proxy::before(&[crowded, upstream.address]);
    let request = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(body(&proxy.ask(request)), "ok");
    upstream.end();
}

#[test]
fn an_answer_that_stalls_is_cut() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        visitor.expect_end();
    });
    let proxy = Proxy::before(&[upstream.address]);
    assert_eq!(body(&proxy.ask(&get("/"))), "hello");
    assert!(proxy.log_line().ends_with(" upstream-timeout"));
    upstream.end();
}

#[test]
fn a_slow_answer_passes_as_long_as_it_moves() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
        for part in ["s", "l", "o", "w"] {
            std::thread::sleep(Duration::from_millis(300));
            visitor.send(part);
        }
    });
    let proxy = Proxy::before(&[upstream.address]);
    assert_eq!(body(&proxy.ask(&get("/"))), "slow");
    upstream.end();
}

#[test]
fn an_upstream_that_dies_in_the_middle_of_an_upload_is_a_502() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.exactly(3);
        visitor.reset();
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
    let answer = client.rest();
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    upstream.end();
}

#[test]
fn an_early_answer_reaches_a_client_that_still_sends() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
        // What had come of the body, and then the end.
        assert!(visitor.rest().len() <= 3);
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc");
    let answer = client.rest();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(body(&answer), "no");
    upstream.end();
}

#[test]
fn a_client_that_leaves_takes_its_upstream_connection_along() {
    let upstream = Upstream::new(|visitors| {
        // In the middle of its request.
        let mut visitor = visitors.next();
        visitor.head();
        assert_eq!(visitor.exactly(3), b"abc");
        visitor.expect_end();
        // While it waits for the answer.
        let mut visitor = visitors.next();
        visitor.head();
        visitor.expect_end();
        // In the middle of the answer.
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        let part = vec![b'x'; 64 * 1024];
        while std::io::Write::write(&mut visitor.0, &part).is_ok_and(|count| count > 0) {}
    });
    let proxy = Proxy::with(&[upstream.address], &["--answer-timeout", "30000"]);
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    std::thread::sleep(Duration::from_millis(100));
    client.reset();
    let line = proxy.log_line();
    assert!(line.ends_with(" client-gone"), "{line}");
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    std::thread::sleep(Duration::from_millis(100));
    client.reset();
    assert!(proxy.log_line().contains("\" 499 0 "));
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head();
    client.exactly(100_000);
    client.reset();
    let line = proxy.log_line();
    assert!(line.ends_with(" client-gone"), "{line}");
    upstream.end();
}

#[test]
fn a_client_that_closes_only_its_side_still_gets_its_answer() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        std::thread::sleep(Duration::from_millis(200));
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.shut();
    assert_eq!(body(&client.rest()), "hi");
    upstream.end();
}

#[test]
fn a_body_that_is_wrong_never_looks_complete_to_the_upstream() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.rest()
    });
    let proxy = Proxy::before(&[upstream.address]);
    let answer = proxy.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nnonsense\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(proxy.log_line().contains(" 400 0 "));
    assert_eq!(upstream.end(), "2\r\nab\r\n");
}
