//! The regime: the phases of the quota system, and whether a quota is in force in them.
//!
//! The quota is meant to end (decision note of July 2025: a phase of preparation, one of implementation and one of
//! normalisation), and nobody knows whether and when it will. So each phase is a dated fact that can be recorded anew.

use serde::{Deserialize, Serialize};

use super::reference::Reference;
use super::time::Day;
use super::{Fault, named};

named! {
    /// A phase (fase) on the way from the quota to what comes after it.
    pub enum Phase {
        /// The measures that are to take the place of the quota are prepared (voorbereidingsfase).
        Preparation = "preparation",
        /// They are brought in (implementatiefase).
        Implementation = "implementation",
        /// They have become normal (normalisatiefase).
        Normalisation = "normalisation",
    } else "is not a phase of the regime"
}

/// That a phase holds in a period, and whether municipalities are given a quota (taakstelling) in it.
///
/// What was due before stays due: a phase without a quota brings nothing new and takes nothing off.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "PhaseReport", into = "PhaseReport")]
pub struct PhaseSet {
    report: PhaseReport,
}

/// A [`PhaseSet`] as it is delivered and stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseReport {
    /// The phase.
    pub phase: Phase,
    /// The first day of it.
    pub from: Day,
    /// The last day of it; without one it holds until another phase is recorded.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// Whether a quota is in force in it.
    pub quota_in_force: bool,
    /// Where that stands.
    pub reference: Reference,
}

impl PhaseSet {
    /// What was said.
    pub fn report(&self) -> &PhaseReport {
        &self.report
    }

    /// Whether the phase holds on a day.
    pub fn covers(&self, day: Day) -> bool {
        self.report.from <= day && self.report.until.is_none_or(|until| day <= until)
    }
}

impl TryFrom<PhaseReport> for PhaseSet {
    type Error = Fault;

    fn try_from(report: PhaseReport) -> Result<Self, Fault> {
        match report.until.is_none_or(|until| report.from <= until) {
            true => Ok(Self { report }),
            false => Err(Fault("is a phase that ends before it begins")),
        }
    }
}

impl From<PhaseSet> for PhaseReport {
    fn from(it: PhaseSet) -> Self {
        it.report
    }
}
