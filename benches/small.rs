//! The small things that everything else is made of: `cargo bench --bench small`.
//!
//! The book is filled with generated entries, 300,000 or as many as `PEILDATUM_BENCH_ENTRIES` says.

mod generated;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use peildatum::book::Book;
use peildatum::book::posting::{Fixed, postings};
use peildatum::book::statement::Reading;
use peildatum::decide::command::{Command, Identity};
use peildatum::decide::recalled::Recalled;
use peildatum::decide::state::State;
use peildatum::decide::{Decided, decide};
use peildatum::domain::area::{Area, Province};
use peildatum::domain::event::{Entry, IdBy};
use peildatum::domain::rules::CountingRules;
use peildatum::domain::time::Position;
use peildatum::proof::merkle::{Tree, leaf_hash};

use generated::questions::Questions;
use generated::{SEED, facts, outside, placements::Placements, source};

/// A book over generated entries, and the last of them.
struct Filled {
    book: Book,
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
            postings(black_box(&entry), &rules, &fixed, &mut |posting| {
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

criterion_group! {
    name = small;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    targets = entries, statements
}
criterion_main!(small);
