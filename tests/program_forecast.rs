//! `peildatum forecast` as people run it: in every format, on the demo and on a small ledger, and what is said about a plan
//! or a question that makes no sense.

use std::fs;
use std::path::Path;

use peildatum::domain::person_number::holds_person_number;
use peildatum::domain::read_object;
use peildatum::ledger::Forecasted;

use crate::program::{Desk, Ran, event};
use crate::program_demo::demo;
use crate::program_schemas::valid;

fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[track_caller]
fn is_narrow(ran: &Ran) {
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "wider than 80: {line:?}");
    }
}

/// The demo, with the plan of the examples where the help and the page have it.
fn desk() -> Desk {
    let desk = demo();
    fs::create_dir_all(desk.path("docs/examples")).unwrap();
    desk.write("docs/examples/production-plan.csv", page("docs/examples/production-plan.csv"));
    desk
}

fn forecast(desk: &Desk, question: &str) -> Forecasted {
    let json = desk.run(&format!("forecast {question} --format json")).expect(0).quietly();
    assert!(valid("forecast", &json.json()), "{}", json.out);
    let it: Forecasted = read_object(&json.out).unwrap();
    assert_eq!(serde_json::to_string(&it).unwrap(), json.out.trim_end());
    it
}

const PLAN: &str = "--plan docs/examples/production-plan.csv";

#[test]
fn the_forecasts_of_the_letters_are_answered_by_the_demo() {
    let desk = desk();
    let before = desk.files();
    // The band of 2025-I was 17,700 to 23,800, and its lower end was chosen.
    let answer = forecast(&desk, &format!("2025-I {PLAN}"));
    let it = &answer.forecast;
    let grants = it.recent_grants.as_ref().unwrap();
    assert_eq!((grants.sum, grants.months.len(), grants.persons), (35_400, 12, 17_700));
    assert_eq!(it.production_plan.as_ref().unwrap().persons, 23_800);
    assert_eq!(it.band.map(|it| (it.lower, it.upper)), Some((17_700, 23_800)));
    let published = it.published.as_ref().unwrap();
    let band = published.band.unwrap();
    assert_eq!((published.chosen, band.lower.count(), band.upper.count()), (17_700, 17_700, 23_800));
    assert!(it.generated);
    assert_eq!(answer.plan.as_ref().unwrap().file, "production-plan.csv");
    // On the day of publication September was not reported yet.
    let then = forecast(&desk, "2025-I --known-at 2024-10-01");
    let grants = then.forecast.recent_grants.unwrap();
    assert_eq!((grants.until.to_string().as_str(), grants.persons), ("2024-08", 17_700));
    assert!(then.forecast.band.is_none() && then.plan.is_none() && then.known_at.size < answer.known_at.size);

    // What came, with the half-years of which a month is missing.
    let half_year = |text: &str| it.past.iter().find(|it| it.half_year.to_string() == text).unwrap();
    assert_eq!(half_year("2024-II").came, Some(17_000));
    assert_eq!((half_year("2025-I").came, half_year("2025-I").difference), (Some(15_000), Some(-2_700)));
    let running = half_year("2026-I");
    assert_eq!((running.came, running.reported, running.missing.len()), (None, 13_750, 1));
    let next = forecast(&desk, "2026-II").forecast;
    assert_eq!((next.published.unwrap().chosen, next.window_published, next.of_months), (14_800, true, 6));
    assert_eq!(next.past.len(), 15, "the window of 2026-II is not over");

    // The page of the documentation shows what is printed, but for the heading and the last words.
    let table = desk.run(&format!("forecast 2025-I {PLAN}")).expect(0).quietly();
    is_narrow(&table);
    assert!(table.out.starts_with("Forecast of 2025-I\nAs known at log size "), "{}", table.out);
    assert!(table.out.contains("\nGENERATED: "), "{}", table.out);
    let (_, below) = table.out.split_once("\n\n").unwrap();
    let (below, _) = below.split_once("\nGENERATED").unwrap();
    let documented = page("docs/forecasting.md");
    assert!(
        documented.contains(&format!("```\n{below}```\n")),
        "docs/forecasting.md shows something else than\n{below}"
    );
    assert!(documented.contains(&format!("```\n{}```\n", page("docs/examples/production-plan.csv"))));

    let csv = desk.run(&format!("forecast 2025-I {PLAN} --format csv")).expect(0).quietly().csv();
    let of = |line: &str| csv.iter().filter(|row| row["line"] == line).collect::<Vec<_>>();
    let count = |line: &str| of(line).len();
    assert_eq!((count("recent_grants_month"), count("production_plan_category"), count("past")), (12, 3, 15));
    assert_eq!((&*of("band")[0]["lower"], &*of("band")[0]["upper"]), ("17700", "23800"));
    assert_eq!(of("past").iter().find(|row| row["half_year"] == "2026-I").unwrap()["missing"], "2026-03");
    assert!(csv.iter().all(|row| row["root"] == answer.checkpoint.root.to_string()));
    assert_eq!(desk.files(), before, "nothing is recorded");
}

