//! `weeks` in a case: a half-year as it looked on each Monday.

use peildatum::book::weeks::{Look, Week, Weeks, days};
use peildatum::domain::area::Area;
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::time::Day;

use crate::cases::{Words, each_is, is_refused, read};
use crate::world::World;

/// The days from which a half-year is looked at, each with what had been recorded before it, as far as the log reaches.
pub fn looks(world: &World, half_year: HalfYear) -> Vec<Look> {
    let last = world.recorded.last().map(|(day, _)| *day);
    let reached = |on: Day| last.is_some_and(|last| last >= on);
    days(half_year).map(|on| Look { on, known_at: reached(on).then(|| world.size_before(on)) }).collect()
}

/// `weeks AREA HALF-YEAR -> seen DAY, ended remaining N, DAY due N, ..`.
pub fn ask(world: &World, line: &str) -> Result<(), String> {
    let (question, expected) = line.split_once("->").ok_or("cannot be read: a question has an arrow ->")?;
    let expected = expected.trim();
    let mut words = Words::of(question);
    let area: Area = words.next("an area")?;
    let half_year: HalfYear = words.next("a half-year")?;
    words.end()?;
    let weeks = match world.book.weeks(area, half_year, &looks(world, half_year), world.size()) {
        Ok(weeks) => weeks,
        Err(error) => return is_refused(&error, expected),
    };
    each_is(expected, |name| {
        of_weeks(&weeks, name).ok_or_else(|| format!("the weeks have nothing called {name:?}"))
    })
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |it| it.to_string())
}

fn of_weeks(it: &Weeks, name: &str) -> Option<String> {
    let ended = it.ended;
    Some(match name {
        "area" => it.area.name.to_string(),
        "rows" => it.weeks.len().to_string(),
        "seen" => or_none(it.seen_from),
        "ended due" => or_none(ended.map(|it| it.due)),
        "ended realised" => or_none(ended.map(|it| it.realised)),
        "ended remaining" => or_none(ended.map(|it| it.remaining)),
        "ended recorded" => or_none(ended.and_then(|it| it.recorded)),
        _ => {
            let (day, what) = name.split_once(' ')?;
            let day: Day = read(day).ok()?;
            return of_week(it.weeks.iter().find(|it| it.on == day)?, what);
        }
    })
}

fn of_week(it: &Week, what: &str) -> Option<String> {
    let (standing, interim) = (it.standing, it.interim);
    Some(match what {
        "entries" => or_none(it.size),
        "without" => or_none(it.without),
        "due" => or_none(standing.map(|it| it.due)),
        "realised" => or_none(standing.map(|it| it.realised)),
        "on schedule" => or_none(standing.and_then(|it| it.on_schedule)),
        "pace" => or_none(standing.and_then(|it| it.pace)),
        "remaining" => or_none(standing.map(|it| it.remaining)),
        "expected" => or_none(standing.and_then(|it| it.expected)),
        "based on" => or_none(interim.map(|it| it.expected)),
        "in force" => or_none(interim.map(|it| it.in_force)),
        "months" => or_none(interim.map(|it| it.months)),
        "now expected" => or_none(interim.and_then(|it| it.now_expected)),
        "difference" => or_none(interim.and_then(|it| it.difference)),
        "decided" => or_none(interim.and_then(|it| it.decided)),
        _ => return None,
    })
}
