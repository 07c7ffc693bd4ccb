//! Comparing a list with the ledger, against a naive model.
//!
//! The model replays the plain list of entries, and pairs by trying every row with every placement. Histories are those of
//! the model of the book; lists are what the ledger says, with random changes.

use std::collections::{BTreeMap, BTreeSet};

use peildatum::book::reconciliation::{Category, ListRow, Reconciliation};
use peildatum::book::statement::Reading;
use peildatum::domain::area::{Area, MunicipalityCode};
use peildatum::domain::event::{Entry, Event};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::placement::PlacementKind;
use peildatum::domain::rules::counts_by_default;
use peildatum::domain::source::PlacementId;
use peildatum::domain::time::{AsOf, Day, LogSize, Position, ReferenceDate};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use crate::cases::identity;
use crate::cases_reconcile::{compared, placement_of};
use crate::model;
use crate::world::World;

/// What may be done to a row: which change, and numbers that choose its details.
type Change = (u8, [u16; 3]);

/// The entries that are known, and what is asked about.
struct Naive<'a> {
    known: &'a [Entry],
    code: MunicipalityCode,
    half_year: HalfYear,
}

/// What the ledger says of a placement in the half-year.
#[derive(Clone, Copy, Debug)]
struct Stands {
    id: PlacementId,
    position: Position,
    date: Day,
    ruled_on: Day,
    kind: PlacementKind,
    persons: i64,
}

/// All steps of a placement: position, day, municipality, persons.
type Steps = Vec<(Position, Day, MunicipalityCode, i64)>;

