//! Scenario files: another decision or rule, written as JSON by who asks. They are replayed, and never recorded.
//!
//! All faults are told at once, each with its place, and none of them repeats what stands in the file.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::cloudevent::{find_person_numbers, in_data};
use crate::book::statement::Reading;
use crate::decide::command::Command;
use crate::decide::refusal::Refusal;
use crate::domain::event::EventName;
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::read_object;
use crate::domain::reference::line_of_text;
use crate::domain::source::PlacementId;
use crate::domain::time::{Day, Position};
use crate::ledger::{Scenario, Selector, Supposed};

/// The longest file that is read: the numbers of all municipalities for a hundred half-years take a tenth of it.
pub const FILE_MAX: u64 = 16 << 20;

/// The longest name of a scenario, in characters.
const NAME_MAX: usize = 60;

/// Everything that is wrong with a scenario file: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioFaults(Vec<(String, Refusal)>);

impl ScenarioFaults {
    /// Each with its place in the scenario.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Refusal)> {
        self.0.iter().map(|(at, it)| (at.as_str(), it))
    }
}

impl fmt::Display for ScenarioFaults {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<_> = self
            .0
            .iter()
            .map(|(at, it)| match it {
                // What is wrong with an event is mended as in a delivery, all else by the page about scenarios.
                _ if at.contains(".data") => format!("{at}: {it}; {}", it.remedy()),
                Refusal::PersonNumber { .. } => format!("{at}: {it}; {}", it.remedy()),
                Refusal::UnknownField { .. } => {
                    format!("{at}: there is a field here that a scenario does not have; take it out, or see docs/scenarios.md")
                }
                it => format!("{at}: {it}; mend it: see docs/scenarios.md"),
            })
            .collect();
        to.write_str(&told.join("\n"))
    }
}

/// A scenario as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile<'a> {
    name: String,
    #[serde(borrow, default)]
    without: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    with: Vec<&'a RawValue>,
    #[serde(default, deserialize_with = "crate::domain::present")]
    reading: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Without {
    #[serde(default, deserialize_with = "crate::domain::present")]
    entry: Option<Position>,
    #[serde(default, deserialize_with = "crate::domain::present")]
    placement: Option<PlacementId>,
    #[serde(rename = "type", default, deserialize_with = "crate::domain::present")]
    event: Option<EventName>,
    #[serde(default, deserialize_with = "crate::domain::present")]
    half_year: Option<HalfYear>,
    #[serde(default, deserialize_with = "crate::domain::present")]
    kind: Option<PlacementKind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct With<'a> {
    #[serde(rename = "type")]
    event: EventName,
    #[serde(default, deserialize_with = "crate::domain::present")]
    recorded_on: Option<Day>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Reads a scenario.
///
/// # Errors
/// When anything in it cannot be understood: half a scenario would answer another question.
pub fn read(content: &[u8]) -> Result<Scenario, ScenarioFaults> {
    let whole = |problem| ScenarioFaults(vec![("the file".to_owned(), Refusal::Unreadable { problem })]);
    let text = std::str::from_utf8(content).map_err(|_| whole("is not text in UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).map_err(|_| whole("is not JSON"))?;
    if !value.is_object() {
        return Err(whole("is not one JSON object"));
    }
    let numbers = person_numbers(&value);
    if !numbers.is_empty() {
        return Err(ScenarioFaults(numbers));
    }
    let file: ScenarioFile<'_> =
        read_object(text).map_err(|fault| ScenarioFaults(vec![fault_in("", &fault)]))?;
    let mut faults = Vec::new();
    let reading = match file.reading.as_deref().map(str::parse::<Reading>) {
        None => None,
        Some(Ok(reading)) => Some(reading),
        Some(Err(fault)) => {
            faults.push(malformed("reading", fault.0));
            None
        }
    };
    if let Err(fault) =
        line_of_text(&file.name, NAME_MAX, "is not a name: write one line of 1 to 60 characters")
    {
        faults
            .push(in_file("", Refusal::Malformed { field: "name".to_owned(), problem: fault.0.to_owned() }));
    }
    let without = file.without.iter().enumerate().filter_map(|(number, it)| {
        let at = format!("without[{number}]");
        let read = read_object::<Without>(it.get()).map_err(|fault| fault_in(&at, &fault));
        read.and_then(|it| selector(&it).map_err(|problem| malformed(&at, problem)))
            .map_err(|fault| faults.push(fault))
            .ok()
    });
    let without: Vec<_> = without.collect();
    let with = file.with.iter().enumerate().filter_map(|(number, it)| {
        supposed(&format!("with[{number}]"), it.get()).map_err(|fault| faults.push(fault)).ok()
    });
    let with: Vec<_> = with.collect();
    match faults.is_empty() {
        true => Ok(Scenario { name: file.name, without, with, reading }),
        false => Err(ScenarioFaults(faults)),
    }
}

/// Every person's number, with the place of the part that it stands in.
fn person_numbers(value: &Value) -> Vec<(String, Refusal)> {
    let mut found = Vec::new();
    let mut look = |at: &str, value: &Value| {
        let mut numbers = Vec::new();
        find_person_numbers(value, "", &mut numbers);
        found.extend(numbers.into_iter().map(|it| in_file(at, it)));
    };
    for (field, value) in value.as_object().into_iter().flatten() {
        match (field.as_str(), value.as_array()) {
            ("without" | "with", Some(parts)) => {
                for (number, part) in parts.iter().enumerate() {
                    look(&format!("{field}[{number}]"), part);
                }
            }
            _ => look("", &serde_json::json!({ field: value })),
        }
    }
    found
}

fn selector(it: &Without) -> Result<Selector, &'static str> {
    match (it.entry, it.placement, it.event, it.half_year, it.kind) {
        (Some(position), None, None, None, None) => Ok(Selector::Entry(position)),
        (None, Some(placement), None, None, None) => Ok(Selector::Placement(placement)),
        (None, None, Some(EventName::CountingRuleSet), None, Some(kind)) => Ok(Selector::RulesOf(kind)),
        (None, None, Some(event), Some(half_year), None) => Ok(Selector::OfHalfYear(event, half_year)),
        _ => {
            Err("does not name entries in one way: by entry, by placement, by type and halfYear, or by type \
             counting-rule-set and kind")
        }
    }
}

fn supposed(at: &str, text: &str) -> Result<Supposed, (String, Refusal)> {
    let it: With<'_> = read_object(text).map_err(|fault| fault_in(at, &fault))?;
    let mut data = serde_json::Deserializer::from_str(it.data.get());
    let command = Command::from_json(it.event, &mut data).map_err(|error| {
        let refusal = in_data(&error.path().to_string(), &error.inner().to_string());
        in_file(&format!("{at}.data"), refusal)
    })?;
    Ok(Supposed { recorded_on: it.recorded_on, command })
}

/// A refusal with its place in the file.
fn in_file(at: &str, refusal: Refusal) -> (String, Refusal) {
    let at = match (at, refusal.field()) {
        ("", "") => "the file".to_owned(),
        ("", field) => field.to_owned(),
        (at, "") => at.to_owned(),
        (at, field) => format!("{at}.{field}"),
    };
    (at, refusal)
}

fn fault_in(at: &str, fault: &serde_json::Error) -> (String, Refusal) {
    in_file(at, in_data(".", &fault.to_string()))
}

fn malformed(at: &str, problem: &str) -> (String, Refusal) {
    (at.to_owned(), Refusal::Malformed { field: String::new(), problem: problem.to_owned() })
}
