//! What organisations deliver to a running server: outcomes, receipts, quarantine, gaps, and many at once.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::sync::{Arc, RwLock};
use std::thread;

use peildatum::domain::event::Entry;
use peildatum::feed::acknowledged::Acknowledged;
use peildatum::feed::cloudevent;
use peildatum::feed::intake::{Desk, Intake, NotTaken, Offer, Watching};
use peildatum::http::Limits;
use peildatum::ledger::{Ledger, Outside};
use peildatum::store::Access;
use serde_json::{Value, json};

use crate::feeders::{EVENT, agree_with_the_log, each_once, feed, lines, many, one, placement, with};
use crate::served::{OTHER, OWN, Request, Running, example, send};

/// A server that knows the municipalities of the examples.
fn begun() -> Running {
    let running = Running::start();
    let request = Request::post("/v1/deliveries", "text/csv", example("municipalities.csv"));
    running.ask(&request.in_role("decision_maker")).expect(200);
    running
}

#[test]
fn an_event_is_recorded_once_and_its_receipt_is_given_again() {
    let running = begun();
    let event = placement(1, "GM0599");
    let first = running.ask(&one(&event)).expect(201);
    let receipt = first.json();
    assert_eq!(receipt["rows"][0]["outcome"], "recorded");
    let location = first.header("location").unwrap().to_owned();
    let again = running.ask(&one(&event)).expect(200);
    assert_eq!(again.json()["rows"][0]["outcome"], "known_already");
    assert_eq!(again.json()["rows"][0]["position"], receipt["rows"][0]["position"]);
    assert_eq!(again.json()["rows"][0]["leafHash"], receipt["rows"][0]["leafHash"]);
    assert_eq!(again.header("location"), Some(&*location));

    let told = running.ask(&Request::get(&location).in_role("feeder")).expect(200).json();
    assert_eq!((&told["rows"], &told["delivery"]), (&receipt["rows"], &receipt["delivery"]));
    running.ask(&Request::get(&location).in_role("auditor")).expect(200);

    // Another organisation learns nothing: what is there and what never was get the same answer.
    let never = "/v1/deliveries/019c8a10-4c00-7b62-9e38-ffffffffffff";
    let others = running.ask(&Request::get(&location).in_role("other")).expect(403);
    assert_eq!(others.body, running.ask(&Request::get(never).in_role("other")).expect(403).body);

    let binary = ["specversion", "id", "source", "type"].iter().fold(
        Request::post("/v1/events", "application/json", event["data"].to_string()).in_role("feeder"),
        |request, name| request.header(&format!("ce-{name}"), event[name].as_str().unwrap()),
    );
    assert_eq!(running.ask(&binary).expect(200).json()["rows"][0]["outcome"], "known_already");

    let other = with(event, "data", placement(2, "GM0599")["data"].clone());
    let conflict = running.ask(&one(&other)).expect(409).json();
    assert_eq!(conflict["faults"][0]["code"], "event-id-in-use");
    agree_with_the_log(&[receipt, again.json()], &lines(running.stop().path()));
}

#[test]
fn a_delivery_with_a_key_is_answered_with_the_same_receipt() {
    let running = begun();
    let events = [placement(1, "GM0599"), placement(2, "GM9999"), placement(1, "GM0599"), json!(7)];
    let key = "0b1f6a52-9f43-4f0e-8a55-3f6f0d0c5b11";
    let request = many(&events).header("idempotency-key", key);
    let first = running.ask(&request).expect(200);
    let receipt = first.json();
    let outcomes: Vec<_> = receipt["rows"].as_array().unwrap().iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["recorded", "refused", "known_already", "refused"]);
    assert_eq!(
        receipt["totals"],
        json!({"rows": 4, "recorded": 1, "knownAlready": 1, "conflict": 0, "refused": 2})
    );

    let again = running.ask(&request).expect(200);
    assert_eq!(again.json(), receipt);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = many(&events[..1]).header("idempotency-key", key);
    assert_eq!(running.ask(&other).expect(409).json()["code"], "idempotency-key-in-use");

    let listed =
        running.ask(&Request::get(&format!("/v1/deliveries?idempotencyKey={key}")).in_role("feeder"));
    let listed = listed.expect(200).json();
    assert_eq!(listed["deliveries"][0]["delivery"], receipt["delivery"]);
    let delivery = receipt["delivery"].as_str().unwrap();
    let told =
        running.ask(&Request::get(&format!("/v1/deliveries/{delivery}")).in_role("feeder")).expect(200);
    assert_eq!(told.json(), receipt);

    // Also after the server was started anew, and the key of one organisation is not that of another.
    let others = running.ask(&Request::get(&format!("/v1/deliveries?idempotencyKey={key}")).in_role("other"));
    assert_eq!(others.expect(200).json()["total"], 0);
    let running = Running::over(running.stop());
    assert_eq!(running.ask(&request).expect(200).json(), receipt);
}

