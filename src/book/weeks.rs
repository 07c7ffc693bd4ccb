//! A half-year week by week: what could be seen of it on each Monday, with what was known when that day began, and what
//! became of it.
//!
//! A row is about the area as it was on its day, as known then. A municipality has none before it begins to exist and
//! after it has ceased, since others answer for its persons then: so on each Monday every person is in one row, and the
//! rows of all municipalities of a province add up to that of the province.

use serde::{Deserialize, Serialize};

use super::account::{Account, Accounts};
use super::evaluation::basis;
use super::restatement::closed_on;
use super::statement::{Decision, NamedArea, Ratio, decision};
use super::window::{extrapolated, months};
use super::{Book, Unanswerable, Unprepared, known};
use crate::domain::area::Area;
use crate::domain::half_year::HalfYear;
use crate::domain::named;
use crate::domain::persons::Persons;
use crate::domain::time::{AsOf, Day, LogSize, ReferenceDate};

/// A day from whose start a half-year is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The day.
    pub on: Day,
    /// What was known when it began; nothing where the log does not reach it, since more may be recorded before then.
    pub known_at: Option<LogSize>,
}

/// The days from which a half-year is looked at: its Mondays, and the first day after it.
pub fn days(half_year: HalfYear) -> impl Iterator<Item = Day> {
    half_year.mondays().chain(closed_on(half_year))
}

/// Why there are no weeks to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWeeks {
    /// No Monday of the half-year has come.
    #[error("the log does not reach a Monday of {half_year}: ask for an earlier half-year")]
    NotBegun {
        /// The half-year.
        half_year: HalfYear,
    },
    /// The area did not exist on any of its days.
    #[error(transparent)]
    Area(#[from] Unanswerable),
    /// There was nothing to miss.
    #[error(transparent)]
    Quota(#[from] Unprepared),
}

named! {
    /// Why a day has no standing.
    pub enum Without {
        /// The log does not reach it.
        NotReached = "not_reached",
        /// No municipality of the area was in the register, as known then.
        Unknown = "unknown",
        /// The municipality did not exist yet.
        NotYet = "not_yet",
        /// The municipality no longer existed.
        Ceased = "ceased",
    } else "is not a reason to have no standing"
}

/// A half-year as it looked on each Monday, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Weeks {
    /// The area, as it is named at the end of the half-year.
    #[serde(deserialize_with = "crate::domain::object")]
    pub area: NamedArea,
    /// The half-year.
    pub half_year: HalfYear,
    /// Each Monday, and the first day after the half-year.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub weeks: Vec<Week>,
    /// What became of it, as known at the end of the log; nothing where the half-year is not over, or the area was none at
    /// its end.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub ended: Option<Ended>,
    /// The first Monday from which on every week expected a backlog at the end, of however few persons.
    #[serde(deserialize_with = "Option::deserialize")]
    pub seen_from: Option<Day>,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// What could be seen when a day began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Week {
    /// The day.
    pub on: Day,
    /// How many entries were known; nothing where the log does not reach the day.
    #[serde(deserialize_with = "Option::deserialize")]
    pub size: Option<u64>,
    /// The standing then.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub standing: Option<StandingThen>,
    /// Why there is none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub without: Option<Without>,
    /// The interim evaluation as it stood then, for the country, where a quota was known.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub interim: Option<Interim>,
}

/// The standing in the half-year, as a statement gives it, and what it led one to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StandingThen {
    /// What was due.
    pub due: i64,
    /// What was realised.
    pub realised: i64,
    /// What would have been realised on schedule; nothing where no quota was in force.
    #[serde(deserialize_with = "Option::deserialize")]
    pub on_schedule: Option<i64>,
    /// Realised minus on schedule.
    #[serde(deserialize_with = "Option::deserialize")]
    pub pace: Option<i64>,
    /// What remained.
    pub remaining: i64,
    /// Realised / due, where something was due.
    #[serde(deserialize_with = "Option::deserialize")]
    pub fulfilment: Option<Ratio>,
    /// What would remain at the end if realisation went on as so far, by sixths and days, to the nearest person. Nothing
    /// while nothing of the half-year had passed, no municipal numbers were known, or no quota was in force.
    #[serde(deserialize_with = "Option::deserialize")]
    pub expected: Option<i64>,
}

