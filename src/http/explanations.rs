//! Explanations: how a standing became what it is.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};

use super::Server;
use super::answering::{Ended, Fixed, searched};
use super::asked::{self, Form, Query};
use super::gate::By;
use super::problem::{Answered, Problem};
use super::questions::{self, date, given_moment, moment, own_area, reference_date};
use crate::book::explanation::{Behind, Span, Step};
use crate::feed::question::usual_since;
use crate::report::audit;

/// How the standing of an area became what it is.
///
/// From one standing to another, step by step, so that the steps add up to the change: what happened between two dates, and
/// what was learned between two states of knowledge.
#[utoipa::path(
    get,
    path = "/v1/explanations/{area}",
    operation_id = "getExplanation",
    tag = "Figures",
    params(
        ("area" = String, Path, description = "NL, a province or a municipality, by code or name.", example = "GM0599"),
        ("referenceDate" = String, Query, description = "The later reference date. Also as `geldigOp`.", format = "date", example = "2026-01-01"),
        ("since" = Option<String>, Query, description = "The earlier reference date; without it the start of the half-year that the later one closes or lies in.", format = "date"),
        ("knownAt" = Option<String>, Query, description = "The later standing as known at a day, a time or a log size; without it now. Also as `beschikbaarOp`."),
        ("knownSince" = Option<String>, Query, description = "The earlier standing as known at a day, a time or a log size; without it as the later one."),
        ("entries" = Option<bool>, Query, description = "`true`: also the entries behind each step, and by which rule they count."),
    ),
    responses((status = 200, description = "The explanation.", content(
        (ref("#/components/schemas/explanation") = "application/json"),
        (ref("#/components/schemas/csv") = "text/csv"),
    )), (status = 404, description = "There is no such area on that day.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json")),
    security(("token" = ["feeder", "decision_maker", "province", "municipality", "reader", "auditor"])),
)]
pub async fn one(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    Path(text): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    let caller = by.someone()?;
    let mut query = Query::of(&uri);
    let (on, at) = (reference_date(&mut query), moment(&mut query, "knownAt"));
    let since = date(&mut query, "since");
    let known_since = given_moment(&mut query, "knownSince").unwrap_or(at);
    let entries = query.get("entries", "give true or false").unwrap_or(false);
    query.end()?;
    let form = asked::form(&headers, &[Form::Json, Form::Csv])?;
    let on = on.expect("it is there");
    let (area, span, fixed) = {
        let ledger = server.ledger();
        let to = questions::as_of(&ledger, on, at, "knownAt")?;
        let from =
            questions::as_of(&ledger, since.unwrap_or_else(|| usual_since(on)), known_since, "knownSince")?;
        let span = Span::new(from, to).map_err(|fault| {
            Problem::one(
                "no-span",
                "query",
                &fault.to_string(),
                "give the earlier of the two in `since` and `knownSince`",
            )
        })?;
        let area = own_area(&ledger, &text, to, caller)?;
        let fixed = match at.fixed && known_since.fixed {
            true => {
                let root = ledger.checkpoint(to.known_at)?.root;
                let asked = uri.path_and_query().map_or("", |it| it.as_str());
                Some(Fixed::by(&[&root.0, asked.as_bytes(), form.media_type().as_bytes()], false))
            }
            false => None,
        };
        (area, span, fixed)
    };
    if let Some(fixed) = fixed.as_ref().filter(|it| it.is_known(&headers)) {
        return Ok(fixed.unchanged());
    }
    let answered = searched(&server, form.media_type(), move |server, to| {
        let explained = {
            let ledger = server.ledger();
            ledger.explain(ledger.book(), area, span).map_err(questions::in_address)?.0
        };
        // Between two steps, and between two entries, others may write: about fixed sizes the answer stays the same.
        let behind = |step: &Step| -> Vec<Behind> {
            let ledger = server.ledger();
            let again = ledger.explain(ledger.book(), area, span);
            again.map(|(_, explaining)| explaining.behind(step)).expect("what was explained can be again")
        };
        let entry = |step, behind: &Behind| {
            let ledger = server.ledger();
            Ok::<_, Ended>(ledger.explained_entry(ledger.book(), step, behind)?)
        };
        match (form, entries) {
            (Form::Csv, false) => audit::steps_as_csv(&explained, to)?,
            (Form::Csv, true) => {
                let mut rows = audit::BehindAsCsv::begin(to)?;
                for (index, step) in explained.explanation.steps.iter().enumerate() {
                    for it in behind(step) {
                        rows.row(step, &entry(index, &it)?)?;
                    }
                }
                rows.end()?;
            }
            (_, false) => serde_json::to_writer(to, &explained)?,
            (_, true) => audit::explanation_as_json(&explained, &behind, &entry, to)?,
        }
        Ok(())
    });
    let response = answered.await?;
    Ok(match fixed {
        Some(fixed) => fixed.on(response),
        None => response,
    })
}
