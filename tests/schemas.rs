//! The schemas say what the types say: what the types make is valid, what is broken is refused by
//! both, and the few differences are listed with their reason.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::LazyLock;

use jsonschema::{Draft, Registry, Validator};
use peildatum::book::evaluation::{Finding, NumbersBy, OutsideRule};
use peildatum::book::explanation::{Cause, StepLine};
use peildatum::book::reconciliation::Category;
use peildatum::book::share::RoundingBy;
use peildatum::book::statement::{DECISIONS, Reading};
use peildatum::book::weeks::Without;
use peildatum::decide::refusal::Refusal;
use peildatum::domain::area::{Area, Inhabitants, MunicipalityCode, Province, SafetyRegion};
use peildatum::domain::event::{Entry, Event, EventName, IdBy};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::objection::{FigureName, Ground, ObjectionReport, Settlement};
use peildatum::domain::person_number::holds_person_number;
use peildatum::domain::persons::{Balance, Persons};
use peildatum::domain::placement::{
    FollowOnReport, PlacementKind, TransferReport, WithdrawalReason, WithdrawalReport,
};
use peildatum::domain::quota::{AllocationMethod, Rounding};
use peildatum::domain::read_object;
use peildatum::domain::reference::{AreaName, GazetteRef, Reference};
use peildatum::domain::regime::Phase;
use peildatum::domain::source::{DeliveryId, EventId, ObjectionId, PersonToken, PlacementId, Source};
use peildatum::domain::time::{Day, Month, Position, RecordedAt};
use peildatum::feed::receipt::Receipt;
use peildatum::feed::scenario;
use peildatum::ledger::{
    Answer, CareShown, DeadlinesShown, Evaluated, Explained, Forecasted, Reconciled, Replayed, Restatements,
    Shared, WeekByWeek,
};
use peildatum::proof::content::ContentHash;
use peildatum::proof::merkle::Hash;
use peildatum::report::public::{Hidden, PublicStatement};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestCaseResult, TestRunner};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{model, strategies, world};

// The schemas, and the types that they describe.

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// The content of an event as it is recorded.
    Recorded(EventName),
    /// What a sender delivers where the ledger fills in the rest.
    Delivered(EventName),
    /// A whole stored line.
    Entry,
    /// The answer to a question, which only the ledger writes.
    Statement,
    /// The same as everybody may see it, which only the ledger writes.
    PublicStatement,
    /// How a standing became what it is, which only the ledger writes.
    Explanation,
    /// How a standing was restated, which only the ledger writes.
    Restatements,
    /// What became of a delivery, which only the ledger writes.
    Receipt,
    /// A list beside the ledger, which only the ledger writes.
    Reconciliation,
    /// Municipal numbers by inhabitants, which only the ledger writes.
    Share,
    /// An interim evaluation that is prepared, which only the ledger writes.
    Evaluation,
    /// Another decision or rule, which is replayed.
    Scenario,
    /// Statements under scenarios, which only the ledger writes.
    Replay,
    /// A forecast in two scenarios, which only the ledger writes.
    Forecast,
    /// Small-scale care of amv, which only the ledger writes.
    Amv,
    /// From permit to housing, and stays that are too long, which only the ledger writes.
    Deadlines,
    /// A half-year week by week, which only the ledger writes.
    Weeks,
}

/// The events that are delivered with less than what is recorded.
const DELIVERED_WITH_LESS: [EventName; 4] = [
    EventName::PlacementWithdrawn,
    EventName::PlacementTransferred,
    EventName::FollowOnHousingRecorded,
    EventName::ObjectionRecorded,
];

impl Subject {
    fn all() -> impl Iterator<Item = Self> {
        let recorded = EventName::ALL.iter().copied().map(Self::Recorded);
        let delivered = DELIVERED_WITH_LESS.into_iter().map(Self::Delivered);
        recorded.chain(delivered).chain([
            Self::Entry,
            Self::Statement,
            Self::PublicStatement,
            Self::Explanation,
            Self::Restatements,
            Self::Receipt,
            Self::Reconciliation,
            Self::Share,
            Self::Evaluation,
            Self::Scenario,
            Self::Replay,
            Self::Forecast,
            Self::Amv,
            Self::Deadlines,
            Self::Weeks,
        ])
    }

    /// The path in `schemas/`, and in `schemas/examples/`, without what the file name ends in.
    fn path(self) -> String {
        match self {
            Self::Recorded(name) => name.to_string(),
            Self::Delivered(name) => format!("delivered/{name}"),
            Self::Entry => "entry".to_owned(),
            Self::Statement => "statement".to_owned(),
            Self::PublicStatement => "public-statement".to_owned(),
            Self::Explanation => "explanation".to_owned(),
            Self::Restatements => "restatements".to_owned(),
            Self::Receipt => "receipt".to_owned(),
            Self::Reconciliation => "reconciliation".to_owned(),
            Self::Share => "share".to_owned(),
            Self::Evaluation => "evaluation".to_owned(),
            Self::Scenario => "scenario".to_owned(),
            Self::Replay => "replay".to_owned(),
            Self::Forecast => "forecast".to_owned(),
            Self::Amv => "amv".to_owned(),
            Self::Deadlines => "deadlines".to_owned(),
            Self::Weeks => "weeks".to_owned(),
        }
    }

    fn id(self) -> String {
        format!("urn:peildatum:schema:v1:{}", self.path().replace('/', ":"))
    }

