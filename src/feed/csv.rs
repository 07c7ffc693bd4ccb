//! CSV files: one kind of file for each event that organisations send in bulk.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, BufRead, Read};
use std::str::FromStr;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord, Trim};

use super::parcel::{Content, ListHead, Parcel, Raw, Request, Row};
use super::pseudonym::PersonColumns;
use super::{FeedError, Parcels};
use crate::decide::command::{Command, Identity};
use crate::decide::refusal::Refusal;
use crate::domain::Fault;
use crate::domain::area::{Inhabitants, Municipality, MunicipalityCode};
use crate::domain::half_year::HalfYear;
use crate::domain::objection::{Contests, ObjectionReport};
use crate::domain::person_number::{NotAPersonNumber, PersonNumber, holds_person_number};
use crate::domain::persons::{Balance, Persons};
use crate::domain::placement::{PlacementReport, WithdrawalReport};
use crate::domain::source::Source;

/// The kinds of CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `placement-recorded`, one a row.
    Placements,
    /// `placement-withdrawn`, one a row.
    Withdrawals,
    /// `quota-allocated`, one for all rows of a half-year.
    Allocations,
    /// `carry-over-recorded`, one for all rows of a half-year.
    CarryOvers,
    /// `population-counted`, one for all rows of a day.
    Population,
    /// `municipality-registered`, one a row.
    Municipalities,
    /// `objection-recorded`, one a row, to a placement.
    Objections,
}

/// Columns that must be there, and columns that may.
struct Columns {
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

impl FileKind {
    const ALL: [Self; 7] = [
        Self::Placements,
        Self::Withdrawals,
        Self::Allocations,
        Self::CarryOvers,
        Self::Population,
        Self::Municipalities,
        Self::Objections,
    ];

    /// What such a file holds.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placements => "placements",
            Self::Withdrawals => "withdrawals",
            Self::Allocations => "allocations",
            Self::CarryOvers => "carry-overs",
            Self::Population => "population",
            Self::Municipalities => "municipalities",
            Self::Objections => "objections",
        }
    }

    fn columns(self) -> Columns {
        let (required, optional): (&[&str], &[&str]) = match self {
            Self::Placements => (
                &["placement", "municipality", "counts_from", "kind", "persons"],
                &[
                    "site_municipality",
                    "person",
                    "person_number",
                    "permit_granted_on",
                    "matched_on",
                    "care_ends",
                    "turns_18",
                ],
            ),
            Self::Withdrawals => (&["placement", "reason"], &[]),
            Self::Allocations => {
                (&["half_year", "municipality", "persons", "method", "reference"], &["rounding"])
            }
            Self::CarryOvers => {
                (&["from_half_year", "to_half_year", "municipality", "persons", "reference"], &[])
            }
            Self::Population => (&["counted_on", "municipality", "inhabitants"], &[]),
            Self::Municipalities => (&["code", "name", "province", "safety_region", "from"], &[]),
            Self::Objections => {
                (&["objection", "municipality", "placement", "ground", "raised_on", "reference"], &[])
            }
        };
        Columns { required, optional }
    }
}

/// Columns with this prefix are ours: the file of refused rows says in them what is wrong, and is
/// read again with them still in it.
pub const REFUSAL_COLUMNS: &str = "refusal";

/// The longest row that is read. A quote that is opened and never closed would take in the whole file.
const ROW_MAX: u64 = 1 << 20;

/// What a file is read through: it stops where a single row has taken too much.
pub(super) struct Bounded<R> {
    from: R,
    /// How much was read since the row began.
    taken: u64,
}

impl<R> Bounded<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, taken: 0 }
    }

    /// A row begins.
    pub(super) fn begin(&mut self) {
        self.taken = 0;
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.taken > ROW_MAX {
            let said =
                "a row is longer than a million bytes; most likely a quote in it is opened and never closed";
            return Err(io::Error::new(io::ErrorKind::InvalidData, said));
        }
        let read = self.from.read(to)?;
        self.taken += read as u64;
        Ok(read)
    }
}

/// A CSV file that is being read.
pub struct CsvFile<R> {
    reader: Reader<Bounded<R>>,
    source: Source,
    kind: FileKind,
    header: StringRecord,
    persons: Option<PersonColumns>,
    record: ByteRecord,
    /// The list that the last rows belong to, not complete yet.
    open: Option<Parcel>,
}

