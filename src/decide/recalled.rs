//! What was read back for one decision: the entries that the state only knows the place of.

use super::command::{Command, Identity};
use crate::domain::event::{Entry, Event, IdBy};
use crate::domain::placement::{Housed, Placement, PlacementKind, PlacementReport};
use crate::domain::source::{EventId, PersonToken, PlacementId, Source};
use crate::domain::time::{Day, Position};

/// Entries that [`State::recall`](super::state::State::recall) asked for, in the order of the log.
///
/// Some may have nothing to do with the decision: their keys were alike.
#[derive(Clone, Debug, Default)]
pub struct Recalled {
    entries: Vec<Entry>,
    claims: Vec<Claim>,
}

/// What a placement says about a person, where nothing else of it matters: of those there can be many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub person: PersonToken,
    pub placement: PlacementId,
    pub position: Position,
    pub kind: PlacementKind,
    pub counts_from: Day,
}

impl Claim {
    fn of(entry: &Entry) -> Option<Self> {
        let Event::PlacementRecorded(it) = &entry.event else { return None };
        let Housed { kind, counts_from, .. } = it.housed();
        Some(Self { person: it.person()?, placement: it.id(), position: entry.position, kind, counts_from })
    }
}

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
        Self { entries, claims: Vec::new() }
    }

    /// Takes up the next entry for a decision about this command, and no more of it than that needs.
    pub fn push(&mut self, entry: Entry, identity: &Identity, command: &Command) {
        let is_the_same = identity.id == Some(entry.id);
        match command {
            Command::SetCountingRule(_) if !is_the_same => self.claims.extend(Claim::of(&entry)),
            _ => self.entries.push(entry),
        }
    }

    /// The placement with this id, if it was recorded.
    pub fn placement(&self, id: PlacementId) -> Option<KnownPlacement<'_>> {
        self.placements().find(|(_, it)| it.id() == id).map(|(known, _)| known)
    }

    /// The entry at this position, if it was asked for.
    pub(super) fn entry(&self, position: Position) -> Option<&Entry> {
        self.entries.iter().find(|it| it.position == position)
    }

    /// The placements of a person.
    pub(super) fn of_person(&self, person: PersonToken) -> impl Iterator<Item = KnownPlacement<'_>> {
        self.placements().filter(move |(_, it)| it.person() == Some(person)).map(|(known, _)| known)
    }

    /// What is claimed about persons.
    pub(super) fn claims(&self) -> impl Iterator<Item = Claim> {
        self.claims.iter().copied().chain(self.entries.iter().filter_map(Claim::of))
    }

    fn placements(&self) -> impl Iterator<Item = (KnownPlacement<'_>, &Placement)> {
        self.entries.iter().filter_map(KnownPlacement::of)
    }

    /// Where an event with this identity was recorded, and whether it said the same.
    pub(super) fn delivered_before(
        &self,
        source: &Source,
        id: EventId,
        command: &Command,
    ) -> Option<(Position, bool)> {
        let same = |it: &&Entry| it.id_by == IdBy::Sender && it.id == id && it.source == *source;
        let before = self.entries.iter().find(same)?;
        Some((before.position, Command::of(&before.event) == *command))
    }
}
