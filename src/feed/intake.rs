//! The intake of a running server: what many senders deliver at once, decided one after another.
//!
//! Two threads and a queue with an end. The first takes what waits, turns numbers of persons into tokens, decides, and
//! sends what is new to the disk. The second waits until that is durable, keeps receipts and what is in quarantine, and
//! answers. So many senders share one sync, and a sender for whom there is no room is told so at once.

mod acknowledging;
mod desk;

pub use desk::{Desk, InQuarantine, Quarantined, SourceSeen, from_the_log, told_again};

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use csv::StringRecord;
use uuid::Uuid;

use super::acknowledged::Acknowledged;
use super::parcel::{Envelope, Parcel};
use super::{FeedError, settle};
use crate::domain::access::Oin;
use crate::domain::source::Source;
use crate::ledger::{Ledger, Stopwatch};
use crate::proof::content::ContentHash;
use acknowledging::{Also, Decided, DecidedRow, acknowledge_all};

/// How many deliveries may wait to be decided about.
const QUEUE: usize = 512;
/// How many bytes may wait, whatever the number of deliveries.
const QUEUE_BYTES: usize = 64 << 20;
/// How many rows are decided about while nobody may read.
const GROUP: usize = 2_048;
/// How many groups may be on their way to the disk.
const BEHIND: usize = 4;

/// Something that is delivered.
pub struct Offer {
    /// Whose it is.
    pub owner: Oin,
    /// Who delivers it.
    pub delivered_by: Source,
    /// Its rows.
    pub parcels: Vec<Parcel>,
    /// The columns, where it is a file.
    pub header: Option<StringRecord>,
    /// How the sender will ask about it again, with the SHA-256 of what was sent.
    pub key: Option<(Uuid, ContentHash)>,
    /// Whether the receipt is kept also where the log says everything that it says.
    pub keep: bool,
    /// What it takes the place of in quarantine.
    pub mends: Option<Uuid>,
}

/// Why an offer was not decided about.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotTaken {
    /// The queue is full.
    #[error("too much is waiting to be recorded")]
    Busy,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The key was given to something else.
    #[error("this key was given with another delivery before")]
    KeyInUse,
    /// There is no room for what would be refused.
    #[error("{waiting} rows wait in quarantine and there is room for {room}")]
    QuarantineFull {
        /// How many wait.
        waiting: usize,
        /// How many may.
        room: usize,
    },
    /// Somebody mends the same at this moment.
    #[error("this is being mended already")]
    BeingMended,
    /// What should be mended is not there any more.
    #[error("this is not in quarantine any more")]
    NotInQuarantine,
    /// The ledger or what lies beside it is broken.
    #[error("{0}")]
    Broken(String),
}

/// What an offer is answered with; also whether the receipt was kept before.
pub type Answer = Box<dyn FnOnce(Result<(Arc<Acknowledged>, bool), NotTaken>) + Send>;

/// What is told about how it goes.
pub trait Watching: Send + Sync {
    /// A group became durable: how many entries it brought, and how long it took since its deliveries were taken.
    fn appended(&self, entries: u64, seconds: f64);
    /// A receipt was given.
    fn acknowledged(&self, receipt: &Acknowledged);
    /// Nothing can be recorded any more.
    fn broken(&self, why: &str);
}

/// Tells that nothing can be recorded any more when a thread of the intake panics.
struct Telling<'a>(&'a dyn Watching);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.broken("a thread of the intake panicked");
        }
    }
}

struct Waiting {
    offer: Offer,
    bytes: usize,
    answer: Answer,
}

/// The intake.
pub struct Intake {
    queue: Mutex<Option<SyncSender<Waiting>>>,
    load: Arc<Load>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    desk: Arc<Mutex<Desk>>,
}

/// How much waits.
#[derive(Default)]
struct Load {
    deliveries: AtomicUsize,
    bytes: AtomicUsize,
}

