//! Deliveries in: files become commands, and every row gets its receipt.
//!
//! A file is read row by row and recorded in groups, so that a million rows never sit in memory.
//! What looks like a person's number is refused before anything else is done with a row. The one that a placement may bring
//! becomes a token before that.

pub mod acknowledged;

pub mod cloudevent;

pub mod csv;

pub mod faults;

pub mod intake;

mod separated;

pub mod own_list;

pub mod plan;

pub mod parcel;

pub mod pieces;

pub mod pseudonym;

pub mod question;

pub mod receipt;

pub mod scenario;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::mpsc::{SyncSender, TryRecvError, sync_channel};
use std::thread;

use parcel::{Content, Parcel, Row};
use pseudonym::pseudonymise;
use receipt::{Outcome, RowReceipt, Totals};

use crate::decide::refusal::Refusal;
use crate::domain::source::{DeliveryId, Source};
use crate::ledger::{Batch, Ledger, LedgerError, Offered, Ticket};
use crate::store::links::LinksError;

/// How many rows are committed together: enough to share one sync to disk, few enough to hold.
const GROUP: usize = 4_096;
/// How many bytes of rows are held together, whatever their number.
const GROUP_BYTES: usize = 8 << 20;

/// A file that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The disk or pipe failed.
    #[error("cannot read the delivery: {0}")]
    Read(#[from] io::Error),
    /// The header does not say what kind of file it is.
    #[error("{0}")]
    Header(String),
    /// The ledger could not record it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A person's number cannot be turned into a token.
    #[error(transparent)]
    Links(#[from] LinksError),
    /// Whoever takes the receipts cannot write them.
    #[error("cannot write the receipt: {0}")]
    Receipt(io::Error),
}

/// What a delivery is read from: the rows of a file, gathered into parcels.
pub trait Parcels {
    /// The next parcel, or nothing at the end of the file.
    ///
    /// # Errors
    /// When the disk or pipe fails. A row that cannot be understood is a parcel with its refusal.
    fn next_parcel(&mut self) -> io::Result<Option<Parcel>>;
}

impl Parcels for Box<dyn Parcels + Send> {
    fn next_parcel(&mut self) -> io::Result<Option<Parcel>> {
        (**self).next_parcel()
    }
}

/// What a sender is told while a file is delivered.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// What became of a row.
    Row(&'a RowReceipt, &'a Row),
    /// Nothing more before the sender sends more: what was held back goes out now.
    Pause,
}

