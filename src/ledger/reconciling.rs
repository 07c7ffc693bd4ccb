//! Reconciling: a municipality's own list beside the entries of the ledger. Nothing is recorded by it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Map;

use super::{Checkpoint, KnownAtSize, Ledger, LedgerError, computed, part};
use crate::book::reconciliation::{ListRow, Placements, Reconciliation, Scope, reconcile};
use crate::domain::source::PlacementId;
use crate::proof::content::ContentHash;

/// Which list was compared, or which plan was computed with, so that everybody can tell that it is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSeal {
    /// The name of the file, without anything that looks like a person's number.
    pub file: String,
    /// The hash of its content.
    pub sha256: ContentHash,
    /// How many rows it has, without the header.
    pub rows: u64,
}

/// A reconciliation with what it was computed from, on either side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciled {
    /// The reconciliation.
    #[serde(flatten)]
    pub reconciliation: Reconciliation,
    /// The list.
    pub list: ListSeal,
    /// The state of knowledge.
    pub known_at: KnownAtSize,
    /// What it was computed from.
    pub checkpoint: Checkpoint,
}

impl<'de> Deserialize<'de> for Reconciled {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(from)?;
        let list = part(&mut fields, "list")?;
        let (reconciliation, known_at, checkpoint) = computed(fields)?;
        Ok(Self { reconciliation, list, known_at, checkpoint })
    }
}

impl Ledger {
    /// Compares a list with what the ledger says of the same municipality and half-year.
    ///
    /// It reads the entries of that municipality and half-year, and of placements elsewhere that the list names.
    ///
    /// # Errors
    /// When an entry cannot be read, or the root cannot be computed.
    pub fn reconcile(
        &self,
        scope: &Scope,
        list: ListSeal,
        rows: Vec<ListRow>,
    ) -> Result<Reconciled, LedgerError> {
        let mut placements = Placements::new(scope);
        for position in self.memory.book.housing_within(scope) {
            placements.take(&self.entry(position)?);
        }
        let mut elsewhere = placements.to_look_up(&rows);
        // In the order of the log, so that neighbours are read together.
        elsewhere.sort_by_cached_key(|id| self.memory.state.recall_placement(*id).next());
        for id in elsewhere {
            self.look_up(id, &mut placements, scope)?;
        }
        Ok(Reconciled {
            reconciliation: reconcile(scope, &placements, rows),
            list,
            known_at: self.known_at(scope.known_at()),
            checkpoint: self.checkpoint(scope.known_at())?,
        })
    }

    fn look_up(
        &self,
        id: PlacementId,
        placements: &mut Placements<'_>,
        scope: &Scope,
    ) -> Result<(), LedgerError> {
        let history = self.history(id)?;
        placements.look_up(id, history.iter().filter(|entry| entry.position.is_known_at(scope.known_at())));
        Ok(())
    }
}