impl Intake {
    /// Starts both threads.
    pub fn start(ledger: Arc<RwLock<Ledger>>, desk: Desk, watching: Arc<dyn Watching>) -> Self {
        let desk = Arc::new(Mutex::new(desk));
        let load = Arc::new(Load::default());
        let (queue, waiting) = sync_channel(QUEUE);
        let (decided, to_acknowledge) = sync_channel(BEHIND);
        let deciding = {
            let (ledger, desk, load) = (Arc::clone(&ledger), Arc::clone(&desk), Arc::clone(&load));
            let watching = Arc::clone(&watching);
            thread::spawn(move || decide_all(&ledger, &desk, &load, &*watching, &waiting, &decided))
        };
        let acknowledging = {
            let desk = Arc::clone(&desk);
            thread::spawn(move || acknowledge_all(&ledger, &desk, &*watching, &to_acknowledge))
        };
        let threads = Mutex::new(vec![deciding, acknowledging]);
        Self { queue: Mutex::new(Some(queue)), load, threads, desk }
    }

    /// Offers something. The answer comes when it is durable, or at once where there is no room.
    pub fn offer(&self, offer: Offer, answer: Answer) {
        let bytes = offer.parcels.iter().map(|parcel| parcel.size().1).sum();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(queue) = queue else { return answer(Err(NotTaken::Stopping)) };
        if self.load.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > QUEUE_BYTES {
            self.load.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return answer(Err(NotTaken::Busy));
        }
        self.load.deliveries.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = queue.try_send(Waiting { offer, bytes, answer }) {
            self.load.deliveries.fetch_sub(1, Ordering::Relaxed);
            self.load.bytes.fetch_sub(bytes, Ordering::Relaxed);
            match error {
                TrySendError::Full(it) => (it.answer)(Err(NotTaken::Busy)),
                TrySendError::Disconnected(it) => (it.answer)(Err(NotTaken::Stopping)),
            }
        }
    }

    /// How many deliveries wait to be decided about.
    pub fn waiting(&self) -> usize {
        self.load.deliveries.load(Ordering::Relaxed)
    }

    /// What lies beside the log, for one at a time. Nobody who has it waits for the ledger.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes nothing more, and waits until everything that was taken is durable and answered.
    pub fn stop(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // One that broke down has said so.
            let _ = thread.join();
        }
    }
}

/// What was decided about and is not answered.
#[derive(Default)]
struct UnderWay {
    /// By its key, so that the same delivery sent twice at once is recorded and answered once.
    keys: HashMap<(Oin, Uuid), (ContentHash, Also)>,
    /// By what it mends, so that one thing in quarantine becomes one thing in the log.
    mended: HashMap<(Oin, Uuid), Also>,
}

/// Decides about what waits, group by group, until nothing comes any more or the ledger breaks.
fn decide_all(
    ledger: &RwLock<Ledger>,
    desk: &Mutex<Desk>,
    load: &Load,
    watching: &dyn Watching,
    waiting: &Receiver<Waiting>,
    decided: &SyncSender<Vec<Decided>>,
) {
    let _telling = Telling(watching);
    let mut under_way = UnderWay::default();
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        let mut rows = group[0].offer.parcels.len();
        while rows < GROUP
            && let Ok(more) = waiting.try_recv()
        {
            rows += more.offer.parcels.len();
            group.push(more);
        }
        for it in &group {
            load.deliveries.fetch_sub(1, Ordering::Relaxed);
            load.bytes.fetch_sub(it.bytes, Ordering::Relaxed);
        }
        under_way.keys.retain(|_, (_, also)| !also.is_answered());
        under_way.mended.retain(|_, also| !also.is_answered());
        let mut fresh = Vec::with_capacity(group.len());
        for it in group {
            fresh.extend(not_yet_answered(desk, ledger, it, &mut under_way));
        }
        match decide_group(ledger, desk, fresh) {
            Ok(group) => {
                if decided.send(group).is_err() {
                    return;
                }
            }
            Err(error) => {
                // Memory is ahead of what will be on disk: nothing more is decided, and whoever waits is told so.
                watching.broken(&error.to_string());
                return;
            }
        }
    }
}

