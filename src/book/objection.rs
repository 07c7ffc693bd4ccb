//! Objections: how many persons are contested, for both times.
//!
//! What is contested still counts, so nothing here moves a figure. Of each contested entry it is kept what the entry moves
//! for a municipality, and whatever takes that back later; objections are rare, and where there are none this costs nothing.

use std::collections::HashMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::account::Accounts;
use super::register::TakeOver;
use super::{Book, Unanswerable, known};
use crate::domain::area::{Area, MunicipalityCode};
use crate::domain::evaluation::Outcome;
use crate::domain::event::Event;
use crate::domain::half_year::HalfYear;
use crate::domain::objection::{Contested, Figure, Moved, Objection, Step};
use crate::domain::persons::Balance;
use crate::domain::placement::{Move, PlacementKind};
use crate::domain::rules::{CountingRule, counts_by_default};
use crate::domain::source::{ObjectionId, PlacementId};
use crate::domain::time::{AsOf, Day, Position};

/// How much of a statement is contested (betwist). It counts as long as it is not corrected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContestedSum {
    /// Objections that were raised by the reference date and not settled by then.
    pub objections: i64,
    /// The persons of the entries that they contest, as far as those weigh in the standing: each entry once for each
    /// municipality, however many objections there are to it.
    pub persons: i64,
    /// The differences that they claim in published figures. These persons may be the same ones, so the two are not added.
    pub difference: i64,
}

impl ContestedSum {
    /// The share of one heir.
    pub(super) fn share(self, it: TakeOver<'_>) -> Self {
        Self {
            objections: it.share(self.objections),
            persons: it.share(self.persons),
            difference: it.share(self.difference),
        }
    }
}

impl AddAssign for ContestedSum {
    fn add_assign(&mut self, other: Self) {
        self.objections += other.objections;
        self.persons += other.persons;
        self.difference += other.difference;
    }
}

/// All objections, and what they contest.
#[derive(Clone, Debug, Default)]
pub(super) struct Objections {
    all: Vec<Raised>,
    by_id: HashMap<ObjectionId, usize>,
    of: HashMap<MunicipalityCode, OfMunicipality>,
    entries: HashMap<Position, Vec<usize>>,
    /// For whom an entry about the placement is contested.
    placements: HashMap<PlacementId, Vec<(MunicipalityCode, usize)>>,
    /// The same for the numbers of a half-year.
    numbers: HashMap<(Numbered, HalfYear, MunicipalityCode), Vec<usize>>,
}

/// An objection.
#[derive(Clone, Debug)]
struct Raised {
    position: Position,
    on: Day,
    settled: Option<(Position, Day)>,
}

/// What is contested in the standing of a municipality.
#[derive(Clone, Debug, Default)]
struct OfMunicipality {
    entries: Vec<ContestedEntry>,
    figures: Vec<(usize, Figure)>,
}

/// A contested entry, as far as it weighs in the standing of one municipality.
#[derive(Clone, Debug)]
struct ContestedEntry {
    position: Position,
    /// For housing, the kind and the day whose counting rule decides.
    housed: Option<(PlacementKind, Day)>,
    /// The persons that it moves and that were taken back, each as known from an entry on.
    steps: Vec<(Position, Step)>,
    objections: Vec<usize>,
}

/// A number that is restated by saying it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Numbered {
    Quota,
    Revision,
    CarryOver,
}

impl Raised {
    fn is_open(&self, as_of: AsOf) -> bool {
        let by = |position: Position, day: Day| {
            position.is_known_at(as_of.known_at) && as_of.reference_date.has_obligation_of(day)
        };
        by(self.position, self.on) && !self.settled.is_some_and(|(position, day)| by(position, day))
    }
}

impl ContestedEntry {
    /// How many persons it moves that were not taken back, whatever the direction.
    fn persons(&self, book: &Book<'_>, as_of: AsOf) -> i64 {
        if self.housed.is_some_and(|(kind, day)| !book.counts(kind, day, as_of)) {
            return 0;
        }
        let on = as_of.reference_date;
        let effective = |day: Day| match self.housed {
            Some(_) => on.has_housing_of(day),
            None => on.has_obligation_of(day),
        };
        let known = self.steps.iter().filter(|(position, _)| position.is_known_at(as_of.known_at));
        known.filter(|(_, step)| effective(step.on)).map(|(_, step)| step.persons.count()).sum::<i64>().abs()
    }

