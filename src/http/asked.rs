//! What is asked: query, headers and body, with every fault at once, and nothing of it repeated.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::problem::{Answered, AskedWrongly, Problem};
use crate::domain::person_number::holds_person_number;
use crate::domain::time::Position;
use crate::feed::intake::NotTaken;

/// How an answer may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/json`.
    Json,
    /// `text/csv`.
    Csv,
    /// `application/jsonl`: JSON, a line each.
    Lines,
}

impl Form {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Lines => "application/jsonl",
        }
    }
}

/// The form that is asked for, out of those that there are. Without an `Accept` it is the first.
///
/// # Errors
/// When none of them is wanted.
pub fn form(headers: &HeaderMap, offered: &[Form]) -> Answered<Form> {
    let types: Vec<_> = offered.iter().map(|it| it.media_type()).collect();
    accepted(headers, &types).map(|index| offered[index])
}

/// Which of these media types is asked for (RFC 9110, 12.5.1).
///
/// # Errors
/// When none of them is wanted.
pub fn accepted(headers: &HeaderMap, offered: &[&str]) -> Answered<usize> {
    let mut wanted = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        for part in value.to_str().unwrap_or_default().split(',') {
            let mut parameters = part.split(';').map(str::trim);
            let range = parameters.next().unwrap_or_default().to_ascii_lowercase();
            let quality =
                parameters.find_map(|it| it.strip_prefix("q=")).map_or(Some(1.0), |it| it.parse().ok());
            wanted.push((range, quality.unwrap_or(0.0_f32)));
        }
    }
    if wanted.is_empty() {
        return Ok(0);
    }
    let quality_of = |offered: &str| {
        let group = offered.split('/').next().unwrap_or_default();
        let fits = |range: &str| match range {
            _ if range == offered => 3,
            _ if range.strip_suffix("/*") == Some(group) => 2,
            "*/*" => 1,
            _ => 0,
        };
        let nearest = wanted.iter().filter(|(range, _)| fits(range) > 0).max_by_key(|(range, _)| fits(range));
        nearest.map_or(0.0, |(_, quality)| *quality)
    };
    let best = offered.iter().enumerate().map(|(index, it)| (index, quality_of(it)));
    // The first of those that are wanted most.
    let best = best.reduce(|best, it| if it.1 > best.1 { it } else { best });
    match best {
        Some((index, quality)) if quality > 0.0 => Ok(index),
        _ => {
            let detail =
                format!("this is given as {}: ask for that in `Accept`, or for */*", offered.join(" or "));
            Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", detail))
        }
    }
}

/// The position of an entry in an address.
///
/// # Errors
/// When it is no number.
pub fn position(text: &str) -> Answered<Position> {
    number(text, "path.position").map(Position)
}

/// A number in an address.
///
/// # Errors
/// When it is none.
pub fn number(text: &str, field: &str) -> Answered<u64> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        Problem::one("malformed", field, "is not a number", "give a whole number, counted from 0")
    })
}

/// The questions behind the `?`, by name.
pub struct Query {
    given: BTreeMap<String, String>,
    known: Vec<&'static str>,
    faults: Vec<AskedWrongly>,
}

impl Query {
    /// Reads the query of an address.
    pub fn of(uri: &Uri) -> Self {
        let (mut given, mut faults) = (BTreeMap::new(), Vec::new());
        let parameters = uri.query().unwrap_or_default().split('&').filter(|it| !it.is_empty());
        for parameter in parameters {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            // Two names of the Dutch standards for the two times.
            let name = match &*decoded(name) {
                "geldigOp" => "referenceDate".to_owned(),
                "beschikbaarOp" => "knownAt".to_owned(),
                name => name.to_owned(),
            };
            if given.insert(name, decoded(value)).is_some() {
                faults.push(AskedWrongly::new(
                    "given-twice",
                    "query",
                    "a parameter is given twice",
                    "give each parameter once",
                ));
            }
        }
        Self { given, known: Vec::new(), faults }
    }

    /// A parameter that may be left out.
    pub fn get<T: FromStr>(&mut self, name: &'static str, remedy: &str) -> Option<T> {
        self.known.push(name);
        let text = self.given.get(name)?;
        let read = text.parse().ok();
        if read.is_none() {
            let field = format!("query.{name}");
            self.faults.push(AskedWrongly::new(
                "malformed",
                &field,
                "is not of the form that is asked for",
                remedy,
            ));
        }
        read
    }

    /// A parameter that is needed.
    pub fn need<T: FromStr>(&mut self, name: &'static str, remedy: &str) -> Option<T> {
        if !self.given.contains_key(name) {
            self.known.push(name);
            let field = format!("query.{name}");
            self.faults.push(AskedWrongly::new("missing-parameter", &field, "is missing", remedy));
            return None;
        }
        self.get(name, remedy)
    }

