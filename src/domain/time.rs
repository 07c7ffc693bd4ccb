//! The two times: when something happened in the world, and when the ledger learned it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, SecondsFormat, Utc};

use super::half_year::HalfYear;
use super::{Fault, text_in_json};

/// A calendar day in the Netherlands, from 1 January 1990 to 31 December 2149.
///
/// Kept as the number of days since 1 January 1990, so that ten million of them fit in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u16);

/// The first year that a [`Day`] or a half-year can lie in.
pub const YEAR_MIN: i32 = 1990;
/// The last year that a [`Day`] or a half-year can lie in.
pub const YEAR_MAX: i32 = 2149;

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(YEAR_MIN, 1, 1).expect("a day of the calendar");

impl Day {
    /// The day with this year, month and day of the month.
    ///
    /// # Errors
    /// When the calendar has no such day, or it lies outside 1990 to 2149.
    pub fn new(year: i32, month: u32, day: u32) -> Result<Self, Fault> {
        NaiveDate::from_ymd_opt(year, month, day).ok_or(NOT_A_DAY)?.try_into()
    }

    /// The same day as chrono keeps it.
    pub fn date(self) -> NaiveDate {
        EPOCH + Days::new(u64::from(self.0))
    }

    /// The half-year (1 January to 1 July, or 1 July to 1 January) that holds this day.
    pub fn half_year(self) -> HalfYear {
        let date = self.date();
        HalfYear::new(date.year(), date.month() > 6).expect("every day lies in a half-year")
    }

    /// The day this many days later, or the last day there is.
    pub fn plus_days(self, days: u16) -> Self {
        Self(self.0.saturating_add(days).min(Self::last().0))
    }

    /// Days since 1 January 1990.
    pub fn index(self) -> u16 {
        self.0
    }

    /// The day this many days after 1 January 1990.
    pub fn from_index(days: u16) -> Option<Self> {
        (days <= Self::last().0).then_some(Self(days))
    }

    fn last() -> Self {
        Self::new(YEAR_MAX, 12, 31).expect("a day of the calendar")
    }
}

const NOT_A_DAY: Fault = Fault("is not a date: write YYYY-MM-DD, between 1990-01-01 and 2149-12-31");

impl TryFrom<NaiveDate> for Day {
    type Error = Fault;

    fn try_from(date: NaiveDate) -> Result<Self, Fault> {
        if !(YEAR_MIN..=YEAR_MAX).contains(&date.year()) {
            return Err(NOT_A_DAY);
        }
        let days = date.signed_duration_since(EPOCH).num_days();
        Ok(Self(u16::try_from(days).map_err(|_| NOT_A_DAY)?))
    }
}

impl FromStr for Day {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        // Only the ten characters of ISO 8601: chrono alone would also take "2025-1-1".
        let digits = |part: &str| match part.bytes().all(|b| b.is_ascii_digit()) {
            true => part.parse::<u32>().map_err(|_| NOT_A_DAY),
            false => Err(NOT_A_DAY),
        };
        match text.as_bytes() {
            [_, _, _, _, b'-', _, _, b'-', _, _] if text.is_ascii() => {
                Self::new(digits(&text[..4])? as i32, digits(&text[5..7])?, digits(&text[8..])?)
            }
            _ => Err(NOT_A_DAY),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(to)
    }
}

text_in_json!(Day);

/// A calendar month, written `2026-04`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Day);

impl Month {
    /// The first day of the month.
    pub fn first_day(self) -> Day {
        self.0
    }

    /// The last day of the month.
    pub fn last_day(self) -> Day {
        let date = self.0.date();
        let last = date.num_days_in_month();
        Day::new(date.year(), date.month(), u32::from(last)).expect("a month has a last day")
    }
}

impl From<Day> for Month {
    fn from(day: Day) -> Self {
        let date = day.date();
        Self(Day::new(date.year(), date.month(), 1).expect("a month has a first day"))
    }
}

impl FromStr for Month {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const NOT_A_MONTH: Fault = Fault("is not a month: write YYYY-MM, such as 2026-04");
        if text.len() != 7 {
            return Err(NOT_A_MONTH);
        }
        format!("{text}-01").parse().map(Self).map_err(|_| NOT_A_MONTH)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.date().format("%Y-%m").fmt(to)
    }
}

text_in_json!(Month);

/// The reference date (peildatum) of a question: the standing at the **start** of that day.
///
/// So 1 January 2026 shows 2025-II closed and 2026-I opened, as the letters of the ministry use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceDate(pub Day);

impl ReferenceDate {
    /// Whether an obligation that took effect on this day is in force.
    pub fn has_obligation_of(self, day: Day) -> bool {
        day <= self.0
    }

    /// Whether somebody housed on this day had been housed when the reference date began.
    pub fn has_housing_of(self, day: Day) -> bool {
        day < self.0
    }
}

/// The moment at which the ledger learned something: UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordedAt(i64);

