//! A scenario gives the answers of a ledger whose log lacks what it leaves out and holds what it supposes.

use std::cell::Cell;
use std::collections::HashMap;

use peildatum::book::Book;
use peildatum::book::Unanswerable;
use peildatum::book::explanation::{Behind, Explanation, Span, Step};
use peildatum::book::objection::ContestedSum;
use peildatum::book::scenario::Changes;
use peildatum::book::statement::{Reading, Statement};
use peildatum::domain::area::Area;
use peildatum::domain::event::{Entry, Event};
use peildatum::domain::time::{AsOf, Day, LogSize, Position, ReferenceDate};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::model::{Question, Wish, asked, histories, record};
use crate::world::World;

/// Which entries are left out, and which entries of another history are supposed, after which of this one.
type Wanted = (Vec<u16>, Vec<(u16, u16)>);

fn wanted() -> impl Strategy<Value = Wanted> {
    (vec(any::<u16>(), 0..6), vec(any::<(u16, u16)>(), 0..6))
}

fn is_objection(event: &Event) -> bool {
    matches!(event, Event::ObjectionRecorded(_) | Event::ObjectionSettled(_))
}

fn changes(world: &World, other: &World, (without, with): &Wanted) -> Changes {
    let size = world.entries.len();
    let mut left_out: Vec<_> = without.iter().map(|it| &world.entries[usize::from(*it) % size]).collect();
    left_out.retain(|it| !is_objection(&it.event));
    left_out.sort_by_key(|it| it.position);
    left_out.dedup_by_key(|it| it.position);
    let mut supposed: Vec<(Position, Event)> = Vec::new();
    for (which, at) in with {
        let event = &other.entries[usize::from(*which) % other.entries.len()].event;
        // Every third as if it had been recorded last.
        let at = if at % 3 == 0 { size - 1 } else { usize::from(*at) % size };
        if !is_objection(event) {
            supposed.push((Position(at as u64), event.clone()));
        }
    }
    let is_rule = |event: &Event| matches!(event, Event::CountingRuleSet(_));
    supposed.sort_by_key(|(position, event)| (*position, !is_rule(event)));
    let left_out = left_out.into_iter().map(|it| (it.position, it.event.clone())).collect();
    Changes { left_out, remade: Vec::new(), supposed }
}

/// The book of the log as it would have been.
fn written_out(world: &World, changes: &Changes) -> Book<'static> {
    let mut book = Book::default();
    for entry in &world.entries {
        if !changes.left_out.iter().any(|(position, _)| *position == entry.position) {
            book.apply(entry);
        }
        for (_, event) in changes.supposed.iter().filter(|(position, _)| *position == entry.position) {
            book.apply(&Entry { event: event.clone(), ..entry.clone() });
        }
    }
    book
}

/// Who contests an entry that would not be there contests nothing, so that is left aside.
fn plain(answer: Result<Statement, Unanswerable>) -> Result<Statement, Unanswerable> {
    answer.map(|it| Statement { contested: ContestedSum::default(), ..it })
}

fn explained(book: &Book<'_>, area: Area, span: Span) -> Option<(Explanation, Vec<Vec<Behind>>)> {
    let (explanation, explaining) = book.explain(area, span).ok()?;
    let behind = explanation.steps.iter().map(|step| {
        // What is supposed right after an entry stands at the same position in a log that is written out.
        let mut merged: Vec<Behind> = Vec::new();
        for mut it in explaining.behind(step) {
            (it.contested, it.supposed) = (false, None);
            if let Some(rule) = &mut it.rule {
                rule.supposed = false;
            }
            let same = |other: &&mut Behind| Behind { persons: other.persons, ..it } == **other;
            match merged.iter_mut().find(same) {
                Some(other) => other.persons = other.persons.zip(it.persons).map(|(one, more)| one + more),
                None => merged.push(it),
            }
        }
        merged.sort();
        merged
    });
    let behind = behind.collect();
    // So it is counted once there, and by itself in a scenario.
    let steps = explanation.steps.iter().map(|step| Step { entries: 0, ..*step }).collect();
    Some((Explanation { contested: ContestedSum::default(), steps, ..explanation }, behind))
}

fn start() -> ReferenceDate {
    ReferenceDate("2019-01-01".parse().expect("a day"))
}

