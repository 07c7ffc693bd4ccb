//! What somebody without a role sees: all totals on any date, and numbers by kind on one day in each half-year, with the small
//! ones and what would give them away hidden, in the municipality and in every sum of it.

use std::cell::Cell;
use std::io::Cursor;

use peildatum::book::statement::Reading;
use peildatum::domain::area::{Area, Province};
use peildatum::domain::placement::PlacementKind;
use peildatum::domain::time::{Day, LogSize, RecordedAt, ReferenceDate};
use peildatum::feed::{csv::CsvFile, deliver};
use peildatum::ledger::{Answer, By, KnownAt, Ledger, Outside};
use peildatum::report::public::{PublicStatement, PublicTable, SMALL, Shown};
use peildatum::store::Access;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{model, strategies, world};

/// A ledger on 15 April 2026, with two municipalities in one province and one in another.
struct Desk {
    ledger: Ledger,
    placed: usize,
    _folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now: RecordedAt = "2026-04-15T10:00:00Z".parse().unwrap();
        let mut count = 0_u128;
        let ids = move |at: RecordedAt| {
            count += 1;
            let bytes: [u8; 10] = count.to_be_bytes()[6..].try_into().unwrap();
            uuid::Builder::from_unix_timestamp_millis(at.millis().unsigned_abs(), &bytes).into_uuid()
        };
        let outside = Outside { clock: Box::new(move || now), ids: Box::new(ids) };
        let path = folder.path().join("ledger");
        let (ledger, _) = Ledger::open(&path, Access::CreateIfAbsent, outside, &mut |_| {}).unwrap();
        let mut desk = Self { ledger, placed: 0, _folder: folder };
        desk.send("code,name,province,safety_region,from\nGM0599,Rotterdam,PV28,VR17,1990-01-01\nGM0505,Dordrecht,PV28,VR18,1990-01-01\nGM0344,Utrecht,PV26,VR09,1990-01-01\n");
        desk
    }

    fn send(&mut self, file: &str) {
        let source: peildatum::domain::source::Source = "coa".parse().unwrap();
        let file = CsvFile::open(Cursor::new(file.to_owned()), source.clone()).unwrap();
        let (_, totals) = deliver(&mut self.ledger, &source, file, &mut |_| Ok(())).unwrap();
        assert_eq!(totals.recorded, totals.rows);
    }

    /// Houses so many persons on 2 February.
    fn house(&mut self, municipality: &str, kind: &str, persons: u32) {
        self.placed += 1;
        let id = format!("{:08x}-5a1e-4b0c-8d2f-0123456789ab", self.placed);
        let row = format!("{id},{municipality},2026-02-02,{kind},{persons}");
        self.send(&format!("placement,municipality,counts_from,kind,persons\n{row}\n"));
    }

    fn answers(&self, area: &str, by: By, on: &str, known_at: KnownAt) -> (PublicTable, Vec<Answer>) {
        let on: Day = on.parse().unwrap();
        let as_of = self.ledger.as_of(ReferenceDate(on), known_at).unwrap();
        let area: Area = area.parse().unwrap();
        let answers = self.ledger.statements(area, by, as_of, Reading::OldestFirst).unwrap();
        (PublicTable::ask(&self.ledger, as_of).unwrap(), answers)
    }

    fn public(&self, area: &str, on: &str) -> Value {
        let (table, answers) = self.answers(area, By::Whole, on, KnownAt::Now);
        serde_json::to_value(table.statement(&answers[0])).unwrap()
    }
}

/// Rotterdam with everything large but two kinds, Dordrecht with two kinds, and Utrecht with nothing small.
fn three() -> Desk {
    let mut desk = Desk::new();
    let kinds = [
        ("regular", [167, 40, 90]),
        ("family_reunification", [31, 0, 20]),
        ("amv_small_scale_care", [9, 12, 14]),
        ("hotel_scheme", [2, 0, 8]),
        ("transit_location", [0, 0, 8]),
        ("resettled", [0, 0, 5]),
    ];
    for (kind, persons) in kinds {
        for (municipality, persons) in ["GM0599", "GM0505", "GM0344"].into_iter().zip(persons) {
            if persons > 0 {
                desk.house(municipality, kind, persons);
            }
        }
    }
    desk
}

#[test]
fn small_numbers_are_hidden_with_what_would_give_them_away() {
    let desk = three();
    for (area, total, by_kind, placed) in [
        ("GM0599", 209, json!([167, 31, "withheld", "< 5", "< 5", "< 5"]), json!("withheld")),
        ("GM0505", 52, json!([40, "< 5", "withheld", "< 5", "< 5", "< 5"]), json!("withheld")),
        ("GM0344", 145, json!([90, 20, 14, 8, 8, 5]), json!(14)),
        // What Rotterdam or Dordrecht hides, the province hides, and the country.
        (
            "PV28",
            261,
            json!([207, "withheld", "withheld", "withheld", "withheld", "withheld"]),
            json!("withheld"),
        ),
        ("PV26", 145, json!([90, 20, 14, 8, 8, 5]), json!(14)),
        (
            "NL",
            406,
            json!([297, "withheld", "withheld", "withheld", "withheld", "withheld"]),
            json!("withheld"),
        ),
        // Nobody lives in a province without municipalities.
        (
            "PV20",
            0,
            json!(["withheld", "withheld", "withheld", "withheld", "withheld", "withheld"]),
            json!("withheld"),
        ),
    ] {
        let seen = desk.public(area, "2026-04-01");
        assert_eq!(seen["realised"], total, "{area}: totals stay");
        let kinds = [
            "regular",
            "family_reunification",
            "amv_small_scale_care",
            "hotel_scheme",
            "transit_location",
            "resettled",
        ];
        let shown: Vec<_> = kinds.iter().map(|kind| seen["realisedByKind"][kind].clone()).collect();
        assert_eq!(Value::from(shown), by_kind, "{area}");
        assert_eq!(seen["amv"]["placed"], placed, "{area}");
        assert!(seen.get("contested").is_none(), "one contested entry can be one person");
    }
}

