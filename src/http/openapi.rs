//! The OpenAPI document: what the routes say of themselves, with the schemas of this program.
//!
//! Schemas are those of `schemas/`, and those that only the API knows in `components.json` beside this file. What is true of
//! every operation (problems, headers) is added here once.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths, ServerBuilder};

use super::asked::{self, Form, Query};
use super::problem::Answered;
use super::{Server, VERSION};
use crate::domain::access::Role;
use crate::report::schemas;

/// What a server answered over the ledger of the examples, by operation and role. A test asks it again.
const EXAMPLES: &str = include_str!("examples.json");

/// The schemas that only the API knows.
const COMPONENTS: &str = include_str!("components.json");

/// Who answers for the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// The name of the organisation or team.
    pub name: String,
    /// Where to write.
    pub email: String,
    /// Where to look.
    pub url: String,
}

impl Default for Contact {
    fn default() -> Self {
        let [name, email, url] =
            ["Peildatum", "peildatum@example.org", "https://example.org/peildatum"].map(str::to_owned);
        Self { name, email, url }
    }
}

/// The document without any operation.
pub fn frame() -> OpenApi {
    let description = "An append-only ledger of housing realisations: on this reference date, as known at that moment, how many \
                       permit holders were due, how many were housed, what is the backlog, and which entries made it so. \
                       `docs/deliveries.md` and `docs/api.md` explain the use, `docs/GLOSSARY.md` the words with their Dutch terms.";
    let info = InfoBuilder::new().title("Peildatum").version(VERSION).description(Some(description));
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of `peildatum token create`, or a JWT of an issuer that the server accepts. The scopes of an operation \
             are the roles that may ask for it.",
        ))
        .build();
    let tag = |name: &str, what: &str| TagBuilder::new().name(name).description(Some(what)).build();
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url("/v1").build()]))
        .paths(Paths::new())
        .components(Some(
            ComponentsBuilder::new().security_scheme("token", SecurityScheme::Http(token)).build(),
        ))
        .tags(Some([
            tag("Delivering", "Facts in, receipts out."),
            tag("Figures", "Statements, and why they are what they are."),
            tag("Log", "Entries, and the proof that none was changed or left out."),
            tag("Reference", "Schemas, and the register of municipalities."),
            tag("Server", "How the server is."),
        ]))
        .build()
}

/// The roles that each operation asks for, as the document names them. An operation that also goes without a token asks
/// for none.
///
/// # Panics
/// When a scope is no role.
pub fn roles(document: &OpenApi) -> HashMap<(Method, String), Vec<Role>> {
    let document = serde_json::to_value(document).expect("a document");
    let mut roles = HashMap::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let security = operation["security"].as_array().map_or(&[][..], Vec::as_slice);
            let open =
                security.is_empty() || security.iter().any(|it| it.as_object().is_some_and(Map::is_empty));
            let named = security.iter().filter_map(|it| it["token"].as_array()).flatten();
            let named = named.map(|it| it.as_str().unwrap_or_default().parse().expect("a scope is a role"));
            let named = if open { Vec::new() } else { named.collect() };
            roles.insert((method, path.clone()), named);
        }
    }
    roles
}

