//! The book against a naive model, for both times.
//!
//! The model is written from the rules of the field alone. It keeps the plain list of what was said and answers every
//! question by replaying that list from the first half-year forward: slow, and easy to check. Histories and
//! questions are random; whatever the decisions refuse is left out.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use peildatum::book::Unanswerable;
use peildatum::book::statement::{Reading, Statement};
use peildatum::decide::Decided;
use peildatum::decide::command::Command;
use peildatum::domain::amv::{AmvCapacity, AmvPlaces};
use peildatum::domain::area::{
    Area, BoundaryChangeReport, Municipality, MunicipalityCode, PerMunicipality, Province,
};
use peildatum::domain::carry_over::CarryOver;
use peildatum::domain::evaluation::{Evaluation, Outcome};
use peildatum::domain::event::EventName;
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::objection::{
    Contests, FigureName, FigureReport, Ground, ObjectionReport, ObjectionSettled, Settlement,
};
use peildatum::domain::persons::{Balance, Persons};
use peildatum::domain::placement::{
    FollowOnReport, PlacementKind, PlacementReport, TransferReport, WithdrawalReason, WithdrawalReport,
};
use peildatum::domain::quota::{Allocation, AllocationMethod, ExchangeReport, ExchangeSide, Included, Quota};
use peildatum::domain::reference::Reference;
use peildatum::domain::regime::{Phase, PhaseReport};
use peildatum::domain::rules::CountingRuleReport;
use peildatum::domain::source::{ObjectionId, PlacementId};
use peildatum::domain::time::{AsOf, Day, LogSize, Month, Position, ReferenceDate};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult, TestRunner};

use crate::cases::{identity, objection_id};
use crate::world::World;

// Random histories.

/// One thing that somebody may have said: which kind, and numbers that choose its details.
pub type Wish = (u8, [u16; 6]);

/// One question: area, reference date, log size and reading, chosen by numbers.
pub type Question = [u16; 4];

/// A history and the questions about it.
pub fn histories() -> impl Strategy<Value = (Vec<Wish>, Vec<Question>)> {
    (vec((any::<u8>(), any::<[u16; 6]>()), 60..160), vec(any::<[u16; 4]>(), 24))
}

/// Municipalities that exist from the start, and some that come into being later.
const CODES: [(&str, &str, &str); 12] = [
    ("GM0001", "PV27", "1990-01-01"),
    ("GM0002", "PV27", "1990-01-01"),
    ("GM0003", "PV27", "1990-01-01"),
    ("GM0004", "PV27", "1990-01-01"),
    ("GM0005", "PV28", "1990-01-01"),
    ("GM0006", "PV28", "1990-01-01"),
    ("GM0007", "PV28", "1990-01-01"),
    ("GM0008", "PV30", "1990-01-01"),
    ("GM0101", "PV27", "2022-01-01"),
    ("GM0102", "PV28", "2022-03-24"),
    ("GM0103", "PV30", "2023-01-01"),
    ("GM0104", "PV27", "1990-01-01"),
];

/// All that is said was said by then; what it is about lies before, in any order.
pub const TODAY: &str = "2025-01-01";

pub fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a fixed text")
}

pub fn code(number: u16) -> MunicipalityCode {
    parse(CODES[usize::from(number) % CODES.len()].0)
}

fn day(number: u16) -> Day {
    // A third of all days is a first of January or July, where most things change.
    let start: Day = parse("2021-01-01");
    let day = start.plus_days(number % 912);
    if number.is_multiple_of(3) { day.half_year().first_day() } else { day }
}

fn half_year(number: u16) -> HalfYear {
    day(number).half_year()
}

pub fn persons(number: u16) -> Persons {
    Persons::try_from(u32::from(number % 60)).expect("a small number")
}

fn reference(number: u16) -> Reference {
    parse(&format!("Letter {number}"))
}

fn placement(number: u16) -> PlacementId {
    identity(&format!("P{}", number % 20)).expect("a short name")
}

fn objection(number: u16) -> ObjectionId {
    objection_id(&format!("O{}", number % 12)).expect("a short name")
}

fn several<T>(first: u16, second: u16, of: impl Fn(u16) -> T) -> PerMunicipality<T> {
    let codes =
        (0..=second % 3).map(|step| (code(first.wrapping_add(step * 5)), of(second.wrapping_add(step * 7))));
    codes.collect::<BTreeMap<_, _>>().try_into().expect("at least one municipality")
}

fn registration(index: usize) -> Command {
    let (code, province, from) = CODES[index];
    Command::RegisterMunicipality(Municipality {
        code: parse(code),
        name: parse(&format!("Town {index}")),
        province: parse(province),
        safety_region: parse("VR01"),
        from: parse(from),
    })
}

