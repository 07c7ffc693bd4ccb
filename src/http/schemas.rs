//! The schemas of what goes in and comes out.

use axum::extract::Path;
use axum::http::{HeaderMap, Uri};
use serde::Serialize;

use super::answering::whole;
use super::asked::{self, Query};
use super::delivering::json;
use super::problem::{Answered, Problem};
use crate::report::schemas;

const JSON_SCHEMA: &str = "application/schema+json";

#[derive(Serialize)]
struct Schemas {
    schemas: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    href: String,
}

/// Every schema by its name.
#[utoipa::path(
    get,
    path = "/v1/schemas",
    operation_id = "listSchemas",
    tag = "Reference",
    responses((status = 200, description = "The names.", body = ref("#/components/schemas/schemas"))),
)]
pub async fn list(uri: Uri, headers: HeaderMap) -> Answered {
    Query::of(&uri).end()?;
    asked::form(&headers, &[asked::Form::Json])?;
    let listed = schemas::ALL.iter().map(|(name, _)| Listed { name, href: format!("/v1/schemas/{name}") });
    Ok(json(&Schemas { schemas: listed.collect() }))
}

/// One schema.
///
/// JSON Schema 2020-12.
#[utoipa::path(
    get,
    path = "/v1/schemas/{name}",
    operation_id = "getSchema",
    tag = "Reference",
    params(("name" = String, Path, description = "Its name.", example = "statement")),
    responses(
        (status = 200, description = "The schema.", content(
            (ref("#/components/schemas/anything") = "application/schema+json"),
            (ref("#/components/schemas/anything") = "application/json"),
        )),
        (status = 404, description = "There is no such schema.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json"),
    ),
)]
pub async fn one(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Answered {
    Query::of(&uri).end()?;
    let types = [JSON_SCHEMA, "application/json"];
    let media_type = types[asked::accepted(&headers, &types)?];
    let found = schemas::ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| whole(media_type, *text)).ok_or_else(Problem::nothing_here)
}
