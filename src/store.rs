//! The store: the only room that touches files and names sled.
//!
//! It knows entries as lines of bytes, numbered from 0, and keeps each of them twice: in the journal, which is what
//! makes a commit durable and what a backup copies, and in the events (sled), where any position is found at once.
//! A small checkpoint says how many entries were acknowledged, and their root. Opening holds the three against each
//! other: what is behind is healed from the other copy, with a note, and what disagrees is refused. An empty or short
//! ledger is never served as if it were the whole.
//!
//! The seam is narrow on purpose (append at an expected size, read from a position, head), so that a ledger can one
//! day lie elsewhere. `docs/log-format.md` describes the bytes on disk.

mod audit;
mod backup;
mod checkpoint;
mod commit;
mod drawer;
mod error;
mod events;
mod folder;
mod frame;
mod journal;
pub mod kept;
mod lines;
pub mod links;
mod note;
mod open;
mod past;
mod reader;
mod repair;
mod roots;
mod signing;
mod snapshot;
mod spool;
mod subtrees;
mod tokens;
mod verify;
mod watched;
mod writer;

use std::path::Path;

pub use audit::{
    AuditChain, AuditLine, AuditRecord, AuditResult, AuditTicket, NotRecorded, Trail, read_audit,
    verify_audit,
};
pub use backup::{backup, restore};
pub use drawer::Drawer;
pub use error::{Remedy, StoreError};
pub use folder::Access;
pub use lines::Lines;
pub use note::Note;
pub use reader::Reader;
pub use repair::repair;
pub use signing::{
    SigningError, add_witness, read_private, read_secret, remove_witness, verifier_key, with_cosignatures,
    witnesses,
};
pub use snapshot::SEGMENT;
pub use spool::Spool;
pub use subtrees::{Proven, Subtrees};
pub use tokens::{
    Secret, Token, TokenError, Tokens, create_token, is_secret, list_tokens, revoke_token, without_secrets,
};
pub use verify::{Finding, OfJournal, Place, Verification, root_of_journal, verify};
pub use watched::{Seen, Watched};
pub use writer::{Ticket, Writer};

use commit::Commit;
use events::Events;
use folder::Folder;
use frame::{Encoder, MAX_LINE};
use journal::Journal;

use crate::proof::merkle::{Hash, Tree};

/// Receives entries in order: the position and the line, without its newline. An error stops the reading.
pub type Visit<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<(), String>;

/// What is made of the entries while they are read: the memory of whoever opens the ledger.
pub trait Fold {
    /// Whether it keeps a snapshot.
    fn keeps_snapshot(&self) -> bool;

    /// Takes up the snapshot, which `next` hands out segment by segment, in the short form that
    /// [`entry`](Self::entry) gave.
    ///
    /// # Errors
    /// When a segment does not decode. Then [`restart`](Self::restart) is called.
    fn segments(&mut self, next: &mut dyn FnMut() -> Option<Vec<u8>>) -> Result<(), String>;

    /// Forgets everything: what was taken up is not the ledger.
    fn restart(&mut self);

    /// Takes up the next entry. After every [`SEGMENT`] of them it may give these in short.
    ///
    /// # Errors
    /// When it is no entry, which stops the opening.
    fn entry(&mut self, position: u64, line: &[u8]) -> Result<Option<Vec<u8>>, String>;
}

/// Visits every entry and keeps no snapshot.
struct Visiting<'a>(Visit<'a>);

impl Fold for Visiting<'_> {
    fn keeps_snapshot(&self) -> bool {
        false
    }

    fn segments(&mut self, _: &mut dyn FnMut() -> Option<Vec<u8>>) -> Result<(), String> {
        unreachable!("it keeps none")
    }

    fn restart(&mut self) {
        unreachable!("without a snapshot there is one way only")
    }

    fn entry(&mut self, position: u64, line: &[u8]) -> Result<Option<Vec<u8>>, String> {
        (self.0)(position, line).map(|()| None)
    }
}

/// Where the ledger ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are; the next one gets this position.
    pub size: u64,
    /// The Merkle root over all of them.
    pub root: Hash,
}

impl Head {
    /// The head of a ledger without entries.
    fn empty() -> Self {
        Self::of(&Tree::new())
    }

    fn of(tree: &Tree) -> Self {
        Self { size: tree.size(), root: tree.root() }
    }
}

/// How to open a ledger.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether a ledger may be begun.
    pub access: Access,
    /// How large a journal file grows before the next one is begun.
    pub journal_file_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { access: Access::default(), journal_file_bytes: 64 * 1024 * 1024 }
    }
}

/// A ledger that was opened, and what had to be done for it.
#[derive(Debug)]
pub struct Opened {
    /// The open ledger.
    pub store: Store,
    /// Everything that was healed or cut off, to be shown to whoever runs the program.
    pub notes: Vec<Note>,
}

/// An open ledger. One at a time holds the directory; dropping it without [`close`](Self::close) is safe.
pub struct Store {
    journal: Journal,
    events: Events,
    tree: Tree,
    encoder: Encoder,
    commit: Commit,
    // Last, since it holds the folder's lock.
    reader: Reader,
}

