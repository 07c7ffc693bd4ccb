//! Somebody at COA, Nidos or the ministry sends a file, good or bad, in the ways in which files are sent: by name, in a
//! pipe, twice, from a spreadsheet that was set to Dutch. The receipt says of every row what became of it, what is
//! refused can be mended and sent again, and a file that cannot be read at all changes nothing.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use peildatum::domain::event::Event;
use peildatum::feed::csv::CsvFile;
use serde_json::Value;

use crate::program::{Desk, event, rows_of, totals, uuid};

pub const PLACEMENTS: &str = "placement,municipality,counts_from,kind,persons";

/// A row of a file of placements.
pub fn placement(number: usize, municipality: &str) -> String {
    format!("{},{municipality},2025-03-03,regular,1", uuid(number))
}

pub fn file(header: &str, rows: &[String]) -> String {
    format!("{header}\n{}\n", rows.join("\n"))
}

/// Rows of every outcome: 3 and 5 are wrong.
fn mixed() -> String {
    let rows =
        [placement(1, "GM0599"), placement(2, "GM9999"), placement(3, "GM0344"), placement(4, "Utrecht")];
    file(PLACEMENTS, &rows)
}

/// Each kind of file with what it records, and a row of it that is refused with its code and column.
pub const KINDS: [(&str, &str, &str, &str, &str, &str); 6] = [
    (
        "municipalities",
        "code,name,province,safety_region,from",
        "GM0014,Groningen,PV20,VR01,2018-01-01|GM0034,Almere,PV24,VR25,2018-01-01",
        "GM0037,Stadskanaal,PV99,VR01,2018-01-01",
        "malformed",
        "province",
    ),
    (
        "population",
        "counted_on,municipality,inhabitants",
        "2024-01-01,GM0599,650000|2024-01-01,GM0344,350000",
        "2024-01-01,GM9999,12",
        "unknown-municipality",
        "municipality",
    ),
    (
        "allocations",
        "half_year,municipality,persons,method,rounding,reference",
        "2025-I,GM0599,600,by_inhabitants,nearest,\"Stcrt. 2024, 30123\"|2025-I,GM0344,300,by_inhabitants,nearest,\"Stcrt. 2024, 30123\"",
        "2025-I,GM9999,12,by_inhabitants,nearest,\"Stcrt. 2024, 30123\"",
        "unknown-municipality",
        "municipality",
    ),
    (
        "carry-overs",
        "from_half_year,to_half_year,municipality,persons,reference",
        "2024-II,2025-I,GM0599,-12,kenmerk 7210165|2024-II,2025-I,GM0344,40,kenmerk 7210165",
        "2024-II,2025-I,GM0344,41,kenmerk 7210165",
        "municipality-named-twice",
        "municipality",
    ),
    (
        "placements",
        "placement,municipality,counts_from,kind,persons,site_municipality,person,permit_granted_on,matched_on,care_ends",
        "00000001-5a1e-4b0c-8d2f-000000009e37,GM0599,2025-03-03,amv_small_scale_care,1,GM0344,0000002a-5a1e-4b0c-8d2f-0000000a9e37,2025-01-02,2025-01-16,2026-01|00000002-5a1e-4b0c-8d2f-000000013c6e,GM0344,2025-03-03,regular,4,,,,,",
        "00000003-5a1e-4b0c-8d2f-00000001daa5,GM0344,2025-03-03,regular,0,,,,,",
        "persons-at-least-one",
        "persons",
    ),
    (
        "withdrawals",
        "placement,reason",
        "00000001-5a1e-4b0c-8d2f-000000009e37,recorded_twice|00000002-5a1e-4b0c-8d2f-000000013c6e,never_housed",
        "00000009-5a1e-4b0c-8d2f-00000001daa5,never_housed",
        "unknown-placement",
        "placement",
    ),
];

