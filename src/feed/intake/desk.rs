//! What lies beside the log on a server: receipts, quarantine, what was last seen of each source, and the links of persons.

use std::collections::BTreeMap;
use std::path::Path;

use csv::{StringRecord, WriterBuilder};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::{Builder, Uuid};

use super::NotTaken;
use crate::domain::access::Oin;
use crate::domain::event::IdBy;
use crate::domain::source::{DeliveryId, EventId, Source};
use crate::domain::time::{LogSize, Position, RecordedAt};
use crate::feed::acknowledged::{
    Acknowledged, AcknowledgedRow, Became, Gap, Kept, KeptRow, RowTotals, shortened,
};
use crate::feed::parcel::{Parcel, Raw};
use crate::feed::pseudonym::pseudonymise;
use crate::feed::receipt::FaultInRow;
use crate::ledger::{Ledger, LedgerError, links, new_id};
use crate::proof::content::ContentHash;
use crate::store::links::{Links, LinksError};
use crate::store::{Drawer, Note, StoreError};

/// How many rows of an organisation may wait in quarantine.
const ROOM: usize = 100_000;
/// How many bytes of them, beside what is delivered at once.
const ROOM_BYTES: usize = 128 << 20;
/// How many separate gaps of a source are remembered.
const GAPS: usize = 1_000;
/// How many sources of an organisation are remembered.
const SOURCES: usize = 1_000;
/// How old what is on disk about a source without numbers may be, in milliseconds.
const STALE: i64 = 60_000;

/// What lies beside the log.
pub struct Desk {
    receipts: Drawer,
    waiting: Drawer,
    sources: Drawer,
    seen: BTreeMap<Source, Seen>,
    links: Links,
}

/// Where a row that is not recorded stood.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The row in it.
    pub row: u64,
    /// When it came.
    pub at: RecordedAt,
}

/// A row in quarantine as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InQuarantine {
    /// The delivery that brought it last.
    pub delivery: DeliveryId,
    /// Its row there.
    pub row: u64,
    /// When that was.
    pub received_at: RecordedAt,
    /// What was sent, without anything that looks like a person's number.
    pub content: Quarantined,
    /// Why it is not recorded.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub faults: Vec<FaultInRow>,
}

/// What was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Quarantined {
    /// An event in JSON.
    Event(Box<RawValue>),
    /// A row of a file, below its header.
    Csv(String),
    /// Text that is neither.
    Text(String),
}

/// What was last seen of a source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    source: Source,
    last_at: RecordedAt,
    highest: Option<u64>,
    missing: Vec<(u64, u64)>,
    #[serde(skip)]
    owner: Option<Oin>,
    /// When what is on disk was written.
    #[serde(skip)]
    written_at: Option<RecordedAt>,
}

/// What was last seen of a source, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceSeen {
    /// The source.
    pub source: Source,
    /// When it last delivered.
    pub last_delivery_at: RecordedAt,
    /// The highest number that it gave to an event; `null` where it gives none.
    pub highest_sequence: Option<u64>,
    /// What is missing below that.
    pub gaps: Vec<Gap>,
}

impl Desk {
    /// Opens what lies in a ledger's folder, or begins it.
    ///
    /// # Errors
    /// When a file is damaged, lost, or cannot be read. Nothing is then served: what was acknowledged lies there.
    pub fn open(dir: &Path) -> Result<(Self, Vec<Note>), LinksError> {
        let ([receipts, waiting, sources], mut notes) =
            Drawer::open_all(&dir.join("intake"), ["receipts", "quarantine", "sources"])?;
        let mut seen = BTreeMap::new();
        for (owner, id) in sources.all() {
            let Some(content) = sources.get(owner, id)? else { continue };
            let Ok(it) = serde_json::from_slice::<Seen>(&content) else { continue };
            seen.insert(it.source.clone(), Seen { owner: Some(owner), written_at: Some(it.last_at), ..it });
        }
        let mut links = links(dir)?;
        // Links that were lost are noticed before anything is served, not when somebody is counted twice.
        links.check()?;
        notes.extend(links.notes());
        Ok((Self { receipts, waiting, sources, seen, links }, notes))
    }

