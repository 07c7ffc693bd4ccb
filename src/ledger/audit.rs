//! Answers for whoever audits: how a standing became what it is, and how often it was restated.

use std::collections::BTreeSet;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Checkpoint, KnownAt, KnownAtSize, Ledger, LedgerError, part};
use crate::book::Book;
use crate::book::explanation::{Behind, Explaining, Explanation, Rule, Span, StepLine};
use crate::book::restatement::{Closing, Touch, closed_on};
use crate::book::statement::NamedArea;
use crate::domain::area::{Area, MunicipalityCode};
use crate::domain::event::{Entry, Event, EventName};
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::source::{DeliveryId, Source};
use crate::domain::time::{AsOf, Day, LogSize, Position, RecordedAt, ReferenceDate};

/// An explanation with what it was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// The explanation.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The earlier state of knowledge.
    pub known_since: KnownAtSize,
    /// The later state of knowledge.
    pub known_at: KnownAtSize,
    /// The root at the earlier state of knowledge.
    pub checkpoint_since: Checkpoint,
    /// The root at the later state of knowledge.
    pub checkpoint: Checkpoint,
    /// The scenario under which it is so; nothing where it is as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// The entries behind the steps, where they were asked for. Who writes them can do so one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<ExplainedEntry>,
}

impl<'de> Deserialize<'de> for Explained {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(from)?;
        let known_since = part(&mut fields, "knownSince")?;
        let known_at = part(&mut fields, "knownAt")?;
        let checkpoint_since = part(&mut fields, "checkpointSince")?;
        let checkpoint = part(&mut fields, "checkpoint")?;
        let scenario =
            fields.remove("scenario").map(String::deserialize).transpose().map_err(D::Error::custom)?;
        let behind = fields.remove("behind").map(crate::domain::objects).transpose();
        let behind = behind.map_err(D::Error::custom)?.unwrap_or_default();
        let explanation = Explanation::deserialize(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { explanation, known_since, known_at, checkpoint_since, checkpoint, scenario, behind })
    }
}

/// An entry behind a step of an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainedEntry {
    /// The number of the step, from 0.
    pub step: u64,
    /// Where it stands.
    pub position: Position,
    /// What it is.
    #[serde(rename = "type")]
    pub event: EventName,
    /// Who says so, and when the ledger learned it from whom; nothing of what a scenario supposes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::domain::present")]
    pub source: Option<Source>,
    /// Who delivered it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::domain::present")]
    pub delivered_by: Option<Source>,
    /// The delivery.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::domain::present")]
    pub delivery: Option<DeliveryId>,
    /// When the ledger learned it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::domain::present")]
    pub recorded_at: Option<RecordedAt>,
    /// The day on which it happened.
    pub valid_on: Day,
    /// For which municipality.
    pub municipality: MunicipalityCode,
    /// How many persons it moves on the line; nothing for what moves by all that went before it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub persons: Option<i64>,
    /// Whether and why persons who were housed count.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub rule: Option<Rule>,
    /// Whether it is contested at the end.
    pub contested: bool,
    /// Whether a scenario supposes it: it would stand right after the entry at the position.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supposed: bool,
}

/// What of an entry is told beside what it moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryHead {
    event: EventName,
    source: Source,
    delivered_by: Source,
    delivery: DeliveryId,
    recorded_at: RecordedAt,
}

impl EntryHead {
    /// That of an entry.
    pub fn of(entry: &Entry) -> Self {
        Self {
            event: entry.event.name(),
            source: entry.source.clone(),
            delivered_by: entry.delivered_by.clone(),
            delivery: entry.delivery,
            recorded_at: entry.recorded_at,
        }
    }
}

impl ExplainedEntry {
    /// An entry behind the step with this number.
    pub fn of(step: usize, it: &Behind, head: &EntryHead) -> Self {
        let head = head.clone();
        Self {
            step: step as u64,
            position: it.position,
            event: head.event,
            source: Some(head.source),
            delivered_by: Some(head.delivered_by),
            delivery: Some(head.delivery),
            recorded_at: Some(head.recorded_at),
            valid_on: it.valid_on,
            municipality: it.municipality,
            persons: it.persons,
            rule: it.rule,
            contested: it.contested,
            supposed: false,
        }
    }

    /// What a scenario supposes behind the step with this number: nobody said it, and nothing of it is recorded.
    fn supposed(step: usize, it: &Behind, event: &Event) -> Self {
        Self {
            step: step as u64,
            position: it.position,
            event: event.name(),
            source: None,
            delivered_by: None,
            delivery: None,
            recorded_at: None,
            valid_on: it.valid_on,
            municipality: it.municipality,
            persons: it.persons,
            rule: it.rule,
            contested: it.contested,
            supposed: true,
        }
    }
}

