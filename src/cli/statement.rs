//! `peildatum statement`.

use std::path::Path;
use std::slice;

use clap::Args;

use super::{Failure, Format};
use crate::book::statement::Reading;
use crate::domain::area::Area;
use crate::domain::time::{AsOf, Day, ReferenceDate};
use crate::feed::question::{self, Division, Known, NoArea, divided};
use crate::ledger::{By, KnownAt, Ledger, Outside};
use crate::report::{csv, table};
use crate::store::Access;

/// The standing of an area on a reference date, as known at any moment.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum statement NL --on 2026-01-01
  peildatum statement Rotterdam --on 2025-06-30 --known-at 2025-01-15
  peildatum statement PV28 --on 2026-01-01 --by municipality --format csv")]
pub struct StatementArgs {
    /// NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).
    #[arg(default_value = "NL")]
    area: String,
    /// The reference date (peildatum): the standing at the start of that day.
    #[arg(long, value_name = "DATE")]
    on: Day,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// Divide the answer.
    #[arg(long, value_name = "municipality|province")]
    by: Option<Division>,
    /// How a placement relates to the backlog.
    #[arg(long, default_value = "oldest_first", value_name = "oldest_first|current_first|total")]
    reading: Reading,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl StatementArgs {
    /// Prints the answer.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let as_of = ledger.as_of(ReferenceDate(self.on), known_at)?;
        let area = area(&ledger, &self.area, as_of)?;
        let by = divided(area, self.by)?;
        let answers = ledger.statements(area, by, as_of, self.reading)?;
        match by {
            By::Whole => super::print(self.format, &answers[0], table::statement, |it, to| {
                csv::statements(slice::from_ref(it), to)
            }),
            _ => {
                let table = |answers: &[_]| table::statements(&whole(area, by), answers);
                super::print(self.format, &answers[..], table, |answers, to| csv::statements(answers, to))
            }
        }
    }
}

/// The area that a text names: by code, or by name as it is on the reference date.
pub(super) fn area(ledger: &Ledger, text: &str, as_of: AsOf) -> Result<Area, Failure> {
    question::area(ledger, text, as_of).map_err(|none| match none {
        NoArea::Ambiguous { .. } => Failure::WrongUse(none.to_string()),
        NoArea::Unknown { on } => {
            let shown = crate::domain::person_number::without_person_numbers(text);
            Failure::Refused(format!(
                "no area is called {shown:?} on {on}: write NL, a province or a municipality by code or name"
            ))
        }
    })
}

/// What the heading of several statements says they are parts of.
pub(super) fn whole(area: Area, by: By) -> String {
    let name = match area {
        Area::Country => "Nederland (NL)".to_owned(),
        Area::Province(province) => format!("{} ({province})", province.name()),
        Area::Municipality(code) => code.to_string(),
    };
    format!("{name} by {}", if by == By::Province { "province" } else { "municipality" })
}