#[test]
fn what_is_refused_waits_until_it_is_mended_or_withdrawn() {
    let running = begun();
    let refused = running.ask(&one(&placement(1, "GM9999"))).expect(400).json();
    assert_eq!(refused["faults"][0]["code"], "unknown-municipality");
    let waits = refused["quarantine"].as_str().unwrap().to_owned();
    let path = format!("/v1/quarantine/{waits}");
    let listed = running.ask(&Request::get("/v1/quarantine").in_role("feeder")).expect(200).json();
    assert_eq!(listed["total"], 1);
    assert_eq!(listed["quarantine"][0]["id"], waits);
    assert_eq!(listed["quarantine"][0]["content"]["event"], placement(1, "GM9999"));

    // Nobody else sees it, mends it or takes it away.
    let put = |event: &Value| Request::post(&path, EVENT, event.to_string()).method("PUT");
    for request in [Request::get(&path), put(&placement(1, "GM0599")), Request::new("DELETE", &path)] {
        running.ask(&request.in_role("other")).expect(403);
    }
    assert_eq!(running.ask(&Request::get("/v1/quarantine").in_role("other")).json()["total"], 0);

    // Mended in the wrong way it stays, with the new reason.
    let still = running.ask(&put(&placement(1, "GM8888")).in_role("feeder")).expect(200).json();
    assert_eq!(still["rows"][0]["quarantine"], waits);
    let told = running.ask(&Request::get(&path).in_role("feeder")).expect(200).json();
    assert_eq!(told["content"]["event"]["data"]["municipality"], "GM8888");
    let mended = running.ask(&put(&placement(1, "GM0599")).in_role("feeder")).expect(200).json();
    assert_eq!(mended["rows"][0]["outcome"], "recorded");
    running.ask(&Request::get(&path).in_role("feeder")).expect(403);

    // A row of a file waits below its header, and what is withdrawn is on no disk any more.
    let row = "placement,municipality,counts_from,kind,persons\n4c1b7a50-2f0e-4d83-9a6c-51d2e8f7b302,GM7777,2026-02-16,regular,1\n";
    let request = Request::post("/v1/deliveries", "text/csv", row).in_role("feeder");
    let refused = running.ask(&request).expect(200).json();
    let waits = refused["rows"][0]["quarantine"].as_str().unwrap().to_owned();
    let told = running.ask(&Request::get(&format!("/v1/quarantine/{waits}")).in_role("feeder")).expect(200);
    assert_eq!(told.json()["content"]["csv"], row);
    running.ask(&Request::new("DELETE", &format!("/v1/quarantine/{waits}")).in_role("feeder")).expect(204);
    running.ask(&Request::new("DELETE", &format!("/v1/quarantine/{waits}")).in_role("feeder")).expect(403);
    let kept = std::fs::read(running.path().join("intake/quarantine")).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("GM7777"));
}

