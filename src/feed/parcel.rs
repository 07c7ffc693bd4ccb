//! Parcels: the rows of a file that together become one event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::pseudonym::TakenOut;
use crate::decide::command::{Command, Identity};
use crate::decide::refusal::Refusal;
use crate::domain::area::{Inhabitants, MunicipalityCode, PerMunicipality, Population};
use crate::domain::carry_over::CarryOver;
use crate::domain::event::EventName;
use crate::domain::half_year::HalfYear;
use crate::domain::person_number::{holds_person_number, without_person_numbers};
use crate::domain::persons::{Balance, Persons};
use crate::domain::quota::{Allocation, AllocationMethod, Rounding};
use crate::domain::reference::Reference;
use crate::domain::source::Source;
use crate::domain::time::{Day, RecordedAt};

/// Rows that become one event, or a row that is refused as it stands.
#[derive(Debug)]
pub struct Parcel {
    /// The rows, in the order of the file. Those without a refusal are behind the content.
    pub rows: Vec<Row>,
    /// What they ask for, where any of them can be understood.
    pub content: Option<Content>,
    /// What the envelope of an event says of where it comes from.
    pub envelope: Envelope,
    /// The number of the person that its row is about, taken out until a token is in its place.
    pub person: Option<TakenOut>,
}

/// What can be read of where an event comes from, also where the event as a whole is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Its source.
    pub source: Option<Source>,
    /// Its kind.
    pub event: Option<EventName>,
    /// The number that its source gave to it among all of its own (the attribute `sequence`).
    pub sequence: Option<u64>,
}

/// A row of a file as it was delivered.
#[derive(Debug)]
pub struct Row {
    /// The line of the file that it begins on, counted from 1.
    pub number: u64,
    /// What was delivered, for the file of refused rows.
    pub raw: Raw,
    /// Why it is not recorded.
    pub refusals: Vec<Refusal>,
}

/// What was delivered, word for word.
#[derive(Debug)]
pub enum Raw {
    /// The cells of a row.
    Cells(::csv::StringRecord),
    /// A line of JSON.
    Line(String),
}

impl Row {
    /// Whether its fields are columns of a file rather than fields of JSON.
    pub fn columns(&self) -> bool {
        matches!(self.raw, Raw::Cells(_))
    }
}

impl Raw {
    /// How many bytes it takes.
    pub fn size(&self) -> usize {
        match self {
            Raw::Cells(cells) => cells.as_slice().len(),
            Raw::Line(line) => line.len(),
        }
    }

    /// The same without anything that looks like a person's number, so that it may reach the disk.
    pub fn cleaned(&self) -> Raw {
        match self {
            Raw::Cells(cells) => Raw::Cells(cells.iter().map(without_person_numbers).collect()),
            // Read first, since JSON can write a digit as \u0031 and a number with an exponent.
            Raw::Line(line) => Raw::Line(match serde_json::from_str(line) {
                Ok(value) => cleaned(value).to_string(),
                Err(_) => {
                    let digits = (0..10).map(|digit| (format!("\\u003{digit}"), digit.to_string()));
                    let plain =
                        digits.fold(line.clone(), |line, (escape, digit)| line.replace(&escape, &digit));
                    without_person_numbers(&plain)
                }
            }),
        }
    }
}

fn cleaned(value: Value) -> Value {
    match value {
        // A time to the nanosecond has nine digits behind the point.
        Value::String(text) if text.parse::<RecordedAt>().is_ok() => Value::String(text),
        Value::String(text) => without_person_numbers(&text).into(),
        Value::Number(number) if holds_person_number(&number.to_string()) => {
            without_person_numbers(&number.to_string()).into()
        }
        Value::Array(values) => values.into_iter().map(cleaned).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (without_person_numbers(&key), cleaned(value))).collect()
        }
        other => other,
    }
}

/// What rows ask for, and who says so.
#[derive(Debug)]
pub struct Content {
    /// Whose event it is.
    pub identity: Identity,
    /// When the sender registered it.
    pub registered_at: Option<RecordedAt>,
    /// The request.
    pub request: Request,
}

