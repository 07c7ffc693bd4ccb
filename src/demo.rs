//! The demo: the national history of the letters, with everything below it generated.
//!
//! National figures are facts (`demo/SOURCES.md`). Municipal numbers are shares of them by inhabitants, and placements,
//! late reports, corrections and moves are drawn from a fixed seed, so that the national sums of each half-year are exactly
//! the published ones. The clock is simulated, so that reports arrive days to weeks after what they report.

pub mod facts;

mod grants;

mod history;

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use uuid::Builder;

use crate::decide::command::Identity;
use crate::decide::refusal::Refusal;
use crate::domain::source::Source;
use crate::domain::time::RecordedAt;
use crate::ledger::{Ledger, LedgerError, Offered, Outside};
use crate::store::Access;

/// The file that marks a ledger of the demo, and what stands in it. Another history gets another number.
const MARK: &str = "DEMO";
const MARKED: &str = "peildatum demo 2: national figures are published, everything below them is generated\n";

/// What lies in the folder where the demo wants its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: the demo can be built.
    Nothing,
    /// A ledger of this demo.
    Demo,
    /// Something else, which is left alone.
    Other,
}

/// Looks what lies in a folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn find(dir: &Path) -> io::Result<Found> {
    match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
        Ok(mut entries) => {
            if entries.next().is_none() {
                return Ok(Found::Nothing);
            }
        }
    }
    match fs::read_to_string(dir.join(MARK)) {
        Ok(mark) if mark == MARKED => Ok(Found::Demo),
        _ => Ok(Found::Other),
    }
}

/// Why the demo cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The disk refused.
    #[error("cannot build the demo: {0}")]
    Io(#[from] io::Error),
    /// The ledger could not record it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A rule refuses what the demo made up: the demo is wrong.
    #[error("the demo was refused an entry: {refusal}; this is a fault of the program")]
    Refused {
        /// The refusal.
        refusal: Refusal,
    },
}

/// Builds the demo in an absent or empty folder. It appears there only when it is complete.
///
/// # Errors
/// When the disk refuses.
pub fn build(dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), DemoError> {
    let beside = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(beside)?;
    let building = tempfile::Builder::new().prefix(".peildatum-demo-").tempdir_in(beside)?;
    let path = building.path().join("ledger");
    fill(&path, progress)?;
    fs::write(path.join(MARK), MARKED)?;
    fs::rename(&path, dir)?;
    Ok(())
}

/// How many deliveries may be under way to the disk at the same time.
const UNDER_WAY: usize = 16;

fn fill(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), DemoError> {
    let deliveries = history::deliveries();
    let now = Arc::new(Mutex::new(deliveries.first().expect("the history is not empty").at));
    let (mut ledger, _) =
        Ledger::open(path, Access::CreateIfAbsent, simulated(Arc::clone(&now)), &mut |_| {})?;
    let mut tickets = VecDeque::new();
    let delivered_by: Source = "generated/demo".parse().expect("a source");
    for delivery in deliveries {
        *now.lock().expect("only this thread sets it") = delivery.at;
        let id = ledger.new_delivery();
        let mut batch = ledger.batch(id, &delivered_by);
        for (source, command) in &delivery.offers {
            let identity = Identity { source: source.clone(), id: None };
            match batch.offer(&identity, None, command)? {
                Ok(Offered::Recorded(_)) => {}
                Ok(Offered::Known(position)) => unreachable!("the demo says nothing twice, but {position}"),
                Err(refusal) => return Err(DemoError::Refused { refusal }),
            }
        }
        // Deciding about the next delivery goes on while this one is written.
        tickets.push_back(batch.submit()?);
        if tickets.len() > UNDER_WAY
            && let Some(first) = tickets.pop_front()
        {
            first.wait()?;
        }
        progress(ledger.size().0);
    }
    tickets.into_iter().try_for_each(|ticket| ticket.wait().map(|_| ()))?;
    Ok(ledger.close()?)
}

/// A clock that somebody else sets, and identities from a fixed seed.
fn simulated(now: Arc<Mutex<RecordedAt>>) -> Outside {
    let mut random = fastrand::Rng::with_seed(history::SEED ^ 1);
    let ids = move |at: RecordedAt| {
        let mut bytes = [0; 10];
        random.fill(&mut bytes);
        Builder::from_unix_timestamp_millis(at.millis().unsigned_abs(), &bytes).into_uuid()
    };
    Outside { clock: Box::new(move || *now.lock().expect("only one thread sets it")), ids: Box::new(ids) }
}
