//! A sender that has no tokens gives V-numbers in the one field for them. Each person gets one token, the numbers are
//! nowhere afterwards, and a person who asks for it is erased: no figure moves, and the log stays provably the same.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use peildatum::domain::event::Event;
use serde_json::{Value, json};

use crate::folders::contents;
use crate::program::{Desk, Ran, event, rows_of, totals, uuid};
use crate::program_deliver::{PLACEMENTS, file};

/// V-numbers, and a BSN.
const NUMBERS: [&str; 4] = ["2801234567", "2809876543", "0301234567", "111222333"];

#[track_caller]
fn check_text(what: &str, bytes: &[u8]) {
    for number in NUMBERS {
        assert!(!bytes.windows(number.len()).any(|it| it == number.as_bytes()), "{number} is in {what}");
    }
}

#[track_caller]
fn check_said(ran: Ran) -> Ran {
    check_text("standard output", ran.out.as_bytes());
    check_text("standard error", ran.err.as_bytes());
    ran
}

/// No number is in the folder of the ledger, nor in any entry.
#[track_caller]
fn check_ledger(desk: &Desk) {
    for (path, bytes) in contents(&desk.ledger()) {
        check_text(&path.to_string_lossy(), &bytes);
    }
    check_said(desk.run("export").expect(0));
}

/// A row with a number in its last cell.
fn row(placement: usize, day: &str, number: &str) -> String {
    format!("{},GM0599,{day},regular,1,{number}", uuid(placement))
}

fn header() -> String {
    format!("{PLACEMENTS},person_number")
}

