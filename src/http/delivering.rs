//! Delivering: one event, or many.

use std::io::Cursor;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use tokio::sync::{SemaphorePermit, oneshot};
use uuid::Uuid;

use super::asked::{self, Form, Query};
use super::gate::By;
use super::problem::{Answered, AskedWrongly, Problem};
use super::{Limits, Server};
use crate::decide::command::Command;
use crate::domain::access::{Caller, Denied};
use crate::domain::source::Source;
use crate::domain::time::{AsOf, ReferenceDate};
use crate::feed::acknowledged::{Acknowledged, Became};
use crate::feed::cloudevent::{self, NoList};
use crate::feed::csv::CsvFile;
use crate::feed::intake::{NotTaken, Offer};
use crate::feed::parcel::{Envelope, Parcel};
use crate::feed::{FeedError, Parcels};
use crate::ledger::now;
use crate::proof::content::ContentHash;

const EVENT: &str = "application/cloudevents+json";
const BINARY: &str = "application/json";
const BATCH: &str = "application/cloudevents-batch+json";
const CSV: &str = "text/csv";

/// The largest single event, in bytes: as in a file.
const EVENT_MAX: usize = 1 << 20;

/// Deliver one event.
///
/// A CloudEvent of the NL GOV profile: in structured mode (`application/cloudevents+json`), or in binary mode with its
/// attributes in `ce-*` headers and its data as `application/json`. The same event again is answered as known, with the
/// delivery that brought it. What is refused waits in quarantine.
#[utoipa::path(
    post,
    path = "/v1/events",
    operation_id = "deliverEvent",
    tag = "Delivering",
    params(("Idempotency-Key" = Option<String>, Header, description = "A UUID by which the same delivery is known again.", format = "uuid")),
    request_body(description = "The event.", content(
        (ref("#/components/schemas/cloudevent") = "application/cloudevents+json"),
        (ref("#/components/schemas/eventData") = "application/json"),
    )),
    responses(
        (status = 201, description = "Recorded, and safe on disk.", body = ref("#/components/schemas/delivery-receipt"),
            headers(("Location" = String, description = "Where the receipt is."))),
        (status = 200, description = "Known already; nothing was written.", body = ref("#/components/schemas/delivery-receipt")),
        (status = 409, description = "The identity is in use for something else.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json"),
    ),
    security(("token" = ["feeder", "decision_maker", "province", "municipality"])),
)]
pub async fn event(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    let caller = by.someone()?;
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    let kind = asked::content_type(&headers);
    if kind != EVENT && kind != BINARY {
        return Err(asked::other_content_type(&[EVENT, BINARY]));
    }
    let key = idempotency_key(&headers)?;
    let body = read(&server, &headers, body, EVENT_MAX).await?;
    let key = key.map(|key| (key, ContentHash::of(&body.bytes)));
    let text = match kind.as_str() {
        EVENT => String::from_utf8(body.bytes.to_vec()).map_err(|_| unreadable("is not text in UTF-8"))?,
        _ => structured(&headers, &body.bytes)?,
    };
    let parcels = vec![cloudevent::event(1, &text)];
    let (receipt, again) = offered(&server, caller, parcels, None, key, false, None).await?;
    let row = receipt.rows.first().expect("one event is one row");
    let location =
        |delivery| HeaderValue::from_str(&format!("/v1/deliveries/{delivery}")).expect("a UUID is a header");
    let mut response = match &row.became {
        Became::Recorded { .. } => {
            let headers = [(header::LOCATION, location(receipt.delivery))];
            (StatusCode::CREATED, headers, json(&*receipt)).into_response()
        }
        Became::KnownAlready { delivery, .. } => {
            ([(header::LOCATION, location(*delivery))], json(&*receipt)).into_response()
        }
        Became::Conflict { faults, quarantine } => {
            let detail = "the event is not recorded, since an identity in it is in use for something else; it waits in \
                          quarantine, to be mended or withdrawn";
            let problem = Problem::new(StatusCode::CONFLICT, "conflict", detail);
            not_recorded(problem, faults.iter().map(Into::into).collect(), *quarantine, &receipt)
        }
        Became::Refused { faults, quarantine } => {
            let detail = "the event is not recorded: every fault is listed with what to do; it waits in quarantine, to be \
                          mended or withdrawn";
            let problem = Problem::new(StatusCode::BAD_REQUEST, "refused", detail);
            not_recorded(problem, faults.iter().map(Into::into).collect(), *quarantine, &receipt)
        }
    };
    tell_again(&mut response, again);
    Ok(response)
}

