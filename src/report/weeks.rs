//! A half-year week by week, for people and for spreadsheets.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment};
use csv::Writer;

use super::csv::{io_error, text};
use super::number::{grouped, or_dash, percent, signed};
use super::table::{generated, plain_table, wrap_only, wrapped, written};
use crate::book::weeks::{Ended, Interim, Week, Weeks, Without};
use crate::ledger::WeekByWeek;

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Each week in a row, what became of the half-year, and when a miss could be seen.
pub fn weeks(it: &WeekByWeek) -> String {
    let WeekByWeek { weeks, known_at, checkpoint } = it;
    let (name, code) = (&weeks.area.name, weeks.area.code);
    let mut said = wrapped(&format!("{name} ({code}): {} as it looked each Monday", weeks.half_year));
    said += &format!(
        "As known now at log size {}{}\nRoot {}\n\n",
        grouped(known_at.size as i64),
        known_at.time.map_or_else(String::new, |time| format!(" (last entry {time})")),
        checkpoint.root
    );
    said += &standings(&weeks.weeks);
    let mut sentences = vec![
        "Each row is as known when its day began, and the last one is the first day after the half-year. Expected is \
         what would remain at the end if realisation went on as it had until then, by sixths and days, to the nearest \
         person."
            .to_owned(),
    ];
    if weeks.weeks.iter().any(|it| it.standing.is_some_and(|standing| standing.expected.is_none())) {
        sentences.push(
            "Nothing is expected while nothing of the half-year has passed, no municipal numbers of it are known, or no \
             quota is in force."
                .to_owned(),
        );
    }
    sentences.extend(without(weeks));
    sentences.push(became(weeks));
    sentences.push(seen(weeks));
    for sentence in sentences {
        said += &format!("\n{}", wrapped(&sentence));
    }
    said += &interim(&weeks.weeks);
    if weeks.generated {
        said += &format!("\n{}", wrapped(&generated()));
    }
    said
}

fn standings(weeks: &[Week]) -> String {
    let mut table = plain_table();
    let names = ["Log size", "Due", "Realised", "Schedule", "Pace", "Remains", "Expected", "Fulfilled"];
    table.set_header(std::iter::once(Cell::new("On")).chain(names.map(|name| right(name.to_owned()))));
    for week in weeks {
        let size = or_dash(week.size.map(|size| size as i64));
        let numbers = match &week.standing {
            Some(it) => [
                size,
                grouped(it.due),
                grouped(it.realised),
                or_dash(it.on_schedule),
                it.pace.map_or_else(|| "-".to_owned(), signed),
                grouped(it.remaining),
                or_dash(it.expected),
                percent(it.fulfilment),
            ],
            None => std::array::from_fn(|cell| if cell == 0 { size.clone() } else { "-".to_owned() }),
        };
        table.add_row(std::iter::once(Cell::new(week.on)).chain(numbers.map(right)));
    }
    wrap_only(&mut table, names.len() + 1);
    format!("{}\n", table.trim_fmt())
}

/// Why days have no standing: days that follow one another and have the same reason in one sentence.
fn without(it: &Weeks) -> Vec<String> {
    let mut sentences = Vec::new();
    for days in it.weeks.chunk_by(|one, next| one.without == next.without) {
        let Some(without) = days[0].without else { continue };
        let (first, last) = (written(days[0].on), written(days[days.len() - 1].on));
        let when = if days.len() == 1 { format!("On {first}") } else { format!("From {first} to {last}") };
        sentences.push(match without {
            Without::NotReached => format!("{when}: no figures, since the log does not reach that far."),
            Without::Unknown => {
                format!("{when}: no figures, since nothing of the area was in the register, as known then.")
            }
            Without::NotYet => {
                format!("{when}: no figures, since the municipality did not exist yet, as known then.")
            }
            Without::Ceased => {
                format!("{when}: no figures, since the municipality no longer existed, as known then.")
            }
        });
    }
    sentences
}

/// What became of the half-year.
fn became(it: &Weeks) -> String {
    let half_year = it.half_year;
    let Some(Ended { due, realised, remaining, recorded, .. }) = it.ended else {
        return match it.weeks.last().and_then(|last| last.without) {
            Some(Without::NotReached) => {
                format!("What became of {half_year} is not known: the log does not reach its end.")
            }
            _ => format!("At the end of {half_year} the area has no standing of its own."),
        };
    };
    let fixed =
        recorded.map_or_else(String::new, |fixed| format!(" As carry-over {} was fixed.", grouped(fixed)));
    format!(
        "What became of {half_year}, as known now: due {}, realised {}, remaining {}.{fixed}",
        grouped(due),
        grouped(realised),
        grouped(remaining)
    )
}

