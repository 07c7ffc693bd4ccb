//! What the ledger says of placements: the net of all entries about each.

use std::collections::HashMap;

use super::{LedgerSide, ListRow, Scope};
use crate::book::posting::{Fixed, Line, postings};
use crate::domain::area::MunicipalityCode;
use crate::domain::event::{Entry, Event};
use crate::domain::placement::PlacementKind;
use crate::domain::rules::CountingRules;
use crate::domain::source::PlacementId;
use crate::domain::time::{Day, Position};

/// The placements that a reconciliation needs to know of.
#[derive(Debug)]
pub struct Placements<'a> {
    scope: &'a Scope,
    followed: HashMap<PlacementId, Followed>,
    elsewhere: HashMap<PlacementId, Elsewhere>,
}

/// A placement that stands for the municipality within the half-year.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) side: LedgerSide,
    /// The day whose counting rule decides.
    pub(super) ruled_on: Day,
}

/// Where a placement is that does not stand for the municipality within the half-year.
#[derive(Clone, Copy, Debug)]
pub(super) enum Elsewhere {
    Withdrawn(LedgerSide),
    OtherHalfYear(LedgerSide),
    OtherMunicipality(LedgerSide),
}

/// All that entries said of one placement.
#[derive(Debug)]
struct Followed {
    kind: PlacementKind,
    counts_from: Day,
    steps: Vec<Step>,
    withdrawn: Option<Position>,
}

/// Persons on or off a municipality on a day.
#[derive(Clone, Copy, Debug)]
struct Step {
    position: Position,
    municipality: MunicipalityCode,
    day: Day,
    persons: i64,
}

impl<'a> Placements<'a> {
    /// None yet.
    pub fn new(scope: &'a Scope) -> Self {
        Self { scope, followed: HashMap::new(), elsewhere: HashMap::new() }
    }

    /// Takes up one of the entries that [`Book::housing_within`](crate::book::Book::housing_within) names, in the
    /// order of the log.
    pub fn take(&mut self, entry: &Entry) {
        if let Some((id, said)) = Followed::of(entry) {
            match self.followed.get_mut(&id) {
                Some(before) => before.go_on(said),
                None => drop(self.followed.insert(id, said)),
            }
        }
    }

    /// The placements that rows name and that do not stand within the scope: their whole history is needed to say why.
    pub fn to_look_up(&self, rows: &[ListRow]) -> Vec<PlacementId> {
        let mut ids: Vec<_> = rows.iter().filter_map(|row| row.placement).collect();
        ids.retain(|id| self.standing(*id).is_none());
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Takes up everything that is known of a placement that was to be looked up, in the order of the log.
    pub fn look_up<'e>(&mut self, id: PlacementId, entries: impl IntoIterator<Item = &'e Entry>) {
        let said = entries.into_iter().filter_map(Followed::of).map(|(_, said)| said);
        let whole = said.reduce(|mut before, said| {
            before.go_on(said);
            before
        });
        if let Some(elsewhere) = whole.and_then(|it| it.elsewhere(id, self.scope)) {
            self.elsewhere.insert(id, elsewhere);
        }
    }

    /// Every placement that stands within the scope.
    pub(super) fn within_scope(&self) -> Vec<Standing> {
        self.followed.iter().filter_map(|(&id, it)| it.within(id, self.scope)).collect()
    }

    /// How a placement stands within the scope.
    pub(super) fn standing(&self, id: PlacementId) -> Option<Standing> {
        self.followed.get(&id)?.within(id, self.scope)
    }

    /// Where a placement is that was looked up.
    pub(super) fn elsewhere(&self, id: PlacementId) -> Option<&Elsewhere> {
        self.elsewhere.get(&id)
    }
}

