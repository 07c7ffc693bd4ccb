//! `peildatum history`.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;

use super::{Failure, Format};
use crate::domain::source::PlacementId;
use crate::domain::time::Position;
use crate::ledger::Outside;
use crate::report::{csv, table};
use crate::store::Access;

/// Everything that was recorded about one placement or entry, objections included, in the order in which it became known.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum history 018f3b1c-7d1e-4c55-9c53-3b1f0a7c2d11
  peildatum history --entry 81233")]
pub struct History {
    /// The id of the placement.
    #[arg(required_unless_present = "entry")]
    placement: Option<PlacementId>,
    /// The position of an entry: the history of its placement, or the entry and the objections to it.
    #[arg(long, value_name = "POSITION", conflicts_with = "placement")]
    entry: Option<u64>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl History {
    /// Prints the entries.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let entries = match (self.placement, self.entry) {
            (Some(placement), _) => ledger.history(placement)?,
            (None, position) => ledger.history_of_entry(Position(position.unwrap_or_default()))?,
        };
        if entries.is_empty() {
            return Err(Failure::Refused(
                "no such placement was recorded: look the id up in the receipt of its delivery".to_owned(),
            ));
        }
        let mut to = io::stdout().lock();
        match self.format {
            Format::Table => to.write_all(table::history(&entries).as_bytes())?,
            Format::Json => {
                serde_json::to_writer(&mut to, &entries)?;
                writeln!(to)?;
            }
            Format::Csv => csv::entries(&entries, to)?,
        }
        Ok(())
    }
}
