//! The two times: when something happened in the world, and when the ledger learned it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Timelike, Utc};

use super::half_year::HalfYear;
use super::{Fault, Room, digits, text_in_json, written};

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

    /// The day with the same number this many months later, or the last day of that month where it has no such day, or
    /// the last day there is: so ends a term in months (Regulation (EEC) 1182/71, article 3(2)(c)).
    pub fn plus_months(self, months: u32) -> Self {
        let later = self.date().checked_add_months(Months::new(months));
        later.and_then(|date| Self::try_from(date).ok()).unwrap_or_else(Self::last)
    }

    /// Days since 1 January 1990.
    pub fn index(self) -> u16 {
        self.0
    }

    /// The day this many days after 1 January 1990.
    pub fn from_index(days: u16) -> Option<Self> {
        (days <= Self::last().0).then_some(Self(days))
    }

    /// The milliseconds from 1 January 1970, 0:00 UTC, to the beginning of the day in UTC.
    fn midnight_in_utc(self) -> i64 {
        self.date().and_time(NaiveTime::MIN).and_utc().timestamp_millis()
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
        Self::of_ten(text.as_bytes())
    }
}

impl Day {
    /// Reads the ten characters of ISO 8601 and nothing else: chrono alone would also take "2025-1-1".
    fn of_ten(text: &[u8]) -> Result<Self, Fault> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return Err(NOT_A_DAY) };
        match (number([y1, y2, y3, y4]), number([m1, m2]), number([d1, d2])) {
            (Some(year), Some(month), Some(day)) => Self::new(year as i32, month, day),
            _ => Err(NOT_A_DAY),
        }
    }

    fn write_in(self, room: &mut Room) -> &str {
        let date = self.date();
        digits(date.year().unsigned_abs(), &mut room[..4]);
        room[4] = b'-';
        digits(date.month(), &mut room[5..7]);
        room[7] = b'-';
        digits(date.day(), &mut room[8..10]);
        written(&room[..10])
    }
}

/// The number that these digits make, if they are digits.
fn number<const N: usize>(digits: [u8; N]) -> Option<u32> {
    let next = |number, digit: u8| digit.is_ascii_digit().then(|| 10 * number + u32::from(digit - b'0'));
    digits.into_iter().try_fold(0, next)
}

text_in_json!(Day, in one piece);

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

    /// The month that follows, unless this is the last one that can be written.
    pub fn next(self) -> Option<Self> {
        Day::from_index(self.last_day().0 + 1).map(Self)
    }

    /// The month before, unless this is the first one that can be written.
    pub fn previous(self) -> Option<Self> {
        self.0.0.checked_sub(1).and_then(Day::from_index).map(Self::from)
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
        let mut first_day = *b"yyyy-mm-01";
        if text.len() != 7 {
            return Err(NOT_A_MONTH);
        }
        first_day[..7].copy_from_slice(text.as_bytes());
        Day::of_ten(&first_day).map(Self).map_err(|_| NOT_A_MONTH)
    }
}

impl Month {
    fn write_in(self, room: &mut Room) -> &str {
        &self.0.write_in(room)[..7]
    }
}

text_in_json!(Month, in one piece);

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
        let midnight = day.midnight_in_utc();
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
        Self::of_own_form(text.as_bytes()).map_or_else(|| Self::of_any_form(text), Ok)
    }
}

impl RecordedAt {
    /// Reads a time as the log writes it: opening a large ledger reads millions of them.
    fn of_own_form(text: &[u8]) -> Option<Self> {
        let (day, time) = text.split_at_checked(10)?;
        let &[b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1, f2, f3, b'Z'] = time else { return None };
        let hours = number([h1, h2]).filter(|it| *it < 24)?;
        let minutes = number([m1, m2]).filter(|it| *it < 60)?;
        let seconds = number([s1, s2]).filter(|it| *it < 60)?;
        let time = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + number([f1, f2, f3])?;
        Some(Self(Day::of_ten(day).ok()?.midnight_in_utc() + i64::from(time)))
    }

