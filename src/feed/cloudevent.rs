//! JSON Lines of CloudEvents (NL GOV profile for CloudEvents 1.1): any event, one a line.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroize as _;

use super::Parcels;
use super::parcel::{Content, Envelope, Parcel, Raw, Request};
use super::pseudonym::{Line, Refused, take_out};
use crate::decide::command::{Command, Identity};
use crate::decide::refusal::Refusal;
use crate::domain::event::EventName;
use crate::domain::person_number::holds_person_number;
use crate::domain::read_object;
use crate::domain::source::{EventId, Source};
use crate::domain::time::RecordedAt;

/// The longest line that is read: the numbers of all municipalities take a tenth of it.
const LINE_MAX: u64 = 1 << 20;

/// A file of CloudEvents that is being read.
pub struct EventLines<R> {
    from: R,
    number: u64,
}

impl<R: BufRead> EventLines<R> {
    /// Reads from here.
    pub fn new(from: R) -> Self {
        Self { from, number: 0 }
    }

    /// The next line that is not empty with its number, or why it cannot be read.
    pub(super) fn next_line(&mut self) -> io::Result<Option<(u64, Result<String, &'static str>)>> {
        loop {
            let mut line = Vec::new();
            if (&mut self.from).take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.last() != Some(&b'\n') && line.len() as u64 == LINE_MAX {
                skip_line(&mut self.from)?;
                let problem = "is longer than a million characters";
                return Ok(Some((self.number, Err(problem))));
            }
            let Ok(line) = String::from_utf8(line) else {
                return Ok(Some((self.number, Err("is not text in UTF-8"))));
            };
            let line = line.trim_start_matches('\u{feff}').trim_end();
            if !line.is_empty() {
                return Ok(Some((self.number, Ok(line.to_owned()))));
            }
        }
    }
}

impl<R: BufRead> Parcels for EventLines<R> {
    fn next_parcel(&mut self) -> io::Result<Option<Parcel>> {
        Ok(self.next_line()?.map(|(number, line)| match line {
            Ok(line) => row(number, line),
            Err(problem) => {
                let raw = Raw::Line(String::new());
                Parcel::refused(number, raw, vec![Refusal::Unreadable { problem }])
            }
        }))
    }
}

/// One event as a row with this number.
pub fn event(number: u64, text: &str) -> Parcel {
    row(number, text.to_owned())
}

fn row(number: u64, mut text: String) -> Parcel {
    let mut envelope = Envelope::default();
    let parcel = match take_out(&text) {
        None => {
            let understood = read(&text, &mut envelope);
            parcel_of(number, text, understood)
        }
        Some(Line { line, number: person }) => {
            text.zeroize();
            match (person, read(&line, &mut envelope)) {
                (Ok(person), understood) => {
                    Parcel { person: Some(person), ..parcel_of(number, line, understood) }
                }
                (Err(Refused { refusal, kept }), understood) => {
                    // What is wrong with the rest is told too, as if there had been a token.
                    let mut refusals = vec![refusal];
                    refusals.extend(understood.err().into_iter().flatten());
                    Parcel::refused(number, Raw::Line(kept), refusals)
                }
            }
        }
    };
    Parcel { envelope, ..parcel }
}

fn parcel_of(number: u64, line: String, understood: Result<Content, Vec<Refusal>>) -> Parcel {
    match understood {
        Ok(content) => Parcel::one(number, Raw::Line(line), content),
        Err(refusals) => Parcel::refused(number, Raw::Line(line), refusals),
    }
}

/// The events of a list (`application/cloudevents-batch+json`), each a row, counted from 1.
///
/// # Errors
/// When it is not a JSON array, or holds more than `most` events.
pub fn event_list(content: &[u8], most: usize) -> Result<Vec<Parcel>, NoList> {
    let text = std::str::from_utf8(content).map_err(|_| NoList::NotText)?;
    let events: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NoList::NotAnArray)?;
    if events.len() > most {
        return Err(NoList::TooMany(events.len()));
    }
    match events.iter().any(|it| it.get().len() as u64 > LINE_MAX) {
        true => Err(NoList::TooLong),
        false => Ok((1..).zip(events).map(|(number, it)| event(number, it.get())).collect()),
    }
}

/// Why something is not a list of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoList {
    /// The bytes are no text.
    #[error("is not text in UTF-8")]
    NotText,
    /// The text is something else.
    #[error("is not a JSON array")]
    NotAnArray,
    /// One of them is longer than a line of a file may be.
    #[error("holds an event of more than 1,048,576 bytes")]
    TooLong,
    /// There are too many.
    #[error("holds {0} events")]
    TooMany(usize),
}

fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        let (taken, done) = match buffer.iter().position(|&byte| byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        from.consume(taken);
        if done {
            return Ok(());
        }
    }
}

/// The attributes of a CloudEvent that the ledger looks at; others may be there and are left alone.
#[derive(Deserialize)]
struct CloudEvent<'a> {
    #[serde(borrow)]
    specversion: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sequence: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// What one event says, or every fault of its envelope, or the first of its content.
