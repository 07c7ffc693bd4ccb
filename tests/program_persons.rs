//! Numbers of persons are in files that people send, whatever was agreed: in the column for the token, in the wrong
//! column, in the name of the file. None of them reaches the disk, the receipt, the file of refused rows or an error
//! message. And what only looks alike from afar (an OIN, a UUID, a number of the gazette) is not refused.

use std::fs;

use serde_json::{Value, json};

use crate::folders::contents;
use crate::program::{Desk, Ran, event, totals, uuid};
use crate::program_deliver::{KINDS, PLACEMENTS, file};

/// BSNs that pass the eleven test, as they are written, and a V-number.
const NUMBERS: [&str; 5] = ["111222333", "1112.22.333", "111 222 333", "123456782", "2801234567"];

#[track_caller]
fn check_text(what: &str, bytes: &[u8]) {
    for number in NUMBERS {
        let found = bytes.windows(number.len()).any(|it| it == number.as_bytes());
        assert!(!found, "{number} is in {what}");
    }
}

/// What a run said, held against all numbers.
#[track_caller]
fn check_said(ran: &Ran) {
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    check_text("standard output", ran.out.as_bytes());
    check_text("standard error", ran.err.as_bytes());
}

/// Everything that lies in the folder of the ledger, as bytes and as the entries that it holds.
#[track_caller]
fn check_ledger(desk: &Desk) {
    for (path, bytes) in contents(&desk.ledger()) {
        check_text(&path.file_name().unwrap().to_string_lossy(), &bytes);
    }
    check_said(&desk.run("export").expect(0));
}

/// Delivers a file of which every row holds a number: all are refused, in every form of the receipt.
fn check_refused(desk: &Desk, name: &str, content: &[u8]) -> Value {
    desk.write(name, content);
    for format in ["table", "csv"] {
        check_said(&desk.run(&format!("deliver {name} --from coa --format {format} --dry-run")).expect(1));
    }
    let ran = desk.run(&format!("deliver {name} --from coa --format json --refused-to refused-{name}"));
    check_said(&ran);
    let receipt = ran.expect(1).json();
    let [rows, recorded, known, refused] = totals(&receipt);
    assert_eq!((recorded, known, refused), (0, 0, rows), "{name}");
    check_text("the file of refused rows", &fs::read(desk.path(&format!("refused-{name}"))).unwrap());
    check_ledger(desk);
    receipt
}

