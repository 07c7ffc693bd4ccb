//! Restatements, for people and for spreadsheets.

use std::cell::RefCell;
use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment};
use csv::Writer;
use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};

use super::csv::{io_error, text};
use super::number::{grouped, signed};
use super::table::{broken, generated, plain_table, wrap_only, wrapped, written};
use crate::book::restatement::Touch;
use crate::book::statement::NamedArea;
use crate::domain::half_year::HalfYear;
use crate::domain::time::Day;
use crate::ledger::{Checkpoint, ClosingShown, KnownAtSize, Late, Restated, Restatements};

/// The standing at the end of a half-year and every change of it since.
pub fn restatements(it: &Restatements) -> String {
    let (name, code) = (&it.area.name, it.area.code);
    let mut text = wrapped(&format!(
        "{name} ({code}): the standing at the end of {}, {}",
        it.half_year,
        written(it.closed_on)
    ));
    text += &format!(
        "As known at log size {}{}\nRoot {}\n\n",
        grouped(it.known_at.size as i64),
        it.known_at.time.map_or_else(String::new, |time| format!(" (last entry {time})")),
        it.checkpoint.root
    );
    let mut table = plain_table();
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let names = ["Log size", "Recorded", "Days after", "Entries", "Change", "Derived", "Fixed"];
    table.set_header(names.map(|name| right(name.to_owned())).into_iter().chain([Cell::new("By")]));
    let fixed = |it: &ClosingShown| it.recorded.map_or_else(|| "-".to_owned(), grouped);
    let size = |known: &KnownAtSize| grouped(known.size as i64);
    let mut row = |cells: [String; 7], by: &str| {
        table.add_row(cells.map(right).into_iter().chain([Cell::new(by)]));
    };
    let none = String::new;
    let standing = |known: &KnownAtSize, recorded: String, it: &ClosingShown| {
        [size(known), recorded, none(), none(), none(), grouped(it.derived), fixed(it)]
    };
    row(standing(&it.known_at_closing, it.closed_on.to_string(), &it.at_closing), "as it closed");
    for restated in &it.restated {
        let recorded = restated.known_at.time.map_or_else(none, |time| time.dutch_day().to_string());
        row(
            [
                size(&restated.known_at),
                recorded,
                restated.days_after_closing.to_string(),
                grouped(restated.entries as i64),
                signed(restated.change),
                grouped(restated.standing.derived),
                fixed(&restated.standing),
            ],
            restated.delivered_by.as_str(),
        );
    }
    wrap_only(&mut table, names.len());
    text += &table.trim_fmt();
    text += "\n\n";
    let times = match it.restated.len() {
        0 => "It was never restated.".to_owned(),
        1 => "It was restated once.".to_owned(),
        many => format!("It was restated {} times.", grouped(many as i64)),
    };
    let mut sentences = vec![times];
    if it.now.recorded.is_some() && it.now.difference != 0 {
        sentences.push(format!(
            "What was fixed differs by {} from what follows from the entries. Both stand.",
            grouped(it.now.difference)
        ));
    }
    sentences.extend(it.generated.then(generated));
    let sentences: Vec<_> = sentences.iter().map(|it| wrapped(it)).collect();
    text += &sentences.join("\n");
    text
}

/// Finds what is told of an entry that came late.
pub type FindLate<'a, E> = &'a dyn Fn(&Touch) -> Result<Late, E>;

/// The entries behind every change, one after another.
///
/// # Errors
/// When one cannot be read, or nothing can be written.
pub fn late_entries<E: From<io::Error>>(
    it: &Restatements,
    touches: &[Touch],
    find: FindLate<'_, E>,
    to: &mut impl Write,
) -> Result<(), E> {
    for restated in &it.restated {
        write!(
            to,
            "\nLog size {}, by {}\nDelivery {}\n",
            grouped(restated.known_at.size as i64),
            restated.delivered_by,
            restated.delivery
        )?;
        writeln!(to, "{:>12}  Of         Days late          Change  Line", "Entry")?;
        for touch in restated.touches(touches) {
            let late = find(touch)?;
            let kind = late.kind.map_or_else(String::new, |kind| format!(", {kind}"));
            let of = match late.line_half_year == it.half_year {
                true => String::new(),
                false => format!("{} ", late.line_half_year),
            };
            let said = format!("{of}{}{kind} ({})", late.line, late.event);
            let mut lines = broken(&said, 27).into_iter();
            writeln!(
                to,
                "{:>12}  {} {:>9}  {} {:>7}  {}",
                grouped(late.position.0 as i64),
                late.valid_on,
                late.days_late,
                late.municipality,
                late.change.map_or_else(|| "-".to_owned(), signed),
                lines.next().unwrap_or_default()
            )?;
            for line in lines {
                writeln!(to, "{:>52}{line}", "")?;
            }
        }
    }
    Ok(())
}

/// The changes, each with the entries behind it.
struct WithLate<'a, E> {
    it: &'a Restatements,
    touches: &'a [Touch],
    find: FindLate<'a, E>,
    failed: &'a RefCell<Option<E>>,
}

impl<E> Serialize for WithLate<'_, E> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        /// A change, and below it its entries.
        #[derive(Serialize)]
        #[serde(bound = "")]
        struct One<'a, E> {
            #[serde(flatten)]
            restated: &'a Restated,
            behind: LateOf<'a, E>,
        }
        let each = self.it.restated.iter();
        to.collect_seq(each.map(|restated| One { restated, behind: LateOf(self, restated) }))
    }
}