///
/// Where it comes from is told also when it is refused, as far as that can be read.
fn read(line: &str, envelope: &mut Envelope) -> Result<Content, Vec<Refusal>> {
    const NOT_AN_OBJECT: Refusal = Refusal::Unreadable { problem: "is not one JSON object on one line" };
    let Ok(value) = serde_json::from_str::<Value>(line) else {
        let number = holds_person_number(line);
        return Err(vec![if number { person_number("") } else { NOT_AN_OBJECT }]);
    };
    let mut numbers = Vec::new();
    find_person_numbers(&value, "", &mut numbers);
    if !numbers.is_empty() {
        return Err(numbers);
    }
    let event: CloudEvent<'_> = read_object(line).map_err(|_| match value {
        Value::Object(_) => {
            vec![Refusal::Unreadable { problem: "has an attribute twice, or one that is not text" }]
        }
        _ => vec![NOT_AN_OBJECT],
    })?;

    let mut refusals = Vec::new();
    match event.specversion.as_deref() {
        Some("1.0") => {}
        Some(_) => refusals.push(malformed("specversion", "is not 1.0")),
        None => refusals.push(missing("specversion")),
    }
    let id: Option<EventId> = attribute("id", event.id, &mut refusals);
    let source: Option<Source> = attribute("source", event.source, &mut refusals);
    match event.sequence.as_deref().map(number_of_event) {
        Some(None) => refusals.push(malformed("sequence", SEQUENCE)),
        number => envelope.sequence = number.flatten(),
    }
    envelope.source = source.clone();
    let registered_at: Option<RecordedAt> = match event.time {
        Some(time) => attribute("time", Some(time), &mut refusals),
        None => None,
    };
    let name = match event.kind.as_deref() {
        None => {
            refusals.push(missing("type"));
            None
        }
        Some(text) => {
            let name = EventName::of_cloudevent_type(text);
            if name.is_none() {
                refusals.push(malformed(
                    "type",
                    "is not the type of an event: see docs/deliveries.md, such as nl.huisvesting-statushouders.placements.recorded.v1",
                ));
            }
            name
        }
    };
    envelope.event = name;
    let command = match (name, event.data) {
        (_, None) => {
            refusals.push(missing("data"));
            None
        }
        (None, Some(_)) => None,
        (Some(name), Some(data)) => {
            let mut data = serde_json::Deserializer::from_str(data.get());
            match Command::from_json(name, &mut data) {
                Ok(command) => Some(command),
                Err(error) => {
                    refusals.push(in_data(&error.path().to_string(), &error.inner().to_string()));
                    None
                }
            }
        }
    };
    match (id, source, command) {
        (Some(id), Some(source), Some(command)) if refusals.is_empty() => Ok(Content {
            identity: Identity { source, id: Some(id) },
            registered_at,
            request: Request::One(Box::new(command)),
        }),
        _ => Err(refusals),
    }
}

const SEQUENCE: &str =
    "is not the number of an event: write 1 to 8 digits, and count from one event to the next";

/// The number of an event among those of its source. Nine or ten digits could be the number of a person.
fn number_of_event(text: &str) -> Option<u64> {
    let right = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| right)
}

fn attribute<T: std::str::FromStr<Err = crate::domain::Fault>>(
    field: &'static str,
    text: Option<Cow<'_, str>>,
    refusals: &mut Vec<Refusal>,
) -> Option<T> {
    let Some(text) = text else {
        refusals.push(missing(field));
        return None;
    };
    text.parse().map_err(|fault: crate::domain::Fault| refusals.push(malformed(field, fault.0))).ok()
}

/// Looks for a person's number in every text, key and number of an event.
pub(super) fn find_person_numbers(value: &Value, path: &str, found: &mut Vec<Refusal>) {
    match value {
        // A time to the nanosecond has nine digits behind the point.
        Value::String(text) if holds_person_number(text) && text.parse::<RecordedAt>().is_err() => {
            found.push(person_number(path));
        }
        Value::Number(number) if holds_person_number(&number.to_string()) => found.push(person_number(path)),
        Value::Array(values) => values.iter().for_each(|it| find_person_numbers(it, path, found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                if holds_person_number(key) {
                    found.push(person_number(path));
                    continue;
                }
                let inside = match path {
                    "" | "data" => key.clone(),
                    _ => format!("{path}.{key}"),
                };
                find_person_numbers(value, &inside, found);
            }
        }
        Value::String(_) | Value::Number(_) | Value::Null | Value::Bool(_) => {}
    }
}

/// The refusal for content that is not what the schema asks for. What serde says may repeat what was
/// delivered, so only what it expected is taken over.
pub(super) fn in_data(path: &str, said: &str) -> Refusal {
    let said = said.rsplit_once(" at line ").map_or(said, |(said, _)| said);
    let field = if path == "." { String::new() } else { path.to_owned() };
    let within = |name: &str| if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    if said.starts_with("missing field") {
        return Refusal::MissingField { field: within(&quoted(said)) };
    }
    if said.starts_with("unknown field") {
        return Refusal::UnknownField { field };
    }
    if said.starts_with("is not a half-year") {
        return Refusal::UnknownHalfYear {
            field,
            problem: "is not a half-year that the ledger knows (1990-I to 2149-II)",
        };
    }
    let problem = if said.starts_with("invalid") || said.starts_with("unknown variant") {
        match said.rsplit_once("expected ") {
            Some((_, expected)) => format!("is not of the form that was expected: {}", plain(expected)),
            None => "is not of the form that was expected".to_owned(),
        }
    } else if said.starts_with("duplicate field") {
        "stands there twice".to_owned()
    } else {
        said.to_owned()
    };
    Refusal::Malformed { field, problem }
}

/// What serde calls a form, in the words of the schemas.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" => "a whole number that is not below zero",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a string" | "text" => "text",
        "a boolean" => "true or false",
        _ if expected.starts_with("struct ") || expected == "a map" => "an object",
        _ if expected.starts_with("a sequence") => "a list",
        other => other,
    }
}

fn person_number(field: &str) -> Refusal {
    Refusal::PersonNumber { field: field.to_owned() }
}

fn missing(field: &str) -> Refusal {
    Refusal::MissingField { field: field.to_owned() }
}

fn malformed(field: &str, problem: &str) -> Refusal {
    Refusal::Malformed { field: field.to_owned(), problem: problem.to_owned() }
}
