//! `peildatum completions`.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Failure};

/// Print the completion script of a shell.
#[derive(Args)]
#[command(after_help = "Example:
  peildatum completions bash > /etc/bash_completion.d/peildatum")]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run(self) -> Result<(), Failure> {
        // The generator panics when it cannot write, so it writes to memory first.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "peildatum", &mut script);
        Ok(std::io::stdout().write_all(&script)?)
    }
}
