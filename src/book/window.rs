//! The period that a forecast is about, the months that it is made of, and the grants that are reported of them.

use std::collections::BTreeMap;

use super::{Book, known};
use crate::domain::half_year::HalfYear;
use crate::domain::quota::{Quota, WindowReport};
use crate::domain::time::{LogSize, Month};

/// The months that the forecast of a half-year usually covers: six that start three months before it.
fn usual_window(half_year: HalfYear) -> WindowReport {
    // Hundred days into the half-year before lie in its fourth month. The first one that can be written has none before it.
    let fourth = half_year.previous().map(|before| Month::from(before.first_day().plus_days(100)));
    let from = fourth.map_or(half_year.first_day(), Month::first_day);
    let until = Month::from(half_year.first_day().plus_days(70)).last_day();
    WindowReport { from, until }
}

/// The period of the forecast of a half-year, and whether it was published with the quota; otherwise it is the usual one.
pub(super) fn window(half_year: HalfYear, quota: Option<&Quota>) -> (WindowReport, bool) {
    let published = quota.and_then(|it| it.window).map(WindowReport::from);
    (published.unwrap_or_else(|| usual_window(half_year)), published.is_some())
}

/// The whole months that make up a period, if any do.
pub(super) fn months(window: WindowReport) -> Option<Vec<Month>> {
    let mut months = vec![Month::from(window.from)];
    if months[0].first_day() != window.from {
        return None;
    }
    while months[months.len() - 1].last_day() < window.until {
        months.push(Month::from(months[months.len() - 1].last_day().plus_days(1)));
    }
    (months[months.len() - 1].last_day() == window.until).then_some(months)
}

/// The part of a quota that its forecast gave: the number without what it includes from earlier half-years.
pub(super) fn forecast_of(quota: &Quota) -> i64 {
    quota.persons.count() - quota.includes.iter().map(|it| it.persons.count()).sum::<i64>()
}

/// A number of so many months for all of them, to the nearest person.
pub(super) fn extrapolated(persons: i64, reported: i64, of: i64) -> i64 {
    (2 * persons * of + reported) / (2 * reported)
}

impl Book<'_> {
    /// Permits granted and family members arrived by month, each as it was reported last.
    pub(super) fn reported_grants(&self, known_at: LogSize) -> BTreeMap<Month, i64> {
        let mut reported = BTreeMap::new();
        for it in known(&self.grants, known_at) {
            // The report of a month that was recorded last comes first.
            let persons = it.permits_granted.count() + it.family_members_arrived.count();
            reported.entry(it.month).or_insert(persons);
        }
        reported
    }

    /// The same of the months that lie in a period.
    pub(super) fn reported_in(&self, window: WindowReport, known_at: LogSize) -> BTreeMap<Month, i64> {
        let mut reported = self.reported_grants(known_at);
        reported.retain(|month, _| window.from <= month.first_day() && month.last_day() <= window.until);
        reported
    }
}
