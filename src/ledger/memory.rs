//! The memory of a ledger: everything that is folded out of the entries.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::short::{Gathered, Item, Segment};
use crate::book::Book;
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
    pub book: Book,
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
        self.state.apply(entry);
        self.book.apply(entry);
        self.remember(self.size, entry.recorded_at);
        self.size += 1;
        self.gathered.push(entry, line)
    }

    /// Notes when an entry was recorded, if that is another moment than that of the one before.
    fn remember(&mut self, position: u64, at: RecordedAt) {
        if self.moments.last().is_none_or(|(_, last)| *last != at) {
            self.moments.push((position, at));
        }
    }
}

/// The memory while a ledger is opened.
pub(super) struct Opening<'a> {
    pub memory: Memory,
    /// Gets the number of entries that were taken up so far.
    pub progress: &'a mut dyn FnMut(u64),
}

impl Fold for Opening<'_> {
    fn keeps_snapshot(&self) -> bool {
        true
    }

    fn segments(&mut self, next: &mut dyn FnMut() -> Option<Vec<u8>>) -> Result<(), String> {
        let Self { memory, progress } = self;
        // State and book do not know of one another, so each is folded on a core of its own.
        thread::scope(|scope| {
            let (to_state, from) = sync_channel(4);
            let state = &mut memory.state;
            scope.spawn(move || fold_state(state, &from));
            let (to_book, from) = sync_channel(4);
            let book = &mut memory.book;
            scope.spawn(move || fold_book(book, &from));
            while let Some(bytes) = next() {
                let segment = Arc::new(Segment::read(memory.size, &bytes)?);
                for (position, at) in &segment.moments {
                    if memory.moments.last().is_none_or(|(_, last)| last != at) {
                        memory.moments.push((*position, *at));
                    }
                }
                memory.size += SEGMENT;
                to_state.send(Arc::clone(&segment)).expect("it takes all there are");
                to_book.send(segment).expect("it takes all there are");
                progress(memory.size);
            }
            Ok(())
        })
    }

    fn restart(&mut self) {
        self.memory = Memory::default();
    }

    fn entry(&mut self, position: u64, line: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let entry = Entry::decode(line).map_err(|fault| fault.to_string())?;
        if entry.position.0 != position {
            return Err("names another position than the one at which it stands".to_owned());
        }
        let segment = self.memory.apply(&entry, line);
        if self.memory.size.is_multiple_of(1 << 12) {
            (self.progress)(self.memory.size);
        }
        Ok(segment)
    }
}

fn fold_state(state: &mut State, segments: &Receiver<Arc<Segment>>) {
    for segment in segments {
        for item in &segment.items {
            match item {
                Item::Placement(position, keys, _) => state.place(*position, *keys),
                Item::Whole(entry) => state.apply(entry),
            }
        }
    }
}

fn fold_book(book: &mut Book, segments: &Receiver<Arc<Segment>>) {
    for segment in segments {
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
}
