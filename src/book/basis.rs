//! What a figure rests on: the entries out of which it can be computed again without the rest of the log.

use std::collections::BTreeSet;

use super::{Book, Unanswerable};
use crate::domain::area::Area;
use crate::domain::time::{AsOf, Day, Position};

impl Book<'_> {
    /// The entries from which the statement and the explanation of an area come out as they do from the whole log, in the
    /// order of the log: all that was ever posted for its municipalities and those that they took over, and the facts that
    /// are about all of them.
    ///
    /// # Errors
    /// When the area is a municipality that does not exist on the reference date, as known then.
    pub fn basis(&self, area: Area, as_of: AsOf) -> Result<BTreeSet<Position>, Unanswerable> {
        self.named(area, as_of)?;
        let mut basis = BTreeSet::new();
        let codes = self.with_those_taken_over(area, as_of);
        for &code in &codes {
            basis.extend(self.register.registered_at(code));
            basis.extend(self.columns.postings_for(code).map(|it| it.position));
        }
        basis.extend(self.register.changes_at());
        basis.extend(self.quotas.iter().map(|(position, _)| *position));
        basis.extend(self.evaluations.iter().map(|(position, _)| *position));
        basis.extend(self.rules_set.iter().map(|(position, _)| *position));
        basis.extend(self.phases.iter().map(|(position, _)| *position));
        basis.extend(self.amv_capacities.iter().map(|(position, _)| *position));
        basis.extend(self.amv_places.iter().map(|(position, _)| *position));
        basis.extend(self.objections.positions());
        basis.extend(self.generated_from);
        basis.retain(|position| position.is_known_at(as_of.known_at));
        // The last entry says until when anything is known.
        basis.extend(as_of.known_at.0.checked_sub(1).map(Position));
        Ok(basis)
    }

    /// A day before anything was due of an area or anybody was housed there, where there is one. It follows from what the
    /// area rests on, and not from what is recorded about others.
    pub fn before_everything(&self, area: Area, as_of: AsOf) -> Option<Day> {
        let codes = self.with_those_taken_over(area, as_of).into_iter();
        let first = codes.filter_map(|code| self.columns.first_half_year_of(code, as_of.known_at)).min()?;
        Some(first.previous()?.first_day())
    }
}
