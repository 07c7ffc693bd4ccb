//! The frames in sled, as everybody may read them while one adds to them.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::Fault;
use crate::store::error::StoreError;
use crate::store::frame::{Decoder, Frame, FrameFault};
use crate::store::{Lines, Visit, lines};

/// How much sled may keep in memory of what it read.
const CACHE: u64 = 8 * 1024 * 1024;

/// An open sled, every call of which is an answer or a fault.
pub(in crate::store) struct Database {
    /// Always there, but while it is dropped.
    db: Option<sled::Db>,
    dir: PathBuf,
    /// Set when sled failed or panicked: then nothing of it may run again, its own closing included.
    gave_up: AtomicBool,
}

impl Database {
    pub fn open(dir: &Path, flush_every_ms: Option<u64>) -> Result<Self, Fault> {
        let config = sled::Config::new().path(dir).cache_capacity(CACHE).flush_every_ms(flush_every_ms);
        let mut database = Self { db: None, dir: dir.to_path_buf(), gave_up: AtomicBool::new(false) };
        database.db = Some(database.guard("opened", || config.open())?);
        Ok(database)
    }

    /// Runs something of sled, and turns its errors and panics into a fault.
    ///
    /// After either of them nothing of sled runs again: on a full disk its closing would wait for ever.
    pub(super) fn guard<T>(
        &self,
        doing: &'static str,
        run: impl FnOnce() -> sled::Result<T>,
    ) -> Result<T, Fault> {
        if self.gave_up.load(Ordering::SeqCst) {
            return Err(Fault::whole("sled gave up on them earlier"));
        }
        let result = catch_unwind(AssertUnwindSafe(run));
        if !matches!(result, Ok(Ok(_))) {
            // Never set back: another thread may end well what it began before this failed.
            self.gave_up.store(true, Ordering::SeqCst);
        }
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Fault::of_sled(doing, &self.dir, &error)),
            Err(_) => Err(Fault::whole(format!("they could not be {doing}: sled gave up on its files"))),
        }
    }

    fn db(&self) -> &sled::Db {
        self.db.as_ref().expect("open until it is dropped")
    }

    /// Writes a batch, all of it or nothing.
    pub fn apply(&self, batch: sled::Batch) -> Result<(), Fault> {
        self.guard("written", || self.db().apply_batch(batch))
    }

    /// Walks the keys in order, from the one that holds position `from` on, and gives each frame, checked, as long as
    /// each begins where the one before it ended.
    pub fn walk(
        &self,
        from: u64,
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        // The first key must be the first position, unless the walk begins behind it.
        let (mut expected, mut next) = (0, self.guard("read", || self.db().first())?);
        if from > 0
            && let Some((key, value)) = self.guard("read", || self.db().get_lt((from + 1).to_be_bytes()))?
        {
            expected = position_of(&key)?;
            next = Some((key, value));
        }
        while let Some((key, value)) = next {
            let at = position_of(&key)?;
            if at != expected {
                return Err(Fault::at(expected, &FrameFault::Gap { found: at, expected }));
            }
            let frame = parse(at, &value)?;
            each(&frame)?;
            expected = frame.header.end();
            // One key after another, not an iterator: that one keeps all values in memory that it has passed.
            next = self.guard("read", || self.db().get_gt(&key))?;
        }
        Ok(())
    }

    /// Visits the entries from `from` up to, not including, `to`. Both are within the ledger.
    pub fn read(&self, from: u64, to: u64, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut decoder = Decoder::new();
        let mut at = from;
        while at < to {
            // Looked for anew each time: meanwhile small frames may have been packed into one.
            let value = self.value_of(at)?;
            let frame = &value.frame()?;
            let raw = frame.raw(&mut decoder).map_err(|fault| Fault::at(frame.header.first, &fault))?;
            let positions = frame.header.first..frame.header.end();
            for (position, line) in positions.zip(lines::split(raw)) {
                if (at..to).contains(&position) {
                    visit(position, line).map_err(|reason| StoreError::Visit { position, reason })?;
                }
            }
            at = frame.header.end();
        }
        Ok(())
    }

    /// The frame that holds a position: its first position, and its lines.
    pub fn frame_of(&self, position: u64) -> Result<(u64, Lines), Fault> {
        let value = self.value_of(position)?;
        let mut decoder = Decoder::new();
        let raw = value.frame()?.raw(&mut decoder).map_err(|fault| Fault::at(value.key, &fault))?.to_vec();
        Ok((value.key, Lines::of_raw(raw)))
    }

    /// The value that holds a position.
    fn value_of(&self, position: u64) -> Result<Value, Fault> {
        let found = self.guard("read", || self.db().get_lt((position + 1).to_be_bytes()))?;
        let (key, bytes) = found.ok_or_else(|| Fault::missing("the entry is missing", position))?;
        let value = Value { key: position_of(&key)?, bytes };
        let end = value.frame()?.header.end();
        match end > position {
            true => Ok(value),
            false => Err(Fault::missing("the frame is missing", end)),
        }
    }

    pub fn value(&self, key: u64) -> Result<sled::IVec, Fault> {
        let found = self.guard("read", || self.db().get(key.to_be_bytes()))?;
        found.ok_or_else(|| Fault::missing("the frame is missing", key))
    }

    /// Writes everything out, as far as sled does.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.guard("written", || self.db().flush())?;
        Ok(())
    }
}

fn position_of(key: &[u8]) -> Result<u64, Fault> {
    let key = key.try_into().map(u64::from_be_bytes);
    key.map_err(|_| Fault::whole("they hold a key that is no position"))
}

/// A key of sled with what it holds.
struct Value {
    key: u64,
    bytes: sled::IVec,
}

impl Value {
    fn frame(&self) -> Result<Frame<'_>, Fault> {
        parse(self.key, &self.bytes)
    }
}

/// The frame of a key: whole, and about the positions that the key says.
pub(super) fn parse(key: u64, value: &[u8]) -> Result<Frame<'_>, Fault> {
    let frame = Frame::parse(value).map_err(|fault| Fault::at(key, &fault))?;
    let found = frame.header.first;
    if found != key {
        return Err(Fault::at(key, &FrameFault::Position { found, expected: key }));
    }
    if frame.bytes.len() != value.len() {
        return Err(Fault::at(key, &FrameFault::Payload("is followed by other bytes")));
    }
    Ok(frame)
}

impl Drop for Database {
    fn drop(&mut self) {
        let db = self.db.take();
        if self.gave_up.load(Ordering::SeqCst) {
            // Closing would wait for threads that are gone, or for a disk that is full. The folder is set aside or the
            // process ends, so that what is left open here harms nobody.
            std::mem::forget(db);
        } else {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
            wait_until_released(&self.dir);
        }
    }
}

/// Waits until sled's last thread has let go of its files, five seconds at most.
///
/// sled's handle goes before its threads do. Whoever opened the ledger right after would find sled's own lock held, or
/// copy files that are still written; so the ledger's lock, which goes after this, must cover that moment too.
fn wait_until_released(dir: &Path) {
    let Ok(file) = File::open(dir.join("db")) else {
        return;
    };
    for _ in 0..5_000 {
        if file.try_lock().is_ok() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
