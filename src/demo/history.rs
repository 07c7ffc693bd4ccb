//! The history of the demo: who delivered what when, in the order of the simulated clock.

use std::collections::BTreeMap;

use fastrand::Rng;
use uuid::Builder;

use super::facts::{self, NationalRow};
use super::grants;
use crate::book::share::largest_remainder;
use crate::decide::command::Command;
use crate::domain::amv::{AmvCapacity, AmvPlaces};
use crate::domain::area::{Inhabitants, MunicipalityCode, PerMunicipality, Population};
use crate::domain::carry_over::CarryOver;
use crate::domain::evaluation::{Evaluation, Outcome};
use crate::domain::half_year::HalfYear;
use crate::domain::persons::{Balance, Persons};
use crate::domain::placement::{
    FollowOnReport, PlacementKind, PlacementReport, TransferReport, WithdrawalReason, WithdrawalReport,
};
use crate::domain::quota::{
    Allocation, AllocationMethod, ExchangeReport, ExchangeSide, Included, Quota, Rounding, Window,
    WindowReport,
};
use crate::domain::reference::Reference;
use crate::domain::source::{PersonToken, PlacementId, Source};
use crate::domain::time::{Day, Month, RecordedAt};

/// The seed of everything that is generated: the day of the last letter.
pub const SEED: u64 = 20_260_403;

/// What was delivered at one moment.
pub struct Delivery {
    /// When.
    pub at: RecordedAt,
    /// Who says what.
    pub offers: Vec<(Source, Command)>,
}

/// The whole history, ordered by time.
pub fn deliveries() -> Vec<Delivery> {
    let mut history = History::new();
    history.register();
    history.places_for_amv();
    history.grants();
    let mut carried: Vec<i64> = Vec::new();
    for row in facts::national_series() {
        carried = history.half_year(&row, carried);
    }
    let at_one_moment = |((at, _), offers)| Delivery { at, offers };
    history.deliveries.into_iter().map(at_one_moment).collect()
}

/// The day of the last letter, on which the history ends.
fn last_day() -> Day {
    day(2026, 4, 3)
}

/// What comes first among things that are delivered at one moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Register,
    Decision,
    Coa,
    Nidos,
}

struct History {
    random: Rng,
    codes: Vec<MunicipalityCode>,
    inhabitants: Vec<u64>,
    /// How well a municipality does, in hundredths of what would be its share.
    vigour: Vec<u64>,
    /// Moves of amv that will be reported in a later half-year: half-year, from, to.
    moves: Vec<(HalfYear, usize, usize)>,
    deliveries: BTreeMap<(RecordedAt, Turn), Vec<(Source, Command)>>,
}

impl History {
    fn new() -> Self {
        let municipalities = facts::municipalities();
        let mut random = Rng::with_seed(SEED);
        let vigour = municipalities.iter().map(|_| random.u64(60..=140)).collect();
        Self {
            random,
            codes: municipalities.iter().map(|(it, _)| it.code).collect(),
            inhabitants: municipalities.iter().map(|(_, count)| u64::from(*count)).collect(),
            vigour,
            moves: Vec::new(),
            deliveries: BTreeMap::new(),
        }
    }

    fn deliver(&mut self, on: Day, hour: i64, turn: Turn, source: &str, command: Command) {
        let start = RecordedAt::start_of(on).millis();
        let at = RecordedAt::from_millis(start + hour * 3_600_000).expect("a time of the history");
        let offer = (source.parse().expect("a source"), command);
        self.deliveries.entry((at, turn)).or_default().push(offer);
    }

    fn decide(&mut self, on: Day, source: &str, command: Command) {
        self.deliver(on, 10, Turn::Decision, source, command);
    }

    fn register(&mut self) {
        for (municipality, _) in facts::municipalities() {
            let command = Command::RegisterMunicipality(municipality);
            self.deliver(day(2018, 9, 3), 9, Turn::Register, "cbs", command);
        }
        let number = |count: &u64| Inhabitants::try_from(*count as u32).expect("a number of inhabitants");
        let inhabitants = self.codes.iter().copied().zip(self.inhabitants.iter().map(number));
        let population = Population {
            counted_on: day(2021, 1, 1),
            inhabitants: inhabitants.collect::<BTreeMap<_, _>>().try_into().expect("342 municipalities"),
        };
        self.deliver(day(2021, 6, 1), 9, Turn::Register, "cbs", Command::CountPopulation(population));
    }

