//! The program as people run it: the real binary with its arguments, files and pipes, in a folder of its own. The
//! tests beside this one say what they typed and hold what came out against it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use peildatum::domain::event::Entry;
use serde_json::Value;
use tempfile::TempDir;

use crate::folders::contents;

/// A folder in which the program runs. Its ledger is where it is without being told: `./ledger`.
pub struct Desk {
    folder: TempDir,
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Three municipalities that the other files speak about.
pub const MUNICIPALITIES: &str = "code,name,province,safety_region,from
GM0344,Utrecht,PV26,VR09,1990-01-01
GM0363,Amsterdam,PV27,VR13,1990-01-01
GM0599,Rotterdam,PV28,VR17,1990-01-01
";

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With a ledger that knows three municipalities and the quota of 2025-I.
    pub fn with_ledger() -> Self {
        let desk = Self::new();
        desk.write("municipalities.csv", MUNICIPALITIES);
        desk.run("deliver municipalities.csv --from cbs").expect(0);
        desk.write("quota.jsonl", event(1, "quotas.published", QUOTA));
        desk.run("deliver quota.jsonl --from ministry").expect(0);
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn ledger(&self) -> PathBuf {
        self.path("ledger")
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// The program with these arguments, about to be run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peildatum"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("PEILDATUM_LEDGER");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with arguments as they are typed, without quotes.
    pub fn run(&self, typed: &str) -> Ran {
        self.run_each(&typed.split_whitespace().collect::<Vec<_>>())
    }

    pub fn run_each(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs the program with something on its standard input.
    pub fn run_on(&self, typed: &str, input: &[u8]) -> Ran {
        let arguments: Vec<_> = typed.split_whitespace().collect();
        let mut child = self.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // A program that refuses what it reads may go before the end of it.
                let _ = to.write_all(input);
            });
            child.wait_with_output().unwrap().into()
        })
    }

    /// All entries, each decoded, with their positions counted from 0.
    pub fn entries(&self) -> Vec<Entry> {
        let exported = self.run("export").expect(0).out;
        let entries: Vec<_> = exported.lines().map(|line| Entry::decode(line.as_bytes()).unwrap()).collect();
        for (position, entry) in entries.iter().enumerate() {
            assert_eq!(entry.position.0, position as u64);
        }
        entries
    }

    /// The root that `verify` computes over a ledger that is whole.
    pub fn root(&self) -> String {
        let verified = self.run("verify").expect(0).out;
        verified.lines().last().unwrap().strip_prefix("root ").unwrap().to_owned()
    }

    /// Every file of the ledger but those of sled, which writes into its own whenever they are opened.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = contents(&self.ledger());
        files.retain(|path, _| !path.starts_with(self.ledger().join("events")));
        files
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Ended with this exit code, and without a panic, whatever it was.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }

    /// Said this on standard error.
    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        let said = self.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(part), "{part:?} is not in {self:#?}");
        self
    }

    /// Said nothing on standard error.
    #[track_caller]
    pub fn quietly(self) -> Self {
        assert_eq!(self.err, "");
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The rows of CSV that it printed, each with its cells by the name of their column.
    pub fn csv(&self) -> Vec<BTreeMap<String, String>> {
        rows_of(&self.out)
    }
}

pub fn rows_of(csv: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// Counts of a receipt: rows, recorded, known already, refused.
pub fn totals(receipt: &Value) -> [u64; 4] {
    ["rows", "recorded", "knownAlready", "refused"].map(|it| receipt["totals"][it].as_u64().unwrap())
}

/// A UUID that stands for a number, as an id of a placement or a token for a person.
pub fn uuid(number: usize) -> String {
    format!("{number:08x}-5a1e-4b0c-8d2f-{:012x}", number * 0x9e37)
}

/// A line of CloudEvents with the number in its id.
pub fn event(number: usize, kind: &str, data: &str) -> String {
    let data: Value = serde_json::from_str(data).unwrap();
    let event = serde_json::json!({
        "specversion": "1.0",
        "id": format!("01890a5d-ac96-774b-bcce-{number:012x}"),
        "source": "urn:nld:oin:00000001234567890000:systeem:registers",
        "type": format!("nl.huisvesting-statushouders.{kind}.v1"),
        "time": "2025-06-01T10:00:00Z",
        "data": data,
    });
    format!("{event}\n")
}

/// The content of the event that publishes the quota of 2025-I.
pub const QUOTA: &str = r#"{"halfYear":"2025-I","persons":17700,
    "window":{"from":"2024-10-01","until":"2025-03-31"},
    "publishedOn":"2024-10-01","reference":"Stcrt. 2024, 30123"}"#;
