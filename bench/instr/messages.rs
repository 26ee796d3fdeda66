//! The messages that the cases share.

/// What a small client sends.
pub(crate) const SMALL: &[u8] =
    b"GET /users/42 HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";

/// What a browser sends: 12 fields.
pub(crate) const BROWSER: &[u8] = b"GET /search?q=barewire&page=2 HTTP/1.1\r\n\
    Host: www.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.com/\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Priority: u=0, i\r\n\r\n";

/// The fields of the usual answer.
pub(crate) const JSON_FIELDS: [(&[u8], &[u8]); 1] = [(b"Content-Type", b"application/json")];

pub(crate) const JSON: &[u8] = br#"{"hello":"world"}"#;

/// A field like that of a reactor's clock.
pub(crate) const DATE: &[u8] = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

/// A GET with this many fields.
pub(crate) fn with_fields(count: usize) -> Vec<u8> {
    let mut head = b"GET / HTTP/1.1\r\nHost: localhost:3000\r\n".to_vec();
    for field in 1..count {
        head.extend_from_slice(format!("X-Field-{field:03}: value {field:03}\r\n").as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// A POST with a body of this many bytes.
pub(crate) fn post(length: usize) -> Vec<u8> {
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: localhost:3000\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), &vec![b'x'; length]].concat()
}
