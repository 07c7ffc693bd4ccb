//! Figures by HTTP: the same as on the command line, each for whom it is.

use peildatum::book::statement::Reading;
use peildatum::domain::time::ReferenceDate;
use peildatum::ledger::{By, KnownAt, Ledger, Outside};
use peildatum::report::csv;
use peildatum::store::Access;
use serde_json::{Value, json};

use crate::served::{Answer, Request, Running};

const ON: &str = "2026-04-01";

fn get(server: &Running, address: &str, role: &str) -> Answer {
    let request = Request::get(address);
    server.ask(&if role.is_empty() { request } else { request.in_role(role) })
}

/// Statements as the command line writes them: in JSON, and as CSV.
fn by_hand(ledger: &Ledger, area: &str, by: By, on: &str) -> (Value, String) {
    let as_of = ledger.as_of(ReferenceDate(on.parse().unwrap()), KnownAt::Now).unwrap();
    let answers = ledger.statements(area.parse().unwrap(), by, as_of, Reading::OldestFirst).unwrap();
    let mut written = Vec::new();
    csv::statements(&answers, &mut written).unwrap();
    let json = match by {
        By::Whole => serde_json::to_value(&answers[0]).unwrap(),
        _ => serde_json::to_value(&answers).unwrap(),
    };
    (json, String::from_utf8(written).unwrap())
}

#[test]
fn a_statement_is_the_one_of_the_command_line() {
    let server = Running::reading();
    let mut answers = Vec::new();
    for address in ["/v1/statements/GM0599?", "/v1/statements?area=PV28&", "/v1/statements?by=province&"] {
        let address = format!("{address}referenceDate={ON}");
        let json = get(&server, &address, "reader").expect(200).json();
        let csv =
            server.ask(&Request::get(&address).in_role("reader").header("accept", "text/csv")).expect(200);
        assert_eq!(csv.header("content-type"), Some("text/csv"));
        answers.push((json, csv.text()));
    }
    let folder = server.stop();
    let (ledger, _) =
        Ledger::open(folder.path(), Access::MustExist, Outside::machine(), &mut |_| {}).unwrap();
    let expected = [
        by_hand(&ledger, "GM0599", By::Whole, ON),
        by_hand(&ledger, "PV28", By::Municipality, ON),
        by_hand(&ledger, "NL", By::Province, ON),
    ];
    assert_eq!(answers, expected);
}

#[test]
fn the_two_times_have_their_dutch_names_as_well() {
    let server = Running::reading();
    let one = get(&server, "/v1/statements/GM0599?referenceDate=2026-04-01&knownAt=5", "reader").expect(200);
    let other =
        get(&server, "/v1/statements/Rotterdam?geldigOp=2026-04-01&beschikbaarOp=5", "reader").expect(200);
    assert_eq!(one.json(), other.json());
    assert_eq!(one.json()["knownAt"]["size"], 5);
    let both =
        get(&server, "/v1/statements/GM0599?referenceDate=2026-04-01&geldigOp=2026-04-01", "").expect(400);
    assert!(both.text().contains("given-twice"), "{}", both.text());
    // A moment can be a day or a time too.
    for moment in ["2020-01-01", "2020-01-01T00:00:00Z"] {
        let address = format!("/v1/statements/NL?referenceDate=2026-04-01&knownAt={moment}");
        assert_eq!(get(&server, &address, "").expect(200).json()["knownAt"]["size"], 0, "{moment}");
    }
}

#[test]
fn who_has_no_role_sees_totals_and_who_answers_for_other_areas_too() {
    let server = Running::reading();
    let seen = |address: &str, role: &str| {
        get(&server, &format!("{address}referenceDate={ON}"), role).expect(200).json()
    };
    let full = seen("/v1/statements/GM0599?", "reader");
    assert_eq!(full["realisedByKind"]["regular"], 1);
    for (role, all) in [
        ("", false),
        ("operator", false),
        ("feeder", true),
        ("decision_maker", true),
        ("province", true),
        ("municipality", true),
        ("auditor", true),
    ] {
        let shown = seen("/v1/statements/GM0599?", role);
        assert_eq!(shown == full, all, "{role}: {shown}");
        for total in ["due", "realised", "remaining", "backlog", "checkpoint"] {
            assert_eq!(shown[total], full[total], "{role}: {total}");
        }
    }
    let nobody = seen("/v1/statements/GM0599?", "");
    assert_eq!(nobody["realisedByKind"]["regular"], "< 5");
    assert_eq!(nobody.get("contested"), None);
    // Utrecht is of others; and a list is shown in full where all of it may be seen.
    assert_eq!(seen("/v1/statements/GM0344?", "municipality"), seen("/v1/statements/GM0344?", ""));
    assert_eq!(seen("/v1/statements/GM0344?", "province"), seen("/v1/statements/GM0344?", ""));
    assert_eq!(seen("/v1/statements?", "province"), seen("/v1/statements?", ""));
    assert_eq!(seen("/v1/statements?area=PV28&", "province"), seen("/v1/statements?area=PV28&", "reader"));
}

