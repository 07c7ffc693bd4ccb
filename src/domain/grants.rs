//! Permits granted: what forecasts and evaluations rest on.

use serde::{Deserialize, Serialize};

use super::persons::Persons;
use super::reference::Reference;
use super::time::Month;

/// The permits granted in a month, and the family members who arrived.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grants {
    /// The month.
    pub month: Month,
    /// Asylum permits granted.
    pub permits_granted: Persons,
    /// Family members with a derived permit who arrived (ingereisde nareizigers).
    pub family_members_arrived: Persons,
    /// Where the numbers stand.
    pub reference: Reference,
}
