//! A dossier proves its figure to whoever has the ledger's public key, and nothing in it can be changed unnoticed: by the
//! program, and by a program in Python that shares no code with it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use peildatum::proof::content::ContentHash;
use peildatum::proof::note::{Note, SignerKey};
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::program::{Desk, Ran, event, uuid};
use crate::program_demo::demo;

/// Name and bytes of every member.
type Members = Vec<(String, Vec<u8>)>;

/// A dossier of the demo as the program wrote it, the key of that ledger, and its secret.
fn good() -> &'static (Members, String, SignerKey) {
    static GOOD: OnceLock<(Members, String, SignerKey)> = OnceLock::new();
    GOOD.get_or_init(|| {
        let desk = demo();
        let said = desk.run("init --origin peildatum.example/demo").expect(0).out;
        let key = said.lines().last().unwrap().to_owned();
        desk.run("dossier GM0606 --on 2022-03-01 -o schiedam.zip").expect(0).quietly();
        // The same question at the same log size gives the same bytes.
        desk.run("dossier Schiedam --on 2022-03-01 -o again.zip").expect(0);
        assert_eq!(fs::read(desk.path("schiedam.zip")).unwrap(), fs::read(desk.path("again.zip")).unwrap());
        let secret = desk.read("ledger/signing-key").trim_end().parse().unwrap();
        (members(&desk.path("schiedam.zip")), key, secret)
    })
}

fn members(path: &Path) -> Members {
    let mut archive = ZipArchive::new(File::open(path).unwrap()).unwrap();
    let all = (0..archive.len()).map(|index| {
        let mut member = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        (member.name().unwrap().into_owned(), bytes)
    });
    all.collect()
}

fn write(members: &Members, path: &Path) {
    let mut archive = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in members {
        archive.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

/// What both verifiers say of a dossier.
struct Verdicts {
    ours: Ran,
    python: Ran,
}

fn judge(members: &Members, key: &str) -> Verdicts {
    let desk = Desk::new();
    write(members, &desk.path("dossier.zip"));
    let ours = desk.run_each(&["verify-dossier", "dossier.zip", "--key", key]);
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/verify.py");
    let python = Command::new("python3")
        .arg(script)
        .arg(desk.path("dossier.zip"))
        .arg(key)
        .stdin(Stdio::null())
        .output()
        .expect("tests/run installs Python");
    Verdicts { ours, python: python.into() }
}

fn text<'a>(members: &'a mut Members, name: &str) -> &'a mut Vec<u8> {
    &mut members.iter_mut().find(|(it, _)| it == name).unwrap().1
}

/// Puts another text in the place of one that stands there.
fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let whole = String::from_utf8(std::mem::take(bytes)).unwrap();
    assert!(whole.contains(from), "{from} is not in it");
    *bytes = whole.replacen(from, to, 1).into_bytes();
}

