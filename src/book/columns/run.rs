//! Runs: rows in the order of the log, with sums that are looked up instead of added.

use crate::book::posting::{Line, Posting};
use crate::domain::placement::PlacementKind;
use crate::domain::time::{Day, LogSize, Position};

/// A posting within its run, in 8 bytes: a position, and from the highest bit down persons, slot and line.
#[derive(Clone, Copy, Debug)]
struct Row {
    position: u32,
    rest: u32,
}

const LINE_BITS: u32 = 6;
const SLOT_BITS: u32 = 9;

/// The most persons that a row holds. Facts about more are rare, and take several rows.
const ROW_PERSONS_MAX: i32 = (1 << (31 - LINE_BITS - SLOT_BITS)) - 1;

impl Row {
    fn new(position: u32, line: Line, slot: u16, persons: i32) -> Self {
        let rest = (persons as u32) << SLOT_BITS | u32::from(slot);
        Self { position, rest: rest << LINE_BITS | number_of(line) as u32 }
    }

    fn persons(self) -> i32 {
        self.rest as i32 >> (SLOT_BITS + LINE_BITS)
    }

    fn slot(self) -> u16 {
        (self.rest >> LINE_BITS) as u16 % (1 << SLOT_BITS)
    }

    fn number(self) -> usize {
        self.rest as usize % LINES
    }

    fn is_known_at(self, known_at: LogSize) -> bool {
        u64::from(self.position) < known_at.0
    }

    fn said(self, ruled_on: Option<Day>) -> Said {
        Said {
            position: Position(u64::from(self.position)),
            line: line_of(self.number()),
            slot: self.slot(),
            ruled_on,
            persons: self.persons(),
        }
    }
}

/// As many as the bits of a row can tell apart, so that no sum needs to be checked for its place.
const LINES: usize = 1 << LINE_BITS;

const KINDS: usize = PlacementKind::ALL.len();

/// The lines that statements ask for. What is not counted comes behind them: it has rows and no sums.
const SUMMED: usize = KINDS + OTHERS.len();

/// The lines beside those of a kind of placement.
const OTHERS: [Line; 5] = [Line::InCare, Line::Quota, Line::Revision, Line::Exchange, Line::CarryOver];

const _: () = assert!(SUMMED + KINDS <= LINES);

/// The number of a line within a row.
fn number_of(line: Line) -> usize {
    match line {
        Line::Housed(kind) => kind.index(),
        Line::InCare => KINDS,
        Line::Quota => KINDS + 1,
        Line::Revision => KINDS + 2,
        Line::Exchange => KINDS + 3,
        Line::CarryOver => KINDS + 4,
        Line::NotCounted(kind) => SUMMED + kind.index(),
    }
}

fn line_of(number: usize) -> Line {
    match number {
        _ if number < KINDS => Line::Housed(PlacementKind::ALL[number]),
        _ if number < SUMMED => OTHERS[number - KINDS],
        _ => Line::NotCounted(PlacementKind::ALL[number - SUMMED]),
    }
}

/// Sums of persons by line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally([i64; LINES]);

impl Tally {
    pub(super) fn new() -> Self {
        Self([0; LINES])
    }

    pub(super) fn of(&self, line: Line) -> i64 {
        self.0[number_of(line)]
    }

    pub(super) fn housed(&self) -> [i64; KINDS] {
        std::array::from_fn(|kind| self.0[kind])
    }

    pub(super) fn add(&mut self, line: Line, persons: i64) {
        self.0[number_of(line)] += persons;
    }

    /// Adds, or with a sign of -1 takes off, a row in one of the slots before this one.
    fn add_row(&mut self, row: Row, before: u16, sign: i64) {
        // Without a branch, which nobody could predict.
        let seen = sign * i64::from(row.slot() < before);
        self.0[row.number()] += seen * i64::from(row.persons());
    }
}

/// Rows in the order of the log, each in one of so many slots of time: the days of a half-year, or half-years.
///
/// Every so many rows a block is sealed. It never changes again, whatever is dated back later, since later
/// entries have later positions.
#[derive(Debug)]
pub(super) struct Run<const SLOTS: usize> {
    sealed: Vec<Block>,
    /// The rows behind the last block.
    tail: Vec<Row>,
    /// How many rows the blocks hold.
    rows_sealed: u32,
    shape: Shape,
    /// The rows under the counting rule of another day than their own, such as those of an amv who moved.
    ruled: Vec<(u32, Day)>,
}

