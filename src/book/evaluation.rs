//! The interim evaluation of a quota before it is decided: what was expected, what is expected now, what the rule makes
//! of the difference, and what each outcome would do to every municipality. It proposes; what is decided is delivered.
//!
//! Outcomes are computed from the quota as it was published, whatever was decided since. What was decided stands beside
//! them, also where it is outside the rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::{Accounts, Supposed};
use super::share::RoundingBy;
use super::statement::{Decision, decided, named_decision};
use super::window::{extrapolated, forecast_of, months, window};
use super::{Book, Unprepared, known};
use crate::domain::area::MunicipalityCode;
use crate::domain::evaluation::{Evaluation, Outcome};
use crate::domain::half_year::HalfYear;
use crate::domain::named;
use crate::domain::persons::Persons;
use crate::domain::quota::{Included, Quota, Rounding, WindowReport};
use crate::domain::reference::Reference;
use crate::domain::time::{AsOf, Day, LogSize, Month, Position, ReferenceDate};

named! {
    /// What the rule makes of the difference between what was expected and what is expected now.
    pub enum Finding {
        /// About right: the quota is kept.
        WithinTolerance = "within_tolerance",
        /// Fewer are expected: the running quota may be lowered, which the minister decides.
        TooHigh = "too_high",
        /// More are expected: the quota is not raised, and the difference goes into the next half-year.
        TooLow = "too_low",
    } else "is not what an evaluation finds"
}

named! {
    /// Where municipal numbers come from.
    pub enum NumbersBy {
        /// They were published for this very national number.
        Published = "published",
        /// They are shares by inhabitants.
        Computed = "computed",
    } else "does not say where numbers come from"
}

named! {
    /// How a decision leaves the rule.
    pub enum OutsideRule {
        /// The running quota was raised.
        Raised = "raised",
        /// It was lowered although no fewer were expected.
        LoweredNotTooHigh = "lowered_not_too_high",
        /// A difference was carried forward although no more were expected.
        CarriedNotTooLow = "carried_not_too_low",
    } else "is not a way to leave the rule"
}

/// What is to be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToEvaluate {
    /// The half-year.
    pub half_year: HalfYear,
    /// As known at this log size.
    pub known_at: LogSize,
    /// How many permits are expected now; without it what the reported grants say.
    pub now_expected: Option<Persons>,
    /// How large a difference is about right.
    pub tolerance: Persons,
    /// The day of the count of inhabitants for computed numbers; without it the one that the Act names.
    pub counted_on: Option<Day>,
}

/// An interim evaluation that is being prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proposal {
    /// The half-year whose quota is evaluated.
    pub half_year: HalfYear,
    /// What the quota was based on.
    #[serde(deserialize_with = "crate::domain::object")]
    pub basis: Basis,
    /// What is expected now.
    #[serde(deserialize_with = "crate::domain::object")]
    pub now_expected: Expectation,
    /// What is expected now minus what the quota was based on.
    pub difference: i64,
    /// How large a difference is about right.
    pub tolerance: Persons,
    /// What the rule makes of it.
    pub finding: Finding,
    /// The outcomes that are weighed; the first one keeps the quota and carries nothing.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub outcomes: Vec<Possible>,
    /// What was decided, in the order of the log.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub decided: Vec<Decided>,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// What a quota was based on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basis {
    /// The national number as published.
    pub quota: Persons,
    /// What it includes from earlier half-years.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub includes: Vec<Included>,
    /// The forecast: the number without what it includes.
    pub expected: i64,
    /// The period of the forecast.
    #[serde(deserialize_with = "crate::domain::object")]
    pub window: WindowReport,
    /// Whether the period was published with the quota; otherwise it is the usual one.
    pub window_published: bool,
    /// Where the number stands.
    pub reference: Reference,
}

/// What is expected now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// How many permits, arrived family members included.
    pub persons: i64,
    /// Whether that was given with the question; otherwise it follows from the months.
    pub given: bool,
    /// The months of the window of which grants are reported.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub months: Vec<MonthOfGrants>,
    /// The months of the window, where it is made of whole ones.
    #[serde(deserialize_with = "Option::deserialize")]
    pub of_months: Option<u32>,
}

/// The grants of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthOfGrants {
    /// The month.
    pub month: Month,
    /// Permits granted and family members arrived.
    pub persons: i64,
}

