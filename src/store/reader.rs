//! Reading what is durable, while the one writer adds to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::Head;
use super::Visit;
use super::error::StoreError;
use super::events::Database;
use super::folder::Folder;
use super::lines::Lines;
use super::past::Past;
use super::subtrees::Subtrees;
use crate::proof::merkle::{Hash, Tree, leaf_hash};

/// What of a ledger can be read at any moment: all that was acknowledged.
pub struct Reader {
    database: Arc<Database>,
    durable: Arc<Durable>,
    /// The frame that was read last. Who asks for one entry often asks for its neighbour next.
    near: Mutex<Near>,
    // Last, so that the lock goes when all else is closed.
    folder: Arc<Folder>,
}

/// Up to where entries are durable, as the writer says and everybody may read.
pub(super) struct Durable {
    end: RwLock<(Head, Past)>,
    /// Set while a commit is written, and for good when it fails: what is on disk is then unknown until it is read.
    poisoned: AtomicBool,
}

/// A frame: the position of its first line, and its lines.
#[derive(Default)]
struct Near {
    first: u64,
    lines: Lines,
}

impl Durable {
    pub fn new(tree: &Tree, past: Past) -> Self {
        Self { end: RwLock::new((Head::of(tree), past)), poisoned: AtomicBool::new(false) }
    }

    pub fn head(&self) -> Head {
        self.end.read().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Notes that all entries up to a head are durable, with the roots of the blocks that came with them.
    pub fn advance(&self, head: Head, blocks: &[Hash]) {
        let mut end = self.end.write().unwrap_or_else(PoisonError::into_inner);
        end.0 = head;
        end.1.extend(blocks);
    }

    /// The tree of all full blocks within a size.
    pub fn before(&self, size: u64) -> Tree {
        self.with_past(|past| past.before(size))
    }

    /// Looks at what is kept of the tree.
    pub fn with_past<T>(&self, look: impl FnOnce(&Past) -> T) -> T {
        look(&self.end.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    pub fn poison(&self, poisoned: bool) {
        self.poisoned.store(poisoned, Ordering::SeqCst);
    }

    pub fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::SeqCst)
    }
}

impl Reader {
    pub(super) fn new(database: Arc<Database>, durable: Arc<Durable>, folder: Arc<Folder>) -> Self {
        Self { database, durable, near: Mutex::default(), folder }
    }

    /// Another reader of the same ledger.
    pub fn another(&self) -> Self {
        Self::new(Arc::clone(&self.database), Arc::clone(&self.durable), Arc::clone(&self.folder))
    }

    pub(super) fn durable(&self) -> &Durable {
        &self.durable
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Up to where entries are durable.
    pub fn head(&self) -> Head {
        self.durable.head()
    }

    /// Visits the entries from position `from` up to, not including, `to`.
    ///
    /// # Errors
    /// When the ledger does not reach that far, when the visitor stops, and when an entry can no longer be read: then
    /// the error names the place and `peildatum verify`.
    pub fn read(&self, from: u64, to: u64, visit: Visit<'_>) -> Result<(), StoreError> {
        let size = self.head().size;
        if to > size || from > to {
            return Err(StoreError::OutOfRange { position: from.max(to), size });
        }
        self.database.read(from, to, visit)
    }

    /// The line at a position.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn get(&self, position: u64) -> Result<Vec<u8>, StoreError> {
        let size = self.head().size;
        if position >= size {
            return Err(StoreError::OutOfRange { position, size });
        }
        let mut near = self.near.lock().unwrap_or_else(PoisonError::into_inner);
        if near.line(position).is_none() {
            let (first, lines) = self.database.frame_of(position)?;
            *near = Near { first, lines };
        }
        Ok(near.line(position).expect("the frame holds it").to_vec())
    }

    /// The tree over the first `size` entries, for proofs.
    ///
    /// # Errors
    /// When there are not so many, or one cannot be read.
    pub fn subtrees(&self, size: u64) -> Result<Subtrees<'_>, StoreError> {
        Subtrees::new(self, size)
    }

    /// The root over the first `size` entries, as it was when there were no more.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn root_at(&self, size: u64) -> Result<Hash, StoreError> {
        let head = self.head();
        if size == head.size {
            return Ok(head.root);
        }
        let mut tree = self.durable.before(size);
        self.read(tree.size(), size, &mut |_, line| {
            tree.push(leaf_hash(line));
            Ok(())
        })?;
        Ok(tree.root())
    }
}

impl Near {
    fn line(&self, position: u64) -> Option<&[u8]> {
        self.lines.get(usize::try_from(position.checked_sub(self.first)?).ok()?)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("folder", &self.folder)
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}
