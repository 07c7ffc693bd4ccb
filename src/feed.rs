//! Deliveries in: files become commands, and every row gets its receipt.
//!
//! A file is read row by row and recorded in groups, so that a million rows never sit in memory.
//! What looks like a person's number is refused before anything else is done with a row.

pub mod cloudevent;

pub mod csv;

pub mod parcel;

pub mod receipt;

use std::collections::BTreeMap;
use std::io;

use parcel::{Content, Parcel, Row};
use receipt::{Outcome, RowReceipt, Totals};

use crate::decide::command::Command;
use crate::decide::refusal::Refusal;
use crate::domain::source::{DeliveryId, Source};
use crate::ledger::{Batch, Ledger, LedgerError, Offered};

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

/// Delivers all parcels and hands out a receipt for each row, in the order of the file, once what it
/// says is safe on disk.
///
/// # Errors
/// When reading, recording or writing the receipts fails. What was acknowledged before stays recorded, and the
/// same file can be sent again.
pub fn deliver(
    ledger: &mut Ledger,
    delivered_by: &Source,
    parcels: &mut dyn Parcels,
    to: &mut dyn FnMut(&RowReceipt, &Row) -> io::Result<()>,
) -> Result<(DeliveryId, Totals), FeedError> {
    let delivery = ledger.new_delivery();
    let mut totals = Totals::default();
    loop {
        let mut group = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < GROUP && bytes < GROUP_BYTES {
            let Some(parcel) = parcels.next_parcel()? else { break };
            let (more_rows, more_bytes) = parcel.size();
            (rows, bytes) = (rows + more_rows, bytes + more_bytes);
            group.push(parcel);
        }
        if group.is_empty() {
            return Ok((delivery, totals));
        }
        let mut batch = ledger.batch(delivery, delivered_by);
        let settled: Vec<_> = group.into_iter().flat_map(|parcel| settle(&mut batch, parcel)).collect();
        batch.commit()?;
        for (receipt, row) in &settled {
            totals.add(&receipt.outcome);
            to(receipt, row).map_err(FeedError::Receipt)?;
        }
    }
}

/// Offers a parcel to the ledger and gives each of its rows an outcome.
fn settle(batch: &mut Batch<'_>, mut parcel: Parcel) -> Vec<(RowReceipt, Row)> {
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
        let refusal = match offer(batch, content) {
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
    receipts.collect()
}

fn offer(batch: &mut Batch<'_>, content: &Content) -> Result<Offered, Refusal> {
    let command: Command = content.command();
    batch.offer(&content.identity, content.registered_at, &command)
}
