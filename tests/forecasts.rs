//! The two scenarios and what came, against a model that counts months on its fingers and persons in fractions.

use std::collections::BTreeMap;

use peildatum::book::forecast::{Forecast, ToForecast};
use peildatum::book::{Book, Unprepared};
use peildatum::decide::command::Command;
use peildatum::domain::grants::Grants;
use peildatum::domain::persons::Persons;
use peildatum::domain::plan::Plan;
use peildatum::domain::quota::{Quota, Window, WindowReport};
use peildatum::domain::time::{Day, LogSize, Month};
use peildatum::feed::plan;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::cases::read;
use crate::cases_forecast::known_on;
use crate::world::World;

/// A fraction of whole numbers, as one learns it at school.
#[derive(Clone, Copy, Debug)]
struct Fraction {
    over: u128,
    under: u128,
}

impl Fraction {
    const NONE: Self = Self { over: 0, under: 1 };

    fn reduced(over: u128, under: u128) -> Self {
        let (mut a, mut b) = (over, under);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        Self { over: over / a, under: under / a }
    }

    /// What a text such as `64.5` says of a hundred.
    fn percent(text: &str) -> Self {
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len() as u32);
        Self::reduced(text.replace('.', "").parse().unwrap(), 100 * 10_u128.pow(decimals))
    }

    fn plus(self, other: Self) -> Self {
        Self::reduced(self.over * other.under + other.over * self.under, self.under * other.under)
    }

    fn times(self, other: Self) -> Self {
        Self::reduced(self.over * other.over, self.under * other.under)
    }

    fn to_the_nearest(self) -> i64 {
        let whole = self.over / self.under;
        let rest = self.over % self.under;
        (whole + u128::from(2 * rest >= self.under)) as i64
    }
}

/// Months since the year 0.
fn number(month: Month) -> i32 {
    let text = month.to_string();
    read::<i32>(&text[..4]).unwrap() * 12 + read::<i32>(&text[5..]).unwrap() - 1
}

fn month(number: i32) -> Month {
    read(&format!("{:04}-{:02}", number / 12, number % 12 + 1)).unwrap()
}

/// October 2024, with which the usual window of 2025-I begins.
const OCTOBER: i32 = 2024 * 12 + 9;

/// A row of a plan as it is written.
#[derive(Clone, Debug)]
struct Row {
    decisions: u32,
    grant_rate: String,
    /// Percentages that arrive, where they do.
    arriving: Option<[u32; 4]>,
}

/// The rows of a plan by category and month.
type Rows = BTreeMap<(u8, i32), Row>;

#[derive(Clone, Debug)]
struct Wish {
    /// Months of which grants are reported, in the order of the log.
    grants: Vec<(i32, u32, u32)>,
    /// The window of 2025-I that is published, as months from October and how many, and after how many grants.
    window: Option<(i32, i32, Index)>,
    measured_on: Option<i32>,
    known_at: Index,
    rows: Rows,
    with_semicolons: bool,
}

fn wishes() -> impl Strategy<Value = Wish> {
    let grants = vec((-16..8_i32, 0..4_000_u32, 0..900_u32), 0..40);
    let window = option::of((-2..2_i32, 1..9_i32, any::<Index>()));
    let rate =
        prop_oneof![Just("0".to_owned()), Just("100".to_owned()), "[0-9]{1,2}", "[0-9]{1,2}\\.[0-9]{1,4}"];
    let arriving = (0..40_u32, 0..30_u32, 0..20_u32, 0..=10_u32).prop_map(|(a, b, c, d)| [a, b, c, d]);
    let row = (prop_oneof![0..9_u32, 0..10_000_u32, Just(10_000_000)], rate, option::of(arriving))
        .prop_map(|(decisions, grant_rate, arriving)| Row { decisions, grant_rate, arriving });
    let rows = btree_map((0..3_u8, -5..9_i32), row, 0..25);
    (grants, window, option::of(-16..0_i32), any::<Index>(), rows, any::<bool>()).prop_map(
        |(grants, window, measured_on, known_at, rows, with_semicolons)| Wish {
            grants,
            window,
            measured_on,
            known_at,
            rows,
            with_semicolons,
        },
    )
}

/// The plan as somebody saves it.
fn written(rows: &Rows, with_semicolons: bool) -> String {
    let mut text =
        "month,category,decisions,grant_rate,arriving_0,arriving_1,arriving_2,arriving_3\n".to_owned();
    for ((category, at), row) in rows {
        let arriving =
            row.arriving.map_or_else(|| ",,,".to_owned(), |it| it.map(|it| it.to_string()).join(","));
        text +=
            &format!("{},c{category},{},{},{arriving}\n", month(OCTOBER + at), row.decisions, row.grant_rate);
    }
    match with_semicolons {
        true => text.replace(',', ";").replace('.', ","),
        false => text,
    }
}

