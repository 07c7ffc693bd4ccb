//! The production plan (productieplan) of the IND: how many decisions are planned by month and category, and how many of
//! them are expected to be grants. It is brought to a question, and never recorded.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::Fault;
use super::persons::Persons;
use super::reference::line_of_text;
use super::time::Month;

/// A percentage from 0 to 100 with at most four decimals: exact, as a whole number of ten-thousandths of a percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentage(u32);

impl Percentage {
    /// How many parts make a hundred percent.
    pub const WHOLE: u32 = 1_000_000;

    /// How many of those parts this is.
    pub fn parts(self) -> u32 {
        self.0
    }
}

impl FromStr for Percentage {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault = Fault(
            "is not a percentage from 0 to 100: write 64.5 for 64.5 percent, with at most four decimals",
        );
        // A spreadsheet in Dutch writes a comma.
        let (whole, decimals) = text.split_once(['.', ',']).map_or((text, "0"), |both| both);
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(decimals, 4) {
            return Err(WRONG);
        }
        let number = |text: &str| text.parse::<u32>().map_err(|_| WRONG);
        let parts = number(whole)? * 10_000 + number(&format!("{decimals:0<4}"))?;
        if parts <= Self::WHOLE { Ok(Self(parts)) } else { Err(WRONG) }
    }
}

/// What decisions are about: an asylum track, family reunification, in the words of the plan.
///
/// One line of at most 60 characters, in which no number of a person is recognised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanCategory(Box<str>);

impl PlanCategory {
    /// The words as they were written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlanCategory {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        line_of_text(text, 60, "is not a category: write one line of 1 to 60 characters").map(Self)
    }
}

impl fmt::Display for PlanCategory {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

/// The most months after a decision in which an arrival counts: most family members arrive within three months of the
/// grant of their visa (decision note of autumn 2024).
pub const ARRIVING_AFTER_MAX: usize = 3;

/// Which part of those who are granted a visa to join somebody (mvv nareis) arrive in the month of the decision, and one,
/// two and three months later. The others arrive later or never, and are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrivals([Percentage; ARRIVING_AFTER_MAX + 1]);

impl TryFrom<[Percentage; ARRIVING_AFTER_MAX + 1]> for Arrivals {
    type Error = Fault;

    fn try_from(parts: [Percentage; ARRIVING_AFTER_MAX + 1]) -> Result<Self, Fault> {
        match parts.iter().map(|it| it.0).sum::<u32>() <= Percentage::WHOLE {
            true => Ok(Self(parts)),
            false => Err(Fault("the parts that arrive add up to more than 100 percent")),
        }
    }
}

/// What is planned for a category in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// How many persons are decided about.
    pub decisions: Persons,
    /// Which part of them is expected to be granted (inwilligingspercentage).
    pub grant_rate: Percentage,
    /// When those who are granted arrive; nothing where they are here already, and count in the month of the decision.
    pub arrivals: Option<Arrivals>,
}

/// Parts of persons, so small that a percentage of a percentage of persons is a whole number of them.
pub type Parts = u128;

/// How many [`Parts`] make a person.
pub const PERSON: Parts = Percentage::WHOLE as Parts * Percentage::WHOLE as Parts;

impl Planned {
    /// Which part of those who are granted counts in the month of the decision and in each of the next three.
    pub fn counting(&self) -> [Percentage; ARRIVING_AFTER_MAX + 1] {
        let at_once = [Percentage(Percentage::WHOLE), Percentage(0), Percentage(0), Percentage(0)];
        self.arrivals.map_or(at_once, |it| it.0)
    }

    /// How much is expected to count in the month of the decision and in each of the next three.
    pub fn counted(&self) -> [Parts; ARRIVING_AFTER_MAX + 1] {
        let granted = self.decisions.count().unsigned_abs() as Parts * Parts::from(self.grant_rate.0);
        self.counting().map(|part| granted * Parts::from(part.0))
    }
}

/// A production plan: one row for a category and a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    categories: BTreeMap<PlanCategory, BTreeMap<Month, Planned>>,
}

impl Plan {
    /// Takes up what is planned for a category in a month.
    ///
    /// # Errors
    /// When the plan says something about them already.
    pub fn add(&mut self, category: PlanCategory, month: Month, planned: Planned) -> Result<(), Fault> {
        let months = self.categories.entry(category).or_default();
        match months.contains_key(&month) {
            true => Err(Fault("is about a month and category that the plan has already")),
            false => {
                months.insert(month, planned);
                Ok(())
            }
        }
    }

    /// Every category, in the order of their names, with what is planned month by month.
    pub fn categories(&self) -> impl Iterator<Item = (&PlanCategory, &BTreeMap<Month, Planned>)> {
        self.categories.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_exact_and_written_with_a_point_or_a_comma() {
        let parts = |text: &str| text.parse::<Percentage>().map(Percentage::parts);
        for (text, expected) in [
            ("0", 0),
            ("64.5", 645_000),
            ("64,5", 645_000),
            ("0.0001", 1),
            ("100", 1_000_000),
            ("100.0", 1_000_000),
        ] {
            assert_eq!(parts(text), Ok(expected), "{text}");
        }
        for wrong in
            ["", "100.0001", "101", "-1", "+1", "64.5%", "0.00001", ".5", "5.", "1.2.3", "1e2", "６4"]
        {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_more_arrive_than_are_granted() {
        let parts = |texts: [&str; 4]| Arrivals::try_from(texts.map(|it| it.parse().unwrap()));
        assert!(parts(["10", "40", "30", "20"]).is_ok() && parts(["0", "0", "0", "0"]).is_ok());
        assert!(parts(["10", "40", "30", "20.0001"]).is_err());
    }

    #[test]
    fn the_largest_numbers_fit() {
        let most = Planned {
            decisions: Persons::try_from(10_000_000).unwrap(),
            grant_rate: "100".parse().unwrap(),
            arrivals: None,
        };
        assert_eq!(most.counted(), [10_000_000 * PERSON, 0, 0, 0]);
    }
}
