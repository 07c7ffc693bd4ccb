//! Objections in a ledger on disk: the history of a placement and of any entry tells them, and they are found again when it
//! is opened, from the snapshot and from the journal.

use std::fs;

use crate::ledger_history::{day, fill, objection, offer, open, placement, settled_objection, uuid};
use peildatum::book::statement::Reading;
use peildatum::decide::command::Command;
use peildatum::decide::refusal::Refusal;
use peildatum::domain::area::Area;
use peildatum::domain::carry_over::CarryOver;
use peildatum::domain::event::{Entry, Event, EventName};
use peildatum::domain::objection::{Contests, FigureName, FigureReport, ObjectionReport};
use peildatum::domain::persons::Balance;
use peildatum::domain::placement::{WithdrawalReason, WithdrawalReport};
use peildatum::domain::time::{AsOf, LogSize, Position, ReferenceDate};
use peildatum::ledger::{By, Ledger, LedgerError, Offered};
use peildatum::report::table;
use peildatum::store::Access;
use tempfile::TempDir;

fn begun() -> (TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = open(&folder.path().join("ledger"), Access::CreateIfAbsent).unwrap();
    fill(&mut ledger, 4);
    (folder, ledger)
}

/// Records something, and gives its position.
fn recorded(ledger: &mut Ledger, command: Command) -> Position {
    match offer(ledger, [(None, command)])[..] {
        [Ok(Offered::Recorded(position))] => position,
        ref other => panic!("{other:?}"),
    }
}

fn chain(ledger: &Ledger, position: Position) -> Vec<Position> {
    let entries = ledger.history_of_entry(position).unwrap();
    entries.iter().map(|it: &Entry| it.position).collect()
}

/// The objection of a number, to something else.
fn contests(number: u64, contests: Contests) -> Command {
    let Command::RecordObjection(report) = objection(number) else { unreachable!("it objects") };
    Command::RecordObjection(ObjectionReport { contests, raised_on: day("2026-01-01"), ..report })
}

#[test]
fn every_entry_about_a_placement_leads_to_its_whole_chain_with_the_objections() {
    let (_folder, mut ledger) = begun();
    let first = ledger.history(placement(1).placement).unwrap()[0].position;
    let objected = recorded(&mut ledger, objection(1));
    let settled = recorded(&mut ledger, settled_objection(1));
    let withdrawal =
        WithdrawalReport { placement: placement(1).placement, reason: WithdrawalReason::WrongDate };
    let withdrawn = recorded(&mut ledger, Command::WithdrawPlacement(withdrawal));
    // Another objection to the same placement, by the position of an entry about it.
    let again = recorded(&mut ledger, contests(4, Contests::Entry { entry: withdrawn }));
    let all = vec![first, objected, settled, withdrawn, again];
    for position in &all {
        assert_eq!(chain(&ledger, *position), all, "{position}");
    }
    let history = ledger.history(placement(1).placement).unwrap();
    let told = table::history(&history);
    for said in [
        "contested by GM0002 (not_housed_here) on 2022-01-28: entry 4;",
        "objection 04000000-",
        "objection dismissed on",
    ] {
        assert!(told.contains(said), "{told}");
    }
    assert!(told.lines().all(|it| it.chars().count() <= 80), "{told}");
    assert_eq!(history, ledger.history_of_entry(settled).unwrap());
    assert_eq!(history[2].event.name(), EventName::ObjectionSettled);
    // The history of another placement knows nothing of it.
    assert_eq!(ledger.history(placement(2).placement).unwrap().len(), 1);
}

