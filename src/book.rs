//! The book: entries become postings, and sums of postings become statements.
//!
//! Pure and synchronous. Every answer is a sum of postings at one [`AsOf`], so a statement's lines always add up to
//! its total, and the same question with the same log size gets the same answer for ever.
//!
//! [`AsOf`]: crate::domain::time::AsOf

pub mod posting;

pub mod columns;

mod register;

pub mod account;

pub mod share;

mod inhabitants;

mod window;

pub mod evaluation;

pub mod forecast;

pub mod regime;

pub mod objection;

pub mod statement;

mod heirs;

pub mod care;

pub mod deadlines;

pub mod explanation;

pub mod reconciliation;
pub mod restatement;

pub mod weeks;

mod basis;

mod layers;

pub mod scenario;

use layers::Layers;
use objection::Objections;
use posting::{Fixed, Posting, place, postings, recount};
use register::Register;

use crate::domain::amv::{AmvCapacity, AmvPlaces};
use crate::domain::area::{Municipality, MunicipalityCode, Population};
use crate::domain::evaluation::Evaluation;
use crate::domain::event::{Entry, Event};
use crate::domain::grants::Grants;
use crate::domain::half_year::HalfYear;
use crate::domain::placement::{Housed, PlacementKind};
use crate::domain::quota::{Allocation, Quota};
use crate::domain::reference::Reference;
use crate::domain::regime::{Phase, PhaseSet};
use crate::domain::rules::{CountingRule, CountingRules, counts_by_default};
use crate::domain::time::{AsOf, Day, LogSize, Month, Position};

/// Everything that statements are made of: a fold over the entries, in the order of the log.
///
/// That of a ledger stands by itself. One under a [`scenario`] lies over another and holds what differs.
#[derive(Debug, Default)]
pub struct Book<'base> {
    columns: Layers<'base>,
    rules: CountingRules,
    fixed: Fixed,
    register: Register,
    quotas: Vec<(Position, Quota)>,
    evaluations: Vec<(Position, Evaluation)>,
    allocations: Vec<(Position, Allocation)>,
    populations: Vec<(Position, Population)>,
    grants: Vec<(Position, Grants)>,
    rules_set: Vec<(Position, CountingRule)>,
    phases: Vec<(Position, PhaseSet)>,
    amv_capacities: Vec<(Position, AmvCapacity)>,
    amv_places: Vec<(Position, AmvPlaces)>,
    objections: Objections,
    /// What a scenario supposes, each right after the entry at a position.
    supposed: Vec<(Position, Event)>,
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

