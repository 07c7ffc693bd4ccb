//! A ledger of known lines, to be broken by the tests beside this one, and the oracle that they share: opening gives
//! exactly the lines that were acknowledged, or an error that names a remedy.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::folders::{contents, copy_dir};
use peildatum::proof::merkle::{Hash, Tree, leaf_hash};
use peildatum::store::{Access, Lines, Note, Opened, Options, Store, StoreError};
use tempfile::TempDir;

/// Journal files so small that a test has several of them.
pub fn options() -> Options {
    Options { access: Access::CreateIfAbsent, journal_file_bytes: 2_000 }
}

/// A ledger in a temporary directory, closed, with all that was ever acknowledged to it.
pub struct Ledger {
    pub folder: TempDir,
    pub lines: Vec<Vec<u8>>,
    /// Over the same lines.
    pub tree: Tree,
}

impl Ledger {
    /// A ledger with a commit of each of these sizes.
    pub fn new(commits: &[usize]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Self { folder, lines: Vec::new(), tree: Tree::new() };
        let mut store = open(&ledger.dir(), &options()).unwrap().store;
        for size in commits {
            ledger.append(&mut store, *size);
        }
        store.close().unwrap();
        ledger
    }

    /// Some thirty commits, small and large, over several journal files.
    pub fn usual() -> Self {
        let commits: Vec<usize> = (0..30).map(|at| [1, 3, 1, 40, 7][at % 5]).collect();
        Self::new(&commits)
    }

    pub fn append(&mut self, store: &mut Store, count: usize) {
        let size = self.lines.len();
        self.lines.extend((size..size + count).map(line));
        let lines: Lines = self.lines[size..].iter().collect();
        self.lines[size..].iter().for_each(|line| self.tree.push(leaf_hash(line)));
        let head = store.append(size as u64, &lines).unwrap();
        assert_eq!((head.size, head.root), (self.tree.size(), self.tree.root()));
    }

    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// The same files in another directory, to be broken in another way.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_dir(&self.dir(), &folder.path().join("ledger"));
        Self { folder, lines: self.lines.clone(), tree: self.tree.clone() }
    }

    /// The journal's files, in order.
    pub fn journal_files(&self) -> Vec<PathBuf> {
        let files = contents(&self.dir().join("journal")).into_keys();
        files.filter(|path| path.extension().is_some_and(|end| end == "journal")).collect()
    }

    /// Opens, and holds all that can be read against what was acknowledged.
    pub fn check_whole(&self) -> Vec<Note> {
        let opened = open(&self.dir(), &existing()).unwrap_or_else(|error| panic!("{error}"));
        self.check(opened)
    }

    fn check(&self, opened: Opened) -> Vec<Note> {
        let store = opened.store;
        // `open` below compared the head with the root over what was visited.
        let size = self.lines.len() as u64;
        assert_eq!(store.head().size, size);
        assert!(read(&store, 0, size) == self.lines, "other lines are read back");
        store.close().unwrap();
        opened.notes
    }

    /// Opens with a note or more, and finds nothing more to say when opened again.
    pub fn check_healed(&self) -> Vec<Note> {
        let notes = self.check_whole();
        assert!(!notes.is_empty(), "healed without a word");
        assert_eq!(self.check_whole(), []);
        notes
    }

    /// What opening refuses with.
    pub fn refusal(&self) -> StoreError {
        open(&self.dir(), &existing()).map(|opened| opened.notes).expect_err("opened")
    }
}

pub fn existing() -> Options {
    Options { access: Access::MustExist, ..options() }
}

/// Opens a ledger and checks that the visited entries are those that it then says it has.
pub fn open(dir: &Path, options: &Options) -> Result<Opened, StoreError> {
    let mut visited = Vec::new();
    let opened = Store::open(dir, options, &mut |position, line| {
        assert_eq!(position, visited.len() as u64, "visited in order, each once");
        visited.push(line.to_vec());
        Ok(())
    })?;
    let head = opened.store.head();
    assert_eq!((head.size, head.root), (visited.len() as u64, root(&visited)));
    Ok(opened)
}

pub fn read(store: &Store, from: u64, to: u64) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut next = from;
    store
        .read(from, to, &mut |position, line| {
            assert_eq!(position, next);
            next += 1;
            lines.push(line.to_vec());
            Ok(())
        })
        .unwrap();
    lines
}

/// A line as entries look: much alike, and with a part that no compression guesses.
pub fn line(position: usize) -> Vec<u8> {
    let id = leaf_hash(&position.to_be_bytes());
    format!("{{\"event\":\"placement-recorded\",\"position\":{position},\"id\":\"{id}\"}}").into_bytes()
}

pub fn root(lines: &[Vec<u8>]) -> Hash {
    let mut tree = Tree::new();
    lines.iter().for_each(|line| tree.push(leaf_hash(line)));
    tree.root()
}

/// The frames of a journal file, cut apart as `docs/log-format.md` says.
pub fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut frames, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let payload = u32::from_be_bytes(rest[24..28].try_into().unwrap()) as usize;
        let (frame, others) = rest.split_at(64 + payload);
        frames.push(frame.to_vec());
        rest = others;
    }
    frames
}

/// Closes a sled that a test opened. Its threads let go of its files a moment after the handle has gone.
pub fn close(db: sled::Db, dir: &Path) {
    drop(db);
    File::open(dir.join("db")).unwrap().lock().unwrap();
}
