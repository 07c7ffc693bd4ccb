//! Strategies that make any valid value of every domain type, through its public doors.
//!
//! Each is named after what it makes. Small and extreme values come up often, texts hold awkward
//! characters, and an optional field is there about every other time. What depends on another field
//! (care that ends, shares of a split) is made to fit, so nothing here needs to be thrown away later.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;

use peildatum::book::care::{CareStanding, Count, Need, Owed};
use peildatum::book::deadlines::{DeadlineStanding, InWeeks, Stay};
use peildatum::book::evaluation::{
    Basis, Decided, Effect, Expectation, Finding, MonthOfGrants, NumbersBy, OutsideRule, Period, Possible,
    Proposal,
};
use peildatum::book::explanation::{Cause, Explanation, Rule, Step as ExplainedStep, StepLine};
use peildatum::book::forecast::{
    Ends, Forecast, Past, PlannedCategory, ProductionPlan, Published, RecentGrants,
};
use peildatum::book::objection::ContestedSum;
use peildatum::book::reconciliation::{
    BothSides, Category, CategoryTotal, LedgerSide, Line, ListRow, NamedMunicipality, Reconciliation,
    SplitShare,
};
use peildatum::book::regime::Regime;
use peildatum::book::scenario::{Compared, Lines};
use peildatum::book::share::{MunicipalShare, RoundingBy, Share};
use peildatum::book::statement::{
    Across, AmvStanding, CarriedOver, DECISIONS, NamedArea, National, Ratio, Reading, Statement,
};
use peildatum::book::weeks::{Ended, Interim, StandingThen, Week, Weeks, Without};
use peildatum::decide::command::Command;
use peildatum::decide::refusal::Refusal;
use peildatum::domain::amv::{AmvCapacity, AmvPlaces};
use peildatum::domain::area::{
    Area, BoundaryChange, BoundaryChangeReport, Inhabitants, Municipality, MunicipalityCode, PerMunicipality,
    Population, Province, SafetyRegion,
};
use peildatum::domain::carry_over::CarryOver;
use peildatum::domain::evaluation::{Evaluation, Outcome};
use peildatum::domain::event::{Entry, Event, EventName, IdBy};
use peildatum::domain::grants::Grants;
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::objection::{
    Contested, Contests, Figure, FigureName, FigureReport, Ground, Moved, Objection, ObjectionReport,
    ObjectionSettled, Settlement, Step,
};
use peildatum::domain::persons::{Balance, PERSONS_MAX, Persons};
use peildatum::domain::placement::{
    FollowOn, FollowOnReport, Housed, Move, Placement, PlacementKind, PlacementReport, Transfer,
    TransferReport, Withdrawal, WithdrawalReason, WithdrawalReport,
};
use peildatum::domain::quota::{
    Allocation, AllocationMethod, Band, BandReport, Exchange, ExchangeReport, ExchangeSide, Included, Quota,
    Rounding, Window, WindowReport,
};
use peildatum::domain::reference::{AreaName, GazetteRef, Reference};
use peildatum::domain::regime::{Phase, PhaseReport, PhaseSet};
use peildatum::domain::rules::{CountingRule, CountingRuleReport};
use peildatum::domain::source::{DeliveryId, EventId, ObjectionId, PersonToken, PlacementId, Source};
use peildatum::domain::time::{AsOf, Day, LogSize, Month, Position, RecordedAt, ReferenceDate};
use peildatum::feed::receipt::{FaultInRow, Outcome as RowOutcome, Receipt, RowReceipt, Totals};
use peildatum::ledger::{
    Answer, CareShown, ChangesTold, Checkpoint, ClosingShown, DeadlinesShown, Evaluated, Explained,
    ExplainedEntry, Forecasted, KnownAtSize, Late, ListSeal, Reconciled, Replayed, Restated, Restatements,
    Scenario, Selector, Shared, Supposed, UnderScenario, WeekByWeek,
};
use peildatum::proof::content::ContentHash;
use peildatum::proof::merkle::Hash;
use peildatum::report::public::{Hidden, PublicAmv, PublicStatement, Shown};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::{Builder, Uuid, Variant};

/// Characters that have broken many a format, without control characters.
const AWKWARD: &[char] = &[
    'a', '7', ' ', '"', '\\', '/', '\'', '=', ';', '<', '\u{a0}', '\u{ad}', '\u{2028}', '\u{2029}',
    '\u{3000}', '\u{feff}', 'é', 'ĳ', '\u{301}', '☂', '😀',
];

// Time.

/// The day this many days after 1 January 1990.
fn day_at(index: u16) -> Day {
    let first: Day = "1990-01-01".parse().expect("the first day there is");
    first.plus_days(index)
}

/// Any day, the first and the last among them.
pub fn day() -> impl Strategy<Value = Day> {
    let last = day_at(u16::MAX).index();
    prop_oneof![1 => Just(0), 1 => Just(last), 30 => 0..=last].prop_map(day_at)
}

/// Two days, the second not before the first.
pub fn days_in_order() -> impl Strategy<Value = (Day, Day)> {
    (day(), day()).prop_map(|(one, other)| (one.min(other), one.max(other)))
}

/// Any month.
pub fn month() -> impl Strategy<Value = Month> {
    day().prop_map(Month::from)
}

/// Any half-year.
pub fn half_year() -> impl Strategy<Value = HalfYear> {
    day().prop_map(Day::half_year)
}

/// Any moment that the ledger can record.
pub fn recorded_at() -> impl Strategy<Value = RecordedAt> {
    let edge = |text: &str| text.parse::<RecordedAt>().expect("a time that can be recorded").millis();
    let (first, last) = (edge("1990-01-01T00:00:00Z"), edge("2149-12-31T23:59:59.999Z"));
    prop_oneof![1 => Just(first), 1 => Just(last), 30 => first..=last]
        .prop_map(|millis| RecordedAt::from_millis(millis).expect("within the years that can be recorded"))
}

/// Any place in the log.
pub fn position() -> impl Strategy<Value = Position> {
    prop_oneof![0..1_000u64, any::<u64>(), Just(u64::MAX)].prop_map(Position)
}

/// Any size of the log.
pub fn log_size() -> impl Strategy<Value = LogSize> {
    prop_oneof![0..1_000u64, any::<u64>()].prop_map(LogSize)
}

/// Any way to ask a question.
pub fn as_of() -> impl Strategy<Value = AsOf> {
    (day(), log_size()).prop_map(|(day, known_at)| AsOf { reference_date: ReferenceDate(day), known_at })
}

// Numbers.

fn at_most<N>(count: impl Strategy<Value = u32>) -> impl Strategy<Value = N>
where
    N: TryFrom<u32, Error: Debug> + Debug,
{
    count.prop_map(|count| N::try_from(count).expect("a number that fits"))
}

/// Any number of persons, none among them.
pub fn persons() -> impl Strategy<Value = Persons> {
    at_most(prop_oneof![0..=3u32, 0..=PERSONS_MAX, Just(PERSONS_MAX)])
}

/// Any number of persons from 1 on.
pub fn some_persons() -> impl Strategy<Value = Persons> {
    at_most(prop_oneof![1..=3u32, 1..=PERSONS_MAX, Just(PERSONS_MAX)])
}

/// Any standing: a backlog, a surplus or neither.
pub fn balance() -> impl Strategy<Value = Balance> {
    let most = PERSONS_MAX as i32;
    prop_oneof![-3..=3, -most..=most, Just(most), Just(-most)]
        .prop_map(|count| Balance::try_from(count).expect("a standing that fits"))
}

