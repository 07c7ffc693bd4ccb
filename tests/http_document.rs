//! The OpenAPI document: it is that of the routes, keeps the rules of the API Design Rules 2.2, and its schemas describe what is
//! answered and what is taken.

use std::collections::BTreeSet;

use jsonschema::{Draft, Validator};
use peildatum::domain::event::EventName;
use peildatum::feed::cloudevent;
use serde_json::{Map, Value, json};

use crate::served::{Answer, Request, Running, example};

/// The document that a server gives.
fn given(server: &Running) -> Value {
    server.ask(&Request::get("/v1/openapi.json")).expect(200).json()
}

/// The same with whole addresses: each is below that of its server.
pub fn document(server: &Running) -> Value {
    let mut document = given(server);
    let base = document["servers"][0]["url"].as_str().unwrap().to_owned();
    let mut paths = Map::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let own = operations.as_object().unwrap().values().all(|it| it["servers"][0]["url"] == "/");
        paths.insert(if own { path.clone() } else { format!("{base}{path}") }, operations.clone());
    }
    document["paths"] = Value::Object(paths);
    document
}

/// Every operation: its path, its method, and what is said of it.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            all.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    assert!(all.len() > 25, "{} operations", all.len());
    all
}

/// A validator for a schema of the document.
pub fn validator(document: &Value, schema: &Value) -> Validator {
    let mut whole = document.clone();
    let fields = whole.as_object_mut().unwrap();
    fields.retain(|name, _| name == "components");
    fields.insert("allOf".to_owned(), json!([schema]));
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.build(&whole).expect("every reference leads somewhere")
}

/// Everything in the document with its place.
fn visit(at: &str, value: &Value, look: &mut dyn FnMut(&str, &Value)) {
    look(at, value);
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, it)| visit(&format!("{at}/{name}"), it, look))
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(number, it)| visit(&format!("{at}/{number}"), it, look));
        }
        _ => {}
    }
}

