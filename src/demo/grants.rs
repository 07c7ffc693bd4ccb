//! The grants of the demo by month. No published figure gives them, so they are made up: such that the twelve months
//! before the window of 2025-I give the lower end of its published band, and that of 2026-I goes on as its evaluation says.

use super::history::{day, reference};
use crate::domain::grants::Grants;
use crate::domain::persons::Persons;
use crate::domain::time::{Day, Month};

/// The first month.
const FIRST: (i32, u32) = (2023, 9);

/// Permits granted, and family members arrived, month by month.
const MONTHS: [(u32, u32); 30] = [
    (2_420, 580),
    // The window of 2024-I.
    (2_400, 600),
    (2_470, 630),
    (2_340, 560),
    (2_560, 640),
    (2_380, 620),
    (2_530, 670),
    // That of 2024-II.
    (2_260, 640),
    (2_150, 650),
    (2_120, 680),
    (2_090, 710),
    (1_960, 740),
    (2_240, 760),
    // That of 2025-I.
    (1_900, 800),
    (1_780, 820),
    (1_590, 810),
    (1_660, 840),
    (1_530, 820),
    (1_600, 850),
    // That of 2025-II.
    (1_480, 870),
    (1_440, 860),
    (1_510, 890),
    (1_470, 880),
    (1_430, 870),
    (1_590, 910),
    // That of 2026-I, of which March was not reported before the last letter.
    (1_760, 940),
    (1_790, 960),
    (1_700, 950),
    (1_820, 980),
    (1_860, 990),
];

/// The reports, each with the day on which it came: the 20th of the month that follows.
pub(super) fn reports() -> impl Iterator<Item = (Day, Grants)> {
    let first = Month::from(day(FIRST.0, FIRST.1, 1));
    let months = std::iter::successors(Some(first), |month| month.next());
    months.zip(MONTHS).map(|(month, (permits, family))| {
        let persons = |count| Persons::try_from(count).expect("a number of persons");
        let grants = Grants {
            month,
            permits_granted: persons(permits),
            family_members_arrived: persons(family),
            reference: reference("generated grants"),
        };
        (month.last_day().plus_days(20), grants)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_add_up_to_what_the_letters_make_likely() {
        let sums: Vec<u32> = MONTHS[1..]
            .chunks(6)
            .map(|window| window.iter().map(|(permits, family)| permits + family).sum())
            .collect();
        assert_eq!(sums, [18_400, 17_000, 15_000, 14_200, 13_750]);
        // Before September 2024 was reported, the twelve months gave the same.
        assert_eq!(MONTHS[0].0 + MONTHS[0].1, MONTHS[12].0 + MONTHS[12].1);
    }
}
