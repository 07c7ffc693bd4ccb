//! Cells: the postings of one municipality in one half-year.

use super::run::{Run, Said, Tally};
use crate::book::posting::{Line, Posting};
use crate::domain::area::MunicipalityCode;
use crate::domain::half_year::HalfYear;
use crate::domain::time::{AsOf, Day, LogSize, Position, ReferenceDate};

/// A half-year has at most so many days.
const DAYS: usize = 184;

/// The postings of one municipality in one half-year, each line in the run of those that are asked for together.
#[derive(Debug)]
pub(super) struct Cell {
    municipality: MunicipalityCode,
    half_year: HalfYear,
    first_day: Day,
    /// Quota, revision, exchange and carry-over.
    obligations: Run<DAYS>,
    /// Housed, whether it counts or not.
    housing: Run<DAYS>,
    /// Into small-scale care, and out of it.
    care: Run<DAYS>,
    /// The few obligations that are dated outside the half-year, such as an evaluation decided after its end.
    strays: Vec<Posting>,
    /// Where the authority fixed the standing, and from which day that holds.
    fixed: Vec<(u32, Day)>,
}

/// What remains of a cell when all of it is known and past, without a look at its rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    /// The first position and the last.
    first: u32,
    last: u32,
    /// The last day.
    last_day: Day,
    left: Left,
}

/// What remains of one half-year by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Left {
    /// What is due minus what is realised, without a standing that follows from the half-year before.
    pub persons: i64,
    /// Whether the authority fixed the standing carried in, so that nothing follows from before.
    pub fixed: bool,
}

impl Whole {
    pub(super) fn new(position: u32, posting: &Posting) -> Self {
        Self { first: position, last: position, last_day: posting.valid_on, left: Left::default() }
    }

    pub(super) fn push(&mut self, position: u32, posting: &Posting) {
        let persons = i64::from(posting.persons);
        match posting.line {
            Line::Quota | Line::Revision | Line::Exchange => self.left.persons += persons,
            Line::CarryOver => {
                self.left.persons += persons;
                self.left.fixed = true;
            }
            Line::Housed(_) => self.left.persons -= persons,
            Line::NotCounted(_) | Line::InCare => return,
        }
        self.last = position;
        self.last_day = self.last_day.max(posting.valid_on);
    }

    /// What remains, if all of it is known and past, or nothing is known of it.
    pub(super) fn left(&self, as_of: AsOf) -> Option<Left> {
        match () {
            () if !is_known_at(self.first, as_of.known_at) => Some(Left::default()),
            () if is_known_at(self.last, as_of.known_at)
                && as_of.reference_date.has_housing_of(self.last_day) =>
            {
                Some(self.left)
            }
            () => None,
        }
    }
}

impl Cell {
    pub(super) fn new(posting: &Posting) -> Self {
        Self {
            municipality: posting.municipality,
            half_year: posting.half_year,
            first_day: posting.half_year.first_day(),
            obligations: Run::default(),
            housing: Run::default(),
            care: Run::default(),
            strays: Vec::new(),
            fixed: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, position: u32, posting: &Posting) {
        if posting.line == Line::CarryOver {
            self.fixed.push((position, posting.valid_on));
        }
        let day = posting.valid_on.index().checked_sub(self.first_day.index());
        let Some(slot) = day.filter(|&day| usize::from(day) < DAYS) else {
            assert!(posting.line.is_obligation(), "housing belongs to the half-year of its day");
            self.strays.push(*posting);
            return;
        };
        let run = match posting.line {
            Line::Quota | Line::Revision | Line::Exchange | Line::CarryOver => &mut self.obligations,
            Line::Housed(_) | Line::NotCounted(_) => &mut self.housing,
            Line::InCare => &mut self.care,
        };
        run.push(position, slot, posting);
    }

    /// Adds what is known of obligations up to the reference date, and of housing before it.
    pub(super) fn sum(&self, as_of: AsOf, tally: &mut Tally) {
        let day = self.day(as_of.reference_date);
        self.obligations.sum(as_of.known_at, (day + 1).clamp(0, DAYS as i32) as u16, tally);
        self.housing.sum(as_of.known_at, day.clamp(0, DAYS as i32) as u16, tally);
        for stray in &self.strays {
            if stray.is_in_force(as_of) {
                tally.add(stray.line, i64::from(stray.persons));
            }
        }
    }

    /// Adds what is known of small-scale care before the reference date.
    pub(super) fn sum_care(&self, as_of: AsOf, tally: &mut Tally) {
        let day = self.day(as_of.reference_date);
        self.care.sum(as_of.known_at, day.clamp(0, DAYS as i32) as u16, tally);
    }

    /// Where the authority last fixed the standing, as far as that is known.
    pub(super) fn fixed_at(&self, as_of: AsOf) -> Option<Position> {
        let known = self.fixed.partition_point(|(position, _)| is_known_at(*position, as_of.known_at));
        let in_force = |it: &&(u32, Day)| as_of.reference_date.has_obligation_of(it.1);
        let last = self.fixed[..known].iter().rev().find(in_force);
        last.map(|(position, _)| Position(u64::from(*position)))
    }

    /// The days since the half-year began, below zero before that.
    fn day(&self, on: ReferenceDate) -> i32 {
        i32::from(on.0.index()) - i32::from(self.first_day.index())
    }

    /// Every posting: what is due, and each run of housing in the order of the log.
    pub(super) fn postings(&self) -> impl Iterator<Item = Posting> {
        let rows = self.housing.rows().chain(self.care.rows());
        self.obligations().chain(rows.map(|row| self.posting(&row)))
    }

    /// Every posting on a line of what is due: the strays, and the others in the order of the log.
    pub(super) fn obligations(&self) -> impl Iterator<Item = Posting> {
        self.strays.iter().copied().chain(self.obligations.rows().map(|row| self.posting(&row)))
    }

    fn posting(&self, row: &Said) -> Posting {
        let valid_on = self.first_day.plus_days(row.slot);
        Posting {
            position: row.position,
            valid_on,
            ruled_on: row.ruled_on.unwrap_or(valid_on),
            municipality: self.municipality,
            half_year: self.half_year,
            line: row.line,
            persons: row.persons,
            supposed: None,
        }
    }

    /// Each posting of housing that is known and before the reference date, in the order of the log: where it stands, its
    /// line, the day of its counting rule and its persons.
    pub(super) fn each_housed(&self, as_of: AsOf, mut to: impl FnMut(Position, Line, Day, i64)) {
        let before = self.day(as_of.reference_date).clamp(0, DAYS as i32) as u16;
        self.housing.each(as_of.known_at, before, |row| {
            let ruled_on = row.ruled_on.unwrap_or_else(|| self.first_day.plus_days(row.slot));
            to(row.position, row.line, ruled_on, i64::from(row.persons));
        });
    }

    /// Whether the authority ever fixed the standing that is carried in.
    pub(super) fn is_fixed(&self) -> bool {
        !self.fixed.is_empty()
    }

    /// The positions of all postings of housing, in the order of the log. One entry can make several.
    pub(super) fn housing(&self) -> impl Iterator<Item = Position> {
        self.housing.rows().map(|row| row.position)
    }
}

fn is_known_at(position: u32, known_at: LogSize) -> bool {
    u64::from(position) < known_at.0
}