#[test]
fn what_lies_behind_a_total_is_for_who_answers_for_the_area() {
    let server = Running::reading();
    let explained = format!("?referenceDate={ON}");
    for (what, query) in [("explanations", explained.as_str()), ("restatements", "?halfYear=2025-II")] {
        let asked = |area: &str, role: &str| get(&server, &format!("/v1/{what}/{area}{query}"), role);
        asked("GM0599", "municipality").expect(200);
        asked("Rotterdam", "municipality").expect(200);
        asked("PV28", "province").expect(200);
        asked("GM0344", "auditor").expect(200);
        // Of what is another's and of what is not there the same is said.
        let others = ["GM0344", "Utrecht", "GM9999", "Nowhere", "PV28", "NL"];
        let told: Vec<_> = others.map(|area| asked(area, "municipality").expect(403).text()).into();
        assert!(told.iter().all(|it| *it == told[0]), "{told:?}");
        asked("GM9999", "reader").expect(404);
        asked("Nowhere", "reader").expect(404);
        asked("Utrecht", "reader").expect(400);
    }
}

#[test]
fn an_explanation_adds_up_and_comes_with_its_entries() {
    let server = Running::reading();
    let address = "/v1/explanations/GM0599?referenceDate=2026-04-01&entries=true";
    let explained = get(&server, address, "reader").expect(200).json();
    let steps = explained["steps"].as_array().unwrap();
    let change: i64 = steps.iter().map(|it| it["change"].as_i64().unwrap()).sum();
    let standing = |name: &str| explained[name].as_i64().unwrap();
    assert_eq!(standing("standingSince") + change, standing("standing"));
    assert!(explained["behind"].as_array().is_some_and(|it| it.len() > 1), "{explained}");
    let csv =
        server.ask(&Request::get(address).in_role("reader").header("accept", "text/csv")).expect(200).text();
    assert_eq!(csv.lines().count(), 1 + explained["behind"].as_array().unwrap().len(), "{csv}");
}

