//! Lists in a workbook (XLSX): the one sheet with something on it.

use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};

use super::super::faults::Faults;
use super::{Cell, Reading};
use crate::domain::time::Day;

/// How many rows and columns a sheet of a workbook can have.
const ROWS: u64 = 1 << 20;
const COLUMNS: usize = 1 << 14;

/// Reads all rows, with the numbers that they have on the sheet. A sheet is never held as a whole: a single cell far
/// down would make it as large as a sheet can be.
pub(super) fn read(content: &[u8], to: &mut Reading) -> Result<(), Faults> {
    let mut workbook = Xlsx::new(Cursor::new(content)).map_err(unreadable)?;
    let mut filled = Vec::new();
    for name in workbook.sheet_names() {
        // What is no sheet of cells, such as a chart, has no reader.
        let Ok(mut cells) = workbook.worksheet_cells_reader(&name) else { continue };
        while let Some(cell) = cells.next_cell().map_err(unreadable)? {
            if !matches!(cell.get_value(), DataRef::Empty) {
                filled.push(name);
                break;
            }
        }
    }
    let name = match &filled[..] {
        [] => return Ok(()),
        [name] => name,
        several => {
            return Err(Faults::one(format!(
                "the workbook has {} sheets with something on them: keep the list in a workbook of its own",
                several.len()
            )));
        }
    };
    let mut cells = workbook.worksheet_cells_reader(name).map_err(unreadable)?;
    let mut number = 0;
    let mut row = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let (at, column) = cell.get_position();
        let (at, column) = (u64::from(at) + 1, column as usize);
        if at != number {
            to.take(number, std::mem::take(&mut row))?;
        }
        // Beyond the last place of a sheet a number means nothing, and would make the row as long as it says.
        if at < number || column < row.len() || at > ROWS || column >= COLUMNS {
            return Err(damaged());
        }
        number = at;
        row.resize(column, Cell::Text(String::new()));
        row.push(read_cell(cell.get_value()));
    }
    to.take(number, row)
}

fn unreadable(_: XlsxError) -> Faults {
    damaged()
}

fn damaged() -> Faults {
    Faults::one("this is a workbook that cannot be read: open it, and save it anew as XLSX or CSV")
}

fn read_cell(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Text(String::new()),
        DataRef::String(text) => Cell::Text(text.trim().to_owned()),
        DataRef::SharedString(text) => Cell::Text(text.trim().to_owned()),
        DataRef::Int(number) => Cell::Text(number.to_string()),
        // A whole number is written without a decimal point.
        DataRef::Float(number) => Cell::Text(number.to_string()),
        DataRef::Bool(_) => Cell::Wrong("is true or false: write text"),
        DataRef::DateTime(time) => day(time),
        DataRef::DateTimeIso(time) => {
            let day = time.get(..10).and_then(|it| it.parse().ok());
            day.map_or(Cell::Text(time.clone()), Cell::Day)
        }
        DataRef::DurationIso(_) => Cell::Wrong(NOT_A_DAY),
        DataRef::Error(_) => Cell::Wrong("holds a formula that fails: write what it should give"),
    }
}

const NOT_A_DAY: &str = "is not a date between 1990-01-01 and 2149-12-31";

/// The day of a date cell; the time of day plays no part.
fn day(time: &ExcelDateTime) -> Cell {
    // Beyond this lie years that nobody means, and numbers that no calendar reaches.
    let in_reach = (0.0..200_000.0).contains(&time.as_f64()) && time.is_datetime();
    let day = in_reach.then(|| {
        let (year, month, day, ..) = time.to_ymd_hms_milli();
        Day::new(i32::from(year), u32::from(month), u32::from(day)).ok()
    });
    day.flatten().map_or(Cell::Wrong(NOT_A_DAY), Cell::Day)
}
