//! The ledger: the one writer, and the only reader of the clock.
//!
//! It holds the store, the state that decisions need and the book that statements are made of, and
//! keeps the three in step: what was decided is in memory before it is on disk, and nobody is told of it before it
//! is durable. Questions are answered from what is durable only, since a log size says which part of the memory that is.

mod audit;

mod batch;

mod clock;

mod history;

mod measuring;

mod memory;

mod persons;

mod preparing;

mod recent;

mod reconciling;

mod replaying;

mod roots;

mod short;

mod weeks;

pub use audit::{ClosingShown, EntryHead, Explained, ExplainedEntry, Late, Restated, Restatements};
pub use batch::{Batch, Offered, Ticket};
pub use clock::{Stopwatch, new_id, now};
pub use measuring::{CareShown, DeadlinesShown};
pub use persons::links;
pub use preparing::{Evaluated, Forecasted, Shared};
pub use reconciling::{ListSeal, Reconciled};
pub use replaying::{
    ChangesTold, History, Problem, Replayed, Scenario, Selector, Supposed, UnderScenario, Unplayable, changes,
};
pub use weeks::WeekByWeek;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use uuid::{Builder, Uuid};

use crate::book::statement::{Reading, Statement};
use crate::book::weeks::NoWeeks;
use crate::book::{Book, Unanswerable, Unprepared};
use crate::decide::seen::PlacementKeys;
use crate::domain::area::Area;
use crate::domain::event::Entry;
use crate::domain::half_year::HalfYear;
use crate::domain::source::{DeliveryId, Source};
use crate::domain::time::{AsOf, LogSize, Position, RecordedAt, ReferenceDate};
use crate::proof::checkpoint::{SignedCheckpoint, TreeHead};
use crate::proof::consistency::ConsistencyProof;
use crate::proof::merkle::{Hash, leaf_hash};
use crate::proof::note::{SignerKey, VerifierKey};
use crate::store::links::Links;
use crate::store::{
    self, Access, Note, Opened, Options, Proven, Reader, SigningError, Store, StoreError, Subtrees,
    Verification, Visit, Writer,
};
use memory::{Memory, Opening};
use recent::Recent;
use roots::Roots;
use short::Gathered;

/// What comes from outside the program: the time, and identities that nobody can guess.
pub struct Outside {
    /// The time now.
    pub clock: Box<dyn FnMut() -> RecordedAt + Send + Sync>,
    /// A new UUID of version 7 for something that happens at this time.
    pub ids: Box<dyn FnMut(RecordedAt) -> Uuid + Send + Sync>,
}

impl Outside {
    /// The clock and the random numbers of the machine.
    pub fn machine() -> Self {
        let clock = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let millis = i64::try_from(since.as_millis()).unwrap_or(0);
            RecordedAt::from_millis(millis)
                .expect("the clock of the machine is set to a year from 1990 to 2149")
        };
        // Every bit of an id that is not the time or the version is drawn from the operating system and used
        // once. Many are drawn at a time, since asking for them takes longer than all other work on an id.
        let mut drawn = [0; 4_000];
        let mut used = drawn.len();
        let ids = move |at: RecordedAt| {
            if used == drawn.len() {
                getrandom::fill(&mut drawn).expect("the operating system has random numbers");
                used = 0;
            }
            let random = drawn[used..].first_chunk().expect("a whole number of ids is drawn");
            used += random.len();
            Builder::from_unix_timestamp_millis(at.millis().unsigned_abs(), random).into_uuid()
        };
        Self { clock: Box::new(clock), ids: Box::new(ids) }
    }
}

