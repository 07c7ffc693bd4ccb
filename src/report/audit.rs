//! Explanations, for people and for spreadsheets.

use std::cell::RefCell;
use std::io::{self, Write};

use csv::Writer;
use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};

use super::csv::{io_error, text};
use super::number::{grouped, signed};
use super::table::{contested, generated, wrapped};
use crate::book::explanation::{Behind, Cause, Step, StepLine};
use crate::domain::time::Day;
use crate::ledger::{Checkpoint, Explained, ExplainedEntry, KnownAtSize};

/// What stands above an explanation.
pub fn explanation_heading(it: &Explained) -> String {
    let explanation = &it.explanation;
    let (name, code) = (&explanation.area.name, explanation.area.code);
    let mut heading = match &it.scenario {
        None => wrapped(&format!("{name} ({code}): how its standing became what it is")),
        Some(scenario) => wrapped(&format!(
            "{name} ({code}): how its standing would have become what it would be. Scenario: {scenario}"
        )),
    };
    heading += &known("From", explanation.since, &it.known_since, &it.checkpoint_since);
    heading += &known("To", explanation.on, &it.known_at, &it.checkpoint);
    heading.push('\n');
    heading +=
        &standing_line(&format!("Standing on {}", explanation.since), None, explanation.standing_since);
    heading
}

fn known(what: &str, on: Day, known_at: &KnownAtSize, checkpoint: &Checkpoint) -> String {
    let time = known_at.time.map_or_else(String::new, |time| format!(" (last entry {time})"));
    format!(
        "{what:<5}{on} at the start of the day\n     as known at log size {}{time}\n     root {}\n",
        grouped(known_at.size as i64),
        checkpoint.root
    )
}

/// A standing, with what it changed by where that is told beside it.
fn standing_line(label: &str, change: Option<i64>, standing: i64) -> String {
    let change = change.map_or_else(String::new, signed);
    format!("{label:<56}{change:>11}{:>12}\n", grouped(standing))
}

/// What stands above the steps of one cause, and between the standings that they lead from and to.
pub fn cause_heading(it: &Explained, cause: Cause) -> String {
    let explanation = &it.explanation;
    let (since, on) = (explanation.since, explanation.on);
    let (known_since, known_at) = (it.known_since.size as i64, it.known_at.size as i64);
    let between = format!("after log size {}, up to {}", grouped(known_since), grouped(known_at));
    let said = match cause {
        Cause::Happened => {
            format!("What happened from {since} up to {on}, as known at log size {}", grouped(known_since))
        }
        Cause::LearnedOfBefore => format!("What was learned {between}, about the time before {since}"),
        Cause::LearnedOfBetween => {
            format!("What was learned {between}, about {since} up to {on}")
        }
    };
    format!("\n{}", wrapped(&said))
}

/// One step, with the standing that it leads to.
pub fn step(it: &Step, standing: i64) -> String {
    let line = line(it);
    let entries = match it.entries {
        1 => "1 entry".to_owned(),
        many => format!("{} entries", grouped(many as i64)),
    };
    let label = format!("  {:<8} {line:<30} {entries:>14}", it.half_year.to_string());
    let mut text = standing_line(&label, Some(it.change), standing);
    if it.line == StepLine::NotCounted {
        let persons = if it.persons.abs() == 1 { "person" } else { "persons" };
        text += &format!("           of {} {persons} it changes nothing\n", signed(it.persons));
    }
    if it.by_boundary != 0 {
        text += &format!(
            "           of which {} by boundary changes that divide a municipality\n",
            signed(-it.by_boundary)
        );
    }
    text
}

pub(super) fn line(it: &Step) -> String {
    let line = match it.line {
        StepLine::CarryOver => "carry-over fixed",
        StepLine::Quota => "quota",
        StepLine::Revision => "revision",
        StepLine::Exchange => "exchange",
        StepLine::Boundary => "boundary changes",
        StepLine::Housed => "housed",
        StepLine::NotCounted => "not counted",
    };
    match it.kind {
        Some(kind) => format!("{line}, {kind}"),
        None => line.to_owned(),
    }
}

