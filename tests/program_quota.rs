//! `peildatum share` and `peildatum evaluate` as people run them: in every format, on the demo and on a small ledger, and
//! what is said about a question that has no answer.

use std::collections::BTreeMap;

use peildatum::domain::read_object;
use peildatum::ledger::{Evaluated, Shared};
use serde_json::Value;

use crate::program::{Desk, Ran, event};
use crate::program_demo::demo;
use crate::program_schemas::valid;

#[track_caller]
pub fn is_narrow(ran: &Ran) {
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "wider than 80: {line:?}");
    }
}

/// Holds what was printed against texts, whatever the spaces between columns.
#[track_caller]
pub fn shows(ran: &Ran, parts: &[&str]) {
    let shown = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
}

fn sum(rows: &[BTreeMap<String, String>], column: &str) -> i64 {
    rows.iter().map(|row| row[column].parse::<i64>().unwrap()).sum()
}

/// With three municipalities, their inhabitants, and two quotas of which the second includes 1,500 of the first.
fn desk() -> Desk {
    let desk = Desk::with_ledger();
    desk.write(
        "population.csv",
        "counted_on,municipality,inhabitants\n2025-01-01,GM0344,376435\n2025-01-01,GM0363,934526\n\
         2025-01-01,GM0599,672330\n",
    );
    desk.run("deliver population.csv --from cbs").expect(0);
    let running = r#"{"halfYear":"2026-I","persons":15000,"reference":"Stcrt. 2025, 33001"}"#;
    let next = r#"{"halfYear":"2026-II","persons":16300,"window":{"from":"2026-04-01","until":"2026-09-30"},
        "includes":[{"halfYear":"2026-I","persons":1500}],"reference":"Stcrt. 2026, 10123"}"#;
    let grants = r#"{"month":"2025-10","permitsGranted":2100,"familyMembersArrived":650,"reference":"IND"}"#;
    let events = event(11, "quotas.published", running)
        + &event(12, "quotas.published", next)
        + &event(13, "grants.reported", grants);
    desk.write("events.jsonl", events);
    desk.run("deliver events.jsonl --from ministry").expect(0);
    desk
}

#[test]
fn the_shares_of_342_municipalities_are_those_of_the_act() {
    let desk = demo();
    let shares = |question: &str| {
        let json = desk.run(&format!("share 2022-I {question} --format json")).expect(0).quietly();
        assert!(valid("share", &json.json()), "{}", json.out);
        let it: Shared = read_object(&json.out).unwrap();
        assert_eq!(serde_json::to_string(&it).unwrap(), json.out.trim_end());
        assert_eq!(it.share.municipalities.iter().map(|it| it.share).sum::<i64>(), it.share.sum);
        it.share
    };
    for (total, up) in [(16_300, 16_476), (15_000, 15_163)] {
        assert_eq!(shares(&format!("--total {total} --rounding up")).sum, up);
        assert_eq!(shares(&format!("--total {total} --rounding nearest")).sum, total);
        assert_eq!(shares(&format!("--total {total} --rounding largest_remainder")).difference, 0);
    }
    // Without a number of its own: the national number, rounded as it was allocated. The sum of the municipal numbers
    // that were published differs.
    let own = shares("");
    assert_eq!((own.total.count(), own.published, own.published_for), (10_000, Some(10_020), 342));
    assert_eq!(own.rounding.name(), "largest_remainder");
    assert!(own.municipalities.iter().all(|it| it.difference == Some(it.share - it.published.unwrap())));
    let none = shares("--total 0");
    assert!(none.sum == 0 && none.municipalities.iter().all(|it| it.share == 0));
    assert_eq!(shares("--total 10000000 --rounding largest_remainder").sum, 10_000_000);

    let table = desk.run("share 2022-I --total 16300 --rounding up").expect(0).quietly();
    is_narrow(&table);
    shows(
        &table,
        &[
            "Municipal numbers of 2022-I by inhabitants",
            "difference from the national number +176",
            "Rounded up (up), as asked.",
            "By the inhabitants of 1 January 2021, as the Act says.",
            "GENERATED",
            "GM0599 Rotterdam ",
        ],
    );
    let elsewhere = desk.run("share 2026-II --counted-on 2021-01-01").expect(0).quietly();
    is_narrow(&elsewhere);
    shows(&elsewhere, &["1 January 2021, as asked; the Act says those of 1 January 2025."]);
}

