//! Apportionment: dividing a number of persons so that whole persons come out, and the municipal numbers of a quota.
//!
//! Everything is counted in whole numbers. A share is a fraction only until it is rounded, and how it is rounded is
//! named in every answer: the Act rounds up, published numbers behave like the nearest, and only the largest
//! remainders give exactly the number that is divided.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::Accounts;
use super::{Book, Unprepared, known};
use crate::domain::area::{Municipality, MunicipalityCode};
use crate::domain::half_year::HalfYear;
use crate::domain::named;
use crate::domain::persons::Persons;
use crate::domain::quota::Rounding;
use crate::domain::time::{AsOf, Day, LogSize, ReferenceDate};

named! {
    /// Why shares are rounded as they are.
    pub enum RoundingBy {
        /// Whoever asks said so.
        Given = "given",
        /// An allocation of the half-year was recorded with it.
        Allocation = "allocation",
        /// Nobody said anything, and the Act rounds up.
        Act = "act",
    } else "is not a reason for a rounding"
}

/// Who gets how much of a national number, by inhabitants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Share {
    /// The half-year.
    pub half_year: HalfYear,
    /// The day of the count of inhabitants that was used.
    pub counted_on: Day,
    /// The day that the Act names; nothing where it lies before all days that can be recorded.
    #[serde(deserialize_with = "Option::deserialize")]
    pub counted_on_by_act: Option<Day>,
    /// The number that is divided.
    pub total: Persons,
    /// Whether it was given with the question; otherwise it is the national number in force.
    pub total_given: bool,
    /// How shares are rounded.
    pub rounding: Rounding,
    /// Why so.
    pub rounding_by: RoundingBy,
    /// The inhabitants of all municipalities.
    pub inhabitants: i64,
    /// The sum of all shares.
    pub sum: i64,
    /// The sum minus the number that was divided.
    pub difference: i64,
    /// The sum of the municipal numbers in force, of the municipalities that have one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub published: Option<i64>,
    /// How many municipalities have one.
    pub published_for: u32,
    /// Every municipality that exists on the first day of the half-year, by code.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub municipalities: Vec<MunicipalShare>,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// What one municipality gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MunicipalShare {
    /// The code.
    pub code: MunicipalityCode,
    /// The name.
    pub name: Arc<str>,
    /// Its inhabitants, with those of the municipalities that it took over since.
    pub inhabitants: i64,
    /// Its share.
    pub share: i64,
    /// Its number in force, where one was published.
    #[serde(deserialize_with = "Option::deserialize")]
    pub published: Option<i64>,
    /// The share minus the number in force.
    #[serde(deserialize_with = "Option::deserialize")]
    pub difference: Option<i64>,
}

/// What is to be divided, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToShare {
    /// The half-year.
    pub half_year: HalfYear,
    /// As known at this log size.
    pub known_at: LogSize,
    /// The number; without it the national number in force.
    pub total: Option<Persons>,
    /// How shares are rounded; without it as the allocation of the half-year, or else up.
    pub rounding: Option<Rounding>,
    /// The day of the count of inhabitants; without it the one that the Act names.
    pub counted_on: Option<Day>,
}

/// The municipalities of a half-year with their inhabitants.
#[derive(Debug)]
pub(super) struct Weights<'a> {
    pub(super) counted_on: Day,
    pub(super) municipalities: Vec<(&'a Municipality, u64)>,
}

impl Weights<'_> {
    /// The shares in a number, in the order of the municipalities.
    pub(super) fn shares(&self, total: u64, rounding: Rounding) -> Vec<i64> {
        let weights: Vec<u64> = self.municipalities.iter().map(|(_, weight)| *weight).collect();
        shares(total, &weights, rounding).into_iter().map(|share| share as i64).collect()
    }
}

/// The day whose inhabitants the Act divides a quota by: 1 January of the year before (Huisvestingswet 2014,
/// article 29). Nothing where it lies before all days that can be recorded.
pub fn counted_on_by_act(half_year: HalfYear) -> Option<Day> {
    Day::new(half_year.year() - 1, 1, 1).ok()
}