impl Naive<'_> {
    /// The municipality and those that it took over whole by the end of the half-year.
    fn own(&self) -> BTreeSet<MunicipalityCode> {
        let mut own = BTreeSet::from([self.code]);
        loop {
            let before = own.len();
            for entry in self.known {
                if let Event::BoundaryChanged(it) = &entry.event
                    && it.effective_on() <= self.half_year.last_day()
                    && let [(heir, _)] = it.heirs()[..]
                    && own.contains(&heir)
                {
                    own.extend(it.old());
                }
            }
            if own.len() == before {
                return own;
            }
        }
    }

    fn counts(&self, kind: PlacementKind, day: Day) -> bool {
        let mut counts = counts_by_default(kind);
        for entry in self.known {
            if let Event::CountingRuleSet(rule) = &entry.event
                && rule.kind() == kind
                && rule.covers(day)
            {
                counts = rule.counts();
            }
        }
        counts
    }

    /// Kind, day of the rule, steps, and whether it was withdrawn.
    fn follow(&self, id: PlacementId) -> Option<(PlacementKind, Day, Steps, bool)> {
        let (mut about, mut steps, mut withdrawn) = (None, Steps::new(), false);
        for entry in self.known.iter().filter(|it| placement_of(&it.event) == Some(id)) {
            match &entry.event {
                Event::PlacementRecorded(it) => {
                    about = Some((it.report().kind, it.counts_from()));
                    let persons = it.report().persons.count();
                    steps.push((entry.position, it.counts_from(), it.municipality(), persons));
                }
                Event::PlacementTransferred(it) => {
                    let persons = it.housed.persons.count();
                    steps.push((entry.position, it.reported_on, it.housed.municipality, -persons));
                    steps.push((entry.position, it.reported_on, it.to, persons));
                }
                Event::PlacementWithdrawn(_) => withdrawn = true,
                _ => unreachable!("it is about a placement"),
            }
        }
        about.map(|(kind, counts_from)| (kind, counts_from, steps, withdrawn))
    }

    fn ids(&self) -> BTreeSet<PlacementId> {
        self.known.iter().filter_map(|it| placement_of(&it.event)).collect()
    }

    fn stands(&self) -> Vec<Stands> {
        let own = self.own();
        let mut all = Vec::new();
        for id in self.ids() {
            let Some((kind, ruled_on, mut steps, withdrawn)) = self.follow(id) else { continue };
            steps.retain(|(_, day, code, _)| day.half_year() == self.half_year && own.contains(code));
            let persons: i64 = steps.iter().map(|(.., persons)| persons).sum();
            if withdrawn || persons == 0 {
                continue;
            }
            let mut by_place = BTreeMap::<(Day, MunicipalityCode), (i64, Position)>::new();
            for (position, day, code, persons) in steps {
                let (sum, last) = by_place.entry((day, code)).or_insert((0, position));
                *sum += persons;
                *last = position;
            }
            let same_side = by_place.into_iter().filter(|(_, (sum, _))| sum.signum() == persons.signum());
            let (_, ((date, _), (_, position))) =
                same_side.map(|it| ((it.0.0, it.1.1), it)).max_by_key(|(key, _)| *key).expect("a side");
            all.push(Stands { id, position, date, ruled_on, kind, persons });
        }
        all.sort_by_key(|it| (it.date, it.kind, it.persons, it.position, it.id));
        all
    }

    fn elsewhere(&self, id: PlacementId) -> Category {
        let Some((_, _, steps, withdrawn)) = self.follow(id) else { return Category::UnknownPlacement };
        if withdrawn {
            return Category::Withdrawn;
        }
        let own = self.own();
        let within = steps.iter().filter(|(.., code, _)| own.contains(code));
        if within.map(|(.., persons)| persons).sum::<i64>() > 0 {
            return Category::OtherHalfYear;
        }
        Category::OtherMunicipality
    }

    fn persons(&self, kind: PlacementKind, ruled_on: Day, persons: i64) -> i64 {
        if self.counts(kind, ruled_on) { persons } else { 0 }
    }

    /// For each row and for each placement that is left: category, and the placement beside it.
    fn compare(&self, rows: &[ListRow]) -> Vec<(Category, Option<u64>, Option<PlacementId>)> {
        let mut rows: Vec<_> = rows.iter().collect();
        rows.sort_by_key(|it| (it.date, it.kind, it.persons, it.reference.clone(), it.placement, it.row));
        let mut stands = self.stands();
        let mut lines = Vec::new();
        let differs = |row: &ListRow, it: &Stands| match () {
            () if row.date.half_year() != self.half_year => Category::OtherHalfYear,
            () if row.kind != it.kind => Category::OtherKind,
            () if row.persons != it.persons => Category::OtherPersons,
            () if row.date != it.date => Category::OtherDate,
            () => Category::Same,
        };
        rows.retain(|row| {
            let Some(id) = row.placement else { return true };
            match stands.iter().position(|it| it.id == id) {
                Some(index) => lines.push((differs(row, &stands.remove(index)), Some(row.row), Some(id))),
                None => lines.push((self.elsewhere(id), Some(row.row), None)),
            }
            false
        });
        rows.retain(|row| {
            let outside = row.date.half_year() != self.half_year;
            if outside {
                lines.push((Category::OtherHalfYear, Some(row.row), None));
            }
            !outside
        });
        // Every row with every placement, as long as a pair is found; the best pair of all first.
        type Fits = fn(&ListRow, &Stands) -> bool;
        let fits: [Fits; 3] = [
            |row, it| (row.date, row.kind, row.persons) == (it.date, it.kind, it.persons),
            |row, it| (row.kind, row.persons) == (it.kind, it.persons),
            |row, it| (row.date, row.persons) == (it.date, it.persons),
        ];
        for fits in fits {
            loop {
                let mut best = None;
                for (at, row) in rows.iter().enumerate() {
                    for (index, it) in stands.iter().enumerate().filter(|(_, it)| fits(row, it)) {
                        let apart = row.date.index().abs_diff(it.date.index());
                        let rank = (apart, row.date, it.date, at, index);
                        best = best.min(Some(rank)).or(Some(rank));
                    }
                }
                let Some((.., at, index)) = best else { break };
                let (row, it) = (rows.remove(at), stands.remove(index));
                lines.push((differs(row, &it), Some(row.row), Some(it.id)));
            }
        }
        lines.extend(rows.iter().map(|row| (Category::OnlyInList, Some(row.row), None)));
        lines.extend(stands.iter().map(|it| (Category::OnlyInLedger, None, Some(it.id))));
        lines.sort();
        lines
    }
}

/// What a reconciliation says, as the model says it.
fn said(it: &Reconciliation, stands: &[Stands]) -> Vec<(Category, Option<u64>, Option<PlacementId>)> {
    let is_there = |id: &PlacementId| stands.iter().any(|it| it.id == *id);
    let mut lines: Vec<_> = it
        .lines
        .iter()
        .map(|line| {
            let id = line.ledger.map(|it| it.placement).filter(is_there);
            (line.category, line.list.as_ref().map(|it| it.row), id)
        })
        .collect();
    lines.sort();
    lines
}