    /// What the letters say about places in small-scale care.
    fn places_for_amv(&mut self) {
        for row in facts::amv_capacity() {
            let places = persons(i64::from(row.places));
            if row.kind == "places available" {
                let reference = reference(&format!("{} (the day was not given)", row.source));
                let counted_on = format!("{}-01", row.period).parse().expect("a month");
                let command = Command::ReportAmvPlaces(AmvPlaces {
                    counted_on,
                    places,
                    per_municipality: None,
                    reference,
                });
                self.decide(day(2024, 11, 18), "nidos", command);
                continue;
            }
            let half_year: HalfYear = row.period.parse().expect("a half-year");
            let from = half_year.first_day();
            let next = half_year.next().expect("not the last half-year").first_day();
            let command = Command::SetAmvCapacity(AmvCapacity {
                from,
                until: day_before(next),
                places,
                per_municipality: None,
                reference: reference(&format!("{} ({})", row.source, row.kind)),
            });
            self.decide(three_months_before(from).plus_days(4).min(last_day()), "ministry", command);
        }
    }

    /// What the IND would report of each month.
    fn grants(&mut self) {
        for (on, grants) in grants::reports() {
            self.deliver(on, 9, Turn::Register, "generated/ind", Command::ReportGrants(grants));
        }
    }

    /// Everything about one half-year. `carried` is what really remained at the end of the one before,
    /// by municipality; given back is what really remains at the end of this one.
    fn half_year(&mut self, row: &NationalRow, carried: Vec<i64>) -> Vec<i64> {
        let first_day = row.half_year.first_day();
        self.publish(row);
        // What was carried over counts in what is due; before the series it is what the series implies.
        let opening = row.due.map_or(0, |due| i64::from(due) - i64::from(row.announced));
        let carried_in =
            if carried.is_empty() { self.shares(opening) } else { self.fix_carry_over(row, carried) };
        if row.half_year == facts::national_series()[0].half_year {
            self.record_carry_over(
                row.half_year,
                &carried_in,
                first_day.plus_days(19),
                &row.source,
                "implied by the figures",
            );
        }
        let total: i64 = carried_in.iter().sum();
        let in_force = row.due.map_or(i64::from(row.announced), |due| i64::from(due) - total);
        let revised = row.half_year.to_string() == "2025-I";
        let quota = self.shares(if revised { i64::from(row.announced) } else { in_force });
        self.allocate(row, &quota);
        let in_force = if revised { self.shares(in_force) } else { quota };
        if revised {
            self.evaluate_2025_i(&in_force);
        }
        let exchanged = self.exchange(row.half_year);
        let mut due: Vec<i64> = (0..self.codes.len()).map(|it| carried_in[it] + in_force[it]).collect();
        if let Some((from, to, persons)) = exchanged {
            due[from] -= persons;
            due[to] += persons;
        }
        let Some(realised) = row.realised else {
            if row.half_year.to_string() == "2026-I" {
                self.running_half_year(&due);
            }
            return due;
        };
        let housed = self.divide(i64::from(realised), &due);
        let until = day_before(row.half_year.next().expect("not the last half-year").first_day());
        self.house(row.half_year, &housed, until);
        let (this, later) = std::mem::take(&mut self.moves).into_iter().partition(|it| it.0 == row.half_year);
        self.moves = later;
        let this: Vec<(HalfYear, usize, usize)> = this;
        for municipality in 0..due.len() {
            due[municipality] -= housed[municipality];
        }
        for (_, from, to) in this {
            due[from] += 1;
            due[to] -= 1;
        }
        due
    }

