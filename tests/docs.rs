//! The documentation says what the program does: codes, columns, types, words, links and examples.
//!
//! Each list is compared in both directions and as a whole, so a page that lost its table fails as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use peildatum::book::Book;
use peildatum::book::reconciliation::Category;
use peildatum::book::statement::Reading;
use peildatum::decide::refusal::Refusal;
use peildatum::domain::access::Role;
use peildatum::domain::area::Area;
use peildatum::domain::event::EventName;
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::placement::{PlacementFault, PlacementKind};
use peildatum::domain::quota::ExchangeFault;
use peildatum::domain::rules::counts_by_default;
use peildatum::domain::time::{AsOf, Day, LogSize, RecordedAt, ReferenceDate};
use peildatum::feed::cloudevent::EventLines;
use peildatum::feed::csv::CsvFile;
use peildatum::feed::own_list;
use peildatum::feed::plan;
use peildatum::feed::receipt::Totals;
use peildatum::feed::{self, FeedError};
use peildatum::ledger::{Ledger, ListSeal, Outside};
use peildatum::proof::content::ContentHash;
use peildatum::report::reconciliation;
use peildatum::store::Access;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The part of a page under a heading, up to the next heading of the same or a higher level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let level = heading.bytes().take_while(|&byte| byte == b'#').count();
    let start = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading:?}"));
    let body = &page[start + heading.len() + 2..];
    let next = (1..=level).filter_map(|level| body.find(&format!("\n{} ", "#".repeat(level)))).min();
    &body[..next.unwrap_or(body.len())]
}

/// The cells of the rows of every table in a text, without their headers.
fn table_rows(text: &str) -> Vec<Vec<&str>> {
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in text.lines() {
        let Some(cells) = line.strip_prefix("| ").or_else(|| line.strip_prefix("|-")) else {
            in_table = false;
            continue;
        };
        if line.starts_with("|-") {
            in_table = true;
        } else if in_table {
            rows.push(cells.trim_end_matches('|').split('|').map(str::trim).collect());
        }
    }
    rows
}

/// The word in a cell that holds one word of code.
fn code(cell: &str) -> &str {
    cell.strip_prefix('`').and_then(|it| it.strip_suffix('`')).unwrap_or_else(|| panic!("no code: {cell}"))
}

#[test]
fn every_refusal_is_explained_in_its_order() {
    // The one list of all codes is the source itself: a refusal has no list of its variants.
    let source = read("src/decide/refusal.rs");
    let body = source.split("pub fn code(").nth(1).and_then(|it| it.split("pub fn ").next()).unwrap();
    let mut codes: Vec<&str> = Vec::new();
    for line in body.lines().filter(|line| line.contains("=>")) {
        let given = line.split('"').nth(1).unwrap_or_else(|| panic!("no code in {line:?}"));
        if !codes.contains(&given) {
            codes.push(given);
        }
    }
    for known in [
        Refusal::PersonNumber { field: String::new() },
        Refusal::NoPlacement(PlacementFault::PermitAfter),
        Refusal::NoExchange(ExchangeFault::SidesDiffer),
        Refusal::UnknownPlacement,
    ] {
        assert!(codes.contains(&known.code()), "{} was not found in the source", known.code());
    }

    let page = read("docs/deliveries.md");
    let rows = table_rows(section(&page, "## Refusals"));
    let explained: Vec<&str> = rows.iter().map(|row| code(row[0])).collect();
    assert_eq!(explained, codes);
    assert!(rows.iter().all(|row| row.len() == 3 && row.iter().all(|cell| !cell.is_empty())));
}

fn header_of(columns: &[&str]) -> Result<&'static str, FeedError> {
    let text = columns.join(",") + "\n";
    CsvFile::open(text.as_bytes(), "coa".parse().unwrap()).map(|file| file.kind().name())
}

