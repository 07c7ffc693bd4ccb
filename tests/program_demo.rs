//! The main job on real figures: the demo ledger, its published national history, and the questions that people put
//! to it. It is built once and shared; each test asks a copy of its own, since a ledger is open in one program at a
//! time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use peildatum::domain::event::{Entry, Event};
use serde_json::Value;

use crate::folders::{contents, copy_dir};
use crate::program::{Desk, Ran};
use crate::witness::Witness;

/// The demo as the program built it, and what it printed.
fn built() -> &'static (PathBuf, String) {
    static BUILT: OnceLock<(PathBuf, String)> = OnceLock::new();
    BUILT.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program-demo");
        if dir.exists() {
            fs::remove_dir_all(&dir).unwrap();
        }
        let ran = Desk::new().run_each(&["demo", "--no-serve", "--ledger", dir.to_str().unwrap()]);
        (dir, ran.expect(0).quietly().out)
    })
}

/// A desk on which the demo is the ledger.
pub fn demo() -> Desk {
    let desk = Desk::new();
    copy_dir(&built().0, &desk.ledger());
    desk
}

fn json(desk: &Desk, question: &str) -> Value {
    desk.run(&format!("statement {question} --format json")).expect(0).quietly().json()
}

#[track_caller]
fn check_width(ran: &Ran) {
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "wider than 80: {line:?}");
    }
}

/// What the national figures must be; a dot where nothing is claimed.
const FIGURES: &str = "
    on          known-at    used   derived  quota  revision  due    realised
    2019-07-01  now         2540   2562     5997   0         8537   0
    2022-01-01  now         3728   3799     10020  0         13748  0
    2023-01-01  now         -1793  -1793    21211  0         19418  0
    2024-01-01  now         6400   6400     18750  0         25150  0
    2024-07-01  now         10900  10879    17000  0         27900  0
    2022-07-01  2022-08-15  1821   .        .      .         .      0
    2022-07-01  2022-10-15  1833   .        .      .         .      0
    2022-07-01  now         1810   1814     .      .         .      0
    2025-06-30  2025-01-15  .      .        17700  0         .      .
    2025-06-30  now         12000  .        17700  -2700     27000  .
    2026-01-01  now         9000   9000     15000  0         24000  0
    2026-07-01  now         .      .        16300  .         .      0
";

#[test]
fn the_country_shows_the_figures_that_were_published() {
    let desk = demo();
    let mut rows = FIGURES.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut rows = rows.by_ref().filter(|it| !it.is_empty());
    assert_eq!(rows.next().unwrap()[0], "on");
    for row in rows {
        let known_at = if row[1] == "now" { String::new() } else { format!("--known-at {}", row[1]) };
        let it = json(&desk, &format!("NL --on {} {known_at}", row[0]));
        let carried = &it["carriedOver"];
        let shown = [
            &carried["used"],
            &carried["derived"],
            &it["quota"],
            &it["revision"],
            &it["due"],
            &it["realised"],
        ];
        for (wanted, shown) in row[2..].iter().zip(shown) {
            assert!([".", &shown.to_string()].contains(wanted), "{row:?}: {it}");
        }
        let number = |part: &str| it[part].as_i64().unwrap();
        let used = carried["used"].as_i64().unwrap();
        assert_eq!(carried["difference"].as_i64().unwrap(), carried["derived"].as_i64().unwrap() - used);
        let lines = used + number("quota") + number("revision") + number("exchange") + number("boundary");
        assert_eq!(number("due"), lines, "the lines add up to the total");
        assert_eq!(number("remaining"), number("due") - number("realised"));
        assert_eq!(it["generated"], true);
    }
}

#[test]
fn the_persons_of_an_earlier_half_year_are_named_in_the_quota_that_includes_them() {
    let desk = demo();
    let included = &json(&desk, "NL --on 2026-07-01")["national"]["includes"];
    assert_eq!(included.to_string(), r#"[{"halfYear":"2026-I","persons":1500}]"#);
    let ran = desk.run("statement NL --on 2026-07-01").expect(0);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("National quota of 2026-II: 16,300, of which 1,500 from 2026-I"), "{said}");
    // The evaluation that lowered 2025-I is said the same way.
    let ran = desk.run("statement NL --on 2025-06-30").expect(0);
    assert!(ran.out.contains("National quota of 2025-I: 17,700; 15,000 in force after"), "{}", ran.out);
}

