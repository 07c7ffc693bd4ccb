//! Restatements: how often the standing of a closed half-year changed, by whom, and how late.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};

use super::Server;
use super::answering::{Ended, Fixed, searched};
use super::asked::{self, Form, Query};
use super::gate::By;
use super::problem::Answered;
use super::questions::{self, moment, own_area};
use crate::book::restatement::{Touch, closed_on};
use crate::domain::half_year::HalfYear;
use crate::report::restatements as report;

/// Every change of the standing of a closed half-year.
///
/// By delivery, with how late it came, beside what an authority fixed as carry-over.
#[utoipa::path(
    get,
    path = "/v1/restatements/{area}",
    operation_id = "getRestatements",
    tag = "Figures",
    params(
        ("area" = String, Path, description = "NL, a province or a municipality, by code or name.", example = "GM0599"),
        ("halfYear" = String, Query, description = "The half-year that was closed.", example = "2025-II"),
        ("knownAt" = Option<String>, Query, description = "As known at a day, a time or a log size; without it now. Also as `beschikbaarOp`."),
        ("entries" = Option<bool>, Query, description = "`true`: also the entries that made each change."),
    ),
    responses((status = 200, description = "The changes.", content(
        (ref("#/components/schemas/restatements") = "application/json"),
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
    let half_year: Option<HalfYear> = query.need("halfYear", "give a half-year as 2025-II");
    let at = moment(&mut query, "knownAt");
    let entries = query.get("entries", "give true or false").unwrap_or(false);
    query.end()?;
    let form = asked::form(&headers, &[Form::Json, Form::Csv])?;
    let half_year = half_year.expect("it is there");
    let (area, fixed) = {
        let ledger = server.ledger();
        // Names are those of the day on which the half-year is over.
        let on = closed_on(half_year).unwrap_or(half_year.first_day());
        let as_of = questions::as_of(&ledger, on, at, "knownAt")?;
        let area = own_area(&ledger, &text, as_of, caller)?;
        let fixed = match at.fixed {
            true => {
                let root = ledger.checkpoint(as_of.known_at)?.root;
                let asked = uri.path_and_query().map_or("", |it| it.as_str());
                Some(Fixed::by(&[&root.0, asked.as_bytes(), form.media_type().as_bytes()], false))
            }
            false => None,
        };
        (area, fixed)
    };
    if let Some(fixed) = fixed.as_ref().filter(|it| it.is_known(&headers)) {
        return Ok(fixed.unchanged());
    }
    let answered = searched(&server, form.media_type(), move |server, to| {
        let found = server.ledger().restatements(area, half_year, at.known_at);
        let (answer, touches) = found.map_err(questions::in_address)?;
        let late = |touch: &Touch| Ok::<_, Ended>(server.ledger().late(touch)?);
        match (form, entries) {
            (Form::Csv, false) => report::restatements_as_csv(&answer, to)?,
            (Form::Csv, true) => report::late_entries_as_csv(&answer, &touches, &late, to)?,
            (_, false) => serde_json::to_writer(to, &answer)?,
            (_, true) => report::restatements_as_json(&answer, &touches, &late, to)?,
        }
        Ok(())
    });
    let response = answered.await?;
    Ok(match fixed {
        Some(fixed) => fixed.on(response),
        None => response,
    })
}
