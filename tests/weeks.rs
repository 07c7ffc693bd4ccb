//! The weeks of a half-year against statements and against a naive count: random histories, looked at on each Monday.

use std::cell::Cell;

use peildatum::book::statement::Reading;
use peildatum::book::weeks::{Look, StandingThen, Weeks, Without};
use peildatum::book::{Book, Unanswerable};
use peildatum::domain::area::{Area, MunicipalityCode, Province};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::time::{AsOf, Day, LogSize, ReferenceDate};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};

use crate::model::{self, parse};
use crate::world::World;

const HALF_YEARS: [&str; 5] = ["2021-I", "2021-II", "2022-I", "2022-II", "2023-I"];

/// Every seventh day from the first Monday of the calendar on, and the first day after the half-year.
fn naive_days(half_year: HalfYear) -> Vec<Day> {
    let (first, last) = (half_year.first_day().index(), half_year.last_day().index());
    // 1 January 1990 was a Monday.
    let mut days: Vec<u16> = (0..=last).step_by(7).filter(|day| *day >= first).collect();
    days.push(last + 1);
    days.into_iter().map(|day| Day::from_index(day).expect("a day")).collect()
}

/// How much of a half-year has passed on a day, as a fraction: whole months, and days within one.
fn passed(half_year: HalfYear, on: Day) -> (i128, i128) {
    if on > half_year.last_day() {
        return (6, 6);
    }
    let text = on.to_string();
    let (month, day): (i128, i128) = (parse(&text[5..7]), parse(&text[8..]));
    let in_month = (28..=31).rev().find(|day| format!("{}-{day:02}", &text[..7]).parse::<Day>().is_ok());
    let in_month = in_month.expect("a month has 28 days or more");
    ((month - 1) % 6 * in_month + day - 1, 6 * in_month)
}

/// `number x by / over`, to the nearest, a half away from zero.
fn nearest(number: i64, by: i128, over: i128) -> i64 {
    let exact = i128::from(number) * by;
    let rounded = (2 * exact.abs() + over) / (2 * over) * exact.signum();
    i64::try_from(rounded).expect("a number of persons")
}

fn weeks_of(book: &Book, area: Area, half_year: HalfYear, looks: &[Look], end: LogSize) -> Option<Weeks> {
    match book.weeks(area, half_year, looks, end) {
        Ok(weeks) => Some(weeks),
        Err(none) => {
            assert!(matches!(area, Area::Municipality(_)), "{area}: {none}");
            None
        }
    }
}

/// A row is what the statement of its day says, and an expectation is made of it.
fn holds(world: &World, weeks: &Weeks, looks: &[Look], rows: &Cell<usize>) -> TestCaseResult {
    let (area, half_year) = (weeks.area.code, weeks.half_year);
    prop_assert_eq!(weeks.weeks.len(), looks.len());
    for (week, look) in weeks.weeks.iter().zip(looks) {
        prop_assert_eq!((week.on, week.size), (look.on, look.known_at.map(|it| it.0)));
        prop_assert_eq!(week.standing.is_none(), week.without.is_some());
        prop_assert_eq!(week.interim.is_some() && area != Area::Country, false);
        let Some(known_at) = look.known_at else {
            prop_assert_eq!(week.without, Some(Without::NotReached));
            continue;
        };
        if let Some(StandingThen { due, realised, expected: Some(expected), .. }) = week.standing {
            let (part, whole) = passed(half_year, week.on);
            prop_assert_eq!(expected, due - nearest(realised, whole, part), "{} on {}", area, week.on);
        }
        if week.on > half_year.last_day() {
            continue;
        }
        let as_of = AsOf { reference_date: ReferenceDate(week.on), known_at };
        let without = match world.book.statement(area, as_of, Reading::OldestFirst) {
            Ok(it) if it.municipalities.count > 0 => {
                let standing = week.standing.expect("there is a statement");
                prop_assert_eq!(
                    (standing.due, standing.realised, standing.on_schedule, standing.pace),
                    (it.due, it.realised, it.on_schedule, it.pace)
                );
                prop_assert_eq!((standing.remaining, standing.fulfilment), (it.remaining, it.fulfilment));
                rows.set(rows.get() + 1);
                continue;
            }
            Ok(_) | Err(Unanswerable::UnknownMunicipality(..)) => Without::Unknown,
            Err(Unanswerable::NotYet { .. }) => Without::NotYet,
            Err(Unanswerable::Ceased { .. }) => Without::Ceased,
        };
        prop_assert_eq!(week.without, Some(without), "{} on {}", area, week.on);
    }
    let mut seen = None;
    for week in weeks.weeks.iter().filter(|it| it.on <= half_year.last_day() && it.size.is_some()) {
        match week.standing.and_then(|it| it.expected) {
            Some(1..) => seen = seen.or(Some(week.on)),
            _ => seen = None,
        }
    }
    prop_assert_eq!(weeks.seen_from, seen);
    Ok(())
}

