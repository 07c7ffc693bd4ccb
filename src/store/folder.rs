//! The ledger's directory: who may use it, what lies where in it, and how things in it are moved aside.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Head;
use super::checkpoint::{self, Stated};
use super::error::StoreError;
use super::note::Note;
use super::snapshot::Snapshot;
use crate::proof::merkle::Tree;

/// What the file FORMAT says, in full. Another format gets another number.
const FORMAT: &str = "peildatum format 1\n";
/// How the names begin of the temporary folders that [`Folder::temporary`] makes.
const TEMPORARY: &str = "copy-of-events-";

/// Whether a ledger may be begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// The ledger must be there: a mistyped directory is an error and not a new, empty ledger.
    #[default]
    MustExist,
    /// A ledger is begun where the directory is absent or empty.
    CreateIfAbsent,
}

/// A ledger's directory, held by this process alone until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// Held by whoever signs: two who sign at once could sign two histories.
    signing: Mutex<()>,
    /// The operating system gives the lock back when this closes, whatever way the process ends.
    _lock: File,
}

impl Folder {
    /// Takes the lock and checks that this is a ledger of a known format; begins one where that is allowed.
    pub fn claim(root: &Path, access: Access) -> Result<Self, StoreError> {
        let absent = || StoreError::NoLedger { dir: root.to_path_buf() };
        match access {
            Access::CreateIfAbsent => {
                fs::create_dir_all(root).map_err(StoreError::io("making", root))?;
                if !is_blank(root)? {
                    format_of(root)?;
                }
            }
            Access::MustExist if is_empty(root)? => return Err(absent()),
            // Looked at before the lock file is made, so that a wrong directory is left as it was.
            Access::MustExist => format_of(root)?,
        }
        let lock = root.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(StoreError::io("opening", &lock))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { dir: root.to_path_buf() });
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io("locking", &lock)(error)),
        }
        let folder = Self { root: root.to_path_buf(), signing: Mutex::new(()), _lock: file };
        if access == Access::CreateIfAbsent && is_blank(root)? {
            folder.begin()?;
        }
        format_of(root)?;
        Ok(folder)
    }

    /// Begins an empty ledger. FORMAT comes last: a crash before it leaves a directory that is still blank, and a crash
    /// after it leaves an empty ledger whose checkpoint says that it is empty on purpose.
    fn begin(&self) -> Result<(), StoreError> {
        let empty = Head { size: 0, root: Tree::new().root() };
        checkpoint::replace(&self.checkpoint(), &empty)?;
        write_format(&self.root)?;
        sync_parent(&self.root)
    }

    /// Refuses when another program has the events open, which holds the lock on this folder only until its file is
    /// deleted. sled locks its own file too, and that one is never missing.
    pub fn check_unused(&self) -> Result<(), StoreError> {
        let Ok(db) = File::open(self.events().join("db")) else {
            return Ok(());
        };
        match db.try_lock() {
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { dir: self.root.clone() }),
            _ => Ok(()),
        }
    }

    /// Removes what a process that was stopped left half-made.
    pub fn sweep(&self) -> Result<Vec<Note>, StoreError> {
        let mut notes = Vec::new();
        for name in names(&self.root)? {
            let path = self.root.join(&name);
            if name.starts_with(TEMPORARY) && path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                fs::remove_dir_all(&path).map_err(StoreError::io("removing", &path))?;
                notes.push(Note::LeftoverRemoved { name });
            }
        }
        Ok(notes)
    }

    /// A folder beside the events that disappears again.
    pub fn temporary(&self) -> Result<tempfile::TempDir, StoreError> {
        tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempdir_in(&self.root)
            .map_err(StoreError::io("making a temporary folder in", &self.root))
    }

    /// Makes the events durable, before they are all that holds an entry. sled syncs not every file that it writes.
    pub fn sync_events(&self) -> Result<(), StoreError> {
        sync_all(&self.events())?;
        sync_dir(&self.root)
    }

    /// Renames the events out of the way, and says to what.
    pub fn set_events_aside(&self) -> Result<Option<String>, StoreError> {
        let events = self.events();
        if events.exists() { set_aside(&events).map(Some) } else { Ok(None) }
    }

    /// Waits until nobody else signs.
    pub fn one_signs(&self) -> MutexGuard<'_, ()> {
        self.signing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub fn events(&self) -> PathBuf {
        self.root.join("events")
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.root.join("snapshot"))
    }

    pub fn checkpoint(&self) -> PathBuf {
        self.root.join("checkpoint")
    }
}

