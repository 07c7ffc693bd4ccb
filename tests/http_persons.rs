//! Numbers of persons are planted wherever a sender can put something, and searched for wherever something could stay.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use peildatum::http::Limits;
use serde_json::{Map, Value, json};

use crate::feeders::{EVENT, lines, placement};
use crate::http_document::document;
use crate::served::{Answer, Request, Running, example, send};

/// A BSN that passes its test, as people and programs write it, and a V-number.
const PLANTED: [&str; 5] = ["123456782", "1234.56.782", "123 456 782", "2801234567", "280-123-4567"];
const ROLES: [&str; 7] =
    ["feeder", "decision_maker", "province", "municipality", "reader", "auditor", "operator"];

/// Everything that was logged in this process.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged() -> &'static Logged {
    static LOGGED: OnceLock<Logged> = OnceLock::new();
    LOGGED.get_or_init(|| {
        let logged = Logged::default();
        let writer = logged.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        logged
    })
}

/// The digits of a text, with nothing between them.
fn digits(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(u8::is_ascii_digit).collect()
}

/// Whether a planted number stands somewhere, as it was planted or as bare digits.
fn holds_planted(bytes: &[u8]) -> bool {
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|it| it == wanted);
    PLANTED.iter().any(|number| has(number.as_bytes()) || has(&digits(number.as_bytes())))
}

/// Every file below a folder.
fn files(folder: &Path, visit: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, visit),
            false => visit(&path, &std::fs::read(&path).unwrap()),
        }
    }
}

/// The same JSON once for each place in it, with the number there: as a text, within a text, and as a key.
fn planted(value: &Value, number: &str) -> Vec<Value> {
    let mut all = vec![json!(number), json!(format!("no. {number} of them"))];
    if let Ok(number) = number.parse::<u64>() {
        all.push(json!(number));
    }
    match value {
        Value::Object(fields) => {
            let with = |name: &str, value: Value| {
                let mut fields: Map<_, _> = fields.clone();
                fields.insert(name.to_owned(), value);
                Value::Object(fields)
            };
            all.push(with(number, json!(1)));
            for (name, inner) in fields {
                all.extend(planted(inner, number).into_iter().map(|it| with(name, it)));
            }
        }
        Value::Array(values) => {
            for (index, inner) in values.iter().enumerate() {
                all.extend(planted(inner, number).into_iter().map(|it| {
                    let mut values = values.clone();
                    values[index] = it;
                    Value::Array(values)
                }));
            }
        }
        _ => {}
    }
    all
}