/// Everything in it that does not keep to the rules (the official rule set for the linter, as far as a document can break them).
fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut rule = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    let text = |it: &Value| it.as_str().is_some_and(|text| !text.is_empty());
    rule(document["openapi"].as_str().is_some_and(|it| it.starts_with("3.")), "openapi 3".to_owned());
    let info = &document["info"];
    for field in ["title", "description", "version"] {
        rule(text(&info[field]), format!("info.{field}"));
    }
    for field in ["name", "email", "url"] {
        rule(text(&info["contact"][field]), format!("info.contact.{field}"));
    }
    let version: Vec<_> = info["version"].as_str().unwrap_or_default().split('.').collect();
    rule(
        version.len() == 3 && version.iter().all(|it| it.parse::<u32>().is_ok()),
        "info.version is not of semantic versioning".to_owned(),
    );
    let servers = document["servers"].as_array().cloned().unwrap_or_default();
    rule(!servers.is_empty(), "servers".to_owned());
    for server in servers {
        let url = server["url"].as_str().unwrap_or_default();
        rule(url.ends_with("/v1"), "servers: the major version is not in the address".to_owned());
        rule(!url.starts_with("http://"), "servers: not by https".to_owned());
    }
    let tags: BTreeSet<&str> =
        document["tags"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    let mut identities = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        rule(
            path.starts_with('/') && !path.ends_with('/') && !path.contains("//"),
            format!("{path}: slashes"),
        );
        for segment in path.split('/').skip(1) {
            let inside = segment.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
            let right = match inside {
                Some(name) => name.chars().all(|it| it.is_ascii_alphanumeric()),
                None => segment
                    .chars()
                    .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || "-.".contains(it)),
            };
            rule(right, format!("{path}: {segment} is not in kebab-case"));
        }
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let name = format!("{method} {path}");
            rule(["get", "post", "put", "delete"].contains(&method.as_str()), format!("{name}: method"));
            for field in ["operationId", "summary"] {
                rule(text(&operation[field]), format!("{name}: {field}"));
            }
            rule(
                identities.insert(operation["operationId"].to_string()),
                format!("{name}: operationId twice"),
            );
            let tagged = operation["tags"].as_array().is_some_and(|it| {
                !it.is_empty() && it.iter().all(|tag| tags.contains(tag.as_str().unwrap_or_default()))
            });
            rule(tagged, format!("{name}: tags"));
            let mut in_path: BTreeSet<&str> =
                path.split('/').filter_map(|it| it.strip_prefix('{')?.strip_suffix('}')).collect();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let called = parameter["name"].as_str().unwrap_or_default();
                rule(text(&parameter["description"]), format!("{name}: {called} has no description"));
                rule(parameter["schema"].is_object(), format!("{name}: {called} has no schema"));
                match parameter["in"].as_str() {
                    Some("path") => {
                        rule(in_path.remove(called), format!("{name}: {called} is not in the path"))
                    }
                    Some("query") => rule(
                        called.starts_with(|it: char| it.is_ascii_lowercase())
                            && called.chars().all(|it| it.is_ascii_alphanumeric()),
                        format!("{name}: {called} is not in camelCase"),
                    ),
                    Some("header") => {}
                    other => rule(false, format!("{name}: {called} in {other:?}")),
                }
            }
            rule(in_path.is_empty(), format!("{name}: {in_path:?} is not described"));
            let responses = operation["responses"].as_object().cloned().unwrap_or_default();
            rule(responses.keys().any(|it| it.starts_with('2')), format!("{name}: no success"));
            rule(!responses.contains_key("422"), format!("{name}: 422"));
            rule(responses.contains_key("400"), format!("{name}: no 400"));
            for (status, response) in &responses {
                rule(text(&response["description"]), format!("{name} {status}: description"));
                rule(response["headers"]["API-Version"].is_object(), format!("{name} {status}: API-Version"));
                let types: Vec<_> =
                    response["content"].as_object().into_iter().flatten().map(|it| it.0).collect();
                if status.starts_with(['4', '5']) {
                    rule(types == ["application/problem+json"], format!("{name} {status}: {types:?}"));
                }
            }
            for (scheme, _) in
                operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten()
            {
                rule(
                    document["components"]["securitySchemes"][scheme].is_object(),
                    format!("{name}: {scheme}"),
                );
                rule(
                    responses.contains_key("401") && responses.contains_key("403"),
                    format!("{name}: 401, 403"),
                );
            }
        }
    }
    visit("", document, &mut |at, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let there = reference.strip_prefix('#').and_then(|it| document.pointer(it));
            rule(there.is_some(), format!("{at}: {reference} leads nowhere"));
        }
        // A property of a schema, not one that is called `properties`.
        if let Some(Value::Object(properties)) =
            value.get("properties").filter(|_| value.get("type").is_some())
        {
            for name in properties.keys().filter(|name| name.contains(['_', '-', ' '])) {
                // Kinds of placement are values that stand in the place of a name.
                let kind =
                    ["regular", "amv_small_scale_care"].contains(&name.as_str()) || at.contains("ByKind");
                rule(kind || at.contains("ind"), format!("{at}: {name} is not in camelCase"));
            }
        }
    });
    faults
}

#[test]
fn the_document_keeps_the_rules() {
    let server = Running::reading();
    let document = given(&server);
    assert_eq!(faults(&document), Vec::<String>::new());
    // Every schema of it is one of JSON Schema 2020-12, and OpenAPI 3.1 takes those.
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        drop(validator(&document, schema));
        let right = name.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it));
        assert!(right && schema["description"].is_string(), "{name}");
    }
}

/// The rules are tried: a document that breaks each of them is found.
#[test]
fn a_document_that_breaks_a_rule_is_found() {
    let whole = given(&Running::reading());
    type Breaking = fn(&mut Value);
    let broken: [(&str, Breaking); 10] = [
        ("info.contact.email", |it| it["info"]["contact"]["email"] = json!("")),
        ("info.version", |it| it["info"]["version"] = json!("1")),
        ("the major version", |it| it["servers"][0]["url"] = json!("/")),
        ("slashes", |it| it["paths"]["/x/"] = json!({})),
        ("kebab-case", |it| it["paths"]["/someThing"] = json!({})),
        ("operationId twice", |it| it["paths"]["/x"] = it["paths"]["/sources"].clone()),
        ("422", |it| it["paths"]["/sources"]["get"]["responses"]["422"] = json!({"description": "x"})),
        ("leads nowhere", |it| {
            it["components"]["schemas"]["x"] = json!({"$ref": "#/components/schemas/none"})
        }),
        ("camelCase", |it| {
            it["components"]["schemas"]["x"] = json!({"type": "object", "properties": {"a_b": {}}})
        }),
        ("API-Version", |it| it["paths"]["/sources"]["get"]["responses"]["200"]["headers"] = json!({})),
    ];
    for (fault, breaking) in broken {
        let mut document = whole.clone();
        breaking(&mut document);
        let found = faults(&document);
        assert!(found.iter().any(|it| it.contains(fault)), "{fault}: {found:?}");
    }
}

