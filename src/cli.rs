//! The words on the command line: one file a command.

mod amv;
mod audit;
mod backup;
mod checkpoint;
mod completions;
mod deadlines;
mod deliver;
mod demo;
mod dossier;
mod evaluate;
mod explain;
mod export;
mod forecast;
mod history;
mod init;
mod person;
mod prove;
mod reconcile;
mod replay;
mod restatements;
mod serve;
mod share;
mod signing;
mod statement;
mod tiles;
mod token;
mod verify;
mod witness;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::domain::person_number::without_person_numbers;
use crate::domain::time::RecordedAt;
use crate::feed::FeedError;
use crate::feed::question::NotDivided;
use crate::ledger::{Ledger, LedgerError, Outside};
use crate::proof::note::without_secret_keys;
use crate::store::links::LinksError;
use crate::store::{Access, StoreError, without_secrets};

/// Backlog and quota fulfilment of Dutch municipalities on any reference date, as known at any moment.
///
/// An append-only ledger of housing realisations: what was due, what was realised, what remains, and
/// which entries made it so. Exit codes: 0 done; 1 refused by a rule, with every reason; 2 broken
/// (ledger, or input that cannot be read); 64 wrong use.
#[derive(Parser)]
#[command(name = "peildatum", version, arg_required_else_help = true, max_term_width = 80)]
struct Cli {
    /// The folder of the ledger.
    ///
    /// Without it: ./ledger, and for the demo ./peildatum-demo.
    #[arg(long, global = true, value_name = "DIR", env = "PEILDATUM_LEDGER")]
    ledger: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Init(init::Init),
    Deliver(deliver::Deliver),
    Statement(statement::StatementArgs),
    Explain(explain::Explain),
    Restatements(restatements::Restatements),
    Replay(replay::Replay),
    History(history::History),
    Reconcile(reconcile::Reconcile),
    Share(share::ShareArgs),
    Evaluate(evaluate::Evaluate),
    Forecast(forecast::ForecastArgs),
    Amv(amv::Amv),
    Deadlines(deadlines::DeadlinesArgs),
    Checkpoint(checkpoint::CheckpointArgs),
    Prove(prove::Prove),
    Verify(verify::Verify),
    Witness(witness::Witness),
    Token(token::Token),
    Audit(audit::Audit),
    Dossier(dossier::Dossier),
    VerifyDossier(dossier::VerifyDossier),
    Export(export::Export),
    Person(person::Person),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Serve(serve::Serve),
    Completions(completions::Completions),
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, 80 columns wide.
    Table,
    /// For programs; the fields of the schema.
    Json,
    /// For spreadsheets, RFC 4180.
    Csv,
}

