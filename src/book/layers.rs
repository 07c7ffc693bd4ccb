//! Layers: the columns of a ledger, and over them what a scenario changes.
//!
//! A scenario copies nothing. What it leaves out is posted to columns of its own that are taken off, and what it supposes to
//! columns that are added; both are small. Where it changes which kinds of placement count, the rows of those kinds are walked
//! when a question is asked, and counted by its own rules.

use std::collections::{HashMap, HashSet};

use super::columns::{Columns, Left, Sums};
use super::posting::{Posting, housed_line, recount};
use crate::domain::area::MunicipalityCode;
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::rules::{CountingRule, CountingRules, counts_by_default};
use crate::domain::time::{AsOf, Day, LogSize, Position};

/// The columns that questions are answered from.
#[derive(Debug, Default)]
pub(super) struct Layers<'base> {
    /// All postings; over a base only those that are supposed.
    own: Columns,
    base: Option<Box<Base<'base>>>,
}

/// What lies under a scenario.
#[derive(Debug)]
pub(super) struct Base<'base> {
    columns: &'base Columns,
    left_out: Columns,
    /// What is supposed once more, with which of the supposed events it is of: rows have no room for that.
    supposed: HashMap<(MunicipalityCode, HalfYear), Vec<Posting>>,
    recounted: Vec<Recounted>,
}

/// A kind of placement of which it is asked anew whether it counts.
#[derive(Clone, Debug)]
pub(super) struct Recounted {
    kind: PlacementKind,
    /// Where rules about it stand in the log: what those moved is left aside.
    moved_at: HashSet<Position>,
    /// The rules of the scenario, in the order in which they are known.
    rules: Vec<Ruled>,
}

/// A rule, where it is known from, and which of the supposed events it is, if it is one.
type Ruled = (Position, CountingRule, Option<u32>);

impl Recounted {
    /// A kind, with the rules that are recorded and those of the scenario, each in their order.
    pub(super) fn new(
        kind: PlacementKind,
        recorded: &[(Position, CountingRule)],
        rules: impl Iterator<Item = Ruled>,
    ) -> Self {
        let recorded = recorded.iter().filter(|(_, rule)| rule.kind() == kind);
        let moved_at = recorded.map(|(position, _)| *position).collect();
        Self { kind, moved_at, rules: rules.filter(|(_, rule, _)| rule.kind() == kind).collect() }
    }

    /// The rules that are known at a log size.
    fn known(&self, known_at: LogSize) -> &[Ruled] {
        let known = self.rules.partition_point(|(position, ..)| position.is_known_at(known_at));
        &self.rules[..known]
    }

    /// Whether a placement that counts from a day counts under these rules.
    fn counts(&self, rules: &[Ruled], day: Day) -> bool {
        let last = rules.iter().rev().find(|(_, rule, _)| rule.covers(day));
        last.map_or_else(|| counts_by_default(self.kind), |(_, rule, _)| rule.counts())
    }
}

impl<'base> Layers<'base> {
    /// Over these columns, without some of their postings and with others, each in the order of the log.
    pub(super) fn over(
        columns: &'base Layers<'_>,
        left_out: &[Posting],
        supposed: &[Posting],
        recounted: Vec<Recounted>,
    ) -> Self {
        assert!(columns.base.is_none(), "a scenario lies over what was recorded");
        let of = |postings: &[Posting]| {
            let mut columns = Columns::default();
            postings.iter().for_each(|it| columns.push(it));
            columns
        };
        let own = of(supposed);
        let mut by_cell: HashMap<_, Vec<Posting>> = HashMap::new();
        supposed.iter().for_each(|it| by_cell.entry((it.municipality, it.half_year)).or_default().push(*it));
        let base = Base { columns: &columns.own, left_out: of(left_out), supposed: by_cell, recounted };
        Self { own, base: Some(Box::new(base)) }
    }

    /// Takes up a posting of the last entry.
    pub(super) fn push(&mut self, posting: &Posting) {
        self.own.push(posting);
    }

