//! `peildatum deliver`.

mod client;
mod input;
mod receipt;
mod refused;
mod remote;
mod remote_receipt;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;
use client::{Client, ServerUrl};
use csv::StringRecord;
use input::{Form, Input, Opened};
use receipt::Printer;
use refused::{RefusedTo, check_new};

use super::{Failure, Format};
use crate::domain::source::Source;
use crate::feed::cloudevent::EventLines;
use crate::feed::csv::CsvFile;
use crate::feed::pieces::{Keys, Pieces};
use crate::feed::receipt::{Outcome, Totals};
use crate::feed::{self, FeedError, Parcels, Told};
use crate::ledger::{Ledger, Outside};
use crate::proof::content::ContentHash;
use crate::store::Access;

/// Deliver files: check every row, record what is new, and print a receipt.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum deliver placements.csv --from coa
  peildatum deliver events.jsonl --from nidos --dry-run
  peildatum deliver placements.csv --from coa --refused-to mend-these.csv
  peildatum deliver placements.csv --to https://ledger.example --token-file token

A file is CSV (placements, withdrawals, allocations, carry-overs, population,
municipalities; docs/deliveries.md names the columns) or JSON Lines of
CloudEvents. A file that is sent twice is recorded once. A delivery to a server
that was broken off goes on where it was when it is started again.")]
pub struct Deliver {
    /// The files; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Who delivers: coa, coa/tracking, or urn:nld:oin:<20 digits>:systeem:<name>.
    #[arg(long, value_name = "SOURCE", required_unless_present = "to", conflicts_with = "to")]
    from: Option<Source>,
    /// Deliver to the server of a ledger; its token says who delivers.
    #[arg(long, value_name = "URL", requires = "token_file")]
    to: Option<ServerUrl>,
    /// The file of the token, which its owner alone can read.
    #[arg(long, value_name = "FILE", requires = "to", conflicts_with = "from")]
    token_file: Option<PathBuf>,
    /// The certificates (PEM) of those who vouch for the server, instead of those of this machine.
    #[arg(long, value_name = "PEM", requires = "to", conflicts_with = "from")]
    ca_file: Option<PathBuf>,
    /// Give the same receipt and write nothing.
    #[arg(long, conflicts_with = "to")]
    dry_run: bool,
    /// Write the refused rows to a new file, to be mended there and sent again.
    #[arg(long, value_name = "FILE")]
    refused_to: Option<PathBuf>,
    /// How the receipt is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Deliver {
    /// Delivers one file after another.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        if self.refused_to.is_some() && self.files.len() > 1 {
            return Err(Failure::WrongUse(
                "--refused-to takes the rows of one file: deliver the files one by one".to_owned(),
            ));
        }
        match (&self.to, &self.from) {
            (Some(to), _) => self.send_all(to),
            (None, Some(from)) => self.record_all(dir, from),
            (None, None) => unreachable!("one of the two is required"),
        }
    }

    /// Delivers to a ledger in a folder.
    fn record_all(&self, dir: &Path, from: &Source) -> Result<(), Failure> {
        // What cannot be read at all is found before a ledger is begun for it or another file recorded.
        let mut inputs = Vec::new();
        for path in &self.files {
            inputs.push(Input::open(path, |form, opened| Content::of(form, opened, from))?);
        }
        if let Some(path) = &self.refused_to {
            check_new(path)?;
        }
        // Declared first, so that it goes after the ledger in it is closed.
        let empty;
        let mut ledger = if !self.dry_run {
            if nothing_in(dir) {
                // A folder that is empty by accident, such as a disk that is not mounted, is noticed so.
                let _ = writeln!(io::stderr(), "peildatum: a new ledger is begun in {}", dir.display());
            }
            super::open(dir, Access::CreateIfAbsent, Outside::machine())?
        } else if nothing_in(dir) {
            let shown = dir.display();
            let _ =
                writeln!(io::stderr(), "peildatum: no ledger in {shown} yet: this is tried on an empty one");
            empty = tempfile::tempdir()?;
            super::open(empty.path(), Access::CreateIfAbsent, Outside::machine())?
        } else {
            super::open(dir, Access::MustExist, Outside::machine())?
        };
        if self.dry_run {
            ledger.rehearse()?;
        }
        let mut refused_rows = match (&self.refused_to, &inputs[..]) {
            (Some(path), [input]) => Some(RefusedTo::new(path, input.content.header())),
            _ => None,
        };
        let mut refused = 0;
        for (index, input) in inputs.into_iter().enumerate() {
            refused += self.record(&mut ledger, from, index == 0, input, refused_rows.take())?.refused;
        }
        if !self.dry_run {
            ledger.close()?;
        }
        match refused {
            0 => Ok(()),
            // The receipt has told every reason.
            _ => Err(Failure::Refused(String::new())),
        }
    }

    fn record(
        &self,
        ledger: &mut Ledger,
        from: &Source,
        first: bool,
        input: Input<Content>,
        mut refused_rows: Option<RefusedTo<'_>>,
    ) -> Result<Totals, Failure> {
        let Input { name, content, bar } = input;
        let mut receipt = Printer::new(self.format, name, self.dry_run, from, first)?;
        let delivered = feed::deliver(ledger, from, content.into_parcels(), &mut |told| {
            let Told::Row(it, row) = told else { return receipt.to.flush() };
            receipt.row(it)?;
            match (&it.outcome, &mut refused_rows) {
                (Outcome::Refused { faults }, Some(rows)) => {
                    rows.write(row, &faults.iter().map(Into::into).collect::<Vec<_>>())
                }
                _ => Ok(()),
            }
        });
        bar.finish_and_clear();
        for note in ledger.links().notes() {
            let _ = writeln!(io::stderr(), "peildatum: {note}");
        }
        let (delivery, totals) = delivered?;
        if let Some(rows) = refused_rows {
            rows.close()?;
        }
        let known_at = ledger.known_at(ledger.size());
        // A rehearsal ends at a size that the log does not have, so there is no root to show.
        let checkpoint = if self.dry_run { None } else { Some(ledger.checkpoint(ledger.size())?) };
        receipt.close(delivery, &totals, known_at, checkpoint, self.refused_to.as_deref())?;
        Ok(totals)
    }

    /// Delivers to a server.
    fn send_all(&self, to: &ServerUrl) -> Result<(), Failure> {
        let token = client::read_token(self.token_file.as_deref().expect("it is required with --to"))?;
        let mut inputs = Vec::new();
        for path in &self.files {
            let input = Input::open(path, |form, opened| match form {
                Form::Lines => Ok(Pieces::of_lines(opened)),
                Form::Table => Pieces::of_table(opened),
            })?;
            inputs.push((path, input));
        }
        if let Some(path) = &self.refused_to {
            check_new(path)?;
        }
        let mut random = [0; 40];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::Broken(format!("no random numbers: {error}")))?;
        let (seed, content) = random.split_at(8);
        let seed = u64::from_le_bytes(seed.try_into().expect("eight bytes"));
        let before_again = Box::new(|why: &str, wait: Duration| {
            let _ = writeln!(io::stderr(), "peildatum: {why}; trying again in {:.1} s", wait.as_secs_f64());
            thread::sleep(wait);
        });
        let mut client = Client::new(to, &token, self.ca_file.as_deref(), before_again, seed)?;
        let mut not_recorded = 0;
        for (index, (path, Input { name, content: pieces, bar })) in inputs.into_iter().enumerate() {
            // What comes from a pipe does not come again.
            let can_go_on = path != Path::new("-");
            let keys = match can_go_on {
                true => input::hashed(path, &name).map(|content| Keys::new(&token, content))?,
                false => Keys::new(&token, ContentHash(content.try_into().expect("32 bytes"))),
            };
            let mut refused_rows =
                self.refused_to.as_deref().map(|path| RefusedTo::new(path, pieces.header().cloned()));
            let mut receipt =
                remote_receipt::Printer::new(self.format, &name, to, index == 0, receipt::stdout())?;
            let done =
                remote::deliver(&mut client, pieces, &keys, can_go_on, &mut receipt, refused_rows.as_mut());
            bar.finish_and_clear();
            if let Some(rows) = refused_rows {
                rows.close()?;
            }
            done?;
            not_recorded += receipt.not_recorded();
            receipt.close(self.refused_to.as_deref())?;
        }
        match not_recorded {
            0 => Ok(()),
            // The receipt has told every reason.
            _ => Err(Failure::Refused(String::new())),
        }
    }
}

/// Whether a directory is absent or empty.
fn nothing_in(dir: &Path) -> bool {
    match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// What a file holds, read up to its first row.
enum Content {
    Lines(EventLines<Opened>),
    Table(Box<CsvFile<Opened>>),
}

impl Content {
    fn of(form: Form, from: Opened, source: &Source) -> Result<Self, FeedError> {
        Ok(match form {
            Form::Lines => Self::Lines(EventLines::new(from)),
            Form::Table => Self::Table(Box::new(CsvFile::open(from, source.clone())?)),
        })
    }

    fn header(&self) -> Option<StringRecord> {
        match self {
            Self::Lines(_) => None,
            Self::Table(table) => Some(table.header().clone()),
        }
    }

    fn into_parcels(self) -> Box<dyn Parcels + Send> {
        match self {
            Self::Lines(lines) => Box::new(lines),
            Self::Table(table) => table,
        }
    }
}