/// The command that a wish comes down to, when it makes sense at all.
pub fn command((kind, [a, b, c, d, e, f]): Wish) -> Option<Command> {
    Some(match kind % 57 {
        0 | 40 | 41 => registration(8 + usize::from(a) % 4),
        1 | 2 => {
            let effective_on = if kind % 57 == 1 { day(d).half_year().first_day() } else { day(d) };
            let mut old = vec![code(a)];
            if e % 4 == 0 && code(b) != code(a) {
                old.push(code(b));
            }
            let report = BoundaryChangeReport { effective_on, old, new: vec![code(c)], shares: None };
            Command::ChangeBoundaries(report.try_into().ok()?)
        }
        3 => {
            let shares = [(code(b), u32::from(d % 9) + 1), (code(c), u32::from(e % 5) + 1), (code(f), 3)];
            let shares: PerMunicipality<u32> = BTreeMap::from(shares).try_into().ok()?;
            let new = shares.codes().collect();
            let report =
                BoundaryChangeReport { effective_on: day(d), old: vec![code(a)], new, shares: Some(shares) };
            Command::ChangeBoundaries(report.try_into().ok()?)
        }
        4..=6 => Command::PublishQuota(Quota {
            half_year: half_year(a),
            persons: persons(b),
            window: None,
            band: None,
            includes: (c % 2 == 0)
                .then(|| half_year(a).previous().map(|half_year| Included { half_year, persons: persons(d) }))
                .flatten()
                .into_iter()
                .collect(),
            published_on: None,
            gazette: None,
            reference: reference(e),
        }),
        7..=11 => Command::AllocateQuota(Allocation {
            half_year: half_year(a),
            persons: several(b, c, persons),
            method: AllocationMethod::ALL[0],
            rounding: None,
            reference: reference(d),
        }),
        12 | 13 => {
            let side = |municipality, decided_on| ExchangeSide {
                municipality,
                persons: persons(d),
                decided_on,
                reference: reference(0),
            };
            Command::ExchangeQuota(ExchangeReport {
                half_year: half_year(a),
                from: side(code(b), day(e)),
                to: side(code(c), day(f)),
            })
        }
        14..=16 => {
            let outcome = match d % 6 {
                0 => Outcome::Kept {},
                1 => Outcome::CarriedForward { into: half_year(a).next()?, persons: persons(e) },
                _ => Outcome::Revised { national: persons(e), persons: several(b, c, persons) },
            };
            let decided_on = half_year(a).first_day().plus_days(f % 220);
            Command::RecordEvaluation(Evaluation {
                half_year: half_year(a),
                measured_on: decided_on,
                window: None,
                expected: persons(e),
                now_expected: None,
                outcome,
                decided_on,
                reference: reference(f),
            })
        }
        17 | 18 => Command::RecordCarryOver(CarryOver {
            from_half_year: half_year(a).previous()?,
            to_half_year: half_year(a),
            persons: several(b, c, |it| Balance::try_from(i32::from(it % 90) - 40).expect("a small number")),
            reference: reference(d),
        }),
        19..=27 => {
            // Small-scale care comes up often, because most can happen to it afterwards.
            let kind = match f % 2 {
                0 => PlacementKind::AmvSmallScaleCare,
                _ => PlacementKind::ALL[usize::from(a) % PlacementKind::ALL.len()],
            };
            let counts_from = day(b);
            let in_care = kind == PlacementKind::AmvSmallScaleCare && c % 3 > 0;
            let person = (d % 4 == 0).then(|| identity(&format!("{}", d % 9)).expect("a short name"));
            Command::RecordPlacement(PlacementReport {
                placement: placement(f),
                municipality: code(e),
                site_municipality: (d % 5 == 0).then(|| code(d)),
                counts_from,
                kind,
                persons: Persons::try_from(if person.is_some() { 1 } else { u32::from(c % 40) + 1 }).ok()?,
                person,
                permit_granted_on: (e % 4 > 0)
                    .then(|| Day::from_index(counts_from.index() - a % 400).expect("a day")),
                matched_on: None,
                care_ends: in_care.then(|| Month::from(counts_from.plus_days(c % 500))),
                turns_18: (in_care && e % 3 > 0)
                    .then(|| Month::from(counts_from.plus_days(c % 500 / (e % 3)))),
            })
        }
        28..=30 => Command::WithdrawPlacement(WithdrawalReport {
            placement: placement(a),
            reason: WithdrawalReason::ALL[usize::from(b) % WithdrawalReason::ALL.len()],
        }),
        31..=34 => Command::TransferPlacement(TransferReport {
            placement: placement(a % 10 * 2),
            to: code(b),
            reported_on: day(c),
        }),
        35 | 36 => Command::RecordFollowOn(FollowOnReport { placement: placement(a), housed_on: day(b) }),
        37 | 38 => {
            let (from, until) = (day(c).min(day(d)), day(c).max(day(d)));
            let until = (e % 3 == 0).then_some(until);
            let kind = PlacementKind::ALL[usize::from(a) % PlacementKind::ALL.len()];
            let report =
                CountingRuleReport { kind, counts: b % 2 == 0, from, until, reference: reference(f) };
            Command::SetCountingRule(report.try_into().ok()?)
        }
        54..=56 => {
            let (from, until) = (day(c).min(day(d)), day(c).max(day(d)));
            let report = PhaseReport {
                phase: Phase::ALL[usize::from(a) % Phase::ALL.len()],
                from,
                until: (e % 3 > 0).then_some(until),
                quota_in_force: b % 2 == 0,
                reference: reference(f),
            };
            Command::SetPhase(report.try_into().ok()?)
        }
        42..=48 => {
            let contests = match f % 4 {
                0 | 1 => Contests::Entry { entry: Position(u64::from(a % 80)) },
                2 => Contests::Placement { placement: placement(a) },
                _ => {
                    let number = |it: u16| Balance::try_from(i32::from(it % 9) - 4).expect("a small number");
                    let name = FigureName::ALL[usize::from(e) % 2];
                    let (published, claimed) = (number(d), number(e));
                    let report = FigureReport { half_year: half_year(a), name, published, claimed };
                    Contests::Figure { figure: report.try_into().ok()? }
                }
            };
            Command::RecordObjection(ObjectionReport {
                objection: objection(d),
                municipality: code(b),
                contests,
                ground: Ground::ALL[usize::from(e) % Ground::ALL.len()],
                raised_on: day(c),
                reference: reference(f),
            })
        }
        49..=53 => Command::SettleObjection(ObjectionSettled {
            objection: objection(d),
            outcome: Settlement::ALL[usize::from(e) % Settlement::ALL.len()],
            settled_on: day(c).plus_days(e % 3 * 400),
            reference: reference(f),
        }),
        _ => {
            let per_municipality = (c % 2 == 0).then(|| several(d, e, persons));
            match a % 2 {
                0 => Command::SetAmvCapacity(AmvCapacity {
                    from: day(b).min(day(f)),
                    until: day(b).max(day(f)),
                    places: persons(c),
                    per_municipality,
                    reference: reference(e),
                }),
                _ => Command::ReportAmvPlaces(AmvPlaces {
                    counted_on: day(b),
                    places: persons(c),
                    per_municipality,
                    reference: reference(e),
                }),
            }
        }
    })
}

/// What is there before anything random: most municipalities, with numbers for some half-years.
fn prelude() -> Vec<Command> {
    let mut commands: Vec<_> = (0..8).map(registration).collect();
    for (number, text) in ["2021-I", "2021-II", "2022-I", "2022-II", "2023-I"].iter().enumerate() {
        let half_year = parse(text);
        let number = number as u16 * 11 + 20;
        commands.push(Command::PublishQuota(Quota {
            half_year,
            persons: persons(number),
            window: None,
            band: None,
            includes: Vec::new(),
            published_on: None,
            gazette: None,
            reference: reference(1),
        }));
        let each = (0..8).map(|index| (code(index), persons(number + index * 3)));
        commands.push(Command::AllocateQuota(Allocation {
            half_year,
            persons: each.collect::<BTreeMap<_, _>>().try_into().expect("municipalities"),
            method: AllocationMethod::ALL[0],
            rounding: None,
            reference: reference(1),
        }));
    }
    commands
}