/// Says that it is the answer to an earlier delivery with the same key.
fn tell_again(response: &mut Response, again: bool) {
    if again {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
}

fn not_recorded(
    problem: Problem,
    faults: Vec<AskedWrongly>,
    quarantine: Uuid,
    receipt: &Acknowledged,
) -> Response {
    let problem =
        problem.with_faults(faults).with("quarantine", quarantine).with("delivery", receipt.delivery);
    problem.into_response()
}

/// Deliver many events, or a file.
///
/// A list of CloudEvents (`application/cloudevents-batch+json`), or CSV as in a file (`docs/deliveries.md`). At most 5,000
/// rows and 8 MiB. Each row gets its own outcome; rows that are refused wait in quarantine and hold up no others. With an
/// `Idempotency-Key` the same delivery again gets the same receipt.
#[utoipa::path(
    post,
    path = "/v1/deliveries",
    operation_id = "deliver",
    tag = "Delivering",
    params(("Idempotency-Key" = Option<String>, Header, description = "A UUID by which the same delivery is known again.", format = "uuid")),
    request_body(description = "The rows.", content(
        (ref("#/components/schemas/cloudevents") = "application/cloudevents-batch+json"),
        (ref("#/components/schemas/csv") = "text/csv"),
    )),
    responses(
        (status = 200, description = "What became of every row, safe on disk.", body = ref("#/components/schemas/delivery-receipt"),
            headers(("Idempotency-Replayed" = String, description = "`true` where it is the receipt of an earlier delivery with the same key."))),
        (status = 409, description = "The key was given with another delivery, or the quarantine is full.", body = ref("#/components/schemas/problem"), content_type = "application/problem+json"),
    ),
    security(("token" = ["feeder", "decision_maker", "province", "municipality"])),
)]
pub async fn delivery(
    State(server): State<Arc<Server>>,
    Extension(by): Extension<By>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    let caller = by.someone()?;
    Query::of(&uri).end()?;
    asked::form(&headers, &[Form::Json])?;
    let kind = asked::content_type(&headers);
    if kind != BATCH && kind != CSV {
        return Err(asked::other_content_type(&[BATCH, CSV]));
    }
    let key = idempotency_key(&headers)?;
    let body = read(&server, &headers, body, usize::MAX).await?;
    let key = key.map(|key| (key, ContentHash::of(&body.bytes)));
    let most = server.settings.limits.rows;
    let source = caller.source().ok_or_else(Problem::unknown_caller)?;
    // Large bodies take some milliseconds, in which others would wait.
    let bytes = body.bytes.clone();
    let read = tokio::task::spawn_blocking(move || match kind.as_str() {
        BATCH => events(&bytes, most).map(|parcels| (parcels, None)),
        _ => rows(bytes, source, most).map(|(parcels, header)| (parcels, Some(header))),
    });
    let (parcels, header) = read.await.map_err(|_| Problem::broken())??;
    let (receipt, again) = offered(&server, caller, parcels, header, key, true, None).await?;
    let mut response = json(&*receipt);
    tell_again(&mut response, again);
    Ok(response)
}

/// A body with its place among all bodies that are held.
struct Held<'a> {
    bytes: Bytes,
    _room: SemaphorePermit<'a>,
}

/// Reads a body within the limits. Where too much is held already, nothing of it is read.
async fn read<'a>(server: &'a Server, headers: &HeaderMap, body: Body, most: usize) -> Answered<Held<'a>> {
    let Limits { body: all, within, .. } = server.settings.limits;
    let most = most.min(all);
    let (bytes, room) = asked::body(headers, body, most, within, &server.bodies).await?;
    Ok(Held { bytes, _room: room })
}