#[test]
fn every_kind_of_file_is_recorded_and_its_wrong_row_is_refused_by_column() {
    let desk = Desk::with_ledger();
    for (kind, header, good, wrong, code, column) in KINDS {
        let mut rows: Vec<String> = good.split('|').map(str::to_owned).collect();
        rows.push(wrong.to_owned());
        desk.write(&format!("{kind}.csv"), file(header, &rows));
        let tried = desk.run(&format!("deliver {kind}.csv --from coa --dry-run --format json")).expect(1);
        let receipt = desk.run(&format!("deliver {kind}.csv --from coa --format json")).expect(1).quietly();
        let receipt = receipt.json();
        assert_eq!(totals(&receipt), [3, 2, 0, 1], "{kind}: {receipt}");
        assert_eq!(receipt["rows"], tried.json()["rows"], "{kind}");
        let told = receipt["rows"].as_array().unwrap();
        let numbers: Vec<_> = told.iter().map(|it| it["row"].as_u64().unwrap()).collect();
        assert_eq!(numbers, [2, 3, 4], "{kind}");
        let fault = &told[2]["faults"][0];
        assert_eq!((&fault["code"], &fault["field"]), (&code.into(), &column.into()), "{kind}");
        for part in ["problem", "remedy"] {
            assert!(!fault[part].as_str().unwrap().is_empty());
        }
        let again = desk.run(&format!("deliver {kind}.csv --from coa --format json")).expect(1).json();
        assert_eq!(totals(&again)[1], 0, "{kind}");
        assert_eq!(again["checkpoint"], receipt["checkpoint"], "{kind}: sent twice, recorded once");
    }
}

#[test]
fn one_unknown_municipality_does_not_hold_up_the_others_of_its_list() {
    let desk = Desk::with_ledger();
    let rows = ["GM0344,300", "GM9999,12", "GM0599,600"]
        .map(|it| format!("2025-I,{it},by_inhabitants,\"Stcrt. 2024, 30123\""));
    desk.write("allocations.csv", file("half_year,municipality,persons,method,reference", &rows));
    let receipt = desk.run("deliver allocations.csv --from ministry --format csv").expect(1).csv();
    let outcomes: Vec<_> = receipt.iter().map(|it| (&it["row"][..], &it["outcome"][..])).collect();
    assert_eq!(outcomes, [("2", "recorded"), ("3", "refused"), ("4", "recorded")]);
    let entries = desk.entries();
    let Event::QuotaAllocated(it) = &entries.last().unwrap().event else { panic!("an allocation") };
    let codes: Vec<_> = it.persons.codes().map(|it| it.to_string()).collect();
    assert_eq!(codes, ["GM0344", "GM0599"]);
}

