//! `peildatum witness`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::signing::read_note;
use super::{Failure, told_at};
use crate::ledger::{LedgerError, Outside};
use crate::proof::note::VerifierKey;
use crate::store::{self, Access};

/// Those who cosign checkpoints, so that the ledger cannot show two histories.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum witness add KEY
  peildatum witness list
  peildatum witness accept cosigned.checkpoint")]
pub struct Witness {
    #[command(subcommand)]
    command: WitnessCommand,
}

#[derive(Subcommand)]
enum WitnessCommand {
    /// Know a witness from now on.
    Add {
        /// Its verifier key, as it publishes it: NAME+ID+KEY, of type cosignature/v1 (0x04).
        key: String,
    },
    /// Show the witnesses that are known.
    List,
    /// Know a witness no longer. Its cosignatures stay and do not count.
    Remove {
        /// Its NAME+ID, or its whole key.
        name: String,
    },
    /// Keep the cosignatures of known witnesses on a checkpoint of this ledger.
    Accept {
        /// The checkpoint with their signatures.
        file: PathBuf,
    },
}

impl Witness {
    /// Does what was asked.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        let mut to = io::stdout().lock();
        match self.command {
            WitnessCommand::Add { key } => {
                // What was typed is not repeated: it may be a secret key by mistake.
                let key: VerifierKey = key
                    .trim()
                    .parse()
                    .map_err(|fault| Failure::WrongUse(format!("what was given {fault}")))?;
                store::add_witness(dir, &key).map_err(LedgerError::from)?;
                writeln!(to, "{} is known as a witness", key.name())?;
            }
            WitnessCommand::List => {
                for key in store::witnesses(dir).map_err(LedgerError::from)? {
                    writeln!(to, "{key}")?;
                }
            }
            WitnessCommand::Remove { name } => {
                let removed = store::remove_witness(dir, &name).map_err(LedgerError::from)?;
                writeln!(to, "{} is no longer known as a witness", removed.name())?;
            }
            WitnessCommand::Accept { file } => {
                let bytes = read_note(&file)?;
                let ledger = super::open(dir, Access::MustExist, Outside::machine())?;
                for (key, at) in ledger.accept(&bytes)? {
                    writeln!(to, "kept: cosigned by {}{}", key.name(), told_at(at))?;
                }
            }
        }
        Ok(())
    }
}
