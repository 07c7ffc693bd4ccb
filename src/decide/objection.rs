//! Decisions about objections: what may be contested, by whom, and how it ends.

use super::not_in_future;
use super::recalled::Recalled;
use super::refusal::Refusal;
use super::state::{Numbered, State, Target};
use crate::domain::area::MunicipalityCode;
use crate::domain::evaluation::Outcome;
use crate::domain::event::{Entry, Event};
use crate::domain::half_year::HalfYear;
use crate::domain::objection::{
    Contested, Contests, Moved, Objection, ObjectionReport, ObjectionSettled, Step,
};
use crate::domain::persons::{Balance, Persons};
use crate::domain::placement::{Housed, Move, Withdrawal};
use crate::domain::source::PlacementId;
use crate::domain::time::{Day, Position};

pub(super) fn record(
    state: &State,
    recalled: &Recalled,
    report: &ObjectionReport,
    today: Day,
) -> Result<Event, Refusal> {
    if let Some(known) = state.objection(report.objection) {
        return Err(Refusal::ObjectionIdInUse(known.position));
    }
    not_in_future("raisedOn", report.raised_on, today)?;
    state.exists("municipality", report.municipality, report.raised_on)?;
    let objector = Objector { state, code: report.municipality, raised_on: report.raised_on };
    let contests = match report.contests {
        Contests::Figure { figure } => Contested::Figure { figure },
        Contests::Placement { placement } => objector.placement(recalled, placement)?,
        Contests::Entry { entry } => {
            objector.entry(recalled.entry(entry).ok_or(Refusal::UnknownEntry(entry))?)?
        }
    };
    if let Some(position) = state.contested_already(report.municipality, Target::of(&contests)) {
        return Err(Refusal::ObjectedAlready(position));
    }
    Ok(Event::ObjectionRecorded(Objection {
        objection: report.objection,
        municipality: report.municipality,
        contests,
        ground: report.ground,
        raised_on: report.raised_on,
        reference: report.reference.clone(),
    }))
}

pub(super) fn settle(state: &State, settled: &ObjectionSettled, today: Day) -> Result<Event, Refusal> {
    not_in_future("settledOn", settled.settled_on, today)?;
    let known = state.objection(settled.objection);
    if known.is_some_and(|it| settled.settled_on < it.raised_on) {
        return Err(Refusal::DatesOutOfOrder {
            field: "settledOn",
            problem: "is before the objection was raised",
        });
    }
    match known.ok_or(Refusal::UnknownObjection)?.settled {
        Some(position) => Err(Refusal::SettledAlready(position)),
        None => Ok(Event::ObjectionSettled(settled.clone())),
    }
}

/// A municipality that objects, on the day on which it does.
struct Objector<'a> {
    state: &'a State,
    code: MunicipalityCode,
    raised_on: Day,
}

