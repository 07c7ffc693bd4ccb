//! Places in small-scale care (kleinschalige opvang, kso) for unaccompanied minors (amv).

use serde::{Deserialize, Serialize};

use super::area::PerMunicipality;
use super::persons::Persons;
use super::reference::Reference;
use super::time::Day;

/// How many places are needed in small-scale care until a date (capaciteitsbehoefte).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AmvCapacity {
    /// The day from which this need holds.
    pub from: Day,
    /// The last day for which it holds.
    pub until: Day,
    /// Places needed in the whole country.
    pub places: Persons,
    /// The indicative number of each municipality, where it was given.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub per_municipality: Option<PerMunicipality<Persons>>,
    /// Where it was set.
    pub reference: Reference,
}

/// How many places there are in small-scale care on a day.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AmvPlaces {
    /// The day of the count.
    pub counted_on: Day,
    /// Places in the whole country.
    pub places: Persons,
    /// Places in each municipality, where they were given.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub per_municipality: Option<PerMunicipality<Persons>>,
    /// Where the count stands.
    pub reference: Reference,
}
