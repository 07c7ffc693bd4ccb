//! Scenarios: the same history as if some entries had not been recorded, and others had.
//!
//! The answer under a scenario is the one that a ledger would give whose log lacked the first and held the second. It is not made
//! by writing such a log: what differs lies as a layer over what was recorded, so that many scenarios can be asked side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Sub;

use serde::{Deserialize, Serialize};

use super::Book;
use super::layers::{Layers, Recounted};
use super::posting::{Fixed, Line, Posting, postings};
use super::register::Registered;
use super::statement::{ByKind, NamedArea, Statement};
use crate::domain::area::{Area, MunicipalityCode};
use crate::domain::event::{Event, EventName};
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::rules::CountingRules;
use crate::domain::time::Position;

/// What a scenario changes in the log.
///
/// Later entries about a placement hold a copy of what it stood for, so whoever leaves out an entry about one also leaves out the
/// later ones, and supposes them anew as they would have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The entries as if they had not been recorded.
    pub left_out: Vec<(Position, Event)>,
    /// Those of them that are about a placement and come back as they would have been, in the order of the log.
    pub remade: Vec<(Position, Event)>,
    /// Events as if they had been recorded, each right after the entry at a position: first counting rules, then the others.
    pub supposed: Vec<(Position, Event)>,
}

/// The lines of a statement that a scenario can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lines {
    /// The national number in force, where a quota is known.
    #[serde(deserialize_with = "Option::deserialize")]
    pub national: Option<i64>,
    /// The standing carried in.
    pub carried_over: i64,
    /// What follows from the entries, whatever an authority fixed.
    pub carried_over_derived: i64,
    /// The sum of the municipal numbers.
    pub quota: i64,
    /// What an evaluation changed.
    pub revision: i64,
    /// What was exchanged.
    pub exchange: i64,
    /// What came over from municipalities that ceased within the half-year.
    pub boundary: i64,
    /// What is due.
    pub due: i64,
    /// What was realised.
    pub realised: i64,
    /// The same by kind.
    pub realised_by_kind: ByKind,
    /// What remains; below zero it is a surplus.
    pub remaining: i64,
    /// The backlog under the reading.
    pub backlog: i64,
    /// The surplus.
    pub surplus: i64,
}

/// An area as it was recorded and under a scenario. Where a boundary change is left out or supposed, it may exist in one of
/// the two only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Compared {
    /// The area.
    #[serde(deserialize_with = "crate::domain::object")]
    pub area: NamedArea,
    /// As recorded.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub base: Option<Lines>,
    /// Under the scenario.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub scenario: Option<Lines>,
    /// The second minus the first, where there are both.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub difference: Option<Lines>,
}

impl From<&Statement> for Lines {
    fn from(it: &Statement) -> Self {
        Self {
            national: it.national.as_ref().map(|it| it.in_force.count()),
            carried_over: it.carried_over.used,
            carried_over_derived: it.carried_over.derived,
            quota: it.quota,
            revision: it.revision,
            exchange: it.exchange,
            boundary: it.boundary,
            due: it.due,
            realised: it.realised,
            realised_by_kind: it.realised_by_kind,
            remaining: it.remaining,
            backlog: it.backlog,
            surplus: it.surplus,
        }
    }
}

impl Sub for Lines {
    type Output = Self;

    fn sub(self, base: Self) -> Self {
        let kinds = PlacementKind::ALL.iter().filter_map(|&kind| {
            let (of, base) = (self.realised_by_kind.get(kind), base.realised_by_kind.get(kind));
            (of.is_some() || base.is_some()).then(|| (kind, of.unwrap_or(0) - base.unwrap_or(0)))
        });
        Self {
            national: self.national.zip(base.national).map(|(of, base)| of - base),
            carried_over: self.carried_over - base.carried_over,
            carried_over_derived: self.carried_over_derived - base.carried_over_derived,
            quota: self.quota - base.quota,
            revision: self.revision - base.revision,
            exchange: self.exchange - base.exchange,
            boundary: self.boundary - base.boundary,
            due: self.due - base.due,
            realised: self.realised - base.realised,
            realised_by_kind: kinds.collect(),
            remaining: self.remaining - base.remaining,
            backlog: self.backlog - base.backlog,
            surplus: self.surplus - base.surplus,
        }
    }
}

