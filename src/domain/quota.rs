//! Quotas (taakstelling): the national number, the municipal numbers, and what municipalities
//! exchange among themselves.

use serde::{Deserialize, Serialize};

use super::area::{MunicipalityCode, PerMunicipality};
use super::half_year::HalfYear;
use super::persons::Persons;
use super::reference::{GazetteRef, Reference};
use super::time::Day;
use super::{Fault, named};

/// A period of days, both ends included, in which permits are expected or counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "WindowReport", into = "WindowReport")]
pub struct Window {
    from: Day,
    until: Day,
}

/// A [`Window`] as it is delivered and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowReport {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub until: Day,
}

impl TryFrom<WindowReport> for Window {
    type Error = Fault;

    fn try_from(it: WindowReport) -> Result<Self, Fault> {
        match it.from <= it.until {
            true => Ok(Self { from: it.from, until: it.until }),
            false => Err(Fault("is a period that ends before it begins")),
        }
    }
}

impl From<Window> for WindowReport {
    fn from(it: Window) -> Self {
        Self { from: it.from, until: it.until }
    }
}

/// The lower and the upper end of the forecast that a quota was chosen from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "BandReport", into = "BandReport")]
pub struct Band {
    lower: Persons,
    upper: Persons,
}

/// A [`Band`] as it is delivered and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BandReport {
    /// The lower end.
    pub lower: Persons,
    /// The upper end.
    pub upper: Persons,
}

impl TryFrom<BandReport> for Band {
    type Error = Fault;

    fn try_from(it: BandReport) -> Result<Self, Fault> {
        match it.lower <= it.upper {
            true => Ok(Self { lower: it.lower, upper: it.upper }),
            false => Err(Fault("is a band whose lower end is above its upper end")),
        }
    }
}

impl From<Band> for BandReport {
    fn from(it: Band) -> Self {
        Self { lower: it.lower, upper: it.upper }
    }
}

/// A part of a quota that stems from an earlier half-year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Included {
    /// The earlier half-year.
    pub half_year: HalfYear,
    /// How many persons of the quota stem from it.
    pub persons: Persons,
}

/// The national number of a half-year (taakstelling), as published in the Staatscourant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// The half-year that it holds for.
    pub half_year: HalfYear,
    /// The number of persons to be housed in the whole country.
    pub persons: Persons,
    /// The period of the forecast, usually six months that start three months earlier.
    #[serde(default, deserialize_with = "super::present_object", skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The band of the forecast.
    #[serde(default, deserialize_with = "super::present_object", skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// What it includes from earlier half-years.
    #[serde(default, deserialize_with = "super::objects", skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<Included>,
    /// The day of publication, where it is known.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub published_on: Option<Day>,
    /// The number of the Staatscourant.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub gazette: Option<GazetteRef>,
    /// Where the number stands.
    pub reference: Reference,
}

named! {
    /// How municipal numbers came about.
    pub enum AllocationMethod {
        /// As published by the authority. That is what counts, whatever a calculation gives.
        Published = "published",
        /// Computed from the inhabitants of each municipality.
        ByInhabitants = "by_inhabitants",
    } else "is not a method of allocation"
}

named! {
    /// How a share by inhabitants became a whole number.
    pub enum Rounding {
        /// Up, as the Act says (Huisvestingswet 2014, article 29).
        Up = "up",
        /// To the nearest number.
        Nearest = "nearest",
        /// Down, and the rest to the largest remainders: the sum is exact.
        LargestRemainder = "largest_remainder",
    } else "is not a way of rounding"
}

/// The numbers of municipalities for a half-year (gemeentelijke taakstelling).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Allocation {
    /// The half-year.
    pub half_year: HalfYear,
    /// The number of each municipality.
    pub persons: PerMunicipality<Persons>,
    /// How the numbers came about.
    pub method: AllocationMethod,
    /// How they were rounded, where they were computed.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
    /// Where the numbers stand.
    pub reference: Reference,
}

/// What one of the two municipalities decided about an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExchangeSide {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The number of persons in its decision.
    pub persons: Persons,
    /// The day of its decision.
    pub decided_on: Day,
    /// Where the decision stands.
    pub reference: Reference,
}

/// A shift of quota between two municipalities (onderlinge ruil, Huisvestingswet 2014, article
/// 29(2)): one fact with both sides, so that the sum stays the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "ExchangeReport", into = "ExchangeReport")]
pub struct Exchange {
    report: ExchangeReport,
}

/// An [`Exchange`] as it is delivered and stored, before it is known to make sense.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExchangeReport {
    /// The half-year whose quota is shifted.
    pub half_year: HalfYear,
    /// The municipality that has fewer to house.
    #[serde(deserialize_with = "super::object")]
    pub from: ExchangeSide,
    /// The municipality that has more to house.
    #[serde(deserialize_with = "super::object")]
    pub to: ExchangeSide,
}

/// Why an [`ExchangeReport`] is no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ExchangeFault {
    /// The decisions name different numbers.
    #[error("the two decisions of an exchange name different numbers of persons")]
    SidesDiffer,
    /// Nothing is exchanged.
    #[error("an exchange shifts at least 1 person")]
    NoPersons,
    /// Both sides are the same municipality.
    #[error("an exchange is between two municipalities")]
    OneMunicipality,
}

impl Exchange {
    /// The half-year whose quota is shifted.
    pub fn half_year(&self) -> HalfYear {
        self.report.half_year
    }

    /// The number of persons shifted.
    pub fn persons(&self) -> Persons {
        self.report.from.persons
    }

    /// The municipality that has fewer to house.
    pub fn from(&self) -> MunicipalityCode {
        self.report.from.municipality
    }

    /// The municipality that has more to house.
    pub fn to(&self) -> MunicipalityCode {
        self.report.to.municipality
    }

    /// The day on which both had decided.
    pub fn decided_on(&self) -> Day {
        self.report.from.decided_on.max(self.report.to.decided_on)
    }
}

impl TryFrom<ExchangeReport> for Exchange {
    type Error = ExchangeFault;

    fn try_from(report: ExchangeReport) -> Result<Self, ExchangeFault> {
        if report.from.persons != report.to.persons {
            return Err(ExchangeFault::SidesDiffer);
        }
        if report.from.persons.count() == 0 {
            return Err(ExchangeFault::NoPersons);
        }
        match report.from.municipality == report.to.municipality {
            true => Err(ExchangeFault::OneMunicipality),
            false => Ok(Self { report }),
        }
    }
}

impl From<Exchange> for ExchangeReport {
    fn from(it: Exchange) -> Self {
        it.report
    }
}
