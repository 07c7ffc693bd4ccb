//! Small-scale care of amv, for people and for spreadsheets.

use std::io::{self, Write};

use comfy_table::Cell;
use csv::Writer;

use super::csv::{io_error, text};
use super::number::grouped;
use super::quota::{lines, right};
use super::table::{generated, known, plain_table, so_far, wrap_only, wrapped, written};
use crate::book::care::CareStanding;
use crate::ledger::CareShown;

/// Small-scale care of one area.
pub fn care(it: &CareShown) -> String {
    let standing = &it.standing;
    let area = &standing.area;
    let mut said = heading(it, &format!("{} ({})", area.name, area.code));
    let weeks = weeks(standing);
    let until = written(standing.until);
    let free = match standing.places_free {
        Some(free) if free < 0 => ("  placed above the places there are", Some(-free)),
        free => ("  free by the places there are", free),
    };
    let short = match standing.places_short {
        Some(short) if short < 0 => ("  more than are needed", Some(-short)),
        short => ("  short of what is needed", short),
    };
    let owed = standing.follow_on_owed;
    let rows = [
        ("Places needed".to_owned(), standing.places_needed),
        ("Places there are".to_owned(), standing.places_there),
        (short.0.to_owned(), short.1),
        ("Placed".to_owned(), Some(standing.placed)),
        (free.0.to_owned(), free.1),
        (format!("  turn 18 {weeks}"), Some(standing.turning_18)),
        (format!("  leave care {weeks}"), Some(standing.leaving)),
        ("  in extended care, 18 already".to_owned(), Some(standing.in_extended_care)),
        ("  not recorded when they turn 18".to_owned(), Some(standing.without_18)),
        ("  not recorded when care ends".to_owned(), Some(standing.without_end)),
        ("Follow-on housing owed".to_owned(), Some(owed.now)),
        (format!("  by {until}"), Some(owed.until)),
    ];
    let shown = rows.iter().filter_map(|(label, number)| Some((label.as_str(), grouped((*number)?))));
    said += &lines(&shown.collect::<Vec<_>>());
    for sentence in sentences(it) {
        said += &format!("\n{}", wrapped(&sentence));
    }
    said
}

/// Small-scale care of the parts of an area, a row each.
pub fn cares(whole: &str, parts: &[CareShown]) -> String {
    let Some(first) = parts.first() else { return "No municipality exists on that date.\n".to_owned() };
    let mut said = heading(first, whole);
    let mut table = plain_table();
    let numbers = ["Needed", "There", "Placed", "Turn 18", "Leave", "Extended", "Owed"];
    let header = numbers.map(|name| right(name.to_owned()));
    table.set_header([Cell::new("Area"), Cell::new("")].into_iter().chain(header));
    for it in parts.iter().map(|it| &it.standing) {
        let numbers = [
            it.places_needed,
            it.places_there,
            Some(it.placed),
            Some(it.turning_18),
            Some(it.leaving),
            Some(it.in_extended_care),
            Some(it.follow_on_owed.now),
        ];
        let named = [Cell::new(it.area.code), Cell::new(&it.area.name)];
        let numbers = numbers.map(|number| right(number.map_or_else(|| "-".to_owned(), grouped)));
        table.add_row(named.into_iter().chain(numbers));
    }
    wrap_only(&mut table, 1);
    said += &format!("{}\n", table.trim_fmt());
    let ahead = weeks(&first.standing);
    let what = format!("Turn 18 and Leave: {ahead}. Owed: follow-on housing, on the reference date.");
    for sentence in std::iter::once(what).chain(sentences(first)) {
        said += &format!("\n{}", wrapped(&sentence));
    }
    said
}

fn heading(it: &CareShown, area: &str) -> String {
    format!(
        "Small-scale care of amv: {area}\nOn {} at the start of the day\n{}",
        written(it.standing.reference_date),
        known(&it.known_at, &it.checkpoint)
    )
}

fn weeks(it: &CareStanding) -> String {
    match it.within_weeks {
        1 => "within 1 week".to_owned(),
        weeks => format!("within {weeks} weeks"),
    }
}

/// What a reader must know beside the numbers.
fn sentences(it: &CareShown) -> Vec<String> {
    let standing = &it.standing;
    let mut sentences = Vec::from_iter(so_far(&it.known_at, standing.reference_date));
    sentences.push(match &standing.need {
        Some(need) => format!(
            "Places needed in the country: {} from {} until {} ({}).",
            grouped(need.places.count()),
            need.from,
            need.until,
            need.reference
        ),
        None => "How many places are needed on this date is not known.".to_owned(),
    });
    sentences.push(match &standing.count {
        Some(count) => format!(
            "Places there are in the country: {}, counted on {} ({}).",
            grouped(count.places.count()),
            count.counted_on,
            count.reference
        ),
        None => "How many places there are is not known.".to_owned(),
    });
    let of_country = standing.need.is_some() && standing.places_needed.is_none()
        || standing.count.is_some() && standing.places_there.is_none();
    if of_country {
        sentences.push("For this area no number of its own was given.".to_owned());
    }
    sentences.push(
        "Follow-on housing is owed for whoever counted and left care at its recorded end, where neither final housing \
         nor a move is recorded. Whether they still occupy a place is not recorded, and they are not among those placed."
            .to_owned(),
    );
    sentences.extend(standing.generated.then(generated));
    sentences
}

/// Small-scale care, a row for each area.
///
/// # Errors
/// When it cannot be written.
pub fn care_as_csv(parts: &[CareShown], to: impl Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(to);
    rows.write_record([
        "area",
        "name",
        "reference_date",
        "known_at_size",
        "known_at_time",
        "within_weeks",
        "until",
        "places_needed",
        "places_there",
        "placed",
        "places_free",
        "places_short",
        "need_from",
        "need_until",
        "counted_on",
        "turning_18",
        "leaving",
        "in_extended_care",
        "without_18",
        "without_end",
        "follow_on_owed_now",
        "follow_on_owed_until",
        "generated",
        "root",
    ])
    .map_err(io_error)?;
    for it in parts {
        let standing = &it.standing;
        let number = |number: Option<i64>| number.map_or_else(String::new, |it| it.to_string());
        rows.write_record([
            standing.area.code.to_string(),
            text(&standing.area.name),
            standing.reference_date.to_string(),
            it.known_at.size.to_string(),
            it.known_at.time.map_or_else(String::new, |time| time.to_string()),
            standing.within_weeks.to_string(),
            standing.until.to_string(),
            number(standing.places_needed),
            number(standing.places_there),
            standing.placed.to_string(),
            number(standing.places_free),
            number(standing.places_short),
            standing.need.as_ref().map_or_else(String::new, |it| it.from.to_string()),
            standing.need.as_ref().map_or_else(String::new, |it| it.until.to_string()),
            standing.count.as_ref().map_or_else(String::new, |it| it.counted_on.to_string()),
            standing.turning_18.to_string(),
            standing.leaving.to_string(),
            standing.in_extended_care.to_string(),
            standing.without_18.to_string(),
            standing.without_end.to_string(),
            standing.follow_on_owed.now.to_string(),
            standing.follow_on_owed.until.to_string(),
            standing.generated.to_string(),
            it.checkpoint.root.to_string(),
        ])
        .map_err(io_error)?;
    }
    rows.flush()
}