/// Lays the statements under a scenario beside those that were recorded, each list in the order of its areas.
pub fn compare(base: &[Statement], scenario: &[Statement]) -> Vec<Compared> {
    let mut areas: BTreeMap<Area, (NamedArea, [Option<Lines>; 2])> = BTreeMap::new();
    for (side, statements) in [base, scenario].into_iter().enumerate() {
        for it in statements {
            let (_, lines) = areas.entry(it.area.code).or_insert_with(|| (it.area.clone(), [None; 2]));
            lines[side] = Some(it.into());
        }
    }
    let compared = areas.into_values().map(|(area, [base, scenario])| Compared {
        area,
        base,
        scenario,
        difference: scenario.zip(base).map(|(scenario, base)| scenario - base),
    });
    compared.collect()
}

impl Book<'_> {
    /// Where a fact of one kind about a half-year is recorded; nothing for kinds that are not about one.
    pub fn stated_at(&self, name: EventName, half_year: HalfYear) -> Option<BTreeSet<Position>> {
        fn of<T>(facts: &[(Position, T)], is: impl Fn(&T) -> bool) -> BTreeSet<Position> {
            facts.iter().filter(|(_, it)| is(it)).map(|(position, _)| *position).collect()
        }
        let on = |line: Line| self.columns.obligations_in(half_year).filter(move |it| it.line == line);
        Some(match name {
            EventName::QuotaPublished => of(&self.quotas, |it| it.half_year == half_year),
            EventName::QuotaAllocated => of(&self.allocations, |it| it.half_year == half_year),
            EventName::EvaluationRecorded => of(&self.evaluations, |it| it.half_year == half_year),
            EventName::CarryOverRecorded => on(Line::CarryOver).map(|it| it.position).collect(),
            EventName::QuotaExchanged => on(Line::Exchange).map(|it| it.position).collect(),
            _ => return None,
        })
    }

    /// Where rules about a kind of placement are recorded.
    pub fn ruled_at(&self, kind: PlacementKind) -> BTreeSet<Position> {
        let rules = self.rules_set.iter().filter(|(_, rule)| rule.kind() == kind);
        rules.map(|(position, _)| *position).collect()
    }

    /// Where a municipality was registered.
    pub fn registered_at(&self, code: MunicipalityCode) -> Option<Position> {
        self.register.registered_at(code)
    }

    /// A municipality that is taken over twice under this book, or takes over another when it has ceased itself. What is
    /// recorded never says so, but a scenario can.
    pub fn taken_over_wrongly(&self) -> Option<MunicipalityCode> {
        self.register.taken_over_wrongly()
    }

    /// Which of the supposed events right after the entry at a position is such a one; nothing where none is.
    pub(super) fn which_supposed(&self, position: Position, is: impl Fn(&Event) -> bool) -> Option<u32> {
        which(&self.supposed, position, is)
    }

    /// One of the supposed events.
    pub fn supposed_event(&self, which: u32) -> Option<&Event> {
        self.supposed.get(which as usize).map(|(_, event)| event)
    }

    /// The book under a scenario. It is asked as this one is, and holds for the log as it is now.
    pub fn under(&self, changes: &Changes) -> Book<'_> {
        let altering = Altering::new(changes);
        let rules_set = altering.facts(&self.rules_set, |event| match event {
            Event::CountingRuleSet(it) => Some(it.clone()),
            _ => None,
        });
        let mut book = Book {
            rules: CountingRules::default(),
            fixed: Fixed::default(),
            register: self.register.altered(|it| altering.is_left_out(it), altering.registered()),
            quotas: altering.facts(&self.quotas, |event| match event {
                Event::QuotaPublished(it) => Some(it.clone()),
                _ => None,
            }),
            evaluations: altering.facts(&self.evaluations, |event| match event {
                Event::EvaluationRecorded(it) => Some(it.clone()),
                _ => None,
            }),
            allocations: altering.facts(&self.allocations, |event| match event {
                Event::QuotaAllocated(it) => Some(it.clone()),
                _ => None,
            }),
            populations: altering.facts(&self.populations, |event| match event {
                Event::PopulationCounted(it) => Some(it.clone()),
                _ => None,
            }),
            grants: altering.facts(&self.grants, |event| match event {
                Event::GrantsReported(it) => Some(it.clone()),
                _ => None,
            }),
            amv_capacities: altering.facts(&self.amv_capacities, |event| match event {
                Event::AmvCapacitySet(it) => Some(it.clone()),
                _ => None,
            }),
            phases: altering.facts(&self.phases, |event| match event {
                Event::PhaseSet(it) => Some(it.clone()),
                _ => None,
            }),
            amv_places: altering.facts(&self.amv_places, |event| match event {
                Event::AmvPlacesReported(it) => Some(it.clone()),
                _ => None,
            }),
            rules_set,
            objections: self.objections.without(|it| altering.is_dropped(it)),
            supposed: changes.supposed.clone(),
            generated_from: self.generated_from,
            columns: Layers::default(),
        };
        let mut moved = Moved::default();
        self.replay_numbers(&book, &altering, &mut moved);
        self.replay_carry_overs(&altering, &mut moved);
        self.move_the_rest(&book, changes, &mut moved);
        moved.left_out.sort_by_key(|it| it.position);
        moved.supposed.sort_by_key(|it| it.position);
        let recounted = self.recounted(&book, changes, &moved);
        book.columns = Layers::over(&self.columns, &moved.left_out, &moved.supposed, recounted);
        book
    }

    /// Municipal numbers and revisions are recorded as numbers and move differences. So the half-years of which any differs
    /// are played again from the first to the last.
    fn replay_numbers(&self, book: &Book<'_>, altering: &Altering<'_>, moved: &mut Moved) {
        let rules = CountingRules::default();
        for half_year in altering.half_years_of(|event| match event {
            Event::QuotaAllocated(it) => Some(it.half_year),
            Event::EvaluationRecorded(it) => Some(it.half_year),
            _ => None,
        }) {
            let is_number = |it: &Posting| matches!(it.line, Line::Quota | Line::Revision);
            moved.left_out.extend(self.columns.obligations_in(half_year).filter(is_number));
            let allocations = book.allocations.iter().filter(|(_, it)| it.half_year == half_year);
            let evaluations = book.evaluations.iter().filter(|(_, it)| it.half_year == half_year);
            let allocations =
                allocations.map(|(position, it)| (*position, Event::QuotaAllocated(it.clone())));
            let mut events: Vec<_> = allocations
                .chain(evaluations.map(|(position, it)| (*position, Event::EvaluationRecorded(it.clone()))))
                .collect();
            // What is supposed right after an entry stands behind it.
            events.sort_by_key(|(position, event)| (*position, altering.which(*position, |it| it == event)));
            let mut fixed = Fixed::default();
            for (position, event) in &events {
                let supposed = altering.which(*position, |it| it == event);
                postings(*position, event, &rules, &fixed, &mut |it| {
                    moved.supposed.push(Posting { supposed, ..it });
                });
                fixed.apply(event);
            }
        }
    }

    /// The same for the standings that authorities fixed. Their entries are known by what they moved.
    fn replay_carry_overs(&self, altering: &Altering<'_>, moved: &mut Moved) {
        for half_year in altering.half_years_of(|event| match event {
            Event::CarryOverRecorded(it) => Some(it.to_half_year),
            _ => None,
        }) {
            let mut numbers: HashMap<MunicipalityCode, Vec<Fixing>> = HashMap::new();
            let mut sums: HashMap<MunicipalityCode, i64> = HashMap::new();
            for it in self.columns.obligations_in(half_year).filter(|it| it.line == Line::CarryOver) {
                moved.left_out.push(it);
                let sum = sums.entry(it.municipality).or_default();
                *sum += i64::from(it.persons);
                let of = numbers.entry(it.municipality).or_default();
                // A number that is too large for one row stands in several.
                match of.last_mut().filter(|fixing| fixing.position == it.position) {
                    Some(fixing) => fixing.number = *sum,
                    None => of.push(Fixing { position: it.position, number: *sum, supposed: None }),
                }
            }
            for of in numbers.values_mut() {
                of.retain(|it| !altering.is_left_out(it.position));
            }
            for (index, (position, event)) in altering.changes.supposed.iter().enumerate() {
                let Event::CarryOverRecorded(it) = event else { continue };
                for (code, number) in it.persons.iter().filter(|_| it.to_half_year == half_year) {
                    let (position, number) = (*position, number.count());
                    let fixing = Fixing { position, number, supposed: u32::try_from(index).ok() };
                    numbers.entry(code).or_default().push(fixing);
                }
            }
            let valid_on = half_year.first_day();
            for (municipality, mut of) in numbers {
                of.sort_by_key(|it| it.position);
                let mut before = 0;
                for Fixing { position, number, supposed } in of {
                    let persons = i32::try_from(number - before).expect("at most twice what a fact names");
                    let line = Line::CarryOver;
                    before = number;
                    moved.supposed.push(Posting {
                        position,
                        valid_on,
                        ruled_on: valid_on,
                        municipality,
                        half_year,
                        line,
                        persons,
                        supposed,
                    });
                }
            }
        }
    }

    /// What all other entries move stands by itself.
    fn move_the_rest(&self, book: &Book<'_>, changes: &Changes, moved: &mut Moved) {
        let is_numbered = |event: &Event| {
            matches!(
                event,
                Event::QuotaAllocated(_) | Event::EvaluationRecorded(_) | Event::CarryOverRecorded(_)
            )
        };
        for (position, event) in changes.left_out.iter().filter(|(_, event)| !is_numbered(event)) {
            let mut cells = HashSet::new();
            postings(*position, event, &CountingRules::default(), &Fixed::default(), &mut |it| {
                cells.insert((it.municipality, it.half_year));
            });
            for (code, half_year) in cells {
                let all = self.columns.postings_of(code, half_year);
                moved.left_out.extend(all.filter(|it| it.position == *position));
            }
        }
        let mut rules = CountingRules::default();
        let mut known = book.rules_set.iter().peekable();
        let supposed = (0_u32..).zip(&changes.supposed).map(|(index, it)| (Some(index), it));
        let mut supposed: Vec<_> = supposed.chain(changes.remade.iter().map(|it| (None, it))).collect();
        supposed.retain(|(_, (_, event))| !is_numbered(event));
        supposed.sort_by_key(|(index, (position, _))| (*position, *index));
        for (supposed, (position, event)) in supposed {
            while let Some((_, rule)) = known.next_if(|(at, _)| at <= position) {
                rules.record(rule.clone());
            }
            postings(*position, event, &rules, &Fixed::default(), &mut |it| {
                moved.supposed.push(Posting { supposed, ..it });
            });
        }
    }

    /// The kinds that must be counted anew: those with other rules, and those of which rules have moved something that would
    /// not have been there, or something else.
    fn recounted(&self, book: &Book<'_>, changes: &Changes, moved: &Moved) -> Vec<Recounted> {
        let events = changes.left_out.iter().chain(&changes.supposed).chain(&changes.remade);
        let ruled = events.filter_map(|(_, event)| match event {
            Event::CountingRuleSet(it) => Some(it.kind()),
            _ => None,
        });
        let postings = moved.left_out.iter().chain(&moved.supposed);
        let has_rule = |kind: &PlacementKind| {
            let all = self.rules_set.iter().chain(&book.rules_set);
            all.into_iter().any(|(_, rule)| rule.kind() == *kind)
        };
        let housed = postings.filter_map(|it| it.line.kind());
        let kinds: HashSet<_> = ruled.chain(housed.filter(has_rule)).collect();
        let all = PlacementKind::ALL.iter().filter(|kind| kinds.contains(kind));
        let rules = || {
            book.rules_set.iter().map(|(position, rule)| {
                let is = |event: &Event| matches!(event, Event::CountingRuleSet(it) if it == rule);
                (*position, rule.clone(), book.which_supposed(*position, is))
            })
        };
        all.map(|&kind| Recounted::new(kind, &self.rules_set, rules())).collect()
    }
}

