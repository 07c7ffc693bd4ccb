//! `peildatum init`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::domain::person_number::holds_person_number;
use crate::ledger::Outside;
use crate::proof::note::{KeyName, SignerKey};
use crate::report::table::wrapped;
use crate::store::Access;

/// Begin a ledger that signs, or give a key to one that has none.
///
/// Prints the verifier key, with which anybody checks what the ledger signs. The secret key goes into
/// a file that its owner alone can read. A key is made once and not replaced.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum init --origin peildatum.example/ledger
  peildatum init --origin peildatum.example/archive --ledger ./archive --key-file /secrets/archive.key")]
pub struct Init {
    /// The name of the ledger in all that it signs: like an address of a page, without `https://`.
    #[arg(long, value_name = "NAME", value_parser = origin)]
    origin: KeyName,
    /// A new file for the secret key. Without it: `signing-key` in the folder of the ledger.
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,
}

/// The origin that a text names.
fn origin(text: &str) -> Result<KeyName, String> {
    let name: KeyName = text.parse().map_err(|_| {
        "an origin is 1 to 255 bytes long and has no spaces, no plus and no control characters".to_owned()
    })?;
    if text.contains("://") || text.starts_with('/') || text.ends_with('/') {
        return Err("an origin has no scheme and no slash at its ends: peildatum.example/ledger".to_owned());
    }
    match holds_person_number(text) {
        true => Err("what looks like the number of a person is no origin".to_owned()),
        false => Ok(name),
    }
}

impl Init {
    /// Makes the key.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        let mut random = [0; 32];
        let drawn = getrandom::fill(&mut random);
        drawn.map_err(|error| Failure::Broken(format!("there are no random numbers: {error}")))?;
        let key = SignerKey::new(self.origin, random);
        let ledger = super::open(dir, Access::CreateIfAbsent, Outside::machine())?;
        let signed = ledger.give_key(&key, self.key_file.as_deref());
        ledger.close()?;
        let head = signed?;
        let secret = self.key_file.unwrap_or_else(|| dir.join("signing-key"));
        let mut to = io::stdout().lock();
        let said = format!("The ledger in {} is {} from now on.", dir.display(), head.head().origin);
        to.write_all(wrapped(&said).as_bytes())?;
        let said = format!("Its secret key is in {}: keep a copy, and show it to nobody.", secret.display());
        to.write_all(wrapped(&said).as_bytes())?;
        writeln!(to, "Give this verifier key to everybody who is to check what it signs:\n")?;
        writeln!(to, "{}", key.verifier())?;
        Ok(())
    }
}
