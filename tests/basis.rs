//! A figure comes out of the entries that it rests on as it does out of the whole log.

use std::cell::Cell;

use peildatum::book::Book;
use peildatum::book::explanation::Span;
use peildatum::book::statement::Reading;
use peildatum::domain::time::{AsOf, ReferenceDate};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::model::{Question, Wish, asked, histories, record};
use crate::world::World;

/// The book of some of the entries, and how many those are.
fn rest(world: &World, area: peildatum::domain::area::Area, as_of: AsOf) -> Option<(Book<'static>, usize)> {
    let basis = world.book.basis(area, as_of).ok()?;
    let mut book = Book::default();
    for position in &basis {
        book.apply(&world.entries[position.0 as usize]);
    }
    Some((book, basis.len()))
}

#[test]
fn statement_and_explanation_follow_from_the_entries_that_they_rest_on() {
    let (answers, left_out) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig { cases: 128, ..ProptestConfig::default() });
    runner
        .run(&histories(), |(wishes, questions): (Vec<Wish>, Vec<Question>)| {
            let mut world = World::default();
            record(&mut world, &wishes);
            for question in questions {
                let (area, as_of, reading) = asked(question, world.size());
                let Some((book, entries)) = rest(&world, area, as_of) else {
                    prop_assert!(world.book.statement(area, as_of, reading).is_err());
                    continue;
                };
                let whole = world.book.statement(area, as_of, reading).expect("it has a basis");
                prop_assert_eq!(&book.statement(area, as_of, reading).expect("the same"), &whole);
                prop_assert_eq!(
                    book.before_everything(area, as_of),
                    world.book.before_everything(area, as_of)
                );
                let before = ReferenceDate("2019-01-01".parse().expect("a day"));
                if let Ok(span) = Span::new(AsOf { reference_date: before, ..as_of }, as_of) {
                    let (whole, explaining) = world.book.explain(area, span).expect("an explanation");
                    let (part, of_part) = book.explain(area, span).expect("the same");
                    prop_assert_eq!(&part, &whole);
                    for step in &whole.steps {
                        prop_assert_eq!(of_part.behind(step), explaining.behind(step));
                    }
                }
                answers.set(answers.get() + 1);
                left_out.set(left_out.get() + as_of.known_at.0 as usize - entries);
            }
            Ok(())
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert!(answers.get() > 1_000, "only {} answers", answers.get());
    assert!(left_out.get() > 10_000, "only {} entries were left out", left_out.get());
}

#[test]
fn what_does_not_exist_rests_on_nothing() {
    let mut world = World::default();
    record(&mut world, &[]);
    let on = ReferenceDate("2022-01-01".parse().expect("a day"));
    let as_of = AsOf { reference_date: on, known_at: world.size() };
    let unknown = "GM9999".parse().expect("a code");
    assert!(world.book.basis(unknown, as_of).is_err());
    assert!(world.book.statement(unknown, as_of, Reading::Total).is_err());
}
