//! `peildatum reconcile` as people run it: a list beside a ledger, in every format, and what is said about a list or a
//! question that makes no sense.

use std::collections::BTreeMap;

use peildatum::domain::read_object;
use peildatum::ledger::Reconciled;
use rust_xlsxwriter::Workbook;

use crate::program::{Desk, Ran, uuid};
use crate::program_schemas::valid;

/// The placements of Rotterdam and Utrecht in 2025-I, as they are delivered.
fn placements() -> String {
    let row = |number: usize, code: &str, date: &str, kind: &str, persons: usize| {
        format!("{},{code},{date},{kind},{persons}\n", uuid(number))
    };
    let rows = [
        row(1, "GM0599", "2025-02-03", "regular", 1),
        row(2, "GM0599", "2025-02-10", "regular", 1),
        row(3, "GM0599", "2025-03-03", "family_reunification", 4),
        row(4, "GM0599", "2025-06-30", "amv_foster_family", 1),
        row(5, "GM0344", "2025-02-17", "hotel_scheme", 2),
    ];
    format!("placement,municipality,counts_from,kind,persons\n{}", rows.concat())
}

/// With five placements, of which the second was taken back.
fn desk() -> Desk {
    let desk = Desk::with_ledger();
    desk.write("placements.csv", placements());
    desk.run("deliver placements.csv --from coa").expect(0);
    desk.write("withdrawals.csv", format!("placement,reason\n{},never_housed\n", uuid(2)));
    desk.run("deliver withdrawals.csv --from coa").expect(0);
    desk
}

/// Every kind of difference that these placements allow.
fn list() -> String {
    format!(
        "reference;placement;date;kind;persons\r\n\
         R-1;{one};2025-02-03;regular;1\r\n\
         R-2;{two};2025-02-10;regular;1\r\n\
         =R-3;;2025-03-05;family_reunification;4\r\n\
         R-4;{four};2025-07-01;amv_foster_family;1\r\n\
         ;{five};2025-02-17;hotel_scheme;2\r\n\
         {long};{none};2025-05-01;regular;1\r\n\
         R-7;;2025-05-02;administrative_placement;10000000\r\n",
        one = uuid(1),
        two = uuid(2),
        four = uuid(4),
        five = uuid(5),
        none = uuid(99),
        long = "R".repeat(160),
    )
}

const QUESTION: &str = "--from GM0599 --half-year 2025-I";

#[test]
fn a_list_and_the_ledger_are_compared_in_every_format() {
    let desk = desk();
    desk.write("list.csv", list());
    let before = (desk.root(), desk.files());
    let table = desk.run(&format!("reconcile list.csv {QUESTION}")).expect(0).quietly();
    assert!(table.out.lines().all(|line| line.chars().count() <= 80), "{}", table.out);
    for part in [
        "Rotterdam (GM0599): its list and the ledger\nHalf-year 2025-I\nAs known at log size 10 (last entry ",
        &format!("Root {}\n", before.0),
        "List of 7 rows, file and SHA-256\n    list.csv\n    ",
        "Same                                       1           1           1           0",
        "Other date                                 1           4           4           0",
        "Withdrawn                                  1           1           1           1",
        "Other municipality                         1           2           2           2",
        "Unknown placement                          1           1           0           1",
        "Only in the list                           1  10,000,000           0           0",
        "Realised: persons that count                           9           5           4",
        "The list realises 4 persons more than the ledger",
        "OTHER DATE\n",
        "  row 4               2025-03-05 family_reunification              4           0\n    =R-3\n",
        "  position 6          2025-03-03 family_reunification              4\n",
        &format!("    {}  for GM0344\n", uuid(5)),
        &format!("    {}\n  not in the ledger\n", uuid(99)),
    ] {
        assert!(table.out.contains(part), "{part:?} is not in\n{}", table.out);
    }
    // What is the same stands in the totals only.
    assert!(!table.out.contains("R-1\n") && table.out.contains("R-2\n"), "{}", table.out);

    let json = desk.run(&format!("reconcile list.csv {QUESTION} --format json")).expect(0).quietly();
    assert!(valid("reconciliation", &json.json()), "{}", json.out);
    let read: Reconciled = read_object(&json.out).unwrap_or_else(|fault| panic!("{fault}: {}", json.out));
    assert_eq!(serde_json::to_string(&read).unwrap(), json.out.trim_end());
    let of = &read.reconciliation;
    assert_eq!((read.list.rows, of.lines.len(), of.realised.list, of.realised.ledger), (7, 7, 9, 5));
    assert_eq!(read.checkpoint.root.to_string(), before.0);

    let csv = desk.run(&format!("reconcile list.csv {QUESTION} --format csv")).expect(0).quietly().csv();
    let effect = |row: &BTreeMap<String, String>| row["effect"].parse::<i64>().unwrap();
    assert_eq!(csv.iter().map(effect).sum::<i64>(), of.realised.difference);
    assert_eq!(csv.len(), of.lines.len());
    for (row, line) in csv.iter().zip(&of.lines) {
        assert_eq!(row["category"], line.category.name());
        assert_eq!((&row["root"], &row["list_sha256"]), (&before.0, &read.list.sha256.to_string()));
    }
    assert!(csv.iter().any(|row| row["list_reference"] == "'=R-3"), "a formula is made harmless");
    assert_eq!((desk.root(), desk.files()), before, "nothing is recorded");
}