/// Why a quota can be neither divided nor forecast nor evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unprepared {
    /// No national number of a half-year is known.
    #[error(
        "no quota of {half_year} is known at log size {known_at}: deliver it (quota-published), or ask as known later"
    )]
    NoQuota {
        /// The half-year.
        half_year: HalfYear,
        /// The log size of the question.
        known_at: LogSize,
    },
    /// The regime has no quota when the half-year begins.
    #[error(
        "no quota is in force in {half_year}: since {from} the phase is {phase} ({reference}). What remains of earlier \
         half-years stands in a statement"
    )]
    NoQuotaInForce {
        /// The half-year.
        half_year: HalfYear,
        /// The phase that holds on its first day.
        phase: Phase,
        /// The first day of the phase.
        from: Day,
        /// Where the phase stands.
        reference: Reference,
    },
    /// No municipality exists on a day.
    #[error(
        "no municipality exists on {on}, as known then: deliver the municipalities, or ask as known later"
    )]
    NoMunicipality {
        /// The day.
        on: Day,
    },
    /// Inhabitants are missing.
    #[error(
        "inhabitants on {counted_on} are not recorded for {}, as known then: deliver them as a file of population \
         (docs/deliveries.md), ask as known later, or by the inhabitants of another day{}",
        several(missing),
        counts(counted)
    )]
    NoInhabitants {
        /// The day of the count.
        counted_on: Day,
        /// The municipalities.
        missing: Vec<MunicipalityCode>,
        /// The days of which counts are known.
        counted: Vec<Day>,
    },
    /// By the count that is recorded the country has no inhabitants.
    #[error("by the inhabitants recorded for {counted_on} nobody lives anywhere: deliver the right numbers")]
    NobodyLives {
        /// The day of the count.
        counted_on: Day,
    },
    /// The day that the Act names cannot be recorded.
    #[error(
        "the inhabitants for {half_year} were counted before 1990: ask by the inhabitants of another day"
    )]
    CountedTooEarly {
        /// The half-year.
        half_year: HalfYear,
    },
    /// Nothing says how many permits are expected now.
    #[error(
        "nothing says what is expected now for {half_year}: no grants of {from} to {until} are reported, as known \
         then. Give the number that is expected, or deliver grants-reported"
    )]
    NothingExpected {
        /// The half-year.
        half_year: HalfYear,
        /// The first day of the window.
        from: Day,
        /// Its last day.
        until: Day,
    },
    /// Grants are reported by month, and the window is not made of months.
    #[error(
        "the window of {half_year} ({from} to {until}) is not made of whole months, as grants are reported: give the \
         number that is expected now"
    )]
    WindowNotOfMonths {
        /// The half-year.
        half_year: HalfYear,
        /// The first day of the window.
        from: Day,
        /// Its last day.
        until: Day,
    },
    /// Grants and plans are by month, and the window is not made of months.
    #[error(
        "the window of {half_year} ({from} to {until}) is not made of whole months, as grants and plans are: deliver \
         the quota with a window of whole months, or ask as known before it was published"
    )]
    ForecastNotOfMonths {
        /// The half-year.
        half_year: HalfYear,
        /// The first day of the window.
        from: Day,
        /// Its last day.
        until: Day,
    },
    /// The last month of an average lies in the window, or behind it.
    #[error(
        "{measured_on} does not lie before the window of {half_year}, which begins on {from}: name an earlier month, \
         or none for the last one that is reported"
    )]
    MeasuredInWindow {
        /// The month.
        measured_on: Month,
        /// The half-year.
        half_year: HalfYear,
        /// The first day of the window.
        from: Day,
    },
    /// No scenario can be computed.
    #[error(
        "nothing says what is expected for {half_year}: no grants of the twelve months before {before} are reported, as \
         known then, and there is no plan. Deliver grants-reported, or give a plan (docs/forecasting.md)"
    )]
    NothingToForecast {
        /// The half-year.
        half_year: HalfYear,
        /// The first day behind those months.
        before: Day,
    },
    /// Nobody in the plan would count in the window.
    #[error(
        "no row of the plan counts in the window of {half_year} ({from} to {until}): give the plan of those months"
    )]
    PlanOutsideWindow {
        /// The half-year.
        half_year: HalfYear,
        /// The first day of the window.
        from: Day,
        /// Its last day.
        until: Day,
    },
    /// There is no half-year after this one to carry anything into.
    #[error("{half_year} is the last half-year that the ledger knows: ask for an earlier one")]
    NoNextHalfYear {
        /// The half-year.
        half_year: HalfYear,
    },
}

