//! `peildatum amv` and `peildatum deadlines` as people run them: in every format, on the demo and on a small ledger, and what
//! is said about a question that has no answer.

use std::collections::BTreeMap;

use peildatum::domain::read_object;
use peildatum::ledger::{CareShown, DeadlinesShown};
use serde_json::{Value, json};

use crate::program::{Desk, Ran, uuid};
use crate::program_demo::demo;
use crate::program_schemas::valid;

#[track_caller]
fn is_narrow(ran: &Ran) {
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "wider than 80: {line:?}");
    }
}

/// Holds what was printed against texts, whatever the spaces between columns.
#[track_caller]
fn shows(ran: &Ran, parts: &[&str]) {
    is_narrow(ran);
    let shown = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
}

/// One answer in JSON, held to its schema and read back.
fn answer(desk: &Desk, question: &str) -> Value {
    let ran = desk.run(&format!("{question} --format json")).expect(0).quietly();
    let schema = question.split(' ').next().expect("a command");
    assert!(valid(schema, &ran.json()), "{}", ran.out);
    let back = match schema {
        "amv" => serde_json::to_string(&read_object::<CareShown>(&ran.out).unwrap()),
        _ => serde_json::to_string(&read_object::<DeadlinesShown>(&ran.out).unwrap()),
    };
    assert_eq!(back.unwrap(), ran.out.trim_end());
    ran.json()
}

/// The numbers of an answer that add up over areas, by where they stand.
fn numbers(it: &Value, path: &str, found: &mut BTreeMap<String, i64>) {
    match it {
        Value::Object(fields) => {
            for (key, value) in fields {
                let given = ["area", "knownAt", "checkpoint", "need", "count", "withinWeeks", "months"];
                let nationwide = ["placesNeeded", "placesThere", "placesFree", "placesShort"];
                let other = ["shareWithin14Weeks", "medianWeeks"];
                if ![&given[..], &nationwide, &other].concat().contains(&key.as_str()) {
                    numbers(value, &format!("{path}.{key}"), found);
                }
            }
        }
        Value::Array(weeks) => {
            for it in weeks {
                *found.entry(format!("{path} {}", it["weeks"])).or_default() +=
                    it["persons"].as_i64().unwrap();
            }
        }
        Value::Number(number) => *found.entry(path.to_owned()).or_default() += number.as_i64().unwrap(),
        _ => {}
    }
}

#[test]
fn the_parts_of_the_country_add_up_and_are_valid() {
    let desk = demo();
    for (question, schema) in
        [("amv NL --on 2026-04-03", "amv"), ("deadlines NL --half-year 2025-II", "deadlines")]
    {
        let mut whole = BTreeMap::new();
        numbers(&answer(&desk, question), "", &mut whole);
        assert!(whole.len() > 7 && whole.values().sum::<i64>() > 1_000, "{whole:?}");
        for (by, count) in [("municipality", 342), ("province", 12)] {
            let parts = desk.run(&format!("{question} --by {by} --format json")).expect(0).quietly().json();
            let parts = parts.as_array().unwrap();
            assert_eq!(parts.len(), count);
            let mut sums = BTreeMap::new();
            for part in parts {
                assert!(valid(schema, part), "{part}");
                numbers(part, "", &mut sums);
            }
            assert_eq!(sums, whole, "{question} by {by}");
        }
    }
}

#[test]
fn the_need_of_the_letters_holds_on_the_dates_that_they_name() {
    let desk = demo();
    for (on, needed, there) in [
        ("2023-12-31", None, None),
        ("2024-01-01", Some(3_900), None),
        ("2024-07-01", Some(4_600), None),
        ("2024-11-01", Some(4_600), Some(1_720)),
        ("2025-06-30", Some(3_000), Some(1_720)),
        ("2025-07-01", Some(3_500), Some(1_720)),
        ("2026-01-01", None, Some(1_720)),
        ("2026-07-01", Some(2_620), Some(1_720)),
        ("2026-12-31", Some(2_620), Some(1_720)),
        ("2027-01-01", None, Some(1_720)),
    ] {
        let it = answer(&desk, &format!("amv NL --on {on}"));
        assert_eq!((&it["placesNeeded"], &it["placesThere"]), (&needed.into(), &there.into()), "{on}");
        let placed = it["placed"].as_i64().unwrap();
        assert_eq!(it["placesFree"], Value::from(there.map(|there: i64| there - placed)), "{on}");
        let short = needed.zip(there).map(|(needed, there): (i64, i64)| needed - there);
        assert_eq!(it["placesShort"], Value::from(short), "{on}");
        let statement = desk.run(&format!("statement NL --on {on} --format json")).expect(0).json();
        for same in ["placesNeeded", "placesThere", "placed"] {
            assert_eq!(it[same], statement["amv"][same], "{same} on {on}");
        }
    }
    // What was not known yet is not there: the places of November 2024 were reported on the 18th.
    assert!(answer(&desk, "amv NL --on 2024-12-01 --known-at 2024-11-15")["placesThere"].is_null());
}

