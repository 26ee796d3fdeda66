//! The examples of the crate, run as a user runs them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A program that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Cargo builds the examples beside the tests.
fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a test has a path");
    path.pop();
    path.pop();
    path.join("examples").join(name)
}

fn ask(address: &str, request: &str) -> String {
    let mut client = TcpStream::connect(address).expect("it listens");
    client.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("answered and closed");
    answer
}

#[test]
fn hello_prints_its_address_and_answers() {
    let program = Command::new(example("hello")).env("PORT", "0").stdout(Stdio::piped()).spawn();
    let mut running = Running(program.expect("built with the tests"));
    let mut line = String::new();
    // Held open: it may print more than that line.
    let mut output = BufReader::new(running.0.stdout.take().expect("piped"));
    output.read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("Listening on http://").expect("its address");

    let answer = ask(address, "GET / HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n{\"hello\":\"world\"}"), "{answer}");
    let answer = ask(address, "POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc");
    assert!(answer.ends_with("\r\n\r\nabc"), "{answer}");
    assert!(ask(address, "GET /x HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404 "));
}
