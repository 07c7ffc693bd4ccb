//! The book: entries become postings, and sums of postings become statements.
//!
//! Pure and synchronous. Every answer is a sum of postings at one [`AsOf`], so a statement's lines always add up to
//! its total, and the same question with the same log size gets the same answer for ever.
//!
//! [`AsOf`]: crate::domain::time::AsOf

pub mod posting;

pub mod columns;

pub mod account;

pub mod share;

pub mod statement;

use std::collections::BTreeMap;

use columns::Columns;
use posting::{Fixed, Posting, place, postings, recount};

use crate::domain::amv::{AmvCapacity, AmvPlaces};
use crate::domain::area::{BoundaryChange, Municipality, MunicipalityCode};
use crate::domain::evaluation::Evaluation;
use crate::domain::event::{Entry, Event};
use crate::domain::placement::Housed;
use crate::domain::quota::Quota;
use crate::domain::rules::{CountingRule, CountingRules};
use crate::domain::time::{AsOf, Day, LogSize, Position};

/// Everything that statements are made of: a fold over the entries, in the order of the log.
#[derive(Debug, Default)]
pub struct Book {
    columns: Columns,
    rules: CountingRules,
    fixed: Fixed,
    municipalities: BTreeMap<MunicipalityCode, (Position, Municipality)>,
    boundaries: Vec<(Position, BoundaryChange)>,
    quotas: Vec<(Position, Quota)>,
    evaluations: Vec<(Position, Evaluation)>,
    rules_set: Vec<(Position, CountingRule)>,
    amv_capacities: Vec<(Position, AmvCapacity)>,
    amv_places: Vec<(Position, AmvPlaces)>,
    /// The first entry that was generated rather than reported.
    generated_from: Option<Position>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// No such municipality was registered, as known at the log size of the question.
    #[error(
        "{0} is not a municipality in the register, as known at log size {1}: look the code up, or ask as known later"
    )]
    UnknownMunicipality(MunicipalityCode, LogSize),
    /// The municipality did not exist yet.
    #[error("{code} exists from {from}, so not on {on}: ask for a later date")]
    NotYet {
        /// The municipality.
        code: MunicipalityCode,
        /// The first day on which it exists.
        from: Day,
        /// The reference date.
        on: Day,
    },
    /// The municipality no longer existed.
    #[error(
        "{code} no longer exists on {on}: on {ceased} it went into {}; ask for that, or for an earlier date",
        list(successors)
    )]
    Ceased {
        /// The municipality.
        code: MunicipalityCode,
        /// The reference date.
        on: Day,
        /// The first day on which it no longer existed.
        ceased: Day,
        /// Who took over.
        successors: Vec<MunicipalityCode>,
    },
}

fn list(codes: &[MunicipalityCode]) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

impl Book {
    /// Notes that the entry at a position was generated rather than reported.
    pub fn generated(&mut self, position: Position) {
        self.generated_from.get_or_insert(position);
    }

    /// Takes up an entry that records a placement, of which the book needs no more than this.
    pub fn place(&mut self, position: Position, housed: Housed) {
        place(position, housed, &self.rules, &mut |posting| self.columns.push(&posting));
    }

    /// Takes up one more entry.
    pub fn apply(&mut self, entry: &Entry) {
        let position = entry.position;
        if entry.source.is_generated() {
            self.generated(position);
        }
        match &entry.event {
            Event::MunicipalityRegistered(it) => {
                self.municipalities.insert(it.code, (position, it.clone()));
            }
            Event::BoundaryChanged(it) => self.boundaries.push((position, it.clone())),
            Event::QuotaPublished(it) => self.quotas.push((position, it.clone())),
            Event::EvaluationRecorded(it) => self.evaluations.push((position, it.clone())),
            Event::AmvCapacitySet(it) => self.amv_capacities.push((position, it.clone())),
            Event::AmvPlacesReported(it) => self.amv_places.push((position, it.clone())),
            Event::CountingRuleSet(it) => {
                let before = self.rules.clone();
                self.rules.record(it.clone());
                self.rules_set.push((position, it.clone()));
                let moved: Vec<Posting> = recount(&self.columns, position, it, &before, &self.rules);
                moved.iter().for_each(|posting| self.columns.push(posting));
            }
            Event::PopulationCounted(_)
            | Event::QuotaAllocated(_)
            | Event::QuotaExchanged(_)
            | Event::CarryOverRecorded(_)
            | Event::PlacementRecorded(_)
            | Event::PlacementWithdrawn(_)
            | Event::PlacementTransferred(_)
            | Event::FollowOnHousingRecorded(_)
            | Event::GrantsReported(_) => {}
        }
        postings(entry, &self.rules, &self.fixed, &mut |posting| self.columns.push(&posting));
        self.fixed.apply(&entry.event);
    }

    /// The municipality with this code, if it exists on the reference date as known then.
    ///
    /// # Errors
    /// When it was not registered, does not exist yet or no longer exists.
    pub fn municipality(&self, code: MunicipalityCode, as_of: AsOf) -> Result<&Municipality, Unanswerable> {
        let on = as_of.reference_date.0;
        let known = self.municipalities.get(&code).filter(|(it, _)| it.is_known_at(as_of.known_at));
        let (_, municipality) = known.ok_or(Unanswerable::UnknownMunicipality(code, as_of.known_at))?;
        if on < municipality.from {
            return Err(Unanswerable::NotYet { code, from: municipality.from, on });
        }
        match self.boundaries_until(as_of).find(|it| it.old().contains(&code)) {
            None => Ok(municipality),
            Some(change) => Err(Unanswerable::Ceased {
                code,
                on,
                ceased: change.effective_on(),
                successors: change.heirs().into_iter().map(|(heir, _)| heir).collect(),
            }),
        }
    }

    /// The municipalities that exist on the reference date as known then, in the order of their codes.
    pub fn municipalities(&self, as_of: AsOf) -> Vec<&Municipality> {
        self.municipalities.keys().filter_map(|&code| self.municipality(code, as_of).ok()).collect()
    }

    /// The municipality that has this name on the reference date, whatever the case of the letters; none
    /// where several have it.
    pub fn municipality_named(&self, name: &str, as_of: AsOf) -> Option<&Municipality> {
        let name = name.to_lowercase();
        let all = self.municipalities(as_of);
        let mut named = all.into_iter().filter(|it| it.name.as_str().to_lowercase() == name);
        named.next().filter(|_| named.next().is_none())
    }

    /// The boundary changes in force on the reference date, in the order of the log.
    fn boundaries_until(&self, as_of: AsOf) -> impl Iterator<Item = &BoundaryChange> {
        self.boundaries
            .iter()
            .take_while(move |(position, _)| position.is_known_at(as_of.known_at))
            .map(|(_, change)| change)
            .filter(move |change| as_of.reference_date.has_obligation_of(change.effective_on()))
    }

    /// The counting rules as known at a log size.
    pub fn rules(&self, known_at: LogSize) -> CountingRules {
        let mut rules = CountingRules::default();
        let known = self.rules_set.iter().take_while(|(position, _)| position.is_known_at(known_at));
        known.for_each(|(_, rule)| rules.record(rule.clone()));
        rules
    }
}

/// The facts of a list that are known at a log size, the one recorded last first.
fn known<T>(facts: &[(Position, T)], known_at: LogSize) -> impl Iterator<Item = &T> {
    facts.iter().rev().filter(move |(position, _)| position.is_known_at(known_at)).map(|(_, fact)| fact)
}