/// What an interim evaluation would have found then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Interim {
    /// The national number as published.
    pub quota: Persons,
    /// The national number in force.
    pub in_force: Persons,
    /// The forecast that it was based on.
    pub expected: i64,
    /// What was expected from the grants of the window that were reported by then.
    #[serde(deserialize_with = "Option::deserialize")]
    pub now_expected: Option<i64>,
    /// Of how many months of the window grants were reported.
    pub months: u32,
    /// How many months the window has, where it is made of whole ones.
    #[serde(deserialize_with = "Option::deserialize")]
    pub of_months: Option<u32>,
    /// What was expected by then minus what it was based on.
    #[serde(deserialize_with = "Option::deserialize")]
    pub difference: Option<i64>,
    /// What was decided, where a decision was recorded by then.
    #[serde(deserialize_with = "decision")]
    pub decided: Option<Decision>,
}

/// How the half-year ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ended {
    /// What was due.
    pub due: i64,
    /// What was realised.
    pub realised: i64,
    /// What remained; below zero it was a surplus.
    pub remaining: i64,
    /// What the authority fixed as carry-over, of the municipalities where it did.
    #[serde(deserialize_with = "Option::deserialize")]
    pub recorded: Option<i64>,
    /// For how many municipalities it did.
    pub recorded_for: u32,
}