#[test]
fn small_scale_care_is_told_as_a_table_and_as_csv() {
    let desk = demo();
    let table = desk.run("amv NL --on 2026-07-01 --within 13").expect(0).quietly();
    shows(
        &table,
        &[
            "Small-scale care of amv: Nederland (NL) On 1 July 2026 at the start of the day",
            "Places needed 2,620 Places there are 1,720 short of what is needed 900 Placed",
            "turn 18 within 13 weeks",
            "in extended care, 18 already",
            "by 30 September 2026",
            "So far: the last entry is of 3 April 2026",
            "2,620 from 2026-07-01 until 2026-12-31 (letter of 3 April 2026 (need set)).",
            "1,720, counted on 2024-11-01 (ANP November 2024 (the day was not given)).",
            "GENERATED",
        ],
    );
    let it = answer(&desk, "amv NL --on 2026-04-01");
    for number in ["turning18", "leaving", "inExtendedCare", "without18"] {
        assert!(it[number].as_i64().unwrap() > 20, "{number}: {it}");
    }
    let parts = desk.run("amv PV28 --on 2025-06-30 --by municipality").expect(0).quietly();
    shows(
        &parts,
        &[
            "Zuid-Holland (PV28) by municipality",
            "Area Needed There Placed Turn 18 Leave Extended Owed",
            "GM0599 Rotterdam - - ",
            "For this area no number of its own was given.",
        ],
    );
    let rows = desk.run("amv PV28 --on 2025-06-30 --by municipality --format csv").expect(0).csv();
    let rotterdam = rows.iter().find(|row| row["area"] == "GM0599").unwrap();
    let it = answer(&desk, "amv GM0599 --on 2025-06-30");
    assert_eq!(rotterdam["placed"], it["placed"].to_string());
    assert_eq!(rotterdam["follow_on_owed_until"], it["followOnOwed"]["until"].to_string());
    assert_eq!((&rotterdam["places_needed"][..], &rotterdam["need_until"][..]), ("", "2025-06-30"));
}

#[test]
fn deadlines_are_told_as_a_table_and_as_csv() {
    let desk = demo();
    let table = desk.run("deadlines --half-year 2025-II").expect(0).quietly();
    shows(
        &table,
        &[
            "From permit to housing in 2025-II: Nederland (NL) On 1 January 2026 at the start of the day",
            "Weeks Persons Share Up to here 0 to 4",
            "53 or more 0 0.0 % 100.0 %",
            "longer than 12 months",
            "longer than 6 months",
            "GENERATED",
        ],
    );
    let running = desk.run("deadlines NL --half-year 2026-I --by province").expect(0).quietly();
    shows(
        &running,
        &[
            "Nederland (NL) by province",
            "Area Housed No day Within Share Half Transit Hotel",
            "So far: the last entry is of 3 April 2026",
        ],
    );
    let early = desk.run("deadlines NL --half-year 2026-I --on 2026-04-01").expect(0);
    shows(&early, &["The half-year is not over on this date: it ends after 30 June 2026."]);

    let it = answer(&desk, "deadlines PV28 --half-year 2025-I --on 2025-09-01");
    let rows = desk.run("deadlines PV28 --half-year 2025-I --on 2025-09-01 --format csv").expect(0).csv();
    let value = |figure: &str| &rows.iter().find(|row| row["figure"] == figure).unwrap()["value"];
    assert_eq!(*value("housed"), it["housed"].to_string());
    assert_eq!(*value("within_14_weeks"), it["within14Weeks"].to_string());
    assert_eq!(
        value("share_within_14_weeks").parse::<f64>().unwrap(),
        it["shareWithin14Weeks"].as_f64().unwrap()
    );
    assert_eq!(*value("hotel_scheme_past_limit"), it["hotelScheme"]["pastLimit"].to_string());
    let weeks: Vec<_> = rows.iter().filter(|row| row["figure"] == "housed_within").collect();
    assert_eq!(weeks.len(), it["weeks"].as_array().unwrap().len());
    let within: i64 = weeks.iter().map(|row| row["value"].parse::<i64>().unwrap()).sum();
    assert_eq!(Value::from(within), it["withPermitDay"]);
    // In the country nobody moves away, so everybody is there whom the published number counts.
    let country = answer(&desk, "deadlines NL --half-year 2025-II");
    assert_eq!((&country["housed"], &country["withoutPermitDay"]), (&16_700.into(), &0.into()));
}