#[test]
fn an_answer_that_never_changes_is_known_again_by_its_tag() {
    let server = Running::reading();
    let ask = |address: &str, role: &str, more: &[(&str, &str)]| {
        let mut request = Request::get(address);
        if !role.is_empty() {
            request = request.in_role(role);
        }
        server.ask(&more.iter().fold(request, |request, (name, value)| request.header(name, value)))
    };
    for (address, role, kept) in [
        ("/v1/statements/GM0599?referenceDate=2026-04-01&knownAt=6", "reader", "private"),
        ("/v1/statements/GM0599?referenceDate=2026-04-01&knownAt=6", "", "public"),
        ("/v1/statements?referenceDate=2026-04-01&knownAt=6", "reader", "private"),
        ("/v1/explanations/GM0599?referenceDate=2026-04-01&knownAt=6", "reader", "private"),
        ("/v1/restatements/GM0599?halfYear=2025-II&knownAt=6", "reader", "private"),
        ("/v1/checkpoints/3", "", "public"),
    ] {
        let first = ask(address, role, &[]).expect(200);
        let tag = first.header("etag").unwrap_or_else(|| panic!("{address} has no tag")).to_owned();
        let cache = first.header("cache-control").unwrap();
        assert!(cache.starts_with(kept) && cache.contains("max-age="), "{address}: {cache}");
        assert_eq!(first.header("vary"), Some("Accept, Authorization"));
        for known in [tag.clone(), format!("\"x\", W/{tag}")] {
            let again = ask(address, role, &[("if-none-match", &known)]).expect(304);
            assert!(again.body.is_empty() && again.header("etag") == Some(&*tag), "{address}");
            assert_eq!(again.header("api-version"), Some("1.0.0"));
        }
        for other in ["\"other\"", "*"] {
            ask(address, role, &[("if-none-match", other)]).expect(200);
        }
    }
    // What is not there is not said to be unchanged.
    let nowhere = "/v1/statements/GM0000?referenceDate=2026-04-01&knownAt=6";
    ask(nowhere, "reader", &[("if-none-match", "*")]).expect(404);
    // Another form, and what others see, is another answer.
    let address = "/v1/statements/GM0599?referenceDate=2026-04-01&knownAt=6";
    let tag = |role: &str, accept: &str| {
        ask(address, role, &[("accept", accept)]).header("etag").unwrap().to_owned()
    };
    assert_ne!(tag("reader", "text/csv"), tag("reader", "application/json"));
    assert_ne!(tag("reader", "text/csv"), tag("", "text/csv"));
    // What is asked of the present has no tag, and nor has what everybody sees of it by kind: that goes when the log grows.
    let size = ask("/v1/checkpoints/latest", "", &[]).json()["size"].as_u64().unwrap();
    for (address, role) in [
        ("/v1/statements/GM0599?referenceDate=2026-04-01".to_owned(), "reader"),
        ("/v1/statements/GM0599?referenceDate=2026-04-01&knownAt=2026-12-31".to_owned(), "reader"),
        (format!("/v1/statements/GM0599?referenceDate=2026-04-01&knownAt={size}"), ""),
    ] {
        let answer = ask(&address, role, &[]).expect(200);
        assert_eq!(
            (answer.header("etag"), answer.header("cache-control")),
            (None, Some("no-store")),
            "{address}"
        );
    }
}

#[test]
fn a_scenario_is_replayed_and_nothing_of_it_is_kept() {
    let server = Running::reading();
    let before = get(&server, "/v1/checkpoints/latest", "").json();
    let entries = get(&server, "/v1/entries", "auditor").json();
    let housed = entries.as_array().unwrap().iter().find(|it| it["type"] == "placement-recorded").unwrap();
    let replay = |scenario: &Value, role: &str| {
        let address = format!("/v1/scenarios?referenceDate={ON}&area=Rotterdam");
        server.ask(&Request::post(&address, "application/json", scenario.to_string()).in_role(role))
    };
    let without = json!({ "name": "One less", "without": [{ "entry": housed["position"] }] });
    for role in ["reader", "auditor", "decision_maker"] {
        let replayed = replay(&without, role).expect(200).json();
        assert_eq!(replayed["scenarios"][0]["name"], "One less");
        assert!(replayed.to_string().contains("GM0599"), "{replayed}");
    }
    let wrong = json!({ "name": "", "without": [{ "entry": 800 }, 3], "x": 1 });
    let problem = replay(&wrong, "reader").expect(400).json();
    assert!(problem["faults"].as_array().is_some_and(|it| !it.is_empty()), "{problem}");
    let unplayable = json!({ "name": "None", "without": [{ "entry": 800 }] });
    let problem = replay(&unplayable, "reader").expect(400).json();
    assert_eq!(
        (&problem["faults"][0]["code"], &problem["faults"][0]["field"]),
        (&json!("unplayable"), &json!("body.without[0]"))
    );
    let large = json!({ "name": "x".repeat(1 << 20) });
    replay(&large, "reader").expect(413);
    let after = get(&server, "/v1/checkpoints/latest", "").json();
    assert_eq!((&before["size"], &before["root"]), (&after["size"], &after["root"]));
}

#[test]
fn the_register_is_shown_page_by_page() {
    let server = Running::reading();
    let page = |number: u32| {
        let address = format!("/v1/municipalities?referenceDate={ON}&page={number}&pageSize=2");
        get(&server, &address, "").expect(200).json()
    };
    let codes = |page: &Value| -> Vec<String> {
        page["municipalities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(&page(1)), ["GM0344", "GM0518"]);
    assert_eq!(codes(&page(2)), ["GM0599"]);
    assert_eq!(codes(&page(3)), [""; 0]);
    assert_eq!((&page(1)["total"], &page(1)["pageSize"]), (&json!(3), &json!(2)));
    let before = get(&server, "/v1/municipalities?referenceDate=1990-01-01&knownAt=0", "").expect(200).json();
    assert_eq!(before["total"], 0);
}
