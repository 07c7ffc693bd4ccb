//! The log as tiles (C2SP `tlog-tiles`), for programs of others that check it.

use std::io::Write as _;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};

use super::Server;
use super::answering::{Ended, Fixed, searched};
use super::asked::{self, Query};
use super::entries::page;
use super::problem::{Answered, Problem};
use crate::domain::time::LogSize;
use crate::ledger::LedgerError;
use crate::proof::tiles::{self, HEIGHT, Place, WIDTH};

const BYTES: &str = "application/octet-stream";

/// A part of the log as tiles.
///
/// In the layout of C2SP `tlog-tiles`: hashes at `LEVEL/NUMBER`, entries at `entries/NUMBER`, with numbers cut into threes
/// (`x001/x234/067`) and partial ones as `NUMBER.p/WIDTH`. What is full never changes.
#[utoipa::path(
    get,
    path = "/v1/log/tile/{*path}",
    operation_id = "getTile",
    tag = "Log",
    params(("path" = String, Path, description = "Which part. It has slashes of its own.", example = "0/000.p/1")),
    responses(
        (status = 200, description = "The hashes one behind the other, or the entries, each behind its length in two bytes.", body = ref("#/components/schemas/bytes"), content_type = "application/octet-stream"),
        (status = 404, description = "The log has no such part.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json"),
    ),
    security(("token" = ["auditor"])),
)]
pub async fn tile(
    State(server): State<Arc<Server>>,
    Path(path): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    Query::of(&uri).end()?;
    asked::accepted(&headers, &[BYTES])?;
    let place = tiles::place(&path).ok_or_else(Problem::nothing_here)?;
    let size = server.ledger().size();
    let there = tiles::hashes(place.level.unwrap_or(0), size.0);
    let end = place.number.checked_mul(WIDTH).and_then(|first| first.checked_add(place.width));
    if end.is_none_or(|end| end > there) {
        return Err(Problem::nothing_here());
    }
    let fixed = match place.width {
        WIDTH => {
            // By the root of the log that ends with it: of another log it is another part.
            let end = ((place.number + 1) * WIDTH) << (HEIGHT * place.level.unwrap_or(0));
            let root = server.ledger().checkpoint(LogSize(end))?.root;
            Some(Fixed::by(&[b"tile", path.as_bytes(), &root.0], false))
        }
        _ => None,
    };
    if let Some(fixed) = fixed.as_ref().filter(|it| it.is_known(&headers)) {
        return Ok(fixed.unchanged());
    }
    let answered = searched(&server, BYTES, move |server, to| {
        let bytes = bytes(server, place)?;
        Ok(to.write_all(&bytes)?)
    });
    let response = answered.await?;
    Ok(match fixed {
        Some(fixed) => fixed.on(response),
        None => response,
    })
}

fn bytes(server: &Server, place: Place) -> Result<Vec<u8>, Ended> {
    let (first, end) = (place.number * WIDTH, place.number * WIDTH + place.width);
    let ledger = server.ledger();
    match place.level {
        Some(level) => {
            let mut subtrees = ledger.subtrees(ledger.size())?;
            let hashes = (first..end).map(|number| subtrees.full(HEIGHT * level, number));
            let hashes = hashes.collect::<Result<Vec<_>, _>>().map_err(LedgerError::from)?;
            Ok(tiles::tile(&hashes))
        }
        None => {
            let mut bundle = Vec::new();
            for line in page(&ledger, first, end)? {
                tiles::push_entry(&mut bundle, &line).map_err(|error| {
                    tracing::error!(%error, "a part of the log cannot be given as tiles");
                    Problem::broken()
                })?;
            }
            Ok(bundle)
        }
    }
}