#[test]
fn numbers_that_a_source_skipped_are_reported_until_they_come() {
    let running = begun();
    let numbered = |number: u64| with(placement(number, "GM0599"), "sequence", json!(number.to_string()));
    let gaps = |receipt: Value| -> Vec<(u64, u64)> {
        let gaps = receipt["gaps"].as_array().unwrap().iter();
        gaps.map(|gap| (gap["from"].as_u64().unwrap(), gap["to"].as_u64().unwrap())).collect()
    };
    assert_eq!(gaps(running.ask(&one(&numbered(5))).expect(201).json()), []);
    assert_eq!(gaps(running.ask(&one(&numbered(6))).expect(201).json()), []);
    assert_eq!(gaps(running.ask(&one(&numbered(10))).expect(201).json()), [(7, 9)]);
    assert_eq!(
        gaps(running.ask(&many(&[numbered(8), numbered(20)])).expect(200).json()),
        [(7, 7), (9, 9), (11, 19)]
    );
    // One that is refused has come too.
    let refused = with(placement(7, "GM9999"), "sequence", json!("7"));
    running.ask(&one(&refused)).expect(400);
    let running = Running::over(running.stop());
    let sources = running.ask(&Request::get("/v1/sources").in_role("feeder")).expect(200).json();
    let own = sources["sources"].as_array().unwrap();
    let own = own.iter().find(|it| it["highestSequence"] == 20).expect("the numbered source");
    assert_eq!(own["gaps"].as_array().unwrap().len(), 2);
    assert_eq!(running.ask(&Request::get("/v1/sources").in_role("other")).json()["sources"], json!([]));
    let wrong = with(placement(30, "GM0599"), "sequence", json!("7a"));
    assert_eq!(running.ask(&one(&wrong)).expect(400).json()["faults"][0]["field"], "sequence");
}

#[test]
fn nobody_speaks_for_another_organisation_or_beyond_its_role() {
    let running = begun();
    let foreign =
        with(placement(1, "GM0599"), "source", json!(format!("urn:nld:oin:{OTHER}:systeem:feeder")));
    let short = with(placement(1, "GM0599"), "source", json!("coa"));
    for event in [foreign, short] {
        assert_eq!(running.ask(&one(&event)).expect(403).json()["code"], "not-allowed");
        // One such row is enough for nothing to be recorded.
        running.ask(&many(&[placement(2, "GM0599"), event])).expect(403);
    }
    for role in ["decision_maker", "province", "municipality"] {
        let request = Request::post("/v1/events", EVENT, placement(1, "GM0599").to_string());
        running.ask(&request.in_role(role)).expect(403);
    }
    for role in ["reader", "auditor", "operator"] {
        let request = Request::post("/v1/events", EVENT, "{");
        running.ask(&request.in_role(role)).expect(403);
    }
    running.ask(&Request::post("/v1/events", EVENT, placement(1, "GM0599").to_string())).expect(401);
    let municipalities = Request::post("/v1/deliveries", "text/csv", example("municipalities.csv"));
    running.ask(&municipalities.in_role("feeder")).expect(403);
    let objection = |municipality: &str| {
        json!({
            "specversion": "1.0",
            "id": "019cb6a0-8800-7c31-9d52-0a4e6b8f2c70",
            "source": format!("urn:nld:oin:{OWN}:systeem:municipality"),
            "type": "nl.huisvesting-statushouders.objections.recorded.v1",
            "data": {
                "objection": "019cb6a0-8800-7c31-9d52-0a4e6b8f2c71",
                "municipality": municipality,
                "contests": { "what": "placement", "placement": "4c1b7a50-2f0e-4d83-9a6c-000000000001" },
                "ground": "other_date",
                "raisedOn": "2026-03-30",
                "reference": "Example",
            },
        })
    };
    let object = |role: &str, municipality: &str| {
        let request = Request::post("/v1/events", EVENT, objection(municipality).to_string());
        running.ask(&request.in_role(role)).status
    };
    running.ask(&one(&placement(1, "GM0599"))).expect(201);
    assert_eq!(object("municipality", "GM0344"), 403);
    assert_eq!(object("province", "GM0344"), 403);
    assert_eq!(object("municipality", "GM0599"), 201);
    assert_eq!(object("province", "GM0599"), 200);
}

#[test]
fn sixty_four_feeders_at_once_bring_each_event_exactly_once() {
    let running = begun();
    let address = running.address;
    let feeders: Vec<_> = (0..64)
        .map(|client| thread::spawn(move || feed(client, 6, &mut |_| {}, &|| Some(address))))
        .collect();
    let receipts: Vec<_> = feeders.into_iter().flat_map(|it| it.join().unwrap()).collect();
    let folder = running.stop();
    let lines = lines(folder.path());
    each_once(&receipts, &lines);
    // Whatever was acknowledged is there: all that any receipt names, and nothing but what was sent.
    let named: BTreeSet<_> = receipts
        .iter()
        .flat_map(|it| it["rows"].as_array().unwrap())
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    let there: BTreeSet<_> =
        lines.iter().map(|line| Entry::decode(line).unwrap()).map(|it| it.id.to_string()).collect();
    assert!(named.is_subset(&there), "{} named, {} there", named.len(), there.len());
}