impl<R: BufRead> CsvFile<R> {
    /// Reads the header and finds out what kind of file it is.
    ///
    /// # Errors
    /// When the header is not that of one of the kinds.
    pub fn open(mut from: R, source: Source) -> Result<Self, FeedError> {
        let delimiter = delimiter_of(&mut from)?;
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(Trim::Headers)
            .from_reader(Bounded::new(from));
        let header = reader.headers().map_err(not_text)?.clone();
        let kind = kind_of(&header)?;
        let persons = PersonColumns::of(&header);
        let header = persons.map_or_else(|| header.clone(), |persons| persons.renamed(&header));
        Ok(Self { reader, source, kind, header, persons, record: ByteRecord::new(), open: None })
    }

    /// What kind of file it is.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// The names of the columns of its rows, as they stand in the file, with the token in the place of a person's number.
    pub fn header(&self) -> &StringRecord {
        &self.header
    }

    fn next_row(&mut self) -> io::Result<Option<NextRow>> {
        self.reader.get_mut().begin();
        let begun = self.reader.position().line();
        let read = self.reader.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                let said = format!("line {begun}: {error}; the rows before it may be recorded");
                io::Error::new(error.kind(), said)
            }
            csv::ErrorKind::Io(error) => error,
            _ => io::Error::other("the rows of the file cannot be told apart"),
        });
        if !read? {
            return Ok(None);
        }
        let number = self.record.position().map_or(0, csv::Position::line);
        // Without the spaces around a cell, and in no more memory than it takes: rows are held in groups.
        let mut cells = ByteRecord::with_capacity(self.record.as_slice().len(), self.record.len());
        let mut person = None;
        for (index, cell) in self.record.iter().map(<[u8]>::trim_ascii).enumerate() {
            let taken = self.persons.filter(|it| it.hold(index) && !cell.is_empty());
            if taken.is_some() {
                person = Some(str::from_utf8(cell).map_or(Err(NotAPersonNumber::Form), PersonNumber::parse));
            }
            cells.push_field(if taken.is_some() { b"" } else { cell });
        }
        let cells = StringRecord::from_byte_record(cells).map_err(|not_text| {
            let cells = not_text.into_byte_record();
            cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
        });
        Ok(Some(NextRow { number, cells, person }))
    }

    /// What a row says, or why it cannot be understood.
    fn read(&self, cells: &StringRecord) -> Result<Understood, Vec<Refusal>> {
        let mut row = Cells { header: &self.header, cells, refusals: Vec::new() };
        // First of all, in every cell: a row that is refused for another reason is written down too.
        for (index, cell) in cells.iter().enumerate() {
            if holds_person_number(cell) {
                let field = self.header.get(index).unwrap_or_default().to_owned();
                row.refusals.push(Refusal::PersonNumber { field });
            }
        }
        if !row.refusals.is_empty() {
            return Err(row.refusals);
        }
        if cells.len() != self.header.len() {
            return Err(vec![Refusal::Unreadable { problem: "has another number of cells than the header" }]);
        }
        let understood = match self.kind {
            FileKind::Placements => row.placement().map(one(Command::RecordPlacement)),
            FileKind::Withdrawals => row.withdrawal().map(one(Command::WithdrawPlacement)),
            FileKind::Municipalities => row.municipality().map(one(Command::RegisterMunicipality)),
            FileKind::Objections => row.objection().map(one(Command::RecordObjection)),
            FileKind::Allocations => row.allocation(),
            FileKind::CarryOvers => row.carry_over(),
            FileKind::Population => row.population(),
        };
        match understood {
            Some(understood) if row.refusals.is_empty() => Ok(understood),
            _ => Err(row.refusals),
        }
    }

    fn content(&self, request: Request) -> Content {
        let identity = Identity { source: self.source.clone(), id: None };
        Content { identity, registered_at: None, request }
    }

    /// Adds a row of a list to the open parcel. Gives the parcel before, if the row begins another.
    fn gather(
        &mut self,
        number: u64,
        raw: Raw,
        understood: (ListHead, MunicipalityCode, i64),
    ) -> Option<Parcel> {
        let (head, code, count) = understood;
        if let Some(Parcel {
            rows, content: Some(Content { request: Request::List(open, numbers), .. }), ..
        }) = &mut self.open
            && *open == head
        {
            let mut row = Row { number, raw, refusals: Vec::new() };
            match numbers.entry(code) {
                Entry::Occupied(_) => row.refusals.push(Refusal::NamedTwice { code }),
                Entry::Vacant(place) => {
                    place.insert((rows.len(), count));
                }
            }
            rows.push(row);
            return None;
        }
        let numbers = BTreeMap::from([(code, (0, count))]);
        let parcel = Parcel::one(number, raw, self.content(Request::List(head, numbers)));
        self.open.replace(parcel)
    }
}

