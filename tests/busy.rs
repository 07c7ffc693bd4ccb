//! A busy ledger: thousands of entries about a few municipalities, so that their columns are sealed block by block.
//!
//! Short histories of every shape are the matter of `model.rs`. Here histories are long, facts come late and are taken
//! back, and some sums are larger than 32 bits hold.

use std::collections::{BTreeMap, HashMap, HashSet};

use peildatum::book::columns::{Columns, Sums};
use peildatum::book::posting::{Fixed, Line, Posting, postings, recount};
use peildatum::book::statement::Reading;
use peildatum::decide::Decided;
use peildatum::decide::command::Command;
use peildatum::domain::area::{Area, MunicipalityCode, Province};
use peildatum::domain::event::{Entry, Event, EventName};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::objection::{Contests, Ground, ObjectionReport, ObjectionSettled, Settlement};
use peildatum::domain::persons::{PERSONS_MAX, Persons};
use peildatum::domain::placement::{
    PlacementKind, PlacementReport, TransferReport, WithdrawalReason, WithdrawalReport,
};
use peildatum::domain::rules::CountingRules;
use peildatum::domain::source::{ObjectionId, PlacementId};
use peildatum::domain::time::{AsOf, Day, LogSize, Month, Position, ReferenceDate};

use crate::cases::{identity, objection_id};
use crate::model::{self, Model, TODAY, code, parse};
use crate::world::World;

/// Who says something at random, the same in every run.
struct Reporter {
    rng: fastrand::Rng,
    world: World,
    placements: u32,
    objections: u32,
}

/// Nearly all placements are of these.
const KINDS: [PlacementKind; 3] =
    [PlacementKind::Regular, PlacementKind::AmvSmallScaleCare, PlacementKind::AmvFosterFamily];

impl Reporter {
    fn new(seed: u64) -> Self {
        let mut world = World::default();
        model::record(&mut world, &[]);
        Self { rng: fastrand::Rng::with_seed(seed), world, placements: 0, objections: 0 }
    }

    /// Reports so many things, most of them placements in three municipalities and one year.
    fn report(&mut self, times: usize) {
        for _ in 0..times {
            let command = match self.rng.u8(0..100) {
                0..78 => self.placement(),
                78 => self.objection(),
                79 => Command::SettleObjection(ObjectionSettled {
                    objection: objection(self.rng.u32(0..=self.objections)),
                    outcome: Settlement::Dismissed,
                    settled_on: parse(TODAY),
                    reference: parse("Letter"),
                }),
                80..86 => Command::WithdrawPlacement(WithdrawalReport {
                    placement: self.earlier(),
                    reason: WithdrawalReason::ALL[0],
                }),
                86..92 => Command::TransferPlacement(TransferReport {
                    placement: self.earlier(),
                    to: code(self.rng.u16(0..12)),
                    reported_on: self.day(),
                }),
                _ => {
                    let wish = (self.rng.u8(..), std::array::from_fn(|_| self.rng.u16(..)));
                    let Some(command) = model::command(wish) else { continue };
                    match command {
                        // Placements are those from above, since each kind makes the blocks larger.
                        Command::RecordPlacement(_) => continue,
                        // A municipality that ceases has no more placements, so few may.
                        Command::ChangeBoundaries(_) if self.rng.u8(0..8) > 0 => continue,
                        command => command,
                    }
                }
            };
            self.offer(&command);
        }
    }

    /// Offers a command; whatever is refused did not happen.
    fn offer(&mut self, command: &Command) -> bool {
        matches!(self.world.offer(parse(TODAY), command), Ok(Decided::New(_)))
    }

    fn placement(&mut self) -> Command {
        self.placements += 1;
        let municipality = self.rng.u16(0..3);
        let kind = KINDS[self.rng.usize(0..KINDS.len())];
        let counts_from = self.day();
        // One municipality has more persons than a sum of 32 bits holds.
        let persons = match municipality == 2 && self.rng.u8(0..4) > 0 {
            true => PERSONS_MAX,
            false => self.rng.u32(1..=3),
        };
        let in_care = kind == PlacementKind::AmvSmallScaleCare && self.rng.bool();
        Command::RecordPlacement(PlacementReport {
            placement: placement(self.placements),
            municipality: code(municipality),
            site_municipality: None,
            counts_from,
            kind,
            persons: Persons::try_from(persons).expect("as many as one fact can name"),
            person: None,
            permit_granted_on: None,
            matched_on: None,
            care_ends: in_care.then(|| Month::from(counts_from.plus_days(self.rng.u16(0..500)))),
            turns_18: None,
        })
    }