/// Records what can be recorded of some wishes.
pub fn record(world: &mut World, wishes: &[Wish]) {
    let today = parse(TODAY);
    if world.recorded.is_empty() {
        for command in prelude() {
            assert!(matches!(world.offer(today, &command), Ok(Decided::New(_))), "{command:?}");
        }
    }
    for command in wishes.iter().filter_map(|wish| command(*wish)) {
        // Whatever is refused did not happen; the model never hears of it.
        let _ = world.offer(today, &command);
    }
}

/// What a question asks, when the log has so many entries.
pub fn asked([area, on, size, reading]: Question, size_now: LogSize) -> (Area, AsOf, Reading) {
    let area = match area % 4 {
        0 => Area::Country,
        1 => Area::Province(parse(["PV27", "PV28", "PV30"][usize::from(area / 4) % 3])),
        _ => Area::Municipality(code(area / 4)),
    };
    // A third asks with all that is known, the others at any size.
    let known_at = if size % 3 == 0 { size_now } else { LogSize(u64::from(size) % (size_now.0 + 1)) };
    // Some questions lie before and after everything that happened.
    let on = if on % 11 == 0 { parse::<Day>("2020-11-15").plus_days(on % 1_400) } else { day(on) };
    let reading = Reading::ALL[usize::from(reading) % 3];
    (area, AsOf { reference_date: ReferenceDate(on), known_at }, reading)
}

// The model.

/// What a municipality stands for in a half-year, or the sum over several.
#[derive(Clone, Debug, Default, PartialEq)]
struct Lines {
    used: i64,
    recorded: Option<i64>,
    recorded_for: u32,
    derived: i64,
    quota: i64,
    revision: i64,
    exchange: i64,
    boundary: i64,
    /// What of it is old backlog.
    boundary_carried: i64,
    housed: BTreeMap<PlacementKind, i64>,
}

impl Lines {
    fn due(&self) -> i64 {
        self.used + self.quota + self.revision + self.exchange + self.boundary
    }

    fn realised(&self) -> i64 {
        self.housed.values().sum()
    }

    fn add(&mut self, other: &Self) {
        self.used += other.used;
        self.recorded = match (self.recorded, other.recorded) {
            (None, None) => None,
            (one, another) => Some(one.unwrap_or(0) + another.unwrap_or(0)),
        };
        self.recorded_for += other.recorded_for;
        self.derived += other.derived;
        self.quota += other.quota;
        self.revision += other.revision;
        self.exchange += other.exchange;
        self.boundary += other.boundary;
        self.boundary_carried += other.boundary_carried;
        for (kind, persons) in &other.housed {
            *self.housed.entry(*kind).or_default() += persons;
        }
    }
}

/// The day of a change of boundaries, the municipalities that cease, and who takes over with what weight.
type Change = (Day, Vec<MunicipalityCode>, Vec<(MunicipalityCode, u32)>);

/// The plain list of what was said, as far as it is known, and the reference date.
pub struct Model<'a> {
    said: Vec<&'a Command>,
    on: Day,
}

/// The part of each heir: rounded down, and what is left one by one to who lost most by that, of two
/// who lost as much to the one with the lower code.
fn divided(persons: i64, weights: &[(MunicipalityCode, u32)]) -> Vec<(MunicipalityCode, i64)> {
    let all: i64 = weights.iter().map(|(_, weight)| i64::from(*weight)).sum();
    let exact = |weight: u32| persons.abs() * i64::from(weight);
    let mut parts: Vec<_> = weights.iter().map(|(code, weight)| (*code, exact(*weight) / all)).collect();
    let mut missing = persons.abs() - parts.iter().map(|(_, part)| part).sum::<i64>();
    let mut lost: Vec<_> =
        weights.iter().enumerate().map(|(index, (_, weight))| (-(exact(*weight) % all), index)).collect();
    lost.sort();
    for (_, index) in lost {
        if missing > 0 {
            parts[index].1 += 1;
            missing -= 1;
        }
    }
    parts.into_iter().map(|(code, part)| (code, part * persons.signum())).collect()
}

/// `persons x part / whole`, to the nearest whole number, a half away from zero.
fn rounded(persons: i64, part: i64, whole: i64) -> i64 {
    let exact = (persons * part).abs();
    let (down, rest) = (exact / whole, exact % whole);
    (down + i64::from(2 * rest >= whole)) * (persons * part).signum()
}

impl<'a> Model<'a> {
    pub fn new(world: &'a World, as_of: AsOf) -> Self {
        let known = usize::try_from(as_of.known_at.0).expect("a small log");
        Self { said: world.recorded[..known].iter().map(|(_, it)| it).collect(), on: as_of.reference_date.0 }
    }

