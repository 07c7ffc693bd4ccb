//! Sources: when each delivered last, and what is missing between its numbers.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::Serialize;

use super::Server;
use super::asked::{self, Form, Query};
use super::delivering::json;
use super::gate::By;
use super::problem::Answered;
use super::receipts::owner;
use crate::domain::access::Role;
use crate::feed::intake::SourceSeen;

#[derive(Serialize)]
struct Sources {
    sources: Vec<SourceSeen>,
}

/// When sources delivered last, and what is missing.
///
/// A source that gives its events the attribute `sequence` is told which numbers never came. Whoever delivers sees the
/// sources of its own organisation; an auditor and an operator see all.
#[utoipa::path(
    get,
    path = "/v1/sources",
    operation_id = "listSources",
    tag = "Delivering",
    responses((status = 200, description = "The sources.", body = ref("#/components/schemas/sources"))),
    security(("token" = ["feeder", "decision_maker", "province", "municipality", "auditor", "operator"])),
)]
pub async fn list(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    let caller = by.someone()?;
    let of = match caller.role() {
        Role::Auditor | Role::Operator => None,
        _ => Some(owner(caller)?),
    };
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    let desk = server.intake.desk();
    Ok(json(&Sources { sources: desk.sources(of) }))
}