#[test]
fn each_half_year_closed_with_what_the_series_says_was_realised() {
    let said = &built().1;
    let series = include_str!("../src/demo/national_series.csv");
    let mut closed = 0;
    for row in csv::Reader::from_reader(series.as_bytes()).records().map(Result::unwrap) {
        let (half_year, realised) = (&row[0], &row[4]);
        if realised.is_empty() {
            continue;
        }
        let line = said.lines().find(|it| it.trim_start().starts_with(&format!("{half_year} "))).unwrap();
        let cells: Vec<_> = line.split_whitespace().map(|it| it.replace(',', "")).collect();
        assert_eq!(cells[6], realised, "{line}");
        if !row[3].is_empty() {
            assert_eq!(cells[5], &row[3], "{line}");
        }
        assert!(line.contains(&row[6]), "published or derived: {line}");
        closed += 1;
    }
    assert_eq!(closed, 14);
    for word in ["PUBLISHED: ", "GENERATED: "] {
        assert!(said.contains(word), "{said}");
    }
}

/// The numbers of a statement that add up over areas, by the names under which they stand.
fn lines(it: &Value) -> BTreeMap<String, i64> {
    let mut all = BTreeMap::new();
    for part in ["quota", "revision", "exchange", "boundary", "due", "realised", "remaining"] {
        all.insert(part.to_owned(), it[part].as_i64().unwrap());
    }
    for part in ["used", "derived", "difference"] {
        all.insert(format!("carried {part}"), it["carriedOver"][part].as_i64().unwrap());
    }
    for (kind, number) in it["realisedByKind"].as_object().unwrap() {
        all.insert(kind.clone(), number.as_i64().unwrap());
    }
    all.insert("in care".to_owned(), it["amv"]["placed"].as_i64().unwrap());
    all
}

#[test]
fn municipalities_and_provinces_add_up_to_the_country_on_every_line() {
    let desk = demo();
    for on in ["2023-05-17", "2026-04-03"] {
        let whole = lines(&json(&desk, &format!("NL --on {on}")));
        for (by, count) in [("municipality", 342), ("province", 12)] {
            let parts = json(&desk, &format!("NL --on {on} --by {by}"));
            let parts = parts.as_array().unwrap();
            assert_eq!(parts.len(), count);
            let mut sums: BTreeMap<String, i64> = BTreeMap::new();
            for (line, number) in parts.iter().flat_map(lines) {
                *sums.entry(line).or_default() += number;
            }
            sums.retain(|line, number| *number != 0 || whole.contains_key(line));
            assert_eq!(sums, whole, "by {by} on {on}");
        }
    }
}