    fn schema(self) -> &'static Value {
        &SCHEMAS.documents[&self.path()]
    }

    fn example_text(self) -> String {
        read(&folder().join(format!("examples/{}.json", self.path())))
    }

    fn example(self) -> Value {
        serde_json::from_str(&self.example_text()).expect("an example is JSON")
    }

    fn schema_accepts(self, document: &Value) -> bool {
        SCHEMAS.validators[&self.path()].is_valid(document)
    }

    /// Reads the text with the type, and gives what the type writes back.
    fn read_and_write(self, text: &str) -> Result<String, String> {
        fn through<T: DeserializeOwned + Serialize>(text: &str) -> Result<String, String> {
            let it: T = read_object(text).map_err(|fault| fault.to_string())?;
            Ok(serde_json::to_string(&it).expect("a report has only keys that are text"))
        }
        match self {
            Self::Recorded(name) => {
                let event = Event::from_json(name, text).map_err(|fault| fault.to_string())?;
                Ok(serde_json::to_string(&event).expect("an event has only keys that are text"))
            }
            Self::Delivered(EventName::PlacementWithdrawn) => through::<WithdrawalReport>(text),
            Self::Delivered(EventName::PlacementTransferred) => through::<TransferReport>(text),
            Self::Delivered(EventName::FollowOnHousingRecorded) => through::<FollowOnReport>(text),
            Self::Delivered(EventName::ObjectionRecorded) => through::<ObjectionReport>(text),
            Self::Delivered(name) => unreachable!("{name} is delivered as it is recorded"),
            Self::Entry => {
                Entry::decode(text.as_bytes()).map(|entry| encoded(&entry)).map_err(|fault| fault.to_string())
            }
            Self::Statement => through::<Answer>(text),
            Self::PublicStatement => through::<PublicStatement>(text),
            Self::Explanation => through::<Explained>(text),
            Self::Restatements => through::<Restatements>(text),
            Self::Receipt => through::<Receipt>(text),
            Self::Reconciliation => through::<Reconciled>(text),
            Self::Share => through::<Shared>(text),
            Self::Evaluation => through::<Evaluated>(text),
            Self::Scenario => {
                let scenario = scenario::read(text.as_bytes()).map_err(|faults| faults.to_string())?;
                Ok(serde_json::to_string(&scenario).expect("a scenario has only keys that are text"))
            }
            Self::Replay => through::<Replayed>(text),
            Self::Forecast => through::<Forecasted>(text),
            Self::Amv => through::<CareShown>(text),
            Self::Deadlines => through::<DeadlinesShown>(text),
            Self::Weeks => through::<WeekByWeek>(text),
        }
    }

    /// Any document that the type can write.
    fn documents(self) -> BoxedStrategy<Value> {
        fn written<T: Serialize>(it: T) -> Value {
            serde_json::to_value(it).expect("what is recorded has only keys that are text")
        }
        match self {
            Self::Recorded(name) => strategies::event_of(name).prop_map(written).boxed(),
            Self::Delivered(EventName::PlacementWithdrawn) => {
                strategies::withdrawal_report().prop_map(written).boxed()
            }
            Self::Delivered(EventName::PlacementTransferred) => {
                strategies::transfer_report().prop_map(written).boxed()
            }
            Self::Delivered(EventName::FollowOnHousingRecorded) => {
                strategies::follow_on_report().prop_map(written).boxed()
            }
            Self::Delivered(EventName::ObjectionRecorded) => {
                strategies::objection_report().prop_map(written).boxed()
            }
            Self::Delivered(name) => unreachable!("{name} is delivered as it is recorded"),
            Self::Entry => strategies::entry().prop_map(written).boxed(),
            Self::Statement => strategies::answer().prop_map(written).boxed(),
            Self::PublicStatement => strategies::public_statement().prop_map(written).boxed(),
            Self::Explanation => strategies::explained().prop_map(written).boxed(),
            Self::Restatements => strategies::restatements().prop_map(written).boxed(),
            Self::Receipt => strategies::receipt().prop_map(written).boxed(),
            Self::Reconciliation => strategies::reconciled().prop_map(written).boxed(),
            Self::Share => strategies::shared().prop_map(written).boxed(),
            Self::Evaluation => strategies::evaluated().prop_map(written).boxed(),
            Self::Scenario => strategies::scenario().prop_map(written).boxed(),
            Self::Replay => strategies::replayed().prop_map(written).boxed(),
            Self::Forecast => strategies::forecasted().prop_map(written).boxed(),
            Self::Amv => strategies::care_shown().prop_map(written).boxed(),
            Self::Deadlines => strategies::deadlines_shown().prop_map(written).boxed(),
            Self::Weeks => strategies::week_by_week().prop_map(written).boxed(),
        }
    }
}

fn encoded(entry: &Entry) -> String {
    let mut line = Vec::new();
    entry.encode_into(&mut line);
    String::from_utf8(line).expect("JSON is UTF-8")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every schema by its path, read and made ready once for all tests.
struct Schemas {
    documents: BTreeMap<String, Value>,
    validators: BTreeMap<String, Validator>,
}

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let documents: BTreeMap<String, Value> = Subject::all()
        .map(|subject| {
            let text = read(&folder().join(format!("{}.schema.json", subject.path())));
            (subject.path(), serde_json::from_str(&text).expect("a schema is JSON"))
        })
        .collect();
    let by_id = Subject::all().map(|subject| (subject.id(), documents[&subject.path()].clone()));
    let registry = Registry::new().extend(by_id).expect("an identity is a URI").prepare().expect("schemas");
    let validators = documents.iter().map(|(path, schema)| (path.clone(), validator(schema, &registry)));
    let validators = validators.collect();
    Schemas { documents, validators }
});

fn validator(schema: &Value, registry: &Registry<'_>) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_registry(registry)
        .offline()
        .should_validate_formats(true)
        .build(schema)
        .unwrap_or_else(|error| panic!("{}: {error}", schema["$id"]))
}

/// A schema for one of the words in `$defs`, which use no other files.
fn validator_of_word(definition: &Value) -> Validator {
    let nothing_else = Registry::new().prepare().expect("an empty registry");
    validator(definition, &nothing_else)
}

/// Every word in the `$defs` of any schema.
fn words() -> BTreeMap<&'static str, &'static Value> {
    let definitions = SCHEMAS.documents.values().filter_map(|schema| schema["$defs"].as_object());
    definitions.flatten().map(|(word, definition)| (word.as_str(), definition)).collect()
}

fn check<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> TestCaseResult) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(strategy, test).unwrap_or_else(|failure| panic!("{failure}"));
}

// What is right.

#[test]
fn whatever_an_event_can_say_is_valid_and_reads_back_the_same() {
    for &name in EventName::ALL {
        check(&strategies::event_of(name), |event| {
            let text = serde_json::to_string(&event).expect("an event is JSON");
            let document = serde_json::from_str(&text).expect("an event is JSON");
            prop_assert!(Subject::Recorded(name).schema_accepts(&document), "{}", text);
            prop_assert_eq!(Event::from_json(name, &text).map_err(|fault| fault.to_string()), Ok(event));
            Ok(())
        });
    }
}

#[test]
fn whatever_a_sender_can_report_is_valid_and_reads_back_the_same() {
    fn check_report<T: Serialize + DeserializeOwned + Debug + PartialEq>(
        name: EventName,
        reports: impl Strategy<Value = T>,
    ) {
        check(&reports, |report| {
            let text = serde_json::to_string(&report).expect("a report is JSON");
            let document = serde_json::from_str(&text).expect("a report is JSON");
            prop_assert!(Subject::Delivered(name).schema_accepts(&document), "{}", text);
            prop_assert_eq!(read_object::<T>(&text).map_err(|fault| fault.to_string()), Ok(report));
            Ok(())
        });
    }
    check_report(EventName::PlacementWithdrawn, strategies::withdrawal_report());
    check_report(EventName::PlacementTransferred, strategies::transfer_report());
    check_report(EventName::FollowOnHousingRecorded, strategies::follow_on_report());
    check_report(EventName::ObjectionRecorded, strategies::objection_report());
}

#[test]
fn whatever_is_stored_is_one_valid_line_and_reads_back_the_same() {
    check(&strategies::entry(), |entry| {
        let line = encoded(&entry);
        prop_assert!(!line.contains(['\n', '\r']), "{}", line);
        let document = serde_json::from_str(&line).expect("an entry is JSON");
        prop_assert!(Subject::Entry.schema_accepts(&document), "{}", line);
        prop_assert_eq!(Entry::decode(line.as_bytes()), Ok(entry));
        Ok(())
    });
}

/// Only the ledger writes statements, receipts and reconciliations, and the types read them as strictly as the schema.
#[test]
fn whatever_the_ledger_answers_is_valid_and_reads_back_the_same() {
    fn check_answer<T: Serialize + DeserializeOwned + Debug + PartialEq>(
        subject: Subject,
        answers: impl Strategy<Value = T>,
    ) {
        check(&answers, |answer| {
            let text = serde_json::to_string(&answer).expect("an answer is JSON");
            let document = serde_json::from_str(&text).expect("an answer is JSON");
            prop_assert!(subject.schema_accepts(&document), "{}", text);
            prop_assert_eq!(read_object::<T>(&text).map_err(|fault| fault.to_string()), Ok(answer));
            Ok(())
        });
    }
    check_answer(Subject::Statement, strategies::answer());
    check_answer(Subject::PublicStatement, strategies::public_statement());
    check_answer(Subject::Explanation, strategies::explained());
    check_answer(Subject::Restatements, strategies::restatements());
    check_answer(Subject::Receipt, strategies::receipt());
    check_answer(Subject::Reconciliation, strategies::reconciled());
    check_answer(Subject::Share, strategies::shared());
    check_answer(Subject::Evaluation, strategies::evaluated());
    check_answer(Subject::Replay, strategies::replayed());
    check_answer(Subject::Forecast, strategies::forecasted());
    check_answer(Subject::Amv, strategies::care_shown());
    check_answer(Subject::Deadlines, strategies::deadlines_shown());
    check_answer(Subject::Weeks, strategies::week_by_week());
}

