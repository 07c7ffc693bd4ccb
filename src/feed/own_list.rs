//! A municipality's own list of housed persons: read to be compared, and never recorded.
//!
//! The list may be CSV or a workbook (XLSX); its content says which. All faults are told at once, and none of them
//! repeats what stands in the list.

mod workbook;

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use super::faults::Faults;
use super::separated::{self, TextCell};
use crate::book::reconciliation::{ListRow, Scope};
use crate::domain::Fault;
use crate::domain::area::MunicipalityCode;
use crate::domain::person_number::holds_person_number;
use crate::domain::persons::Balance;
use crate::domain::reference::Reference;
use crate::domain::source::PlacementId;
use crate::domain::time::Day;

/// A list that was understood.
#[derive(Debug)]
pub struct OwnList {
    /// Its rows.
    pub rows: Vec<ListRow>,
    /// The municipalities that rows name: where first, and how often.
    municipalities: BTreeMap<MunicipalityCode, (u64, u64)>,
}

/// Reads a list.
///
/// # Errors
/// When anything in it cannot be understood: a comparison with part of a list would explain nothing.
pub fn read(content: &[u8]) -> Result<OwnList, Faults> {
    let mut reading = Reading::default();
    match content {
        [b'P', b'K', 3, 4, ..] => workbook::read(content, &mut reading)?,
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return Err(Faults::one(
                "this is a workbook of the old kind (.xls) or one with a password: save it as XLSX or CSV without one",
            ));
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(Faults::one("this is text in UTF-16: save it as CSV in UTF-8"));
        }
        _ => separated::read(content, &mut |number, cells| {
            let cell = |text: TextCell| text.map_or_else(|Fault(problem)| Cell::Wrong(problem), Cell::Text);
            reading.take(number, cells.into_iter().map(cell).collect())
        })?,
    }
    reading.finish()
}

impl OwnList {
    /// Whether every row is about the municipality that is compared, as far as rows say so.
    ///
    /// # Errors
    /// When a row names another one that it did not take over.
    pub fn check(&self, scope: &Scope) -> Result<(), Faults> {
        let mut faults = Faults::default();
        for (code, (row, rows)) in self.municipalities.iter().filter(|(code, _)| !scope.answers_for(**code)) {
            let others = match rows - 1 {
                0 => String::new(),
                1 => " and 1 other".to_owned(),
                more => format!(" and {more} others"),
            };
            faults.add(format!(
                "row {row}{others}, column municipality: names {code}, and {} is compared: leave rows of others out",
                scope.municipality()
            ));
        }
        faults.or(())
    }
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    Text(String),
    /// A date cell of a workbook.
    Day(Day),
    /// Nothing that a list can hold.
    Wrong(&'static str),
}

/// A column that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Column {
    Reference,
    Placement,
    Municipality,
    Date,
    Kind,
    Persons,
    /// Of a delivery of placements, and of no use here.
    Unused,
}

/// Every name that a column can have.
const COLUMNS: [(&str, Column); 13] = [
    ("reference", Column::Reference),
    ("placement", Column::Placement),
    ("municipality", Column::Municipality),
    ("date", Column::Date),
    ("counts_from", Column::Date),
    ("kind", Column::Kind),
    ("persons", Column::Persons),
    ("site_municipality", Column::Unused),
    ("person", Column::Unused),
    ("permit_granted_on", Column::Unused),
    ("matched_on", Column::Unused),
    ("care_ends", Column::Unused),
    ("turns_18", Column::Unused),
];

/// A list that is being read, row by row.
#[derive(Debug, Default)]
struct Reading {
    /// The columns, once the header was read.
    header: Option<Vec<(&'static str, Column)>>,
    rows: Vec<ListRow>,
    municipalities: BTreeMap<MunicipalityCode, (u64, u64)>,
    /// Where each placement was named.
    placements: HashMap<PlacementId, u64>,
    faults: Faults,
}

impl Reading {
    /// Takes up a row, the first of which is the header. Rows without anything are passed over.
    fn take(&mut self, number: u64, mut cells: Vec<Cell>) -> Result<(), Faults> {
        let is_empty = |cell: &Cell| matches!(cell, Cell::Text(text) if text.is_empty());
        while cells.last().is_some_and(is_empty) {
            cells.pop();
        }
        if cells.is_empty() {
            return Ok(());
        }
        match self.header.take() {
            None => self.header = Some(header(number, &cells)?),
            Some(header) => {
                self.row(number, &header, &cells);
                self.header = Some(header);
            }
        }
        Ok(())
    }

