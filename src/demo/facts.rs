//! The facts of the demo, as they stand in the files beside this one.

use crate::domain::area::Municipality;
use crate::domain::half_year::HalfYear;
use crate::domain::time::Day;

/// A half-year of the national series.
#[derive(Clone, Debug)]
pub struct NationalRow {
    /// The half-year.
    pub half_year: HalfYear,
    /// The quota as announced.
    pub announced: u32,
    /// What was due, the carry-over included.
    pub due: Option<u32>,
    /// What was realised.
    pub realised: Option<u32>,
    /// The standing at the end: above zero a backlog.
    pub end: Option<i32>,
    /// Whether the figures were stated or follow from others.
    pub status: String,
    /// Where the figures stand.
    pub source: String,
}

/// The national series, in the order of the half-years.
pub fn national_series() -> Vec<NationalRow> {
    let rows = rows(include_str!("national_series.csv"));
    let row = |row: csv::StringRecord| {
        let number = |cell: usize| (!row[cell].is_empty()).then(|| row[cell].parse().expect("a number"));
        NationalRow {
            half_year: row[0].parse().expect("a half-year"),
            announced: row[1].parse().expect("a number"),
            due: number(3),
            realised: number(4),
            // Publications write a backlog below zero.
            end: (!row[5].is_empty()).then(|| -row[5].parse::<i32>().expect("a number")),
            status: row[6].to_owned(),
            source: row[7].to_owned(),
        }
    };
    rows.map(row).collect()
}

/// Places in small-scale care, needed or there.
#[derive(Clone, Debug)]
pub struct CapacityRow {
    /// The half-year, or the month of a count.
    pub period: String,
    /// What the number says.
    pub kind: String,
    /// How many.
    pub places: u32,
    /// Where it stands.
    pub source: String,
}

/// The places in small-scale care that the letters name.
pub fn amv_capacity() -> Vec<CapacityRow> {
    let rows = rows(include_str!("amv_capacity.csv"));
    let row = |row: csv::StringRecord| CapacityRow {
        period: row[0].to_owned(),
        kind: row[1].to_owned(),
        places: row[2].parse().expect("a number"),
        source: row[3].to_owned(),
    };
    rows.map(row).collect()
}

/// The 342 municipalities of the division of 2023, with their inhabitants on 1 January 2021.
///
/// The demo uses them from 1 January 2018 on, as if they had existed then.
pub fn municipalities() -> Vec<(Municipality, u32)> {
    let rows = rows(include_str!("municipalities_2023.csv"));
    let row = |row: csv::StringRecord| {
        let municipality = Municipality {
            code: row[0].parse().expect("a code"),
            name: row[1].parse().expect("a name"),
            province: row[2].parse().expect("a province"),
            safety_region: row[4].parse().expect("a safety region"),
            from: Day::new(2018, 1, 1).expect("a day"),
        };
        (municipality, row[7].parse().expect("a number"))
    };
    rows.map(row).collect()
}

fn rows(file: &'static str) -> impl Iterator<Item = csv::StringRecord> {
    csv::Reader::from_reader(file.as_bytes()).into_records().map(|row| row.expect("a file of the crate"))
}