#[test]
fn the_statements_of_random_histories_are_valid_and_read_back_the_same() {
    let statements = Cell::new(0);
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let histories = (model::histories(), strategies::known_at_size(), strategies::checkpoint());
    let outcome = TestRunner::new(config).run(&histories, |((wishes, questions), known_at, checkpoint)| {
        let mut world = world::World::default();
        model::record(&mut world, &wishes);
        for question in questions {
            let (area, as_of, reading) = model::asked(question, world.size());
            let Ok(statement) = world.book.statement(area, as_of, reading) else { continue };
            let answer = Answer { statement, known_at, checkpoint };
            let text = serde_json::to_string(&answer).expect("an answer is JSON");
            let document = serde_json::from_str(&text).expect("an answer is JSON");
            prop_assert!(Subject::Statement.schema_accepts(&document), "{}", text);
            prop_assert_eq!(read_object::<Answer>(&text).map_err(|fault| fault.to_string()), Ok(answer));
            statements.set(statements.get() + 1);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(statements.get() > 200, "only {} statements", statements.get());
}

#[test]
fn every_example_is_valid_and_is_written_back_as_it_stands() {
    for subject in Subject::all() {
        let example = subject.example();
        assert!(subject.schema_accepts(&example), "the schema refuses the example of {subject:?}");
        let written = subject.read_and_write(&subject.example_text());
        let written =
            written.unwrap_or_else(|fault| panic!("the type refuses the example of {subject:?}: {fault}"));
        assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), example, "{subject:?}");
    }
}

// What is broken: derived from right documents.

/// A place in a document: what stands there, and what the schema declares for it.
struct Place {
    /// Where in the document, as a JSON pointer.
    at: String,
    /// Where in the schema, as a JSON pointer.
    declared: String,
    /// The declaration, with its word from `$defs` filled in.
    declaration: Value,
    /// The word from `$defs`, if it is one.
    word: Option<String>,
    /// Whether it may also be `null`.
    nullable: bool,
    value: Value,
}

/// Follows a `$ref` to a word of the same schema, and the one branch of a `oneOf` that the decision, the outcome, what is
/// contested or the line names, or that is not `null`.
fn resolved(schema: &Value, declared: &str, value: &Value) -> (String, Value, Option<String>) {
    let node = schema.pointer(declared).expect("a place in the schema");
    if let Some(word) = node["$ref"].as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
        let (declared, declaration, inner) = resolved(schema, &format!("/$defs/{word}"), value);
        return (declared, declaration, inner.or_else(|| Some(word.to_owned())));
    }
    if let Some(branches) = node["oneOf"].as_array() {
        for branch in 0..branches.len() {
            let (declared, declaration, word) =
                resolved(schema, &format!("{declared}/oneOf/{branch}"), value);
            let named =
                |key: &str| declaration.pointer(&format!("/properties/{key}/const")) == value.get(key);
            if ["decision", "outcome", "what", "line"].into_iter().all(named) {
                return (declared, declaration, word);
            }
        }
    }
    (declared.to_owned(), node.clone(), None)
}

fn places(schema: &Value, document: &Value) -> Vec<Place> {
    fn visit(schema: &Value, at: String, declared: String, value: &Value, found: &mut Vec<Place>) {
        let (inside, declaration, word) = resolved(schema, &declared, value);
        if let Some(members) = value.as_object() {
            for (key, member) in members {
                let at = format!("{at}/{key}");
                let property = format!("{inside}/properties/{key}");
                let pattern = format!("{inside}/patternProperties/^GM[0-9]{{4}}$");
                if schema.pointer(&property).is_some() {
                    visit(schema, at, property, member, found);
                } else if schema.pointer(&pattern).is_some() {
                    visit(schema, at, pattern, member, found);
                }
            }
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            visit(schema, format!("{at}/{index}"), format!("{inside}/items"), item, found);
        }
        let node = schema.pointer(&declared).expect("a place in the schema");
        let nullable = node["oneOf"].as_array().is_some_and(|it| it.contains(&json!({"type": "null"})));
        found.push(Place { at, declared, declaration, word, nullable, value: value.clone() });
    }
    let mut found = Vec::new();
    visit(schema, String::new(), String::new(), document, &mut found);
    found
}

/// Every place that a schema declares, as JSON pointers.
fn declared_places(schema: &Value) -> BTreeSet<String> {
    fn visit(node: &Value, at: &str, found: &mut BTreeSet<String>) {
        for list in ["properties", "patternProperties"] {
            for (key, member) in node[list].as_object().into_iter().flatten() {
                let at = format!("{at}/{list}/{key}");
                visit(member, &at, found);
                found.insert(at);
            }
        }
        if let Some(items) = node.get("items") {
            let at = format!("{at}/items");
            visit(items, &at, found);
            found.insert(at);
        }
    }
    let mut found = BTreeSet::from([String::new()]);
    visit(schema, "", &mut found);
    for (word, definition) in schema["$defs"].as_object().into_iter().flatten() {
        visit(definition, &format!("/$defs/{word}"), &mut found);
    }
    found
}

/// Everything that can be put in a place and is wrong there, by what its schema declares.
fn wrong_values(place: &Place) -> Vec<(String, Value)> {
    let mut wrong = Vec::new();
    let mut add = |what: &str, value: Value| wrong.push((what.to_owned(), value));
    if !place.nullable {
        add("is null", Value::Null);
    }
    let declared_type = match &place.declaration["type"] {
        Value::Null => "string",
        named => named.as_str().expect("one type"),
    };
    for (name, value) in [
        ("string", json!("some text")),
        ("integer", json!(7)),
        ("number", json!(1.5)),
        ("boolean", json!(true)),
        ("array", json!([])),
        ("array", json!([["x"]])),
        ("object", json!({})),
    ] {
        let right = name == declared_type || (name == "integer" && declared_type == "number");
        if !right {
            add(&format!("is of type {name}"), value);
        }
    }
    if let Some(least) = place.declaration["minimum"].as_i64() {
        add("is below the range", json!(least - 1));
    }
    match place.declaration["maximum"].as_u64() {
        Some(u64::MAX) => add("is above the range", json!(2f64.powi(64))),
        Some(most) => add("is above the range", json!(most + 1)),
        None => {}
    }
    let form = ["pattern", "format", "enum", "const"].iter().any(|it| place.declaration.get(*it).is_some());
    // Where any text is right, none is malformed.
    if let Some(text) = place.value.as_str().filter(|_| form) {
        for broken in [
            String::new(),
            format!(" {text}"),
            format!("{text} "),
            format!("{text}\n"),
            format!("{text}\u{a0}"),
            format!("{text}\u{0}"),
            format!("a\u{85}{text}"),
        ] {
            add("is malformed", json!(broken));
        }
        if let Some(most) = place.declaration["maxLength"].as_u64() {
            add("is too long", json!("é".repeat(most as usize + 1)));
        }
        if place.declaration.get("enum").is_some() || place.declaration.get("const").is_some() {
            add("is not in the list", json!("no_such_name"));
            add("is not in the list", json!(text.to_uppercase()));
        }
    }
    for malformed in place.word.iter().flat_map(|word| malformed(word)) {
        add("is malformed", json!(malformed));
    }
    if let Some(members) = place.value.as_object() {
        let with = |key: &str, value: Value| {
            let mut members = members.clone();
            members.insert(key.to_owned(), value);
            Value::Object(members)
        };
        add("has an unknown field", with("unexpected", json!("x")));
        add("has an unknown field", with("", json!(0)));
        for required in place.declaration["required"].as_array().into_iter().flatten() {
            let required = required.as_str().expect("the name of a field");
            let mut members = members.clone();
            members.remove(required).expect("a right document has its required fields");
            add(&format!("has no {required}"), Value::Object(members));
        }
        if place.declaration.get("patternProperties").is_some() {
            let one = members.values().next().expect("at least one municipality");
            add("is empty", json!({}));
            for code in malformed("municipalityCode") {
                add("has a malformed key", with(code, one.clone()));
            }
        }
    }
    if let Some(items) = place.value.as_array() {
        if place.declaration.get("minItems").is_some() {
            add("is empty", json!([]));
        }
        if place.declaration["uniqueItems"] == json!(true) {
            add("names one twice", Value::Array(items.iter().chain(&items[..1]).cloned().collect()));
        }
    }
    wrong
}

