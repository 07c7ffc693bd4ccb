//! The small things that everything else is made of: `cargo bench --bench small`.
//!
//! The book is filled with generated entries, 300,000 or as many as `PEILDATUM_BENCH_ENTRIES` says.

mod generated;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use peildatum::book::Book;
use peildatum::book::posting::{Fixed, postings};
use peildatum::book::scenario::Changes;
use peildatum::book::statement::Reading;
use peildatum::decide::command::{Command, Identity};
use peildatum::decide::recalled::Recalled;
use peildatum::decide::state::State;
use peildatum::decide::{Decided, decide};
use peildatum::domain::area::{Area, PerMunicipality, Province};
use peildatum::domain::event::{Entry, Event, IdBy};
use peildatum::domain::persons::Persons;
use peildatum::domain::placement::PlacementKind;
use peildatum::domain::quota::{Allocation, AllocationMethod};
use peildatum::domain::rules::{CountingRuleReport, CountingRules, counts_by_default};
use peildatum::domain::time::{AsOf, Day, LogSize, Position, ReferenceDate};
use peildatum::proof::merkle::{Tree, leaf_hash};

use generated::questions::Questions;
use generated::{FIRST_DAY, LAST_DAY, SEED, day, facts, outside, placements::Placements, source};

/// A book over generated entries, and the last of them.
struct Filled {
    book: Book<'static>,
    size: u64,
    facts: u64,
    last: Entry,
}

fn filled(count: u64) -> Filled {
    let mut outside = outside();
    let recorded_at = (outside.clock)();
    let identity = Identity { source: source(), id: None };
    let mut id = || (outside.ids)(recorded_at);
    let (mut state, mut book) = (State::default(), Book::default());
    // Nothing here is said twice, so no decision needs an earlier entry.
    let none = Recalled::default();
    let (mut size, mut facts, mut last) = (0, 0, None);
    let placements = Placements::new(SEED, count).map(Command::RecordPlacement);
    for command in facts::commands(count).into_iter().chain(placements) {
        let decided = decide(&state, &none, &identity, &command, recorded_at.dutch_day());
        let Ok(Decided::New(events)) = decided else { panic!("{command:?} was not recorded: {decided:?}") };
        for event in events {
            let entry = Entry {
                position: Position(size),
                recorded_at,
                delivery: id().try_into().expect("a UUID of version 7"),
                delivered_by: identity.source.clone(),
                id: id().try_into().expect("a UUID of version 7"),
                id_by: IdBy::Ledger,
                source: identity.source.clone(),
                registered_at: None,
                event,
            };
            state.apply(&entry);
            book.apply(&entry);
            size += 1;
            last = Some(entry);
        }
        if !matches!(command, Command::RecordPlacement(_)) {
            facts = size;
        }
    }
    Filled { book, size, facts, last: last.expect("there are entries") }
}

fn entries(criterion: &mut Criterion) {
    let Filled { last: entry, .. } = filled(1_000);
    let (rules, fixed) = (CountingRules::default(), Fixed::default());
    let mut line = Vec::new();
    entry.encode_into(&mut line);
    criterion.bench_function("postings of an entry", |it| {
        it.iter(|| {
            postings(entry.position, black_box(&entry.event), &rules, &fixed, &mut |posting| {
                black_box(posting);
            })
        });
    });
    criterion.bench_function("encode an entry", |it| {
        let mut line = Vec::with_capacity(1_024);
        it.iter(|| {
            line.clear();
            black_box(&entry).encode_into(&mut line);
        });
    });
    criterion.bench_function("decode an entry", |it| it.iter(|| Entry::decode(black_box(&line))));
    criterion.bench_function("leaf hash of an entry", |it| it.iter(|| leaf_hash(black_box(&line))));
    criterion.bench_function("the next leaf and root of a tree", |it| {
        let mut tree = Tree::new();
        (0..1_000_000_u64).for_each(|index| tree.push(leaf_hash(&index.to_be_bytes())));
        let leaf = leaf_hash(&line);
        it.iter(|| {
            tree.push(black_box(leaf));
            tree.root()
        });
    });
}