#[test]
fn an_entry_about_no_placement_stands_with_the_objections_to_it() {
    let (_folder, mut ledger) = begun();
    let code = placement(1).municipality;
    let persons =
        [(code, Balance::try_from(7).unwrap())].into_iter().collect::<std::collections::BTreeMap<_, _>>();
    let fixed = recorded(
        &mut ledger,
        Command::RecordCarryOver(CarryOver {
            from_half_year: "2025-I".parse().unwrap(),
            to_half_year: "2025-II".parse().unwrap(),
            persons: persons.try_into().unwrap(),
            reference: "Letter".parse().unwrap(),
        }),
    );
    let objected = recorded(&mut ledger, contests(1, Contests::Entry { entry: fixed }));
    let settled = recorded(
        &mut ledger,
        match settled_objection(1) {
            Command::SettleObjection(mut it) => {
                it.settled_on = day("2026-02-01");
                Command::SettleObjection(it)
            }
            _ => unreachable!("it settles"),
        },
    );
    for position in [fixed, objected, settled] {
        assert_eq!(chain(&ledger, position), [fixed, objected, settled]);
    }
    assert_eq!(chain(&ledger, Position(0)), [Position(0)]);

    let figure = FigureReport {
        half_year: "2025-I".parse().unwrap(),
        name: FigureName::Realised,
        published: Balance::try_from(3).unwrap(),
        claimed: Balance::try_from(4).unwrap(),
    };
    let figure = recorded(&mut ledger, contests(4, Contests::Figure { figure: figure.try_into().unwrap() }));
    assert_eq!(chain(&ledger, figure), [figure]);
    let size = ledger.size().0;
    assert!(matches!(
        ledger.history_of_entry(Position(size)),
        Err(LedgerError::NoSuchEntry { position, size: asked }) if position == size && asked == size
    ));

    // What explains a figure asks whether an entry of it is contested, for both times.
    let as_of = |on: &str, known_at| AsOf { reference_date: ReferenceDate(day(on)), known_at };
    let contested = |on: &str, known_at: Position| {
        let as_of = as_of(on, LogSize(known_at.0));
        let sum = ledger.book().contested(Area::Municipality(code), as_of).unwrap();
        (ledger.book().is_contested(fixed, as_of), sum.objections, sum.persons)
    };
    assert_eq!(contested("2026-01-15", objected), (false, 0, 0));
    assert_eq!(contested("2026-01-15", settled), (true, 1, 7));
    let as_known = as_of("2026-01-15", LogSize(settled.0));
    let answers = ledger.statements(Area::Country, By::Municipality, as_known, Reading::Total).unwrap();
    let one = answers.iter().find(|it| it.statement.contested.objections == 1).expect("the one that objects");
    let sentence = "Contested by 1 open objection: entries of 7 persons. What is contested";
    for told in [table::statement(one), table::statements("All", &answers)] {
        assert!(told.contains(sentence), "{told}");
    }
    assert_eq!(contested("2025-12-31", settled), (false, 0, 0));
    assert_eq!(contested("2026-02-01", settled), (true, 1, 7));
    assert_eq!(contested("2026-02-01", figure), (false, 0, 0));
    assert!(!ledger.book().is_contested(Position(0), as_of("2026-01-15", ledger.size())));
}

#[test]
fn objections_are_decided_about_alike_with_the_snapshot_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    let (mut ledger, _) = open(&dir, Access::CreateIfAbsent).unwrap();
    fill(&mut ledger, 66_000);
    ledger.close().unwrap();
    assert!(dir.join("snapshot").read_dir().unwrap().next().is_some(), "a segment was written");
    for with_snapshot in [true, false] {
        if !with_snapshot {
            fs::remove_dir_all(dir.join("snapshot")).unwrap();
        }
        let (mut ledger, _) = open(&dir, Access::MustExist).unwrap();
        let objections: Vec<_> = ledger.history(uuid(4).try_into().unwrap()).unwrap();
        assert!(objections.iter().any(|it| matches!(it.event, Event::ObjectionSettled(_))));
        ledger.rehearse().unwrap();
        let Command::RecordObjection(open) = objection(2_254) else { unreachable!("it objects") };
        let another =
            Command::RecordObjection(ObjectionReport { objection: uuid_of(99_999), ..open.clone() });
        let decided = offer(
            &mut ledger,
            [
                objection(2_254),
                another,
                settled_objection(4),
                settled_objection(2_254),
                settled_objection(2_255),
            ]
            .map(|command| (None, command)),
        );
        assert!(
            matches!(
                decided[..],
                [
                    Ok(Offered::Known(_)),
                    Err(Refusal::ObjectedAlready(_)),
                    Ok(Offered::Known(_)),
                    Ok(Offered::Recorded(_)),
                    Err(Refusal::UnknownObjection),
                ]
            ),
            "{decided:?}"
        );
        ledger.close().unwrap();
    }
}

fn uuid_of(number: u64) -> peildatum::domain::source::ObjectionId {
    crate::ledger_history::event_id(number).uuid().try_into().unwrap()
}
