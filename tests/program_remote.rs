//! Somebody delivers files to a server: large ones, twice, in a pipe, with rows that are wrong, and with a token that does not
//! let them. What gets lost on the way is tried in `src/cli/deliver/remote.rs`, where nobody has to wait.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Child;

use serde_json::Value;

use crate::program::{Desk, QUOTA, Ran, event, rows_of, uuid};

/// A desk whose ledger is served, with the token of a feeder and that of a reader.
struct Served {
    desk: Desk,
    url: String,
    server: Child,
}

impl Served {
    fn start() -> Self {
        let desk = Desk::with_ledger();
        for role in ["feeder", "reader"] {
            let create = format!(
                "token create {role} --role {role} --oin 00000001234567890000 --until 2149-12-31 --longer"
            );
            desk.write(role, desk.run(&create).expect(0).out);
            desk.set_mode(role, 0o600);
        }
        let mut server =
            desk.command(&["serve", "--address", "127.0.0.1:0", "--log-level", "error"]).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { desk, url: url.trim().to_owned(), server }
    }

    fn deliver(&self, arguments: &str) -> Ran {
        self.desk.run(&format!("deliver {arguments} --to {} --token-file feeder", self.url))
    }

    /// Ends the server without a word, and gives the ledger.
    fn kill(mut self) -> Desk {
        self.end();
        std::mem::replace(&mut self.desk, Desk::new())
    }

