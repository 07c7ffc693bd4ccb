//! `peildatum replay`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::statement::{area, whole};
use super::{Failure, Format};
use crate::book::statement::Reading;
use crate::domain::half_year::HalfYear;
use crate::domain::time::{Day, ReferenceDate};
use crate::feed::question::{Division, Known, divided};
use crate::feed::scenario::{self, FILE_MAX};
use crate::ledger::{By, KnownAt, Ledger, Outside, Scenario};
use crate::report::{replay, weeks};
use crate::store::Access;

/// The same history under another decision or rule, or as it looked week by week.
///
/// With --scenario and --on: every line of the standing as recorded, under the scenario, and the difference. A scenario is a
/// file (JSON, docs/scenarios.md) that names entries as if they had not been recorded, and events as if they had. Several are
/// shown side by side. Nothing is written.
///
/// With --known-at HALF_YEAR: the half-year as it looked on each Monday with what had been recorded when that day began in
/// the Netherlands, what would remain at its end if realisation went on as so far, for NL also the interim evaluation as it
/// stood then, and what became of it. So one can see when a miss could have been seen.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum replay --scenario not-lowered.json --on 2026-01-01
  peildatum replay PV28 --scenario not-lowered.json --on 2026-01-01 --format csv
  peildatum replay --known-at 2025-I
  peildatum replay Rotterdam --known-at 2024-II")]
pub struct Replay {
    /// NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).
    #[arg(default_value = "NL")]
    area: String,
    /// A scenario; once for each.
    #[arg(long, value_name = "FILE", requires = "on")]
    scenario: Vec<PathBuf>,
    /// The reference date (peildatum) of the scenarios: the standing at the start of that day.
    #[arg(long, value_name = "DATE", requires = "scenario")]
    on: Option<Day>,
    /// A half-year to go through week by week; or with --scenario as known at a day (its start in the Netherlands), a time
    /// (RFC 3339) or a log size.
    #[arg(long, value_name = "HALF_YEAR|TIME|SIZE")]
    known_at: Option<Asked>,
    /// Divide the answer under scenarios.
    #[arg(long, requires = "scenario", value_name = "municipality|province")]
    by: Option<Division>,
    /// How a placement relates to the backlog, where a scenario does not say otherwise.
    #[arg(long, requires = "scenario", value_name = "oldest_first|current_first|total")]
    reading: Option<Reading>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Of which moments is asked.
#[derive(Clone, Copy)]
enum Asked {
    /// Of each Monday of a half-year.
    Weeks(HalfYear),
    /// Of one.
    Moment(Known),
}

impl FromStr for Asked {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = |_| text.parse().map(Self::Moment);
        let wrong = "is neither a half-year (2025-I) nor a moment: write a day (2025-01-15), a time (2025-01-15T09:00:00Z) \
                     or a log size (81234)";
        text.parse().map(Self::Weeks).or_else(moment).map_err(|_| wrong)
    }
}

impl Replay {
    /// Prints the comparison, or the weeks.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let wrong = |said: &str| Err(Failure::WrongUse(said.to_owned()));
        let (moment, on) = match (self.known_at, self.on) {
            (Some(Asked::Weeks(half_year)), None) => return self.weeks(ledger, half_year),
            (Some(Asked::Weeks(_)), Some(_)) => {
                return wrong("with --scenario give --known-at a moment; week by week is what was recorded");
            }
            (_, None) => return wrong("give --scenario FILE and --on DATE, or --known-at HALF_YEAR"),
            (None, Some(on)) => (KnownAt::Now, on),
            (Some(Asked::Moment(moment)), Some(on)) => (moment.0, on),
        };
        // A file that cannot be read is told of before the ledger is opened for it.
        let scenarios = self.scenario.iter().map(|path| scenario(path)).collect::<Result<Vec<_>, _>>()?;
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let as_of = ledger.as_of(ReferenceDate(on), moment)?;
        let area = area(&ledger, &self.area, as_of)?;
        let by = divided(area, self.by)?;
        let reading = self.reading.unwrap_or(Reading::OldestFirst);
        let replayed = ledger.replay(&scenarios, area, by, as_of, reading)?;
        let table = |it: &_| match by {
            By::Whole if scenarios.len() > 1 => replay::side_by_side(it),
            By::Whole => replay::lines(it),
            _ => replay::parts(it, &whole(area, by)),
        };
        super::print(self.format, &replayed, table, |it, to| replay::as_csv(it, to))
    }

    fn weeks(&self, ledger: &Path, half_year: HalfYear) -> Result<(), Failure> {
        let ledger: Ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        // Names are those of the last day, and of the first for who ceased before that.
        let named = |day| {
            let as_of = ledger.as_of(ReferenceDate(day), KnownAt::Now)?;
            area(&ledger, &self.area, as_of)
        };
        let area =
            named(half_year.last_day()).or_else(|none| named(half_year.first_day()).map_err(|_| none))?;
        let answer = ledger.weeks(area, half_year)?;
        super::print(self.format, &answer, weeks::weeks, |it, to| weeks::weeks_as_csv(it, to))
    }
}

/// The scenario in a file.
pub(super) fn scenario(path: &Path) -> Result<Scenario, Failure> {
    let (name, content) = super::reconcile::read(path, FILE_MAX)?;
    scenario::read(&content)
        .map_err(|faults| Failure::Broken(format!("{name} is no scenario that can be replayed:\n{faults}")))
}