/// Why the ledger could not do what was asked: ours to repair, never an answer to a sender.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store cannot be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch was left without being committed, so memory is ahead of the disk.
    #[error("an earlier delivery was not finished, so this ledger does nothing more; open it again")]
    Unfinished,
    /// A rehearsal has no room for what would be recorded.
    #[error("a dry run keeps what would be recorded in the folder for temporary files, which failed: {0}")]
    Rehearsal(std::io::Error),
    /// More was asked for than the log holds.
    #[error("the log holds {size} entries, so it was never known at size {asked}; ask for {size} or less")]
    NeverKnown {
        /// The size that was asked for.
        asked: u64,
        /// The size of the log.
        size: u64,
    },
    /// A half-year was not over yet.
    #[error(
        "{half_year} is not over as known then, so nothing of it can be restated: ask for an earlier half-year"
    )]
    NotClosed {
        /// The half-year.
        half_year: HalfYear,
    },
    /// A stored entry is not one that this version can read.
    #[error("the entry at position {position} {problem}; run `peildatum verify`")]
    Entry {
        /// Where.
        position: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// An entry was asked for that is not there.
    #[error("a log of {size} entries has none at position {position}, since positions count from 0")]
    NoSuchEntry {
        /// The position that was asked for.
        position: u64,
        /// The size of the log that was meant.
        size: u64,
    },
    /// The question has no answer.
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
    /// A quota can be neither divided nor forecast nor evaluated.
    #[error(transparent)]
    Unprepared(#[from] Unprepared),
    /// A scenario cannot be replayed.
    #[error(transparent)]
    Unplayable(#[from] Unplayable),
    /// A half-year cannot be shown week by week.
    #[error(transparent)]
    NoWeeks(#[from] NoWeeks),
    /// Nothing was signed, or a signature is not accepted.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// An open ledger.
pub struct Ledger {
    /// Of the entries in the store, and of those that are on their way to it.
    memory: Memory,
    recent: Recent,
    outside: Outside,
    unfinished: bool,
    roots: Roots,
    writer: Writer,
    links: Links,
    // Last, since it holds the folder's lock.
    reader: Reader,
}

/// The moment as known at which a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownAt {
    /// With all that is recorded.
    Now,
    /// When the log had this size.
    Size(LogSize),
    /// With what was recorded strictly before this time.
    Time(RecordedAt),
}

/// The state of knowledge of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownAtSize {
    /// The log size.
    pub size: u64,
    /// When the last of those entries was recorded; nothing for an empty log.
    #[serde(deserialize_with = "Option::deserialize")]
    pub time: Option<RecordedAt>,
}

/// What an answer was computed from, so that anybody can compute it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The log size.
    pub size: u64,
    /// The Merkle root over that many entries (RFC 6962), in base64.
    pub root: Hash,
}

/// An answer with what it was computed from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The statement.
    #[serde(flatten)]
    pub statement: Statement,
    /// The state of knowledge.
    pub known_at: KnownAtSize,
    /// What it was computed from.
    pub checkpoint: Checkpoint,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (statement, known_at, checkpoint) = computed(Map::deserialize(from)?)?;
        Ok(Self { statement, known_at, checkpoint })
    }
}

/// Takes a field out of an object. Serde cannot refuse unknown fields where a part is flattened, so what stands beside
/// it is taken out first.
fn part<T: for<'a> Deserialize<'a>, E: serde::de::Error>(
    fields: &mut Map<String, Value>,
    name: &'static str,
) -> Result<T, E> {
    let value = fields.remove(name).ok_or_else(|| E::missing_field(name))?;
    crate::domain::object(value).map_err(E::custom)
}

/// What an answer says, with the state of knowledge and what it was computed from beside it.
fn computed<T: for<'a> Deserialize<'a>, E: serde::de::Error>(
    mut fields: Map<String, Value>,
) -> Result<(T, KnownAtSize, Checkpoint), E> {
    let known_at = part(&mut fields, "knownAt")?;
    let checkpoint = part(&mut fields, "checkpoint")?;
    Ok((T::deserialize(Value::Object(fields)).map_err(E::custom)?, known_at, checkpoint))
}

/// How an area is divided in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Not at all: one statement.
    Whole,
    /// One statement for each province of the country.
    Province,
    /// One statement for each municipality of the area.
    Municipality,
}

impl Ledger {
    /// Opens a ledger and reads what it holds. `progress` gets the number of entries read so far.
    ///
    /// # Errors
    /// When the store cannot be opened (the error names what repairs it), or holds an entry that this version cannot read.
    pub fn open(
        dir: &Path,
        access: Access,
        outside: Outside,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Self, Vec<Note>), LedgerError> {
        let options = Options { access, ..Options::default() };
        let mut opening = Opening::new(progress);
        let Opened { store, notes } = Store::open_with(dir, &options, &mut opening)?;
        let memory = opening.finish();
        assert_eq!(store.head().size, memory.size, "every entry of the store was taken up");
        let reader = store.reader();
        let (writer, recent) = (Writer::start(store), Recent::default());
        let roots = Roots::default();
        let links = Links::new(dir, persons::random());
        let ledger = Self { memory, recent, outside, unfinished: false, roots, writer, links, reader };
        Ok((ledger, notes))
    }

    /// From here on nothing is recorded: receipts are as they would be. A ledger that rehearses cannot go back.
    ///
    /// # Errors
    /// When there is no room for what would be recorded, which the rest of a rehearsal may ask for.
    pub fn rehearse(&mut self) -> Result<(), LedgerError> {
        self.links.rehearse();
        self.recent.rehearse(self.memory.size)
    }

    /// The identity of a new delivery.
    pub fn new_delivery(&mut self) -> DeliveryId {
        let now = self.now();
        (self.outside.ids)(now).try_into().expect("identities are of version 7")
    }