    fn row(&mut self, number: u64, header: &[(&'static str, Column)], cells: &[Cell]) {
        // First of all, in every cell: nothing of a row with a person's number is looked at any further.
        let mut clean = true;
        for (index, cell) in cells.iter().enumerate() {
            if let Cell::Text(text) = cell
                && holds_person_number(text)
            {
                clean = false;
                let column = header.get(index).map_or("without a name", |(name, _)| name);
                self.faults.add_in(
                    number,
                    column,
                    "holds what looks like a person's number (BSN or V-number): take it out and write a reference of your own",
                );
            }
        }
        if !clean {
            return;
        }
        if cells.len() > header.len() {
            self.faults.add(format!(
                "row {number}: has more cells than the header has columns: take out what stands behind the last column"
            ));
            return;
        }
        let mut row = Row { number, header, cells, faults: &mut self.faults, is_whole: true };
        let reference: Option<Reference> = row.parsed(Column::Reference);
        let placement: Option<PlacementId> = row.parsed(Column::Placement);
        let municipality: Option<MunicipalityCode> = row.parsed(Column::Municipality);
        let date = row.date();
        let kind = row.filled(Column::Kind);
        let persons = row.persons();
        if let Some(id) = placement {
            match self.placements.get(&id) {
                Some(first) => row.fault(
                    Column::Placement,
                    &format!("names the placement of row {first} again: write it once, with all its persons"),
                ),
                None => drop(self.placements.insert(id, number)),
            }
        }
        if let (true, Some(date), Some(kind), Some(persons)) = (row.is_whole, date, kind, persons) {
            if let Some(code) = municipality {
                self.municipalities.entry(code).or_insert((number, 0)).1 += 1;
            }
            self.rows.push(ListRow { row: number, reference, placement, date, kind, persons });
        }
    }

    fn finish(self) -> Result<OwnList, Faults> {
        if self.header.is_none() {
            return Err(Faults::one(
                "the list is empty: its first row names the columns date and kind, and those of reference, placement and persons that there are",
            ));
        }
        let Self { rows, municipalities, faults, .. } = self;
        faults.or(OwnList { rows, municipalities })
    }
}

/// What the columns of a list mean.
fn header(number: u64, cells: &[Cell]) -> Result<Vec<(&'static str, Column)>, Faults> {
    let mut faults = Faults::default();
    let mut columns: Vec<(&'static str, Column)> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let name = if let Cell::Text(text) = cell { text.as_str() } else { "" };
        match COLUMNS.iter().find(|(known, _)| *known == name) {
            // What stands there may be anything, also somebody's name where a header is missing: it is not repeated.
            None => faults.add(format!(
                "row {number}: column {} is called something else than reference, placement, municipality, date, kind or persons: rename it or take it out",
                index + 1
            )),
            Some((name, column)) => {
                let same = columns.iter().find(|(other, it)| other == name || it == column && *it != Column::Unused);
                match same {
                    Some((other, _)) if other == name => {
                        faults.add(format!("row {number}: names the column {name} twice: keep one of the two"));
                    }
                    Some((other, _)) => faults.add(format!(
                        "row {number}: names the columns {other} and {name}, which mean the same: keep one of the two"
                    )),
                    None => {}
                }
                columns.push((name, *column));
            }
        }
    }
    for (column, name) in [(Column::Date, "date"), (Column::Kind, "kind")] {
        if !columns.iter().any(|(_, it)| *it == column) {
            faults.add(format!("row {number}: there is no column {name}: add it, since every row needs one"));
        }
    }
    faults.or(columns)
}

/// A row that is being read.
struct Row<'a> {
    number: u64,
    header: &'a [(&'static str, Column)],
    cells: &'a [Cell],
    faults: &'a mut Faults,
    is_whole: bool,
}

impl<'a> Row<'a> {
    /// The cell of a column, if there is anything in it.
    fn cell(&self, column: Column) -> Option<&'a Cell> {
        let index = self.header.iter().position(|(_, it)| *it == column)?;
        self.cells.get(index).filter(|cell| !matches!(cell, Cell::Text(text) if text.is_empty()))
    }

    fn fault(&mut self, column: Column, problem: &str) {
        let name = self.header.iter().find(|(_, it)| *it == column).map_or("", |(name, _)| name);
        self.faults.add_in(self.number, name, problem);
        self.is_whole = false;
    }

    fn text(&mut self, column: Column) -> Option<String> {
        match self.cell(column)? {
            Cell::Text(text) => Some(text.clone()),
            Cell::Day(day) => Some(day.to_string()),
            Cell::Wrong(problem) => {
                self.fault(column, problem);
                None
            }
        }
    }

    /// What stands in a cell that may be empty.
    fn parsed<T: FromStr<Err = Fault>>(&mut self, column: Column) -> Option<T> {
        match self.text(column)?.parse() {
            Ok(value) => Some(value),
            Err(Fault(problem)) => {
                self.fault(column, problem);
                None
            }
        }
    }

    /// What stands in a cell that must be filled in.
    fn filled<T: FromStr<Err = Fault>>(&mut self, column: Column) -> Option<T> {
        if self.cell(column).is_none() {
            self.fault(column, "is empty: fill it in");
        }
        self.parsed(column)
    }

    fn date(&mut self) -> Option<Day> {
        match self.cell(Column::Date) {
            Some(Cell::Day(day)) => Some(*day),
            _ => self.filled(Column::Date),
        }
    }

    fn persons(&mut self) -> Option<i64> {
        if self.cell(Column::Persons).is_none() {
            return Some(1);
        }
        let text = self.text(Column::Persons)?;
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let plain = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
        let number = text.parse::<i32>().ok().filter(|_| plain);
        match number
            .ok_or(Fault("is not a whole number that fits here: write digits only"))
            .and_then(Balance::try_from)
        {
            Ok(persons) if persons.count() == 0 => {
                self.fault(Column::Persons, "is 0: leave out a row about nobody");
                None
            }
            Ok(persons) => Some(persons.count()),
            Err(Fault(problem)) => {
                self.fault(Column::Persons, problem);
                None
            }
        }
    }
}