fn statements(criterion: &mut Criterion) {
    let count = std::env::var("PEILDATUM_BENCH_ENTRIES").ok();
    let count = count.map_or(300_000, |it| it.parse().expect("PEILDATUM_BENCH_ENTRIES is a number"));
    let Filled { book, size, facts, .. } = filled(count);
    let mut questions = Questions::new(SEED ^ 1, facts..=size);
    let mut next = move || questions.next().expect("questions have no end");
    let reading = Reading::OldestFirst;
    let provinces: Vec<Province> = Province::all().collect();
    criterion.bench_function("statement of a municipality", |it| {
        it.iter(|| {
            let (code, as_of) = next();
            book.statement(Area::Municipality(code), as_of, reading)
        });
    });
    criterion.bench_function("statement of a province", |it| {
        let mut provinces = provinces.iter().cycle();
        it.iter(|| {
            let province = *provinces.next().expect("a cycle has no end");
            book.statement(Area::Province(province), next().1, reading)
        });
    });
    criterion.bench_function("statement of the country", |it| {
        it.iter(|| book.statement(Area::Country, next().1, reading));
    });
    criterion.bench_function("statements of all municipalities", |it| {
        it.iter(|| book.by_municipality(Area::Country, next().1, reading));
    });
}

/// Scenarios over a million entries, or as many as `PEILDATUM_BENCH_ENTRIES` says: the table of all municipalities under a hundred of
/// them, one after another, each made and asked anew.
fn scenarios(criterion: &mut Criterion) {
    let count = std::env::var("PEILDATUM_BENCH_ENTRIES").ok();
    let count = count.map_or(1_000_000, |it| it.parse().expect("PEILDATUM_BENCH_ENTRIES is a number"));
    let Filled { book, size, .. } = filled(count);
    let known_at = LogSize(size);
    let as_of = AsOf { reference_date: ReferenceDate(day(LAST_DAY)), known_at };
    let half_year = as_of.reference_date.0.half_year();
    let last = Position(size - 1);
    let ask = |changes: &Changes| {
        book.under(changes).by_municipality(Area::Country, as_of, Reading::OldestFirst).expect("a country")
    };
    let codes: Vec<_> = book.municipalities(as_of).iter().map(|it| it.code).collect();
    let decisions: Vec<_> = (0..100_u32)
        .map(|number| {
            let each = codes.iter().map(|code| (*code, Persons::try_from(number).expect("a small number")));
            let persons = PerMunicipality::try_from(each.collect::<BTreeMap<_, _>>()).expect("each once");
            let event = Event::QuotaAllocated(Allocation {
                half_year,
                persons,
                method: AllocationMethod::ByInhabitants,
                rounding: None,
                reference: "What if".parse().expect("a reference"),
            });
            Changes { supposed: vec![(last, event)], ..Changes::default() }
        })
        .collect();
    let rule = |kind: PlacementKind, from: Day| {
        let (counts, reference) = (!counts_by_default(kind), "What if".parse().expect("a reference"));
        let report = CountingRuleReport { kind, counts, from, until: None, reference };
        let event = Event::CountingRuleSet(report.try_into().expect("a rule"));
        Changes { supposed: vec![(last, event)], ..Changes::default() }
    };
    let start = day(FIRST_DAY);
    let rules: Vec<_> = (0..100).map(|days| rule(PlacementKind::Regular, start.plus_days(days))).collect();
    let mut group = criterion.benchmark_group(format!("{size} entries"));
    group.sample_size(10);
    group.bench_function("342 municipalities under 100 other decisions", |it| {
        it.iter(|| decisions.iter().map(ask).map(|it| it.len()).sum::<usize>());
    });
    group.bench_function("342 municipalities under 100 other counting rules", |it| {
        it.iter(|| rules.iter().map(ask).map(|it| it.len()).sum::<usize>());
    });
    group.throughput(Throughput::Elements(size));
    // The end of every half-year is asked for, so that each placement is counted anew.
    let first = day(FIRST_DAY).half_year();
    let ends: Vec<_> = std::iter::successors(Some(first), |it| it.next().filter(|it| *it <= half_year))
        .map(|it| AsOf { reference_date: ReferenceDate(it.last_day()), known_at })
        .collect();
    group.bench_function("a changed counting rule, every half-year", |it| {
        it.iter(|| {
            let under = book.under(&rules[0]);
            ends.iter()
                .map(|as_of| under.national_account(as_of.reference_date.0.half_year(), *as_of).realised())
                .sum::<i64>()
        })
    });
    group.finish();
}

criterion_group! {
    name = small;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    targets = entries, statements, scenarios
}
criterion_main!(small);
