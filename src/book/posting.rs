//! Postings: what an entry moves, as signed numbers of persons.

use std::collections::HashMap;

use crate::domain::area::MunicipalityCode;
use crate::domain::evaluation::Outcome;
use crate::domain::event::Event;
use crate::domain::half_year::HalfYear;
use crate::domain::persons::PERSONS_MAX;
use crate::domain::placement::{Housed, Move, PlacementKind};
use crate::domain::rules::{CountingRule, CountingRules};
use crate::domain::time::{AsOf, Day, Position};

/// What an entry moves: signed persons on a line of a municipality and half-year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Posting {
    /// When the ledger learned it.
    pub position: Position,
    /// When it happened in the world.
    pub valid_on: Day,
    /// The day whose counting rule decides: that of the placement. For other lines as `valid_on`.
    pub ruled_on: Day,
    /// For which municipality.
    pub municipality: MunicipalityCode,
    /// In which half-year.
    pub half_year: HalfYear,
    /// On which line.
    pub line: Line,
    /// How many persons, signed.
    pub persons: i32,
    /// Which of the events that a scenario supposes it is of; nothing where it is recorded.
    pub supposed: Option<u32>,
}

/// The line of a statement that a posting moves.
///
/// There is no line for boundary changes: what an old municipality stood for follows its entries
/// into the new one when a statement is made, so that late entries follow as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// The municipal number of the half-year.
    Quota,
    /// What an evaluation changed.
    Revision,
    /// What municipalities exchanged.
    Exchange,
    /// The standing that the authority fixed.
    CarryOver,
    /// Housed, and counts toward the quota.
    Housed(PlacementKind),
    /// Housed, and does not count under the rule of its day.
    NotCounted(PlacementKind),
    /// In small-scale care: not part of what is due or realised, but of the places in use.
    InCare,
}

impl Line {
    /// The kind of placement, where persons were housed.
    pub fn kind(self) -> Option<PlacementKind> {
        match self {
            Self::Housed(kind) | Self::NotCounted(kind) => Some(kind),
            Self::Quota | Self::Revision | Self::Exchange | Self::CarryOver | Self::InCare => None,
        }
    }

    /// Whether it says what is due: that holds on its day already, where housing counts from the day after.
    pub fn is_obligation(self) -> bool {
        match self {
            Self::Quota | Self::Revision | Self::Exchange | Self::CarryOver => true,
            Self::Housed(_) | Self::NotCounted(_) | Self::InCare => false,
        }
    }
}

impl Posting {
    /// Whether it is known, and its day has come.
    pub fn is_in_force(&self, as_of: AsOf) -> bool {
        let on = as_of.reference_date;
        let has_come = match self.line.is_obligation() {
            true => on.has_obligation_of(self.valid_on),
            false => on.has_housing_of(self.valid_on),
        };
        has_come && self.position.is_known_at(as_of.known_at)
    }
}

/// What authorities have fixed so far, so that a restatement moves just the difference.
#[derive(Debug, Default)]
pub struct Fixed {
    quotas: HashMap<(HalfYear, MunicipalityCode), i64>,
    /// By how much the number changed, and on which day: a decision may be reported after a later one.
    revisions: HashMap<(HalfYear, MunicipalityCode), Vec<(Day, i64)>>,
    carry_overs: HashMap<(HalfYear, MunicipalityCode), i64>,
}

impl Fixed {
    /// Takes up what an event fixes.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::QuotaAllocated(it) => {
                let numbers = it.persons.iter().map(|(code, number)| ((it.half_year, code), number.count()));
                self.quotas.extend(numbers);
            }
            Event::CarryOverRecorded(it) => {
                let numbers =
                    it.persons.iter().map(|(code, number)| ((it.to_half_year, code), number.count()));
                self.carry_overs.extend(numbers);
            }
            Event::EvaluationRecorded(it) => {
                if let Outcome::Revised { persons, .. } = &it.outcome {
                    let valid_on = it.decided_on.max(it.half_year.first_day());
                    for (code, number) in persons.iter() {
                        let key = (it.half_year, code);
                        let moved = self.revised(key, valid_on, number.count());
                        let steps = self.revisions.entry(key).or_default();
                        steps.retain(|(day, _)| *day <= valid_on);
                        steps.push((valid_on, moved));
                    }
                }
            }
            _ => {}
        }
    }

    /// What a revision to this number moves on its day.
    fn revised(&self, key: (HalfYear, MunicipalityCode), valid_on: Day, number: i64) -> i64 {
        let steps = self.revisions.get(&key).into_iter().flatten();
        let before: i64 = steps.filter(|(day, _)| *day <= valid_on).map(|(_, moved)| moved).sum();
        number - self.quotas.get(&key).copied().unwrap_or(0) - before
    }
}

