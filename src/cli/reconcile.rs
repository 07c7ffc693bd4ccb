//! `peildatum reconcile`.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, Format};
use crate::domain::area::MunicipalityCode;
use crate::domain::half_year::HalfYear;
use crate::domain::person_number::without_person_numbers;
use crate::domain::time::{AsOf, ReferenceDate};
use crate::feed::faults::Faults;
use crate::feed::own_list;
use crate::feed::question::Known;
use crate::ledger::{KnownAt, Ledger, ListSeal, Outside};
use crate::proof::content::ContentHash;
use crate::report::{csv, reconciliation};
use crate::store::Access;

/// Compare a municipality's own list of housed persons with the ledger.
///
/// Every row of the list and every placement of the ledger is shown with what it makes out for the standing; together
/// that is the whole difference. Nothing is recorded. docs/reconciling.md says who corrects what.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum reconcile rotterdam.csv --from GM0599 --half-year 2025-II
  peildatum reconcile list.xlsx --from Utrecht --half-year 2025-I --format csv
  peildatum reconcile list.csv --from GM0344 --half-year 2025-I \\
      --known-at 2025-08-01

The list is CSV (with commas or semicolons) or XLSX. Its first row names the
columns: date and kind, and where there are any reference (your own), placement
(the id in the ledger) and persons. A list of placements as it is delivered to
the ledger will do as well.")]
pub struct Reconcile {
    /// The list; - is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose list it is, by code (GM0599) or by name.
    #[arg(long, value_name = "MUNICIPALITY")]
    from: String,
    /// The half-year to compare: 2026-I is January to June, 2026-II July to December.
    #[arg(long, value_name = "HALF_YEAR")]
    half_year: HalfYear,
    /// As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Reconcile {
    /// Prints the comparison.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        // A list that cannot be read is told of before the ledger is opened for it.
        let (file, content) = read(&self.file, u64::MAX)?;
        let wrong = |faults: Faults| Failure::Broken(format!("{file} cannot be compared:\n{faults}"));
        let list = own_list::read(&content).map_err(wrong)?;
        let sha256 = ContentHash::of(&content);
        drop(content);

        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let as_of = ledger.as_of(ReferenceDate(self.half_year.last_day()), known_at)?;
        let code = municipality(&ledger, &self.from, as_of)?;
        let scope = ledger.book().reconciliation_scope(code, self.half_year, as_of.known_at);
        let scope = scope.map_err(crate::ledger::LedgerError::from)?;
        list.check(&scope).map_err(wrong)?;
        let seal = ListSeal { file, sha256, rows: list.rows.len() as u64 };
        let reconciled = ledger.reconcile(&scope, seal, list.rows)?;

        let mut to = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        match self.format {
            Format::Table => reconciliation::table(&reconciled, &mut to)?,
            Format::Json => {
                serde_json::to_writer(&mut to, &reconciled)?;
                writeln!(to)?;
            }
            Format::Csv => csv::reconciliation(&reconciled, &mut to)?,
        }
        Ok(to.flush()?)
    }
}

/// The name of a file and its content, which is hashed and read from the same bytes.
pub(super) fn read(path: &Path, most: u64) -> Result<(String, Vec<u8>), Failure> {
    let mut content = Vec::new();
    let limit = most.saturating_add(1);
    let (name, read) = match path == Path::new("-") {
        true => ("-".to_owned(), io::stdin().lock().take(limit).read_to_end(&mut content)),
        false => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (
                without_person_numbers(&name),
                File::open(path).and_then(|it| it.take(limit).read_to_end(&mut content)),
            )
        }
    };
    match read {
        Ok(_) if content.len() as u64 > most => {
            Err(Failure::Broken(format!("cannot read {name}: it has more than {most} bytes")))
        }
        Ok(_) => Ok((name, content)),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            Err(Failure::Broken(format!("cannot read {name}: it is a folder")))
        }
        Err(error) => Err(Failure::Broken(format!("cannot read {name}: {error}"))),
    }
}

/// The municipality that a text names: by code, or by name as it is on the reference date.
fn municipality(ledger: &Ledger, text: &str, as_of: AsOf) -> Result<MunicipalityCode, Failure> {
    if let Ok(code) = text.parse() {
        return Ok(code);
    }
    let named = ledger.book().municipality_named(text, as_of);
    named.map(|it| it.code).ok_or_else(|| {
        Failure::Refused(format!(
            "no municipality is called {:?} on {}: write its code, such as GM0599, or its name",
            without_person_numbers(text),
            as_of.reference_date.0
        ))
    })
}
