//! The end of the regime as people see it: phases are delivered, and statements before and after it are asked for.

use serde_json::json;

use crate::program::{Desk, Ran, event};
use crate::program_schemas::valid;

#[track_caller]
fn shows(ran: &Ran, parts: &[&str]) {
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "wider than 80: {line:?}");
    }
    let shown = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
}

/// The quota of 2025-I with its numbers, somebody housed, and the phases; the last one begins on 1 July 2025.
fn desk() -> Desk {
    let desk = Desk::with_ledger();
    let numbers = r#"{"halfYear":"2025-I","persons":{"GM0344":9,"GM0363":20,"GM0599":15},"method":"by_inhabitants",
        "reference":"Stcrt. 2024, 30123"}"#;
    let first = r#"{"phase":"preparation","from":"2024-10-25","until":"2025-03-31","quotaInForce":true,"reference":"Note"}"#;
    let second = r#"{"phase":"implementation","from":"2025-04-01","until":"2025-06-30","quotaInForce":true,"reference":"Note"}"#;
    let third = r#"{"phase":"normalisation","from":"2025-07-01","quotaInForce":false,"reference":"Note"}"#;
    let events = event(11, "quotas.allocated", numbers)
        + &event(12, "phases.set", first)
        + &event(13, "phases.set", second)
        + &event(14, "phases.set", third);
    desk.write("events.jsonl", events);
    desk.run("deliver events.jsonl --from ministry").expect(0);
    let id = "3f2b8a54-6c1d-4e0a-9b7f-5d2c1a0e4f6";
    desk.write(
        "placements.csv",
        format!(
            "placement,municipality,counts_from,kind,persons\n{id}0,GM0599,2025-02-03,regular,5\n\
             {id}1,GM0599,2025-08-04,regular,4\n"
        ),
    );
    desk.run("deliver placements.csv --from coa").expect(0);
    desk
}

#[test]
fn after_the_end_a_statement_shows_what_remains_and_says_that_no_quota_is_in_force() {
    let desk = desk();
    let before = desk.run("statement Rotterdam --on 2025-03-01").expect(0).quietly();
    shows(
        &before,
        &["A quota is in force: the phase from 25 October 2024 until 31 March 2025 is preparation (Note)."],
    );
    let after = desk.run("statement Rotterdam --on 2025-10-01").expect(0).quietly();
    shows(
        &after,
        &[
            "Due 10 Realised 4",
            "Remaining 6 On schedule by now - Pace (realised - on schedule) - Fulfilment 40.0 %",
            "To be housed: 6 persons.",
            "No quota is in force: the phase from 1 July 2025 is normalisation (Note). Nothing new is due, what remains of \
             earlier half-years stands, and no schedule spreads it.",
        ],
    );
    assert!(!after.out.contains("is known"), "{}", after.out);
    let json = desk.run("statement Rotterdam --on 2025-10-01 --format json").expect(0).json();
    assert!(valid("statement", &json), "{json}");
    assert_eq!(
        json["regime"],
        json!({"quotaInForce": false, "phase": "normalisation", "from": "2025-07-01", "until": null, "reference": "Note"})
    );
    assert!(json["onSchedule"].is_null() && json["pace"].is_null() && json["national"].is_null());
    let row = &desk.run("statement NL --on 2025-10-01 --by municipality --format csv").expect(0).csv()[2];
    assert_eq!(
        [&row["phase"][..], &row["quota_in_force"], &row["on_schedule"], &row["pace"], &row["remaining"]],
        ["normalisation", "false", "", "", "6"]
    );
    shows(
        &desk.run("statement NL --on 2025-10-01 --by municipality").expect(0).quietly(),
        &["No quota is in force: the phase"],
    );
    // As known before the phases were recorded, a quota of the half-year was only not known yet.
    let unknown = desk.run("statement Rotterdam --on 2025-10-01 --known-at 5").expect(0).quietly();
    shows(&unknown, &["No quota of 2025-II is known.", "On schedule by now 8"]);
}

#[test]
fn a_half_year_without_a_quota_in_force_is_told_from_one_whose_quota_is_not_known() {
    let desk = desk();
    let ended = "no quota is in force in 2025-II: since 2025-07-01 the phase is normalisation (Note). What remains of \
                 earlier half-years stands in a statement";
    for (question, said) in [
        ("share 2025-II", ended),
        ("evaluate 2025-II --now-expected 9", ended),
        ("replay --known-at 2025-II", ended),
        ("share 2025-II --known-at 5", "no quota of 2025-II is known at log size 5"),
    ] {
        let ran = desk.run(question).expect(1);
        assert_eq!(ran.out, "", "{question}");
        ran.says(said);
    }
}

#[test]
fn an_evaluation_says_that_nothing_can_be_carried_beyond_the_end() {
    let desk = desk();
    desk.write(
        "population.csv",
        "counted_on,municipality,inhabitants\n2024-01-01,GM0344,9\n2024-01-01,GM0363,20\n2024-01-01,GM0599,15\n",
    );
    desk.run("deliver population.csv --from cbs").expect(0);
    let ran = desk.run("evaluate 2025-I --now-expected 17800").expect(0).quietly();
    shows(&ran, &["No quota is in force in 2025-II, so nothing can be carried into it."]);
}

#[test]
fn a_dossier_after_the_end_holds_the_phases_that_it_rests_on() {
    let desk = desk();
    desk.run("init --origin example.org/ledger").expect(0);
    desk.run("dossier Rotterdam --on 2025-10-01 -o rotterdam.zip").expect(0);
    let key = desk.read("ledger/verifier-key");
    desk.run_each(&["verify-dossier", "rotterdam.zip", "--key", key.trim()]).expect(0);
    let archive = std::fs::File::open(desk.path("rotterdam.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    let mut text = |name: &str| std::io::read_to_string(archive.by_name(name).unwrap()).unwrap();
    assert_eq!(text("entries.jsonl").matches("\"type\":\"phase-set\"").count(), 3);
    let page = text("page.html");
    assert!(page.contains("Er geldt geen taakstelling"), "{page}");
    assert!(page.contains("De fase vanaf 1 juli 2025 is normalisatie (Note)."), "{page}");
    assert!(!page.contains("Volgens fasering"), "{page}");
}
