//! `peildatum dossier` and `peildatum verify-dossier`.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use super::signing::Signing;
use super::statement::area;
use crate::book::statement::Reading;
use crate::domain::time::{Day, LogSize, ReferenceDate};
use crate::ledger::{KnownAt, Outside};
use crate::proof::note::VerifierKey;
use crate::report::dossier::{self, DossierFault, WriteFault};
use crate::report::number::grouped;
use crate::report::table;
use crate::store::Access;

/// A figure with its evidence in one file, which anybody can check without the ledger.
///
/// The statement, how it arose, every entry behind it as it is stored, the proof of each that it stands
/// in the log, the signed checkpoint, and a page for people. It is about all that is known now.
#[derive(Args)]
#[command(after_help = "Example:
  peildatum dossier Rotterdam --on 2026-01-01 -o rotterdam.zip")]
pub struct Dossier {
    /// NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).
    area: String,
    /// The reference date (peildatum): the standing at the start of that day.
    #[arg(long, value_name = "DATE")]
    on: Day,
    /// The file to write.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: PathBuf,
    /// How a placement relates to the backlog.
    #[arg(long, default_value = "oldest_first", value_name = "oldest_first|current_first|total")]
    reading: Reading,
    #[command(flatten)]
    signing: Signing,
}

impl Dossier {
    /// Writes the file.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        let ledger = super::open(dir, Access::MustExist, Outside::machine())?;
        let as_of = ledger.as_of(ReferenceDate(self.on), KnownAt::Now)?;
        let area = area(&ledger, &self.area, as_of)?;
        // What has no answer is said before anything is signed.
        ledger.book().statement(area, as_of, self.reading).map_err(crate::ledger::LedgerError::from)?;
        let (checkpoint, key) = self.signing.sign_with(&ledger)?;
        let known_at = LogSize(checkpoint.head().size);
        let as_of = ledger.as_of(ReferenceDate(self.on), KnownAt::Size(known_at))?;

        let beside = match self.output.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // Written beside and moved, so that there is never half a dossier.
        let cannot =
            |error: io::Error| Failure::Broken(format!("cannot write {}: {error}", self.output.display()));
        let mut file = tempfile::Builder::new().prefix(".dossier-").tempfile_in(beside).map_err(cannot)?;
        let entries = dossier::write(&ledger, area, as_of, self.reading, &checkpoint, &key, &mut file);
        let entries = entries.map_err(|fault| match fault {
            WriteFault::Ledger(error) => error.into(),
            WriteFault::Write(error) => cannot(error),
            WriteFault::Nothing(_) => Failure::Refused(fault.to_string()),
        })?;
        file.as_file().sync_all().map_err(cannot)?;
        readable(file.as_file()).map_err(cannot)?;
        file.persist(&self.output).map_err(|error| cannot(error.error))?;
        let said = format!(
            "{}: {} entries, each proven to stand in the log of {}, at size {}",
            self.output.display(),
            grouped(entries as i64),
            checkpoint.head().origin,
            grouped(checkpoint.head().size as i64)
        );
        io::stdout().write_all(table::wrapped(&said).as_bytes())?;
        Ok(())
    }
}

/// A temporary file is its owner's alone; a dossier is for others.
#[cfg(unix)]
fn readable(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &File) -> io::Result<()> {
    Ok(())
}

/// Check everything in a dossier with the ledger's public key, without the ledger.
#[derive(Args)]
#[command(after_help = "Example:
  peildatum verify-dossier rotterdam.zip \\
      --key peildatum.example/ledger+ccadbd0f+ATtCOhXUW7+37C2v4yTpgOZDmNxTLy/jC+Pxj+GbZ/3+")]
pub struct VerifyDossier {
    /// The dossier.
    file: PathBuf,
    /// The ledger's verifier key, from whoever keeps the ledger and not from whoever gave the dossier.
    #[arg(long, value_name = "KEY")]
    key: VerifierKey,
}

impl VerifyDossier {
    /// Prints what was checked.
    pub fn run(self) -> Result<(), Failure> {
        let open = || File::open(&self.file).map(BufReader::new);
        let checked = dossier::check(&open, &self.key).map_err(|fault| {
            let said = format!("{}: {fault}", self.file.display());
            match fault {
                DossierFault::Unreadable(_) => Failure::Broken(said),
                DossierFault::Refused(_) => {
                    Failure::Refused(format!("{said}; do not rely on it, and ask the ledger for another"))
                }
            }
        })?;
        let mut to = io::stdout().lock();
        to.write_all(table::statement(&checked.answer).as_bytes())?;
        let said = format!(
            "All of it follows from {} entries, each of which stands in the log of {entries} entries that {origin} signed.",
            grouped(checked.entries as i64),
            entries = grouped(checked.checkpoint.head().size as i64),
            origin = checked.checkpoint.head().origin
        );
        write!(to, "\n{}", table::wrapped(&said))?;
        for signature in checked.checkpoint.note().unknown(std::slice::from_ref(&self.key)) {
            let said = format!("It also bears a signature of {}, which was not checked.", signature.name);
            write!(to, "{}", table::wrapped(&said))?;
        }
        Ok(())
    }
}
