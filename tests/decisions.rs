//! Every reason for a refusal, as a sentence: given what was recorded, when this is offered, then that.
//!
//! Lines are written as in `tests/cases/`. What only a file can get wrong goes through the readers of
//! files instead.

use std::collections::BTreeSet;

use peildatum::decide::Decided;
use peildatum::decide::refusal::Refusal;
use peildatum::domain::placement::PlacementFault;
use peildatum::domain::quota::ExchangeFault;
use peildatum::domain::source::EventId;
use peildatum::domain::time::Day;
use peildatum::feed::Parcels;
use peildatum::feed::cloudevent::EventLines;
use peildatum::feed::csv::CsvFile;

use crate::cases::command;
use crate::world::World;

/// What every case begins with.
const GIVEN: &[&str] = &[
    "municipality GM0599 PV28 Rotterdam",
    "municipality GM0502 PV28 Capelle aan den IJssel",
    "municipality GM0457 PV27 Weesp",
    "municipality GM0363 PV27 Amsterdam",
    "municipality GM1992 PV28 Voorne aan Zee from 2023-01-01",
    "quota 2022-I 100",
    "allocation 2022-I GM0599 40, GM0457 10",
    "merger 2022-03-24 GM0457 into GM0363",
    "placement P1 GM0599 2022-02-01 amv_small_scale_care person A",
    "placement P2 GM0599 2022-02-01 regular person B",
    "placement P3 GM0599 2022-02-01 guest_scheme person B",
    "placement P4 GM0599 2022-02-01 regular",
    "withdrawal P4 never_housed",
    "placement P5 GM0599 2022-02-01 amv_small_scale_care",
    "follow-on P5 housed 2022-03-01",
    "transfer P5 to GM0502 reported 2022-04-01",
    "quota 2021-II 90",
    "allocation 2021-II GM0599 40",
    "evaluation 2021-II decided 2021-10-01 revised to 80 GM0599 35",
    "objection O1 GM0599 placement P2 counted_twice raised 2022-03-01",
    "objection O2 GM0599 figure 2021-II realised 30 33 missing raised 2022-03-01",
    "objection O3 GM0599 entry 9 not_housed_here raised 2022-03-01",
    "settled O3 dismissed 2022-04-01",
    "allocation 2022-I GM0599 41",
];

/// The day of today in every case.
const TODAY: &str = "2022-06-01";