#[test]
fn every_column_of_every_kind_of_file_is_explained() {
    let page = read("docs/deliveries.md");
    // A kind of file, and a column that only it has: the program then names all of its columns.
    let kinds = [
        ("placements", "counts_from"),
        ("withdrawals", "reason"),
        ("allocations", "half_year"),
        ("carry-overs", "to_half_year"),
        ("population", "inhabitants"),
        ("municipalities", "safety_region"),
        ("objections", "raised_on"),
    ];
    for (kind, own) in kinds {
        let said = header_of(&[own]).expect_err("one column is not enough").to_string();
        assert!(said.contains(&format!("a file of {kind},")), "{said}");
        let all: Vec<&str> = said.split("has the columns ").nth(1).unwrap().split(", ").collect();
        assert_eq!(header_of(&all).unwrap(), kind);
        let is_needed = |column: &&str| {
            let others: Vec<&str> = all.iter().copied().filter(|it| it != column).collect();
            header_of(&others).is_err()
        };
        let known: BTreeMap<&str, bool> = all.iter().map(|column| (*column, is_needed(column))).collect();

        let text = section(&page, &format!("### {kind}"));
        let explained: BTreeMap<&str, bool> =
            table_rows(text).iter().map(|row| (code(row[0]), row[1] == "yes")).collect();
        assert_eq!(explained, known, "{kind}");
        let example = text.split("```\n").nth(1).expect("an example").lines().next().unwrap();
        assert_eq!(header_of(&example.split(',').collect::<Vec<_>>()).unwrap(), kind);
    }
    let headings = section(&page, "## CSV files").lines().filter(|line| line.starts_with("### ")).count();
    assert_eq!(headings, kinds.len() + 1, "each kind of file, and lists");
}

#[test]
fn every_type_of_cloudevent_is_listed_with_its_schema_and_example() {
    let page = read("docs/deliveries.md");
    let rows = table_rows(section(&page, "## JSON Lines of CloudEvents"));
    let typed: Vec<_> = rows.iter().filter(|row| row[0].starts_with("`nl.")).collect();
    let listed: Vec<&str> = typed.iter().map(|row| code(row[0])).collect();
    let known: Vec<&str> = EventName::ALL.iter().map(|it| it.cloudevent_type()).collect();
    assert_eq!(listed, known);
    for (row, name) in typed.iter().zip(EventName::ALL) {
        assert!(row[2].contains(&format!("/{name}.schema.json)")), "{name}");
        assert!(row[2].contains(&format!("/{name}.json)")), "{name}");
        let less = root().join(format!("schemas/delivered/{name}.schema.json")).exists();
        assert_eq!(row[2].contains("/delivered/"), less, "{name}");
    }
}

#[test]
fn the_glossary_has_every_event_kind_and_reading() {
    let page = read("docs/GLOSSARY.md");
    let first_cells = |heading: &str| -> Vec<String> {
        let rows = table_rows(section(&page, heading));
        rows.iter().map(|row| row[0].split(' ').next().unwrap().to_owned()).collect()
    };
    let events: Vec<String> = EventName::ALL.iter().map(|it| format!("`{it}`")).collect();
    assert_eq!(first_cells("## Events"), events);
    let readings: Vec<String> = Reading::ALL.iter().map(|it| format!("`{it}`")).collect();
    assert_eq!(first_cells("## Readings of a backlog"), readings);

    let kinds = section(&page, "## Kinds of placement");
    let rows: Vec<_> = table_rows(kinds).into_iter().filter(|row| row.len() == 5).collect();
    let explained: Vec<(&str, bool)> = rows.iter().map(|row| (code(row[0]), row[2] == "yes")).collect();
    let known: Vec<(&str, bool)> =
        PlacementKind::ALL.iter().map(|&it| (it.name(), counts_by_default(it))).collect();
    assert_eq!(explained, known);
    assert!(rows.iter().all(|row| ["[S]", "[I]", "[?]"].iter().any(|tag| row[4].starts_with(tag))));
}

