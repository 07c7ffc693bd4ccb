//! `peildatum amv`.

use std::path::Path;
use std::slice;

use clap::Args;

use super::statement::{area, whole};
use super::{Failure, Format};
use crate::domain::time::{Day, ReferenceDate};
use crate::feed::question::{Division, Known, divided};
use crate::ledger::{By, KnownAt, Outside};
use crate::report::care;
use crate::store::Access;

/// Small-scale care of unaccompanied minors (amv): places, who leaves soon, and follow-on housing owed.
///
/// Places needed, places there are and persons placed; how many turn 18 or leave care within some weeks, how many are in
/// extended care, and for how many follow-on housing is owed. Only numbers, never a person.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum amv NL --on 2024-12-01
  peildatum amv Rotterdam --on 2026-01-01 --within 13
  peildatum amv NL --on 2025-06-30 --known-at 2025-07-15 --by province
  peildatum amv PV28 --on 2026-01-01 --by municipality --format csv")]
pub struct Amv {
    /// NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).
    #[arg(default_value = "NL")]
    area: String,
    /// The reference date (peildatum): who is in care at the start of that day.
    #[arg(long, value_name = "DATE")]
    on: Day,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// How many weeks to look ahead, at most 520.
    #[arg(long, value_name = "WEEKS", default_value = "26", value_parser = weeks)]
    within: u16,
    /// Divide the answer.
    #[arg(long, value_name = "municipality|province")]
    by: Option<Division>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A number of weeks as it is typed.
fn weeks(text: &str) -> Result<u16, &'static str> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|weeks| digits && *weeks <= 520);
    number.ok_or("is not a number of weeks up to 520: write digits only")
}

impl Amv {
    /// Prints the answer.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let as_of = ledger.as_of(ReferenceDate(self.on), known_at)?;
        let area = area(&ledger, &self.area, as_of)?;
        let by = divided(area, self.by)?;
        let bar = super::counting_bar("entries gone through");
        let parts = ledger.care((area, by), as_of, self.within, &mut |count| bar.set_position(count));
        bar.finish_and_clear();
        let parts = parts?;
        match by {
            By::Whole => super::print(self.format, &parts[0], care::care, |it, to| {
                care::care_as_csv(slice::from_ref(it), to)
            }),
            _ => {
                let table = |parts: &[_]| care::cares(&whole(area, by), parts);
                super::print(self.format, &parts[..], table, |parts, to| care::care_as_csv(parts, to))
            }
        }
    }
}
