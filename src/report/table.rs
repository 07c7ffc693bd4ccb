//! Tables for a terminal of 80 columns.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use super::number::{grouped, or_dash, percent};
use crate::book::account::Account;
use crate::book::objection::ContestedSum;
use crate::book::regime::Regime;
use crate::book::statement::{Reading, Statement};
use crate::domain::event::{Entry, Event};
use crate::domain::half_year::HalfYear;
use crate::domain::objection::{Contested, FigureReport};
use crate::domain::persons::Standing;
use crate::domain::placement::Housed;
use crate::domain::time::Day;
use crate::ledger::{Answer, Checkpoint, KnownAtSize};

/// The width that every table keeps to.
pub(super) const WIDTH: u16 = 80;

/// One statement: each line of it, and a sentence about whatever is not plain from the numbers.
pub fn statement(answer: &Answer) -> String {
    let it = &answer.statement;
    let mut text = heading(answer, &format!("{} ({})", it.area.name, it.area.code));
    let mut table = plain_table();
    let mut line = |label: &str, number: i64| {
        table.add_row([Cell::new(label), Cell::new(grouped(number)).set_alignment(CellAlignment::Right)]);
    };
    line("Carried over", it.carried_over.used);
    line("  derived from the entries", it.carried_over.derived);
    if let Some(recorded) = it.carried_over.recorded {
        line("  recorded by the authority", recorded);
    }
    line("Quota", it.quota);
    for (label, number) in
        [("Revision", it.revision), ("Exchange", it.exchange), ("Boundary changes", it.boundary)]
    {
        if number != 0 {
            line(label, number);
        }
    }
    line("Due", it.due);
    line("Realised", it.realised);
    for (kind, number) in it.realised_by_kind.iter().filter(|(_, number)| *number != 0) {
        line(&format!("  {kind}"), number);
    }
    line("Remaining", it.remaining);
    for (label, shown) in [
        ("On schedule by now", or_dash(it.on_schedule)),
        ("Pace (realised - on schedule)", or_dash(it.pace)),
        ("Fulfilment", percent(it.fulfilment)),
    ] {
        table.add_row([Cell::new(label), Cell::new(shown).set_alignment(CellAlignment::Right)]);
    }
    let mut line = |label: &str, number: i64| {
        table.add_row([Cell::new(label), Cell::new(grouped(number)).set_alignment(CellAlignment::Right)]);
    };
    line(&format!("Backlog ({})", it.reading), it.backlog);
    line("Surplus", it.surplus);
    if it.municipalities.count != 1 {
        line("  backlogs of municipalities", it.municipalities.backlog);
        line("  surpluses of municipalities", it.municipalities.surplus);
    }
    if let Some(needed) = it.amv.places_needed {
        line("Amv: places needed", needed);
    }
    if let Some(there) = it.amv.places_there {
        line("Amv: places there are", there);
    }
    line("Amv: placed, in small-scale care", it.amv.placed);
    wrap_only(&mut table, 0);
    text += &table.trim_fmt();
    text.push('\n');
    for sentence in so_far(&answer.known_at, it.reference_date).into_iter().chain(sentences(it)) {
        text.push('\n');
        text += &wrapped(&sentence);
    }
    text
}

/// The statements of the parts of an area, a row each.
pub fn statements(whole: &str, answers: &[Answer]) -> String {
    let Some(first) = answers.first() else { return "No municipality exists on that date.\n".to_owned() };
    let mut text = heading(
        first,
        &format!(
            "{whole}: {}",
            if answers.len() == 1 { "1 area".to_owned() } else { format!("{} areas", answers.len()) }
        ),
    );
    let mut table = plain_table();
    let names = ["Area", "", "Carried", "Due", "Realised", "Remains", "Fulfilled", "Backlog"];
    table.set_header(names.iter().enumerate().map(|(index, name)| match index {
        0 | 1 => Cell::new(name),
        _ => Cell::new(name).set_alignment(CellAlignment::Right),
    }));
    for answer in answers {
        let it = &answer.statement;
        let mut cells = vec![Cell::new(it.area.code), Cell::new(&it.area.name)];
        let numbers = [
            grouped(it.carried_over.used),
            grouped(it.due),
            grouped(it.realised),
            grouped(it.remaining),
            percent(it.fulfilment),
            grouped(it.backlog),
        ];
        cells.extend(numbers.map(|number| Cell::new(number).set_alignment(CellAlignment::Right)));
        table.add_row(cells);
    }
    wrap_only(&mut table, 1);
    text += &table.trim_fmt();
    text += "\n\n";
    if let Some(sentence) = so_far(&first.known_at, first.statement.reference_date) {
        text += &wrapped(&sentence);
        text.push('\n');
    }
    let mut all = ContestedSum::default();
    answers.iter().for_each(|it| all += it.statement.contested);
    if let Some(sentence) = contested(all) {
        text += &wrapped(&sentence);
        text.push('\n');
    }
    if let Some(sentence) = regime(&first.statement.regime) {
        text += &wrapped(&sentence);
        text.push('\n');
    }
    text += &wrapped(&reading(first.statement.reading));
    if first.statement.generated {
        text.push('\n');
        text += &wrapped(&generated());
    }
    text
}