    /// Takes back all that it moved, each on its day, or from a later day on.
    fn take_back(&mut self, position: Position, from: Option<Day>) {
        let back = |(_, step): &(Position, Step)| {
            let on = from.map_or(step.on, |from| step.on.max(from));
            (position, Step { on, persons: -step.persons })
        };
        let back: Vec<_> = self.steps.iter().map(back).collect();
        self.steps.extend(back);
    }
}

impl Objections {
    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The same without what some entries say: nobody contests what would not be there.
    pub(super) fn without(&self, is_left_out: impl Fn(Position) -> bool) -> Self {
        let mut altered = self.clone();
        for it in altered.of.values_mut() {
            it.entries.retain(|it| !is_left_out(it.position));
            it.entries.iter_mut().for_each(|it| it.steps.retain(|(position, _)| !is_left_out(*position)));
        }
        altered.entries.retain(|position, _| !is_left_out(*position));
        // Their places are looked up only where something more is recorded.
        altered.placements.clear();
        altered.numbers.clear();
        altered
    }

    /// Where objections and their settlements stand.
    pub(super) fn positions(&self) -> impl Iterator<Item = Position> {
        self.all.iter().flat_map(|it| [Some(it.position), it.settled.map(|(position, _)| position)]).flatten()
    }

    /// Takes up what an entry does to objections and to what they contest.
    pub(super) fn apply(&mut self, position: Position, event: &Event) {
        match event {
            Event::ObjectionRecorded(it) => self.raise(position, it),
            // Where nothing is contested nothing has to be looked up.
            _ if self.is_empty() => {}
            Event::ObjectionSettled(it) => {
                if let Some(&number) = self.by_id.get(&it.objection) {
                    self.all[number].settled = Some((position, it.settled_on));
                }
            }
            Event::PlacementTransferred(it) => {
                self.moved(position, it.placement, it.step(), it.housed.persons.into());
            }
            Event::PlacementWithdrawn(it) => {
                for &(code, at) in self.placements.get(&it.placement).into_iter().flatten() {
                    entry(&mut self.of, code, at).take_back(position, None);
                }
            }
            Event::QuotaAllocated(it) => {
                for code in it.persons.codes() {
                    self.restated((Numbered::Quota, it.half_year, code), position, None);
                }
            }
            Event::CarryOverRecorded(it) => {
                for code in it.persons.codes() {
                    self.restated((Numbered::CarryOver, it.to_half_year, code), position, None);
                }
            }
            Event::EvaluationRecorded(it) => {
                let Outcome::Revised { persons, .. } = &it.outcome else { return };
                for code in persons.codes() {
                    // Up to its day the earlier decision holds.
                    let from = Some(it.decided_on);
                    self.restated((Numbered::Revision, it.half_year, code), position, from);
                }
            }
            Event::MunicipalityRegistered(_)
            | Event::BoundaryChanged(_)
            | Event::PopulationCounted(_)
            | Event::QuotaPublished(_)
            | Event::QuotaExchanged(_)
            | Event::PlacementRecorded(_)
            | Event::FollowOnHousingRecorded(_)
            | Event::GrantsReported(_)
            | Event::AmvCapacitySet(_)
            | Event::AmvPlacesReported(_)
            | Event::CountingRuleSet(_)
            | Event::PhaseSet(_) => {}
        }
    }