/// For each word that is a text with a pattern: texts that come close and are wrong.
fn malformed(word: &str) -> &'static [&'static str] {
    match word {
        "day" => &[
            "2026-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-1-1",
            "1989-12-31",
            "2150-01-01",
            "20260101",
            "01-02-2026",
            "+026-01-01",
            "2026-01-01T00:00:00Z",
            "２０26-01-01",
        ],
        "month" => &["2026-13", "2026-00", "2026-4", "1989-12", "2150-01", "2026-04-01", "202604", "2026/04"],
        "halfYear" => {
            &["2026-III", "2026-1", "2026-i", "2026-", "26-I", "1989-II", "2150-I", "2026 I", "2026I"]
        }
        "municipalityCode" => &["GM599", "GM05990", "gm0599", "0599", "PV28", "GM05A9", "GM 0599", "NL"],
        "provinceCode" => &["PV19", "PV32", "PV2", "pv20", "PV020", "GM0020", "NL"],
        "safetyRegionCode" => &["VR00", "VR26", "VR1", "vr01", "VR001", "1"],
        "reference" | "areaName" => &[
            " ",
            "two\nlines",
            "two\r\nlines",
            "a\ttab",
            "\u{2003}wide",
            "wide\u{3000}",
            "end\u{2028}",
            "bell\u{7}",
            "\u{7f}",
        ],
        "gazetteRef" => &[
            "stcrt-2026-0",
            "stcrt-2026-010",
            "stcrt-2026-1234567",
            "stcrt-1813-1",
            "stcrt-2150-1",
            "stcrt-26-1",
            "stcrt-2026-",
            "Stcrt. 2026, 10123",
            "STCRT-2026-1",
            "stb-2026-1",
        ],
        "placementId" | "personToken" => &[
            "3F2B8A54-6C1D-4E0A-9B7F-5D2C1A0E4F68",
            "3f2b8a546c1d4e0a9b7f5d2c1a0e4f68",
            "{3f2b8a54-6c1d-4e0a-9b7f-5d2c1a0e4f68}",
            "urn:uuid:3f2b8a54-6c1d-4e0a-9b7f-5d2c1a0e4f68",
            "3f2b8a54-6c1d-4e0a-cb7f-5d2c1a0e4f68",
            "3f2b8a54-6c1d-4e0a-7b7f-5d2c1a0e4f68",
            "3f2b8a5-46c1d-4e0a-9b7f-5d2c1a0e4f68",
            "3f2b8a54-6c1d-4e0a-9b7f-5d2c1a0e4f6g",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "111222333",
            "2801234567",
        ],
        "eventId" | "deliveryId" | "objectionId" => &[
            "3f2b8a54-6c1d-4e0a-9b7f-5d2c1a0e4f68",
            "019A9F3B-F1C2-7D3E-9A4B-5C6D7E8F9A0B",
            "019a9f3bf1c27d3e9a4b5c6d7e8f9a0b",
            "019a9f3b-f1c2-7d3e-ca4b-5c6d7e8f9a0b",
            "019a9f3b-f1c2-8d3e-9a4b-5c6d7e8f9a0b",
            "00000000-0000-0000-0000-000000000000",
            "17",
        ],
        "source" => &[
            "COA",
            "coa tracking",
            "coa/",
            "/coa",
            "a/b/c",
            "coa:tracking",
            "https://coa.example/",
            "urn:nld:oin:0000000123456789000:systeem:x",
            "urn:nld:oin:000000012345678900000:systeem:x",
            "urn:nld:oin:00000001234567890000:systeem:",
            "urn:nld:oin:00000001234567890000",
            "urn:nld:oin:00000001234567890000:systeem:X",
            "a23456789-b23456789-c23456789-d23456789-e",
        ],
        "time" => &[
            "2026-11-20",
            "2026-11-20T24:00:00.000Z",
            "2026-11-20T10:60:00.000Z",
            "2026-11-20T10:00:61.000Z",
            "2026-02-29T10:00:00.000Z",
            "1989-12-31T23:59:59.999Z",
            "2150-01-01T00:00:00.000Z",
            "2026-11-20T10:00:00.000",
            "2026-11-20T10:00Z",
            "1790000000000",
        ],
        "areaCode" => &["nl", "NL ", "PV19", "PV32", "PV020", "GM599", "GM05990", "gm0599", "BE", "VR01"],
        "merkleRoot" => &[
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-=",
            "0000000000000000000000000000000000000000000000000000000000000000",
        ],
        "contentHash" => &[
            "6BCBC64C14EEB50EF5C6BBFF34F52DF6E9F538786C125AD083D81F4C414E9EDF",
            "6bcbc64c14eeb50ef5c6bbff34f52df6e9f538786c125ad083d81f4c414e9ed",
            "6bcbc64c14eeb50ef5c6bbff34f52df6e9f538786c125ad083d81f4c414e9edf00",
            "6bcbc64c14eeb50ef5c6bbff34f52df6e9f538786c125ad083d81f4c414e9edg",
        ],
        "eventName" => {
            &["placement-Recorded", "placement_recorded", "placements.recorded", "placement-moved"]
        }
        _ => &[],
    }
}

/// The document with another value in one place.
fn put(document: &Value, at: &str, value: Value) -> Value {
    let mut document = document.clone();
    *document.pointer_mut(at).expect("a place in the document") = value;
    document
}

/// Right documents in which every place that the schema declares comes up.
fn samples(subject: Subject) -> Vec<Value> {
    let mut runner = TestRunner::deterministic();
    let documents = subject.documents();
    let generated = (0..64).map(|_| documents.new_tree(&mut runner).expect("a value").current());
    [subject.example()].into_iter().chain(generated).collect()
}

#[test]
fn what_is_broken_in_any_place_is_refused_by_the_schema_and_by_the_type() {
    for subject in Subject::all() {
        let mut left = declared_places(subject.schema());
        let mut refused = 0;
        for document in samples(subject) {
            for place in places(subject.schema(), &document) {
                // Once for each place that is declared is enough, and keeps the table readable.
                if !left.remove(&place.declared) {
                    continue;
                }
                for (what, wrong) in wrong_values(&place) {
                    let shown = format!("{subject:?}, {:?}, that {what}: {wrong}", place.at);
                    let broken = put(&document, &place.at, wrong);
                    assert!(!subject.schema_accepts(&broken), "the schema accepts {shown}");
                    let read = subject.read_and_write(&broken.to_string());
                    assert!(read.is_err(), "the type accepts {shown}");
                    refused += 1;
                }
            }
        }
        assert!(left.is_empty(), "{subject:?}: nothing was broken in {left:?}");
        assert!(refused > 20, "{subject:?}: only {refused} broken documents");
    }
}

