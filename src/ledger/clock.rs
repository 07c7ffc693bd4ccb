//! The clock for the rooms above: what time it is, and how long something took.

use std::time::{Duration, Instant};

use super::Outside;
use crate::domain::time::RecordedAt;

/// The time now, on the clock of the machine. It decides about nothing that is recorded: entries take their time from
/// [`Outside`], which never goes back.
pub fn now() -> RecordedAt {
    (Outside::machine().clock)()
}

/// A new identity of version 7 that nobody can guess.
pub fn new_id() -> uuid::Uuid {
    let mut outside = Outside::machine();
    let now = (outside.clock)();
    (outside.ids)(now)
}

/// A watch that was started.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has been running.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
