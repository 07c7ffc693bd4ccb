//! The forecast of a quota in two scenarios, the band that they make, and how past forecasts compared with what came. It
//! computes and records nothing: the number that is chosen is published, and that is delivered.
//!
//! Everything is counted in whole numbers and rounded once, to the nearest person. A month of which nothing is reported
//! is named, and nothing is made up for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::evaluation::MonthOfGrants;
use super::statement::Ratio;
use super::window::{extrapolated, forecast_of, months, window};
use super::{Book, Unprepared, known};
use crate::domain::half_year::HalfYear;
use crate::domain::persons::Persons;
use crate::domain::plan::{ARRIVING_AFTER_MAX, PERSON, Parts, Plan, Planned};
use crate::domain::quota::{BandReport, Included, Quota, WindowReport};
use crate::domain::reference::Reference;
use crate::domain::time::{Day, LogSize, Month};

/// How many months scenario 1 averages.
const AVERAGED: usize = 12;

/// What is to be forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToForecast<'a> {
    /// The half-year.
    pub half_year: HalfYear,
    /// As known at this log size.
    pub known_at: LogSize,
    /// The last of the twelve months that are averaged; without it the last one before the window that is reported.
    pub measured_on: Option<Month>,
    /// The production plan, if there is one.
    pub plan: Option<&'a Plan>,
}

/// A forecast in two scenarios.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forecast {
    /// The half-year.
    pub half_year: HalfYear,
    /// The period of the forecast.
    #[serde(deserialize_with = "crate::domain::object")]
    pub window: WindowReport,
    /// Whether the period was published with the quota; otherwise it is the usual one.
    pub window_published: bool,
    /// How many months it has.
    pub of_months: u32,
    /// Scenario 1; nothing where no month is reported.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub recent_grants: Option<RecentGrants>,
    /// Scenario 2; nothing without a plan.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub production_plan: Option<ProductionPlan>,
    /// The lower and the upper scenario, where there are both.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub band: Option<Ends>,
    /// The quota that was published, where one is known.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub published: Option<Published>,
    /// Every published quota whose window is over, by half-year.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub past: Vec<Past>,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// Scenario 1: the grants of twelve months, averaged, for every month of the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecentGrants {
    /// What it expects in the window.
    pub persons: i64,
    /// The first of the twelve months.
    pub from: Month,
    /// The last of them.
    pub until: Month,
    /// What was granted in those that are reported.
    pub sum: i64,
    /// Those that are reported.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub months: Vec<MonthOfGrants>,
    /// Those that are not, for which the average of the others stands.
    pub missing: Vec<Month>,
}

/// Scenario 2: decisions that are planned x grant rate, and family members by the month in which they arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductionPlan {
    /// What it expects in the window.
    pub persons: i64,
    /// The categories of the plan, each rounded by itself.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub categories: Vec<PlannedCategory>,
    /// The months of the window, each rounded by itself.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub months: Vec<MonthOfGrants>,
}

/// What a category of the plan brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedCategory {
    /// What it is called in the plan.
    pub category: Arc<str>,
    /// How many decisions are planned in the window.
    pub decisions: i64,
    /// Who counts in the window.
    pub persons: i64,
    /// Those of them who are granted before the window and arrive in it.
    pub from_before: i64,
    /// The months of which the plan has no row, and whose decisions would count in the window.
    pub missing: Vec<Month>,
}

/// The lower and the upper end of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    /// The lower end.
    pub lower: i64,
    /// The upper end.
    pub upper: i64,
}

/// A quota as it was published, beside the forecast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Published {
    /// The national number.
    pub quota: Persons,
    /// What it includes from earlier half-years.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub includes: Vec<Included>,
    /// The number that was chosen: the national number without what it includes.
    pub chosen: i64,
    /// The band that was published with it, where one was.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub band: Option<BandReport>,
    /// Where it stands.
    pub reference: Reference,
}