/// Any number of inhabitants.
pub fn inhabitants() -> impl Strategy<Value = Inhabitants> {
    at_most(prop_oneof![0..=100_000_000u32, Just(100_000_000)])
}

// Areas, names and references.

fn parsed<T>(texts: impl Strategy<Value = String>) -> impl Strategy<Value = T>
where
    T: FromStr<Err: Debug> + Debug,
{
    // The few texts that are refused are those that look like the number of a person.
    texts.prop_filter_map("looks like a person's number", |text| text.parse().ok())
}

/// Any code of a municipality.
pub fn municipality_code() -> impl Strategy<Value = MunicipalityCode> {
    parsed((0..=9_999u16).prop_map(|number| format!("GM{number:04}")))
}

/// Any province.
pub fn province() -> impl Strategy<Value = Province> {
    select(Province::all().collect::<Vec<_>>())
}

/// Any safety region.
pub fn safety_region() -> impl Strategy<Value = SafetyRegion> {
    parsed((1..=25u8).prop_map(|number| format!("VR{number:02}")))
}

/// Any area that a question can be asked about.
pub fn area() -> impl Strategy<Value = Area> {
    prop_oneof![
        municipality_code().prop_map(Area::Municipality),
        province().prop_map(Area::Province),
        Just(Area::Country),
    ]
}

/// A number for each of one to five municipalities.
pub fn per_municipality<T: Debug>(
    number: impl Strategy<Value = T>,
) -> impl Strategy<Value = PerMunicipality<T>> {
    btree_map(municipality_code(), number, 1..=5)
        .prop_map(|numbers| numbers.try_into().expect("at least one municipality"))
}

/// One line of at most so many characters.
fn line(longest: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z][a-z]{1,12}( [a-z0-9.,:-]{1,8}){0,4}",
        vec(any::<char>(), 1..=longest).prop_map(String::from_iter),
        vec(select(AWKWARD), 1..=longest).prop_map(String::from_iter),
        Just("x".repeat(longest)),
    ]
    .prop_map(|text| text.replace(char::is_control, "").trim().to_owned())
    .prop_filter("holds nothing", |text| !text.is_empty())
}

/// Any reference.
pub fn reference() -> impl Strategy<Value = Reference> {
    parsed(line(160))
}

/// Any name of an area.
pub fn area_name() -> impl Strategy<Value = AreaName> {
    parsed(line(60))
}

/// Any number of the Staatscourant.
pub fn gazette_ref() -> impl Strategy<Value = GazetteRef> {
    parsed((1814..=2149u16, 1..=999_999u32).prop_map(|(year, number)| format!("stcrt-{year}-{number}")))
}

/// Any organisation and system, in each of the three forms.
pub fn source() -> impl Strategy<Value = Source> {
    parsed(prop_oneof![
        "[a-z0-9._-]{1,40}",
        "[a-z0-9._-]{1,40}/[a-z0-9._-]{1,40}",
        "urn:nld:oin:[0-9]{20}:systeem:[a-z0-9._-]{1,40}",
    ])
}

// Identities.

/// Any UUID of version 7.
fn uuid_of_version_seven() -> impl Strategy<Value = Uuid> {
    (0..1u64 << 48, any::<[u8; 10]>())
        .prop_map(|(millis, random)| Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// Any UUID of the usual variant, whatever its version.
fn uuid_of_any_version() -> impl Strategy<Value = Uuid> {
    any::<[u8; 16]>().prop_map(|bytes| *Builder::from_bytes(bytes).set_variant(Variant::RFC4122).as_uuid())
}

/// Any identity of an event.
pub fn event_id() -> impl Strategy<Value = EventId> {
    uuid_of_version_seven().prop_map(|uuid| uuid.try_into().expect("a UUID of version 7"))
}

/// Any identity of a delivery.
pub fn delivery_id() -> impl Strategy<Value = DeliveryId> {
    uuid_of_version_seven().prop_map(|uuid| uuid.try_into().expect("a UUID of version 7"))
}

/// Any identity of an objection.
pub fn objection_id() -> impl Strategy<Value = ObjectionId> {
    uuid_of_version_seven().prop_map(|uuid| uuid.try_into().expect("a UUID of version 7"))
}

/// Any identity of a placement.
pub fn placement_id() -> impl Strategy<Value = PlacementId> {
    uuid_of_any_version().prop_map(|uuid| uuid.try_into().expect("a UUID"))
}

/// Any token for a person.
pub fn person_token() -> impl Strategy<Value = PersonToken> {
    uuid_of_any_version().prop_map(|uuid| uuid.try_into().expect("a UUID"))
}

// Parts of events.

/// Any period of days.
pub fn window() -> impl Strategy<Value = Window> {
    days_in_order().prop_map(|(from, until)| WindowReport { from, until }.try_into().expect("in order"))
}

/// Any band of a forecast.
pub fn band() -> impl Strategy<Value = Band> {
    (persons(), persons()).prop_map(|(one, other)| {
        BandReport { lower: one.min(other), upper: one.max(other) }.try_into().expect("in order")
    })
}

/// Any part of a quota that stems from an earlier half-year.
pub fn included() -> impl Strategy<Value = Included> {
    (half_year(), persons()).prop_map(|(half_year, persons)| Included { half_year, persons })
}

/// Any outcome of an interim evaluation.
pub fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Kept {}),
        (persons(), per_municipality(persons()))
            .prop_map(|(national, persons)| Outcome::Revised { national, persons }),
        (half_year(), persons()).prop_map(|(into, persons)| Outcome::CarriedForward { into, persons }),
    ]
}

/// Any copy of what a placement stands for.
pub fn housed() -> impl Strategy<Value = Housed> {
    (
        municipality_code(),
        municipality_code(),
        day(),
        select(PlacementKind::ALL),
        persons(),
        option::of(day()),
    )
        .prop_map(|(municipality, placed_in, counts_from, kind, persons, in_care_until)| Housed {
            municipality,
            placed_in,
            counts_from,
            kind,
            persons,
            in_care_until,
        })
}

/// Any step from municipality to municipality.
pub fn step() -> impl Strategy<Value = Move> {
    (municipality_code(), municipality_code(), day()).prop_map(|(from, to, reported_on)| Move {
        from,
        to,
        reported_on,
    })
}

// What is delivered with less than what is recorded.

/// Any report that takes a placement back.
pub fn withdrawal_report() -> impl Strategy<Value = WithdrawalReport> {
    (placement_id(), select(WithdrawalReason::ALL))
        .prop_map(|(placement, reason)| WithdrawalReport { placement, reason })
}

/// Any report of a move.
pub fn transfer_report() -> impl Strategy<Value = TransferReport> {
    (placement_id(), municipality_code(), day()).prop_map(|(placement, to, reported_on)| TransferReport {
        placement,
        to,
        reported_on,
    })
}

/// Any report of final housing.
pub fn follow_on_report() -> impl Strategy<Value = FollowOnReport> {
    (placement_id(), day()).prop_map(|(placement, housed_on)| FollowOnReport { placement, housed_on })
}

// The content of each event, in the order of the events.

/// Any municipality that enters the register.
pub fn municipality() -> impl Strategy<Value = Municipality> {
    (municipality_code(), area_name(), province(), safety_region(), day()).prop_map(
        |(code, name, province, safety_region, from)| Municipality {
            code,
            name,
            province,
            safety_region,
            from,
        },
    )
}

