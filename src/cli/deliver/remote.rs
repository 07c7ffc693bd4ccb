//! Deliveries to the server of a ledger: piece by piece, and where it was when it was broken off.

use std::collections::HashMap;
use std::io::{BufRead, Write};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::client::{Ask, Client};
use super::refused::RefusedTo;
use super::remote_receipt::{FaultTold, OutcomeTold, Printer, RowTold, Tail};
use crate::cli::Failure;
use crate::domain::source::{DeliveryId, Source};
use crate::domain::time::RecordedAt;
use crate::feed::acknowledged::Gap;
use crate::feed::pieces::{Keys, Piece, PieceRow, Pieces};
use crate::feed::receipt::{FaultInRow, Outcome};
use crate::ledger::{Checkpoint, KnownAtSize};

/// The receipt of one delivery, as far as it is passed on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    pub delivery: DeliveryId,
    pub delivered_by: Source,
    pub received_at: RecordedAt,
    pub rows: Vec<RowTold>,
    #[serde(default)]
    pub gaps: Vec<Gap>,
    pub known_at: KnownAtSize,
    pub checkpoint: Checkpoint,
}

/// Which deliveries had a key.
#[derive(Deserialize)]
struct Found {
    deliveries: Vec<FoundOne>,
}

#[derive(Deserialize)]
struct FoundOne {
    delivery: DeliveryId,
}

/// Delivers one file, and says whether all of it is recorded.
///
/// Pieces arrive in order, so those that arrived before are the first ones: each is looked up by its key until one is not there.
/// From there on they are sent. What is cut off is sent again under the same key, and is recorded once. A piece of which rows were
/// not recorded is sent again under another key, since what they waited for may be there by now.
pub fn deliver(
    client: &mut Client,
    mut pieces: Pieces<impl BufRead>,
    keys: &Keys,
    can_go_on: bool,
    receipt: &mut Printer<impl Write>,
    mut refused_rows: Option<&mut RefusedTo<'_>>,
) -> Result<(), Failure> {
    let (mut may_have_arrived, mut last_line) = (can_go_on, None);
    let content_type = pieces.content_type();
    while let Some(piece) = pieces.next_piece().map_err(|error| cannot_read(&error, last_line))? {
        let sent = piece.rows.iter().any(|it| it.sent_as.is_some());
        let mut asked = || -> Result<_, Failure> {
            let place = match may_have_arrived {
                true => arrived(client, keys, piece.number)?,
                false => Place::Free { key: keys.key(piece.number, 0), again: 0 },
            };
            may_have_arrived = !matches!(place, Place::Free { again: 0, .. });
            match place {
                Place::Recorded(reply) => Ok(Tail { reply, before: true }),
                Place::Free { key, .. } => {
                    let ask = Ask::Deliver { body: &piece.body, content_type, key };
                    let answer = client.ask("/v1/deliveries", ask)?;
                    Ok(Tail { reply: read(&answer, "receipt")?, before: false })
                }
            }
        };
        let asked = sent.then(&mut asked).transpose();
        let mut tail = asked.map_err(|failure| {
            let begins = piece.rows.first().map(|it| it.row.number);
            with_what_was_done(failure, last_line, begins, can_go_on)
        })?;
        let rows = tail.as_mut().map(|it| std::mem::take(&mut it.reply.rows)).unwrap_or_default();
        let mut outcomes: HashMap<_, _> = rows.into_iter().map(|it| (it.row, it)).collect();
        last_line = piece.rows.last().map(|it| it.row.number);
        for row in &piece.rows {
            let told = outcome_of(row, &mut outcomes, &piece)?;
            receipt.row(&told)?;
            if let Some(rows) = refused_rows.as_deref_mut().filter(|_| told.outcome.is_not_recorded()) {
                rows.write(&row.row, &told.faults.iter().map(Into::into).collect::<Vec<_>>())?;
            }
        }
        receipt.piece(tail, piece.rows.iter().filter(|it| it.sent_as.is_some()).count() as u64)?;
    }
    Ok(())
}

