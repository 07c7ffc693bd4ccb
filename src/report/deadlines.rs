//! How long it took to house people, and who stays too long, for people and for spreadsheets.

use std::io::{self, Write};

use comfy_table::Cell;
use csv::Writer;

use super::csv::{io_error, text};
use super::number::{grouped, percent};
use super::quota::{lines, right};
use super::table::{generated, known, plain_table, so_far, wrap_only, wrapped, written};
use crate::book::deadlines::{DeadlineStanding, WEEKS};
use crate::book::statement::Ratio;
use crate::ledger::DeadlinesShown;

/// The classes in which weeks are shown: the last week of each. What took longer is the last class.
const CLASSES: [u16; 7] = [4, 9, WEEKS, 20, 26, 39, 52];

/// The deadlines of one area.
pub fn deadlines(it: &DeadlinesShown) -> String {
    let standing = &it.standing;
    let area = &standing.area;
    let mut said = heading(it, &format!("{} ({})", area.name, area.code));
    let median = standing.median_weeks.map_or_else(|| "-".to_owned(), |it| it.to_string());
    said += &lines(&[
        ("Housed and counted in the half-year", grouped(standing.housed)),
        ("  with the day of the permit", grouped(standing.with_permit_day)),
        ("  without it", grouped(standing.without_permit_day)),
        ("Within 14 weeks of the permit", grouped(standing.within_14_weeks)),
        ("  share of those with the day", percent(standing.share_within_14_weeks)),
        ("Half were housed within, in weeks", median),
    ]);
    if standing.with_permit_day > 0 {
        said += &format!("\n{}", classes(standing));
    }
    let [transit, hotel] = [&standing.transit_location, &standing.hotel_scheme];
    said.push('\n');
    said += &lines(&[
        ("In a transit location, by what is recorded", grouped(transit.staying)),
        (&format!("  longer than {} months", transit.months), grouped(transit.past_limit)),
        ("In the hotel scheme, by what is recorded", grouped(hotel.staying)),
        (&format!("  longer than {} months", hotel.months), grouped(hotel.past_limit)),
    ]);
    for sentence in sentences(it) {
        said += &format!("\n{}", wrapped(&sentence));
    }
    said
}

fn classes(it: &DeadlineStanding) -> String {
    let mut table = plain_table();
    table.set_header(["Weeks", "Persons", "Share", "Up to here"].map(|name| right(name.to_owned())));
    let (mut from, mut so_far) = (0, 0);
    for last in CLASSES.into_iter().map(Some).chain([None]) {
        let within =
            it.weeks.iter().filter(|it| it.weeks >= from && last.is_none_or(|last| it.weeks <= last));
        let persons: i64 = within.map(|it| it.persons).sum();
        so_far += persons;
        let name = match last {
            Some(last) => format!("{from} to {last}"),
            None => format!("{from} or more"),
        };
        let share = |persons| percent(Ratio::of(persons, it.with_permit_day));
        table.add_row([name, grouped(persons), share(persons), share(so_far)].map(right));
        from = last.map_or(from, |last| last + 1);
    }
    wrap_only(&mut table, usize::MAX);
    format!("{}\n", table.trim_fmt())
}

/// The deadlines of the parts of an area, a row each.
pub fn deadlines_of_parts(whole: &str, parts: &[DeadlinesShown]) -> String {
    let Some(first) = parts.first() else { return "No municipality exists on that date.\n".to_owned() };
    let mut said = heading(first, whole);
    let mut table = plain_table();
    let numbers = ["Housed", "No day", "Within", "Share", "Half", "Transit", "Hotel"];
    let header = numbers.map(|name| right(name.to_owned()));
    table.set_header([Cell::new("Area"), Cell::new("")].into_iter().chain(header));
    for it in parts.iter().map(|it| &it.standing) {
        let numbers = [
            grouped(it.housed),
            grouped(it.without_permit_day),
            grouped(it.within_14_weeks),
            percent(it.share_within_14_weeks),
            it.median_weeks.map_or_else(|| "-".to_owned(), |weeks| weeks.to_string()),
            grouped(it.transit_location.past_limit),
            grouped(it.hotel_scheme.past_limit),
        ];
        let named = [Cell::new(it.area.code), Cell::new(&it.area.name)];
        table.add_row(named.into_iter().chain(numbers.map(right)));
    }
    wrap_only(&mut table, 1);
    said += &format!("{}\n", table.trim_fmt());
    let what = format!(
        "No day: without the day of the permit. Within: housed within 14 weeks of it. Half: half were housed within so \
         many weeks. Transit, Hotel: who stays longer than {} and {} months.",
        first.standing.transit_location.months, first.standing.hotel_scheme.months
    );
    for sentence in std::iter::once(what).chain(sentences(first)) {
        said += &format!("\n{}", wrapped(&sentence));
    }
    said
}