    /// Puts tokens in the place of persons' numbers. When this returns, every link is durable.
    ///
    /// # Errors
    /// When the links cannot be read or written.
    pub fn pseudonymise<'a>(
        &mut self,
        parcels: impl Iterator<Item = &'a mut Parcel>,
    ) -> Result<(), LinksError> {
        pseudonymise(parcels, &mut self.links)
    }

    /// Whether there is room for so many more rows that are refused.
    ///
    /// # Errors
    /// When there is none.
    pub fn room_for(&self, owner: Oin, rows: usize) -> Result<(), NotTaken> {
        let waiting = self.waiting.count(owner);
        // Whoever has little waiting need not be added up.
        let long = waiting > ROOM / 1_000 && self.waiting.bytes(owner) > ROOM_BYTES;
        match waiting + rows <= ROOM && !long {
            true => Ok(()),
            false => Err(NotTaken::QuarantineFull { waiting, room: ROOM }),
        }
    }

    /// Whether something is in quarantine.
    pub fn is_in_quarantine(&self, owner: Oin, id: Uuid) -> bool {
        self.waiting.has(owner, id)
    }

    /// Puts a row in quarantine and gives its identity there; that of what it mends, where it mends something.
    pub(super) fn quarantine(
        &mut self,
        owner: Oin,
        mends: Option<Uuid>,
        place: Place,
        header: Option<&StringRecord>,
        raw: &Raw,
        faults: &[FaultInRow],
    ) -> Result<Uuid, StoreError> {
        let content = match raw {
            Raw::Cells(cells) => Quarantined::Csv(as_csv(header, cells)),
            Raw::Line(line) => match serde_json::from_str(line) {
                Ok(event) => Quarantined::Event(event),
                Err(_) => Quarantined::Text(line.clone()),
            },
        };
        let Place { delivery, row, at } = place;
        let it = InQuarantine { delivery, row, received_at: at, content, faults: faults.to_vec() };
        // What was withdrawn meanwhile does not come back; what was sent in its place waits by itself.
        let id = mends.filter(|id| self.waiting.has(owner, *id)).unwrap_or_else(new_id);
        self.waiting.put(owner, id, None, &serde_json::to_vec(&it).expect("texts and numbers"))?;
        Ok(id)
    }

    /// What waits for an organisation, the newest first, and how much there is.
    pub fn in_quarantine(&self, owner: Oin) -> (usize, impl Iterator<Item = Uuid>) {
        (self.waiting.count(owner), self.waiting.newest_first(owner))
    }

    /// One thing in quarantine.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn one_in_quarantine(&self, owner: Oin, id: Uuid) -> Result<Option<InQuarantine>, StoreError> {
        let content = self.waiting.get(owner, id)?;
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    /// Takes something out of quarantine for good. Tells whether it was there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take_out_of_quarantine(&mut self, owner: Oin, id: Uuid) -> Result<bool, StoreError> {
        self.waiting.take_out(owner, id)
    }

    /// Keeps a receipt.
    pub(super) fn keep_receipt(
        &mut self,
        owner: Oin,
        key: Option<(Uuid, ContentHash)>,
        receipt: &Acknowledged,
    ) -> Result<(), StoreError> {
        let kept = Kept {
            delivery: receipt.delivery,
            delivered_by: receipt.delivered_by.clone(),
            received_at: receipt.received_at,
            digest: key.map(|(_, digest)| digest),
            rows: shortened(&receipt.rows),
            gaps: receipt.gaps.clone(),
            totals: receipt.totals,
            known_at: receipt.known_at,
            checkpoint: receipt.checkpoint,
        };
        let content = serde_json::to_vec(&kept).expect("texts and numbers");
        self.receipts.put(owner, receipt.delivery.uuid(), key.map(|(key, _)| key), &content)
    }

    /// The receipt that an organisation has of a delivery.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn receipt(&self, owner: Oin, delivery: DeliveryId) -> Result<Option<Kept>, StoreError> {
        let content = self.receipts.get(owner, delivery.uuid())?;
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    /// Whose receipt it is.
    pub fn owner_of(&self, delivery: DeliveryId) -> Option<Oin> {
        self.receipts.owner(delivery.uuid())
    }

    /// The receipt that an organisation asked for with a key.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn receipt_by_key(&self, owner: Oin, key: Uuid) -> Result<Option<Kept>, StoreError> {
        let Some(id) = self.receipts.by_key(owner, key) else { return Ok(None) };
        let content = self.receipts.get(owner, id)?;
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    /// The deliveries of an organisation that a receipt is kept of, the newest first, and how many there are.
    pub fn receipts(&self, owner: Oin) -> (usize, impl Iterator<Item = Uuid>) {
        (self.receipts.count(owner), self.receipts.newest_first(owner))
    }

    /// Notes that sources delivered, and what numbers they gave. Gives what is missing of them.
    pub(super) fn seen(
        &mut self,
        owner: Oin,
        delivered_by: &Source,
        at: RecordedAt,
        numbered: &[(Source, u64)],
    ) -> Result<Vec<Gap>, StoreError> {
        let mut touched: BTreeMap<&Source, Vec<u64>> = BTreeMap::from([(delivered_by, Vec::new())]);
        for (source, number) in numbered {
            touched.entry(source).or_default().push(*number);
        }
        let mut gaps = Vec::new();
        let own = self.seen.values().filter(|it| it.owner == Some(owner)).count();
        for (source, numbers) in touched {
            // Nobody begins or moves the series of another, and no organisation has more systems than this.
            if source.oin() != Some(owner) || own >= SOURCES && !self.seen.contains_key(source) {
                continue;
            }
            let it = self.seen.entry(source.clone()).or_insert_with(|| Seen {
                source: source.clone(),
                last_at: at,
                highest: None,
                missing: Vec::new(),
                owner: Some(owner),
                written_at: None,
            });
            it.last_at = it.last_at.max(at);
            let stale = it.written_at.is_none_or(|written| at.millis() - written.millis() > STALE);
            let moved = !numbers.is_empty();
            numbers.into_iter().for_each(|number| it.take(number));
            if stale || moved {
                it.written_at = Some(at);
                let content = serde_json::to_vec(&it).expect("texts and numbers");
                self.sources.put(owner, identity_of(source), None, &content)?;
            }
            gaps.extend(it.gaps());
        }
        Ok(gaps)
    }

    /// What was last seen of sources: of an organisation, or of all.
    pub fn sources(&self, owner: Option<Oin>) -> Vec<SourceSeen> {
        let own = self.seen.values().filter(|it| owner.is_none() || it.owner == owner);
        let told = own.map(|it| SourceSeen {
            source: it.source.clone(),
            last_delivery_at: it.last_at,
            highest_sequence: it.highest,
            gaps: it.gaps().collect(),
        });
        told.collect()
    }

    /// Makes durable what was put down.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        [&mut self.receipts, &mut self.waiting, &mut self.sources].into_iter().try_for_each(Drawer::sync)
    }
}

