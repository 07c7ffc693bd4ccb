//! The events: the same frames as in the journal, in sled, where any position is found without reading all.
//!
//! sled is never trusted alone. It may open empty after damage, may panic, and forgets its last half second when the
//! process is killed. So every frame is checked again when it is read, a panic is an answer like any other, and
//! `open` holds its end against the journal and the checkpoint before anything is served.

mod copy;
mod database;
mod tail;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use copy::{Copy, Survey};
pub(super) use database::Database;
use database::parse;
use tail::Tail;

use super::Head;
use super::error::{Remedy, StoreError};
use super::folder::names;
use super::frame::{Decoder, Encoder, FULL, Frame, FrameFault, Header};
use super::note::Note;

/// The most keys in a batch: sled needs memory out of proportion for larger ones.
const MAX_BATCH: usize = 1_000;
/// The most bytes that wait for a batch while the events are built again.
const MAX_PENDING: usize = 8 * 1024 * 1024;

/// What is wrong with the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub what: String,
    /// The key, where there is one.
    pub key: Option<u64>,
    /// Set when this is no damage: the operating system refused, and may not when it is asked again.
    pub refused: Option<Refused>,
}

/// What the operating system refused to sled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    doing: &'static str,
    dir: PathBuf,
    kind: io::ErrorKind,
    why: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.key {
            Some(key) => write!(f, "the events are damaged at key {key}: {}", self.what),
            None => write!(f, "the events are damaged: {}", self.what),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault.refused {
            Some(Refused { doing, dir, kind, why }) => Self::io(doing, &dir)(io::Error::new(kind, why)),
            None => Self::Damaged { detail: fault.to_string(), remedy: Remedy::Verify },
        }
    }
}

impl Fault {
    fn at(key: u64, what: &FrameFault) -> Self {
        Self { what: what.to_string(), key: Some(key), refused: None }
    }

    fn whole(what: impl Into<String>) -> Self {
        Self { what: what.into(), key: None, refused: None }
    }

    fn missing(what: &str, key: u64) -> Self {
        Self { what: what.to_owned(), key: Some(key), refused: None }
    }

    /// What sled answered to being `doing`: opened, read or written.
    fn of_sled(doing: &'static str, dir: &Path, error: &sled::Error) -> Self {
        let refused = match error {
            sled::Error::Io(error) if is_refusal(error) => Some(Refused {
                doing: match doing {
                    "opened" => "opening",
                    "read" => "reading",
                    _ => "writing",
                },
                dir: dir.to_path_buf(),
                kind: error.kind(),
                why: error.to_string(),
            }),
            _ => None,
        };
        Self { refused, ..Self::whole(format!("they could not be {doing}: {error}")) }
    }

    /// Passes on what is damage, and makes an error of what is not.
    fn damage(self) -> Result<Self, StoreError> {
        if self.refused.is_some() { Err(self.into()) } else { Ok(self) }
    }
}

/// Whether an error says something about the machine and nothing about the bytes in the files.
fn is_refusal(error: &io::Error) -> bool {
    /// As Linux numbers them: an error on the device, and too many open files in the system or in the process.
    const DEVICE_OR_TOO_MANY_FILES: [i32; 3] = [5, 23, 24];
    let kinds = [
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::StorageFull,
        io::ErrorKind::WouldBlock,
        io::ErrorKind::ReadOnlyFilesystem,
    ];
    kinds.contains(&error.kind())
        || error.raw_os_error().is_some_and(|raw| DEVICE_OR_TOO_MANY_FILES.contains(&raw))
        // sled makes an error of its own of a lock that is held.
        || error.to_string().contains("could not acquire lock")
}

/// The open event store.
pub(super) struct Events {
    database: Arc<Database>,
    /// The small frames at the end that are yet to be packed into one.
    tail: Tail,
    /// What the next batch writes: a frame for a key, or nothing where a frame was packed into another.
    pending: BTreeMap<u64, Option<Vec<u8>>>,
    pending_bytes: usize,
    head: Head,
}

impl Events {
    /// Opens the events in place and checks that their frames are whole and follow one another.
    ///
    /// Every value from position `from` on is read, since sled has no walk over keys alone; the lines inside are not
    /// decompressed. What lies before is checked when it is asked for. Opening rewrites what sled itself finds damaged,
    /// so whoever has no other copy opens a [`Copy`].
    pub fn open(dir: &Path, from: u64, notes: &mut Vec<Note>) -> Result<Result<Self, Fault>, StoreError> {
        if dir.is_dir() {
            for name in names(dir)? {
                // A crash while sled wrote a snapshot leaves this, and sled would refuse to open ever after.
                if name.starts_with("snap.") && name.ends_with(".generating") {
                    let path = dir.join(&name);
                    fs::remove_file(&path).map_err(StoreError::io("removing", &path))?;
                    notes.push(Note::LeftoverRemoved { name: format!("events/{name}") });
                }
            }
        }
        let opened = Self::start(dir, Some(500)).and_then(|mut events| {
            events.find_end(from)?;
            Ok(events)
        });
        match opened {
            Ok(events) => Ok(Ok(events)),
            Err(fault) => fault.damage().map(Err),
        }
    }

