//! Checkpoints: what the log has come to, signed; and what it was at any size.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;

use super::Server;
use super::answering::{Fixed, searched, whole};
use super::asked::{self, Form, Query};
use super::delivering::json;
use super::problem::{Answered, Problem};
use crate::domain::time::LogSize;
use crate::ledger::{Checkpoint, LedgerError, Stopwatch};
use crate::proof::checkpoint::SignedCheckpoint;

/// How long the same checkpoint is given out, since signing waits for the disk.
const SIGNED_FOR: Duration = Duration::from_secs(1);

pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// A signed checkpoint in JSON.
#[derive(Serialize)]
struct Told {
    /// The name of the log.
    origin: String,
    #[serde(flatten)]
    checkpoint: Checkpoint,
    /// The text with its signatures.
    note: String,
}

/// The log as it is, signed.
///
/// A checkpoint of C2SP `tlog-checkpoint`: the name of the log, how many entries it has and their root, with the signature of
/// the log and the cosignatures of its witnesses. Signed anew at most once a second.
#[utoipa::path(
    get,
    path = "/v1/checkpoints/latest",
    operation_id = "getLatestCheckpoint",
    tag = "Log",
    responses((status = 200, description = "The checkpoint.", content(
        (ref("#/components/schemas/signedCheckpoint") = "application/json"),
        (ref("#/components/schemas/text") = "text/plain"),
    )), (status = 404, description = "This log has no key, so it signs nothing.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json")),
)]
pub async fn latest(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    Query::of(&uri).end()?;
    let form = asked::accepted(&headers, &["application/json", "text/plain"])?;
    let signed = signed_soon(&server).await?;
    Ok(match form {
        0 => {
            let head = signed.head();
            let checkpoint = Checkpoint { size: head.size, root: head.root };
            json(&Told { origin: head.origin.to_string(), checkpoint, note: signed.to_string() })
        }
        _ => note(&signed),
    })
}

/// The log as it is, signed, where readers of tiles look for it.
#[utoipa::path(
    get,
    path = "/v1/log/checkpoint",
    operation_id = "getLogCheckpoint",
    tag = "Log",
    responses(
        (status = 200, description = "The checkpoint.", body = ref("#/components/schemas/text"), content_type = "text/plain"),
        (status = 404, description = "This log has no key, so it signs nothing.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json"),
    ),
)]
pub async fn of_log(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    Query::of(&uri).end()?;
    asked::accepted(&headers, &["text/plain"])?;
    Ok(note(&*signed_soon(&server).await?))
}

fn note(signed: &SignedCheckpoint) -> Response {
    whole(TEXT, signed.to_string())
}

/// What the log was at a size.
#[utoipa::path(
    get,
    path = "/v1/checkpoints/{size}",
    operation_id = "getCheckpoint",
    tag = "Log",
    params(("size" = u64, Path, description = "How many entries the log had.", example = 1)),
    responses(
        (status = 200, description = "The size with its root, which is not signed.", body = ref("#/components/schemas/checkpoint")),
        (status = 404, description = "The log never had that size.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json"),
    ),
)]
pub async fn at(
    State(server): State<Arc<Server>>,
    Path(size): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    let size = LogSize(asked::number(&size, "path.size")?);
    if size > server.ledger().size() {
        return Err(never_so_large());
    }
    let checkpoint = server.ledger().checkpoint(size)?;
    let fixed = Fixed::by(&[b"checkpoint", &size.0.to_be_bytes(), &checkpoint.root.0], true);
    match fixed.is_known(&headers) {
        true => Ok(fixed.unchanged()),
        false => Ok(fixed.on(json(&checkpoint))),
    }
}

/// The log never had the size in an address.
pub(super) fn never_so_large() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "never-known",
        "the log has not been so large: ask for a smaller size",
    )
}

/// What was signed last, and when.
pub type Signed = Option<(Stopwatch, Arc<SignedCheckpoint>)>;

/// The log as it is or was a moment ago, signed.
async fn signed_soon(server: &Arc<Server>) -> Answered<Arc<SignedCheckpoint>> {
    if let Some(signed) = server.kept_signed(0) {
        return Ok(signed);
    }
    let answered = searched(server, TEXT, |server, _| {
        server.signed(0)?;
        Ok(())
    });
    answered.await?;
    server.kept_signed(0).ok_or_else(Problem::broken)
}

impl Server {
    /// A checkpoint of at least so many entries that is not old.
    fn kept_signed(&self, least: u64) -> Option<Arc<SignedCheckpoint>> {
        let signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let (watch, signed) = signed.as_ref()?;
        let fresh = watch.elapsed() < SIGNED_FOR || signed.head().size == *self.head.borrow();
        (fresh && signed.head().size >= least).then(|| Arc::clone(signed))
    }

    /// The log signed, with at least so many entries.
    ///
    /// # Errors
    /// When there is no key, or nothing can be signed.
    pub(super) fn signed(&self, least: u64) -> Answered<Arc<SignedCheckpoint>> {
        if let Some(signed) = self.kept_signed(least) {
            return Ok(signed);
        }
        let key = self.key.as_ref().ok_or_else(|| {
            let detail = "this log has no key here, so nothing is signed: ask the operator for one";
            Problem::new(StatusCode::NOT_FOUND, "not-signed", detail)
        })?;
        let signed = self.ledger().signed_checkpoint(key).map_err(|error| match error {
            // What it says is for whoever runs the server.
            LedgerError::Signing(error) => {
                tracing::error!(error = %super::shown(&error.to_string()), "nothing can be signed");
                Problem::broken()
            }
            error => error.into(),
        })?;
        let signed = Arc::new(signed);
        let kept = Some((Stopwatch::start(), Arc::clone(&signed)));
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(signed)
    }
}