impl Seen {
    /// Takes up a number. The first one that is seen begins the series.
    fn take(&mut self, number: u64) {
        match self.highest {
            None => self.highest = Some(number),
            Some(highest) if number > highest => {
                if number > highest + 1 {
                    let full = self.missing.len() >= GAPS;
                    match self.missing.last_mut() {
                        // So many gaps are one: what lies between is then asked for once more, which does no harm.
                        Some(last) if full => last.1 = number - 1,
                        _ => self.missing.push((highest + 1, number - 1)),
                    }
                }
                self.highest = Some(number);
            }
            Some(_) => {
                let Some(at) = self.missing.iter().position(|(from, to)| (*from..=*to).contains(&number))
                else {
                    return;
                };
                let (from, to) = self.missing.remove(at);
                if number < to {
                    self.missing.insert(at, (number + 1, to));
                }
                if from < number {
                    self.missing.insert(at, (from, number - 1));
                }
            }
        }
    }

    fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.missing.iter().map(|(from, to)| Gap { source: self.source.clone(), from: *from, to: *to })
    }
}

/// A source has one record, wherever it is found again.
fn identity_of(source: &Source) -> Uuid {
    let hash = crate::proof::merkle::leaf_hash(source.as_str().as_bytes());
    Builder::from_custom_bytes(*hash.0.first_chunk().expect("a hash has 32 bytes")).into_uuid()
}

