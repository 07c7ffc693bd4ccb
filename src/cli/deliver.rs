//! `peildatum deliver`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use csv::StringRecord;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Failure, Format};
use crate::domain::person_number::without_person_numbers;
use crate::domain::source::{DeliveryId, Source};
use crate::feed::cloudevent::EventLines;
use crate::feed::csv::{CsvFile, REFUSAL_COLUMNS};
use crate::feed::parcel::{Raw, Row};
use crate::feed::receipt::{FaultInRow, Outcome, RowReceipt, Totals};
use crate::feed::{self, Parcels, Told};
use crate::ledger::{Checkpoint, KnownAtSize, Ledger, Outside};
use crate::report::number::grouped;
use crate::report::table::wrapped_to;
use crate::store::Access;

/// Deliver files: check every row, record what is new, and print a receipt.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum deliver placements.csv --from coa
  peildatum deliver events.jsonl --from nidos --dry-run
  peildatum deliver placements.csv --from coa --refused-to mend-these.csv

A file is CSV (placements, withdrawals, allocations, carry-overs, population,
municipalities; docs/deliveries.md names the columns) or JSON Lines of
CloudEvents. A file that is sent twice is recorded once.")]
pub struct Deliver {
    /// The files; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Who delivers: coa, coa/tracking, or urn:nld:oin:<20 digits>:systeem:<name>.
    #[arg(long, value_name = "SOURCE")]
    from: Source,
    /// Give the same receipt and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write the refused rows to a new file, to be mended there and sent again.
    #[arg(long, value_name = "FILE")]
    refused_to: Option<PathBuf>,
    /// How the receipt is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Deliver {
    /// Delivers one file after another.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        if self.refused_to.is_some() && self.files.len() > 1 {
            return Err(Failure::WrongUse(
                "--refused-to takes the rows of one file: deliver the files one by one".to_owned(),
            ));
        }
        // What cannot be read at all is found before a ledger is begun for it or another file recorded.
        let mut inputs = Vec::new();
        for path in &self.files {
            inputs.push(Input::open(path, &self.from)?);
        }
        if let Some(path) = &self.refused_to {
            check_new(path)?;
        }
        // Declared first, so that it goes after the ledger in it is closed.
        let empty;
        let mut ledger = if !self.dry_run {
            if nothing_in(dir) {
                // A folder that is empty by accident, such as a disk that is not mounted, is noticed so.
                let _ = writeln!(io::stderr(), "peildatum: a new ledger is begun in {}", dir.display());
            }
            super::open(dir, Access::CreateIfAbsent, Outside::machine())?
        } else if nothing_in(dir) {
            let shown = dir.display();
            let _ =
                writeln!(io::stderr(), "peildatum: no ledger in {shown} yet: this is tried on an empty one");
            empty = tempfile::tempdir()?;
            super::open(empty.path(), Access::CreateIfAbsent, Outside::machine())?
        } else {
            super::open(dir, Access::MustExist, Outside::machine())?
        };
        if self.dry_run {
            ledger.rehearse()?;
        }
        let mut refused_rows = match (&self.refused_to, &inputs[..]) {
            (Some(path), [input]) => Some(RefusedTo { path, header: input.content.header(), rows: None }),
            _ => None,
        };
        let mut refused = 0;
        for (index, input) in inputs.into_iter().enumerate() {
            refused += self.deliver(&mut ledger, index == 0, input, refused_rows.take())?.refused;
        }
        if !self.dry_run {
            ledger.close()?;
        }
        match refused {
            0 => Ok(()),
            // The receipt has told every reason.
            _ => Err(Failure::Refused(String::new())),
        }
    }

    fn deliver(
        &self,
        ledger: &mut Ledger,
        first: bool,
        input: Input,
        mut refused_rows: Option<RefusedTo<'_>>,
    ) -> Result<Totals, Failure> {
        let Input { name, content, bar } = input;
        let mut receipt = Printer::new(self.format, name, self.dry_run, &self.from, first)?;
        let delivered = feed::deliver(ledger, &self.from, content.into_parcels(), &mut |told| {
            let Told::Row(it, row) = told else { return receipt.to.flush() };
            receipt.row(it)?;
            match (&it.outcome, &mut refused_rows) {
                (Outcome::Refused { faults }, Some(rows)) => rows.write(row, faults),
                _ => Ok(()),
            }
        });
        bar.finish_and_clear();
        let (delivery, totals) = delivered?;
        if let Some(rows) = refused_rows {
            rows.close()?;
        }
        let known_at = ledger.known_at(ledger.size());
        // A rehearsal ends at a size that the log does not have, so there is no root to show.
        let checkpoint = if self.dry_run { None } else { Some(ledger.checkpoint(ledger.size())?) };
        receipt.close(delivery, &totals, known_at, checkpoint, self.refused_to.as_deref())?;
        Ok(totals)
    }
}

