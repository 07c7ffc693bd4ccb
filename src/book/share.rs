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
        fn the_parts_add_up(number in 0_u64..10_000_000, weights in proptest::collection::vec(0_u64..1_000_000, 1..20)) {
            proptest::prop_assume!(weights.iter().any(|&weight| weight > 0));
            proptest::prop_assert_eq!(largest_remainder(number, &weights).iter().sum::<u64>(), number);
        }
    }
}