/// An outcome, and what it would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Possible {
    /// What would be decided.
    #[serde(deserialize_with = "decided")]
    pub decision: Decision,
    /// Whether the rule allows it.
    pub allowed: bool,
    /// How many persons would go into the quota of the next half-year.
    pub carried_forward: i64,
    /// The running half-year, and the next.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub periods: Vec<Period>,
}

/// A half-year under an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Period {
    /// The half-year.
    pub half_year: HalfYear,
    /// The national number; nothing where the quota of the half-year is not known, and only what is carried forward is divided.
    #[serde(deserialize_with = "Option::deserialize")]
    pub national: Option<i64>,
    /// Whether a quota is in force when it begins; where none is, nothing can be carried into it.
    pub quota_in_force: bool,
    /// Where the municipal numbers come from.
    pub numbers_by: NumbersBy,
    /// How computed ones are rounded.
    pub rounding: Rounding,
    /// Why so.
    pub rounding_by: RoundingBy,
    /// The day of the count of inhabitants, where numbers are computed.
    #[serde(deserialize_with = "Option::deserialize")]
    pub counted_on: Option<Day>,
    /// For how many municipalities an authority fixed what is carried into it: no outcome changes that.
    pub carry_over_recorded_for: u32,
    /// The sum of the municipal numbers.
    pub number: i64,
    /// The sum of what is due.
    pub due: i64,
    /// The sum of what remains.
    pub remaining: i64,
    /// Every municipality: for the running half-year those of its last day, for the next those of its first.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub municipalities: Vec<Effect>,
}

/// What an outcome does to one municipality.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The code.
    pub code: MunicipalityCode,
    /// The name.
    pub name: Arc<str>,
    /// Its part of the national number.
    pub number: i64,
    /// What is due, with everything that is known.
    pub due: i64,
    /// What remains of it.
    pub remaining: i64,
}

/// A decision that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decided {
    /// Where it stands in the log.
    pub position: Position,
    /// What was decided.
    #[serde(deserialize_with = "decided")]
    pub decision: Decision,
    /// The day of the decision.
    pub decided_on: Day,
    /// The day of the figures.
    pub measured_on: Day,
    /// The number of permits that the quota was based on, as it says.
    pub expected: Persons,
    /// The number expected by then, where it says so.
    #[serde(deserialize_with = "Option::deserialize")]
    pub now_expected: Option<Persons>,
    /// The new national number, where it is another.
    #[serde(deserialize_with = "Option::deserialize")]
    pub national: Option<Persons>,
    /// How many go into the next half-year, where any do.
    #[serde(deserialize_with = "Option::deserialize")]
    pub carried_forward: Option<Persons>,
    /// How it leaves the rule, where it does.
    #[serde(deserialize_with = "Option::deserialize")]
    pub outside_rule: Option<OutsideRule>,
    /// Where it was decided.
    pub reference: Reference,
}