    fn publish(&mut self, row: &NationalRow) {
        let first_day = row.half_year.first_day();
        let announced_on = three_months_before(first_day);
        let last = row.half_year.to_string() == "2026-II";
        let from_2026_i =
            Included { half_year: "2026-I".parse().expect("a half-year"), persons: persons(1_500) };
        let quota = Quota {
            half_year: row.half_year,
            persons: persons(i64::from(row.announced)),
            window: last.then(|| window(day(2026, 4, 1), day(2026, 9, 30))),
            band: (row.half_year.to_string() == "2025-I").then(|| {
                let (lower, upper) = (persons(17_700), persons(23_800));
                crate::domain::quota::BandReport { lower, upper }.try_into().expect("a band")
            }),
            includes: if last { vec![from_2026_i] } else { Vec::new() },
            published_on: last.then(|| day(2026, 4, 1)),
            gazette: None,
            reference: reference(&row.source),
        };
        self.decide(announced_on, "ministry", Command::PublishQuota(quota));
        // The evaluations that the letters tell of come with their numbers, not with those of a formula.
        match row.half_year.to_string().as_str() {
            "2024-II" => self.evaluate(row, day(2024, 10, 4), None, Outcome::Kept {}),
            "2026-I" => {
                let into = "2026-II".parse().expect("a half-year");
                let outcome = Outcome::CarriedForward { into, persons: persons(1_500) };
                self.evaluate(row, last_day(), Some(persons(16_500)), outcome);
            }
            _ => {}
        }
    }

    fn evaluate(&mut self, row: &NationalRow, on: Day, now_expected: Option<Persons>, outcome: Outcome) {
        // With a revision come municipal numbers, and no published ones were at hand.
        let revised = matches!(outcome, Outcome::Revised { .. });
        let evaluation = Evaluation {
            half_year: row.half_year,
            measured_on: on,
            window: None,
            expected: persons(i64::from(row.announced)),
            now_expected,
            outcome,
            decided_on: on,
            reference: reference(&match revised {
                true => format!("generated division; national number: {}", row.source),
                false => row.source.clone(),
            }),
        };
        let source = if revised { "generated/evaluation" } else { "ministry" };
        self.deliver(on, 12, Turn::Decision, source, Command::RecordEvaluation(evaluation));
    }

    fn evaluate_2025_i(&mut self, numbers: &[i64]) {
        let rows = facts::national_series();
        let row = rows.iter().find(|it| it.half_year.to_string() == "2025-I").expect("in the series");
        let national = persons(numbers.iter().sum());
        let outcome = Outcome::Revised { national, persons: self.per_municipality(numbers, persons) };
        self.evaluate(row, day(2025, 4, 4), None, outcome);
    }

    fn allocate(&mut self, row: &NationalRow, numbers: &[i64]) {
        let on = three_months_before(row.half_year.first_day()).plus_days(14).min(last_day());
        let command = Command::AllocateQuota(Allocation {
            half_year: row.half_year,
            persons: self.per_municipality(numbers, persons),
            method: AllocationMethod::ByInhabitants,
            rounding: Some(Rounding::LargestRemainder),
            reference: reference(&format!("generated shares by inhabitants; sum: {}", row.source)),
        });
        self.deliver(on, 11, Turn::Decision, "generated/allocation", command);
    }

    /// Records the standing as it was published, also where it differs from what really remained.
    /// Gives what the authority fixed in the end, by municipality.
    fn fix_carry_over(&mut self, row: &NationalRow, carried: Vec<i64>) -> Vec<i64> {
        let rows = facts::national_series();
        let before =
            rows.iter().find(|it| it.half_year.next() == Some(row.half_year)).expect("in the series");
        let Some(published) = before.end else { return carried };
        let real: i64 = carried.iter().sum();
        let fixed_on = row.half_year.first_day().plus_days(19);
        let numbers = self.adjusted(&carried, i64::from(published) - real);
        if row.half_year.to_string() == "2022-II" {
            // Published three times: first 1,821, on 30 September 2022 1,833, and 1,810 in the answer of 2024.
            for (sum, on, said) in
                [(1_821, fixed_on, "at first"), (1_833, day(2022, 9, 30), "30 September 2022")]
            {
                let numbers = self.adjusted(&carried, sum - real);
                self.record_carry_over(row.half_year, &numbers, on, &before.source, said);
            }
            self.record_carry_over(
                row.half_year,
                &numbers,
                day(2024, 9, 16),
                &before.source,
                "16 September 2024",
            );
        } else {
            self.record_carry_over(row.half_year, &numbers, fixed_on, &before.source, "as published");
        }
        numbers
    }