#[test]
fn the_receipt_says_the_same_as_table_as_json_and_as_csv() {
    let desk = Desk::with_ledger();
    desk.write("placements.csv", mixed());
    let table = desk.run("deliver placements.csv --from coa --dry-run").expect(1).quietly().out;
    let json = desk.run("deliver placements.csv --from coa --dry-run --format json").expect(1).json();
    let csv = desk.run("deliver placements.csv --from coa --dry-run --format csv").expect(1).csv();
    assert_eq!(totals(&json), [4, 2, 0, 2]);
    assert_eq!(json["file"], "placements.csv");
    assert_eq!(json["deliveredBy"], "coa");
    assert_eq!(json["dryRun"], true);
    for (number, label) in [(2, "would be recorded"), (0, "known already"), (2, "refused"), (4, "rows")] {
        assert!(table.contains(&format!("{number:>10}  {label}")), "{table}");
    }
    assert!(table.contains("row 3, municipality: unknown-municipality"), "{table}");
    assert!(table.contains("row 5, municipality: malformed"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert_eq!(csv.len(), 4);
    for (row, told) in csv.iter().zip(json["rows"].as_array().unwrap()) {
        assert_eq!(row["file"], "placements.csv");
        assert_eq!(row["row"], told["row"].to_string());
        assert_eq!(row["outcome"], told["outcome"].as_str().unwrap());
        match told["outcome"].as_str() {
            Some("refused") => {
                let fault = &told["faults"][0];
                for part in ["code", "field", "problem", "remedy"] {
                    assert_eq!(row[part], fault[part].as_str().unwrap());
                }
            }
            _ => assert_eq!(row["position"], told["position"].to_string()),
        }
    }
}

/// A receipt without what differs from one delivery to the next.
fn lasting(mut receipt: Value) -> Value {
    for part in ["delivery", "checkpoint", "knownAt", "dryRun"] {
        receipt.as_object_mut().unwrap().remove(part).expect("a part of each receipt");
    }
    receipt
}

#[test]
fn a_dry_run_gives_the_same_receipt_and_writes_nothing() {
    let desk = Desk::with_ledger();
    desk.write("placements.csv", mixed());
    let (files, root) = (desk.files(), desk.root());
    let tried = desk.run("deliver placements.csv --from coa --dry-run --format json").expect(1).quietly();
    assert!(desk.files() == files, "a dry run wrote to the ledger");
    assert_eq!(desk.root(), root);
    let done = desk.run("deliver placements.csv --from coa --format json").expect(1).json();
    assert_eq!(tried.json()["checkpoint"], Value::Null);
    assert_eq!(lasting(tried.json()), lasting(done));
}

#[test]
fn a_dry_run_without_a_ledger_tries_an_empty_one_and_makes_none() {
    let desk = Desk::new();
    desk.write("municipalities.csv", crate::program::MUNICIPALITIES);
    let tried = desk.run("deliver municipalities.csv --from cbs --dry-run --format json").expect(0);
    assert_eq!(totals(&tried.json()), [3, 3, 0, 0]);
    tried.says("no ledger in ./ledger yet: this is tried on an empty one");
    assert!(!desk.ledger().exists());
    desk.run("deliver municipalities.csv --from cbs").expect(0).says("a new ledger is begun in ./ledger");
    desk.run("deliver municipalities.csv --from cbs").expect(0).quietly();
    // Something else that lies there is not taken for nothing.
    std::fs::create_dir(desk.path("other")).unwrap();
    desk.write("other/letter.txt", "Dear");
    desk.run("deliver municipalities.csv --from cbs --dry-run --ledger other")
        .expect(2)
        .says("is not a ledger");
    desk.run("deliver municipalities.csv --from cbs --ledger other").expect(2).says("is not a ledger");
}

#[test]
fn refused_rows_of_csv_are_mended_and_sent_again() {
    let desk = Desk::with_ledger();
    desk.write("placements.csv", mixed());
    let told = desk.run("deliver placements.csv --from coa --refused-to mend.csv").expect(1).out;
    assert!(told.contains("The refused rows are in mend.csv."), "{told}");
    let refused = desk.read("mend.csv");
    assert_eq!(
        refused.lines().next().unwrap(),
        format!("{PLACEMENTS},refusal_row,refusal_code,refusal_column,refusal_reason")
    );
    let rows = rows_of(&refused);
    let said: Vec<_> = rows.iter().map(|it| (&it["refusal_row"][..], &it["refusal_code"][..])).collect();
    assert_eq!(said, [("3", "unknown-municipality"), ("5", "malformed")]);

    // One of the two is mended wrongly, and goes round once more without old reasons piling up.
    desk.write("again.csv", refused.replace("GM9999", "GM0363").replace("Utrecht", "GM8888"));
    let receipt = desk.run("deliver again.csv --from coa --refused-to once-more.csv --format json").expect(1);
    assert_eq!(totals(&receipt.json()), [2, 1, 0, 1]);
    let refused = desk.read("once-more.csv");
    assert_eq!(refused.lines().next().unwrap().matches("refusal_row").count(), 1);
    desk.write("last.csv", refused.replace("GM8888", "GM0344"));
    let receipt = desk.run("deliver last.csv --from coa --format json").expect(0).json();
    assert_eq!(totals(&receipt), [1, 1, 0, 0]);
    let known = desk.run("deliver last.csv --from coa --format json").expect(0).json();
    assert_eq!(totals(&known), [1, 0, 1, 0]);
}

#[test]
fn refused_lines_of_json_are_mended_and_sent_again() {
    let desk = Desk::with_ledger();
    let of = |number: usize, code: &str| {
        let data = format!(
            r#"{{"placement":"{}","municipality":"{code}","countsFrom":"2025-03-03","kind":"regular","persons":1}}"#,
            uuid(number)
        );
        event(100 + number, "placements.recorded", &data)
    };
    let lines = [of(1, "GM0599"), of(2, "GM9999"), "{broken\n".to_owned(), of(3, "GM0344")].concat();
    desk.write("events.jsonl", lines);
    let receipt = desk.run("deliver events.jsonl --from coa --refused-to mend.jsonl --format json").expect(1);
    let receipt = receipt.json();
    assert_eq!(totals(&receipt), [4, 2, 0, 2]);
    assert_eq!(receipt["rows"][1]["faults"][0]["field"], "municipality");
    assert_eq!(receipt["rows"][2]["faults"][0]["code"], "unreadable");
    let refused = desk.read("mend.jsonl");
    let lines: Vec<_> = refused.lines().collect();
    assert!(lines[0].contains("unknown-municipality"), "{refused}");
    assert_eq!(lines[1], "{broken");
    desk.write("again.jsonl", format!("{}\n", lines[0].replace("GM9999", "GM0363")));
    let receipt = desk.run("deliver again.jsonl --from coa --format json").expect(0).json();
    assert_eq!(totals(&receipt), [1, 1, 0, 0]);
}

#[test]
fn an_event_id_with_other_content_is_refused_and_the_same_is_known() {
    let desk = Desk::with_ledger();
    desk.run("deliver quota.jsonl --from someone-else").expect(0);
    desk.write("other.jsonl", desk.read("quota.jsonl").replace("17700", "17701"));
    let receipt = desk.run("deliver other.jsonl --from ministry --format json").expect(1).json();
    assert_eq!(receipt["rows"][0]["faults"][0]["code"], "event-id-in-use");
}

#[test]
fn the_refused_rows_never_overwrite_a_file() {
    let desk = Desk::with_ledger();
    desk.write("placements.csv", mixed());
    desk.write("precious.csv", "mine");
    let size = desk.entries().len();
    desk.run("deliver placements.csv --from coa --refused-to precious.csv")
        .expect(2)
        .says("it exists, and nothing is written over it");
    assert_eq!(desk.read("precious.csv"), "mine");
    assert_eq!(desk.entries().len(), size, "nothing was recorded either");
    desk.run("deliver placements.csv placements.csv --from coa --refused-to new.csv")
        .expect(64)
        .says("one by one");
    assert!(!desk.path("new.csv").exists());
    // Where nothing is refused there is no file, and a place that is not there is found before a ledger is begun.
    desk.run("deliver placements.csv --from coa --refused-to nowhere/rows.csv")
        .expect(2)
        .says("there is no such folder");
    desk.run("deliver none.csv --from coa --refused-to kept.csv --ledger other").expect(2);
    assert!(!desk.path("other").exists() && !desk.path("kept.csv").exists());
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_that_says_why_and_begins_no_ledger() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("folder")).unwrap();
    for (name, content, why) in [
        ("empty.csv", &b""[..], "empty.csv is empty"),
        ("blank.csv", b"\n\n  \n", "blank.csv is empty"),
        ("mark.csv", b"\xef\xbb\xbf", "mark.csv is empty"),
        ("book.xlsx", b"PK\x03\x04rest", "book.xlsx is a workbook: save the sheet as CSV"),
        ("other.csv", b"a,b\n1,2\n", "the header has no column that a delivery has"),
        ("latin.csv", b"placement,munici\xe9\n", "the first line is not text in UTF-8"),
        ("lacks.csv", b"placement,municipality,kind,persons\n", "it lacks the column counts_from"),
        ("more.csv", b"placement,reason,colour\n", "1 of its columns are not known there"),
        ("twice.csv", b"placement,placement,reason\n", "names a column twice"),
        ("list.json", b"[{}]\n", "list.json is one JSON array: write one event on each line"),
    ] {
        desk.write(name, content);
        let ran = desk.run(&format!("deliver {name} --from coa")).expect(2).says(why);
        assert_eq!(ran.out, "", "{name}");
    }
    desk.run("deliver folder --from coa").expect(2).says("cannot read folder: it is a folder");
    desk.run("deliver absent.csv --from coa").expect(2).says("cannot read absent.csv: ");
    assert!(!desk.ledger().exists());
    // Of several files, one that cannot be read stops all before anything is recorded.
    desk.write("municipalities.csv", crate::program::MUNICIPALITIES);
    desk.run("deliver municipalities.csv other.csv --from cbs").expect(2).says("other.csv: ");
    assert!(!desk.ledger().exists());
}

#[test]
fn wrong_use_is_told_apart_from_what_is_refused_and_what_is_broken() {
    let desk = Desk::new();
    desk.write("municipalities.csv", crate::program::MUNICIPALITIES);
    for typed in [
        "",
        "deliver",
        "deliver municipalities.csv",
        "deliver municipalities.csv --from COA",
        "deliver municipalities.csv --from coa --format xml",
        "delver municipalities.csv",
        "statement NL",
        "statement NL --on yesterday",
        "statement NL --on 2026-02-30",
        "statement NL --on 2026-01-01 --known-at soon",
        "history 12",
        "history",
        "history --entry -1",
        "history 018f3b1c-7d1e-4c55-9c53-3b1f0a7c2d11 --entry 3",
        "export --from -1",
        "completions cobol",
    ] {
        let ran = desk.run(typed).expect(64);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{typed}");
    }
    desk.run("--version").expect(0).quietly();
    for typed in ["verify", "export", "statement NL --on 2026-01-01", "backup elsewhere", "restore elsewhere"]
    {
        let ran = desk.run(typed).expect(2).says("there is no ledger in");
        assert!(ran.out.is_empty(), "{typed}");
    }
    assert!(!desk.ledger().exists() && !desk.path("elsewhere").exists());
}

#[test]
fn rows_that_cannot_be_read_are_refused_in_their_place() {
    let desk = Desk::with_ledger();
    let mut bytes = file(PLACEMENTS, &[placement(1, "GM0599"), "one,two".to_owned()]).into_bytes();
    bytes.extend_from_slice(b"caf\xe9,GM0599,2025-03-03,regular,1\n");
    bytes.extend_from_slice(format!("{},too,many\n", placement(2, "GM0599")).as_bytes());
    bytes.extend_from_slice(format!("{}\n", placement(3, "GM0599")).as_bytes());
    desk.write("placements.csv", bytes);
    let ran = desk.run("deliver placements.csv --from coa --refused-to mend.csv --format json").expect(1);
    let receipt = ran.json();
    assert_eq!(totals(&receipt), [5, 2, 0, 3]);
    let told = receipt["rows"].as_array().unwrap();
    let of = |it: &Value| it["faults"][0]["problem"].as_str().unwrap_or("-").to_owned();
    let problems: Vec<_> = told.iter().map(of).collect();
    assert_eq!(
        problems,
        [
            "-",
            "this cannot be read: it has another number of cells than the header",
            "this cannot be read: it is not text in UTF-8",
            "this cannot be read: it has another number of cells than the header",
            "-"
        ]
    );
    assert_eq!(desk.read("mend.csv").lines().count(), 4);
}

#[test]
fn a_row_is_numbered_by_the_line_that_it_begins_on() {
    let desk = Desk::with_ledger();
    let header = "half_year,municipality,persons,method,reference";
    let rows = [
        "2025-I,GM0344,300,by_inhabitants,\"Letter, with a comma\"".to_owned(),
        "2025-I,GM0363,300,by_inhabitants,\"Letter\nover two lines\"".to_owned(),
        "2025-I,GM0599,x,by_inhabitants,\"Letter, with a comma\"".to_owned(),
    ];
    desk.write("allocations.csv", file(header, &rows));
    let receipt = desk.run("deliver allocations.csv --from ministry --format csv").expect(1).csv();
    let told: Vec<_> = receipt.iter().map(|it| [&it["row"][..], &it["outcome"], &it["field"]]).collect();
    assert_eq!(told, [["2", "recorded", ""], ["3", "refused", "reference"], ["5", "refused", "persons"]]);
}

#[test]
fn a_file_from_a_spreadsheet_set_to_dutch_is_read() {
    let desk = Desk::with_ledger();
    let semicolons = file(PLACEMENTS, &[placement(1, "GM0599"), placement(2, "GM0344")]).replace(',', ";");
    for (name, before) in [("marked.csv", "\u{feff}"), ("blank-line.csv", "\r\n")] {
        desk.write(name, format!("{before}{}", semicolons.replace('\n', "\r\n")));
        let receipt = desk.run(&format!("deliver {name} --from coa --format json")).expect(0).json();
        assert_eq!(totals(&receipt)[0], 2, "{name}");
        assert_eq!(totals(&receipt)[3], 0, "{name}");
    }
    let line = event(
        9,
        "grants.reported",
        r#"{"month":"2025-01","permitsGranted":1,"familyMembersArrived":2,"reference":"Letter"}"#,
    );
    desk.write("marked.jsonl", format!("\u{feff}{line}\r\n\r\n"));
    desk.run("deliver marked.jsonl --from ministry").expect(0);
}

#[test]
fn what_a_pipe_hands_out_in_small_pieces_is_judged_whole() {
    let rows = format!("{}\n", PLACEMENTS.replace(',', ";"));
    let source = "coa".parse().unwrap();
    // The file itself needs its first line in one piece, which the program sees to.
    CsvFile::open(rows.as_bytes(), source).unwrap();
    let desk = Desk::with_ledger();
    let mut command = desk.command(&["deliver", "-", "--from", "coa"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    for piece in [
        "\n",
        "place",
        "ment;municipality",
        ";counts_from;kind",
        ";persons\n",
        &placement(1, "GM0599").replace(',', ";"),
    ] {
        to.write_all(piece.as_bytes()).unwrap();
        to.flush().unwrap();
    }
    drop(to);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn standard_input_and_several_files_at_once_are_delivered() {
    let desk = Desk::with_ledger();
    let receipt = desk.run_on("deliver - --from coa --format json", mixed().as_bytes()).expect(1).json();
    assert_eq!((totals(&receipt), &receipt["file"]), ([4, 2, 0, 2], &"-".into()));
    desk.write("one.csv", file(PLACEMENTS, &[placement(11, "GM0599")]));
    desk.write("two.csv", file(PLACEMENTS, &[placement(12, "GM0599"), placement(11, "GM0599")]));
    let receipt = desk.run("deliver one.csv two.csv --from coa --format csv").expect(0).csv();
    let told: Vec<_> = receipt.iter().map(|it| [&it["file"][..], &it["row"], &it["outcome"]]).collect();
    assert_eq!(
        told,
        [["one.csv", "2", "recorded"], ["two.csv", "2", "recorded"], ["two.csv", "3", "known_already"]]
    );
    desk.run_on("deliver - --from coa", b"").expect(2).says("- is empty");
}

#[test]
fn a_line_without_end_is_refused_and_the_next_is_read() {
    let desk = Desk::with_ledger();
    let grants = |number: usize| {
        let data = format!(
            r#"{{"month":"2025-0{number}","permitsGranted":1,"familyMembersArrived":2,"reference":"Letter"}}"#
        );
        event(number, "grants.reported", &data)
    };
    let long = format!("{{\"data\":\"{}\"}}\n", "x".repeat(3 << 20));
    desk.write("events.jsonl", [grants(2), long, grants(3)].concat());
    let receipt = desk.run("deliver events.jsonl --from ministry --format json").expect(1).json();
    assert_eq!(totals(&receipt), [3, 2, 0, 1]);
    assert_eq!(
        receipt["rows"][1]["faults"][0]["problem"],
        "this cannot be read: it is longer than a million characters"
    );
    let long = |length: usize| format!("{},GM0599,2025-03-03,{},1", uuid(1), "x".repeat(length));
    desk.write("placements.csv", file(PLACEMENTS, &[long(1 << 19), placement(2, "GM0599")]));
    let receipt = desk.run("deliver placements.csv --from coa --format json").expect(1).json();
    assert_eq!(totals(&receipt), [2, 1, 0, 1]);
    // Where a row of CSV ends nobody can say who does not read it, so the file is given back.
    desk.write("endless.csv", file(PLACEMENTS, &[long(3 << 20), placement(3, "GM0599")]));
    desk.run("deliver endless.csv --from coa").expect(2).says("line 2: a row is longer than a million bytes");
}

#[test]
fn many_refused_rows_are_counted_and_the_first_are_shown() {
    let desk = Desk::with_ledger();
    let rows: Vec<_> = (0..25).map(|number| placement(number, "GM9999")).collect();
    desk.write("placements.csv", file(PLACEMENTS, &rows));
    let table = desk.run("deliver placements.csv --from coa").expect(1).quietly().out;
    assert_eq!(table.matches("unknown-municipality").count(), 20, "{table}");
    assert!(table.contains("... and 5 more refused rows"), "{table}");
    assert!(table.contains("        25  refused"), "{table}");
}

#[test]
fn nothing_but_the_receipt_comes_out_of_a_pipe() {
    let desk = Desk::with_ledger();
    let rows: Vec<_> = (0..5_000).map(|number| placement(number, "GM0599")).collect();
    desk.write("placements.csv", file(PLACEMENTS, &rows));
    let ran = desk.run("deliver placements.csv --from coa").expect(0).quietly();
    let seen = ran.out.chars().all(|it| it == '\n' || !it.is_control());
    assert!(seen, "a bar or a colour is in a pipe: {:?}", ran.out);
    assert!(ran.out.starts_with("Receipt for placements.csv from coa\n"), "{}", ran.out);
}

#[test]
fn a_reader_that_goes_early_stops_no_delivery_and_causes_no_panic() {
    let desk = Desk::with_ledger();
    let rows: Vec<_> = (0..12_000).map(|number| placement(number, "GM0599")).collect();
    desk.write("placements.csv", file(PLACEMENTS, &rows));
    let before = desk.entries().len();
    for typed in [
        "deliver placements.csv --from coa --format csv",
        "deliver placements.csv --from coa --format json",
        "export",
        "statement NL --on 2026-01-01 --by municipality",
        "statement NL --on 2026-01-01 --by municipality --format csv",
        "verify",
        "--help",
        "completions bash",
        "backup copy",
    ] {
        let arguments: Vec<_> = typed.split_whitespace().collect();
        let mut child = desk.command(&arguments).spawn().unwrap();
        let mut from = BufReader::new(child.stdout.take().unwrap());
        if typed.starts_with("deliver") || typed == "export" {
            from.read_until(b',', &mut Vec::new()).unwrap();
        }
        drop(from);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &said[..]), (Some(0), ""), "{typed}");
    }
    assert_eq!(desk.entries().len(), before + rows.len(), "the whole file was delivered");
}