/// With somebody in each kind of care, delivered as CSV.
fn desk() -> Desk {
    let desk = Desk::with_ledger();
    let row = |number: usize, rest: &str| format!("{},GM0599,{rest}\n", uuid(number));
    let rows = [
        row(1, "2025-01-06,amv_small_scale_care,1,2024-12-02,2025-06,2025-06"),
        row(2, "2025-01-06,amv_small_scale_care,1,,2026-06,2025-03"),
        row(3, "2025-01-06,hotel_scheme,2,2024-09-30,,"),
    ];
    let header = "placement,municipality,counts_from,kind,persons,permit_granted_on,care_ends,turns_18\n";
    desk.write("placements.csv", header.to_owned() + &rows.concat());
    desk.run("deliver placements.csv --from coa").expect(0);
    desk
}

#[test]
fn what_was_delivered_is_measured_and_nothing_is_recorded() {
    let desk = desk();
    let before = desk.files();
    let it = answer(&desk, "amv Rotterdam --on 2025-06-30 --within 1");
    for (number, wanted) in [("placed", 2), ("turning18", 1), ("leaving", 1), ("inExtendedCare", 1)] {
        assert_eq!(it[number], wanted, "{number}: {it}");
    }
    assert_eq!(it["followOnOwed"], json!({"now": 0, "until": 1}));
    let it = answer(&desk, "deadlines Rotterdam --half-year 2025-I --on 2025-07-07");
    assert_eq!(it["weeks"], json!([{"weeks": 5, "persons": 1}, {"weeks": 14, "persons": 2}]));
    assert_eq!((&it["withoutPermitDay"], &it["hotelScheme"]["pastLimit"]), (&1.into(), &2.into()));
    assert_eq!(desk.files(), before, "nothing is recorded");

    let wrong = format!(
        "placement,municipality,counts_from,kind,persons,care_ends,turns_18\n\
         {},GM0599,2025-01-06,amv_small_scale_care,1,2025-05,2025-06\n{},GM0599,2025-01-06,regular,1,,2025-06\n",
        uuid(4),
        uuid(5)
    );
    desk.write("wrong.csv", wrong);
    let receipt = desk.run("deliver wrong.csv --from coa --format json").expect(1).json();
    let faults = receipt["rows"].as_array().unwrap().iter().map(|row| &row["faults"][0]);
    let faults: Vec<_> =
        faults.map(|it| [&it["code"], &it["field"]].map(|it| it.as_str().unwrap())).collect();
    let expected = [["care-ends-at-another-age", "care_ends"], ["no-coming-of-age", "turns_18"]];
    assert_eq!(faults, expected, "{receipt}");
}

#[test]
fn an_empty_ledger_and_a_wrong_question_are_told_what_to_do() {
    let desk = desk();
    for (question, code, said) in [
        ("amv", 64, "--on"),
        ("amv NL --on 2025-02-30", 64, "is not a date"),
        ("amv NL --on 2025-01-01 --within 521", 64, "is not a number of weeks up to 520: write digits only"),
        ("amv NL --on 2025-01-01 --within -1", 64, "unexpected argument"),
        ("amv NL --on 2025-01-01 --within=+1", 64, "write digits only"),
        ("amv NL --on 2025-01-01 --known-at 99", 1, "it was never known at size 99"),
        ("amv PV28 --on 2025-01-01 --by province", 64, "only NL is divided by province"),
        ("amv Atlantis --on 2025-01-01", 1, "no area is called \"Atlantis\""),
        ("amv GM0599 --on 2025-01-01 --known-at 0", 1, "GM0599 is not a municipality in the register"),
        ("amv 111222333 --on 2025-01-01", 1, "no area is called"),
        ("deadlines NL", 64, "--half-year"),
        ("deadlines NL --half-year 2025-III", 64, "is not a half-year"),
        ("deadlines NL --half-year 2025-I --on soon", 64, "is not a date"),
        ("deadlines GM9999 --half-year 2025-I", 1, "GM9999 is not a municipality in the register"),
        ("deadlines GM0599 --half-year 2025-I --by province", 64, "only NL is divided by province"),
    ] {
        let ran = desk.run(question).expect(code);
        assert_eq!(ran.out, "", "{question}");
        assert!(!ran.err.contains("111222333"), "{}", ran.err);
        ran.says(said);
    }
    for question in ["amv --on 2025-01-01", "deadlines --half-year 2149-II"] {
        shows(&desk.run(&format!("{question} --known-at 0")).expect(0), &["log size 0: nothing is recorded"]);
        let parts = desk.run(&format!("{question} --known-at 0 --by municipality")).expect(0);
        assert_eq!(parts.out, "No municipality exists on that date.\n");
        desk.run(&format!("{question} --ledger nowhere")).expect(2);
    }
    assert!(!desk.path("nowhere").exists(), "asking makes no ledger");
}
