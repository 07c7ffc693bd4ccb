//! The house has floors, and imports point down only. Every source file is read and held to it.
//!
//! Floors and rooms are those of `docs/ARCHITECTURE.md`. A room that is not listed here fails the test, so that
//! nobody builds one without saying on which floor it stands.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every room with its floor.
const ROOMS: [(&str, u8); 13] = [
    ("domain", 0),
    ("decide", 1),
    ("book", 1),
    ("proof", 1),
    ("store", 2),
    ("ledger", 3),
    ("feed", 4),
    ("report", 4),
    ("demo", 4),
    ("http", 5),
    ("cli", 6),
    ("lib", 7),
    ("main", 7),
];

/// Names that say nothing about what a file is for.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "helpers", "types", "common", "misc"];

/// The most lines that a file may have before it is two files.
const LINES_MAX: usize = 600;

/// Every source file by its path below a folder.
fn sources(folder: &str) -> BTreeMap<String, String> {
    fn visit(folder: &Path, below: &str, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("a source file").path();
            let name = format!("{below}{}", path.file_name().expect("a name").to_string_lossy());
            if path.is_dir() {
                visit(&path, &format!("{name}/"), found);
            } else if name.ends_with(".rs") {
                found.insert(name, fs::read_to_string(&path).expect("a source file is text"));
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "", &mut found);
    found
}

#[test]
fn every_source_file_keeps_to_the_house() {
    let sources = sources("src");
    let rooms: Vec<_> =
        ROOMS.iter().filter(|(room, _)| sources.contains_key(&format!("{room}.rs"))).collect();
    assert!(sources.len() > 50 && rooms.len() > 10, "{} files, {} rooms", sources.len(), rooms.len());
    let imports: usize = sources.iter().map(|(path, text)| imports(path, text).len()).sum();
    assert!(imports > 200, "only {imports} imports were found");
    let faults: Vec<_> = sources.iter().flat_map(|(path, text)| faults(path, text)).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Benchmarks stand outside the house: they may read a clock, touch files and name every room. What a file is for, its
/// name and its length are held to the same rules.
#[test]
fn every_benchmark_is_a_file_like_the_others_and_no_test_runs_it() {
    let benches = sources("benches");
    assert!(benches.len() > 10, "{} files", benches.len());
    let faults: Vec<_> = benches.iter().flat_map(|(path, text)| faults_of_file(path, text)).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));

    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("the manifest is text");
    let programs: Vec<&str> = manifest.split("[[bench]]\n").skip(1).collect();
    assert!(programs.len() > 1, "{} benchmarks", programs.len());
    for program in programs {
        let lines: Vec<&str> = program.lines().take_while(|line| !line.is_empty()).collect();
        assert!(lines.contains(&"harness = false") && lines.contains(&"test = false"), "{lines:?}");
    }
}

/// The checks are checked: one wrong file for each of them, and a right one.
#[test]
fn what_does_not_keep_to_the_house_is_found() {
    let found = |path: &str, code: &str| faults(path, &format!("//! What it is for.\n{code}"));
    for (path, code, fault) in [
        ("book.rs", "use crate::store::Store;", "names store, which is not below it"),
        ("book/share.rs", "use super::super::ledger::Ledger;", "names ledger, which is not below it"),
        ("book.rs", "use crate::decide::decide;", "names decide, which is not below it"),
        ("proof.rs", "fn f() { super::domain::g(); crate::cli::h() }", "names cli, which is not below it"),
        ("domain/time.rs", "use crate::{domain::area::Area, feed::{csv, receipt}};", "names feed, which"),
        ("report/csv.rs", "use crate :: \n feed::csv;", "names feed, which is not below it"),
        ("store.rs", "mod tests { use super::super::ledger; }", "names ledger, which is not below it"),
        ("report/table.rs", "use super::super::{cli::Format, domain};", "names cli, which is not below it"),
        ("ledger.rs", "use peildatum::cli;", "names cli, which is not below it"),
        ("tools/x.rs", "", "is in a room without a floor"),
        ("feed.rs", "use crate::tools::x;", "names tools, which has no floor"),
        ("ledger.rs", "use sled::Db;", "names sled outside the store"),
        ("feed.rs", "let now = SystemTime::now();", "reads a clock"),
        ("store.rs", "let now = std::time::Instant::now();", "reads a clock"),
        ("decide.rs", "let now = Utc::now();", "reads a clock"),
        ("demo.rs", "let now = chrono::Local::now();", "reads a clock"),
        ("feed/csv.rs", "let file = File::open(path);", "touches files"),
        ("book.rs", "std::fs::remove_dir_all(path)", "touches files"),
        ("ledger.rs", "use std::{fs, io};", "touches files"),
        ("domain/utils.rs", "", "has a name that says nothing"),
    ] {
        let faults = found(path, code);
        assert_eq!(faults.len(), 1, "{path}: {code}: {faults:?}");
        assert!(faults[0].starts_with(path) && faults[0].contains(fault), "{faults:?}");
    }
    for (path, code) in [
        ("ledger.rs", "use crate::store::Store; use std::time::SystemTime; // sled, File, crate::cli"),
        ("ledger.rs", "mod tests { use super::*; fn f() { super::g() } }"),
        ("store/events.rs", "use sled::Db; use std::fs::File;"),
        ("feed.rs", r#"const SAID: &str = "crate::cli, File, \" SystemTime"; const C: char = '"';"#),
        ("book/statement.rs", "use super::account::Account; use super::{Book, known};"),
        ("report/csv.rs", "use super::table; pub(crate) fn f<'a>(it: &'a str) {}"),
    ] {
        assert!(found(path, code).is_empty(), "{path}: {code}: {:?}", found(path, code));
    }
    assert_eq!(faults("book.rs", "use std::io;").len(), 1, "it does not say what it is for");
    assert_eq!(faults("book.rs", &"//! Long.\n".repeat(LINES_MAX + 1)).len(), 1, "it is too long");
}

/// Everything about a source file that does not keep to the house.
fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = faults_of_file(path, text);
    let mut fault = |what: String| faults.push(format!("{path} {what}"));
    let room = room_of(path);
    match floor(room) {
        None => fault("is in a room without a floor".to_owned()),
        Some(own) => {
            for named in imports(path, text) {
                match floor(&named) {
                    _ if named == room => {}
                    None => fault(format!("names {named}, which has no floor")),
                    Some(below) if below < own => {}
                    Some(_) => fault(format!("names {named}, which is not below it")),
                }
            }
        }
    }
    let words = words(text);
    let names = |word: &str| words.iter().any(|it| it == word);
    if names("sled") && room != "store" {
        fault("names sled outside the store".to_owned());
    }
    let reads_now = |of: &str| words.windows(3).any(|it| it[0] == of && it[1] == "::" && it[2] == "now");
    if (names("SystemTime") || names("Instant") || reads_now("Utc") || reads_now("Local")) && room != "ledger"
    {
        fault("reads a clock outside the ledger".to_owned());
    }
    if (names("fs") || names("File")) && !["store", "cli", "demo"].contains(&room) {
        fault("touches files outside store, cli and demo".to_owned());
    }
    faults
}