#[test]
fn no_number_of_a_person_comes_in_by_a_column() {
    let desk = Desk::with_ledger();
    for (kind, header, good, ..) in KINDS {
        let good: Vec<&str> = good.split('|').next().unwrap().split(',').collect();
        // A reference between quotes holds a comma; the part before it is a reference too.
        let good: Vec<&str> = good.into_iter().map(|it| it.trim_matches('"')).collect();
        let good = &good[..header.split(',').count()];
        let mut rows = Vec::new();
        for column in 0..good.len() {
            for number in NUMBERS {
                for cell in
                    [number.to_owned(), format!("nr {number}."), format!("{} {number}x", good[column])]
                {
                    let mut cells: Vec<_> = good.iter().map(|it| (*it).to_owned()).collect();
                    cells[column] = cell;
                    rows.push(cells.join(","));
                }
            }
        }
        // Also where there is no column for it, and in bytes that are no text.
        let mut content = file(header, &rows).into_bytes();
        for number in NUMBERS {
            content.extend_from_slice(format!("{number}\n{},{number}\n", good.join(",")).as_bytes());
            content.extend_from_slice(b"\xe9 ");
            content.extend_from_slice(format!("{number}\n").as_bytes());
        }
        let receipt = check_refused(&desk, &format!("{kind}.csv"), &content);
        for row in receipt["rows"].as_array().unwrap().iter().take(rows.len()) {
            let codes: Vec<_> = row["faults"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
            assert!(codes.contains(&&"person-number".into()), "{kind}: {row}");
        }
    }
}

#[test]
fn no_number_of_a_person_comes_in_by_a_header_or_a_name() {
    let desk = Desk::with_ledger();
    let row = format!("{},GM0599,2025-03-03,regular,1", uuid(1));
    for number in NUMBERS {
        for header in
            [number.to_owned(), format!("{PLACEMENTS},{number}"), PLACEMENTS.replace("kind", number)]
        {
            desk.write("header.csv", file(&header, &[format!("{row},x")]));
            check_said(&desk.run("deliver header.csv --from coa").expect(2));
        }
        // A column of ours is left alone when it is read, but its name would stand beside what is kept to be mended.
        let header = format!("{PLACEMENTS},refusal_{number}");
        desk.write("ours.csv", file(&header, &[format!("{row},x")]));
        check_said(&desk.run("deliver ours.csv --from coa").expect(2).says("give it another name"));

        let name = format!("{number}.csv");
        check_said(&desk.run_each(&["deliver", &name, "--from", "coa"]).expect(2));
        desk.write(&name, "");
        check_said(&desk.run_each(&["deliver", &name, "--from", "coa"]).expect(2));
        desk.write(&name, file(PLACEMENTS, &[row.clone(), "wrong".to_owned()]));
        let refused = format!("refused {number}.csv");
        for format in ["json", "csv", "table"] {
            let arguments = ["deliver", &name, "--from", "coa", "--format", format];
            check_said(&desk.run_each(&arguments).expect(1));
        }
        let arguments = ["deliver", &name, "--from", "coa", "--refused-to", &refused];
        check_said(&desk.run_each(&arguments).expect(1));
        check_said(&desk.run_each(&arguments).expect(2));
        fs::create_dir(desk.path(number)).unwrap();
        check_said(&desk.run_each(&["deliver", number, "--from", "coa"]).expect(2));
    }
    check_ledger(&desk);
}

/// Every way to put something in the place of one value of a document.
fn planted(document: &Value, what: &Value) -> Vec<Value> {
    let mut all = vec![what.clone()];
    match document {
        Value::Object(fields) => {
            for (key, value) in fields {
                for inside in planted(value, what) {
                    let mut copy = fields.clone();
                    copy.insert(key.clone(), inside);
                    all.push(copy.into());
                }
            }
            let mut copy = fields.clone();
            copy.insert("extension".to_owned(), what.clone());
            all.push(copy.into());
            if let Value::String(key) = what {
                let mut copy = fields.clone();
                copy.insert(key.clone(), true.into());
                all.push(copy.into());
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                for inside in planted(value, what) {
                    let mut copy = values.clone();
                    copy[index] = inside;
                    all.push(copy.into());
                }
            }
        }
        _ => {}
    }
    all
}

#[test]
fn no_number_of_a_person_comes_in_by_an_event() {
    let desk = Desk::with_ledger();
    let data = r#"{"halfYear":"2025-I","measuredOn":"2025-01-01","expected":17700,
        "outcome":{"decision":"revised","national":15000,"persons":{"GM0344":308,"GM0599":560}},
        "decidedOn":"2025-02-01","reference":"Letter"}"#;
    let mut whole: Value = serde_json::from_str(&event(7, "evaluations.recorded", data)).unwrap();
    whole["extended"] = json!({"list": ["a", {"deep": 1}]});
    let mut lines = Vec::new();
    for number in NUMBERS {
        let texts = [json!(number), json!(format!("nr {number}, once"))];
        let plain = number.parse::<u64>().ok().map(|it| json!(it));
        for what in texts.iter().chain(&plain) {
            lines.extend(planted(&whole, what).iter().map(|it| format!("{it}\n").into_bytes()));
        }
        lines.push(format!("{{\"data\": {number}\n").into_bytes());
        lines.push([b"{\"\xe9\": \"".as_slice(), number.as_bytes(), b"\"}\n"].concat());
        lines.push(format!("{number}\n").into_bytes());
    }
    // The first line decides that this is JSON; a bare value in its place would make it a table.
    lines.sort_by_key(|line| !line.starts_with(b"{"));
    check_refused(&desk, "events.jsonl", &lines.concat());
}

