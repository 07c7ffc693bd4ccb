//! What an auditor asks of the demo: how a standing arose, and how often it was restated.

use serde_json::Value;

use crate::program::Ran;
use crate::program_demo::demo;

fn width_of(ran: &Ran) -> usize {
    ran.out.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

fn number(of: &Value, name: &str) -> i64 {
    of[name].as_i64().unwrap_or_else(|| panic!("{name} in {of}"))
}

#[test]
fn an_explanation_adds_up_in_every_form_and_each_entry_behind_it_is_in_the_log() {
    let desk = demo();
    let question = "explain Rotterdam --on 2022-10-01 --since 2022-07-01 --known-since 2022-08-15";
    let it = desk.run(&format!("{question} --entries --format json")).expect(0).quietly().json();
    let steps = it["steps"].as_array().unwrap();
    let change: i64 = steps.iter().map(|step| number(step, "change")).sum();
    assert_eq!(number(&it, "standingSince") + change, number(&it, "standing"));
    let causes: Vec<_> = steps.iter().map(|step| step["cause"].as_str().unwrap()).collect();
    for cause in ["happened", "learned_of_before", "learned_of_between"] {
        assert!(causes.contains(&cause), "{causes:?}");
    }
    let at = |on: &str, known: &str| {
        let statement = desk.run(&format!("statement Rotterdam --on {on} {known} --format json"));
        number(&statement.expect(0).json(), "remaining")
    };
    assert_eq!(number(&it, "standingSince"), at("2022-07-01", "--known-at 2022-08-15"));
    assert_eq!(number(&it, "standingAsKnownBefore"), at("2022-10-01", "--known-at 2022-08-15"));
    assert_eq!(number(&it, "standing"), at("2022-10-01", ""));

    // The entries behind each step move what it says, and stand in the log as they are shown.
    let log = desk.entries();
    let behind = it["behind"].as_array().unwrap();
    for (index, step) in steps.iter().enumerate() {
        let entries: Vec<_> = behind.iter().filter(|it| number(it, "step") == index as i64).collect();
        assert_eq!(entries.len() as i64, number(step, "entries"), "{step}");
        if step["line"] != "carry_over" {
            let moved: i64 = entries.iter().map(|it| number(it, "persons")).sum();
            assert_eq!(moved, number(step, "persons"), "{step}");
        }
        for entry in entries {
            let stored = &log[number(entry, "position") as usize];
            assert_eq!(entry["type"], stored.event.name().to_string());
            assert_eq!(entry["delivery"], stored.delivery.to_string());
            assert_eq!(entry["rule"].is_object(), step["kind"].is_string(), "why it counts: {entry}");
        }
    }

    let table = desk.run(&format!("{question} --entries")).expect(0).quietly();
    assert!(width_of(&table) <= 80, "{}", table.out);
    assert!(table.out.contains("counts by default"), "{}", table.out);
    let rows = desk.run(&format!("{question} --format csv")).expect(0).quietly().csv();
    let changes = rows.iter().filter_map(|row| row["change"].parse::<i64>().ok());
    assert_eq!(changes.sum::<i64>(), change);
    assert_eq!(rows.last().unwrap()["standing"], number(&it, "standing").to_string());
    let rows = desk.run(&format!("{question} --entries --format csv")).expect(0).quietly().csv();
    assert_eq!(rows.len(), behind.len());
}

#[test]
fn the_restated_standings_of_the_letters_come_out_with_who_restated_them_when() {
    let desk = demo();
    let restated = |half_year: &str| {
        desk.run(&format!("restatements NL {half_year} --format json")).expect(0).quietly().json()
    };
    let fixed = |it: &Value| -> Vec<i64> {
        let all = it["restated"].as_array().unwrap().iter();
        let mut fixed: Vec<_> = all.filter_map(|it| it["standing"]["recorded"].as_i64()).collect();
        fixed.dedup();
        fixed
    };
    // Published as 3,728, and 3,799 follows from the entries.
    let it = restated("2021-II");
    assert_eq!((number(&it["now"], "derived"), fixed(&it)), (3_799, vec![3_728]));
    assert_eq!(number(&it["now"], "difference"), 71);
    // Published as 1,821, as 1,833 and as 1,810.
    let it = restated("2022-I");
    assert_eq!((number(&it["now"], "derived"), fixed(&it)), (1_814, vec![1_821, 1_833, 1_810]));
    let mut standing = number(&it["atClosing"], "derived");
    for change in it["restated"].as_array().unwrap() {
        standing += number(change, "change");
        assert_eq!(number(&change["standing"], "derived"), standing);
        assert!(number(change, "daysAfterClosing") >= 0, "{change}");
        let known_at = number(&change["knownAt"], "size");
        let statement =
            desk.run(&format!("statement NL --on 2022-07-01 --known-at {known_at} --format json"));
        let carried = &statement.expect(0).json()["carriedOver"];
        assert_eq!(number(carried, "derived"), standing, "as known at {known_at}");
        assert_eq!(carried["recorded"], change["standing"]["recorded"]);
    }
    assert_eq!(standing, number(&it["now"], "derived"));

    let table = desk.run("restatements Rotterdam 2022-I --entries").expect(0).quietly();
    assert!(width_of(&table) <= 80, "{}", table.out);
    let rows = desk.run("restatements Rotterdam 2022-I --entries --format csv").expect(0).quietly().csv();
    assert!(rows.iter().all(|row| row["days_late"].parse::<i64>().unwrap() > 0));
}

#[test]
fn what_cannot_be_explained_or_restated_says_why_and_what_to_do() {
    let desk = demo();
    for (typed, code, why) in [
        ("explain NL --on 2022-01-01 --since 2022-01-02", 64, "2022-01-02 is after 2022-01-01"),
        ("explain NL --on 2022-01-01 --since 2022-01-01", 64, "give an earlier date, or an earlier state of"),
        ("explain NL --on 2022-01-01 --known-since 20 --known-at 10", 64, "log size 20 is larger than 10"),
        ("explain NL --on 2022-01-01 --known-at 999999", 1, "ask for 184562 or less"),
        ("explain GM9999 --on 2022-01-01", 1, "GM9999 is not a municipality in the register"),
        ("explain Nergens --on 2022-01-01", 1, "no area is called"),
        ("restatements NL 2026-I", 1, "2026-I is not over as known then"),
        ("restatements NL 2022-I --known-at 2022-05-01", 1, "2022-I is not over as known then"),
        ("restatements NL 2022-III", 64, "half-year"),
        ("restatements GM9999 2022-I", 1, "GM9999 is not a municipality in the register"),
    ] {
        let ran = desk.run(typed).expect(code);
        assert!(ran.err.contains(why) && ran.out.is_empty(), "{typed}: {}", ran.err);
    }
}
