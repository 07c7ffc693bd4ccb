//! `peildatum replay` and `explain --scenario` as people run them: on the demo, in every format, and what is said about a file
//! that is no scenario.

use peildatum::domain::read_object;
use peildatum::ledger::Replayed;

use crate::program::{Desk, uuid};
use crate::program_demo::demo;
use crate::program_quota::{is_narrow, shows};
use crate::program_schemas::valid;

const NOT_LOWERED: &str = include_str!("../docs/examples/not-lowered.json");
const NO_HOTEL: &str = include_str!("../docs/examples/no-hotel-scheme.json");

fn replayed(desk: &Desk, question: &str) -> Replayed {
    let json = desk.run(&format!("replay {question} --format json")).expect(0).quietly();
    assert!(valid("replay", &json.json()), "{}", json.out);
    let it: Replayed = read_object(&json.out).unwrap();
    assert_eq!(serde_json::to_string(&it).unwrap(), json.out.trim_end());
    it
}

#[test]
fn the_demo_is_replayed_under_another_decision_and_another_rule() {
    let desk = demo();
    desk.write("not-lowered.json", NOT_LOWERED);
    desk.write("no-hotel.json", NO_HOTEL);
    let files = desk.files();

    // 2,700 were taken off the quota of 2025-I, and what follows from that runs on into 2026-I.
    let it = replayed(&desk, "--scenario not-lowered.json --on 2025-06-30");
    let [under] = &it.scenarios[..] else { panic!("{it:?}") };
    let [area] = &under.areas[..] else { panic!("{under:?}") };
    let difference = area.difference.unwrap();
    assert_eq!((difference.national, difference.due, difference.realised), (Some(2_700), 2_700, 0));
    assert_eq!((under.changes.supposed, under.changes.not_known_yet, it.generated), (0, 0, true));
    let each = replayed(&desk, "--scenario not-lowered.json --on 2025-06-30 --by municipality");
    let sum: i64 = each.scenarios[0].areas.iter().map(|it| it.difference.unwrap().remaining).sum();
    assert_eq!((each.scenarios[0].areas.len(), sum), (342, 2_700));
    let provinces = replayed(&desk, "--scenario not-lowered.json --on 2025-06-30 --by province");
    let of = &provinces.scenarios[0].areas;
    assert_eq!((of.len(), of.iter().map(|it| it.difference.unwrap().remaining).sum::<i64>()), (12, 2_700));
    // Before the evaluation was known, nothing is different, and the answer says so.
    let before = replayed(&desk, "--scenario not-lowered.json --on 2025-06-30 --known-at 2025-01-02");
    assert_eq!(before.scenarios[0].areas[0].difference.unwrap().remaining, 0);
    assert_eq!(before.scenarios[0].changes.not_known_yet, under.changes.left_out);

    let table = desk.run("replay Rotterdam --scenario not-lowered.json --on 2026-01-01").expect(0).quietly();
    is_narrow(&table);
    shows(
        &table,
        &[
            "Rotterdam (GM0599)",
            "Scenario: 2025-I not lowered",
            "As recorded",
            "Nothing is recorded.",
            "GENERATED",
        ],
    );
    let both = desk.run("replay --scenario not-lowered.json --scenario no-hotel.json --on 2026-01-01");
    is_narrow(&both.expect(0).quietly());
    let parts = desk
        .run("replay PV28 --scenario no-hotel.json --on 2026-01-01 --by municipality")
        .expect(0)
        .quietly();
    is_narrow(&parts);
    shows(&parts, &["Zuid-Holland (PV28) by municipality: ", "GM0599 Rotterdam"]);

    let csv =
        desk.run("replay --scenario not-lowered.json --scenario no-hotel.json --on 2026-01-01 --format csv");
    let rows = csv.expect(0).quietly().csv();
    let remaining: Vec<_> = rows.iter().filter(|row| row["line"] == "remaining").collect();
    assert_eq!(remaining.len(), 2);
    for row in remaining {
        let number = |column: &str| row[column].parse::<i64>().unwrap();
        assert_eq!(number("scenario_says") - number("as_recorded"), number("difference"));
        assert!(number("difference") > 0, "{row:?}");
    }

    // The explanation under a scenario adds up to what is replayed, and names what is only supposed.
    let json = desk.run("explain Rotterdam --scenario no-hotel.json --on 2026-01-01 --entries --format json");
    let json = json.expect(0).quietly().json();
    assert!(valid("explanation", &json), "{json}");
    let replayed = replayed(&desk, "Rotterdam --scenario no-hotel.json --on 2026-01-01");
    assert_eq!(json["standing"], replayed.scenarios[0].areas[0].scenario.unwrap().remaining);
    assert_eq!(json["scenario"], "Hotel scheme does not count");
    let behind = json["behind"].as_array().unwrap();
    assert!(behind.iter().any(|it| it["rule"]["supposed"] == true), "no rule is supposed");
    let table = desk.run("explain Rotterdam --scenario no-hotel.json --on 2026-01-01").expect(0).quietly();
    // The picture has a bar for each step, and says what the table says.
    let drawn = desk
        .run("explain Rotterdam --scenario no-hotel.json --on 2026-01-01 --chart a.svg")
        .expect(0)
        .quietly();
    assert_eq!(drawn.out, table.out);
    let (svg, steps) = (desk.read("a.svg"), json["steps"].as_array().unwrap());
    assert_eq!(svg.matches("class=\"n\"").count(), steps.len() + 2);
    let bars = steps.iter().filter(|step| step["change"] != 0).count() + 2;
    assert_eq!(svg.matches("<rect x=").count(), bars);
    assert!(svg.contains("Scenario: Hotel scheme does not count.") && svg.contains("GENERATED"), "{svg}");
    desk.run("explain Rotterdam --on 2026-01-01 --chart a.svg").expect(2).says("cannot write a new file");
    std::fs::remove_file(desk.path("a.svg")).unwrap();
    is_narrow(&table);

    assert_eq!(desk.files(), files, "a scenario writes nothing");
}

