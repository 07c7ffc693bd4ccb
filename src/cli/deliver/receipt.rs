//! The receipt of a delivery, as it is printed while rows are recorded.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use super::refused::Reason;
use crate::cli::Format;
use crate::domain::person_number::without_person_numbers;
use crate::domain::source::{DeliveryId, Source};
use crate::feed::receipt::{Outcome, RowReceipt, Totals};
use crate::ledger::{Checkpoint, KnownAtSize};
use crate::report::number::grouped;
use crate::report::table::wrapped_to;

/// How many refused rows a person is shown before being pointed to the file of all of them.
pub const SHOWN: u64 = 20;

/// Standard output for as long as somebody reads it: a delivery is not broken off halfway because the
/// reader of its receipt was content with the first rows.
pub struct WhileRead(Option<io::Stdout>);

impl WhileRead {
    /// Somebody reads it, as far as is known.
    fn stdout() -> Self {
        Self(Some(io::stdout()))
    }

    fn unless_gone<T>(
        &mut self,
        gone: T,
        what: impl FnOnce(&mut io::Stdout) -> io::Result<T>,
    ) -> io::Result<T> {
        let Some(to) = &mut self.0 else { return Ok(gone) };
        match what(to) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.0 = None;
                Ok(gone)
            }
            done => done,
        }
    }
}

impl Write for WhileRead {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_gone(bytes.len(), |to| to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_gone((), Write::flush)
    }
}

/// Standard output, as receipts are written to it.
pub fn stdout() -> BufWriter<WhileRead> {
    BufWriter::with_capacity(1 << 16, WhileRead::stdout())
}

/// Writes a receipt row by row, so that the receipt of a million rows is never held.
pub struct Printer {
    format: Format,
    /// The name of the file as a cell of CSV.
    file: String,
    pub to: BufWriter<WhileRead>,
    dry_run: bool,
    rows: u64,
    shown: u64,
    first_recorded: Option<u64>,
    last_recorded: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ending<'a> {
    delivery: DeliveryId,
    totals: &'a Totals,
    known_at: KnownAtSize,
    checkpoint: Option<Checkpoint>,
}

/// A line of CSV with these cells.
pub fn csv_record<const N: usize>(cells: [&str; N]) -> io::Result<Vec<u8>> {
    let mut row = csv::Writer::from_writer(Vec::new());
    row.write_record(cells)?;
    row.into_inner().map_err(|error| error.into_error())
}

impl Printer {
    /// `first` says whether no receipt of this run came before, which the header of CSV stands above.
    pub fn new(format: Format, file: String, dry_run: bool, from: &Source, first: bool) -> io::Result<Self> {
        let mut to = stdout();
        match format {
            Format::Table => {
                let tried = if dry_run { " (dry run: nothing is written)" } else { "" };
                writeln!(to, "Receipt for {file} from {from}{tried}\n")?;
            }
            Format::Json => {
                let file = serde_json::to_string(&file)?;
                write!(to, "{{\"file\":{file},\"deliveredBy\":\"{from}\",\"dryRun\":{dry_run},\"rows\":[")?;
            }
            Format::Csv if first => writeln!(to, "file,row,outcome,position,code,field,problem,remedy")?,
            Format::Csv => {}
        }
        let mut file = String::from_utf8(csv_record([&file[..]])?).map_err(io::Error::other)?;
        file.truncate(file.len() - 1);
        Ok(Self { format, file, to, dry_run, rows: 0, shown: 0, first_recorded: None, last_recorded: None })
    }

    /// Tells of one row.
    pub fn row(&mut self, it: &RowReceipt) -> io::Result<()> {
        self.rows += 1;
        match self.format {
            Format::Table => self.row_in_table(it),
            Format::Json => {
                if self.rows > 1 {
                    self.to.write_all(b",")?;
                }
                Ok(serde_json::to_writer(&mut self.to, it)?)
            }
            Format::Csv => self.row_in_csv(it),
        }
    }