impl RecordedAt {
    /// The moment this many milliseconds after 1 January 1970, 0:00 UTC.
    ///
    /// # Errors
    /// When it lies outside the years that a [`Day`] can lie in.
    pub fn from_millis(millis: i64) -> Result<Self, Fault> {
        const OUTSIDE: Fault = Fault("is not a time between 1990 and 2149");
        let time = DateTime::<Utc>::from_timestamp_millis(millis).ok_or(OUTSIDE)?;
        match (YEAR_MIN..=YEAR_MAX).contains(&time.year()) {
            true => Ok(Self(millis)),
            false => Err(OUTSIDE),
        }
    }

    /// The moment at which this day begins in the Netherlands.
    pub fn start_of(day: Day) -> Self {
        let midnight = day.date().and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        // Summer time never begins or ends at midnight, so one look decides.
        let offset = dutch_offset_millis(midnight - HOUR);
        Self(midnight - offset)
    }

    /// The calendar day in the Netherlands at this moment.
    pub fn dutch_day(self) -> Day {
        let local = self.0 + dutch_offset_millis(self.0);
        let date = DateTime::<Utc>::from_timestamp_millis(local).expect("in range").date_naive();
        Day::try_from(date).unwrap_or_else(|_| Day::last())
    }

    /// Milliseconds since 1 January 1970, 0:00 UTC.
    pub fn millis(self) -> i64 {
        self.0
    }
}

const HOUR: i64 = 3_600_000;

/// Dutch civil time is UTC+1, and UTC+2 from the last Sunday of March to the last Sunday of
/// October, both at 1:00 UTC (Directive 2000/84/EC; the same rule since 1996).
fn dutch_offset_millis(millis: i64) -> i64 {
    let year = DateTime::<Utc>::from_timestamp_millis(millis).expect("in range").year();
    let last_sunday = |month| {
        let last = NaiveDate::from_ymd_opt(year, month, 31).expect("March and October have 31");
        let back = u64::from(last.weekday().num_days_from_sunday());
        (last - Days::new(back)).and_time(NaiveTime::MIN).and_utc().timestamp_millis() + HOUR
    };
    match (last_sunday(3)..last_sunday(10)).contains(&millis) {
        true => 2 * HOUR,
        false => HOUR,
    }
}

impl FromStr for RecordedAt {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const NOT_A_TIME: Fault = Fault("is not a time: write it as 2026-04-03T10:00:00Z (RFC 3339)");
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| NOT_A_TIME)?;
        Self::from_millis(time.timestamp_millis()).map_err(|_| NOT_A_TIME)
    }
}

impl fmt::Display for RecordedAt {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from_timestamp_millis(self.0).expect("in range");
        to.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

text_in_json!(RecordedAt);

/// The place of an entry in the log, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Whether an entry here is known when the log has this size.
    pub fn is_known_at(self, size: LogSize) -> bool {
        self.0 < size.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(to)
    }
}

/// How many entries the log held: the state of knowledge (stand van kennis) of an answer.
///
/// A clock time is translated to a log size at the edge; the core knows no other "known at".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogSize(pub u64);

impl fmt::Display for LogSize {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(to)
    }
}

/// The only way to ask a question: on which date, as known at which log size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AsOf {
    /// The reference date (peildatum).
    pub reference_date: ReferenceDate,
    /// The log size (stand van kennis).
    pub known_at: LogSize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_ten_characters_and_exists() {
        assert_eq!("2024-02-29".parse::<Day>().unwrap().to_string(), "2024-02-29");
        for wrong in ["2023-02-29", "2025-1-1", "1989-12-31", "2150-01-01", "20250101", "", "é-01-01xx"] {
            assert_eq!(wrong.parse::<Day>(), Err(NOT_A_DAY), "{wrong}");
        }
    }

    #[test]
    fn the_day_in_the_netherlands_is_ahead_of_utc() {
        let at = |text: &str| text.parse::<RecordedAt>().unwrap().dutch_day().to_string();
        assert_eq!(at("2025-12-31T22:59:59Z"), "2025-12-31");
        assert_eq!(at("2025-12-31T23:00:00Z"), "2026-01-01");
        assert_eq!(at("2026-06-30T21:59:59Z"), "2026-06-30");
        assert_eq!(at("2026-06-30T22:00:00Z"), "2026-07-01");
    }

    #[test]
    fn a_day_begins_at_midnight_in_the_netherlands() {
        for (day, start) in [
            ("2026-01-01", "2025-12-31T23:00:00.000Z"),
            ("2026-03-29", "2026-03-28T23:00:00.000Z"),
            ("2026-03-30", "2026-03-29T22:00:00.000Z"),
            ("2026-10-25", "2026-10-24T22:00:00.000Z"),
            ("2026-10-26", "2026-10-25T23:00:00.000Z"),
        ] {
            let day: Day = day.parse().unwrap();
            assert_eq!(RecordedAt::start_of(day).to_string(), start);
            assert_eq!(RecordedAt::start_of(day).dutch_day(), day);
        }
    }
}