impl Book<'_> {
    /// The municipal numbers that follow from inhabitants.
    ///
    /// # Errors
    /// When no quota is in force, no number is known to divide, or inhabitants are missing of a municipality that exists on the first day.
    pub fn share(&self, asked: &ToShare) -> Result<Share, Unprepared> {
        let ToShare { half_year, known_at, .. } = *asked;
        let total = match asked.total {
            Some(total) => total,
            None => {
                self.quota_is_in_force(half_year, known_at)?;
                let on = AsOf { reference_date: ReferenceDate(half_year.last_day()), known_at };
                self.national(half_year, on).ok_or(Unprepared::NoQuota { half_year, known_at })?.in_force
            }
        };
        let weights = self.weights(half_year, known_at, asked.counted_on)?;
        let (rounding, rounding_by) = match asked.rounding {
            Some(rounding) => (rounding, RoundingBy::Given),
            None => self.rounding(half_year, known_at),
        };
        let published = self.municipal_numbers(half_year, known_at);
        let shares = weights.shares(total.count().unsigned_abs(), rounding);
        let each = weights.municipalities.iter().zip(shares).map(|(&(it, inhabitants), share)| {
            let published = published.get(&it.code).map(|number| number.in_force);
            MunicipalShare {
                code: it.code,
                name: it.name.shared(),
                inhabitants: inhabitants as i64,
                share,
                published,
                difference: published.map(|number| share - number),
            }
        });
        let municipalities: Vec<_> = each.collect();
        let sum: i64 = municipalities.iter().map(|it| it.share).sum();
        let published_for = municipalities.iter().filter(|it| it.published.is_some()).count() as u32;
        Ok(Share {
            half_year,
            counted_on: weights.counted_on,
            counted_on_by_act: counted_on_by_act(half_year),
            total,
            total_given: asked.total.is_some(),
            rounding,
            rounding_by,
            inhabitants: municipalities.iter().map(|it| it.inhabitants).sum(),
            sum,
            difference: sum - total.count(),
            published: (published_for > 0).then(|| municipalities.iter().filter_map(|it| it.published).sum()),
            published_for,
            municipalities,
            generated: self.is_generated(known_at),
        })
    }

    /// The municipalities of a half-year with their inhabitants on the day that is asked for, or that the Act names.
    pub(super) fn weights(
        &self,
        half_year: HalfYear,
        known_at: LogSize,
        counted_on: Option<Day>,
    ) -> Result<Weights<'_>, Unprepared> {
        let counted_on = counted_on.or_else(|| counted_on_by_act(half_year));
        let counted_on = counted_on.ok_or(Unprepared::CountedTooEarly { half_year })?;
        let as_of = AsOf { reference_date: ReferenceDate(half_year.first_day()), known_at };
        let municipalities = self.inhabitants(counted_on, as_of)?;
        Ok(Weights { counted_on, municipalities })
    }

    /// How the shares of a half-year are rounded: as its allocation was, or else up.
    pub(super) fn rounding(&self, half_year: HalfYear, known_at: LogSize) -> (Rounding, RoundingBy) {
        let allocations = known(&self.allocations, known_at).filter(|it| it.half_year == half_year);
        let recorded = allocations.filter_map(|it| it.rounding).next();
        recorded.map_or((Rounding::Up, RoundingBy::Act), |rounding| (rounding, RoundingBy::Allocation))
    }

    /// The municipal numbers of a half-year, of the municipalities of its first day that have one.
    pub(super) fn municipal_numbers(
        &self,
        half_year: HalfYear,
        known_at: LogSize,
    ) -> BTreeMap<MunicipalityCode, MunicipalNumber> {
        let first_day = AsOf { reference_date: ReferenceDate(half_year.first_day()), known_at };
        let last_day = AsOf { reference_date: ReferenceDate(half_year.last_day()), known_at };
        let accounts = Accounts::new(self, last_day);
        let allocations = || known(&self.allocations, known_at).filter(|it| it.half_year == half_year);
        let allocated: std::collections::BTreeSet<_> =
            allocations().flat_map(|it| it.persons.codes()).collect();
        let there = self.register.municipalities(first_day);
        let each = there.filter_map(|it| {
            Some((it.code, accounts.number_of(it.code, half_year, &|code| allocated.contains(&code))?))
        });
        each.collect()
    }
}