/// Refuses what is not a ledger, or one of another format.
pub(super) fn format_of(root: &Path) -> Result<(), StoreError> {
    let path = root.join("FORMAT");
    match fs::read(&path) {
        Ok(bytes) if bytes == FORMAT.as_bytes() => Ok(()),
        Ok(bytes) => Err(StoreError::OtherFormat {
            dir: root.to_path_buf(),
            // With their newlines: one that is missing is all that may be wrong.
            found: String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned(),
            expected: FORMAT.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(StoreError::NotALedger { dir: root.to_path_buf() })
        }
        Err(error) => Err(StoreError::io("reading", &path)(error)),
    }
}

/// How a file is made that its owner alone can read.
pub(super) fn private() -> fs::OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Refuses where there is no ledger of a known format.
pub(super) fn there_is_a_ledger(dir: &Path) -> Result<(), StoreError> {
    match is_empty(dir)? {
        true => Err(StoreError::NoLedger { dir: dir.to_path_buf() }),
        false => format_of(dir),
    }
}

/// Makes a directory a ledger. Everything else in it must be durable before.
pub(super) fn write_format(root: &Path) -> Result<(), StoreError> {
    let (path, fresh) = (root.join("FORMAT"), root.join("FORMAT.tmp"));
    File::create(&fresh)
        .and_then(|mut file| {
            file.write_all(FORMAT.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, &path))
        .map_err(StoreError::io("writing", &path))?;
    sync_dir(root)
}

/// Whether somebody else than its owner can read a file.
#[cfg(unix)]
pub(super) fn is_readable_by_others(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_readable_by_others(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// The first free `NAME.damaged-N`: the path and the name.
pub(super) fn free_name(path: &Path) -> (PathBuf, String) {
    let name = path.file_name().expect("a name").to_string_lossy();
    let mut number = 1;
    loop {
        let kept_as = format!("{name}.damaged-{number}");
        let aside = path.with_file_name(&kept_as);
        if !aside.exists() {
            return (aside, kept_as);
        }
        number += 1;
    }
}

/// Renames to the first free `NAME.damaged-N` and returns the new name. Evidence is moved, never deleted.
pub(super) fn set_aside(path: &Path) -> Result<String, StoreError> {
    let (aside, kept_as) = free_name(path);
    fs::rename(path, &aside).map_err(StoreError::io("setting aside", path))?;
    sync_dir(path.parent().expect("it lies in a directory"))?;
    Ok(kept_as)
}

/// Makes the names in a directory durable: without it a power cut can take a new file, however well its bytes lie.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::io("syncing", dir))
}

/// Makes a new directory itself durable: without it a power cut can take it with all that is in it.
pub(super) fn sync_parent(dir: &Path) -> Result<(), StoreError> {
    match dir.canonicalize().ok().as_deref().and_then(Path::parent) {
        Some(parent) => sync_dir(parent),
        None => Ok(()),
    }
}

/// Makes a directory durable with all that is in it.
pub(super) fn sync_all(dir: &Path) -> Result<(), StoreError> {
    for name in names(dir)? {
        let path = dir.join(name);
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).map_err(StoreError::io("syncing", &path))?;
        }
    }
    sync_dir(dir)
}

/// The names in a directory, sorted.
pub(super) fn names(dir: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = fs::read_dir(dir)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(StoreError::io("listing", dir))?;
    names.sort();
    Ok(names)
}

/// Whether a directory is absent or holds nothing.
pub(super) fn is_empty(dir: &Path) -> Result<bool, StoreError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(StoreError::io("listing", dir)(error)),
    }
}

/// Whether nothing was ever stored here: no more than the lock and what an interrupted [`begin`](Folder::begin) left.
fn is_blank(root: &Path) -> Result<bool, StoreError> {
    for name in names(root)? {
        match name.as_str() {
            "lock" | "FORMAT.tmp" | "checkpoint.tmp" => {}
            "checkpoint" => match checkpoint::read(&root.join("checkpoint"))? {
                Stated::Head(Head { size: 0, .. }) => {}
                _ => return Ok(false),
            },
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Copies the bytes of a file, and not its mode: what is copied from a read-only place is to be written to. When this
/// returns, they are durable.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    let mut source = File::open(from).map_err(StoreError::io("opening", from))?;
    let mut target = File::create_new(to).map_err(StoreError::io("making", to))?;
    io::copy(&mut source, &mut target).map_err(StoreError::io("copying", from))?;
    target.sync_all().map_err(StoreError::io("syncing", to))
}

/// Copies a directory with all that is in it.
pub(super) fn copy_dir(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(to).map_err(StoreError::io("making", to))?;
    for name in names(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy_dir(&from, &to)?;
        } else {
            copy_file(&from, &to)?;
        }
    }
    Ok(())
}