    /// Begins to record things of one delivery that are committed together.
    pub fn batch<'a>(&'a mut self, delivery: DeliveryId, delivered_by: &'a Source) -> Batch<'a> {
        Batch::begin(self, delivery, delivered_by)
    }

    /// The time now, never before the last entry: a clock that is set back does not turn the log around.
    fn now(&mut self) -> RecordedAt {
        let now = (self.outside.clock)();
        self.memory.moments.last().map_or(now, |(_, last)| now.max(*last))
    }

    /// How many entries there are: what is durable, and in a rehearsal what would be.
    pub fn size(&self) -> LogSize {
        LogSize(if self.recent.is_rehearsing() { self.memory.size } else { self.reader.head().size })
    }

    /// How many entries questions can be asked about, also in a rehearsal: what is durable.
    fn durable(&self) -> LogSize {
        LogSize(self.reader.head().size)
    }

    /// The book that statements are made of.
    pub fn book(&self) -> &Book<'static> {
        &self.memory.book
    }

    /// Translates a question to the log size that it is asked at.
    ///
    /// # Errors
    /// When the log never had that size.
    pub fn as_of(&self, reference_date: ReferenceDate, known_at: KnownAt) -> Result<AsOf, LedgerError> {
        let known_at = match known_at {
            KnownAt::Now => self.durable(),
            KnownAt::Size(asked) if asked > self.durable() => {
                return Err(LedgerError::NeverKnown { asked: asked.0, size: self.durable().0 });
            }
            KnownAt::Size(asked) => asked,
            KnownAt::Time(time) => {
                let before = self.memory.moments.partition_point(|(_, at)| *at < time);
                let first = self.memory.moments.get(before).map_or(u64::MAX, |(first, _)| *first);
                self.durable().min(LogSize(first))
            }
        };
        Ok(AsOf { reference_date, known_at })
    }

    /// The state of knowledge at a log size.
    pub fn known_at(&self, size: LogSize) -> KnownAtSize {
        let moments = self.memory.moments.partition_point(|(first, _)| *first < size.0);
        let time = moments.checked_sub(1).map(|last| self.memory.moments[last].1);
        KnownAtSize { size: size.0, time }
    }

    /// The root at a log size.
    ///
    /// # Errors
    /// When the entries cannot be read.
    pub fn checkpoint(&self, size: LogSize) -> Result<Checkpoint, LedgerError> {
        let find = || self.reader.root_at(size.0);
        let root = if size == self.durable() { find() } else { self.roots.at(size.0, find) };
        Ok(Checkpoint { size: size.0, root: root? })
    }

    /// The statements of an area and its parts, with what they were computed from.
    ///
    /// # Errors
    /// When the area is a municipality that does not exist then, or the root cannot be computed.
    pub fn statements(
        &self,
        area: Area,
        by: By,
        as_of: AsOf,
        reading: Reading,
    ) -> Result<Vec<Answer>, LedgerError> {
        let statements = statements(&self.memory.book, area, by, as_of, reading)?;
        let known_at = self.known_at(as_of.known_at);
        let checkpoint = self.checkpoint(as_of.known_at)?;
        Ok(statements.into_iter().map(|statement| Answer { statement, known_at, checkpoint }).collect())
    }

    /// The entry at a position.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn entry(&self, position: Position) -> Result<Entry, LedgerError> {
        decode(position, &self.reader.get(position.0)?)
    }

    /// The entry at a position, with its leaf hash (RFC 6962).
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn entry_with_leaf(&self, position: Position) -> Result<(Entry, Hash), LedgerError> {
        let line = self.reader.get(position.0)?;
        Ok((decode(position, &line)?, leaf_hash(&line)))
    }

    /// Hands out the stored lines from a position on, up to a log size, byte for byte.
    ///
    /// # Errors
    /// When a line cannot be read, or whoever takes them stops.
    pub fn lines(&self, from: Position, to: LogSize, visit: Visit<'_>) -> Result<(), LedgerError> {
        Ok(self.reader.read(from.0, to.0, visit)?)
    }

    /// The public key with which anybody checks what this ledger signs.
    ///
    /// # Errors
    /// When it has none.
    pub fn verifier_key(&self) -> Result<VerifierKey, LedgerError> {
        Ok(self.reader.verifier_key()?)
    }

    /// Gives the ledger its key, and signs the log as it is. The secret goes into a new file, without one into the ledger's
    /// folder.
    ///
    /// # Errors
    /// When it has a key, or the file is there.
    pub fn give_key(&self, key: &SignerKey, file: Option<&Path>) -> Result<SignedCheckpoint, LedgerError> {
        Ok(self.reader.give_key(key, file)?)
    }

    /// The secret key that lies in the ledger's folder.
    ///
    /// # Errors
    /// When it is kept elsewhere, or others can read it.
    pub fn own_secret(&self) -> Result<SignerKey, LedgerError> {
        Ok(self.reader.own_secret()?)
    }

    /// The log as it is, signed, with the cosignatures that there are of that very checkpoint.
    ///
    /// # Errors
    /// When the log does not extend what was signed last, and when the key is not the ledger's.
    pub fn signed_checkpoint(&self, key: &SignerKey) -> Result<SignedCheckpoint, LedgerError> {
        Ok(self.reader.sign(key)?)
    }

    /// Refuses a checkpoint that is not about this log.
    ///
    /// # Errors
    /// When it states more entries than there are, or another root than they have.
    pub fn is_of_this_log(&self, stated: &TreeHead) -> Result<(), LedgerError> {
        Ok(self.reader.is_of_this_log(stated)?)
    }

    /// Keeps the cosignatures of known witnesses on a checkpoint of this ledger. Gives the witnesses, with the times that
    /// their cosignatures state.
    ///
    /// # Errors
    /// When it is of another ledger or another history, and when no known witness has cosigned it.
    pub fn accept(&self, checkpoint: &[u8]) -> Result<Vec<(VerifierKey, Option<u64>)>, LedgerError> {
        Ok(self.reader.accept(checkpoint)?)
    }

    /// The tree over the first entries, of which any part can be asked for.
    ///
    /// # Errors
    /// When the log never had that size.
    pub fn subtrees(&self, size: LogSize) -> Result<Subtrees<'_>, LedgerError> {
        match size > self.durable() {
            true => Err(LedgerError::NeverKnown { asked: size.0, size: self.durable().0 }),
            false => Ok(self.reader.subtrees(size.0)?),
        }
    }

    /// The proofs that entries stand at these positions in the log of a size, one after another, each verified. When the
    /// positions ascend, every entry is read and hashed at most once.
    ///
    /// # Errors
    /// When the log never had that size; and in the place of a proof, when there is no such entry or it cannot be read.
    pub fn inclusion_proofs(
        &self,
        positions: impl IntoIterator<Item = Position>,
        size: LogSize,
    ) -> Result<impl Iterator<Item = Result<Proven, LedgerError>>, LedgerError> {
        let mut subtrees = self.subtrees(size)?;
        Ok(positions.into_iter().map(move |position| match position.is_known_at(size) {
            true => Ok(subtrees.inclusion(position.0)?),
            false => Err(LedgerError::NoSuchEntry { position: position.0, size: size.0 }),
        }))
    }

    /// The proof that the log of one size begins with the log of another, which holds at least one entry and is no larger.
    ///
    /// # Errors
    /// When the log never had that size, or entries cannot be read.
    pub fn consistency_proof(&self, old: LogSize, new: LogSize) -> Result<ConsistencyProof, LedgerError> {
        let mut subtrees = self.subtrees(new)?;
        let (old_root, path) = subtrees.consistency(old.0)?;
        Ok(ConsistencyProof { old: (old.0, old_root), new: (new.0, subtrees.root()), path })
    }

    /// Closes the ledger so that nothing needs to be healed at the next opening.
    ///
    /// # Errors
    /// When the operating system refuses. No entry is lost by that.
    pub fn close(self) -> Result<(), LedgerError> {
        Ok(self.writer.close()?)
    }
}