#[test]
fn a_field_may_be_left_out_of_both_or_of_neither() {
    for subject in Subject::all() {
        for document in samples(subject) {
            for place in places(subject.schema(), &document) {
                // Which municipalities are named is a matter of the content, not of the form.
                if place.at.is_empty() || place.declared.contains("/patternProperties/") {
                    continue;
                }
                let (parent, key) = place.at.rsplit_once('/').expect("a place in an object or a list");
                let mut shorter = document.clone();
                let Some(members) = shorter.pointer_mut(parent).and_then(Value::as_object_mut) else {
                    continue;
                };
                members.remove(key);
                let reads = subject.read_and_write(&shorter.to_string()).is_ok();
                let valid = subject.schema_accepts(&shorter);
                assert_eq!(valid, reads, "{subject:?} without {}: {shorter}", place.at);
            }
        }
    }
}

// What is broken: the rules of each event, by hand.

use EventName::*;
use Subject::{Delivered, Recorded};

/// The example of the subject with some fields replaced (RFC 7396; `null` takes a field out).
fn patched(subject: Subject, patch: &Value) -> Value {
    fn merge(into: &mut Value, patch: &Value) {
        let Some(changes) = patch.as_object() else {
            *into = patch.clone();
            return;
        };
        if !into.is_object() {
            *into = json!({});
        }
        let members = into.as_object_mut().expect("an object");
        for (key, change) in changes {
            match change {
                Value::Null => drop(members.remove(key)),
                _ => merge(members.entry(key.clone()).or_insert(Value::Null), change),
            }
        }
    }
    let mut document = subject.example();
    merge(&mut document, patch);
    document
}

/// The split of Haaren over four municipalities.
fn split() -> Value {
    json!({
        "effectiveOn": "2021-01-01", "old": ["GM0788"], "new": ["GM0757", "GM0824", "GM0855", "GM0865"],
        "shares": {"GM0757": 2300, "GM0824": 5900, "GM0855": 1400, "GM0865": 4700},
    })
}

#[test]
fn the_rules_of_each_event_are_kept_by_the_schema_and_by_the_type() {
    let with = |mut document: Value, key: &str, value: Value| {
        document[key] = value;
        document
    };
    let table = [
        (Recorded(PlacementRecorded), "care ends, for a kind without care", json!({"kind": "regular"})),
        (
            Recorded(PlacementRecorded),
            "turning 18, for a kind without care",
            json!({"kind": "regular", "careEnds": null}),
        ),
        (Recorded(PlacementRecorded), "a token for two persons", json!({"persons": 2})),
        (Recorded(PlacementRecorded), "nobody housed", json!({"persons": 0, "person": null})),
        (Recorded(PlacementRecorded), "a name of a person", json!({"name": "A. Nonymous"})),
        (Recorded(PlacementRecorded), "a number for a token", json!({"person": 111222333})),
        (Recorded(BoundaryChanged), "shares without a split", json!({"shares": {"GM0363": 1}})),
        (Recorded(BoundaryChanged), "a split without shares", json!({"new": ["GM0363", "GM0384"]})),
        (
            Recorded(BoundaryChanged),
            "one share for two",
            json!({"new": ["GM0757", "GM0824"], "shares": {"GM0757": 1}}),
        ),
        (Recorded(BoundaryChanged), "a split of two", with(split(), "old", json!(["GM0788", "GM0003"]))),
        (
            Recorded(BoundaryChanged),
            "a share of nothing",
            json!({"new": ["GM0001", "GM0002"],
            "shares": {"GM0001": 0, "GM0002": 1}}),
        ),
        (Recorded(BoundaryChanged), "one named twice", with(split(), "new", json!(["GM0757", "GM0757"]))),
        (Recorded(QuotaExchanged), "nobody shifted", json!({"from": {"persons": 0}, "to": {"persons": 0}})),
        (Recorded(BoundaryChanged), "one old one named twice", json!({"old": ["GM0457", "GM0457"]})),
        (Recorded(BoundaryChanged), "nothing old", json!({"old": []})),
        (
            Recorded(BoundaryChanged),
            "no list of new ones",
            json!({"new": "GM0363", "shares": {"GM0363": 1, "GM0384": 1}}),
        ),
        (Recorded(BoundaryChanged), "nothing new", json!({"new": []})),
        (
            Recorded(BoundaryChanged),
            "a share beyond all bounds",
            json!({"new": ["GM0001", "GM0002"], "shares": {"GM0001": 100_000_001, "GM0002": 1}}),
        ),
        (Recorded(PlacementRecorded), "too many persons", json!({"persons": 10_000_001, "person": null})),
        (
            Recorded(QuotaExchanged),
            "too many persons",
            json!({"from": {"persons": 10_000_001}, "to": {"persons": 10_000_001}}),
        ),
        (Recorded(QuotaExchanged), "one side only", json!({"to": null})),
        (Recorded(QuotaPublished), "a window without an end", json!({"window": {"until": null}})),
        (Recorded(QuotaPublished), "fewer than nobody", json!({"persons": -1})),
        (Recorded(QuotaPublished), "half a person", json!({"persons": 16300.5})),
        (Recorded(QuotaPublished), "a number as text", json!({"persons": "16300"})),
        (Recorded(EvaluationRecorded), "kept, with numbers", json!({"outcome": {"decision": "kept"}})),
        (Recorded(EvaluationRecorded), "revised, without numbers", json!({"outcome": {"persons": null}})),
        (Recorded(EvaluationRecorded), "revised, into a half-year", json!({"outcome": {"into": "2025-II"}})),
        (
            Recorded(EvaluationRecorded),
            "revised, with one number for all",
            json!({"outcome": {"persons": 15000}}),
        ),
        (
            Recorded(EvaluationRecorded),
            "carried forward, per municipality",
            json!({"outcome": {"decision": "carried_forward", "national": null, "into": "2025-II"}}),
        ),
        (Recorded(EvaluationRecorded), "no decision", json!({"outcome": {"decision": null}})),
        (
            Recorded(CarryOverRecorded),
            "a surplus beyond all bounds",
            json!({"persons": {"GM0014": -10_000_001}}),
        ),
        (Recorded(GrantsReported), "a day for a month", json!({"month": "2026-04-01"})),
        (Recorded(PlacementWithdrawn), "a reason in own words", json!({"reason": "moved away"})),
        (
            Recorded(PlacementWithdrawn),
            "what the sender delivered, alone",
            json!({"housed": null, "moves": null, "leftCareOn": null}),
        ),
        (Recorded(PlacementTransferred), "what the sender delivered, alone", json!({"housed": null})),
        (Recorded(FollowOnHousingRecorded), "what the sender delivered, alone", json!({"housed": null})),
        (Delivered(PlacementWithdrawn), "what the ledger fills in", json!({"leftCareOn": "2026-11-02"})),
        (Delivered(PlacementWithdrawn), "what the ledger fills in", json!({"moves": []})),
        (
            Delivered(PlacementTransferred),
            "what the ledger fills in",
            json!({"housed": Recorded(PlacementTransferred).example()["housed"]}),
        ),
        (
            Delivered(FollowOnHousingRecorded),
            "what the ledger fills in",
            json!({"housed": Recorded(FollowOnHousingRecorded).example()["housed"]}),
        ),
        (Recorded(PhaseSet), "a phase that there is not", json!({"phase": "transition"})),
        (Recorded(PhaseSet), "no word about a quota", json!({"quotaInForce": null})),
        (Subject::Entry, "the content of another event", json!({"type": "placement-recorded"})),
        (Subject::Entry, "the type of the CloudEvent", json!({"type": BoundaryChanged.cloudevent_type()})),
        (Subject::Entry, "content with a fault", json!({"data": {"shares": null}})),
        (Subject::Entry, "an address of the sender", json!({"ip": "192.0.2.1"})),
        (Subject::Statement, "no quota", json!({"quota": null})),
        (Subject::Statement, "half a person due", json!({"due": 25300.5})),
        (Subject::Statement, "a kind that there is not", json!({"realisedByKind": {"hotel": 1}})),
        (Subject::Statement, "a fulfilment in words", json!({"fulfilment": "0.0 %"})),
        (Subject::Statement, "a municipality by its name", json!({"area": {"code": "Rotterdam"}})),
        (Subject::Statement, "a reading that there is not", json!({"reading": "newest_first"})),
        (Subject::Statement, "a negative size", json!({"knownAt": {"size": -1}})),
        (Subject::Statement, "no root", json!({"checkpoint": {"root": null}})),
        (Subject::Statement, "a root in hexadecimal", json!({"checkpoint": {"root": "0".repeat(64)}})),
        (
            Subject::Statement,
            "an evaluation that there is not",
            json!({"national": {"evaluation": "raised"}}),
        ),
        (Subject::Statement, "a total of its own", json!({"total": 25300})),
        (Subject::Receipt, "no rows", json!({"rows": null})),
        (
            Subject::Receipt,
            "a recorded row without a position",
            json!({"rows": [{"row": 2, "outcome": "recorded"}]}),
        ),
        (
            Subject::Receipt,
            "a known row with faults",
            json!({"rows": [{"row": 2, "outcome": "known_already", "position": 1, "faults": []}]}),
        ),
        (
            Subject::Receipt,
            "a refused row with a position",
            json!({"rows": [{"row": 2, "outcome": "refused", "faults": [], "position": 1}]}),
        ),
        (
            Subject::Receipt,
            "an outcome that there is not",
            json!({"rows": [{"row": 2, "outcome": "ignored", "position": 1}]}),
        ),
        (Subject::Receipt, "totals of less than nothing", json!({"totals": {"rows": -1}})),
        (Subject::Receipt, "no word about writing", json!({"dryRun": null})),
    ];
    for (subject, what, patch) in table {
        let broken = patched(subject, &patch);
        assert!(!subject.schema_accepts(&broken), "the schema accepts {subject:?} with {what}: {broken}");
        let read = subject.read_and_write(&broken.to_string());
        assert!(read.is_err(), "the type accepts {subject:?} with {what}: {broken}");
    }
}