/// Any merger or split.
pub fn boundary_change() -> impl Strategy<Value = BoundaryChange> {
    let codes =
        btree_set(municipality_code(), 2..=6).prop_map(|codes| codes.into_iter().collect()).prop_shuffle();
    (day(), codes, any::<bool>(), vec(1..=100_000_000u32, 5)).prop_map(
        |(effective_on, codes, split, weights): (_, Vec<MunicipalityCode>, _, _)| {
            let one = vec![codes[0]];
            let others = codes[1..].to_vec();
            let report = match split && others.len() > 1 {
                true => {
                    let shares: BTreeMap<_, _> = others.iter().copied().zip(weights).collect();
                    let shares = Some(shares.try_into().expect("at least one municipality"));
                    BoundaryChangeReport { effective_on, old: one, new: others, shares }
                }
                false => BoundaryChangeReport { effective_on, old: others, new: one, shares: None },
            };
            report.try_into().expect("a merger or a split")
        },
    )
}

/// Any count of inhabitants.
pub fn population() -> impl Strategy<Value = Population> {
    (day(), per_municipality(inhabitants()))
        .prop_map(|(counted_on, inhabitants)| Population { counted_on, inhabitants })
}

/// Any published quota.
pub fn quota() -> impl Strategy<Value = Quota> {
    (
        half_year(),
        persons(),
        option::of(window()),
        option::of(band()),
        vec(included(), 0..=2),
        option::of(day()),
        option::of(gazette_ref()),
        reference(),
    )
        .prop_map(|(half_year, persons, window, band, includes, published_on, gazette, reference)| {
            Quota { half_year, persons, window, band, includes, published_on, gazette, reference }
        })
}

/// Any allocation.
pub fn allocation() -> impl Strategy<Value = Allocation> {
    (
        half_year(),
        per_municipality(persons()),
        select(AllocationMethod::ALL),
        option::of(select(Rounding::ALL)),
        reference(),
    )
        .prop_map(|(half_year, persons, method, rounding, reference)| Allocation {
            half_year,
            persons,
            method,
            rounding,
            reference,
        })
}

/// Any exchange.
pub fn exchange() -> impl Strategy<Value = Exchange> {
    let codes =
        btree_set(municipality_code(), 2).prop_map(|codes| codes.into_iter().collect()).prop_shuffle();
    (half_year(), codes, some_persons(), day(), day(), reference(), reference()).prop_map(
        |(half_year, codes, persons, from_on, to_on, from_reference, to_reference): (
            _,
            Vec<MunicipalityCode>,
            _,
            _,
            _,
            _,
            _,
        )| {
            let side = |municipality, decided_on, reference| ExchangeSide {
                municipality,
                persons,
                decided_on,
                reference,
            };
            let from = side(codes[0], from_on, from_reference);
            let to = side(codes[1], to_on, to_reference);
            ExchangeReport { half_year, from, to }.try_into().expect("two sides of one exchange")
        },
    )
}

/// Any interim evaluation.
pub fn evaluation() -> impl Strategy<Value = Evaluation> {
    (
        half_year(),
        day(),
        option::of(window()),
        persons(),
        option::of(persons()),
        outcome(),
        day(),
        reference(),
    )
        .prop_map(
            |(half_year, measured_on, window, expected, now_expected, outcome, decided_on, reference)| {
                Evaluation {
                    half_year,
                    measured_on,
                    window,
                    expected,
                    now_expected,
                    outcome,
                    decided_on,
                    reference,
                }
            },
        )
}

/// Any carry-over. That the half-years follow each other is not for the type to see.
pub fn carry_over() -> impl Strategy<Value = CarryOver> {
    (half_year(), half_year(), per_municipality(balance()), reference()).prop_map(
        |(from_half_year, to_half_year, persons, reference)| CarryOver {
            from_half_year,
            to_half_year,
            persons,
            reference,
        },
    )
}

/// Any placement: of one person with a token, or of a total.
pub fn placement() -> impl Strategy<Value = Placement> {
    // Small-scale care is the one kind with a field of its own, so it is made more often.
    let kind = prop_oneof![select(PlacementKind::ALL), Just(PlacementKind::AmvSmallScaleCare)];
    let permit = days_in_order().prop_flat_map(|(earlier, counts_from)| {
        // How many days later care ends, and how many days before the person turns 18: in three years at most.
        (option::of(Just(earlier)), Just(counts_from), option::of(0..=4_000u16), option::of(0..=1_090u16))
    });
    (
        placement_id(),
        municipality_code(),
        option::of(municipality_code()),
        permit,
        kind,
        some_persons(),
        option::of(person_token()),
        option::of(day()),
    )
        .prop_map(
            |(
                placement,
                municipality,
                site_municipality,
                (permit_granted_on, counts_from, care_days, days_before),
                kind,
                total,
                person,
                matched_on,
            )| {
                let persons = if person.is_some() { 1.try_into().expect("one person") } else { total };
                let in_care = kind == PlacementKind::AmvSmallScaleCare;
                let care_ends =
                    care_days.filter(|_| in_care).map(|days| Month::from(counts_from.plus_days(days)));
                let turns_18 = days_before.filter(|_| in_care).map(|days| {
                    let ends = care_ends.unwrap_or(Month::from(counts_from)).first_day();
                    Month::from(day_at(ends.index().saturating_sub(days)))
                });
                let report = PlacementReport {
                    placement,
                    municipality,
                    site_municipality,
                    counts_from,
                    kind,
                    persons,
                    person,
                    permit_granted_on,
                    matched_on,
                    care_ends,
                    turns_18,
                };
                report.try_into().expect("a placement")
            },
        )
}

/// Any withdrawal.
pub fn withdrawal() -> impl Strategy<Value = Withdrawal> {
    (withdrawal_report(), housed(), vec(step(), 0..=2), option::of(day())).prop_map(
        |(WithdrawalReport { placement, reason }, housed, moves, left_care_on)| Withdrawal {
            placement,
            reason,
            housed,
            moves,
            left_care_on,
        },
    )
}

/// Any transfer.
pub fn transfer() -> impl Strategy<Value = Transfer> {
    (transfer_report(), housed()).prop_map(|(TransferReport { placement, to, reported_on }, housed)| {
        Transfer { placement, to, reported_on, housed }
    })
}

/// Any final housing.
pub fn follow_on() -> impl Strategy<Value = FollowOn> {
    (follow_on_report(), housed()).prop_map(|(FollowOnReport { placement, housed_on }, housed)| FollowOn {
        placement,
        housed_on,
        housed,
    })
}

/// Any permits of a month.
pub fn grants() -> impl Strategy<Value = Grants> {
    (month(), persons(), persons(), reference()).prop_map(
        |(month, permits_granted, family_members_arrived, reference)| Grants {
            month,
            permits_granted,
            family_members_arrived,
            reference,
        },
    )
}

/// Any need for places, in a period that does not end before it begins.
pub fn amv_capacity() -> impl Strategy<Value = AmvCapacity> {
    (days_in_order(), persons(), option::of(per_municipality(persons())), reference()).prop_map(
        |((from, until), places, per_municipality, reference)| AmvCapacity {
            from,
            until,
            places,
            per_municipality,
            reference,
        },
    )
}