/// An offer that has to be decided about. The others are answered, or will be with the one that they repeat.
fn not_yet_answered(
    desk: &Mutex<Desk>,
    ledger: &RwLock<Ledger>,
    it: Waiting,
    under_way: &mut UnderWay,
) -> Option<(Offer, Also)> {
    let Waiting { offer, answer, .. } = it;
    if let Some((key, digest)) = &offer.key {
        match under_way.keys.get(&(offer.owner, *key)) {
            Some((same, also)) if same == digest => {
                also.push(answer);
                return None;
            }
            Some(_) => {
                answer(Err(NotTaken::KeyInUse));
                return None;
            }
            None => {}
        }
        // Nobody who has the desk waits for the ledger: whoever acknowledges takes them in the other order.
        let kept = desk.lock().unwrap_or_else(PoisonError::into_inner).receipt_by_key(offer.owner, *key);
        let again = match kept {
            Ok(None) => None,
            Ok(Some(kept)) if kept.digest != Some(*digest) => Some(Err(NotTaken::KeyInUse)),
            Ok(Some(kept)) => {
                let ledger = ledger.read().unwrap_or_else(PoisonError::into_inner);
                let told = desk::told_again(&ledger, kept);
                Some(told.map(|it| (Arc::new(it), true)).map_err(|it| NotTaken::Broken(it.to_string())))
            }
            Err(error) => Some(Err(NotTaken::Broken(error.to_string()))),
        };
        if let Some(again) = again {
            answer(again);
            return None;
        }
    }
    let desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(id) = offer.mends {
        let place = (offer.owner, id);
        let why = match desk.is_in_quarantine(offer.owner, id) {
            // What is answered by now is found in quarantine as it is by now.
            true if under_way.mended.get(&place).is_some_and(|also| !also.is_answered()) => {
                Some(NotTaken::BeingMended)
            }
            true => None,
            false => Some(NotTaken::NotInQuarantine),
        };
        if let Some(why) = why {
            answer(Err(why));
            return None;
        }
    }
    if offer.mends.is_none()
        && let Err(full) = desk.room_for(offer.owner, offer.parcels.iter().map(|it| it.rows.len()).sum())
    {
        answer(Err(full));
        return None;
    }
    let also = Also::default();
    also.push(answer);
    if let Some((key, digest)) = &offer.key {
        under_way.keys.insert((offer.owner, *key), (*digest, also.clone()));
    }
    if let Some(id) = offer.mends {
        under_way.mended.insert((offer.owner, id), also.clone());
    }
    Some((offer, also))
}

/// Decides about a group and sends what is new to the disk.
fn decide_group(
    ledger: &RwLock<Ledger>,
    desk: &Mutex<Desk>,
    mut group: Vec<(Offer, Also)>,
) -> Result<Vec<Decided>, FeedError> {
    let taken = Stopwatch::start();
    // Before anything is decided about, and durably: a token that is in the log without its link would make two persons of one.
    {
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.pseudonymise(group.iter_mut().flat_map(|(offer, _)| &mut offer.parcels))?;
    }
    let mut decided = Vec::with_capacity(group.len());
    let mut ledger = ledger.write().unwrap_or_else(PoisonError::into_inner);
    for (offer, also) in group {
        let Offer { owner, delivered_by, parcels, header, key, keep, mends } = offer;
        let delivery = ledger.new_delivery();
        let mut batch = ledger.batch(delivery, &delivered_by);
        let (mut rows, mut numbered) = (Vec::new(), Vec::new());
        for mut parcel in parcels {
            // What is refused arrived too: nothing is missing where it waits in quarantine.
            let Envelope { source, sequence, .. } = std::mem::take(&mut parcel.envelope);
            numbered.extend(source.zip(sequence));
            let id = parcel.content.as_ref().and_then(|content| content.identity.id);
            let mut settled = Vec::new();
            settle(&mut batch, parcel, &mut settled)?;
            rows.extend(settled.into_iter().map(|(receipt, row)| DecidedRow::of(&batch, id, receipt, row)));
        }
        let received_at = batch.recorded_at();
        let ticket = batch.submit()?;
        decided.push(Decided {
            ticket,
            delivery,
            owner,
            delivered_by,
            received_at,
            rows,
            header,
            numbered,
            key,
            keep,
            mends,
            also,
            taken,
        });
    }
    Ok(decided)
}
