//! `amv` and `deadlines` in a case: what is measured by going through the entries.

use peildatum::book::Unanswerable;
use peildatum::book::care::CareStanding;
use peildatum::book::deadlines::DeadlineStanding;
use peildatum::domain::area::Area;
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::time::{AsOf, Day, LogSize, ReferenceDate};

use crate::cases::{Words, each_is};
use crate::world::World;

/// Small-scale care as the ledger finds it: only lines that may matter are read as entries.
pub fn care(world: &World, area: Area, as_of: AsOf, weeks: u16) -> Result<CareStanding, Unanswerable> {
    let mut care = world.book.care(&[area], as_of, weeks)?;
    for (entry, line) in world.lines(as_of.known_at) {
        if peildatum::book::care::Care::may_concern(&line) {
            care.take(entry);
        }
    }
    Ok(care.standings().remove(0))
}

/// Deadlines as the ledger finds them: the lines are gone through twice.
pub fn deadlines(
    world: &World,
    area: Area,
    half_year: HalfYear,
    as_of: AsOf,
) -> Result<DeadlineStanding, Unanswerable> {
    let mut deadlines = world.book.deadlines(&[area], half_year, as_of)?;
    for (entry, line) in world.lines(as_of.known_at) {
        if peildatum::book::deadlines::Deadlines::may_end(&line) {
            deadlines.end(entry);
        }
    }
    for (entry, line) in world.lines(as_of.known_at) {
        if deadlines.may_count(&line) {
            deadlines.count(entry);
        }
    }
    Ok(deadlines.standings().remove(0))
}

/// `amv AREA DATE within WEEKS [known at SIZE] -> NAME VALUE, ..` and
/// `deadlines AREA HALF-YEAR DATE [known at SIZE] -> NAME VALUE, ..`.
pub fn ask(world: &World, what: &str, line: &str) -> Result<(), String> {
    let (question, expected) = line.split_once("->").ok_or("cannot be read: a question has an arrow ->")?;
    let expected = expected.trim();
    let mut words = Words::of(question);
    let area: Area = words.next("an area")?;
    let half_year: Option<HalfYear> =
        if what == "deadlines" { Some(words.next("a half-year")?) } else { None };
    let on: Day = words.next("a reference date")?;
    let weeks: u16 = if words.took("within") { words.next("weeks")? } else { 0 };
    let known_at = match words.took("known") && words.took("at") {
        true => LogSize(words.next("a number of entries")?),
        false => world.size(),
    };
    words.end()?;
    let as_of = AsOf { reference_date: ReferenceDate(on), known_at };
    let found = match half_year {
        Some(half_year) => deadlines(world, area, half_year, as_of).map(|it| {
            Box::new(move |name: &str| of_deadlines(&it, name)) as Box<dyn Fn(&str) -> Option<String>>
        }),
        None => care(world, area, as_of, weeks)
            .map(|it| Box::new(move |name: &str| of_care(&it, name)) as Box<dyn Fn(&str) -> Option<String>>),
    };
    let found = match found {
        Ok(found) => found,
        Err(unanswerable) => {
            let said = format!("refused: {unanswerable}");
            return match said == expected {
                true => Ok(()),
                false => Err(format!("expected {expected}, but it is {said}")),
            };
        }
    };
    each_is(expected, |name| found(name).ok_or_else(|| format!("{what} has nothing called {name:?}")))
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |it| it.to_string())
}

fn of_care(it: &CareStanding, name: &str) -> Option<String> {
    Some(match name {
        "needed" => or_none(it.places_needed),
        "there" => or_none(it.places_there),
        "short" => or_none(it.places_short),
        "placed" => it.placed.to_string(),
        "free" => or_none(it.places_free),
        "turning 18" => it.turning_18.to_string(),
        "leaving" => it.leaving.to_string(),
        "extended" => it.in_extended_care.to_string(),
        "without 18" => it.without_18.to_string(),
        "without end" => it.without_end.to_string(),
        "owed" => it.follow_on_owed.now.to_string(),
        "owed until" => it.follow_on_owed.until.to_string(),
        _ => return None,
    })
}

fn of_deadlines(it: &DeadlineStanding, name: &str) -> Option<String> {
    Some(match name {
        "housed" => it.housed.to_string(),
        "with day" => it.with_permit_day.to_string(),
        "without day" => it.without_permit_day.to_string(),
        "within 14" => it.within_14_weeks.to_string(),
        "share" => or_none(
            it.share_within_14_weeks
                .map(|it| format!("{}.{:02}%", it.ten_thousandths() / 100, it.ten_thousandths() % 100)),
        ),
        "median" => or_none(it.median_weeks),
        "transit" => it.transit_location.staying.to_string(),
        "transit past" => it.transit_location.past_limit.to_string(),
        "hotel" => it.hotel_scheme.staying.to_string(),
        "hotel past" => it.hotel_scheme.past_limit.to_string(),
        _ => {
            let weeks: u16 = name.strip_prefix("week ")?.parse().ok()?;
            let within = it.weeks.iter().find(|it| it.weeks == weeks);
            within.map_or(0, |it| it.persons).to_string()
        }
    })
}