#[test]
fn a_number_of_a_person_stays_nowhere() {
    let log = logged();
    let limits = Limits { within: Duration::from_millis(300), ..Limits::default() };
    let running = Running::with(limits);
    let municipalities = Request::post("/v1/deliveries", "text/csv", example("municipalities.csv"));
    running.ask(&municipalities.in_role("decision_maker")).expect(200);
    let mut answers: Vec<Answer> = Vec::new();
    let mut asked = 0;
    let mut ask = |request: &Request| {
        asked += 1;
        let answer = send(running.address, request).expect("it is answered");
        assert!(!holds_planted(&answer.body), "{}", answer.text());
        for (name, value) in &answer.headers {
            assert!(!holds_planted(value.as_bytes()), "{name}: {value}");
        }
        answers.push(answer);
        answers[answers.len() - 1].status
    };

    // In the body: every field of an event, of any kind, structured, in a list, binary, and as CSV.
    let number = |index: usize| PLANTED[index % PLANTED.len()];
    for (index, event) in planted(&placement(1, "GM0599"), PLANTED[0])
        .into_iter()
        .chain(planted(&placement(1, "GM0599"), PLANTED[3]))
        .enumerate()
    {
        ask(&Request::post("/v1/events", EVENT, event.to_string()).in_role("feeder"));
        if index % 5 == 0 {
            let list = json!([event, placement(2, "GM9999")]);
            ask(&Request::post("/v1/deliveries", "application/cloudevents-batch+json", list.to_string())
                .in_role("feeder"));
            ask(&Request::post("/v1/events", "application/json", event.to_string()).in_role("feeder"));
            ask(&Request::post("/v1/scenarios", "application/json", event.to_string()).in_role("reader"));
        }
    }
    for number in PLANTED {
        let row = format!(
            "placement,municipality,counts_from,kind,persons\n{number},GM0599,2026-02-16,regular,1\n"
        );
        ask(&Request::post("/v1/deliveries", "text/csv", row.clone()).in_role("feeder"));
        ask(&Request::post("/v1/deliveries", "text/csv", row.replace("kind", number)).in_role("feeder"));
        for broken in [format!("{{{number}"), format!("[{{\"a\":\"{number}\""), number.to_owned()] {
            for kind in [EVENT, "application/cloudevents-batch+json", "text/csv", "application/json"] {
                ask(&Request::post("/v1/events", kind, broken.clone()).in_role("feeder"));
                ask(&Request::post("/v1/deliveries", kind, broken.clone()).in_role("feeder"));
            }
        }
    }

    // Where a number belongs it is taken, and a token stands in its place: recorded, known again, in conflict, refused.
    let with = |number: u64, municipality: &str, person: &str| {
        let mut event = placement(number, municipality);
        event["data"]["personNumber"] = json!(person);
        Request::post("/v1/events", EVENT, event.to_string()).in_role("feeder")
    };
    for (request, status) in [
        (with(500, "GM0599", PLANTED[3]), 201),
        (with(500, "GM0599", PLANTED[3]), 200),
        (with(500, "GM0599", "2801234568"), 409),
        // Somebody who counts already.
        (with(501, "GM0599", PLANTED[3]), 400),
        (with(502, "GM9999", PLANTED[3]), 400),
        (with(503, "GM0599", PLANTED[0]), 400),
        (with(504, "GM0599", PLANTED[4]), 400),
    ] {
        assert_eq!(ask(&request), status);
    }
    let row = |number: &str| {
        let row = format!("4c1b7a50-2f0e-4d83-9a6c-51d2e8f7b302,GM0599,2026-02-16,regular,1,{number}");
        let file = format!("placement,municipality,counts_from,kind,persons,person_number\n{row}\n");
        Request::post("/v1/deliveries", "text/csv", file).in_role("feeder")
    };
    for number in PLANTED {
        ask(&row(number));
    }

    // In the path, the query and headers of every route, with and without a token.
    let document = document(&running);
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (index, method) in operations.as_object().unwrap().keys().enumerate() {
            let method = method.to_uppercase();
            let plain = path.replace(['{', '}'], "");
            let number = number(index + path.len());
            let encoded = number.replace(' ', "%20");
            let everywhere = path.split('/').map(|part| if part.starts_with('{') { &encoded } else { part });
            let mut places = vec![
                format!("{plain}/{encoded}"),
                format!("{plain}?referenceDate={encoded}"),
                format!("{plain}?{encoded}=1"),
                format!("{plain}?knownAt=%31%32%33456782"),
            ];
            if path.contains('{') {
                places.push(everywhere.collect::<Vec<_>>().join("/"));
            }
            for role in ROLES.iter().map(Some).chain([None]) {
                // Without a place for a number there is none in the address; and one of the routes never ends.
                for place in places.iter().filter(|place| *place != path) {
                    let request = Request::new(&method, place);
                    ask(&role.map_or_else(|| request.clone(), |role| request.clone().in_role(role)));
                }
            }
            for header in [
                "x-note",
                "accept",
                "content-type",
                "idempotency-key",
                "last-event-id",
                "if-none-match",
                "user-agent",
                "ce-subject",
                "x-forwarded-for",
                "authorization",
                "cookie",
                "referer",
            ] {
                ask(&Request::new(&method, &plain).header(header, number));
                ask(&Request::new(&method, &plain).header(header, &format!("Bearer {number}")));
            }
        }
    }
    for number in PLANTED {
        let number = number.replace(' ', "%20");
        ask(&Request::get(&format!("/{number}")));
        ask(&Request::get(&format!("/v1/trial/panic?what={number}")));
        ask(&Request::new(&format!("X{}", number.replace('%', "")), "/v1/events"));
    }
    // While something breaks, and while something takes too long.
    ask(&Request::get("/v1/trial/panic"));
    ask(&Request::get("/v1/trial/slow"));
    assert!(asked > 1_000, "only {asked} requests");
    // A body that never ends.
    let mut stream = TcpStream::connect(running.address).unwrap();
    let request = Request::post("/v1/events", EVENT, "x".repeat(5_000)).in_role("feeder").bytes();
    let head = request.len() - 5_000;
    stream.write_all(&request[..head]).unwrap();
    stream.write_all(format!("{{\"subject\":\"{}\"", PLANTED[0]).as_bytes()).unwrap();
    let mut slow = [0; 12];
    stream.read_exact(&mut slow).unwrap();
    assert_eq!(&slow, b"HTTP/1.1 408");

    for role in ["operator", "feeder", "auditor"] {
        for path in ["/metrics", "/v1/quarantine?pageSize=500", "/v1/deliveries?pageSize=500", "/v1/sources"]
        {
            let answer = send(running.address, &Request::get(path).in_role(role)).unwrap();
            assert!(!holds_planted(&answer.body), "{path}");
        }
    }
    let waiting = running.ask(&Request::get("/v1/quarantine").in_role("feeder")).json();
    assert!(waiting["total"].as_u64().unwrap() > 10, "what was refused waits");
    let folder = running.stop();
    let mut searched = 0;
    files(folder.path(), &mut |path, bytes| {
        searched += 1;
        assert!(!holds_planted(bytes), "{}", path.display());
    });
    assert!(searched > 5, "{searched} files");
    for line in lines(folder.path()) {
        assert!(!holds_planted(&line), "{}", String::from_utf8_lossy(&line));
    }
    let log = log.0.lock().unwrap();
    assert!(!log.is_empty());
    assert!(!holds_planted(&log), "the log");
}