/// When this is offered, then it is refused with this code and by this field.
const CASES: &[(&str, &str, &str)] = &[
    ("placement P1 GM0599 2022-02-02 amv_small_scale_care person A", "placement-id-in-use", "placement"),
    ("placement P4 GM0599 2022-02-02 regular", "placement-id-in-use", "placement"),
    ("placement P9 GM0599 2022-02-01 regular 0 persons", "persons-at-least-one", "persons"),
    ("placement P9 GM0599 2022-02-01 regular 2 persons person C", "one-person-each", "persons"),
    ("placement P9 GM0599 2022-02-01 regular care-ends 2022-05", "no-care-to-end", "careEnds"),
    (
        "placement P9 GM0599 2022-02-01 amv_small_scale_care care-ends 2022-01",
        "care-ends-before-it-begins",
        "careEnds",
    ),
    ("placement P9 GM0599 2022-02-01 regular turns-18 2022-05", "no-coming-of-age", "turns18"),
    (
        "placement P9 GM0599 2022-02-01 amv_small_scale_care turns-18 2022-05 care-ends 2022-04",
        "care-ends-at-another-age",
        "careEnds",
    ),
    (
        "placement P9 GM0599 2022-02-01 amv_small_scale_care turns-18 2022-05 care-ends 2025-06",
        "care-ends-at-another-age",
        "careEnds",
    ),
    ("placement P9 GM0599 2022-02-01 regular permit 2022-02-02", "permit-after-placement", "permitGrantedOn"),
    ("exchange 2022-I from GM0599 3 to GM0457 4 decided 2022-02-01", "exchange-sides-differ", "persons"),
    ("exchange 2022-I from GM0599 0 to GM0457 0 decided 2022-02-01", "persons-at-least-one", "persons"),
    ("exchange 2022-I from GM0599 3 to GM0599 3 decided 2022-02-01", "exchange-with-itself", "municipality"),
    ("placement P9 GM0599 2022-06-02 regular", "date-in-future", "countsFrom"),
    ("transfer P1 to GM0502 reported 2022-06-02", "date-in-future", "reportedOn"),
    ("follow-on P1 housed 2022-06-02", "date-in-future", "housedOn"),
    ("evaluation 2022-I decided 2022-06-02 measured 2022-06-01 kept", "date-in-future", "decidedOn"),
    ("evaluation 2022-I decided 2022-06-01 measured 2022-06-02 kept", "date-in-future", "measuredOn"),
    ("quota 2022-II 90 published 2022-06-02", "date-in-future", "publishedOn"),
    ("exchange 2022-I from GM0599 3 to GM0457 3 decided 2022-06-02", "date-in-future", "decidedOn"),
    ("amv-places 2022-06-02 90", "date-in-future", "countedOn"),
    ("evaluation 2022-I decided 2022-05-01 measured 2022-05-02 kept", "dates-out-of-order", "measuredOn"),
    ("quota 2022-II 90 including 9 of 2022-II", "dates-out-of-order", "includes"),
    ("amv-need 2022-06-02 until 2022-06-01 90", "dates-out-of-order", "until"),
    ("transfer P1 to GM0502 reported 2022-01-31", "dates-out-of-order", "reportedOn"),
    ("transfer P5 to GM0599 reported 2022-03-31", "dates-out-of-order", "reportedOn"),
    ("follow-on P1 housed 2022-01-31", "dates-out-of-order", "housedOn"),
    ("merger 2022-03-24 GM0363 into GM0599", "dates-out-of-order", "effectiveOn"),
    ("placement P9 GM0001 2022-02-01 regular", "unknown-municipality", "municipality"),
    ("placement P9 GM0599 2022-02-01 regular site GM0001", "unknown-municipality", "siteMunicipality"),
    ("allocation 2022-I GM0599 4, GM0001 4", "unknown-municipality", "municipality"),
    ("merger 2022-05-01 GM0001 into GM0599", "unknown-municipality", "old"),
    ("placement P9 GM1992 2022-02-01 regular", "municipality-not-yet", "municipality"),
    ("carry-over 2021-II to 2022-I GM1992 4", "municipality-not-yet", "municipality"),
    ("placement P9 GM0457 2022-03-24 regular", "municipality-ceased", "municipality"),
    ("merger 2022-02-01 GM0457 into GM0599", "municipality-ceased", "old"),
    ("merger 2022-05-01 GM0599 into GM0457", "municipality-ceased", "new"),
    ("municipality GM0599 PV28 Rotjeknor", "municipality-registered-already", "code"),
    ("allocation 2022-II GM0599 4", "no-quota-published", "halfYear"),
    ("evaluation 2022-II decided 2022-05-01 kept", "no-quota-published", "halfYear"),
    ("exchange 2022-I from GM0599 3 to GM0502 3 decided 2022-02-01", "no-quota-allocated", "to"),
    ("evaluation 2022-I decided 2022-05-01 revised to 90 GM0502 9", "no-quota-allocated", "municipality"),
    ("allocation 2021-II GM0599 41", "quota-revised-already", "municipality"),
    ("carry-over 2021-I to 2022-I GM0599 4", "half-year-does-not-follow", "toHalfYear"),
    (
        "evaluation 2022-I decided 2022-05-01 carried forward 9 into 2023-I",
        "half-year-does-not-follow",
        "toHalfYear",
    ),
    ("withdrawal P9 never_housed", "unknown-placement", "placement"),
    ("transfer P9 to GM0502 reported 2022-05-01", "unknown-placement", "placement"),
    ("follow-on P9 housed 2022-05-01", "unknown-placement", "placement"),
    ("withdrawal P4 wrong_date", "placement-withdrawn-already", "placement"),
    ("transfer P4 to GM0502 reported 2022-05-01", "placement-withdrawn-already", "placement"),
    ("follow-on P4 housed 2022-05-01", "placement-withdrawn-already", "placement"),
    ("transfer P2 to GM0502 reported 2022-05-01", "not-an-amv", "placement"),
    ("transfer P1 to GM0599 reported 2022-05-01", "moves-nowhere", "to"),
    ("transfer P5 to GM0502 reported 2022-05-01", "moves-nowhere", "to"),
    ("follow-on P5 housed 2022-03-02", "followed-on-already", "placement"),
    ("follow-on P3 housed 2022-03-02", "did-not-count", "placement"),
    ("placement P9 GM0502 2022-05-01 regular person B", "person-counted-already", "person"),
    ("rule guest_scheme counts from 2022-01-01", "would-count-twice", "kind"),
    ("objection O1 GM0599 placement P3 counted_twice raised 2022-03-01", "objection-id-in-use", "objection"),
    ("objection O9 GM0599 placement P1 other_date raised 2022-06-02", "date-in-future", "raisedOn"),
    ("settled O1 upheld 2022-06-02", "date-in-future", "settledOn"),
    ("settled O1 upheld 2022-02-28", "dates-out-of-order", "settledOn"),
    ("objection O9 GM0001 placement P1 other_date raised 2022-05-01", "unknown-municipality", "municipality"),
    ("objection O9 GM1992 placement P1 other_date raised 2022-05-01", "municipality-not-yet", "municipality"),
    ("objection O9 GM0457 placement P1 other_date raised 2022-05-01", "municipality-ceased", "municipality"),
    ("objection O9 GM0599 placement P9 other_date raised 2022-05-01", "unknown-placement", "placement"),
    (
        "objection O9 GM0599 placement P4 other_date raised 2022-05-01",
        "placement-withdrawn-already",
        "placement",
    ),
    ("objection O9 GM0599 entry 12 other_date raised 2022-05-01", "placement-withdrawn-already", "placement"),
    ("objection O9 GM0599 entry 99 other_date raised 2022-05-01", "unknown-entry", "entry"),
    ("objection O9 GM0502 placement P1 other_date raised 2022-05-01", "entry-moves-nothing", "placement"),
    ("objection O9 GM0502 entry 9 other_date raised 2022-05-01", "entry-moves-nothing", "entry"),
    ("objection O9 GM0599 entry 6 other_date raised 2022-05-01", "entry-moves-nothing", "entry"),
    ("objection O9 GM0599 entry 15 other_date raised 2022-05-01", "entry-moves-nothing", "entry"),
    ("objection O9 GM0502 entry 7 other_persons raised 2022-05-01", "entry-moves-nothing", "entry"),
    ("objection O9 GM0599 entry 7 other_persons raised 2022-05-01", "number-restated", "entry"),
    ("objection O9 GM0599 entry 10 other_persons raised 2022-05-01", "objected-already", "objection"),
    (
        "objection O9 GM0599 figure 2021-II realised 30 34 missing raised 2022-05-01",
        "objected-already",
        "objection",
    ),
    ("settled O9 upheld 2022-05-01", "unknown-objection", "objection"),
    ("settled O3 upheld 2022-04-01", "objection-settled-already", "objection"),
];