/// Everything that is wrong with a file as such, wherever it stands.
fn faults_of_file(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("{path} {what}"));
    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    if EMPTY_NAMES.contains(&name) {
        fault("has a name that says nothing about what it is for".to_owned());
    }
    if !text.starts_with("//! ") {
        fault("does not open with what it is for".to_owned());
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        fault(format!("has {lines} lines: make it two"));
    }
    faults
}

fn room_of(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or(path)
}

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// The rooms that a file names, by `crate::`, `peildatum::` or by as many `super::` as lead out of its own.
fn imports(path: &str, text: &str) -> Vec<String> {
    let words = words(text);
    let mut found = Vec::new();
    // How deep the file stands below the crate, and the modules that are open within it.
    let depth = match path {
        "lib.rs" | "main.rs" => 0,
        _ => path.split('/').count(),
    };
    let mut open: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let word = words[at].as_str();
        match word {
            "{" => open.push(at >= 2 && words[at - 2] == "mod"),
            "}" => drop(open.pop()),
            _ => {}
        }
        let within_path = at > 0 && words[at - 1] == "::";
        let mut end = at + 1;
        let from_the_crate = match word {
            "crate" | "peildatum" => !within_path,
            "super" if !within_path => {
                let mut up = 1;
                while words.get(end).is_some_and(|it| it == "::")
                    && words.get(end + 1).is_some_and(|it| it == "super")
                {
                    up += 1;
                    end += 2;
                }
                up == depth + open.iter().filter(|module| **module).count()
            }
            _ => false,
        };
        if from_the_crate && words.get(end).is_some_and(|it| it == "::") {
            found.extend(first_names(&words[end + 1..]));
        }
        at = end;
    }
    found
}

/// The first name of a path, or of each path of a group in braces.
fn first_names(words: &[String]) -> Vec<String> {
    if words.first().is_none_or(|it| it != "{") {
        return words.first().filter(|it| is_name(it)).cloned().into_iter().collect();
    }
    let mut found = Vec::new();
    let mut depth = 0;
    for (index, word) in words.iter().enumerate() {
        match word.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if depth == 1 && is_name(word) && ["{", ","].contains(&words[index - 1].as_str()) => {
                found.push(word.clone());
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|it: char| it.is_alphabetic() || it == '_')
}

/// The names and signs of a program, without its comments and texts.
fn words(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    let next = |at: usize| characters.get(at).copied().unwrap_or('\0');
    while at < characters.len() {
        match next(at) {
            '/' if next(at + 1) == '/' => {
                while at < characters.len() && next(at) != '\n' {
                    at += 1;
                }
            }
            'r' if next(at + 1) == '"' || (next(at + 1) == '#' && next(at + 2) == '"') => {
                let hash = next(at + 1) == '#';
                at += if hash { 3 } else { 2 };
                while at < characters.len() && !(next(at) == '"' && (!hash || next(at + 1) == '#')) {
                    at += 1;
                }
                at += if hash { 2 } else { 1 };
            }
            '"' => {
                at += 1;
                while at < characters.len() && next(at) != '"' {
                    at += if next(at) == '\\' { 2 } else { 1 };
                }
                at += 1;
            }
            // A character; a lifetime has no second quote so near.
            '\'' if next(at + 1) == '\\' => {
                at += 3;
                while at < characters.len() && next(at) != '\'' {
                    at += 1;
                }
                at += 1;
            }
            '\'' if next(at + 2) == '\'' => at += 3,
            ':' if next(at + 1) == ':' => {
                words.push("::".to_owned());
                at += 2;
            }
            it if it.is_alphanumeric() || it == '_' => {
                let start = at;
                while next(at).is_alphanumeric() || next(at) == '_' {
                    at += 1;
                }
                words.push(characters[start..at].iter().collect());
            }
            it if it.is_whitespace() => at += 1,
            it => {
                words.push(it.to_string());
                at += 1;
            }
        }
    }
    words
}