    /// Notes that something else about the request is wrong.
    pub fn fault(&mut self, fault: AskedWrongly) {
        self.faults.push(fault);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// With every fault that there is, parameters that nobody knows among them.
    pub fn end(self) -> Answered<()> {
        let Self { given, known, mut faults } = self;
        for name in given.keys().filter(|name| !known.contains(&name.as_str())) {
            let field = format!("query.{}", super::shown(&shortened(name)));
            let remedy = match known.is_empty() {
                true => "there are no parameters here: leave it out".to_owned(),
                false => format!("the parameters here are {}", known.join(", ")),
            };
            faults.push(AskedWrongly::new(
                "unknown-parameter",
                &field,
                "there is no such parameter",
                &remedy,
            ));
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::wrong(faults)) }
    }
}

/// The name of a parameter as it is told back: letters and digits, and few of them.
fn shortened(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).take(30).collect()
}

/// The most bytes of an address, of all headers, and the most headers.
const ADDRESS: usize = 8 << 10;
const HEADERS: usize = 32 << 10;
const HEADER_COUNT: usize = 64;

/// Refuses a request whose address or headers are longer than anybody needs.
///
/// # Errors
/// When they are.
pub fn not_too_long(uri: &Uri, headers: &HeaderMap) -> Answered<()> {
    let address = uri.path().len() + uri.query().map_or(0, str::len);
    if address > ADDRESS {
        let detail = format!("an address of {ADDRESS} bytes is the longest that is read");
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "address-too-long", detail));
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > HEADER_COUNT || bytes > HEADERS {
        let detail = format!("{HEADER_COUNT} headers and {HEADERS} bytes of them are the most that are read");
        return Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", detail));
    }
    Ok(())
}

/// Refuses a request that has something like a person's number in its address or headers.
///
/// # Errors
/// When it has one. It is not said where the digits stand, and they are not repeated.
pub fn without_person_numbers(uri: &Uri, headers: &HeaderMap) -> Answered<()> {
    // What a client's software and the way through the network write there, none of which is kept: a version or an address
    // can look like a number.
    const NOT_LOOKED_AT: [header::HeaderName; 6] = [
        header::AUTHORIZATION,
        header::USER_AGENT,
        header::HOST,
        header::FORWARDED,
        header::VIA,
        header::CONTENT_LENGTH,
    ];
    let mut faults = Vec::new();
    let mut look = |place: &str, text: &str| {
        if holds_person_number(text) || holds_person_number(&decoded(text)) {
            let problem = "there is something here that looks like a BSN or a V-number";
            let remedy = "leave it out: a number of a person never stands in an address or a header";
            faults.push(AskedWrongly::new("person-number", place, problem, remedy));
        }
    };
    for part in uri.path().split('/') {
        look("path", part);
    }
    for part in uri.query().unwrap_or_default().split(['&', '=']) {
        look("query", part);
    }
    for (name, value) in headers {
        let forwarded = name.as_str().starts_with("x-forwarded-") || name.as_str() == "x-real-ip";
        if !NOT_LOOKED_AT.contains(name) && !forwarded {
            look("header", name.as_str());
            look("header", &String::from_utf8_lossy(value.as_bytes()));
        }
    }
    faults.dedup();
    if faults.is_empty() { Ok(()) } else { Err(Problem::wrong(faults)) }
}

/// A part of a query as it was meant.
fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The whole body, no larger and no slower than it may be, with its place among all bodies that are held. Room is taken as it
/// comes, so that nobody holds what it only announces.
///
/// # Errors
/// When it is too large, comes too slowly, or breaks off, and when too much is held already.
pub async fn body<'a>(
    headers: &HeaderMap,
    mut body: Body,
    most: usize,
    within: Duration,
    room: &'a Semaphore,
) -> Answered<(Bytes, SemaphorePermit<'a>)> {
    let too_large = || {
        let detail = format!("a body of {most} bytes is the largest that is taken: send it in parts");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    };
    if headers.get(header::CONTENT_ENCODING).is_some_and(|it| it != "identity") {
        let detail = "a compressed body is not taken: send it as it is, without `Content-Encoding`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed", detail));
    }
    if announced(headers).is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let full = |_| Problem::from(NotTaken::Busy);
    let read = async {
        let mut held = room.try_acquire().map_err(full)?;
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let broken_off = |_| {
                let remedy = "send it again: nothing of it was recorded";
                Problem::one("broken-off", "body", "the body broke off before its end", remedy)
            };
            let Ok(data) = frame.map_err(broken_off)?.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
            let more = (bytes.len() / 1_024 + 1).saturating_sub(held.num_permits());
            held.merge(room.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX)).map_err(full)?);
        }
        Ok((Bytes::from(bytes), held))
    };
    tokio::time::timeout(within, read).await.unwrap_or_else(|_| {
        let detail = "the body came too slowly; nothing of it was recorded. Send it again, in smaller parts";
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail))
    })
}

/// How long the body says that it is.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The media type of the body, in small letters and without parameters.
pub fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The body is of a kind that is not taken here.
pub fn other_content_type(taken: &[&str]) -> Problem {
    let detail = format!("this takes {}: say so in `Content-Type`", taken.join(" or "));
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-content-type", detail)
}