/// Whether a directory is absent or empty.
fn nothing_in(dir: &Path) -> bool {
    match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// A file that is about to be delivered.
struct Input {
    name: String,
    content: Content,
    bar: ProgressBar,
}

impl Input {
    fn open(path: &Path, source: &Source) -> Result<Self, Failure> {
        if path == Path::new("-") {
            let from = Box::new(BufReader::new(io::stdin()));
            return Ok(Self {
                content: Content::of(from, "-", source)?,
                name: "-".to_owned(),
                bar: ProgressBar::hidden(),
            });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = without_person_numbers(&name);
        let cannot = |error| Failure::Broken(format!("cannot read {name}: {error}"));
        let file = File::open(path).map_err(cannot)?;
        let about = file.metadata().map_err(cannot)?;
        if about.is_dir() {
            return Err(Failure::Broken(format!("cannot read {name}: it is a folder")));
        }
        let template = "{bar:30} {percent:>3} % of {msg}, {binary_bytes_per_sec}, {eta} left";
        let style = ProgressStyle::with_template(template).expect("a fixed template");
        // The bar shows itself on a terminal only.
        let bar = ProgressBar::new(about.len()).with_style(style).with_message(name.clone());
        let from = Box::new(BufReader::with_capacity(1 << 16, bar.wrap_read(file)));
        Ok(Self { content: Content::of(from, &name, source)?, name, bar })
    }
}

/// What a file holds, read up to its first row.
enum Content {
    Lines(EventLines<Box<dyn BufRead + Send>>),
    Table(Box<CsvFile<Box<dyn BufRead + Send>>>),
}

impl Content {
    fn of(mut from: Box<dyn BufRead + Send>, name: &str, source: &Source) -> Result<Self, Failure> {
        let start =
            beginning(&mut from).map_err(|error| Failure::Broken(format!("cannot read {name}: {error}")))?;
        if start.starts_with(b"PK\x03\x04") {
            return Err(Failure::Broken(format!(
                "{name} is a workbook: save the sheet as CSV in UTF-8 and deliver that"
            )));
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
        let first = text.trim_ascii().first().copied();
        let from: Box<dyn BufRead + Send> = Box::new(Cursor::new(start).chain(from));
        match first {
            None => Err(Failure::Broken(format!("{name} is empty"))),
            Some(b'[') => Err(Failure::Broken(format!(
                "{name} is one JSON array: write one event on each line, without the brackets"
            ))),
            Some(b'{') => Ok(Self::Lines(EventLines::new(from))),
            Some(_) => CsvFile::open(from, source.clone())
                .map(|table| Self::Table(Box::new(table)))
                .map_err(|error| Failure::Broken(format!("{name}: {error}"))),
        }
    }

    fn header(&self) -> Option<StringRecord> {
        match self {
            Self::Lines(_) => None,
            Self::Table(table) => Some(table.header().clone()),
        }
    }

    fn into_parcels(self) -> Box<dyn Parcels + Send> {
        match self {
            Self::Lines(lines) => Box::new(lines),
            Self::Table(table) => table,
        }
    }
}

/// The file up to the end of the first line that says something: what a pipe hands out in small
/// pieces is judged by the whole line.
fn beginning(from: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    const LONGEST: u64 = 1 << 16;
    let mut start = Vec::new();
    loop {
        let before = start.len();
        let read = from.take(LONGEST - before as u64).read_until(b'\n', &mut start)?;
        if read == 0 || !start[before..].trim_ascii().is_empty() {
            return Ok(start);
        }
    }
}

/// Refuses a place for the refused rows that is taken or not there, before anything is delivered.
fn check_new(path: &Path) -> Result<(), Failure> {
    let shown = without_person_numbers(&path.to_string_lossy());
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.symlink_metadata().is_ok() {
        return Err(Failure::Broken(format!(
            "cannot write the refused rows to {shown}: it exists, and nothing is written over it; name another file"
        )));
    }
    match folder.is_dir() {
        true => Ok(()),
        false => Err(Failure::Broken(format!(
            "cannot write the refused rows to {shown}: there is no such folder; make it first"
        ))),
    }
}

/// Where refused rows go: a file that is made when the first of them is there.
struct RefusedTo<'a> {
    path: &'a Path,
    header: Option<StringRecord>,
    rows: Option<RefusedRows>,
}

impl RefusedTo<'_> {
    fn write(&mut self, row: &Row, faults: &[FaultInRow]) -> io::Result<()> {
        let rows = match &mut self.rows {
            Some(rows) => rows,
            none => none.insert(RefusedRows::new(self.path, self.header.take())?),
        };
        rows.write(row, faults)
    }

    fn close(self) -> io::Result<()> {
        self.rows.map_or(Ok(()), RefusedRows::close)
    }
}

/// The file of refused rows: in the form of the delivery, with the reasons beside each row.
enum RefusedRows {
    /// With, for each cell of the delivery, whether it is kept: reasons of an earlier time are not.
    Csv(Box<csv::Writer<File>>, Vec<bool>),
    Lines(BufWriter<File>),
}

impl RefusedRows {
    fn new(path: &Path, header: Option<StringRecord>) -> io::Result<Self> {
        let file = File::create_new(path)?;
        let Some(header) = header else { return Ok(Self::Lines(BufWriter::new(file))) };
        let mut rows = csv::WriterBuilder::new().flexible(true).from_writer(file);
        let ours = ["refusal_row", "refusal_code", "refusal_column", "refusal_reason"];
        let kept: Vec<bool> = header.iter().map(|it| !it.starts_with(REFUSAL_COLUMNS)).collect();
        let names = header.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(name, _)| name);
        rows.write_record(names.chain(ours))?;
        Ok(Self::Csv(Box::new(rows), kept))
    }

    fn write(&mut self, row: &Row, faults: &[FaultInRow]) -> io::Result<()> {
        let joined = |part: fn(&FaultInRow) -> String| {
            let mut parts: Vec<_> = faults.iter().map(part).collect();
            parts.dedup();
            parts.join("; ")
        };
        let reason = joined(|it| format!("{}: {}", it.problem, it.remedy));
        match (self, row.raw.cleaned()) {
            (Self::Csv(rows, kept), Raw::Cells(cells)) => {
                let ours = [
                    row.number.to_string(),
                    joined(|it| it.code.to_owned()),
                    joined(|it| it.field.clone()),
                    reason,
                ];
                // A row with a cell too many or too few is kept as it is, to be mended by eye.
                let whole = cells.len() == kept.len();
                let cells = cells.iter().enumerate().filter(|(index, _)| !whole || kept[*index]);
                Ok(rows.write_record(cells.map(|(_, cell)| cell.to_owned()).chain(ours))?)
            }
            (Self::Lines(to), Raw::Line(line)) => {
                // An extension attribute of CloudEvents, which reading leaves alone.
                let mended = match serde_json::from_str(&line) {
                    Ok(serde_json::Value::Object(mut event)) => {
                        event.insert(
                            "refusal".to_owned(),
                            format!("{}: {reason}", joined(|it| it.code.to_owned())).into(),
                        );
                        serde_json::to_string(&event)?
                    }
                    _ => line,
                };
                writeln!(to, "{mended}")
            }
            _ => unreachable!("rows are of the form of their file"),
        }
    }

    fn close(self) -> io::Result<()> {
        match self {
            Self::Csv(mut rows, _) => rows.flush(),
            Self::Lines(mut to) => to.flush(),
        }
    }
}

