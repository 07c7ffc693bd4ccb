//! The production plan of scenario 2, in CSV: read to be computed with, and never recorded. `docs/forecasting.md` says how
//! it is written.
//!
//! All faults are told at once, and none of them repeats what stands in the plan.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::faults::Faults;
use super::separated::{self, TextCell};
use crate::domain::Fault;
use crate::domain::person_number::holds_person_number;
use crate::domain::persons::Persons;
use crate::domain::plan::{Arrivals, Percentage, Plan, PlanCategory, Planned};
use crate::domain::time::Month;

/// A plan that was understood.
#[derive(Debug)]
pub struct ReadPlan {
    /// The plan.
    pub plan: Plan,
    /// How many rows it has, without the header.
    pub rows: u64,
}

const MONTH: usize = 0;
const CATEGORY: usize = 1;
const DECISIONS: usize = 2;
const GRANT_RATE: usize = 3;
const ARRIVING: [usize; 4] = [4, 5, 6, 7];

/// The columns of a plan; those up to the grant rate must be there.
pub const COLUMNS: [&str; 8] =
    ["month", "category", "decisions", "grant_rate", "arriving_0", "arriving_1", "arriving_2", "arriving_3"];

/// Reads a plan.
///
/// # Errors
/// When anything in it cannot be understood: part of a plan would forecast too little.
pub fn read(content: &[u8]) -> Result<ReadPlan, Faults> {
    match content {
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return Err(Faults::one("this is a workbook: save the sheet with the plan as CSV in UTF-8"));
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(Faults::one("this is text in UTF-16: save it as CSV in UTF-8"));
        }
        _ => {}
    }
    let mut reading = Reading::default();
    separated::read(content, &mut |number, cells| reading.take(number, cells))?;
    let Reading { header, plan, rows, faults, .. } = reading;
    match (header, rows) {
        (None, _) => Err(Faults::one(
            "the plan is empty: its first row names the columns month, category, decisions and grant_rate",
        )),
        (Some(_), 0) => {
            Err(Faults::one("the plan has no row below its header: write one for each month and category"))
        }
        (Some(_), rows) => faults.or(ReadPlan { plan, rows }),
    }
}

/// A plan that is being read, row by row.
#[derive(Debug, Default)]
struct Reading {
    /// For each column of the file which of [`COLUMNS`] it is, once the header was read.
    header: Option<Vec<usize>>,
    plan: Plan,
    rows: u64,
    /// Where each month and category was named.
    named: BTreeMap<(Month, PlanCategory), u64>,
    faults: Faults,
}

impl Reading {
    /// Takes up a row, the first of which is the header. Rows without anything are passed over.
    fn take(&mut self, number: u64, mut cells: Vec<TextCell>) -> Result<(), Faults> {
        while cells.last().is_some_and(|cell| cell.as_ref().is_ok_and(String::is_empty)) {
            cells.pop();
        }
        if cells.is_empty() {
            return Ok(());
        }
        match self.header.take() {
            None => self.header = Some(header(number, &cells)?),
            Some(header) => {
                self.rows += 1;
                self.row(number, &header, &cells);
                self.header = Some(header);
            }
        }
        Ok(())
    }