impl Objector<'_> {
    /// The last entry about a placement that moved persons for the objector: where it counts now, or where it went.
    fn placement(&self, recalled: &Recalled, placement: PlacementId) -> Result<Contested, Refusal> {
        let (known, later) = self.state.standing_placement(recalled, placement)?;
        let last = later.moves.iter().enumerate().rev();
        let mut last =
            last.filter_map(|(at, (entry, step))| Some((at, *entry, self.of([step.to, step.from])?)));
        let recorded = || Some((0, known.position, self.of([known.housed.municipality])?));
        // Where an amv came and went, what came first stands before the move that took it off again.
        let Some((at, entry, municipality)) = last.next().or_else(recorded) else {
            return Err(self.moves_nothing("placement", known.position));
        };
        let moves = later.moves[at..].iter().map(|(_, step)| *step);
        let recorded = (entry == known.position).then_some(known.housed);
        Ok(Contested::Placement {
            placement,
            entry,
            municipality,
            kind: known.housed.kind,
            counts_from: known.housed.counts_from,
            steps: housed(municipality, known.housed.persons, recorded, moves),
        })
    }

    fn entry(&self, entry: &Entry) -> Result<Contested, Refusal> {
        let position = entry.position;
        let nothing = || self.moves_nothing("entry", position);
        let (municipality, moved) = match &entry.event {
            Event::PlacementRecorded(it) => {
                let moves = self.moves_since(it.id(), position)?;
                let municipality = self.of([it.municipality()]).ok_or_else(nothing)?;
                let steps = housed(municipality, it.housed().persons, Some(it.housed()), moves);
                (municipality, of_placement(it.id(), it.housed(), steps))
            }
            Event::PlacementTransferred(it) => {
                let moves = self.moves_since(it.placement, position)?;
                let municipality = self.of([it.to, it.housed.municipality]).ok_or_else(nothing)?;
                let moves = std::iter::once(it.step()).chain(moves);
                let steps = housed(municipality, it.housed.persons, None, moves);
                (municipality, of_placement(it.placement, it.housed, steps))
            }
            Event::PlacementWithdrawn(it) => {
                let touched = it.moves.iter().rev().flat_map(|step| [step.to, step.from]);
                let municipality = self.of(touched.chain([it.housed.placed_in])).ok_or_else(nothing)?;
                (municipality, of_placement(it.placement, it.housed, taken_back(municipality, it)))
            }
            Event::QuotaAllocated(it) => {
                let municipality = self.of(it.persons.codes()).ok_or_else(nothing)?;
                self.said_last(Numbered::Quota, it.half_year, municipality, position)?;
                let persons = it.persons.of(municipality).copied().map(Balance::from).expect("it is named");
                (
                    municipality,
                    Moved::Quota { half_year: it.half_year, on: it.half_year.first_day(), persons },
                )
            }
            Event::EvaluationRecorded(it) => {
                let Outcome::Revised { persons, .. } = &it.outcome else { return Err(nothing()) };
                let municipality = self.of(persons.codes()).ok_or_else(nothing)?;
                self.said_last(Numbered::Revision, it.half_year, municipality, position)?;
                let persons = persons.of(municipality).copied().map(Balance::from).expect("it is named");
                let on = it.decided_on.max(it.half_year.first_day());
                (municipality, Moved::Revision { half_year: it.half_year, on, persons })
            }
            Event::QuotaExchanged(it) => {
                let municipality = self.of([it.from(), it.to()]).ok_or_else(nothing)?;
                let persons = Balance::from(it.persons());
                let persons = if municipality == it.from() { -persons } else { persons };
                let on = it.decided_on().max(it.half_year().first_day());
                (municipality, Moved::Exchange { half_year: it.half_year(), on, persons })
            }
            Event::CarryOverRecorded(it) => {
                let municipality = self.of(it.persons.codes()).ok_or_else(nothing)?;
                self.said_last(Numbered::CarryOver, it.to_half_year, municipality, position)?;
                let persons = *it.persons.of(municipality).expect("it is named");
                let (half_year, on) = (it.to_half_year, it.to_half_year.first_day());
                (municipality, Moved::CarryOver { half_year, on, persons })
            }
            Event::MunicipalityRegistered(_)
            | Event::BoundaryChanged(_)
            | Event::PopulationCounted(_)
            | Event::QuotaPublished(_)
            | Event::FollowOnHousingRecorded(_)
            | Event::GrantsReported(_)
            | Event::AmvCapacitySet(_)
            | Event::AmvPlacesReported(_)
            | Event::CountingRuleSet(_)
            | Event::PhaseSet(_)
            | Event::ObjectionRecorded(_)
            | Event::ObjectionSettled(_) => return Err(nothing()),
        };
        Ok(Contested::Entry { entry: position, municipality, moved })
    }

    /// The objector, where it is one of these; else the first of them that it took over.
    fn of(&self, codes: impl IntoIterator<Item = MunicipalityCode>) -> Option<MunicipalityCode> {
        let mut taken_over = None;
        for code in codes {
            if code == self.code {
                return Some(code);
            }
            if taken_over.is_none() && self.state.stands_for(self.code, code, self.raised_on) {
                taken_over = Some(code);
            }
        }
        taken_over
    }

    /// The moves of a placement after an entry about it, unless it was withdrawn.
    fn moves_since(
        &self,
        placement: PlacementId,
        entry: Position,
    ) -> Result<impl Iterator<Item = Move> + use<>, Refusal> {
        let later = self.state.later(placement);
        match later.withdrawn {
            Some((position, _)) => Err(Refusal::WithdrawnAlready(position)),
            None => Ok(later.moves.into_iter().filter(move |(at, _)| *at > entry).map(|(_, step)| step)),
        }
    }

    /// Refuses a number in whose place another was said since.
    fn said_last(
        &self,
        what: Numbered,
        half_year: HalfYear,
        code: MunicipalityCode,
        entry: Position,
    ) -> Result<(), Refusal> {
        match self.state.number_said(what, half_year, code) {
            Some(last) if last != entry => Err(Refusal::NumberRestated(last)),
            _ => Ok(()),
        }
    }

    fn moves_nothing(&self, field: &'static str, position: Position) -> Refusal {
        Refusal::EntryMovesNothing { field, position, code: self.code }
    }
}

fn of_placement(placement: PlacementId, housed: Housed, steps: Vec<Step>) -> Moved {
    Moved::Housed { placement, kind: housed.kind, counts_from: housed.counts_from, steps }
}

/// What a placement, where it was recorded by the entry, and its moves bring to a municipality and take off it.
fn housed(
    code: MunicipalityCode,
    persons: Persons,
    recorded: Option<Housed>,
    moves: impl Iterator<Item = Move>,
) -> Vec<Step> {
    let persons = Balance::from(persons);
    let recorded = recorded.filter(|it| it.municipality == code);
    let mut steps: Vec<_> = recorded.map(|it| Step { on: it.counts_from, persons }).into_iter().collect();
    for step in moves {
        if step.from == code {
            steps.push(Step { on: step.reported_on, persons: -persons });
        }
        if step.to == code {
            steps.push(Step { on: step.reported_on, persons });
        }
    }
    steps
}

/// The same for all that a withdrawal takes back.
fn taken_back(code: MunicipalityCode, it: &Withdrawal) -> Vec<Step> {
    let recorded = Housed { municipality: it.housed.placed_in, ..it.housed };
    let mut steps = housed(code, it.housed.persons, Some(recorded), it.moves.iter().copied());
    steps.iter_mut().for_each(|step| step.persons = -step.persons);
    steps
}