/// Any count of places.
pub fn amv_places() -> impl Strategy<Value = AmvPlaces> {
    (day(), persons(), option::of(per_municipality(persons())), reference()).prop_map(
        |(counted_on, places, per_municipality, reference)| AmvPlaces {
            counted_on,
            places,
            per_municipality,
            reference,
        },
    )
}

/// Any counting rule.
pub fn counting_rule() -> impl Strategy<Value = CountingRule> {
    (select(PlacementKind::ALL), any::<bool>(), days_in_order(), any::<bool>(), reference()).prop_map(
        |(kind, counts, (from, until), ends, reference)| {
            let until = ends.then_some(until);
            CountingRuleReport { kind, counts, from, until, reference }.try_into().expect("a rule")
        },
    )
}

/// Any phase of the regime.
pub fn phase_set() -> impl Strategy<Value = PhaseSet> {
    (select(Phase::ALL), any::<bool>(), days_in_order(), any::<bool>(), reference()).prop_map(
        |(phase, quota_in_force, (from, until), ends, reference)| {
            let until = ends.then_some(until);
            PhaseReport { phase, from, until, quota_in_force, reference }.try_into().expect("a phase")
        },
    )
}

/// Any figure whose two numbers differ.
pub fn figure() -> impl Strategy<Value = Figure> {
    let numbers = (balance(), balance()).prop_filter("contests nothing", |(one, other)| one != other);
    (half_year(), select(FigureName::ALL), numbers).prop_map(|(half_year, name, (published, claimed))| {
        FigureReport { half_year, name, published, claimed }.try_into().expect("two numbers")
    })
}

fn balance_step() -> impl Strategy<Value = Step> {
    (day(), balance()).prop_map(|(on, persons)| Step { on, persons })
}

/// Anything that a contested entry moves.
pub fn moved() -> impl Strategy<Value = Moved> {
    let number = || (half_year(), day(), balance());
    prop_oneof![
        (placement_id(), select(PlacementKind::ALL), day(), vec(balance_step(), 0..=3)).prop_map(
            |(placement, kind, counts_from, steps)| Moved::Housed { placement, kind, counts_from, steps }
        ),
        number().prop_map(|(half_year, on, persons)| Moved::Quota { half_year, on, persons }),
        number().prop_map(|(half_year, on, persons)| Moved::Revision { half_year, on, persons }),
        number().prop_map(|(half_year, on, persons)| Moved::Exchange { half_year, on, persons }),
        number().prop_map(|(half_year, on, persons)| Moved::CarryOver { half_year, on, persons }),
    ]
}

/// Anything that is contested, as it is recorded.
pub fn contested() -> impl Strategy<Value = Contested> {
    let housing = (select(PlacementKind::ALL), day(), vec(balance_step(), 0..=3));
    prop_oneof![
        3 => (position(), municipality_code(), moved())
            .prop_map(|(entry, municipality, moved)| Contested::Entry { entry, municipality, moved }),
        1 => (placement_id(), position(), municipality_code(), housing).prop_map(
            |(placement, entry, municipality, (kind, counts_from, steps))| Contested::Placement {
                placement,
                entry,
                municipality,
                kind,
                counts_from,
                steps,
            }
        ),
        1 => figure().prop_map(|figure| Contested::Figure { figure }),
    ]
}

/// Any objection.
pub fn objection() -> impl Strategy<Value = Objection> {
    (objection_id(), municipality_code(), contested(), select(Ground::ALL), day(), reference()).prop_map(
        |(objection, municipality, contests, ground, raised_on, reference)| Objection {
            objection,
            municipality,
            contests,
            ground,
            raised_on,
            reference,
        },
    )
}

/// Any objection as a sender reports it.
pub fn objection_report() -> impl Strategy<Value = ObjectionReport> {
    let contests = prop_oneof![
        position().prop_map(|entry| Contests::Entry { entry }),
        placement_id().prop_map(|placement| Contests::Placement { placement }),
        figure().prop_map(|figure| Contests::Figure { figure }),
    ];
    (objection(), contests).prop_map(|(it, contests)| ObjectionReport { contests, ..it.into() })
}

/// Any end of an objection.
pub fn objection_settled() -> impl Strategy<Value = ObjectionSettled> {
    (objection_id(), select(Settlement::ALL), day(), reference()).prop_map(
        |(objection, outcome, settled_on, reference)| ObjectionSettled {
            objection,
            outcome,
            settled_on,
            reference,
        },
    )
}

// Events and entries.

/// Any event of this kind.
pub fn event_of(name: EventName) -> BoxedStrategy<Event> {
    match name {
        EventName::MunicipalityRegistered => municipality().prop_map(Event::MunicipalityRegistered).boxed(),
        EventName::BoundaryChanged => boundary_change().prop_map(Event::BoundaryChanged).boxed(),
        EventName::PopulationCounted => population().prop_map(Event::PopulationCounted).boxed(),
        EventName::QuotaPublished => quota().prop_map(Event::QuotaPublished).boxed(),
        EventName::QuotaAllocated => allocation().prop_map(Event::QuotaAllocated).boxed(),
        EventName::QuotaExchanged => exchange().prop_map(Event::QuotaExchanged).boxed(),
        EventName::EvaluationRecorded => evaluation().prop_map(Event::EvaluationRecorded).boxed(),
        EventName::CarryOverRecorded => carry_over().prop_map(Event::CarryOverRecorded).boxed(),
        EventName::PlacementRecorded => placement().prop_map(Event::PlacementRecorded).boxed(),
        EventName::PlacementWithdrawn => withdrawal().prop_map(Event::PlacementWithdrawn).boxed(),
        EventName::PlacementTransferred => transfer().prop_map(Event::PlacementTransferred).boxed(),
        EventName::FollowOnHousingRecorded => follow_on().prop_map(Event::FollowOnHousingRecorded).boxed(),
        EventName::GrantsReported => grants().prop_map(Event::GrantsReported).boxed(),
        EventName::AmvCapacitySet => amv_capacity().prop_map(Event::AmvCapacitySet).boxed(),
        EventName::AmvPlacesReported => amv_places().prop_map(Event::AmvPlacesReported).boxed(),
        EventName::CountingRuleSet => counting_rule().prop_map(Event::CountingRuleSet).boxed(),
        EventName::PhaseSet => phase_set().prop_map(Event::PhaseSet).boxed(),
        EventName::ObjectionRecorded => objection().prop_map(Event::ObjectionRecorded).boxed(),
        EventName::ObjectionSettled => objection_settled().prop_map(Event::ObjectionSettled).boxed(),
    }
}

/// Any event, each kind as often as the others.
pub fn event() -> impl Strategy<Value = Event> {
    select(EventName::ALL).prop_flat_map(event_of)
}

/// Any entry of the log.
pub fn entry() -> impl Strategy<Value = Entry> {
    (
        position(),
        recorded_at(),
        delivery_id(),
        source(),
        event_id(),
        select(IdBy::ALL),
        source(),
        option::of(recorded_at()),
        event(),
    )
        .prop_map(
            |(position, recorded_at, delivery, delivered_by, id, id_by, source, registered_at, event)| {
                Entry {
                    position,
                    recorded_at,
                    delivery,
                    delivered_by,
                    id,
                    id_by,
                    source,
                    registered_at,
                    event,
                }
            },
        )
}

// What the ledger answers.