fn heading(it: &DeadlinesShown, area: &str) -> String {
    format!(
        "From permit to housing in {}: {area}\nOn {} at the start of the day\n{}",
        it.standing.half_year,
        written(it.standing.reference_date),
        known(&it.known_at, &it.checkpoint)
    )
}

/// What a reader must know beside the numbers.
fn sentences(it: &DeadlinesShown) -> Vec<String> {
    let standing = &it.standing;
    let mut sentences = Vec::from_iter(so_far(&it.known_at, standing.reference_date));
    if standing.reference_date <= standing.half_year.last_day() {
        sentences.push(format!(
            "The half-year is not over on this date: it ends after {}.",
            written(standing.half_year.last_day())
        ));
    }
    sentences.push(
        "Weeks are whole and rounded up: within 14 weeks is at most 98 days after the permit. Each placement counts where \
         it was recorded; a move later on is no second housing."
            .to_owned(),
    );
    sentences.push(
        "Somebody stays in a transit location or hotel until final housing is recorded. A stay is longer than its months \
         from the day after the one with the same number, or after the last day of a month that has none."
            .to_owned(),
    );
    sentences.extend(standing.generated.then(generated));
    sentences
}

/// The deadlines, a row for each figure of each area, and for each number of weeks.
///
/// # Errors
/// When they cannot be written.
pub fn deadlines_as_csv(parts: &[DeadlinesShown], to: impl Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(to);
    rows.write_record([
        "area",
        "name",
        "half_year",
        "reference_date",
        "known_at_size",
        "known_at_time",
        "figure",
        "weeks",
        "value",
        "generated",
        "root",
    ])
    .map_err(io_error)?;
    for it in parts {
        let standing = &it.standing;
        let share = standing
            .share_within_14_weeks
            .map(|ratio| format!("{:.4}", ratio.ten_thousandths() as f64 / 10_000.0));
        let [transit, hotel] = [&standing.transit_location, &standing.hotel_scheme];
        let before = [
            ("housed", standing.housed),
            ("with_permit_day", standing.with_permit_day),
            ("without_permit_day", standing.without_permit_day),
            ("within_14_weeks", standing.within_14_weeks),
        ];
        let after = [
            ("transit_location_staying", transit.staying),
            ("transit_location_past_limit", transit.past_limit),
            ("hotel_scheme_staying", hotel.staying),
            ("hotel_scheme_past_limit", hotel.past_limit),
        ];
        let plain = |(name, number): (&'static str, i64)| (name, String::new(), number.to_string());
        let mut figures: Vec<_> = before.into_iter().map(plain).collect();
        figures.push(("share_within_14_weeks", String::new(), share.unwrap_or_default()));
        let median = standing.median_weeks.map_or_else(String::new, |weeks| weeks.to_string());
        figures.push(("median_weeks", String::new(), median));
        let housed_within = standing.weeks.iter();
        figures
            .extend(housed_within.map(|it| ("housed_within", it.weeks.to_string(), it.persons.to_string())));
        figures.extend(after.into_iter().map(plain));
        for (figure, weeks, value) in figures {
            rows.write_record([
                standing.area.code.to_string(),
                text(&standing.area.name),
                standing.half_year.to_string(),
                standing.reference_date.to_string(),
                it.known_at.size.to_string(),
                it.known_at.time.map_or_else(String::new, |time| time.to_string()),
                figure.to_owned(),
                weeks,
                value,
                standing.generated.to_string(),
                it.checkpoint.root.to_string(),
            ])
            .map_err(io_error)?;
        }
    }
    rows.flush()
}
