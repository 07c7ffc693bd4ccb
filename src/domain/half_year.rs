//! Half-years: the periods for which a quota is set.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Weekday};

use super::time::{Day, ReferenceDate, YEAR_MAX, YEAR_MIN};
use super::{Fault, text_in_json};

/// A calendar half-year (halfjaar), written `2026-I` (1 January to 1 July) or `2026-II`.
///
/// Quotas are set per half-year (Huisvestingswet 2014, article 29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HalfYear(u16);

impl HalfYear {
    /// How many half-years can be written.
    pub const COUNT: usize = ((YEAR_MAX - YEAR_MIN + 1) * 2) as usize;

    /// The first or the second half of a year from 1990 to 2149.
    ///
    /// # Errors
    /// When the year lies outside that range.
    pub fn new(year: i32, second: bool) -> Result<Self, Fault> {
        if !(YEAR_MIN..=YEAR_MAX).contains(&year) {
            return Err(UNKNOWN);
        }
        Ok(Self(((year - YEAR_MIN) * 2) as u16 + u16::from(second)))
    }

    /// The half-year with this number, as [`HalfYear::index`] gives it.
    pub fn from_index(index: u16) -> Option<Self> {
        (usize::from(index) < Self::COUNT).then_some(Self(index))
    }

    /// Half-years since 1990-I.
    pub fn index(self) -> u16 {
        self.0
    }

    /// The calendar year.
    pub fn year(self) -> i32 {
        YEAR_MIN + i32::from(self.0 / 2)
    }

    /// 1 January or 1 July.
    pub fn first_day(self) -> Day {
        let month = if self.0 % 2 == 1 { 7 } else { 1 };
        Day::new(self.year(), month, 1).expect("a half-year lies in the calendar")
    }

    /// 30 June or 31 December.
    pub fn last_day(self) -> Day {
        let (month, day) = if self.0 % 2 == 1 { (12, 31) } else { (6, 30) };
        Day::new(self.year(), month, day).expect("a half-year lies in the calendar")
    }

    /// Its Mondays, in order.
    pub fn mondays(self) -> impl Iterator<Item = Day> {
        let days = (self.first_day().index()..=self.last_day().index()).filter_map(Day::from_index);
        days.filter(|day| day.date().weekday() == Weekday::Mon)
    }

    /// The half-year that follows, unless this is the last one that can be written.
    pub fn next(self) -> Option<Self> {
        Self::from_index(self.0 + 1)
    }

    /// The half-year before, unless this is the first one that can be written.
    pub fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// How much of the half-year has passed at the start of the reference date (fasering): one
    /// sixth a whole month, and within a month linear by day. A date outside gives none or all.
    pub fn elapsed(self, on: ReferenceDate) -> Elapsed {
        if on.0 < self.first_day() {
            return Elapsed { days: 0, of: 6 };
        }
        if on.0.half_year() != self {
            return Elapsed { days: 6, of: 6 };
        }
        let date = on.0.date();
        let in_month = i64::from(date.num_days_in_month());
        let months = i64::from(date.month0() % 6);
        Elapsed { days: months * in_month + i64::from(date.day0()), of: 6 * in_month }
    }
}

/// The part of a half-year that has passed, as an exact fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    days: i64,
    of: i64,
}

impl Elapsed {
    /// This part of a number of persons, to the nearest person; a half goes away from zero.
    pub fn of(self, persons: i64) -> i64 {
        let twice = 2 * persons * self.days;
        (twice + self.of * twice.signum()) / (2 * self.of)
    }

    /// The number of which this part is so many persons, to the nearest person; a half goes away from zero. None while
    /// nothing has passed.
    pub fn whole_of(self, part: i64) -> Option<i64> {
        let twice = 2 * part * self.of;
        (self.days > 0).then(|| (twice + self.days * twice.signum()) / (2 * self.days))
    }
}

const UNKNOWN: Fault =
    Fault("is not a half-year: write 2026-I for January to June, 2026-II for July to December");

impl FromStr for HalfYear {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let (year, half) = text.split_once('-').ok_or(UNKNOWN)?;
        let second = match half {
            "I" => false,
            "II" => true,
            _ => return Err(UNKNOWN),
        };
        if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
            return Err(UNKNOWN);
        }
        Self::new(year.parse().map_err(|_| UNKNOWN)?, second)
    }
}

impl fmt::Display for HalfYear {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = if self.0 % 2 == 1 { "II" } else { "I" };
        write!(to, "{}-{half}", self.year())
    }
}

text_in_json!(HalfYear);

#[cfg(test)]
mod tests {
    use super::*;

    fn half_year(text: &str) -> HalfYear {
        text.parse().unwrap()
    }

    #[test]
    fn a_half_year_is_written_with_roman_numerals() {
        assert_eq!(half_year("2026-II").to_string(), "2026-II");
        assert_eq!(half_year("2025-II").next(), Some(half_year("2026-I")));
        let days = |it: HalfYear| (it.first_day().to_string(), it.last_day().to_string());
        assert_eq!(days(half_year("2024-I")), ("2024-01-01".to_owned(), "2024-06-30".to_owned()));
        assert_eq!(days(half_year("2149-II")), ("2149-07-01".to_owned(), "2149-12-31".to_owned()));
        for wrong in ["2026-III", "2026-1", "26-I", "2026-i", "1989-II", "2150-I", "+026-I"] {
            assert!(wrong.parse::<HalfYear>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_sixth_a_whole_month_and_linear_by_day_within_one() {
        let due = |on: &str| half_year("2026-I").elapsed(ReferenceDate(on.parse().unwrap())).of(24_000);
        assert_eq!(due("2025-12-31"), 0);
        assert_eq!(due("2026-01-01"), 0);
        assert_eq!(due("2026-02-01"), 4_000);
        assert_eq!(due("2026-02-15"), 6_000);
        assert_eq!(due("2026-04-01"), 12_000);
        assert_eq!(due("2026-07-01"), 24_000);
        assert_eq!(due("2027-07-01"), 24_000);
    }

    #[test]
    fn half_a_person_goes_away_from_zero() {
        let half = half_year("2026-I").elapsed(ReferenceDate("2026-04-01".parse().unwrap()));
        assert_eq!((half.of(5), half.of(-5), half.of(4)), (3, -3, 2));
    }

    #[test]
    fn what_goes_on_as_so_far_makes_a_whole() {
        let whole = |on: &str, part: i64| {
            half_year("2026-I").elapsed(ReferenceDate(on.parse().unwrap())).whole_of(part)
        };
        assert_eq!(whole("2026-01-01", 5), None);
        assert_eq!(whole("2026-02-01", 5), Some(30));
        // 4 of the 31 x 6 parts have passed: 46.5 for each person.
        assert_eq!((whole("2026-01-05", 1), whole("2026-01-05", -1)), (Some(47), Some(-47)));
        assert_eq!((whole("2026-01-05", 2), whole("2026-01-05", 0)), (Some(93), Some(0)));
        assert_eq!(whole("2026-07-01", 7), Some(7));
    }

    #[test]
    fn a_half_year_has_26_mondays_or_one_more_or_less() {
        let mondays = |text: &str| half_year(text).mondays().map(|day| day.to_string()).collect::<Vec<_>>();
        let first = mondays("2024-I");
        assert_eq!((first.len(), &first[0][..], &first[25][..]), (26, "2024-01-01", "2024-06-24"));
        assert_eq!(mondays("2024-II").len(), 27);
        assert_eq!(mondays("2026-I").len(), 26);
        assert_eq!(mondays("2025-I").first().map(String::as_str), Some("2025-01-06"));
    }
}