/// Every operation is answered by something, and no method that is not described is.
#[test]
fn the_document_is_that_of_the_routes() {
    let server = Running::reading();
    let document = document(&server);
    for (path, operations) in document["paths"].as_object().unwrap() {
        let address = filled_in(path);
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            // In a form that there is not, since one of them never ends.
            let request = Request::new(method, &address).in_role("auditor").header("accept", "image/png");
            let answer = server.ask(&request);
            let described = operations.get(method.to_lowercase()).is_some();
            assert_eq!(answer.status != 405, described, "{method} {address}: {}", answer.text());
            let nothing = answer.status == 404 && answer.json()["code"] == "not-found";
            // What an auditor is told of a delivery that never was.
            assert!(!nothing || path.contains("{delivery}"), "{method} {address}");
        }
    }
    // And what is not in the document is not there. That the two are made of one list is seen in `http.rs`.
    for path in
        ["/", "/v1", "/v1/", "/v2/statements", "/v1/statement", "/v1/entries/0/0", "/docs", "/openapi.json"]
    {
        let answer = server.ask(&Request::get(path).in_role("auditor")).expect(404);
        assert_eq!(answer.json()["code"], "not-found", "{path}");
    }
}

/// An address of a path, with something that is there in each place.
pub fn filled_in(path: &str) -> String {
    let parts = [
        ("{area}", "GM0599"),
        ("{position}", "0"),
        ("{size}", "1"),
        ("{name}", "statement"),
        ("{path}", "0/000.p/1"),
        ("{delivery}", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("{id}", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ];
    let filled = parts.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    assert!(!filled.contains('{'), "{filled}");
    filled
}

/// An operation that only reads, and a request for it that is answered with 200.
pub struct Reads {
    pub method: &'static str,
    pub path: &'static str,
    /// Who asks; empty where nobody needs to.
    pub role: &'static str,
    pub request: Request,
}

/// Every operation that only reads.
pub fn readings() -> Vec<Reads> {
    let on = "?referenceDate=2026-04-01";
    let scenario = json!({ "name": "One less", "without": [{ "entry": 6 }] }).to_string();
    let asked = [
        ("/health/live", "", ""),
        ("/health/ready", "", ""),
        ("/metrics", "", "operator"),
        ("/v1/openapi.json", "", ""),
        ("/v1/deliveries", "", "feeder"),
        ("/v1/quarantine", "", "feeder"),
        ("/v1/sources", "", "auditor"),
        ("/v1/statements/{area}", on, ""),
        ("/v1/statements/{area}", on, "reader"),
        ("/v1/statements", "?referenceDate=2026-04-01&area=PV28", ""),
        ("/v1/statements", "?referenceDate=2026-04-01&area=PV28", "province"),
        ("/v1/explanations/{area}", "?referenceDate=2026-04-01&entries=true", "municipality"),
        ("/v1/restatements/{area}", "?halfYear=2025-II&entries=true", "reader"),
        ("/v1/entries", "?cursor=3&limit=2", "auditor"),
        ("/v1/entries/{position}", "", "auditor"),
        ("/v1/checkpoints/latest", "", ""),
        ("/v1/checkpoints/{size}", "", ""),
        ("/v1/log/checkpoint", "", ""),
        ("/v1/log/tile/{path}", "", "auditor"),
        ("/v1/proofs/inclusion/{position}", "", "auditor"),
        ("/v1/proofs/consistency", "?from=1", "auditor"),
        ("/v1/schemas", "", ""),
        ("/v1/schemas/{name}", "", ""),
        ("/v1/municipalities", "?referenceDate=2026-04-01&pageSize=2", ""),
    ];
    let gets = asked.into_iter().map(|(path, query, role)| {
        let request = Request::get(&(filled_in(path) + query));
        let request = if role.is_empty() { request } else { request.in_role(role) };
        Reads { method: "GET", path, role, request }
    });
    let replay = Request::post(&format!("/v1/scenarios{on}"), "application/json", scenario).in_role("reader");
    let replay = Reads { method: "POST", path: "/v1/scenarios", role: "reader", request: replay };
    gets.chain([replay]).collect()
}

/// The examples of the document are what a server answers, to the byte of a hash: its log is the same every time. When an answer
/// is meant to be another one, `PEILDATUM_EXAMPLES=write` writes them anew, to be looked at and committed.
#[test]
fn the_examples_of_the_document_are_what_is_answered() {
    let server = Running::reading();
    let document = document(&server);
    let mut examples = Map::new();
    for Reads { method, path, role, request } in readings() {
        let operation = &document["paths"][path][method.to_lowercase()];
        let name = operation["operationId"].as_str().unwrap();
        let answer = server.ask(&request).expect(200);
        // Not the document itself, nor a schema; and what is asked of the moment has no example.
        let shown = answer.header("content-type") == Some("application/json") && name != "openapi";
        if shown {
            let of_operation = examples.entry(name).or_insert_with(|| json!({}));
            let role = if role.is_empty() { "everybody" } else { role };
            of_operation[role] = json!({ "value": answer.json() });
        }
    }
    let written = serde_json::to_string_pretty(&Value::Object(examples.clone())).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/examples.json");
    if std::env::var_os("PEILDATUM_EXAMPLES").is_some_and(|it| it == "write") {
        std::fs::write(path, &written).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == written, "the examples are not what is answered");
    for (_, _, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        if let Some(example) = examples.get(name) {
            let content = &operation["responses"]["200"]["content"]["application/json"];
            assert_eq!(content["examples"], *example, "{name}");
        }
    }
}

/// What is answered is what the document says is answered.
fn is_as_described(document: &Value, method: &str, path: &str, answer: &Answer) {
    let operation = &document["paths"][path][method.to_lowercase()];
    let response = &operation["responses"][answer.status.to_string()];
    let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap();
    let content = &response["content"][kind];
    assert!(content.is_object(), "{method} {path}: {} {kind} is not described", answer.status);
    if kind.ends_with("json") {
        let valid = validator(document, &content["schema"]);
        let faults: Vec<_> = valid.iter_errors(&answer.json()).map(|it| it.to_string()).collect();
        assert!(faults.is_empty(), "{method} {path}: {faults:?}\n{}", answer.text());
    }
}

#[test]
fn what_is_answered_is_what_the_document_describes() {
    let server = Running::reading();
    let document = document(&server);
    let mut seen = BTreeSet::new();
    for it in readings() {
        let answer = server.ask(&it.request).expect(200);
        is_as_described(&document, it.method, it.path, &answer);
        seen.insert((it.path.to_owned(), it.method.to_owned()));
    }
    // Delivering: recorded, known, refused and in conflict; then the lists with something in them.
    let event = |id: u64, persons: u64| {
        json!({
            "specversion": "1.0", "id": format!("019a2b64-9c00-7a51-8d27-3e1f5b7c9b{id:02}"),
            "source": "urn:nld:oin:00000001234567890000:systeem:tracking", "sequence": format!("{}", id * 2 + 1),
            "type": "nl.huisvesting-statushouders.placements.recorded.v1",
            "data": { "placement": format!("4c1b7a50-2f0e-4d83-9a6c-51d2e8f7b4{id:02}"), "municipality": "GM0599",
                      "countsFrom": "2026-03-02", "kind": "regular", "persons": persons },
        })
    };
    let single = |event: &Value| {
        server.ask(
            &Request::post("/v1/events", "application/cloudevents+json", event.to_string()).in_role("feeder"),
        )
    };
    for (event, status) in [(event(1, 1), 201), (event(1, 1), 200), (event(1, 2), 409), (event(3, 0), 400)] {
        is_as_described(&document, "POST", "/v1/events", &single(&event).expect(status));
    }
    let batch = json!([event(1, 1), event(4, 1), event(1, 3), event(5, 0)]).to_string();
    let batch =
        Request::post("/v1/deliveries", "application/cloudevents-batch+json", batch).in_role("feeder");
    let answer = server.ask(&batch).expect(200);
    is_as_described(&document, "POST", "/v1/deliveries", &answer);
    assert_eq!(
        answer.json()["totals"],
        json!({"rows": 4, "recorded": 1, "knownAlready": 1, "conflict": 1, "refused": 1})
    );
    let delivery = answer.json()["delivery"].as_str().unwrap().to_owned();
    let waits = answer.json()["rows"][3]["quarantine"].as_str().unwrap().to_owned();
    for (path, address) in [
        ("/v1/deliveries/{delivery}", format!("/v1/deliveries/{delivery}")),
        ("/v1/deliveries", "/v1/deliveries".to_owned()),
        ("/v1/quarantine", "/v1/quarantine".to_owned()),
        ("/v1/quarantine/{id}", format!("/v1/quarantine/{waits}")),
        ("/v1/sources", "/v1/sources".to_owned()),
    ] {
        let answer = server.ask(&Request::get(&address).in_role("feeder")).expect(200);
        is_as_described(&document, "GET", path, &answer);
        seen.insert((path.to_owned(), "GET".to_owned()));
    }
    let mended = Request::post(
        &format!("/v1/quarantine/{waits}"),
        "application/cloudevents+json",
        event(5, 1).to_string(),
    );
    let answer = server.ask(&mended.method("PUT").in_role("feeder")).expect(200);
    is_as_described(&document, "PUT", "/v1/quarantine/{id}", &answer);
    // The feed never ends, and has a test of its own.
    let own: BTreeSet<_> = [
        ("/v1/entries/stream", "GET"),
        ("/v1/events", "POST"),
        ("/v1/deliveries", "POST"),
        ("/v1/quarantine/{id}", "PUT"),
        ("/v1/quarantine/{id}", "DELETE"),
    ]
    .into_iter()
    .map(|(path, method)| (path.to_owned(), method.to_owned()))
    .collect();
    let all: BTreeSet<_> =
        operations(&document).into_iter().map(|(path, method, _)| (path, method)).collect();
    assert_eq!(seen.union(&own).cloned().collect::<BTreeSet<_>>(), all);
}

/// The schema for events says what the code says of each attribute, and stricter than the official one.
#[test]
fn the_schema_of_an_event_takes_what_the_code_takes() {
    let schema: Value = serde_json::from_str(include_str!("../schemas/http/cloudevent.schema.json")).unwrap();
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    let valid = options.build(&schema).unwrap();
    let named: Vec<_> = EventName::ALL.iter().map(|it| it.cloudevent_type()).collect();
    assert_eq!(schema["properties"]["type"]["enum"], json!(named));
    let event = json!({
        "specversion": "1.0", "id": "019a2b64-9c00-7a51-8d27-3e1f5b7c9b01",
        "source": "urn:nld:oin:00000001234567890000:systeem:tracking",
        "type": "nl.huisvesting-statushouders.placements.recorded.v1", "time": "2026-03-02T09:00:00Z", "sequence": "12",
        "subject": "a placement", "datacontenttype": "application/json", "dataref": "https://example.org/1",
        "data": { "placement": "4c1b7a50-2f0e-4d83-9a6c-51d2e8f7b401", "municipality": "GM0599",
                  "countsFrom": "2026-03-02", "kind": "regular", "persons": 1 },
    });
    let taken = |event: &Value| cloudevent::event(1, &event.to_string()).content.is_some();
    let changed = |field: &str, value: Option<Value>| {
        let mut fields: Map<String, Value> = event.as_object().unwrap().clone();
        match value {
            Some(value) => drop(fields.insert(field.to_owned(), value)),
            None => drop(fields.remove(field)),
        }
        Value::Object(fields)
    };
    assert!(valid.is_valid(&event) && taken(&event));
    for field in ["time", "sequence", "subject", "datacontenttype", "dataref"] {
        let event = changed(field, None);
        assert!(valid.is_valid(&event) && taken(&event), "without {field}");
    }
    for (field, value) in [
        ("specversion", None),
        ("specversion", Some(json!("9"))),
        ("specversion", Some(json!(1.0))),
        ("id", None),
        ("id", Some(json!("1"))),
        ("id", Some(json!("019a2b64-9c00-4a51-8d27-3e1f5b7c9b01"))),
        ("source", None),
        ("source", Some(json!("https://example.org"))),
        ("source", Some(json!("urn:nld:oin:1:systeem:x"))),
        ("type", None),
        ("type", Some(json!("placement-recorded"))),
        ("time", Some(json!("yesterday"))),
        ("time", Some(json!("2026-03-02"))),
        ("sequence", Some(json!("one"))),
        ("sequence", Some(json!("1234567890"))),
        ("sequence", Some(json!(12))),
        ("data", None),
        ("data", Some(json!("text"))),
        ("data", Some(json!([]))),
    ] {
        let event = changed(field, value);
        assert!(!valid.is_valid(&event), "the schema takes {field} {}", event[field]);
        assert!(!taken(&event), "the code takes {field} {}", event[field]);
        // What is told of a fault never repeats what was sent.
        let told: String = valid.iter_errors(&event).map(|it| it.masked().to_string()).collect();
        assert!(!told.contains("4c1b7a50") && !told.contains("a placement"), "{told}");
    }
    // The files of the documents are events as well.
    for line in String::from_utf8(example("quota.jsonl")).unwrap().lines() {
        assert!(valid.is_valid(&serde_json::from_str(line).unwrap()), "{line}");
    }
}