#[test]
fn the_examples_of_the_help_forecast() {
    let desk = desk();
    let help = desk.run("forecast --help").expect(0).quietly();
    is_narrow(&help);
    let joined = help.out.replace("\\\n", " ");
    let examples: Vec<_> = joined.lines().filter_map(|it| it.strip_prefix("  peildatum ")).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        desk.run(example).expect(0).quietly();
    }
}

#[test]
fn a_plan_comes_by_a_pipe_and_in_the_dialect_of_a_dutch_spreadsheet() {
    let desk = desk();
    let whole = forecast(&desk, &format!("2025-I {PLAN}")).forecast;
    let dutch = page("docs/examples/production-plan.csv").replace(',', ";").replace('\n', "\r\n");
    let ran = desk.run_on("forecast 2025-I --plan - --format json", dutch.as_bytes()).expect(0).quietly();
    let it: Forecasted = read_object(&ran.out).unwrap();
    assert_eq!((it.plan.unwrap().file.as_str(), it.forecast), ("-", whole));
}

#[test]
fn what_makes_no_sense_is_said_with_what_to_do() {
    let desk = Desk::with_ledger();
    desk.write(
        "plan.csv",
        "month,category,decisions,grant_rate\n2024-10,general,1000,50\n2024-11,general,1001,50\n",
    );
    // Without any grants, and with a plan that lacks four months.
    let ran = desk.run("forecast 2025-I --plan plan.csv").expect(0).quietly();
    is_narrow(&ran);
    let shown = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Scenario 1: recent grants - Scenario 2: production plan 1,001 Band of the two - Band as published - Number that was \
         chosen 17,700",
        "Scenario 1: none of the twelve months that it averages is reported",
        "NOT IN THE PLAN: general for 2024-12, 2025-01, 2025-02, 2025-03.",
        "NOT REPORTED: any month of the windows of 2025-I.",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{}", ran.out);
    }
    for (question, code, said) in [
        ("forecast", 64, "HALF_YEAR"),
        ("forecast 2025-III", 64, "is not a half-year"),
        ("forecast 2025-I --measured-on 2024-13", 64, "is not a month"),
        ("forecast 2025-I --known-at 99", 1, "it was never known at size 99"),
        (
            "forecast 2025-I",
            1,
            "nothing says what is expected for 2025-I: no grants of the twelve months before 2024-10-01 are reported, as \
             known then, and there is no plan. Deliver grants-reported, or give a plan",
        ),
        ("forecast 2025-I --measured-on 2024-10", 1, "does not lie before the window of 2025-I"),
        ("forecast 2026-II --plan plan.csv", 1, "no row of the plan counts in the window of 2026-II"),
        ("forecast 2025-I --plan nowhere.csv", 2, "cannot read nowhere.csv"),
        ("forecast 2025-I --plan ledger", 2, "cannot read ledger: it is a folder"),
        ("forecast 2025-I --plan plan.csv --ledger nowhere", 2, "nowhere"),
    ] {
        let ran = desk.run(question).expect(code);
        assert_eq!(ran.out, "", "{question}");
        ran.says(said);
    }
    assert!(!desk.path("nowhere").exists(), "asking makes no ledger");
    // A number of a person is repeated nowhere, wherever it stands.
    let wrong = "month,category,decisions,grant_rate\n2024-10,111222333,1,50\nsoon,general,2801234567,50\nsoon,general,1,500\n";
    desk.write("111222333.csv", wrong);
    let ran = desk.run("forecast 2025-I --plan 111222333.csv").expect(2);
    assert!(!holds_person_number(&ran.err) && ran.out.is_empty(), "{ran:?}");
    ran.says(
        "[removed].csv is no plan that can be computed with: row 2, column category: holds what looks like",
    )
    .says("row 4, column month: is not a month")
    .says("row 4, column grant_rate: is not a percentage");
    // A category is free, and no spreadsheet takes it for a formula.
    desk.write("plan.csv", "month,category,decisions,grant_rate\n2024-10,=1+1,1000,50\n");
    let csv = desk.run("forecast 2025-I --plan plan.csv --format csv").expect(0).csv();
    assert!(csv.iter().any(|row| row["category"] == "'=1+1"));
    // With one month that is reported, the other eleven are named.
    let grants = r#"{"month":"2024-09","permitsGranted":2000,"familyMembersArrived":500,"reference":"IND"}"#;
    desk.write("events.jsonl", event(21, "grants.reported", grants));
    desk.run("deliver events.jsonl --from ind").expect(0);
    let it = forecast(&desk, "2025-I").forecast.recent_grants.unwrap();
    assert_eq!((it.persons, it.missing.len()), (15_000, 11));
    let ran = desk.run("forecast 2025-I").expect(0);
    is_narrow(&ran);
    assert!(ran.out.contains("NOT REPORTED: 2023-10, 2023-11,"), "{}", ran.out);
}