#[test]
fn numbers_by_kind_are_there_once_in_a_half_year_as_known_now() {
    let desk = three();
    let now = desk.ledger.size();
    for (on, known_at, there) in [
        ("2026-04-01", KnownAt::Now, true),
        ("2026-04-01", KnownAt::Size(now), true),
        // The difference would be a day, an entry, or what was delivered since somebody asked last.
        ("2026-04-02", KnownAt::Now, false),
        ("2026-03-01", KnownAt::Now, false),
        ("2026-04-01", KnownAt::Size(LogSize(now.0 - 1)), false),
        ("2026-10-01", KnownAt::Now, false),
    ] {
        for area in ["NL", "PV26", "GM0344"] {
            let (table, answers) = desk.answers(area, By::Whole, on, known_at);
            let seen = serde_json::to_value(table.statement(&answers[0])).unwrap();
            assert_eq!(seen["realisedByKind"].is_object(), there, "{area} {on} {known_at:?}");
            assert_eq!(!seen["amv"]["placed"].is_null(), there, "{area} {on} {known_at:?}");
            assert_eq!(seen["note"].as_str().unwrap().contains("a role is needed"), !there);
            assert_eq!(seen["realised"], answers[0].statement.realised);
        }
    }
}

#[test]
fn the_public_csv_has_the_columns_of_any_other() {
    let desk = three();
    for (on, amv, contested) in
        [("2026-04-01", ["withheld", "withheld", "14"], ""), ("2026-04-02", [""; 3], "")]
    {
        let (table, answers) = desk.answers("NL", By::Municipality, on, KnownAt::Now);
        let (mut public, mut usual) = (Vec::new(), Vec::new());
        table.csv(&answers, &mut public).unwrap();
        peildatum::report::csv::statements(&answers, &mut usual).unwrap();
        let (public, usual) = (String::from_utf8(public).unwrap(), String::from_utf8(usual).unwrap());
        assert_eq!(public.lines().next(), usual.lines().next());
        let rows = csv::Reader::from_reader(public.as_bytes()).into_deserialize().map(Result::unwrap);
        let rows: Vec<std::collections::BTreeMap<String, String>> = rows.collect();
        let mut seen: Vec<_> =
            rows.iter().map(|row| (&row["area"][..], &row["realised_amv_small_scale_care"][..])).collect();
        seen.sort_by_key(|(area, _)| ["GM0599", "GM0505", "GM0344"].iter().position(|it| it == area));
        assert_eq!(seen.iter().map(|(_, amv)| *amv).collect::<Vec<_>>(), amv);
        assert!(rows.iter().all(|row| row["contested_persons"] == contested));
    }
}

/// In any history: what is shown is right and not small, and what a sum shows is shown by all of its parts.
#[test]
fn what_is_shown_of_any_history_is_right_and_never_small() {
    let hidden = Cell::new(0);
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let histories = (model::histories(), strategies::known_at_size(), strategies::checkpoint());
    let outcome = TestRunner::new(config).run(&histories, |((wishes, questions), known_at, checkpoint)| {
        let mut world = world::World::default();
        model::record(&mut world, &wishes);
        for question in questions {
            let (_, as_of, reading) = model::asked(question, world.size());
            let within = |area| world.book.by_municipality(area, as_of, reading).unwrap();
            let provinces: Vec<_> = Province::all().map(|it| (it, within(Area::Province(it)))).collect();
            let table = PublicTable::new(as_of, &provinces);
            let known_at = peildatum::ledger::KnownAtSize { size: as_of.known_at.0, ..known_at };
            let shown = |statement: &peildatum::book::statement::Statement| -> PublicStatement {
                table.statement(&Answer { statement: statement.clone(), known_at, checkpoint })
            };
            let country = shown(&world.book.statement(Area::Country, as_of, reading).unwrap());
            for (province, municipalities) in &provinces {
                let above = world.book.statement(Area::Province(*province), as_of, reading).unwrap();
                let seen_above = shown(&above);
                for it in municipalities.iter().chain([&above]) {
                    let seen = shown(it);
                    let by_kind = seen.realised_by_kind.unwrap();
                    prop_assert_eq!(by_kind.len(), country.realised_by_kind.as_ref().unwrap().len());
                    for kind in PlacementKind::ALL {
                        let number = it.realised_by_kind.get(*kind).unwrap_or(0);
                        match by_kind.get(kind) {
                            Some(Shown::Number(seen)) => {
                                prop_assert_eq!(*seen, number);
                                prop_assert!(number >= SMALL);
                            }
                            Some(Shown::Not(_)) => {
                                hidden.set(hidden.get() + 1);
                                for above in [&seen_above, &country] {
                                    let above = above.realised_by_kind.as_ref().unwrap()[kind];
                                    prop_assert!(matches!(above, Shown::Not(_)));
                                }
                            }
                            None => prop_assert_eq!(number, 0),
                        }
                    }
                    if let Some(Shown::Number(placed)) = seen.amv.placed {
                        prop_assert_eq!(placed, it.amv.placed);
                        prop_assert!(placed >= SMALL);
                    }
                }
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(hidden.get() > 200, "only {} hidden numbers", hidden.get());
}
