//! The regime on a day: which phase holds, and whether a quota is in force.

use serde::{Deserialize, Serialize};

use super::{Book, Unprepared, known};
use crate::domain::half_year::HalfYear;
use crate::domain::reference::Reference;
use crate::domain::regime::Phase;
use crate::domain::time::{AsOf, Day, LogSize, ReferenceDate};

/// The phase that holds on a reference date: of those that cover it the one recorded last. Where none is recorded a quota
/// is in force, as the Act has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Regime {
    /// Whether a quota is in force.
    pub quota_in_force: bool,
    /// The phase, where one is recorded.
    #[serde(deserialize_with = "Option::deserialize")]
    pub phase: Option<Phase>,
    /// Its first day.
    #[serde(deserialize_with = "Option::deserialize")]
    pub from: Option<Day>,
    /// Its last day, where it has one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub until: Option<Day>,
    /// Where it stands.
    #[serde(deserialize_with = "Option::deserialize")]
    pub reference: Option<Reference>,
}

impl Book<'_> {
    /// The regime on a reference date, as known then.
    pub fn regime(&self, as_of: AsOf) -> Regime {
        let on = as_of.reference_date.0;
        let Some(set) = known(&self.phases, as_of.known_at).find(|it| it.covers(on)) else {
            return Regime { quota_in_force: true, phase: None, from: None, until: None, reference: None };
        };
        let it = set.report();
        Regime {
            quota_in_force: it.quota_in_force,
            phase: Some(it.phase),
            from: Some(it.from),
            until: it.until,
            reference: Some(it.reference.clone()),
        }
    }

    /// That a quota is in force when a half-year begins.
    ///
    /// # Errors
    /// When a phase without a quota holds on its first day, as known then.
    pub(super) fn quota_is_in_force(&self, half_year: HalfYear, known_at: LogSize) -> Result<(), Unprepared> {
        let first_day = ReferenceDate(half_year.first_day());
        match self.regime(AsOf { reference_date: first_day, known_at }) {
            Regime {
                quota_in_force: false,
                phase: Some(phase),
                from: Some(from),
                reference: Some(reference),
                ..
            } => Err(Unprepared::NoQuotaInForce { half_year, phase, from, reference }),
            _ => Ok(()),
        }
    }
}
