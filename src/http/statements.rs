//! Statements: the standing of an area, or of its parts, on any reference date, as known at any moment.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Serialize;

use super::Server;
use super::answering::{Fixed, whole};
use super::asked::{self, Form, Query};
use super::gate::By;
use super::problem::{Answered, AskedWrongly, Problem};
use super::questions::{self, Moment, area_asked, moment, reference_date, sees_all};
use crate::book::statement::Reading;
use crate::domain::area::Area;
use crate::domain::time::AsOf;
use crate::feed::question::{Division, divided};
use crate::ledger::{Answer, By as Parts, Ledger};
use crate::report::csv;
use crate::report::public::PublicTable;

const READING: &str = "give oldest_first, current_first or total";

/// The standing of an area.
///
/// Totals are public. Numbers by kind are shown in full to those who have a role; to others as far as no small number follows
/// from them (`docs/public-figures.md`).
#[utoipa::path(
    get,
    path = "/v1/statements/{area}",
    operation_id = "getStatement",
    tag = "Figures",
    params(
        ("area" = String, Path, description = "NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).", example = "GM0599"),
        ("referenceDate" = String, Query, description = "The reference date (peildatum): the standing at the start of that day. Also as `geldigOp`.", format = "date", example = "2026-01-01"),
        ("knownAt" = Option<String>, Query, description = "As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size; without it now. Also as `beschikbaarOp`."),
        ("reading" = Option<String>, Query, description = "How a placement relates to the backlog: oldest_first (usual), current_first or total."),
    ),
    responses((status = 200, description = "The statement; without a role as everybody may see it.", content(
        (ref("#/components/schemas/statementShown") = "application/json"),
        (ref("#/components/schemas/csv") = "text/csv"),
    )), (status = 404, description = "There is no such area on that day.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json")),
    security((), ("token" = ["feeder", "decision_maker", "province", "municipality", "reader", "auditor"])),
)]
pub async fn one(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    Path(text): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    let mut query = Query::of(&uri);
    let (on, moment) = (reference_date(&mut query), moment(&mut query, "knownAt"));
    let reading = query.get("reading", READING).unwrap_or(Reading::OldestFirst);
    query.end()?;
    let form = asked::form(&headers, &[Form::Json, Form::Csv])?;
    let ledger = server.ledger();
    let as_of = questions::as_of(&ledger, on.expect("it is there"), moment, "knownAt")?;
    let area = questions::area(&ledger, &text, as_of)?;
    let question = Question { area, parts: Parts::Whole, as_of, reading, moment, form };
    question.answered(&server, &ledger, &by, &uri, &headers)
}

/// The standing of an area and its parts.
///
/// All municipalities, or all provinces; each as [`getStatement`](#operation/getStatement) gives it.
#[utoipa::path(
    get,
    path = "/v1/statements",
    operation_id = "listStatements",
    tag = "Figures",
    params(
        ("area" = Option<String>, Query, description = "NL (usual), a province or a municipality, by code or name."),
        ("by" = Option<String>, Query, description = "municipality (usual) or province."),
        ("referenceDate" = String, Query, description = "The reference date (peildatum): the standing at the start of that day. Also as `geldigOp`.", format = "date", example = "2026-01-01"),
        ("knownAt" = Option<String>, Query, description = "As known at a day (its start in the Netherlands), a time (RFC 3339) or a log size; without it now. Also as `beschikbaarOp`."),
        ("reading" = Option<String>, Query, description = "How a placement relates to the backlog: oldest_first (usual), current_first or total."),
    ),
    responses((status = 200, description = "The statements, by code; without a role as everybody may see them.", content(
        (ref("#/components/schemas/statementsShown") = "application/json"),
        (ref("#/components/schemas/csv") = "text/csv"),
    ))),
    security((), ("token" = ["feeder", "decision_maker", "province", "municipality", "reader", "auditor"])),
)]
pub async fn list(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    uri: Uri,
    headers: HeaderMap,
) -> Answered {
    let mut query = Query::of(&uri);
    let (on, moment) = (reference_date(&mut query), moment(&mut query, "knownAt"));
    let reading = query.get("reading", READING).unwrap_or(Reading::OldestFirst);
    let division = query.get("by", "give municipality or province").unwrap_or(Division::Municipality);
    let area = area_asked(&server, &mut query, on, moment);
    let parts = area.and_then(|area| {
        let wrong = |fault: &dyn ToString| {
            AskedWrongly::new("not-divided", "query.by", &fault.to_string(), "ask by municipality")
        };
        divided(area, Some(division)).map_err(|fault| query.fault(wrong(&fault))).ok()
    });
    query.end()?;
    let form = asked::form(&headers, &[Form::Json, Form::Csv])?;
    let ledger = server.ledger();
    let as_of = questions::as_of(&ledger, on.expect("it is there"), moment, "knownAt")?;
    let (area, parts) = (area.expect("it is there"), parts.expect("it is there"));
    let question = Question { area, parts, as_of, reading, moment, form };
    question.answered(&server, &ledger, &by, &uri, &headers)
}