#[test]
fn a_file_that_is_no_scenario_is_refused_with_every_reason_and_its_place() {
    let desk = Desk::with_ledger();
    let told = |content: &str, code: i32, parts: &[&str]| {
        desk.write("scenario.json", content);
        let ran = desk.run("replay --scenario scenario.json --on 2025-03-01").expect(code);
        assert!(ran.out.is_empty(), "{}", ran.out);
        for part in parts {
            assert!(ran.err.contains(part), "{part:?} is not in\n{}", ran.err);
        }
    };
    let placement = uuid(77);
    told("{", 2, &["scenario.json is no scenario that can be replayed", "is not JSON"]);
    told("[]", 2, &["is not one JSON object"]);
    told("{\"without\":[]}", 2, &["name: this field is missing"]);
    told("{\"name\":\"\"}", 2, &["name: this is not a name: write one line of 1 to 60 characters"]);
    told("{\"name\":\"A\",\"sum\":1}", 2, &["field here that a scenario does not have"]);
    told("{\"name\":\"A\",\"reading\":\"mine\"}", 2, &["is not a reading"]);
    // A number of eight digits and a check digit is not repeated.
    desk.write("scenario.json", "{\"name\":\"111222333\"}");
    let ran = desk.run("replay --scenario scenario.json --on 2025-03-01").expect(2);
    assert!(ran.err.contains("name: ") && !ran.err.contains("111222333"), "{}", ran.err);
    told(
        "{\"name\":\"A\",\"without\":[{\"entry\":1,\"type\":\"quota-allocated\"},{\"entry\":-1}],\
          \"with\":[{\"type\":\"flying\",\"data\":{}},{\"type\":\"quota-allocated\",\"data\":{}}]}",
        2,
        &["without[0]: ", "without[1]", "with[0]", "with[1].data.halfYear: this field is missing"],
    );
    told(
        &format!(
            "{{\"name\":\"A\",\"without\":[{{\"entry\":400}},{{\"placement\":\"{placement}\"}},\
              {{\"type\":\"quota-allocated\",\"halfYear\":\"2031-I\"}},{{\"type\":\"placement-recorded\",\"halfYear\":\"2025-I\"}},\
              {{\"type\":\"counting-rule-set\",\"kind\":\"coa_hotel\"}}],\
              \"with\":[{{\"type\":\"placement-withdrawn\",\"data\":{{\"placement\":\"{placement}\",\"reason\":\"never_housed\"}}}},\
              {{\"type\":\"quota-published\",\"recordedOn\":\"1999-01-01\",\"data\":{{\"halfYear\":\"2025-I\",\"persons\":1,\"reference\":\"What if\"}}}}]}}"
        ),
        1,
        &[
            "the scenario \"A\" cannot be replayed:",
            "without[0]: a log of ",
            "without[1]: no such placement is recorded",
            "without[2]: no quota-allocated of 2031-I is recorded",
            "without[3]: a placement-recorded is not about one half-year",
            "without[4]: no rule about coa_hotel is recorded",
            "with[0].data.placement: no such placement was recorded: mend the id",
            "with[1].recordedOn: nothing was recorded by the end of 1999-01-01",
        ],
    );
    desk.write("scenario.json", "{\"name\":\"A\"}");
    desk.run("replay --scenario none.json --on 2025-03-01").expect(2).says("cannot read none.json");
    desk.run("replay --scenario scenario.json").expect(64);
    desk.run("replay").expect(64).says("give --scenario FILE and --on DATE, or --known-at HALF_YEAR");
    desk.run("replay --known-at 2025-03-01").expect(64).says("give --scenario FILE");
    desk.run("replay --known-at soon").expect(64).says("neither a half-year");
    let weeks = "replay --scenario scenario.json --on 2025-03-01 --known-at 2025-I";
    desk.run(weeks).expect(64).says("week by week is what was recorded");
    desk.run("replay --on 2025-03-01").expect(64);
    desk.run("replay GM0599 --scenario scenario.json --on 2025-03-01 --by province").expect(64);
    desk.run("replay GM9999 --scenario scenario.json --on 2025-03-01").expect(1).says("GM9999 is not");
    desk.run("replay --scenario scenario.json --on 2025-03-01 --known-at 4000").expect(1).says("never known");
    // JSON may write any letter by its number.
    desk.write("escaped.json", r#"{"name":"A","reading":"\u0074otal"}"#);
    desk.run("replay --scenario escaped.json --on 2025-03-01").expect(0).quietly();
    let same = desk.run("replay --scenario scenario.json --on 2025-03-01").expect(0).quietly();
    assert!(same.out.contains("leaves out 0 entries and supposes 0 events"), "{}", same.out);
}

/// What is supposed last of all stands at the place of the last entry, also where that one is left out.
#[test]
fn each_supposed_event_is_told_by_itself() {
    let desk = Desk::with_ledger();
    // The quota of 2025-I.
    let last = desk.entries().len() - 1;
    let placement = |number: usize| {
        let id = uuid(number);
        format!(
            r#"{{"type":"placement-recorded","data":{{"placement":"{id}","municipality":"GM0599","countsFrom":"2025-01-01","kind":"regular","persons":3}}}}"#
        )
    };
    let allocation = r#"{"type":"quota-allocated","data":{"halfYear":"2025-I","persons":{"GM0599":7},"method":"published","reference":"What if"}}"#;
    let with = [placement(71), placement(72), allocation.to_owned()].join(",");
    desk.write("scenario.json", format!(r#"{{"name":"A","without":[{{"entry":{last}}}],"with":[{with}]}}"#));
    let it = replayed(&desk, "GM0599 --scenario scenario.json --on 2025-03-01");
    let told = it.scenarios[0].changes;
    assert_eq!((told.left_out, told.remade, told.supposed, told.not_known_yet), (1, 0, 3, 0));
    let lines = it.scenarios[0].areas[0].scenario.unwrap();
    assert_eq!((lines.national, lines.due, lines.realised), (None, 7, 6));

    let question = "explain GM0599 --scenario scenario.json --since 2025-01-01 --on 2025-03-01 --entries";
    let csv = desk.run(&format!("{question} --format csv")).expect(0).quietly().csv();
    let rows: Vec<_> = csv
        .iter()
        .map(|row| (&*row["type"], &*row["persons"], &*row["supposed"], &*row["position"]))
        .collect();
    let one = ("placement-recorded", "3", "true", "");
    assert_eq!(rows, [one, one]);
    let json = desk.run(&format!("{question} --format json")).expect(0).quietly().json();
    assert!(valid("explanation", &json), "{json}");
    assert_eq!(json["steps"][0]["entries"], 2);
}
