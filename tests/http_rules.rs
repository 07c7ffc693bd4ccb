//! The API Design Rules 2.2 over live answers: every route, with everything that can be wrong about a request.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use peildatum::http::Limits;
use serde_json::Value;

use crate::http_document::{document, filled_in, operations};
use crate::served::{Answer, Request, Running};

/// Something that stands in what is sent and must be repeated nowhere.
const PLANTED: &str = "Zaanstreek-0x5EED";

/// What every answer has, whatever it is.
fn has_the_headers(answer: &Answer, what: &str) {
    for (name, value) in [
        ("api-version", "1.0.0"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    }
    assert!(answer.header("cache-control").is_some(), "{what}: cache-control");
}

/// A problem as the rules ask for it.
fn is_a_problem(answer: &Answer, statuses: &[u16], what: &str) {
    has_the_headers(answer, what);
    assert!(statuses.contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status, "{what}");
    for field in ["type", "title", "detail", "code"] {
        assert!(problem[field].as_str().is_some_and(|it| !it.is_empty()), "{what}: {field} in {problem}");
    }
    for fault in problem["faults"].as_array().into_iter().flatten() {
        for field in ["code", "problem", "remedy"] {
            assert!(fault[field].as_str().is_some_and(|it| !it.is_empty()), "{what}: {fault}");
        }
    }
    assert!(!answer.text().contains(PLANTED), "{what} repeats what was sent: {}", answer.text());
}

/// A role that may, and one that may not, as the document names them.
fn roles(operation: &Value) -> (Option<String>, Option<&'static str>) {
    let mut named = Vec::new();
    let mut open = operation["security"].as_array().is_none_or(Vec::is_empty);
    for alternative in operation["security"].as_array().into_iter().flatten() {
        match alternative["token"].as_array() {
            Some(roles) => named.extend(roles.iter().filter_map(Value::as_str).map(str::to_owned)),
            None => open = true,
        }
    }
    let all = ["feeder", "decision_maker", "province", "municipality", "reader", "auditor", "operator"];
    let without = all.into_iter().find(|role| !named.iter().any(|it| it == role));
    (named.first().cloned(), without.filter(|_| !open))
}

/// A body that the operation takes, as far as its kind goes.
fn body_kind(operation: &Value) -> Option<String> {
    operation["requestBody"]["content"].as_object().and_then(|it| it.keys().next().cloned())
}

#[test]
fn whatever_is_wrong_is_answered_by_the_rules_on_every_route() {
    let server = Running::reading();
    let document = document(&server);
    for (path, method, operation) in operations(&document) {
        let address = filled_in(&path);
        let (role, wrong_role) = roles(&operation);
        let kind = body_kind(&operation);
        let request = |address: &str| {
            let request = Request::new(&method, address);
            let request = match &role {
                Some(role) => request.in_role(role),
                None => request,
            };
            match &kind {
                Some(kind) => request.header("content-type", kind),
                None => request,
            }
        };
        let tried = |request: &Request, statuses: &[u16], how: &str| {
            is_a_problem(&server.ask(request), statuses, &format!("{method} {path}, {how}"));
        };
        tried(&request(&format!("{address}/")), &[404], "a slash behind it");
        tried(&request(&format!("{address}/{PLANTED}/{PLANTED}")), &[404], "an unknown path");
        tried(&request(&format!("{address}%FF")), &[404], "a path that is no text");
        tried(&request(&address).method("PATCH"), &[405], "another method");
        tried(&request(&address).method("BREW"), &[405], "a method that nobody knows");
        tried(&request(&format!("{address}?{PLANTED}={PLANTED}&x=1")), &[400], "unknown parameters");
        tried(&request(&format!("{address}?a=%FF&a=2")), &[400], "a parameter twice, that is no text");
        tried(&request(&address).header("authorization", "Bearer x"), &[401], "two tokens or a wrong one");
        tried(&Request::new(&method, &address).header("authorization", "Basic x"), &[401], "another scheme");
        if let Some(wrong) = wrong_role {
            tried(&Request::new(&method, &address), &[401], "no token");
            tried(&Request::new(&method, &address).in_role(wrong), &[403], "the wrong role");
        }
        if method != "DELETE" {
            let needed = match path.as_str() {
                "/v1/restatements/{area}" => "?halfYear=2025-II",
                "/v1/proofs/consistency" => "?from=1",
                _ if operation["parameters"].to_string().contains("referenceDate") => {
                    "?referenceDate=2026-04-01"
                }
                _ => "",
            };
            let address = format!("{address}{needed}");
            tried(&request(&address).header("accept", "image/png"), &[406], "another form");
            if kind.is_some() {
                let other = Request::new(&method, &address).in_role(role.as_deref().unwrap());
                // What is not there, or not the caller's, is told before its form is looked at.
                let there = !path.contains("{id}");
                let sent = |kind: &str, body: &str| {
                    let mut request = Request::post(&address, kind, body).method(&method);
                    request = request.in_role(role.as_deref().unwrap());
                    server.ask(&request)
                };
                let what = format!("{method} {path}");
                is_a_problem(&server.ask(&other), if there { &[415] } else { &[403] }, &what);
                is_a_problem(&sent("text/html", "<p>"), if there { &[415] } else { &[403] }, &what);
                let kind = kind.as_deref().unwrap();
                for body in ["{", "", "[1", "nul", "{\"a\":", PLANTED, "\u{0}"] {
                    is_a_problem(
                        &sent(kind, body),
                        if there { &[400] } else { &[403] },
                        &format!("{what}: {body:?}"),
                    );
                }
                let wrong = format!("{{\"name\":7,\"specversion\":[\"{PLANTED}\"],\"{PLANTED}\":{{}}}}");
                is_a_problem(&sent(kind, &wrong), if there { &[400] } else { &[403] }, &what);
            }
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] == "query" && !matches!(name, "area") {
                let address = format!("{address}?{name}={PLANTED}");
                tried(&request(&address), &[400], &format!("{name} of another form"));
            }
        }
    }
}

