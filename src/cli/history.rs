//! `peildatum history`.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;

use super::{Failure, Format};
use crate::domain::source::PlacementId;
use crate::ledger::Outside;
use crate::report::{csv, table};
use crate::store::Access;

/// Everything that was recorded about one placement, in the order in which it became known.
#[derive(Args)]
#[command(after_help = "Example:
  peildatum history 018f3b1c-7d1e-4c55-9c53-3b1f0a7c2d11")]
pub struct History {
    /// The id of the placement.
    placement: PlacementId,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl History {
    /// Prints the entries.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let entries = ledger.history(self.placement)?;
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