struct Question {
    area: Area,
    parts: Parts,
    as_of: AsOf,
    reading: Reading,
    moment: Moment,
    form: Form,
}

impl Question {
    fn answered(
        &self,
        server: &Server,
        ledger: &Ledger,
        by: &By,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Answered {
        let all = sees_all(by, ledger, self.area, self.as_of);
        // What everybody sees by kind is for the present state of knowledge, so that goes when the log grows.
        let lasting = all || self.as_of.known_at != ledger.size();
        let fixed = match self.moment.fixed && lasting {
            true => Some(self.fixed(ledger, all, uri)?),
            false => None,
        };
        if let Some(fixed) = fixed.as_ref().filter(|it| it.is_known(headers)) {
            return Ok(fixed.unchanged());
        }
        let answers = ledger.statements(self.area, self.parts, self.as_of, self.reading);
        let answers = answers.map_err(questions::in_address)?;
        let response = match all {
            true => self.written(&answers, |it| it, |answers, to| csv::statements(answers, to)),
            false => {
                let table = server.public_table(ledger, self.as_of)?;
                self.written(&answers, |it| table.statement(it), |answers, to| table.csv(answers, to))
            }
        };
        Ok(match fixed {
            Some(fixed) => fixed.on(response),
            None => response,
        })
    }

    /// By what the answer is known again.
    fn fixed(&self, ledger: &Ledger, all: bool, uri: &Uri) -> Answered<Fixed> {
        let checkpoint = ledger.checkpoint(self.as_of.known_at)?;
        let asked = uri.path_and_query().map_or("", |it| it.as_str());
        let form = self.form.media_type();
        let seen: &[u8] = if all { b"all" } else { b"public" };
        Ok(Fixed::by(
            &[&checkpoint.size.to_be_bytes(), &checkpoint.root.0, asked.as_bytes(), form.as_bytes(), seen],
            !all,
        ))
    }

    fn written<'a, T: Serialize>(
        &self,
        answers: &'a [Answer],
        shown: impl Fn(&'a Answer) -> T,
        csv: impl FnOnce(&[Answer], &mut Vec<u8>) -> std::io::Result<()>,
    ) -> Response {
        let mut body = Vec::with_capacity(1_500 * answers.len());
        match (self.form, self.parts) {
            (Form::Csv, _) => csv(answers, &mut body).expect("memory takes it"),
            (_, Parts::Whole) => {
                serde_json::to_writer(&mut body, &shown(&answers[0])).expect("texts and numbers");
            }
            (_, _) => {
                let answers: Vec<T> = answers.iter().map(shown).collect();
                serde_json::to_writer(&mut body, &answers).expect("texts and numbers");
            }
        }
        whole(self.form.media_type(), body)
    }
}

impl Server {
    /// What everybody may see by kind. It takes all municipalities to know, so it is kept for the last few moments.
    fn public_table(&self, ledger: &Ledger, as_of: AsOf) -> Answered<Arc<PublicTable>> {
        // What is the present goes when the log grows.
        let key = (as_of, as_of.known_at == ledger.size());
        if let Some(table) = self.public_tables.get(&key) {
            return Ok(table);
        }
        let table = PublicTable::ask(ledger, as_of).map_err(Problem::from)?;
        Ok(self.public_tables.keep(key, table))
    }
}
