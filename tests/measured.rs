//! Small-scale care and deadlines against a naive model, for both times.
//!
//! The model goes over the plain list of what was said, placement by placement, and hands numbers on boundary change by boundary
//! change. It knows nothing of lines, of passes over a log, or of the columns.

use std::cell::Cell;
use std::collections::BTreeMap;

use peildatum::book::statement::{Ratio, Reading};
use peildatum::domain::area::{Area, MunicipalityCode};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::time::{AsOf, Day, Month};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::cases_measured::{care, deadlines};
use crate::model::{Model, Question, asked, histories, record};
use crate::world::World;

/// Numbers by municipality and what they say.
type Numbers = BTreeMap<MunicipalityCode, BTreeMap<String, i64>>;

fn add(numbers: &mut Numbers, code: MunicipalityCode, what: impl Into<String>, persons: i64) {
    *numbers.entry(code).or_default().entry(what.into()).or_default() += persons;
}

/// The day with the same number so many months later, counted month by month.
fn months_later(day: Day, months: u32) -> Day {
    let [year, month, number] = [0..4, 5..7, 8..10].map(|part| day.to_string()[part].parse::<u32>().unwrap());
    let month = month - 1 + months;
    let (year, month) = (year + month / 12, month % 12 + 1);
    let candidates = (1..=number).rev().map(|number| format!("{year:04}-{month:02}-{number:02}").parse());
    candidates.flatten().next().expect("a month has a first day")
}

/// Who is in care and who is owed a home, each as the rules put it.
fn modelled_care(model: &Model<'_>, on: Day, until: Day) -> Numbers {
    let mut numbers = Numbers::new();
    for (it, moves, housed) in model.standing_placements() {
        if it.kind.name() != "amv_small_scale_care" || it.counts_from >= on {
            continue;
        }
        let persons = it.persons.count();
        let mut add = |what: &str| add(&mut numbers, it.municipality, what, persons);
        let end = it.care_ends.map(Month::last_day);
        let gone = moves.iter().any(|step| step.reported_on < on) || housed.is_some_and(|day| day < on);
        let counts = model.counts(it.kind, it.counts_from);
        match end {
            _ if gone => {}
            Some(end) if end < on => {
                if counts {
                    add("owed");
                    add("owed until");
                }
            }
            _ => {
                add("placed");
                if end.is_none() {
                    add("without end");
                }
                if end.is_some_and(|end| end < until) {
                    add("leaving");
                    if counts {
                        add("owed until");
                    }
                }
                match it.turns_18.map(Month::last_day) {
                    None => add("without 18"),
                    Some(day) if day < on => add("extended"),
                    Some(day) if day < until => add("turning 18"),
                    Some(_) => {}
                }
            }
        }
    }
    numbers
}

/// How long it took, and who stays too long.
fn modelled_deadlines(model: &Model<'_>, half_year: HalfYear, on: Day) -> Numbers {
    let mut numbers = Numbers::new();
    for (it, _, housed) in model.standing_placements() {
        if it.counts_from >= on || !model.counts(it.kind, it.counts_from) {
            continue;
        }
        let persons = it.persons.count();
        if half_year.first_day() <= it.counts_from && it.counts_from <= half_year.last_day() {
            let what = match it.permit_granted_on {
                None => "without day".to_owned(),
                Some(permit) => {
                    // One week after another, until the day of housing is reached.
                    let mut weeks = 0;
                    while permit.plus_days(7 * weeks) < it.counts_from {
                        weeks += 1;
                    }
                    format!("week {weeks}")
                }
            };
            add(&mut numbers, it.municipality, what, persons);
        }
        let limit = match it.kind.name() {
            "transit_location" => 12,
            "hotel_scheme" => 6,
            _ => continue,
        };
        if housed.is_none_or(|day| day >= on) {
            add(&mut numbers, it.municipality, it.kind.name(), persons);
            if months_later(it.counts_from, limit) < on {
                add(&mut numbers, it.municipality, format!("{} past", it.kind), persons);
            }
        }
    }
    numbers
}

/// The sums over an area, with everything handed on to heirs.
fn of_area(model: &Model<'_>, mut numbers: Numbers, area: Area) -> BTreeMap<String, i64> {
    model.hand_on(&mut numbers);
    let mut sums = BTreeMap::new();
    for it in model.members() {
        let within = match area {
            Area::Country => true,
            Area::Province(province) => it.province == province,
            Area::Municipality(code) => it.code == code,
        };
        for (what, persons) in numbers.remove(&it.code).filter(|_| within).into_iter().flatten() {
            *sums.entry(what).or_default() += persons;
        }
    }
    sums.retain(|_, persons| *persons != 0);
    sums
}

