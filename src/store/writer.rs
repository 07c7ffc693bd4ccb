//! The one writer: commits what was submitted, in order, and as much of it together as is waiting.
//!
//! A sync to disk takes as long for one entry as for a thousand. While one runs, what many senders submit waits, and
//! goes into the next commit together.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::error::StoreError;
use super::lines::Lines;
use super::{Head, Store};

/// How many submissions may wait. Who submits more waits too.
const QUEUE: usize = 256;
/// How many entries and bytes are committed together at most, but for a single submission that is larger.
const GROUP_ENTRIES: usize = 8_192;
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// A thread that owns the store and writes to it.
#[derive(Debug)]
pub struct Writer {
    queue: Option<SyncSender<Submission>>,
    thread: Option<JoinHandle<Store>>,
}

#[derive(Debug)]
struct Submission {
    first: u64,
    lines: Arc<Lines>,
    segments: Vec<(u64, Vec<u8>)>,
    outcome: Arc<Outcome>,
}

/// What became of a submission; nothing yet, as long as it waits.
#[derive(Debug, Default)]
struct Outcome {
    known: Mutex<Option<Result<Head, StoreError>>>,
    changed: Condvar,
}

/// Stands for lines that were submitted: [`wait`](Self::wait) tells when they are durable.
#[derive(Debug)]
#[must_use = "nothing is durable before it was waited for"]
pub struct Ticket(Arc<Outcome>);

impl Ticket {
    /// Waits until the lines are durable, and gives the head of the ledger right after.
    ///
    /// # Errors
    /// When they could not be written, or something before them. Only opening again tells which of them are there.
    pub fn wait(self) -> Result<Head, StoreError> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match known.take() {
                Some(result) => return result,
                None => known = self.0.changed.wait(known).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Outcome {
    fn set(&self, result: Result<Head, StoreError>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        self.changed.notify_all();
    }
}

/// Whoever waits is told also when the writer itself broke down.
impl Drop for Submission {
    fn drop(&mut self) {
        if Arc::strong_count(&self.outcome) > 1 {
            let known = self.outcome.known.lock().unwrap_or_else(PoisonError::into_inner).is_some();
            if !known {
                self.outcome.set(Err(StoreError::Poisoned));
            }
        }
    }
}

impl Writer {
    /// Gives the store to a thread of its own.
    pub fn start(store: Store) -> Self {
        let (queue, submitted) = sync_channel(QUEUE);
        let thread = thread::spawn(move || write_all(store, &submitted));
        Self { queue: Some(queue), thread: Some(thread) }
    }

    /// Submits lines that are to begin at position `first`, behind all that was submitted before, with the segments of
    /// the snapshot that end in them.
    pub fn submit(&self, first: u64, lines: Arc<Lines>, segments: Vec<(u64, Vec<u8>)>) -> Ticket {
        let outcome = Arc::new(Outcome::default());
        let submission = Submission { first, lines, segments, outcome: Arc::clone(&outcome) };
        // When the writer is gone the submission comes back and says so as it is dropped.
        let queue = self.queue.as_ref().expect("open until it is closed");
        drop(queue.send(submission));
        Ticket(outcome)
    }

    /// Waits for all that was submitted and closes the store.
    ///
    /// # Errors
    /// As [`Store::close`].
    pub fn close(mut self) -> Result<(), StoreError> {
        match self.finish() {
            Some(Ok(store)) => store.close(),
            _ => Err(StoreError::Poisoned),
        }
    }

    fn finish(&mut self) -> Option<thread::Result<Store>> {
        self.queue = None;
        self.thread.take().map(JoinHandle::join)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without an answer that anybody could be given: a writer that broke down has poisoned the store.
        drop(self.finish());
    }
}

fn write_all(mut store: Store, submitted: &Receiver<Submission>) -> Store {
    let mut next = submitted.recv().ok();
    while let Some(first) = next.take() {
        let mut group = vec![first];
        let (mut entries, mut bytes) = (group[0].lines.len(), group[0].lines.byte_len());
        while let Ok(more) = submitted.try_recv() {
            entries += more.lines.len();
            bytes += more.lines.byte_len();
            if entries > GROUP_ENTRIES || bytes > GROUP_BYTES {
                next = Some(more);
                break;
            }
            group.push(more);
        }
        commit(&mut store, group);
        if next.is_none() {
            next = submitted.recv().ok();
        }
    }
    store
}

/// Writes submissions as one commit and tells each what became of it.
fn commit(store: &mut Store, group: Vec<Submission>) {
    let first = group[0].first;
    let result = match &group[..] {
        [one] => store.append(first, &one.lines),
        _ => {
            let mut all = Lines::new();
            group.iter().for_each(|submission| all.append(&submission.lines));
            store.append(first, &all)
        }
    };
    match result {
        Ok(head) => {
            group.iter().for_each(|submission| submission.outcome.set(Ok(head)));
            let segments = group.iter().flat_map(|submission| &submission.segments);
            segments.for_each(|(size, short)| store.keep_segment(*size, short));
        }
        Err(error) => {
            // The first is told why. The others, and all that comes later, that the writer has stopped.
            store.give_up();
            group[0].outcome.set(Err(error));
        }
    }
}
