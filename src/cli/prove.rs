//! `peildatum prove`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use super::signing::Signing;
use crate::domain::time::{LogSize, Position};
use crate::ledger::Outside;
use crate::proof::inclusion::EntryProof;
use crate::store::Access;

/// Prove that an entry stands in the log, or that the log only grew.
///
/// For a position: a proof (C2SP tlog-proof) with the checkpoint that it is about, complete on its own
/// but for the entry, which `peildatum export` gives. For two sizes: the hashes that lead from the
/// older root to the newer one (RFC 6962), with both roots.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum prove 1000 > 1000.tlog-proof
  peildatum prove 1000 --checkpoint 2026-04-03.checkpoint
  peildatum prove --consistency 604 184562")]
pub struct Prove {
    /// The position of the entry, counted from 0.
    #[arg(required_unless_present = "consistency")]
    position: Option<u64>,
    /// Prove that the log of NEW entries begins with the log of OLD entries.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"],
          conflicts_with_all = ["position", "checkpoint", "key_file"])]
    consistency: Option<Vec<u64>>,
    /// A checkpoint that this ledger signed. Without it the log is signed as it is.
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

impl Prove {
    /// Prints the proof.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        if let Some(&[old, new]) = self.consistency.as_deref()
            && (old == 0 || old > new)
        {
            return Err(Failure::WrongUse(format!(
                "--consistency {old} {new}: the older size comes first and is at least 1; every log begins with the \
                 empty one, so of that there is nothing to prove"
            )));
        }
        let ledger = super::open(dir, Access::MustExist, Outside::machine())?;
        let proof = match (self.consistency.as_deref(), self.position) {
            (Some(&[old, new]), _) => ledger.consistency_proof(LogSize(old), LogSize(new))?.to_string(),
            (_, Some(position)) => {
                let checkpoint = self.signing.checkpoint(&ledger, self.checkpoint.as_deref())?;
                let size = LogSize(checkpoint.head().size);
                let mut proofs = ledger.inclusion_proofs([Position(position)], size)?;
                let proven = proofs.next().expect("one was asked for")?;
                EntryProof { index: proven.index, path: proven.path, checkpoint }.to_string()
            }
            _ => unreachable!("the arguments ask for one of the two"),
        };
        Ok(io::stdout().write_all(proof.as_bytes())?)
    }
}
