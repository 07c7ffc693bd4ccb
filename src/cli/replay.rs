//! `peildatum replay`.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::statement::{Division, Known, area, divided, whole};
use super::{Failure, Format};
use crate::book::statement::Reading;
use crate::domain::time::{Day, ReferenceDate};
use crate::feed::scenario::{self, FILE_MAX};
use crate::ledger::{By, KnownAt, Outside, Scenario};
use crate::report::replay;
use crate::store::Access;

/// The same history under another decision or rule, beside what was recorded.
///
/// A scenario is a file (JSON, docs/scenarios.md) that names entries as if they had not been recorded, and events as if they
/// had. Nothing is written. Several scenarios are shown side by side.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum replay --scenario not-lowered.json --on 2026-01-01
  peildatum replay Rotterdam --scenario not-lowered.json --on 2026-01-01
  peildatum replay PV28 --scenario a.json --scenario b.json --on 2026-01-01 \\
      --by municipality --format csv")]
pub struct Replay {
    /// NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).
    #[arg(default_value = "NL")]
    area: String,
    /// A scenario; once for each.
    #[arg(long, value_name = "FILE", required = true)]
    scenario: Vec<PathBuf>,
    /// The reference date (peildatum): the standing at the start of that day.
    #[arg(long, value_name = "DATE")]
    on: Day,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// Divide the answer.
    #[arg(long, value_enum)]
    by: Option<Division>,
    /// How a placement relates to the backlog, where a scenario does not say otherwise.
    #[arg(long, default_value = "oldest_first", value_name = "oldest_first|current_first|total")]
    reading: Reading,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Replay {
    /// Prints the comparison.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        // A file that cannot be read is told of before the ledger is opened for it.
        let scenarios = self.scenario.iter().map(|path| scenario(path)).collect::<Result<Vec<_>, _>>()?;
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let as_of = ledger.as_of(ReferenceDate(self.on), known_at)?;
        let area = area(&ledger, &self.area, as_of)?;
        let by = divided(area, self.by)?;
        let replayed = ledger.replay(&scenarios, area, by, as_of, self.reading)?;
        let mut to = BufWriter::new(io::stdout().lock());
        match (self.format, by) {
            (Format::Table, By::Whole) if scenarios.len() > 1 => {
                to.write_all(replay::side_by_side(&replayed).as_bytes())?;
            }
            (Format::Table, By::Whole) => to.write_all(replay::lines(&replayed).as_bytes())?,
            (Format::Table, _) => to.write_all(replay::parts(&replayed, &whole(area, by)).as_bytes())?,
            (Format::Json, _) => {
                serde_json::to_writer(&mut to, &replayed)?;
                writeln!(to)?;
            }
            (Format::Csv, _) => replay::as_csv(&replayed, &mut to)?,
        }
        Ok(to.flush()?)
    }
}

/// The scenario in a file.
pub(super) fn scenario(path: &Path) -> Result<Scenario, Failure> {
    let (name, content) = super::reconcile::read(path, FILE_MAX)?;
    scenario::read(&content)
        .map_err(|faults| Failure::Broken(format!("{name} is no scenario that can be replayed:\n{faults}")))
}
