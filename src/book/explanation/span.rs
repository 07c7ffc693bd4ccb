//! Two moments, and what may lie between them.

use crate::domain::time::{AsOf, Day, ReferenceDate};

/// Two moments between which a standing is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: AsOf,
    to: AsOf,
}

/// There is nothing between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmptySpan {
    /// The dates are the wrong way round.
    #[error("{since} is after {on}: what is explained goes from an earlier date to a later one")]
    Dates {
        /// The date that was given as the earlier one.
        since: Day,
        /// The date that was given as the later one.
        on: Day,
    },
    /// The log sizes are the wrong way round.
    #[error(
        "log size {since} is larger than {at}: what is explained goes from an earlier state of knowledge to a later one"
    )]
    Sizes {
        /// The log size that was given as the earlier one.
        since: u64,
        /// The log size that was given as the later one.
        at: u64,
    },
    /// Both moments are the same.
    #[error(
        "both moments are {on} as known at log size {at}: give an earlier date, or an earlier state of knowledge"
    )]
    Nothing {
        /// The date.
        on: Day,
        /// The log size.
        at: u64,
    },
}

impl Span {
    /// From one moment to another.
    ///
    /// # Errors
    /// When the second is earlier in one of the two times, or the same in both.
    pub fn new(from: AsOf, to: AsOf) -> Result<Self, EmptySpan> {
        let (since, on) = (from.reference_date.0, to.reference_date.0);
        if since > on {
            return Err(EmptySpan::Dates { since, on });
        }
        let (known_since, at) = (from.known_at.0, to.known_at.0);
        match known_since.cmp(&at) {
            std::cmp::Ordering::Greater => Err(EmptySpan::Sizes { since: known_since, at }),
            std::cmp::Ordering::Equal if since == on => Err(EmptySpan::Nothing { on, at }),
            _ => Ok(Self { from, to }),
        }
    }

    /// Where it begins.
    pub fn from(&self) -> AsOf {
        self.from
    }

    /// Where it ends.
    pub fn to(&self) -> AsOf {
        self.to
    }

    /// The beginning, the later date as known at the beginning, the earlier date as known at the end, and the end.
    pub(super) fn corners(&self) -> [AsOf; 4] {
        let at = |on: ReferenceDate, known: AsOf| AsOf { reference_date: on, known_at: known.known_at };
        let (since, on) = (self.from.reference_date, self.to.reference_date);
        [self.from, at(on, self.from), at(since, self.to), self.to]
    }
}
