//! What is measured by going through the log itself: small-scale care and deadlines. Only lines that may matter are read as
//! entries, and nothing of them stays in memory when the answer is given.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Map;

use super::{By, Checkpoint, KnownAtSize, Ledger, LedgerError, computed, decode};
use crate::book::care::{Care, CareStanding};
use crate::book::deadlines::{DeadlineStanding, Deadlines};
use crate::domain::area::{Area, Province};
use crate::domain::event::Entry;
use crate::domain::half_year::HalfYear;
use crate::domain::time::{AsOf, LogSize, Position};

/// Small-scale care of an area, with what it was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CareShown {
    /// The places and persons.
    #[serde(flatten)]
    pub standing: CareStanding,
    /// The state of knowledge.
    pub known_at: KnownAtSize,
    /// What they were computed from.
    pub checkpoint: Checkpoint,
}

/// How an area keeps to the deadlines, with what it was computed from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadlinesShown {
    /// The measures.
    #[serde(flatten)]
    pub standing: DeadlineStanding,
    /// The state of knowledge.
    pub known_at: KnownAtSize,
    /// What they were computed from.
    pub checkpoint: Checkpoint,
}

impl<'de> Deserialize<'de> for CareShown {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (standing, known_at, checkpoint) = computed(Map::deserialize(from)?)?;
        Ok(Self { standing, known_at, checkpoint })
    }
}

impl<'de> Deserialize<'de> for DeadlinesShown {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (standing, known_at, checkpoint) = computed(Map::deserialize(from)?)?;
        Ok(Self { standing, known_at, checkpoint })
    }
}

/// After how many lines `progress` is told again.
const STEP: u64 = 4_096;

impl Ledger {
    /// Small-scale care in an area or its parts, on the reference date and some weeks ahead. `progress` gets the number of
    /// entries gone through.
    ///
    /// # Errors
    /// When the area is a municipality that does not exist then, or an entry cannot be read.
    pub fn care(
        &self,
        (area, by): (Area, By),
        as_of: AsOf,
        within_weeks: u16,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<CareShown>, LedgerError> {
        let areas = self.parts(area, by, as_of)?;
        let mut care = self.memory.book.care(&areas, as_of, within_weeks)?;
        self.go_through(as_of.known_at, &mut care, |_, line| Care::may_concern(line), Care::take, progress)?;
        let (known_at, checkpoint) = (self.known_at(as_of.known_at), self.checkpoint(as_of.known_at)?);
        let standings = care.standings().into_iter();
        Ok(standings.map(|standing| CareShown { standing, known_at, checkpoint }).collect())
    }

    /// How an area or its parts keep to the deadlines: of the placements of a half-year, and of stays on the reference date.
    /// `progress` gets the number of entries gone through, of which each comes up twice.
    ///
    /// # Errors
    /// As for [`Ledger::care`].
    pub fn deadlines(
        &self,
        (area, by): (Area, By),
        half_year: HalfYear,
        as_of: AsOf,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<DeadlinesShown>, LedgerError> {
        let areas = self.parts(area, by, as_of)?;
        let mut deadlines = self.memory.book.deadlines(&areas, half_year, as_of)?;
        let size = as_of.known_at;
        self.go_through(size, &mut deadlines, |_, line| Deadlines::may_end(line), Deadlines::end, progress)?;
        let again = &mut |gone_through: u64| progress(size.0 + gone_through);
        self.go_through(size, &mut deadlines, Deadlines::may_count, Deadlines::count, again)?;
        let (known_at, checkpoint) = (self.known_at(size), self.checkpoint(size)?);
        let standings = deadlines.standings().into_iter();
        Ok(standings.map(|standing| DeadlinesShown { standing, known_at, checkpoint }).collect())
    }

    /// The areas that an answer is about.
    fn parts(&self, area: Area, by: By, as_of: AsOf) -> Result<Vec<Area>, LedgerError> {
        Ok(match by {
            By::Whole => vec![area],
            By::Province => Province::all().map(Area::Province).collect(),
            By::Municipality => {
                let codes = self.memory.book.codes_within(area, as_of)?;
                codes.into_iter().map(Area::Municipality).collect()
            }
        })
    }

    /// Folds the entries of the lines that may matter, in the order of the log up to a size.
    fn go_through<T>(
        &self,
        size: LogSize,
        fold: &mut T,
        may_matter: impl Fn(&T, &str) -> bool,
        take: impl Fn(&mut T, &Entry),
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), LedgerError> {
        let mut broken = None;
        let gone_through = self.lines(Position(0), size, &mut |position, line| {
            if position % STEP == 0 {
                progress(position);
            }
            // A line that is no text is none of an entry, which reading it tells.
            if std::str::from_utf8(line).is_ok_and(|line| !may_matter(fold, line)) {
                return Ok(());
            }
            decode(Position(position), line).map(|entry| take(fold, &entry)).map_err(|error| {
                let said = error.to_string();
                broken = Some(error);
                said
            })
        });
        match broken {
            Some(error) => Err(error),
            None => gone_through,
        }
    }
}