/// Where several reasons apply, that which is declared first is given: the code that is given, and
/// the codes of the others.
const COMBINED: &[(&str, &str, &[&str])] = &[
    (
        "placement P1 GM0001 2022-06-02 regular 0 persons person B",
        "placement-id-in-use",
        &["persons-at-least-one", "date-in-future", "unknown-municipality", "person-counted-already"],
    ),
    (
        "placement P9 GM0001 2022-06-02 regular 0 persons",
        "persons-at-least-one",
        &["date-in-future", "unknown-municipality"],
    ),
    (
        "placement P9 GM0599 2022-02-01 regular 2 persons person C care-ends 2022-01",
        "one-person-each",
        &["no-care-to-end"],
    ),
    (
        "placement P9 GM0001 2022-06-02 regular person B",
        "date-in-future",
        &["unknown-municipality", "person-counted-already"],
    ),
    ("placement P9 GM0457 2022-05-01 regular site GM0001", "unknown-municipality", &["municipality-ceased"]),
    (
        "placement P9 GM0457 2022-05-01 regular site GM1992 person B",
        "municipality-not-yet",
        &["municipality-ceased"],
    ),
    ("placement P9 GM0457 2022-05-01 regular person B", "municipality-ceased", &["person-counted-already"]),
    ("transfer P2 to GM0001 reported 2022-06-02", "date-in-future", &["unknown-municipality", "not-an-amv"]),
    ("transfer P1 to GM0001 reported 2022-01-31", "dates-out-of-order", &["unknown-municipality"]),
    ("transfer P1 to GM0599 reported 2022-01-31", "dates-out-of-order", &["moves-nowhere"]),
    ("transfer P2 to GM0599 reported 2022-01-31", "dates-out-of-order", &["not-an-amv", "moves-nowhere"]),
    ("transfer P4 to GM0001 reported 2022-05-01", "unknown-municipality", &["placement-withdrawn-already"]),
    ("transfer P9 to GM0457 reported 2022-05-01", "municipality-ceased", &["unknown-placement"]),
    ("transfer P2 to GM0599 reported 2022-05-01", "not-an-amv", &["moves-nowhere"]),
    ("follow-on P4 housed 2022-06-02", "date-in-future", &["placement-withdrawn-already"]),
    ("follow-on P3 housed 2022-01-31", "dates-out-of-order", &["did-not-count"]),
    ("follow-on P5 housed 2022-01-31", "dates-out-of-order", &["followed-on-already"]),
    (
        "allocation 2022-II GM0001 4, GM0457 4",
        "unknown-municipality",
        &["municipality-ceased", "no-quota-published"],
    ),
    (
        "allocation 2022-II GM0457 4, GM1992 4",
        "municipality-not-yet",
        &["municipality-ceased", "no-quota-published"],
    ),
    ("allocation 2021-II GM1992 4", "municipality-not-yet", &["quota-revised-already"]),
    (
        "exchange 2022-II from GM0001 3 to GM0457 4 decided 2022-06-02",
        "exchange-sides-differ",
        &["date-in-future", "unknown-municipality", "municipality-ceased", "no-quota-published"],
    ),
    (
        "exchange 2022-II from GM0457 3 to GM0001 3 decided 2022-05-01",
        "unknown-municipality",
        &["municipality-ceased", "no-quota-published"],
    ),
    (
        "exchange 2022-II from GM0599 3 to GM0502 3 decided 2022-05-01",
        "no-quota-published",
        &["no-quota-allocated"],
    ),
    (
        "evaluation 2022-II decided 2022-06-02 measured 2022-06-03 revised to 9 GM0001 9",
        "date-in-future",
        &["dates-out-of-order", "unknown-municipality", "no-quota-published"],
    ),
    (
        "evaluation 2022-II decided 2022-05-01 measured 2022-05-02 carried forward 9 into 2022-I",
        "dates-out-of-order",
        &["no-quota-published", "half-year-does-not-follow"],
    ),
    (
        "evaluation 2022-II decided 2022-05-01 carried forward 9 into 2022-I",
        "no-quota-published",
        &["half-year-does-not-follow"],
    ),
    (
        "evaluation 2022-I decided 2022-05-01 revised to 9 GM1992 9",
        "municipality-not-yet",
        &["no-quota-allocated"],
    ),
    (
        "carry-over 2021-II to 2022-II GM0001 4, GM0457 4",
        "date-in-future",
        &["unknown-municipality", "municipality-ceased", "half-year-does-not-follow"],
    ),
    ("merger 2022-03-24 GM0363 into GM0001", "dates-out-of-order", &["unknown-municipality"]),
    (
        "objection O1 GM0001 placement P9 other_date raised 2022-06-02",
        "objection-id-in-use",
        &["date-in-future", "unknown-municipality", "unknown-placement"],
    ),
    (
        "objection O9 GM0001 entry 99 other_date raised 2022-06-02",
        "date-in-future",
        &["unknown-municipality", "unknown-entry"],
    ),
    (
        "objection O9 GM0457 placement P9 other_date raised 2022-05-01",
        "municipality-ceased",
        &["unknown-placement"],
    ),
    (
        "objection O9 GM0502 placement P4 other_date raised 2022-05-01",
        "placement-withdrawn-already",
        &["entry-moves-nothing"],
    ),
    ("objection O9 GM0502 entry 7 other_date raised 2022-05-01", "entry-moves-nothing", &["number-restated"]),
    ("settled O9 upheld 2022-06-02", "date-in-future", &["unknown-objection"]),
    ("settled O3 upheld 2022-02-28", "dates-out-of-order", &["objection-settled-already"]),
    (
        "quota 2022-II 90 including 9 of 2022-II published 2022-06-02",
        "date-in-future",
        &["dates-out-of-order"],
    ),
];