/// A CloudEvent of a placement with these fields besides.
fn placed(at: usize, placement: usize, fields: &str) -> String {
    let data = json!({"placement": uuid(placement), "municipality": "GM0344", "countsFrom": "2025-03-03",
        "kind": "regular", "persons": 1});
    let data = data.to_string().replacen('{', &format!("{{{fields},"), 1);
    event(at, "placements.recorded", "{}").replace(r#""data":{}"#, &format!(r#""data":{data}"#))
}

/// The token and the position of every placement, by the order of the log.
fn tokens(desk: &Desk) -> Vec<(u64, String)> {
    let placed = desk.entries().into_iter().filter_map(|entry| match entry.event {
        Event::PlacementRecorded(it) => Some((entry.position.0, it.person()?.to_string())),
        _ => None,
    });
    placed.collect()
}

fn codes(receipt: &Value) -> Vec<Vec<(String, String)>> {
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let faults = |row: &Value| {
        let faults = row["faults"].as_array().cloned().unwrap_or_default();
        faults.iter().map(|it| (text(&it["code"]), text(&it["field"]))).collect()
    };
    receipt["rows"].as_array().unwrap().iter().map(faults).collect()
}

#[test]
fn a_number_becomes_one_token_by_csv_and_by_json_and_is_erased_without_moving_a_figure() {
    let desk = Desk::with_ledger();
    let rows =
        [row(1, "2025-03-03", "2801234567"), row(2, "2025-03-04", "0301234567"), row(3, "2025-03-05", "")];
    desk.write("placements.csv", file(&header(), &rows));
    let tried = check_said(desk.run("deliver placements.csv --from coa --dry-run --format json").expect(0));
    assert_eq!(totals(&tried.json()), [3, 3, 0, 0]);
    assert!(!desk.ledger().join("persons").exists(), "a dry run wrote something");
    for format in ["json", "csv", "table"] {
        let ran =
            desk.run(&format!("deliver placements.csv --from coa --format {format}")).expect(0).quietly();
        check_said(ran);
    }
    check_ledger(&desk);
    let first = tokens(&desk);
    assert_eq!(first.len(), 2);

    // The same person by the other way in, who counts once.
    let line = placed(10, 4, r#""personNumber" : "2801234567""#);
    desk.write("events.jsonl", &line);
    let ran = check_said(
        desk.run("deliver events.jsonl --from coa --format json --refused-to mend.jsonl").expect(1),
    );
    assert_eq!(codes(&ran.json()), [[("person-counted-already".to_owned(), "person".to_owned())]]);
    let mend = desk.read("mend.jsonl");
    check_text("the file of refused rows", mend.as_bytes());
    assert!(mend.contains(&first[0].1), "the token is not in the place of the number: {mend}");

    let asked = "statement NL --on 2025-07-01 --format json";
    let (figures, root) = (desk.run(asked).expect(0).out, desk.root());
    assert_eq!(check_said(desk.run("person keys").expect(0)).out, "key 1: 2 known, current\n");
    let erased = check_said(desk.run_on("person erase", b"2801234567\n").expect(0).quietly());
    assert!(erased.out.contains("leads to nobody"), "{}", erased.out);
    assert!(erased.out.lines().all(|line| line.chars().count() <= 80));
    check_said(desk.run_on("person erase", b"2801234567").expect(1)).says("nobody is known by this number");
    assert_eq!(desk.run("person keys").expect(0).out, "key 1: 1 known, current\n");
    assert_eq!((desk.run(asked).expect(0).out, desk.root()), (figures, root));
    assert_eq!(tokens(&desk), first);

    // Who is erased is somebody new from then on; nothing else tells who that was.
    desk.run("deliver events.jsonl --from coa").expect(0);
    let after = tokens(&desk);
    assert_eq!((after.len(), after[2].1 != first[0].1), (3, true));
    check_ledger(&desk);
}

#[test]
fn what_is_no_v_number_is_refused_and_repeated_nowhere() {
    let desk = Desk::with_ledger();
    let token = uuid(77);
    let both = format!("{},person", header());
    for (header, cell, code) in [
        (header(), "111222333", "person-number"),
        (header(), "1112.22.333", "person-number"),
        (header(), "280 123 4567", "malformed"),
        (header(), "V2801234567", "malformed"),
        (header(), "28012345678", "malformed"),
        (header(), "jan", "malformed"),
        (both.clone(), &format!("2801234567,{token}"), "malformed"),
        (both, &format!("jan,{token}"), "malformed"),
    ] {
        desk.write("placements.csv", file(&header, &[row(1, "2025-03-03", cell)]));
        let _ = std::fs::remove_file(desk.path("mend.csv"));
        let ran = desk.run("deliver placements.csv --from coa --format json --refused-to mend.csv").expect(1);
        let expected = [[(code.to_owned(), "person_number".to_owned())]];
        assert_eq!(codes(&check_said(ran).json()), expected, "{cell}");
        let mend = desk.read("mend.csv");
        check_text("the file of refused rows", mend.as_bytes());
        let rows = rows_of(&mend);
        let removed = rows[0].values().filter(|it| *it == "[removed]").count();
        assert_eq!(removed, 1, "{cell}: {mend}");
        // As it is it is refused again: nobody is counted without a name by mistake.
        desk.run("deliver mend.csv --from coa").expect(1);
    }
    for (fields, code) in [
        (r#""personNumber":"111222333""#.to_owned(), "person-number"),
        (r#""personNumber":"\u0031\u0031\u0031222333""#.to_owned(), "person-number"),
        (r#""personNumber":111222333"#.to_owned(), "person-number"),
        (r#""personNumber":2801234567"#.to_owned(), "malformed"),
        (r#""personNumber":"280-123-4567""#.to_owned(), "malformed"),
        (r#""personNumber":{"is":["2801234567"]}"#.to_owned(), "malformed"),
        (format!(r#""person":"{token}","personNumber":"2801234567""#), "malformed"),
        // Twice, and in places that are not for it: found like every other number.
        (r#""personNumber":"2801234567","personNumber":"2809876543""#.to_owned(), "person-number"),
        (r#""more":{"personNumber":"2801234567"}"#.to_owned(), "person-number"),
        (r#""person":"2801234567""#.to_owned(), "person-number"),
    ] {
        desk.write("events.jsonl", placed(10, 1, &fields));
        let _ = std::fs::remove_file(desk.path("mend.jsonl"));
        let ran = desk.run("deliver events.jsonl --from coa --format json --refused-to mend.jsonl").expect(1);
        assert_eq!(codes(&check_said(ran).json())[0][0].0, code, "{fields}");
        check_text("the file of refused rows", desk.read("mend.jsonl").as_bytes());
        desk.run("deliver mend.jsonl --from coa").expect(1);
    }
    // In an event that is about nobody.
    let data = r#"{"month":"2025-01","permitsGranted":1,"familyMembersArrived":2,"reference":"x","personNumber":"2801234567"}"#;
    desk.write("grants.jsonl", event(11, "grants.reported", data));
    let ran = check_said(desk.run("deliver grants.jsonl --from coa --format json").expect(1));
    assert_eq!(codes(&ran.json())[0][0].0, "person-number");
    check_ledger(&desk);
    assert!(!desk.ledger().join("persons").exists(), "nobody was to be known");
}

#[test]
fn a_row_that_is_refused_for_another_reason_is_mended_with_the_token() {
    let desk = Desk::with_ledger();
    let wrong = row(1, "2025-03-03", "2801234567").replace("GM0599", "Rotterdam");
    let unknown = row(2, "2025-03-03", "2809876543").replace("GM0599", "GM9999");
    desk.write(
        "placements.csv",
        file(&header(), &[wrong, unknown, row(3, "2025-03-03", "2801234567") + ",more"]),
    );
    desk.write("events.jsonl", placed(10, 4, r#""personNumber":"0301234567""#).replace("GM0344", "GM9999"));
    // What a dry run gives to be mended names nobody: its tokens are forgotten.
    desk.run("deliver placements.csv --from coa --dry-run --refused-to tried.csv").expect(1);
    assert!(
        rows_of(&desk.read("tried.csv").replace(",more,", ",")).iter().all(|it| it["person"] == "[removed]")
    );
    desk.run("deliver events.jsonl --from coa --dry-run --refused-to tried.jsonl").expect(1);
    assert!(desk.read("tried.jsonl").contains(r#""personNumber":"[removed]""#));
    check_said(desk.run("deliver placements.csv --from coa --refused-to mend.csv").expect(1));
    check_said(desk.run("deliver events.jsonl --from coa --refused-to mend.jsonl").expect(1));
    let mend = desk.read("mend.csv");
    check_text("the file of refused rows", mend.as_bytes());
    let mended: Vec<_> = mend.lines().take(3).collect();
    desk.write("mended.csv", mended.join("\n").replace("Rotterdam", "GM0599").replace("GM9999", "GM0599"));
    desk.run("deliver mended.csv --from coa").expect(0);
    desk.write("mended.jsonl", desk.read("mend.jsonl").replace("GM9999", "GM0599"));
    desk.run("deliver mended.jsonl --from coa").expect(0);
    let known = tokens(&desk);
    assert_eq!(known.len(), 3);
    // The very same persons, by their numbers.
    let again = [
        row(5, "2025-03-03", "2801234567"),
        row(6, "2025-03-03", "2809876543"),
        row(7, "2025-03-03", "0301234567"),
    ];
    desk.write("again.csv", file(&header(), &again));
    let receipt = desk.run("deliver again.csv --from coa --format json").expect(1).json();
    assert!(codes(&receipt).iter().all(|row| row[0].0 == "person-counted-already"), "{receipt}");
    check_ledger(&desk);
}

#[test]
fn a_person_is_erased_and_a_key_rotated_while_the_ledger_is_in_use() {
    let desk = Desk::with_ledger();
    let mut command = desk.command(&["deliver", "-", "--from", "coa", "--format", "csv"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap()).lines();
    writeln!(to, "{}", header()).unwrap();
    // Rows are recorded in groups of 4,096: one that is full is answered while the delivery goes on.
    let mut group = |first: usize| {
        let others = (1..4_096).map(|at| row(first + at, "2025-03-03", ""));
        let rows: Vec<_> = [row(first, "2025-03-03", "2801234567")].into_iter().chain(others).collect();
        writeln!(to, "{}", rows.join("\n")).unwrap();
        let told: Vec<_> =
            from.by_ref().map(Result::unwrap).filter(|it| it.starts_with('-')).take(4_096).collect();
        told[0].clone()
    };
    assert!(group(10_000).contains("recorded"));
    check_said(desk.run_on("person erase", b"2801234567").expect(0));
    assert!(group(20_000).contains("recorded"), "a token was remembered");
    assert_eq!(desk.run("person rotate-key").expect(0).out, "key 2 is current from now on\n");
    assert_eq!(desk.run("person keys").expect(0).out, "key 1: 1 known\nkey 2: 0 known, current\n");
    // Known under the old key, linked anew under the new one, and the old key goes.
    writeln!(to, "{}", row(3, "2025-03-03", "2801234567")).unwrap();
    drop(to);
    let last = from.next().unwrap().unwrap();
    assert!(last.contains("person-counted-already"), "{last}");
    assert_eq!(desk.run("person keys").expect(0).out, "key 2: 1 known, current\n");
    assert!(!child.wait().unwrap().success());
    assert_eq!(tokens(&desk).len(), 2);
    check_ledger(&desk);
    desk.run("verify").expect(0);
}

#[test]
fn a_number_is_typed_on_standard_input_only_and_never_repeated() {
    let desk = Desk::with_ledger();
    for wrong in
        ["", "111222333", "280 123 4567", "2801234567\n2809876543", &"2801234567".repeat(50), "\u{e9}"]
    {
        check_said(desk.run_on("person erase", wrong.as_bytes()).expect(64)).says("exactly ten digits");
    }
    check_said(desk.run("person erase 2801234567").expect(64));
    check_said(desk.run("person 2801234567").expect(64));
    check_said(desk.run_on("person erase", b"2801234567").expect(1));
    assert!(desk.run("person keys").expect(0).out.contains("no key yet"));
    assert!(!desk.ledger().join("persons").exists());
    desk.run_on("person keys --ledger elsewhere", b"").expect(2).says("there is no ledger in elsewhere");
}

#[test]
fn a_ledger_that_was_put_back_without_its_links_knows_nobody_and_says_so() {
    let desk = Desk::with_ledger();
    desk.write("placements.csv", file(&header(), &[row(1, "2025-03-03", "2801234567")]));
    desk.run("deliver placements.csv --from coa").expect(0);
    desk.run("backup copy").expect(0);
    desk.run("restore copy --ledger back").expect(0);
    assert!(!desk.path("back/persons").exists());
    for command in ["deliver placements.csv --from coa", "person keys", "person rotate-key"] {
        let ran = desk.run(&format!("{command} --ledger back")).expect(2);
        check_said(ran).says("would get a second token");
    }
    // What names nobody is recorded all the same.
    desk.write("others.csv", file(PLACEMENTS, &[crate::program_deliver::placement(9, "GM0599")]));
    desk.run("deliver others.csv --from coa --ledger back").expect(0);
    desk.run("verify --ledger back").expect(0);
}