/// Any state of knowledge.
pub fn known_at_size() -> impl Strategy<Value = KnownAtSize> {
    (any::<u64>(), option::of(recorded_at())).prop_map(|(size, time)| KnownAtSize { size, time })
}

/// Any root of a tree.
pub fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

/// Any checkpoint.
pub fn checkpoint() -> impl Strategy<Value = Checkpoint> {
    (any::<u64>(), hash()).prop_map(|(size, root)| Checkpoint { size, root })
}

fn sum() -> impl Strategy<Value = i64> {
    prop_oneof![-3..=3i64, any::<i32>().prop_map(i64::from), Just(i64::MAX), Just(i64::MIN)]
}

fn national() -> impl Strategy<Value = National> {
    (persons(), persons(), vec(included(), 0..=2), option::of(select(&DECISIONS[..])), reference()).prop_map(
        |(quota, in_force, includes, evaluation, reference)| National {
            quota,
            in_force,
            includes,
            evaluation,
            reference,
        },
    )
}

/// Any ratio, and none.
fn ratio() -> impl Strategy<Value = Option<Ratio>> {
    (-1_000_000_000..1_000_000_000i64, 0..1_000_000i64).prop_map(|(part, whole)| Ratio::of(part, whole))
}

fn regime() -> impl Strategy<Value = Regime> {
    let days = (option::of(day()), option::of(day()));
    (any::<bool>(), option::of(select(Phase::ALL)), days, option::of(reference())).prop_map(
        |(quota_in_force, phase, (from, until), reference)| Regime {
            quota_in_force,
            phase,
            from,
            until,
            reference,
        },
    )
}

/// Any statement that the type can hold, whether or not its lines add up.
fn statement() -> impl Strategy<Value = Statement> {
    let kinds = btree_map(select(PlacementKind::ALL), sum(), 0..=14);
    let places = (option::of(sum()), option::of(sum()), sum());
    (
        (area(), any::<String>(), day(), half_year()),
        (vec(sum(), 17), option::of(sum()), any::<u32>(), any::<u32>()),
        (option::of(sum()), option::of(sum()), regime()),
        (kinds, option::of(ratio()), select(Reading::ALL), option::of(national()), places, any::<bool>()),
    )
        .prop_map(
            |(
                (code, name, reference_date, half_year),
                (sums, recorded, recorded_for, count),
                (on_schedule, pace, regime),
                (realised_by_kind, fulfilment, reading, national, places, generated),
            )| Statement {
                area: NamedArea { code, name: name.into() },
                reference_date,
                half_year,
                carried_over: CarriedOver {
                    used: sums[0],
                    recorded,
                    derived: sums[1],
                    difference: sums[2],
                    recorded_for,
                },
                quota: sums[3],
                revision: sums[4],
                exchange: sums[5],
                boundary: sums[6],
                due: sums[7],
                realised: sums[8],
                realised_by_kind: realised_by_kind.into_iter().collect(),
                remaining: sums[9],
                on_schedule,
                pace,
                fulfilment: fulfilment.flatten(),
                backlog: sums[10],
                surplus: sums[11],
                reading,
                municipalities: Across { count, backlog: sums[12], surplus: sums[13] },
                regime: Arc::new(regime),
                national: national.map(Arc::new),
                amv: AmvStanding { places_needed: places.0, places_there: places.1, placed: places.2 },
                contested: ContestedSum { objections: sums[14], persons: sums[15], difference: sums[16] },
                generated,
            },
        )
}

/// Any statement as everybody may see it, whatever is hidden in it.
pub fn public_statement() -> impl Strategy<Value = PublicStatement> {
    let shown = || prop_oneof![sum().prop_map(Shown::Number), select(Hidden::ALL).prop_map(Shown::Not)];
    let kinds = option::of(btree_map(select(PlacementKind::ALL), shown(), 0..=14));
    (answer(), kinds, option::of(shown()), option::of(shown()), any::<String>()).prop_map(
        |(answer, realised_by_kind, places_there, placed, note)| {
            let it = answer.statement;
            PublicStatement {
                area: it.area,
                reference_date: it.reference_date,
                half_year: it.half_year,
                carried_over: it.carried_over,
                quota: it.quota,
                revision: it.revision,
                exchange: it.exchange,
                boundary: it.boundary,
                due: it.due,
                realised: it.realised,
                realised_by_kind,
                remaining: it.remaining,
                on_schedule: it.on_schedule,
                pace: it.pace,
                fulfilment: it.fulfilment,
                backlog: it.backlog,
                surplus: it.surplus,
                reading: it.reading,
                municipalities: it.municipalities,
                regime: it.regime,
                national: it.national,
                amv: PublicAmv { places_needed: it.amv.places_needed, places_there, placed },
                generated: it.generated,
                note,
                known_at: answer.known_at,
                checkpoint: answer.checkpoint,
            }
        },
    )
}

/// Any statement with what it was computed from.
pub fn answer() -> impl Strategy<Value = Answer> {
    (statement(), known_at_size(), checkpoint()).prop_map(|(statement, known_at, checkpoint)| Answer {
        statement,
        known_at,
        checkpoint,
    })
}

/// A number that a list gives, or nothing.
fn maybe_sum() -> impl Strategy<Value = Option<i64>> {
    option::of(sum())
}

fn named_area() -> impl Strategy<Value = NamedArea> {
    (area(), any::<String>()).prop_map(|(code, name)| NamedArea { code, name: name.into() })
}

fn explained_step() -> impl Strategy<Value = ExplainedStep> {
    let kind = option::of(select(PlacementKind::ALL));
    ((select(Cause::ALL), half_year(), select(StepLine::ALL), kind), (sum(), sum(), any::<u64>(), sum()))
        .prop_map(|((cause, half_year, line, kind), (persons, change, entries, by_boundary))| ExplainedStep {
            cause,
            half_year,
            line,
            kind,
            persons,
            change,
            entries,
            by_boundary,
        })
}

fn explained_entry() -> impl Strategy<Value = ExplainedEntry> {
    let rule = (any::<bool>(), option::of(position()), any::<bool>())
        .prop_map(|(counts, position, supposed)| Rule { counts, position, supposed });
    let head = option::of((source(), source(), delivery_id(), recorded_at()));
    (
        (any::<u64>(), position(), select(EventName::ALL), head),
        (day(), municipality_code(), maybe_sum(), option::of(rule), any::<bool>()),
    )
        .prop_map(
            |((step, position, event, head), (valid_on, municipality, persons, rule, contested))| {
                let supposed = head.is_none();
                let (source, delivered_by, delivery, recorded_at) = match head {
                    Some((source, by, delivery, at)) => (Some(source), Some(by), Some(delivery), Some(at)),
                    None => (None, None, None, None),
                };
                ExplainedEntry {
                    step,
                    position,
                    event,
                    source,
                    delivered_by,
                    delivery,
                    recorded_at,
                    valid_on,
                    municipality,
                    persons,
                    rule,
                    contested,
                    supposed,
                }
            },
        )
}