#[test]
fn where_there_is_no_room_a_sender_is_told_at_once_to_come_later() {
    // A server that holds a kilobyte of bodies at a time.
    let running = Running::with(Limits { bodies: 1_024, ..Limits::default() });
    let events: Vec<_> = (0..20).map(|number| placement(number, "GM0599")).collect();
    let answer = running.ask(&many(&events)).expect(503);
    assert_eq!((answer.header("retry-after"), &answer.json()["code"]), (Some("1"), &json!("busy")));
    running.ask(&one(&events[0])).expect(400);

    // An intake that cannot go on, since somebody has the ledger: the queue has an end.
    let folder = tempfile::TempDir::new().unwrap();
    let (ledger, _) =
        Ledger::open(folder.path(), Access::CreateIfAbsent, Outside::machine(), &mut |_| {}).unwrap();
    let ledger = Arc::new(RwLock::new(ledger));
    let (desk, _) = Desk::open(folder.path()).unwrap();
    let intake = Intake::start(Arc::clone(&ledger), desk, Arc::new(Nobody));
    let (tell, told) = channel();
    let offer = || {
        let tell = tell.clone();
        let offer = Offer {
            owner: OWN.parse().unwrap(),
            delivered_by: format!("urn:nld:oin:{OWN}:systeem:feeder").parse().unwrap(),
            parcels: vec![cloudevent::event(1, &placement(1, "GM0599").to_string())],
            header: None,
            key: None,
            keep: false,
            mends: None,
        };
        intake.offer(offer, Box::new(move |outcome| drop(tell.send(outcome.map(|_| ())))));
    };
    let held = ledger.read().unwrap();
    let mut refused = 0;
    let offered = 10_000;
    for _ in 0..offered {
        offer();
        if let Ok(outcome) = told.try_recv() {
            assert!(matches!(outcome, Err(NotTaken::Busy)), "{outcome:?}");
            refused += 1;
        }
    }
    assert!(refused > 1_000 && intake.waiting() < 1_000, "{refused} refused, {} wait", intake.waiting());
    // Whoever was not refused is answered as soon as it goes on, and so is everybody when it stops.
    drop(held);
    intake.stop();
    assert_eq!(told.try_iter().filter(Result::is_ok).count() + refused, offered);
    offer();
    assert!(matches!(told.recv().unwrap(), Err(NotTaken::Stopping)));
}

/// Nobody watches.
struct Nobody;

impl Watching for Nobody {
    fn appended(&self, _: u64, _: f64) {}
    fn acknowledged(&self, _: &Acknowledged) {}
    fn broken(&self, why: &str) {
        panic!("{why}");
    }
}

#[test]
fn the_same_delivery_sent_many_times_at_once_gets_one_receipt() {
    let running = begun();
    let address = running.address;
    let events: Vec<_> = (0..50).map(|number| placement(number, "GM0599")).collect();
    let request = many(&events).header("idempotency-key", "0b1f6a52-9f43-4f0e-8a55-3f6f0d0c5b22");
    let senders: Vec<_> = (0..16)
        .map(|_| {
            let request = request.clone();
            thread::spawn(move || send(address, &request).unwrap().expect(200))
        })
        .collect();
    let answers: Vec<_> = senders.into_iter().map(|it| it.join().unwrap()).collect();
    assert!(answers.iter().all(|it| it.json() == answers[0].json()));
    assert_eq!(answers.iter().filter(|it| it.header("idempotency-replayed").is_none()).count(), 1);
    assert_eq!(answers[0].json()["totals"]["recorded"], 50);
}

