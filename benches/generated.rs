//! A generated history: what the benchmarks measure over, the same for every run with the same seed.
//!
//! Nothing of it is a fact. Its source is the organisation `generated`, so every answer over it says so. The
//! municipalities and their inhabitants are those of the demo; numbers follow the inhabitants.

pub mod facts;

pub mod placements;

pub mod questions;

use std::time::Instant;

use peildatum::domain::source::Source;
use peildatum::domain::time::{Day, RecordedAt};
use peildatum::ledger::Outside;

/// The seed of all that is drawn.
pub const SEED: u64 = 20_260_403;

/// The first day on which anything happens.
pub const FIRST_DAY: (i32, u32, u32) = (2016, 1, 4);
/// The last day on which anything is reported.
pub const LAST_DAY: (i32, u32, u32) = (2026, 10, 30);

/// Who says all this.
pub fn source() -> Source {
    "generated/benchmark".parse().expect("a source")
}

/// A day of the history.
pub fn day((year, month, day): (i32, u32, u32)) -> Day {
    Day::new(year, month, day).expect("a day of the calendar")
}

/// Random identities as the ledger makes its own, and a clock that begins when the history has ended and runs as fast as
/// that of the machine. So a benchmark gives the same receipts in any year.
pub fn outside() -> Outside {
    let begun = Instant::now();
    let start = RecordedAt::start_of(day(LAST_DAY).plus_days(3)).millis();
    let clock = move || {
        let since = i64::try_from(begun.elapsed().as_millis()).expect("not longer than a lifetime");
        RecordedAt::from_millis(start + since).expect("not longer than a lifetime")
    };
    Outside { clock: Box::new(clock), ..Outside::machine() }
}