/// Verifies everything that lies in a ledger's directory: see [`store::verify`].
///
/// # Errors
/// As for that.
pub fn verify(dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<Verification, StoreError> {
    let mut gathered = Some(Gathered::default());
    let mut in_short = |_: u64, line: &[u8]| {
        // Behind a line that is no entry there is no short form, and no snapshot either.
        let pushed = Entry::decode(line)
            .map(|entry| gathered.as_mut().and_then(|it| it.push(&entry, PlacementKeys::of(&entry), line)));
        pushed.unwrap_or_else(|_| {
            gathered = None;
            None
        })
    };
    store::verify(dir, &mut in_short, progress)
}

/// The statements of an area and its parts.
fn statements(
    book: &Book<'_>,
    area: Area,
    by: By,
    as_of: AsOf,
    reading: Reading,
) -> Result<Vec<Statement>, Unanswerable> {
    Ok(match by {
        By::Whole => vec![book.statement(area, as_of, reading)?],
        By::Province => book.by_province(as_of, reading),
        By::Municipality => book.by_municipality(area, as_of, reading)?,
    })
}

/// Reads a line that is stored at a position.
fn decode(position: Position, line: &[u8]) -> Result<Entry, LedgerError> {
    Entry::decode(line)
        .map_err(|fault| LedgerError::Entry { position: position.0, problem: fault.to_string() })
}
