//! The second half of the intake: what was decided becomes durable, is kept, and is answered.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use csv::StringRecord;
use uuid::Uuid;

use super::{Answer, Desk, NotTaken, Telling, Watching, desk};
use crate::domain::access::Oin;
use crate::domain::source::{DeliveryId, EventId, Source};
use crate::domain::time::{LogSize, Position, RecordedAt};
use crate::feed::acknowledged::{Acknowledged, AcknowledgedRow, Became, RowTotals};
use crate::feed::parcel::{Raw, Row};
use crate::feed::receipt::{FaultInRow, Outcome, RowReceipt};
use crate::ledger::{Batch, Checkpoint, Ledger, LedgerError, Stopwatch, Ticket};
use crate::proof::content::ContentHash;
use crate::proof::merkle::Hash;

/// A delivery that was decided about and is on its way to the disk.
pub(super) struct Decided {
    pub ticket: Ticket,
    pub delivery: DeliveryId,
    pub owner: Oin,
    pub delivered_by: Source,
    pub received_at: RecordedAt,
    pub rows: Vec<DecidedRow>,
    pub header: Option<StringRecord>,
    pub numbered: Vec<(Source, u64)>,
    pub key: Option<(Uuid, ContentHash)>,
    pub keep: bool,
    pub mends: Option<Uuid>,
    pub also: Also,
    pub taken: Stopwatch,
}

/// A row that was decided about.
pub(super) struct DecidedRow {
    pub row: u64,
    pub id: Option<EventId>,
    pub became: Decision,
}

/// What was decided about a row.
pub(super) enum Decision {
    Recorded(Position, Hash),
    Known(Position),
    Not(Vec<FaultInRow>, Raw),
}

impl DecidedRow {
    pub fn of(batch: &Batch<'_>, id: Option<EventId>, receipt: RowReceipt, row: Row) -> Self {
        let became = match receipt.outcome {
            Outcome::Recorded { position } => Decision::Recorded(position, batch.leaf(position)),
            Outcome::KnownAlready { position } => Decision::Known(position),
            Outcome::Refused { faults } => Decision::Not(faults, row.raw.cleaned()),
        };
        Self { row: receipt.row, id, became }
    }
}

/// All who wait for the same receipt.
#[derive(Clone)]
pub(super) struct Also(Arc<Mutex<Waiters>>);

enum Waiters {
    Waiting(Vec<Answer>),
    Answered(Result<Arc<Acknowledged>, NotTaken>),
}

impl Default for Also {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Waiters::Waiting(Vec::new()))))
    }
}

impl Also {
    /// One more who waits, or is answered at once.
    pub fn push(&self, answer: Answer) {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Waiters::Waiting(answers) => answers.push(answer),
            Waiters::Answered(result) => answer(result.clone().map(|receipt| (receipt, true))),
        }
    }

    pub fn is_answered(&self) -> bool {
        matches!(*self.0.lock().unwrap_or_else(PoisonError::into_inner), Waiters::Answered(_))
    }

    /// Answers all. The first is whose delivery it was; the others sent the same.
    fn answer(&self, result: Result<Arc<Acknowledged>, NotTaken>) {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Waiters::Waiting(answers) = &mut *waiters {
            for (index, answer) in std::mem::take(answers).into_iter().enumerate() {
                answer(result.clone().map(|receipt| (receipt, index > 0)));
            }
        }
        *waiters = Waiters::Answered(result);
    }
}

/// Whoever waits is told also when deciding or acknowledging broke down.
impl Drop for Decided {
    fn drop(&mut self) {
        if !self.also.is_answered() {
            self.also.answer(Err(NotTaken::Broken("the server cannot record any more".to_owned())));
        }
    }
}

/// Acknowledges group after group, until nothing comes any more or something breaks.
pub(super) fn acknowledge_all(
    ledger: &RwLock<Ledger>,
    desk: &Mutex<Desk>,
    watching: &dyn Watching,
    decided: &Receiver<Vec<Decided>>,
) {
    let _telling = Telling(watching);
    while let Ok(group) = decided.recv() {
        if let Err(error) = acknowledge(ledger, desk, watching, group) {
            watching.broken(&error.to_string());
            return;
        }
    }
}

fn acknowledge(
    ledger: &RwLock<Ledger>,
    desk: &Mutex<Desk>,
    watching: &dyn Watching,
    mut group: Vec<Decided>,
) -> Result<(), LedgerError> {
    let mut heads = Vec::with_capacity(group.len());
    for it in &mut group {
        let ticket = std::mem::take(&mut it.ticket);
        let head = ticket.wait()?.expect("a server does not rehearse");
        let recorded = it.rows.iter().filter(|row| matches!(row.became, Decision::Recorded(..))).count();
        watching.appended(recorded as u64, it.taken.elapsed().as_secs_f64());
        heads.push(head);
    }
    let mut receipts = Vec::with_capacity(group.len());
    {
        let ledger = ledger.read().unwrap_or_else(PoisonError::into_inner);
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        for (it, head) in group.iter_mut().zip(heads) {
            receipts.push(Arc::new(receipt(&ledger, &mut desk, it, head)?));
        }
        desk.sync()?;
    }
    for (it, receipt) in group.into_iter().zip(receipts) {
        watching.acknowledged(&receipt);
        it.also.answer(Ok(receipt));
    }
    Ok(())
}

/// The receipt of a delivery. What it says beyond the log is kept.
fn receipt(
    ledger: &Ledger,
    desk: &mut Desk,
    it: &mut Decided,
    checkpoint: Checkpoint,
) -> Result<Acknowledged, LedgerError> {
    let mut rows = Vec::with_capacity(it.rows.len());
    let mut waits = false;
    for DecidedRow { row, id, became } in std::mem::take(&mut it.rows) {
        let became = match became {
            Decision::Recorded(position, leaf_hash) => Became::Recorded { position, leaf_hash },
            Decision::Known(position) => desk::known(ledger, position)?.1,
            Decision::Not(faults, raw) => {
                waits = true;
                let place = desk::Place { delivery: it.delivery, row, at: it.received_at };
                // What is mended and refused again stays where it was.
                let quarantine =
                    desk.quarantine(it.owner, it.mends, place, it.header.as_ref(), &raw, &faults)?;
                Became::not_recorded(faults, quarantine)
            }
        };
        rows.push(AcknowledgedRow { row, id, became });
    }
    if let Some(mended) = it.mends
        && !waits
    {
        desk.take_out_of_quarantine(it.owner, mended)?;
    }
    let gaps = desk.seen(it.owner, &it.delivered_by, it.received_at, &it.numbered)?;
    let acknowledged = Acknowledged {
        delivery: it.delivery,
        delivered_by: it.delivered_by.clone(),
        received_at: it.received_at,
        totals: RowTotals::of(&rows),
        rows,
        gaps,
        known_at: ledger.known_at(LogSize(checkpoint.size)),
        checkpoint,
    };
    if it.keep || waits || it.key.is_some() {
        desk.keep_receipt(it.owner, it.key, &acknowledged)?;
    }
    Ok(acknowledged)
}
