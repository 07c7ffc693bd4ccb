//! References: where a fact was published or decided, and names of areas.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::person_number::holds_person_number;
use super::{Fault, text_in_json};

/// Where a fact was published or decided: a letter, a decision, a parliamentary paper.
///
/// One line of at most 160 characters without control characters. What looks like a person's
/// number cannot be a reference, so none reaches the log this way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(Box<str>);

impl FromStr for Reference {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        line_of_text(text, 160, "is not a reference: write one line of 1 to 160 characters").map(Self)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

text_in_json!(Reference);

/// The name of an area, such as `'s-Hertogenbosch`. Whoever names the area shares it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaName(Arc<str>);

impl AreaName {
    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for AreaName {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let name = line_of_text(text, 60, "is not a name: write one line of 1 to 60 characters")?;
        Ok(Self(name.into()))
    }
}

impl fmt::Display for AreaName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(&self.0)
    }
}

text_in_json!(AreaName);

/// A number of the Staatscourant, the government gazette in which quotas are published.
///
/// Written `stcrt-2026-10123`, as the gazette itself names its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GazetteRef {
    year: u16,
    number: u32,
}

impl FromStr for GazetteRef {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault = Fault("is not a number of the Staatscourant: write stcrt-2026-10123");
        let (year, number) = text.strip_prefix("stcrt-").and_then(|it| it.split_once('-')).ok_or(WRONG)?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if year.len() != 4 || number.len() > 6 || !digits(year) || !digits(number) || number.starts_with('0')
        {
            return Err(WRONG);
        }
        let year = year.parse().map_err(|_| WRONG)?;
        match (1814..=2149).contains(&year) {
            true => Ok(Self { year, number: number.parse().map_err(|_| WRONG)? }),
            false => Err(WRONG),
        }
    }
}

impl fmt::Display for GazetteRef {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "stcrt-{}-{}", self.year, self.number)
    }
}

text_in_json!(GazetteRef);

pub(crate) fn line_of_text(text: &str, longest: usize, wrong: &'static str) -> Result<Box<str>, Fault> {
    let length = text.chars().count();
    let trimmed = text.trim() == text;
    if length == 0 || length > longest || !trimmed || text.chars().any(char::is_control) {
        return Err(Fault(wrong));
    }
    match holds_person_number(text) {
        true => Err(Fault("holds something that looks like a person's number: leave it out")),
        false => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_one_line_without_a_persons_number() {
        assert!("Kamerstukken II, 2023-2024, 32847 nr. 1135".parse::<Reference>().is_ok());
        for wrong in ["", " ", "a\nb", " a", "BSN 111222333", &"x".repeat(161)] {
            assert!(wrong.parse::<Reference>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_gazette_number_is_written_as_the_gazette_does() {
        assert_eq!("stcrt-2026-10123".parse::<GazetteRef>().unwrap().to_string(), "stcrt-2026-10123");
        for wrong in ["Stcrt. 2026, 10123", "stcrt-26-1", "stcrt-2026-", "stcrt-2026-0", "stcrt-2026-1234567"]
        {
            assert!(wrong.parse::<GazetteRef>().is_err(), "{wrong}");
        }
    }
}
