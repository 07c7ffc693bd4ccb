//! The register of municipalities, on any date.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::Serialize;

use super::Server;
use super::asked::{self, Form, Query};
use super::delivering::json;
use super::problem::Answered;
use super::questions::{self, moment, reference_date};
use super::receipts::{Page, page};
use crate::domain::area::Municipality;
use crate::domain::time::Day;
use crate::ledger::KnownAtSize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Register<'a> {
    municipalities: Vec<&'a Municipality>,
    reference_date: Day,
    known_at: KnownAtSize,
}

/// The municipalities that there are on a date.
///
/// By code, as known at any moment.
#[utoipa::path(
    get,
    path = "/v1/municipalities",
    operation_id = "listMunicipalities",
    tag = "Reference",
    params(
        ("referenceDate" = String, Query, description = "On which date. Also as `geldigOp`.", format = "date", example = "2026-01-01"),
        ("knownAt" = Option<String>, Query, description = "As known at a day, a time or a log size; without it now. Also as `beschikbaarOp`."),
        ("page" = Option<u32>, Query, description = "Which page, from 1."),
        ("pageSize" = Option<u32>, Query, description = "How many on a page: at most 500, usually 50."),
    ),
    responses((status = 200, description = "The municipalities.", body = ref("#/components/schemas/municipalities"))),
)]
pub async fn list(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    let mut query = Query::of(&uri);
    let (on, moment) = (reference_date(&mut query), moment(&mut query, "knownAt"));
    let (page, page_size) = page(&mut query, 500);
    query.end()?;
    asked::form(&headers, &[Form::Json])?;
    let on = on.expect("it is there");
    let ledger = server.ledger();
    let as_of = questions::as_of(&ledger, on, moment, "knownAt")?;
    let all = ledger.book().municipalities(as_of);
    let first = (page - 1).saturating_mul(page_size);
    let items = Register {
        municipalities: all.iter().skip(first).take(page_size).copied().collect(),
        reference_date: on,
        known_at: ledger.known_at(as_of.known_at),
    };
    Ok(json(&Page { items, page, page_size, total: all.len() }))
}
