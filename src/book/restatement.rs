//! Restatements: what the standing at the end of a half-year was said to be at one log size after another.

use std::collections::{BTreeMap, BTreeSet};

use super::account::Accounts;
use super::explanation::{StepLine, half_years, key_of};
use super::posting::{Line, Posting};
use super::register::Presence;
use super::statement::NamedArea;
use super::{Book, Unanswerable};
use crate::domain::area::{Area, MunicipalityCode};
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::time::{AsOf, Day, LogSize, Position, ReferenceDate};

/// The standing at the end of a half-year, as known at a log size: above zero a backlog, below zero a surplus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// What follows from the entries.
    pub derived: i64,
    /// What the authority fixed, of the municipalities where it did.
    pub recorded: i64,
    /// For how many municipalities it did.
    pub recorded_for: u32,
    /// What is carried into the next half-year: recorded where it was fixed, else derived.
    pub used: i64,
}

/// A posting, or a change of boundaries, that may have moved the standing at the end of a half-year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// Where the entry stands.
    pub position: Position,
    /// The day on which it happened.
    pub valid_on: Day,
    /// For which municipality.
    pub municipality: MunicipalityCode,
    /// The half-year of the line.
    pub half_year: HalfYear,
    /// What it moves.
    pub line: StepLine,
    /// The kind of placement, where persons were housed.
    pub kind: Option<PlacementKind>,
    /// By how many it moves what remains. A fixed carry-over and a boundary change do so by what went before them, so
    /// they have no number of their own.
    pub change: Option<i64>,
}

/// The first day after a half-year, on which its standing is read.
pub fn closed_on(half_year: HalfYear) -> Option<Day> {
    Some(half_year.next()?.first_day())
}

impl Book<'_> {
    /// The standing of an area at the end of a half-year, as known at a log size. An area that was not known then stands
    /// for nobody.
    pub fn closing(&self, area: Area, half_year: HalfYear, known_at: LogSize) -> Closing {
        let Some(next) = half_year.next() else { return Closing::default() };
        let as_of = AsOf { reference_date: ReferenceDate(next.first_day()), known_at };
        let mut accounts = Accounts::new(self, as_of);
        let mut closing = Closing::default();
        for code in self.codes_of(area).filter(|code| self.register.presence(*code, as_of) == Presence::There)
        {
            let account = accounts.account(code, next);
            closing.derived += account.carried_derived;
            closing.recorded += account.carried_recorded;
            closing.recorded_for += account.carried_recorded_for;
            closing.used += account.carried_used;
        }
        closing
    }

    /// The area as it is named then, and what was recorded at a position from `from` on that may have moved that
    /// standing, in the order of the log.
    ///
    /// # Errors
    /// When the area is a municipality that does not exist when the half-year is over, as known at the log size `to`.
    pub fn touches(
        &self,
        area: Area,
        half_year: HalfYear,
        from: LogSize,
        to: LogSize,
    ) -> Result<(NamedArea, Vec<Touch>), Unanswerable> {
        let next = half_year.next().unwrap_or(half_year);
        let as_of = AsOf { reference_date: ReferenceDate(next.first_day()), known_at: to };
        let area_then = self.named(area, as_of)?;
        let within = |position: Position| position.is_known_at(to) && !position.is_known_at(from);
        let mut touches = Vec::new();
        for (code, linked) in self.linked(area, as_of) {
            // What was recorded about an old municipality before it was known to be taken over was not about the area.
            let within =
                |position: Position| within(position) && linked.is_none_or(|linked| position >= linked);
            for at in half_years(self.columns.first_half_year(), next) {
                let all = self.columns.postings_of(code, at);
                touches.extend(
                    all.filter(|it| within(it.position) && weighs(it, next)).filter_map(|it| touch(&it)),
                );
            }
            let changes = self.register.changes_of(code, next, as_of).filter(|it| within(*it));
            touches.extend(changes.map(|position| {
                let valid_on = self.register.effective_on(position);
                Touch {
                    position,
                    valid_on,
                    municipality: code,
                    half_year: valid_on.half_year(),
                    line: StepLine::Boundary,
                    kind: None,
                    change: None,
                }
            }));
        }
        touches.sort_unstable();
        touches.dedup();
        Ok((area_then, touches))
    }

    /// The municipalities that a standing is made of, and of each that was taken over the entry from which on it is.
    fn linked(&self, area: Area, as_of: AsOf) -> BTreeMap<MunicipalityCode, Option<Position>> {
        let mut linked: BTreeMap<_, _> = self.codes_of(area).map(|code| (code, None)).collect();
        let mut open: Vec<(MunicipalityCode, Option<Position>)> =
            linked.iter().map(|(code, linked)| (*code, *linked)).collect();
        while let Some((code, from)) = open.pop() {
            for it in self.register.taken_over(code, as_of) {
                // Along a chain all of it must be known, and of several chains the first counts.
                let from = from.max(Some(it.position()));
                for &old in it.old() {
                    if linked.get(&old).is_none_or(|known| from < *known) {
                        linked.insert(old, from);
                        open.push((old, from));
                    }
                }
            }
        }
        linked
    }

    /// The codes that an area ever had.
    pub(super) fn codes_of(&self, area: Area) -> impl Iterator<Item = MunicipalityCode> {
        let all = self.register.all().filter(move |it| match area {
            Area::Municipality(code) => it.code == code,
            Area::Province(province) => it.province == province,
            Area::Country => true,
        });
        all.map(|it| it.code)
    }

    /// The same with all that were taken over, as known then, wherever they lay.
    pub(super) fn with_those_taken_over(&self, area: Area, as_of: AsOf) -> BTreeSet<MunicipalityCode> {
        let mut found = BTreeSet::new();
        let mut open: Vec<_> = self.codes_of(area).collect();
        while let Some(code) = open.pop() {
            if found.insert(code) {
                open.extend(self.register.taken_over(code, as_of).flat_map(|it| it.old().to_vec()));
            }
        }
        found
    }
}

/// What a posting does to what remains.
fn touch(posting: &Posting) -> Option<Touch> {
    let (half_year, line, kind) = match posting.line {
        Line::CarryOver => (posting.half_year, StepLine::CarryOver, None),
        _ => key_of(posting)?,
    };
    let change = (line != StepLine::CarryOver).then(|| line.effect(i64::from(posting.persons)));
    let Posting { position, valid_on, municipality, .. } = *posting;
    Some(Touch { position, valid_on, municipality, half_year, line, kind, change })
}

/// Whether a posting is part of what is carried into a half-year, or fixes it.
fn weighs(posting: &Posting, next: HalfYear) -> bool {
    match posting.line {
        Line::CarryOver => posting.half_year <= next,
        Line::Quota | Line::Revision | Line::Exchange | Line::Housed(_) => posting.half_year < next,
        Line::NotCounted(_) | Line::InCare => false,
    }
}
