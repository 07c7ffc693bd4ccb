//! What prepares a decision about a quota: municipal numbers and proposals, with what they were computed from. Nothing is
//! recorded by it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Map;

use super::{Checkpoint, KnownAtSize, Ledger, LedgerError, ListSeal, computed};
use crate::book::evaluation::{Proposal, ToEvaluate};
use crate::book::forecast::{Forecast, ToForecast};
use crate::book::share::{Share, ToShare};
use crate::domain::time::RecordedAt;

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

/// A forecast in two scenarios, with what it was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecasted {
    /// The forecast.
    #[serde(flatten)]
    pub forecast: Forecast,
    /// The file of the production plan, where there was one.
    pub plan: Option<ListSeal>,
    /// The state of knowledge.
    pub known_at: KnownAtSize,
    /// What it was computed from.
    pub checkpoint: Checkpoint,
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (share, known_at, checkpoint) = computed(Map::deserialize(from)?)?;
        Ok(Self { share, known_at, checkpoint })
    }
}

impl<'de> Deserialize<'de> for Evaluated {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (proposal, known_at, checkpoint) = computed(Map::deserialize(from)?)?;
        Ok(Self { proposal, known_at, checkpoint })
    }
}

impl<'de> Deserialize<'de> for Forecasted {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(from)?;
        let plan = fields.remove("plan").ok_or_else(|| D::Error::missing_field("plan"))?;
        let plan = crate::domain::object_or_null(plan).map_err(D::Error::custom)?;
        let (forecast, known_at, checkpoint) = computed(fields)?;
        Ok(Self { forecast, plan, known_at, checkpoint })
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

    /// Forecasts the permits of a half-year in two scenarios. The seal names the file of the plan.
    ///
    /// # Errors
    /// When there is nothing to compute a scenario from, or the root cannot be computed.
    pub fn forecast(
        &self,
        asked: &ToForecast<'_>,
        plan: Option<ListSeal>,
    ) -> Result<Forecasted, LedgerError> {
        let (known_at, checkpoint) = (self.known_at(asked.known_at), self.checkpoint(asked.known_at)?);
        let forecast = self.memory.book.forecast(asked, known_at.time.map(RecordedAt::dutch_day))?;
        Ok(Forecasted { forecast, plan, known_at, checkpoint })
    }
}