#[test]
fn no_number_of_a_person_comes_in_by_another_way_to_write_json() {
    let desk = Desk::with_ledger();
    let good = event(
        8,
        "grants.reported",
        r#"{"month":"2025-01","permitsGranted":1,"familyMembersArrived":2,"reference":"Letter"}"#,
    );
    let escaped = r#""\u0031\u0031\u0031\u0032\u0032\u0032\u0033\u0033\u0033""#;
    let mut lines = Vec::new();
    for written in [escaped, "111222333000e-3", "1.11222333e8", "111222333.0", "-111222333", "2801234567"] {
        lines.push(good.replace(r#""Letter""#, written));
        lines.push(
            good.replace(r#""specversion":"1.0""#, &format!(r#""specversion":"1.0","extra":{written}"#)),
        );
    }
    lines.push(good.replace("\"extra\"", escaped).replace("Letter", "111222333"));
    let receipt = check_refused(&desk, "events.jsonl", lines.concat().as_bytes());
    assert_eq!(receipt["rows"][0]["faults"][0]["code"], "person-number");
    // What can be mended is still JSON, with the reason in it.
    let refused = desk.read("refused-events.jsonl");
    let first: Value = serde_json::from_str(refused.lines().next().unwrap()).unwrap();
    assert_eq!(first["data"]["reference"], "[removed]");
    assert!(first["refusal"].as_str().unwrap().starts_with("person-number"), "{first}");
    // Of a key that stands there twice the last one counts, and the first is not kept anywhere.
    let twice = r#""specversion":"1.0","extra":"111222333","extra":1"#;
    desk.write("twice.jsonl", good.replace(r#""specversion":"1.0""#, twice));
    check_said(&desk.run("deliver twice.jsonl --from coa"));
    check_ledger(&desk);
}

#[test]
fn no_number_of_a_person_is_repeated_from_the_command_line() {
    let desk = Desk::with_ledger();
    desk.write("placements.csv", file(PLACEMENTS, &[]));
    for number in NUMBERS {
        let said = format!("x {number}");
        for (code, arguments) in [
            (1, &["statement", number, "--on", "2026-01-01"][..]),
            (1, &["statement", &said, "--on", "2026-01-01"]),
            (64, &["statement", "NL", "--on", number]),
            (64, &["statement", "NL", "--on", "2026-01-01", "--known-at", &said]),
            (64, &["statement", "NL", "--on", "2026-01-01", "--by", number]),
            (64, &["statement", "NL", "--on", "2026-01-01", "--reading", number]),
            (64, &["statement", "NL", "NL", number, "--on", "2026-01-01"]),
            (64, &["deliver", "placements.csv", "--from", number]),
            (64, &["deliver", "placements.csv", "--from", &said]),
            (64, &["deliver", "placements.csv", "--from", "coa", "--format", number]),
            (64, &["history", number]),
            (64, &["export", "--from", &said]),
            (64, &["completions", number]),
            (64, &[number]),
        ] {
            check_said(&desk.run_each(arguments).expect(code));
        }
    }
    // As part of a name that is a source in every other respect.
    check_said(&desk.run("deliver placements.csv --from coa/111222333").expect(64));
    check_said(
        &desk
            .run("deliver placements.csv --from urn:nld:oin:00000001234567890000:systeem:111222333")
            .expect(64),
    );
    check_ledger(&desk);
}

#[test]
fn what_is_no_number_of_a_person_is_recorded() {
    let desk = Desk::with_ledger();
    // Digits that would be a BSN anywhere but in a UUID.
    let id = "11122233-3000-4000-8000-111222333444";
    let row = format!("{id},GM0599,2025-03-03,regular,1,11122233-3111-4222-8333-012345678212");
    desk.write("placements.csv", file(&format!("{PLACEMENTS},person"), &[row]));
    let from = "urn:nld:oin:00000001234567890000:systeem:tracking";
    let receipt = desk.run(&format!("deliver placements.csv --from {from} --format json")).expect(0).json();
    assert_eq!(totals(&receipt), [1, 1, 0, 0]);
    let references =
        ["Stcrt. 2026, 10123", "stcrt-2026-10123", "kenmerk 7210165", "2024Z12156", "ECLI:NL:RVS:2018:2647"];
    let lines = references.iter().enumerate().map(|(number, reference)| {
        let month = number + 1;
        let data = json!({"month": format!("2025-{month:02}"), "permitsGranted": 1234, "familyMembersArrived": 111_222, "reference": reference});
        let line = event(20 + number, "grants.reported", &data.to_string());
        line.replace("2025-06-01T10:00:00Z", "2025-06-01T10:00:00.111222333Z")
    });
    let lines: String = lines.collect();
    desk.write("events.jsonl", &lines);
    let receipt = desk.run("deliver events.jsonl --from ministry --format json").expect(0).json();
    assert_eq!(totals(&receipt), [5, 5, 0, 0]);
    // Refused for another reason, the time comes back as it was sent.
    desk.write("wrong.jsonl", lines.replace("1234", "-1"));
    desk.run("deliver wrong.jsonl --from ministry --refused-to mend.jsonl").expect(1);
    assert_eq!(desk.read("mend.jsonl").matches("2025-06-01T10:00:00.111222333Z").count(), 5);
}
