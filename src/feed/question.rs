//! What a question is in words: an area by code or name, a moment of knowledge, a division.
//!
//! The command line and the HTTP API take the same words for the same things.

use std::str::FromStr;

use crate::domain::area::{Area, MunicipalityCode, Province};
use crate::domain::named;
use crate::domain::time::{AsOf, Day, LogSize, RecordedAt};
use crate::ledger::{By, KnownAt, Ledger};

/// A moment as known at which somebody asks: a day (its start in the Netherlands), a time, or a log size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known(pub KnownAt);

impl FromStr for Known {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let size = text.parse().ok().map(|size| KnownAt::Size(LogSize(size)));
        let day = || text.parse::<Day>().ok().map(|day| KnownAt::Time(RecordedAt::start_of(day)));
        let time = || text.parse().ok().map(KnownAt::Time);
        size.or_else(day).or_else(time).map(Known).ok_or(
            "is not a moment: write a day (2025-01-15), a time (2025-01-15T09:00:00Z) or a log size (81234)",
        )
    }
}

named! {
    /// What an answer is divided by.
    pub enum Division {
        /// An answer for each municipality.
        Municipality = "municipality",
        /// An answer for each province.
        Province = "province",
    } else "is not a division"
}

/// Only the country has provinces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only NL is divided by province")]
pub struct NotDivided;

/// How an answer about an area is divided.
///
/// # Errors
/// When a part of the country should be divided by province.
pub fn divided(area: Area, by: Option<Division>) -> Result<By, NotDivided> {
    match (by, area) {
        (None, _) => Ok(By::Whole),
        (Some(Division::Municipality), _) => Ok(By::Municipality),
        (Some(Division::Province), Area::Country) => Ok(By::Province),
        (Some(Division::Province), _) => Err(NotDivided),
    }
}

/// Why a text names no area.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoArea {
    /// Utrecht and Groningen are provinces too: the name alone does not say which is meant.
    #[error("{name} is a municipality ({municipality}) and a province ({province}): give the code")]
    Ambiguous {
        /// The name of both.
        name: String,
        /// The municipality.
        municipality: MunicipalityCode,
        /// The province.
        province: Province,
    },
    /// Nothing is called so. What was asked is not repeated.
    #[error("nothing is called so on {on}: write NL, a province or a municipality by code or name")]
    Unknown {
        /// The reference date.
        on: Day,
    },
}

/// The area that a text names: by code, or by name as it is on the reference date.
///
/// # Errors
/// When it names none, or two.
pub fn area(ledger: &Ledger, text: &str, as_of: AsOf) -> Result<Area, NoArea> {
    if let Ok(area) = text.parse() {
        return Ok(area);
    }
    let province = province_named(text);
    match (ledger.book().municipality_named(text, as_of), province) {
        (Some(it), Some(province)) => {
            let (name, municipality) = (it.name.to_string(), it.code);
            Err(NoArea::Ambiguous { name, municipality, province })
        }
        (Some(it), None) => Ok(Area::Municipality(it.code)),
        (None, Some(province)) => Ok(Area::Province(province)),
        (None, None) => Err(NoArea::Unknown { on: as_of.reference_date.0 }),
    }
}

fn province_named(text: &str) -> Option<Province> {
    Province::all().find(|it| it.name().to_lowercase() == text.to_lowercase())
}

/// From when on a standing is explained, where nobody says: the first day of the half-year that a date lies in, or that it
/// closes.
pub fn usual_since(on: Day) -> Day {
    let first = on.half_year().first_day();
    match on.half_year().previous().filter(|_| first == on) {
        Some(closed) => closed.first_day(),
        None => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_a_time_or_a_size() {
        let known = |text: &str| text.parse::<Known>().map(|it| it.0);
        let nine = "2025-01-15T09:00:00Z".parse().unwrap();
        assert_eq!(known("81234"), Ok(KnownAt::Size(LogSize(81_234))));
        assert_eq!(known("2025-01-15T09:00:00Z"), Ok(KnownAt::Time(nine)));
        // The day begins at midnight in the Netherlands, an hour earlier in UTC.
        let midnight = "2025-01-14T23:00:00Z".parse().unwrap();
        assert_eq!(known("2025-01-15"), Ok(KnownAt::Time(midnight)));
        for wrong in ["", "-1", "yesterday", "2025-13-01", "15-01-2025"] {
            assert!(known(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_standing_is_explained_from_the_half_year_that_it_closes_or_lies_in() {
        for (on, since) in
            [("2026-01-01", "2025-07-01"), ("2026-01-02", "2026-01-01"), ("1990-01-01", "1990-01-01")]
        {
            assert_eq!(usual_since(on.parse().unwrap()), since.parse().unwrap(), "{on}");
        }
    }

    #[test]
    fn only_the_country_is_divided_by_province() {
        let south: Area = "PV28".parse().unwrap();
        assert_eq!(divided(Area::Country, Some(Division::Province)), Ok(By::Province));
        assert_eq!(divided(south, Some(Division::Province)), Err(NotDivided));
        assert_eq!(divided(south, Some(Division::Municipality)), Ok(By::Municipality));
        assert_eq!(divided(south, None), Ok(By::Whole));
    }
}
