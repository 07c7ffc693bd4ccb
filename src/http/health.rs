//! How the server is, for whoever runs it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json as value;

use super::Server;
use super::asked::{self, Form, Query};
use super::delivering::json;
use super::problem::{Answered, Problem};

/// Whether the program runs.
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "live",
    tag = "Server",
    responses((status = 200, description = "It runs.", body = ref("#/components/schemas/health"))),
)]
pub async fn live(uri: Uri, headers: HeaderMap) -> Answered {
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    Ok(json(&value!({ "status": "live" })))
}

/// Whether it can record and answer.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "ready",
    tag = "Server",
    responses(
        (status = 200, description = "It can.", body = ref("#/components/schemas/health")),
        (status = 503, description = "It cannot record.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json"),
    ),
)]
pub async fn ready(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    match server.measured.is_broken() {
        true => Err(Problem::later(
            "cannot-record",
            "nothing can be recorded: start the server again, and read its log",
        )),
        false => Ok(json(&value!({ "status": "ready" }))),
    }
}

/// Measurements in the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Server",
    responses((status = 200, description = "The measurements.", body = ref("#/components/schemas/text"), content_type = "text/plain")),
    security(("token" = ["operator"])),
)]
pub async fn metrics(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    Query::of(&uri).end()?;
    asked::accepted(&headers, &["text/plain"])?;
    let head = *server.head.borrow();
    let told = server.measured.told(head, server.intake.waiting());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], told).into_response())
}

async fn breaks() -> Problem {
    panic!("a trial, with 111222333 in it")
}

/// Routes that break and that never end, to try what follows.
pub fn trial() -> Router<Arc<Server>> {
    Router::new()
        .route("/v1/trial/panic", get(breaks))
        .route("/v1/trial/slow", get(std::future::pending::<()>))
}