fn record(wish: &Wish) -> World {
    let mut world = World::default();
    let today: Day = read("2025-04-01").unwrap();
    let reference = || read("Test").unwrap();
    let persons = |count| Persons::try_from(count).unwrap();
    for index in 0..=wish.grants.len() {
        if let Some((from, length, at)) = &wish.window
            && at.index(wish.grants.len() + 1) == index
        {
            let from = OCTOBER + from;
            let report =
                WindowReport { from: month(from).first_day(), until: month(from + length - 1).last_day() };
            let quota = Quota {
                half_year: read("2025-I").unwrap(),
                persons: persons(17_700),
                window: Some(Window::try_from(report).unwrap()),
                band: None,
                includes: Vec::new(),
                published_on: None,
                gazette: None,
                reference: reference(),
            };
            world.offer(today, &Command::PublishQuota(quota)).unwrap();
        }
        if let Some(&(at, permits, family)) = wish.grants.get(index)
            && month(OCTOBER + at).last_day() < today
        {
            let grants = Grants {
                month: month(OCTOBER + at),
                permits_granted: persons(permits),
                family_members_arrived: persons(family),
                reference: reference(),
            };
            world.offer(today, &Command::ReportGrants(grants)).unwrap();
        }
    }
    world
}

/// The window, and what is reported of each month, by going through the log from its beginning.
fn known(world: &World, known_at: LogSize) -> (Vec<i32>, BTreeMap<i32, i64>, bool) {
    let (mut window, mut published) = ((OCTOBER..OCTOBER + 6).collect::<Vec<_>>(), false);
    let mut reported = BTreeMap::new();
    for (_, command) in &world.recorded[..known_at.0 as usize] {
        match command {
            Command::ReportGrants(it) => {
                let sum = it.permits_granted.count() + it.family_members_arrived.count();
                reported.insert(number(it.month), sum);
            }
            Command::PublishQuota(it) => {
                let of = WindowReport::from(it.window.unwrap());
                window = (number(Month::from(of.from))..=number(Month::from(of.until))).collect();
                published = true;
            }
            other => unreachable!("{other:?}"),
        }
    }
    (window, reported, published)
}

/// What scenario 2 counts by category and month: everybody, and those from before.
fn counted(rows: &Rows, window: &[i32]) -> BTreeMap<(u8, i32), (Fraction, Fraction)> {
    let mut sums = BTreeMap::new();
    for ((category, at), row) in rows {
        let granted =
            Fraction { over: u128::from(row.decisions), under: 1 }.times(Fraction::percent(&row.grant_rate));
        for (after, part) in row.arriving.unwrap_or([100, 0, 0, 0]).into_iter().enumerate() {
            let counts_in = OCTOBER + at + after as i32;
            if !window.contains(&counts_in) {
                continue;
            }
            let here = granted.times(Fraction::percent(&part.to_string()));
            let (all, before) =
                sums.entry((*category, counts_in)).or_insert((Fraction::NONE, Fraction::NONE));
            *all = all.plus(here);
            if OCTOBER + at < window[0] {
                *before = before.plus(here);
            }
        }
    }
    sums
}

fn sum(of: impl Iterator<Item = Fraction>) -> i64 {
    of.fold(Fraction::NONE, Fraction::plus).to_the_nearest()
}

/// Whether somebody who is decided about in a month would count in the window, if they were spread as others of the
/// category are.
fn would_count(rows: &Rows, category: u8, month: i32, window: &[i32]) -> bool {
    let of_category = rows.iter().filter(|((other, _), _)| *other == category).map(|(_, row)| row);
    let mut after = of_category.flat_map(|row| {
        let spread = row.arriving.unwrap_or([100, 0, 0, 0]);
        (0..4).filter(move |it| spread[*it as usize] > 0)
    });
    after.any(|after| window.contains(&(month + after)))
}