/// Any explanation with what it was computed from, and with entries or without.
pub fn explained() -> impl Strategy<Value = Explained> {
    let explanation = (
        (named_area(), day(), day(), any::<bool>()),
        (sum(), sum(), sum(), vec(explained_step(), 0..=4), [sum(), sum(), sum()]),
    )
        .prop_map(|((area, since, on, generated), (first, second, standing, steps, contested))| {
            Explanation {
                area,
                since,
                on,
                standing_since: first,
                standing_as_known_before: second,
                standing,
                steps,
                contested: ContestedSum {
                    objections: contested[0],
                    persons: contested[1],
                    difference: contested[2],
                },
                generated,
            }
        });
    let known = (known_at_size(), known_at_size(), checkpoint(), checkpoint());
    (explanation, known, option::of(any::<String>()), vec(explained_entry(), 0..=3)).prop_map(
        |(explanation, (known_since, known_at, checkpoint_since, checkpoint), scenario, behind)| Explained {
            explanation,
            known_since,
            known_at,
            checkpoint_since,
            checkpoint,
            scenario,
            behind,
        },
    )
}

fn closing() -> impl Strategy<Value = ClosingShown> {
    (sum(), maybe_sum(), any::<u32>(), sum()).prop_map(|(derived, recorded, recorded_for, difference)| {
        ClosingShown { derived, recorded, recorded_for, difference }
    })
}

fn late() -> impl Strategy<Value = Late> {
    let kind = option::of(select(PlacementKind::ALL));
    (
        (position(), select(EventName::ALL), source(), day(), sum()),
        (municipality_code(), half_year(), select(StepLine::ALL), kind, maybe_sum()),
    )
        .prop_map(
            |(
                (position, event, source, valid_on, days_late),
                (municipality, line_half_year, line, kind, change),
            )| Late {
                position,
                event,
                source,
                valid_on,
                days_late,
                municipality,
                line_half_year,
                line,
                kind,
                change,
            },
        )
}

fn restated() -> impl Strategy<Value = Restated> {
    (
        (known_at_size(), delivery_id(), source(), sum(), any::<[u64; 3]>()),
        (day(), day(), sum(), closing(), vec(late(), 0..=2)),
    )
        .prop_map(
            |(
                (
                    known_at,
                    delivery,
                    delivered_by,
                    days_after_closing,
                    [entries, first_position, last_position],
                ),
                (happened_from, happened_until, change, standing, behind),
            )| Restated {
                known_at,
                delivery,
                delivered_by,
                days_after_closing,
                entries,
                first_position,
                last_position,
                happened_from,
                happened_until,
                change,
                standing,
                behind,
            },
        )
}

/// Any list of restatements.
pub fn restatements() -> impl Strategy<Value = Restatements> {
    (
        (named_area(), half_year(), day(), known_at_size(), closing()),
        (vec(restated(), 0..=3), closing(), known_at_size(), checkpoint(), any::<bool>()),
    )
        .prop_map(
            |(
                (area, half_year, closed_on, known_at_closing, at_closing),
                (restated, now, known_at, checkpoint, generated),
            )| Restatements {
                area,
                half_year,
                closed_on,
                known_at_closing,
                at_closing,
                restated,
                now,
                known_at,
                checkpoint,
                generated,
            },
        )
}

fn row_outcome() -> impl Strategy<Value = RowOutcome> {
    let fault = (select(Refusal::CODES), any::<String>(), any::<String>(), any::<String>())
        .prop_map(|(code, field, problem, remedy)| FaultInRow { code, field, problem, remedy });
    prop_oneof![
        position().prop_map(|position| RowOutcome::Recorded { position }),
        position().prop_map(|position| RowOutcome::KnownAlready { position }),
        vec(fault, 1..=3).prop_map(|faults| RowOutcome::Refused { faults }),
    ]
}

/// Any receipt.
pub fn receipt() -> impl Strategy<Value = Receipt> {
    let row = (any::<u64>(), row_outcome()).prop_map(|(row, outcome)| RowReceipt { row, outcome });
    let totals = any::<[u64; 4]>().prop_map(|[rows, recorded, known_already, refused]| Totals {
        rows,
        recorded,
        known_already,
        refused,
    });
    (
        (any::<String>(), source(), any::<bool>(), vec(row, 0..=4)),
        (delivery_id(), totals, known_at_size(), option::of(checkpoint())),
    )
        .prop_map(|((file, delivered_by, dry_run, rows), (delivery, totals, known_at, checkpoint))| {
            Receipt { file, delivered_by, dry_run, rows, delivery, totals, known_at, checkpoint }
        })
}

/// Any hash of a file.
pub fn content_hash() -> impl Strategy<Value = ContentHash> {
    any::<[u8; 32]>().prop_map(ContentHash)
}

fn reconciliation_line() -> impl Strategy<Value = Line> {
    let kind = || select(PlacementKind::ALL);
    let list = (any::<u64>(), option::of(reference()), option::of(placement_id()), day(), kind(), sum())
        .prop_map(|(row, reference, placement, date, kind, persons)| ListRow {
            row,
            reference,
            placement,
            date,
            kind,
            persons,
        });
    let ledger = (position(), placement_id(), municipality_code(), day(), kind(), sum()).prop_map(
        |(position, placement, municipality, date, kind, persons)| LedgerSide {
            position,
            placement,
            municipality,
            date,
            kind,
            persons,
        },
    );
    (select(Category::ALL), option::of(list), option::of(ledger), sum())
        .prop_map(|(category, list, ledger, effect)| Line { category, list, ledger, effect })
}

/// Any file that an answer names.
fn list_seal() -> impl Strategy<Value = ListSeal> {
    (any::<String>(), content_hash(), any::<u64>()).prop_map(|(file, sha256, rows)| ListSeal {
        file,
        sha256,
        rows,
    })
}

/// Any reconciliation that the type can hold, whether or not it adds up.
pub fn reconciled() -> impl Strategy<Value = Reconciled> {
    let both = || {
        (sum(), sum(), sum()).prop_map(|(list, ledger, difference)| BothSides { list, ledger, difference })
    };
    let total = (select(Category::ALL), any::<u64>(), sum(), sum(), sum()).prop_map(
        |(category, rows, persons_in_list, persons_in_ledger, effect)| CategoryTotal {
            category,
            rows,
            persons_in_list,
            persons_in_ledger,
            effect,
        },
    );
    let share = (municipality_code(), day(), position(), sum(), sum()).prop_map(
        |(municipality, effective_on, position, realised, effect)| SplitShare {
            municipality,
            effective_on,
            position,
            realised,
            effect,
        },
    );
    (
        (
            municipality_code(),
            any::<String>(),
            half_year(),
            vec(municipality_code(), 0..=2),
            sum(),
            both(),
            both(),
        ),
        (vec(total, 0..=2), vec(share, 0..=2), vec(reconciliation_line(), 0..=3), any::<bool>()),
        (list_seal(), known_at_size(), checkpoint()),
    )
        .prop_map(
            |(
                (code, name, half_year, took_over, due, realised, remaining),
                (categories, split_shares, lines, generated),
                (list, known_at, checkpoint),
            )| Reconciled {
                reconciliation: Reconciliation {
                    municipality: NamedMunicipality { code, name: name.into() },
                    half_year,
                    took_over,
                    due,
                    realised,
                    remaining,
                    categories,
                    split_shares,
                    lines,
                    generated,
                },
                list,
                known_at,
                checkpoint,
            },
        )
}

