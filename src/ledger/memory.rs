//! The memory of a ledger: everything that is folded out of the entries.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::short::{Gathered, Item, Segment};
use crate::book::Book;
use crate::decide::seen::PlacementKeys;
use crate::decide::state::State;
use crate::domain::event::Entry;
use crate::domain::time::RecordedAt;
use crate::store::{Fold, SEGMENT};

/// State, book and moments, in step with one another.
#[derive(Default)]
pub(super) struct Memory {
    /// What decisions need.
    pub state: State,
    /// What statements are made of.
    pub book: Book<'static>,
    /// Where each moment of recording begins: one item a commit, not one an entry.
    pub moments: Vec<(u64, RecordedAt)>,
    /// How many entries were taken up.
    pub size: u64,
    /// The entries since the last segment of the snapshot, in short.
    gathered: Gathered,
}

impl Memory {
    /// Takes up the next entry. Gives a segment of the snapshot where this one completes it.
    pub fn apply(&mut self, entry: &Entry, line: &[u8]) -> Option<Vec<u8>> {
        let keys = PlacementKeys::of(entry);
        match keys {
            Some(keys) => self.state.place(entry.position, keys),
            None => self.state.apply(entry),
        }
        self.book.apply(entry);
        remember(&mut self.moments, self.size, entry.recorded_at);
        self.size += 1;
        self.gathered.push(entry, keys, line)
    }
}

/// Notes when an entry was recorded, if that is another moment than that of the one before.
pub(super) fn remember(moments: &mut Vec<(u64, RecordedAt)>, position: u64, at: RecordedAt) {
    if moments.last().is_none_or(|(_, last)| *last != at) {
        moments.push((position, at));
    }
}

/// The memory while a ledger is opened.
///
/// Whatever comes from a segment or from the journal is folded in short. State and book do not know of one another, so
/// each is folded by a thread of its own.
pub(super) struct Opening<'a> {
    state: Folding<State>,
    book: Folding<Book<'static>>,
    moments: Vec<(u64, RecordedAt)>,
    /// How many entries were handed to the two.
    folded: u64,
    /// The entries behind those.
    gathered: Gathered,
    /// Gets the number of entries that were taken up so far.
    progress: &'a mut dyn FnMut(u64),
}

/// A thread that folds segments into something.
struct Folding<T> {
    segments: SyncSender<Arc<Segment>>,
    thread: JoinHandle<T>,
}

impl<T: Default + Send + 'static> Folding<T> {
    fn start(fold: fn(&mut T, &Segment), finish: fn(&mut T)) -> Self {
        let (segments, received): (_, Receiver<Arc<Segment>>) = sync_channel(1);
        let thread = thread::spawn(move || {
            let mut folded = T::default();
            received.iter().for_each(|segment| fold(&mut folded, &segment));
            finish(&mut folded);
            folded
        });
        Self { segments, thread }
    }

    fn take(&self, segment: Arc<Segment>) {
        self.segments.send(segment).expect("it takes all there are");
    }

    fn finish(self) -> T {
        drop(self.segments);
        self.thread.join().expect("folding does not panic")
    }
}

impl<'a> Opening<'a> {
    /// Nothing was taken up yet.
    pub fn new(progress: &'a mut dyn FnMut(u64)) -> Self {
        let (state, book) = foldings();
        Self { state, book, moments: Vec::new(), folded: 0, gathered: Gathered::default(), progress }
    }

    /// The memory of all that was taken up.
    pub fn finish(mut self) -> Memory {
        let last = self.gathered.bytes();
        let count = self.gathered.count();
        self.fold(count, &last).expect("what was gathered here decodes");
        let (state, book) = (self.state.finish(), self.book.finish());
        Memory { state, book, moments: self.moments, size: self.folded, gathered: self.gathered }
    }

    fn fold(&mut self, count: u64, short: &[u8]) -> Result<(), String> {
        let segment = Arc::new(Segment::read(self.folded, count, short)?);
        segment.moments.iter().for_each(|(position, at)| remember(&mut self.moments, *position, *at));
        self.state.take(Arc::clone(&segment));
        self.book.take(segment);
        self.folded += count;
        Ok(())
    }
}

impl Fold for Opening<'_> {
    fn keeps_snapshot(&self) -> bool {
        true
    }

    fn segments(&mut self, next: &mut dyn FnMut() -> Option<Vec<u8>>) -> Result<(), String> {
        while let Some(short) = next() {
            self.fold(SEGMENT, &short)?;
            (self.progress)(self.folded);
        }
        Ok(())
    }

    fn restart(&mut self) {
        (self.state, self.book) = foldings();
        (self.moments, self.folded, self.gathered) = (Vec::new(), 0, Gathered::default());
    }

    fn entry(&mut self, position: u64, line: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let entry = Entry::decode(line).map_err(|fault| fault.to_string())?;
        if entry.position.0 != position {
            return Err("names another position than the one at which it stands".to_owned());
        }
        let short = self.gathered.push(&entry, PlacementKeys::of(&entry), line);
        if let Some(short) = &short {
            self.fold(SEGMENT, short)?;
        }
        if (position + 1).is_multiple_of(1 << 12) {
            (self.progress)(position + 1);
        }
        Ok(short)
    }
}

/// The two threads, with nothing folded yet.
fn foldings() -> (Folding<State>, Folding<Book<'static>>) {
    (Folding::start(fold_state, State::settle), Folding::start(fold_book, |_| {}))
}

fn fold_state(state: &mut State, segment: &Segment) {
    for item in &segment.items {
        match item {
            Item::Placement(position, keys, _) => state.gather(*position, *keys),
            Item::Whole(entry) => state.apply(entry),
        }
    }
}

fn fold_book(book: &mut Book, segment: &Segment) {
    if let Some(position) = segment.generated {
        book.generated(position);
    }
    for item in &segment.items {
        match item {
            Item::Placement(position, _, housed) => book.place(*position, *housed),
            Item::Whole(entry) => book.apply(entry),
        }
    }
}