#[test]
fn what_is_too_long_is_told_so() {
    let running = Running::with(Limits { body: 10_000, rows: 3, ..Limits::default() });
    let told = |request: &Request, status: u16, code: &str| {
        let answer = running.ask(request).expect(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["code"], code);
    };
    told(&Request::get(&format!("/v1/sources?{}", "a".repeat(9_000))), 414, "address-too-long");
    told(&Request::get("/v1/sources").header("x-note", &"a".repeat(40_000)), 431, "headers-too-large");
    let headers =
        (0..100).fold(Request::get("/v1/sources"), |it, at| it.header(&format!("x-note-{at}"), "a"));
    told(&headers, 431, "headers-too-large");
    let events: Vec<_> = (0..4).map(|number| placement(number, "GM0599")).collect();
    told(&many(&events), 413, "too-many-rows");
    let large = Request::post("/v1/events", EVENT, "x".repeat(10_001)).in_role("feeder");
    told(&large, 413, "too-large");
    let compressed =
        Request::post("/v1/events", EVENT, "x").in_role("feeder").header("content-encoding", "gzip");
    told(&compressed, 415, "compressed");
    // Also where it does not say how long it is.
    let chunked =
        Request::post("/v1/events", EVENT, "").in_role("feeder").header("transfer-encoding", "chunked");
    let bytes = String::from_utf8(chunked.bytes()).unwrap().replace("content-length: 0\r\n", "");
    let mut stream = TcpStream::connect(running.address).unwrap();
    let body = format!("{bytes}2711\r\n{}\r\n0\r\n\r\n", "x".repeat(10_001));
    stream.write_all(body.as_bytes()).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
}

#[test]
fn a_row_of_another_length_than_its_header_is_refused_and_waits() {
    let running = begun();
    for rows in ["placement,reason\nx\n", "placement,reason\nx,y,z\n", "placement,reason\nx\u{e9},\"never\n"]
    {
        let request = Request::post("/v1/deliveries", "text/csv", rows).in_role("feeder");
        let receipt = running.ask(&request).expect(200).json();
        assert_eq!(receipt["totals"]["refused"], 1, "{rows}");
    }
    let raw = b"placement,reason\n\xff\xfe,recorded_twice\n".to_vec();
    running.ask(&Request::post("/v1/deliveries", "text/csv", raw).in_role("feeder")).expect(200);
    assert_eq!(running.ask(&Request::get("/v1/quarantine").in_role("feeder")).json()["total"], 4);
    // Whatever comes in as a file, the server goes on.
    running.ask(&one(&placement(1, "GM0599"))).expect(201);
    let named =
        "placement,municipality,counts_from,kind,persons,refusal_123456782\nx,GM0599,2026-02-16,regular,1,\n";
    let answer =
        running.ask(&Request::post("/v1/deliveries", "text/csv", named).in_role("feeder")).expect(400);
    assert!(!answer.text().contains("123456782"));
}

#[test]
fn what_is_refused_speaks_for_no_other_organisation_either() {
    let running = begun();
    let foreign = |number: &str| {
        let event =
            with(placement(1, "GM0599"), "source", json!(format!("urn:nld:oin:{OTHER}:systeem:other")));
        with(with(event, "data", json!({"placement": "x"})), "sequence", json!(number))
    };
    running.ask(&one(&foreign("99999"))).expect(403);
    running.ask(&many(&[placement(2, "GM0599"), foreign("99999")])).expect(403);
    // A kind that the role may not send, of the own organisation, and not to be understood either.
    let kind = json!("nl.huisvesting-statushouders.quotas.published.v1");
    let other = with(with(placement(1, "GM0599"), "type", kind), "data", json!({}));
    running.ask(&one(&other)).expect(403);
    let sources = running.ask(&Request::get("/v1/sources").in_role("auditor")).json();
    assert!(!sources.to_string().contains(OTHER), "{sources}");
    assert_eq!(running.ask(&Request::get("/v1/quarantine").in_role("feeder")).json()["total"], 0);
}

#[test]
fn one_thing_in_quarantine_becomes_one_thing_in_the_log_whoever_mends_it_at_once() {
    let running = begun();
    let address = running.address;
    for round in 0..10 {
        let refused = running.ask(&one(&placement(1_000 + round, "GM9999"))).expect(400).json();
        let path = format!("/v1/quarantine/{}", refused["quarantine"].as_str().unwrap());
        let put =
            |event: &Value| Request::post(&path, EVENT, event.to_string()).method("PUT").in_role("feeder");
        let requests: Vec<_> = (0..6).map(|at| put(&placement(2_000 + 10 * round + at, "GM0599"))).collect();
        let senders: Vec<_> = requests
            .into_iter()
            .map(|request| thread::spawn(move || send(address, &request).unwrap().status))
            .collect();
        let statuses: Vec<u16> = senders.into_iter().map(|it| it.join().unwrap()).collect();
        assert_eq!(statuses.iter().filter(|it| **it == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|it| [200, 403, 409].contains(it)), "{statuses:?}");
        running.ask(&Request::get(&path).in_role("feeder")).expect(403);
    }
    // A file with a header alone mends nothing and takes nothing away.
    let refused = running.ask(&one(&placement(1, "GM9999"))).expect(400).json();
    let path = format!("/v1/quarantine/{}", refused["quarantine"].as_str().unwrap());
    let header = "placement,municipality,counts_from,kind,persons\n";
    running.ask(&Request::post(&path, "text/csv", header).method("PUT").in_role("feeder")).expect(400);
    running.ask(&Request::get(&path).in_role("feeder")).expect(200);
}