fn world() -> World {
    let mut world = World::default();
    for line in GIVEN {
        let offered = world.offer(today(), &command(line).expect(line));
        assert!(matches!(offered, Ok(Decided::New(_))), "{line}: {offered:?}");
    }
    world
}

fn today() -> Day {
    TODAY.parse().expect("a day")
}

fn refusal(world: &mut World, line: &str) -> Refusal {
    let size = world.size();
    let offered = world.offer(today(), &command(line).unwrap_or_else(|fault| panic!("{line}: {fault}")));
    assert_eq!(world.size(), size, "{line}: something was recorded");
    offered.expect_err(line)
}

/// The place of a reason in the order of precedence. The compiler asks for a new one to be put here.
fn rank(refusal: &Refusal) -> usize {
    match refusal {
        Refusal::PersonNumber { .. } => 0,
        Refusal::Unreadable { .. } => 1,
        Refusal::UnknownField { .. } => 2,
        Refusal::MissingField { .. } => 3,
        Refusal::UnknownHalfYear { .. } => 4,
        Refusal::Malformed { .. } => 5,
        Refusal::NamedTwice { .. } => 6,
        Refusal::EventIdInUse(_) => 7,
        Refusal::PlacementIdInUse(_) => 8,
        Refusal::ObjectionIdInUse(_) => 9,
        Refusal::NoPlacement(PlacementFault::NoPersons) => 10,
        Refusal::NoPlacement(PlacementFault::OnePersonEach) => 11,
        Refusal::NoPlacement(PlacementFault::NoCareToEnd) => 12,
        Refusal::NoPlacement(PlacementFault::CareEndsBefore) => 13,
        Refusal::NoPlacement(PlacementFault::NoTurning18) => 14,
        Refusal::NoPlacement(PlacementFault::CareEndsAtAnotherAge) => 15,
        Refusal::NoPlacement(PlacementFault::PermitAfter) => 16,
        Refusal::NoExchange(ExchangeFault::SidesDiffer) => 17,
        Refusal::NoExchange(ExchangeFault::NoPersons) => 18,
        Refusal::NoExchange(ExchangeFault::OneMunicipality) => 19,
        Refusal::DateInFuture { .. } => 20,
        Refusal::DatesOutOfOrder { .. } => 21,
        Refusal::UnknownMunicipality { .. } => 22,
        Refusal::MunicipalityNotYet { .. } => 23,
        Refusal::MunicipalityCeased { .. } => 24,
        Refusal::RegisteredAlready { .. } => 25,
        Refusal::NoQuotaPublished(_) => 26,
        Refusal::NoQuotaAllocated { .. } => 27,
        Refusal::RevisedAlready { .. } => 28,
        Refusal::DoesNotFollow { .. } => 29,
        Refusal::UnknownPlacement => 30,
        Refusal::WithdrawnAlready(_) => 31,
        Refusal::NotAnAmv(_) => 32,
        Refusal::MovesNowhere(_) => 33,
        Refusal::FollowedOnAlready(_) => 34,
        Refusal::DidNotCount(_) => 35,
        Refusal::PersonCountedAlready(_) => 36,
        Refusal::WouldCountTwice { .. } => 37,
        Refusal::UnknownEntry(_) => 38,
        Refusal::EntryMovesNothing { .. } => 39,
        Refusal::NumberRestated(_) => 40,
        Refusal::ObjectedAlready(_) => 41,
        Refusal::UnknownObjection => 42,
        Refusal::SettledAlready(_) => 43,
    }
}

