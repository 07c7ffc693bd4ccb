//! Replaying: the ledger as if some entries had not been recorded, and others had. Nothing is written by it.

mod chain;

mod changes;

pub use changes::{History, changes};

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::{By, Checkpoint, KnownAt, KnownAtSize, Ledger, LedgerError};
use crate::book::Book;
use crate::book::scenario::{Changes, Compared, compare};
use crate::book::statement::Reading;
use crate::decide::command::Command;
use crate::decide::refusal::Refusal;
use crate::domain::area::{Area, MunicipalityCode};
use crate::domain::event::{Entry, EventName};
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::source::PlacementId;
use crate::domain::time::{AsOf, Day, LogSize, Position, RecordedAt, ReferenceDate};

/// The same history under another decision or rule, in the words of who asks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Selector>,
    /// What is supposed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Supposed>,
    /// The reading of the backlog, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// Entries that a scenario leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The entry at a position, with the later ones that rest on it.
    Entry(Position),
    /// All that is recorded about a placement.
    Placement(PlacementId),
    /// All facts of one kind about a half-year.
    OfHalfYear(EventName, HalfYear),
    /// All rules about a kind of placement.
    RulesOf(PlacementKind),
}

/// An event as if it had been recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Supposed {
    /// The day on which it would have been recorded, behind all else of that day; without one, last of all.
    pub recorded_on: Option<Day>,
    /// What would have been delivered.
    pub command: Command,
}

/// As it stands in a file.
impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        match self {
            Self::Entry(position) => map.serialize_entry("entry", position)?,
            Self::Placement(placement) => map.serialize_entry("placement", placement)?,
            Self::OfHalfYear(event, half_year) => {
                map.serialize_entry("type", event)?;
                map.serialize_entry("halfYear", half_year)?;
            }
            Self::RulesOf(kind) => {
                map.serialize_entry("type", &EventName::CountingRuleSet)?;
                map.serialize_entry("kind", kind)?;
            }
        }
        map.end()
    }
}

/// As it stands in a file.
impl Serialize for Supposed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("type", &self.command.event_name())?;
        if let Some(day) = self.recorded_on {
            map.serialize_entry("recordedOn", &day)?;
        }
        map.serialize_entry("data", &self.command)?;
        map.end()
    }
}

/// Everything for which a scenario cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplayable {
    /// What the scenario is called.
    pub scenario: String,
    /// Where, and what is wrong there.
    pub faults: Vec<(String, Problem)>,
}

/// What is wrong with one part of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no such entry.
    #[error("a log of {size} entries has none at position {position}: positions count from 0")]
    NoSuchEntry {
        /// The position.
        position: u64,
        /// The size of the log.
        size: u64,
    },
    /// There is no such placement.
    #[error("no such placement is recorded: mend the id, which `peildatum history --entry POSITION` tells")]
    NoSuchPlacement,
    /// There is nothing of the kind.
    #[error("no {event} of {half_year} is recorded, so there is nothing to leave out: take this out")]
    NothingOf {
        /// The kind of event.
        event: EventName,
        /// The half-year.
        half_year: HalfYear,
    },
    /// Events of the kind are not about a half-year.
    #[error("a {0} is not about one half-year: name it by its position, {{\"entry\": POSITION}}")]
    NotOfHalfYear(EventName),
    /// No rule about the kind is recorded.
    #[error("no rule about {0} is recorded, so there is none to leave out: take this out")]
    NoRule(PlacementKind),
    /// Objections move no figure.
    #[error("an objection moves no figure, whether it is recorded or not: take this out")]
    Objection,
    /// There is no history to replay.
    #[error("the ledger is empty, so there is nothing to replay: deliver something first")]
    EmptyLog,
    /// Nothing was recorded by then.
    #[error("nothing was recorded by the end of {0}: name a later day, or leave the day out")]
    BeforeTheLog(Day),
    /// Boundary changes that contradict each other.
    #[error(
        "by its boundary changes {0} is taken over twice, or takes over another when it has ceased: mend the day, or leave \
         the recorded change out"
    )]
    Boundaries(MunicipalityCode),
    /// The event would not have been recorded.
    #[error("{0}: {remedy}", remedy = .0.remedy())]
    Refused(Refusal),
}

impl fmt::Display for Unplayable {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "the scenario \"{}\" cannot be replayed:", self.scenario)?;
        self.faults.iter().try_for_each(|(at, problem)| write!(to, "\n{at}: {problem}"))
    }
}