    /// The changes of boundaries in force, in the order in which they took effect.
    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<_> = self
            .said
            .iter()
            .filter_map(|it| match it {
                Command::ChangeBoundaries(it) if it.effective_on() <= self.on => {
                    Some((it.effective_on(), it.old().to_vec(), it.heirs()))
                }
                _ => None,
            })
            .collect();
        changes.sort_by_key(|(day, ..)| *day);
        changes
    }

    /// The municipalities that exist on the reference date.
    pub fn members(&self) -> Vec<&'a Municipality> {
        let changes = self.changes();
        let mut members: Vec<_> = self
            .said
            .iter()
            .filter_map(|it| match it {
                Command::RegisterMunicipality(it) if it.from <= self.on => Some(it),
                _ => None,
            })
            .filter(|it| !changes.iter().any(|(_, old, _)| old.contains(&it.code)))
            .collect();
        members.sort_by_key(|it| it.code);
        members
    }

    /// Whether a kind counts that was placed on a day: the rule said last decides.
    pub fn counts(&self, kind: PlacementKind, day: Day) -> bool {
        let rules = self.said.iter().filter_map(|it| match it {
            Command::SetCountingRule(it) => Some(CountingRuleReport::from(it.clone())),
            _ => None,
        });
        let mut covering =
            rules.filter(|it| it.kind == kind && it.from <= day && it.until.is_none_or(|until| day <= until));
        // The table of RULES, chapter 3.
        let default = matches!(
            kind.name(),
            "regular"
                | "family_reunification"
                | "amv_small_scale_care"
                | "hotel_scheme"
                | "transit_location"
                | "resettled"
        );
        covering.next_back().map_or(default, |it| it.counts)
    }

    /// The placements that stand, each with its moves and the day of its follow-on housing.
    pub fn standing_placements(&self) -> Vec<(&'a PlacementReport, Vec<&'a TransferReport>, Option<Day>)> {
        let mut withdrawn = HashSet::new();
        let mut moves: HashMap<PlacementId, Vec<&TransferReport>> = HashMap::new();
        let mut housed = HashMap::new();
        for it in &self.said {
            match it {
                Command::WithdrawPlacement(it) => drop(withdrawn.insert(it.placement)),
                Command::TransferPlacement(it) => moves.entry(it.placement).or_default().push(it),
                Command::RecordFollowOn(it) => drop(housed.entry(it.placement).or_insert(it.housed_on)),
                _ => {}
            }
        }
        let placements = self.said.iter().filter_map(|it| match it {
            Command::RecordPlacement(it) => Some(it),
            _ => None,
        });
        placements
            .filter(|it| !withdrawn.contains(&it.placement))
            .map(|it| {
                let moves = moves.remove(&it.placement).unwrap_or_default();
                (it, moves, housed.get(&it.placement).copied())
            })
            .collect()
    }

    /// Who was realised where and when: one person more, and with a move one less elsewhere.
    fn realised(&self) -> Vec<(MunicipalityCode, Day, PlacementKind, i64)> {
        let mut realised = Vec::new();
        for (it, moves, _) in self.standing_placements() {
            if !self.counts(it.kind, it.counts_from) {
                continue;
            }
            let persons = it.persons.count();
            let mut at = it.municipality;
            realised.push((at, it.counts_from, it.kind, persons));
            for step in moves {
                realised.push((at, step.reported_on, it.kind, -persons));
                realised.push((step.to, step.reported_on, it.kind, persons));
                at = step.to;
            }
        }
        realised.retain(|(_, day, ..)| *day < self.on);
        realised
    }

    /// The number said last for a municipality, in facts about one half-year.
    fn last<N>(&self, number: impl Fn(&'a Command) -> Option<N>) -> Option<N> {
        self.said.iter().rev().find_map(|it| number(it))
    }

    fn quota(&self, of: HalfYear, code: MunicipalityCode) -> i64 {
        let number = self.last(|it| match it {
            Command::AllocateQuota(it) if it.half_year == of => it.persons.of(code).map(|it| it.count()),
            _ => None,
        });
        number.filter(|_| of.first_day() <= self.on).unwrap_or(0)
    }

    /// Of the numbers decided by the reference date the one said last holds.
    fn revision(&self, of: HalfYear, code: MunicipalityCode) -> i64 {
        let number = self.last(|it| match it {
            Command::RecordEvaluation(it) if it.half_year == of && it.decided_on <= self.on => {
                match &it.outcome {
                    Outcome::Revised { persons, .. } => persons.of(code).map(|it| it.count()),
                    _ => None,
                }
            }
            _ => None,
        });
        number.filter(|_| of.first_day() <= self.on).map_or(0, |number| number - self.quota(of, code))
    }

    fn exchange(&self, of: HalfYear, code: MunicipalityCode) -> i64 {
        let exchanges = self.said.iter().filter_map(|it| match it {
            Command::ExchangeQuota(it) if it.half_year == of => Some(it),
            _ => None,
        });
        // Both must have decided; before the half-year begins there is nothing to shift.
        let agreed = exchanges.filter(|it| {
            it.from.decided_on <= self.on && it.to.decided_on <= self.on && of.first_day() <= self.on
        });
        agreed
            .map(|it| match code {
                _ if it.from.municipality == code => -it.from.persons.count(),
                _ if it.to.municipality == code => it.to.persons.count(),
                _ => 0,
            })
            .sum()
    }

    /// Where the standing into a half-year was last fixed, and at what number.
    fn fixed_carry_over(&self, into: HalfYear, code: MunicipalityCode) -> (Option<usize>, i64) {
        let fixed = self.said.iter().enumerate().rev().find_map(|(at, it)| match it {
            Command::RecordCarryOver(it) if it.to_half_year == into => {
                it.persons.of(code).map(|it| (at, it.count()))
            }
            _ => None,
        });
        fixed.map_or((None, 0), |(at, number)| (Some(at), number))
    }

    /// What every municipality stands for in the half-year of the reference date: all half-years one
    /// after another, and in each all changes of boundaries in the order in which they took effect.
    fn accounts(&self) -> BTreeMap<MunicipalityCode, Lines> {
        let changes = self.changes();
        let realised = self.realised();
        let codes: Vec<MunicipalityCode> = (0..12).map(code).collect();
        let mut standing: BTreeMap<MunicipalityCode, i64> = BTreeMap::new();
        let mut half_year: HalfYear = parse("2020-II");
        loop {
            let begins = half_year.first_day();
            // On the first day the heirs take over the standings as they are.
            for (day, old, heirs) in &changes {
                if *day == begins {
                    for old in old {
                        for (heir, part) in divided(standing.remove(old).unwrap_or(0), heirs) {
                            *standing.entry(heir).or_default() += part;
                        }
                    }
                }
            }
            let gone = |code: &MunicipalityCode| {
                changes.iter().any(|(day, old, _)| *day <= begins && old.contains(code))
            };
            // What was fixed for one that is gone goes to an heir for whom nothing was fixed since.
            let mut fixed: BTreeMap<_, _> =
                codes.iter().map(|it| (*it, self.fixed_carry_over(half_year, *it))).collect();
            for (day, old, heirs) in &changes {
                let said = self.said.iter().position(|it| match it {
                    Command::ChangeBoundaries(it) => it.old() == old && it.effective_on() == *day,
                    _ => false,
                });
                for old in old.iter().filter(|_| *day <= begins) {
                    for (heir, part) in divided(fixed[old].1, heirs) {
                        let (at, number) = fixed.get_mut(&heir).expect("one of the codes");
                        if at.is_none_or(|at| Some(at) < said) {
                            *number += part;
                        }
                    }
                }
            }
            let mut accounts = BTreeMap::new();
            for code in &codes {
                let mut lines = Lines {
                    quota: self.quota(half_year, *code),
                    revision: self.revision(half_year, *code),
                    exchange: self.exchange(half_year, *code),
                    ..Lines::default()
                };
                if !gone(code) {
                    lines.derived = standing.get(code).copied().unwrap_or(0);
                    let (at, number) = fixed[code];
                    lines.recorded = at.filter(|_| begins <= self.on).map(|_| number);
                    lines.recorded_for = u32::from(lines.recorded.is_some());
                    lines.used = lines.recorded.unwrap_or(lines.derived);
                }
                for (at, day, kind, persons) in &realised {
                    if at == code && day.half_year() == half_year {
                        *lines.housed.entry(*kind).or_default() += persons;
                    }
                }
                accounts.insert(*code, lines);
            }
            // What strays onto a municipality that is gone goes the same way as what it left.
            for (day, old, heirs) in &changes {
                if day.half_year() > half_year {
                    continue;
                }
                for old in old {
                    let left = std::mem::take(accounts.get_mut(old).expect("one of the codes"));
                    for (heir, part) in divided(left.due(), heirs) {
                        accounts.get_mut(&heir).expect("one of the codes").boundary += part;
                    }
                    for (heir, part) in divided(left.used + left.boundary_carried, heirs) {
                        accounts.get_mut(&heir).expect("one of the codes").boundary_carried += part;
                    }
                    for (kind, persons) in &left.housed {
                        for (heir, part) in divided(*persons, heirs) {
                            let heir = accounts.get_mut(&heir).expect("one of the codes");
                            *heir.housed.entry(*kind).or_default() += part;
                        }
                    }
                }
            }
            if half_year == self.on.half_year() {
                return accounts;
            }
            standing = accounts.iter().map(|(code, it)| (*code, it.due() - it.realised())).collect();
            half_year = half_year.next().expect("far from the last half-year");
        }
    }

    /// Hands the numbers of municipalities that ceased on to their heirs, each number by itself.
    pub fn hand_on(&self, numbers: &mut BTreeMap<MunicipalityCode, BTreeMap<String, i64>>) {
        for (_, old, heirs) in self.changes() {
            let left: Vec<_> = old.iter().filter_map(|old| numbers.remove(old)).flatten().collect();
            for (what, persons) in left {
                for (heir, part) in divided(persons, &heirs) {
                    *numbers.entry(heir).or_default().entry(what.clone()).or_default() += part;
                }
            }
        }
    }

    /// Who is in small-scale care on the reference date, at the care places of a municipality.
    fn in_care(&self, places_of: MunicipalityCode) -> i64 {
        let mut in_care: BTreeMap<MunicipalityCode, i64> = BTreeMap::new();
        for (it, moves, housed) in self.standing_placements() {
            if it.kind.name() != "amv_small_scale_care" || it.counts_from >= self.on {
                continue;
            }
            let end = it.care_ends.map(Month::last_day);
            let left = moves.iter().map(|step| step.reported_on).chain(housed).chain(end).min();
            if left.is_none_or(|left| left >= self.on) {
                *in_care.entry(it.municipality).or_default() += it.persons.count();
            }
        }
        for (_, old, heirs) in self.changes() {
            for old in old {
                for (heir, part) in divided(in_care.remove(&old).unwrap_or(0), &heirs) {
                    *in_care.entry(heir).or_default() += part;
                }
            }
        }
        in_care.get(&places_of).copied().unwrap_or(0)
    }

    /// The places of an area, if the fact gives them for all of it.
    fn places(
        &self,
        area: Area,
        national: Persons,
        given: &Option<PerMunicipality<Persons>>,
        codes: &[MunicipalityCode],
    ) -> Option<i64> {
        match area {
            Area::Country => Some(national.count()),
            _ => codes.iter().map(|code| given.as_ref()?.of(*code).map(|it| it.count())).sum(),
        }
    }

    fn amv(&self, area: Area, codes: &[MunicipalityCode]) -> (Option<i64>, Option<i64>, i64) {
        let needed = self.last(|it| match it {
            Command::SetAmvCapacity(it) if it.from <= self.on && self.on <= it.until => Some(it),
            _ => None,
        });
        let counts = self.said.iter().filter_map(|it| match it {
            Command::ReportAmvPlaces(it) if it.counted_on <= self.on => Some(it),
            _ => None,
        });
        // The latest day; of one day the count said last, which `max_by_key` gives.
        let there = counts.max_by_key(|it| it.counted_on);
        (
            needed.and_then(|it| self.places(area, it.places, &it.per_municipality, codes)),
            there.and_then(|it| self.places(area, it.places, &it.per_municipality, codes)),
            codes.iter().map(|code| self.in_care(*code)).sum(),
        )
    }

    /// The objections that are open, each with its place in what was said.
    fn open_objections(&self) -> Vec<(usize, &'a ObjectionReport)> {
        let settled = |it: &ObjectionReport| {
            self.said.iter().any(|other| match other {
                Command::SettleObjection(other) => {
                    other.objection == it.objection && other.settled_on <= self.on
                }
                _ => false,
            })
        };
        let all = self.said.iter().enumerate().filter_map(|(at, it)| match it {
            Command::RecordObjection(it) if it.raised_on <= self.on => Some((at, it)),
            _ => None,
        });
        all.filter(|(_, it)| !settled(it)).collect()
    }

    /// Where a placement was recorded, and its moves with their places and where each came from.
    fn chain(
        &self,
        id: PlacementId,
    ) -> (usize, &'a PlacementReport, Vec<(usize, MunicipalityCode, &'a TransferReport)>) {
        let recorded = self.said.iter().enumerate().find_map(|(at, it)| match it {
            Command::RecordPlacement(it) if it.placement == id => Some((at, it)),
            _ => None,
        });
        let (at, report) = recorded.expect("what is contested was recorded");
        let (mut moves, mut from) = (Vec::new(), report.municipality);
        for (at, it) in self.said.iter().enumerate() {
            if let Command::TransferPlacement(it) = it
                && it.placement == id
            {
                moves.push((at, from, it));
                from = it.to;
            }
        }
        (at, report, moves)
    }

    /// The entry that an objection contests and the municipality for which it does, by what was said before it.
    fn contested_entry(&self, at: usize, objection: &ObjectionReport) -> (usize, MunicipalityCode) {
        let before = Model { said: self.said[..at].to_vec(), on: objection.raised_on };
        // The objector, and whoever it had taken over on the day of the objection.
        let mut own = vec![objection.municipality];
        let mut found = 0;
        while let Some(code) = own.get(found).copied() {
            found += 1;
            let changes = before.changes();
            let left = changes.iter().filter(|(.., heirs)| heirs.iter().any(|(heir, _)| *heir == code));
            own.extend(left.flat_map(|(_, old, _)| old.iter().copied()));
        }
        let one_of = |codes: &[MunicipalityCode]| {
            let own_first = codes.iter().find(|it| **it == objection.municipality);
            own_first.or_else(|| codes.iter().find(|it| own.contains(it))).copied()
        };
        let entry = match objection.contests {
            Contests::Entry { entry } => usize::try_from(entry.0).expect("a small log"),
            Contests::Placement { placement } => {
                let (recorded, _, moves) = before.chain(placement);
                let mut moves = moves.iter().rev();
                moves.find(|(_, from, it)| one_of(&[it.to, *from]).is_some()).map_or(recorded, |(at, ..)| *at)
            }
            Contests::Figure { .. } => unreachable!("a figure is no entry"),
        };
        let codes = match before.said[entry] {
            Command::RecordPlacement(it) => vec![it.municipality],
            Command::TransferPlacement(it) => {
                let (.., moves) = before.chain(it.placement);
                moves
                    .iter()
                    .filter(|(at, ..)| *at == entry)
                    .flat_map(|(_, from, it)| [it.to, *from])
                    .collect()
            }
            Command::WithdrawPlacement(it) => {
                let (_, report, moves) = before.chain(it.placement);
                let moves = moves.iter().rev().flat_map(|(_, from, it)| [it.to, *from]);
                moves.chain([report.municipality]).collect()
            }
            Command::AllocateQuota(it) => it.persons.codes().collect(),
            Command::RecordCarryOver(it) => it.persons.codes().collect(),
            Command::RecordEvaluation(Evaluation { outcome: Outcome::Revised { persons, .. }, .. }) => {
                persons.codes().collect()
            }
            Command::ExchangeQuota(it) => vec![it.from.municipality, it.to.municipality],
            other => panic!("{other:?} was contested"),
        };
        (entry, one_of(&codes).expect("it concerns the objector"))
    }

    /// How many persons a contested entry still stands for in a municipality.
    fn weighs(&self, entry: usize, code: MunicipalityCode) -> i64 {
        let later = || self.said[entry + 1..].iter();
        let housed = |id: PlacementId, with_recorded: bool, since: usize| {
            let (_, it, moves) = self.chain(id);
            let mut steps = Vec::new();
            if with_recorded {
                steps.push((it.municipality, it.counts_from, 1));
            }
            for (_, from, step) in moves.iter().filter(|(at, ..)| *at >= since) {
                steps.extend([(*from, step.reported_on, -1), (step.to, step.reported_on, 1)]);
            }
            let net: i64 = steps
                .iter()
                .filter(|(at, day, _)| *at == code && *day < self.on)
                .map(|(.., sign)| sign * it.persons.count())
                .sum();
            if self.counts(it.kind, it.counts_from) { net.abs() } else { 0 }
        };
        let withdrawn = |id: PlacementId| {
            later().any(|it| matches!(it, Command::WithdrawPlacement(it) if it.placement == id))
        };
        match self.said[entry] {
            Command::RecordPlacement(it) if !withdrawn(it.placement) => housed(it.placement, true, entry),
            Command::TransferPlacement(it) if !withdrawn(it.placement) => housed(it.placement, false, entry),
            Command::RecordPlacement(_) | Command::TransferPlacement(_) => 0,
            Command::WithdrawPlacement(it) => housed(it.placement, true, 0),
            Command::AllocateQuota(said) => {
                let restated = later().any(|it| match it {
                    Command::AllocateQuota(it) => {
                        it.half_year == said.half_year && it.persons.of(code).is_some()
                    }
                    _ => false,
                });
                let there = !restated && said.half_year.first_day() <= self.on;
                if there { said.persons.of(code).expect("it is named").count() } else { 0 }
            }
            Command::RecordCarryOver(said) => {
                let restated = later().any(|it| match it {
                    Command::RecordCarryOver(it) => {
                        it.to_half_year == said.to_half_year && it.persons.of(code).is_some()
                    }
                    _ => false,
                });
                let there = !restated && said.to_half_year.first_day() <= self.on;
                if there { said.persons.of(code).expect("it is named").count().abs() } else { 0 }
            }
            Command::RecordEvaluation(said) => {
                let number = |it: &Evaluation| match &it.outcome {
                    Outcome::Revised { persons, .. } if it.decided_on <= self.on => {
                        persons.of(code).map(|it| it.count())
                    }
                    _ => None,
                };
                let restated = later().any(|it| match it {
                    Command::RecordEvaluation(it) => it.half_year == said.half_year && number(it).is_some(),
                    _ => false,
                });
                let there = !restated && said.half_year.first_day() <= self.on;
                if there { number(said).unwrap_or(0) } else { 0 }
            }
            Command::ExchangeQuota(it) => {
                let agreed = it.from.decided_on.max(it.to.decided_on).max(it.half_year.first_day());
                if agreed <= self.on { it.from.persons.count() } else { 0 }
            }
            other => panic!("{other:?} was contested"),
        }
    }

    /// Open objections, contested persons and claimed differences of each municipality, those that it took over included.
    fn contested(&self) -> HashMap<MunicipalityCode, [i64; 3]> {
        let mut sums: HashMap<MunicipalityCode, [i64; 3]> = HashMap::new();
        let mut seen = HashSet::new();
        for (at, it) in self.open_objections() {
            if let Contests::Figure { figure } = it.contests {
                let FigureReport { half_year, published, claimed, .. } = figure.into();
                let sum = sums.entry(it.municipality).or_default();
                sum[0] += 1;
                if half_year.first_day() <= self.on {
                    sum[2] += (published.count() - claimed.count()).abs();
                }
                continue;
            }
            let (entry, code) = self.contested_entry(at, it);
            let sum = sums.entry(code).or_default();
            sum[0] += 1;
            if seen.insert((entry, code)) {
                sum[1] += self.weighs(entry, code);
            }
        }
        for (_, old, heirs) in self.changes() {
            for old in old {
                let left = sums.remove(&old).unwrap_or_default();
                for (index, number) in left.into_iter().enumerate() {
                    for (heir, part) in divided(number, &heirs) {
                        sums.entry(heir).or_default()[index] += part;
                    }
                }
            }
        }
        sums
    }

    /// Whether the municipality can be asked about.
    fn answers_for(&self, code: MunicipalityCode) -> &'static str {
        let registered = self.said.iter().find_map(|it| match it {
            Command::RegisterMunicipality(it) if it.code == code => Some(it.from),
            _ => None,
        });
        match registered {
            None => "unknown",
            Some(from) if self.on < from => "not yet",
            Some(_) if self.changes().iter().any(|(_, old, _)| old.contains(&code)) => "ceased",
            Some(_) => "exists",
        }
    }

    pub fn compare(&self, area: Area, reading: Reading, is: &Statement) -> TestCaseResult {
        let accounts = self.accounts();
        let members: Vec<_> = self
            .members()
            .into_iter()
            .filter(|it| match area {
                Area::Municipality(code) => it.code == code,
                Area::Province(province) => it.province == province,
                Area::Country => true,
            })
            .collect();
        let backlog = |lines: &Lines| {
            let (carried, realised) = (lines.used + lines.boundary_carried, lines.realised());
            let current = lines.due() - carried;
            match reading {
                Reading::OldestFirst => (carried - realised).max(0),
                Reading::CurrentFirst => (carried - (realised - current).max(0)).max(0),
                Reading::Total => (lines.due() - realised).max(0),
            }
        };
        let mut sum = Lines::default();
        let (mut backlogs, mut surpluses) = (0, 0);
        for member in &members {
            let lines = &accounts[&member.code];
            sum.add(lines);
            backlogs += backlog(lines);
            surpluses += (lines.realised() - lines.due()).max(0);
        }
        let (due, realised) = (sum.due(), sum.realised());

        prop_assert_eq!(is.area.code, area);
        prop_assert_eq!((is.reference_date, is.half_year), (self.on, self.on.half_year()));
        let carried = is.carried_over;
        prop_assert_eq!(
            (carried.used, carried.recorded, carried.derived),
            (sum.used, sum.recorded, sum.derived),
            "carried over"
        );
        prop_assert_eq!(
            (carried.difference, carried.recorded_for),
            (sum.derived - sum.used, sum.recorded_for),
            "carried over"
        );
        prop_assert_eq!(
            (is.quota, is.revision, is.exchange, is.boundary),
            (sum.quota, sum.revision, sum.exchange, sum.boundary),
            "quota, revision, exchange, boundary"
        );
        prop_assert_eq!(
            (is.due, is.realised, is.remaining),
            (due, realised, due - realised),
            "due, realised, remaining"
        );
        for kind in PlacementKind::ALL {
            let persons = sum.housed.get(kind).copied().unwrap_or(0);
            let shown = (persons != 0 || self.counts(*kind, self.on)).then_some(persons);
            prop_assert_eq!(is.realised_by_kind.get(*kind), shown, "{}", kind);
        }
        // Of the phases that cover the day the one that was said last; without one a quota is in force.
        let phase = self.last(|it| match it {
            Command::SetPhase(it) => Some(it.report())
                .filter(|it| it.from <= self.on && it.until.is_none_or(|until| self.on <= until)),
            _ => None,
        });
        let in_force = phase.is_none_or(|it| it.quota_in_force);
        prop_assert_eq!(is.regime.quota_in_force, in_force);
        prop_assert_eq!(
            (is.regime.phase, is.regime.from, is.regime.until, is.regime.reference.as_ref()),
            (
                phase.map(|it| it.phase),
                phase.map(|it| it.from),
                phase.and_then(|it| it.until),
                phase.map(|it| &it.reference)
            ),
            "phase"
        );
        // One sixth of what is due for each whole month, and within a month linear by day.
        let (_, month, day) = ymd(self.on);
        let days = Month::from(self.on).last_day().index() - Month::from(self.on).first_day().index() + 1;
        let passed = i64::from((month - 1) % 6) * i64::from(days) + i64::from(day - 1);
        let on_schedule = rounded(due, passed, 6 * i64::from(days));
        prop_assert_eq!(
            (is.on_schedule, is.pace),
            (in_force.then_some(on_schedule), in_force.then_some(realised - on_schedule)),
            "on schedule, pace"
        );
        let fulfilment = (due > 0).then(|| rounded(realised, 10_000, due));
        prop_assert_eq!(is.fulfilment.map(|it| it.ten_thousandths()), fulfilment, "fulfilment");
        prop_assert_eq!(
            (is.backlog, is.surplus, is.reading),
            (backlog(&sum), (realised - due).max(0), reading),
            "backlog"
        );
        let across = is.municipalities;
        prop_assert_eq!(
            (across.count as usize, across.backlog, across.surplus),
            (members.len(), backlogs, surpluses),
            "municipalities"
        );

        let quota = self.last(|it| match it {
            Command::PublishQuota(it) if it.half_year == self.on.half_year() => Some(it),
            _ => None,
        });
        prop_assert_eq!(is.national.is_some(), quota.is_some());
        if let (Some(national), Some(quota)) = (&is.national, quota) {
            let decided = |it: &&Evaluation| it.half_year == self.on.half_year() && it.decided_on <= self.on;
            let evaluation = self.last(|it| match it {
                Command::RecordEvaluation(it) => Some(it).filter(decided),
                _ => None,
            });
            // A later evaluation that keeps the quota keeps it as it was revised before.
            let revised = self.last(|it| match it {
                Command::RecordEvaluation(it) => match &it.outcome {
                    Outcome::Revised { national, .. } if decided(&it) => Some(*national),
                    _ => None,
                },
                _ => None,
            });
            prop_assert_eq!(national.quota, quota.persons, "national quota");
            prop_assert_eq!(national.in_force, revised.unwrap_or(quota.persons), "in force");
            prop_assert_eq!(&national.includes, &quota.includes);
            prop_assert_eq!(&national.reference, &quota.reference);
            let said = evaluation.map(|it| match it.outcome {
                Outcome::Kept {} => "kept",
                Outcome::Revised { .. } => "revised",
                Outcome::CarriedForward { .. } => "carried_forward",
            });
            prop_assert_eq!(
                national.evaluation.map(|it| it.to_string()),
                said.map(str::to_owned),
                "evaluation"
            );
        }
        let codes: Vec<_> = members.iter().map(|it| it.code).collect();
        let amv = (is.amv.places_needed, is.amv.places_there, is.amv.placed);
        prop_assert_eq!(amv, self.amv(area, &codes), "places needed, places there, placed");
        let all = self.contested();
        let each = codes.iter().map(|code| all.get(code).copied().unwrap_or_default());
        let contested = each.fold([0; 3], |sum, one| std::array::from_fn(|index| sum[index] + one[index]));
        prop_assert_eq!(
            [is.contested.objections, is.contested.persons, is.contested.difference],
            contested,
            "open objections, contested persons, claimed differences"
        );
        prop_assert!(!is.generated);
        Ok(())
    }
}

