//! Explanations add up: to the statements at both ends, and to the entries behind each step.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use peildatum::book::explanation::{Cause, EmptySpan, Explanation, Span, Step, StepLine};
use peildatum::book::statement::Reading;
use peildatum::decide::command::Command;
use peildatum::domain::area::Area;
use peildatum::domain::event::{Event, EventName};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::placement::PlacementKind;
use peildatum::domain::rules::counts_by_default;
use peildatum::domain::time::{AsOf, LogSize, Position, ReferenceDate};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};

use crate::model::{Question, Wish, asked, command, histories, parse, record};
use crate::world::World;

/// Two questions make a span, in whatever order they were drawn.
fn span(world: &World, one: Question, other: Question) -> (Area, Result<Span, EmptySpan>) {
    let (area, one, _) = asked(one, world.size());
    let (_, other, _) = asked(other, world.size());
    let at = |on: ReferenceDate, known_at: LogSize| AsOf { reference_date: on, known_at };
    let from = at(one.reference_date.min(other.reference_date), one.known_at.min(other.known_at));
    let to = at(one.reference_date.max(other.reference_date), one.known_at.max(other.known_at));
    (area, Span::new(from, to))
}

/// What remains of an area; nothing where it was not there yet.
fn remaining(world: &World, area: Area, as_of: AsOf) -> i64 {
    world.book.statement(area, as_of, Reading::Total).map_or(0, |it| it.remaining)
}

fn has_ceased(world: &World, area: Area, as_of: AsOf) -> bool {
    let said = world.book.statement(area, as_of, Reading::Total).err().map(|it| it.to_string());
    said.is_some_and(|it| it.contains("no longer exists"))
}

fn holds(world: &World, area: Area, span: Span, met: &mut BTreeMap<&'static str, u32>) -> TestCaseResult {
    let (from, to) = (span.from(), span.to());
    let between = AsOf { known_at: from.known_at, ..to };
    let Ok((explanation, explaining)) = world.book.explain(area, span) else {
        prop_assert!(world.book.statement(area, to, Reading::Total).is_err(), "a statement needs explaining");
        return Ok(());
    };
    // A municipality that has ceased as known earlier, and exists as known later, cannot be: nothing brings it back.
    prop_assert!(!has_ceased(world, area, from) && !has_ceased(world, area, between));
    prop_assert_eq!(explanation.standing_since, remaining(world, area, from), "where it begins");
    prop_assert_eq!(explanation.standing_as_known_before, remaining(world, area, between), "what happened");
    prop_assert_eq!(explanation.standing, remaining(world, area, to), "where it ends");
    let sum = |cause: Option<Cause>| -> i64 {
        explanation
            .steps
            .iter()
            .filter(|it| cause.is_none_or(|cause| it.cause == cause))
            .map(|it| it.change)
            .sum()
    };
    prop_assert_eq!(explanation.standing_since + sum(None), explanation.standing, "all steps");
    let happened = explanation.standing_as_known_before - explanation.standing_since;
    prop_assert_eq!(sum(Some(Cause::Happened)), happened, "what happened");
    let as_known_later = AsOf { known_at: to.known_at, ..from };
    if !has_ceased(world, area, as_known_later) {
        let restated = remaining(world, area, as_known_later) - explanation.standing_since;
        prop_assert_eq!(sum(Some(Cause::LearnedOfBefore)), restated, "what was restated");
    }
    for step in &explanation.steps {
        behind(world, &explanation, step, explaining.behind(step), span, met)?;
        let what = match step.line {
            StepLine::Boundary => "boundary changes",
            StepLine::CarryOver => "fixed carry-overs",
            StepLine::NotCounted => "placements that do not count",
            _ if step.by_boundary != 0 => "a share of what was housed",
            _ => step.cause.name(),
        };
        *met.entry(what).or_default() += 1;
    }
    if area == Area::Country {
        // What one municipality loses by a boundary change another one gets.
        prop_assert!(explanation.steps.iter().all(|it| it.by_boundary == 0), "{:?}", explanation.steps);
        let boundary =
            explanation.steps.iter().filter(|it| it.line == StepLine::Boundary).map(|it| it.change);
        prop_assert_eq!(boundary.sum::<i64>(), 0);
    }
    Ok(())
}