/// Any municipal numbers that the type can hold, whether or not they add up.
pub fn shared() -> impl Strategy<Value = Shared> {
    let each = (municipality_code(), any::<String>(), sum(), sum(), option::of(sum()), option::of(sum()))
        .prop_map(|(code, name, inhabitants, share, published, difference)| MunicipalShare {
            code,
            name: name.into(),
            inhabitants,
            share,
            published,
            difference,
        });
    (
        (half_year(), day(), option::of(day()), persons(), any::<bool>()),
        (select(Rounding::ALL), select(RoundingBy::ALL), sum(), sum(), sum()),
        (option::of(sum()), any::<u32>(), vec(each, 0..=2), any::<bool>()),
        (known_at_size(), checkpoint()),
    )
        .prop_map(
            |(
                (half_year, counted_on, counted_on_by_act, total, total_given),
                (rounding, rounding_by, inhabitants, sum, difference),
                (published, published_for, municipalities, generated),
                (known_at, checkpoint),
            )| Shared {
                share: Share {
                    half_year,
                    counted_on,
                    counted_on_by_act,
                    total,
                    total_given,
                    rounding,
                    rounding_by,
                    inhabitants,
                    sum,
                    difference,
                    published,
                    published_for,
                    municipalities,
                    generated,
                },
                known_at,
                checkpoint,
            },
        )
}

fn possible() -> impl Strategy<Value = Possible> {
    let effect = (municipality_code(), any::<String>(), sum(), sum(), sum()).prop_map(
        |(code, name, number, due, remaining)| Effect { code, name: name.into(), number, due, remaining },
    );
    let period = (
        (half_year(), option::of(sum()), any::<bool>(), select(NumbersBy::ALL), select(Rounding::ALL)),
        (select(RoundingBy::ALL), option::of(day()), any::<u32>(), sum(), sum(), sum()),
        vec(effect, 0..=2),
    )
        .prop_map(
            |(
                (half_year, national, quota_in_force, numbers_by, rounding),
                (rounding_by, counted_on, carry_over_recorded_for, number, due, remaining),
                municipalities,
            )| Period {
                half_year,
                national,
                quota_in_force,
                numbers_by,
                rounding,
                rounding_by,
                counted_on,
                carry_over_recorded_for,
                number,
                due,
                remaining,
                municipalities,
            },
        );
    (select(DECISIONS.to_vec()), any::<bool>(), sum(), vec(period, 0..=2)).prop_map(
        |(decision, allowed, carried_forward, periods)| Possible {
            decision,
            allowed,
            carried_forward,
            periods,
        },
    )
}

fn months_of_grants() -> impl Strategy<Value = Vec<MonthOfGrants>> {
    vec((month(), sum()).prop_map(|(month, persons)| MonthOfGrants { month, persons }), 0..=2)
}

/// Any proposal that the type can hold, whether or not it makes sense.
pub fn evaluated() -> impl Strategy<Value = Evaluated> {
    let basis = (persons(), vec(included(), 0..=2), sum(), (day(), day()), any::<bool>(), reference())
        .prop_map(|(quota, includes, expected, (from, until), window_published, reference)| Basis {
            quota,
            includes,
            expected,
            window: WindowReport { from, until },
            window_published,
            reference,
        });
    let expectation = (sum(), any::<bool>(), months_of_grants(), option::of(any::<u32>()))
        .prop_map(|(persons, given, months, of_months)| Expectation { persons, given, months, of_months });
    let decided = (
        (position(), select(DECISIONS.to_vec()), day(), day(), persons()),
        (option::of(persons()), option::of(persons()), option::of(persons())),
        (option::of(select(OutsideRule::ALL)), reference()),
    )
        .prop_map(
            |(
                (position, decision, decided_on, measured_on, expected),
                (now_expected, national, carried_forward),
                (outside_rule, reference),
            )| Decided {
                position,
                decision,
                decided_on,
                measured_on,
                expected,
                now_expected,
                national,
                carried_forward,
                outside_rule,
                reference,
            },
        );
    (
        (half_year(), basis, expectation, sum(), persons(), select(Finding::ALL)),
        (vec(possible(), 0..=2), vec(decided, 0..=2), any::<bool>()),
        (known_at_size(), checkpoint()),
    )
        .prop_map(
            |(
                (half_year, basis, now_expected, difference, tolerance, finding),
                (outcomes, decided, generated),
                (known_at, checkpoint),
            )| Evaluated {
                proposal: Proposal {
                    half_year,
                    basis,
                    now_expected,
                    difference,
                    tolerance,
                    finding,
                    outcomes,
                    decided,
                    generated,
                },
                known_at,
                checkpoint,
            },
        )
}

fn past_forecast() -> impl Strategy<Value = Past> {
    (
        (half_year(), (day(), day()), option::of(any::<u32>()), vec(month(), 0..=2), sum(), sum()),
        (option::of(band()), option::of(sum()), option::of(sum()), ratio()),
    )
        .prop_map(
            |(
                (half_year, (from, until), of_months, missing, reported, chosen),
                (band, came, difference, share),
            )| Past {
                half_year,
                window: WindowReport { from, until },
                of_months,
                missing,
                reported,
                chosen,
                band: band.map(BandReport::from),
                came,
                difference,
                share,
            },
        )
}

/// Any forecast that the type can hold, whether or not it makes sense.
pub fn forecasted() -> impl Strategy<Value = Forecasted> {
    let recent_grants = (sum(), month(), month(), sum(), months_of_grants(), vec(month(), 0..=2)).prop_map(
        |(persons, from, until, sum, months, missing)| RecentGrants {
            persons,
            from,
            until,
            sum,
            months,
            missing,
        },
    );
    let category = (any::<String>(), sum(), sum(), sum(), vec(month(), 0..=2)).prop_map(
        |(category, decisions, persons, from_before, missing)| PlannedCategory {
            category: category.into(),
            decisions,
            persons,
            from_before,
            missing,
        },
    );
    let production_plan = (sum(), vec(category, 0..=2), months_of_grants())
        .prop_map(|(persons, categories, months)| ProductionPlan { persons, categories, months });
    let ends = (sum(), sum()).prop_map(|(lower, upper)| Ends { lower, upper });
    let published = (persons(), vec(included(), 0..=2), sum(), option::of(band()), reference()).prop_map(
        |(quota, includes, chosen, band, reference)| Published {
            quota,
            includes,
            chosen,
            band: band.map(BandReport::from),
            reference,
        },
    );
    (
        (half_year(), (day(), day()), any::<bool>(), any::<u32>()),
        (option::of(recent_grants), option::of(production_plan), option::of(ends), option::of(published)),
        (vec(past_forecast(), 0..=2), any::<bool>()),
        (option::of(list_seal()), known_at_size(), checkpoint()),
    )
        .prop_map(
            |(
                (half_year, (from, until), window_published, of_months),
                (recent_grants, production_plan, band, published),
                (past, generated),
                (plan, known_at, checkpoint),
            )| Forecasted {
                forecast: Forecast {
                    half_year,
                    window: WindowReport { from, until },
                    window_published,
                    of_months,
                    recent_grants,
                    production_plan,
                    band,
                    published,
                    past,
                    generated,
                },
                plan,
                known_at,
                checkpoint,
            },
        )
}

