//! Where the secret key comes from when something is signed, and the signed checkpoints that a user names.

use std::env;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::ledger::{Ledger, LedgerError};
use crate::proof::checkpoint::{CheckpointFault, SignedCheckpoint};
use crate::proof::note::{MAX_NOTE, NoteFault, SignerKey, VerifierKey};
use crate::store::{self, SigningError};

/// The secret key itself, for where there is no file for it.
const KEY: &str = "PEILDATUM_KEY";
/// The file of the secret key.
const KEY_FILE: &str = "PEILDATUM_KEY_FILE";

/// The arguments of everything that signs, or takes a checkpoint that is signed already.
#[derive(Args)]
pub struct Signing {
    /// The file of the secret key.
    ///
    /// Without it: the key in the environment variable PEILDATUM_KEY, the file that
    /// PEILDATUM_KEY_FILE names, or the ledger's own `signing-key`.
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,
}

impl Signing {
    /// Signs the log as it is, and gives the key with which that was done.
    pub fn sign_with(&self, ledger: &Ledger) -> Result<(SignedCheckpoint, SignerKey), Failure> {
        // A ledger without a key says so, whatever key is at hand.
        ledger.verifier_key()?;
        let key = self.key(ledger)?;
        Ok((ledger.signed_checkpoint(&key)?, key))
    }

    /// Signs the log as it is.
    pub fn sign(&self, ledger: &Ledger) -> Result<SignedCheckpoint, Failure> {
        Ok(self.sign_with(ledger)?.0)
    }

    /// The checkpoint of a file, if one is named, which needs no key; the log as it is, signed, if none is.
    pub fn checkpoint(&self, ledger: &Ledger, file: Option<&Path>) -> Result<SignedCheckpoint, Failure> {
        let Some(file) = file else { return self.sign(ledger) };
        let checkpoint = read_checkpoint(file, &ledger.verifier_key()?)?;
        ledger.is_of_this_log(checkpoint.head())?;
        Ok(checkpoint)
    }

    /// The key that a server signs with: none where the ledger has none, or its secret is not at hand. A file that is named
    /// must be there.
    pub fn at_hand(&self, ledger: &Ledger) -> Result<Option<SignerKey>, Failure> {
        match (ledger.verifier_key(), self.key(ledger)) {
            (Ok(_), Err(error)) if self.key_file.is_some() => Err(error.into()),
            (Ok(_), key) => Ok(key.ok()),
            (Err(_), _) => Ok(None),
        }
    }

    fn key(&self, ledger: &Ledger) -> Result<SignerKey, LedgerError> {
        if let Some(path) = &self.key_file {
            return Ok(store::read_secret(path)?);
        }
        let set = |name| env::var_os(name).filter(|text| !text.is_empty());
        if let Some(text) = set(KEY) {
            // What it holds is never repeated, since it should be a secret.
            let key = text.to_string_lossy().trim_end().parse();
            let what = format!("the environment variable {KEY}");
            return Ok(key.map_err(|fault| SigningError::NotAKey { what, fault })?);
        }
        match set(KEY_FILE) {
            Some(path) => Ok(store::read_secret(Path::new(&path))?),
            None => ledger.own_secret(),
        }
    }
}

/// Reads the bytes of a note, and no more than a note can have.
pub fn read_note(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|from| from.take(MAX_NOTE as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::Broken(format!("cannot read {}: {error}", file.display()))),
    }
}

/// Reads a checkpoint that a key must have signed.
pub fn read_checkpoint(file: &Path, key: &VerifierKey) -> Result<SignedCheckpoint, Failure> {
    SignedCheckpoint::verify(&read_note(file)?, key).map_err(|fault| not_accepted(file, &fault))
}

/// What to say about a file that is no checkpoint, or is not by whom it should be.
pub fn not_accepted(file: &Path, fault: &CheckpointFault) -> Failure {
    let (said, remedy) = (format!("{} {fault}", file.display()), remedy(fault));
    match fault {
        CheckpointFault::Form | CheckpointFault::Note(NoteFault::Form(_)) => {
            Failure::Broken(format!("{said}; {remedy}"))
        }
        _ => Failure::Refused(format!("{said}; {remedy}")),
    }
}

fn remedy(fault: &CheckpointFault) -> &'static str {
    match fault {
        CheckpointFault::Form | CheckpointFault::Note(NoteFault::Form(_)) => {
            "give the file as `peildatum checkpoint` printed it"
        }
        CheckpointFault::Origin { .. } | CheckpointFault::Note(NoteFault::NotSigned(_)) => {
            "name the ledger that it is of with --ledger, or its key with --key"
        }
        CheckpointFault::Note(NoteFault::Wrong { .. }) => {
            "do not rely on it, and ask whoever gave it for the file as it was signed"
        }
    }
}