#[test]
fn a_split_is_valid_with_a_share_for_each_new_municipality() {
    assert!(Recorded(BoundaryChanged).schema_accepts(&split()));
    assert!(Recorded(BoundaryChanged).read_and_write(&split().to_string()).is_ok());
}

#[test]
fn an_entry_holds_the_content_that_its_type_names_and_no_other() {
    for &name in EventName::ALL {
        for &content in EventName::ALL {
            let mut entry = Subject::Entry.example();
            entry["type"] = json!(name);
            entry["data"] = Recorded(content).example();
            let right = name == content;
            assert_eq!(Subject::Entry.schema_accepts(&entry), right, "the schema, {name}: {entry}");
            let reads = Subject::Entry.read_and_write(&entry.to_string()).is_ok();
            assert_eq!(reads, right, "the type, {name}: {entry}");
        }
    }
}

/// The values of an object in the order of its fields, which says nothing about which is which.
#[test]
fn values_without_the_names_of_their_fields_are_refused_by_the_schema_and_by_the_type() {
    let bare = |subject: Subject, at: &str, values: Value| (subject, put(&subject.example(), at, values));
    let side = json!(["GM0344", 5, "2026-05-12", "Example"]);
    let housed = json!(["GM0599", "GM0599", "2026-07-06", "amv_small_scale_care", 1, "2027-03-31"]);
    let id = "3f2b8a54-6c1d-4e0a-9b7f-5d2c1a0e4f68";
    let entry = Subject::Entry.example();
    let table = [
        bare(
            Recorded(MunicipalityRegistered),
            "",
            json!(["GM1992", "Voorne aan Zee", "PV28", "VR17", "2023-01-01"]),
        ),
        bare(Recorded(BoundaryChanged), "", json!(["2022-03-24", ["GM0457"], ["GM0363"], null])),
        bare(Recorded(QuotaPublished), "/window", json!(["2026-04-01", "2026-09-30"])),
        bare(Recorded(QuotaPublished), "/includes/0", json!(["2026-I", 1500])),
        (Recorded(QuotaPublished), patched(Recorded(QuotaPublished), &json!({"band": [17700, 23800]}))),
        bare(Recorded(QuotaExchanged), "/from", side.clone()),
        bare(Recorded(QuotaExchanged), "/to", side),
        bare(Recorded(EvaluationRecorded), "/outcome", json!(["kept"])),
        bare(Recorded(EvaluationRecorded), "/outcome", json!(["carried_forward", "2025-II", 1500])),
        (
            Recorded(EvaluationRecorded),
            patched(Recorded(EvaluationRecorded), &json!({"window": ["2025-01-01", "2025-06-30"]})),
        ),
        bare(Recorded(PlacementWithdrawn), "/housed", housed.clone()),
        bare(Recorded(PlacementWithdrawn), "/moves/0", json!(["GM0599", "GM0363", "2026-11-02"])),
        bare(Recorded(PlacementTransferred), "/housed", housed.clone()),
        bare(Recorded(FollowOnHousingRecorded), "/housed", housed),
        bare(Recorded(CountingRuleSet), "", json!(["regular", true, "2026-07-01", "2026-12-31", "Example"])),
        bare(Recorded(PhaseSet), "", json!(["implementation", "2026-07-01", "2027-06-30", true, "Example"])),
        bare(
            Subject::Statement,
            "/regime",
            json!([true, "implementation", "2026-07-01", "2027-06-30", "Example"]),
        ),
        bare(Subject::PublicStatement, "/amv", json!([60, "withheld", "withheld"])),
        bare(Delivered(PlacementWithdrawn), "", json!([id, "recorded_twice"])),
        bare(Delivered(PlacementTransferred), "", json!([id, "GM0363", "2026-11-02"])),
        bare(Delivered(FollowOnHousingRecorded), "", json!([id, "2027-03-15"])),
        bare(
            Subject::Entry,
            "",
            [
                "position",
                "recordedAt",
                "delivery",
                "deliveredBy",
                "id",
                "idBy",
                "source",
                "registeredAt",
                "type",
                "data",
            ]
            .map(|field| entry[field].clone())
            .into_iter()
            .collect(),
        ),
    ];
    for (subject, broken) in table {
        assert!(!subject.schema_accepts(&broken), "the schema accepts {subject:?}: {broken}");
        assert!(
            subject.read_and_write(&broken.to_string()).is_err(),
            "the type accepts {subject:?}: {broken}"
        );
    }
}