    /// The first half-year that any posting lies in.
    pub(super) fn first_half_year(&self) -> Option<HalfYear> {
        let base = self.base.as_ref().and_then(|it| it.columns.first_half_year());
        base.into_iter().chain(self.own.first_half_year()).min()
    }

    /// The first half-year that any posting of a municipality lies in, as known at a log size.
    pub(super) fn first_half_year_of(&self, code: MunicipalityCode, known_at: LogSize) -> Option<HalfYear> {
        let base = self.base.as_ref().and_then(|it| it.columns.first_half_year_of(code, known_at));
        base.into_iter().chain(self.own.first_half_year_of(code, known_at)).min()
    }

    /// Every posting on a line of what is due of one half-year that is recorded.
    pub(super) fn obligations_in(&self, half_year: HalfYear) -> impl Iterator<Item = Posting> {
        self.own.obligations_in(half_year)
    }

    /// Every posting that is recorded.
    pub(super) fn postings(&self) -> impl Iterator<Item = Posting> {
        self.own.postings()
    }

    /// Every posting of one municipality.
    pub(super) fn postings_for(&self, code: MunicipalityCode) -> impl Iterator<Item = Posting> {
        let half_years = std::iter::successors(self.first_half_year(), |it| it.next());
        let last = self.last_half_year_of(code);
        let half_years = half_years.take_while(move |it| last.is_some_and(|last| *it <= last));
        half_years.flat_map(move |it| self.postings_of(code, it))
    }

    fn last_half_year_of(&self, code: MunicipalityCode) -> Option<HalfYear> {
        let base = self.base.as_ref().and_then(|it| it.columns.last_half_year_of(code));
        base.into_iter().chain(self.own.last_half_year_of(code)).max()
    }

    /// Every posting of one municipality and half-year.
    pub(super) fn postings_of(
        &self,
        code: MunicipalityCode,
        half_year: HalfYear,
    ) -> impl Iterator<Item = Posting> {
        let (recorded, under_scenario) = match &self.base {
            None => (Some(self.own.postings_of(code, half_year)), Vec::new()),
            Some(base) => (None, base.postings_of(code, half_year)),
        };
        recorded.into_iter().flatten().chain(under_scenario)
    }

    /// Where something was posted to the housing of one municipality and half-year, in the order of the log.
    pub(super) fn housing(
        &self,
        code: MunicipalityCode,
        half_year: HalfYear,
    ) -> impl Iterator<Item = Position> {
        self.own.housing(code, half_year)
    }

