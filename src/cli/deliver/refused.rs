//! The file of refused rows, to be mended and sent again.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use csv::StringRecord;

use crate::cli::Failure;
use crate::domain::person_number::without_person_numbers;
use crate::feed::csv::REFUSAL_COLUMNS;
use crate::feed::parcel::{Raw, Row};
use crate::feed::receipt::FaultInRow;

/// Refuses a place for the refused rows that is taken or not there, before anything is delivered.
pub fn check_new(path: &Path) -> Result<(), Failure> {
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
pub struct RefusedTo<'a> {
    path: &'a Path,
    header: Option<StringRecord>,
    rows: Option<RefusedRows>,
}

/// A reason, whoever told it.
#[derive(Clone, Copy)]
pub struct Reason<'a> {
    pub code: &'a str,
    pub field: &'a str,
    pub problem: &'a str,
    pub remedy: &'a str,
}

impl<'a> From<&'a FaultInRow> for Reason<'a> {
    fn from(it: &'a FaultInRow) -> Self {
        Self { code: it.code, field: &it.field, problem: &it.problem, remedy: &it.remedy }
    }
}

impl<'a> RefusedTo<'a> {
    /// To a file that `check_new` accepts; of CSV with the header of the delivery.
    pub fn new(path: &'a Path, header: Option<StringRecord>) -> Self {
        Self { path, header, rows: None }
    }

    /// Adds a row, without anything that looks like a person's number.
    pub fn write(&mut self, row: &Row, faults: &[Reason<'_>]) -> io::Result<()> {
        let rows = match &mut self.rows {
            Some(rows) => rows,
            none => none.insert(RefusedRows::new(self.path, self.header.take())?),
        };
        rows.write(row, faults)
    }

    /// The file is complete.
    pub fn close(self) -> io::Result<()> {
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

    fn write(&mut self, row: &Row, faults: &[Reason<'_>]) -> io::Result<()> {
        let joined = |part: fn(&Reason<'_>) -> String| {
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
                    joined(|it| it.field.to_owned()),
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
