//! Numbers of persons that come in on purpose: taken out of the row before anything else is done with it, and replaced by
//! the token that stands for the person.
//!
//! A number is never part of a row, a command or a text: it goes beside the parcel, in a type that can only be turned into
//! a token, and from then on the row reads as if its sender had given the token.

use std::borrow::Cow;
use std::ops::Range;

use csv::StringRecord;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::parcel::{Parcel, Raw, Request};
use crate::decide::command::Command;
use crate::decide::refusal::Refusal;
use crate::domain::event::EventName;
use crate::domain::person_number::{NotAPersonNumber, PersonNumber};
use crate::domain::source::PersonToken;
use crate::store::links::{Links, LinksError};

/// Where the token stands in JSON until it is known. It is a token itself, so that the rest is read as it will be.
const PENDING: &str = r#""person":"ffffffff-ffff-4fff-bfff-ffffffffffff""#;
/// What stands in the place of a number that was refused.
const REMOVED: &str = "[removed]";

/// A number that was taken out of a row.
pub struct TakenOut {
    number: PersonNumber,
    place: Place,
}

/// Where the token belongs in the row.
#[derive(Clone, Copy)]
enum Place {
    /// In the cell of this column.
    Cell(usize),
    /// In the line of JSON, where [`PENDING`] stands from this byte on: its sender may have written the same elsewhere.
    Pending(usize),
}

/// Says that there is one, and not which.
impl std::fmt::Debug for TakenOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TakenOut")
    }
}

/// Puts the tokens of persons in the place of the numbers that were taken out: into what is asked for, and into the row,
/// so that a row that is refused can be mended without the number. New links are durable when this returns.
///
/// It must be called before what a parcel asks for is offered to the ledger.
///
/// # Errors
/// When the links are lost or damaged, or cannot be written. Then no parcel was changed.
pub fn pseudonymise<'a>(
    parcels: impl IntoIterator<Item = &'a mut Parcel>,
    links: &mut Links,
) -> Result<(), LinksError> {
    let mut parcels: Vec<_> = parcels.into_iter().filter(|it| it.person.is_some()).collect();
    let numbers: Vec<_> = parcels.iter().filter_map(|it| it.person.as_ref()).map(|it| &it.number).collect();
    let mut tokens = links.resolve(&numbers)?.into_iter();
    let kept = !links.is_rehearsing();
    for parcel in &mut parcels {
        if let Some(taken_out) = parcel.person.take() {
            put(tokens.next().expect("one for each number"), taken_out.place, kept, parcel);
        }
    }
    Ok(())
}