impl std::error::Error for Unplayable {}

/// Statements as recorded beside those under scenarios, with what they were computed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replayed {
    /// The reference date.
    pub reference_date: Day,
    /// The half-year that holds it.
    pub half_year: HalfYear,
    /// The reading of the backlog as recorded.
    pub reading: Reading,
    /// Each scenario, in the order in which they were given.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub scenarios: Vec<UnderScenario>,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
    /// The state of knowledge.
    #[serde(deserialize_with = "crate::domain::object")]
    pub known_at: KnownAtSize,
    /// What it was computed from.
    #[serde(deserialize_with = "crate::domain::object")]
    pub checkpoint: Checkpoint,
}

/// What one scenario makes of an area and its parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnderScenario {
    /// What it is called.
    pub name: String,
    /// The reading of the backlog under it.
    pub reading: Reading,
    /// What it changes.
    #[serde(deserialize_with = "crate::domain::object")]
    pub changes: ChangesTold,
    /// Each area.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub areas: Vec<Compared>,
}

/// How much a scenario changes of the log, as far as it is known at the log size of the question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangesTold {
    /// Entries that are left out.
    pub left_out: u64,
    /// Entries about a placement that hold something else because an earlier one is left out or supposed.
    pub remade: u64,
    /// Events that are supposed.
    pub supposed: u64,
    /// How many of all these are not known yet at the log size of the question, so that they change nothing.
    pub not_known_yet: u64,
}

impl ChangesTold {
    fn of(changes: &Changes, as_of: AsOf) -> Self {
        let (left_out, remade) = (changes.left_out.len(), changes.remade.len());
        let all = changes.left_out.iter().chain(&changes.supposed);
        let unknown = all.filter(|(at, _)| !at.is_known_at(as_of.known_at)).count();
        Self {
            left_out: (left_out - remade) as u64,
            remade: remade as u64,
            supposed: changes.supposed.len() as u64,
            not_known_yet: unknown as u64,
        }
    }
}

impl Ledger {
    /// The statements of an area and its parts as recorded, and under each scenario.
    ///
    /// # Errors
    /// When the area does not exist then, when a scenario cannot be replayed (with all that is wrong with it), and when entries
    /// cannot be read.
    pub fn replay(
        &self,
        scenarios: &[Scenario],
        area: Area,
        by: By,
        as_of: AsOf,
        reading: Reading,
    ) -> Result<Replayed, LedgerError> {
        let book = &self.memory.book;
        let base = super::statements(book, area, by, as_of, reading)?;
        let under = scenarios.iter().map(|scenario| {
            let changes = self.changes(scenario)?;
            let reading = scenario.reading.unwrap_or(reading);
            let statements = super::statements(&book.under(&changes), area, by, as_of, reading)?;
            Ok(UnderScenario {
                name: scenario.name.clone(),
                reading,
                changes: ChangesTold::of(&changes, as_of),
                areas: compare(&base, &statements),
            })
        });
        Ok(Replayed {
            reference_date: as_of.reference_date.0,
            half_year: as_of.reference_date.0.half_year(),
            reading,
            scenarios: under.collect::<Result<_, LedgerError>>()?,
            generated: book.is_generated(as_of.known_at),
            known_at: self.known_at(as_of.known_at),
            checkpoint: self.checkpoint(as_of.known_at)?,
        })
    }

    /// What a scenario changes in this log.
    ///
    /// # Errors
    /// When it cannot be replayed (with all that is wrong with it), and when entries cannot be read.
    pub fn changes(&self, scenario: &Scenario) -> Result<Changes, LedgerError> {
        changes(scenario, self)
    }
}

impl History for Ledger {
    fn size(&self) -> LogSize {
        self.durable()
    }

    fn size_at(&self, time: RecordedAt) -> LogSize {
        let as_of = self.as_of(ReferenceDate(time.dutch_day()), KnownAt::Time(time));
        as_of.map_or(self.durable(), |it| it.known_at)
    }

    fn entry(&self, position: Position) -> Result<Entry, LedgerError> {
        self.entry(position)
    }

    fn about(&self, placement: PlacementId) -> Result<Vec<Entry>, LedgerError> {
        let mut entries = self.history(placement)?;
        entries.retain(|entry| entry.event.placement() == Some(placement));
        Ok(entries)
    }

    fn book(&self) -> &Book<'static> {
        &self.memory.book
    }
}