/// How a command ended, where it did not end well.
#[derive(Debug)]
enum Failure {
    /// A rule says no; every reason has been told.
    Refused(String),
    /// The ledger is broken, or the input cannot be read.
    Broken(String),
    /// The command was used in a way that makes no sense.
    WrongUse(String),
    /// Whoever reads the output has gone: nothing is left to say.
    NobodyReads,
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Unanswerable(_)
            | LedgerError::Unprepared(_)
            | LedgerError::Unplayable(_)
            | LedgerError::NoWeeks(_)
            | LedgerError::NeverKnown { .. }
            | LedgerError::NotClosed { .. }
            | LedgerError::NoSuchEntry { .. } => Self::Refused(error.to_string()),
            LedgerError::Signing(error) if !error.is_broken() => Self::Refused(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<NotDivided> for Failure {
    fn from(error: NotDivided) -> Self {
        Self::WrongUse(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<LinksError> for Failure {
    fn from(error: LinksError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<FeedError> for Failure {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Ledger(error) => error.into(),
            FeedError::Receipt(error) => error.into(),
            error => Self::Broken(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Broken(format!("cannot write: {error}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are what was asked for, and end well.
            let code = if error.use_stderr() { 64 } else { 0 };
            let told = error.render().to_string();
            // What was typed is repeated, but never a number of a person, and never a secret key.
            let shown = shown(&told);
            let _ = match shown == told {
                true => error.print(),
                false => write!(io::stderr(), "{shown}"),
            };
            return ExitCode::from(code);
        }
    };
    let usual = if let Command::Demo(_) = cli.command { "./peildatum-demo" } else { "./ledger" };
    let ledger = cli.ledger.unwrap_or_else(|| PathBuf::from(usual));
    let ended = match cli.command {
        Command::Demo(args) => args.run(&ledger),
        Command::Init(args) => args.run(&ledger),
        Command::Deliver(args) => args.run(&ledger),
        Command::Statement(args) => args.run(&ledger),
        Command::Explain(args) => args.run(&ledger),
        Command::Restatements(args) => args.run(&ledger),
        Command::Replay(args) => args.run(&ledger),
        Command::History(args) => args.run(&ledger),
        Command::Checkpoint(args) => args.run(&ledger),
        Command::Prove(args) => args.run(&ledger),
        Command::Reconcile(args) => args.run(&ledger),
        Command::Share(args) => args.run(&ledger),
        Command::Evaluate(args) => args.run(&ledger),
        Command::Forecast(args) => args.run(&ledger),
        Command::Amv(args) => args.run(&ledger),
        Command::Deadlines(args) => args.run(&ledger),
        Command::Verify(args) => args.run(&ledger),
        Command::Witness(args) => args.run(&ledger),
        Command::Token(args) => args.run(&ledger),
        Command::Audit(args) => args.run(&ledger),
        Command::Dossier(args) => args.run(&ledger),
        Command::VerifyDossier(args) => args.run(),
        Command::Export(args) => args.run(&ledger),
        Command::Person(args) => args.run(&ledger),
        Command::Backup(args) => args.run(&ledger),
        Command::Restore(args) => args.run(&ledger),
        Command::Serve(args) => args.run(&ledger),
        Command::Completions(args) => args.run(),
    };
    let (code, said) = match ended {
        Ok(()) | Err(Failure::NobodyReads) => (0, None),
        Err(Failure::Refused(said)) => (1, Some(said)),
        Err(Failure::Broken(said)) => (2, Some(said)),
        Err(Failure::WrongUse(said)) => (64, Some(said)),
    };
    if let Some(said) = said.filter(|it| !it.is_empty()) {
        let _ = writeln!(io::stderr(), "peildatum: {}", shown(&said));
    }
    ExitCode::from(code)
}

/// What is said, without what must be repeated nowhere. A number of a person can stand in whatever was typed: a path, a
/// size, a name. So can a secret key, where the path of its file belongs, and the secret of a token instead of its name.
fn shown(said: &str) -> String {
    without_person_numbers(&without_secret_keys(&without_secrets(said)))
}

/// Prints an answer as it was asked for: as a table, in JSON or as CSV.
fn print<T: Serialize + ?Sized>(
    format: Format,
    answer: &T,
    table: impl FnOnce(&T) -> String,
    csv: impl FnOnce(&T, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut to = BufWriter::new(io::stdout().lock());
    match format {
        Format::Table => to.write_all(table(answer).as_bytes())?,
        Format::Json => {
            serde_json::to_writer(&mut to, answer)?;
            writeln!(to)?;
        }
        Format::Csv => csv(answer, &mut to)?,
    }
    Ok(to.flush()?)
}

/// Opens the ledger, with a bar while it is read, and says on standard error what had to be healed.
fn open(dir: &Path, access: Access, outside: Outside) -> Result<Ledger, Failure> {
    let bar = counting_bar("entries read");
    let opened = Ledger::open(dir, access, outside, &mut |read| bar.set_position(read));
    bar.finish_and_clear();
    let (ledger, notes) = opened?;
    for note in notes {
        let _ = writeln!(io::stderr(), "peildatum: {note}");
    }
    Ok(ledger)
}

/// When a cosignature says it was made, as the end of a sentence.
fn told_at(seconds: Option<u64>) -> String {
    let Some(seconds) = seconds else { return String::new() };
    let millis = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000));
    match millis.and_then(|millis| RecordedAt::from_millis(millis).ok()) {
        Some(at) => format!(" at {at}"),
        None => format!(" at {seconds} seconds since 1970, which no clock of ours shows"),
    }
}

/// A bar for something whose end is not known. On a terminal only; in a pipe there is none.
fn counting_bar(what: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {human_pos} {msg} ({elapsed})").expect("a fixed template");
    ProgressBar::new_spinner().with_style(style).with_message(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_every_command_shows_an_example() {
        let command = Cli::command();
        command.clone().debug_assert();
        for command in command.get_subcommands() {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("peildatum"), "{} has no example", command.get_name());
        }
    }
}