impl Book<'_> {
    /// Prepares the interim evaluation of a half-year.
    ///
    /// # Errors
    /// When no quota is in force or known, nothing says what is expected now, or inhabitants are missing for a number that must be
    /// computed.
    pub fn propose(&self, asked: &ToEvaluate) -> Result<Proposal, Unprepared> {
        let ToEvaluate { half_year, known_at, tolerance, .. } = *asked;
        self.quota_is_in_force(half_year, known_at)?;
        let quota = known(&self.quotas, known_at).find(|it| it.half_year == half_year);
        let quota = quota.ok_or(Unprepared::NoQuota { half_year, known_at })?;
        let next = half_year.next().ok_or(Unprepared::NoNextHalfYear { half_year })?;
        let basis = basis(quota);
        let now_expected = self.expectation(asked, basis.window)?;
        let difference = now_expected.persons - basis.expected;
        let finding = match difference {
            it if it.abs() <= tolerance.count() => Finding::WithinTolerance,
            1.. => Finding::TooLow,
            _ => Finding::TooHigh,
        };
        let included = basis.quota.count() - basis.expected;
        let kept = (0, quota.persons.count(), 0, finding != Finding::TooLow);
        // What would be decided, the running number, what goes into the next, and whether the rule allows it.
        let weighed = match finding {
            Finding::WithinTolerance => vec![kept],
            Finding::TooHigh => vec![kept, (1, now_expected.persons + included, 0, true)],
            Finding::TooLow => vec![kept, (2, quota.persons.count(), difference, true)],
        };
        let outcomes = weighed.into_iter().map(|(decision, national, carried_forward, allowed)| {
            Ok(Possible {
                decision: super::statement::DECISIONS[decision],
                allowed,
                carried_forward,
                periods: self.periods(asked, national, next, carried_forward)?,
            })
        });
        Ok(Proposal {
            half_year,
            difference,
            tolerance,
            finding,
            outcomes: outcomes.collect::<Result<_, _>>()?,
            decided: self.decided(half_year, known_at, quota.persons),
            generated: self.is_generated(known_at),
            basis,
            now_expected,
        })
    }

    /// What is expected now: as given, or the grants of the window so far, carried on to its end.
    fn expectation(&self, asked: &ToEvaluate, window: WindowReport) -> Result<Expectation, Unprepared> {
        let (half_year, WindowReport { from, until }) = (asked.half_year, window);
        let all = months(window);
        let reported = self.reported_in(window, asked.known_at);
        let persons = match (asked.now_expected, &all) {
            (Some(persons), _) => persons.count(),
            (None, None) => return Err(Unprepared::WindowNotOfMonths { half_year, from, until }),
            (None, Some(_)) if reported.is_empty() => {
                return Err(Unprepared::NothingExpected { half_year, from, until });
            }
            (None, Some(all)) => {
                extrapolated(reported.values().sum(), reported.len() as i64, all.len() as i64)
            }
        };
        Ok(Expectation {
            persons,
            given: asked.now_expected.is_some(),
            months: reported.into_iter().map(|(month, persons)| MonthOfGrants { month, persons }).collect(),
            of_months: all.map(|all| all.len() as u32),
        })
    }

    /// The running half-year and the next, if this were the national number and so many went into the next.
    fn periods(
        &self,
        asked: &ToEvaluate,
        national: i64,
        next: HalfYear,
        carried_forward: i64,
    ) -> Result<Vec<Period>, Unprepared> {
        let (half_year, known_at) = (asked.half_year, asked.known_at);
        let next_quota = known(&self.quotas, known_at).find(|it| it.half_year == next);
        // What the next quota includes from this half-year was decided by an evaluation, and is what is asked about.
        let without = next_quota.map(|quota| {
            let from_this = quota.includes.iter().filter(|it| it.half_year == half_year);
            quota.persons.count() - from_this.map(|it| it.persons.count()).sum::<i64>()
        });
        let next_national = without.map(|without| without + carried_forward);
        let numbers = [
            (half_year, Some(national), self.numbers(asked, half_year, national)?),
            (next, next_national, self.numbers(asked, next, next_national.unwrap_or(carried_forward))?),
        ];
        let supposed = numbers
            .iter()
            .map(|(half_year, _, it)| Supposed { half_year: *half_year, numbers: it.numbers.clone() });
        // On the first day of the next half-year all of the running one is behind it.
        let at = |day| AsOf { reference_date: ReferenceDate(day), known_at };
        let mut accounts = Accounts::supposing(self, at(next.first_day()), supposed.collect());
        let days = [half_year.last_day(), next.first_day()];
        let periods = numbers.into_iter().zip(days).map(|((half_year, national, numbers), day)| {
            let there = self.register.municipalities(at(day));
            let mut carry_over_recorded_for = 0;
            let municipalities: Vec<_> = there
                .map(|it| {
                    let account = accounts.account(it.code, half_year);
                    carry_over_recorded_for += account.carried_recorded_for;
                    Effect {
                        code: it.code,
                        name: it.name.shared(),
                        number: account.quota,
                        due: account.due(),
                        remaining: account.remaining(),
                    }
                })
                .collect();
            Period {
                half_year,
                national,
                quota_in_force: self.quota_is_in_force(half_year, known_at).is_ok(),
                numbers_by: numbers.by,
                rounding: numbers.rounding,
                rounding_by: numbers.rounding_by,
                counted_on: numbers.counted_on,
                carry_over_recorded_for,
                number: numbers.numbers.values().sum(),
                due: municipalities.iter().map(|it| it.due).sum(),
                remaining: municipalities.iter().map(|it| it.remaining).sum(),
                municipalities,
            }
        });
        Ok(periods.collect())
    }

    /// The municipal numbers of a national one: those that were published for it, or else shares by inhabitants.
    fn numbers(&self, asked: &ToEvaluate, half_year: HalfYear, national: i64) -> Result<Numbers, Unprepared> {
        let known_at = asked.known_at;
        let (rounding, rounding_by) = match self.rounding(half_year, known_at) {
            // A half-year that was not allocated yet is rounded as the one that is evaluated was.
            (_, RoundingBy::Act) => self.rounding(asked.half_year, known_at),
            recorded => recorded,
        };
        let numbers = |by, counted_on, numbers| Numbers { by, rounding, rounding_by, counted_on, numbers };
        let quota = known(&self.quotas, known_at).find(|it| it.half_year == half_year);
        if quota.is_some_and(|quota| quota.persons.count() == national) {
            let published = self.municipal_numbers(half_year, known_at);
            let on = AsOf { reference_date: ReferenceDate(half_year.first_day()), known_at };
            if self.register.municipalities(on).all(|it| published.contains_key(&it.code)) {
                let allocated = published.into_iter().map(|(code, number)| (code, number.allocated));
                return Ok(numbers(NumbersBy::Published, None, allocated.collect()));
            }
        }
        if national == 0 {
            // Nothing is divided, by whatever inhabitants.
            return Ok(numbers(NumbersBy::Computed, None, BTreeMap::new()));
        }
        let weights = self.weights(half_year, known_at, asked.counted_on)?;
        let shares = weights.shares(national.unsigned_abs(), rounding);
        let codes = weights.municipalities.iter().map(|(it, _)| it.code);
        Ok(numbers(NumbersBy::Computed, Some(weights.counted_on), codes.zip(shares).collect()))
    }

    /// What was decided about a half-year, each decision held against the rule.
    fn decided(&self, half_year: HalfYear, known_at: LogSize, published: Persons) -> Vec<Decided> {
        let known = self.evaluations.iter().filter(|(position, _)| position.is_known_at(known_at));
        let of: Vec<_> = known.filter(|(_, it)| it.half_year == half_year).collect();
        let each = of.iter().map(|(position, it)| {
            let before = of
                .iter()
                .filter(|(at, other)| (other.decided_on, *at) < (it.decided_on, *position))
                .filter_map(|(at, other)| match other.outcome {
                    Outcome::Revised { national, .. } => Some(((other.decided_on, *at), national)),
                    Outcome::Kept {} | Outcome::CarriedForward { .. } => None,
                })
                .max_by_key(|(when, _)| *when);
            let in_force = before.map_or(published, |(_, national)| national);
            Decided {
                position: *position,
                decision: named_decision(&it.outcome),
                decided_on: it.decided_on,
                measured_on: it.measured_on,
                expected: it.expected,
                now_expected: it.now_expected,
                national: match it.outcome {
                    Outcome::Revised { national, .. } => Some(national),
                    Outcome::Kept {} | Outcome::CarriedForward { .. } => None,
                },
                carried_forward: match it.outcome {
                    Outcome::CarriedForward { persons, .. } => Some(persons),
                    Outcome::Kept {} | Outcome::Revised { .. } => None,
                },
                outside_rule: outside_rule(it, in_force),
                reference: it.reference.clone(),
            }
        });
        each.collect()
    }
}