    /// An objection to a placement or to any entry.
    fn objection(&mut self) -> Command {
        self.objections += 1;
        let contests = match self.rng.bool() {
            true => Contests::Placement { placement: self.earlier() },
            false => Contests::Entry { entry: Position(self.rng.u64(0..self.world.size().0)) },
        };
        Command::RecordObjection(ObjectionReport {
            objection: objection(self.objections),
            municipality: code(self.rng.u16(0..3)),
            contests,
            ground: Ground::OtherPersons,
            raised_on: self.day(),
            reference: parse("Letter"),
        })
    }

    /// A placement that may have been reported before.
    fn earlier(&mut self) -> PlacementId {
        placement(self.rng.u32(0..=self.placements))
    }

    /// A day of 2021, whatever was reported before.
    fn day(&mut self) -> Day {
        parse::<Day>("2021-01-01").plus_days(self.rng.u16(0..365))
    }

    /// A reference date and a log size up to this one, each also at its edges.
    fn as_of(&mut self, size: LogSize) -> AsOf {
        let on = match self.rng.u8(0..10) {
            0 => parse(["2021-01-01", "2021-07-01", "2022-01-01"][self.rng.usize(0..3)]),
            1..8 => self.day(),
            _ => parse::<Day>("2020-06-01").plus_days(self.rng.u16(0..1_500)),
        };
        let known_at = match self.rng.u8(0..10) {
            0 => size,
            1 => LogSize(u64::MAX),
            _ => LogSize(self.rng.u64(0..=size.0)),
        };
        AsOf { reference_date: ReferenceDate(on), known_at }
    }

    fn area(&mut self) -> Area {
        match self.rng.u8(0..4) {
            0 => Area::Country,
            1 => Area::Province(parse::<Province>(["PV27", "PV28", "PV30"][self.rng.usize(0..3)])),
            _ => Area::Municipality(code(self.rng.u16(0..12))),
        }
    }

    fn reading(&mut self) -> Reading {
        Reading::ALL[self.rng.usize(0..Reading::ALL.len())]
    }
}

fn placement(number: u32) -> PlacementId {
    identity(&format!("B{number}")).expect("a short name")
}

fn objection(number: u32) -> ObjectionId {
    objection_id(&format!("B{number}")).expect("a short name")
}

/// The columns, and beside them the plain list of all postings of each municipality.
#[derive(Default)]
struct Kept {
    columns: Columns,
    rules: CountingRules,
    fixed: Fixed,
    list: HashMap<MunicipalityCode, Vec<Posting>>,
    recounted: usize,
}

impl Kept {
    fn take_up(&mut self, entry: &Entry) {
        let mut moved = Vec::new();
        if let Event::CountingRuleSet(rule) = &entry.event {
            let before = self.rules.clone();
            self.rules.record(rule.clone());
            moved = recount(self.columns.postings(), entry.position, rule, &before, &self.rules);
            self.recounted += moved.len();
        }
        postings(entry.position, &entry.event, &self.rules, &self.fixed, &mut |posting| moved.push(posting));
        self.fixed.apply(&entry.event);
        for posting in moved {
            self.columns.push(&posting);
            self.list.entry(posting.municipality).or_default().push(posting);
        }
    }

    /// The postings of the list that a question sees: obligations up to the date, and housing before it.
    fn seen(&self, code: MunicipalityCode, as_of: AsOf) -> impl Iterator<Item = &Posting> {
        let known = move |it: &&Posting| it.position.0 < as_of.known_at.0;
        self.list.get(&code).into_iter().flatten().filter(known).filter(move |it| match it.line {
            Line::Housed(_) | Line::NotCounted(_) | Line::InCare => it.valid_on < as_of.reference_date.0,
            Line::Quota | Line::Revision | Line::Exchange | Line::CarryOver => {
                it.valid_on <= as_of.reference_date.0
            }
        })
    }

