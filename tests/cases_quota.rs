//! `share` and `evaluate` in a case: what follows from inhabitants, and what a decision about a quota would do.

use peildatum::book::evaluation::{Proposal, ToEvaluate};
use peildatum::book::share::{Share, ToShare};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::persons::Persons;
use peildatum::domain::time::LogSize;

use crate::cases::{Words, each_is, is_refused, read};
use crate::world::World;

enum Found {
    Share(Share),
    Proposal(Box<Proposal>),
}

/// `share HALF-YEAR [of N] [rounded R] [counted DAY] [known at SIZE] -> NAME VALUE, ..` and
/// `evaluate HALF-YEAR [expected N] [tolerance N] [counted DAY] [known at SIZE] -> NAME VALUE, ..`.
pub fn ask(world: &World, what: &str, line: &str) -> Result<(), String> {
    let (question, expected) = line.split_once("->").ok_or("cannot be read: a question has an arrow ->")?;
    let expected = expected.trim();
    let mut words = Words::of(question);
    let half_year = words.next("a half-year")?;
    let (mut total, mut rounding, mut now_expected) = (None, None, None);
    let (mut tolerance, mut counted_on, mut known_at) = (Persons::default(), None, world.size());
    while !words.is_empty() {
        match words.word("a detail")? {
            "of" => total = Some(persons(&mut words)?),
            "rounded" => rounding = Some(words.next("a rounding")?),
            "expected" => now_expected = Some(persons(&mut words)?),
            "tolerance" => tolerance = persons(&mut words)?,
            "counted" => counted_on = Some(words.next("a day")?),
            "known" if words.took("at") => known_at = LogSize(words.next("a number of entries")?),
            other => return Err(format!("cannot be read: {other:?} was not expected")),
        }
    }
    let found = match what {
        "share" => {
            let asked = ToShare { half_year, known_at, total, rounding, counted_on };
            world.book.share(&asked).map(Found::Share)
        }
        _ => {
            let asked = ToEvaluate { half_year, known_at, now_expected, tolerance, counted_on };
            world.book.propose(&asked).map(|it| Found::Proposal(Box::new(it)))
        }
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return is_refused(&error, expected),
    };
    each_is(expected, |name| {
        let is = match &found {
            Found::Share(it) => of_share(it, name),
            Found::Proposal(it) => of_proposal(it, name),
        };
        is.ok_or_else(|| format!("{what} has nothing called {name:?}"))
    })
}

fn persons(words: &mut Words<'_>) -> Result<Persons, String> {
    let number: u32 = words.next("a number")?;
    Persons::try_from(number).map_err(|fault| fault.to_string())
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |it| it.to_string())
}

fn of_share(share: &Share, name: &str) -> Option<String> {
    Some(match name {
        "total" => share.total.to_string(),
        "sum" => share.sum.to_string(),
        "difference" => share.difference.to_string(),
        "inhabitants" => share.inhabitants.to_string(),
        "counted on" => share.counted_on.to_string(),
        "rounded" => share.rounding.to_string(),
        "rounded by" => share.rounding_by.to_string(),
        "published" => or_none(share.published),
        "municipalities" => share.municipalities.len().to_string(),
        _ => {
            let (code, what) = name.split_once(' ').unwrap_or((name, "share"));
            let it = share.municipalities.iter().find(|it| it.code.to_string() == code)?;
            match what {
                "share" => it.share.to_string(),
                "inhabitants" => it.inhabitants.to_string(),
                "published" => or_none(it.published),
                "difference" => or_none(it.difference),
                _ => return None,
            }
        }
    })
}

/// Of an outcome: `kept 2026-I due`, and of one municipality `kept 2026-I due GM0599`.
fn of_proposal(it: &Proposal, name: &str) -> Option<String> {
    let last = it.decided.last();
    Some(match name {
        "found" => it.finding.to_string(),
        "quota" => it.basis.quota.to_string(),
        "based on" => it.basis.expected.to_string(),
        "now expected" => it.now_expected.persons.to_string(),
        "months" => it.now_expected.months.len().to_string(),
        "difference" => it.difference.to_string(),
        "outcomes" => it.outcomes.len().to_string(),
        "decided" => or_none(last.map(|it| it.decision)),
        "outside the rule" => or_none(last.and_then(|it| it.outside_rule)),
        _ => {
            let mut words = Words::of(name);
            let decision = words.word("an outcome").ok()?;
            let outcome = it.outcomes.iter().find(|it| it.decision == decision)?;
            let what = words.word("what").ok()?;
            match what {
                "allowed" => return Some(outcome.allowed.to_string()),
                "carried" => return Some(outcome.carried_forward.to_string()),
                _ => {}
            }
            let half_year: HalfYear = read(what).ok()?;
            let period = outcome.periods.iter().find(|it| it.half_year == half_year)?;
            let what = words.word("what").ok()?;
            if words.is_empty() {
                return Some(match what {
                    "national" => or_none(period.national),
                    "in-force" => period.quota_in_force.to_string(),
                    "numbers" => period.numbers_by.to_string(),
                    "number" => period.number.to_string(),
                    "due" => period.due.to_string(),
                    "remaining" => period.remaining.to_string(),
                    _ => return None,
                });
            }
            let code = words.word("a municipality").ok()?;
            let effect = period.municipalities.iter().find(|it| it.code.to_string() == code)?;
            match what {
                "number" => effect.number.to_string(),
                "due" => effect.due.to_string(),
                "remaining" => effect.remaining.to_string(),
                _ => return None,
            }
        }
    })
}
