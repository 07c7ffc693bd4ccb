//! `peildatum replay --known-at` as people run it: in every format, on the demo and on a small ledger, and what is said about
//! a half-year that has no weeks to show.

use peildatum::domain::read_object;
use peildatum::ledger::WeekByWeek;

use crate::program::{Desk, Ran};
use crate::program_demo::demo;
use crate::program_schemas::valid;

/// Holds what was printed against texts, whatever the spaces between columns, and against the width of a terminal.
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

fn replayed(desk: &Desk, question: &str) -> WeekByWeek {
    let json = desk.run(&format!("replay {question} --format json")).expect(0).quietly();
    assert!(valid("weeks", &json.json()), "{}", json.out);
    let it: WeekByWeek = read_object(&json.out).unwrap();
    assert_eq!(serde_json::to_string(&it).unwrap(), json.out.trim_end());
    it
}

#[test]
fn the_miss_of_2025_i_is_seen_week_by_week_in_the_demo() {
    let desk = demo();
    let it = replayed(&desk, "--known-at 2025-I");
    let weeks = &it.weeks.weeks;
    assert_eq!((weeks.len(), weeks[0].on.to_string()), (27, "2025-01-06".to_owned()));
    // Each Monday is what its statement says, with what was known when that day began.
    for week in [&weeks[1], &weeks[13], &weeks[25]] {
        let asked = format!("statement NL --on {0} --known-at {0} --format json", week.on);
        let statement = desk.run(&asked).expect(0).json();
        let standing = week.standing.unwrap();
        assert_eq!(statement["knownAt"]["size"], week.size.unwrap());
        for (line, number) in [
            ("due", standing.due),
            ("realised", standing.realised),
            ("onSchedule", standing.on_schedule.unwrap()),
            ("pace", standing.pace.unwrap()),
            ("remaining", standing.remaining),
        ] {
            assert_eq!(statement[line], number, "{line} on {}", week.on);
        }
    }
    // The quota was lowered on 4 April, which was known on the Monday after.
    let quota = |at: usize| weeks[at].interim.unwrap();
    assert_eq!((weeks[13].on.to_string(), quota(12).in_force.count()), ("2025-04-07".to_owned(), 17_700));
    assert_eq!((quota(13).in_force.count(), quota(13).decided), (15_000, Some("revised")));
    // What became of it is what was published, and was not known on the day.
    let (last, ended) = (weeks[26].standing.unwrap(), it.weeks.ended.unwrap());
    assert_eq!((ended.due, ended.realised, ended.recorded), (27_000, 14_300, Some(12_700)));
    assert!(last.realised < ended.realised && last.remaining > ended.remaining, "{last:?} {ended:?}");
    assert_eq!(it.weeks.seen_from.map(|it| it.to_string()).as_deref(), Some("2025-01-06"));

    let table = desk.run("replay --known-at 2025-I").expect(0).quietly();
    shows(
        &table,
        &[
            "Nederland (NL): 2025-I as it looked each Monday",
            "What became of 2025-I, as known now: due 27,000, realised 14,300, remaining 12,700. As carry-over 12,700 was \
             fixed.",
            "The miss could have been seen: from Monday 6 January 2025 on every week",
            "2025-04-07 17,700 15,000 17,700 5 of 6 15,060 -2,640 revised",
            "GENERATED",
        ],
    );
    let csv = desk.run("replay --known-at 2025-I --format csv").expect(0).quietly().csv();
    assert_eq!(csv.len(), 27);
    assert!(csv.iter().all(|row| row["ended_remaining"] == "12700" && row["seen_from"] == "2025-01-06"));
    assert_eq!(csv[13]["interim_in_force"], "15000");
    assert_eq!(csv[13]["expected"], weeks[13].standing.unwrap().expected.unwrap().to_string());
}

#[test]
fn every_municipality_of_the_demo_adds_up_to_the_country_on_each_monday() {
    let desk = demo();
    let country = replayed(&desk, "NL --known-at 2022-II").weeks;
    // A surplus: no miss, though one was expected.
    assert_eq!(country.ended.map(|it| (it.due, it.realised, it.remaining)), Some((15_333, 17_126, -1_793)));
    let provinces: Vec<_> =
        (20..32).map(|it| replayed(&desk, &format!("PV{it} --known-at 2022-II")).weeks).collect();
    for (index, week) in country.weeks.iter().enumerate() {
        let each = provinces.iter().map(|it| it.weeks[index].standing.unwrap());
        let sums = each.fold((0, 0), |sum, it| (sum.0 + it.due, sum.1 + it.realised));
        assert_eq!(week.standing.map(|it| (it.due, it.realised)), Some(sums), "on {}", week.on);
    }
    shows(&desk.run("replay --known-at 2022-II").expect(0), &["There was no miss"]);
    shows(
        &desk.run("replay Rotterdam --known-at 2024-II").expect(0).quietly(),
        &["Rotterdam (GM0599): 2024-II as it looked each Monday", "2025-01-01"],
    );
    // The half-year that runs when the log ends, on 3 April 2026.
    let running = desk.run("replay --known-at 2026-I").expect(0).quietly();
    shows(
        &running,
        &[
            "From 6 April 2026 to 1 July 2026: no figures, since the log does not reach that far.",
            "What became of 2026-I is not known: the log does not reach its end.",
            "2026-04-06 - - - - - - - -",
        ],
    );
}

#[test]
fn a_half_year_without_weeks_says_why() {
    let desk = Desk::with_ledger();
    for (question, code, said) in [
        ("replay", 64, "give --scenario FILE and --on DATE, or --known-at HALF_YEAR"),
        ("replay --known-at soon", 64, "is neither a half-year (2025-I) nor a moment"),
        ("replay NL PV28 --known-at 2025-I", 64, "unexpected argument"),
        (
            "replay --known-at 2149-II",
            1,
            "the log does not reach a Monday of 2149-II: ask for an earlier half-year",
        ),
        ("replay --known-at 2024-I", 1, "no quota of 2024-I is known at log size 4: deliver it"),
        ("replay Atlantis --known-at 2025-I", 1, "no area is called \"Atlantis\" on 2025-06-30"),
        ("replay GM0001 --known-at 2025-I", 1, "GM0001 is not a municipality in the register"),
        ("replay --known-at 2025-I --ledger nowhere", 2, "nowhere"),
    ] {
        let ran = desk.run(question).expect(code);
        assert_eq!(ran.out, "", "{question}");
        ran.says(said);
    }
    assert!(!desk.path("nowhere").exists(), "asking makes no ledger");
    // A ledger that was filled afterwards knew nobody then, and says so instead of showing zeros.
    let before = desk.files();
    let late = desk.run("replay --known-at 2025-I").expect(0).quietly();
    shows(
        &late,
        &[
            "From 6 January 2025 to 1 July 2025: no figures, since nothing of the area was in the register, as known then.",
            "What became of 2025-I, as known now: due 0, realised 0, remaining 0.",
        ],
    );
    assert_eq!(desk.files(), before, "nothing is recorded");
}