/// The first few codes, and how many more there are.
fn several(codes: &[MunicipalityCode]) -> String {
    const SHOWN: usize = 5;
    let shown = list(&codes[..codes.len().min(SHOWN)]).replace(" and ", ", ");
    match codes.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The days of which counts are known, as the end of a sentence.
fn counts(days: &[Day]) -> String {
    match days {
        [] => String::new(),
        days => format!(
            " (there are counts of {})",
            days.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn list(codes: &[MunicipalityCode]) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

impl Book<'_> {
    /// Notes that the entry at a position was generated rather than reported.
    pub fn generated(&mut self, position: Position) {
        self.generated_from.get_or_insert(position);
    }

    /// Whether any of the entries that are known at a log size was generated.
    pub fn is_generated(&self, known_at: LogSize) -> bool {
        self.generated_from.is_some_and(|it| it.is_known_at(known_at))
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
            Event::MunicipalityRegistered(it) => self.register.register(position, it),
            Event::BoundaryChanged(it) => self.register.change(position, it),
            Event::QuotaPublished(it) => self.quotas.push((position, it.clone())),
            Event::EvaluationRecorded(it) => self.evaluations.push((position, it.clone())),
            Event::AmvCapacitySet(it) => self.amv_capacities.push((position, it.clone())),
            Event::AmvPlacesReported(it) => self.amv_places.push((position, it.clone())),
            Event::CountingRuleSet(it) => {
                let before = self.rules.clone();
                self.rules.record(it.clone());
                self.rules_set.push((position, it.clone()));
                let moved: Vec<Posting> =
                    recount(self.columns.postings(), position, it, &before, &self.rules);
                moved.iter().for_each(|posting| self.columns.push(posting));
            }
            Event::PhaseSet(it) => self.phases.push((position, it.clone())),
            Event::PopulationCounted(it) => self.populations.push((position, it.clone())),
            Event::QuotaAllocated(it) => self.allocations.push((position, it.clone())),
            Event::GrantsReported(it) => self.grants.push((position, it.clone())),
            Event::QuotaExchanged(_)
            | Event::CarryOverRecorded(_)
            | Event::PlacementRecorded(_)
            | Event::PlacementWithdrawn(_)
            | Event::PlacementTransferred(_)
            | Event::FollowOnHousingRecorded(_)
            | Event::ObjectionRecorded(_)
            | Event::ObjectionSettled(_) => {}
        }
        self.objections.apply(position, &entry.event);
        postings(position, &entry.event, &self.rules, &self.fixed, &mut |it| self.columns.push(&it));
        self.fixed.apply(&entry.event);
    }

    /// The municipality with this code, if it exists on the reference date as known then.
    ///
    /// # Errors
    /// When it was not registered, does not exist yet or no longer exists.
    pub fn municipality(&self, code: MunicipalityCode, as_of: AsOf) -> Result<&Municipality, Unanswerable> {
        self.register.municipality(code, as_of)
    }

    /// The municipalities that exist on the reference date as known then, in the order of their codes.
    pub fn municipalities(&self, as_of: AsOf) -> Vec<&Municipality> {
        self.register.municipalities(as_of).collect()
    }

    /// The municipality that has this name on the reference date, whatever the case of the letters; none
    /// where several have it.
    pub fn municipality_named(&self, name: &str, as_of: AsOf) -> Option<&Municipality> {
        let name = name.to_lowercase();
        let all = self.municipalities(as_of);
        let mut named = all.into_iter().filter(|it| it.name.as_str().to_lowercase() == name);
        named.next().filter(|_| named.next().is_none())
    }

    /// The counting rules as they were known at a log size.
    fn rules_known_at(&self, known_at: LogSize) -> CountingRules {
        let mut rules = CountingRules::default();
        let known = self.rules_set.iter().take_while(|(position, _)| position.is_known_at(known_at));
        known.for_each(|(_, rule)| rules.record(rule.clone()));
        rules
    }

    /// Whether each kind of placement counts on the reference date, under the rules as known then.
    fn counting(&self, as_of: AsOf) -> [bool; PlacementKind::ALL.len()] {
        let mut counting = std::array::from_fn(|kind| counts_by_default(PlacementKind::ALL[kind]));
        let known = self.rules_set.iter().take_while(|(position, _)| position.is_known_at(as_of.known_at));
        for (_, rule) in known.filter(|(_, rule)| rule.covers(as_of.reference_date.0)) {
            counting[rule.kind().index()] = rule.counts();
        }
        counting
    }
}

/// The facts of a list that are known at a log size, the one recorded last first.
fn known<T>(facts: &[(Position, T)], known_at: LogSize) -> impl Iterator<Item = &T> {
    facts.iter().rev().filter(move |(position, _)| position.is_known_at(known_at)).map(|(_, fact)| fact)
}