    fn record_carry_over(&mut self, half_year: HalfYear, numbers: &[i64], on: Day, source: &str, said: &str) {
        let balance = |count: i64| Balance::try_from(count as i32).expect("a standing");
        let command = Command::RecordCarryOver(CarryOver {
            from_half_year: half_year.previous().expect("not the first half-year"),
            to_half_year: half_year,
            persons: self.per_municipality(numbers, balance),
            reference: reference(&format!("generated division; sum {said}: {source}")),
        });
        self.deliver(on, 11, Turn::Decision, "generated/carry-over", command);
    }

    /// The numbers with a difference spread over the largest municipalities, one person each a round.
    fn adjusted(&self, numbers: &[i64], difference: i64) -> Vec<i64> {
        let mut by_size: Vec<usize> = (0..numbers.len()).collect();
        by_size.sort_by_key(|&it| (std::cmp::Reverse(self.inhabitants[it]), it));
        let mut adjusted = numbers.to_vec();
        let persons = usize::try_from(difference.abs()).expect("a number of persons");
        by_size.iter().cycle().take(persons).for_each(|&it| adjusted[it] += difference.signum());
        adjusted
    }

    /// Two neighbours in the list shift a few persons, once a half-year from 2022 on.
    fn exchange(&mut self, half_year: HalfYear) -> Option<(usize, usize, i64)> {
        let decided_on = half_year.first_day().plus_days(60);
        if half_year.year() < 2022 || decided_on > last_day() {
            return None;
        }
        let from = self.random.usize(0..self.codes.len() - 1);
        let (to, count) = (from + 1, self.random.i64(2..=6));
        let side = |municipality: usize| ExchangeSide {
            municipality: self.codes[municipality],
            persons: persons(count),
            decided_on,
            reference: reference("generated decision"),
        };
        let command = Command::ExchangeQuota(ExchangeReport { half_year, from: side(from), to: side(to) });
        self.deliver(decided_on.plus_days(5), 11, Turn::Decision, "generated/exchange", command);
        Some((from, to, count))
    }

    /// Shares by inhabitants that add up to the number.
    fn shares(&self, number: i64) -> Vec<i64> {
        let number = u64::try_from(number).expect("a number of persons");
        largest_remainder(number, &self.inhabitants).into_iter().map(|it| it as i64).collect()
    }

    /// How many were housed in each municipality: in proportion to what is due there and how well it
    /// does, so that backlogs come and go and none runs away.
    fn divide(&self, housed: i64, due: &[i64]) -> Vec<i64> {
        let floor = |it: usize| self.inhabitants[it] / 10_000 + 1;
        let weight = |it: usize| (due[it].max(0) as u64 + floor(it)) * self.vigour[it];
        let weights: Vec<u64> = (0..due.len()).map(weight).collect();
        largest_remainder(housed as u64, &weights).into_iter().map(|it| it as i64).collect()
    }

    /// January to March 2026, at the pace of 2025-II: no published figure speaks about it.
    fn running_half_year(&mut self, due: &[i64]) {
        let rows = facts::national_series();
        let pace = rows.iter().rev().find_map(|it| it.realised).expect("in the series");
        let housed = self.divide(i64::from(pace) / 2, due);
        self.house("2026-I".parse().expect("a half-year"), &housed, day(2026, 3, 31));
    }

    /// Houses so many persons in each municipality, and reports them as the real world does: late,
    /// sometimes wrong and put right afterwards.
    fn house(&mut self, half_year: HalfYear, housed: &[i64], until: Day) {
        let first_day = half_year.first_day();
        let days = until.index() - first_day.index();
        for (municipality, &count) in housed.iter().enumerate() {
            for _ in 0..count {
                let counts_from = first_day.plus_days(self.random.u16(0..=days));
                self.house_one(municipality, counts_from);
            }
        }
        // Some are placed where it does not count: they are recorded and change no sum.
        for _ in 0..housed.iter().sum::<i64>() / 100 {
            let kinds =
                [PlacementKind::AmvFosterFamily, PlacementKind::GuestScheme, PlacementKind::Article8Family];
            let kind = kinds[self.random.usize(0..kinds.len())];
            let municipality = self.random.usize(0..self.codes.len());
            let counts_from = first_day.plus_days(self.random.u16(0..=days));
            let placement = self.placement(municipality, counts_from, kind);
            let reported_on = monday_after(placement.counts_from.plus_days(self.random.u16(1..=21)));
            self.report(reported_on, kind, Command::RecordPlacement(placement));
        }
    }