/// A list that says what the ledger says; the numbers choose which rows name their placement.
fn equal(stands: &[Stands], named: &[bool]) -> Vec<ListRow> {
    let rows = stands.iter().zip(named.iter().cycle()).enumerate();
    let rows = rows.map(|(index, (it, named))| ListRow {
        row: index as u64 + 2,
        reference: Some(model::parse(&format!("R{index}"))),
        placement: named.then_some(it.id),
        date: it.date,
        kind: it.kind,
        persons: it.persons,
    });
    rows.collect()
}

fn changed(mut rows: Vec<ListRow>, half_year: HalfYear, changes: &[Change]) -> Vec<ListRow> {
    for (number, (change, [a, b, c])) in changes.iter().enumerate() {
        let kind = PlacementKind::ALL[usize::from(*b) % PlacementKind::ALL.len()];
        let near = half_year.first_day().plus_days(if *c % 4 == 0 { c / 4 % 200 } else { c % 16 });
        let at = usize::from(*a) % rows.len().max(1);
        match (change % 8, rows.get_mut(at)) {
            (0, Some(_)) => drop(rows.remove(at)),
            (1, Some(row)) => row.date = row.date.plus_days(*b % 12),
            (2, Some(row)) => row.kind = kind,
            (3, Some(row)) => row.persons = i64::from(*b % 5) + 1,
            (4, Some(row)) => row.date = near,
            (5, Some(row)) => row.placement = None,
            (6, Some(row)) => {
                let again = ListRow { row: number as u64 + 1_000, placement: None, ..row.clone() };
                rows.push(again);
            }
            (7, _) => {
                let id = identity(&format!("P{}", b % 30)).expect("a short name");
                let free = rows.iter().all(|it| it.placement != Some(id));
                rows.push(ListRow {
                    row: number as u64 + 1_000,
                    reference: Some(model::parse(&format!("N{number}"))),
                    placement: (free && a % 2 == 0).then_some(id),
                    date: near,
                    kind,
                    persons: i64::from(a % 4) + 1,
                });
            }
            _ => {}
        }
    }
    rows
}

/// A day, often one of the first of 2021, so that there are ties.
fn close() -> impl Strategy<Value = u16> {
    prop_oneof![3 => 0..16_u16, 1 => 0..300_u16]
}

/// Histories of the model of the book in which many placements lie close together.
fn histories() -> impl Strategy<Value = Vec<model::Wish>> {
    let near =
        (19..28_u8, 0..14_u16, close(), select(&[0, 0, 1, 40][..]), any::<u16>(), 0..3_u16, any::<u16>());
    let placements = near.prop_map(|(kind, a, b, c, d, e, f)| (kind, [a, b, c, d, e, f]));
    let moves = (31..35_u8, any::<u16>(), 0..4_u16, 0..400_u16)
        .prop_map(|(kind, a, b, c)| (kind, [a, b, c, 0, 0, 0]));
    let changes = (1..4_u8, 0..4_u16, 0..4_u16, 0..4_u16, 0..300_u16, any::<[u16; 2]>())
        .prop_map(|(kind, a, b, c, d, [e, f])| (kind, [a, b, c, d, e, f]));
    let withdrawals = (28..31_u8, any::<[u16; 6]>());
    let others = (any::<u8>(), any::<[u16; 6]>());
    vec(prop_oneof![12 => placements, 3 => moves, 2 => withdrawals, 1 => changes, 4 => others], 30..110)
}

