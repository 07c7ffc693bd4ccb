//! Those who deliver to a server in tests: what they send, how often, and what they hold against the log.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use peildatum::domain::event::Entry;
use peildatum::domain::time::{LogSize, Position};
use peildatum::ledger::{Ledger, Outside};
use peildatum::proof::merkle::leaf_hash;
use peildatum::store::Access;
use serde_json::{Value, json};

use crate::served::{OWN, Request, send};

pub const EVENT: &str = "application/cloudevents+json";
pub const BATCH: &str = "application/cloudevents-batch+json";

/// A placement as an event: the same for the same number.
pub fn placement(number: u64, municipality: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": format!("019c8a10-4c00-7b62-9e38-{number:012x}"),
        "source": format!("urn:nld:oin:{OWN}:systeem:feeder"),
        "type": "nl.huisvesting-statushouders.placements.recorded.v1",
        "data": {
            "placement": format!("4c1b7a50-2f0e-4d83-9a6c-{number:012x}"),
            "municipality": municipality,
            "countsFrom": "2026-02-16",
            "kind": "regular",
            "persons": 1,
        },
    })
}

pub fn with(mut event: Value, field: &str, value: Value) -> Value {
    event[field] = value;
    event
}

pub fn one(event: &Value) -> Request {
    Request::post("/v1/events", EVENT, event.to_string()).in_role("feeder")
}

pub fn many(events: &[Value]) -> Request {
    Request::post("/v1/deliveries", BATCH, Value::from(events.to_vec()).to_string()).in_role("feeder")
}

/// Every stored line of a ledger that nobody has open.
pub fn lines(folder: &Path) -> Vec<Vec<u8>> {
    let (ledger, _) = Ledger::open(folder, Access::MustExist, Outside::machine(), &mut |_| {}).unwrap();
    let mut lines = Vec::new();
    let collect = &mut |_: u64, line: &[u8]| {
        lines.push(line.to_vec());
        Ok(())
    };
    ledger.lines(Position(0), LogSize(ledger.size().0), collect).unwrap();
    lines
}

/// Holds what receipts say was recorded or known against the log.
pub fn agree_with_the_log(receipts: &[Value], lines: &[Vec<u8>]) {
    for receipt in receipts {
        for row in receipt["rows"].as_array().unwrap() {
            let Some(position) = row["position"].as_u64() else { continue };
            let line = &lines[position as usize];
            assert_eq!(row["leafHash"], leaf_hash(line).to_string());
            let entry = Entry::decode(line).unwrap();
            let delivery = if row["outcome"] == "recorded" { &receipt["delivery"] } else { &row["delivery"] };
            assert_eq!(*delivery, entry.delivery.to_string());
            if let Some(id) = row["id"].as_str() {
                assert_eq!(id, entry.id.to_string());
            }
        }
    }
}

/// A small generator, so that a run can be repeated.
struct Drawn(u64);

impl Drawn {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What one client sends, some of it twice and some of it over a connection that is cut; and the receipts that it got. Where
/// the server is gone it asks `address` again until there is one, or nothing more is to be sent.
pub fn feed(
    client: u64,
    rounds: u64,
    receipt: &mut dyn FnMut(&Value),
    address: &dyn Fn() -> Option<SocketAddr>,
) -> Vec<Value> {
    let mut drawn = Drawn(client);
    let mut receipts = Vec::new();
    for _ in 0..rounds {
        // Numbers overlap with those of other clients.
        let events: Vec<_> = (0..=drawn.below(6)).map(|_| placement(drawn.below(400), "GM0599")).collect();
        let key = format!("0b1f6a52-9f43-4f0e-{:04x}-{:012x}", 0x8000 + client, drawn.below(1 << 40));
        let request = match events.len() {
            1 => one(&events[0]),
            _ => many(&events).header("idempotency-key", &key),
        };
        let cut = (drawn.below(4) == 0).then(|| drawn.below(request.bytes().len() as u64) as usize);
        let times = if drawn.below(3) == 0 { 2 } else { 1 };
        // Cut before the answer, at any byte, and then sent again.
        if let (Some(cut), Some(address)) = (cut, address())
            && let Ok(mut stream) = TcpStream::connect(address)
        {
            let _ = stream.write_all(&request.bytes()[..cut]);
        }
        for _ in 0..times {
            loop {
                let Some(address) = address() else { return receipts };
                match send(address, &request) {
                    Ok(answer) if answer.status < 300 => {
                        receipt(&answer.json());
                        receipts.push(answer.json());
                        break;
                    }
                    Ok(answer) if answer.status == 503 => {}
                    Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
                    // The server is gone, or closed the connection: what became of it is found out by sending it again.
                    Err(_) => {}
                }
            }
        }
    }
    receipts
}

/// Every event that a receipt names is in the log once, where the receipt says.
pub fn each_once(receipts: &[Value], lines: &[Vec<u8>]) {
    agree_with_the_log(receipts, lines);
    let mut ids = BTreeMap::new();
    for line in lines {
        let entry = Entry::decode(line).unwrap();
        *ids.entry(entry.id).or_insert(0) += 1;
    }
    assert!(ids.values().all(|times| *times == 1));
    let rows = receipts.iter().flat_map(|receipt| receipt["rows"].as_array().unwrap());
    assert!(rows.filter(|row| row["outcome"] == "recorded").count() > 0);
}