/// A past forecast, and what came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Past {
    /// The half-year.
    pub half_year: HalfYear,
    /// The period of the forecast.
    #[serde(deserialize_with = "crate::domain::object")]
    pub window: WindowReport,
    /// How many months it has; nothing where it is not made of whole ones.
    #[serde(deserialize_with = "Option::deserialize")]
    pub of_months: Option<u32>,
    /// The months of which no grants are reported.
    pub missing: Vec<Month>,
    /// What was reported of the others.
    pub reported: i64,
    /// What was expected: the national number without what it includes.
    pub chosen: i64,
    /// The band that was published with it, where one was.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub band: Option<BandReport>,
    /// What came; nothing unless every month is reported.
    #[serde(deserialize_with = "Option::deserialize")]
    pub came: Option<i64>,
    /// What came minus what was expected.
    #[serde(deserialize_with = "Option::deserialize")]
    pub difference: Option<i64>,
    /// What came as a part of what was expected.
    #[serde(deserialize_with = "Option::deserialize")]
    pub share: Option<Ratio>,
}

impl Book<'_> {
    /// The forecast of a half-year. `known_on` is the day on which the last known entry was recorded: a window that ended
    /// before it is over.
    ///
    /// # Errors
    /// When the window is not made of months, there is nothing to compute a scenario from, or what is given lies elsewhere.
    pub fn forecast(&self, asked: &ToForecast<'_>, known_on: Option<Day>) -> Result<Forecast, Unprepared> {
        let (half_year, known_at) = (asked.half_year, asked.known_at);
        let quota = known(&self.quotas, known_at).find(|it| it.half_year == half_year);
        let (window, window_published) = window(half_year, quota);
        let WindowReport { from, until } = window;
        self.quota_is_in_force(half_year, known_at)?;
        let of = months(window).ok_or(Unprepared::ForecastNotOfMonths { half_year, from, until })?;
        if let Some(measured_on) = asked.measured_on
            && measured_on >= of[0]
        {
            return Err(Unprepared::MeasuredInWindow { measured_on, half_year, from });
        }
        let reported = self.reported_grants(known_at);
        let recent_grants = recent_grants(&reported, asked.measured_on, &of);
        let production_plan = match asked.plan.map(|plan| production_plan(plan, &of)) {
            Some(None) => return Err(Unprepared::PlanOutsideWindow { half_year, from, until }),
            Some(planned) => planned,
            None if recent_grants.is_none() => {
                let before = asked.measured_on.map_or(from, |it| it.last_day().plus_days(1));
                return Err(Unprepared::NothingToForecast { half_year, before });
            }
            None => None,
        };
        let scenarios = recent_grants.as_ref().zip(production_plan.as_ref());
        let band = scenarios.map(|(one, two)| Ends {
            lower: one.persons.min(two.persons),
            upper: one.persons.max(two.persons),
        });
        let published = quota.map(|quota| Published {
            quota: quota.persons,
            includes: quota.includes.clone(),
            chosen: forecast_of(quota),
            band: quota.band.map(BandReport::from),
            reference: quota.reference.clone(),
        });
        Ok(Forecast {
            half_year,
            window,
            window_published,
            of_months: of.len() as u32,
            recent_grants,
            production_plan,
            band,
            published,
            past: self.past(&reported, known_at, known_on),
            generated: self.is_generated(known_at),
        })
    }

    /// Every published quota whose window is over, beside what was reported of it.
    fn past(&self, reported: &BTreeMap<Month, i64>, known_at: LogSize, known_on: Option<Day>) -> Vec<Past> {
        let mut quotas: BTreeMap<HalfYear, &Quota> = BTreeMap::new();
        for quota in known(&self.quotas, known_at) {
            // The one that was recorded last comes first.
            quotas.entry(quota.half_year).or_insert(quota);
        }
        let windows = quotas.into_values().map(|quota| (quota, window(quota.half_year, Some(quota)).0));
        let over = windows.filter(|(_, window)| known_on.is_some_and(|today| window.until < today));
        over.map(|(quota, window)| past(quota, window, reported)).collect()
    }
}

