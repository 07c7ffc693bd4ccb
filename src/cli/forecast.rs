//! `peildatum forecast`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, Format};
use crate::book::forecast::ToForecast;
use crate::domain::half_year::HalfYear;
use crate::domain::time::{Month, ReferenceDate};
use crate::feed::faults::Faults;
use crate::feed::plan::{self, ReadPlan};
use crate::feed::question::Known;
use crate::ledger::{KnownAt, ListSeal, Outside};
use crate::proof::content::ContentHash;
use crate::report::forecast;
use crate::store::Access;

/// The longest plan that is read, in bytes: a thousand times a plan of a year.
const PLAN_MAX: u64 = 16 << 20;

/// Forecast the permits of a half-year in two scenarios, and compare past forecasts with what came.
///
/// Scenario 1 averages the grants of twelve months, as they are reported. Scenario 2 takes a production plan: decisions x
/// grant rate by category, and family members by the month in which they arrive. Both are about the window of the
/// half-year's quota, and make the band from which a number is chosen. Nothing is recorded.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum forecast 2025-I
  peildatum forecast 2025-I --plan docs/examples/production-plan.csv
  peildatum forecast 2025-I --measured-on 2024-08 --known-at 2024-10-01 \\
      --format json

The plan is CSV, with commas or semicolons. Its columns are month, category,
decisions and grant_rate, and for family members arriving_0 to arriving_3.
docs/forecasting.md says what they mean.")]
pub struct ForecastArgs {
    /// The half-year: 2026-I is January to June, 2026-II July to December.
    #[arg(value_name = "HALF_YEAR")]
    half_year: HalfYear,
    /// The production plan of scenario 2; - is standard input.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The last of the twelve months of scenario 1; without it the last one before the window that is reported.
    #[arg(long, value_name = "MONTH")]
    measured_on: Option<Month>,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl ForecastArgs {
    /// Prints the forecast.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        // A plan that cannot be read is told of before the ledger is opened for it.
        let (plan, seal) = self.plan.as_deref().map(read).transpose()?.unzip();
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let asked = ToForecast {
            half_year: self.half_year,
            known_at: ledger.as_of(ReferenceDate(self.half_year.first_day()), known_at)?.known_at,
            measured_on: self.measured_on,
            plan: plan.as_ref().map(|it| &it.plan),
        };
        let forecasted = ledger.forecast(&asked, seal)?;
        super::print(self.format, &forecasted, forecast::table, |it, to| forecast::csv(it, to))
    }
}

/// The plan in a file, and which file that is.
fn read(path: &Path) -> Result<(ReadPlan, ListSeal), Failure> {
    let (file, content) = super::reconcile::read(path, PLAN_MAX)?;
    let wrong =
        |faults: Faults| Failure::Broken(format!("{file} is no plan that can be computed with:\n{faults}"));
    let plan = plan::read(&content).map_err(wrong)?;
    let seal = ListSeal { sha256: ContentHash::of(&content), rows: plan.rows, file };
    Ok((plan, seal))
}
