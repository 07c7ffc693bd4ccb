//! The audit record: who did what, when and from where, and how it ended (BIO2 8.15).
//!
//! One line of JSON a decision, in a file a day. Each line holds the SHA-256 of the line before it, also across files, so that
//! a line that was changed, dropped or swapped is found. A thread of its own writes what was recorded, many lines at a time; who
//! records waits for nothing, unless it asks until its line is on disk. `docs/log-format.md` describes the bytes.

mod chain;
mod head;

use std::borrow::Cow;
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use chain::{AuditChain, read_audit, verify_audit};
use chain::{Link, file_of};
use head::AuditHead;

use super::error::{Remedy, StoreError};
use super::folder::{private, sync_dir, there_is_a_ledger};
use crate::domain::access::{Caller, Role};
use crate::domain::person_number::{holds_person_number, without_person_numbers};
use crate::domain::time::RecordedAt;
use crate::domain::{named, present};

/// The folder within that of the ledger.
const FOLDER: &str = "audit";
/// A file beside it: from when it is there on, a record that is not there was lost.
const BEGUN: &str = "audit-begun";
/// How many decisions may wait. Who records one more is told, and must not go on.
const QUEUE: usize = 16_384;
/// How many are written at a time at most.
const GROUP: usize = 1_024;
/// How long a line may stay unsynced of which nobody waits until it is on disk.
const SYNC_AFTER: Duration = Duration::from_millis(1_000);
/// How many characters of a text are kept: what a caller sends may be long.
const TEXT_MAX: usize = 256;

named! {
    /// How a decision ended.
    pub enum AuditResult {
        /// It was done.
        Done = "done",
        /// A rule said no.
        Refused = "refused",
        /// Nobody was let in, or not to this.
        Denied = "denied",
        /// We could not do it.
        Failed = "failed",
    } else "is not how a decision ends"
}

/// A decision. What it says is cleaned of numbers of persons and shortened before it goes anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When it was taken.
    pub time: RecordedAt,
    /// Who asked for it, as [`Caller::actor`] says; nobody, where it was not proven who that was.
    pub actor: Option<String>,
    /// The role of the actor.
    pub role: Option<Role>,
    /// Where the request came from, such as an address, where that is known.
    pub origin: Option<String>,
    /// What was to be done, such as `deliver`.
    pub action: Cow<'static, str>,
    /// To what, such as a path.
    pub object: String,
    /// How it ended.
    pub result: AuditResult,
    /// The status of the answer in HTTP, where there was one.
    pub status: Option<u16>,
    /// Why, where it did not end well: the code of a problem.
    pub code: Option<Cow<'static, str>>,
}

impl AuditRecord {
    /// A decision on a request that was done; set what is otherwise.
    pub fn new(time: RecordedAt, caller: Option<&Caller>, action: &'static str) -> Self {
        Self {
            time,
            actor: caller.map(Caller::actor),
            role: caller.map(Caller::role),
            origin: None,
            action: Cow::Borrowed(action),
            object: String::new(),
            result: AuditResult::Done,
            status: None,
            code: None,
        }
    }

    fn cleaned(mut self) -> Self {
        clean(&mut self.object);
        self.actor.iter_mut().for_each(clean);
        // Parts of an address with dots between them can look like a number of a person.
        let origin = self.origin.iter_mut().filter(|it| it.parse::<IpAddr>().is_err());
        origin.for_each(clean);
        for text in [Some(&mut self.action), self.code.as_mut()].into_iter().flatten() {
            if let Cow::Owned(text) = text {
                clean(text);
            }
        }
        self
    }
}

fn clean(text: &mut String) {
    // What moves the cursor of a terminal is not shown to whoever reads the record there.
    if text.contains(char::is_control) {
        *text = text.replace(char::is_control, "\u{fffd}");
    }
    if holds_person_number(text) {
        *text = without_person_numbers(text);
    }
    // After the cleaning: a cut through a number would hide it from the search.
    if let Some((end, _)) = text.char_indices().nth(TEXT_MAX) {
        text.truncate(end);
        text.push('…');
    }
}

