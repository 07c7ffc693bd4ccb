//! `peildatum export`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::signing::Signing;
use super::{Failure, tiles};
use crate::domain::time::Position;
use crate::ledger::{LedgerError, Outside};
use crate::report::number::grouped;
use crate::store::Access;

/// Write all entries as JSON Lines: the very bytes that were stored and hashed.
///
/// Or write the log as tiles (C2SP tlog-tiles), with a signed checkpoint, for programs of others that
/// check it.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum export --from 1000 | head -n 5
  peildatum export --tiles ./public")]
pub struct Export {
    /// The position of the first entry.
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    from: u64,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the log into this folder as tiles, or add to it what is new.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["from", "output"])]
    tiles: Option<PathBuf>,
    /// Only up to this checkpoint, which the ledger signed. Without it the log is signed as it is.
    #[arg(long, value_name = "FILE", requires = "tiles", conflicts_with = "key_file")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

impl Export {
    /// Writes the entries one after another.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        if let Some(dir) = &self.tiles {
            let checkpoint = self.signing.checkpoint(&ledger, self.checkpoint.as_deref())?;
            let before = tiles::export(&ledger, &checkpoint, dir)?;
            let new = grouped((checkpoint.head().size - before) as i64);
            writeln!(io::stdout(), "{new} entries were added as tiles in {}", dir.display())?;
            return Ok(());
        }
        if self.from > ledger.size().0 {
            return Err(LedgerError::NeverKnown { asked: self.from, size: ledger.size().0 }.into());
        }
        let to: Box<dyn Write> = match &self.output {
            None => Box::new(io::stdout().lock()),
            Some(path) => Box::new(File::create_new(path).map_err(|error| {
                Failure::Broken(format!("cannot write a new file {}: {error}", path.display()))
            })?),
        };
        let mut to = BufWriter::with_capacity(1 << 16, to);
        let mut failed = None;
        let read = ledger.lines(Position(self.from), ledger.size(), &mut |_, line| {
            to.write_all(line).and_then(|()| to.write_all(b"\n")).map_err(|error| {
                let said = error.to_string();
                failed = Some(error);
                said
            })
        });
        match (read, failed) {
            (_, Some(error)) => Err(error.into()),
            (Err(error), None) => Err(error.into()),
            (Ok(()), None) => Ok(to.flush()?),
        }
    }
}