    fn row(&mut self, number: u64, header: &[usize], cells: &[TextCell]) {
        // First of all, in every cell: nothing of a row with a person's number is looked at any further.
        let mut clean = true;
        for (index, cell) in cells.iter().enumerate() {
            if cell.as_ref().is_ok_and(|text| holds_person_number(text)) {
                clean = false;
                let column = header.get(index).map_or("without a name", |it| COLUMNS[*it]);
                self.faults.add_in(
                    number,
                    column,
                    "holds what looks like a person's number (BSN or V-number): a plan is about no person, so take it out",
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
        let mut row = Row { number, header, cells, faults: &mut self.faults };
        let month: Option<Month> = row.filled(MONTH);
        let category: Option<PlanCategory> = row.filled(CATEGORY);
        let decisions = row.filled(DECISIONS).map(|Whole(persons)| persons);
        let grant_rate: Option<Percentage> = row.filled(GRANT_RATE);
        let arrivals = row.arrivals();
        let (Some(month), Some(category)) = (month, category) else { return };
        if let Some(first) = self.named.insert((month, category.clone()), number) {
            self.faults.add(format!(
                "row {number}: is about the month and category of row {first}: make one row of the two, or name two categories"
            ));
            return;
        }
        if let (Some(decisions), Some(grant_rate), Some(arrivals)) = (decisions, grant_rate, arrivals) {
            let planned = Planned { decisions, grant_rate, arrivals };
            self.plan.add(category, month, planned).expect("no row before is about the same");
        }
    }
}

/// Which columns a plan has.
fn header(number: u64, cells: &[TextCell]) -> Result<Vec<usize>, Faults> {
    let mut faults = Faults::default();
    let mut columns = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let name = cell.as_deref().unwrap_or_default();
        match COLUMNS.iter().position(|known| *known == name) {
            // What stands there may be anything, also somebody's name where a header is missing: it is not repeated.
            None => faults.add(format!(
                "row {number}: column {} is called something else than month, category, decisions, grant_rate or \
                 arriving_0 to arriving_3: rename it or take it out",
                index + 1
            )),
            Some(column) if columns.contains(&column) => {
                faults.add(format!("row {number}: names the column {name} twice: keep one of the two"));
            }
            Some(column) => columns.push(column),
        }
    }
    for column in [MONTH, CATEGORY, DECISIONS, GRANT_RATE] {
        if !columns.contains(&column) {
            let name = COLUMNS[column];
            faults.add(format!("row {number}: there is no column {name}: add it, since every row needs one"));
        }
    }
    faults.or(columns)
}

/// A number of persons in digits alone.
struct Whole(Persons);

impl FromStr for Whole {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let digits = text.bytes().all(|it| it.is_ascii_digit());
        let number = text.parse::<u32>().ok().filter(|_| digits);
        let number = number.ok_or(Fault("is not a whole number that fits here: write digits only"))?;
        Persons::try_from(number).map(Self)
    }
}

/// A row that is being read.
struct Row<'a> {
    number: u64,
    header: &'a [usize],
    cells: &'a [TextCell],
    faults: &'a mut Faults,
}

impl Row<'_> {
    fn fault(&mut self, column: usize, Fault(problem): Fault) {
        self.faults.add_in(self.number, COLUMNS[column], problem);
    }

    /// What stands in a column, if there is anything in it; outside nothing where that is wrong.
    fn parsed<T: FromStr<Err = Fault>>(&mut self, column: usize) -> Option<Option<T>> {
        let index = self.header.iter().position(|it| *it == column);
        let parsed = match index.and_then(|index| self.cells.get(index)) {
            None => return Some(None),
            Some(Ok(text)) if text.is_empty() => return Some(None),
            Some(Ok(text)) => text.parse(),
            Some(Err(fault)) => Err(*fault),
        };
        parsed.map_err(|fault| self.fault(column, fault)).ok().map(Some)
    }

    /// What stands in a column that must be filled in.
    fn filled<T: FromStr<Err = Fault>>(&mut self, column: usize) -> Option<T> {
        let parsed = self.parsed(column)?;
        if parsed.is_none() {
            self.fault(column, Fault("is empty: fill it in"));
        }
        parsed
    }

    /// When those who are granted arrive; inside nothing where no cell says so, outside where one is wrong.
    fn arrivals(&mut self) -> Option<Option<Arrivals>> {
        let parts = ARRIVING.map(|column| self.parsed::<Percentage>(column));
        let [Some(one), Some(two), Some(three), Some(four)] = parts else { return None };
        let parts = [one, two, three, four];
        if parts.iter().all(Option::is_none) {
            return Some(None);
        }
        match Arrivals::try_from(parts.map(Option::unwrap_or_default)) {
            Ok(arrivals) => Some(Some(arrivals)),
            Err(Fault(problem)) => {
                self.faults.add(format!("row {}, columns arriving_0 to arriving_3: {problem}", self.number));
                None
            }
        }
    }
}