/// Seals a dossier as its ledger would.
fn reseal(members: &mut Members, secret: &SignerKey) {
    let mut text = format!("peildatum dossier 1\n{}\n", secret.verifier().name());
    for (name, bytes) in &members[..members.len() - 1] {
        text += &format!("{}  {name}\n", ContentHash::of(bytes));
    }
    let mut seal = Note::new(text);
    seal.add(secret.sign(seal.text()));
    *self::text(members, "seal") = seal.to_string().into_bytes();
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

fn put_lines(bytes: &mut Vec<u8>, lines: &[String]) {
    *bytes = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"]).flatten().copied().collect();
}

/// The line of the first placement.
fn placement(entries: &[String]) -> usize {
    entries.iter().position(|line| line.contains(r#""type":"placement-recorded""#)).unwrap()
}

/// A number of the statement, in JSON.
fn number(members: &Members, field: &str) -> i64 {
    let (_, statement) = members.iter().find(|(name, _)| name == "statement.json").unwrap();
    serde_json::from_slice::<Value>(statement).unwrap()[field].as_i64().unwrap()
}

/// What somebody did to a dossier.
type Tampering = (&'static str, fn(&mut Members));

/// Ten kinds of tampering, and some more.
const TAMPERINGS: [Tampering; 15] = [
    ("a byte of an entry is flipped", |members| {
        let entries = text(members, "entries.jsonl");
        replace(entries, r#""kind":"regular""#, r#""kind":"regulaR""#);
    }),
    ("an entry says another day", |members| {
        let entries = text(members, "entries.jsonl");
        let mut all = lines(entries);
        let at = placement(&all);
        let day = all[at].find(r#""countsFrom":""#).unwrap() + 23;
        let other = if &all[at][day..=day] == "1" { "2" } else { "1" };
        all[at].replace_range(day..=day, other);
        put_lines(entries, &all);
    }),
    ("an entry is dropped with its proof", |members| {
        let at = placement(&lines(text(members, "entries.jsonl")));
        for name in ["entries.jsonl", "proofs.txt"] {
            let mut all = lines(text(members, name));
            all.remove(at);
            put_lines(text(members, name), &all);
        }
        let count = lines(text(members, "entries.jsonl")).len();
        let said = format!("\"entries\":{}", count + 1);
        replace(text(members, "dossier.json"), &said, &format!("\"entries\":{count}"));
    }),
    ("two entries are swapped", |members| {
        for name in ["entries.jsonl", "proofs.txt"] {
            let mut all = lines(text(members, name));
            let last = all.len() - 1;
            all.swap(last, last - 1);
            put_lines(text(members, name), &all);
        }
    }),
    ("an entry is slipped in", |members| {
        let entries = lines(text(members, "entries.jsonl"));
        let at = placement(&entries);
        let position: u64 =
            entries[at].split(&[':', ','][..]).nth(1).unwrap().parse().expect("the position comes first");
        let forged = entries[at].replacen(&position.to_string(), &(position + 1).to_string(), 1);
        for (name, line) in [("entries.jsonl", Some(forged)), ("proofs.txt", None)] {
            let mut all = lines(text(members, name));
            let line = line.unwrap_or_else(|| all[at].clone());
            all.insert(at + 1, line);
            put_lines(text(members, name), &all);
        }
        let said = format!("\"entries\":{}", entries.len());
        replace(text(members, "dossier.json"), &said, &format!("\"entries\":{}", entries.len() + 1));
    }),
    ("a hash of a proof is another", |members| {
        let proofs = text(members, "proofs.txt");
        let first = proofs[0];
        proofs[0] = if first == b'A' { b'B' } else { b'A' };
    }),
    ("a figure of the statement is changed", |members| {
        let (remaining, surplus) = (number(members, "remaining"), number(members, "surplus"));
        let statement = text(members, "statement.json");
        replace(
            statement,
            &format!("\"remaining\":{remaining}"),
            &format!("\"remaining\":{}", remaining - 1),
        );
        replace(statement, &format!("\"surplus\":{surplus}"), &format!("\"surplus\":{}", surplus + 1));
    }),
    ("persons go from one line of the statement to another", |members| {
        let (quota, exchange) = (number(members, "quota"), number(members, "exchange"));
        let statement = text(members, "statement.json");
        replace(statement, &format!("\"quota\":{quota}"), &format!("\"quota\":{}", quota - 1));
        replace(statement, &format!("\"exchange\":{exchange}"), &format!("\"exchange\":{}", exchange + 1));
    }),
    ("a step of the explanation is changed", |members| {
        let explanation = text(members, "explanation.json");
        replace(explanation, r#""change":-"#, r#""change":-1"#);
    }),
    ("an entry behind a step is left out of the explanation", |members| {
        let explanation = text(members, "explanation.json");
        let whole = String::from_utf8(explanation.clone()).unwrap();
        let from = whole.find(r#"{"step":1,"#).unwrap();
        let to = from + whole[from..].find(r#",{"step":"#).unwrap() + 1;
        *explanation = format!("{}{}", &whole[..from], &whole[to..]).into_bytes();
    }),
    ("the checkpoint has another root", |members| {
        let checkpoint = text(members, "checkpoint");
        let mut all = lines(checkpoint);
        all[2] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned();
        put_lines(checkpoint, &all);
    }),
    ("the checkpoint is of another size", |members| {
        let checkpoint = text(members, "checkpoint");
        let mut all = lines(checkpoint);
        let size: u64 = all[1].parse().unwrap();
        all[1] = (size - 1).to_string();
        put_lines(checkpoint, &all);
    }),
    ("a figure on the page is changed", |members| {
        let remaining = number(members, "remaining");
        let page = text(members, "page.html");
        let figure =
            |number: i64| format!(r#"<data id="statement.remaining" value="{remaining}">{number}</data>"#);
        replace(page, &figure(remaining), &figure(remaining - 1));
    }),
    ("a member is missing", |members| {
        members.retain(|(name, _)| name != "page.html");
    }),
    ("a member is added", |members| {
        members.push(("page2.html".to_owned(), b"<h1>0</h1>".to_vec()));
    }),
];

#[test]
fn a_good_dossier_is_accepted_by_both_verifiers() {
    let (members, key, _) = good();
    let Verdicts { ours, python } = judge(members, key);
    let ours = ours.expect(0).quietly();
    let remaining = number(members, "remaining");
    assert!(ours.out.contains("Schiedam (GM0606)") && ours.out.contains("All of it follows"), "{}", ours.out);
    assert!(ours.out.lines().all(|line| line.chars().count() <= 80), "{}", ours.out);
    let python = python.expect(0).quietly();
    assert!(python.out.contains(&remaining.to_string()) && python.out.contains("GM0606"), "{}", python.out);
}

#[test]
fn every_kind_of_tampering_is_refused_by_both_verifiers() {
    let (members, key, secret) = good();
    for (what, tamper) in TAMPERINGS {
        let mut tampered = members.clone();
        tamper(&mut tampered);
        assert_ne!(&tampered, members, "{what}");
        let Verdicts { ours, python } = judge(&tampered, key);
        assert_eq!(ours.code, 1, "{what}: {} {}", ours.out, ours.err);
        assert!(ours.out.is_empty() && ours.err.lines().count() == 1, "{what}: {} {}", ours.out, ours.err);
        assert_eq!(python.code, 1, "{what}: {} {}", python.out, python.err);
        assert!(
            python.out.is_empty() && python.err.lines().count() == 1,
            "{what}: {} {}",
            python.out,
            python.err
        );

        // Also when who keeps the ledger does it, and seals it anew.
        if tampered.len() == members.len() {
            reseal(&mut tampered, secret);
            let Verdicts { ours, python } = judge(&tampered, key);
            for ran in [ours, python] {
                assert_eq!(ran.code, 1, "{what}: {} {}", ran.out, ran.err);
                assert!(!ran.err.contains("seal"), "{what}: {}", ran.err);
            }
        }
    }
}

/// Who keeps the ledger raises a quota in every figure, and cannot raise it in the entry that is proven.
#[test]
fn a_quota_that_its_entry_does_not_give_is_refused_by_both_verifiers() {
    let (members, key, secret) = good();
    let mut tampered = members.clone();
    let read = |name: &str| -> Value {
        serde_json::from_slice(&members.iter().find(|(it, _)| it == name).unwrap().1).unwrap()
    };
    let (mut statement, mut explanation) = (read("statement.json"), read("explanation.json"));
    let raise = |number: &mut Value| *number = (number.as_i64().unwrap() + 1).into();
    ["quota", "due", "remaining"].iter().for_each(|line| raise(&mut statement[line]));
    statement["surplus"] = (-statement["remaining"].as_i64().unwrap()).max(0).into();
    ["standing", "standingAsKnownBefore"].iter().for_each(|at| raise(&mut explanation[at]));
    let steps = explanation["steps"].as_array().unwrap();
    let is_quota = |it: &Value| it["line"] == "quota" && it["halfYear"] == statement["halfYear"];
    let step = steps.iter().position(is_quota).unwrap();
    ["persons", "change"].iter().for_each(|at| raise(&mut explanation["steps"][step][at]));
    let mut rows = explanation["behind"].as_array_mut().unwrap().iter_mut();
    raise(&mut rows.find(|it| it["step"] == step).unwrap()["persons"]);

    let page = text(&mut tampered, "page.html");
    for line in ["quota", "due", "remaining", "surplus"] {
        show(page, &format!("statement.{line}"), &statement[line]);
    }
    show(page, "explanation.standing", &explanation["standing"]);
    show(page, &format!("step.{step}.change"), &explanation["steps"][step]["change"]);
    let mut standing = 0;
    for (number, step) in explanation["steps"].as_array().unwrap().iter().enumerate() {
        standing += step["change"].as_i64().unwrap();
        show(page, &format!("step.{number}.standing"), &standing.into());
    }
    *text(&mut tampered, "statement.json") = statement.to_string().into_bytes();
    *text(&mut tampered, "explanation.json") = explanation.to_string().into_bytes();
    reseal(&mut tampered, secret);
    let Verdicts { ours, python } = judge(&tampered, key);
    ours.expect(1).says("is not what follows from its entries");
    assert!(python.code == 1 && python.err.contains("the row of position"), "{}", python.err);
}

/// Puts another number on the page, as the page writes it.
fn show(page: &mut Vec<u8>, id: &str, number: &Value) {
    let number = number.as_i64().unwrap();
    assert!(number.abs() < 1000, "{number} would be written with a dot");
    let whole = String::from_utf8(std::mem::take(page)).unwrap();
    let opening = format!(r#"<data id="{id}" value=""#);
    let (before, rest) = whole.split_once(&opening).unwrap();
    let (_, after) = rest.split_once("</data>").unwrap();
    *page = format!(r#"{before}{opening}{number}">{number}</data>{after}"#).into_bytes();
}

/// A page that hides a figure in other words is another page.
#[test]
fn words_beside_the_figures_are_those_of_the_program() {
    let (members, key, _) = good();
    let mut tampered = members.clone();
    replace(text(&mut tampered, "page.html"), "Gerealiseerd", "Niet gerealiseerd");
    judge(&tampered, key).ours.expect(1).says("its page.html is not what follows from its entries");
}

#[test]
fn another_key_and_what_is_no_dossier_are_refused_in_one_sentence() {
    let (members, key, _) = good();
    let desk = Desk::new();
    let other = desk.run("init --origin peildatum.example/demo").expect(0).out;
    let other = other.lines().last().unwrap();
    let Verdicts { ours, python } = judge(members, other);
    ours.expect(1).says("its checkpoint");
    assert_eq!(python.code, 1, "{}", python.err);
    let elsewhere = desk.run("--ledger elsewhere init --origin peildatum.example/other").expect(0).out;
    judge(members, elsewhere.lines().last().unwrap()).ours.expect(1).says("is of the log");

    write(members, &desk.path("good.zip"));
    fs::write(desk.path("text"), "no archive").unwrap();
    let verify = |file: &str, key: &str| desk.run_each(&["verify-dossier", file, "--key", key]);
    verify("text", key).expect(2).says("it is no archive that can be read");
    verify("absent.zip", key).expect(2).says("it cannot be read");
    verify("good.zip", "peildatum.example/demo").expect(64).says("key");
    let mut older = members.clone();
    replace(text(&mut older, "dossier.json"), "peildatum dossier 1", "peildatum dossier 0");
    judge(&older, key).ours.expect(2).says("it was written as");
}

#[test]
fn a_dossier_that_cannot_be_made_leaves_no_file() {
    let desk = demo();
    let dossier = |rest: &str| desk.run(&format!("dossier {rest}"));
    dossier("GM0606 --on 2022-03-01 -o d.zip").expect(1).says("has no key");
    desk.run("init --origin peildatum.example/demo").expect(0);
    dossier("GM9999 --on 2022-03-01 -o d.zip").expect(1).says("GM9999 is not a municipality in the register");
    dossier("GM0606 --on 1995-03-01 -o d.zip").expect(1).says("ask for a later date");
    dossier("GM0606 --on 2022-03-01 -o no/such/folder/d.zip").expect(2).says("cannot write");
    let mut left: Vec<_> = fs::read_dir(desk.path(".")).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["ledger"], "nothing is left half-made");
}

/// Where boundaries changed, lines of the municipality that ceased are others in a sum: that is no reason to refuse it.
#[test]
fn a_dossier_over_a_merger_is_accepted_by_both_verifiers_for_every_area() {
    let desk = Desk::with_ledger();
    desk.write("towns.csv", "code,name,province,safety_region,from\nGM0457,Weesp,PV27,VR14,1990-01-01\n");
    desk.run("deliver towns.csv --from cbs").expect(0);
    // Another municipality has a history that begins earlier.
    desk.write(
        "placements.csv",
        format!(
            "placement,municipality,counts_from,kind,persons\n{},GM0344,2019-02-16,regular,2\n\
             {},GM0457,2025-02-16,regular,3\n{},GM0363,2025-02-17,regular,1\n",
            uuid(1),
            uuid(2),
            uuid(3)
        ),
    );
    desk.run("deliver placements.csv --from coa").expect(0);
    let allocated = r#"{"halfYear":"2025-I","persons":{"GM0457":20,"GM0363":100,"GM0599":90},
        "method":"published","reference":"Letter"}"#;
    let merged = r#"{"effectiveOn":"2025-03-24","old":["GM0457"],"new":["GM0363"]}"#;
    desk.write(
        "events.jsonl",
        event(7, "quotas.allocated", allocated) + &event(8, "boundaries.changed", merged),
    );
    desk.run("deliver events.jsonl --from ministry").expect(0);
    let said = desk.run("init --origin peildatum.example/merged").expect(0).out;
    let key = said.lines().last().unwrap();
    for area in ["GM0363", "GM0344", "PV27", "NL"] {
        desk.run(&format!("dossier {area} --on 2025-05-01 -o {area}.zip")).expect(0);
        let Verdicts { ours, python } = judge(&members(&desk.path(&format!("{area}.zip"))), key);
        ours.expect(0).quietly();
        python.expect(0).quietly();
    }
}
