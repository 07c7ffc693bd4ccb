//! What one side measures, as its process hands it to the one that prints the table.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use peildatum::feed::receipt::{Outcome, RowReceipt, Totals};
use serde::{Deserialize, Serialize};

/// After so many rows the rate of the part is noted.
const PART: u64 = 1_000_000;

/// An import.
#[derive(Debug, Serialize, Deserialize)]
pub struct Imported {
    /// The file of placements.
    pub placements: Delivered,
    /// The file of withdrawals.
    pub withdrawals: Delivered,
    /// How many entries there are afterwards.
    pub size: u64,
    /// How many of them were there before the first placement.
    pub facts: u64,
    /// The most memory that the process had.
    pub peak_bytes: Option<u64>,
}

/// What became of a file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Delivered {
    /// How many rows became what.
    pub totals: Totals,
    /// A number that two deliveries share only if every row got the same receipt.
    pub receipts: u64,
    /// How long it took.
    pub seconds: f64,
    /// How long each million rows took, of those that are full.
    pub parts: Vec<f64>,
}

impl Delivered {
    /// Rows a second.
    pub fn rate(&self) -> f64 {
        self.totals.rows as f64 / self.seconds
    }
}

/// Takes the receipts of one file.
pub struct Receipts {
    begun: Instant,
    part_begun: Instant,
    totals: Totals,
    hasher: DefaultHasher,
    parts: Vec<f64>,
}

impl Receipts {
    /// None yet. The time runs from here.
    pub fn begin() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            part_begun: now,
            totals: Totals::default(),
            hasher: DefaultHasher::new(),
            parts: Vec::new(),
        }
    }

    /// Takes the receipt of the next row.
    pub fn take(&mut self, receipt: &RowReceipt) {
        self.totals.add(&receipt.outcome);
        (receipt.row, receipt.outcome.name()).hash(&mut self.hasher);
        match &receipt.outcome {
            Outcome::Recorded { position } | Outcome::KnownAlready { position } => {
                position.0.hash(&mut self.hasher);
            }
            Outcome::Refused { faults } => {
                for fault in faults {
                    (fault.code, &fault.field, &fault.problem, &fault.remedy).hash(&mut self.hasher);
                }
            }
        }
        if self.totals.rows.is_multiple_of(PART) {
            let now = Instant::now();
            self.parts.push((now - std::mem::replace(&mut self.part_begun, now)).as_secs_f64());
        }
    }

    /// All were taken: the time ends here.
    pub fn done(self) -> Delivered {
        let seconds = self.begun.elapsed().as_secs_f64();
        Delivered { totals: self.totals, receipts: self.hasher.finish(), seconds, parts: self.parts }
    }
}

/// An opening, and the questions that were asked afterwards.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked {
    /// From nothing to the first answer, in seconds.
    pub open_seconds: f64,
    /// The most memory that the process had when it was open.
    pub open_bytes: Option<u64>,
    /// Statements of one municipality.
    pub one: Times,
    /// Tables of all municipalities.
    pub all: Times,
    /// The most memory that the process had at the end.
    pub peak_bytes: Option<u64>,
}

/// Deliveries of one placement each.
#[derive(Debug, Serialize, Deserialize)]
pub struct Deliveries {
    /// One after another, each durable before the next is sent.
    pub alone: Rate,
    /// By many senders at once, each way in which it can be done, the best first.
    pub together: Vec<(String, Rate)>,
}

/// How often something was done.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rate {
    /// How often.
    pub count: u64,
    /// In how much time.
    pub seconds: f64,
}

impl Rate {
    /// Does something and takes the time.
    pub fn of<E>(count: u64, work: impl FnOnce() -> Result<(), E>) -> Result<Self, E> {
        let begun = Instant::now();
        work()?;
        Ok(Self { count, seconds: begun.elapsed().as_secs_f64() })
    }

    /// How often a second.
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.seconds
    }
}

/// How long something took that was done many times.
#[derive(Debug, Serialize, Deserialize)]
pub struct Times {
    /// How often it was done.
    pub count: u64,
    /// Half of the times it took no longer, in seconds.
    pub median: f64,
    /// Of a hundred times it took longer once, in seconds.
    pub p99: f64,
}

impl Times {
    /// Of all these times.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |hundredths: usize| {
            times.get((times.len() * hundredths / 100).min(times.len().saturating_sub(1)))
        };
        let seconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f64);
        Self { count: times.len() as u64, median: seconds(at(50)), p99: seconds(at(99)) }
    }
}

/// The most memory that this process had so far. Only Linux says so.
pub fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1_024)
}

/// What a file or folder takes on disk; nothing where there is none.
pub fn disk_bytes(path: &Path) -> io::Result<u64> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        found => found?,
    };
    if !found.is_dir() {
        return Ok(allocated(&found));
    }
    fs::read_dir(path)?.map(|entry| disk_bytes(&entry?.path())).sum()
}

/// Files can have holes, so what they take is not their length.
#[cfg(unix)]
fn allocated(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(found) * 512
}

#[cfg(not(unix))]
fn allocated(found: &fs::Metadata) -> u64 {
    found.len()
}