/// Delivers all parcels and hands out a receipt for each row, in the order of the file, once what it
/// says is safe on disk.
///
/// Three threads work at the same time: one reads and checks the rows, this one decides about them, and the
/// ledger's own writes. Each hands on groups of rows in the order of the file, and only a few are under way.
///
/// # Errors
/// When reading, recording or writing the receipts fails. What was acknowledged before stays recorded, and the
/// same file can be sent again.
pub fn deliver(
    ledger: &mut Ledger,
    delivered_by: &Source,
    mut parcels: impl Parcels + Send + 'static,
    to: &mut dyn FnMut(Told<'_>) -> io::Result<()>,
) -> Result<(DeliveryId, Totals), FeedError> {
    let delivery = ledger.new_delivery();
    let mut totals = Totals::default();
    let (groups, read) = sync_channel(READ_AHEAD);
    // Nobody waits for this thread: when something fails here, it may be waiting for a sender who sends no more.
    thread::spawn(move || read_groups(&mut parcels, &groups));
    let mut under_way = VecDeque::new();
    loop {
        let group = match read.try_recv() {
            // Whoever has sent no more for a moment gets the receipts of what was sent.
            Err(TryRecvError::Empty) => {
                acknowledge(&mut under_way, 0, &mut totals, to)?;
                to(Told::Pause).map_err(FeedError::Receipt)?;
                read.recv().ok()
            }
            group => group.ok(),
        };
        let group = match group {
            Some(Ok(mut group)) => {
                pseudonymise(&mut group, ledger.links())?;
                group
            }
            ended => {
                acknowledge(&mut under_way, 0, &mut totals, to)?;
                return match ended {
                    Some(Err(error)) => Err(error.into()),
                    _ => Ok((delivery, totals)),
                };
            }
        };
        let mut batch = ledger.batch(delivery, delivered_by);
        let mut settled = Vec::new();
        for parcel in group {
            settle(&mut batch, parcel, &mut settled)?;
        }
        under_way.push_back((batch.submit()?, settled));
        acknowledge(&mut under_way, WRITTEN_BEHIND, &mut totals, to)?;
    }
}

/// How many groups may wait to be decided about, and how many to be written.
const READ_AHEAD: usize = 1;
const WRITTEN_BEHIND: usize = 2;

/// Reads parcels in groups and hands them on, until the end of the file or until nobody takes them any more.
fn read_groups(parcels: &mut dyn Parcels, groups: &SyncSender<io::Result<Vec<Parcel>>>) {
    loop {
        let mut group = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < GROUP && bytes < GROUP_BYTES {
            match parcels.next_parcel() {
                Ok(Some(parcel)) => {
                    let (more_rows, more_bytes) = parcel.size();
                    (rows, bytes) = (rows + more_rows, bytes + more_bytes);
                    group.push(parcel);
                }
                Ok(None) => break,
                // The rows of the group that was begun are not recorded: whoever mends the file sends it again.
                Err(error) => {
                    let _ = groups.send(Err(error));
                    return;
                }
            }
        }
        if group.is_empty() || groups.send(Ok(group)).is_err() {
            return;
        }
    }
}

/// Waits for the oldest groups, until no more than `left` are under way, and hands out their receipts.
fn acknowledge(
    under_way: &mut VecDeque<(Ticket, Vec<(RowReceipt, Row)>)>,
    left: usize,
    totals: &mut Totals,
    to: &mut dyn FnMut(Told<'_>) -> io::Result<()>,
) -> Result<(), FeedError> {
    while under_way.len() > left
        && let Some((ticket, settled)) = under_way.pop_front()
    {
        ticket.wait()?;
        for (receipt, row) in &settled {
            totals.add(&receipt.outcome);
            to(Told::Row(receipt, row)).map_err(FeedError::Receipt)?;
        }
    }
    Ok(())
}

/// Offers a parcel to the ledger and gives each of its rows an outcome.
fn settle(
    batch: &mut Batch<'_>,
    mut parcel: Parcel,
    settled: &mut Vec<(RowReceipt, Row)>,
) -> Result<(), LedgerError> {
    assert!(parcel.person.is_none(), "a number has no token yet");
    // A row of a list that was recorded before is known, whatever stands around it now: so a list that is
    // sent again with one row mended brings that row and takes nothing back.
    let mut known = BTreeMap::new();
    for (code, row, command) in parcel.single_numbers() {
        if let Some(position) = batch.row_known(&command) {
            parcel.take_out(code);
            known.insert(row, position);
        }
    }
    let outcome = loop {
        let Some(content) = &parcel.content else { break None };
        let refusal = match offer(batch, content)? {
            Ok(Offered::Recorded(position)) => break Some(Outcome::Recorded { position }),
            Ok(Offered::Known(position)) => break Some(Outcome::KnownAlready { position }),
            Err(refusal) => refusal,
        };
        // One municipality that is at fault does not hold up the others of its list.
        let at_fault = refusal.municipality().and_then(|code| parcel.take_out(code));
        match at_fault {
            Some(row) => row.refusals.push(refusal),
            None => {
                let rows = parcel.rows.iter_mut().enumerate();
                let behind =
                    rows.filter(|(index, row)| row.refusals.is_empty() && !known.contains_key(index));
                behind.map(|(_, row)| row).for_each(|row| row.refusals.push(refusal.clone()));
                break None;
            }
        }
    };
    let receipts = parcel.rows.into_iter().enumerate().map(|(index, row)| {
        let known = known.get(&index).map(|&position| Outcome::KnownAlready { position });
        let outcome = match (&row.refusals[..], known.as_ref().or(outcome.as_ref())) {
            ([], Some(outcome)) => outcome.clone(),
            (refusals, _) => Outcome::refused(refusals, row.columns()),
        };
        (RowReceipt { row: row.number, outcome }, row)
    });
    settled.extend(receipts);
    Ok(())
}

fn offer(batch: &mut Batch<'_>, content: &Content) -> Result<Result<Offered, Refusal>, LedgerError> {
    batch.offer(&content.identity, content.registered_at, &content.command())
}
