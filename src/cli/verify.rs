//! `peildatum verify`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::signing::{not_accepted, read_checkpoint};
use super::{Failure, counting_bar, told_at};
use crate::ledger::LedgerError;
use crate::proof::checkpoint::{CheckpointFault, SignedCheckpoint};
use crate::report::number::grouped;
use crate::report::table::wrapped;
use crate::store::{AuditChain, SigningError};
use crate::{ledger, store};

/// Read journal, events and audit record again, compute every hash, and say what is wrong where.
///
/// With a checkpoint: hash the journal, and hold it against what was signed then. That shows what no
/// copy within the ledger can: whether somebody changed all of them alike.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum verify
  peildatum verify --checkpoint 2026-04-03.checkpoint
  peildatum verify --repair")]
pub struct Verify {
    /// Build the copy that does not agree with the checkpoint again from the one that does. What was
    /// there is set aside, never thrown away.
    #[arg(long)]
    repair: bool,
    /// A checkpoint that the ledger signed.
    #[arg(long, value_name = "FILE", conflicts_with = "repair")]
    checkpoint: Option<PathBuf>,
    /// The verifier key that must have signed it. Without it: the one in the ledger's folder.
    #[arg(long, value_name = "KEY", requires = "checkpoint")]
    key: Option<String>,
}

impl Verify {
    /// Prints the root, or what is wrong.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        if let Some(file) = &self.checkpoint {
            return against(dir, file, self.key.as_deref());
        }
        if self.repair {
            for note in store::repair(dir)? {
                writeln!(io::stdout(), "{note}")?;
            }
        }
        let bar = counting_bar("entries verified");
        let verified = ledger::verify(dir, &mut |read| bar.set_position(read));
        bar.finish_and_clear();
        let verified = verified?;
        let audit = store::verify_audit(dir)?;
        let mut to = io::stdout().lock();
        let of_audit = audit.iter().flat_map(|audit| &audit.findings);
        let mut found = 0;
        for finding in verified.findings.iter().chain(of_audit) {
            writeln!(to, "{finding}")?;
            found += 1;
        }
        if let Some(audit) = &audit {
            to.write_all(wrapped(&told(audit)).as_bytes())?;
        }
        let entries = grouped(verified.size as i64);
        match verified.is_whole() {
            true => {
                writeln!(to, "{entries} entries; journal, events and checkpoint agree")?;
                writeln!(to, "root {}", verified.root)?;
            }
            false => writeln!(to, "{entries} entries are proven; root {}", verified.root)?,
        }
        match (found, verified.is_whole()) {
            (0, _) => Ok(()),
            (1, true) => Err(Failure::Broken("the audit record is not whole: 1 finding".to_owned())),
            (_, true) => Err(Failure::Broken(format!("the audit record is not whole: {found} findings"))),
            (_, false) => Err(Failure::Broken(format!("the ledger is not whole: {found} findings"))),
        }
    }
}

/// What there is of the audit record. The hash of its last line, kept elsewhere, shows later that it was not written anew.
fn told(audit: &AuditChain) -> String {
    let Some([(first, since), (last, until)]) = audit.ends else {
        return "The audit record holds no lines.".to_owned();
    };
    let before = match first {
        0 => String::new(),
        _ => format!(" The {} before them were removed.", grouped(first as i64)),
    };
    let what = if audit.findings.is_empty() {
        "each follows on the one before it"
    } else {
        "not as they were written"
    };
    format!(
        "Audit record: lines {} to {}, from {since} to {until}, {what}.{before} The last is {}",
        grouped(first as i64),
        grouped(last as i64),
        audit.hash
    )
}

/// Holds the journal against a signed checkpoint.
fn against(dir: &Path, file: &Path, key: Option<&str>) -> Result<(), Failure> {
    let key = match key {
        // What was typed is not repeated: it may be a secret key by mistake.
        Some(text) => text.trim().parse().map_err(|fault| Failure::WrongUse(format!("--key {fault}")))?,
        None => {
            let own = store::verifier_key(dir).map_err(LedgerError::from)?;
            own.ok_or(LedgerError::Signing(SigningError::NoKey))?
        }
    };
    let mut checkpoint = read_checkpoint(file, &key)?;
    let mut witnesses = store::witnesses(dir).map_err(LedgerError::from)?;
    let not_accepted = |fault| not_accepted(file, &CheckpointFault::Note(fault));
    checkpoint.cosigned(&witnesses).map_err(not_accepted)?;
    compare(dir, file, &checkpoint)?;
    // What lies in the ledger is no part of the file, and says nothing against it.
    store::with_cosignatures(dir, &mut checkpoint).map_err(LedgerError::from)?;
    let cosigned = checkpoint.cosigned(&witnesses).map_err(not_accepted)?;

    let mut to = io::stdout().lock();
    for signed in &cosigned {
        writeln!(to, "cosigned by {}{}", signed.by.name(), told_at(signed.at))?;
    }
    witnesses.push(key);
    for signature in checkpoint.note().unknown(&witnesses) {
        writeln!(
            to,
            "passed over: a signature by {}+{}, a key not known here",
            signature.name, signature.id
        )?;
    }
    Ok(())
}

fn compare(dir: &Path, file: &Path, checkpoint: &SignedCheckpoint) -> Result<(), Failure> {
    let (head, file) = (checkpoint.head(), file.display());
    let bar = counting_bar("entries hashed");
    let journal = store::root_of_journal(dir, head.size, &mut |hashed| bar.set_position(hashed));
    bar.finish_and_clear();
    let journal = journal?;
    let [stated, there] = [head.size, journal.size].map(|it| grouped(it as i64));
    match journal.root {
        Some(root) if root == head.root => {
            let mut to = io::stdout().lock();
            writeln!(to, "{stated} entries of the journal are those that {} signed", head.origin)?;
            writeln!(to, "root {root}")?;
            Ok(())
        }
        Some(root) => Err(Failure::Broken(format!(
            "the first {stated} entries of the journal are others than those that were signed: entries were changed, dropped or \
             slipped in; {file} states root {}, and theirs is {root}. Keep the file and this ledger as they are, run \
             `peildatum verify`, and compare with a backup",
            head.root
        ))),
        None => Err(Failure::Broken(format!(
            "{file} states {stated} entries and the journal holds {there}: those behind are gone, or this is an older copy of the \
             ledger. Run `peildatum verify`, and restore a backup that holds them"
        ))),
    }
}
