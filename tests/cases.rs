//! Runs the cases in `tests/cases/`: texts that a policy officer can read and check.
//!
//! `tests/cases/README.md` says how a case is written. The lines of a case go through the decisions
//! and the book as deliveries do, but for the disk.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use peildatum::book::Book;
use peildatum::book::explanation::Span;
use peildatum::book::statement::{Reading, Statement};
use peildatum::decide::Decided;
use peildatum::decide::command::Command;
use peildatum::domain::amv::{AmvCapacity, AmvPlaces};
use peildatum::domain::area::{
    Area, BoundaryChangeReport, Inhabitants, Municipality, MunicipalityCode, PerMunicipality, Population,
};
use peildatum::domain::carry_over::CarryOver;
use peildatum::domain::evaluation::{Evaluation, Outcome};
use peildatum::domain::grants::Grants;
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::objection::{Contests, Figure, FigureReport, ObjectionReport, ObjectionSettled};
use peildatum::domain::persons::{Balance, Persons};
use peildatum::domain::placement::{
    FollowOnReport, PlacementKind, PlacementReport, TransferReport, WithdrawalReport,
};
use peildatum::domain::quota::{
    Allocation, AllocationMethod, BandReport, ExchangeReport, ExchangeSide, Included, Quota, Window,
    WindowReport,
};
use peildatum::domain::reference::Reference;
use peildatum::domain::regime::PhaseReport;
use peildatum::domain::rules::CountingRuleReport;
use peildatum::domain::source::{ObjectionId, PlacementId};
use peildatum::domain::time::{AsOf, Day, LogSize, Month, Position, ReferenceDate};

use crate::cases_forecast::{self, Plan};
use crate::cases_measured;
use crate::cases_quota;
use crate::cases_reconcile;
use crate::cases_scenario;
use crate::cases_weeks;
use crate::world::World;

