//! Questions about an area: which one, when, as known when, and whether the caller may see the answer.

use axum::http::StatusCode;

use super::Server;
use super::asked::Query;
use super::gate::By;
use super::problem::{Answered, AskedWrongly, Problem};
use crate::domain::access::Caller;
use crate::domain::area::{Area, MunicipalityCode, Province};
use crate::domain::time::{AsOf, Day, ReferenceDate};
use crate::feed::question::{self, Known, NoArea};
use crate::ledger::{KnownAt, Ledger, LedgerError};

const DATE: &str = "give a date as 2026-01-01";
const MOMENT: &str = "give a day (2026-01-01), a time (2026-01-01T10:00:00Z) or a log size (81234)";

/// A moment of knowledge that is asked for.
#[derive(Clone, Copy)]
pub struct Moment {
    /// Which.
    pub known_at: KnownAt,
    /// Whether it is a log size, so that the answer never changes.
    pub fixed: bool,
}

/// The moment of knowledge in a parameter; the present one without.
pub fn moment(query: &mut Query, name: &'static str) -> Moment {
    given_moment(query, name).unwrap_or(Moment { known_at: KnownAt::Now, fixed: false })
}

/// The moment of knowledge in a parameter, if it is there.
pub fn given_moment(query: &mut Query, name: &'static str) -> Option<Moment> {
    let Known(known_at) = query.get(name, MOMENT)?;
    Some(Moment { known_at, fixed: matches!(known_at, KnownAt::Size(_)) })
}

/// The reference date, which is needed.
pub fn reference_date(query: &mut Query) -> Option<Day> {
    query.need("referenceDate", DATE)
}

/// A date that may be left out.
pub fn date(query: &mut Query, name: &'static str) -> Option<Day> {
    query.get(name, DATE)
}

/// The log size of a question.
///
/// # Errors
/// When the log never had it. It is the parameter that is wrong then.
pub fn as_of(ledger: &Ledger, on: Day, moment: Moment, name: &str) -> Answered<AsOf> {
    ledger.as_of(ReferenceDate(on), moment.known_at).map_err(|error| match error {
        LedgerError::NeverKnown { .. } => {
            let remedy = "ask for a size that the log has had, or leave it out";
            Problem::one("never-known", &format!("query.{name}"), &error.to_string(), remedy)
        }
        error => error.into(),
    })
}

/// Whether the caller is shown all that there is of an area, and not only what everybody may see.
pub fn sees_all(by: &By, ledger: &Ledger, area: Area, as_of: AsOf) -> bool {
    by.0.as_deref().is_some_and(|caller| sees(caller, ledger, area, as_of))
}

fn sees(caller: &Caller, ledger: &Ledger, area: Area, as_of: AsOf) -> bool {
    let province_of = |code: MunicipalityCode| -> Option<Province> {
        ledger.book().municipality(code, as_of).ok().map(|it| it.province)
    };
    caller.may_see(area, province_of).is_ok()
}

/// The area that stands in an address, by code or name.
///
/// # Errors
/// When there is none.
pub fn area(ledger: &Ledger, text: &str, as_of: AsOf) -> Answered<Area> {
    question::area(ledger, text, as_of).map_err(|none| no_area(&none))
}

/// The area that stands in an address, for somebody who may see what lies behind its totals.
///
/// # Errors
/// When there is none, or it is not the caller's. Whoever answers for some areas is told the same of all others, whether
/// they are there or not.
pub fn own_area(ledger: &Ledger, text: &str, as_of: AsOf, caller: &Caller) -> Answered<Area> {
    let not_yours = || {
        Problem::not_allowed(
            "this is for those who answer for the area: ask for one that goes with your token",
        )
    };
    match question::area(ledger, text, as_of) {
        Ok(area) if sees(caller, ledger, area, as_of) => Ok(area),
        Err(none) if !caller.role().has_areas() => Err(no_area(&none)),
        _ => Err(not_yours()),
    }
}

fn no_area(none: &NoArea) -> Problem {
    match none {
        NoArea::Ambiguous { .. } => Problem::one(
            "ambiguous",
            "path.area",
            &none.to_string(),
            "give the code of the one that is meant",
        ),
        NoArea::Unknown { .. } => not_there(&none.to_string()),
    }
}

/// An area that is not there, or not on that day.
pub fn not_there(why: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-area", why)
}

/// The same for what the ledger says of an area in an address.
pub fn in_address(error: LedgerError) -> Problem {
    match error {
        LedgerError::Unanswerable(why) => not_there(&why.to_string()),
        error => error.into(),
    }
}

/// The area in a parameter; the country without.
pub fn area_asked(server: &Server, query: &mut Query, on: Option<Day>, moment: Moment) -> Option<Area> {
    let Some(text) = query.get::<String>("area", "") else { return Some(Area::Country) };
    // On which day a name is looked up is said by another parameter, which may be wrong as well.
    let ledger = server.ledger();
    let as_of = ledger.as_of(ReferenceDate(on?), moment.known_at).ok()?;
    question::area(&ledger, &text, as_of)
        .map_err(|none| {
            let remedy = "write NL, a province or a municipality by code or name";
            query.fault(AskedWrongly::new("no-such-area", "query.area", &none.to_string(), remedy));
        })
        .ok()
}
