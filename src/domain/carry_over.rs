//! Carry-overs: the standing at the end of a half-year as the authority fixed it for the next.

use serde::{Deserialize, Serialize};

use super::area::PerMunicipality;
use super::half_year::HalfYear;
use super::persons::Balance;
use super::reference::Reference;

/// The standing carried into a half-year (doorgeschoven stand), as the authority fixed it.
///
/// Recorded as said: it stays beside what follows from the entries, and neither mends the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CarryOver {
    /// The half-year that closed.
    pub from_half_year: HalfYear,
    /// The half-year that opened: the one that follows.
    pub to_half_year: HalfYear,
    /// The standing of each municipality: above zero a backlog, below zero a surplus.
    pub persons: PerMunicipality<Balance>,
    /// Where it was fixed.
    pub reference: Reference,
}
