//! Shares of a number against a model that counts in fractions, and the national numbers over 342 municipalities.

use std::cmp::Ordering;

use peildatum::book::share::shares;
use peildatum::demo::facts;
use peildatum::domain::quota::Rounding;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A fraction of whole numbers, as one learns it at school.
#[derive(Clone, Copy, Debug)]
struct Fraction {
    over: u128,
    under: u128,
}

impl Fraction {
    fn whole(self) -> u128 {
        let mut whole = 0;
        // Slow and plain: double the step while it fits, then halve it.
        let mut step = 1;
        while self.under * step * 2 <= self.over {
            step *= 2;
        }
        while step > 0 {
            if (whole + step) * self.under <= self.over {
                whole += step;
            }
            step /= 2;
        }
        whole
    }

    fn rest(self) -> Self {
        Self { over: self.over - self.whole() * self.under, under: self.under }
    }

    fn compare(self, other: Self) -> Ordering {
        (self.over * other.under).cmp(&(other.over * self.under))
    }
}

fn modelled(number: u64, weights: &[u64], rounding: Rounding) -> Vec<u64> {
    let under: u128 = weights.iter().map(|&it| u128::from(it)).sum();
    let exact: Vec<_> =
        weights.iter().map(|&it| Fraction { over: u128::from(it) * u128::from(number), under }).collect();
    let (none, half) = (Fraction { over: 0, under: 1 }, Fraction { over: 1, under: 2 });
    let mut parts: Vec<u64> = exact
        .iter()
        .map(|it| {
            let up = match rounding {
                Rounding::Up => it.rest().compare(none) == Ordering::Greater,
                Rounding::Nearest => it.rest().compare(half) != Ordering::Less,
                Rounding::LargestRemainder => false,
            };
            it.whole() as u64 + u64::from(up)
        })
        .collect();
    if rounding == Rounding::LargestRemainder {
        // One person after another, each to whoever was cut short most and got none yet.
        let mut got = vec![false; parts.len()];
        while parts.iter().sum::<u64>() < number {
            let mut next = None;
            for index in (0..parts.len()).filter(|&it| !got[it]) {
                let longer =
                    |than: usize| exact[index].rest().compare(exact[than].rest()) == Ordering::Greater;
                if next.is_none_or(longer) {
                    next = Some(index);
                }
            }
            let next = next.expect("fewer are left than there are parts");
            (parts[next], got[next]) = (parts[next] + 1, true);
        }
    }
    parts
}

/// A number, weights of which at least one counts, and a rounding.
fn divisions() -> impl Strategy<Value = (u64, Vec<u64>, Rounding)> {
    let weights = vec(prop_oneof![0_u64..5, 0_u64..1_000_000, Just(100_000_000)], 1..12);
    let weights = weights.prop_filter("somebody lives there", |it| it.iter().any(|&weight| weight > 0));
    (prop_oneof![0_u64..50, 0_u64..=10_000_000], weights, select(Rounding::ALL))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shares_are_those_of_fractions((number, weights, rounding) in divisions()) {
        let parts = shares(number, &weights, rounding);
        prop_assert_eq!(&parts, &modelled(number, &weights, rounding));
        let sum: u64 = parts.iter().sum();
        match rounding {
            Rounding::Up => prop_assert!(sum >= number && sum < number + weights.len() as u64),
            Rounding::Nearest => prop_assert!(2 * sum.abs_diff(number) <= weights.len() as u64),
            Rounding::LargestRemainder => prop_assert_eq!(sum, number),
        }
    }

    #[test]
    fn whoever_has_more_inhabitants_never_gets_fewer((number, weights, rounding) in divisions()) {
        let parts = shares(number, &weights, rounding);
        for (a, b) in (0..weights.len()).flat_map(|a| (0..weights.len()).map(move |b| (a, b))) {
            prop_assert!(weights[a] <= weights[b] || parts[a] >= parts[b], "{:?} of {:?}", parts, weights);
        }
    }

    #[test]
    fn the_unit_of_the_inhabitants_does_not_matter(
        (number, weights, rounding) in divisions(),
        times in 1_u64..10_000,
    ) {
        let larger: Vec<u64> = weights.iter().map(|it| it * times).collect();
        prop_assert_eq!(shares(number, &weights, rounding), shares(number, &larger, rounding));
    }
}

/// By the inhabitants of 342 municipalities on 1 January 2021.
#[test]
fn the_act_rounds_up_and_gives_more_than_the_national_number() {
    let weights: Vec<u64> = facts::municipalities().iter().map(|(_, count)| u64::from(*count)).collect();
    let sum = |number, rounding| shares(number, &weights, rounding).iter().sum::<u64>();
    assert_eq!([16_300, 15_000].map(|number| sum(number, Rounding::Up)), [16_476, 15_163]);
    assert_eq!([16_300, 15_000].map(|number| sum(number, Rounding::Nearest)), [16_300, 15_000]);
    assert_eq!([16_300, 15_000].map(|number| sum(number, Rounding::LargestRemainder)), [16_300, 15_000]);
    // 2023-I, of which the published municipal numbers add up to 21,211.
    assert_eq!([Rounding::Nearest, Rounding::Up].map(|it| sum(21_200, it)), [21_212, 21_366]);
}
