//! `peildatum share`.

use std::path::Path;

use clap::Args;

use super::{Failure, Format};
use crate::book::share::ToShare;
use crate::domain::half_year::HalfYear;
use crate::domain::persons::Persons;
use crate::domain::quota::Rounding;
use crate::domain::time::{Day, ReferenceDate};
use crate::feed::question::Known;
use crate::ledger::{KnownAt, Outside};
use crate::report::quota;
use crate::store::Access;

/// Municipal numbers by inhabitants, beside those that were published.
///
/// A municipality's share is the national number times its inhabitants, divided by those of the country, as CBS counted
/// them on 1 January of the year before. Nothing is recorded. As CSV it is a file of allocations, which can be delivered.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum share 2022-I --rounding nearest
  peildatum share 2022-II --total 16300 --rounding up --format csv > numbers.csv
  peildatum deliver numbers.csv --from ministry")]
pub struct ShareArgs {
    /// The half-year: 2026-I is January to June, 2026-II July to December.
    #[arg(value_name = "HALF_YEAR")]
    half_year: HalfYear,
    /// The number to divide; without it the national number in force.
    #[arg(long, value_name = "N", value_parser = persons)]
    total: Option<Persons>,
    /// How shares become whole; without it as in the allocation, or else up, as the Act says.
    #[arg(long, value_name = "up|nearest|largest_remainder")]
    rounding: Option<Rounding>,
    /// Divide by the inhabitants of another day than the Act names.
    #[arg(long, value_name = "DATE")]
    counted_on: Option<Day>,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// How the answer is written; csv is a file of allocations.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A number of persons as it is typed.
pub(super) fn persons(text: &str) -> Result<Persons, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|_| digits);
    let number = number.ok_or("is not a whole number of persons up to ten million: write digits only")?;
    Persons::try_from(number).map_err(|fault| fault.to_string())
}

impl ShareArgs {
    /// Prints the numbers.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let shared = ledger.share(&ToShare {
            half_year: self.half_year,
            known_at: ledger.as_of(ReferenceDate(self.half_year.first_day()), known_at)?.known_at,
            total: self.total,
            rounding: self.rounding,
            counted_on: self.counted_on,
        })?;
        super::print(self.format, &shared, quota::shares, |it, to| quota::shares_as_allocation(it, to))
    }
}