/// A row below its header.
fn as_csv(header: Option<&StringRecord>, cells: &StringRecord) -> String {
    // A row may have been refused for having more or fewer cells than its header.
    let mut rows = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for record in header.into_iter().chain([cells]) {
        rows.write_record(record).expect("memory takes everything");
    }
    String::from_utf8(rows.into_inner().expect("memory takes everything")).expect("cells are text")
}

/// The id of the event at a position where its sender gave it, and what a row is told that was known.
pub(super) fn known(ledger: &Ledger, position: Position) -> Result<(Option<EventId>, Became), LedgerError> {
    let (entry, leaf_hash) = ledger.entry_with_leaf(position)?;
    let id = (entry.id_by == IdBy::Sender).then_some(entry.id);
    Ok((id, Became::KnownAlready { position, leaf_hash, delivery: entry.delivery }))
}

/// A receipt as it was given, with what the log says read from there again.
///
/// # Errors
/// When an entry cannot be read.
pub fn told_again(ledger: &Ledger, kept: Kept) -> Result<Acknowledged, LedgerError> {
    let mut rows = Vec::with_capacity(kept.totals.rows as usize);
    let recorded = |row: u64, position: Position| {
        let (id, became) = known(ledger, position)?;
        let Became::KnownAlready { position, leaf_hash, .. } = became else { unreachable!() };
        Ok::<_, LedgerError>(AcknowledgedRow { row, id, became: Became::Recorded { position, leaf_hash } })
    };
    for it in kept.rows {
        match it {
            KeptRow::Recorded(row, position, count) => {
                for index in 0..count {
                    rows.push(recorded(row + index, Position(position.0 + index))?);
                }
            }
            KeptRow::Together(row, position, count) => {
                for index in 0..count {
                    rows.push(recorded(row + index, position)?);
                }
            }
            KeptRow::Known(row, position) => {
                let (id, became) = known(ledger, position)?;
                rows.push(AcknowledgedRow { row, id, became });
            }
            KeptRow::Not(row, id, faults, quarantine) => {
                rows.push(AcknowledgedRow { row, id, became: Became::not_recorded(faults, quarantine) });
            }
        }
    }
    Ok(Acknowledged {
        delivery: kept.delivery,
        delivered_by: kept.delivered_by,
        received_at: kept.received_at,
        rows,
        totals: kept.totals,
        gaps: kept.gaps,
        known_at: kept.known_at,
        checkpoint: kept.checkpoint,
    })
}

/// The receipt of a delivery of which the log says everything: single events that were recorded.
///
/// # Errors
/// When an entry cannot be read.
pub fn from_the_log(ledger: &Ledger, delivery: DeliveryId) -> Result<Option<Acknowledged>, LedgerError> {
    let entries = ledger.entries_of(delivery)?;
    let Some((first, _)) = entries.first() else { return Ok(None) };
    let mut rows = Vec::with_capacity(entries.len());
    for (row, (entry, leaf_hash)) in (1..).zip(&entries) {
        let became = Became::Recorded { position: entry.position, leaf_hash: *leaf_hash };
        rows.push(AcknowledgedRow { row, id: (entry.id_by == IdBy::Sender).then_some(entry.id), became });
    }
    let size = LogSize(first.position.0 + entries.len() as u64);
    Ok(Some(Acknowledged {
        delivery,
        delivered_by: first.delivered_by.clone(),
        received_at: first.recorded_at,
        totals: RowTotals::of(&rows),
        rows,
        gaps: Vec::new(),
        known_at: ledger.known_at(size),
        checkpoint: ledger.checkpoint(size)?,
    }))
}