#[test]
fn an_event_with_a_key_is_answered_once_also_where_it_is_refused() {
    let running = begun();
    let key = "0b1f6a52-9f43-4f0e-8a55-3f6f0d0c5b33";
    let keyed = |event: &Value| one(event).header("idempotency-key", key);
    let refused = running.ask(&keyed(&placement(1, "GM9999"))).expect(400);
    let again = running.ask(&keyed(&placement(1, "GM9999"))).expect(400);
    assert_eq!(again.json()["quarantine"], refused.json()["quarantine"]);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(running.ask(&Request::get("/v1/quarantine").in_role("feeder")).json()["total"], 1);
    running.ask(&keyed(&placement(1, "GM0599"))).expect(409);
    running.ask(&one(&placement(1, "GM0599")).header("idempotency-key", "nonsense")).expect(400);
}

#[test]
fn a_token_stands_where_the_number_stood_and_an_erased_number_gets_another() {
    let running = begun();
    let with_number = |number: u64, municipality: &str| {
        let mut event = placement(number, municipality);
        event["data"]["personNumber"] = json!("2801234567");
        // The very text that stands for a token until it is known, where it means nothing.
        with(event, "dataschema", json!("\"person\":\"ffffffff-ffff-4fff-bfff-ffffffffffff\""))
    };
    let refused = running.ask(&one(&with_number(1, "GM9999"))).expect(400).json();
    let path = format!("/v1/quarantine/{}", refused["quarantine"].as_str().unwrap());
    let kept = running.ask(&Request::get(&path).in_role("feeder")).expect(200).json();
    let kept = &kept["content"]["event"];
    assert_eq!(kept["dataschema"], with_number(1, "GM9999")["dataschema"]);
    let token = kept["data"]["person"].as_str().unwrap().to_owned();
    assert!(kept["data"].get("personNumber").is_none() && !token.starts_with("ffff"), "{kept}");
    running.ask(&one(&with_number(2, "GM0599"))).expect(201);
    // Whoever counts already is refused, until the link is erased: then nobody knows that it is the same person.
    let again = running.ask(&one(&with_number(3, "GM0599"))).expect(400).json();
    assert_eq!(again["faults"][0]["code"], "person-counted-already");
    let number = peildatum::domain::person_number::PersonNumber::parse("2801234567").unwrap();
    assert!(peildatum::ledger::links(running.path()).unwrap().erase(&number).unwrap());
    running.ask(&one(&with_number(4, "GM0599"))).expect(201);
    let folder = running.stop();
    let tokens: BTreeSet<_> = lines(folder.path())
        .iter()
        .filter_map(|line| {
            serde_json::from_slice::<Value>(line).unwrap()["data"]["person"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!((tokens.len(), tokens.contains(&token)), (2, true));
}

#[test]
fn what_was_begun_beside_the_log_and_is_gone_is_not_begun_anew() {
    for lost in ["intake", "audit", "intake/receipts"] {
        let running = begun();
        let folder = running.stop();
        let path = folder.path().join(lost);
        match path.is_dir() {
            true => std::fs::remove_dir_all(&path).unwrap(),
            false => std::fs::remove_file(&path).unwrap(),
        }
        let desk = Desk::open(folder.path()).err().map(|it| it.to_string());
        let trail = peildatum::store::Trail::start(folder.path(), peildatum::ledger::now());
        let said = desk.or(trail.err().map(|it| it.to_string())).expect(lost);
        assert!(said.contains("any more") && said.contains("Put the file back"), "{said}");
    }
}
