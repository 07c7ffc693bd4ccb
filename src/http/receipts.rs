//! Receipts of deliveries, given again.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use serde::Serialize;
use uuid::Uuid;

use super::Server;
use super::answering::searched;
use super::asked::{self, Form, Query};
use super::gate::By;
use super::problem::{Answered, Problem};
use crate::domain::access::{Caller, Oin, Role};
use crate::domain::source::DeliveryId;
use crate::domain::time::RecordedAt;
use crate::feed::acknowledged::{Kept, RowTotals};
use crate::feed::intake::{from_the_log, told_again};

/// What is said of a delivery that is not the caller's, and of one that never was: the same.
const NOT_YOURS: &str = "your organisation has no delivery with this identity";

/// A delivery in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    delivery: DeliveryId,
    received_at: RecordedAt,
    totals: RowTotals,
}

/// A page of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    /// What is on it, by its own name.
    #[serde(flatten)]
    pub items: T,
    pub page: usize,
    pub page_size: usize,
    pub total: usize,
}

/// How many deliveries or things in quarantine are on a page at most: each may be long.
pub(super) const LISTED_MAX: usize = 50;

/// The number and size of the page that is asked for.
pub(super) fn page(query: &mut Query, most: usize) -> (usize, usize) {
    let page = query.get("page", "give the number of a page, from 1").unwrap_or(1).max(1);
    let size = query.get("pageSize", "give how many there are to be on a page").unwrap_or(50);
    (page, size.clamp(1, most))
}

#[derive(Serialize)]
struct Deliveries {
    deliveries: Vec<Listed>,
}

/// The deliveries of your organisation.
///
/// The newest first. Single events that were recorded are not listed: their entries say it all.
#[utoipa::path(
    get,
    path = "/v1/deliveries",
    operation_id = "listDeliveries",
    tag = "Delivering",
    params(
        ("idempotencyKey" = Option<String>, Query, description = "Only the delivery that was sent with this key.", format = "uuid"),
        ("page" = Option<u32>, Query, description = "Which page, from 1."),
        ("pageSize" = Option<u32>, Query, description = "How many on a page, at most 50."),
    ),
    responses((status = 200, description = "The deliveries.", body = ref("#/components/schemas/deliveries"))),
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
    let key: Option<Uuid> = query.get("idempotencyKey", "give the UUID that the delivery was sent with");
    let (page, page_size) = page(&mut query, LISTED_MAX);
    query.end()?;
    asked::form(&headers, &[Form::Json])?;
    // Receipts may be long, and others want the desk too: it is held for one at a time.
    searched(&server, "application/json", move |server, to| {
        let listed = |kept: Kept| Listed {
            delivery: kept.delivery,
            received_at: kept.received_at,
            totals: kept.totals,
        };
        let (total, deliveries) = match key {
            Some(key) => {
                let kept = server.intake.desk().receipt_by_key(owner, key).map_err(broken)?;
                (usize::from(kept.is_some()), kept.into_iter().map(listed).collect())
            }
            None => {
                let (total, ids): (_, Vec<_>) = {
                    let desk = server.intake.desk();
                    let (total, ids) = desk.receipts(owner);
                    (total, ids.skip((page - 1).saturating_mul(page_size)).take(page_size).collect())
                };
                let mut deliveries = Vec::new();
                for id in ids {
                    let Ok(id) = id.try_into() else { continue };
                    deliveries.extend(server.intake.desk().receipt(owner, id).map_err(broken)?.map(listed));
                }
                (total, deliveries)
            }
        };
        let page = Page { items: Deliveries { deliveries }, page, page_size, total };
        Ok(serde_json::to_writer(to, &page)?)
    })
    .await
}

/// The receipt of a delivery, again.
#[utoipa::path(
    get,
    path = "/v1/deliveries/{delivery}",
    operation_id = "getDelivery",
    tag = "Delivering",
    params(("delivery" = String, Path, description = "The identity of the delivery.", format = "uuid")),
    responses((status = 200, description = "The receipt.", body = ref("#/components/schemas/delivery-receipt"))),
    security(("token" = ["feeder", "decision_maker", "province", "municipality", "auditor"])),
)]
pub async fn one(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    Path(delivery): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    let caller = by.someone()?;
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    let delivery: DeliveryId = delivery.parse().map_err(|_| {
        Problem::one(
            "malformed",
            "path.delivery",
            "is not a UUID of version 7",
            "give the identity that the receipt has",
        )
    })?;
    let (auditor, caller) = (caller.role() == Role::Auditor, caller.clone());
    searched(&server, "application/json", move |server, to| {
        let kept = {
            let desk = server.intake.desk();
            let owner = if auditor { desk.owner_of(delivery) } else { caller.oin() };
            match owner {
                Some(owner) => desk.receipt(owner, delivery).map_err(broken)?,
                None => None,
            }
        };
        let receipt = match kept {
            Some(kept) => Some(told_again(&server.ledger(), kept)?),
            // A single event that was recorded: its entry says it all.
            None => from_the_log(&server.ledger(), delivery)?
                .filter(|it| auditor || it.delivered_by.oin().is_some_and(|oin| caller.is_of(oin))),
        };
        match receipt {
            Some(receipt) => Ok(serde_json::to_writer(to, &receipt)?),
            None if auditor => Err(Problem::nothing_here().into()),
            None => Err(Problem::not_allowed(NOT_YOURS).into()),
        }
    })
    .await
}

/// The organisation of a caller who delivers.
pub(super) fn owner(caller: &Caller) -> Answered<Oin> {
    caller.oin().ok_or_else(Problem::unknown_caller)
}

/// What lies beside the log cannot be read.
pub(super) fn broken(error: crate::store::StoreError) -> Problem {
    tracing::error!(error = %super::shown(&error.to_string()), "what lies beside the log cannot be read");
    Problem::broken()
}