/// The fields of an object: `carriedOver.used` for what stands inside another.
#[test]
fn the_page_about_access_says_who_sends_what_and_has_every_role() {
    let page = read("docs/access.md");
    let roles = table_rows(section(&page, "## Roles"));
    let found: Vec<_> = roles.iter().map(|row| code(row[0])).collect();
    assert_eq!(found, Role::ALL.iter().map(|role| role.name()).collect::<Vec<_>>());
    for (row, role) in roles.iter().zip(Role::ALL) {
        assert_eq!(row[2] != "nothing", role.delivers(), "{role}");
        assert_eq!(row[4] == "yes", role.delivers(), "{role}");
        assert_eq!(row[5] != "no", role.has_areas(), "{role}");
    }
    let events = table_rows(section(&page, "## Which event comes from whom"));
    let said: Vec<(&str, Vec<&str>)> =
        events.iter().map(|row| (code(row[0]), row[1].split(", ").map(code).collect())).collect();
    let is = |event: &EventName| {
        let who = Role::ALL.iter().filter(|role| role.may_send(*event)).map(|role| role.name());
        (event.name(), who.collect::<Vec<_>>())
    };
    assert_eq!(said, EventName::ALL.iter().map(is).collect::<Vec<_>>());
    assert!(events.iter().all(|row| row.len() == 3 && !row[2].is_empty()));
}

fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let Value::Object(object) = value else { return };
    for (key, value) in object {
        let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            // What stands inside an area or by kind is described as a whole.
            Value::Object(_) if key != "area" && key != "realisedByKind" => fields(value, &name, found),
            _ => {
                found.insert(name);
            }
        }
    }
}