/// What was published for a municipality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MunicipalNumber {
    /// Its part of the quota as it was allocated.
    pub(super) allocated: i64,
    /// The same after an evaluation.
    pub(super) in_force: i64,
}

/// Divides a number by weights. Every part is at least the exact share rounded down, and at most the same rounded up.
///
/// # Panics
/// When all weights are zero, since then nobody can say whose the number is.
pub fn shares(number: u64, weights: &[u64], rounding: Rounding) -> Vec<u64> {
    let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    assert!(total > 0, "at least one part weighs something");
    // A part of a number is never larger than the number, so it fits again.
    let each = |part: &dyn Fn(u128) -> u128| {
        weights.iter().map(|&weight| part(u128::from(number) * u128::from(weight)) as u64).collect()
    };
    match rounding {
        Rounding::Up => each(&|product| product.div_ceil(total)),
        // A half goes up, as the Act does.
        Rounding::Nearest => {
            each(&|product| product / total + u128::from(product % total >= total.div_ceil(2)))
        }
        Rounding::LargestRemainder => largest_remainder(number, weights),
    }
}

/// Divides a number by weights: each part rounded down, and the rest one by one to the largest
/// remainders (of equal remainders the first). The parts always add up to the number.
///
/// # Panics
/// When all weights are zero, since then nobody can say whose the number is.
pub fn largest_remainder(number: u64, weights: &[u64]) -> Vec<u64> {
    let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    assert!(total > 0, "at least one part weighs something");
    let product = |weight: u64| u128::from(number) * u128::from(weight);
    // A part of a number is never larger than the number, so it fits again.
    let mut parts: Vec<u64> = weights.iter().map(|&weight| (product(weight) / total) as u64).collect();
    let rest = number - parts.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(product(weights[index]) % total), index));
    for &index in order.iter().take(rest as usize) {
        parts[index] += 1;
    }
    parts
}

/// The part that [`largest_remainder`] gives to one of the weights, without making the others.
///
/// # Panics
/// As for [`largest_remainder`], and when there is no weight with this index.
pub fn part_of(number: u64, weights: &[u64], index: usize) -> u64 {
    if let [_] = weights {
        return number;
    }
    let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    assert!(total > 0, "at least one part weighs something");
    let exact = |weight: u64| u128::from(number) * u128::from(weight);
    let rounded_down: u128 = weights.iter().map(|&weight| exact(weight) / total).sum();
    let rest = u128::from(number) - rounded_down;
    let own = exact(weights[index]) % total;
    let remainders = weights.iter().map(|&weight| exact(weight) % total).enumerate();
    let ahead = remainders.filter(|&(at, it)| it > own || (it == own && at < index)).count();
    (exact(weights[index]) / total) as u64 + u64::from((ahead as u128) < rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_goes_to_the_largest_remainders() {
        assert_eq!(largest_remainder(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(largest_remainder(7, &[50, 30, 20]), [4, 2, 1]);
        assert_eq!(largest_remainder(0, &[3, 4]), [0, 0]);
        assert_eq!(largest_remainder(5, &[0, 9]), [0, 5]);
    }

    proptest::proptest! {
        #[test]
        fn the_parts_add_up_and_each_is_found_alone(
            number in 0_u64..10_000_000,
            weights in proptest::collection::vec(0_u64..1_000_000, 1..20),
        ) {
            proptest::prop_assume!(weights.iter().any(|&weight| weight > 0));
            let parts = largest_remainder(number, &weights);
            proptest::prop_assert_eq!(parts.iter().sum::<u64>(), number);
            let one_by_one: Vec<_> = (0..weights.len()).map(|index| part_of(number, &weights, index)).collect();
            proptest::prop_assert_eq!(parts, one_by_one);
        }
    }
}