/// A command, or a list of municipalities that becomes one.
#[derive(Debug)]
pub enum Request {
    /// One row asks for one event.
    One(Box<Command>),
    /// Several rows, each with the number of a municipality, ask for one event together.
    List(ListHead, BTreeMap<MunicipalityCode, (usize, i64)>),
}

/// What the rows of a list have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListHead {
    /// Municipal numbers of a half-year.
    Allocation {
        /// The half-year.
        half_year: HalfYear,
        /// How the numbers came about.
        method: AllocationMethod,
        /// How they were rounded.
        rounding: Option<Rounding>,
        /// Where they stand.
        reference: Reference,
    },
    /// Standings that the authority fixed.
    CarryOver {
        /// The half-year that closed.
        from_half_year: HalfYear,
        /// The half-year that opened.
        to_half_year: HalfYear,
        /// Where it was fixed.
        reference: Reference,
    },
    /// Inhabitants on a day.
    Population {
        /// The day.
        counted_on: Day,
    },
}

impl Content {
    /// The command that the rows ask for.
    pub fn command(&self) -> Cow<'_, Command> {
        match &self.request {
            Request::One(command) => Cow::Borrowed(command),
            Request::List(head, numbers) => Cow::Owned(head.command(numbers)),
        }
    }
}

impl ListHead {
    fn command(&self, numbers: &BTreeMap<MunicipalityCode, (usize, i64)>) -> Command {
        match self.clone() {
            Self::Allocation { half_year, method, rounding, reference } => {
                let persons = each(numbers, |count| Persons::try_from(count as u32).ok());
                Command::AllocateQuota(Allocation { half_year, persons, method, rounding, reference })
            }
            Self::CarryOver { from_half_year, to_half_year, reference } => {
                let persons = each(numbers, |count| Balance::try_from(count as i32).ok());
                Command::RecordCarryOver(CarryOver { from_half_year, to_half_year, persons, reference })
            }
            Self::Population { counted_on } => {
                let inhabitants = each(numbers, |count| Inhabitants::try_from(count as u32).ok());
                Command::CountPopulation(Population { counted_on, inhabitants })
            }
        }
    }
}

/// The numbers of a list in their own type. They were read as that type, so none is out of range.
fn each<T>(
    numbers: &BTreeMap<MunicipalityCode, (usize, i64)>,
    number: impl Fn(i64) -> Option<T>,
) -> PerMunicipality<T> {
    let typed = numbers.iter().map(|(&code, &(_, count))| (code, number(count).expect("read as this type")));
    typed.collect::<BTreeMap<_, _>>().try_into().expect("a list has at least one municipality")
}

impl Parcel {
    /// How many rows and bytes it holds.
    pub fn size(&self) -> (usize, usize) {
        (self.rows.len(), self.rows.iter().map(|row| row.raw.size()).sum())
    }

    /// The numbers of a list, each as a list of its own with the place of its row.
    pub fn single_numbers(&self) -> Vec<(MunicipalityCode, usize, Command)> {
        let Some(Content { request: Request::List(head, numbers), .. }) = &self.content else {
            return Vec::new();
        };
        let single = numbers
            .iter()
            .map(|(&code, &(row, count))| (code, row, head.command(&BTreeMap::from([(code, (row, count))]))));
        single.collect()
    }

    /// A row that is refused as it stands.
    pub fn refused(number: u64, raw: Raw, refusals: Vec<Refusal>) -> Self {
        Self {
            rows: vec![Row { number, raw, refusals }],
            content: None,
            envelope: Envelope::default(),
            person: None,
        }
    }

    /// A row that asks for one event.
    pub fn one(number: u64, raw: Raw, content: Content) -> Self {
        Self {
            rows: vec![Row { number, raw, refusals: Vec::new() }],
            content: Some(content),
            envelope: Envelope::default(),
            person: None,
        }
    }

    /// Takes a municipality out of a list and gives its row, if the list has it.
    pub fn take_out(&mut self, code: MunicipalityCode) -> Option<&mut Row> {
        let Some(Content { request: Request::List(_, numbers), .. }) = &mut self.content else { return None };
        let (row, _) = numbers.remove(&code)?;
        if numbers.is_empty() {
            self.content = None;
        }
        self.rows.get_mut(row)
    }
}