/// Where a piece stands on the server.
enum Place {
    /// All of it was recorded in an earlier run.
    Recorded(Reply),
    /// It is to be sent under this key, which no delivery had; `again` says how often it arrived before with rows that were not recorded.
    Free { key: Uuid, again: u64 },
}

/// Looks a piece up by its keys, up to the first that no delivery had.
///
/// The receipt of a key is the same for ever. One with rows that are refused or in conflict is therefore passed over.
fn arrived(client: &mut Client, keys: &Keys, piece: u64) -> Result<Place, Failure> {
    let mut again = 0;
    loop {
        let key = keys.key(piece, again);
        let answer = client.ask(&format!("/v1/deliveries?idempotencyKey={key}"), Ask::Get)?;
        let found: Found = read(&answer, "list of deliveries")?;
        let Some(FoundOne { delivery }) = found.deliveries.first() else {
            return Ok(Place::Free { key, again });
        };
        let answer = client.ask(&format!("/v1/deliveries/{delivery}"), Ask::Get)?;
        let reply: Reply = read(&answer, "receipt")?;
        if !reply.rows.iter().any(|row| row.outcome.is_not_recorded()) {
            return Ok(Place::Recorded(reply));
        }
        again += 1;
    }
}

fn read<T: DeserializeOwned>(answer: &[u8], what: &str) -> Result<T, Failure> {
    // What serde says may repeat what was delivered, so only the place is told.
    serde_json::from_slice(answer).map_err(|error| {
        Failure::Broken(format!(
            "the server's answer is no {what} (column {}): make sure that it is the address of a ledger of this version",
            error.column()
        ))
    })
}

/// What became of a row, by the line of the file on which it stands.
fn outcome_of(it: &PieceRow, told: &mut HashMap<u64, RowTold>, piece: &Piece) -> Result<RowTold, Failure> {
    let Some(sent_as) = it.sent_as else {
        let Outcome::Refused { faults } = Outcome::refused(&it.row.refusals, it.row.columns()) else {
            unreachable!("it was kept back for a reason")
        };
        let faults = faults.into_iter().map(|it: FaultInRow| FaultTold::from(it)).collect();
        return Ok(RowTold::kept_back(it.row.number, faults));
    };
    let mut told = told.remove(&sent_as).filter(RowTold::is_whole).ok_or_else(|| {
        Failure::Broken(format!(
            "the server's receipt does not say what became of row {}, in piece {}",
            it.row.number,
            piece.number + 1
        ))
    })?;
    told.row = it.row.number;
    Ok(told)
}

fn cannot_read(error: &std::io::Error, last_line: Option<u64>) -> Failure {
    let failure = Failure::Broken(format!("cannot read the delivery: {error}"));
    with_what_was_done(failure, last_line, None, false)
}

/// A failure with how far the delivery came.
fn with_what_was_done(
    failure: Failure,
    last_line: Option<u64>,
    begins: Option<u64>,
    can_go_on: bool,
) -> Failure {
    let done = match last_line {
        None => "nothing was delivered before that".to_owned(),
        Some(line) => format!("what begins up to line {line} was delivered"),
    };
    let go_on = match (last_line, can_go_on) {
        (Some(_), true) => "; deliver the file again, and it goes on from there",
        (Some(_), false) => "; deliver it again: what was recorded is known, and recorded once",
        (None, _) => "",
    };
    let add = |mut said: String| {
        // The server counts the rows of what it was sent.
        if let Some(begins) = begins.filter(|_| said.contains("\n  row ")) {
            said += &format!("\nrows are counted in the piece that begins on line {begins}");
        }
        format!("{said}\n{done}{go_on}")
    };
    match failure {
        Failure::Refused(said) => Failure::Refused(add(said)),
        Failure::Broken(said) => Failure::Broken(add(said)),
        other => other,
    }
}