#[test]
fn the_effects_explain_the_difference_and_the_order_of_rows_plays_no_part() {
    let seen = std::cell::RefCell::new(BTreeMap::<Category, u64>::new());
    let splits = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (
        histories(),
        vec((any::<[u16; 3]>(), vec(any::<bool>(), 1..8), vec((any::<u8>(), any::<[u16; 3]>()), 0..14)), 12),
        any::<u64>(),
    );
    let outcome = TestRunner::new(config).run(&strategy, |(wishes, questions, shuffle)| {
        let mut world = World::default();
        model::record(&mut world, &wishes);
        for ([code, half_year, size], named, changes) in questions {
            let code = model::code(if code % 5 == 0 { code / 5 } else { code % 4 });
            let half_years = ["2021-I", "2021-I", "2021-II", "2022-I"];
            let half_year: HalfYear = model::parse(half_years[usize::from(half_year) % 4]);
            let known_at =
                if size % 3 == 0 { world.size() } else { LogSize(u64::from(size) % (world.size().0 + 1)) };
            let naive = Naive { known: &world.entries[..known_at.0 as usize], code, half_year };
            let stands = naive.stands();
            let compare = |rows: &[ListRow]| compared(&world, code, half_year, known_at, rows.to_vec());

            let as_of = |on: Day| AsOf { reference_date: ReferenceDate(on), known_at };
            let on_last_day =
                world.book.statement(Area::Municipality(code), as_of(half_year.last_day()), Reading::Total);
            let same = compare(&equal(&stands, &named));
            // Whoever has no statement at the end of the half-year has nothing to compare.
            prop_assert_eq!(same.as_ref().err(), on_last_day.as_ref().err());
            let (Ok(same), Ok(on_last_day)) = (same, on_last_day) else { continue };

            // A list that says what the ledger says.
            prop_assert!(
                same.lines.iter().all(|it| it.category == Category::Same && it.effect == 0),
                "{:?}",
                same
            );
            prop_assert_eq!(same.lines.len(), stands.len());
            let shares: i64 = same.split_shares.iter().map(|it| it.realised).sum();
            prop_assert_eq!(same.realised.difference, -shares);
            splits.set(splits.get() + u64::from(shares != 0));

            // The ledger's side is that of the statement, which at the start of the last day has not seen that day.
            // What came over from a split can be another share on that day, so there the two are not held against each other.
            let was_split = |entry: &Entry| match &entry.event {
                Event::BoundaryChanged(it) => it.heirs().len() > 1,
                _ => false,
            };
            if !naive.known.iter().any(was_split) {
                let own = naive.own();
                let mut that_day = 0;
                for id in naive.ids() {
                    let Some((kind, ruled_on, steps, false)) = naive.follow(id) else { continue };
                    let steps = steps
                        .iter()
                        .filter(|(_, day, code, _)| *day == half_year.last_day() && own.contains(code));
                    that_day += naive.persons(kind, ruled_on, steps.map(|(.., persons)| persons).sum());
                }
                prop_assert_eq!(same.realised.ledger, on_last_day.realised + that_day);
            }

            // A list that says something else.
            let rows = changed(equal(&stands, &named), half_year, &changes);
            let found = compare(&rows).expect("it could be compared before");
            prop_assert_eq!(said(&found, &stands), naive.compare(&rows));
            prop_assert_eq!(found.realised.ledger, same.realised.ledger);
            let by_list = found.lines.iter().filter_map(|line| Some((line.list.as_ref()?, line.ledger)));
            let by_list =
                by_list.filter(|(row, _)| row.date.half_year() == half_year).map(|(row, ledger)| {
                    let beside = stands.iter().find(|it| ledger.is_some_and(|side| side.placement == it.id));
                    let ruled_on =
                        beside.filter(|it| it.ruled_on != it.date).map_or(row.date, |it| it.ruled_on);
                    naive.persons(row.kind, ruled_on, row.persons)
                });
            prop_assert_eq!(found.realised.list, by_list.sum::<i64>());
            let effects: i64 = found.lines.iter().map(|it| it.effect).sum();
            let by_category: i64 = found.categories.iter().map(|it| it.effect).sum();
            prop_assert_eq!(effects, by_category);
            prop_assert_eq!(found.realised.list - found.realised.ledger, effects - shares);
            prop_assert_eq!(found.remaining.difference, -found.realised.difference);
            prop_assert_eq!(found.remaining.ledger, found.due - found.realised.ledger);
            for line in &found.lines {
                *seen.borrow_mut().entry(line.category).or_default() += 1;
            }

            let mut shuffled = rows.clone();
            shuffled.sort_by_key(|row| (row.row.wrapping_mul(shuffle | 1), row.row));
            prop_assert_eq!(&compare(&shuffled).expect("as before"), &found);
            shuffled.reverse();
            prop_assert_eq!(&compare(&shuffled).expect("as before"), &found);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let seen = seen.into_inner();
    assert!(Category::ALL.iter().all(|it| seen.get(it).is_some_and(|lines| *lines > 50)), "{seen:?}");
    assert!(splits.get() > 10, "a share of a split came over {} times", splits.get());
}
