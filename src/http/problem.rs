//! Problems: what is answered where something is not done (RFC 9457). They repeat nothing that was sent.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::feed::receipt::FaultInRow;
use crate::ledger::LedgerError;

/// Something that is not done, with its reason and what to do.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    faults: Vec<AskedWrongly>,
    more: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedWrongly {
    /// The stable code of the reason.
    pub code: String,
    /// Where it stands: `query.knownAt`, `header.accept`, or a field of the event.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl AskedWrongly {
    /// A fault of a request.
    pub fn new(code: &str, field: &str, problem: &str, remedy: &str) -> Self {
        let [code, field, problem, remedy] = [code, field, problem, remedy].map(str::to_owned);
        Self { code, field, problem, remedy }
    }
}

impl From<&FaultInRow> for AskedWrongly {
    fn from(it: &FaultInRow) -> Self {
        Self::new(it.code, &it.field, &it.problem, &it.remedy)
    }
}

/// The outcome of a request.
pub type Answered<T = Response> = Result<T, Problem>;

impl Problem {
    /// A problem with its status, its stable code and what to do.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let (faults, more, headers) = Default::default();
        Self { status, code, detail: detail.into(), faults, more, headers }
    }

    /// The request is wrong in these ways.
    pub fn wrong(faults: Vec<AskedWrongly>) -> Self {
        let detail = "the request cannot be answered as it stands: every fault is listed with what to do";
        Self { faults, ..Self::new(StatusCode::BAD_REQUEST, "bad-request", detail) }
    }

    /// The request is wrong in one way.
    pub fn one(code: &str, field: &str, problem: &str, remedy: &str) -> Self {
        Self::wrong(vec![AskedWrongly::new(code, field, problem, remedy)])
    }

    /// Nothing is there. It is the same answer for everybody.
    pub fn nothing_here() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "there is nothing here: /v1/openapi.json lists what there is",
        )
    }

    /// The caller has not shown who it is.
    pub fn unknown_caller() -> Self {
        let detail = "this needs a token that is valid now: send it as `Authorization: Bearer TOKEN`, or ask the operator for one";
        let header = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"peildatum\""));
        Self::new(StatusCode::UNAUTHORIZED, "no-valid-token", detail).with_header(header)
    }

    /// The caller may not. What is there, or whether anything is, is not told.
    pub fn not_allowed(why: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-allowed", why)
    }

    /// It can be done later.
    pub fn later(code: &'static str, detail: impl Into<String>) -> Self {
        let header = (header::RETRY_AFTER, HeaderValue::from_static("1"));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).with_header(header)
    }

    /// It took too long.
    pub fn too_long() -> Self {
        Self::later(
            "took-too-long",
            "this took longer than a request may; ask for less at once, or ask again later",
        )
    }

    /// Something broke here. The caller is told no more than that, whoever runs the server finds the rest in its log.
    pub fn broken() -> Self {
        let detail = "something broke while this was answered; nothing that was acknowledged is lost. Try again, and tell \
                      the operator if it stays";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", detail)
    }

    /// The same with faults.
    pub fn with_faults(mut self, faults: Vec<AskedWrongly>) -> Self {
        self.faults = faults;
        self
    }

    /// The same with a field of its own.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("texts and numbers");
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The same with a header.
    pub fn with_header(mut self, header: (HeaderName, HeaderValue)) -> Self {
        self.headers.push(header);
        self
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        let said = error.to_string();
        match error {
            LedgerError::NeverKnown { .. } => {
                let remedy = "ask for a size that the log has had, or leave it out";
                Self::one("never-known", "query.knownAt", &said, remedy)
            }
            LedgerError::NoSuchEntry { .. } => Self::new(StatusCode::NOT_FOUND, "no-such-entry", said),
            LedgerError::Unanswerable(_)
            | LedgerError::Unprepared(_)
            | LedgerError::Unplayable(_)
            | LedgerError::NoWeeks(_)
            | LedgerError::NotClosed { .. } => {
                Self::one("unanswerable", "", &said, "ask for another area, date or half-year")
            }
            LedgerError::Signing(error) if !error.is_broken() => {
                Self::new(StatusCode::NOT_FOUND, "not-signed", error.to_string())
            }
            _ => {
                tracing::error!(error = %super::shown(&said), "the ledger could not answer");
                Self::broken()
            }
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: String,
    code: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    faults: &'a [AskedWrongly],
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

/// The code of the problem that an answer is, for the log and the record of what was decided.
#[derive(Clone, Copy, Debug)]
pub struct CodeOf(pub &'static str);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let told = Told {
            kind: format!("urn:peildatum:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: super::shown(&self.detail),
            code: self.code,
            faults: &self.faults,
            more: &self.more,
        };
        let body = serde_json::to_vec(&told).expect("texts and numbers");
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], body).into_response();
        response.headers_mut().extend(self.headers.into_iter().map(|(name, value)| (Some(name), value)));
        response.extensions_mut().insert(CodeOf(self.code));
        response
    }
}