/// A change of a standing that was closed, by one delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restated {
    /// The log size from which on it stood so.
    #[serde(deserialize_with = "crate::domain::object")]
    pub known_at: KnownAtSize,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Who delivered it.
    pub delivered_by: Source,
    /// How many days after the half-year had closed.
    pub days_after_closing: i64,
    /// How many of its entries may have moved the standing.
    pub entries: u64,
    /// Where the first of them stands.
    pub first_position: u64,
    /// Where the last of them stands.
    pub last_position: u64,
    /// The earliest day on which anything in them happened.
    pub happened_from: Day,
    /// The latest.
    pub happened_until: Day,
    /// By how many persons the derived standing changed.
    pub change: i64,
    /// The standing from then on.
    #[serde(deserialize_with = "crate::domain::object")]
    pub standing: ClosingShown,
    /// The entries themselves, where they were asked for. Who writes them can do so one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::domain::objects")]
    pub behind: Vec<Late>,
}

/// An entry about a half-year that was over when it was recorded, as far as it concerns its standing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Late {
    /// Where it stands.
    pub position: Position,
    /// What it is.
    #[serde(rename = "type")]
    pub event: EventName,
    /// Who says so.
    pub source: Source,
    /// The day on which it happened.
    pub valid_on: Day,
    /// How many days later it was recorded.
    pub days_late: i64,
    /// For which municipality.
    pub municipality: MunicipalityCode,
    /// The half-year of the line.
    pub line_half_year: HalfYear,
    /// What it moves.
    pub line: StepLine,
    /// The kind of placement, where persons were housed.
    #[serde(deserialize_with = "Option::deserialize")]
    pub kind: Option<PlacementKind>,
    /// By how many it moves what remains, where that is a number of its own.
    #[serde(deserialize_with = "Option::deserialize")]
    pub change: Option<i64>,
}

/// A standing at the end of a half-year, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClosingShown {
    /// What follows from the entries.
    pub derived: i64,
    /// What the authority fixed; nothing where it fixed nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    pub recorded: Option<i64>,
    /// For how many municipalities it did.
    pub recorded_for: u32,
    /// Derived minus what is carried into the next half-year.
    pub difference: i64,
}

impl From<Closing> for ClosingShown {
    fn from(it: Closing) -> Self {
        Self {
            derived: it.derived,
            recorded: (it.recorded_for > 0).then_some(it.recorded),
            recorded_for: it.recorded_for,
            difference: it.derived - it.used,
        }
    }
}

/// The standing at the end of a half-year, and how it was restated afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restatements {
    /// The area.
    #[serde(deserialize_with = "crate::domain::object")]
    pub area: NamedArea,
    /// The half-year.
    pub half_year: HalfYear,
    /// The day on which it was over.
    pub closed_on: Day,
    /// What was known when it closed.
    #[serde(deserialize_with = "crate::domain::object")]
    pub known_at_closing: KnownAtSize,
    /// The standing as it was known then.
    #[serde(deserialize_with = "crate::domain::object")]
    pub at_closing: ClosingShown,
    /// Every change since, in the order of the log.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub restated: Vec<Restated>,
    /// The standing as known at the end.
    #[serde(deserialize_with = "crate::domain::object")]
    pub now: ClosingShown,
    /// What is known at the end.
    #[serde(deserialize_with = "crate::domain::object")]
    pub known_at: KnownAtSize,
    /// The root at the end.
    #[serde(deserialize_with = "crate::domain::object")]
    pub checkpoint: Checkpoint,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

impl Restated {
    /// Those of all touches that belong to this change.
    pub fn touches<'a>(&self, all: &'a [Touch]) -> &'a [Touch] {
        let first = all.partition_point(|it| it.position.0 < self.first_position);
        let end = all.partition_point(|it| it.position.0 <= self.last_position);
        &all[first..end]
    }
}

