//! Deliveries in: files become commands, and every row gets its receipt.
//!
//! A file is read row by row and recorded in groups, so that a million rows never sit in memory.
//! What looks like a person's number is refused before anything else is done with a row.

pub mod cloudevent;

pub mod csv;

pub mod parcel;

pub mod receipt;

use std::io;

use parcel::{Content, Parcel, Row};
use receipt::{Outcome, RowReceipt, Totals};

use crate::decide::command::Command;
use crate::decide::refusal::Refusal;
use crate::domain::source::{DeliveryId, Source};
use crate::ledger::{Batch, Ledger, LedgerError, Offered};

/// How many parcels are committed together: enough to share one sync to disk, few enough to hold.
const GROUP: usize = 4_096;

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
        let mut group = Vec::with_capacity(GROUP);
        while group.len() < GROUP {
            match parcels.next_parcel()? {
                Some(parcel) => group.push(parcel),
                None => break,
            }
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
    let outcome = loop {
        let Some(content) = &parcel.content else { break None };
        let (refusal, names) = match offer(batch, content) {
            Ok(Offered::Recorded(position)) => break Some(Outcome::Recorded { position }),
            Ok(Offered::Known(position)) => break Some(Outcome::KnownAlready { position }),
            Err(refusal) => {
                let names = refusal.municipality();
                (refusal, names)
            }
        };
        // One municipality that is at fault does not hold up the others of its list.
        let at_fault = names.and_then(|code| parcel.take_out(code));
        match at_fault {
            Some(row) => row.refusals.push(refusal),
            None => {
                let behind = parcel.rows.iter_mut().filter(|row| row.refusals.is_empty());
                behind.for_each(|row| row.refusals.push(refusal.clone()));
                break None;
            }
        }
    };
    let receipts = parcel.rows.into_iter().map(|row| {
        let outcome = match (&row.refusals[..], &outcome) {
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
