//! What an organisation gets back for what it sent to a running server, and what is kept of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::receipt::FaultInRow;
use crate::domain::source::{DeliveryId, EventId, Source};
use crate::domain::time::{Position, RecordedAt};
use crate::ledger::{Checkpoint, KnownAtSize};
use crate::proof::content::ContentHash;
use crate::proof::merkle::Hash;

/// The receipt of a delivery: what became of every row, safe on disk, with the log right after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledged {
    /// The identity of the delivery.
    pub delivery: DeliveryId,
    /// Who delivered it.
    pub delivered_by: Source,
    /// When it was taken in.
    pub received_at: RecordedAt,
    /// What became of each row, in the order of the delivery.
    pub rows: Vec<AcknowledgedRow>,
    /// How many rows became what.
    pub totals: RowTotals,
    /// What is missing between the numbers that a source gave to its events.
    pub gaps: Vec<Gap>,
    /// The state of knowledge right after.
    pub known_at: KnownAtSize,
    /// The root right after: with it anybody can prove later that these entries were there.
    pub checkpoint: Checkpoint,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AcknowledgedRow {
    /// The line of a file on which the row begins, or its place in a list of events; counted from 1.
    pub row: u64,
    /// The id that the sender gave to the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// What became of it.
    #[serde(flatten)]
    pub became: Became,
}

/// The four things that can become of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Became {
    /// It is in the log now.
    Recorded {
        /// Where.
        position: Position,
        /// The leaf hash of its entry (RFC 6962).
        leaf_hash: Hash,
    },
    /// The same was in the log before.
    KnownAlready {
        /// Where.
        position: Position,
        /// The leaf hash of its entry (RFC 6962).
        leaf_hash: Hash,
        /// The delivery that brought it.
        delivery: DeliveryId,
    },
    /// The identity is in use for something else.
    Conflict {
        /// Every reason that is known.
        faults: Vec<FaultInRow>,
        /// Where it waits in quarantine.
        quarantine: Uuid,
    },
    /// It is not recorded.
    Refused {
        /// Every reason that is known.
        faults: Vec<FaultInRow>,
        /// Where it waits in quarantine.
        quarantine: Uuid,
    },
}

/// The codes of refusals that say that an identity is in use for something else.
const CONFLICTS: [&str; 3] = ["event-id-in-use", "placement-id-in-use", "objection-id-in-use"];

impl Became {
    /// What becomes of a row with these faults.
    pub fn not_recorded(faults: Vec<FaultInRow>, quarantine: Uuid) -> Self {
        match faults.iter().any(|fault| CONFLICTS.contains(&fault.code)) {
            true => Self::Conflict { faults, quarantine },
            false => Self::Refused { faults, quarantine },
        }
    }
}

/// How many rows became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowTotals {
    /// All rows.
    pub rows: u64,
    /// Those that are in the log now.
    pub recorded: u64,
    /// Those that were in the log before.
    pub known_already: u64,
    /// Those whose identity is in use for something else.
    pub conflict: u64,
    /// Those that are refused for another reason.
    pub refused: u64,
}

impl RowTotals {
    /// The totals of these rows.
    pub fn of(rows: &[AcknowledgedRow]) -> Self {
        let mut totals = Self::default();
        for row in rows {
            totals.rows += 1;
            *match row.became {
                Became::Recorded { .. } => &mut totals.recorded,
                Became::KnownAlready { .. } => &mut totals.known_already,
                Became::Conflict { .. } => &mut totals.conflict,
                Became::Refused { .. } => &mut totals.refused,
            } += 1;
        }
        totals
    }
}

/// Numbers that a source skipped and has not sent since: something may have been lost on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The source.
    pub source: Source,
    /// The first number that is missing.
    pub from: u64,
    /// The last number that is missing.
    pub to: u64,
}

/// What is kept of a receipt. What the log says itself is read from there again: leaf hashes and the ids of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The identity of the delivery.
    pub delivery: DeliveryId,
    /// Who delivered it.
    pub delivered_by: Source,
    /// When it was taken in.
    pub received_at: RecordedAt,
    /// The SHA-256 of what was sent, where the sender gave a key.
    pub digest: Option<ContentHash>,
    /// What became of the rows.
    pub rows: Vec<KeptRow>,
    /// What was missing.
    pub gaps: Vec<Gap>,
    /// How many rows became what.
    pub totals: RowTotals,
    /// The log right after.
    pub known_at: KnownAtSize,
    /// The root right after.
    pub checkpoint: Checkpoint,
}

/// Rows in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeptRow {
    /// So many rows, one behind the other, at so many positions, one behind the other.
    Recorded(u64, Position, u64),
    /// As many rows at one position: a list that became one entry.
    Together(u64, Position, u64),
    /// A row that was known.
    Known(u64, Position),
    /// A row that is not recorded.
    Not(u64, Option<EventId>, Vec<FaultInRow>, Uuid),
}

/// The rows of a receipt in short.
pub fn shortened(rows: &[AcknowledgedRow]) -> Vec<KeptRow> {
    let mut short: Vec<KeptRow> = Vec::new();
    for row in rows {
        let number = row.row;
        match &row.became {
            Became::Recorded { position, .. } => match short.last_mut() {
                Some(KeptRow::Recorded(first, at, count))
                    if *first + *count == number && at.0 + *count == position.0 =>
                {
                    *count += 1;
                }
                Some(KeptRow::Together(first, at, count)) if *first + *count == number && at == position => {
                    *count += 1;
                }
                Some(KeptRow::Recorded(first, at, 1)) if *first + 1 == number && at == position => {
                    let together = KeptRow::Together(*first, *position, 2);
                    short.pop();
                    short.push(together);
                }
                _ => short.push(KeptRow::Recorded(number, *position, 1)),
            },
            Became::KnownAlready { position, .. } => short.push(KeptRow::Known(number, *position)),
            Became::Conflict { faults, quarantine } | Became::Refused { faults, quarantine } => {
                short.push(KeptRow::Not(number, row.id, faults.clone(), *quarantine));
            }
        }
    }
    short
}