/// What somebody mends in quarantine, as one row.
pub(super) async fn mended(
    server: &Server,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
    mends: Uuid,
) -> Answered<Arc<Acknowledged>> {
    let kind = asked::content_type(headers);
    if kind != EVENT && kind != CSV {
        return Err(asked::other_content_type(&[EVENT, CSV]));
    }
    let body = read(server, headers, body, EVENT_MAX).await?;
    let source = caller.source().ok_or_else(Problem::unknown_caller)?;
    let (parcels, header) = match kind.as_str() {
        EVENT => {
            let text =
                String::from_utf8(body.bytes.to_vec()).map_err(|_| unreadable("is not text in UTF-8"))?;
            (vec![cloudevent::event(1, &text)], None)
        }
        _ => rows(body.bytes.clone(), source, 1).map(|(parcels, header)| (parcels, Some(header)))?,
    };
    // A file without a row would take away what waits and put nothing in its place.
    if parcels.iter().map(|it| it.rows.len()).sum::<usize>() != 1 {
        return Err(unreadable("has no row"));
    }
    Ok(offered(server, caller, parcels, header, None, false, Some(mends)).await?.0)
}

/// Offers rows to the intake and waits for the receipt.
async fn offered(
    server: &Server,
    caller: &Caller,
    parcels: Vec<Parcel>,
    header: Option<::csv::StringRecord>,
    key: Option<(Uuid, ContentHash)>,
    keep: bool,
    mends: Option<Uuid>,
) -> Answered<(Arc<Acknowledged>, bool)> {
    let (Some(owner), Some(delivered_by)) = (caller.oin(), caller.source()) else {
        return Err(Problem::unknown_caller());
    };
    may_send(server, caller, &parcels)?;
    let (answer, answered) = oneshot::channel();
    let offer = Offer { owner, delivered_by, parcels, header, key, keep, mends };
    server.intake.offer(
        offer,
        // Whoever has gone finds the receipt by asking again.
        Box::new(move |outcome| drop(answer.send(outcome))),
    );
    match answered.await {
        Ok(Ok(receipt)) => Ok(receipt),
        Ok(Err(not_taken)) => Err(not_taken.into()),
        Err(_) => Err(NotTaken::Stopping.into()),
    }
}

impl From<NotTaken> for Problem {
    fn from(it: NotTaken) -> Self {
        match it {
            NotTaken::Busy => Self::later(
                "busy",
                "too much is waiting to be recorded; nothing of this was. Send it again after the time in `Retry-After`",
            ),
            NotTaken::Stopping => Self::later(
                "stopping",
                "the server is stopping; nothing of this is known to be recorded. Send it again: what is known is told",
            ),
            NotTaken::KeyInUse => Self::new(
                StatusCode::CONFLICT,
                "idempotency-key-in-use",
                "this `Idempotency-Key` was given with another delivery before; nothing was recorded. Give a new one",
            ),
            NotTaken::QuarantineFull { .. } => Self::new(
                StatusCode::CONFLICT,
                "quarantine-full",
                format!("{it}; nothing was recorded. Mend or withdraw what waits in /v1/quarantine first"),
            ),
            NotTaken::BeingMended => Self::new(
                StatusCode::CONFLICT,
                "being-mended",
                "this is being mended by another request; nothing was recorded. Look at what became of it first",
            ),
            NotTaken::NotInQuarantine => Self::not_allowed(super::quarantine::NOT_YOURS),
            NotTaken::Broken(why) => {
                tracing::error!(why = %super::shown(&why), "a delivery cannot be recorded");
                Self::later(
                    "cannot-record",
                    "nothing can be recorded at the moment; tell the operator, and send it again later",
                )
            }
        }
    }
}

/// Whether the caller may send all of this. One row that it may not is enough to record nothing: it is no fault of a row.
fn may_send(server: &Server, caller: &Caller, parcels: &[Parcel]) -> Answered<()> {
    let mut denied: Vec<(u64, Denied)> = Vec::new();
    for parcel in parcels {
        let row = parcel.rows.first().map_or(0, |row| row.number);
        let Some(content) = &parcel.content else {
            // What is refused for another reason is held to the same, as far as it says where it comes from.
            denied.extend(envelope_denied(caller, &parcel.envelope).map(|why| (row, why)));
            continue;
        };
        let command = content.command();
        if let Err(why) = caller.may_send(command.event_name(), &content.identity.source) {
            denied.push((row, why));
        } else if let Command::RecordObjection(objection) = &*command {
            let ledger = server.ledger();
            let as_of = AsOf { reference_date: ReferenceDate(now().dutch_day()), known_at: ledger.size() };
            let province = |code| ledger.book().municipality(code, as_of).ok().map(|it| it.province);
            denied
                .extend(caller.may_object_for(objection.municipality, province).err().map(|why| (row, why)));
        }
    }
    let Some((_, first)) = denied.first() else { return Ok(()) };
    let faults = denied.iter().take(100).map(|(row, why)| {
        let remedy =
            "send only events of your own organisation, of kinds that go with the role of your token";
        AskedWrongly::new("not-allowed", &format!("row {row}"), &why.to_string(), remedy)
    });
    let problem = Problem::not_allowed(&format!("nothing was recorded: {first}"));
    Err(problem.with_faults(faults.collect()))
}

