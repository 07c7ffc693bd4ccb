//! Entries: the very lines that were stored and hashed, page by page, and one with its history.

use std::io::Write as _;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri, header};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Server;
use super::answering::{Chunks, Ended, searched, with};
use super::asked::{self, Form, Query};
use super::problem::{Answered, Problem};
use crate::domain::event::Entry;
use crate::domain::time::{LogSize, Position};
use crate::ledger::{Ledger, LedgerError};
use crate::proof::merkle::{Hash, leaf_hash};
use crate::report::csv;

/// How many entries are read while nobody may write.
pub(super) const PAGE: u64 = 256;
const FORMS: [Form; 3] = [Form::Json, Form::Lines, Form::Csv];

/// The entries of the log, in their order.
///
/// Byte for byte as they were stored and hashed: in `application/jsonl` a line each, in `application/json` the same lines in a
/// list. `Link` with `rel="next"` leads on; at the end of the log it is not there.
#[utoipa::path(
    get,
    path = "/v1/entries",
    operation_id = "listEntries",
    tag = "Log",
    params(
        ("cursor" = Option<u64>, Query, description = "The position of the first entry; without it 0. `Link` gives that of the next page."),
        ("limit" = Option<u64>, Query, description = "How many entries: 1 to 1000, usually 100."),
    ),
    responses((status = 200, description = "The entries.",
        headers(("Link" = String, description = "Where the next page and the first one are (RFC 8288).")),
        content(
            (ref("#/components/schemas/entries") = "application/json"),
            (ref("#/components/schemas/lines") = "application/jsonl"),
            (ref("#/components/schemas/csv") = "text/csv"),
        ))),
    security(("token" = ["auditor"])),
)]
pub async fn list(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    let mut query = Query::of(&uri);
    let cursor: u64 = query.get("cursor", "give the position that `Link` names").unwrap_or(0);
    let limit: u64 = query.get("limit", "give 1 to 1000").unwrap_or(100);
    query.end()?;
    let form = asked::form(&headers, &FORMS)?;
    let limit = limit.clamp(1, 1_000);
    let size = server.ledger().size().0;
    if cursor > size {
        return Err(never(size, "query.cursor"));
    }
    let end = size.min(cursor.saturating_add(limit));
    let answered =
        searched(&server, form.media_type(), move |server, to| written(server, form, cursor, end, to));
    let response =
        with(answered.await?, header::LINK, &format!("</v1/entries?limit={limit}>; rel=\"first\""));
    Ok(match end < size {
        true => {
            let next = format!("</v1/entries?cursor={end}&limit={limit}>; rel=\"next\"");
            with(response, header::LINK, &next)
        }
        false => response,
    })
}

/// More was asked for than there is.
pub(super) fn never(size: u64, field: &str) -> Problem {
    let problem = format!("the log holds {size} entries");
    Problem::one("never-known", field, &problem, &format!("give {size} or less"))
}

fn written(server: &Server, form: Form, from: u64, end: u64, to: &mut Chunks) -> Result<(), Ended> {
    let mut entries = Vec::new();
    let mut at = from;
    if form == Form::Json {
        to.write_all(b"[")?;
    }
    while at < end {
        let until = end.min(at + PAGE);
        let page = page(&server.ledger(), at, until)?;
        for (line, position) in page.iter().zip(at..) {
            match form {
                Form::Json => {
                    to.write_all(if position == from { b"\n" } else { b",\n" })?;
                    to.write_all(line)?;
                }
                Form::Lines => {
                    to.write_all(line)?;
                    to.write_all(b"\n")?;
                }
                Form::Csv => entries.push(read(position, line)?),
            }
        }
        at = until;
    }
    match form {
        Form::Json => to.write_all(b"\n]\n")?,
        Form::Lines => {}
        Form::Csv => csv::entries(&entries, to)?,
    }
    Ok(())
}

fn read(position: u64, line: &[u8]) -> Result<Entry, LedgerError> {
    Entry::decode(line).map_err(|fault| LedgerError::Entry { position, problem: fault.to_string() })
}

/// Some lines of the log.
pub(super) fn page(ledger: &Ledger, from: u64, end: u64) -> Result<Vec<Vec<u8>>, LedgerError> {
    let mut lines = Vec::new();
    ledger.lines(Position(from), LogSize(end), &mut |_, line| {
        lines.push(line.to_vec());
        Ok(())
    })?;
    Ok(lines)
}

/// An entry with everything that was recorded about the same.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithHistory<'a> {
    entry: &'a RawValue,
    leaf_hash: Hash,
    history: Vec<&'a RawValue>,
}

/// One entry, with its history.
///
/// The entry byte for byte and its leaf hash (RFC 6962), and everything that was recorded about its placement, or about itself,
/// objections included, in the order of the log.
#[utoipa::path(
    get,
    path = "/v1/entries/{position}",
    operation_id = "getEntry",
    tag = "Log",
    params(("position" = u64, Path, description = "Where it stands, counted from 0.", example = 0)),
    responses((status = 200, description = "The entry.", content(
        (ref("#/components/schemas/entryWithHistory") = "application/json"),
        (ref("#/components/schemas/csv") = "text/csv"),
    )), (status = 404, description = "The log has no entry there.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json")),
    security(("token" = ["auditor"])),
)]
pub async fn one(
    State(server): State<Arc<Server>>,
    Path(position): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    Query::of(&uri).end()?;
    let form = asked::form(&headers, &[Form::Json, Form::Csv])?;
    let position = asked::position(&position)?;
    let answered = searched(&server, form.media_type(), move |server, to| {
        let ledger = server.ledger();
        let history = ledger.history_of_entry(position)?;
        if form == Form::Csv {
            drop(ledger);
            return Ok(csv::entries(&history, to)?);
        }
        let line = |position| -> Result<String, LedgerError> {
            Ok(String::from_utf8(ledger.line(position)?).expect("a line is text"))
        };
        let entry = line(position)?;
        let history = history.iter().map(|it| line(it.position)).collect::<Result<Vec<_>, _>>()?;
        drop(ledger);
        let it = WithHistory {
            entry: raw_json(&entry),
            leaf_hash: leaf_hash(entry.as_bytes()),
            history: history.iter().map(|line| raw_json(line)).collect(),
        };
        Ok(serde_json::to_writer(to, &it)?)
    });
    answered.await
}

/// A stored line is JSON.
fn raw_json(line: &str) -> &RawValue {
    serde_json::from_str(line).expect("a stored line is JSON")
}