/// A row as it is read, without the number of a person.
struct NextRow {
    number: u64,
    /// Its cells, or what is kept of a row that is not text.
    cells: Result<StringRecord, StringRecord>,
    person: Option<Result<PersonNumber, NotAPersonNumber>>,
}

/// What one row says.
enum Understood {
    One(Box<Command>),
    Listed(ListHead, MunicipalityCode, i64),
}

fn one<T>(command: impl Fn(T) -> Command) -> impl Fn(T) -> Understood {
    move |content| Understood::One(Box::new(command(content)))
}

impl<R: BufRead> Parcels for CsvFile<R> {
    fn next_parcel(&mut self) -> io::Result<Option<Parcel>> {
        loop {
            let Some(NextRow { number, cells, person }) = self.next_row()? else {
                return Ok(self.open.take());
            };
            let (mut cells, mut understood) = match cells {
                Err(cells) => (cells, Err(vec![Refusal::Unreadable { problem: "is not text in UTF-8" }])),
                Ok(cells) => {
                    let understood = self.read(&cells);
                    (cells, understood)
                }
            };
            let taken_out = self.persons.zip(person).map(|(columns, it)| columns.take_out(it, &mut cells));
            let person = taken_out.transpose().unwrap_or_else(|refusal| {
                let refusals = understood.as_mut().err().map(std::mem::take).unwrap_or_default();
                understood = Err([refusals, vec![refusal]].concat());
                None
            });
            let raw = Raw::Cells(cells);
            match understood {
                Ok(Understood::One(command)) => {
                    let parcel = Parcel::one(number, raw, self.content(Request::One(command)));
                    return Ok(Some(Parcel { person, ..parcel }));
                }
                Ok(Understood::Listed(head, code, count)) => {
                    if let Some(complete) = self.gather(number, raw, (head, code, count)) {
                        return Ok(Some(complete));
                    }
                }
                Err(refusals) => match &mut self.open {
                    // It stays with the list around it, so that receipts keep the order of the file.
                    Some(open) => open.rows.push(Row { number, raw, refusals }),
                    None => {
                        let parcel = Parcel::refused(number, raw, refusals);
                        return Ok(Some(Parcel { person, ..parcel }));
                    }
                },
            }
            // A list that is nothing but faults must not gather in memory for ever.
            if self.open.as_ref().is_some_and(|open| open.rows.len() >= super::GROUP) {
                return Ok(self.open.take());
            }
        }
    }
}

/// The cells of a row by the name of their column.
struct Cells<'a> {
    header: &'a StringRecord,
    cells: &'a StringRecord,
    refusals: Vec<Refusal>,
}