impl Ledger {
    /// Explains how the standing of an area became what it is, in the ledger's own book or under a scenario. The second value
    /// gives the entries behind each step.
    ///
    /// # Errors
    /// When the area is a municipality that does not exist on the later date, or a root cannot be computed.
    pub fn explain<'a>(
        &self,
        book: &'a Book<'a>,
        area: Area,
        span: Span,
    ) -> Result<(Explained, Explaining<'a>), LedgerError> {
        let (explanation, explaining) = book.explain(area, span)?;
        let (since, at) = (span.from().known_at, span.to().known_at);
        let explained = Explained {
            explanation,
            known_since: self.known_at(since),
            known_at: self.known_at(at),
            checkpoint_since: self.checkpoint(since)?,
            checkpoint: self.checkpoint(at)?,
            scenario: None,
            behind: Vec::new(),
        };
        Ok((explained, explaining))
    }

    /// An entry behind a step of an explanation.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn explained_entry(
        &self,
        book: &Book<'_>,
        step: usize,
        it: &Behind,
    ) -> Result<ExplainedEntry, LedgerError> {
        if let Some(event) = it.supposed.and_then(|which| book.supposed_event(which)) {
            return Ok(ExplainedEntry::supposed(step, it, event));
        }
        Ok(ExplainedEntry::of(step, it, &EntryHead::of(&self.entry(it.position)?)))
    }

    /// The entries out of which the statement and the explanation of an area can be computed without the rest of the log.
    ///
    /// # Errors
    /// When the area is a municipality that does not exist on the reference date.
    pub fn basis(&self, area: Area, as_of: AsOf) -> Result<BTreeSet<Position>, LedgerError> {
        Ok(self.memory.book.basis(area, as_of)?)
    }

    /// The entry at a position as it is stored, byte for byte.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn line(&self, position: Position) -> Result<Vec<u8>, LedgerError> {
        Ok(self.reader.get(position.0)?)
    }

    /// An entry that may have made a change, with how late it came.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn late(&self, touch: &Touch) -> Result<Late, LedgerError> {
        let entry = self.entry(touch.position)?;
        let recorded_on = entry.recorded_at.dutch_day();
        Ok(Late {
            position: touch.position,
            event: entry.event.name(),
            source: entry.source,
            valid_on: touch.valid_on,
            days_late: i64::from(recorded_on.index()) - i64::from(touch.valid_on.index()),
            municipality: touch.municipality,
            line_half_year: touch.half_year,
            line: touch.line,
            kind: touch.kind,
            change: touch.change,
        })
    }

    /// Every change of the standing at the end of a half-year since that half-year was over, up to a state of knowledge;
    /// and what may have made them, in the order of the log.
    ///
    /// # Errors
    /// When the half-year is not over as known then, when the area is a municipality that does not exist at its end,
    /// and when an entry cannot be read.
    pub fn restatements(
        &self,
        area: Area,
        half_year: HalfYear,
        known_at: KnownAt,
    ) -> Result<(Restatements, Vec<Touch>), LedgerError> {
        let closed_on = closed_on(half_year).ok_or(LedgerError::NotClosed { half_year })?;
        let to = self.as_of(ReferenceDate(closed_on), known_at)?.known_at;
        let end = self.known_at(to);
        if end.time.is_none_or(|last| last.dutch_day() < closed_on) {
            return Err(LedgerError::NotClosed { half_year });
        }
        let at_closing = KnownAt::Time(RecordedAt::start_of(closed_on));
        let from = self.as_of(ReferenceDate(closed_on), at_closing)?.known_at;
        let book = &self.memory.book;
        let (named, touches) = book.touches(area, half_year, from, to)?;

        let mut restated = Vec::<Restated>::new();
        let mut standing = book.closing(area, half_year, from);
        let (at_closing, known_at_closing) = (standing.into(), self.known_at(from));
        let mut open: Option<Restated> = None;
        let mut close = |it: Restated| {
            let closing = book.closing(area, half_year, LogSize(it.last_position + 1));
            if closing != standing {
                let change = closing.derived - standing.derived;
                restated.push(Restated { change, standing: closing.into(), ..it });
                standing = closing;
            }
        };
        let mut last: Option<Entry> = None;
        for touch in &touches {
            let position = touch.position.0;
            let entry = match last.take().filter(|it| it.position == touch.position) {
                Some(entry) => entry,
                None => self.entry(touch.position)?,
            };
            let entry = last.insert(entry);
            let recorded_on = entry.recorded_at.dutch_day();
            let days_since = |day: Day| i64::from(recorded_on.index()) - i64::from(day.index());
            if open.as_ref().is_none_or(|it| it.delivery != entry.delivery) {
                let next = Restated {
                    known_at: KnownAtSize { size: position + 1, time: None },
                    delivery: entry.delivery,
                    delivered_by: entry.delivered_by.clone(),
                    days_after_closing: days_since(closed_on),
                    entries: 0,
                    first_position: position,
                    last_position: position,
                    happened_from: touch.valid_on,
                    happened_until: touch.valid_on,
                    change: 0,
                    standing: at_closing,
                    behind: Vec::new(),
                };
                if let Some(done) = open.replace(next) {
                    close(done);
                }
            }
            let it = open.as_mut().expect("it was just opened");
            it.entries += u64::from(it.entries == 0 || it.last_position != position);
            it.last_position = position;
            it.happened_from = it.happened_from.min(touch.valid_on);
            it.happened_until = it.happened_until.max(touch.valid_on);
            it.known_at = KnownAtSize { size: position + 1, time: Some(entry.recorded_at) };
        }
        if let Some(done) = open {
            close(done);
        }
        let restatements = Restatements {
            area: named,
            half_year,
            closed_on,
            known_at_closing,
            at_closing,
            restated,
            now: standing.into(),
            known_at: end,
            checkpoint: self.checkpoint(to)?,
            generated: book.is_generated(to),
        };
        Ok((restatements, touches))
    }
}
