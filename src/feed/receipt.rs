//! Receipts: what became of every row that was delivered.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::decide::refusal::Refusal;
use crate::domain::person_number::without_person_numbers;
use crate::domain::source::{DeliveryId, Source};
use crate::domain::time::Position;
use crate::ledger::{Checkpoint, KnownAtSize};

/// The receipt of a file, as `peildatum deliver --format json` prints it: for programs that read it.
///
/// The command itself writes it row by row, so that the receipt of a million rows is never held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// The name of the file, without anything that looks like a person's number.
    pub file: String,
    /// Who delivered it.
    pub delivered_by: Source,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What became of each row, in the order of the file.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub rows: Vec<RowReceipt>,
    /// The identity of the delivery.
    pub delivery: DeliveryId,
    /// How many rows became what.
    #[serde(deserialize_with = "crate::domain::object")]
    pub totals: Totals,
    /// The state of knowledge afterwards.
    #[serde(deserialize_with = "crate::domain::object")]
    pub known_at: KnownAtSize,
    /// The root afterwards; `null` where nothing was written.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub checkpoint: Option<Checkpoint>,
}

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

impl<'de> Deserialize<'de> for RowReceipt {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Serde cannot refuse unknown fields where a part is flattened, so the row is taken out.
        let mut fields = Map::deserialize(from)?;
        let row = fields.remove("row").ok_or_else(|| D::Error::missing_field("row"))?;
        let row = u64::deserialize(row).map_err(D::Error::custom)?;
        let outcome = Outcome::deserialize(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { row, outcome })
    }
}

/// The three things that can become of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
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
        #[serde(deserialize_with = "crate::domain::objects")]
        faults: Vec<FaultInRow>,
    },
}

/// One reason why a row is not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultInRow {
    /// The stable code of the reason.
    #[serde(deserialize_with = "known_code")]
    pub code: Code,
    /// The column of the file or the field of the event; empty where it is the whole row.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

/// One of [`Refusal::CODES`].
pub type Code = &'static str;

fn known_code<'de, D: Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
    let text = String::deserialize(from)?;
    let known = Refusal::CODES.iter().copied().find(|it| *it == text);
    known.ok_or_else(|| D::Error::custom("is not the code of a refusal"))
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

/// The column that holds a field: `countsFrom` stands in `counts_from`, and `turns18` in `turns_18`.
fn column(field: &str) -> String {
    let mut column = String::with_capacity(field.len() + 4);
    for letter in field.chars() {
        let after_a_digit = column.ends_with(|before: char| before.is_ascii_digit());
        if letter.is_ascii_uppercase() || letter.is_ascii_digit() && !after_a_digit {
            column.push('_');
        }
        column.push(letter.to_ascii_lowercase());
    }
    column
}

/// How many rows became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