/// When a miss could be seen.
fn seen(it: &Weeks) -> String {
    let missed = it.ended.map(|ended| ended.remaining > 0);
    let from = it.seen_from.map(|day| {
        format!(
            "from Monday {} on every week expected a backlog at the end (more than 0 persons)",
            written(day)
        )
    });
    match (missed, from) {
        (Some(true), Some(from)) => format!("The miss could have been seen: {from}."),
        (Some(true), None) => "The miss could not have been seen on a Monday: the last one did not expect a backlog at the \
                               end (more than 0 persons)."
            .to_owned(),
        (Some(false), Some(from)) => format!("There was no miss, although {from}."),
        (Some(false), None) => "There was no miss, and the last Monday expected none.".to_owned(),
        (None, Some(from)) => format!("A miss can be seen: {from}."),
        (None, None) => "No miss can be seen: the last Monday that has come did not expect a backlog at the end (more than \
                         0 persons)."
            .to_owned(),
    }
}

/// The interim evaluation as it stood: a row for every Monday on which it stood differently from before.
fn interim(weeks: &[Week]) -> String {
    let mut rows: Vec<(&Week, Interim)> = Vec::new();
    for week in weeks {
        if let Some(interim) = week.interim.filter(|it| rows.last().is_none_or(|(_, before)| before != it)) {
            rows.push((week, interim));
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut table = plain_table();
    let names = ["Quota", "In force", "Based on", "Months", "Now expected", "Difference"];
    let header = std::iter::once(Cell::new("From")).chain(names.map(|name| right(name.to_owned())));
    table.set_header(header.chain([Cell::new("Decided")]));
    for (week, it) in rows {
        let months = match it.of_months {
            Some(of) => format!("{} of {of}", it.months),
            None => it.months.to_string(),
        };
        let numbers = [
            grouped(it.quota.count()),
            grouped(it.in_force.count()),
            grouped(it.expected),
            months,
            or_dash(it.now_expected),
            it.difference.map_or_else(|| "-".to_owned(), signed),
        ];
        let decided = it.decided.unwrap_or("-").replace('_', " ");
        let cells = std::iter::once(Cell::new(week.on)).chain(numbers.map(right));
        table.add_row(cells.chain([Cell::new(decided)]));
    }
    wrap_only(&mut table, names.len() + 1);
    let said = wrapped(
        "The interim evaluation as known then, where it changed: what the quota was based on, and what the grants of its \
         window that were reported by then let one expect.",
    );
    format!("\n{said}\n{}\n", table.trim_fmt())
}

/// The weeks as CSV, a row each, with what became of the half-year beside every one.
///
/// # Errors
/// When they cannot be written.
pub fn weeks_as_csv(it: &WeekByWeek, to: impl Write) -> io::Result<()> {
    let WeekByWeek { weeks, known_at, checkpoint } = it;
    let mut rows = Writer::from_writer(to);
    rows.write_record([
        "area",
        "name",
        "half_year",
        "on",
        "known_at_size",
        "without",
        "due",
        "realised",
        "on_schedule",
        "pace",
        "remaining",
        "fulfilment",
        "expected",
        "interim_quota",
        "interim_in_force",
        "interim_expected",
        "interim_now_expected",
        "interim_months",
        "interim_difference",
        "interim_decided",
        "ended_due",
        "ended_realised",
        "ended_remaining",
        "ended_recorded",
        "ended_recorded_for",
        "seen_from",
        "generated",
        "ended_at_size",
        "root",
    ])
    .map_err(io_error)?;
    fn shown(it: Option<impl ToString>) -> String {
        it.map_or_else(String::new, |it| it.to_string())
    }
    let ended = weeks.ended;
    for week in &weeks.weeks {
        let (standing, interim) = (week.standing, week.interim);
        let ratio = standing.and_then(|it| it.fulfilment);
        rows.write_record([
            weeks.area.code.to_string(),
            text(&weeks.area.name),
            weeks.half_year.to_string(),
            week.on.to_string(),
            shown(week.size),
            shown(week.without),
            shown(standing.map(|it| it.due)),
            shown(standing.map(|it| it.realised)),
            shown(standing.and_then(|it| it.on_schedule)),
            shown(standing.and_then(|it| it.pace)),
            shown(standing.map(|it| it.remaining)),
            shown(ratio.map(|it| format!("{:.4}", it.ten_thousandths() as f64 / 10_000.0))),
            shown(standing.and_then(|it| it.expected)),
            shown(interim.map(|it| it.quota)),
            shown(interim.map(|it| it.in_force)),
            shown(interim.map(|it| it.expected)),
            shown(interim.and_then(|it| it.now_expected)),
            shown(interim.map(|it| it.months)),
            shown(interim.and_then(|it| it.difference)),
            shown(interim.and_then(|it| it.decided)),
            shown(ended.map(|it| it.due)),
            shown(ended.map(|it| it.realised)),
            shown(ended.map(|it| it.remaining)),
            shown(ended.and_then(|it| it.recorded)),
            shown(ended.map(|it| it.recorded_for)),
            shown(weeks.seen_from),
            weeks.generated.to_string(),
            known_at.size.to_string(),
            checkpoint.root.to_string(),
        ])
        .map_err(io_error)?;
    }
    rows.flush()
}