impl Book<'_> {
    /// A half-year as it looked on each of these days, with what was known when it began, and what became of it as known
    /// at the end.
    ///
    /// # Errors
    /// When none of the days has come, no quota of the half-year is known at the end, or the area existed on none of them.
    pub fn weeks(
        &self,
        area: Area,
        half_year: HalfYear,
        looks: &[Look],
        end: LogSize,
    ) -> Result<Weeks, NoWeeks> {
        if looks.iter().all(|it| it.known_at.is_none()) {
            return Err(NoWeeks::NotBegun { half_year });
        }
        let area = self.named_within(area, half_year, looks, end)?;
        if !known(&self.quotas, end).any(|it| it.half_year == half_year) {
            self.quota_is_in_force(half_year, end)?;
            return Err(Unprepared::NoQuota { half_year, known_at: end }.into());
        }
        let weeks: Vec<_> = looks.iter().map(|look| self.week(area.code, half_year, *look)).collect();
        Ok(Weeks {
            ended: self.ended(area.code, half_year, looks, end),
            seen_from: seen_from(&weeks, half_year),
            generated: self.is_generated(end),
            area,
            half_year,
            weeks,
        })
    }

    /// The area as it is named at the end of the half-year; else on the latest of its days on which it exists, as known at
    /// the end or as known then.
    fn named_within(
        &self,
        area: Area,
        half_year: HalfYear,
        looks: &[Look],
        end: LogSize,
    ) -> Result<NamedArea, Unanswerable> {
        let on = |day, known_at| self.named(area, AsOf { reference_date: ReferenceDate(day), known_at });
        let within = || looks.iter().rev().filter(|look| look.on.half_year() == half_year);
        let earlier = within().map(|look| (look.on, end));
        let known_then = within().filter_map(|look| Some((look.on, look.known_at?)));
        let mut others = earlier.chain(known_then);
        on(half_year.last_day(), end)
            .or_else(|none| others.find_map(|(day, known_at)| on(day, known_at).ok()).ok_or(none))
    }

    fn week(&self, area: Area, half_year: HalfYear, look: Look) -> Week {
        let Look { on, known_at } = look;
        let size = known_at.map(|it| it.0);
        let Some(known_at) = known_at else {
            return Week { on, size, standing: None, without: Some(Without::NotReached), interim: None };
        };
        let as_of = AsOf { reference_date: ReferenceDate(on), known_at };
        let interim = (area == Area::Country).then(|| self.interim(half_year, as_of)).flatten();
        let (standing, without) = match self.standing_then(area, half_year, as_of) {
            Ok(standing) => (Some(standing), None),
            Err(without) => (None, Some(without)),
        };
        Week { on, size, standing, without, interim }
    }

    fn standing_then(&self, area: Area, half_year: HalfYear, as_of: AsOf) -> Result<StandingThen, Without> {
        let account = self.account_within(area, half_year, as_of)?;
        let (due, realised) = (account.due(), account.realised());
        let elapsed = half_year.elapsed(as_of.reference_date);
        let on = as_of.reference_date.0.min(half_year.last_day());
        let regime = self.regime(AsOf { reference_date: ReferenceDate(on), ..as_of });
        let on_schedule = regime.quota_in_force.then(|| elapsed.of(due));
        let numbers_known = known(&self.allocations, as_of.known_at).any(|it| it.half_year == half_year);
        Ok(StandingThen {
            due,
            realised,
            on_schedule,
            pace: on_schedule.map(|number| realised - number),
            remaining: due - realised,
            fulfilment: Ratio::of(realised, due),
            expected: elapsed
                .whole_of(realised)
                .filter(|_| regime.quota_in_force && numbers_known)
                .map(|whole| due - whole),
        })
    }

    /// What an area stands for in a half-year, on one of its days or when it is over. Then it is made of the municipalities
    /// of its last day, as those that begin on the next answer for it later.
    fn account_within(&self, area: Area, half_year: HalfYear, as_of: AsOf) -> Result<Account, Without> {
        let on = as_of.reference_date.0.min(half_year.last_day());
        let members = self.members(area, AsOf { reference_date: ReferenceDate(on), ..as_of });
        let members = members.map_err(|none| match none {
            Unanswerable::UnknownMunicipality(..) => Without::Unknown,
            Unanswerable::NotYet { .. } => Without::NotYet,
            Unanswerable::Ceased { .. } => Without::Ceased,
        })?;
        if members.is_empty() {
            return Err(Without::Unknown);
        }
        let mut accounts = Accounts::new(self, as_of);
        let mut sum = Account::default();
        for municipality in members {
            sum += accounts.account(municipality.code, half_year);
        }
        Ok(sum)
    }

    /// What an interim evaluation would have found, where a quota was known.
    fn interim(&self, half_year: HalfYear, as_of: AsOf) -> Option<Interim> {
        let quota = known(&self.quotas, as_of.known_at).find(|it| it.half_year == half_year)?;
        let national = self.national(half_year, as_of)?;
        let basis = basis(quota);
        let all = months(basis.window);
        let reported = self.reported_in(basis.window, as_of.known_at);
        let now_expected = all
            .as_ref()
            .filter(|_| !reported.is_empty())
            .map(|all| extrapolated(reported.values().sum(), reported.len() as i64, all.len() as i64));
        Some(Interim {
            quota: basis.quota,
            in_force: national.in_force,
            expected: basis.expected,
            now_expected,
            months: reported.len() as u32,
            of_months: all.map(|all| all.len() as u32),
            difference: now_expected.map(|now| now - basis.expected),
            decided: national.evaluation,
        })
    }

    /// How the half-year ended as known at the end, if it is over by then.
    fn ended(&self, area: Area, half_year: HalfYear, looks: &[Look], end: LogSize) -> Option<Ended> {
        let closed_on = closed_on(half_year)?;
        looks.iter().find(|it| it.on == closed_on && it.known_at.is_some())?;
        let as_of = AsOf { reference_date: ReferenceDate(closed_on), known_at: end };
        let account = self.account_within(area, half_year, as_of).ok()?;
        let closing = self.closing(area, half_year, end);
        Some(Ended {
            due: account.due(),
            realised: account.realised(),
            remaining: account.remaining(),
            recorded: (closing.recorded_for > 0).then_some(closing.recorded),
            recorded_for: closing.recorded_for,
        })
    }
}

/// The first Monday from which on every one that has come expected a backlog at the end.
fn seen_from(weeks: &[Week], half_year: HalfYear) -> Option<Day> {
    let come = weeks.iter().rev().filter(|it| it.on.half_year() == half_year && it.size.is_some());
    let expects_backlog = |it: &&Week| it.standing.and_then(|it| it.expected).is_some_and(|it| it > 0);
    come.take_while(expects_backlog).last().map(|it| it.on)
}