#[test]
fn the_glossary_has_every_field_of_a_statement() {
    let ledger = Example::deliver(&["municipalities.csv", "quota.jsonl"]);
    let on: Day = "2026-04-01".parse().unwrap();
    let as_of = AsOf { reference_date: ReferenceDate(on), known_at: ledger.ledger.size() };
    let statement = ledger.ledger.book().statement(Area::Country, as_of, Reading::OldestFirst).unwrap();
    let mut found = BTreeSet::new();
    fields(&serde_json::to_value(&statement).unwrap(), "", &mut found);
    assert!(found.contains("carriedOver.used") && found.contains("national.inForce"), "{found:?}");
    let page = read("docs/GLOSSARY.md");
    let text = section(&page, "## A statement");
    let missing: Vec<_> = found.iter().filter(|field| !text.contains(&format!("`{field}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");

    // And no field that a statement does not have.
    let empty = Book::default().statement(Area::Country, no_entries(), Reading::Total).unwrap();
    fields(&serde_json::to_value(&empty).unwrap(), "", &mut found);
    found.extend(["knownAt", "checkpoint"].map(str::to_owned));
    for row in table_rows(text) {
        for field in row[0].split(", ") {
            assert!(found.contains(code(field)), "{field} is not in a statement");
        }
    }
}

fn no_entries() -> AsOf {
    let half_year: HalfYear = "2026-I".parse().unwrap();
    AsOf { reference_date: ReferenceDate(half_year.first_day()), known_at: LogSize(0) }
}

/// A ledger of its own, fed with files of `docs/examples` on the day of the last letter.
struct Example {
    ledger: Ledger,
    _dir: tempfile::TempDir,
}

impl Example {
    fn deliver(files: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now: RecordedAt = "2026-04-03T10:00:00Z".parse().unwrap();
        let mut count = 0_u128;
        let ids = move |at: RecordedAt| {
            count += 1;
            let bytes: [u8; 10] = count.to_be_bytes()[6..].try_into().unwrap();
            uuid::Builder::from_unix_timestamp_millis(at.millis().unsigned_abs(), &bytes).into_uuid()
        };
        let outside = Outside { clock: Box::new(move || now), ids: Box::new(ids) };
        let path = dir.path().join("ledger");
        let (ledger, _) = Ledger::open(&path, Access::CreateIfAbsent, outside, &mut |_| {}).unwrap();
        let mut example = Self { ledger, _dir: dir };
        for file in files {
            let totals = example.one(file);
            assert!(totals.recorded > 0 && totals.recorded == totals.rows, "{file}: {totals:?}");
            let again = example.one(file);
            assert_eq!(again.known_already, totals.rows, "{file} sent twice: {again:?}");
        }
        example
    }

    fn one(&mut self, file: &str) -> Totals {
        let from = BufReader::new(File::open(root().join("docs/examples").join(file)).unwrap());
        let source = "example".parse().unwrap();
        let none = &mut |_: feed::Told<'_>| Ok(());
        let delivered = match file.ends_with(".jsonl") {
            true => feed::deliver(&mut self.ledger, &source, EventLines::new(from), none),
            false => {
                let rows = CsvFile::open(from, source.clone()).unwrap();
                feed::deliver(&mut self.ledger, &source, rows, none)
            }
        };
        delivered.unwrap().1
    }
}

#[test]
fn the_examples_deliver_in_the_order_of_the_page() {
    let page = read("docs/deliveries.md");
    let sequence: Vec<&str> = section(&page, "## A ledger from the first file on")
        .lines()
        .filter_map(|line| line.strip_prefix("peildatum deliver docs/examples/")?.split(' ').next())
        .collect();
    let mut example = Example::deliver(&sequence);
    let mend = example.one("placements-to-mend.csv");
    assert_eq!((mend.recorded, mend.refused), (1, 3));

    let mut used: BTreeSet<String> = sequence.iter().map(|file| (*file).to_owned()).collect();
    used.insert("placements-to-mend.csv".to_owned());
    // It is compared, not delivered, and with the other a forecast is computed.
    used.extend(["own-list.csv", "production-plan.csv"].map(str::to_owned));
    // These are replayed.
    let scenarios = ["not-lowered.json", "no-hotel-scheme.json"];
    used.extend(scenarios.map(str::to_owned));
    for scenario in scenarios {
        let text = read(&format!("docs/examples/{scenario}"));
        assert!(read("docs/scenarios.md").contains(&format!("```json\n{text}```")), "{scenario}");
    }
    let there: BTreeSet<String> = fs::read_dir(root().join("docs/examples"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(used, there, "each example is delivered in the sequence");
}

/// The page shows a list and what comes of it, but for the lines that differ between ledgers.
#[test]
fn the_page_about_reconciling_shows_what_comes_of_its_example() {
    let page = read("docs/reconciling.md");
    let list = read("docs/examples/own-list.csv");
    assert!(page.contains(&format!("```\n{list}```\n")), "the list itself");

    let files = read("docs/deliveries.md");
    let sequence: Vec<&str> = section(&files, "## A ledger from the first file on")
        .lines()
        .filter_map(|line| line.strip_prefix("peildatum deliver docs/examples/")?.split(' ').next())
        .collect();
    let ledger = Example::deliver(&sequence).ledger;
    let code = "GM0599".parse().unwrap();
    let scope = ledger.book().reconciliation_scope(code, "2026-I".parse().unwrap(), ledger.size()).unwrap();
    let rows = own_list::read(list.as_bytes()).unwrap().rows;
    let sha256 = ContentHash::of(list.as_bytes());
    let seal = ListSeal { file: "own-list.csv".to_owned(), sha256, rows: rows.len() as u64 };
    let reconciled = ledger.reconcile(&scope, seal, rows).unwrap();
    let mut table = Vec::new();
    reconciliation::table(&reconciled, &mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    let (_, below_the_heading) = table.split_once("\n\n").unwrap();
    assert!(page.contains(&format!("```\n{below_the_heading}```\n")), "{below_the_heading}");
}

#[test]
fn every_category_of_a_reconciliation_is_explained_with_what_to_do() {
    let page = read("docs/reconciling.md");
    let rows = table_rows(section(&page, "## What each category means, and who corrects what"));
    let explained: Vec<&str> = rows.iter().map(|row| code(row[0])).collect();
    let known: Vec<&str> = Category::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(explained, known);
    assert!(rows.iter().all(|row| row.len() == 4 && row.iter().all(|cell| !cell.is_empty())));
}

#[test]
fn every_column_of_a_production_plan_is_explained() {
    let page = read("docs/forecasting.md");
    let rows = table_rows(section(&page, "## Scenario 2: production plan"));
    let explained: Vec<(&str, bool)> = rows.iter().map(|row| (code(row[0]), row[1] == "yes")).collect();
    let is_needed = |column: &str| {
        let others: Vec<&str> = plan::COLUMNS.into_iter().filter(|it| *it != column).collect();
        let faults = plan::read(others.join(",").as_bytes()).expect_err("it has no rows").to_string();
        faults.contains(&format!("there is no column {column}"))
    };
    assert_eq!(explained, plan::COLUMNS.map(|column| (column, is_needed(column))));
}

#[test]
fn the_readme_shows_the_file_that_it_delivers() {
    let readme = read("README.md");
    assert!(readme.contains(&format!("```\n{}```", read("docs/examples/placements.csv"))));
    let picture = read("docs/statement.svg");
    for part in ["<title", "<desc", "$ peildatum statement NL --on 2026-01-01", "GENERATED"] {
        assert!(picture.contains(part), "{part}");
    }
}

/// Every file of the repository, but for what is built, by its path from the root.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            let ours = ["target", ".git", "peildatum-demo", "ledger"].map(Path::new);
            match entry.file_type().unwrap().is_dir() {
                true if ours.contains(&path.as_path()) => {}
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    assert!(found.len() > 100 && found.contains(&PathBuf::from("docs/GLOSSARY.md")), "{}", found.len());
    found
}

/// The name that a link gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for path in files().iter().filter(|it| it.extension().is_some_and(|it| it == "md")) {
        let page = read(path.to_str().unwrap());
        let links = page.split("](").skip(1).map(|it| it.split(')').next().unwrap());
        for link in links.filter(|it| !it.contains("://")) {
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, it)| (file, Some(it)));
            let target = match file {
                "" => root().join(path),
                _ => root().join(path).parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: nothing at {link}", path.display());
            if let Some(heading) = heading {
                let page = fs::read_to_string(&target).unwrap();
                let mut headings = page.lines().filter_map(|line| line.strip_prefix('#'));
                let there = headings.any(|it| anchor(it.trim_start_matches('#').trim()) == heading);
                assert!(there, "{}: no heading for {link}", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} links were found");
}

/// What gives away a machine: its folders, and hosts that only a build needs.
fn gives_away(text: &str) -> Option<String> {
    // Written in parts, so that this file does not hold what it looks for.
    let folders = ["home", "root", "work", "Users", "tmp"].map(|it| format!("/{it}/"));
    for folder in &folders {
        for (at, _) in text.match_indices(folder.as_str()) {
            // `docs/work/` is a path from the root of the repository, and `~/work/` is nobody's in particular.
            let before = text[..at].chars().next_back();
            if before.is_none_or(|it| !it.is_alphanumeric() && !"._-~/}".contains(it)) {
                return Some(folder.clone());
            }
        }
    }
    let hosts = ["crates|.io", "pypi|.org", "npmjs|.org", "npmjs|.com", "golang|.org", "docker|.io"];
    let hosts = hosts.map(|it| it.replace('|', ""));
    hosts.into_iter().find(|host| text.contains(host.as_str()))
}

#[test]
fn no_file_gives_away_a_machine_or_a_registry() {
    for (text, found) in [
        (format!("at /{}/someone/peildatum", "home"), true),
        (format!("\"/{}/x\"", "work"), true),
        (format!("see static.{}.io", "crates"), true),
        ("docs/work/x, src/home/y.rs and https://json-schema.org/draft".to_owned(), false),
    ] {
        assert_eq!(gives_away(&text).is_some(), found, "{text}");
    }
    // The package manager's own name for the public index, which stands where it writes or reads it.
    let index = format!("https://github.com/rust-lang/{}.io-index", "crates");
    for path in files() {
        let bytes = fs::read(root().join(&path)).unwrap();
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if ["Cargo.lock", "deny.toml"].map(Path::new).contains(&path.as_path()) {
            text = text.replace(&index, "");
        }
        assert_eq!(gives_away(&text), None, "{}", path.display());
    }
}