/// The entries of one change, found while they are written: where a ledger was filled afterwards, all of them came late.
struct LateOf<'a, E>(&'a WithLate<'a, E>, &'a Restated);

impl<E> Serialize for LateOf<'_, E> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut seq = to.serialize_seq(None)?;
        for touch in self.1.touches(self.0.touches) {
            let late = (self.0.find)(touch).map_err(|error| {
                self.0.failed.replace(Some(error));
                S::Error::custom("an entry that came late was not found")
            })?;
            seq.serialize_element(&late)?;
        }
        seq.end()
    }
}

/// Writes restatements in JSON with the entries behind each, one after another.
///
/// # Errors
/// When one cannot be read, or nothing can be written.
pub fn restatements_as_json<E: From<io::Error>>(
    it: &Restatements,
    touches: &[Touch],
    find: FindLate<'_, E>,
    to: &mut impl Write,
) -> Result<(), E> {
    /// All fields in their order, with another list in the place of the plain one.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase", bound = "")]
    struct Whole<'a, E> {
        area: &'a NamedArea,
        half_year: HalfYear,
        closed_on: Day,
        known_at_closing: KnownAtSize,
        at_closing: ClosingShown,
        restated: WithLate<'a, E>,
        now: ClosingShown,
        known_at: KnownAtSize,
        checkpoint: Checkpoint,
        generated: bool,
    }
    let failed = RefCell::new(None);
    let whole = Whole {
        area: &it.area,
        half_year: it.half_year,
        closed_on: it.closed_on,
        known_at_closing: it.known_at_closing,
        at_closing: it.at_closing,
        restated: WithLate { it, touches, find, failed: &failed },
        now: it.now,
        known_at: it.known_at,
        checkpoint: it.checkpoint,
        generated: it.generated,
    };
    let written = serde_json::to_writer(to, &whole);
    match failed.take() {
        Some(error) => Err(error),
        None => written.map_err(|error| io::Error::from(error).into()),
    }
}

/// The entries behind every change as CSV, a row each.
///
/// # Errors
/// When one cannot be read, or nothing can be written.
pub fn late_entries_as_csv<E: From<io::Error>>(
    it: &Restatements,
    touches: &[Touch],
    find: FindLate<'_, E>,
    to: &mut impl Write,
) -> Result<(), E> {
    let mut rows = Writer::from_writer(to);
    rows.write_record([
        "area",
        "half_year",
        "known_at_size",
        "delivery",
        "delivered_by",
        "position",
        "type",
        "source",
        "valid_on",
        "days_late",
        "municipality",
        "line_half_year",
        "line",
        "kind",
        "change",
    ])
    .map_err(io_error)?;
    for restated in &it.restated {
        for touch in restated.touches(touches) {
            let late = find(touch)?;
            rows.write_record([
                it.area.code.to_string(),
                it.half_year.to_string(),
                restated.known_at.size.to_string(),
                restated.delivery.to_string(),
                text(restated.delivered_by.as_str()),
                late.position.to_string(),
                late.event.to_string(),
                text(late.source.as_str()),
                late.valid_on.to_string(),
                late.days_late.to_string(),
                late.municipality.to_string(),
                late.line_half_year.to_string(),
                late.line.to_string(),
                late.kind.map_or_else(String::new, |kind| kind.to_string()),
                late.change.map_or_else(String::new, |change| change.to_string()),
            ])
            .map_err(io_error)?;
        }
    }
    Ok(rows.flush()?)
}

/// The same as CSV, a row for each change, and the first for the standing as it closed.
///
/// # Errors
/// When they cannot be written.
pub fn restatements_as_csv(it: &Restatements, to: impl Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(to);
    rows.write_record([
        "area",
        "half_year",
        "known_at_size",
        "known_at_time",
        "days_after_closing",
        "delivery",
        "delivered_by",
        "entries",
        "first_position",
        "last_position",
        "happened_from",
        "happened_until",
        "change",
        "derived",
        "recorded",
        "recorded_for",
        "difference",
    ])
    .map_err(io_error)?;
    let common = [it.area.code.to_string(), it.half_year.to_string()];
    let time = |known: &KnownAtSize| known.time.map_or_else(String::new, |time| time.to_string());
    let closing = |it: &ClosingShown| {
        [
            it.derived.to_string(),
            it.recorded.map_or_else(String::new, |recorded| recorded.to_string()),
            it.recorded_for.to_string(),
            it.difference.to_string(),
        ]
    };
    let mut first = vec![it.known_at_closing.size.to_string(), time(&it.known_at_closing)];
    first.resize(11, String::new());
    rows.write_record(common.iter().chain(&first).chain(&closing(&it.at_closing))).map_err(io_error)?;
    for restated in &it.restated {
        let cells = [
            restated.known_at.size.to_string(),
            time(&restated.known_at),
            restated.days_after_closing.to_string(),
            restated.delivery.to_string(),
            text(restated.delivered_by.as_str()),
            restated.entries.to_string(),
            restated.first_position.to_string(),
            restated.last_position.to_string(),
            restated.happened_from.to_string(),
            restated.happened_until.to_string(),
            restated.change.to_string(),
        ];
        rows.write_record(common.iter().chain(&cells).chain(&closing(&restated.standing)))
            .map_err(io_error)?;
    }
    rows.flush()
}
