//! `peildatum deadlines`.

use std::path::Path;
use std::slice;

use clap::Args;

use super::statement::{area, whole};
use super::{Failure, Format};
use crate::domain::half_year::HalfYear;
use crate::domain::time::{Day, ReferenceDate};
use crate::feed::question::{Division, Known, divided};
use crate::ledger::{By, KnownAt, Outside};
use crate::report::deadlines;
use crate::store::Access;

/// How long it took from the permit to housing, and who stays too long in a transit location or hotel.
///
/// Of everybody who was housed in a half-year and counts: the distribution of weeks, the share within 14 weeks, and how
/// many have no day of the permit. As on the reference date: who has been in a transit location for more than 12 months, or
/// in the hotel scheme for more than 6, without final housing.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum deadlines NL --half-year 2025-II
  peildatum deadlines Rotterdam --half-year 2025-I --known-at 2025-08-01
  peildatum deadlines --half-year 2026-I --on 2026-04-01 --by province
  peildatum deadlines PV28 --half-year 2025-II --by municipality --format csv")]
pub struct DeadlinesArgs {
    /// NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).
    #[arg(default_value = "NL")]
    area: String,
    /// The half-year: 2026-I is January to June, 2026-II July to December.
    #[arg(long, value_name = "HALF_YEAR")]
    half_year: HalfYear,
    /// The reference date (peildatum), at the start of that day; without it the first day after the half-year.
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// Divide the answer.
    #[arg(long, value_name = "municipality|province")]
    by: Option<Division>,
    /// How the answer is written; json and csv have every number of weeks.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl DeadlinesArgs {
    /// Prints the answer.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let after = self.half_year.next().map_or(self.half_year.last_day(), HalfYear::first_day);
        let as_of = ledger.as_of(ReferenceDate(self.on.unwrap_or(after)), known_at)?;
        let area = area(&ledger, &self.area, as_of)?;
        let by = divided(area, self.by)?;
        let bar = super::counting_bar("entries gone through, each twice");
        let parts = ledger.deadlines((area, by), self.half_year, as_of, &mut |count| bar.set_position(count));
        bar.finish_and_clear();
        let parts = parts?;
        match by {
            By::Whole => super::print(self.format, &parts[0], deadlines::deadlines, |it, to| {
                deadlines::deadlines_as_csv(slice::from_ref(it), to)
            }),
            _ => {
                let table = |parts: &[_]| deadlines::deadlines_of_parts(&whole(area, by), parts);
                super::print(self.format, &parts[..], table, |it, to| deadlines::deadlines_as_csv(it, to))
            }
        }
    }
}