/// The entries behind a step are known at its end, and move what it says.
fn behind(
    world: &World,
    explanation: &Explanation,
    step: &Step,
    behind: Vec<peildatum::book::explanation::Behind>,
    span: Span,
    met: &mut BTreeMap<&'static str, u32>,
) -> TestCaseResult {
    let positions: BTreeSet<Position> = behind.iter().map(|it| it.position).collect();
    prop_assert_eq!(positions.len() as u64, step.entries, "{:?}", step);
    prop_assert!(positions.iter().all(|it| it.is_known_at(span.to().known_at)));
    prop_assert!(behind.is_sorted(), "in the order of the log");
    match step.line {
        StepLine::CarryOver => {
            for it in &positions {
                let name = world.entries[it.0 as usize].event.name();
                prop_assert_eq!(name, EventName::CarryOverRecorded);
            }
            prop_assert!(!positions.is_empty(), "a carry-over is fixed by an entry: {:?}", step);
        }
        StepLine::Boundary => {
            // Boundary changes, and what they brought of the municipalities that ceased.
            let is_change =
                |it: &Position| world.entries[it.0 as usize].event.name() == EventName::BoundaryChanged;
            prop_assert!(behind.iter().all(|it| it.persons.is_none()));
            prop_assert!(!positions.is_empty(), "boundaries change by an entry: {:?}", step);
            let what = if positions.iter().all(is_change) { "boundaries alone" } else { "brought" };
            *met.entry(what).or_default() += 1;
        }
        _ => {
            for rule in behind.iter().filter_map(|it| it.rule) {
                let kind = step.kind.expect("persons were housed in some way");
                let said = match rule.position {
                    None => counts_by_default(kind),
                    Some(at) => match &world.entries[at.0 as usize].event {
                        Event::CountingRuleSet(it) => it.counts(),
                        other => panic!("{other:?} sets no rule"),
                    },
                };
                prop_assert_eq!(rule.counts, said, "{:?}", step);
                prop_assert_eq!(rule.counts, step.line == StepLine::Housed, "{:?}", step);
            }
            let moved: i64 = behind.iter().filter_map(|it| it.persons).sum();
            prop_assert_eq!(moved + step.by_boundary, step.persons, "{:?} of {:?}", step, explanation.area);
        }
    }
    if step.cause == Cause::Happened {
        prop_assert!(positions.iter().all(|it| it.is_known_at(span.from().known_at)));
    }
    Ok(())
}