impl OutcomeTold {
    fn is_not_recorded(self) -> bool {
        matches!(self, Self::Conflict | Self::Refused)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::io::{BufReader, Read};
    use std::net::{TcpListener, TcpStream};
    use std::rc::Rc;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::cli::Format;
    use crate::cli::deliver::client::ServerUrl;
    use crate::proof::content::ContentHash;

    const TOKEN: &str = "peil_a-token-of-a-test";

    /// What the server does with the next request.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Does {
        Serves,
        CutsBefore,
        /// It records, and its answer gets lost.
        CutsAfter,
        CutsWithinTheAnswer,
        Answers(u16),
        SendsElsewhere,
    }
    use Does::*;

    /// A server on this machine, of which nothing is left when its last request was answered.
    #[derive(Default)]
    struct State {
        does: Vec<Does>,
        /// Receipts by key, and how often a piece was recorded.
        receipts: BTreeMap<String, Value>,
        rows: u64,
        requests: Vec<String>,
    }

    fn server(does: &[Does]) -> (ServerUrl, Arc<Mutex<State>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let does = does.iter().rev().copied().collect();
        let state = Arc::new(Mutex::new(State { does, ..State::default() }));
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming() {
                answer(connection.unwrap(), &mut serving.lock().unwrap());
            }
        });
        (url, state)
    }

    fn answer(mut connection: TcpStream, state: &mut State) {
        let mut from = BufReader::new(connection.try_clone().unwrap());
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let field = |name: &str| {
            let found = head.iter().filter_map(|line| line.split_once(": "));
            found
                .into_iter()
                .find(|(field, _)| field.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        assert_eq!(field("authorization"), Some(format!("Bearer {TOKEN}")));
        let mut body = vec![0; field("content-length").map_or(0, |it| it.parse().unwrap())];
        from.read_exact(&mut body).unwrap();
        let asked = head[0].strip_suffix(" HTTP/1.1").unwrap().to_owned();
        state.requests.push(asked.clone());
        let does = state.does.pop();
        let good = match asked.split_once("?idempotencyKey=") {
            _ if does == Some(CutsBefore) || matches!(does, Some(Answers(_) | SendsElsewhere)) => Value::Null,
            Some((_, key)) => {
                let found: Vec<_> = state.receipts.get(key).into_iter().collect();
                json!({"deliveries": found})
            }
            None if asked.starts_with("GET ") => {
                let found =
                    state.receipts.values().find(|it| asked.ends_with(it["delivery"].as_str().unwrap()));
                found.unwrap().clone()
            }
            None => state.record(&field("idempotency-key").unwrap(), &field("content-type").unwrap(), &body),
        };
        let text = good.to_string();
        let length = text.len();
        // Whoever is gone does not hear it.
        let _ = match does {
            Some(CutsBefore | CutsAfter) => Ok(()),
            Some(CutsWithinTheAnswer) => {
                write!(
                    connection,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}",
                    &text[..length / 2]
                )
            }
            Some(Answers(status)) => {
                let problem = json!({"title": "Said so", "status": status, "detail": format!("because of {TOKEN}\u{7}"),
                    "faults": [{"code": "malformed", "field": "body", "problem": "this is wrong", "remedy": "mend it"}]});
                let (text, waits) = (problem.to_string(), "Retry-After: 7");
                let length = text.len();
                write!(
                    connection,
                    "HTTP/1.1 {status} X\r\n{waits}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
                )
            }
            Some(SendsElsewhere) => {
                write!(
                    connection,
                    "HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            }
            None | Some(Serves) => {
                write!(
                    connection,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
                )
            }
        };
    }

    impl State {
        /// Records what has no x in it, and each piece once.
        fn record(&mut self, key: &str, content_type: &str, body: &[u8]) -> Value {
            if let Some(known) = self.receipts.get(key) {
                return known.clone();
            }
            let rows: Vec<(u64, String)> = match content_type {
                "text/csv" => {
                    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
                    let rows = reader.records().map(Result::unwrap);
                    rows.map(|it| (it.position().unwrap().line(), it.as_slice().to_owned())).collect()
                }
                _ => {
                    let events: Vec<Value> = serde_json::from_slice(body).unwrap();
                    (1..).zip(events.iter().map(Value::to_string)).collect()
                }
            };
            let leaf_hash = "TUbUvrJK2Us4bZUyIyDgWHZ8QJ0i0b8wxIMrG0mYbWA=";
            let told = rows.iter().map(|(row, text)| match text.contains('x') {
                true => json!({"row": row, "outcome": "refused", "quarantine": "019a9f3b-f1c2-7d3e-9a4b-5c6d7e8f9a0b",
                    "faults": [{"code": "of-a-later-version", "field": "persons", "problem": "is x", "remedy": "mend it"}]}),
                false => {
                    self.rows += 1;
                    json!({"row": row, "outcome": "recorded", "position": self.rows - 1, "leafHash": leaf_hash})
                }
            });
            let told: Vec<_> = told.collect();
            let number = self.receipts.len();
            let receipt = json!({
                "delivery": format!("019a9f3b-f1c2-7d3e-9a4b-{number:012x}"),
                "deliveredBy": "urn:nld:oin:00000001234567890000:systeem:a", "receivedAt": "2026-11-21T20:00:00.000Z",
                "rows": told, "totals": {}, "gaps": [], "knownAt": {"size": self.rows, "time": null},
                "checkpoint": {"size": self.rows, "root": leaf_hash}});
            self.receipts.insert(key.to_owned(), receipt.clone());
            receipt
        }
    }

    /// What came of a delivery: how it ended, its receipt, and each wait with its reason.
    struct Done {
        ended: Result<(), Failure>,
        receipt: String,
        waits: Vec<(String, Duration)>,
    }

    fn send(url: &ServerUrl, text: &str, format: Format) -> Done {
        let waits = Rc::new(RefCell::new(Vec::new()));
        let noted = Rc::clone(&waits);
        let before_again = Box::new(move |why: &str, wait| noted.borrow_mut().push((why.to_owned(), wait)));
        let mut client = Client::new(url, TOKEN, None, before_again, 7).unwrap();
        let pieces = match text.starts_with('{') {
            true => Pieces::of_lines(text.as_bytes()),
            false => Pieces::of_table(text.as_bytes()).unwrap(),
        };
        let keys = Keys::new(TOKEN, ContentHash::of(text.as_bytes()));
        let mut receipt = Printer::new(format, "file", url, true, Vec::new()).unwrap();
        let ended = deliver(&mut client, pieces, &keys, true, &mut receipt, None);
        let receipt = String::from_utf8(receipt.close(None).unwrap()).unwrap();
        let waits = waits.borrow().clone();
        Done { ended, receipt, waits }
    }

    /// A file of three pieces, with some rows that are refused.
    fn withdrawals() -> String {
        let row = |row: u64| {
            format!(
                "7b1f1f0c-3f0e-4b7e-9d7a-{row:012}{},never_housed\n",
                if row % 1_000 == 7 { "x" } else { "" }
            )
        };
        format!("placement,reason\n{}", (2..5_002).map(row).collect::<String>())
    }

    fn rows(receipt: &str) -> Vec<Value> {
        serde_json::from_str::<Value>(receipt).unwrap()["rows"].as_array().unwrap().clone()
    }

    #[test]
    fn whatever_gets_lost_on_the_way_each_row_is_recorded_once_and_the_receipt_is_whole() {
        let text = withdrawals();
        let (url, state) = server(&[]);
        let quiet = send(&url, &text, Format::Json);
        assert!(quiet.ended.is_ok() && quiet.waits.is_empty());
        assert_eq!(state.lock().unwrap().rows, 4_995);
        // The first request asks which pieces arrived.
        for does in [
            &[CutsBefore, CutsBefore, CutsBefore][..],
            &[Answers(503), Answers(200 + 229), Answers(408), Answers(502), Answers(504)],
            &[CutsWithinTheAnswer, CutsWithinTheAnswer, CutsAfter, CutsAfter, CutsBefore, CutsAfter],
        ] {
            let (url, state) = server(does);
            let done = send(&url, &text, Format::Json);
            assert!(done.ended.is_ok(), "{:?}", done.ended);
            assert_eq!(done.waits.len(), does.len());
            assert_eq!(state.lock().unwrap().rows, 4_995);
            let told = rows(&done.receipt);
            assert_eq!(told, rows(&quiet.receipt));
            assert!(told.iter().map(|it| it["row"].as_u64().unwrap()).eq(2..5_002));
        }
    }

    #[test]
    fn a_delivery_that_was_broken_off_goes_on_where_it_was() {
        let text = withdrawals().replace('x', "");
        let (url, _) = server(&[]);
        let whole = rows(&send(&url, &text, Format::Json).receipt);

        // It asks what arrived, sends two pieces, and the third is not taken.
        let (url, state) = server(&[Serves, Serves, Serves, Answers(500)]);
        let broken = send(&url, &text, Format::Json);
        let Err(Failure::Broken(said)) = broken.ended else { panic!("{:?}", broken.ended) };
        assert!(
            said.contains("up to line 4001 was delivered; deliver the file again, and it goes on"),
            "{said}"
        );
        state.lock().unwrap().requests.clear();

        let again = send(&url, &text, Format::Json);
        assert!(again.ended.is_ok());
        assert_eq!(rows(&again.receipt), whole);
        let told: Value = serde_json::from_str(&again.receipt).unwrap();
        let before: Vec<_> =
            told["deliveries"].as_array().unwrap().iter().map(|it| it["before"] == true).collect();
        assert_eq!(before, [true, true, false]);
        let state = state.lock().unwrap();
        let sent = state.requests.iter().filter(|it| it.starts_with("POST")).count();
        assert_eq!((sent, state.rows), (1, 5_000), "what arrived is not sent again: {:?}", state.requests);
    }

    #[test]
    fn what_was_not_wholly_recorded_is_sent_again_under_a_key_of_its_own() {
        // Only the second of three pieces has a row that is refused.
        let good = withdrawals().replace('x', "");
        let text = good.replace("000000003000,", "000000003000x,");
        let (url, state) = server(&[]);
        for (run, expected) in [[false; 3], [true, false, true], [true, false, true]].iter().enumerate() {
            let done = send(&url, &text, Format::Json);
            assert!(done.ended.is_ok(), "{:?}", done.ended);
            let told: Value = serde_json::from_str(&done.receipt).unwrap();
            let before = told["deliveries"].as_array().unwrap().iter().map(|it| it["before"] == true);
            assert!(before.eq(*expected), "run {run}: {}", told["deliveries"]);
        }
        assert_eq!(state.lock().unwrap().receipts.len(), 5);
        // An answer that gets lost is asked for again under the same key.
        state.lock().unwrap().does = [&[Serves; 8][..], &[CutsAfter]].concat().into_iter().rev().collect();
        let done = send(&url, &text, Format::Json);
        assert_eq!((done.ended.is_ok(), done.waits.len()), (true, 1));
        assert_eq!(state.lock().unwrap().receipts.len(), 6);
    }

    #[test]
    fn what_the_server_says_no_to_is_told_with_its_remedy_and_not_tried_again() {
        for status in [400, 401, 403, 409, 413, 415, 500, 501] {
            let (url, state) = server(&[Answers(status)]);
            let done = send(&url, &withdrawals(), Format::Json);
            let (said, is_refused) = match done.ended {
                Err(Failure::Refused(said)) => (said, true),
                Err(Failure::Broken(said)) => (said, false),
                other => panic!("{other:?}"),
            };
            assert_eq!(is_refused, status < 500, "{status}");
            let expected = format!(
                "answers {status}, Said so: because of [token]\n  body: this is wrong; mend it\nnothing"
            );
            assert!(said.contains(&expected), "{said}");
            assert_eq!((state.lock().unwrap().requests.len(), done.waits.len()), (1, 0));
        }
        let (url, _) = server(&[SendsElsewhere]);
        let done = send(&url, &withdrawals(), Format::Json);
        assert!(matches!(done.ended, Err(Failure::Broken(said)) if said.contains("answers 307")));
    }

    #[test]
    fn who_is_busy_is_waited_for_as_long_as_it_asks_and_not_for_ever() {
        let (url, state) = server(&[Answers(503); 20]);
        let done = send(&url, &withdrawals(), Format::Json);
        assert!(matches!(done.ended, Err(Failure::Broken(said)) if said.contains("answers 503, 8 times")));
        assert_eq!(state.lock().unwrap().requests.len(), 8);
        assert_eq!(done.waits.len(), 7);
        for (why, wait) in done.waits {
            assert_eq!(why, "the server answers 503");
            assert!(wait >= Duration::from_secs(7) && wait <= Duration::from_secs(8), "{wait:?}");
        }
        let (url, _) = server(&[CutsBefore; 20]);
        let waits: Vec<_> =
            send(&url, &withdrawals(), Format::Json).waits.iter().map(|it| it.1.as_secs_f64()).collect();
        for (tried, wait) in (1..).zip(&waits) {
            let longest = f64::min(30.0, 0.5 * 2_f64.powi(tried));
            assert!(longest / 2.0 <= *wait && *wait <= longest, "{waits:?}");
        }
    }

    #[test]
    fn a_receipt_is_told_in_three_formats_by_the_lines_of_the_file() {
        let text = "{\"id\":1}\n\nnonsense\n{\"id\":\"x\"}\n{\"id\":3}\n";
        let (url, state) = server(&[]);
        let json = send(&url, text, Format::Json).receipt;
        let told: Vec<_> = rows(&json)
            .iter()
            .map(|it| (it["row"].as_u64().unwrap(), it["outcome"].as_str().unwrap().to_owned()))
            .collect();
        let expected = [(1, "recorded"), (3, "refused"), (4, "refused"), (5, "recorded")];
        assert_eq!(told, expected.map(|(row, outcome)| (row, outcome.to_owned())));
        assert_eq!(rows(&json)[2]["quarantine"], "019a9f3b-f1c2-7d3e-9a4b-5c6d7e8f9a0b");
        assert_eq!(rows(&json)[1].get("quarantine"), None, "it was not sent");
        assert_eq!(state.lock().unwrap().rows, 2);

        let (url, _) = server(&[]);
        let csv = send(&url, text, Format::Csv).receipt;
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[1], "file,1,recorded,0,,,,,TUbUvrJK2Us4bZUyIyDgWHZ8QJ0i0b8wxIMrG0mYbWA=,");
        assert_eq!(
            lines[3],
            "file,4,refused,,of-a-later-version,persons,is x,mend it,,019a9f3b-f1c2-7d3e-9a4b-5c6d7e8f9a0b"
        );
        assert!(lines.iter().all(|it| it.split(',').count() == 10), "{csv}");

        let table = send(&url, text, Format::Table).receipt;
        assert!(
            table.contains("row 3: unreadable\n") && table.contains("row 4, persons: of-a-later-version\n"),
            "{table}"
        );
        assert!(table.contains("         2  recorded\n"), "{table}");
        let good = "{\"id\":1}\n{\"id\":3}\n";
        send(&url, good, Format::Table);
        let again = send(&url, good, Format::Table).receipt;
        assert!(again.contains("2 of the rows arrived in an earlier run."), "{again}");
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    }

    #[test]
    fn a_token_goes_to_a_server_that_nobody_can_listen_in_on() {
        for right in [
            "https://ledger.example",
            "https://ledger.example:8443/peildatum/",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost",
        ] {
            assert_eq!(right.parse::<ServerUrl>().unwrap().to_string(), right.trim_end_matches('/'));
        }
        for wrong in [
            "http://ledger.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "ledger.example",
            "ftp://ledger.example",
            "https://a:b@ledger.example",
            "https://ledger.example/?x=1",
            "https://ledger.example/v1/deliveries",
            "https://",
            "",
        ] {
            assert!(wrong.parse::<ServerUrl>().is_err(), "{wrong}");
        }
    }
}