/// Puts a token into its place. One that is not kept stands for nobody in a row that is sent again, so it goes into what
/// is asked for only.
fn put(token: PersonToken, place: Place, kept: bool, parcel: &mut Parcel) {
    if let Some(content) = &mut parcel.content
        && let Request::One(command) = &mut content.request
        && let Command::RecordPlacement(report) = &mut **command
    {
        report.person = Some(token);
    }
    for row in &mut parcel.rows {
        match (&mut row.raw, place) {
            (Raw::Cells(cells), Place::Cell(column)) if kept => set(cells, column, &token.to_string()),
            (Raw::Cells(cells), Place::Cell(column)) => set(cells, column, REMOVED),
            (Raw::Line(line), Place::Pending(at)) => {
                let member =
                    if kept { format!(r#""person":"{token}""#) } else { format!(r#""{FIELD}":"{REMOVED}""#) };
                line.replace_range(at..at + PENDING.len(), &member);
            }
            (Raw::Cells(_), Place::Pending(_)) | (Raw::Line(_), Place::Cell(_)) => {
                unreachable!("a line of JSON has no cells")
            }
        }
    }
}

/// Writes into a cell of a row.
fn set(cells: &mut StringRecord, column: usize, text: &str) {
    let changed = cells.iter().enumerate().map(|(index, cell)| if index == column { text } else { cell });
    *cells = changed.collect();
}

/// The refusal of what stands in the place of a number and is none.
fn refusal(fault: NotAPersonNumber, field: &str) -> Refusal {
    let field = field.to_owned();
    match fault {
        NotAPersonNumber::Bsn => Refusal::PersonNumber { field },
        NotAPersonNumber::Form => {
            Refusal::Malformed { field, problem: "is not a V-number: write exactly ten digits".to_owned() }
        }
    }
}

/// The refusal of a number beside a token.
fn beside_a_token(field: &str) -> Refusal {
    let problem = "stands beside a token for the person: give one of the two";
    Refusal::Malformed { field: field.to_owned(), problem: problem.to_owned() }
}

/// The column of a table that holds numbers, and the one in which their tokens are put.
#[derive(Clone, Copy)]
pub(super) struct PersonColumns {
    number: usize,
    token: usize,
}

/// The column of numbers.
const COLUMN: &str = "person_number";
/// The column of tokens.
const TOKENS: &str = "person";

impl PersonColumns {
    /// Those of a header that has a column for numbers.
    pub fn of(header: &StringRecord) -> Option<Self> {
        let column = |name| header.iter().position(|it| it == name);
        let number = column(COLUMN)?;
        Some(Self { number, token: column(TOKENS).unwrap_or(number) })
    }

    /// The header of what is read. Where there is no other column for the token, it takes the place of the number.
    pub fn renamed(self, header: &StringRecord) -> StringRecord {
        let mut renamed = header.clone();
        if self.token == self.number {
            set(&mut renamed, self.number, TOKENS);
        }
        renamed
    }

    /// Whether this column holds numbers.
    pub fn hold(self, column: usize) -> bool {
        self.number == column
    }

    /// The number that was taken out of a row. Where it is refused, the row says that something was there.
    pub fn take_out(
        self,
        person: Result<PersonNumber, NotAPersonNumber>,
        cells: &mut StringRecord,
    ) -> Result<TakenOut, Refusal> {
        let refused = match person {
            _ if cells.get(self.token).is_some_and(|it| !it.is_empty()) => beside_a_token(COLUMN),
            Ok(number) => return Ok(TakenOut { number, place: Place::Cell(self.token) }),
            Err(fault) => refusal(fault, COLUMN),
        };
        set(cells, self.number, REMOVED);
        Err(refused)
    }
}

/// A line of JSON without the number that it held.
pub(super) struct Line {
    /// The line as it is read from here on.
    pub line: String,
    /// The number, or why it is refused.
    pub number: Result<TakenOut, Refused>,
}

/// Why a number in JSON is refused, and how its line is kept.
pub(super) struct Refused {
    pub refusal: Refusal,
    /// The line with nothing in the place of the number.
    pub kept: String,
}

/// The field of JSON.
const FIELD: &str = "personNumber";

/// Takes the number out of a placement. Nothing where there is none, or where it stands in any other place: there it is
/// found like all others.
pub(super) fn take_out(line: &str) -> Option<Line> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow, rename = "type")]
        kind: Option<Cow<'a, str>>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        #[serde(borrow)]
        person_number: Option<&'a RawValue>,
        person: Option<IgnoredAny>,
    }
    if !line.contains(FIELD) {
        return None;
    }
    let event: Event<'_> = serde_json::from_str(line).ok()?;
    let name = EventName::of_cloudevent_type(&event.kind?)?;
    let data: Data<'_> = serde_json::from_str(event.data?.get()).ok()?;
    let written = data.person_number.filter(|_| name == EventName::PlacementRecorded)?.get();
    let member = member(line, written)?;
    let replaced = |by: &str| [&line[..member.start], by, &line[member.end..]].concat();
    let refused = |refusal| Refused { refusal, kept: replaced(&format!(r#""{FIELD}":"{REMOVED}""#)) };
    let number = match read(written) {
        _ if data.person.is_some() => Err(refused(beside_a_token(FIELD))),
        Ok(number) => Ok(TakenOut { number, place: Place::Pending(member.start) }),
        Err(fault) => Err(refused(refusal(fault, FIELD))),
    };
    Some(Line { line: replaced(PENDING), number })
}

/// Reads the value of the field. Only text is a number: a figure of JSON loses the zeros in front.
fn read(written: &str) -> Result<PersonNumber, NotAPersonNumber> {
    match serde_json::from_str::<Cow<'_, str>>(written) {
        Ok(text) => PersonNumber::parse(&text),
        Err(_) => Err(PersonNumber::parse(written).err().unwrap_or(NotAPersonNumber::Form)),
    }
}

/// Where a value stands in the line that it was read from, with its key.
fn member(line: &str, value: &str) -> Option<Range<usize>> {
    let start = (value.as_ptr() as usize).checked_sub(line.as_ptr() as usize)?;
    let key = line.get(..start)?.trim_end().strip_suffix(':')?.trim_end().strip_suffix('"')?;
    Some(key.rfind('"')?..start + value.len())
}
