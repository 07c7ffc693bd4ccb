//! A half-year week by week: the moments at which its Mondays began, translated to log sizes.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Map;

use super::{Checkpoint, KnownAt, KnownAtSize, Ledger, LedgerError, computed};
use crate::book::weeks::{Look, Weeks, days};
use crate::domain::area::Area;
use crate::domain::half_year::HalfYear;
use crate::domain::time::{RecordedAt, ReferenceDate};

/// A half-year as it looked on each Monday, with what it was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WeekByWeek {
    /// The weeks.
    #[serde(flatten)]
    pub weeks: Weeks,
    /// What is known at the end. Each row rests on the first entries of it.
    pub known_at: KnownAtSize,
    /// What they were computed from.
    pub checkpoint: Checkpoint,
}

impl<'de> Deserialize<'de> for WeekByWeek {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (weeks, known_at, checkpoint) = computed(Map::deserialize(from)?)?;
        Ok(Self { weeks, known_at, checkpoint })
    }
}

impl Ledger {
    /// A half-year as it looked on each Monday of it, with what had been recorded when that day began in the Netherlands.
    ///
    /// # Errors
    /// When no Monday of it has come or no quota of it is known, when the area did not exist in it, and when the root cannot
    /// be computed.
    pub fn weeks(&self, area: Area, half_year: HalfYear) -> Result<WeekByWeek, LedgerError> {
        let end = self.durable();
        let known_at = self.known_at(end);
        let last = known_at.time.map(RecordedAt::dutch_day);
        let looks = days(half_year).map(|on| {
            // What is recorded next may be recorded before a day that the log does not reach, so nothing is known of it.
            let reached = last.is_some_and(|last| last >= on).then_some(ReferenceDate(on));
            let began = KnownAt::Time(RecordedAt::start_of(on));
            let as_of = reached.map(|on| self.as_of(on, began)).transpose()?;
            Ok(Look { on, known_at: as_of.map(|it| it.known_at) })
        });
        let looks = looks.collect::<Result<Vec<_>, LedgerError>>()?;
        let weeks = self.memory.book.weeks(area, half_year, &looks, end)?;
        Ok(WeekByWeek { weeks, known_at, checkpoint: self.checkpoint(end)? })
    }
}