/// How many reasons [`rank`] knows.
const REASONS: usize = 44;

/// The refusals of a file, row by row.
fn of_file(parcels: &mut dyn Parcels) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    while let Some(parcel) = parcels.next_parcel().expect("a file in memory") {
        refusals.extend(parcel.rows.into_iter().flat_map(|row| row.refusals));
    }
    refusals
}

fn of_csv(text: &str) -> Vec<Refusal> {
    let mut file = CsvFile::open(text.as_bytes(), "coa".parse().expect("a source")).expect("a header");
    of_file(&mut file)
}

fn of_line(text: &str) -> Vec<Refusal> {
    of_file(&mut EventLines::new(text.as_bytes()))
}

const CSV_PLACEMENTS: &str = "placement,municipality,counts_from,kind,persons\n";
const CSV_ALLOCATIONS: &str = "half_year,municipality,persons,method,reference\n";

fn event(name: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"coa","type":"nl.huisvesting-statushouders.{name}.v1","data":{data}}}"#
    )
}

/// What a file can get wrong: the file, the code, and the field. Where a text was delivered that may not come
/// back, it is `Geheim`.
fn cases_of_files() -> Vec<(Vec<Refusal>, &'static str, &'static str)> {
    let half_year = |text: &str| {
        event(
            "carry-overs.recorded",
            &format!(
                r#"{{"fromHalfYear":"{text}","toHalfYear":"2026-I","persons":{{"GM0599":1}},"reference":"x"}}"#
            ),
        )
    };
    let withdrawal = |data: &str| of_line(&event("placements.withdrawn", data));
    let placement = "3f2b8a54-6c1d-4e0a-9b7f-5d2c1a0e4f68";
    vec![
        (
            of_csv(&format!("{CSV_PLACEMENTS}111222333,GM0599,2022-02-01,regular,1\n")),
            "person-number",
            "placement",
        ),
        (
            withdrawal(r#"{"placement":"Geheim 111222333","reason":"wrong_date"}"#),
            "person-number",
            "placement",
        ),
        (of_csv(&format!("{CSV_PLACEMENTS}Geheim\n")), "unreadable", ""),
        (of_line("Geheim"), "unreadable", ""),
        (of_line("[1]"), "unreadable", ""),
        (
            withdrawal(&format!(r#"{{"placement":"{placement}","Geheim":1,"reason":"wrong_date"}}"#)),
            "unknown-field",
            "Geheim",
        ),
        (of_csv(&format!("{CSV_PLACEMENTS}{placement},GM0599,,regular,1\n")), "missing-field", "counts_from"),
        (withdrawal(&format!(r#"{{"placement":"{placement}"}}"#)), "missing-field", "reason"),
        (
            of_csv(&format!("{CSV_ALLOCATIONS}Geheim,GM0599,4,published,Case\n")),
            "unknown-half-year",
            "half_year",
        ),
        (of_line(&half_year("Geheim")), "unknown-half-year", "fromHalfYear"),
        (
            of_csv(&format!("{CSV_PLACEMENTS}{placement},Geheim,2022-02-01,regular,1\n")),
            "malformed",
            "municipality",
        ),
        (
            of_csv(&format!("{CSV_PLACEMENTS}{placement},GM0599,2022-02-01,regular,Geheim\n")),
            "malformed",
            "persons",
        ),
        (withdrawal(&format!(r#"{{"placement":"{placement}","reason":"Geheim"}}"#)), "malformed", "reason"),
        (of_line(&event("Geheim", "{}")), "malformed", "type"),
        (
            of_csv(&format!(
                "{CSV_ALLOCATIONS}2022-I,GM0599,4,published,Case\n2022-I,GM0599,5,published,Case\n"
            )),
            "municipality-named-twice",
            "municipality",
        ),
    ]
}

/// Two offers with one identity: the same again is known, anything else is refused.
fn event_id_in_use() -> Refusal {
    let mut world = world();
    let id: EventId = "01890a5d-ac96-774b-bcce-b302099a8058".parse().expect("an id");
    let offer =
        |world: &mut World, line: &str| world.offer_as(today(), Some(id), &command(line).expect(line));
    let placement = "placement P9 GM0599 2022-02-01 regular";
    assert!(matches!(offer(&mut world, placement), Ok(Decided::New(_))));
    let position = world.size().0 - 1;
    assert!(matches!(offer(&mut world, placement), Ok(Decided::Known(it)) if it.0 == position));
    // Before anything else about it, such as that the placement is known with other details.
    offer(&mut world, "placement P9 GM0001 2022-06-02 regular").expect_err("an id in use")
}

#[test]
fn every_reason_is_given_with_its_code_and_the_field_at_fault() {
    let mut world = world();
    let mut ranks = BTreeSet::new();
    let mut codes = BTreeSet::from(["event-id-in-use"]);
    for (line, code, field) in CASES {
        codes.insert(*code);
        let refusal = refusal(&mut world, line);
        assert_eq!((refusal.code(), refusal.field()), (*code, *field), "{line}: {refusal}");
        ranks.insert(rank(&refusal));
    }
    for (refusals, code, field) in cases_of_files() {
        codes.insert(code);
        assert_eq!(refusals.len(), 1, "{code}: {refusals:?}");
        assert_eq!((refusals[0].code(), refusals[0].field()), (code, field), "{refusals:?}");
        ranks.insert(rank(&refusals[0]));
    }
    let in_use = event_id_in_use();
    assert_eq!((in_use.code(), in_use.field()), ("event-id-in-use", "id"));
    ranks.insert(rank(&in_use));
    assert_eq!(ranks, (0..REASONS).collect(), "a reason never came up");
    // The list that schemas and programs rely on.
    assert_eq!(codes, Refusal::CODES.iter().copied().collect());
}

#[test]
fn where_several_reasons_apply_the_one_declared_first_is_given() {
    // The place of each code, by the reasons that the other cases brought up.
    let mut world = world();
    let all: Vec<_> = CASES.iter().map(|(line, ..)| refusal(&mut world, line)).collect();
    let rank_of = |code: &str| all.iter().filter(|it| it.code() == code).map(rank).min().expect(code);
    for (line, first, others) in COMBINED {
        let given = refusal(&mut world, line);
        assert_eq!(given.code(), *first, "{line}: {given}");
        for other in *others {
            assert!(rank_of(first) <= rank_of(other), "{line}: {other} is declared before {first}");
        }
    }
}

#[test]
fn every_fault_of_a_row_of_a_file_is_told_at_once() {
    let row = of_csv(&format!("{CSV_PLACEMENTS},Geheim,2022-02-30,,x\n"));
    let told: Vec<_> = row.iter().map(|it| (it.code(), it.field())).collect();
    let expected = [
        ("missing-field", "placement"),
        ("malformed", "municipality"),
        ("malformed", "counts_from"),
        ("missing-field", "kind"),
        ("malformed", "persons"),
    ];
    assert_eq!(told, expected);
    // But for a person's number: then nothing else is said about the row.
    let row = of_csv(&format!("{CSV_PLACEMENTS},Geheim,111222333,,x\n"));
    assert_eq!(row.iter().map(Refusal::code).collect::<Vec<_>>(), ["person-number"]);
}

#[test]
fn every_sentence_says_what_is_wrong_and_what_to_do_and_repeats_nothing() {
    let mut world = world();
    let mut all: Vec<_> = CASES.iter().map(|(line, ..)| refusal(&mut world, line)).collect();
    all.extend(cases_of_files().into_iter().flat_map(|(refusals, ..)| refusals));
    all.push(event_id_in_use());
    for refusal in &all {
        for sentence in [refusal.to_string(), refusal.remedy()] {
            assert!(sentence.len() > 10, "{refusal:?}: {sentence:?}");
            assert!(sentence.trim() == sentence && !sentence.ends_with('.'), "{refusal:?}: {sentence:?}");
            assert!(
                !sentence.contains("Geheim") && !sentence.contains("111222333"),
                "{refusal:?}: {sentence:?}"
            );
            // Nor the identity of a placement or a person.
            assert!(!sentence.contains("0000-4000-8000") && !sentence.contains("3f2b8a54"), "{sentence:?}");
        }
        assert!(refusal.code().bytes().all(|it| it.is_ascii_lowercase() || it == b'-'), "{}", refusal.code());
    }
}