/// The entries about one placement or entry, the objections to it included, each with who delivered it and when.
pub fn history(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let said = [
            what_happened(&entry.event),
            format!("recorded {} by {}", entry.recorded_at, entry.delivered_by),
            format!("delivery {}", entry.delivery),
            format!("event    {} of {}", entry.id, entry.source),
        ];
        let mut before = entry.position.to_string();
        for line in said.iter().flat_map(|it| broken(it, usize::from(WIDTH) - 11)) {
            text += &format!("{before:>9}  {line}\n");
            before.clear();
        }
    }
    text
}

/// A line as it is where it fits, and in lines of at most this width where it does not.
pub(super) fn broken(line: &str, width: usize) -> Vec<String> {
    match line.chars().count() <= width {
        true => vec![line.to_owned()],
        false => wrapped_to(line, width).lines().map(str::to_owned).collect(),
    }
}

fn what_happened(event: &Event) -> String {
    let housed =
        |it: &Housed| format!("{} for {}, {} from {}", it.persons, it.municipality, it.kind, it.counts_from);
    match event {
        Event::PlacementRecorded(it) => format!("recorded: {}", housed(&it.housed())),
        Event::PlacementWithdrawn(it) => format!("withdrawn ({}): {}", it.reason, housed(&it.housed)),
        Event::PlacementTransferred(it) => {
            format!(
                "transferred: from {} to {}, reported on {}",
                it.housed.municipality, it.to, it.reported_on
            )
        }
        Event::FollowOnHousingRecorded(it) => {
            format!("followed on: housed finally on {}, no second count", it.housed_on)
        }
        Event::ObjectionRecorded(it) => {
            let contested = match &it.contests {
                Contested::Entry { entry, .. } | Contested::Placement { entry, .. } => {
                    format!("entry {entry}")
                }
                Contested::Figure { figure } => {
                    let FigureReport { half_year, name, published, claimed } = (*figure).into();
                    format!("{name} of {half_year}: {published} published, {claimed} claimed")
                }
            };
            format!(
                "contested by {} ({}) on {}: {contested}; objection {}",
                it.municipality, it.ground, it.raised_on, it.objection
            )
        }
        Event::ObjectionSettled(it) => {
            format!("objection {} on {}: {}", it.outcome, it.settled_on, it.objection)
        }
        other => other.name().to_string(),
    }
}

/// A half-year of the country as it closed.
pub struct ClosedHalfYear {
    /// The half-year.
    pub half_year: HalfYear,
    /// Whether its figures were stated or follow from others.
    pub status: String,
    /// The sum of all municipalities.
    pub account: Account,
}

/// Half-years of the country, a row each.
pub fn closed_half_years(rows: &[ClosedHalfYear]) -> String {
    let mut table = plain_table();
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let names = ["Carried", "derived", "Quota", "Revised", "Due", "Realised", "Remains"];
    let header = names.map(|name| right(name.to_owned()));
    table.set_header(std::iter::once(Cell::new("Period")).chain(header).chain([Cell::new("Figures")]));
    for ClosedHalfYear { half_year, status, account } in rows {
        let numbers = [
            account.carried_used,
            account.carried_derived,
            account.quota,
            account.revision,
            account.due(),
            account.realised(),
            account.remaining(),
        ];
        let numbers = numbers.map(|number| right(grouped(number)));
        let cells = std::iter::once(Cell::new(half_year)).chain(numbers).chain([Cell::new(status)]);
        table.add_row(cells);
    }
    wrap_only(&mut table, names.len() + 1);
    format!("The Netherlands by half-year, as known now:\n\n{}\n\n", table.trim_fmt())
}

fn heading(answer: &Answer, area: &str) -> String {
    let it = &answer.statement;
    let on = written(it.reference_date);
    format!("{area}\nOn {on} at the start of the day, half-year {}\n", it.half_year)
        + &known(&answer.known_at, &answer.checkpoint)
}

/// What an answer was computed from, as the end of its heading.
pub(super) fn known(known_at: &KnownAtSize, checkpoint: &Checkpoint) -> String {
    let known = match known_at.time {
        Some(time) => format!("log size {} (last entry {time})", grouped(known_at.size as i64)),
        None => "log size 0: nothing is recorded".to_owned(),
    };
    format!("As known at {known}\nRoot {}\n\n", checkpoint.root)
}

/// A day as it is written in a letter, `1 January 2026`.
pub(super) fn written(day: Day) -> String {
    day.date().format("%-d %B %Y").to_string()
}