fn ymd(day: Day) -> (u32, u32, u32) {
    let text = day.to_string();
    let part = |range: std::ops::Range<usize>| text[range].parse().expect("digits");
    (part(0..4), part(5..7), part(8..10))
}

// The properties.

/// What came up in all histories together, so that no test passes because nothing happened.
#[derive(Default)]
struct Richness {
    recorded: BTreeMap<EventName, usize>,
    answers: usize,
    refused: usize,
    with: BTreeMap<&'static str, usize>,
}

impl Richness {
    fn count(&mut self, what: &'static str, yes: bool) {
        *self.with.entry(what).or_default() += usize::from(yes);
    }

    fn see(&mut self, is: &Statement) {
        self.answers += 1;
        self.count(
            "a recorded carry-over that differs",
            is.carried_over.recorded.is_some() && is.carried_over.difference != 0,
        );
        self.count("a revision", is.revision != 0);
        self.count("an exchange", is.exchange != 0);
        self.count("a boundary line", is.boundary != 0);
        self.count("a surplus", is.surplus > 0);
        self.count("a backlog", is.backlog > 0);
        self.count("somebody realised", is.realised > 0);
        self.count("somebody in care", is.amv.placed > 0);
        self.count("somebody contested", is.contested.persons > 0);
        self.count(
            "an objection to what weighs no more",
            is.contested.objections > 0 && is.contested.persons == 0,
        );
        self.count("a claimed difference", is.contested.difference > 0);
        self.count("no quota in force", !is.regime.quota_in_force);
        self.count("a phase with a quota", is.regime.phase.is_some() && is.regime.quota_in_force);
        self.count("an evaluation", is.national.as_ref().is_some_and(|it| it.evaluation.is_some()));
    }
}