fn without_zeros<const N: usize>(pairs: [(&str, i64); N]) -> BTreeMap<String, i64> {
    pairs.into_iter().filter(|(_, persons)| *persons != 0).map(|(what, it)| (what.to_owned(), it)).collect()
}

/// Asks every question of random histories that has an answer, and counts what came out above zero.
fn check(
    ask: impl Fn(&World, &Model<'_>, Area, AsOf, Question) -> Result<BTreeMap<String, i64>, TestCaseError>,
) -> BTreeMap<String, u32> {
    let seen = Cell::new(BTreeMap::<String, u32>::new());
    let config = ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&histories(), |(wishes, questions)| {
        let mut world = World::default();
        record(&mut world, &wishes);
        for question in questions {
            let (area, as_of, _) = asked(question, world.size());
            if world.book.statement(area, as_of, Reading::Total).is_err() {
                continue;
            }
            let model = Model::new(&world, as_of);
            let found = ask(&world, &model, area, as_of, question)?;
            let mut all = seen.take();
            for what in found.into_keys() {
                let what = if what.starts_with("week ") { "week".to_owned() } else { what };
                *all.entry(what).or_default() += 1;
            }
            seen.set(all);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    seen.into_inner()
}

#[test]
fn small_scale_care_is_what_a_list_of_placements_gives() {
    let seen = check(|world, model, area, as_of, [.., weeks]| {
        let weeks = weeks % 60;
        let is = care(world, area, as_of, weeks).expect("the statement has an answer too");
        let on = as_of.reference_date.0;
        let modelled = of_area(model, modelled_care(model, on, on.plus_days(7 * weeks)), area);
        let found = without_zeros([
            ("placed", is.placed),
            ("turning 18", is.turning_18),
            ("leaving", is.leaving),
            ("extended", is.in_extended_care),
            ("without 18", is.without_18),
            ("without end", is.without_end),
            ("owed", is.follow_on_owed.now),
            ("owed until", is.follow_on_owed.until),
        ]);
        prop_assert_eq!(&found, &modelled, "{} at {:?}", area, as_of);
        let amv = world.book.statement(area, as_of, Reading::Total).expect("an answer").amv;
        prop_assert_eq!(
            (is.placed, is.places_needed, is.places_there),
            (amv.placed, amv.places_needed, amv.places_there)
        );
        prop_assert_eq!(is.places_free, amv.places_there.map(|there| there - amv.placed));
        Ok(found)
    });
    for what in
        ["placed", "turning 18", "leaving", "extended", "without 18", "without end", "owed", "owed until"]
    {
        assert!(seen.get(what).is_some_and(|times| *times > 20), "{what}: {seen:?}");
    }
}

#[test]
fn deadlines_are_what_a_list_of_placements_gives() {
    let seen = check(|world, model, area, as_of, [_, on, ..]| {
        // The half-year of the reference date, and some before it.
        let mut half_year = as_of.reference_date.0.half_year();
        for _ in 0..on / 7 % 4 {
            half_year = half_year.previous().expect("far from the first half-year");
        }
        let is = deadlines(world, area, half_year, as_of).expect("the statement has an answer too");
        let modelled = of_area(model, modelled_deadlines(model, half_year, as_of.reference_date.0), area);
        let mut found = without_zeros([
            ("without day", is.without_permit_day),
            ("transit_location", is.transit_location.staying),
            ("transit_location past", is.transit_location.past_limit),
            ("hotel_scheme", is.hotel_scheme.staying),
            ("hotel_scheme past", is.hotel_scheme.past_limit),
        ]);
        found.extend(is.weeks.iter().map(|it| (format!("week {}", it.weeks), it.persons)));
        prop_assert_eq!(&found, &modelled, "{} in {} at {:?}", area, half_year, as_of);

        // What follows from the distribution, by writing every person down.
        let mut each: Vec<u16> = Vec::new();
        for it in &is.weeks {
            each.extend((0..it.persons).map(|_| it.weeks));
        }
        prop_assert!(each.is_sorted());
        prop_assert_eq!(is.with_permit_day, each.len() as i64);
        prop_assert_eq!(is.housed, is.with_permit_day + is.without_permit_day);
        prop_assert_eq!(is.median_weeks, each.get(each.len().saturating_sub(1) / 2).copied());
        let in_time = each.iter().filter(|weeks| **weeks <= 14).count() as i64;
        prop_assert_eq!(is.within_14_weeks, in_time);
        prop_assert_eq!(is.share_within_14_weeks, Ratio::of(in_time, each.len() as i64));
        Ok(found)
    });
    for what in [
        "week",
        "without day",
        "transit_location",
        "transit_location past",
        "hotel_scheme",
        "hotel_scheme past",
    ] {
        assert!(seen.get(what).is_some_and(|times| *times > 20), "{what}: {seen:?}");
    }
}