#[test]
fn every_explanation_adds_up_to_both_standings_and_to_the_entries_behind_it() {
    let mut met = BTreeMap::new();
    let met_here = std::cell::RefCell::new(&mut met);
    let questions = prop::collection::vec((any::<[u16; 4]>(), any::<[u16; 4]>()), 24);
    let mut runner = TestRunner::new(ProptestConfig { cases: 192, ..ProptestConfig::default() });
    let all = (histories(), questions);
    runner
        .run(&all, |((wishes, _), questions): ((Vec<Wish>, _), Vec<(Question, Question)>)| {
            let mut world = World::default();
            record(&mut world, &wishes);
            for (one, other) in questions {
                if let (area, Ok(span)) = span(&world, one, other) {
                    holds(&world, area, span, &mut met_here.borrow_mut())?;
                }
            }
            Ok(())
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
    for what in [
        "boundary changes",
        "fixed carry-overs",
        "placements that do not count",
        "a share of what was housed",
        "brought",
        "happened",
        "learned_of_before",
        "learned_of_between",
    ] {
        assert!(met.get(what).is_some_and(|times| *times > 5), "{what} was hardly met: {met:?}");
    }
}

/// Without boundary changes a step is a plain sum over the entries, which a naive reading of the log gives.
#[test]
fn what_was_housed_is_explained_as_a_plain_reading_of_the_log_gives_it() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 64, ..ProptestConfig::default() });
    let all = (histories(), any::<[[u16; 4]; 2]>());
    runner
        .run(&all, |((mut wishes, _), [one, other])| {
            // Placements only, of kinds that never change their rule.
            wishes.retain(|it| matches!(command(*it), Some(Command::RecordPlacement(_))));
            let mut world = World::default();
            record(&mut world, &wishes);
            let (_, Ok(span)) = span(&world, one, other) else { return Ok(()) };
            let (explanation, _) = world.book.explain(Area::Country, span).expect("the country is there");
            let mut naive = BTreeMap::<(Cause, HalfYear, PlacementKind), i64>::new();
            for (index, entry) in world.entries.iter().enumerate() {
                let peildatum::domain::event::Event::PlacementRecorded(it) = &entry.event else { continue };
                let housed = it.housed();
                let position = index as u64;
                let (since, on) = (span.from().reference_date.0, span.to().reference_date.0);
                let (before, known) = (position < span.from().known_at.0, position < span.to().known_at.0);
                let day = housed.counts_from;
                let cause = match (before, known, day < since, day < on) {
                    (true, _, false, true) => Cause::Happened,
                    (false, true, true, _) => Cause::LearnedOfBefore,
                    (false, true, false, true) => Cause::LearnedOfBetween,
                    _ => continue,
                };
                *naive.entry((cause, day.half_year(), housed.kind)).or_default() += housed.persons.count();
            }
            let explained = explanation.steps.iter().filter(|it| it.kind.is_some());
            let explained: BTreeMap<_, _> = explained
                .map(|it| ((it.cause, it.half_year, it.kind.expect("a kind")), it.persons))
                .collect();
            prop_assert_eq!(explained, naive);
            Ok(())
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn a_span_goes_forward_in_both_times_or_says_why_not() {
    let at = |on: &str, size| AsOf { reference_date: ReferenceDate(parse(on)), known_at: LogSize(size) };
    let said = |from, to| Span::new(from, to).map_err(|error| error.to_string());
    assert!(said(at("2025-01-01", 3), at("2025-01-01", 4)).is_ok());
    assert!(said(at("2025-01-01", 3), at("2025-01-02", 3)).is_ok());
    for (from, to, why) in [
        (at("2025-01-02", 3), at("2025-01-01", 4), "2025-01-02 is after 2025-01-01"),
        (at("2025-01-01", 5), at("2025-01-02", 4), "log size 5 is larger than 4"),
        (at("2025-01-01", 4), at("2025-01-01", 4), "both moments are 2025-01-01 as known at log size 4"),
    ] {
        let error = said(from, to).expect_err("nothing lies between");
        assert!(error.starts_with(why), "{error}");
    }
}

/// The standing at the end of a half-year changes only where something touched it.
#[test]
fn between_two_touches_a_closing_standing_stays_what_it_was() {
    let touched = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig { cases: 96, ..ProptestConfig::default() });
    let all = (histories(), any::<[u16; 4]>(), 0..5_usize);
    runner
        .run(&all, |((wishes, _), question, half_year)| {
            let mut world = World::default();
            record(&mut world, &wishes);
            let half_year: HalfYear = parse(["2021-I", "2021-II", "2022-I", "2022-II", "2023-I"][half_year]);
            let (area, ..) = asked(question, world.size());
            let Ok((_, touches)) = world.book.touches(area, half_year, LogSize(0), world.size()) else {
                return Ok(());
            };
            let touches: HashSet<Position> = touches.into_iter().map(|it| it.position).collect();
            for size in 0..world.size().0 {
                let before = world.book.closing(area, half_year, LogSize(size));
                let after = world.book.closing(area, half_year, LogSize(size + 1));
                let registered =
                    world.entries[size as usize].event.name() == EventName::MunicipalityRegistered;
                if !touches.contains(&Position(size)) && !registered {
                    prop_assert_eq!(before, after, "entry {} touches it", size);
                }
            }
            touched.set(touched.get() + touches.len());
            Ok(())
        })
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert!(touched.get() > 500, "only {} touches", touched.get());
}