/// The postings of an entry. The `match` has no `_` arm, so that a new event makes the compiler ask
/// what it moves.
pub fn postings(
    position: Position,
    event: &Event,
    rules: &CountingRules,
    fixed: &Fixed,
    to: &mut impl FnMut(Posting),
) {
    let mut fix = |half_year: HalfYear, municipality, line, valid_on: Day, persons: i64| {
        let persons = i32::try_from(persons).expect("a fact names at most ten million persons");
        to(Posting {
            position,
            valid_on,
            ruled_on: valid_on,
            municipality,
            half_year,
            line,
            persons,
            supposed: None,
        });
    };
    match event {
        Event::QuotaAllocated(it) => {
            for (code, number) in it.persons.iter() {
                let before = fixed.quotas.get(&(it.half_year, code)).copied().unwrap_or(0);
                let first_day = it.half_year.first_day();
                fix(it.half_year, code, Line::Quota, first_day, number.count() - before);
            }
        }
        Event::CarryOverRecorded(it) => {
            for (code, number) in it.persons.iter() {
                let before = fixed.carry_overs.get(&(it.to_half_year, code)).copied().unwrap_or(0);
                // Also when nothing changes: the posting says that the standing is fixed.
                let first_day = it.to_half_year.first_day();
                fix(it.to_half_year, code, Line::CarryOver, first_day, number.count() - before);
            }
        }
        Event::EvaluationRecorded(it) => {
            if let Outcome::Revised { persons, .. } = &it.outcome {
                let valid_on = it.decided_on.max(it.half_year.first_day());
                for (code, number) in persons.iter() {
                    let key = (it.half_year, code);
                    let moved = fixed.revised(key, valid_on, number.count());
                    fix(it.half_year, code, Line::Revision, valid_on, moved);
                    // What is recorded last holds from its day on, also where a later decision was
                    // recorded before.
                    for &(day, moved) in fixed.revisions.get(&key).into_iter().flatten() {
                        if day > valid_on {
                            fix(it.half_year, code, Line::Revision, day, -moved);
                        }
                    }
                }
            }
        }
        Event::QuotaExchanged(it) => {
            let valid_on = it.decided_on().max(it.half_year().first_day());
            let persons = it.persons().count();
            fix(it.half_year(), it.from(), Line::Exchange, valid_on, -persons);
            fix(it.half_year(), it.to(), Line::Exchange, valid_on, persons);
        }
        Event::PlacementRecorded(it) => place(position, it.housed(), rules, to),
        Event::PlacementTransferred(it) => {
            let mut mover = Mover { position, rules, housed: it.housed, sign: 1, to };
            mover.transfer(it.step());
            mover.leave_care(it.reported_on);
        }
        Event::FollowOnHousingRecorded(it) => {
            Mover { position, rules, housed: it.housed, sign: 1, to }.leave_care(it.housed_on);
        }
        Event::PlacementWithdrawn(it) => {
            let mut mover = Mover { position, rules, housed: it.housed, sign: -1, to };
            mover.place();
            it.moves.iter().for_each(|step| mover.transfer(*step));
            if let Some(day) = it.left_care_on {
                mover.leave_care(day);
            }
        }
        // The rule itself moves what was recorded before: see `recount`.
        Event::CountingRuleSet(_) => {}
        Event::MunicipalityRegistered(_)
        | Event::BoundaryChanged(_)
        | Event::PopulationCounted(_)
        | Event::QuotaPublished(_)
        | Event::GrantsReported(_)
        // What was due stays due, and who is housed counts by the counting rules, whatever the phase.
        | Event::PhaseSet(_)
        | Event::AmvCapacitySet(_)
        | Event::AmvPlacesReported(_)
        // What is contested counts until it is corrected.
        | Event::ObjectionRecorded(_)
        | Event::ObjectionSettled(_) => {}
    }
}

/// The postings of an entry that records a placement.
pub fn place(position: Position, housed: Housed, rules: &CountingRules, to: &mut impl FnMut(Posting)) {
    Mover { position, rules, housed, sign: 1, to }.place();
}