/// A line of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLine {
    /// Which it is, counted from 0.
    pub number: u64,
    /// When the decision was taken. Times never go back.
    pub time: RecordedAt,
    /// Who asked for it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The role of the actor.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Where it came from.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What was to be done.
    pub action: String,
    /// To what.
    pub object: String,
    /// How it ended.
    pub result: AuditResult,
    /// The status of the answer.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The SHA-256 of the line before this one, without its newline, in base64.
    pub before: String,
}

/// Why a decision was not recorded. Whoever asked for it must be told to come back: 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// More waits than the disk keeps up with.
    #[error("the audit record cannot keep up; try again later")]
    Full,
    /// Writing failed.
    #[error("the audit record cannot be written")]
    Stopped,
}

/// Stands for what was recorded so far: [`wait`](Self::wait) tells when it is on disk.
#[derive(Debug)]
#[must_use = "nothing is durable before it was waited for"]
pub struct AuditTicket(Arc<Outcome>);

#[derive(Debug, Default)]
struct Outcome {
    known: Mutex<Option<Result<(), NotRecorded>>>,
    changed: Condvar,
}

impl AuditTicket {
    /// Waits until the line, and every one before it, survives a power cut.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn wait(self) -> Result<(), NotRecorded> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match known.take() {
                Some(result) => return result,
                None => known = self.0.changed.wait(known).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// The writer's side of a ticket. Whoever waits is told also when the writer itself broke down.
struct Promise(Arc<Outcome>);

impl Promise {
    fn set(&self, result: Result<(), NotRecorded>) {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert(result);
        self.0.changed.notify_all();
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.set(Err(NotRecorded::Stopped));
    }
}

enum Message {
    Record(Box<AuditRecord>, Option<Promise>),
    Sync(Promise),
}

/// The audit record of a ledger, to which one process writes.
pub struct Trail {
    queue: RwLock<Option<SyncSender<Message>>>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    fault: Arc<Mutex<Option<String>>>,
}

impl Trail {
    /// Goes on with the record of the ledger in a folder, or begins one. What a crash left half-written is set aside, and a line
    /// says so.
    ///
    /// # Errors
    /// When another process writes to it, when there is no ledger, and when lines are gone that were on disk.
    pub fn start(dir: &Path, now: RecordedAt) -> Result<Self, StoreError> {
        let pen = Pen::open(dir, now)?;
        let (queue, submitted) = sync_channel(QUEUE);
        let fault = Arc::new(Mutex::new(None));
        let told = Arc::clone(&fault);
        let thread = thread::spawn(move || {
            let ended = write_all(pen, &submitted);
            if let Err(error) = &ended {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
            ended
        });
        Ok(Self { queue: RwLock::new(Some(queue)), thread: Mutex::new(Some(thread)), fault })
    }

    /// Records a decision, and does not wait until it is on disk.
    ///
    /// # Errors
    /// When too many wait, or writing failed: then whoever asked must not be told how it ended.
    pub fn record(&self, record: AuditRecord) -> Result<(), NotRecorded> {
        self.send(Message::Record(Box::new(record.cleaned()), None))
    }

    /// Records a decision of which somebody waits until it is on disk.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub fn record_durable(&self, record: AuditRecord) -> Result<AuditTicket, NotRecorded> {
        let outcome = Arc::<Outcome>::default();
        let promise = Promise(Arc::clone(&outcome));
        self.send(Message::Record(Box::new(record.cleaned()), Some(promise)))?;
        Ok(AuditTicket(outcome))
    }

    /// Asks for all that was recorded before this to be put on disk.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub fn sync(&self) -> Result<AuditTicket, NotRecorded> {
        let outcome = Arc::<Outcome>::default();
        self.send(Message::Sync(Promise(Arc::clone(&outcome))))?;
        Ok(AuditTicket(outcome))
    }

