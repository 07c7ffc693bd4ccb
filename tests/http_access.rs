//! Who may what at a running server, and what is recorded of it.

use peildatum::ledger::now;
use peildatum::store::{StoreError, read_audit, revoke_token};
use serde_json::Value;

use crate::feeders::{one, placement};
use crate::http_document::document;
use crate::served::{Request, Running};

/// Every role, and nobody.
const CALLERS: [&str; 8] =
    ["feeder", "decision_maker", "province", "municipality", "reader", "auditor", "operator", ""];

fn as_caller(request: Request, caller: &str) -> Request {
    if caller.is_empty() { request } else { request.in_role(caller) }
}

#[test]
fn an_operation_answers_the_roles_that_the_document_names_and_no_others() {
    let running = Running::start();
    let document = document(&running);
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            let open = security.is_empty() || security.iter().any(|it| it.as_object().unwrap().is_empty());
            let named: Vec<&str> = security
                .iter()
                .filter_map(|it| it["token"].as_array())
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            for caller in CALLERS {
                // What does not end by itself is asked for in a form that there is not.
                let request = Request::new(&method.to_uppercase(), &path.replace(['{', '}'], ""));
                let answer = running.ask(&as_caller(request.header("accept", "image/png"), caller));
                let let_in = match answer.status {
                    401 => false,
                    403 => answer.json()["detail"] != "the role of this token does not go with what is asked",
                    _ => true,
                };
                let may = open || named.contains(&caller);
                assert_eq!(let_in, may, "{method} {path} as {caller:?}: {}", answer.text());
                if caller.is_empty() && !open {
                    assert_eq!(answer.status, 401);
                    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
                }
            }
        }
    }
    assert!(operations > 8, "{operations} operations");
}

#[test]
fn what_lets_nobody_in_gets_one_and_the_same_answer() {
    let running = Running::start();
    let ask = |value: &str| running.ask(&Request::get("/v1/quarantine").header("authorization", value));
    let none = running.ask(&Request::get("/v1/quarantine")).expect(401);
    let other = format!("peil_{}", "A".repeat(43));
    for value in ["Bearer", "Bearer x", "Basic eDp5", &format!("Bearer {other}"), "Bearer a.b.c", ""] {
        assert_eq!(ask(value).expect(401).body, none.body, "{value}");
    }
    let request = Request::get("/v1/quarantine").in_role("feeder");
    running.ask(&request).expect(200);
    // Two tokens at once are none.
    running.ask(&request.clone().in_role("reader")).expect(401);
    // A token that is revoked lets nobody in from the next request on.
    revoke_token(running.path(), &"feeder".parse().unwrap(), now()).unwrap();
    assert_eq!(running.ask(&request).expect(401).body, none.body);
}

#[test]
fn every_decision_is_recorded_with_who_what_from_where_and_how_it_ended() {
    let running = Running::start();
    running.ask(&one(&placement(1, "GM0599"))).expect(400);
    running.ask(&Request::get("/v1/quarantine").in_role("reader")).expect(403);
    running.ask(&Request::get("/v1/quarantine/x")).expect(401);
    running.ask(&Request::get("/v1/trial/panic")).expect(500);
    running.ask(&Request::get("/v1/sources").in_role("auditor")).expect(200);
    // What is open to everybody decides about nobody.
    running.ask(&Request::get("/health/live")).expect(200);
    running.ask(&Request::get("/v1/openapi.json")).expect(200);
    let folder = running.stop();
    let mut told = Vec::new();
    read_audit(folder.path(), None, None, |line, _| {
        assert_eq!(line.origin.as_deref(), Some("127.0.0.1"));
        let actor = line.actor.clone().unwrap_or_default();
        let name = actor.rsplit(':').next().unwrap_or_default();
        let code = line.code.clone().unwrap_or_default();
        told.push(format!("{name}|{}|{}|{}|{code}", line.action, line.object, line.result));
        Ok::<_, StoreError>(())
    })
    .unwrap();
    let expected = [
        "feeder|POST /v1/events|/v1/events|refused|refused",
        "reader|GET /v1/quarantine|/v1/quarantine|denied|not-allowed",
        "|GET /v1/quarantine/{id}|/v1/quarantine/{id}|denied|no-valid-token",
        "|GET /v1/trial/panic|/v1/trial/panic|failed|broken",
        "auditor|GET /v1/sources|/v1/sources|done|",
    ];
    assert_eq!(told, expected);
}