#[test]
fn every_row_is_the_statement_of_its_day_and_the_rows_of_municipalities_add_up() {
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let cuts = vec(any::<u16>(), 28);
    let (rows, ends) = (Cell::new(0), Cell::new(0));
    let outcome = TestRunner::new(config).run(
        &(model::histories(), cuts, 0..HALF_YEARS.len(), prop_oneof![1..29_usize, Just(28)]),
        |((wishes, _), mut cuts, half_year, reached)| {
            let mut world = World::default();
            model::record(&mut world, &wishes);
            let (half_year, end) = (parse::<HalfYear>(HALF_YEARS[half_year]), world.size());
            cuts.sort_unstable();
            // Most of the log is what the municipalities begin with.
            let size = |cut: u16| LogSize(end.0 - u64::from(u16::MAX - cut) * end.0 / u64::from(u16::MAX));
            let days = naive_days(half_year);
            prop_assert_eq!(peildatum::book::weeks::days(half_year).collect::<Vec<_>>(), days.clone());
            let looks: Vec<_> = days
                .iter()
                .zip(&cuts)
                .enumerate()
                .map(|(index, (on, cut))| Look { on: *on, known_at: (index < reached).then(|| size(*cut)) })
                .collect();
            let all: Vec<MunicipalityCode> = (0..10_000)
                .map(|number| parse(&format!("GM{number:04}")))
                .filter(|code| is_known(&world, *code))
                .collect();
            let each: Vec<_> = all
                .iter()
                .filter_map(|code| weeks_of(&world.book, Area::Municipality(*code), half_year, &looks, end))
                .collect();
            for weeks in &each {
                holds(&world, weeks, &looks, &rows)?;
            }
            let country = weeks_of(&world.book, Area::Country, half_year, &looks, end).expect("the country");
            holds(&world, &country, &looks, &rows)?;
            let of = |weeks: &Weeks, index: usize| {
                weeks.weeks[index].standing.map_or([0; 3], |it| [it.due, it.realised, it.remaining])
            };
            for (index, look) in looks.iter().enumerate() {
                let sum = each.iter().fold([0; 3], |sum, weeks| {
                    let one = of(weeks, index);
                    std::array::from_fn(|line| sum[line] + one[line])
                });
                prop_assert_eq!(sum, of(&country, index), "on {}", look.on);
            }
            for province in Province::all().filter(|it| ["PV27", "PV28", "PV30"].contains(&&*it.to_string()))
            {
                let weeks = weeks_of(&world.book, Area::Province(province), half_year, &looks, end);
                holds(&world, &weeks.expect("a province"), &looks, &rows)?;
            }
            // What remained at the end is what the next half-year is carried.
            let closed_on = *days.last().expect("the first day after it");
            let as_of = AsOf { reference_date: ReferenceDate(closed_on), known_at: end };
            let next = world.book.statement(Area::Country, as_of, Reading::OldestFirst).expect("the country");
            prop_assert_eq!(country.ended.is_some(), reached >= looks.len());
            if let Some(ended) = country.ended {
                ends.set(ends.get() + 1);
                prop_assert_eq!(ended.remaining, next.carried_over.derived);
                prop_assert_eq!(
                    (ended.recorded, ended.recorded_for),
                    (next.carried_over.recorded, next.carried_over.recorded_for)
                );
                let of_each = each.iter().filter_map(|it| it.ended);
                prop_assert_eq!(of_each.map(|it| it.remaining).sum::<i64>(), ended.remaining);
            }
            Ok(())
        },
    );
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(rows.get() > 1_000 && ends.get() > 2, "{} rows, {} ends", rows.get(), ends.get());
}

fn is_known(world: &World, code: MunicipalityCode) -> bool {
    let as_of = AsOf { reference_date: ReferenceDate(parse("2025-01-01")), known_at: world.size() };
    !matches!(world.book.municipality(code, as_of), Err(Unanswerable::UnknownMunicipality(..)))
}
