//! Many requests on one connection, in every way that their bytes can come.

use barewire::server::Config;

use super::harness::{get, post, start};

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let server = start(Config::default());
    let mut client = server.client();
    for number in 0..200 {
        let target = format!("/n/{number}");
        client.get(&target);
        assert_eq!(client.text(), target);
        client.post("/echo", target.as_bytes());
        assert_eq!(client.text(), target);
    }
    assert_eq!(server.stat("active"), 2);
    assert_eq!(server.stop().1.total_requests, 401);
}

#[test]
fn a_pipelined_batch_is_answered_in_order() {
    let server = start(Config::default());
    let mut client = server.client();
    let mut batch = Vec::new();
    for number in 0..500 {
        match number % 4 {
            0 => batch.extend(post("/echo", format!("/n/{number}").as_bytes())),
            1 => batch.extend(
                format!(
                    "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\
                     3\r\n/n/\r\n{:x}\r\n{number}\r\n0\r\n\r\n",
                    number.to_string().len()
                )
                .into_bytes(),
            ),
            _ => batch.extend(get(&format!("/n/{number}"))),
        }
    }
    client.send(batch);
    for number in 0..500 {
        assert_eq!(client.text(), format!("/n/{number}"));
    }
}

/// The budget of a turn may end between a head and the end of its empty body.
#[test]
fn a_pipelined_batch_of_empty_bodies_is_answered_whole() {
    let server = start(Config::default());
    for framing in ["Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"] {
        let mut client = server.client();
        client.send(format!("POST /length HTTP/1.1\r\nHost: t\r\n{framing}").repeat(200));
        for _ in 0..200 {
            assert_eq!(client.text(), "0");
        }
    }
}

#[test]
fn answers_of_all_sizes_keep_their_place_in_a_batch() {
    let server = start(Config::default());
    let mut client = server.client();
    let sizes = [0, 1, 100, 16_383, 16_384, 65_535, 65_536, 300_000, 5, 1_000_000, 7];
    client.send(sizes.iter().flat_map(|size| get(&format!("/big/{size}"))).collect::<Vec<_>>());
    for size in sizes {
        let answer = client.answer();
        assert!(answer.body == super::harness::pattern(size), "{size}");
    }
}

#[test]
fn a_client_that_sends_byte_by_byte_is_answered_as_any_other() {
    let server = start(Config::default());
    let mut client = server.client();
    let requests = [
        get("/slow"),
        post("/echo", b"hello"),
        b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\
          2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n"
            .to_vec(),
        get("/again"),
    ];
    for request in requests {
        for byte in request {
            client.send([byte]);
        }
    }
    for expected in ["/slow", "hello", "hello", "/again"] {
        assert_eq!(client.text(), expected);
    }
}

#[test]
fn a_head_in_two_writes_and_a_body_in_three_wait_for_each_other() {
    let server = start(Config::default());
    let mut client = server.client();
    let request = post("/echo", &vec![b'x'; 200_000]);
    for piece in [&request[..20], &request[20..100], &request[100..150_000], &request[150_000..]] {
        client.send(piece);
        assert!(server.client().is_silent(), "nobody else hears of it");
    }
    assert_eq!(client.answer().body.len(), 200_000);
}

#[test]
fn head_gets_the_head_alone() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send("HEAD /big/100000 HTTP/1.1\r\nHost: t\r\n\r\n");
    client.send("GET /close HTTP/1.1\r\nHost: t\r\n\r\n");
    let text = String::from_utf8(client.end()).expect("ASCII");
    let (first, second) = text.split_once("\r\n\r\n").expect("a head");
    assert!(first.contains("\r\nContent-Length: 100000") && first.contains("\r\nDate: "));
    assert!(second.starts_with("HTTP/1.1 200 OK\r\n") && second.ends_with("\r\n\r\nbye"));
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(client.answer().head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    assert_eq!(client.text(), "hello");
}

#[test]
fn http_1_0_closes_unless_it_asks_for_more() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.answer();
    assert!(answer.head.contains("\r\nConnection: keep-alive\r\n"), "{}", answer.head);
    client.send("GET /b HTTP/1.0\r\n\r\n");
    assert!(client.answer().says_close());
    assert_eq!(client.end(), b"");
}