/// What only the type can refuse, with the reason why the schema cannot.
#[test]
fn what_no_schema_can_say_is_refused_by_the_type() {
    const TWO_VALUES: &str = "a schema does not compare two values of a document";
    const PERSON: &str = "no pattern can say what looks like the number of a person";
    const TEN_THOUSANDTHS: &str =
        "whether a decimal fraction is a multiple of another depends on who computes it";
    const WHOLE: &str = "to a schema 7.0 is a whole number; here a number is written in one way";
    let table = [
        (Recorded(QuotaPublished), TWO_VALUES, json!({"window": {"until": "2026-03-31"}})),
        (Recorded(QuotaPublished), TWO_VALUES, json!({"band": {"lower": 23800, "upper": 17700}})),
        (
            Recorded(EvaluationRecorded),
            TWO_VALUES,
            json!({"window": {"from": "2025-06-30", "until": "2025-01-01"}}),
        ),
        (Recorded(BoundaryChanged), TWO_VALUES, json!({"new": ["GM0457"]})),
        (
            Recorded(BoundaryChanged),
            TWO_VALUES,
            json!({"new": ["GM0757", "GM0865"], "shares": {"GM0757": 3, "GM0855": 1}}),
        ),
        (
            Recorded(BoundaryChanged),
            TWO_VALUES,
            json!({"new": ["GM0757", "GM0865"], "shares": {"GM0757": 3, "GM0855": 1, "GM0865": 1}}),
        ),
        (Recorded(QuotaExchanged), TWO_VALUES, json!({"to": {"municipality": "GM0344"}})),
        (Recorded(QuotaExchanged), TWO_VALUES, json!({"to": {"persons": 6}})),
        (Recorded(PlacementRecorded), TWO_VALUES, json!({"careEnds": "2026-06", "turns18": null})),
        (Recorded(PlacementRecorded), TWO_VALUES, json!({"careEnds": "2027-02"})),
        (Recorded(PlacementRecorded), TWO_VALUES, json!({"careEnds": "2030-04"})),
        (Recorded(PlacementRecorded), TWO_VALUES, json!({"permitGrantedOn": "2026-07-07"})),
        (Recorded(CountingRuleSet), TWO_VALUES, json!({"until": "2026-06-30"})),
        (Recorded(PhaseSet), TWO_VALUES, json!({"until": "2026-06-30"})),
        (
            Delivered(ObjectionRecorded),
            TWO_VALUES,
            json!({"contests": {"what": "figure", "placement": null,
            "figure": {"halfYear": "2026-I", "name": "realised", "published": 12, "claimed": 12}}}),
        ),
        (Recorded(QuotaPublished), PERSON, json!({"reference": "BSN 111222333"})),
        (Recorded(QuotaPublished), PERSON, json!({"reference": "V-number 280 123 4567"})),
        (Recorded(MunicipalityRegistered), PERSON, json!({"name": "1112.22.333"})),
        (Recorded(QuotaExchanged), PERSON, json!({"from": {"reference": "case of 111222333"}})),
        (Subject::Entry, PERSON, json!({"source": "coa/111222333"})),
        (Subject::Entry, PERSON, json!({"deliveredBy": "2801234567"})),
        (Recorded(QuotaPublished), WHOLE, json!({"persons": 16300.0})),
        (Recorded(CarryOverRecorded), WHOLE, json!({"persons": {"GM0014": -12.0}})),
        (Subject::Entry, WHOLE, json!({"position": 17.0})),
        (Subject::Statement, WHOLE, json!({"due": 25300.0})),
        (Subject::PublicStatement, WHOLE, json!({"realisedByKind": {"regular": 167.0}})),
        (Subject::Statement, TEN_THOUSANDTHS, json!({"fulfilment": 0.83491})),
    ];
    for (subject, why, patch) in table {
        let broken = patched(subject, &patch);
        assert!(subject.schema_accepts(&broken), "the schema refuses {broken}, although {why}");
        assert!(
            subject.read_and_write(&broken.to_string()).is_err(),
            "the type accepts {subject:?}: {broken}"
        );
    }
}