/// Some rows, with the sums of all rows of the run up to the last of them.
#[derive(Debug)]
struct Block {
    /// The last position, and the one in the middle: what a search reads lies together.
    last: u32,
    middle: u32,
    shape: Shape,
    rows: Box<[Row]>,
    /// For each slot the sums of those in it and in the slots before, the lines that occur side by side, because a
    /// question asks for all lines of one slot.
    sums: Sums,
}

/// Which lines and slots occur in some rows.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// The lines that have sums, a bit for each.
    lines: u32,
    first_slot: u16,
    last_slot: u16,
}

/// Sums that fit in 32 bits, as nearly all do, or not.
#[derive(Debug)]
enum Sums {
    Narrow(Box<[i32]>),
    Wide(Box<[i64]>),
}

/// What a row says, but for the day that its slot stands for.
pub(super) struct Said {
    pub(super) position: Position,
    pub(super) line: Line,
    pub(super) slot: u16,
    /// The day of the counting rule, where that is another one.
    pub(super) ruled_on: Option<Day>,
    pub(super) persons: i32,
}

/// A block is sealed when its rows take one and a half times the room of its sums, and are at least so many. Smaller
/// blocks make the columns larger, and larger ones make answers slower.
const ROWS_MIN: usize = 128;

impl<const SLOTS: usize> Default for Run<SLOTS> {
    fn default() -> Self {
        let shape = Shape { lines: 0, first_slot: u16::MAX, last_slot: 0 };
        Self { sealed: Vec::new(), tail: Vec::new(), rows_sealed: 0, shape, ruled: Vec::new() }
    }
}

impl<const SLOTS: usize> Run<SLOTS> {
    /// Takes up a posting of the last entry, in its slot.
    pub(super) fn push(&mut self, position: u32, slot: u16, posting: &Posting) {
        assert!(usize::from(slot) < SLOTS && SLOTS <= 1 << SLOT_BITS, "each run has its slots");
        let mut rest = posting.persons;
        loop {
            let persons = rest.clamp(-ROW_PERSONS_MAX, ROW_PERSONS_MAX);
            if posting.ruled_on != posting.valid_on {
                self.ruled.push((self.rows_sealed + self.tail.len() as u32, posting.ruled_on));
            }
            self.push_row(Row::new(position, posting.line, slot, persons));
            rest -= persons;
            if rest == 0 {
                return;
            }
        }
    }

    fn push_row(&mut self, row: Row) {
        self.shape.take_up(row);
        self.tail.push(row);
        let sums = self.shape.size() * size_of::<i32>();
        if self.tail.len() >= ROWS_MIN && 2 * self.tail.len() * size_of::<Row>() >= 3 * sums {
            self.rows_sealed += self.tail.len() as u32;
            let rows = std::mem::take(&mut self.tail).into();
            self.sealed.push(Block::of(self.sealed.last(), rows, self.shape));
        }
    }

    /// Adds the sums of what is known, in the slots before this one.
    pub(super) fn sum(&self, known_at: LogSize, before: u16, tally: &mut Tally) {
        let known = |row: &&Row| row.is_known_at(known_at);
        // Most runs are known to their end, which is looked at before a search begins.
        let is_whole = |it: &Block| u64::from(it.last) < known_at.0;
        let whole = match self.sealed.last().is_some_and(is_whole) {
            true => self.sealed.len(),
            false => self.sealed.partition_point(is_whole),
        };
        let begun = self.sealed.get(whole);
        // Rows are walked, not searched, from whichever end of the block is nearer: a search would wait for memory
        // at each of its steps.
        match begun.filter(|it| u64::from(it.middle) < known_at.0) {
            Some(block) => {
                block.add_sums(before, tally);
                let unknown = block.rows.iter().rev().take_while(|row| !known(row));
                unknown.for_each(|row| tally.add_row(*row, before, -1));
            }
            None => {
                if let Some(last) = whole.checked_sub(1) {
                    self.sealed[last].add_sums(before, tally);
                }
                let rows = begun.map_or(&self.tail[..], |it| &it.rows);
                rows.iter().take_while(known).for_each(|row| tally.add_row(*row, before, 1));
            }
        }
    }