    /// What went wrong, since when nothing is recorded any more. For whoever runs the program, not for callers.
    pub fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts everything on disk and stops. From here on nothing is recorded.
    ///
    /// # Errors
    /// When something could not be written.
    pub fn close(&self) -> Result<(), StoreError> {
        *self.queue.write().unwrap_or_else(PoisonError::into_inner) = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map_or(Ok(()), |thread| thread.join().unwrap_or(Err(StoreError::Poisoned)))
    }

    fn send(&self, message: Message) -> Result<(), NotRecorded> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(NotRecorded::Stopped)?;
        queue.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => NotRecorded::Full,
            TrySendError::Disconnected(_) => NotRecorded::Stopped,
        })
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        // Without an answer that anybody could be given: `fault` has said what went wrong.
        drop(self.close());
    }
}

fn write_all(mut pen: Pen, submitted: &Receiver<Message>) -> Result<(), StoreError> {
    loop {
        let first = match pen.is_synced() {
            true => submitted.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => submitted.recv_timeout(SYNC_AFTER),
        };
        let first = match first {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                pen.sync()?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return pen.sync(),
        };
        let mut waiting = Vec::new();
        for message in std::iter::once(first).chain(submitted.try_iter()).take(GROUP) {
            match message {
                Message::Record(record, promise) => {
                    pen.add(*record)?;
                    waiting.extend(promise);
                }
                Message::Sync(promise) => waiting.push(promise),
            }
        }
        pen.write()?;
        if !waiting.is_empty() || pen.is_late() {
            pen.sync()?;
        }
        waiting.iter().for_each(|promise| promise.set(Ok(())));
    }
}

/// Writes lines behind one another, each with the hash of the one before it.
struct Pen {
    folder: PathBuf,
    file: Option<File>,
    head: AuditHead,
    /// When the last line was recorded, and the first one that is not synced.
    last: RecordedAt,
    unsynced_since: Option<RecordedAt>,
    /// Lines that are not written yet.
    lines: Vec<u8>,
    _lock: File,
}

