//! `peildatum evaluate`.

use std::path::Path;

use clap::Args;

use super::share::persons;
use super::{Failure, Format};
use crate::book::evaluation::ToEvaluate;
use crate::domain::half_year::HalfYear;
use crate::domain::persons::Persons;
use crate::domain::time::{Day, ReferenceDate};
use crate::feed::question::Known;
use crate::ledger::{KnownAt, Outside};
use crate::report::quota;
use crate::store::Access;

/// Prepare the interim evaluation of a quota: what it was based on, what is expected now, and what each outcome would do.
///
/// Without --now-expected the grants that are reported for the months of the forecast (permits and arrived family
/// members) are added up and carried on to its end in proportion. It proposes and records nothing: what is decided is
/// delivered, and what was decided is shown beside it.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum evaluate 2024-II --now-expected 17000
  peildatum evaluate 2026-I --now-expected 16500 --tolerance 500 \\
      --known-at 2026-04-01
  peildatum evaluate 2026-I --now-expected 16500 --counted-on 2021-01-01 \\
      --format csv")]
pub struct Evaluate {
    /// The half-year: 2026-I is January to June, 2026-II July to December.
    #[arg(value_name = "HALF_YEAR")]
    half_year: HalfYear,
    /// How many permits are expected now; without it what the reported grants say.
    #[arg(long, value_name = "N", value_parser = persons)]
    now_expected: Option<Persons>,
    /// How large a difference is about right, so that the quota is kept.
    #[arg(long, value_name = "N", value_parser = persons, default_value = "0")]
    tolerance: Persons,
    /// Divide by the inhabitants of another day than the Act names.
    #[arg(long, value_name = "DATE")]
    counted_on: Option<Day>,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Evaluate {
    /// Prints the proposal.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let evaluated = ledger.evaluate(&ToEvaluate {
            half_year: self.half_year,
            known_at: ledger.as_of(ReferenceDate(self.half_year.first_day()), known_at)?.known_at,
            now_expected: self.now_expected,
            tolerance: self.tolerance,
            counted_on: self.counted_on,
        })?;
        super::print(self.format, &evaluated, quota::evaluation, |it, to| quota::evaluation_as_csv(it, to))
    }
}
