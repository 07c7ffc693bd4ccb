//! Apportionment: dividing a number of persons so that whole persons come out.

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
