//! The postings in memory, by municipality and half-year.

use std::collections::HashMap;

use super::posting::{Line, Posting};
use crate::domain::area::MunicipalityCode;
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::time::{AsOf, Day, Position};

/// All postings. Those of one municipality and half-year lie together in the order of the log, so
/// that what was known at a log size is a prefix.
#[derive(Debug, Default)]
pub struct Columns {
    cells: HashMap<(MunicipalityCode, HalfYear), Vec<Row>>,
    first: Option<HalfYear>,
}

/// A posting within its cell, in 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Row {
    position: u32,
    persons: i32,
    valid_on: Day,
    ruled_on: Day,
    line: Line,
}

/// The sums of one municipality and half-year at one `AsOf`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The municipal number.
    pub quota: i64,
    /// What an evaluation changed.
    pub revision: i64,
    /// What was exchanged.
    pub exchange: i64,
    /// The standing that the authority fixed, if it did.
    pub carry_over: Option<i64>,
    /// Where it last did.
    pub carry_over_at: Option<Position>,
    /// Housed and counted, by kind.
    pub housed: [i64; PlacementKind::ALL.len()],
}

impl Columns {
    /// Takes up a posting of the last entry.
    pub fn push(&mut self, posting: &Posting) {
        let position =
            u32::try_from(posting.position.0).expect("a ledger holds at most four billion entries");
        let half_year = posting.half_year;
        self.first = Some(self.first.map_or(half_year, |first| first.min(half_year)));
        self.cells.entry((posting.municipality, half_year)).or_default().push(Row {
            position,
            persons: posting.persons,
            valid_on: posting.valid_on,
            ruled_on: posting.ruled_on,
            line: posting.line,
        });
    }

    /// The first half-year that any posting lies in.
    pub fn first_half_year(&self) -> Option<HalfYear> {
        self.first
    }

    /// Every posting, those of one municipality and half-year in the order of the log.
    pub fn postings(&self) -> impl Iterator<Item = Posting> {
        self.cells.iter().flat_map(|(&(municipality, half_year), rows)| {
            rows.iter().map(move |row| Posting {
                position: Position(u64::from(row.position)),
                valid_on: row.valid_on,
                ruled_on: row.ruled_on,
                municipality,
                half_year,
                line: row.line,
                persons: row.persons,
            })
        })
    }

    /// The sums of one municipality and half-year.
    pub fn sums(&self, municipality: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Sums {
        let on = as_of.reference_date;
        let mut sums = Sums::default();
        for row in self.known(municipality, half_year, as_of) {
            let persons = i64::from(row.persons);
            match row.line {
                Line::Housed(kind) if on.has_housing_of(row.valid_on) => sums.housed[kind.index()] += persons,
                Line::Quota if on.has_obligation_of(row.valid_on) => sums.quota += persons,
                Line::Revision if on.has_obligation_of(row.valid_on) => sums.revision += persons,
                Line::Exchange if on.has_obligation_of(row.valid_on) => sums.exchange += persons,
                Line::CarryOver if on.has_obligation_of(row.valid_on) => {
                    *sums.carry_over.get_or_insert(0) += persons;
                    sums.carry_over_at = Some(Position(u64::from(row.position)));
                }
                Line::Housed(_)
                | Line::Quota
                | Line::Revision
                | Line::Exchange
                | Line::CarryOver
                | Line::NotCounted(_)
                | Line::InCare => {}
            }
        }
        sums
    }

    /// How many persons are in small-scale care in a municipality, over all half-years so far.
    pub fn in_care(&self, municipality: MunicipalityCode, as_of: AsOf) -> i64 {
        let last = as_of.reference_date.0.half_year();
        let half_years = std::iter::successors(self.first, |it| it.next().filter(|next| *next <= last));
        half_years
            .flat_map(|half_year| self.known(municipality, half_year, as_of))
            .filter(|row| row.line == Line::InCare && as_of.reference_date.has_housing_of(row.valid_on))
            .map(|row| i64::from(row.persons))
            .sum()
    }

    /// The rows of a cell that are known at the log size: a prefix.
    fn known(&self, municipality: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> &[Row] {
        let rows = self.cells.get(&(municipality, half_year)).map_or(&[][..], Vec::as_slice);
        let size = as_of.known_at.0;
        &rows[..rows.partition_point(|row| u64::from(row.position) < size)]
    }
}