    fn house_one(&mut self, municipality: usize, counts_from: Day) {
        let kind = self.kind_of_placement(counts_from);
        let placement = self.placement(municipality, counts_from, kind);
        // Seven of ten are reported within a week, nearly all within six.
        let delay = match self.random.u8(0..100) {
            0..70 => self.random.u16(1..=7),
            70..90 => self.random.u16(8..=21),
            90..98 => self.random.u16(22..=45),
            _ => self.random.u16(46..=75),
        };
        match self.random.u16(0..1_000) {
            0..8 => self.report_wrong_first(placement),
            8..11 => {
                let twice = self.report_twice(&placement);
                self.report(twice, kind, Command::RecordPlacement(placement));
            }
            _ => {
                let reported_on = monday_after(placement.counts_from.plus_days(delay));
                self.report(reported_on, kind, Command::RecordPlacement(placement.clone()));
                self.after_care(municipality, &placement, reported_on);
            }
        }
    }

    fn kind_of_placement(&mut self, on: Day) -> PlacementKind {
        let year = on.half_year().year();
        let amv = match year {
            ..2022 => 20,
            2022..2024 => 35,
            _ => 50,
        };
        match self.random.u16(0..1_000) {
            it if it < amv => PlacementKind::AmvSmallScaleCare,
            it if it < amv + 150 => PlacementKind::FamilyReunification,
            it if it < amv + 160 => PlacementKind::Resettled,
            it if it < amv + 200 && on >= day(2023, 7, 1) => PlacementKind::TransitLocation,
            it if it < amv + 240 && on >= day(2022, 7, 1) => PlacementKind::HotelScheme,
            _ => PlacementKind::Regular,
        }
    }

    fn placement(&mut self, municipality: usize, counts_from: Day, kind: PlacementKind) -> PlacementReport {
        let granted = counts_from.index() - self.random.u16(20..=300);
        let granted = first_day_of_all().plus_days(granted);
        let site = (kind == PlacementKind::TransitLocation && self.random.u8(0..3) == 0)
            .then(|| self.codes[(municipality + 1) % self.codes.len()]);
        let care = (kind == PlacementKind::AmvSmallScaleCare)
            .then(|| Month::from(counts_from.plus_days(self.random.u16(60..=900))));
        let id = self.uuid();
        PlacementReport {
            placement: PlacementId::try_from(id).expect("a random UUID"),
            municipality: self.codes[municipality],
            site_municipality: site,
            counts_from,
            kind,
            persons: persons(1),
            person: Some(PersonToken::try_from(self.uuid()).expect("a random UUID")),
            permit_granted_on: Some(granted),
            matched_on: Some(granted.plus_days(14)),
            care_ends: care,
            turns_18: care.and_then(|ends| turns_18(counts_from, ends, id.as_bytes()[15])),
        }
    }