/// The municipal numbers of a half-year under an outcome.
struct Numbers {
    by: NumbersBy,
    rounding: Rounding,
    rounding_by: RoundingBy,
    counted_on: Option<Day>,
    numbers: BTreeMap<MunicipalityCode, i64>,
}

pub(super) fn basis(quota: &Quota) -> Basis {
    let (window, window_published) = window(quota.half_year, Some(quota));
    Basis {
        quota: quota.persons,
        includes: quota.includes.clone(),
        expected: forecast_of(quota),
        window,
        window_published,
        reference: quota.reference.clone(),
    }
}

/// How a decision leaves the rule, by the figures that it names itself.
fn outside_rule(it: &Evaluation, in_force: Persons) -> Option<OutsideRule> {
    let no_fewer = it.now_expected.is_some_and(|now| now >= it.expected);
    let no_more = it.now_expected.is_some_and(|now| now <= it.expected);
    match it.outcome {
        Outcome::Revised { national, .. } if national > in_force => Some(OutsideRule::Raised),
        Outcome::Revised { national, .. } if national < in_force && no_fewer => {
            Some(OutsideRule::LoweredNotTooHigh)
        }
        Outcome::CarriedForward { persons, .. } if persons.count() > 0 && no_more => {
            Some(OutsideRule::CarriedNotTooLow)
        }
        Outcome::Kept {} | Outcome::Revised { .. } | Outcome::CarriedForward { .. } => None,
    }
}
