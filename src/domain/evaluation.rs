//! The interim evaluation (tussentijdse evaluatie) of a running quota.

use serde::{Deserialize, Serialize};

use super::area::PerMunicipality;
use super::half_year::HalfYear;
use super::persons::Persons;
use super::quota::Window;
use super::reference::Reference;
use super::time::Day;

/// What the ministry found half-way and what was decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evaluation {
    /// The half-year whose quota was evaluated.
    pub half_year: HalfYear,
    /// The day of the figures (peilmoment).
    pub measured_on: Day,
    /// The period over which permits are expected.
    #[serde(default, deserialize_with = "super::present_object", skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The number of permits that the quota was based on.
    pub expected: Persons,
    /// The number of permits expected now, where it was given.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub now_expected: Option<Persons>,
    /// What was decided.
    #[serde(deserialize_with = "super::object")]
    pub outcome: Outcome,
    /// The day of the decision.
    pub decided_on: Day,
    /// Where the decision stands.
    pub reference: Reference,
}

/// The three outcomes of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Outcome {
    /// The quota stays as it is.
    Kept {},
    /// The quota of the running half-year is another number from the day of the decision.
    Revised {
        /// The new national number.
        national: Persons,
        /// The new number of each municipality.
        persons: PerMunicipality<Persons>,
    },
    /// The quota stays; the difference goes into the quota of the next half-year.
    CarriedForward {
        /// The half-year that it goes into.
        into: HalfYear,
        /// The difference.
        persons: Persons,
    },
}