    fn uuid(&mut self) -> uuid::Uuid {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Reported for the municipality next in the list, and put right some weeks later.
    fn report_wrong_first(&mut self, right: PlacementReport) {
        let kind = right.kind;
        let place = self.codes.iter().position(|it| *it == right.municipality).expect("one of them");
        let wrong = PlacementReport {
            placement: PlacementId::try_from(self.uuid()).expect("a random UUID"),
            municipality: self.codes[(place + 1) % self.codes.len()],
            ..right.clone()
        };
        let reported_on = monday_after(wrong.counts_from.plus_days(self.random.u16(1..=21)));
        let corrected_on = reported_on.plus_days(7 * self.random.u16(3..=6));
        let (placement, reason) = (wrong.placement, WithdrawalReason::WrongMunicipality);
        self.report(reported_on, kind, Command::RecordPlacement(wrong));
        self.report(corrected_on, kind, Command::WithdrawPlacement(WithdrawalReport { placement, reason }));
        self.report(corrected_on, kind, Command::RecordPlacement(right));
    }

    /// Reported a second time without the token for the person, which nobody notices for weeks.
    fn report_twice(&mut self, placement: &PlacementReport) -> Day {
        let again = PlacementReport {
            placement: PlacementId::try_from(self.uuid()).expect("a random UUID"),
            person: None,
            ..placement.clone()
        };
        let reported_on = monday_after(again.counts_from.plus_days(self.random.u16(1..=21)));
        let noticed_on = reported_on.plus_days(7 * self.random.u16(2..=6));
        let (id, reason) = (again.placement, WithdrawalReason::RecordedTwice);
        self.report(reported_on, again.kind, Command::RecordPlacement(again));
        let withdrawal = WithdrawalReport { placement: id, reason };
        self.report(noticed_on, placement.kind, Command::WithdrawPlacement(withdrawal));
        reported_on
    }

    /// What becomes of an amv at the end of care: some move to another municipality, others are
    /// housed where they are.
    fn after_care(&mut self, municipality: usize, placement: &PlacementReport, reported_on: Day) {
        let Some(care_ends) = placement.care_ends else { return };
        let on = care_ends.first_day().plus_days(self.random.u16(0..=27));
        if on <= reported_on || monday_after(on) > last_day() {
            return;
        }
        match self.random.u8(0..100) {
            0..6 => {
                let to = (municipality + 7) % self.codes.len();
                let report =
                    TransferReport { placement: placement.placement, to: self.codes[to], reported_on: on };
                self.report(monday_after(on), placement.kind, Command::TransferPlacement(report));
                self.moves.push((on.half_year(), municipality, to));
            }
            6..60 => {
                let report = FollowOnReport { placement: placement.placement, housed_on: on };
                self.report(monday_after(on), placement.kind, Command::RecordFollowOn(report));
            }
            _ => {}
        }
    }

    /// COA reports every Monday morning, Nidos an hour later. What comes after the last letter is not
    /// in this history.
    fn report(&mut self, on: Day, kind: PlacementKind, command: Command) {
        if on > last_day() {
            return;
        }
        match kind {
            PlacementKind::AmvSmallScaleCare | PlacementKind::AmvFosterFamily => {
                self.deliver(on, 9, Turn::Nidos, "generated/nidos", command);
            }
            _ => self.deliver(on, 8, Turn::Coa, "generated/coa", command),
        }
    }

    fn per_municipality<T>(&self, numbers: &[i64], number: impl Fn(i64) -> T) -> PerMunicipality<T> {
        let each = self.codes.iter().copied().zip(numbers.iter().map(|&count| number(count)));
        each.collect::<BTreeMap<_, _>>().try_into().expect("342 municipalities")
    }
}

/// The month of turning 18: for most that in which care ends, for one in four an earlier one, as they stay in extended care,
/// and for one in sixteen not recorded. Drawn from the id, so that everything else is drawn as it was without it.
fn turns_18(counts_from: Day, ends: Month, drawn: u8) -> Option<Month> {
    let days = u32::from(ends.first_day().index() - counts_from.index());
    match drawn % 16 {
        0 => None,
        1..5 => Some(Month::from(counts_from.plus_days((days * u32::from(drawn) / 256) as u16))),
        _ => Some(ends),
    }
}

pub(super) fn day(year: i32, month: u32, day: u32) -> Day {
    Day::new(year, month, day).expect("a day of the history")
}

fn first_day_of_all() -> Day {
    day(1990, 1, 1)
}

fn day_before(day: Day) -> Day {
    first_day_of_all().plus_days(day.index() - 1)
}

/// 1 October before a first half-year, 1 April before a second.
fn three_months_before(first_day: Day) -> Day {
    let half_year = first_day.half_year();
    match half_year.to_string().ends_with("-II") {
        true => day(half_year.year(), 4, 1),
        false => day(half_year.year() - 1, 10, 1),
    }
}

/// The first Monday after a day. 1 January 1990 was a Monday.
fn monday_after(day: Day) -> Day {
    first_day_of_all().plus_days((day.index() / 7 + 1) * 7)
}

fn persons(count: i64) -> Persons {
    Persons::try_from(u32::try_from(count).expect("not below zero")).expect("a number of persons")
}

fn window(from: Day, until: Day) -> Window {
    WindowReport { from, until }.try_into().expect("a period")
}

pub(super) fn reference(text: &str) -> Reference {
    text.parse().expect("a reference")
}