#[test]
fn a_scenario_is_the_ledger_as_it_would_have_been() {
    let (answers, other_answers) = (Cell::new(0), Cell::new(0));
    let by_kind = Cell::new(HashMap::new());
    let mut runner = TestRunner::new(ProptestConfig { cases: 256, ..ProptestConfig::default() });
    let strategy = (histories(), histories(), wanted());
    runner
        .run(&strategy, |((wishes, questions), (others, _), wanted): ((Vec<Wish>, Vec<Question>), _, _)| {
            let (mut world, mut other) = (World::default(), World::default());
            record(&mut world, &wishes);
            record(&mut other, &others);
            let changes = changes(&world, &other, &wanted);
            let under = world.book.under(&changes);
            // Boundary changes that contradict each other are refused before they are asked about.
            prop_assume!(under.taken_over_wrongly().is_none());
            let written = written_out(&world, &changes);
            for question in questions {
                let (area, as_of, reading) = asked(question, world.size());
                let is = plain(under.statement(area, as_of, reading));
                prop_assert_eq!(&is, &plain(written.statement(area, as_of, reading)), "{:?}", changes);
                prop_assert_eq!(under.by_province(as_of, reading).len(), 12);
                answers.set(answers.get() + 1);
                if is != plain(world.book.statement(area, as_of, reading)) {
                    other_answers.set(other_answers.get() + 1);
                }
                let from = AsOf { reference_date: start(), known_at: LogSize(as_of.known_at.0 / 2) };
                if let Ok(span) = Span::new(from, as_of) {
                    prop_assert_eq!(explained(&under, area, span), explained(&written, area, span));
                }
            }
            let mut kinds = by_kind.take();
            for (_, event) in changes.left_out.iter().chain(&changes.supposed) {
                *kinds.entry(event.name()).or_insert(0) += 1;
            }
            by_kind.set(kinds);
            Ok(())
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert!(answers.get() > 5_000, "only {} answers", answers.get());
    assert!(other_answers.get() > 1_000, "only {} answers were other ones", other_answers.get());
    // Facts that statements are made of were left out or supposed of nearly every kind.
    assert!(by_kind.take().len() >= 14);
}

#[test]
fn a_scenario_without_changes_equals_what_was_recorded() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 64, ..ProptestConfig::default() });
    runner
        .run(&histories(), |(wishes, questions): (Vec<Wish>, Vec<Question>)| {
            let mut world = World::default();
            record(&mut world, &wishes);
            let under = world.book.under(&Changes::default());
            for question in questions {
                let (area, as_of, reading) = asked(question, world.size());
                prop_assert_eq!(
                    under.statement(area, as_of, reading),
                    world.book.statement(area, as_of, reading)
                );
                prop_assert_eq!(under.contested(area, as_of), world.book.contested(area, as_of));
                if let Ok(span) = Span::new(AsOf { reference_date: start(), ..as_of }, as_of) {
                    prop_assert_eq!(explained(&under, area, span), explained(&world.book, area, span));
                }
            }
            Ok(())
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
}

/// Of two scenarios that leave out different entries about housing, each changes what remains by as much, whether the other
/// one holds or not.
#[test]
fn scenarios_commute_where_they_do_not_touch_each_other() {
    let both = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig { cases: 128, ..ProptestConfig::default() });
    let strategy = (histories(), any::<[u16; 8]>());
    runner
        .run(&strategy, |((wishes, _), picks): ((Vec<Wish>, Vec<Question>), [u16; 8])| {
            let mut world = World::default();
            record(&mut world, &wishes);
            let placements: Vec<_> = world
                .entries
                .iter()
                .filter(|it| matches!(it.event, Event::PlacementRecorded(_) | Event::PlacementWithdrawn(_)))
                .map(|it| (it.position, it.event.clone()))
                .collect();
            // The shares of who divides a municipality are rounded, so what a change makes of them depends on the rest.
            let divides =
                |it: &Entry| matches!(&it.event, Event::BoundaryChanged(change) if change.heirs().len() > 1);
            prop_assume!(placements.len() >= 2 && !world.entries.iter().any(divides));
            let mut of = [Changes::default(), Changes::default()];
            for (number, pick) in picks.into_iter().enumerate() {
                let one = &placements[usize::from(pick) % placements.len()];
                let other = &of[(number + 1) % 2].left_out;
                if !other.contains(one) && !of[number % 2].left_out.contains(one) {
                    of[number % 2].left_out.push(one.clone());
                }
            }
            let mut together = Changes::default();
            for it in &mut of {
                it.left_out.sort_by_key(|(position, _)| *position);
                together.left_out.extend(it.left_out.clone());
            }
            together.left_out.sort_by_key(|(position, _)| *position);
            let on: Day = "2024-12-31".parse().expect("a day");
            let as_of = AsOf { reference_date: ReferenceDate(on), known_at: world.size() };
            let remaining = |changes: &Changes| {
                let book = world.book.under(changes);
                let all = book.by_municipality(Area::Country, as_of, Reading::Total).expect("a country");
                all.iter().map(|it| it.remaining).collect::<Vec<_>>()
            };
            let [none, first, second, all] = [&Changes::default(), &of[0], &of[1], &together].map(remaining);
            for at in 0..none.len() {
                prop_assert_eq!(all[at] - first[at], second[at] - none[at]);
            }
            both.set(both.get() + usize::from(first != none && second != none));
            Ok(())
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert!(both.get() > 30, "only {} pairs changed anything", both.get());
}
