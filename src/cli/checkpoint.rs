//! `peildatum checkpoint`.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;

use super::Failure;
use super::signing::Signing;
use crate::ledger::Outside;
use crate::store::Access;

/// Sign the log as it is: its name, how many entries it has and their root.
///
/// Prints a checkpoint (C2SP tlog-checkpoint) with the cosignatures that there are of it. Nothing is
/// signed that contradicts what was signed before.
#[derive(Args)]
#[command(after_help = "Example:
  peildatum checkpoint > 2026-04-03.checkpoint")]
pub struct CheckpointArgs {
    #[command(flatten)]
    signing: Signing,
}

impl CheckpointArgs {
    /// Prints the checkpoint.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        let ledger = super::open(dir, Access::MustExist, Outside::machine())?;
        let signed = self.signing.sign(&ledger)?;
        Ok(write!(io::stdout(), "{signed}")?)
    }
}
