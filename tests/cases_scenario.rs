//! What a case asks under a scenario, in the words of `tests/cases/README.md`.

use peildatum::book::Book;
use peildatum::domain::event::{Entry, EventName};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::source::PlacementId;
use peildatum::domain::time::{LogSize, Position, RecordedAt};
use peildatum::ledger::{History, LedgerError, Scenario, Selector, Supposed, changes};

use crate::cases;
use crate::world::World;

impl History for World {
    fn size(&self) -> LogSize {
        World::size(self)
    }

    fn size_at(&self, time: RecordedAt) -> LogSize {
        LogSize(self.entries.iter().filter(|it| it.recorded_at < time).count() as u64)
    }

    fn entry(&self, position: Position) -> Result<Entry, LedgerError> {
        Ok(self.entries[usize::try_from(position.0).expect("a small log")].clone())
    }

    fn about(&self, placement: PlacementId) -> Result<Vec<Entry>, LedgerError> {
        let about = |it: &&Entry| it.event.placement() == Some(placement);
        Ok(self.entries.iter().filter(about).cloned().collect())
    }

    fn book(&self) -> &Book<'static> {
        &self.book
    }
}

/// The lines of a scenario: first what it leaves out and supposes, then the questions under it. Gives what comes out
/// otherwise, with the number of the line.
pub fn ask(world: &World, lines: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut scenario =
        Scenario { name: "of a case".to_owned(), without: Vec::new(), with: Vec::new(), reading: None };
    let mut wrong = Vec::new();
    let mut questions = 0;
    for &(number, line) in lines {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let outcome = match first {
            "without" => selector(rest).map(|it| scenario.without.push(it)),
            "with" => supposed(rest).map(|it| scenario.with.push(it)),
            "refused" => {
                questions += 1;
                match changes(&scenario, world) {
                    Err(LedgerError::Unplayable(said)) => {
                        let told = said.faults.iter().map(|(at, problem)| format!("{at}: {problem}"));
                        let told = told.collect::<Vec<_>>().join("; ");
                        match told == rest {
                            true => Ok(()),
                            false => Err(format!("expected {rest:?}, but it is {told:?}")),
                        }
                    }
                    Err(fault) => Err(fault.to_string()),
                    Ok(_) => Err("expected a refusal, but it can be replayed".to_owned()),
                }
            }
            "standing" | "statement" => {
                questions += 1;
                let changes = changes(&scenario, world).map_err(|fault| fault.to_string());
                changes.and_then(|changes| cases::ask(world, &world.book.under(&changes), first, rest))
            }
            _ => Err(format!("cannot be read: {line}")),
        };
        wrong.extend(outcome.err().map(|what| (number, what)));
    }
    if questions == 0 {
        wrong.push((lines.first().map_or(1, |(number, _)| *number), "the scenario asks nothing".to_owned()));
    }
    wrong
}

/// `entry N`, `placement P1`, `rules KIND` or `EVENT HALF-YEAR`.
fn selector(line: &str) -> Result<Selector, String> {
    let (what, which) = line.split_once(' ').ok_or("cannot be read: name what is left out")?;
    Ok(match what {
        "entry" => {
            let number: u64 = cases::read(which)?;
            Selector::Entry(Position(number.checked_sub(1).ok_or("entries count from 1")?))
        }
        "placement" => Selector::Placement(cases::identity(which)?),
        "rules" => Selector::RulesOf(cases::read(which)?),
        event => {
            let named = EventName::ALL.iter().find(|it| it.name() == event);
            let half_year: HalfYear = cases::read(which)?;
            Selector::OfHalfYear(*named.ok_or_else(|| format!("{event:?} is not an event"))?, half_year)
        }
    })
}

/// `[on DATE] EVENT ...`.
fn supposed(line: &str) -> Result<Supposed, String> {
    let (recorded_on, event) = match line.strip_prefix("on ").and_then(|rest| rest.split_once(' ')) {
        Some((day, event)) => (Some(cases::read(day)?), event),
        None => (None, line),
    };
    Ok(Supposed { recorded_on, command: cases::command(event)? })
}