impl Cells<'_> {
    fn placement(&mut self) -> Option<PlacementReport> {
        // All cells are read before any is missed, so that every fault of the row is told at once.
        let placement = self.cell("placement");
        let municipality = self.cell("municipality");
        let site_municipality = self.optional("site_municipality");
        let counts_from = self.cell("counts_from");
        let kind = self.cell("kind");
        let persons = self.number::<u32, Persons>("persons");
        let person = self.optional("person");
        let permit_granted_on = self.optional("permit_granted_on");
        let matched_on = self.optional("matched_on");
        let care_ends = self.optional("care_ends");
        let turns_18 = self.optional("turns_18");
        Some(PlacementReport {
            placement: placement?,
            municipality: municipality?,
            site_municipality,
            counts_from: counts_from?,
            kind: kind?,
            persons: persons?,
            person,
            permit_granted_on,
            matched_on,
            care_ends,
            turns_18,
        })
    }

    fn withdrawal(&mut self) -> Option<WithdrawalReport> {
        let placement = self.cell("placement");
        let reason = self.cell("reason");
        Some(WithdrawalReport { placement: placement?, reason: reason? })
    }

    fn municipality(&mut self) -> Option<Municipality> {
        let code = self.cell("code");
        let name = self.cell("name");
        let province = self.cell("province");
        let safety_region = self.cell("safety_region");
        let from = self.cell("from");
        Some(Municipality {
            code: code?,
            name: name?,
            province: province?,
            safety_region: safety_region?,
            from: from?,
        })
    }

    fn objection(&mut self) -> Option<ObjectionReport> {
        let objection = self.cell("objection");
        let municipality = self.cell("municipality");
        let placement = self.cell("placement");
        let ground = self.cell("ground");
        let raised_on = self.cell("raised_on");
        let reference = self.cell("reference");
        Some(ObjectionReport {
            objection: objection?,
            municipality: municipality?,
            contests: Contests::Placement { placement: placement? },
            ground: ground?,
            raised_on: raised_on?,
            reference: reference?,
        })
    }

    fn allocation(&mut self) -> Option<Understood> {
        let half_year = self.half_year("half_year");
        let municipality = self.cell("municipality");
        let persons = self.number::<u32, Persons>("persons");
        let method = self.cell("method");
        let rounding = self.optional("rounding");
        let reference = self.cell("reference");
        let head =
            ListHead::Allocation { half_year: half_year?, method: method?, rounding, reference: reference? };
        Some(Understood::Listed(head, municipality?, persons?.count()))
    }

    fn carry_over(&mut self) -> Option<Understood> {
        let from_half_year = self.half_year("from_half_year");
        let to_half_year = self.half_year("to_half_year");
        let municipality = self.cell("municipality");
        let persons = self.number::<i32, Balance>("persons");
        let reference = self.cell("reference");
        let head = ListHead::CarryOver {
            from_half_year: from_half_year?,
            to_half_year: to_half_year?,
            reference: reference?,
        };
        Some(Understood::Listed(head, municipality?, persons?.count()))
    }

    fn population(&mut self) -> Option<Understood> {
        let counted_on = self.cell("counted_on");
        let municipality = self.cell("municipality");
        let inhabitants = self.number::<u32, Inhabitants>("inhabitants");
        let head = ListHead::Population { counted_on: counted_on? };
        Some(Understood::Listed(head, municipality?, inhabitants?.count() as i64))
    }

    /// The text of a column; nothing where the column is not there or the cell is empty.
    fn text(&self, column: &str) -> Option<&str> {
        let index = self.header.iter().position(|it| it == column)?;
        self.cells.get(index).filter(|cell| !cell.is_empty())
    }

    /// A cell that must be filled in.
    fn cell<T: FromStr<Err = Fault>>(&mut self, column: &str) -> Option<T> {
        if self.text(column).is_none() {
            self.refusals.push(Refusal::MissingField { field: column.to_owned() });
        }
        self.optional(column)
    }

    /// A cell that may be empty.
    fn optional<T: FromStr<Err = Fault>>(&mut self, column: &str) -> Option<T> {
        match self.text(column)?.parse() {
            Ok(value) => Some(value),
            Err(Fault(problem)) => {
                self.malformed(column, problem);
                None
            }
        }
    }

    /// A cell with a half-year.
    fn half_year(&mut self, column: &str) -> Option<HalfYear> {
        let refusals = self.refusals.len();
        let half_year = self.cell(column);
        for refusal in &mut self.refusals[refusals..] {
            if let Refusal::Malformed { field, .. } = refusal {
                *refusal = Refusal::UnknownHalfYear {
                    field: std::mem::take(field),
                    problem: "is not a half-year that the ledger knows (1990-I to 2149-II)",
                };
            }
        }
        half_year
    }

    /// A cell with a whole number.
    fn number<N: FromStr, T: TryFrom<N, Error = Fault>>(&mut self, column: &str) -> Option<T> {
        let Some(text) = self.text(column) else {
            self.refusals.push(Refusal::MissingField { field: column.to_owned() });
            return None;
        };
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let plain = unsigned.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<N>().ok().filter(|_| plain);
        let number = number.ok_or(Fault("is not a whole number that fits here: write digits only"));
        match number.and_then(T::try_from) {
            Ok(value) => Some(value),
            Err(Fault(problem)) => {
                self.malformed(column, problem);
                None
            }
        }
    }

    fn malformed(&mut self, column: &str, problem: &'static str) {
        self.refusals.push(Refusal::Malformed { field: column.to_owned(), problem: problem.to_owned() });
    }
}