/// How many refused rows a person is shown before being pointed to the file of all of them.
const SHOWN: u64 = 20;

/// Standard output for as long as somebody reads it: a delivery is not broken off halfway because the
/// reader of its receipt was content with the first rows.
struct WhileRead(Option<io::Stdout>);

impl WhileRead {
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

/// Writes a receipt row by row, so that the receipt of a million rows is never held.
struct Printer {
    format: Format,
    /// The name of the file as a cell of CSV.
    file: String,
    to: BufWriter<WhileRead>,
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
fn csv_record<const N: usize>(cells: [&str; N]) -> io::Result<Vec<u8>> {
    let mut row = csv::Writer::from_writer(Vec::new());
    row.write_record(cells)?;
    row.into_inner().map_err(|error| error.into_error())
}

impl Printer {
    /// `first` says whether no receipt of this run came before, which the header of CSV stands above.
    fn new(format: Format, file: String, dry_run: bool, from: &Source, first: bool) -> io::Result<Self> {
        let mut to = BufWriter::with_capacity(1 << 16, WhileRead(Some(io::stdout())));
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

    fn row(&mut self, it: &RowReceipt) -> io::Result<()> {
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
                    for fault in faults {
                        let place =
                            if fault.field.is_empty() { String::new() } else { format!(", {}", fault.field) };
                        writeln!(self.to, "row {}{place}: {}", it.row, fault.code)?;
                        let said = wrapped_to(&format!("{}; {}.", fault.problem, fault.remedy), 78);
                        for line in said.lines() {
                            writeln!(self.to, "  {line}")?;
                        }
                    }
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

    fn close(
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
                if self.shown > SHOWN {
                    writeln!(self.to, "... and {} more refused rows", grouped((self.shown - SHOWN) as i64))?;
                }
                if self.shown > 0 {
                    match refused_to {
                        Some(path) => writeln!(
                            self.to,
                            "\nThe refused rows are in {}.\n",
                            without_person_numbers(&path.to_string_lossy())
                        )?,
                        None => writeln!(
                            self.to,
                            "\nWith --refused-to FILE the refused rows are written to be mended.\n"
                        )?,
                    }
                }
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