    fn row_in_table(&mut self, it: &RowReceipt) -> io::Result<()> {
        match &it.outcome {
            Outcome::Recorded { position } => {
                self.first_recorded.get_or_insert(position.0);
                self.last_recorded = Some(position.0);
            }
            Outcome::KnownAlready { .. } => {}
            Outcome::Refused { faults } => {
                self.shown += 1;
                if self.shown <= SHOWN {
                    faults.iter().try_for_each(|fault| told_in_table(&mut self.to, it.row, fault.into()))?;
                }
            }
        }
        Ok(())
    }

    fn row_in_csv(&mut self, it: &RowReceipt) -> io::Result<()> {
        let (row, name) = (it.row, it.outcome.name());
        match &it.outcome {
            Outcome::Recorded { position } | Outcome::KnownAlready { position } => {
                writeln!(self.to, "{},{row},{name},{position},,,,", self.file)
            }
            Outcome::Refused { faults } => faults.iter().try_for_each(|fault| {
                write!(self.to, "{},{row},{name},,", self.file)?;
                let said = [fault.code, &fault.field, &fault.problem, &fault.remedy];
                self.to.write_all(&csv_record(said)?)
            }),
        }
    }

    /// Ends the receipt.
    pub fn close(
        mut self,
        delivery: DeliveryId,
        totals: &Totals,
        known_at: KnownAtSize,
        checkpoint: Option<Checkpoint>,
        refused_to: Option<&Path>,
    ) -> io::Result<()> {
        match self.format {
            Format::Csv => {}
            Format::Json => {
                let ending = serde_json::to_string(&Ending { delivery, totals, known_at, checkpoint })?;
                writeln!(self.to, "],{}", &ending[1..])?;
            }
            Format::Table => {
                refused_below(&mut self.to, self.shown, refused_to)?;
                let count = |count: u64| grouped(count as i64);
                let would = if self.dry_run { "would be recorded" } else { "recorded" };
                write!(self.to, "{:>10}  {would}", count(totals.recorded))?;
                match (self.first_recorded, self.last_recorded) {
                    (Some(first), Some(last)) if first != last => {
                        writeln!(self.to, ", at positions {first} to {last}")?;
                    }
                    (Some(first), _) => writeln!(self.to, ", at position {first}")?,
                    _ => writeln!(self.to)?,
                }
                writeln!(self.to, "{:>10}  known already", count(totals.known_already))?;
                writeln!(self.to, "{:>10}  refused", count(totals.refused))?;
                writeln!(self.to, "{:>10}  rows\n", count(totals.rows))?;
                writeln!(self.to, "Delivery {delivery}")?;
                if let Some(checkpoint) = checkpoint {
                    writeln!(self.to, "Log size {}, root {}", checkpoint.size, checkpoint.root)?;
                }
            }
        }
        self.to.flush()
    }
}

/// One reason why a row is not recorded, for people.
pub fn told_in_table(to: &mut impl Write, row: u64, fault: Reason<'_>) -> io::Result<()> {
    let place = if fault.field.is_empty() { String::new() } else { format!(", {}", fault.field) };
    writeln!(to, "row {row}{place}: {}", fault.code)?;
    let said = wrapped_to(&format!("{}; {}.", fault.problem, fault.remedy), 78);
    said.lines().try_for_each(|line| writeln!(to, "  {line}"))
}

/// How many refused rows are not shown, and where they are.
pub fn refused_below(to: &mut impl Write, shown: u64, refused_to: Option<&Path>) -> io::Result<()> {
    if shown > SHOWN {
        writeln!(to, "... and {} more refused rows", grouped((shown - SHOWN) as i64))?;
    }
    if shown > 0 {
        match refused_to {
            Some(path) => writeln!(
                to,
                "\nThe refused rows are in {}.\n",
                without_person_numbers(&path.to_string_lossy())
            )?,
            None => writeln!(to, "\nWith --refused-to FILE the refused rows are written to be mended.\n")?,
        }
    }
    Ok(())
}
