//! What stands in the ledger before the first placement: the register, quotas, their division, exchanges, an
//! evaluation, and carry-overs that were fixed for some half-years only.

use std::collections::BTreeMap;

use fastrand::Rng;
use peildatum::book::share::largest_remainder;
use peildatum::decide::command::Command;
use peildatum::demo;
use peildatum::domain::area::{Inhabitants, Municipality, MunicipalityCode, PerMunicipality, Population};
use peildatum::domain::carry_over::CarryOver;
use peildatum::domain::evaluation::{Evaluation, Outcome};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::persons::{Balance, Persons};
use peildatum::domain::quota::{Allocation, AllocationMethod, ExchangeReport, ExchangeSide, Quota, Rounding};
use peildatum::domain::reference::Reference;
use peildatum::domain::time::Day;

use super::{FIRST_DAY, LAST_DAY, SEED, day};

/// The municipalities with their inhabitants, as if all had existed since 2016.
pub fn municipalities() -> Vec<(Municipality, u32)> {
    let all = demo::facts::municipalities().into_iter();
    all.map(|(it, inhabitants)| (Municipality { from: day((2016, 1, 1)), ..it }, inhabitants)).collect()
}

/// The half-years of the history.
fn half_years() -> Vec<HalfYear> {
    let last = day(LAST_DAY).half_year();
    std::iter::successors(Some(day(FIRST_DAY).half_year()), |it| it.next().filter(|next| *next <= last))
        .collect()
}

/// Everything that is recorded before so many placements, in the order in which it is recorded.
pub fn commands(placements: u64) -> Vec<Command> {
    let mut drawing = Drawing::new();
    let mut commands: Vec<_> =
        municipalities().into_iter().map(|(it, _)| Command::RegisterMunicipality(it)).collect();
    commands.push(drawing.population());
    let half_years = half_years();
    let each = placements / half_years.len() as u64;
    for (index, &half_year) in half_years.iter().enumerate() {
        let national = (each * drawing.random.u64(90..=120) / 100).max(1_000);
        let numbers = largest_remainder(national, &drawing.inhabitants);
        commands.push(Command::PublishQuota(Quota {
            half_year,
            persons: persons(national),
            window: None,
            band: None,
            includes: Vec::new(),
            published_on: None,
            gazette: None,
            reference: reference(),
        }));
        commands.push(Command::AllocateQuota(Allocation {
            half_year,
            persons: drawing.each(&numbers, |number| persons(*number)),
            method: AllocationMethod::ByInhabitants,
            rounding: Some(Rounding::LargestRemainder),
            reference: reference(),
        }));
        for _ in 0..3 {
            commands.push(drawing.exchange(half_year, &numbers));
        }
        if half_year.to_string() == "2025-I" {
            commands.push(drawing.evaluation(half_year, national));
        }
        // Fixed for every third half-year, and for the first: the chain to the last one that was fixed is up to
        // three half-years long.
        if index % 3 == 0 {
            commands.push(drawing.carry_over(half_year, &numbers));
        }
    }
    commands
}

struct Drawing {
    random: Rng,
    codes: Vec<MunicipalityCode>,
    inhabitants: Vec<u64>,
}

impl Drawing {
    fn new() -> Self {
        let municipalities = municipalities();
        Self {
            random: Rng::with_seed(SEED),
            codes: municipalities.iter().map(|(it, _)| it.code).collect(),
            inhabitants: municipalities.iter().map(|(_, count)| u64::from(*count)).collect(),
        }
    }

    fn each<N, T>(&self, numbers: &[N], number: impl Fn(&N) -> T) -> PerMunicipality<T> {
        let each = self.codes.iter().copied().zip(numbers.iter().map(number));
        each.collect::<BTreeMap<_, _>>().try_into().expect("there are municipalities")
    }

    fn population(&self) -> Command {
        let inhabitants = self.each(&self.inhabitants, |&count| {
            Inhabitants::try_from(count as u32).expect("read as this type")
        });
        Command::CountPopulation(Population { counted_on: day((2021, 1, 1)), inhabitants })
    }

    fn exchange(&mut self, half_year: HalfYear, numbers: &[u64]) -> Command {
        let from = self.random.usize(0..self.codes.len());
        let to = (from + self.random.usize(1..self.codes.len())) % self.codes.len();
        let decided_on = within(half_year, self.random.u16(0..90));
        let side = |index: usize| ExchangeSide {
            municipality: self.codes[index],
            persons: persons(numbers[from] / 20 + 1),
            decided_on,
            reference: reference(),
        };
        Command::ExchangeQuota(ExchangeReport { half_year, from: side(from), to: side(to) })
    }

    fn evaluation(&self, half_year: HalfYear, national: u64) -> Command {
        let lowered = national * 9 / 10;
        let numbers = largest_remainder(lowered, &self.inhabitants);
        Command::RecordEvaluation(Evaluation {
            half_year,
            measured_on: within(half_year, 60),
            window: None,
            expected: persons(national),
            now_expected: Some(persons(lowered)),
            outcome: Outcome::Revised {
                national: persons(lowered),
                persons: self.each(&numbers, |number| persons(*number)),
            },
            decided_on: within(half_year, 100),
            reference: reference(),
        })
    }

    fn carry_over(&mut self, half_year: HalfYear, numbers: &[u64]) -> Command {
        let fixed: Vec<i32> = numbers
            .iter()
            .map(|&number| {
                let tenth = i32::try_from(number / 10 + 2).expect("a number of persons");
                self.random.i32(-tenth / 2..=tenth)
            })
            .collect();
        Command::RecordCarryOver(CarryOver {
            from_half_year: half_year.previous().expect("not the first half-year there is"),
            to_half_year: half_year,
            persons: self.each(&fixed, |&count| Balance::try_from(count).expect("a small number")),
            reference: reference(),
        })
    }
}

fn within(half_year: HalfYear, days: u16) -> Day {
    half_year.first_day().plus_days(days)
}

fn persons(count: u64) -> Persons {
    let count = u32::try_from(count).ok().and_then(|it| Persons::try_from(it).ok());
    count.expect("a number of persons that one fact can name")
}

fn reference() -> Reference {
    "Generated for a benchmark".parse().expect("a reference")
}
