//! `peildatum backup` and `peildatum restore`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::proof::merkle::Hash;
use crate::report::number::grouped;
use crate::store;

/// Copy the journal of the ledger to a new folder, also while the ledger is in use.
#[derive(Args)]
#[command(after_help = "Example:
  peildatum backup /mnt/backup/2026-04-03")]
pub struct Backup {
    /// The folder to copy to; it must be absent or empty.
    dir: PathBuf,
}

impl Backup {
    /// Copies and says how much.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let head = store::backup(ledger, &self.dir)?;
        said(head.size, head.root, &self.dir)
    }
}

/// Put a backup back into a new ledger folder.
#[derive(Args)]
#[command(after_help = "Example:
  peildatum restore /mnt/backup/2026-04-03 --ledger ./ledger-restored")]
pub struct Restore {
    /// The folder that `peildatum backup` wrote. The folder of the ledger must be absent or empty.
    dir: PathBuf,
}

impl Restore {
    /// Copies, and opens what was copied, so that a backup that is not whole is found at once.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        store::restore(&self.dir, ledger)?;
        let opened = super::open(ledger, store::Access::MustExist, crate::ledger::Outside::machine())?;
        let checkpoint = opened.checkpoint(opened.size())?;
        opened.close()?;
        said(checkpoint.size, checkpoint.root, ledger)
    }
}

/// Not by `println!`, which panics when the reader of the pipe has gone.
fn said(size: u64, root: Hash, dir: &Path) -> Result<(), Failure> {
    let entries = grouped(size as i64);
    Ok(writeln!(io::stdout(), "{entries} entries are in {}; their root is {root}", dir.display())?)
}