/// A standing that an authority fixed, and which of the supposed events says so, if one does.
struct Fixing {
    position: Position,
    number: i64,
    supposed: Option<u32>,
}

/// Which of the supposed events right after the entry at a position is such a one; nothing where none is.
fn which(supposed: &[(Position, Event)], position: Position, is: impl Fn(&Event) -> bool) -> Option<u32> {
    let all = (0_u32..).zip(supposed).filter(|(_, (at, _))| *at == position);
    all.into_iter().find(|(_, (_, event))| is(event)).map(|(index, _)| index)
}

/// What the changes of a scenario move.
#[derive(Default)]
struct Moved {
    left_out: Vec<Posting>,
    supposed: Vec<Posting>,
}

/// The changes of a scenario, and where they stand.
struct Altering<'a> {
    changes: &'a Changes,
    left_out: HashSet<Position>,
}

impl<'a> Altering<'a> {
    fn new(changes: &'a Changes) -> Self {
        Self { changes, left_out: changes.left_out.iter().map(|(position, _)| *position).collect() }
    }

    fn is_left_out(&self, position: Position) -> bool {
        self.left_out.contains(&position)
    }

    /// Whether an entry is left out and does not come back in another form.
    fn is_dropped(&self, position: Position) -> bool {
        self.is_left_out(position) && !self.changes.remade.iter().any(|(at, _)| *at == position)
    }