    /// Reads a time as a sender may write it.
    fn of_any_form(text: &str) -> Result<Self, Fault> {
        const NOT_A_TIME: Fault = Fault("is not a time: write it as 2026-04-03T10:00:00Z (RFC 3339)");
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| NOT_A_TIME)?;
        Self::from_millis(time.timestamp_millis()).map_err(|_| NOT_A_TIME)
    }

    fn write_in(self, room: &mut Room) -> &str {
        let time = DateTime::<Utc>::from_timestamp_millis(self.0).expect("in range");
        room[..24].copy_from_slice(b"yyyy-mm-ddThh:mm:ss.fffZ");
        let parts = [
            (time.year().unsigned_abs(), 0..4),
            (time.month(), 5..7),
            (time.day(), 8..10),
            (time.hour(), 11..13),
            (time.minute(), 14..16),
            (time.second(), 17..19),
            (time.timestamp_subsec_millis(), 20..23),
        ];
        for (number, place) in parts {
            digits(number, &mut room[place]);
        }
        written(&room[..24])
    }
}

text_in_json!(RecordedAt, in one piece);

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
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    /// Texts that are nearly a time in the form of the log, and some that are.
    fn near_own_form() -> impl Strategy<Value = String> {
        prop_oneof![
            "(19[89][0-9]|20[0-9][0-9]|21[45][0-9])-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z",
            "2026-0[0-9]-[0-3][0-9][Tt _][0-2][0-9]:[0-5][0-9]:[0-5é][0-9](\\.[0-9]{0,4})?(Z|z|[+-]0[0-9]:00)",
        ]
    }

    proptest! {
        #[test]
        fn the_form_of_the_log_means_what_it_means_to_chrono(text in near_own_form()) {
            let own = RecordedAt::of_own_form(text.as_bytes());
            if let Some(own) = own {
                prop_assert_eq!(RecordedAt::of_any_form(&text), Ok(own));
            }
            prop_assert_eq!(text.parse::<RecordedAt>(), RecordedAt::of_any_form(&text));
        }

        #[test]
        fn a_time_is_written_as_chrono_writes_it(millis in 631_152_000_000_i64..5_680_281_600_000) {
            let at = RecordedAt::from_millis(millis).unwrap();
            let time = DateTime::<Utc>::from_timestamp_millis(millis).unwrap();
            prop_assert_eq!(at.to_string(), time.to_rfc3339_opts(SecondsFormat::Millis, true));
            prop_assert_eq!(RecordedAt::of_own_form(at.to_string().as_bytes()), Some(at));
        }
    }

    #[test]
    fn every_day_is_written_as_chrono_writes_it_and_read_again() {
        for day in (0..=Day::last().index()).map(Day) {
            assert_eq!(day.to_string(), day.date().to_string());
            assert_eq!(day.to_string().parse(), Ok(day));
            assert_eq!(Month::from(day).to_string(), day.date().format("%Y-%m").to_string());
        }
    }

    #[test]
    fn a_month_follows_the_one_before_it() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        for (one, next) in [("2024-01", "2024-02"), ("2024-02", "2024-03"), ("2024-12", "2025-01")] {
            assert_eq!(month(one).next(), Some(month(next)));
            assert_eq!(month(next).previous(), Some(month(one)));
        }
        assert_eq!((month("1990-01").previous(), month("2149-12").next()), (None, None));
    }

    #[test]
    fn a_term_in_months_ends_on_the_same_number_or_on_the_last_day_of_the_month() {
        for (day, months, end) in [
            ("2024-01-15", 12, "2025-01-15"),
            ("2024-02-29", 12, "2025-02-28"),
            ("2023-02-28", 12, "2024-02-28"),
            ("2025-08-31", 6, "2026-02-28"),
            ("2023-08-31", 6, "2024-02-29"),
            ("2025-03-31", 6, "2025-09-30"),
            ("2025-04-30", 6, "2025-10-30"),
            ("2149-12-01", 1, "2149-12-31"),
        ] {
            let day: Day = day.parse().unwrap();
            assert_eq!(day.plus_months(months).to_string(), end, "{months} months after {day}");
        }
    }

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