#[test]
fn every_case_comes_out_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).expect("there are cases").map(|it| it.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "case"));
    files.sort();
    assert!(!files.is_empty(), "there is no case in {}", folder.display());
    let mut wrong = Vec::new();
    for path in &files {
        let name = format!("tests/cases/{}", path.file_name().expect("a name").to_string_lossy());
        let text = fs::read_to_string(path).expect("a case is text");
        let found = run(&text).err().unwrap_or_default();
        wrong.extend(found.into_iter().map(|(line, what)| format!("{name}:{line}: {what}")));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_case_that_is_wrong_says_on_which_line() {
    let case = |rest: &str| {
        let wrong = run(&format!(
            "# A case that is wrong.\n\nrecorded on 2025-08-01\n1  municipality GM0599 PV28 Rotterdam\n{rest}\nstanding GM0599 2025-07-01 -> on target\n"
        ));
        wrong.err().unwrap_or_default()
    };
    assert_eq!(case("standing GM0599 2025-07-01 -> on target"), []);
    for (rest, what) in [
        ("standing GM0599 2025-07-01 -> backlog 1", "expected backlog 1, but it is on target"),
        ("statement GM0599 2025-07-01 -> due 3", "expected due 3, but it is 0"),
        ("standing GM0001 2025-07-01 -> on target", "expected on target, but it is refused: GM0001 is not"),
        ("3  quota 2025-I 40", "this is entry 2"),
        ("2  placement P1 GM0363 2025-02-01 regular", "this is refused: unknown-municipality"),
        ("-  quota 2025-I 40\n   refused malformed: no", "expected a refusal, but it is recorded"),
        ("2  placement P1 GM0599 2025-02-01 flying", "is not a kind of placement"),
        ("nonsense", "cannot be read"),
        (
            "reconcile GM0599 2025-I\nrow A 2025-02-03 regular -> same\nsums list 1, ledger 0\n",
            "only in list",
        ),
        (
            "reconcile GM0599 2025-I\nledger P1 -> only in ledger\nsums list 0, ledger 0\n",
            "there is no such line",
        ),
        ("reconcile GM0599 2025-I\nsums list 0, ledger 1\n", "expected sums list 0, ledger 1"),
        ("reconcile GM0599 2025-I\n", "the sums are missing"),
        ("reconcile GM0599 2025-I\nrow A 2025-02-03 flying -> same\n", "is not a kind of placement"),
        (
            "share 2025-I of 3 -> GM0599 3",
            "it is refused: inhabitants on 2024-01-01 are not recorded for GM0599",
        ),
        ("evaluate 2025-I expected 3 -> too_low", "it is refused: no quota of 2025-I is known"),
        ("share 2025-I of many -> sum 3", "\"many\" invalid digit"),
        ("forecast 2025-I -> persons 3", "it is refused: nothing says what is expected for 2025-I"),
        (
            "plan 2024-10 asylum 10 at 50\nforecast 2025-I -> by the plan 4",
            "expected by the plan 4, but it is 5",
        ),
        ("plan 2024-10 asylum 10 at 101", "is not a percentage from 0 to 100"),
        ("amv GM0599 2025-07-01 within 4 -> placed 1", "expected placed 1, but it is 0"),
        ("amv GM0599 2025-07-01 within 4 -> owed often 1", "amv has nothing called \"owed often\""),
        ("deadlines GM0599 2025-I 2025-07-01 -> median 3", "expected median 3, but it is none"),
        ("deadlines GM0001 2025-I 2025-07-01 -> median 3", "it is refused: GM0001 is not a municipality"),
        ("weeks GM0599 2025-I -> seen none", "it is refused: no quota of 2025-I is known"),
        ("2  quota 2025-I 3\nweeks NL 2025-I -> 2025-01-07 due 3", "the weeks have nothing called"),
        ("2  quota 2025-I 3\nweeks NL 2025-I -> seen soon", "expected seen soon, but it is none"),
        ("reconcile GM0001 2025-I -> refused: no\n", "it is refused: GM0001 is not a municipality"),
    ] {
        let wrong = case(rest);
        assert_eq!(wrong.len(), 1, "{rest}: {wrong:?}");
        assert!(wrong[0].0 >= 5 && wrong[0].1.contains(what), "{rest}: {wrong:?}");
    }
    assert!(run("1  quota 2025-I 40").is_err(), "a case begins with a sentence");
    assert!(run("# A case that asks nothing.\n").is_err(), "a case asks something");
}

/// What is wrong with a case, by line.
type Wrong = Vec<(usize, String)>;

/// Runs a case: first all that is recorded, line by line, and with it every question.
fn run(text: &str) -> Result<(), Wrong> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())).peekable();
    if !lines.peek().is_some_and(|(_, first)| first.starts_with("# ") && first.len() > 10) {
        return Err(vec![(1, "a case begins with a sentence that says what it shows".to_owned())]);
    }
    let mut world = World::default();
    let mut plan = Plan::default();
    let mut today: Day = "2026-12-31".parse().expect("a day");
    let mut wrong = Wrong::new();
    let mut questions = 0;
    while let Some((number, line)) = lines.next() {
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let outcome = match first {
            "" | "#" => continue,
            "recorded" => rest
                .strip_prefix("on ")
                .ok_or_else(|| "cannot be read: write recorded on DATE".to_owned())
                .and_then(read)
                .map(|day| today = day),
            "standing" | "statement" => {
                questions += 1;
                ask(&world, &world.book, first, rest)
            }
            "explain" => {
                questions += 1;
                let mut expected = Vec::new();
                while let Some((_, step)) = lines.next_if(|(_, line)| line.starts_with("| ")) {
                    expected.push(step.trim_start_matches("| ").to_owned());
                }
                explain(&world, rest, &expected)
            }
            "share" | "evaluate" => {
                questions += 1;
                cases_quota::ask(&world, first, rest)
            }
            "plan" => cases_forecast::add(&mut plan, rest),
            "forecast" => {
                questions += 1;
                cases_forecast::ask(&world, &plan, rest)
            }
            "scenario" => {
                questions += 1;
                let mut block = Vec::new();
                while let Some(line) = lines.next_if(|(_, line)| !line.is_empty() && *line != "scenario") {
                    block.push(line);
                }
                block.retain(|(_, line)| !line.starts_with('#'));
                wrong.extend(cases_scenario::ask(&world, &block));
                continue;
            }
            "amv" | "deadlines" => {
                questions += 1;
                cases_measured::ask(&world, first, rest)
            }
            "weeks" => {
                questions += 1;
                cases_weeks::ask(&world, rest)
            }
            "reconcile" => {
                questions += 1;
                let mut rows = Vec::new();
                while let Some(row) = lines.next_if(|(_, line)| !line.is_empty()) {
                    rows.push(row);
                }
                match cases_reconcile::compare(&world, rest, &rows) {
                    Ok(()) => Ok(()),
                    Err(found) => {
                        wrong.extend(found.into_iter().map(|(at, what)| (at.unwrap_or(number), what)));
                        continue;
                    }
                }
            }
            "-" => {
                let expected = lines.next().map_or("", |(_, line)| line);
                questions += 1;
                refused(&mut world, today, rest, expected)
            }
            _ => match first.parse::<usize>() {
                Ok(entry) => record(&mut world, today, entry, rest),
                Err(_) => Err(format!("cannot be read: {line}")),
            },
        };
        wrong.extend(outcome.err().map(|what| (number, what)));
    }
    if questions == 0 {
        wrong.push((1, "the case asks nothing".to_owned()));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn record(world: &mut World, today: Day, entry: usize, line: &str) -> Result<(), String> {
    let next = world.recorded.len() + 1;
    if entry != next {
        return Err(format!("this is entry {next}, not {entry}"));
    }
    match world.offer(today, &command(line)?) {
        Ok(Decided::New(_)) => Ok(()),
        Ok(Decided::Known(position)) => Err(format!("this is known already as entry {}", position.0 + 1)),
        Err(refusal) => Err(format!("this is refused: {}: {refusal}", refusal.code())),
    }
}

fn refused(world: &mut World, today: Day, line: &str, expected: &str) -> Result<(), String> {
    let said = match world.offer(today, &command(line)?) {
        Ok(Decided::New(_)) => return Err("expected a refusal, but it is recorded".to_owned()),
        Ok(Decided::Known(position)) => format!("known already as entry {}", position.0 + 1),
        Err(refusal) => {
            format!("refused {}: {}; {}", refusal.code(), in_entries(&refusal.to_string()), refusal.remedy())
        }
    };
    // The remedy may be left out of the case.
    match said == expected || said.starts_with(&format!("{expected};")) {
        true => Ok(()),
        false => Err(format!("expected {expected:?}, but it is {said:?}")),
    }
}

/// The sentence with entries as a case numbers them: from 1, where the ledger counts positions from 0.
fn in_entries(sentence: &str) -> String {
    let mut counting = false;
    let renumbered = sentence.split(' ').map(|word| {
        counting = word.starts_with("position") || counting && (word == "and" || word.parse::<u64>().is_ok());
        match word.parse::<u64>() {
            Ok(position) if counting => (position + 1).to_string(),
            _ => word.to_owned(),
        }
    });
    let sentence = renumbered.collect::<Vec<_>>().join(" ");
    sentence
        .replace("the entry at position", "entry")
        .replace("the entries at positions", "entries")
        .replace("at position", "as entry")
}

/// `AREA DATE [known at SIZE | known on DATE] [READING] -> ANSWER`.
pub fn ask(world: &World, book: &Book<'_>, what: &str, line: &str) -> Result<(), String> {
    let (question, expected) = line.split_once("->").ok_or("cannot be read: a question has an arrow ->")?;
    let expected = expected.trim();
    let mut words = Words::of(question);
    let area: Area = words.next("an area")?;
    let on: Day = words.next("a reference date")?;
    let known_at = match (words.took("known"), words.took("at"), words.took("on")) {
        (false, ..) => world.size(),
        (true, true, _) => LogSize(words.next("a number of entries")?),
        (true, false, true) => world.size_before(words.next("a day")?),
        (true, false, false) => return Err("cannot be read: write known at SIZE or known on DATE".to_owned()),
    };
    let reading = if words.is_empty() { Reading::OldestFirst } else { words.next("a reading")? };
    words.end()?;
    let as_of = AsOf { reference_date: ReferenceDate(on), known_at };
    let statement = match book.statement(area, as_of, reading) {
        Ok(statement) => statement,
        Err(unanswerable) => {
            let said = format!("refused: {unanswerable}");
            return match said == expected {
                true => Ok(()),
                false => Err(format!("expected {expected}, but it is {said}")),
            };
        }
    };
    let mut wrong = Vec::new();
    if what == "standing" {
        let standing = statement.standing().to_string();
        if standing != expected {
            wrong.push(format!("expected {expected}, but it is {standing}"));
        }
    } else {
        for part in expected.split(',') {
            let (name, value) =
                part.trim().rsplit_once(' ').ok_or("cannot be read: write a line and a number")?;
            let is = line_of(&statement, name).ok_or_else(|| format!("a statement has no line {name:?}"))?;
            if is != value {
                wrong.push(format!("expected {name} {value}, but it is {is}"));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// Holds a refusal against what a case expects, which may leave the remedy out.
pub fn is_refused(error: &impl Display, expected: &str) -> Result<(), String> {
    let said = format!("refused: {error}");
    match said == expected || said.starts_with(&format!("{expected}:")) {
        true => Ok(()),
        false => Err(format!("expected {expected}, but it is {said}")),
    }
}

/// Holds every name and value that a case expects against what is found by the name.
pub fn each_is(expected: &str, found: impl Fn(&str) -> Result<String, String>) -> Result<(), String> {
    let mut wrong = Vec::new();
    for part in expected.split(',') {
        let (name, value) = part.trim().rsplit_once(' ').ok_or("cannot be read: write a name and a value")?;
        let is = found(name)?;
        if is != value {
            wrong.push(format!("expected {name} {value}, but it is {is}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// `AREA DATE [known at SIZE | known on DATE] to DATE [known ..]`, and below it the whole explanation.
fn explain(world: &World, line: &str, expected: &[String]) -> Result<(), String> {
    let mut words = Words::of(line);
    let area: Area = words.next("an area")?;
    let mut moment = || {
        let reference_date = ReferenceDate(words.next("a reference date")?);
        let known_at = match (words.took("known"), words.took("at"), words.took("on")) {
            (false, ..) => world.size(),
            (true, true, _) => LogSize(words.next("a number of entries")?),
            (true, false, _) => world.size_before(words.next("a day")?),
        };
        words.took("to");
        Ok::<_, String>(AsOf { reference_date, known_at })
    };
    let span = Span::new(moment()?, moment()?).map_err(|error| error.to_string())?;
    words.end()?;
    let (explanation, explaining) = world.book.explain(area, span).map_err(|error| error.to_string())?;
    let mut is = vec![format!("begins with {}", explanation.standing_since)];
    let mut cause = None;
    for step in &explanation.steps {
        if cause.replace(step.cause) != Some(step.cause) {
            is.push(format!("{}:", step.cause.name().replace('_', " ")));
        }
        let kind = step.kind.map_or_else(String::new, |kind| format!(" {kind}"));
        let line = step.line.name().replace('_', " ");
        let shared = match step.by_boundary {
            0 => String::new(),
            persons => format!(", {persons} persons by boundary changes"),
        };
        let mut entries: Vec<_> = explaining.behind(step).iter().map(|it| it.position.0 + 1).collect();
        entries.dedup();
        let entries: Vec<_> = entries.iter().map(ToString::to_string).collect();
        is.push(format!(
            "  {} {line}{kind}: {:+} by {}{shared}",
            step.half_year,
            step.change,
            if entries.is_empty() { "no entry".to_owned() } else { entries.join(" ") }
        ));
    }
    is.push(format!("ends with {}", explanation.standing));
    let is: Vec<_> = is.iter().map(|it| it.trim().to_owned()).collect();
    match is == expected {
        true => Ok(()),
        false => Err(format!("expected\n  {}\nbut it is\n  {}", expected.join("\n  "), is.join("\n  "))),
    }
}

/// A line of a statement by the name that it has in a case.
fn line_of(statement: &Statement, name: &str) -> Option<String> {
    let optional = |number: Option<i64>| number.map_or("none".to_owned(), |it| it.to_string());
    let carried = &statement.carried_over;
    let national = statement.national.as_ref();
    Some(match name {
        "carried over" => carried.used.to_string(),
        "recorded" => optional(carried.recorded),
        "derived" => carried.derived.to_string(),
        "difference" => carried.difference.to_string(),
        "quota" => statement.quota.to_string(),
        "revision" => statement.revision.to_string(),
        "exchange" => statement.exchange.to_string(),
        "boundary" => statement.boundary.to_string(),
        "due" => statement.due.to_string(),
        "realised" => statement.realised.to_string(),
        "remaining" => statement.remaining.to_string(),
        "on schedule" => optional(statement.on_schedule),
        "pace" => optional(statement.pace),
        "phase" => statement.regime.phase.map_or("none".to_owned(), |it| it.to_string()),
        "quota in force" => if statement.regime.quota_in_force { "yes" } else { "no" }.to_owned(),
        "fulfilment" => statement.fulfilment.map_or("none".to_owned(), |it| {
            format!("{}.{:02}%", it.ten_thousandths() / 100, it.ten_thousandths() % 100)
        }),
        "backlog" => statement.backlog.to_string(),
        "surplus" => statement.surplus.to_string(),
        "municipalities" => statement.municipalities.count.to_string(),
        "backlog of each" => statement.municipalities.backlog.to_string(),
        "surplus of each" => statement.municipalities.surplus.to_string(),
        "national quota" => optional(national.map(|it| it.quota.count())),
        "in force" => optional(national.map(|it| it.in_force.count())),
        "included" => optional(national.map(|it| it.includes.iter().map(|part| part.persons.count()).sum())),
        "evaluation" => national.and_then(|it| it.evaluation).map_or("none".to_owned(), |it| it.to_string()),
        "placed in care" => statement.amv.placed.to_string(),
        "places needed" => optional(statement.amv.places_needed),
        "places there" => optional(statement.amv.places_there),
        "contested" => statement.contested.persons.to_string(),
        "claimed" => statement.contested.difference.to_string(),
        "objections" => statement.contested.objections.to_string(),
        _ => {
            let kind: PlacementKind = name.strip_prefix("realised ")?.parse().ok()?;
            optional(statement.realised_by_kind.get(kind))
        }
    })
}

// The commands.

/// The words of a line, taken one by one.
pub struct Words<'a>(std::iter::Peekable<std::str::SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    pub fn of(line: &'a str) -> Self {
        Self(line.split_whitespace().peekable())
    }

    pub fn word(&mut self, what: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("cannot be read: {what} is missing"))
    }

    pub fn next<T: FromStr<Err: ToString>>(&mut self, what: &str) -> Result<T, String> {
        read(self.word(what)?)
    }

    /// Takes a word if it is the next one.
    pub fn took(&mut self, word: &str) -> bool {
        self.0.next_if(|it| *it == word).is_some()
    }

    /// Takes a word that must be the next one.
    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.took(word) { Ok(()) } else { Err(format!("cannot be read: {word:?} is missing")) }
    }

    pub fn is_empty(&mut self) -> bool {
        self.0.peek().is_none()
    }

    pub fn end(&mut self) -> Result<(), String> {
        match self.0.next() {
            None => Ok(()),
            Some(word) => Err(format!("cannot be read: {word:?} was not expected")),
        }
    }

    /// `CODE NUMBER, CODE NUMBER` up to the end.
    fn numbers<N: FromStr<Err: ToString>, T>(
        &mut self,
        of: impl Fn(N) -> Result<T, peildatum::domain::Fault>,
    ) -> Result<PerMunicipality<T>, String> {
        let mut numbers = std::collections::BTreeMap::new();
        while !self.is_empty() {
            let code: MunicipalityCode = self.next("a municipality")?;
            let number: N = read(self.word("a number")?.trim_end_matches(','))?;
            numbers.insert(code, of(number).map_err(|fault| fault.to_string())?);
        }
        numbers.try_into().map_err(|fault: peildatum::domain::Fault| fault.to_string())
    }

    fn persons(&mut self, what: &str) -> Result<Persons, String> {
        Persons::try_from(self.next::<u32>(what)?).map_err(|fault| fault.to_string())
    }
}

pub fn read<T: FromStr<Err: ToString>>(word: &str) -> Result<T, String> {
    word.parse().map_err(|fault: T::Err| format!("{word:?} {}", fault.to_string()))
}

/// The identity that a short name such as `P7` stands for, always the same one.
pub fn identity<T: FromStr<Err: ToString>>(name: &str) -> Result<T, String> {
    if name.is_empty() || name.len() > 6 || !name.is_ascii() {
        return Err(format!("{name:?} is not a short name"));
    }
    let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    read(&format!("5e1f9a3c-7b2d-4c68-9e41-{hex:0>12}"))
}

/// The same for an objection, whose identity is of version 7.
pub fn objection_id(name: &str) -> Result<ObjectionId, String> {
    let identity: PlacementId = identity(name)?;
    read(&identity.to_string().replace("-4c68-", "-7c68-"))
}

fn reference() -> Reference {
    "Case".parse().expect("a reference")
}

/// The command that a line of a case stands for.
pub fn command(line: &str) -> Result<Command, String> {
    let mut words = Words::of(line);
    let persons = |count: u32| Persons::try_from(count);
    let command = match words.word("what happened")? {
        "municipality" => {
            let code = words.next("a code")?;
            let province = words.next("a province")?;
            let mut name = words.word("a name")?.to_owned();
            while let Some(more) = words.0.next_if(|it| *it != "from") {
                name += " ";
                name += more;
            }
            let from = if words.took("from") { words.next("a day")? } else { read("1990-01-01")? };
            let safety_region = read("VR01")?;
            Command::RegisterMunicipality(Municipality {
                code,
                name: read(&name)?,
                province,
                safety_region,
                from,
            })
        }
        "merger" => {
            let effective_on = words.next("a day")?;
            let mut old = Vec::new();
            while !words.took("into") {
                old.push(read(words.word("the old municipalities")?.trim_end_matches(','))?);
            }
            let new = vec![words.next("the new municipality")?];
            let report = BoundaryChangeReport { effective_on, old, new, shares: None };
            Command::ChangeBoundaries(
                report.try_into().map_err(|it: peildatum::domain::Fault| it.to_string())?,
            )
        }
        "split" => {
            let effective_on = words.next("a day")?;
            let old = vec![words.next("the old municipality")?];
            words.expect("into")?;
            let shares = words.numbers(Ok)?;
            let new = shares.codes().collect();
            let report = BoundaryChangeReport { effective_on, old, new, shares: Some(shares) };
            Command::ChangeBoundaries(
                report.try_into().map_err(|it: peildatum::domain::Fault| it.to_string())?,
            )
        }
        "quota" => {
            let half_year = words.next("a half-year")?;
            let number = words.persons("a number")?;
            let mut includes = Vec::new();
            if words.took("including") {
                let persons = words.persons("a number")?;
                words.expect("of")?;
                includes.push(Included { half_year: words.next("a half-year")?, persons });
            }
            let window = match words.took("window") {
                true => {
                    let (from, until) = (words.next("a day")?, words.next("a day")?);
                    let window = Window::try_from(WindowReport { from, until });
                    Some(window.map_err(|fault| fault.to_string())?)
                }
                false => None,
            };
            let band = match words.took("band") {
                true => {
                    let (lower, upper) = (words.persons("a number")?, words.persons("a number")?);
                    Some(
                        BandReport { lower, upper }
                            .try_into()
                            .map_err(|fault: peildatum::domain::Fault| fault.to_string())?,
                    )
                }
                false => None,
            };
            let published_on = if words.took("published") { Some(words.next("a day")?) } else { None };
            Command::PublishQuota(Quota {
                half_year,
                persons: number,
                window,
                band,
                includes,
                published_on,
                gazette: None,
                reference: reference(),
            })
        }
        "allocation" => {
            let half_year = words.next("a half-year")?;
            let rounding = if words.took("rounded") { Some(words.next("a rounding")?) } else { None };
            Command::AllocateQuota(Allocation {
                half_year,
                persons: words.numbers(persons)?,
                method: AllocationMethod::ALL[usize::from(rounding.is_some())],
                rounding,
                reference: reference(),
            })
        }
        "population" => Command::CountPopulation(Population {
            counted_on: words.next("a day")?,
            inhabitants: words.numbers(|count: u32| Inhabitants::try_from(count))?,
        }),
        "grants" => Command::ReportGrants(Grants {
            month: words.next("a month")?,
            permits_granted: words.persons("permits")?,
            family_members_arrived: words.persons("family members")?,
            reference: reference(),
        }),
        "exchange" => {
            let half_year = words.next("a half-year")?;
            let mut side = |word: &str| -> Result<(MunicipalityCode, Persons), String> {
                words.expect(word)?;
                Ok((words.next("a municipality")?, words.persons("a number")?))
            };
            let (from, to) = (side("from")?, side("to")?);
            words.expect("decided")?;
            let decided_on = words.next("a day")?;
            let side = |(municipality, persons)| ExchangeSide {
                municipality,
                persons,
                decided_on,
                reference: reference(),
            };
            Command::ExchangeQuota(ExchangeReport { half_year, from: side(from), to: side(to) })
        }
        "evaluation" => {
            let half_year: HalfYear = words.next("a half-year")?;
            words.expect("decided")?;
            let decided_on = words.next("a day")?;
            let measured_on = if words.took("measured") { words.next("a day")? } else { decided_on };
            let (mut expected, mut now_expected) = (Persons::default(), None);
            if words.took("expected") {
                expected = words.persons("a number")?;
                words.expect("now")?;
                now_expected = Some(words.persons("a number")?);
            }
            let outcome = match words.word("the outcome")? {
                "kept" => Outcome::Kept {},
                "revised" => {
                    words.expect("to")?;
                    let national = words.persons("a number")?;
                    Outcome::Revised { national, persons: words.numbers(persons)? }
                }
                "carried" => {
                    words.expect("forward")?;
                    let persons = words.persons("a number")?;
                    words.expect("into")?;
                    Outcome::CarriedForward { into: words.next("a half-year")?, persons }
                }
                other => return Err(format!("cannot be read: {other:?} is not an outcome")),
            };
            Command::RecordEvaluation(Evaluation {
                half_year,
                measured_on,
                window: None,
                expected,
                now_expected,
                outcome,
                decided_on,
                reference: reference(),
            })
        }
        "carry-over" => {
            let from_half_year: HalfYear = words.next("a half-year")?;
            words.expect("to")?;
            let to_half_year = words.next("a half-year")?;
            let persons = words.numbers(|count: i32| Balance::try_from(count))?;
            Command::RecordCarryOver(CarryOver {
                from_half_year,
                to_half_year,
                persons,
                reference: reference(),
            })
        }
        "placement" => {
            let mut report = PlacementReport {
                placement: identity(words.word("a placement")?)?,
                municipality: words.next("a municipality")?,
                site_municipality: None,
                counts_from: words.next("a day")?,
                kind: words.next("a kind")?,
                persons: Persons::try_from(1).expect("one person"),
                person: None,
                permit_granted_on: None,
                matched_on: None,
                care_ends: None,
                turns_18: None,
            };
            while !words.is_empty() {
                match words.word("a detail")? {
                    "person" => report.person = Some(identity(words.word("a person")?)?),
                    "site" => report.site_municipality = Some(words.next("a municipality")?),
                    "care-ends" => report.care_ends = Some(words.next::<Month>("a month")?),
                    "turns-18" => report.turns_18 = Some(words.next::<Month>("a month")?),
                    "permit" => report.permit_granted_on = Some(words.next("a day")?),
                    count => {
                        report.persons = persons(read(count)?).map_err(|fault| fault.to_string())?;
                        words.expect("persons")?;
                    }
                }
            }
            Command::RecordPlacement(report)
        }
        "withdrawal" => Command::WithdrawPlacement(WithdrawalReport {
            placement: identity(words.word("a placement")?)?,
            reason: words.next("a reason")?,
        }),
        "transfer" => {
            let placement = identity(words.word("a placement")?)?;
            words.expect("to")?;
            let to = words.next("a municipality")?;
            words.expect("reported")?;
            Command::TransferPlacement(TransferReport { placement, to, reported_on: words.next("a day")? })
        }
        "follow-on" => {
            let placement = identity(words.word("a placement")?)?;
            words.expect("housed")?;
            Command::RecordFollowOn(FollowOnReport { placement, housed_on: words.next("a day")? })
        }
        "rule" => {
            let kind = words.next("a kind")?;
            let counts = match words.word("whether it counts")? {
                "counts" => true,
                "does-not-count" => false,
                other => return Err(format!("cannot be read: {other:?} is not counts or does-not-count")),
            };
            words.expect("from")?;
            let from = words.next("a day")?;
            let until = if words.took("until") { Some(words.next("a day")?) } else { None };
            let report = CountingRuleReport { kind, counts, from, until, reference: reference() };
            Command::SetCountingRule(
                report.try_into().map_err(|it: peildatum::domain::Fault| it.to_string())?,
            )
        }
        "phase" => {
            let phase = words.next("a phase")?;
            let quota_in_force = match words.word("whether a quota is in force")? {
                "with-quota" => true,
                "without-quota" => false,
                other => return Err(format!("cannot be read: {other:?} is not with-quota or without-quota")),
            };
            words.expect("from")?;
            let from = words.next("a day")?;
            let until = if words.took("until") { Some(words.next("a day")?) } else { None };
            let report = PhaseReport { phase, from, until, quota_in_force, reference: reference() };
            Command::SetPhase(report.try_into().map_err(|it: peildatum::domain::Fault| it.to_string())?)
        }
        "amv-need" => {
            let from = words.next("a day")?;
            words.expect("until")?;
            let until = words.next("a day")?;
            let places = words.persons("a number")?;
            Command::SetAmvCapacity(AmvCapacity {
                from,
                until,
                places,
                per_municipality: None,
                reference: reference(),
            })
        }
        "amv-places" => Command::ReportAmvPlaces(AmvPlaces {
            counted_on: words.next("a day")?,
            places: words.persons("a number")?,
            per_municipality: None,
            reference: reference(),
        }),
        "objection" => {
            let objection = objection_id(words.word("an objection")?)?;
            let municipality = words.next("a municipality")?;
            let contests = match words.word("what is contested")? {
                "entry" => {
                    let number: u64 = words.next("an entry")?;
                    Contests::Entry { entry: Position(number.checked_sub(1).ok_or("entries count from 1")?) }
                }
                "placement" => Contests::Placement { placement: identity(words.word("a placement")?)? },
                "figure" => {
                    let (half_year, name) = (words.next("a half-year")?, words.next("a figure")?);
                    let mut number = || {
                        Balance::try_from(words.next::<i32>("a number")?).map_err(|fault| fault.to_string())
                    };
                    let published = number()?;
                    let claimed = number()?;
                    let report = FigureReport { half_year, name, published, claimed };
                    let figure = Figure::try_from(report).map_err(|fault| fault.to_string())?;
                    Contests::Figure { figure }
                }
                other => return Err(format!("cannot be read: {other:?} cannot be contested")),
            };
            let ground = words.next("a ground")?;
            words.expect("raised")?;
            let raised_on = words.next("a day")?;
            Command::RecordObjection(ObjectionReport {
                objection,
                municipality,
                contests,
                ground,
                raised_on,
                reference: reference(),
            })
        }
        "settled" => Command::SettleObjection(ObjectionSettled {
            objection: objection_id(words.word("an objection")?)?,
            outcome: words.next("an outcome")?,
            settled_on: words.next("a day")?,
            reference: reference(),
        }),
        other => return Err(format!("cannot be read: {other:?} is not an event")),
    };
    words.end()?;
    Ok(command)
}
