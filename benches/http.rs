//! The HTTP API on the loopback: how many events it takes, and how many questions it answers.
//!
//! The server has threads of its own and the client one; both share the cores. Every event is durable before it is
//! answered, and every answer is looked at. `cargo bench --bench http -- --entries 1000000`.

mod generated;

#[path = "http/client.rs"]
mod client;
#[path = "http/seeded.rs"]
mod seeded;

use std::error::Error;

use peildatum::domain::source::Source;
use peildatum::http;

use client::{Load, Measured};
use generated::placements::Placements;
use generated::questions::Questions;
use generated::{LAST_DAY, SEED, day};
use seeded::{OIN, events};

/// Why a measurement failed.
pub type Failure = Box<dyn Error + Send + Sync>;

const BATCH: &str = "application/cloudevents-batch+json";
const EVENT: &str = "application/cloudevents+json";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().position(|it| it == name).map(|at| &arguments[at + 1]);
    let entries = after("--entries").map_or(Ok(1_000_000), |it| it.parse())?;
    println!("http: generating a ledger of {entries} placements");
    let folder = tempfile::TempDir::new()?;
    let server = seeded::server(folder.path(), entries)?;
    let served = http::serve(server, "127.0.0.1:0".parse()?)?;
    let feeder: Source = format!("urn:nld:oin:{OIN}:systeem:feeder").parse()?;
    let on = day(LAST_DAY);

    println!("{:<44} {:>12} {:>10} {:>10}", "", "a second", "median ms", "p99 ms");
    let batches = |turn: u64| -> Vec<Vec<u8>> {
        let mut placements = Placements::new(SEED ^ (turn << 32), 100_000).peekable();
        let mut bodies = Vec::new();
        while placements.peek().is_some() {
            let list: Vec<_> = events(&feeder, placements.by_ref().take(1_000)).collect();
            bodies.push(format!("[{}]", list.join(",")).into_bytes());
        }
        bodies
    };
    for senders in [1, 4] {
        let requests = client::posts("/v1/deliveries", BATCH, "feeder", batches(senders));
        let load = Load { connections: senders as usize, requests, times: 1, each: 1_000 };
        tell(&format!("batches of 1,000 events, {senders} senders"), load.run(served.address)?);
    }
    let singles: Vec<_> =
        events(&feeder, Placements::new(SEED ^ (9 << 32), 80_000)).map(String::into_bytes).collect();
    let requests = client::posts("/v1/events", EVENT, "feeder", singles);
    let load = Load { connections: 64, requests, times: 1, each: 1 };
    tell("single events, 64 connections", load.run(served.address)?);

    for role in ["reader", ""] {
        let ask = |path: &str| client::get(path, role);
        let who = if role.is_empty() { "nobody" } else { role };
        // Other municipalities and dates each time, with all that is known.
        let one = Questions::new(SEED, 0..=0).take(20_000).map(|(code, as_of)| {
            ask(&format!("/v1/statements/{code}?referenceDate={}", as_of.reference_date.0))
        });
        let one: Vec<_> = one.collect();
        let load = Load { connections: 64, requests: one, times: 10, each: 1 };
        tell(&format!("one statement, {who}, 64 connections"), load.run(served.address)?);
        let all = vec![ask(&format!("/v1/statements?by=municipality&referenceDate={on}"))];
        let load = Load { connections: 16, requests: all, times: 4_000, each: 1 };
        tell(&format!("all municipalities, {who}, 16 connections"), load.run(served.address)?);
    }
    Ok(served.stop()?)
}

fn tell(what: &str, measured: Measured) {
    let Measured { a_second, median, p99 } = measured;
    println!("{what:<44} {a_second:>12.0} {:>10.2} {:>10.2}", median * 1e3, p99 * 1e3);
}
