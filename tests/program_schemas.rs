//! A program that reads what Peildatum prints relies on the schemas of its answers, so what is printed is held to them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jsonschema::Draft;
use peildatum::domain::read_object;
use peildatum::feed::receipt::Receipt;
use peildatum::ledger::Answer;
use serde_json::Value;

/// Whether the schema with this name allows a document.
pub fn valid(name: &str, document: &Value) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
    let schema = serde_json::from_str(&fs::read_to_string(path).expect("a schema")).expect("JSON");
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.build(&schema).expect("a schema of 2020-12").is_valid(document)
}

/// The program itself: a delivery with every outcome, and a statement of what it brought.
#[test]
fn what_the_program_prints_is_valid() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    let ledger = dir.path().join("ledger");
    let printed = |arguments: &[&str]| {
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_peildatum"))
            .args(arguments)
            .env("PEILDATUM_LEDGER", &ledger)
            .output()
            .expect("the program runs");
        String::from_utf8(program.stdout).expect("JSON is UTF-8")
    };
    let id = "3f2b8a54-6c1d-4e0a-9b7f-5d2c1a0e4f6";
    let towns = write(
        "towns.csv",
        "code,name,province,safety_region,from\nGM0599,Rotterdam,PV28,VR17,1990-01-01\n\
         GM0502,Capelle,PV28,VR17,soon\nGM0599,Rotterdam,PV28,VR17,1990-01-01\n",
    );
    let placements = write(
        "placements.csv",
        &format!(
            "placement,municipality,counts_from,kind,persons\n{id}0,GM0599,2025-02-01,regular,3\n{id}1,GM0001,2025-02-01,regular,1\n"
        ),
    );
    let mut outcomes = BTreeSet::new();
    for (file, dry_run) in [(&towns, true), (&towns, false), (&placements, false)] {
        // A rehearsal needs a ledger that is there.
        if dry_run {
            printed(&[
                "deliver",
                &write("none.csv", "placement,reason\n").to_string_lossy(),
                "--from",
                "coa",
            ]);
        }
        let mut arguments =
            vec!["deliver", file.to_str().expect("a path"), "--from", "coa", "--format", "json"];
        arguments.extend(dry_run.then_some("--dry-run"));
        let text = printed(&arguments);
        let document = serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
        assert!(valid("receipt", &document), "{text}");
        let receipt: Receipt = read_object(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
        assert_eq!(serde_json::to_string(&receipt).expect("JSON"), text.trim_end());
        assert_eq!((receipt.dry_run, receipt.checkpoint.is_none()), (dry_run, dry_run));
        outcomes.extend(receipt.rows.iter().map(|row| row.outcome.name()));
    }
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
    let text = printed(&["statement", "GM0599", "--on", "2025-03-01", "--format", "json"]);
    let document = serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    assert!(valid("statement", &document), "{text}");
    let answer: Answer = read_object(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    assert_eq!((answer.statement.realised, answer.known_at.size), (3, 2));
    assert_eq!(
        serde_json::from_str::<Value>(&serde_json::to_string(&answer).expect("JSON")).expect("JSON"),
        document
    );
}