    /// The sums of one municipality and half-year.
    pub(super) fn sums(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Sums {
        match &self.base {
            None => self.own.sums(code, half_year, as_of),
            Some(base) => base.sums(&self.own, code, half_year, as_of),
        }
    }

    /// The standing that follows from all half-years before this one, back to the last that was fixed.
    pub(super) fn carried_into(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> i64 {
        let Some(base) = &self.base else { return self.own.carried_into(code, half_year, as_of) };
        let first = self.first_half_year();
        let before = std::iter::successors(half_year.previous(), |it| it.previous());
        let mut carried = 0;
        for before in before.take_while(|it| first.is_some_and(|first| *it >= first)) {
            let left = base.left(&self.own, code, before, as_of);
            carried += left.persons;
            if left.fixed {
                break;
            }
        }
        carried
    }

    /// How many persons are in small-scale care in a municipality.
    pub(super) fn in_care(&self, code: MunicipalityCode, as_of: AsOf) -> i64 {
        let own = self.own.in_care(code, as_of);
        let base = self.base.as_ref();
        own + base.map_or(0, |it| it.columns.in_care(code, as_of) - it.left_out.in_care(code, as_of))
    }
}

impl Base<'_> {
    fn left(&self, own: &Columns, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Left {
        let is_as_recorded =
            self.recounted.is_empty() && !own.has(code, half_year) && !self.left_out.has(code, half_year);
        match is_as_recorded {
            true => self.columns.left(code, half_year, as_of),
            false => self.sums(own, code, half_year, as_of).left(),
        }
    }

    fn sums(&self, own: &Columns, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Sums {
        let recorded = self.columns.sums(code, half_year, as_of);
        let (left_out, supposed) =
            (self.left_out.sums(code, half_year, as_of), own.sums(code, half_year, as_of));
        // What is carried over is replayed as a whole, or not at all.
        let fixed = match own.is_fixed(code, half_year) || self.left_out.is_fixed(code, half_year) {
            true => supposed,
            false => recorded,
        };
        let mut housed =
            std::array::from_fn(|kind| recorded.housed[kind] - left_out.housed[kind] + supposed.housed[kind]);
        if !self.recounted.is_empty() {
            self.recount(own, code, half_year, as_of, &mut housed);
        }
        Sums {
            quota: recorded.quota - left_out.quota + supposed.quota,
            revision: recorded.revision - left_out.revision + supposed.revision,
            exchange: recorded.exchange - left_out.exchange + supposed.exchange,
            carry_over: fixed.carry_over,
            carry_over_at: fixed.carry_over_at,
            housed,
        }
    }

    /// Counts the kinds anew of which the scenario has other rules.
    fn recount(
        &self,
        own: &Columns,
        code: MunicipalityCode,
        half_year: HalfYear,
        as_of: AsOf,
        housed: &mut [i64; PlacementKind::ALL.len()],
    ) {
        let mut of_kind = [None; PlacementKind::ALL.len()];
        for it in &self.recounted {
            of_kind[it.kind.index()] = Some((it, it.known(as_of.known_at)));
            housed[it.kind.index()] = 0;
        }
        for (columns, sign, is_recorded) in
            [(self.columns, 1, true), (&self.left_out, -1, true), (own, 1, false)]
        {
            columns.each_housed(code, half_year, as_of, |position, line, day, persons| {
                let Some(kind) = line.kind() else { return };
                let Some((it, rules)) = of_kind[kind.index()] else { return };
                if it.counts(rules, day) && !(is_recorded && it.moved_at.contains(&position)) {
                    housed[kind.index()] += sign * persons;
                }
            });
        }
    }

    /// The postings as they would be: those of placements under the rules that would have been known, and what those rules
    /// would have moved.
    fn postings_of(&self, code: MunicipalityCode, half_year: HalfYear) -> Vec<Posting> {
        let left_out: HashSet<Posting> = self.left_out.postings_of(code, half_year).collect();
        let recorded = self.columns.postings_of(code, half_year).filter(|it| !left_out.contains(it));
        let supposed = self.supposed.get(&(code, half_year)).into_iter().flatten().copied();
        let mut postings: Vec<_> = recorded.chain(supposed).collect();
        for it in &self.recounted {
            let is_of_kind = |posting: &Posting| posting.line.kind() == Some(it.kind);
            let was_moved =
                |posting: &Posting| posting.supposed.is_none() && it.moved_at.contains(&posting.position);
            postings.retain(|posting| !is_of_kind(posting) || !was_moved(posting));
            for posting in postings.iter_mut().filter(|posting| is_of_kind(posting)) {
                // A rule that is recorded or supposed at the same place stands before what is supposed there.
                let known = it.known(LogSize(posting.position.0 + u64::from(posting.supposed.is_some())));
                let counts = it.counts(known, posting.ruled_on);
                posting.line = housed_line(it.kind, counts);
            }
            let mut after = CountingRules::default();
            for (position, rule, supposed) in &it.rules {
                let before = after.clone();
                after.record(rule.clone());
                let is_before = |posting: &&Posting| {
                    posting.position < *position
                        || posting.position == *position && posting.supposed.is_none()
                };
                let known = postings.iter().filter(is_before).copied();
                let moved = recount(known.collect::<Vec<_>>().into_iter(), *position, rule, &before, &after);
                postings.extend(moved.into_iter().map(|it| Posting { supposed: *supposed, ..it }));
            }
        }
        postings.sort_by_key(|it| it.position);
        postings
    }
}