    /// Which of the supposed events right after the entry at a position is such a one.
    fn which(&self, position: Position, is: impl Fn(&Event) -> bool) -> Option<u32> {
        which(&self.changes.supposed, position, is)
    }

    /// The half-years of which any of the changes says something.
    fn half_years_of(&self, of: impl Fn(&Event) -> Option<HalfYear>) -> BTreeSet<HalfYear> {
        let events = self.changes.left_out.iter().chain(&self.changes.supposed);
        events.filter_map(|(_, event)| of(event)).collect()
    }

    /// Facts of one kind without those that are left out and with those that are supposed, in the order of the log.
    fn facts<T: Clone>(
        &self,
        recorded: &[(Position, T)],
        of: impl Fn(&Event) -> Option<T>,
    ) -> Vec<(Position, T)> {
        let stays = recorded.iter().filter(|(position, _)| !self.is_left_out(*position));
        let supposed = self.changes.supposed.iter();
        let supposed = supposed.filter_map(|(position, event)| Some((*position, of(event)?)));
        let mut facts: Vec<_> = stays.cloned().chain(supposed).collect();
        facts.sort_by_key(|(position, _)| *position);
        facts
    }

    /// The supposed entries about municipalities.
    fn registered(&self) -> impl Iterator<Item = (Position, Registered<'a>)> {
        self.changes.supposed.iter().filter_map(|(position, event)| match event {
            Event::MunicipalityRegistered(it) => Some((*position, Registered::Municipality(it))),
            Event::BoundaryChanged(it) => Some((*position, Registered::Change(it))),
            _ => None,
        })
    }
}