/// The whole document, as it is given out.
///
/// # Panics
/// When a schema is no JSON, which a test finds.
pub fn document(document: OpenApi, contact: &Contact) -> String {
    let mut document = serde_json::to_value(&document).expect("a document");
    let mut components: Map<String, Value> =
        serde_json::from_str(COMPONENTS).expect("the components are JSON");
    for (name, text) in schemas::ALL {
        let schema: Value = serde_json::from_str(text).expect("a schema is JSON");
        add_schema(&mut components, name, schema);
    }
    let mut examples: Map<String, Value> = serde_json::from_str(EXAMPLES).expect("the examples are JSON");
    let mut paths = Map::new();
    for (path, operations) in document["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in operations.as_object_mut().into_iter().flatten() {
            complete(operation);
            let named = operation["operationId"].as_str().and_then(|name| examples.get_mut(name));
            if let Some(examples) = named {
                operation["responses"]["200"]["content"]["application/json"]["examples"] = examples.take();
            }
        }
        // The version is that of the base address (API Design Rules, uri-version). What is no part of the API stands beside it.
        let below = path.strip_prefix("/v1").unwrap_or_else(|| {
            let operations = operations.as_object_mut().into_iter().flat_map(Map::values_mut);
            operations.for_each(|operation| operation["servers"] = json!([{ "url": "/" }]));
            path
        });
        // A part of an address that has slashes of its own is called so by the router only.
        paths.insert(below.replace("{*", "{"), operations.take());
    }
    document["paths"] = Value::Object(paths);
    document["info"]["contact"] = json!(contact);
    document["components"]["schemas"] = Value::Object(components);
    document["components"]["headers"] = json!({
        "API-Version": { "description": "The version of the API.", "schema": { "type": "string" }, "example": VERSION },
    });
    serde_json::to_string_pretty(&document).expect("a document")
}

/// Adds a schema of a file. What it defines for itself stands beside it, under its name.
fn add_schema(components: &mut Map<String, Value>, name: &str, mut schema: Value) {
    fn rename(value: &mut Value, name: &str) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get_mut("$ref") {
                    if let Some(inner) = reference.strip_prefix("#/$defs/") {
                        *reference = format!("#/components/schemas/{name}.{inner}");
                    } else if reference.starts_with("urn:") {
                        let of = format!("\"$id\": \"{reference}\"");
                        let other = schemas::ALL.iter().find(|(_, text)| text.contains(&of));
                        let (other, _) = other.expect("a schema names those that there are");
                        *reference = format!("#/components/schemas/{other}");
                    }
                }
                fields.values_mut().for_each(|it| rename(it, name));
            }
            Value::Array(values) => values.iter_mut().for_each(|it| rename(it, name)),
            _ => {}
        }
    }
    rename(&mut schema, name);
    let fields = schema.as_object_mut().expect("a schema is an object");
    fields.remove("$schema");
    fields.remove("$id");
    if let Some(Value::Object(defined)) = fields.remove("$defs") {
        components.extend(defined.into_iter().map(|(inner, it)| (format!("{name}.{inner}"), it)));
    }
    components.insert(name.to_owned(), schema);
}

/// Adds what is true of every operation: the version in every answer, and the problems that can be answered.
fn complete(operation: &mut Value) {
    let problem = |what: &str| {
        json!({
            "description": what,
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/problem" } } },
        })
    };
    let needs_token = operation["security"].as_array().is_some_and(|it| !it.is_empty());
    let takes_body = operation.get("requestBody").is_some();
    let mut more = vec![
        ("400", "The request is wrong: every fault is listed."),
        ("401", "There is no token where one is needed, or the one that was sent is not valid."),
        ("406", "The answer is not given in the form that is asked for."),
        ("500", "Something broke here."),
        ("503", "Not now: try again after the time in `Retry-After`."),
    ];
    if needs_token {
        more.push(("403", "The role, organisation or area of the caller does not go with this."));
    }
    if takes_body {
        more.push(("408", "The body came too slowly."));
        more.push(("413", "The body is too large."));
        more.push(("415", "The body is of a kind that is not taken here."));
    }
    let responses = operation["responses"].as_object_mut().expect("an operation has answers");
    for (status, what) in more {
        responses.entry(status).or_insert_with(|| problem(what));
    }
    for response in responses.values_mut() {
        response["headers"]["API-Version"] = json!({ "$ref": "#/components/headers/API-Version" });
    }
}

/// This document.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "openapi",
    tag = "Reference",
    responses((status = 200, description = "The document.", body = ref("#/components/schemas/anything"))),
)]
pub async fn given(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    Ok((headers, server.openapi.clone()).into_response())
}
