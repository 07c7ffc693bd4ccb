//! What prepares a decision about a quota: municipal numbers and proposals, with what they were computed from. Nothing is
//! recorded by it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Checkpoint, KnownAtSize, Ledger, LedgerError, part};
use crate::book::evaluation::{Proposal, ToEvaluate};
use crate::book::share::{Share, ToShare};

/// Municipal numbers by inhabitants, with what they were computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    /// The numbers.
    #[serde(flatten)]
    pub share: Share,
    /// The state of knowledge.
    pub known_at: KnownAtSize,
    /// What they were computed from.
    pub checkpoint: Checkpoint,
}

/// An interim evaluation that is being prepared, with what it was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluated {
    /// The evaluation.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// The state of knowledge.
    pub known_at: KnownAtSize,
    /// What it was computed from.
    pub checkpoint: Checkpoint,
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(from)?;
        let known_at = part(&mut fields, "knownAt")?;
        let checkpoint = part(&mut fields, "checkpoint")?;
        let share = Share::deserialize(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { share, known_at, checkpoint })
    }
}

impl<'de> Deserialize<'de> for Evaluated {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(from)?;
        let known_at = part(&mut fields, "knownAt")?;
        let checkpoint = part(&mut fields, "checkpoint")?;
        let proposal = Proposal::deserialize(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { proposal, known_at, checkpoint })
    }
}

impl Ledger {
    /// The municipal numbers that follow from inhabitants.
    ///
    /// # Errors
    /// When there is nothing to divide or inhabitants are missing, or the root cannot be computed.
    pub fn share(&self, asked: &ToShare) -> Result<Shared, LedgerError> {
        let share = self.memory.book.share(asked)?;
        let (known_at, checkpoint) = (self.known_at(asked.known_at), self.checkpoint(asked.known_at)?);
        Ok(Shared { share, known_at, checkpoint })
    }

    /// Prepares the interim evaluation of a half-year.
    ///
    /// # Errors
    /// When the quota, what is expected now or inhabitants are missing, or the root cannot be computed.
    pub fn evaluate(&self, asked: &ToEvaluate) -> Result<Evaluated, LedgerError> {
        let proposal = self.memory.book.propose(asked)?;
        let (known_at, checkpoint) = (self.known_at(asked.known_at), self.checkpoint(asked.known_at)?);
        Ok(Evaluated { proposal, known_at, checkpoint })
    }
}
