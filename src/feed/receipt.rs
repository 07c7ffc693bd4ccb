//! Receipts: what became of every row that was delivered.

use serde::Serialize;

use crate::decide::refusal::Refusal;
use crate::domain::person_number::without_person_numbers;
use crate::domain::time::Position;

/// What became of one row of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RowReceipt {
    /// The line of the file that the row begins on, counted from 1.
    pub row: u64,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The three things that can become of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is in the log now, and safe on disk.
    Recorded {
        /// Where.
        position: Position,
    },
    /// The same was in the log before; nothing was written.
    KnownAlready {
        /// Where.
        position: Position,
    },
    /// It is not recorded.
    Refused {
        /// Every reason that is known.
        faults: Vec<FaultInRow>,
    },
}

/// One reason why a row is not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultInRow {
    /// The stable code of the reason.
    pub code: &'static str,
    /// The column of the file or the field of the event; empty where it is the whole row.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Outcome {
    /// The outcome of a row that is not recorded.
    pub fn refused(refusals: &[Refusal], columns: bool) -> Self {
        let fault = |refusal: &Refusal| FaultInRow {
            code: refusal.code(),
            // The header may hold a column of ours that was given another name.
            field: without_person_numbers(&match columns {
                true => column(refusal.field()),
                false => refusal.field().to_owned(),
            }),
            problem: refusal.to_string(),
            remedy: refusal.remedy(),
        };
        Self::Refused { faults: refusals.iter().map(fault).collect() }
    }

    /// The name of the outcome in receipts.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "recorded",
            Self::KnownAlready { .. } => "known_already",
            Self::Refused { .. } => "refused",
        }
    }
}

/// The column that holds a field: `countsFrom` stands in `counts_from`.
fn column(field: &str) -> String {
    let mut column = String::with_capacity(field.len() + 4);
    for letter in field.chars() {
        if letter.is_ascii_uppercase() {
            column.push('_');
        }
        column.push(letter.to_ascii_lowercase());
    }
    column
}

/// How many rows became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// All rows.
    pub rows: u64,
    /// Those that are in the log now.
    pub recorded: u64,
    /// Those that were in the log before.
    pub known_already: u64,
    /// Those that are not recorded.
    pub refused: u64,
}

impl Totals {
    /// Counts one more row.
    pub fn add(&mut self, outcome: &Outcome) {
        self.rows += 1;
        match outcome {
            Outcome::Recorded { .. } => self.recorded += 1,
            Outcome::KnownAlready { .. } => self.known_already += 1,
            Outcome::Refused { .. } => self.refused += 1,
        }
    }
}
