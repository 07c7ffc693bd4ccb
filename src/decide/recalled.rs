//! What was read back for one decision: the entries that the state only knows the place of.

use super::command::Command;
use crate::domain::event::{Entry, Event, IdBy};
use crate::domain::placement::{Housed, Placement, PlacementReport};
use crate::domain::source::{EventId, PersonToken, PlacementId, Source};
use crate::domain::time::Position;

/// Entries that [`State::recall`](super::state::State::recall) asked for, in the order of the log.
///
/// Some may have nothing to do with the decision: their keys were alike.
#[derive(Clone, Debug, Default)]
pub struct Recalled(Vec<Entry>);

/// A placement that was recorded.
#[derive(Clone, Copy, Debug)]
pub struct KnownPlacement<'a> {
    /// Where.
    pub position: Position,
    /// What it stood for when it was recorded.
    pub housed: Housed,
    report: &'a PlacementReport,
}

impl<'a> KnownPlacement<'a> {
    fn of(entry: &'a Entry) -> Option<(Self, &'a Placement)> {
        let Event::PlacementRecorded(placement) = &entry.event else { return None };
        let known = Self { position: entry.position, housed: placement.housed(), report: placement.report() };
        Some((known, placement))
    }

    /// Whether this report says the same.
    pub(super) fn says(&self, report: &PlacementReport) -> bool {
        self.report == report
    }

    /// The identity of the placement.
    pub(super) fn id(&self) -> PlacementId {
        self.report.placement
    }
}

impl Recalled {
    /// The entries that were read, in any order.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| entry.position);
        Self(entries)
    }

    /// The placement with this id, if it was recorded.
    pub fn placement(&self, id: PlacementId) -> Option<KnownPlacement<'_>> {
        self.placements().find(|(_, it)| it.id() == id).map(|(known, _)| known)
    }

    /// The entry at this position, if it was asked for.
    pub(super) fn entry(&self, position: Position) -> Option<&Entry> {
        self.0.iter().find(|it| it.position == position)
    }

    /// The placements of a person.
    pub(super) fn of_person(&self, person: PersonToken) -> impl Iterator<Item = KnownPlacement<'_>> {
        self.placements().filter(move |(_, it)| it.person() == Some(person)).map(|(known, _)| known)
    }

    /// All placements with the person each is about.
    pub(super) fn persons(&self) -> impl Iterator<Item = (PersonToken, KnownPlacement<'_>)> {
        self.placements().filter_map(|(known, it)| Some((it.person()?, known)))
    }

    fn placements(&self) -> impl Iterator<Item = (KnownPlacement<'_>, &Placement)> {
        self.0.iter().filter_map(KnownPlacement::of)
    }

    /// Where an event with this identity was recorded, and whether it said the same.
    pub(super) fn delivered_before(
        &self,
        source: &Source,
        id: EventId,
        command: &Command,
    ) -> Option<(Position, bool)> {
        let same = |it: &&Entry| it.id_by == IdBy::Sender && it.id == id && it.source == *source;
        let before = self.0.iter().find(same)?;
        Some((before.position, Command::of(&before.event) == *command))
    }
}
