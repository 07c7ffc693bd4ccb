//! `peildatum person`.

use std::io::{self, Read as _, Write};
use std::path::Path;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::Failure;
use crate::domain::person_number::PersonNumber;
use crate::ledger;
use crate::report::number::grouped;
use crate::report::table::wrapped;

/// The links between numbers and tokens of persons, also while a server runs.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum person erase < number.txt
  peildatum person rotate-key
  peildatum person keys

The number is read from standard input, never from the command line.
docs/persons.md says what is kept, and what erasing means.")]
pub struct Person {
    #[command(subcommand)]
    command: PersonCommand,
}

#[derive(Subcommand)]
enum PersonCommand {
    /// Erase the link of one person, whose number is on standard input.
    Erase,
    /// Make a new key for new links; destroy those that nobody is known under.
    RotateKey,
    /// Show the keys, and how many persons are known under each.
    Keys,
}

impl Person {
    /// Does what was asked.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        let mut links = ledger::links(dir)?;
        links.check()?;
        for note in links.notes() {
            let _ = writeln!(io::stderr(), "peildatum: {note}");
        }
        let mut to = io::stdout().lock();
        match self.command {
            PersonCommand::Erase => {
                if !links.erase(&number()?)? {
                    return Err(Failure::Refused(
                        "nobody is known by this number here, so there was no link to erase".to_owned(),
                    ));
                }
                let said = "The link is erased: the token in the log leads to nobody any more. The log, its proofs \
                            and all figures are as they were. Copies of the folder persons are yours to erase.";
                to.write_all(wrapped(said).as_bytes())?;
            }
            PersonCommand::RotateKey => {
                let rotated = links.rotate()?;
                writeln!(to, "key {} is current from now on", rotated.current)?;
                for key in rotated.destroyed {
                    writeln!(to, "key {key} is destroyed, since nobody was known under it")?;
                }
            }
            PersonCommand::Keys => {
                let keys = links.keys()?;
                if keys.is_empty() {
                    writeln!(to, "no key yet: the first number of a person brings one")?;
                }
                for key in keys {
                    let links = grouped(i64::try_from(key.links).unwrap_or(i64::MAX));
                    let said = if key.current { ", current" } else { "" };
                    writeln!(to, "key {}: {links} known{said}", key.number)?;
                }
            }
        }
        Ok(())
    }
}

/// Reads the number from standard input.
fn number() -> Result<PersonNumber, Failure> {
    const LONGEST: usize = 100;
    let mut typed = Zeroizing::new([0; LONGEST]);
    let mut length = 0;
    let mut from = io::stdin().lock();
    while length < LONGEST {
        match from.read(&mut typed[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) => return Err(Failure::Broken(format!("cannot read standard input: {error}"))),
        }
    }
    let number = str::from_utf8(typed[..length].trim_ascii()).ok().map(PersonNumber::parse);
    match number {
        Some(Ok(number)) => Ok(number),
        // What was typed is not repeated.
        _ => Err(Failure::WrongUse(
            "standard input holds no V-number: give exactly ten digits and nothing else".to_owned(),
        )),
    }
}