impl Followed {
    /// What one entry says of a placement, if it houses, moves or takes back.
    fn of(entry: &Entry) -> Option<(PlacementId, Self)> {
        let (id, housed, withdrawn) = match &entry.event {
            Event::PlacementRecorded(it) => (it.id(), it.housed(), None),
            Event::PlacementTransferred(it) => (it.placement, it.housed, None),
            Event::PlacementWithdrawn(it) => (it.placement, it.housed, Some(entry.position)),
            // Final housing is no second count, what is contested counts until it is corrected, and the others are about no
            // placement.
            Event::FollowOnHousingRecorded(_)
            | Event::MunicipalityRegistered(_)
            | Event::BoundaryChanged(_)
            | Event::PopulationCounted(_)
            | Event::QuotaPublished(_)
            | Event::QuotaAllocated(_)
            | Event::QuotaExchanged(_)
            | Event::EvaluationRecorded(_)
            | Event::CarryOverRecorded(_)
            | Event::GrantsReported(_)
            | Event::AmvCapacitySet(_)
            | Event::AmvPlacesReported(_)
            | Event::CountingRuleSet(_)
            | Event::PhaseSet(_)
            | Event::ObjectionRecorded(_)
            | Event::ObjectionSettled(_) => return None,
        };
        let mut steps = Vec::new();
        // Whether it counts is asked later, under the rules as they are known then.
        postings(entry.position, &entry.event, &CountingRules::default(), &Fixed::default(), &mut |it| {
            match it.line {
                Line::Housed(_) | Line::NotCounted(_) => steps.push(Step {
                    position: it.position,
                    municipality: it.municipality,
                    day: it.valid_on,
                    persons: i64::from(it.persons),
                }),
                Line::Quota | Line::Revision | Line::Exchange | Line::CarryOver | Line::InCare => {}
            }
        });
        Some((id, Self { kind: housed.kind, counts_from: housed.counts_from, steps, withdrawn }))
    }

    fn go_on(&mut self, said: Self) {
        self.steps.extend(said.steps);
        self.withdrawn = self.withdrawn.or(said.withdrawn);
    }

    /// How the placement stands within the scope, unless nothing is left of it there.
    fn within(&self, id: PlacementId, scope: &Scope) -> Option<Standing> {
        let side = self.net(id, |step| scope.answers_for(step.municipality) && scope.holds(step.day))?;
        Some(Standing { side, ruled_on: self.counts_from })
    }

    /// The net of some steps, dated by the last day that is on its side.
    fn net(&self, id: PlacementId, of: impl Fn(&Step) -> bool) -> Option<LedgerSide> {
        let steps = || self.steps.iter().filter(|step| of(step));
        let persons: i64 = steps().map(|step| step.persons).sum();
        let on_its_side = steps().filter(|step| step.persons.signum() == persons.signum());
        // What was taken back again on the same day and for the same municipality says nothing about the day.
        let stands = on_its_side.filter(|step| {
            let same = steps().filter(|it| (it.day, it.municipality) == (step.day, step.municipality));
            same.map(|it| it.persons).sum::<i64>().signum() == persons.signum()
        });
        let last = stands.max_by_key(|step| (step.day, step.position)).filter(|_| persons != 0)?;
        Some(self.side(id, last, persons))
    }

    fn side(&self, placement: PlacementId, step: &Step, persons: i64) -> LedgerSide {
        LedgerSide {
            position: step.position,
            placement,
            municipality: step.municipality,
            date: step.day,
            kind: self.kind,
            persons,
        }
    }

    /// Why a placement does not stand within the scope, from its whole history.
    fn elsewhere(&self, id: PlacementId, scope: &Scope) -> Option<Elsewhere> {
        if let Some(position) = self.withdrawn {
            let first = self.steps.first()?;
            return Some(Elsewhere::Withdrawn(LedgerSide {
                position,
                ..self.side(id, first, first.persons)
            }));
        }
        let own = |step: &Step| scope.answers_for(step.municipality);
        let mut half_years: Vec<_> =
            self.steps.iter().filter(|it| own(it)).map(|it| it.day.half_year()).collect();
        half_years.sort_unstable();
        let stays = self.net(id, own).is_some_and(|it| it.persons > 0);
        let last = half_years.into_iter().rev().filter(|_| stays);
        let sides =
            last.filter_map(|half_year| self.net(id, |it| own(it) && it.day.half_year() == half_year));
        if let Some(side) = sides.filter(|side| side.persons > 0).max_by_key(|side| side.date) {
            return Some(Elsewhere::OtherHalfYear(side));
        }
        let arrivals = self.steps.iter().filter(|it| it.persons > 0);
        let last = arrivals.max_by_key(|step| (step.position, step.day))?;
        Some(Elsewhere::OtherMunicipality(self.side(id, last, last.persons)))
    }
}