impl Pen {
    fn open(dir: &Path, now: RecordedAt) -> Result<Self, StoreError> {
        there_is_a_ledger(dir)?;
        let folder = dir.join(FOLDER);
        chain::check_begun(dir, &folder)?;
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(StoreError::io("making", &folder))?;
            sync_dir(dir)?;
        }
        let lock = folder.join("lock");
        let file = private().create(true).write(true).truncate(false).open(&lock);
        let file = file.map_err(StoreError::io("opening", &lock))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { dir: dir.to_path_buf() }),
            Err(TryLockError::Error(error)) => return Err(StoreError::io("locking", &lock)(error)),
        }
        let found = chain::end_of(&folder)?;
        let mut pen = Self {
            file: None,
            last: found.last.unwrap_or(now).max(now),
            unsynced_since: None,
            lines: Vec::new(),
            head: found.head,
            _lock: file,
            folder,
        };
        // The head comes first, so that a crash from here on leaves nothing that looks like damage.
        match pen.head.file.clone() {
            file if file.is_empty() => {
                pen.head.write(&pen.folder)?;
                sync_dir(&pen.folder)?;
            }
            file => {
                pen.file = Some(pen.open_file(&file)?);
                pen.sync_now()?;
            }
        }
        if let Some(torn) = found.torn {
            let kept_as = pen.set_aside(&torn)?;
            pen.say("audit-closed-off", format!("{} bytes of {}, kept as {kept_as}", torn.bytes, torn.file))?;
        }
        if found.head_was_lost {
            pen.say("audit-head-lost", "written again from the lines".to_owned())?;
        }
        let begun = dir.join(BEGUN);
        if !begun.exists() {
            File::create(&begun).map_err(StoreError::io("making", &begun))?;
            sync_dir(dir)?;
        }
        Ok(pen)
    }

    /// Copies what a crash left after the last whole line, then cuts it off. A crash in between leaves one copy more.
    fn set_aside(&mut self, torn: &chain::Torn) -> Result<String, StoreError> {
        let kept_as = (1..)
            .map(|number| format!("{}.torn-{number}", torn.file))
            .find(|name| !self.folder.join(name).exists())
            .expect("there is always another number");
        let (from, to) = (self.folder.join(&torn.file), self.folder.join(&kept_as));
        let mut rest = File::open(&from).map_err(StoreError::io("reading", &from))?;
        rest.seek(SeekFrom::Start(torn.offset)).map_err(StoreError::io("reading", &from))?;
        let mut copy =
            private().create_new(true).write(true).open(&to).map_err(StoreError::io("making", &to))?;
        io::copy(&mut rest, &mut copy)
            .and_then(|_| copy.sync_all())
            .map_err(StoreError::io("writing", &to))?;
        sync_dir(&self.folder)?;
        let cut = private().write(true).open(&from).and_then(|file| {
            file.set_len(torn.offset)?;
            file.sync_all()
        });
        cut.map_err(StoreError::io("shortening", &from))?;
        Ok(kept_as)
    }

    /// A line about the record itself.
    fn say(&mut self, action: &'static str, object: String) -> Result<(), StoreError> {
        let mut record = AuditRecord::new(self.last, None, action);
        record.object = object;
        record.result = AuditResult::Failed;
        self.add(record)?;
        self.write()?;
        self.sync()
    }

    /// Takes up a decision as the next line.
    fn add(&mut self, record: AuditRecord) -> Result<(), StoreError> {
        // A clock that is set back is held, so that files and lines stay in the order of their times.
        self.last = self.last.max(record.time);
        let file = file_of(self.last);
        if self.head.file != file {
            self.begin(file)?;
        }
        let line = AuditLine {
            number: self.head.link.records,
            time: self.last,
            actor: record.actor,
            role: record.role,
            origin: record.origin,
            action: record.action.into_owned(),
            object: record.object,
            result: record.result,
            status: record.status,
            code: record.code.map(Cow::into_owned),
            before: self.head.link.hash(),
        };
        let start = self.lines.len();
        serde_json::to_writer(&mut self.lines, &line).expect("a line has only keys that are text");
        self.head.link = Link::after(line.number, &self.lines[start..]);
        self.lines.push(b'\n');
        self.unsynced_since.get_or_insert(self.last);
        Ok(())
    }

    /// Goes on in the file of another day. All that stands in the one before is on disk by then.
    fn begin(&mut self, file: String) -> Result<(), StoreError> {
        self.write()?;
        self.sync()?;
        self.file = Some(self.open_file(&file)?);
        sync_dir(&self.folder)?;
        (self.head.file, self.head.length) = (file, 0);
        Ok(())
    }

    fn open_file(&self, name: &str) -> Result<File, StoreError> {
        let path = self.folder.join(name);
        private().create(true).append(true).open(&path).map_err(StoreError::io("opening", &path))
    }

    fn write(&mut self) -> Result<(), StoreError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(&self.head.file);
        let mut file = self.file.as_ref().expect("a line was added, so a file is open");
        file.write_all(&self.lines).map_err(StoreError::io("writing", &path))?;
        self.head.length += self.lines.len() as u64;
        self.lines.clear();
        Ok(())
    }

    fn is_synced(&self) -> bool {
        self.unsynced_since.is_none()
    }

    /// Whether lines wait for longer than they may.
    fn is_late(&self) -> bool {
        let waited = |since: RecordedAt| u128::from((self.last.millis() - since.millis()).unsigned_abs());
        self.unsynced_since.is_some_and(|since| waited(since) >= SYNC_AFTER.as_millis())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        match self.is_synced() {
            true => Ok(()),
            false => self.sync_now(),
        }
    }

    /// The lines first, then the head: it never states what is not there.
    fn sync_now(&mut self) -> Result<(), StoreError> {
        let path = self.folder.join(&self.head.file);
        let file = self.file.as_ref().expect("there are lines, so a file is open");
        file.sync_data().map_err(StoreError::io("syncing", &path))?;
        self.head.write(&self.folder)?;
        self.unsynced_since = None;
        Ok(())
    }
}

/// The error of a record whose lines are not those that were on disk.
fn damaged(detail: String) -> StoreError {
    StoreError::Damaged { detail, remedy: Remedy::KeepAudit }
}
