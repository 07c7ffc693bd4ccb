//! Scenarios: what a standing would be if other entries had been recorded. Nothing of them is kept.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};

use super::Server;
use super::answering::searched;
use super::asked::{self, Form, Query};
use super::problem::{Answered, AskedWrongly, Problem};
use super::questions::{self, area_asked, moment, reference_date};
use crate::book::statement::Reading;
use crate::feed::question::{Division, divided};
use crate::feed::scenario::{self, ScenarioFaults};
use crate::ledger::{LedgerError, Unplayable};
use crate::report::replay;

/// The largest scenario, in bytes.
const LARGEST: usize = 1 << 20;
/// How many faults are told. Who mends these sees the next ones.
const TOLD: usize = 100;
const SEE: &str = "mend it: see docs/scenarios.md";

/// What it would be under a scenario.
///
/// The statements as recorded, under the scenario, and the difference. A scenario names entries as if they had not been recorded,
/// and events as if they had (`docs/scenarios.md`); at most 1 MiB. Nothing is stored.
#[utoipa::path(
    post,
    path = "/v1/scenarios",
    operation_id = "replayScenario",
    tag = "Figures",
    params(
        ("area" = Option<String>, Query, description = "NL (usual), a province or a municipality, by code or name."),
        ("by" = Option<String>, Query, description = "municipality or province; without it the area as a whole."),
        ("referenceDate" = String, Query, description = "The reference date. Also as `geldigOp`.", format = "date", example = "2026-01-01"),
        ("knownAt" = Option<String>, Query, description = "As known at a day, a time or a log size; without it now. Also as `beschikbaarOp`."),
        ("reading" = Option<String>, Query, description = "oldest_first (usual), current_first or total, where the scenario does not say otherwise."),
    ),
    request_body(description = "The scenario.", content((ref("#/components/schemas/scenario") = "application/json"))),
    responses((status = 200, description = "The comparison.", content(
        (ref("#/components/schemas/replay") = "application/json"),
        (ref("#/components/schemas/csv") = "text/csv"),
    ))),
    security(("token" = ["reader", "auditor", "decision_maker"])),
)]
pub async fn replay(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap, body: Body) -> Answered {
    let mut query = Query::of(&uri);
    let (on, moment) = (reference_date(&mut query), moment(&mut query, "knownAt"));
    let reading =
        query.get("reading", "give oldest_first, current_first or total").unwrap_or(Reading::OldestFirst);
    let division: Option<Division> = query.get("by", "give municipality or province");
    let area = area_asked(&server, &mut query, on, moment);
    let parts = area.and_then(|area| {
        let wrong = |fault: &dyn ToString| {
            AskedWrongly::new("not-divided", "query.by", &fault.to_string(), "ask by municipality")
        };
        divided(area, division).map_err(|fault| query.fault(wrong(&fault))).ok()
    });
    query.end()?;
    let form = asked::form(&headers, &[Form::Json, Form::Csv])?;
    if asked::content_type(&headers) != "application/json" {
        return Err(asked::other_content_type(&["application/json"]));
    }
    let limits = &server.settings.limits;
    let (body, _room) =
        asked::body(&headers, body, LARGEST.min(limits.body), limits.within, &server.bodies).await?;
    let scenario = scenario::read(&body).map_err(|faults| unreadable(&faults))?;
    let (on, area, parts) =
        (on.expect("it is there"), area.expect("it is there"), parts.expect("it is there"));
    let answered = searched(&server, form.media_type(), move |server, to| {
        let replayed = {
            let ledger = server.ledger();
            let as_of = questions::as_of(&ledger, on, moment, "knownAt")?;
            ledger.replay(&[scenario], area, parts, as_of, reading).map_err(|error| match error {
                LedgerError::Unplayable(it) => unplayable(&it),
                error => error.into(),
            })?
        };
        match form {
            Form::Csv => replay::as_csv(&replayed, to)?,
            _ => serde_json::to_writer(to, &replayed)?,
        }
        Ok(())
    });
    answered.await
}

fn unreadable(faults: &ScenarioFaults) -> Problem {
    let each = faults.iter().take(TOLD).map(|(at, it)| {
        // What is wrong with an event is mended as in a delivery.
        let of_event = at.contains(".data") || it.code() == "person-number";
        let remedy = if of_event { it.remedy() } else { SEE.to_owned() };
        AskedWrongly::new(it.code(), &format!("body.{at}"), &it.to_string(), &remedy)
    });
    Problem::wrong(each.collect())
}

fn unplayable(it: &Unplayable) -> Problem {
    let each = it
        .faults
        .iter()
        .take(TOLD)
        .map(|(at, it)| AskedWrongly::new("unplayable", &format!("body.{at}"), &it.to_string(), SEE));
    Problem::wrong(each.collect())
}