#[test]
fn shares_as_csv_are_delivered_as_an_allocation() {
    let desk = desk();
    let csv = desk.run("share 2026-II --rounding nearest --format csv").expect(0).quietly();
    // Of three shares two have more than a half behind the point.
    assert_eq!(sum(&csv.csv(), "persons"), 16_301);
    desk.write("numbers.csv", &csv.out);
    let receipt = desk.run("deliver numbers.csv --from ministry --format json").expect(0).json();
    assert_eq!((&receipt["totals"]["recorded"], &receipt["totals"]["refused"]), (&3.into(), &0.into()));
    let allocation = serde_json::to_value(desk.entries().pop().unwrap()).unwrap();
    assert_eq!(allocation["type"], "quota-allocated", "{allocation}");
    let data = &allocation["data"];
    assert_eq!((&data["method"], &data["rounding"]), (&"by_inhabitants".into(), &"nearest".into()));
    assert_eq!(data["reference"], "peildatum share: 16,300 by the inhabitants of 2025-01-01");

    // And now they are in force, and rounded the same without being told.
    let it = desk.run("share 2026-II --format json").expect(0).json();
    let each = it["municipalities"].as_array().unwrap();
    assert!(each.iter().all(|it| it["difference"] == 0), "{it}");
    assert_eq!((&it["published"], &it["roundingBy"]), (&16_301.into(), &"allocation".into()));
    let again = desk.run("share 2026-II --format csv").expect(0);
    assert_eq!(again.out, csv.out);
    desk.write("numbers.csv", again.out);
    let receipt = desk.run("deliver numbers.csv --from ministry --format json").expect(0).json();
    assert_eq!(receipt["totals"]["knownAlready"], 3);
    // Of a half-year without a quota they are refused, as any allocation.
    let csv = desk.run("share 2025-II --total 9 --counted-on 2025-01-01 --format csv").expect(0).out;
    desk.write("numbers.csv", csv);
    desk.run("deliver numbers.csv --from ministry").expect(1);
}

fn evaluated(desk: &Desk, question: &str) -> Evaluated {
    let json = desk.run(&format!("evaluate {question} --format json")).expect(0).quietly();
    assert!(valid("evaluation", &json.json()), "{}", json.out);
    let it: Evaluated = read_object(&json.out).unwrap();
    assert_eq!(serde_json::to_string(&it).unwrap(), json.out.trim_end());
    it
}

#[test]
fn the_evaluations_of_the_letters_are_answered_by_the_demo() {
    let desk = demo();
    // The quota of 2024-II was kept.
    let it = evaluated(&desk, "2024-II --now-expected 17000").proposal;
    assert_eq!(
        (it.finding.name(), it.outcomes.len(), it.decided[0].decision),
        ("within_tolerance", 1, "kept")
    );
    // That of 2025-I was lowered, and the outcome is what the statement says since.
    let it = evaluated(&desk, "2025-I --now-expected 15000 --counted-on 2021-01-01").proposal;
    let [kept, lowered] = &it.outcomes[..] else { panic!("{it:?}") };
    assert_eq!(
        (it.finding.name(), lowered.decision, it.decided[0].decision),
        ("too_high", "revised", "revised")
    );
    let statement = desk.run("statement NL --on 2025-06-30 --format json").expect(0).json();
    assert_eq!((kept.periods[0].due, lowered.periods[0].due), (29_700, 27_000));
    assert_eq!(Value::from(lowered.periods[0].due), statement["due"]);
    // That of 2026-I was too low: 1,500 went into 2026-II, of which the rest is its own forecast.
    let question = "2026-I --now-expected 16500 --counted-on 2021-01-01";
    let answer = evaluated(&desk, question);
    let it = &answer.proposal;
    let [without, carried] = &it.outcomes[..] else { panic!("{it:?}") };
    assert_eq!((it.finding.name(), it.difference, carried.carried_forward), ("too_low", 1_500, 1_500));
    let national = |of: &peildatum::book::evaluation::Possible| [0, 1].map(|at| of.periods[at].national);
    assert_eq!(national(without), [Some(15_000), Some(14_800)]);
    assert_eq!(national(carried), [Some(15_000), Some(16_300)]);
    assert_eq!(carried.periods[1].due - without.periods[1].due, 1_500);
    assert_eq!(it.decided[0].carried_forward.unwrap().count(), 1_500);
    // What is due in 2026-II is what its statement says on the first day.
    let statement = desk.run("statement NL --on 2026-07-01 --format json").expect(0).json();
    assert_eq!(Value::from(carried.periods[1].due), statement["due"]);
    let each = desk.run("statement NL --on 2026-07-01 --by municipality --format csv").expect(0).csv();
    let stated = each.iter().map(|row| (row["area"].clone(), row["due"].clone(), row["remaining"].clone()));
    let shown = carried.periods[1].municipalities.iter();
    let shown = shown.map(|it| (it.code.to_string(), it.due.to_string(), it.remaining.to_string()));
    assert!(stated.eq(shown), "the outcome that was decided is what the statements say");

    let table = desk.run(&format!("evaluate {question}")).expect(0).quietly();
    is_narrow(&table);
    shows(
        &table,
        &[
            "Interim evaluation of 2026-I: a proposal",
            "Difference +1,500",
            "Too low: by the rule the quota is not raised, and the difference of 1,500 goes into 2026-II.",
            "kept, carried on yes 2026-I 15,000 15,000 24,000",
            "Decided on 3 April 2026 (position 184561)",
            "GENERATED",
        ],
    );
    let csv = desk.run(&format!("evaluate {question} --format csv")).expect(0).quietly().csv();
    assert_eq!(csv.len(), 4 * 342);
    assert_eq!(sum(&csv, "number"), 15_000 + 14_800 + 15_000 + 16_300);
    // Before the decision the same question finds none.
    let before = evaluated(&desk, &format!("{question} --known-at 2026-04-03T09:00:00Z"));
    assert!(before.proposal.decided.is_empty() && before.known_at.size < answer.known_at.size);
}