/// What an answer and its JSON are, to be compared with the answer to the same question later.
fn answer(world: &World, question: Question, size: LogSize) -> (Result<Statement, Unanswerable>, String) {
    let (area, as_of, reading) = asked(question, size);
    let answer = world.book.statement(area, as_of, reading);
    let json = answer.as_ref().map_or(String::new(), |it| serde_json::to_string(it).expect("JSON"));
    (answer, json)
}

#[test]
fn every_answer_is_what_a_replay_of_all_that_was_said_gives() {
    let richness = RefCell::new(Richness::default());
    let config = ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&histories(), |(wishes, questions)| {
        let mut world = World::default();
        let (first, rest) = wishes.split_at(wishes.len() / 2);
        record(&mut world, first);
        let half = world.size();
        let earlier: Vec<_> = questions.iter().map(|it| answer(&world, *it, half)).collect();
        record(&mut world, rest);

        for (question, earlier) in questions.iter().zip(&earlier) {
            let again = answer(&world, *question, half);
            prop_assert_eq!(&again, earlier, "an earlier answer changed: {:?}", asked(*question, half));
        }
        let mut richness = richness.borrow_mut();
        for (_, command) in &world.recorded[prelude().len()..] {
            *richness.recorded.entry(command.event_name()).or_default() += 1;
        }
        for question in &questions {
            let (area, as_of, reading) = asked(*question, world.size());
            let model = Model::new(&world, as_of);
            let context = |fault: TestCaseError| {
                TestCaseError::fail(format!("{area} at {as_of:?}, {reading}: {fault}\n{}", told(&world)))
            };
            match world.book.statement(area, as_of, reading) {
                Ok(is) => {
                    model.compare(area, reading, &is).map_err(context)?;
                    richness.see(&is);
                }
                Err(unanswerable) => {
                    let said = match &unanswerable {
                        Unanswerable::UnknownMunicipality(..) => "unknown",
                        Unanswerable::NotYet { .. } => "not yet",
                        Unanswerable::Ceased { .. } => "ceased",
                    };
                    let Area::Municipality(code) = area else {
                        return Err(TestCaseError::fail(format!("{area}: {unanswerable}")));
                    };
                    prop_assert_eq!(said, model.answers_for(code), "{}", unanswerable);
                    richness.refused += 1;
                }
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));

    let Richness { recorded, answers, refused, with } = richness.into_inner();
    for name in EventName::ALL {
        if ![EventName::PopulationCounted, EventName::GrantsReported].contains(name) {
            let times = recorded.get(name).copied().unwrap_or(0);
            assert!(times >= 20, "{name} was recorded only {times} times: {recorded:?}");
        }
    }
    assert!(answers > 1_000 && refused > 50, "{answers} answers, {refused} without");
    for (what, times) in &with {
        assert!(*times >= 5, "only {times} answers with {what}: {with:?}");
    }
}

/// All that was said, one a line, to read a failure by.
fn told(world: &World) -> String {
    let lines = world.recorded.iter().enumerate().map(|(position, (_, it))| format!("{position}: {it:?}\n"));
    lines.collect()
}

#[test]
fn a_province_and_the_country_are_the_sums_of_their_municipalities() {
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&histories(), |(wishes, questions)| {
        let mut world = World::default();
        record(&mut world, &wishes);
        for question in &questions {
            let (_, as_of, reading) = asked(*question, world.size());
            let mut areas = vec![Area::Country];
            areas.extend(Province::all().map(Area::Province));
            for area in areas {
                let whole = world.book.statement(area, as_of, reading).expect("an area that always exists");
                let parts = world.book.by_municipality(area, as_of, reading).expect("its municipalities");
                let sum = |line: fn(&Statement) -> i64| parts.iter().map(line).sum::<i64>();
                for line in [
                    (|it| it.carried_over.used) as fn(&Statement) -> i64,
                    |it| it.carried_over.derived,
                    |it| it.carried_over.recorded.unwrap_or(0),
                    |it| i64::from(it.carried_over.recorded_for),
                    |it| it.quota,
                    |it| it.revision,
                    |it| it.exchange,
                    |it| it.boundary,
                    |it| it.due,
                    |it| it.realised,
                    |it| it.remaining,
                    |it| it.amv.placed,
                    |it| it.contested.objections,
                    |it| it.contested.persons,
                    |it| it.contested.difference,
                    |it| i64::from(it.municipalities.count),
                    |it| it.municipalities.backlog,
                    |it| it.municipalities.surplus,
                ] {
                    prop_assert_eq!(line(&whole), sum(line), "{} at {:?}\n{}", area, as_of, told(&world));
                }
                prop_assert_eq!(whole.municipalities.backlog, sum(|it| it.backlog));
                prop_assert_eq!(whole.municipalities.surplus, sum(|it| it.surplus));
            }
            // An exchange moves quota and makes none. Every due and every person lies somewhere.
            let country = world.book.statement(Area::Country, as_of, reading).expect("the country");
            let provinces = world.book.by_province(as_of, reading);
            prop_assert_eq!(provinces.iter().map(|it| it.remaining).sum::<i64>(), country.remaining);
            let lines = country.carried_over.used
                + country.quota
                + country.revision
                + country.exchange
                + country.boundary;
            prop_assert_eq!(lines, country.due);
            prop_assert_eq!(
                country.realised_by_kind.iter().map(|(_, persons)| persons).sum::<i64>(),
                country.realised
            );
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