#[test]
fn what_is_too_large_too_slow_or_broken_is_answered_by_the_rules() {
    let within = Duration::from_millis(300);
    let server = Running::reading_with(Limits { body: 2_000, within, ..Limits::default() });
    let document = document(&server);
    for (path, method, operation) in operations(&document) {
        let (Some(kind), false) = (body_kind(&operation), path.contains("{id}")) else { continue };
        let query = if path.ends_with("scenarios") { "?referenceDate=2026-04-01" } else { "" };
        let address = filled_in(&path) + query;
        let role = roles(&operation).0.unwrap();
        let large = Request::post(&address, &kind, PLANTED.repeat(500)).in_role(&role);
        is_a_problem(&server.ask(&large), &[413], &format!("{method} {path}, too large"));
        // The head and a part of the body come, and then nothing more.
        let slow = Request::post(&address, &kind, PLANTED.repeat(50)).in_role(&role).bytes();
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(&slow[..slow.len() - 100]).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 408") && !said.contains(PLANTED), "{path}: {said}");
        assert!(said.contains("application/problem+json"), "{path}: {said}");
    }
    is_a_problem(&server.ask(&Request::get("/v1/trial/panic")), &[500], "what breaks");
    is_a_problem(&server.ask(&Request::get("/v1/trial/slow")), &[503], "what never ends");
    // It goes on.
    has_the_headers(&server.ask(&Request::get("/health/ready")).expect(200), "afterwards");
}

#[test]
fn who_takes_nothing_of_what_is_sent_is_cut_off_and_holds_up_no_stop() {
    let within = Duration::from_millis(300);
    let server = Running::with(Limits { within, connections: 1, ..Limits::default() });
    let unread = || {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
        let asked = b"GET /v1/openapi.json HTTP/1.1\r\nhost: test\r\n\r\n".repeat(100);
        // No answer is read, so at some point no request is either, and then the connection ends.
        let ended = std::iter::repeat_with(|| stream.write_all(&asked)).find_map(Result::err).unwrap();
        let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::ConnectionAborted];
        assert!(kinds.contains(&ended.kind()), "{ended}");
    };
    // The place that each of them held is free again.
    unread();
    unread();
    server.ask(&Request::get("/health/ready")).expect(200);
    server.stop();
}

#[test]
fn who_comes_when_all_places_to_search_are_taken_is_told_to_come_back() {
    let server = Running::reading_with(Limits { searches: 0, ..Limits::default() });
    for address in [
        "/v1/explanations/NL?referenceDate=2026-04-01",
        "/v1/restatements/NL?halfYear=2025-II",
        "/v1/entries",
        "/v1/proofs/consistency?from=1",
        "/v1/log/tile/0/000.p/1",
    ] {
        let answer = server.ask(&Request::get(address).in_role("auditor"));
        is_a_problem(&answer, &[503], address);
        assert_eq!((answer.json()["code"].as_str(), answer.header("retry-after")), (Some("busy"), Some("1")));
    }
    // A statement waits for nobody.
    server.ask(&Request::get("/v1/statements?referenceDate=2026-04-01")).expect(200);
}

#[test]
fn every_fault_of_a_request_is_told_at_once() {
    let server = Running::reading();
    let problem = server.ask(&Request::get("/v1/statements?knownAt=x&by=y&reading=z&q=1")).expect(400).json();
    let faults: Vec<_> =
        problem["faults"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
    for field in ["query.referenceDate", "query.knownAt", "query.by", "query.reading", "query.q"] {
        assert!(faults.contains(&field), "{field} in {faults:?}");
    }
}