/// Scenario 1. The twelve months end with the one that is named, or else with the last one before the window that is
/// reported.
fn recent_grants(
    reported: &BTreeMap<Month, i64>,
    measured_on: Option<Month>,
    window: &[Month],
) -> Option<RecentGrants> {
    let until = match measured_on {
        Some(month) => month,
        None => *reported.range(..window[0]).next_back()?.0,
    };
    // The first month that can be written has none before it, and then there are fewer.
    let averaged: BTreeSet<Month> =
        std::iter::successors(Some(until), |month| month.previous()).take(AVERAGED).collect();
    let (there, missing): (Vec<Month>, Vec<Month>) =
        averaged.iter().copied().partition(|month| reported.contains_key(month));
    let months: Vec<_> =
        there.into_iter().map(|month| MonthOfGrants { month, persons: reported[&month] }).collect();
    let sum = months.iter().map(|it| it.persons).sum();
    (!months.is_empty()).then(|| RecentGrants {
        persons: extrapolated(sum, months.len() as i64, window.len() as i64),
        from: *averaged.first().expect("at least the last of them"),
        until,
        sum,
        months,
        missing,
    })
}

/// Scenario 2; nothing where no row of the plan counts in the window.
fn production_plan(plan: &Plan, window: &[Month]) -> Option<ProductionPlan> {
    let mut by_month: BTreeMap<Month, Parts> = window.iter().map(|month| (*month, 0)).collect();
    let mut is_about_the_window = false;
    let mut all = 0;
    let mut categories = Vec::new();
    for (category, planned) in plan.categories() {
        let (mut decisions, mut counted, mut from_before) = (0, 0, 0);
        for (&month, planned) in planned {
            if by_month.contains_key(&month) {
                decisions += planned.decisions.count();
            }
            for (counts_in, parts) in following(month).zip(planned.counted()) {
                let Some(sum) = by_month.get_mut(&counts_in) else { continue };
                *sum += parts;
                counted += parts;
                if month < window[0] {
                    from_before += parts;
                }
            }
        }
        let mut counting = months_that_count(planned.values(), window);
        is_about_the_window |= planned.keys().any(|month| counting.contains(month));
        counting.retain(|month| !planned.contains_key(month));
        all += counted;
        categories.push(PlannedCategory {
            category: category.as_str().into(),
            decisions,
            persons: rounded(counted),
            from_before: rounded(from_before),
            missing: counting.into_iter().collect(),
        });
    }
    is_about_the_window.then(|| ProductionPlan {
        persons: rounded(all),
        categories,
        months: by_month
            .into_iter()
            .map(|(month, parts)| MonthOfGrants { month, persons: rounded(parts) })
            .collect(),
    })
}

/// The months whose decisions would count in the window, if they were spread as some of these are.
fn months_that_count<'a>(rows: impl Iterator<Item = &'a Planned>, window: &[Month]) -> BTreeSet<Month> {
    let mut spread = [false; ARRIVING_AFTER_MAX + 1];
    for row in rows {
        for (is_spread, part) in spread.iter_mut().zip(row.counting()) {
            *is_spread |= part.parts() > 0;
        }
    }
    let before = std::iter::successors(window[0].previous(), |month| month.previous());
    let candidates = window.iter().copied().chain(before.take(ARRIVING_AFTER_MAX));
    let counts = |month: &Month| {
        following(*month).zip(spread).any(|(counts_in, is_spread)| is_spread && window.contains(&counts_in))
    };
    candidates.filter(counts).collect()
}

/// A month and those that follow it.
fn following(month: Month) -> impl Iterator<Item = Month> {
    std::iter::successors(Some(month), |month| month.next())
}

/// Whole persons, to the nearest; half a person goes up.
fn rounded(parts: Parts) -> i64 {
    ((2 * parts + PERSON) / (2 * PERSON)) as i64
}

fn past(quota: &Quota, window: WindowReport, reported: &BTreeMap<Month, i64>) -> Past {
    let of = months(window);
    let within = reported.range(Month::from(window.from)..=Month::from(window.until));
    let within =
        within.filter(|(month, _)| window.from <= month.first_day() && month.last_day() <= window.until);
    let sum = within.map(|(_, persons)| persons).sum();
    let missing: Vec<Month> =
        of.iter().flatten().copied().filter(|month| !reported.contains_key(month)).collect();
    let chosen = forecast_of(quota);
    let came = (of.is_some() && missing.is_empty()).then_some(sum);
    Past {
        half_year: quota.half_year,
        window,
        of_months: of.map(|it| it.len() as u32),
        missing,
        reported: sum,
        chosen,
        band: quota.band.map(BandReport::from),
        came,
        difference: came.map(|came| came - chosen),
        share: came.and_then(|came| Ratio::of(came, chosen)),
    }
}