/// A second key of the same name is gone before a schema sees the document, so only the type refuses it.
#[test]
fn a_field_that_is_there_twice_is_refused_by_the_type() {
    for (subject, once, twice) in [
        (Recorded(QuotaPublished), r#""persons": 16300"#, r#""persons": 1, "persons": 16300"#),
        (Recorded(QuotaPublished), r#""until": "#, r#""until": "2026-09-30", "until": "#),
        (Recorded(QuotaAllocated), r#""GM0344": "#, r#""GM0344": 1, "GM0344": "#),
        (Recorded(EvaluationRecorded), r#""decision": "#, r#""decision": "kept", "decision": "#),
        (Recorded(EvaluationRecorded), r#""national": "#, r#""national": 1, "national": "#),
        (Recorded(EvaluationRecorded), r#""GM0344": "#, r#""GM0344": 1, "GM0344": "#),
        (Delivered(PlacementWithdrawn), r#""reason": "#, r#""reason": "wrong_date", "reason": "#),
        (Subject::Entry, r#""position": "#, r#""position": 16, "position": "#),
        (Subject::Entry, r#""data": "#, r#""data": {}, "data": "#),
    ] {
        let example = subject.example_text();
        let broken = example.replacen(once, twice, 1);
        assert_ne!(broken, example, "{subject:?} has no {once}");
        let seen: Value = serde_json::from_str(&broken).expect("JSON allows a key twice");
        assert!(subject.schema_accepts(&seen), "{subject:?}: {twice}");
        assert!(subject.read_and_write(&broken).is_err(), "the type accepts {subject:?} with {twice}");
    }
}

/// The type also reads the time that a sender writes, in any form of RFC 3339; a line of the log has
/// one form.
#[test]
fn a_time_is_written_in_one_way_whatever_way_it_was_read() {
    for other in ["2026-11-20T10:00:00Z", "2026-11-20T11:00:00+01:00", "2026-11-20t10:00:00.0009z"] {
        for field in ["recordedAt", "registeredAt"] {
            let document = patched(Subject::Entry, &json!({field: other}));
            assert!(!Subject::Entry.schema_accepts(&document), "{other}");
            let line = Subject::Entry.read_and_write(&document.to_string()).expect("a time of RFC 3339");
            let written: Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(written[field], "2026-11-20T10:00:00.000Z");
            assert!(Subject::Entry.schema_accepts(&written), "{line}");
        }
    }
}

// The words of the schemas.

/// Checks that a word allows exactly the texts that the type reads and writes back as they stand.
fn agrees<T: FromStr + Display + Debug + 'static>(word: &str, right: impl Strategy<Value = T>) {
    const CHARACTERS: &[char] = &[
        '0', '1', '3', '9', 'I', 'V', 'G', 'M', 'a', 'g', 'z', 'Z', 'T', '-', '.', ':', '/', ' ', '_', '+',
        '\n', '\t', '\0', '\u{7f}', '\u{85}', '\u{a0}', '\u{1680}', '\u{200b}', '\u{2028}', '\u{3000}',
        '\u{feff}', 'é', '٣', '😀',
    ];
    let words = words();
    let definition = words.get(word).unwrap_or_else(|| panic!("no schema has the word {word}"));
    let validator = validator_of_word(definition);
    let looks_for_person_numbers = ["reference", "areaName", "source"].contains(&word);
    let changed = (right.prop_map(|it| it.to_string()), any::<Index>(), select(CHARACTERS), 0..4).prop_map(
        |(text, at, character, change)| {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            match change {
                0 => characters[at] = character,
                1 => characters.insert(at, character),
                2 => drop(characters.remove(at)),
                _ => characters.push(character),
            }
            String::from_iter(characters)
        },
    );
    check(&changed, |text| {
        let reads = text.parse::<T>().is_ok_and(|it| it.to_string() == text);
        let allowed = validator.is_valid(&json!(text));
        // The one thing that only the type sees.
        let names_a_person = looks_for_person_numbers && text.split('/').any(holds_person_number);
        let expected = allowed && (reads || !names_a_person);
        prop_assert_eq!(reads, expected, "{}: {:?}", word, text);
        Ok(())
    });
}

#[test]
fn a_word_allows_exactly_the_texts_that_its_type_allows() {
    agrees::<Day>("day", strategies::day());
    agrees::<Month>("month", strategies::month());
    agrees::<HalfYear>("halfYear", strategies::half_year());
    agrees::<MunicipalityCode>("municipalityCode", strategies::municipality_code());
    agrees::<Province>("provinceCode", strategies::province());
    agrees::<SafetyRegion>("safetyRegionCode", strategies::safety_region());
    agrees::<Reference>("reference", strategies::reference());
    agrees::<AreaName>("areaName", strategies::area_name());
    agrees::<GazetteRef>("gazetteRef", strategies::gazette_ref());
    agrees::<PlacementId>("placementId", strategies::placement_id());
    agrees::<PersonToken>("personToken", strategies::person_token());
    agrees::<EventId>("eventId", strategies::event_id());
    agrees::<DeliveryId>("deliveryId", strategies::delivery_id());
    agrees::<ObjectionId>("objectionId", strategies::objection_id());
    agrees::<Source>("source", strategies::source());
    agrees::<RecordedAt>("time", strategies::recorded_at());
    agrees::<Area>("areaCode", strategies::area());
    agrees::<Hash>("merkleRoot", strategies::hash());
    agrees::<ContentHash>("contentHash", strategies::content_hash());
}

#[test]
fn a_word_allows_exactly_the_numbers_that_its_type_allows() {
    fn agrees<T: DeserializeOwned>(word: &str) {
        let definition = words()[word];
        let validator = validator_of_word(definition);
        let least = i128::from(definition["minimum"].as_i64().expect("a least number"));
        let most = match &definition["maximum"] {
            Value::Number(most) if most.is_u64() => i128::from(most.as_u64().expect("a number")),
            most => i128::from(most.as_i64().expect("a most number")),
        };
        for (number, allowed) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            let number = number.to_string();
            let document: Value = serde_json::from_str(&number).expect("a number is JSON");
            assert_eq!(validator.is_valid(&document), allowed, "{word}: {number}");
            assert_eq!(serde_json::from_str::<T>(&number).is_ok(), allowed, "the type of {word}: {number}");
        }
    }
    agrees::<Persons>("persons");
    agrees::<Balance>("balance");
    agrees::<Inhabitants>("inhabitants");
    agrees::<Position>("position");
    agrees::<u64>("size");
    agrees::<u32>("howMany");
    agrees::<u16>("weeks");
    agrees::<u16>("months");
}

#[test]
fn a_word_lists_exactly_the_names_that_its_type_lists() {
    let words = words();
    let table: [(&str, Vec<&str>); 22] = [
        ("placementKind", PlacementKind::ALL.iter().map(|it| it.name()).collect()),
        ("withdrawalReason", WithdrawalReason::ALL.iter().map(|it| it.name()).collect()),
        ("allocationMethod", AllocationMethod::ALL.iter().map(|it| it.name()).collect()),
        ("rounding", Rounding::ALL.iter().map(|it| it.name()).collect()),
        ("ground", Ground::ALL.iter().map(|it| it.name()).collect()),
        ("figureName", FigureName::ALL.iter().map(|it| it.name()).collect()),
        ("settlement", Settlement::ALL.iter().map(|it| it.name()).collect()),
        ("idBy", IdBy::ALL.iter().map(|it| it.name()).collect()),
        ("eventName", EventName::ALL.iter().map(|it| it.name()).collect()),
        ("cause", Cause::ALL.iter().map(|it| it.name()).collect()),
        ("explainedLine", StepLine::ALL.iter().map(|it| it.name()).collect()),
        ("reading", Reading::ALL.iter().map(|it| it.name()).collect()),
        ("evaluationDecision", DECISIONS.to_vec()),
        ("refusalCode", Refusal::CODES.to_vec()),
        ("reconciliationCategory", Category::ALL.iter().map(|it| it.name()).collect()),
        ("roundingBy", RoundingBy::ALL.iter().map(|it| it.name()).collect()),
        ("finding", Finding::ALL.iter().map(|it| it.name()).collect()),
        ("numbersBy", NumbersBy::ALL.iter().map(|it| it.name()).collect()),
        ("outsideRule", OutsideRule::ALL.iter().map(|it| it.name()).collect()),
        ("phase", Phase::ALL.iter().map(|it| it.name()).collect()),
        ("hidden", Hidden::ALL.iter().map(|it| it.name()).collect()),
        ("without", Without::ALL.iter().map(|it| it.name()).collect()),
    ];
    for (word, names) in &table {
        assert_eq!(words[word]["enum"], json!(names), "{word}");
    }
    let listed = words.iter().filter(|(_, definition)| definition.get("enum").is_some()).count();
    assert_eq!(listed, table.len(), "a word lists names and is compared with no type");
}

#[test]
fn a_word_means_the_same_in_every_schema() {
    let words = words();
    for (path, schema) in &SCHEMAS.documents {
        for (word, definition) in schema["$defs"].as_object().into_iter().flatten() {
            assert_eq!(&definition, &words[word.as_str()], "{word} in {path}");
            let text = format!("#/$defs/{word}");
            assert!(schema.to_string().contains(&format!("{text}\"")), "{path} never uses {word}");
        }
    }
    for (word, definition) in words {
        let has_pattern = definition.get("pattern").is_some();
        assert!(!has_pattern || !malformed(word).is_empty(), "{word} is never malformed in the tests");
    }
}

// The files.

#[test]
fn every_schema_says_what_it_is_and_every_property_what_it_means() {
    for subject in Subject::all() {
        let schema = subject.schema();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{subject:?}");
        assert_eq!(schema["$id"], json!(subject.id()));
        assert_eq!(schema["type"], "object", "{subject:?}");
        let says = |node: &Value, key: &str| node[key].as_str().is_some_and(|text| !text.trim().is_empty());
        for key in ["title", "description"] {
            assert!(says(schema, key), "{subject:?} has no {key}");
        }
        assert!(schema["required"].is_array(), "{subject:?}");
        for at in declared_places(schema) {
            let node = schema.pointer(&at).expect("a place in the schema");
            let item = at.ends_with("/items") || at.is_empty();
            for key in ["description", "x-unit", "x-source"] {
                assert!(item || says(node, key), "{subject:?}: {at} has no {key}");
            }
        }
        let definitions = schema["$defs"].as_object().into_iter().flatten();
        for (word, definition) in definitions {
            assert!(says(definition, "description"), "{subject:?}: {word} has no description");
        }
    }
}

#[test]
fn no_schema_lets_an_unknown_field_through() {
    fn visit(node: &Value, at: &str) {
        let lists = node.get("properties").is_some() || node.get("patternProperties").is_some();
        if lists && node["type"] == "object" {
            assert_eq!(node["additionalProperties"], json!(false), "{at}");
        }
        match node {
            Value::Object(members) => members.iter().for_each(|(key, it)| visit(it, &format!("{at}/{key}"))),
            Value::Array(items) => items.iter().for_each(|it| visit(it, at)),
            _ => {}
        }
    }
    for (path, schema) in &SCHEMAS.documents {
        assert_eq!(schema["additionalProperties"], json!(false), "{path}");
        visit(schema, path);
    }
}

#[test]
fn there_is_one_schema_and_one_example_for_each_event_and_answer_and_nothing_else() {
    fn files(folder: &Path, below: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("the schemas are there") {
            let entry = entry.expect("a file of the schemas");
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                // What is sent and answered by HTTP alone is held to live answers: tests/http_document.rs.
                true if name == "http" => {}
                true => files(&entry.path(), &format!("{name}/"), found),
                false => drop(found.insert(name)),
            }
        }
    }
    let expected: BTreeSet<String> = Subject::all()
        .flat_map(|it| [format!("{}.schema.json", it.path()), format!("examples/{}.json", it.path())])
        .collect();
    let mut found = BTreeSet::new();
    files(&folder(), "", &mut found);
    assert_eq!(found, expected);
    let identities: BTreeSet<String> = Subject::all().map(Subject::id).collect();
    assert_eq!(identities.len(), Subject::all().count());
}