impl Store {
    /// Opens a ledger, and visits every entry in order while it is read.
    ///
    /// When this fails, what was visited is not the ledger and must be thrown away.
    ///
    /// # Errors
    /// When another process has the ledger, when there is none, and when what is on disk cannot be proven to hold every
    /// acknowledged entry. The error says which command repairs it.
    pub fn open(dir: &Path, options: &Options, visit: Visit<'_>) -> Result<Opened, StoreError> {
        Self::open_with(dir, options, &mut Visiting(visit))
    }

    /// Opens a ledger, and folds its entries in order: from the snapshot where it can, and from the journal behind it.
    ///
    /// # Errors
    /// As for [`open`](Self::open). Then what was folded must be thrown away.
    pub fn open_with(dir: &Path, options: &Options, fold: &mut dyn Fold) -> Result<Opened, StoreError> {
        let folder = Folder::claim(dir, options.access)?;
        let mut opened = open::open(folder, options, fold)?;
        // It is whole by itself, so it is served; but whoever adds to it has to know.
        let size = opened.store.head().size;
        if let Ok(Some(Head { size: signed, .. })) = signing::last_signed_head(dir)
            && signed > size
        {
            opened.notes.push(Note::ShorterThanSigned { size, signed });
        }
        Ok(opened)
    }

    /// Where the ledger ends.
    pub fn head(&self) -> Head {
        self.reader.head()
    }

    /// Reads what is durable, also while this store is written to elsewhere.
    pub fn reader(&self) -> Reader {
        self.reader.another()
    }

    /// Appends lines as one commit: after a crash either all of them are there or none. When this returns, they are
    /// durable.
    ///
    /// # Errors
    /// When the ledger has another size than the caller expected, or a line is too long, nothing happens. After any
    /// other error the handle refuses all further work, since only opening again can tell whether the commit is there.
    pub fn append(&mut self, expected_size: u64, lines: &Lines) -> Result<Head, StoreError> {
        self.usable()?;
        let size = self.head().size;
        if expected_size != size {
            return Err(StoreError::WrongSize { expected: expected_size, size });
        }
        if let Some((index, length)) = lines.longer_than(MAX_LINE) {
            return Err(StoreError::LineTooLong { index, length, limit: MAX_LINE - 1 });
        }
        if !lines.is_empty() {
            self.reader.durable().poison(true);
            self.write(size, lines)?;
            self.reader.durable().poison(false);
        }
        Ok(self.head())
    }

    fn write(&mut self, first: u64, lines: &Lines) -> Result<(), StoreError> {
        let mut blocks = Vec::new();
        self.commit.fill(lines, &mut self.tree, &mut blocks, &mut self.encoder);
        // A crash from here on until the journal returns: the commit is cut off, or kept when it is all there.
        self.journal.write(first, self.commit.bytes())?;
        // A crash here: the journal has the commit, the checkpoint does not say so yet. Opening keeps it.
        let head = Head::of(&self.tree);
        checkpoint::advance(&self.reader.folder().checkpoint(), &head)?;
        // A crash here: the events lack the commit. Opening adds it from the journal.
        for (frame, raw) in self.commit.frames(lines) {
            self.events.put(&mut self.encoder, &frame, raw)?;
        }
        self.events.apply()?;
        assert_eq!(self.events.head(), head, "both copies end alike");
        self.reader.durable().advance(head, &blocks);
        Ok(())
    }

    /// Visits the entries from position `from` up to, not including, `to`.
    ///
    /// # Errors
    /// When the ledger does not reach that far, when the visitor stops, and when an entry can no longer be read: then
    /// the error names the place and `peildatum verify`.
    pub fn read(&self, from: u64, to: u64, visit: Visit<'_>) -> Result<(), StoreError> {
        self.usable()?;
        self.reader.read(from, to, visit)
    }

    /// The line at a position.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn get(&self, position: u64) -> Result<Vec<u8>, StoreError> {
        self.usable()?;
        self.reader.get(position)
    }

    /// The root over the first `size` entries, as it was when there were no more.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn root_at(&self, size: u64) -> Result<Hash, StoreError> {
        self.usable()?;
        self.reader.root_at(size)
    }

    /// Closes the ledger so that the next opening has nothing to heal, not even after a power cut.
    ///
    /// # Errors
    /// When the operating system refuses. No entry is lost by that: all were durable before.
    pub fn close(self) -> Result<(), StoreError> {
        self.usable()?;
        self.events.database().flush()?;
        checkpoint::replace(&self.reader.folder().checkpoint(), &self.head())
    }

    /// Keeps a segment of the snapshot that ends at a size. All entries up to there are durable.
    ///
    /// When it cannot be written, the next opening takes longer, and nothing else.
    fn keep_segment(&self, size: u64, short: &[u8]) {
        let _ =
            self.reader.durable().with_past(|past| self.reader.folder().snapshot().write(size, past, short));
    }

    /// Refuses all further work: what follows was decided as if something had been written that was not.
    fn give_up(&self) {
        self.reader.durable().poison(true);
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.reader.durable().is_poisoned() { Err(StoreError::Poisoned) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("reader", &self.reader).finish_non_exhaustive()
    }
}
