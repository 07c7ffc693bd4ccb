//! `peildatum restatements`.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::Args;

use super::statement::area;
use super::{Failure, Format};
use crate::book::restatement::{Touch, closed_on};
use crate::domain::half_year::HalfYear;
use crate::domain::time::ReferenceDate;
use crate::feed::question::Known;
use crate::ledger::{KnownAt, Outside};
use crate::report::restatements as report;
use crate::store::Access;

/// Every change of a closed half-year's standing, by whom, and how late it came.
///
/// What follows from the entries stands beside what an authority fixed as carry-over.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum restatements NL 2021-II
  peildatum restatements Rotterdam 2022-I --entries
  peildatum restatements PV28 2022-I --format csv")]
pub struct Restatements {
    /// NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).
    area: String,
    /// The half-year that was closed, such as 2021-II.
    half_year: HalfYear,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// Also the entries that made each change, and how late they came.
    #[arg(long)]
    entries: bool,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Restatements {
    /// Prints the changes.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        // Names are those of the day on which the half-year is over.
        let on = closed_on(self.half_year).unwrap_or(self.half_year.first_day());
        let area = area(&ledger, &self.area, ledger.as_of(ReferenceDate(on), known_at)?)?;
        let (answer, touches) = ledger.restatements(area, self.half_year, known_at)?;
        let late = |touch: &Touch| Ok::<_, Failure>(ledger.late(touch)?);
        let mut to = BufWriter::new(io::stdout().lock());
        match (self.format, self.entries) {
            (Format::Table, entries) => {
                to.write_all(report::restatements(&answer).as_bytes())?;
                if entries {
                    report::late_entries(&answer, &touches, &late, &mut to)?;
                }
            }
            (Format::Json, false) => serde_json::to_writer(&mut to, &answer)?,
            (Format::Json, true) => report::restatements_as_json(&answer, &touches, &late, &mut to)?,
            (Format::Csv, false) => report::restatements_as_csv(&answer, &mut to)?,
            (Format::Csv, true) => report::late_entries_as_csv(&answer, &touches, &late, &mut to)?,
        }
        if self.format == Format::Json {
            writeln!(to)?;
        }
        Ok(to.flush()?)
    }
}