    fn sums(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Sums {
        let mut sums = Sums::default();
        for it in self.seen(code, as_of).filter(|it| it.half_year == half_year) {
            let persons = i64::from(it.persons);
            match it.line {
                Line::Quota => sums.quota += persons,
                Line::Revision => sums.revision += persons,
                Line::Exchange => sums.exchange += persons,
                Line::CarryOver => {
                    sums.carry_over = Some(sums.carry_over.unwrap_or(0) + persons);
                    sums.carry_over_at = Some(it.position);
                }
                Line::Housed(kind) => sums.housed[kind.index()] += persons,
                Line::NotCounted(_) | Line::InCare => {}
            }
        }
        sums
    }

    fn in_care(&self, code: MunicipalityCode, as_of: AsOf) -> i64 {
        let in_care = self.seen(code, as_of).filter(|it| it.line == Line::InCare);
        in_care.map(|it| i64::from(it.persons)).sum()
    }

    /// What is left of all half-years before this one, from the first to the last.
    fn carried_into(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> i64 {
        let first: HalfYear = parse("2020-I");
        let before = std::iter::successors(Some(first), |it| it.next()).take_while(|it| *it < half_year);
        before.fold(0, |carried, half_year| {
            let sums = self.sums(code, half_year, as_of);
            let due = sums.carry_over.unwrap_or(carried) + sums.quota + sums.revision + sums.exchange;
            due - sums.housed.iter().sum::<i64>()
        })
    }
}

/// What a posting moves, but for the number of persons.
type Moves = (u64, MunicipalityCode, HalfYear, Line, Day, Day);

/// What all postings move, whether or not each is kept as one.
fn moved(postings: impl Iterator<Item = Posting>) -> HashMap<Moves, i64> {
    let mut moved = HashMap::new();
    for it in postings {
        let key = (it.position.0, it.municipality, it.half_year, it.line, it.valid_on, it.ruled_on);
        *moved.entry(key).or_insert(0) += i64::from(it.persons);
    }
    moved
}

#[test]
fn the_columns_sum_up_as_a_plain_list_of_all_postings_does() {
    let mut answers = 0;
    let mut with: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 1..=3 {
        let mut reporter = Reporter::new(seed);
        reporter.report(10_000);
        let mut kept = Kept::default();
        reporter.world.entries.iter().for_each(|entry| kept.take_up(entry));

        let all = kept.list.values().flatten().copied();
        assert!(moved(kept.columns.postings()) == moved(all), "not every posting is kept as it was");
        let half_years = || (60..70).filter_map(HalfYear::from_index);
        let largest = (0..3).flat_map(|it| half_years().map(move |half_year| (code(it), half_year)));
        let largest = largest.map(|(code, half_year)| {
            kept.list[&code]
                .iter()
                .filter(|it| it.half_year == half_year)
                .filter(|it| matches!(it.line, Line::Housed(_) | Line::NotCounted(_)))
                .count()
        });
        let largest = largest.max().unwrap_or(0);
        assert!(largest > 1_000, "with {largest} rows no cell is sealed several times");
        *with.entry("a recount").or_default() += kept.recounted;

        let size = reporter.world.size();
        for _ in 0..4_000 {
            let code =
                code(if reporter.rng.bool() { reporter.rng.u16(0..3) } else { reporter.rng.u16(0..12) });
            let as_of = reporter.as_of(size);
            let half_year = match reporter.rng.u8(0..3) {
                0 => HalfYear::from_index(reporter.rng.u16(60..70)).expect("a half-year of the calendar"),
                _ => as_of.reference_date.0.half_year(),
            };
            let asked = format!("{code} in {half_year} at {as_of:?}, seed {seed}");
            let sums = kept.columns.sums(code, half_year, as_of);
            assert_eq!(sums, kept.sums(code, half_year, as_of), "sums of {asked}");
            let in_care = kept.columns.in_care(code, as_of);
            assert_eq!(in_care, kept.in_care(code, as_of), "in care in {asked}");
            let carried = kept.columns.carried_into(code, half_year, as_of);
            assert_eq!(carried, kept.carried_into(code, half_year, as_of), "carried into {asked}");
            answers += 3;

            let large = |it: &i64| i32::try_from(*it).is_err();
            let strayed = |it: &&Posting| it.half_year == half_year && it.valid_on.half_year() != half_year;
            for (what, yes) in [
                ("a sum beyond 32 bits", sums.housed.iter().any(large)),
                ("a stock beyond 32 bits", large(&in_care)),
                ("a standing beyond 32 bits", large(&carried)),
                ("somebody in care", in_care != 0),
                ("a recorded carry-over", sums.carry_over.is_some()),
                ("an exchange", sums.exchange != 0),
                ("an obligation from after the half-year", kept.seen(code, as_of).any(|it| strayed(&it))),
            ] {
                *with.entry(what).or_default() += usize::from(yes);
            }
        }
        let recorded: HashSet<_> = reporter.world.recorded.iter().map(|(_, it)| it.event_name()).collect();
        for name in
            [EventName::BoundaryChanged, EventName::PlacementTransferred, EventName::PlacementWithdrawn]
        {
            assert!(recorded.contains(&name), "no {name} in history {seed}");
        }
    }
    assert!(answers > 30_000, "{answers} answers");
    for (what, times) in &with {
        assert!(*times > 1, "only {times} answers with {what}: {with:?}");
    }
}

#[test]
fn statements_of_a_busy_ledger_are_what_a_replay_of_all_that_was_said_gives() {
    let mut reporter = Reporter::new(4);
    reporter.report(8_000);
    let size = reporter.world.size();
    let (mut answers, mut contested) = (0, 0);
    for _ in 0..60 {
        let (area, reading) = (reporter.area(), reporter.reading());
        let as_of = reporter.as_of(size);
        let as_of = AsOf { known_at: LogSize(as_of.known_at.0.min(size.0)), ..as_of };
        let Ok(is) = reporter.world.book.statement(area, as_of, reading) else { continue };
        let same = Model::new(&reporter.world, as_of).compare(area, reading, &is);
        same.unwrap_or_else(|fault| panic!("{area} at {as_of:?}, {reading}: {fault}"));
        answers += 1;
        contested += usize::from(is.contested.persons > 0);
    }
    assert!(answers > 30 && contested > 10, "{answers} answers, {contested} of them contested");
}

#[test]
fn a_thousand_answers_stay_the_same_to_the_byte_whatever_is_dated_back_later() {
    let mut reporter = Reporter::new(5);
    reporter.report(4_000);
    let size = reporter.world.size();
    let answer = |world: &World, (area, as_of, reading)| match world.book.statement(area, as_of, reading) {
        Ok(statement) => serde_json::to_string(&statement).expect("JSON"),
        Err(unanswerable) => unanswerable.to_string(),
    };
    let questions: Vec<_> = (0..1_000)
        .map(|_| {
            let (area, as_of, reading) = (reporter.area(), reporter.as_of(size), reporter.reading());
            (area, AsOf { known_at: LogSize(as_of.known_at.0.min(size.0)), ..as_of }, reading)
        })
        .collect();
    let before: Vec<_> = questions.iter().map(|it| answer(&reporter.world, *it)).collect();

    // Late placements and withdrawals, restated numbers, counting rules and boundary changes.
    reporter.report(6_000);
    // One more merger, of two that have stood until now.
    let as_of = AsOf { reference_date: ReferenceDate(parse(TODAY)), known_at: reporter.world.size() };
    let codes: Vec<_> = reporter.world.book.municipalities(as_of).iter().map(|it| it.code).collect();
    let merger = serde_json::json!({"effectiveOn": "2021-02-01", "old": [codes[0]], "new": [codes[1]]});
    let merger = serde_json::from_value(merger).expect("a merger");
    let merged = reporter.offer(&Command::ChangeBoundaries(merger));
    let later: HashSet<_> =
        reporter.world.recorded[size.0 as usize..].iter().map(|(_, it)| it.event_name()).collect();
    for name in [
        EventName::PlacementRecorded,
        EventName::PlacementWithdrawn,
        EventName::QuotaAllocated,
        EventName::CarryOverRecorded,
        EventName::CountingRuleSet,
        EventName::BoundaryChanged,
    ] {
        assert!(later.contains(&name), "no {name} was dated back (merged: {merged})");
    }

    let mut moved = 0;
    for (question, before) in questions.iter().zip(&before) {
        assert_eq!(answer(&reporter.world, *question), *before, "{question:?}");
        let (area, as_of, reading) = *question;
        let now = AsOf { known_at: reporter.world.size(), ..as_of };
        moved += usize::from(answer(&reporter.world, (area, now, reading)) != *before);
    }
    assert!(moved > 500, "only {moved} of the answers are others as known now");
}
