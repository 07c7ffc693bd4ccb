//! The gate: every request comes in and every answer goes out here.

use std::any::Any;
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Answered, CodeOf, Problem};
use super::{Server, VERSION, asked};
use crate::domain::access::{Caller, Role};
use crate::ledger::{Stopwatch, now};
use crate::store::{AuditRecord, AuditResult};

/// Who calls; nobody who is known, where there is no caller.
#[derive(Clone, Debug)]
pub struct By(pub Option<Arc<Caller>>);

impl By {
    /// The caller, where one is needed.
    ///
    /// # Errors
    /// When nobody has shown who it is.
    pub fn someone(&self) -> Answered<&Caller> {
        self.0.as_deref().ok_or_else(Problem::unknown_caller)
    }
}

/// Nothing answers at this address.
pub async fn nothing_here() -> Problem {
    Problem::nothing_here()
}

/// Something answers at this address, in another way.
pub async fn other_method() -> Problem {
    let detail = "this address does not take that method: `Allow` lists those that it takes";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "other-method", detail)
}

/// Something broke while a request was answered. What it said stays here: it may repeat what was sent.
pub fn broken(_: Box<dyn Any + Send>) -> Response {
    Problem::broken().into_response()
}

/// Lets a request through to what answers it, or does not.
pub async fn pass(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let route = request.extensions().get::<MatchedPath>().map(|it| it.as_str().to_owned());
    let method = request.method().clone();
    let origin = origin(&request, server.settings.behind_proxy);
    let mut by = By(None);
    // What the address says is repeated of those requests alone that were let in.
    let mut object = None;
    let mut response = match admit(&server, &request, route.as_deref()) {
        Err(NotLetIn { caller, problem }) => {
            by = By(caller);
            problem.into_response()
        }
        Ok(caller) => {
            by.0 = caller;
            request.extensions_mut().insert(by.clone());
            object = Some(request.uri().path().to_owned());
            let answered = tokio::time::timeout(server.settings.limits.within * 2, next.run(request));
            answered.await.unwrap_or_else(|_| Problem::too_long().into_response())
        }
    };
    let status = response.status();
    let code = response.extensions().get::<CodeOf>().map(|it| it.0);
    let seconds = watch.elapsed().as_secs_f64();
    if let Some(code) = code {
        server.measured.refusal(code);
    }
    let known = route.as_deref().unwrap_or("unknown");
    server.measured.request(known_method(&method), known, status.as_u16(), seconds);
    tracing::debug!(
        method = known_method(&method),
        route = known,
        status = status.as_u16(),
        code,
        seconds,
        "answered"
    );
    if let Some(route) = route.as_deref().filter(|it| is_noted(it)) {
        let result = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => AuditResult::Denied,
            _ if status.is_success() || status.is_redirection() => AuditResult::Done,
            _ if status.is_client_error() => AuditResult::Refused,
            _ => AuditResult::Failed,
        };
        let record = AuditRecord {
            origin: origin.map(|it| it.to_string()),
            status: Some(status.as_u16()),
            action: Cow::Owned(format!("{} {route}", known_method(&method))),
            object: object.unwrap_or_else(|| route.to_owned()),
            result,
            code: code.map(Cow::Borrowed),
            ..AuditRecord::new(now(), by.0.as_deref(), "")
        };
        if let Err(why) = server.trail.record(record) {
            // Nothing is answered of which nobody could find out later that it was.
            tracing::error!(%why, "a decision cannot be recorded");
            let detail = "what is decided cannot be written down at the moment; ask again after the time in `Retry-After`";
            response = Problem::later("record-full", detail).into_response();
        }
    }
    with_headers(response)
}

/// A request that is not let in.
struct NotLetIn {
    /// Who made it, where that is known.
    caller: Option<Arc<Caller>>,
    /// What it is told.
    problem: Box<Problem>,
}

impl From<Problem> for NotLetIn {
    fn from(problem: Problem) -> Self {
        Self { caller: None, problem: Box::new(problem) }
    }
}

/// Who may come in.
fn admit(server: &Server, request: &Request, route: Option<&str>) -> Result<Option<Arc<Caller>>, NotLetIn> {
    asked::not_too_long(request.uri(), request.headers())?;
    asked::without_person_numbers(request.uri(), request.headers())?;
    // Nothing here is called so, and what takes the parts of an address apart takes text.
    if percent_encoding::percent_decode_str(request.uri().path()).decode_utf8().is_err() {
        return Err(Problem::nothing_here().into());
    }
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let Some(roles) = route.and_then(|route| server.roles.get(&(method, route.to_owned()))) else {
        return Ok(None);
    };
    let caller = caller(server, request.headers())?.map(Arc::new);
    if roles.is_empty() {
        return Ok(caller);
    }
    match caller {
        None => Err(Problem::unknown_caller().into()),
        Some(caller) if may(&caller, roles) => Ok(Some(caller)),
        Some(caller) => {
            let problem = Problem::not_allowed("the role of this token does not go with what is asked");
            Err(NotLetIn { caller: Some(caller), problem: Box::new(problem) })
        }
    }
}

fn may(caller: &Caller, roles: &[Role]) -> bool {
    roles.contains(&caller.role())
}

/// Who calls, as its token shows; nobody without one.
fn caller(server: &Server, headers: &HeaderMap) -> Answered<Option<Caller>> {
    let mut given = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return match headers.contains_key(header::AUTHORIZATION) {
            true => Err(Problem::unknown_caller()),
            false => Ok(None),
        };
    };
    let token = value.to_str().ok().and_then(|it| {
        let (scheme, token) = it.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let found = server.access.caller(token.ok_or_else(Problem::unknown_caller)?, now());
    match found {
        Ok(Some(caller)) => Ok(Some(caller)),
        Ok(None) => Err(Problem::unknown_caller()),
        Err(error) => {
            tracing::error!(error = %super::shown(&error.to_string()), "nobody can be let in");
            Err(Problem::later("access-broken", "nobody can be let in at the moment; tell the operator"))
        }
    }
}

/// Whether a token that was let in is still one.
pub(super) fn still_known(server: &Server, headers: &HeaderMap) -> bool {
    matches!(caller(server, headers), Ok(Some(_)))
}

/// Where a request comes from.
fn origin(request: &Request, behind_proxy: bool) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip());
    if !behind_proxy {
        return peer;
    }
    let forwarded = request.headers().get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|it| it.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.or(peer)
}

/// Whether something is decided about who may: not for what is open to everybody.
fn is_noted(route: &str) -> bool {
    route.starts_with("/v1/") && route != "/v1/openapi.json" && !route.starts_with("/v1/schemas")
        || route == "/metrics"
}

/// A method by its name, where it is one that is known: what else is sent is not repeated in measurements.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

/// The headers of every answer (API Design Rules 2.2).
fn with_headers(mut response: Response) -> Response {
    const ALWAYS: [(HeaderName, &str); 6] = [
        (HeaderName::from_static("api-version"), VERSION),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // An answer that never changes has said so by its own.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