/// Posts what happens to the persons of one placement, forward or (with a negative sign) back.
struct Mover<'a, F: FnMut(Posting)> {
    position: Position,
    rules: &'a CountingRules,
    housed: Housed,
    sign: i32,
    to: &'a mut F,
}

impl<F: FnMut(Posting)> Mover<'_, F> {
    /// Housed in the municipality, and where it is small-scale care, in care until its end.
    fn place(&mut self) {
        self.housed_in(self.housed.placed_in, self.housed.counts_from, 1);
        if self.housed.kind == PlacementKind::AmvSmallScaleCare {
            self.in_care(self.housed.counts_from, 1);
            if let Some(until) = self.housed.in_care_until {
                self.in_care(until, -1);
            }
        }
    }

    /// Off the old municipality and on the new one, both on the day of the report.
    fn transfer(&mut self, step: Move) {
        self.housed_in(step.from, step.reported_on, -1);
        self.housed_in(step.to, step.reported_on, 1);
    }

    /// Out of care on this day, where that is before the end that was known.
    fn leave_care(&mut self, day: Day) {
        let earlier = self.housed.in_care_until.is_none_or(|until| day < until);
        if self.housed.kind == PlacementKind::AmvSmallScaleCare && earlier {
            self.in_care(day, -1);
            if let Some(until) = self.housed.in_care_until {
                self.in_care(until, 1);
            }
        }
    }

    fn housed_in(&mut self, municipality: MunicipalityCode, valid_on: Day, sign: i32) {
        let line = housed_line(self.housed.kind, self.rules.count(self.housed.kind, self.housed.counts_from));
        self.post(municipality, valid_on, self.housed.counts_from, line, sign);
    }

    fn in_care(&mut self, valid_on: Day, sign: i32) {
        self.post(self.housed.placed_in, valid_on, valid_on, Line::InCare, sign);
    }

    fn post(&mut self, municipality: MunicipalityCode, valid_on: Day, ruled_on: Day, line: Line, sign: i32) {
        let persons = u32::from(self.housed.persons) as i32 * sign * self.sign;
        (self.to)(Posting {
            position: self.position,
            valid_on,
            ruled_on,
            municipality,
            half_year: valid_on.half_year(),
            line,
            persons,
            supposed: None,
        });
    }
}

pub(super) fn housed_line(kind: PlacementKind, counts: bool) -> Line {
    if counts { Line::Housed(kind) } else { Line::NotCounted(kind) }
}

/// What a counting rule moves that is recorded after the placements it speaks about: from not
/// counted to counted or back, for the same municipality and the same days.
pub fn recount(
    postings: impl Iterator<Item = Posting>,
    position: Position,
    rule: &CountingRule,
    before: &CountingRules,
    after: &CountingRules,
) -> Vec<Posting> {
    let kind = rule.kind();
    let mut moved: HashMap<(MunicipalityCode, Day, Day), i64> = HashMap::new();
    for posting in postings {
        let counted = before.count(kind, posting.ruled_on);
        let changes = rule.covers(posting.ruled_on) && counted != after.count(kind, posting.ruled_on);
        if changes && posting.line == housed_line(kind, counted) {
            let key = (posting.municipality, posting.valid_on, posting.ruled_on);
            *moved.entry(key).or_default() += i64::from(posting.persons);
        }
    }
    let mut moved: Vec<_> = moved.into_iter().filter(|(_, persons)| *persons != 0).collect();
    moved.sort();
    let both = moved.into_iter().flat_map(|((municipality, valid_on, ruled_on), persons)| {
        let counted = before.count(kind, ruled_on);
        // The totals of one day can be more than one posting holds.
        let most = i64::from(PERSONS_MAX);
        let parts = (0..(persons.abs() + most - 1) / most).map(move |part| {
            let part = (persons.abs() - part * most).min(most) * persons.signum();
            i32::try_from(part).expect("at most the persons of one fact")
        });
        parts.flat_map(move |persons| {
            [(counted, -persons), (!counted, persons)].map(|(counts, persons)| Posting {
                position,
                valid_on,
                ruled_on,
                municipality,
                half_year: valid_on.half_year(),
                line: housed_line(kind, counts),
                persons,
                supposed: None,
            })
        })
    });
    both.collect()
}
