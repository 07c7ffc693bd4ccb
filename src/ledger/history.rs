//! What was recorded about one thing: a placement, an entry, a delivery.

use super::{Ledger, LedgerError};
use crate::decide::recalled::Recalled;
use crate::decide::state::Objected;
use crate::domain::event::{Entry, Event};
use crate::domain::source::{DeliveryId, PlacementId};
use crate::domain::time::Position;
use crate::proof::merkle::Hash;

impl Ledger {
    /// The entries about a placement, in the order of the log; none where it is unknown.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn history(&self, placement: PlacementId) -> Result<Vec<Entry>, LedgerError> {
        let candidates: Vec<_> = self.memory.state.recall_placement(placement).collect();
        let durable = candidates.into_iter().filter(|position| position.is_known_at(self.durable()));
        let recalled = Recalled::new(durable.map(|position| self.entry(position)).collect::<Result<_, _>>()?);
        let Some(known) = recalled.placement(placement) else { return Ok(Vec::new()) };
        let later = self.memory.state.later(placement);
        let mut positions = vec![known.position];
        positions.extend(later.moves.iter().map(|(position, _)| *position));
        positions.extend(later.followed_on.map(|(position, _)| position));
        positions.extend(later.withdrawn.map(|(position, _)| position));
        let objections = self.memory.state.objections_to(None, Some(placement));
        self.in_order(positions, objections)
    }

    /// The chain that an entry belongs to: the history of its placement, or else the entry itself and the objections to it.
    /// That of an objection is the chain of what it contests.
    ///
    /// # Errors
    /// When the log has no such entry, or an entry cannot be read.
    pub fn history_of_entry(&self, position: Position) -> Result<Vec<Entry>, LedgerError> {
        let size = self.durable();
        if !position.is_known_at(size) {
            return Err(LedgerError::NoSuchEntry { position: position.0, size: size.0 });
        }
        let state = &self.memory.state;
        let event = self.entry(position)?.event;
        let objection = match &event {
            Event::ObjectionRecorded(it) => state.objection(it.objection),
            Event::ObjectionSettled(it) => state.objection(it.objection),
            _ => None,
        };
        let (entry, placement) = match objection {
            Some(it) => (it.entry, it.placement),
            None => (Some(position), event.placement()),
        };
        match (placement, entry, objection) {
            (Some(placement), ..) => self.history(placement),
            (None, Some(entry), _) => self.in_order(vec![entry], state.objections_to(Some(entry), None)),
            // An objection to a figure stands by itself.
            (None, None, it) => self.in_order(Vec::new(), it),
        }
    }

    /// These entries, with objections and how they were settled, in the order of the log.
    fn in_order(
        &self,
        mut positions: Vec<Position>,
        objections: impl IntoIterator<Item = Objected>,
    ) -> Result<Vec<Entry>, LedgerError> {
        positions.extend(objections.into_iter().flat_map(|it| [Some(it.position), it.settled]).flatten());
        positions.retain(|position| position.is_known_at(self.durable()));
        positions.sort();
        positions.into_iter().map(|position| self.entry(position)).collect()
    }

    /// The entries that a delivery brought, with their leaf hashes, where they were recorded together; none where it is unknown.
    ///
    /// The identity of a delivery says when it came, and its entries stand together right behind that.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn entries_of(&self, delivery: DeliveryId) -> Result<Vec<(Entry, Hash)>, LedgerError> {
        // A delivery that waited longer than this between its identity and its entries is not found.
        const WAITED: i64 = 1_000;
        let Some((seconds, nanos)) = delivery.uuid().get_timestamp().map(|it| it.to_unix()) else {
            return Ok(Vec::new());
        };
        let began = seconds as i64 * 1_000 + i64::from(nanos / 1_000_000);
        let moments = &self.memory.moments;
        let from = moments.partition_point(|(_, at)| at.millis() < began);
        let mut entries = Vec::new();
        for (index, (first, at)) in moments.iter().enumerate().skip(from) {
            if at.millis() > began + WAITED {
                break;
            }
            let end = moments.get(index + 1).map_or(u64::MAX, |(next, _)| *next).min(self.durable().0);
            for position in *first..end {
                let (entry, leaf_hash) = self.entry_with_leaf(Position(position))?;
                if entry.delivery == delivery {
                    entries.push((entry, leaf_hash));
                } else if !entries.is_empty() {
                    return Ok(entries);
                }
            }
        }
        Ok(entries)
    }
}