fn asked(book: &Book, world: &World, ask: ToForecast<'_>) -> Result<Forecast, Unprepared> {
    book.forecast(&ask, known_on(world, ask.known_at))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_scenarios_and_what_came_are_those_of_the_model(wish in wishes()) {
        let world = record(&wish);
        let known_at = LogSize(wish.known_at.index(world.recorded.len() + 1) as u64);
        let (window, reported, published) = known(&world, known_at);
        let plan: Option<Plan> = (!wish.rows.is_empty()).then(|| {
            let text = written(&wish.rows, wish.with_semicolons);
            plan::read(text.as_bytes()).unwrap_or_else(|faults| panic!("{faults}\n{text}")).plan
        });
        let ask = ToForecast {
            half_year: read("2025-I").unwrap(),
            known_at,
            measured_on: wish.measured_on.map(|it| month(OCTOBER + it)),
            plan: plan.as_ref(),
        };
        let is = asked(&world.book, &world, ask);

        // What is refused, and why.
        let until = wish.measured_on.map(|it| OCTOBER + it);
        if until.is_some_and(|it| it >= window[0]) {
            let refused = matches!(is, Err(Unprepared::MeasuredInWindow { .. }));
            prop_assert!(refused, "{:?}", is);
            return Ok(());
        }
        let until = until.or_else(|| reported.keys().copied().filter(|it| *it < window[0]).max());
        let averaged: Vec<i32> = until.map_or(Vec::new(), |it| (it - 11..=it).collect());
        let there: Vec<i32> = averaged.iter().copied().filter(|it| reported.contains_key(it)).collect();
        let counts = |((category, at), _): (&(u8, i32), &Row)| would_count(&wish.rows, *category, OCTOBER + at, &window);
        if plan.is_some() && !wish.rows.iter().any(counts) {
            let refused = matches!(is, Err(Unprepared::PlanOutsideWindow { .. }));
            prop_assert!(refused, "{:?}", is);
            return Ok(());
        }
        if plan.is_none() && there.is_empty() {
            let refused = matches!(is, Err(Unprepared::NothingToForecast { .. }));
            prop_assert!(refused, "{:?}", is);
            return Ok(());
        }
        let is = is.unwrap();

        // Scenario 1.
        prop_assert_eq!(is.recent_grants.is_some(), !there.is_empty());
        if let Some(grants) = &is.recent_grants {
            let granted: i64 = there.iter().map(|it| reported[it]).sum();
            let average = Fraction::reduced(granted as u128, there.len() as u128);
            let of = Fraction { over: window.len() as u128, under: 1 };
            prop_assert_eq!(grants.persons, average.times(of).to_the_nearest());
            let months: Vec<_> = grants.months.iter().map(|it| (number(it.month), it.persons)).collect();
            prop_assert_eq!(months, there.iter().map(|it| (*it, reported[it])).collect::<Vec<_>>());
            let missing: Vec<_> = averaged.iter().copied().filter(|it| !there.contains(it)).collect();
            prop_assert_eq!(grants.missing.iter().map(|it| number(*it)).collect::<Vec<_>>(), missing);
        }

        // Scenario 2.
        prop_assert_eq!(is.production_plan.is_some(), plan.is_some());
        if let Some(plan) = &is.production_plan {
            let counted = counted(&wish.rows, &window);
            prop_assert_eq!(plan.persons, sum(counted.values().map(|it| it.0)));
            for it in &plan.months {
                let here = counted.iter().filter(|((_, at), _)| *at == number(it.month));
                prop_assert_eq!(it.persons, sum(here.map(|(_, (all, _))| *all)));
            }
            prop_assert_eq!(plan.months.iter().map(|it| number(it.month)).collect::<Vec<_>>(), window.clone());
            for it in &plan.categories {
                let category: u8 = it.category[1..].parse().unwrap();
                let here = || counted.iter().filter(|((other, _), _)| *other == category).map(|(_, sums)| sums);
                prop_assert_eq!(it.persons, sum(here().map(|it| it.0)));
                prop_assert_eq!(it.from_before, sum(here().map(|it| it.1)));
                let within = wish.rows.iter().filter(|((other, at), _)| *other == category && window.contains(&(OCTOBER + at)));
                prop_assert_eq!(it.decisions, within.map(|(_, row)| i64::from(row.decisions)).sum::<i64>());
                let missing = (window[0] - 5..=window[window.len() - 1]).filter(|at| {
                    would_count(&wish.rows, category, *at, &window) && !wish.rows.contains_key(&(category, at - OCTOBER))
                });
                prop_assert_eq!(it.missing.iter().map(|it| number(*it)).collect::<Vec<_>>(), missing.collect::<Vec<_>>());
            }
        }

        // The band, and what came.
        let both = is.recent_grants.as_ref().zip(is.production_plan.as_ref());
        let both = both.map(|(one, two)| (one.persons.min(two.persons), one.persons.max(two.persons)));
        prop_assert_eq!(is.band.map(|it| (it.lower, it.upper)), both);
        let last = month(window[window.len() - 1]).last_day();
        let is_over = published && last < read("2025-04-01").unwrap();
        prop_assert_eq!(is.past.len(), usize::from(is_over));
        if let Some(past) = is.past.first() {
            let missing: Vec<_> = window.iter().copied().filter(|it| !reported.contains_key(it)).collect();
            let so_far: i64 = window.iter().filter_map(|it| reported.get(it)).sum();
            prop_assert_eq!(past.missing.iter().map(|it| number(*it)).collect::<Vec<_>>(), missing.clone());
            prop_assert_eq!((past.reported, past.came), (so_far, missing.is_empty().then_some(so_far)));
            prop_assert_eq!(past.difference, past.came.map(|came| came - 17_700));
        }
    }
}
