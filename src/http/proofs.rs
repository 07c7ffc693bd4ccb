//! Proofs: that an entry stands in the log, and that the log only grew.

use std::io::Write as _;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;

use super::Server;
use super::answering::searched;
use super::asked::{self, Query};
use super::checkpoints::TEXT;
use super::problem::{Answered, AskedWrongly, Problem};
use crate::domain::time::LogSize;
use crate::ledger::{Checkpoint, LedgerError};
use crate::proof::checkpoint::SignedCheckpoint;
use crate::proof::inclusion::EntryProof;
use crate::proof::merkle::Hash;

/// That an entry stands at its position, in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    position: u64,
    leaf_hash: String,
    path: Vec<String>,
    checkpoint: Checkpoint,
    /// The signed checkpoint, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// That the log of one size begins with that of another, in JSON.
#[derive(Serialize)]
struct Consistency {
    old: Checkpoint,
    new: Checkpoint,
    path: Vec<String>,
}

fn texts(path: &[Hash]) -> Vec<String> {
    path.iter().map(ToString::to_string).collect()
}

/// The proof that an entry stands in the log.
///
/// About the signed checkpoint of now, as text (C2SP `tlog-proof`) or in JSON; or with `size` about the log of that size, in JSON.
#[utoipa::path(
    get,
    path = "/v1/proofs/inclusion/{position}",
    operation_id = "getInclusionProof",
    tag = "Log",
    params(
        ("position" = u64, Path, description = "Where the entry stands, counted from 0.", example = 0),
        ("size" = Option<u64>, Query, description = "The log of this size; without it the one of the signed checkpoint of now."),
    ),
    responses((status = 200, description = "The proof, which was verified.", content(
        (ref("#/components/schemas/inclusionProof") = "application/json"),
        (ref("#/components/schemas/text") = "text/plain"),
    )), (status = 404, description = "The log has no entry there, or signs nothing.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json")),
    security(("token" = ["auditor"])),
)]
pub async fn inclusion(
    State(server): State<Arc<Server>>,
    Path(position): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    let mut query = Query::of(&uri);
    let size: Option<u64> = query.get("size", "give a size that the log has had");
    let text = asked::accepted(&headers, &["application/json", "text/plain"])? == 1;
    if text && size.is_some() {
        let problem = "a proof as text is about a signed checkpoint";
        query.fault(AskedWrongly::new("not-as-text", "query.size", problem, "leave it out, or ask for JSON"));
    }
    query.end()?;
    let position = asked::position(&position)?;
    let answered = searched(&server, if text { TEXT } else { "application/json" }, move |server, to| {
        if !position.is_known_at(server.ledger().size()) {
            return Err(no_such_entry().into());
        }
        let signed = match size {
            None => Some(server.signed(position.0 + 1)?),
            Some(_) => None,
        };
        let size = LogSize(signed.as_ref().map_or(size.unwrap_or(0), |it| it.head().size));
        let (proven, checkpoint) = {
            let ledger = server.ledger();
            if size > ledger.size() {
                return Err(Problem::one(
                    "never-known",
                    "query.size",
                    "the log has not been so large",
                    "give a size that the log has had",
                )
                .into());
            }
            let mut proofs = ledger.inclusion_proofs([position], size)?;
            let proven = match proofs.next().expect("one was asked for") {
                Err(LedgerError::NoSuchEntry { .. }) => return Err(no_such_entry().into()),
                proven => proven?,
            };
            drop(proofs);
            (proven, ledger.checkpoint(size)?)
        };
        match signed {
            Some(signed) if text => {
                let checkpoint = SignedCheckpoint::clone(&signed);
                let proof = EntryProof { index: proven.index, path: proven.path, checkpoint };
                write!(to, "{proof}")?;
            }
            signed => {
                let note = signed.map(|it| it.to_string());
                let (position, leaf_hash) = (proven.index, proven.leaf.to_string());
                let it = Inclusion { position, leaf_hash, path: texts(&proven.path), checkpoint, note };
                serde_json::to_writer(to, &it)?;
            }
        }
        Ok(())
    });
    answered.await
}

fn no_such_entry() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-entry", "the log has no entry there: positions count from 0")
}

/// The proof that the log only grew.
///
/// That the log of one size begins with that of another: the hashes that lead from the older root to the newer one (RFC 6962).
#[utoipa::path(
    get,
    path = "/v1/proofs/consistency",
    operation_id = "getConsistencyProof",
    tag = "Log",
    params(
        ("from" = u64, Query, description = "The older size, at least 1.", example = 1),
        ("to" = Option<u64>, Query, description = "The newer size; without it that of now."),
    ),
    responses((status = 200, description = "The proof, which was verified.", content(
        (ref("#/components/schemas/consistencyProof") = "application/json"),
        (ref("#/components/schemas/text") = "text/plain"),
    ))),
    security(("token" = ["auditor"])),
)]
pub async fn consistency(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    const SIZE: &str = "give a size that the log has had";
    let mut query = Query::of(&uri);
    let size = server.ledger().size().0;
    let (from, to): (Option<u64>, _) = (query.need("from", SIZE), query.get("to", SIZE).unwrap_or(size));
    if from.is_some_and(|from| from == 0 || from > to) {
        let problem = "is 0, or larger than `to`";
        let remedy = "give the older size here, at least 1: every log begins with the empty one";
        query.fault(AskedWrongly::new("no-span", "query.from", problem, remedy));
    }
    if to > size {
        query.fault(AskedWrongly::new("never-known", "query.to", "the log has not been so large", SIZE));
    }
    query.end()?;
    let from = from.expect("it is there");
    let text = asked::accepted(&headers, &["application/json", "text/plain"])? == 1;
    let answered = searched(&server, if text { TEXT } else { "application/json" }, move |server, out| {
        let proof = server.ledger().consistency_proof(LogSize(from), LogSize(to))?;
        if text {
            write!(out, "{proof}")?;
        } else {
            let checkpoint = |(size, root)| Checkpoint { size, root };
            let (old, new) = (checkpoint(proof.old), checkpoint(proof.new));
            let it = Consistency { old, new, path: texts(&proof.path) };
            serde_json::to_writer(out, &it)?;
        }
        Ok(())
    });
    answered.await
}
