//! The postings in memory, by municipality and half-year.
//!
//! A question about one municipality in one half-year finds its cell by two looks, and in it the sums by a search
//! for the log size, a look in a table, and the addition of the few rows that the table does not hold as they were
//! known. So an answer costs the same whatever its reference date and log size are. In a larger ledger it does the same
//! work and waits longer for memory, as less of it lies in the processor's caches.

mod run;

mod cell;

pub(super) use cell::Left;
use cell::{Cell, Whole};
use run::{Run, Tally};

use super::posting::{Line, Posting};
use crate::domain::area::MunicipalityCode;
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::time::{AsOf, Day, LogSize, Position};

/// All postings.
#[derive(Debug, Default)]
pub struct Columns {
    /// By the number of the code, of which there are at most ten thousand.
    municipalities: Vec<Option<Box<OfMunicipality>>>,
    first: Option<HalfYear>,
}

/// The postings of one municipality.
#[derive(Debug, Default)]
struct OfMunicipality {
    /// By the index of the half-year.
    half_years: Vec<Option<OfHalfYear>>,
    /// Into small-scale care and out of it once more, by half-year: who is in care may have come long ago.
    care: Run<{ HalfYear::COUNT }>,
}

/// A cell, and what is left of it as a whole beside it, where a walk back over the half-years reads it.
#[derive(Debug)]
struct OfHalfYear {
    whole: Whole,
    cell: Box<Cell>,
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

impl Sums {
    /// What remains of the half-year by itself.
    pub(super) fn left(&self) -> Left {
        let due = self.quota + self.revision + self.exchange + self.carry_over.unwrap_or(0);
        Left { persons: due - self.housed.iter().sum::<i64>(), fixed: self.carry_over.is_some() }
    }
}

impl Columns {
    /// Takes up a posting of the last entry.
    pub fn push(&mut self, posting: &Posting) {
        let position =
            u32::try_from(posting.position.0).expect("a ledger holds at most four billion entries");
        let half_year = posting.half_year;
        self.first = Some(self.first.map_or(half_year, |first| first.min(half_year)));

        let of = place(&mut self.municipalities, posting.municipality.number()).get_or_insert_default();
        if posting.line == Line::InCare {
            of.care.push(position, half_year.index(), posting);
        }
        let of = place(&mut of.half_years, half_year.index()).get_or_insert_with(|| OfHalfYear {
            whole: Whole::new(position, posting),
            cell: Box::new(Cell::new(posting)),
        });
        of.whole.push(position, posting);
        of.cell.push(position, posting);
    }

    /// The first half-year that any posting lies in.
    pub fn first_half_year(&self) -> Option<HalfYear> {
        self.first
    }

    /// The first half-year that any posting of a municipality lies in, as known at a log size.
    pub fn first_half_year_of(&self, municipality: MunicipalityCode, known_at: LogSize) -> Option<HalfYear> {
        let mut all = self.of_municipality(municipality)?.half_years.iter().flatten();
        all.find_map(|of| of.cell.postings().find(|it| it.position.is_known_at(known_at)))
            .map(|it| it.half_year)
    }

    /// The last half-year that any posting of a municipality lies in.
    pub(super) fn last_half_year_of(&self, municipality: MunicipalityCode) -> Option<HalfYear> {
        let last = self.of_municipality(municipality)?.half_years.iter().flatten().next_back()?;
        last.cell.postings().next().map(|it| it.half_year)
    }

    /// Every posting; those of one cell and line that are dated within their half-year in the order of the log.
    pub fn postings(&self) -> impl Iterator<Item = Posting> {
        let all = self.municipalities.iter().flatten();
        all.flat_map(|of| of.half_years.iter().flatten()).flat_map(|of| of.cell.postings())
    }

    /// Every posting of one municipality and half-year, those of one line that are dated within it in the order of the log.
    pub fn postings_of(
        &self,
        municipality: MunicipalityCode,
        half_year: HalfYear,
    ) -> impl Iterator<Item = Posting> {
        self.of_half_year(municipality, half_year).into_iter().flat_map(|of| of.cell.postings())
    }

    /// Where something was posted to the housing of one municipality and half-year, whether it counts or not, in the
    /// order of the log. One entry can post several times.
    pub fn housing(
        &self,
        municipality: MunicipalityCode,
        half_year: HalfYear,
    ) -> impl Iterator<Item = Position> {
        let of = self.of_half_year(municipality, half_year);
        of.into_iter().flat_map(|of| of.cell.housing())
    }