/// Why a caller may not send what has this envelope.
fn envelope_denied(caller: &Caller, envelope: &Envelope) -> Option<Denied> {
    let Envelope { source, event, .. } = envelope;
    let own = |source: &Source| source.oin().is_some_and(|oin| caller.is_of(oin));
    match (source, event) {
        (Some(source), _) if !own(source) => Some(Denied::OtherOrganisation),
        (_, Some(event)) if !caller.role().may_send(*event) => Some(Denied::OtherRole),
        _ => None,
    }
}

/// The rows of a list of events.
fn events(body: &[u8], most: usize) -> Answered<Vec<Parcel>> {
    cloudevent::event_list(body, most).map_err(|fault| match fault {
        NoList::TooMany(_) => too_many(most),
        NoList::NotText | NoList::NotAnArray | NoList::TooLong => unreadable(&fault.to_string()),
    })
}

/// The rows of a file.
fn rows(body: Bytes, source: Source, most: usize) -> Answered<(Vec<Parcel>, ::csv::StringRecord)> {
    let fault = |error: FeedError| match error {
        FeedError::Header(said) => {
            Problem::one("unreadable", "body", &said, "see docs/deliveries.md for the columns")
        }
        _ => unreadable("is not CSV in UTF-8"),
    };
    let mut file = CsvFile::open(Cursor::new(body), source).map_err(fault)?;
    let header = file.header().clone();
    let (mut parcels, mut count) = (Vec::new(), 0);
    while let Some(parcel) =
        file.next_parcel().map_err(|_| unreadable("has rows that cannot be told apart"))?
    {
        count += parcel.rows.len();
        if count > most {
            return Err(too_many(most));
        }
        parcels.push(parcel);
    }
    Ok((parcels, header))
}

fn too_many(most: usize) -> Problem {
    let detail =
        format!("{most} rows are the most that are taken at once; nothing was recorded. Send them in parts");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-rows", detail)
}

fn unreadable(problem: &str) -> Problem {
    Problem::one(
        "unreadable",
        "body",
        &format!("the body {problem}"),
        "send it as docs/deliveries.md describes",
    )
}

/// One JSON text of an event in binary mode: the attributes of the headers around the data of the body.
fn structured(headers: &HeaderMap, body: &[u8]) -> Answered<String> {
    let mut attributes = Map::new();
    for (name, value) in headers {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else { continue };
        let text = String::from_utf8_lossy(value.as_bytes());
        let text = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if attribute == "data" || attributes.insert(attribute.to_owned(), Value::String(text)).is_some() {
            let remedy = "send each attribute once, and the data as the body";
            return Err(Problem::one("malformed", "header", "an attribute stands there twice", remedy));
        }
    }
    let data: &serde_json::value::RawValue =
        serde_json::from_slice(body).map_err(|_| unreadable("is not JSON"))?;
    let attributes = serde_json::to_string(&attributes).expect("texts");
    let inner = attributes.trim_start_matches('{').trim_end_matches('}');
    let comma = if inner.is_empty() { "" } else { "," };
    Ok(format!("{{{inner}{comma}\"data\":{}}}", data.get()))
}

fn idempotency_key(headers: &HeaderMap) -> Answered<Option<Uuid>> {
    const KEY: HeaderName = HeaderName::from_static("idempotency-key");
    let mut given = headers.get_all(&KEY).into_iter();
    let Some(value) = given.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim_matches('"');
    match Uuid::try_parse(text) {
        Ok(key) if given.next().is_none() && !key.is_nil() => Ok(Some(key)),
        _ => Err(Problem::one(
            "malformed",
            "header.Idempotency-Key",
            "is not one UUID",
            "give one UUID for each delivery, and the same one when it is sent again",
        )),
    }
}

/// An answer in JSON.
pub(super) fn json(it: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(it).expect("texts and numbers");
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