    fn end(&mut self) {
        let _ = self.server.kill();
        self.server.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

impl Desk {
    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }
}

/// Placements of Rotterdam with these numbers; every hundredth names a municipality that is none.
fn placements(numbers: std::ops::Range<usize>) -> String {
    let row = |number: usize| {
        let municipality = if number.is_multiple_of(100) { "GM9999" } else { "GM0599" };
        format!("{},{municipality},2025-03-03,regular,1\n", uuid(number))
    };
    format!("placement,municipality,counts_from,kind,persons\n{}", numbers.map(row).collect::<String>())
}

fn totals(receipt: &Value) -> [u64; 5] {
    ["rows", "recorded", "knownAlready", "conflict", "refused"]
        .map(|it| receipt["totals"][it].as_u64().unwrap())
}

#[test]
fn a_large_file_gets_one_receipt_and_again_with_the_same_proofs() {
    let served = Served::start();
    served.desk.write("placements.csv", placements(1..4_501));
    let first = served.deliver("placements.csv --format json --refused-to mend.csv").expect(1).quietly();
    let receipt = first.json();
    assert_eq!(totals(&receipt), [4_500, 4_455, 0, 0, 45]);
    let rows = receipt["rows"].as_array().unwrap();
    assert!(rows.iter().map(|it| it["row"].as_u64().unwrap()).eq(2..4_502));
    for row in rows {
        let has = |field: &str| !row[field].is_null();
        let is_recorded = row["outcome"] == "recorded";
        assert_eq!(
            (has("leafHash"), has("position"), has("quarantine"), has("faults")),
            (is_recorded, is_recorded, !is_recorded, !is_recorded),
            "{row}"
        );
    }
    assert_eq!(receipt["deliveries"].as_array().unwrap().len(), 3);
    let mend = rows_of(&served.desk.read("mend.csv"));
    assert_eq!(mend.len(), 45);
    assert!(mend.iter().all(|row| row["refusal_code"] == "unknown-municipality"));

    // Each piece has rows that were refused, and is sent again: they may be right by now, and the others are known.
    let again = served.deliver("placements.csv --format json").expect(1).json();
    assert_eq!(totals(&again), [4_500, 0, 4_455, 0, 45]);
    let proved = |receipt: &Value| -> Vec<_> {
        let rows = receipt["rows"].as_array().unwrap().iter();
        rows.map(|row| (row["position"].clone(), row["leafHash"].clone())).collect()
    };
    assert_eq!(proved(&again), proved(&receipt));
    assert!(again["deliveries"].as_array().unwrap().iter().all(|it| it["before"] == false));

    // A longer file is another one, whose first rows are known by themselves.
    served.desk.write("placements.csv", placements(1..4_511));
    let longer = served.deliver("placements.csv --format json").expect(1).json();
    assert_eq!(totals(&longer), [4_510, 10, 4_455, 0, 45]);

    let desk = served.kill();
    let placed = desk.entries().iter().filter(|it| it.event.name().name() == "placement-recorded").count();
    assert_eq!(placed, 4_465);
}

#[test]
fn what_came_too_early_is_recorded_when_the_same_file_is_delivered_again() {
    let served = Served::start();
    served.desk.write("placements.csv", placements(1..3));
    served.desk.write("withdrawals.csv", format!("placement,reason\n{},never_housed\n", uuid(1)));
    let deliver = |file: &str| served.deliver(&format!("{file} --format json"));
    let early = deliver("withdrawals.csv").expect(1).json();
    assert_eq!(early["rows"][0]["faults"][0]["code"], "unknown-placement");
    deliver("placements.csv").expect(0);
    let recorded = deliver("withdrawals.csv").expect(0).json();
    assert_eq!(totals(&recorded), [1, 1, 0, 0, 0]);
    // What is wholly recorded keeps its receipt.
    let again = deliver("withdrawals.csv").expect(0).json();
    assert_eq!(again["rows"], recorded["rows"]);
    assert_eq!(again["deliveries"][0]["before"], true);
}

#[test]
fn events_and_pipes_are_delivered_and_shown_in_every_format() {
    let served = Served::start();
    let placed = |number: usize, data: &str| {
        let (id, data) = (uuid(number), data.to_owned());
        let data = format!(
            r#"{{"placement":"{id}","municipality":"GM0599","countsFrom":"2025-03-03","kind":"regular","persons":{data}}}"#
        );
        event(number + 10, "placements.recorded", &data)
    };
    let text = [placed(1, "1"), "nonsense\n".to_owned(), placed(2, "0"), placed(3, "2")].concat();
    served.desk.write("events.jsonl", &text);
    let table = served.deliver("events.jsonl").expect(1).quietly().out;
    for part in [
        "row 2: unreadable\n",
        "row 3",
        "         2  recorded\n",
        "         4  rows\n",
        "Delivery ",
        "Log size 6, root ",
    ] {
        assert!(table.contains(part), "{part:?} is not in {table}");
    }
    let csv = served.deliver("events.jsonl --format csv").expect(1).csv();
    let outcomes: Vec<_> = csv.iter().map(|row| (&row["row"][..], &row["outcome"][..])).collect();
    // Since rows were refused it is sent anew, in case they can be recorded by now.
    let known = "known_already";
    assert_eq!(outcomes, [("1", known), ("2", "refused"), ("3", "refused"), ("4", known)]);
    assert_eq!(csv[0]["leaf_hash"].len(), 44);
    assert_eq!(csv[2]["quarantine"].len(), 36);

    // From a pipe nothing is known again by a key, and each event is by its own id.
    let arguments = format!("deliver - --to {} --token-file feeder --format json", served.url);
    let piped = served.desk.run_on(&arguments, text.as_bytes()).expect(1).json();
    assert_eq!(totals(&piped), [4, 0, 2, 0, 2]);
}

#[test]
fn numbers_of_persons_are_told_to_nobody() {
    let served = Served::start();
    let file = placements(1..3).replace("regular,1\n", "regular,111222333\n");
    served.desk.write("placements.csv", file);
    for format in ["table", "json", "csv"] {
        let ran = served.deliver(&format!("placements.csv --format {format}")).expect(1);
        assert!(ran.out.contains("person-number") && !(ran.out + &ran.err).contains("111222333"));
    }
    served.deliver("placements.csv --refused-to mend.csv").expect(1);
    let mend = served.desk.read("mend.csv");
    assert!(mend.contains("[removed]") && !mend.contains("111222333"), "{mend}");
}

#[test]
fn a_token_that_does_not_do_is_told_and_never_repeated() {
    let served = Served::start();
    served.desk.write("placements.csv", placements(1..3));
    let token = served.desk.read("feeder").trim().to_owned();
    let with = |file: &str| {
        served.desk.run(&format!("deliver placements.csv --to {} --token-file {file}", served.url))
    };
    with("reader").expect(1).says("answers 403");
    served.desk.write("unknown", token.replace(|it: char| it.is_ascii_lowercase(), "q"));
    served.desk.set_mode("unknown", 0o600);
    with("unknown").expect(1).says("answers 401");
    with("absent").expect(2).says("there is no such file");
    served.desk.write("empty", "\n");
    served.desk.set_mode("empty", 0o600);
    with("empty").expect(2).says("holds no token");
    served.desk.set_mode("feeder", 0o644);
    let told = with("feeder").expect(2).says("chmod 600");
    assert!(!(told.out + &told.err).contains(&token));
    // Events of the quota are for who decides: the whole request is refused, and nothing of it recorded.
    served.desk.set_mode("feeder", 0o600);
    served.desk.write("quota.jsonl", event(7, "quotas.published", QUOTA));
    let told =
        served.deliver("quota.jsonl").expect(1).says("answers 403").says("nothing was delivered before that");
    assert!(!(told.out + &told.err).contains(&token));
}

#[test]
fn what_makes_no_sense_is_wrong_use() {
    let desk = Desk::new();
    desk.write("placements.csv", placements(1..3));
    for (arguments, said) in [
        ("", "--from <SOURCE>"),
        ("--to https://ledger.example", "--token-file <FILE>"),
        ("--to https://ledger.example --token-file token --from coa", "cannot be used with"),
        ("--to https://ledger.example --token-file token --dry-run", "cannot be used with"),
        ("--from coa --token-file token", "cannot be used with"),
        ("--to http://ledger.example --token-file token", "is not encrypted"),
        ("--to https://ledger.example/v1 --token-file token", "leave out /v1"),
    ] {
        desk.run(&format!("deliver placements.csv {arguments}")).expect(64).says(said);
    }
    desk.write("token", "secret");
    desk.set_mode("token", 0o600);
    desk.write("no-certificates.pem", "");
    let arguments =
        "deliver placements.csv --to https://127.0.0.1 --token-file token --ca-file no-certificates.pem";
    desk.run(arguments).expect(2).says("it holds none");
    let mut file = fs::File::create(desk.path("wrong.csv")).unwrap();
    writeln!(file, "a,b,c").unwrap();
    desk.run("deliver wrong.csv --to https://127.0.0.1 --token-file token")
        .expect(2)
        .says("the header has no column");
}