    /// The sums of one municipality and half-year.
    pub fn sums(&self, municipality: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Sums {
        self.of_half_year(municipality, half_year).map_or_else(Sums::default, |of| of.sums(as_of))
    }

    /// Every posting on a line of what is due of one half-year.
    pub(super) fn obligations_in(&self, half_year: HalfYear) -> impl Iterator<Item = Posting> {
        let all = self.municipalities.iter().flatten();
        let of = all.filter_map(move |of| of.half_years.get(usize::from(half_year.index()))?.as_ref());
        of.flat_map(|of| of.cell.obligations())
    }

    /// Each posting to the housing of one municipality and half-year that is known and before the reference date, in the
    /// order of the log: where it stands, its line, the day of its counting rule and its persons.
    pub(super) fn each_housed(
        &self,
        municipality: MunicipalityCode,
        half_year: HalfYear,
        as_of: AsOf,
        to: impl FnMut(Position, Line, Day, i64),
    ) {
        if let Some(of) = self.of_half_year(municipality, half_year) {
            of.cell.each_housed(as_of, to);
        }
    }

    /// Whether anything was posted to one municipality and half-year.
    pub(super) fn has(&self, municipality: MunicipalityCode, half_year: HalfYear) -> bool {
        self.of_half_year(municipality, half_year).is_some()
    }

    /// Whether the authority ever fixed what is carried into a half-year.
    pub(super) fn is_fixed(&self, municipality: MunicipalityCode, half_year: HalfYear) -> bool {
        self.of_half_year(municipality, half_year).is_some_and(|of| of.cell.is_fixed())
    }

    /// What is left of one municipality and half-year by itself.
    pub(super) fn left(&self, municipality: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Left {
        let of = self.of_half_year(municipality, half_year);
        of.map_or_else(Left::default, |of| of.left(as_of))
    }

    /// The standing that follows from all half-years before this one, back to the last that was fixed.
    pub fn carried_into(&self, municipality: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> i64 {
        let Some(of) = self.of_municipality(municipality) else { return 0 };
        let before = usize::from(half_year.index()).min(of.half_years.len());
        let mut carried = 0;
        for of in of.half_years[..before].iter().rev().flatten() {
            let left = of.left(as_of);
            carried += left.persons;
            if left.fixed {
                break;
            }
        }
        carried
    }

    /// How many persons are in small-scale care in a municipality, over all half-years so far.
    pub fn in_care(&self, municipality: MunicipalityCode, as_of: AsOf) -> i64 {
        let Some(of) = self.of_municipality(municipality) else { return 0 };
        let half_year = as_of.reference_date.0.half_year();
        let mut tally = Tally::new();
        of.care.sum(as_of.known_at, half_year.index(), &mut tally);
        if let Some(Some(of)) = of.half_years.get(usize::from(half_year.index())) {
            of.cell.sum_care(as_of, &mut tally);
        }
        tally.of(Line::InCare)
    }

    fn of_municipality(&self, code: MunicipalityCode) -> Option<&OfMunicipality> {
        self.municipalities.get(usize::from(code.number()))?.as_deref()
    }

    fn of_half_year(&self, code: MunicipalityCode, half_year: HalfYear) -> Option<&OfHalfYear> {
        self.of_municipality(code)?.half_years.get(usize::from(half_year.index()))?.as_ref()
    }
}

impl OfHalfYear {
    fn left(&self, as_of: AsOf) -> Left {
        self.whole.left(as_of).unwrap_or_else(|| self.sums(as_of).left())
    }

    fn sums(&self, as_of: AsOf) -> Sums {
        let mut tally = Tally::new();
        self.cell.sum(as_of, &mut tally);
        let carry_over_at = self.cell.fixed_at(as_of);
        Sums {
            quota: tally.of(Line::Quota),
            revision: tally.of(Line::Revision),
            exchange: tally.of(Line::Exchange),
            carry_over: carry_over_at.map(|_| tally.of(Line::CarryOver)),
            carry_over_at,
            housed: tally.housed(),
        }
    }
}

/// The place with this number, which is made if it is not there yet.
fn place<T>(places: &mut Vec<Option<T>>, number: u16) -> &mut Option<T> {
    let number = usize::from(number);
    if places.len() <= number {
        places.resize_with(number + 1, || None);
    }
    &mut places[number]
}
