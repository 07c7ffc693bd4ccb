//! `peildatum verify`.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;

use super::{Failure, counting_bar};
use crate::report::number::grouped;
use crate::{ledger, store};

/// Read journal and events again, compute every hash, and say what is wrong where.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum verify
  peildatum verify --repair")]
pub struct Verify {
    /// Build the copy that does not agree with the checkpoint again from the one that does. What was
    /// there is set aside, never thrown away.
    #[arg(long)]
    repair: bool,
}

impl Verify {
    /// Prints the root, or what is wrong.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        if self.repair {
            for note in store::repair(dir)? {
                writeln!(io::stdout(), "{note}")?;
            }
        }
        let bar = counting_bar("entries verified");
        let verified = ledger::verify(dir, &mut |read| bar.set_position(read));
        bar.finish_and_clear();
        let verified = verified?;
        let mut to = io::stdout().lock();
        for finding in &verified.findings {
            writeln!(to, "{finding}")?;
        }
        let entries = grouped(verified.size as i64);
        match verified.is_whole() {
            true => {
                writeln!(to, "{entries} entries; journal, events and checkpoint agree")?;
                writeln!(to, "root {}", verified.root)?;
                Ok(())
            }
            false => {
                writeln!(to, "{entries} entries are proven; root {}", verified.root)?;
                let found = verified.findings.len();
                Err(Failure::Broken(format!("the ledger is not whole: {found} findings")))
            }
        }
    }
}
