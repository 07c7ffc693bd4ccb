//! The part of a case that compares a list with the ledger: `tests/cases/README.md` says how it is written.

use peildatum::book::Unanswerable;
use peildatum::book::reconciliation::{Category, Line, ListRow, Placements, Reconciliation, reconcile};
use peildatum::domain::area::MunicipalityCode;
use peildatum::domain::event::Event;
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::reference::Reference;
use peildatum::domain::source::PlacementId;
use peildatum::domain::time::LogSize;

use crate::cases::{Words, identity, read};
use crate::world::World;

/// Compares as the ledger does, with the entries that a world holds.
pub fn compared(
    world: &World,
    code: MunicipalityCode,
    half_year: HalfYear,
    known_at: LogSize,
    rows: Vec<ListRow>,
) -> Result<Reconciliation, Unanswerable> {
    let scope = world.book.reconciliation_scope(code, half_year, known_at)?;
    let mut placements = Placements::new(&scope);
    for position in world.book.housing_within(&scope) {
        placements.take(&world.entries[position.0 as usize]);
    }
    for id in placements.to_look_up(&rows) {
        let about =
            world.entries[..known_at.0 as usize].iter().filter(|it| placement_of(&it.event) == Some(id));
        placements.look_up(id, about);
    }
    Ok(reconcile(&scope, &placements, rows))
}

/// The placement that an event houses, moves or takes back.
pub fn placement_of(event: &Event) -> Option<PlacementId> {
    match event {
        Event::PlacementRecorded(it) => Some(it.id()),
        Event::PlacementTransferred(it) => Some(it.placement),
        Event::PlacementWithdrawn(it) => Some(it.placement),
        _ => None,
    }
}

/// What is wrong with a comparison, and on which line; without one, on that of the question.
type Wrong = Vec<(Option<usize>, String)>;

/// `CODE HALF-YEAR [known at SIZE]`, then the rows of the list and all that the ledger has beside it, then both sums.
pub fn compare(world: &World, question: &str, lines: &[(usize, &str)]) -> Result<(), Wrong> {
    let whole = |what: String| vec![(None, what)];
    let (question, refused) = match question.split_once("->") {
        Some((question, refused)) => (question, Some(refused.trim())),
        None => (question, None),
    };
    let (code, half_year, known_at) = asked(world, question).map_err(whole)?;
    let mut rows = Vec::new();
    let mut expected = Vec::new();
    let mut sums = None;
    let mut wrong = Wrong::new();
    for &(number, line) in lines.iter().filter(|(_, line)| !line.starts_with('#')) {
        let understood = line.split_once("->").map(|(said, says)| (said, says.trim()));
        let outcome = match (understood, line.split_whitespace().next()) {
            (Some((said, says)), Some("row")) => row(number, said).map(|row| {
                rows.push(row);
                expected.push((number, Key::Row(number as u64), says));
            }),
            (Some((said, says)), Some("ledger")) => {
                let mut words = Words::of(said);
                words.word("ledger").and_then(|_| identity(words.word("a placement")?)).map(|id| {
                    expected.push((number, Key::Placement(id), says));
                })
            }
            (None, Some("sums")) => {
                sums = Some((number, line));
                Ok(())
            }
            _ => Err(format!("cannot be read: {line}")),
        };
        wrong.extend(outcome.err().map(|what| (Some(number), what)));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let found = match (compared(world, code, half_year, known_at, rows), refused) {
        (Ok(found), None) => found,
        (Ok(_), Some(_)) => return Err(whole("expected a refusal, but it can be compared".to_owned())),
        (Err(said), refused) => {
            let said = format!("refused: {said}");
            return match refused == Some(&said) {
                true => Ok(()),
                false => Err(whole(format!("it is {said}"))),
            };
        }
    };
    for line in &found.lines {
        let key = match (&line.list, line.ledger) {
            (Some(row), _) => Key::Row(row.row),
            (None, it) => Key::Placement(it.expect("one of both sides").placement),
        };
        let is = in_words(line);
        match expected.iter().position(|(_, it, _)| *it == key) {
            None => wrong.push((None, format!("nothing is expected of {}", shown(line)))),
            Some(index) => {
                let (number, _, says) = expected.remove(index);
                if says != is {
                    wrong.push((Some(number), format!("expected {says}, but it is {is}")));
                }
            }
        }
    }
    wrong.extend(expected.into_iter().map(|(number, ..)| (Some(number), "there is no such line".to_owned())));
    let shares: Vec<_> = found
        .split_shares
        .iter()
        .map(|it| format!(", split of {} {}", it.municipality, it.realised))
        .collect();
    let is =
        format!("sums list {}, ledger {}{}", found.realised.list, found.realised.ledger, shares.concat());
    match sums {
        None => wrong.push((None, "the sums are missing".to_owned())),
        Some((number, says)) if says != is => {
            wrong.push((Some(number), format!("expected {says}, but it is {is}")))
        }
        Some(_) => {}
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

#[derive(PartialEq)]
enum Key {
    Row(u64),
    Placement(PlacementId),
}

fn asked(world: &World, question: &str) -> Result<(MunicipalityCode, HalfYear, LogSize), String> {
    let mut words = Words::of(question);
    let (code, half_year) = (words.next("a municipality")?, words.next("a half-year")?);
    let known_at = match (words.took("known"), words.took("at")) {
        (false, _) => world.size(),
        (true, true) => LogSize(words.next("a number of entries")?),
        (true, false) => return Err("cannot be read: write known at SIZE".to_owned()),
    };
    words.end()?;
    Ok((code, half_year, known_at))
}

/// `row REFERENCE [placement NAME] DATE KIND [N persons]`.
fn row(number: usize, said: &str) -> Result<ListRow, String> {
    let mut words = Words::of(said);
    words.word("row")?;
    let reference: Reference = words.next("a reference")?;
    let placement = if words.took("placement") { Some(identity(words.word("a name")?)?) } else { None };
    let (date, kind) = (words.next("a date")?, words.next("a kind")?);
    let persons = if words.is_empty() { 1 } else { read(words.word("a number")?)? };
    words.took("persons");
    words.end()?;
    Ok(ListRow { row: number as u64, reference: Some(reference), placement, date, kind, persons })
}

/// `other date, effect 0, ledger says 2025-02-03`.
fn in_words(line: &Line) -> String {
    let said = line.category.name().replace('_', " ");
    let beside = match (&line.list, line.ledger) {
        (Some(_), Some(it)) if line.category != Category::Same => {
            format!(", the ledger says {} {} {} {}", it.municipality, it.date, it.kind, it.persons)
        }
        (None, Some(it)) => format!(", {} {} {}", it.date, it.kind, it.persons),
        _ => String::new(),
    };
    match line.effect {
        0 => format!("{said}{beside}"),
        effect => format!("{said}, effect {effect}{beside}"),
    }
}

fn shown(line: &Line) -> String {
    match (&line.list, line.ledger) {
        (Some(row), _) => format!("row {:?}", row.reference),
        (None, it) => format!("a placement of the ledger that says {:?}: {}", it, in_words(line)),
    }
}
