//! Inhabitants: how many live in each municipality, for the shares of a quota.
//!
//! A count names the municipalities of its own day. A quota is divided among those of the first day of its half-year,
//! so what was counted for one that was taken over since belongs to its heirs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Book, Unprepared, known};
use crate::domain::area::{Municipality, MunicipalityCode};
use crate::domain::time::{AsOf, Day, Position};

/// The counts of one day, as known then: of each municipality the one that was recorded last, and where.
struct Counts<'a> {
    book: &'a Book<'a>,
    counted_on: Day,
    as_of: AsOf,
    own: BTreeMap<MunicipalityCode, (Position, u64)>,
    missing: BTreeSet<MunicipalityCode>,
}

impl Book<'_> {
    /// The municipalities that exist on the reference date, by code, with their inhabitants as counted on a day.
    ///
    /// # Errors
    /// When none exists, inhabitants of one are missing, or there are none at all.
    pub(super) fn inhabitants(
        &self,
        counted_on: Day,
        as_of: AsOf,
    ) -> Result<Vec<(&Municipality, u64)>, Unprepared> {
        let mut own = BTreeMap::new();
        let on_that_day = |it: &&(Position, _)| it.0.is_known_at(as_of.known_at);
        for (position, count) in self.populations.iter().filter(on_that_day) {
            if count.counted_on == counted_on {
                own.extend(count.inhabitants.iter().map(|(code, it)| (code, (*position, it.count()))));
            }
        }
        let mut counts = Counts { book: self, counted_on, as_of, own, missing: BTreeSet::new() };
        let there = self.register.municipalities(as_of);
        let found: Vec<_> = there.map(|it| (it, counts.of(it))).collect();
        if found.is_empty() {
            return Err(Unprepared::NoMunicipality { on: as_of.reference_date.0 });
        }
        if !counts.missing.is_empty() {
            let days: BTreeSet<Day> =
                known(&self.populations, as_of.known_at).map(|it| it.counted_on).collect();
            return Err(Unprepared::NoInhabitants {
                counted_on,
                missing: counts.missing.into_iter().collect(),
                counted: days.into_iter().filter(|it| *it != counted_on).collect(),
            });
        }
        if found.iter().all(|(_, count)| *count == 0) {
            return Err(Unprepared::NobodyLives { counted_on });
        }
        Ok(found)
    }
}

impl Counts<'_> {
    /// The inhabitants of a municipality, which is noted where they are missing.
    fn of(&mut self, municipality: &Municipality) -> u64 {
        let code = municipality.code;
        let count = self.found(code);
        // One that came later was counted under the names of those that it took over.
        if count.is_none() && !self.has_missing_part(code) {
            self.missing.insert(code);
        }
        count.unwrap_or(0)
    }

    /// What was counted for a municipality and for those that it took over, if anything.
    fn found(&mut self, code: MunicipalityCode) -> Option<u64> {
        let own = self.own.get(&code).copied();
        let mut sum = own.map(|(_, count)| count);
        let (mut came_later, mut strayed) = (false, false);
        for it in self.book.register.taken_over(code, self.as_of) {
            let since = it.effective_on() > self.counted_on;
            came_later |= since;
            // Whoever counted the heir when it was known that it had taken over the others by that day counted them too.
            if !since && own.is_some_and(|(at, _)| at >= it.position()) {
                continue;
            }
            for &old in it.old() {
                match self.found(old) {
                    Some(count) => {
                        *sum.get_or_insert(0) += it.share(count as i64).unsigned_abs();
                        strayed |= !since;
                    }
                    None if since => drop(self.missing.insert(old)),
                    None => {}
                }
            }
        }
        // An heir that existed on the day of the count has inhabitants of its own beside those that came later.
        if own.is_none() && !strayed && came_later && self.existed(code) {
            self.missing.insert(code);
        }
        sum
    }

    fn existed(&self, code: MunicipalityCode) -> bool {
        let known = self.book.register.all().find(|it| it.code == code);
        known.is_some_and(|it| it.from <= self.counted_on)
    }

    fn has_missing_part(&self, code: MunicipalityCode) -> bool {
        let mut parts = self.book.register.taken_over(code, self.as_of).flat_map(|it| it.old().to_vec());
        parts.any(|old| self.missing.contains(&old))
    }
}