/// One entry behind a step.
pub fn behind(it: &ExplainedEntry) -> String {
    let persons = it.persons.map_or_else(|| "-".to_owned(), signed);
    let contested = if it.contested { "; contested" } else { "" };
    let by = it.source.as_ref().map_or_else(|| "the scenario".to_owned(), |it| it.to_string());
    let said = format!("{} by {by}{}{contested}", it.event, why(it));
    let mut lines = super::table::broken(&said, 34).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut text = format!(
        "{:>15} {} {} {persons:>7}  {first}\n",
        if it.supposed { "supposed".to_owned() } else { it.position.to_string() },
        it.valid_on,
        it.municipality
    );
    for line in lines {
        text += &format!("{:>44}{line}\n", "");
    }
    text
}

/// Why persons who were housed count, or do not.
fn why(it: &ExplainedEntry) -> String {
    let Some(rule) = it.rule else { return String::new() };
    let counts = if rule.counts { "counts" } else { "does not count" };
    match rule.position {
        None => format!("; {counts} by default"),
        Some(_) if rule.supposed => format!("; {counts} by the scenario's rule"),
        Some(position) => format!("; {counts} by the rule at {position}"),
    }
}

/// What stands below an explanation.
pub fn explanation_ending(it: &Explained) -> String {
    let explanation = &it.explanation;
    let change = explanation.standing - explanation.standing_since;
    let mut text = format!(
        "\n{}",
        standing_line(&format!("Standing on {}", explanation.on), Some(change), explanation.standing)
    );
    let mut sentences = vec!["Above zero is still to be housed, below zero is a surplus.".to_owned()];
    if explanation.steps.is_empty() {
        sentences.insert(0, "Nothing happened and nothing was learned that is about it.".to_owned());
    }
    if explanation.steps.iter().any(|it| it.line == StepLine::CarryOver) {
        sentences.push(
            "What an authority fixed as carry-over stands as it was said: \"carry-over fixed\" is by how much that \
             differs from what follows from the entries of the half-years before."
                .to_owned(),
        );
    }
    sentences.extend(contested(explanation.contested));
    sentences.extend(explanation.generated.then(generated));
    for sentence in sentences {
        text.push('\n');
        text += &wrapped(&sentence);
    }
    text
}

/// An explanation with the entries behind its steps.
#[derive(Serialize)]
#[serde(bound = "")]
struct WithEntries<'a, E> {
    #[serde(flatten)]
    explained: &'a Explained,
    behind: Streamed<'a, E>,
}

/// Finds the entries behind a step.
pub type FindBehind<'a> = &'a dyn Fn(&Step) -> Vec<Behind>;

/// Finds what is told of an entry behind the step with a number.
pub type FindEntry<'a, E> = &'a dyn Fn(usize, &Behind) -> Result<ExplainedEntry, E>;

/// The entries, found while they are written: of the country there can be millions.
struct Streamed<'a, E> {
    explained: &'a Explained,
    behind: FindBehind<'a>,
    entry: FindEntry<'a, E>,
    failed: &'a RefCell<Option<E>>,
}

impl<E> Serialize for Streamed<'_, E> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut seq = to.serialize_seq(None)?;
        for (index, step) in self.explained.explanation.steps.iter().enumerate() {
            for behind in (self.behind)(step) {
                let entry = (self.entry)(index, &behind).map_err(|error| {
                    self.failed.replace(Some(error));
                    S::Error::custom("an entry behind a step was not found")
                })?;
                seq.serialize_element(&entry)?;
            }
        }
        seq.end()
    }
}

/// Writes an explanation in JSON with the entries behind its steps, one after another.
///
/// # Errors
/// When an entry cannot be found, or nothing can be written.
pub fn explanation_as_json<E: From<io::Error>>(
    explained: &Explained,
    behind: FindBehind<'_>,
    entry: FindEntry<'_, E>,
    to: &mut impl Write,
) -> Result<(), E> {
    let failed = RefCell::new(None);
    let behind = Streamed { explained, behind, entry, failed: &failed };
    let written = serde_json::to_writer(to, &WithEntries { explained, behind });
    match failed.take() {
        Some(error) => Err(error),
        None => written.map_err(|error| io::Error::from(error).into()),
    }
}