#[test]
fn what_is_expected_now_follows_from_reported_grants() {
    let desk = desk();
    let it = evaluated(&desk, "2026-I").proposal;
    assert_eq!(
        (it.now_expected.persons, it.now_expected.given, it.now_expected.of_months),
        (16_500, false, Some(6))
    );
    let before = desk.files();
    let table = desk.run("evaluate 2026-I").expect(0).quietly();
    shows(&table, &["2,750 in 1 of 6 months of the window"]);
    is_narrow(&table);
    assert_eq!(desk.files(), before, "nothing is recorded");
}

#[test]
fn a_question_about_a_quota_that_has_no_answer_says_why() {
    let desk = desk();
    for (question, code, said) in [
        ("share 2026-III", 64, "is not a half-year"),
        ("share", 64, "HALF_YEAR"),
        ("share 2026-II --total 10000001", 64, "more than the ten million persons"),
        ("share 2026-II --total -1", 64, "unexpected argument"),
        ("share 2026-II --total=+1", 64, "write digits only"),
        ("share 2026-II --rounding down", 64, "write one of up nearest largest_remainder"),
        ("share 2026-II --counted-on 2025-13-01", 64, "is not a date"),
        ("share 2026-II --known-at 99", 1, "it was never known at size 99"),
        ("share 2026-II --known-at 0", 1, "no quota of 2026-II is known at log size 0: deliver it"),
        ("share 2026-II --total 9 --known-at 0", 1, "no municipality exists on 2026-07-01"),
        ("share 2027-I", 1, "no quota of 2027-I is known at log size 8: deliver it"),
        (
            "share 2025-I",
            1,
            "inhabitants on 2024-01-01 are not recorded for GM0344, GM0363, GM0599, as known then: deliver them as a \
             file of population (docs/deliveries.md), ask as known later, or by the inhabitants of another day (there \
             are counts of 2025-01-01)",
        ),
        ("share 1990-I --total 9", 1, "were counted before 1990"),
        ("evaluate 2026-III", 64, "is not a half-year"),
        ("evaluate 2026-I --tolerance few", 64, "write digits only"),
        ("evaluate 2026-I --now-expected 10000001", 64, "more than the ten million persons"),
        ("evaluate 2027-I", 1, "no quota of 2027-I is known"),
        (
            "evaluate 2026-II",
            1,
            "no grants of 2026-04-01 to 2026-09-30 are reported, as known then. Give the number that is expected, or \
             deliver grants-reported",
        ),
        ("evaluate 2025-I --now-expected 15000", 1, "inhabitants on 2024-01-01 are not recorded"),
    ] {
        let ran = desk.run(question).expect(code);
        assert_eq!(ran.out, "", "{question}");
        ran.says(said);
    }
    desk.write("nobody.csv", "counted_on,municipality,inhabitants\n2024-01-01,GM0344,0\n2024-01-01,GM0363,0\n2024-01-01,GM0599,0\n");
    desk.run("deliver nobody.csv --from cbs").expect(0);
    desk.run("share 2025-I")
        .expect(1)
        .says("by the inhabitants recorded for 2024-01-01 nobody lives anywhere");
    desk.run("share 2026-II --ledger nowhere").expect(2);
    assert!(!desk.path("nowhere").exists(), "asking makes no ledger");
}