    fn raise(&mut self, position: Position, it: &Objection) {
        let number = self.all.len();
        self.all.push(Raised { position, on: it.raised_on, settled: None });
        self.by_id.insert(it.objection, number);
        let (at, code, moved) = match &it.contests {
            Contested::Figure { figure } => {
                return self.of.entry(it.municipality).or_default().figures.push((number, *figure));
            }
            Contested::Entry { entry, municipality, moved } => (*entry, *municipality, moved.clone()),
            Contested::Placement { placement, entry, municipality, kind, counts_from, steps } => {
                let (placement, kind, counts_from) = (*placement, *kind, *counts_from);
                (*entry, *municipality, Moved::Housed { placement, kind, counts_from, steps: steps.clone() })
            }
        };
        self.entries.entry(at).or_default().push(number);
        let of = self.of.entry(code).or_default();
        if let Some(known) = of.entries.iter_mut().find(|it| it.position == at) {
            return known.objections.push(number);
        }
        let place = of.entries.len();
        let mut one = |housed, steps: Vec<Step>| {
            // What it moved before the objection is known wherever the objection is.
            let steps = steps.into_iter().map(|step| (at, step)).collect();
            of.entries.push(ContestedEntry { position: at, housed, steps, objections: vec![number] });
        };
        let (what, half_year) = match moved {
            Moved::Housed { placement, kind, counts_from, steps } => {
                one(Some((kind, counts_from)), steps);
                return self.placements.entry(placement).or_default().push((code, place));
            }
            Moved::Exchange { on, persons, .. } => return one(None, vec![Step { on, persons }]),
            Moved::Quota { half_year, on, persons } => {
                one(None, vec![Step { on, persons }]);
                (Numbered::Quota, half_year)
            }
            Moved::Revision { half_year, on, persons } => {
                one(None, vec![Step { on, persons }]);
                (Numbered::Revision, half_year)
            }
            Moved::CarryOver { half_year, on, persons } => {
                one(None, vec![Step { on, persons }]);
                (Numbered::CarryOver, half_year)
            }
        };
        self.numbers.entry((what, half_year, code)).or_default().push(place);
    }

    /// Follows a contested placement to another municipality.
    fn moved(&mut self, position: Position, placement: PlacementId, step: Move, persons: Balance) {
        for &(code, at) in self.placements.get(&placement).into_iter().flatten() {
            let contested = entry(&mut self.of, code, at);
            for (municipality, persons) in [(step.from, -persons), (step.to, persons)] {
                if municipality == code {
                    contested.steps.push((position, Step { on: step.reported_on, persons }));
                }
            }
        }
    }

    /// Notes that another number took the place of a contested one.
    fn restated(
        &mut self,
        number: (Numbered, HalfYear, MunicipalityCode),
        position: Position,
        from: Option<Day>,
    ) {
        for &at in self.numbers.get(&number).into_iter().flatten() {
            entry(&mut self.of, number.2, at).take_back(position, from);
        }
    }

    /// What is contested in the standing of one municipality, without those that it took over.
    pub(super) fn sum(&self, code: MunicipalityCode, book: &Book<'_>, as_of: AsOf) -> ContestedSum {
        let mut sum = ContestedSum::default();
        let Some(of) = self.of.get(&code) else { return sum };
        for it in &of.entries {
            let open = it.objections.iter().filter(|&&number| self.all[number].is_open(as_of)).count();
            if open > 0 {
                sum.objections += open as i64;
                sum.persons += it.persons(book, as_of);
            }
        }
        for (_, figure) in of.figures.iter().filter(|(number, _)| self.all[*number].is_open(as_of)) {
            sum.objections += 1;
            if as_of.reference_date.has_obligation_of(figure.half_year().first_day()) {
                sum.difference += figure.difference();
            }
        }
        sum
    }
}

/// A contested entry by its place.
fn entry(
    of: &mut HashMap<MunicipalityCode, OfMunicipality>,
    code: MunicipalityCode,
    at: usize,
) -> &mut ContestedEntry {
    &mut of.get_mut(&code).expect("it has a contested entry").entries[at]
}

impl Book<'_> {
    /// How much is contested in the standing of an area: the sum of its municipalities.
    ///
    /// # Errors
    /// As for [`Book::statement`].
    pub fn contested(&self, area: Area, as_of: AsOf) -> Result<ContestedSum, Unanswerable> {
        let mut accounts = Accounts::new(self, as_of);
        let mut sum = ContestedSum::default();
        for municipality in self.members(area, as_of)? {
            sum += accounts.contested(municipality.code);
        }
        Ok(sum)
    }

    /// Whether the entry at a position is contested: an objection to it was raised by the reference date, and not settled
    /// by then, as known.
    pub fn is_contested(&self, position: Position, as_of: AsOf) -> bool {
        let objections = self.objections.entries.get(&position).into_iter().flatten();
        objections.into_iter().any(|&number| self.objections.all[number].is_open(as_of))
    }

    /// Whether a placement counts of this kind and from this day, under the rules as known.
    fn counts(&self, kind: PlacementKind, counts_from: Day, as_of: AsOf) -> bool {
        let last =
            known(&self.rules_set, as_of.known_at).find(|it| it.kind() == kind && it.covers(counts_from));
        last.map_or_else(|| counts_by_default(kind), CountingRule::counts)
    }
}
