//! `peildatum serve` as a program: started, fed, killed, started again, and asked to stop.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::feeders::{each_once, feed, lines, one, placement};
use crate::program::Desk;
use crate::served::{Request, example, make_tokens, send};

/// A server that runs, and where it answers.
pub struct Serving {
    pub child: Child,
    pub address: SocketAddr,
}

/// Starts a server over a ledger and waits until it answers.
pub fn start(ledger: &Path) -> Serving {
    let mut child = Command::new(env!("CARGO_BIN_EXE_peildatum"))
        .args(["serve", "--address", "127.0.0.1:0", "--log", "json", "--log-level", "debug", "--ledger"])
        .arg(ledger)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").expect("it says where it answers").parse().unwrap();
    // Nobody reads the log, and a full pipe would hold the server up.
    let log = child.stderr.take().unwrap();
    thread::spawn(move || BufReader::new(log).lines().for_each(drop));
    Serving { child, address }
}

impl Serving {
    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

fn begun() -> (Desk, Serving) {
    let folder = Desk::with_ledger();
    make_tokens(&folder.ledger());
    let serving = start(&folder.ledger());
    let request = Request::post("/v1/deliveries", "text/csv", example("municipalities.csv"));
    send(serving.address, &request.in_role("decision_maker")).unwrap();
    (folder, serving)
}

#[test]
fn a_server_that_is_killed_while_many_feed_it_has_lost_nothing_and_repeats_nothing() {
    let (folder, serving) = begun();
    let address = Arc::new(Mutex::new(Some(serving.address)));
    let (tell, acknowledged) = channel();
    let feeders: Vec<_> = (0..64)
        .map(|client| {
            let (address, tell) = (Arc::clone(&address), tell.clone());
            thread::spawn(move || {
                let mut told = |_: &_| tell.send(()).unwrap_or_default();
                feed(client, 8, &mut told, &|| *address.lock().unwrap())
            })
        })
        .collect();
    let mut serving = serving;
    for more in [60, 140, 120] {
        assert_eq!(acknowledged.iter().take(more).count(), more);
        serving.child.kill().unwrap();
        serving.child.wait().unwrap();
        serving = start(&folder.ledger());
        *address.lock().unwrap() = Some(serving.address);
    }
    let receipts: Vec<_> = feeders.into_iter().flat_map(|it| it.join().unwrap()).collect();
    serving.stop();
    each_once(&receipts, &lines(&folder.ledger()));
    folder.run("verify").expect(0);
}

#[test]
fn a_server_that_is_asked_to_stop_has_everything_on_disk_that_it_acknowledged() {
    let (folder, serving) = begun();
    let address = Arc::new(Mutex::new(Some(serving.address)));
    let (tell, acknowledged) = channel();
    let feeders: Vec<_> = (0..8)
        .map(|client| {
            let (address, tell) = (Arc::clone(&address), tell.clone());
            thread::spawn(move || {
                let mut told = |_: &_| tell.send(()).unwrap_or_default();
                feed(client, u64::MAX, &mut told, &|| *address.lock().unwrap())
            })
        })
        .collect();
    assert_eq!(acknowledged.iter().take(100).count(), 100);
    let asked = Command::new("kill").args(["-TERM", &serving.child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let mut child = serving.child;
    assert_eq!(child.wait().unwrap().code(), Some(0));
    *address.lock().unwrap() = None;
    let receipts: Vec<_> = feeders.into_iter().flat_map(|it| it.join().unwrap()).collect();
    each_once(&receipts, &lines(&folder.ledger()));
}

#[test]
fn a_server_says_what_is_wrong_before_it_serves() {
    let folder = Desk::new();
    folder.run("serve --address 127.0.0.1:0").expect(2).says("there is no ledger");
    let folder = Desk::with_ledger();
    folder.run("serve --address 0.0.0.0:0").expect(64).says("--behind-proxy");
    folder.run("serve --address here").expect(64);
    make_tokens(&folder.ledger());
    let serving = start(&folder.ledger());
    folder.run("serve --address 127.0.0.1:0").expect(2).says("in use by another process");
    let taken = serving.address.to_string();
    let other = Desk::with_ledger();
    other.run(&format!("serve --address {taken}")).expect(2).says("give another --address");
    assert_eq!(send(serving.address, &one(&placement(1, "GM0599"))).unwrap().status, 201);
    serving.stop();
}