    fn start(dir: &Path, flush_every_ms: Option<u64>) -> Result<Self, Fault> {
        Ok(Self {
            database: Arc::new(Database::open(dir, flush_every_ms)?),
            tail: Tail::default(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            head: Head::empty(),
        })
    }

    /// What holds the frames, to be read by others while this one adds to it.
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// Size and root after the last frame, as that frame states them.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Finds the head and the tail that is yet to be packed.
    fn find_end(&mut self, from: u64) -> Result<(), Fault> {
        let (mut head, mut tail) = (Head::empty(), Vec::<Header>::new());
        self.database.walk(from, &mut |frame| {
            if !Tail::fits(&tail, &frame.header) {
                tail.clear();
            }
            tail.push(frame.header.clone());
            head = Head { size: frame.header.end(), root: frame.header.root };
            Ok(())
        })?;
        self.head = head;
        let mut decoder = Decoder::new();
        for header in tail {
            let value = self.database.value(header.first)?;
            let frame = parse(header.first, &value)?;
            let raw = frame.raw(&mut decoder).map_err(|fault| Fault::at(header.first, &fault))?;
            self.tail.push(header, raw);
        }
        self.tail.set_stored();
        Ok(())
    }

    /// Adds a frame to what the next [`apply`](Self::apply) writes.
    pub fn put(&mut self, encoder: &mut Encoder, frame: &Frame<'_>, raw: &[u8]) -> Result<(), StoreError> {
        let header = &frame.header;
        assert_eq!(header.first, self.head.size, "frames follow one another");
        if !Tail::fits(self.tail.frames(), header) {
            self.pack(encoder);
        }
        self.head = Head { size: header.end(), root: header.root };
        self.pend(header.first, Some(frame.bytes.to_vec()));
        self.tail.push(header.clone(), raw);
        // A packed frame and the removal of its parts must go into one batch: there is always room left for that.
        if self.pending.len() + FULL + 1 > MAX_BATCH || self.pending_bytes > MAX_PENDING {
            self.apply()?;
        }
        Ok(())
    }

    /// Replaces the small frames at the end by a single one, and begins a new tail.
    fn pack(&mut self, encoder: &mut Encoder) {
        if let Some(packed) = self.tail.packed(encoder) {
            for (first, stored) in self.tail.parts() {
                if stored {
                    self.pend(first, None);
                } else {
                    self.pending.remove(&first);
                }
            }
            self.pend(self.tail.first(), Some(packed));
        }
        self.tail.clear();
    }

    fn pend(&mut self, key: u64, value: Option<Vec<u8>>) {
        self.pending_bytes += value.as_ref().map_or(0, Vec::len);
        self.pending.insert(key, value);
    }

    /// Writes what was put, all of it or nothing.
    ///
    /// A crash before or after it loses at most what the journal has: the next opening adds that.
    pub fn apply(&mut self) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        assert!(self.pending.len() <= MAX_BATCH);
        for (key, value) in std::mem::take(&mut self.pending) {
            match value {
                Some(bytes) => batch.insert(&key.to_be_bytes(), bytes),
                None => batch.remove(&key.to_be_bytes()),
            }
        }
        self.pending_bytes = 0;
        self.database.apply(batch)?;
        self.tail.set_stored();
        Ok(())
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("head", &self.head).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn failed(error: io::Error) -> (tempfile::TempDir, Events, StoreError) {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::start(&folder.path().join("events"), None).unwrap();
        let fault = events.database.guard("written", || Err::<(), _>(sled::Error::Io(error))).unwrap_err();
        (folder, events, fault.into())
    }

    #[test]
    fn after_an_error_of_sled_nothing_of_it_runs_again_not_even_its_closing() {
        let (folder, events, _) = failed(io::ErrorKind::StorageFull.into());
        assert!(events.database().flush().is_err());
        drop(events);
        // Closed, sled would have given its lock back.
        let db = File::open(folder.path().join("events/db")).unwrap();
        assert!(matches!(db.try_lock(), Err(fs::TryLockError::WouldBlock)));
    }

    #[test]
    fn what_the_machine_refuses_is_no_damage() {
        for error in [
            io::ErrorKind::PermissionDenied.into(),
            io::ErrorKind::StorageFull.into(),
            io::ErrorKind::WouldBlock.into(),
            io::ErrorKind::ReadOnlyFilesystem.into(),
            io::Error::from_raw_os_error(5),
            io::Error::from_raw_os_error(23),
            io::Error::from_raw_os_error(24),
        ] {
            let (_folder, _events, error) = failed(error);
            assert!(matches!(error, StoreError::Io { doing: "writing", .. }), "{error}");
        }
        let (_folder, _events, error) = failed(io::ErrorKind::InvalidData.into());
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_call_that_ends_well_does_not_make_another_that_failed_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::start(&folder.path().join("events"), None).unwrap();
        let database = std::sync::Arc::clone(events.database());
        let (begun, go) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            let (database, begun, go) = (&database, &begun, &go);
            scope.spawn(move || {
                database
                    .guard("written", || {
                        begun.wait();
                        go.wait();
                        Ok(())
                    })
                    .unwrap();
            });
            begun.wait();
            let failed = io::Error::from(io::ErrorKind::StorageFull);
            database.guard("read", || Err::<(), _>(sled::Error::Io(failed))).unwrap_err();
            go.wait();
        });
        assert!(database.flush().is_err(), "sled runs again after it failed");
    }

    #[test]
    fn a_lock_that_sled_holds_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let _holder = Events::start(folder.path(), None).unwrap();
        assert!(matches!(Events::open(folder.path(), 0, &mut Vec::new()), Err(StoreError::Io { .. })));
    }
}