#[test]
fn the_ledger_s_own_side_is_that_of_its_statements() {
    let desk = desk();
    // No more than a header: everything is in the ledger only.
    desk.write("list.csv", "date,kind\n");
    let numbers = |ran: Ran| {
        let json = ran.expect(0).json();
        (json["realised"]["ledger"].clone(), json["remaining"]["ledger"].clone(), json["lines"][0].clone())
    };
    let (realised, remaining, _) = numbers(desk.run(&format!("reconcile list.csv {QUESTION} --format json")));
    // The statement of the last day shows the standing at its start; nobody who counts was housed on it.
    let closed = desk.run("statement GM0599 --on 2025-06-30 --format json").expect(0).json();
    assert_eq!((&realised, &remaining), (&closed["realised"], &closed["remaining"]));
    let next = desk.run("statement GM0599 --on 2025-07-01 --format json").expect(0).json();
    assert_eq!(remaining, next["carriedOver"]["derived"]);
    // And so it was before the withdrawal.
    let known = numbers(desk.run(&format!("reconcile list.csv {QUESTION} --format json --known-at 9")));
    let closed = desk.run("statement GM0599 --on 2025-06-30 --format json --known-at 9").expect(0).json();
    assert_eq!((&known.0, &known.1), (&closed["realised"], &closed["remaining"]));
    assert_ne!(known.0, realised);
}

#[test]
fn a_delivery_a_workbook_and_a_pipe_will_do_as_lists() {
    let desk = desk();
    let own: String =
        placements().lines().filter(|it| !it.contains("GM0344")).map(|it| format!("{it}\n")).collect();
    desk.write("own.csv", &own);
    let categories = |ran: Ran| {
        let json = ran.expect(0).quietly().json();
        let lines = json["lines"].as_array().unwrap().clone();
        lines.iter().map(|it| it["category"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let by_name = "--from rotterdam --half-year 2025-I --format json";
    let expected = ["same", "same", "same", "withdrawn"];
    assert_eq!(categories(desk.run(&format!("reconcile own.csv {by_name}"))), expected);
    assert_eq!(categories(desk.run_on(&format!("reconcile - {by_name}"), own.as_bytes())), expected);
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, line) in own.lines().enumerate() {
        for (column, cell) in line.split(',').enumerate() {
            sheet.write(row as u32, column as u16, cell).unwrap();
        }
    }
    // What it is called says nothing.
    desk.write("own.txt", workbook.save_to_buffer().unwrap());
    assert_eq!(categories(desk.run(&format!("reconcile own.txt {by_name}"))), expected);

    let all = desk.run(&format!("reconcile placements.csv {by_name}")).expect(2);
    all.says(
        "placements.csv cannot be compared: row 6, column municipality: names GM0344, and GM0599 is compared",
    );
}

#[test]
fn what_cannot_be_compared_says_why() {
    let desk = desk();
    desk.write("bad.csv", "reference,date,kind\n111222333,soon,flying\nA,soon,flying\n");
    let bad = desk.run(&format!("reconcile bad.csv {QUESTION}")).expect(2);
    assert_eq!(bad.out, "");
    assert!(!bad.err.contains("111222333") && bad.err.lines().count() == 4, "{}", bad.err);
    bad.says("bad.csv cannot be compared: row 2, column reference: holds what looks like a person's number")
        .says("row 3, column date: is not a date: write YYYY-MM-DD")
        .says("row 3, column kind: is not a kind of placement");
    desk.run(&format!("reconcile none.csv {QUESTION}")).expect(2).says("cannot read none.csv");
    desk.run(&format!("reconcile ledger {QUESTION}")).expect(2).says("cannot read ledger: it is a folder");
    desk.run_on(&format!("reconcile - {QUESTION}"), b"").expect(2).says("the list is empty");

    desk.write("list.csv", list());
    for (question, code, said) in [
        ("--from GM0001 --half-year 2025-I", 1, "GM0001 is not a municipality in the register"),
        ("--from Atlantis --half-year 2025-I", 1, "no municipality is called \"Atlantis\" on 2025-06-30"),
        ("--from 111222333 --half-year 2025-I", 1, "no municipality is called \"[removed]\""),
        ("--from GM0599 --half-year 2025-I --known-at 99", 1, "it was never known at size 99"),
        ("--from GM0599 --half-year 2025-I --known-at 2", 1, "as known at log size 2"),
        ("--from GM0599 --half-year 2025-III", 64, "is not a half-year"),
        ("--from GM0599", 64, "--half-year"),
        ("--half-year 2025-I", 64, "--from"),
    ] {
        let ran = desk.run(&format!("reconcile list.csv {question}")).expect(code);
        assert!(ran.out.is_empty() && !ran.err.contains("111222333"), "{ran:?}");
        ran.says(said);
    }
    desk.run(&format!("reconcile list.csv {QUESTION} --ledger nowhere")).expect(2);
    assert!(!desk.path("nowhere").exists(), "asking makes no ledger");
}