/// What stands between the cells: a comma or a semicolon, whichever the first line has more of.
pub(super) fn delimiter_of(from: &mut impl BufRead) -> io::Result<u8> {
    // The first line is there without being taken, unless it is absurdly long.
    let start = from.fill_buf()?;
    let mut lines = start.split(|&byte| byte == b'\n');
    let first_line = lines.find(|it| !it.trim_ascii().is_empty()).unwrap_or(&[]);
    let count = |wanted: u8| first_line.iter().filter(|&&byte| byte == wanted).count();
    Ok(if count(b';') > count(b',') { b';' } else { b',' })
}

/// The kind of file that has just these columns.
pub(super) fn kind_of(header: &StringRecord) -> Result<FileKind, FeedError> {
    // Every name, also of columns that are left alone: the header stands beside the rows that are kept to be mended.
    if header.iter().any(holds_person_number) {
        let said = "a column is named by what looks like a BSN or a V-number: give it another name";
        return Err(FeedError::Header(said.to_owned()));
    }
    let named: Vec<&str> = header.iter().filter(|it| !it.starts_with(REFUSAL_COLUMNS)).collect();
    let twice = named.iter().enumerate().any(|(index, name)| named[..index].contains(name));
    if twice {
        return Err(FeedError::Header("the header names a column twice: keep one of the two".to_owned()));
    }
    let fits = |kind: &FileKind| {
        let Columns { required, optional } = kind.columns();
        required.iter().all(|it| named.contains(it))
            && named.iter().all(|it| required.contains(it) || optional.contains(it))
    };
    FileKind::ALL.into_iter().find(fits).ok_or_else(|| {
        // What comes nearest is what was meant: say what it lacks rather than list everything.
        let known = |kind: &FileKind| {
            let Columns { required, optional } = kind.columns();
            named.iter().filter(|it| required.contains(it) || optional.contains(it)).count()
        };
        let nearest = FileKind::ALL.into_iter().rev().max_by_key(known).filter(|kind| known(kind) > 0);
        FeedError::Header(match nearest {
            None => "the header has no column that a delivery has: the first line must name the columns \
                     of placements, withdrawals, allocations, carry-overs, population, municipalities or \
                     objections (docs/deliveries.md)"
                .to_owned(),
            Some(kind) => {
                let Columns { required, optional } = kind.columns();
                let lacks: Vec<_> = required.iter().filter(|it| !named.contains(it)).copied().collect();
                let unknown =
                    named.iter().filter(|it| !required.contains(it) && !optional.contains(it)).count();
                let mut problem = format!("this looks like a file of {}, but ", kind.name());
                match (&lacks[..], unknown) {
                    ([], _) => problem += &format!("{unknown} of its columns are not known there"),
                    (_, 0) => problem += &format!("it lacks the column {}", lacks.join(", ")),
                    _ => {
                        problem += &format!(
                            "it lacks the column {}, and {unknown} of its columns are not known there",
                            lacks.join(", ")
                        );
                    }
                }
                let all: Vec<_> = required.iter().chain(optional).copied().collect();
                format!("{problem}; such a file has the columns {}", all.join(", "))
            }
        })
    })
}

pub(super) fn not_text(error: csv::Error) -> FeedError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => FeedError::Read(error),
        _ => {
            FeedError::Header("the first line is not text in UTF-8: save the file as CSV in UTF-8".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_can_be_read_in_a_thread_of_its_own() {
        fn goes_to_another_thread<T: Send>() {}
        goes_to_another_thread::<CsvFile<Box<dyn BufRead + Send>>>();
        goes_to_another_thread::<crate::feed::cloudevent::EventLines<Box<dyn BufRead + Send>>>();
        goes_to_another_thread::<Parcel>();
    }
}