/// What a reader must know beside the numbers.
fn sentences(it: &Statement) -> Vec<String> {
    let counted = |persons: u64| match persons {
        1 => "1 person".to_owned(),
        _ => format!("{} persons", grouped(persons as i64)),
    };
    let mut sentences = vec![match it.standing() {
        Standing::Backlog(persons) => format!("To be housed: {}.", counted(persons)),
        Standing::OnTarget if it.due == 0 => "Nothing is due and nobody was housed.".to_owned(),
        Standing::OnTarget => "Exactly as many were housed as were due.".to_owned(),
        Standing::Surplus(persons) => format!("A surplus: {} more than were due.", counted(persons)),
    }];
    let carried = &it.carried_over;
    match carried.recorded {
        None => sentences.push(
            "No authority has fixed the standing that is carried over; the derived one is used.".to_owned(),
        ),
        Some(_) if carried.recorded_for < it.municipalities.count => sentences.push(format!(
            "The carry-over was fixed for {} of {} municipalities; for the others the derived one is used.",
            carried.recorded_for, it.municipalities.count
        )),
        Some(_) => {}
    }
    if carried.difference != 0 {
        sentences.push(format!(
            "The carry-over that was fixed differs by {} from what follows from the entries. Both stand.",
            grouped(carried.difference)
        ));
    }
    sentences.extend(regime(&it.regime));
    match &it.national {
        None if !it.regime.quota_in_force => {}
        None => sentences.push(format!("No quota of {} is known.", it.half_year)),
        Some(national) => {
            let mut sentence =
                format!("National quota of {}: {}", it.half_year, grouped(national.quota.count()));
            for part in &national.includes {
                sentence += &format!(", of which {} from {}", grouped(part.persons.count()), part.half_year);
            }
            if national.in_force != national.quota {
                sentence += &format!("; {} in force after evaluation", grouped(national.in_force.count()));
            }
            sentences.push(format!("{sentence} ({}).", national.reference));
            if !it.regime.quota_in_force {
                sentences.push(
                    "It was published although no quota is in force on this date. Both stand.".to_owned(),
                );
            }
            match national.evaluation {
                Some("kept") => sentences.push("The interim evaluation kept the quota.".to_owned()),
                Some("carried_forward") => sentences.push(
                    "The interim evaluation kept the quota; the difference goes into the next half-year."
                        .to_owned(),
                ),
                _ => {}
            }
        }
    }
    if it.municipalities.backlog > it.backlog {
        sentences.push(
            "In the sum, what one municipality did beyond its backlog makes up for the backlog of another."
                .to_owned(),
        );
    }
    sentences.extend(contested(it.contested));
    sentences.push(reading(it.reading));
    sentences.extend(it.generated.then(generated));
    sentences
}

/// Which phase of the regime holds, and whether a quota is in force, where a phase is recorded.
fn regime(it: &Regime) -> Option<String> {
    let (phase, from, reference) = (it.phase?, it.from?, it.reference.as_ref()?);
    let until = it.until.map_or_else(String::new, |day| format!(" until {}", written(day)));
    let phase = format!("the phase from {}{until} is {phase} ({reference})", written(from));
    Some(match it.quota_in_force {
        true => format!("A quota is in force: {phase}."),
        false => format!(
            "No quota is in force: {phase}. Nothing new is due, what remains of earlier half-years stands, and no schedule \
             spreads it."
        ),
    })
}

pub(super) fn reading(reading: Reading) -> String {
    let meaning = match reading {
        Reading::OldestFirst => "what is realised goes to the backlog first",
        Reading::CurrentFirst => "what is realised goes to the quota of the half-year first",
        Reading::Total => "all that remains of what is due is backlog",
    };
    format!("Reading {reading}: {meaning}.")
}

/// What is contested and counts nevertheless.
pub(super) fn contested(it: ContestedSum) -> Option<String> {
    let counted = |number: i64, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{} {what}s", grouped(number)),
    };
    (it != ContestedSum::default()).then(|| {
        let difference = match it.difference {
            0 => String::new(),
            number => format!(", and a difference of {} in published figures", grouped(number)),
        };
        format!(
            "Contested by {}: entries of {}{difference}. What is contested counts until it is corrected.",
            counted(it.objections, "open objection"),
            counted(it.persons, "person")
        )
    })
}

/// What a reader must know where entries were made up.
pub fn generated() -> String {
    "GENERATED: this ledger holds entries that were made up, not reported, and figures on this page rest on them. In \
     the demo ledger only national figures are published ones: the quotas, and what was carried over, due and \
     realised when a half-year up to 2025-II closed."
        .to_owned()
}

/// What a reader must know when the log ends before the reference date.
pub(super) fn so_far(known_at: &KnownAtSize, on: Day) -> Option<String> {
    let last = known_at.time?.dutch_day();
    (last < on).then(|| {
        format!(
            "So far: the last entry is of {}, and what happened after that is not in these figures.",
            written(last)
        )
    })
}

/// Gives every column the room that it needs but one, which takes what is left and wraps.
pub(super) fn wrap_only(table: &mut Table, wrapping: usize) {
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if index != wrapping {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

pub(super) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table
}

/// A sentence in lines of at most 80 characters.
pub fn wrapped(sentence: &str) -> String {
    wrapped_to(sentence, usize::from(WIDTH))
}

/// A sentence in lines of at most this many characters.
pub fn wrapped_to(sentence: &str, most: usize) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in sentence.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > most {
            text.push('\n');
            width = 0;
        }
        if width > 0 {
            text.push(' ');
            width += 1;
        }
        text += word;
        width += length;
    }
    text.push('\n');
    text
}
