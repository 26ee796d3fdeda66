//! A process without descriptors left: accepting pauses, nothing spins, nobody dies.
//!
//! The server runs in a child process, which is this test binary again, under a low limit.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use barewire::server::{Config, Server};

use super::harness::{Client, Desk, PATIENCE, listen};

const ROLE: &str = "BAREWIRE_TEST_CHILD";
const DESCRIPTORS: usize = 32;

/// Not a test of its own: the child's part, which ends when its parent does.
#[test]
fn child() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let mut server = Server::new(Config::default(), Desk::new().0).expect("a server");
    println!("\nlistening {}", listen(&mut server));
    let begun = Instant::now();
    while begun.elapsed() < 3 * PATIENCE {
        server.turn(Some(PATIENCE)).expect("the poll works");
    }
}

struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Guard {
    /// Processor time that the child has used, in milliseconds.
    #[cfg(target_os = "linux")]
    fn busy_ms(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("alive");
        let rest = stat.rsplit(')').next().unwrap_or_default();
        let numbers: Vec<u64> =
            rest.split_whitespace().map(|text| text.parse().unwrap_or(0)).collect();
        // utime and stime, in ticks of 10 ms; proc(5) counts from 1 and two are before the name.
        (numbers[11] + numbers[12]) * 10
    }

    #[cfg(not(target_os = "linux"))]
    fn busy_ms(&self) -> u64 {
        0
    }
}

fn spawn() -> (Guard, SocketAddr) {
    let this = std::env::current_exe().expect("a path");
    let script =
        format!("ulimit -n {DESCRIPTORS} && exec \"$0\" --exact descriptors::child --nocapture");
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .arg(this)
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let address = output.lines().map_while(Result::ok).find_map(|line| {
        line.strip_prefix("listening ").map(|text| text.parse().expect("an address"))
    });
    (Guard(child), address.expect("the child listens"))
}

#[test]
fn without_descriptors_clients_wait_and_the_server_sleeps() {
    let (child, address) = spawn();
    let mut clients: Vec<Client> = (0..DESCRIPTORS + 20)
        .map(|number| {
            let mut client = Client::new(TcpStream::connect(address).expect("the kernel's queue"));
            client.get(&format!("/{number}"));
            client
        })
        .collect();
    assert_eq!(clients[0].text(), "/0");
    assert!(clients.last_mut().expect("many").is_silent(), "the limit was reached");

    let before = child.busy_ms();
    std::thread::sleep(Duration::from_millis(600));
    let busy = child.busy_ms() - before;
    assert!(busy < 150, "{busy} ms of 600 were busy");
    clients[0].get("/still");
    assert_eq!(clients[0].text(), "/still", "those inside are served meanwhile");

    // One after the other makes room for the next.
    for (number, mut client) in clients.into_iter().enumerate().skip(1) {
        assert_eq!(client.text(), format!("/{number}"));
    }
}