/// Any standing of small-scale care that the type can hold, whether or not it makes sense.
pub fn care_shown() -> impl Strategy<Value = CareShown> {
    let need = (persons(), day(), day(), reference()).prop_map(|(places, from, until, reference)| Need {
        places,
        from,
        until,
        reference,
    });
    let count = (persons(), day(), reference()).prop_map(|(places, counted_on, reference)| Count {
        places,
        counted_on,
        reference,
    });
    (
        (named_area(), day(), any::<u16>(), day()),
        (vec(maybe_sum(), 4), vec(sum(), 8), option::of(need), option::of(count), any::<bool>()),
        (known_at_size(), checkpoint()),
    )
        .prop_map(
            |(
                (area, reference_date, within_weeks, until),
                (places, sums, need, count, generated),
                (known_at, checkpoint),
            )| CareShown {
                standing: CareStanding {
                    area,
                    reference_date,
                    within_weeks,
                    until,
                    places_needed: places[0],
                    places_there: places[1],
                    placed: sums[0],
                    places_free: places[2],
                    places_short: places[3],
                    need,
                    count,
                    turning_18: sums[1],
                    leaving: sums[2],
                    in_extended_care: sums[3],
                    without_18: sums[4],
                    without_end: sums[5],
                    follow_on_owed: Owed { now: sums[6], until: sums[7] },
                    generated,
                },
                known_at,
                checkpoint,
            },
        )
}

/// Any measure of deadlines that the type can hold, whether or not it makes sense.
pub fn deadlines_shown() -> impl Strategy<Value = DeadlinesShown> {
    let ratio = (0..1_000_000i64, 1..1_000_000i64).prop_map(|(part, whole)| Ratio::of(part, whole));
    let in_weeks = (any::<u16>(), sum()).prop_map(|(weeks, persons)| InWeeks { weeks, persons });
    let stay = || {
        (any::<u16>(), sum(), sum()).prop_map(|(months, staying, past_limit)| Stay {
            months,
            staying,
            past_limit,
        })
    };
    (
        (named_area(), half_year(), day(), vec(sum(), 4), option::of(ratio), option::of(any::<u16>())),
        (vec(in_weeks, 0..=2), stay(), stay(), any::<bool>()),
        (known_at_size(), checkpoint()),
    )
        .prop_map(
            |(
                (area, half_year, reference_date, sums, share, median_weeks),
                (weeks, transit_location, hotel_scheme, generated),
                (known_at, checkpoint),
            )| DeadlinesShown {
                standing: DeadlineStanding {
                    area,
                    half_year,
                    reference_date,
                    housed: sums[0],
                    with_permit_day: sums[1],
                    without_permit_day: sums[2],
                    within_14_weeks: sums[3],
                    share_within_14_weeks: share.flatten(),
                    median_weeks,
                    weeks,
                    transit_location,
                    hotel_scheme,
                    generated,
                },
                known_at,
                checkpoint,
            },
        )
}

/// Any weeks that the type can hold, whether or not they make sense.
pub fn week_by_week() -> impl Strategy<Value = WeekByWeek> {
    let ratio =
        (-1_000_000_000..1_000_000_000i64, 1..1_000_000i64).prop_map(|(part, whole)| Ratio::of(part, whole));
    let schedule = (option::of(sum()), option::of(sum()));
    let standing = (vec(sum(), 3), schedule, option::of(ratio), option::of(sum())).prop_map(
        |(sums, (on_schedule, pace), fulfilment, expected)| StandingThen {
            due: sums[0],
            realised: sums[1],
            on_schedule,
            pace,
            remaining: sums[2],
            fulfilment: fulfilment.flatten(),
            expected,
        },
    );
    let interim = (
        (persons(), persons(), sum(), option::of(sum()), any::<u32>(), option::of(any::<u32>())),
        (option::of(sum()), option::of(select(&DECISIONS[..]))),
    )
        .prop_map(
            |((quota, in_force, expected, now_expected, months, of_months), (difference, decided))| Interim {
                quota,
                in_force,
                expected,
                now_expected,
                months,
                of_months,
                difference,
                decided,
            },
        );
    let without = option::of(select(Without::ALL));
    let week = (day(), option::of(any::<u64>()), option::of(standing), without, option::of(interim))
        .prop_map(|(on, size, standing, without, interim)| Week { on, size, standing, without, interim });
    let ended = (sum(), sum(), sum(), option::of(sum()), any::<u32>()).prop_map(
        |(due, realised, remaining, recorded, recorded_for)| Ended {
            due,
            realised,
            remaining,
            recorded,
            recorded_for,
        },
    );
    (
        (named_area(), half_year(), vec(week, 0..=2), option::of(ended), option::of(day()), any::<bool>()),
        (known_at_size(), checkpoint()),
    )
        .prop_map(|((area, half_year, weeks, ended, seen_from, generated), (known_at, checkpoint))| {
            let weeks = Weeks { area, half_year, weeks, ended, seen_from, generated };
            WeekByWeek { weeks, known_at, checkpoint }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_area_reads_back_as_it_is_written(area in area()) {
        prop_assert_eq!(area.to_string().parse(), Ok(area));
    }

    #[test]
    fn an_obligation_of_the_day_is_in_force_and_housing_of_the_day_is_not(as_of in as_of(), day in day()) {
        let on = as_of.reference_date;
        prop_assert_eq!(on.has_obligation_of(day), on.has_housing_of(day) || on == ReferenceDate(day));
    }
}

/// Any scenario.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    let selector = prop_oneof![
        position().prop_map(Selector::Entry),
        placement_id().prop_map(Selector::Placement),
        (select(EventName::ALL), half_year())
            .prop_map(|(event, half_year)| Selector::OfHalfYear(event, half_year)),
        select(PlacementKind::ALL).prop_map(Selector::RulesOf),
    ];
    let supposed = (option::of(day()), select(EventName::ALL).prop_flat_map(event_of))
        .prop_map(|(recorded_on, event)| Supposed { recorded_on, command: Command::of(&event) });
    ("[A-Za-z][A-Za-z -]{0,59}", vec(selector, 0..=3), vec(supposed, 0..=2), option::of(select(Reading::ALL)))
        .prop_map(|(name, without, with, reading)| Scenario { name, without, with, reading })
}

fn lines() -> impl Strategy<Value = Lines> {
    (vec(sum(), 11), maybe_sum(), btree_map(select(PlacementKind::ALL), sum(), 0..=3)).prop_map(
        |(sums, national, kinds)| Lines {
            national,
            carried_over: sums[0],
            carried_over_derived: sums[10],
            quota: sums[1],
            revision: sums[2],
            exchange: sums[3],
            boundary: sums[4],
            due: sums[5],
            realised: sums[6],
            realised_by_kind: kinds.into_iter().collect(),
            remaining: sums[7],
            backlog: sums[8],
            surplus: sums[9],
        },
    )
}

/// Any answer under scenarios.
pub fn replayed() -> impl Strategy<Value = Replayed> {
    let lines = || option::of(lines());
    let compared = (named_area(), lines(), lines(), lines())
        .prop_map(|(area, base, scenario, difference)| Compared { area, base, scenario, difference });
    let changes = any::<[u64; 4]>().prop_map(|[left_out, remade, supposed, not_known_yet]| ChangesTold {
        left_out,
        remade,
        supposed,
        not_known_yet,
    });
    let under = (any::<String>(), select(Reading::ALL), changes, vec(compared, 0..=2))
        .prop_map(|(name, reading, changes, areas)| UnderScenario { name, reading, changes, areas });
    let asked = (day(), half_year(), select(Reading::ALL), any::<bool>());
    (asked, vec(under, 0..=2), known_at_size(), checkpoint()).prop_map(
        |((reference_date, half_year, reading, generated), scenarios, known_at, checkpoint)| Replayed {
            reference_date,
            half_year,
            reading,
            scenarios,
            generated,
            known_at,
            checkpoint,
        },
    )
}