    /// Each row that is known, in the slots before this one, in the order of the log.
    pub(super) fn each(&self, known_at: LogSize, before: u16, mut to: impl FnMut(Said)) {
        let mut ruled = self.ruled.iter().peekable();
        let mut index = 0_u32;
        for rows in self.sealed.iter().map(|it| &it.rows[..]).chain([&self.tail[..]]) {
            for row in rows {
                if !row.is_known_at(known_at) {
                    return;
                }
                let ruled_on = ruled.next_if(|(at, _)| *at == index).map(|(_, day)| *day);
                index += 1;
                if row.slot() < before {
                    to(row.said(ruled_on));
                }
            }
        }
    }

    /// All rows, in the order of the log.
    pub(super) fn rows(&self) -> impl Iterator<Item = Said> {
        let mut ruled = self.ruled.iter().peekable();
        let rows = self.sealed.iter().flat_map(|it| it.rows.iter()).chain(&self.tail);
        (0_u32..)
            .zip(rows)
            .map(move |(index, row)| row.said(ruled.next_if(|(at, _)| *at == index).map(|(_, day)| *day)))
    }
}

impl Shape {
    fn take_up(&mut self, row: Row) {
        if row.number() < SUMMED {
            self.lines |= 1 << row.number();
            self.first_slot = self.first_slot.min(row.slot());
            self.last_slot = self.last_slot.max(row.slot());
        }
    }

    /// How many lines there are.
    fn width(self) -> usize {
        self.lines.count_ones() as usize
    }

    /// How many sums there are.
    fn size(self) -> usize {
        match self.lines {
            0 => 0,
            _ => self.width() * usize::from(self.last_slot - self.first_slot + 1),
        }
    }

    /// Where the sum of a line up to and including a slot stands, which lies at or behind the first.
    fn place(self, slot: u16, line: usize) -> usize {
        let column = (self.lines & ((1 << line) - 1)).count_ones() as usize;
        usize::from(slot - self.first_slot) * self.width() + column
    }
}

impl Block {
    fn of(before: Option<&Self>, rows: Box<[Row]>, shape: Shape) -> Self {
        let mut sums = vec![0_i64; shape.size()];
        for row in rows.iter().filter(|row| row.number() < SUMMED) {
            sums[shape.place(row.slot(), row.number())] += i64::from(row.persons());
        }
        for at in shape.width()..sums.len() {
            sums[at] += sums[at - shape.width()];
        }
        if let Some(before) = before.filter(|it| it.shape.lines != 0) {
            for slot in before.shape.first_slot..=shape.last_slot {
                before.each_sum(slot + 1, |line, sum| sums[shape.place(slot, line)] += sum);
            }
        }
        let narrow: Result<Box<[i32]>, _> = sums.iter().map(|&sum| i32::try_from(sum)).collect();
        let sums = narrow.map_or_else(|_| Sums::Wide(sums.into()), Sums::Narrow);
        let position = |at: usize| rows[at].position;
        Self { last: position(rows.len() - 1), middle: position(rows.len() / 2), shape, rows, sums }
    }

    /// The sum of each line that occurs, in the slots before this one.
    fn each_sum(&self, before: u16, mut to: impl FnMut(usize, i64)) {
        let shape = self.shape;
        if shape.lines == 0 || before <= shape.first_slot {
            return;
        }
        let from = shape.place((before - 1).min(shape.last_slot), 0);
        let mut lines = shape.lines;
        let mut next = |sum| {
            to(lines.trailing_zeros() as usize, sum);
            lines &= lines - 1;
        };
        match &self.sums {
            Sums::Narrow(sums) => sums[from..][..shape.width()].iter().for_each(|&sum| next(i64::from(sum))),
            Sums::Wide(sums) => sums[from..][..shape.width()].iter().for_each(|&sum| next(sum)),
        }
    }

    fn add_sums(&self, before: u16, tally: &mut Tally) {
        self.each_sum(before, |line, sum| tally.0[line % LINES] += sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_number_of_its_own() {
        let kinds = PlacementKind::ALL.iter();
        let lines = kinds.flat_map(|&kind| [Line::Housed(kind), Line::NotCounted(kind)]).chain(OTHERS);
        for line in lines {
            assert_eq!(line_of(number_of(line)), line);
        }
    }
}
