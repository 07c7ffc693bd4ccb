//! Quarantine: what was refused waits here, to be mended or withdrawn by whoever sent it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use serde::Serialize;
use uuid::Uuid;

use super::Server;
use super::answering::searched;
use super::asked::{self, Form, Query};
use super::delivering::{json, mended};
use super::gate::By;
use super::problem::{Answered, Problem};
use super::receipts::{LISTED_MAX, Page, broken, owner, page};
use crate::feed::intake::InQuarantine;

/// What is said of something that is not the caller's, and of what never was: the same.
pub(super) const NOT_YOURS: &str = "your organisation has nothing in quarantine with this identity";

/// Something in quarantine, as it is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    id: Uuid,
    #[serde(flatten)]
    it: InQuarantine,
}

#[derive(Serialize)]
struct Waiting {
    quarantine: Vec<Told>,
}

/// What waits in quarantine for your organisation.
///
/// The newest first: what was sent, without anything that looks like a number of a person, and why it is not recorded.
#[utoipa::path(
    get,
    path = "/v1/quarantine",
    operation_id = "listQuarantine",
    tag = "Delivering",
    params(
        ("page" = Option<u32>, Query, description = "Which page, from 1."),
        ("pageSize" = Option<u32>, Query, description = "How many on a page, at most 50."),
    ),
    responses((status = 200, description = "What waits.", body = ref("#/components/schemas/quarantine"))),
    security(("token" = ["feeder", "decision_maker", "province", "municipality"])),
)]
pub async fn list(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    let owner = owner(by.someone()?)?;
    let mut query = Query::of(&uri);
    let (page, page_size) = page(&mut query, LISTED_MAX);
    query.end()?;
    asked::form(&headers, &[Form::Json])?;
    // What waits may be long, and others want the desk too: it is held for one thing at a time.
    searched(&server, "application/json", move |server, to| {
        let (total, ids): (_, Vec<_>) = {
            let desk = server.intake.desk();
            let (total, ids) = desk.in_quarantine(owner);
            (total, ids.skip((page - 1).saturating_mul(page_size)).take(page_size).collect())
        };
        let mut quarantine = Vec::new();
        for id in ids {
            let it = server.intake.desk().one_in_quarantine(owner, id).map_err(broken)?;
            quarantine.extend(it.map(|it| Told { id, it }));
        }
        let page = Page { items: Waiting { quarantine }, page, page_size, total };
        Ok(serde_json::to_writer(to, &page)?)
    })
    .await
}

/// One thing in quarantine.
#[utoipa::path(
    get,
    path = "/v1/quarantine/{id}",
    operation_id = "getQuarantined",
    tag = "Delivering",
    params(("id" = String, Path, description = "Its identity, as the receipt names it.", format = "uuid")),
    responses((status = 200, description = "What was sent, and why it is not recorded.", body = ref("#/components/schemas/quarantined"))),
    security(("token" = ["feeder", "decision_maker", "province", "municipality"])),
)]
pub async fn one(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    let owner = owner(by.someone()?)?;
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    let id = identity(&id)?;
    let desk = server.intake.desk();
    match desk.one_in_quarantine(owner, id).map_err(broken)? {
        Some(it) => Ok(json(&Told { id, it })),
        None => Err(Problem::not_allowed(NOT_YOURS)),
    }
}

/// Mend something in quarantine.
///
/// Send the event or row as it should be. Where it is recorded now, or was known, it leaves quarantine; where it is refused
/// again, it stays with the new content and the new reasons.
#[utoipa::path(
    put,
    path = "/v1/quarantine/{id}",
    operation_id = "mendQuarantined",
    tag = "Delivering",
    params(("id" = String, Path, description = "Its identity.", format = "uuid")),
    request_body(description = "The event or row as it should be.", content(
        (ref("#/components/schemas/cloudevent") = "application/cloudevents+json"),
        (ref("#/components/schemas/csv") = "text/csv"),
    )),
    responses((status = 200, description = "What became of it.", body = ref("#/components/schemas/delivery-receipt"))),
    security(("token" = ["feeder", "decision_maker", "province", "municipality"])),
)]
pub async fn mend(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    let caller = by.someone()?;
    let owner = owner(caller)?;
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    let id = identity(&id)?;
    if !server.intake.desk().is_in_quarantine(owner, id) {
        return Err(Problem::not_allowed(NOT_YOURS));
    }
    Ok(json(&*mended(&server, caller, &headers, body, id).await?))
}

/// Withdraw something from quarantine.
///
/// It is erased for good. What was recorded is not touched by it.
#[utoipa::path(
    delete,
    path = "/v1/quarantine/{id}",
    operation_id = "withdrawQuarantined",
    tag = "Delivering",
    params(("id" = String, Path, description = "Its identity.", format = "uuid")),
    responses((status = 204, description = "It is erased.")),
    security(("token" = ["feeder", "decision_maker", "province", "municipality"])),
)]
pub async fn withdraw(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answered {
    let owner = owner(by.someone()?)?;
    Query::of(&uri).end()?;
    let id = identity(&id)?;
    let mut desk = server.intake.desk();
    match desk.take_out_of_quarantine(owner, id).map_err(broken)? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(Problem::not_allowed(NOT_YOURS)),
    }
}

fn identity(text: &str) -> Answered<Uuid> {
    Uuid::try_parse(text).map_err(|_| {
        Problem::one(
            "malformed",
            "path.id",
            "is not a UUID",
            "give the identity that the receipt names as `quarantine`",
        )
    })
}