#[test]
fn the_demo_is_the_same_each_time_and_is_used_again() {
    let desk = demo();
    let root = desk.root();
    // Without the option, and where nobody names a folder.
    let ran = desk.run("demo").expect(0).quietly();
    check_width(&ran);
    assert!(ran.out.starts_with("A demo ledger was built in ./peildatum-demo.\n"), "{}", ran.out);
    let again = desk.run("demo --no-serve").expect(0).quietly();
    assert!(again.out.starts_with("The demo ledger in ./peildatum-demo is used again.\n"), "{}", again.out);
    let verified = desk.run("verify --ledger peildatum-demo").expect(0).out;
    assert!(verified.contains(&root), "another history: {verified} is not {root}");
    let names: Vec<_> = fs::read_dir(desk.path(".")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing half-made stays behind: {names:?}");
}

#[test]
fn the_demo_goes_into_no_folder_that_holds_something_else() {
    let desk = Desk::with_ledger();
    let before = contents(&desk.ledger());
    desk.run("demo --ledger ledger").expect(1).says("name another folder with --ledger, or remove it");
    assert!(contents(&desk.ledger()) == before);
}

#[test]
fn an_area_is_asked_for_by_name_or_by_code() {
    let desk = demo();
    let by_code = json(&desk, "GM0599 --on 2026-01-01");
    assert_eq!(by_code["area"]["name"], "Rotterdam");
    assert_eq!(json(&desk, "rotterdam --on 2026-01-01"), by_code);
    assert_eq!(json(&desk, "Zuid-Holland --on 2026-01-01")["area"]["code"], "PV28");
    for name in ["Utrecht", "Groningen"] {
        desk.run(&format!("statement {name} --on 2026-01-01")).expect(64).says("is a municipality");
    }
    desk.run("statement Atlantis --on 2026-01-01").expect(1).says("no area is called \"Atlantis\"");
    desk.run("statement GM9999 --on 2026-01-01").expect(1).says("GM9999");
    desk.run("statement PV28 --on 2026-01-01 --by province")
        .expect(64)
        .says("only NL is divided by province");
}

#[test]
fn what_was_known_is_asked_for_by_day_by_time_and_by_size() {
    let desk = demo();
    let by_day = json(&desk, "NL --on 2022-07-01 --known-at 2022-08-15");
    // The start of that day in the Netherlands, in summer.
    assert_eq!(json(&desk, "NL --on 2022-07-01 --known-at 2022-08-15T00:00:00+02:00"), by_day);
    assert_eq!(json(&desk, "NL --on 2022-07-01 --known-at 2022-08-14T22:00:00Z"), by_day);
    let size = &by_day["knownAt"]["size"];
    assert_eq!(json(&desk, &format!("NL --on 2022-07-01 --known-at {size}")), by_day);
    let said = "so it was never known at size 99999999";
    desk.run("statement NL --on 2022-07-01 --known-at 99999999").expect(1).says(said);
}

/// A statement as it is for programs, but for what changes with every entry of the demo.
const STATEMENT: &str = r#"{"area":{"code":"NL","name":"Nederland"},"referenceDate":"2026-01-01","halfYear":"2026-I","carriedOver":{"used":9000,"recorded":9000,"derived":9000,"difference":0,"recordedFor":342},"quota":15000,"revision":0,"exchange":0,"boundary":0,"due":24000,"realised":0,"realisedByKind":{"regular":0,"family_reunification":0,"amv_small_scale_care":0,"hotel_scheme":0,"transit_location":0,"resettled":0},"remaining":24000,"onSchedule":0,"pace":0,"fulfilment":0.0,"backlog":9000,"surplus":0,"reading":"oldest_first","municipalities":{"count":342,"backlog":B,"surplus":S},"regime":{"quotaInForce":true,"phase":null,"from":null,"until":null,"reference":null},"national":{"quota":15000,"inForce":15000,"includes":[],"evaluation":null,"reference":"letter of 3 April 2026"},"amv":{"placesNeeded":null,"placesThere":1720,"placed":P},"contested":{"objections":0,"persons":0,"difference":0},"generated":true,"knownAt":{"size":N,"time":"2026-04-03T10:00:00.000Z"},"checkpoint":{"size":N,"root":"R"}}
"#;

/// The columns of statements, which programs rely on.
const COLUMNS: &str = "area,name,reference_date,known_at_size,known_at_time,half_year,carried_over_used,\
    carried_over_recorded,carried_over_derived,carried_over_difference,carried_over_recorded_for,quota,revision,exchange,boundary,due,realised,\
    realised_regular,realised_family_reunification,realised_article_8_family,realised_amv_small_scale_care,\
    realised_amv_foster_family,realised_amv_up_to_14,realised_amv_coa_unit,realised_hotel_scheme,\
    realised_transit_location,realised_flexible_scheme,realised_resettled,realised_guest_scheme,realised_coa_hotel,\
    realised_administrative_placement,remaining,on_schedule,pace,fulfilment,backlog,surplus,reading,municipalities,\
    municipalities_backlog,municipalities_surplus,phase,quota_in_force,national_quota,national_in_force,amv_places_needed,amv_places_there,amv_placed,contested_objections,contested_persons,contested_difference,generated,root";

#[test]
fn json_and_csv_keep_their_names_and_their_order() {
    let desk = demo();
    let ran = desk.run("statement NL --on 2026-01-01 --format json").expect(0);
    let it = ran.json();
    let wanted = STATEMENT
        .replace("\"backlog\":B", &format!("\"backlog\":{}", it["municipalities"]["backlog"]))
        .replace("\"surplus\":S", &format!("\"surplus\":{}", it["municipalities"]["surplus"]))
        .replace("\"placed\":P", &format!("\"placed\":{}", it["amv"]["placed"]))
        .replace("\"size\":N", &format!("\"size\":{}", it["checkpoint"]["size"]))
        .replace("\"R\"", &it["checkpoint"]["root"].to_string());
    assert_eq!(ran.out, wanted);
    let csv = desk.run("statement NL --on 2026-01-01 --format csv").expect(0);
    assert_eq!(csv.out.lines().next().unwrap(), COLUMNS);
    let row = &csv.csv()[0];
    assert_eq!([&row["due"][..], &row["generated"], &row["fulfilment"]], ["24000", "true", "0.0000"]);
}

#[test]
fn every_table_fits_a_terminal_and_says_what_is_generated() {
    let desk = demo();
    for question in [
        "NL --on 2025-06-30",
        "Rotterdam --on 2023-01-01 --known-at 2022-12-01 --reading current_first",
        "NL --on 2026-04-03 --by municipality --reading total",
        "--on 2025-07-01 --by province",
    ] {
        let ran = desk.run(&format!("statement {question}")).expect(0).quietly();
        check_width(&ran);
        assert!(ran.out.contains("GENERATED: "), "{question}: {}", ran.out);
    }
    // The longest names stay whole, or are broken between two words.
    let ran = desk.run("statement PV28 --on 2026-01-01 --by municipality").expect(0);
    for name in [
        " Leidschendam-Voorburg ",
        " Hendrik-Ido-Ambacht ",
        " Hardinxveld-Giessendam ",
        " Remains ",
        " Fulfilled ",
    ] {
        assert!(ran.out.contains(name), "{name}: {}", ran.out);
    }
    let first = &built().1;
    let table: Vec<_> = first.lines().skip(4).take(15).collect();
    assert!(
        table[0].split_whitespace().eq([
            "Period", "Carried", "derived", "Quota", "Revised", "Due", "Realised", "Remains", "Figures"
        ]),
        "{table:?}"
    );
    assert!(table[1..].iter().all(|it| it.trim_start().starts_with("20")), "a row to a line: {table:#?}");
    assert!(table.iter().all(|it| it.chars().count() <= 80), "{table:#?}");
}

#[test]
fn the_history_of_a_placement_tells_what_was_withdrawn_and_what_moved() {
    let desk = demo();
    let exported = desk.run("export").expect(0).quietly().out;
    let find = |kind: &str| {
        let line = exported.lines().find(|it| it.contains(&format!("\"type\":\"{kind}\""))).unwrap();
        Entry::decode(line.as_bytes()).unwrap()
    };
    for (kind, word) in
        [("placement-withdrawn", "withdrawn ("), ("placement-transferred", "transferred: from")]
    {
        let entry = find(kind);
        let placement = entry.event.placement().expect("it is about a placement");
        let table = desk.run(&format!("history {placement}")).expect(0).quietly();
        check_width(&table);
        let by_position = desk.run(&format!("history --entry {}", entry.position)).expect(0).quietly();
        assert_eq!(by_position.out, table.out);
        assert!(table.out.contains("recorded: 1 for GM") && table.out.contains(word), "{}", table.out);
        assert!(table.out.contains(&format!("{:>9}  ", entry.position.to_string())), "{}", table.out);
        let json = desk.run(&format!("history {placement} --format json")).expect(0).json();
        let told = json.as_array().unwrap();
        // Each entry as it was stored, in the order of the log.
        for it in told {
            let position = it["position"].as_u64().unwrap() as usize;
            let stored: Value = serde_json::from_str(exported.lines().nth(position).unwrap()).unwrap();
            assert_eq!(*it, stored);
        }
        assert!(told.len() >= 2 && told.iter().any(|it| it["type"] == kind), "{json}");
    }
    desk.run("history 00000000-0000-4000-8000-000000000000").expect(1).says("no such placement");
    desk.run("history --entry 99999999").expect(1).says("has none at position 99999999");

    let mut decoded = 0;
    for (position, line) in exported.lines().enumerate() {
        let entry = Entry::decode(line.as_bytes()).unwrap();
        assert_eq!(entry.position.0, position as u64);
        decoded += 1;
    }
    let from = desk.run(&format!("export --from {}", decoded - 3)).expect(0).out;
    assert!(exported.ends_with(&from) && from.lines().count() == 3);
    desk.run("export -o entries.jsonl").expect(0).quietly();
    assert!(desk.read("entries.jsonl") == exported);
    desk.run("export -o entries.jsonl").expect(2).says("cannot write a new file");
    desk.run(&format!("export --from {}", decoded + 1)).expect(1);
}

#[test]
fn the_examples_of_the_help_run() {
    let desk = demo();
    let exported = desk.run("export --from 100000").expect(0).out;
    let known = exported.lines().find(|it| it.contains("\"type\":\"placement-recorded\"")).unwrap();
    let known = Entry::decode(known.as_bytes()).unwrap();
    let Event::PlacementRecorded(known) = known.event else { unreachable!() };
    desk.write("placements.csv", "placement,municipality,counts_from,kind,persons\n");
    let grants = r#"{"month":"2025-01","permitsGranted":1,"familyMembersArrived":2,"reference":"Letter"}"#;
    desk.write("events.jsonl", crate::program::event(1, "grants.reported", grants));
    desk.write("not-lowered.json", include_str!("../docs/examples/not-lowered.json"));
    copy_dir(&desk.ledger(), &desk.path("peildatum-demo"));
    let help = desk.run("--help").expect(0).quietly();
    let witness = Witness::new("witness.example/w1");
    for command in [
        "init",
        "checkpoint",
        "prove",
        "witness",
        "demo",
        "deliver",
        "statement",
        "amv",
        "deadlines",
        "replay",
        "history",
        "verify",
        "export",
        "backup",
        "restore",
        "completions",
    ] {
        assert!(help.out.contains(&format!("\n  {command}")), "{command} is not in the list of commands");
        let help = desk.run(&format!("{command} --help")).expect(0).quietly();
        check_width(&help);
        let examples: Vec<_> = help.out.lines().filter_map(|it| it.strip_prefix("  peildatum ")).collect();
        assert!(!examples.is_empty(), "{command} shows no example");
        for example in examples {
            // A server is delivered to in `program_remote`.
            if example.contains("--to ") {
                continue;
            }
            // Pipes and redirections are the shell's; the folders and ids are those of this desk.
            let typed = example.split(['|', '>']).next().unwrap();
            let typed = typed.replace("/mnt/backup/", "saved-").replace("/secrets/", "secret-");
            let typed = typed.replace("add KEY", &format!("add {}", witness.verifier()));
            let typed = typed.replace("018f3b1c-7d1e-4c55-9c53-3b1f0a7c2d11", &known.id().to_string());
            let said = desk.run(&typed).expect(0).out;
            if typed.trim() == "checkpoint" {
                let text = said.split_inclusive('\n').take(3).collect::<String>();
                desk.write("2026-04-03.checkpoint", &said);
                desk.write("cosigned.checkpoint", said + &witness.cosign(&text, 1_775_210_400));
            }
        }
    }
}

#[test]
fn a_shell_is_given_its_completions() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.run(&format!("completions {shell}")).expect(0).quietly().out;
        assert!(script.contains("peildatum") && script.contains("known-at"), "{shell}");
    }
}