/// The columns of an explanation as CSV.
const STEPS: [&str; 15] = [
    "area",
    "since",
    "known_since",
    "on",
    "known_at",
    "cause",
    "half_year",
    "line",
    "kind",
    "persons",
    "change",
    "standing",
    "entries",
    "by_boundary",
    "scenario",
];

/// The steps of an explanation, a row each, and the standings that they begin and end with.
///
/// # Errors
/// When they cannot be written.
pub fn steps_as_csv(it: &Explained, to: impl Write) -> io::Result<()> {
    let explanation = &it.explanation;
    let mut rows = Writer::from_writer(to);
    rows.write_record(STEPS).map_err(io_error)?;
    let common = [
        explanation.area.code.to_string(),
        explanation.since.to_string(),
        it.known_since.size.to_string(),
        explanation.on.to_string(),
        it.known_at.size.to_string(),
    ];
    let scenario = text(it.scenario.as_deref().unwrap_or_default());
    let mut row = |cells: [String; 9]| {
        let cells = common.iter().chain(&cells).chain([&scenario]);
        rows.write_record(cells).map_err(io_error)
    };
    let none = String::new;
    let standing = |what: &str, standing: i64| {
        let empty = [none(), none(), none(), none(), none()];
        let [a, b, c, d, e] = empty;
        [what.to_owned(), a, b, c, d, e, standing.to_string(), none(), none()]
    };
    row(standing("standing_since", explanation.standing_since))?;
    let mut so_far = explanation.standing_since;
    for step in &explanation.steps {
        so_far += step.change;
        row([
            step.cause.to_string(),
            step.half_year.to_string(),
            step.line.to_string(),
            step.kind.map_or_else(none, |kind| kind.to_string()),
            step.persons.to_string(),
            step.change.to_string(),
            so_far.to_string(),
            step.entries.to_string(),
            step.by_boundary.to_string(),
        ])?;
    }
    row(standing("standing", explanation.standing))?;
    rows.flush()
}

/// Writes the entries behind the steps of an explanation as CSV, a row each.
pub struct BehindAsCsv<W: Write>(Writer<W>);

impl<W: Write> BehindAsCsv<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(to: W) -> io::Result<Self> {
        let mut rows = Writer::from_writer(to);
        rows.write_record([
            "cause",
            "half_year",
            "line",
            "kind",
            "position",
            "valid_on",
            "municipality",
            "persons",
            "counts",
            "rule_position",
            "contested",
            "type",
            "source",
            "delivered_by",
            "delivery",
            "recorded_at",
            "supposed",
        ])
        .map_err(io_error)?;
        Ok(Self(rows))
    }

    /// Adds an entry behind a step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(&mut self, step: &Step, it: &ExplainedEntry) -> io::Result<()> {
        let none = String::new;
        self.0
            .write_record([
                step.cause.to_string(),
                step.half_year.to_string(),
                step.line.to_string(),
                step.kind.map_or_else(none, |kind| kind.to_string()),
                // What is only supposed has no place in the log.
                if it.supposed { none() } else { it.position.to_string() },
                it.valid_on.to_string(),
                it.municipality.to_string(),
                it.persons.map_or_else(none, |persons| persons.to_string()),
                it.rule.map_or_else(none, |rule| rule.counts.to_string()),
                it.rule
                    .filter(|rule| !rule.supposed)
                    .and_then(|rule| rule.position)
                    .map_or_else(none, |position| position.to_string()),
                it.contested.to_string(),
                it.event.to_string(),
                it.source.as_ref().map_or_else(none, |it| text(it.as_str())),
                it.delivered_by.as_ref().map_or_else(none, |it| text(it.as_str())),
                it.delivery.map_or_else(none, |it| it.to_string()),
                it.recorded_at.map_or_else(none, |it| it.to_string()),
                it.supposed.to_string(),
            ])
            .map_err(io_error)
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> io::Result<()> {
        self.0.flush()
    }
}
