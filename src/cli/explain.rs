//! `peildatum explain`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::replay::scenario;
use super::statement::area;
use super::{Failure, Format};
use crate::book::Book;
use crate::book::explanation::{Behind, Cause, Explaining, Span};
use crate::domain::time::{Day, ReferenceDate};
use crate::feed::question::{Known, usual_since};
use crate::ledger::{Explained, KnownAt, Ledger, Outside};
use crate::report::{audit, chart};
use crate::store::Access;

/// How the standing of an area became what it is: what happened, and what was learned later.
///
/// From one standing to another, step by step, so that the steps add up to the change. Without
/// `--known-since` both standings are as known at the same moment.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum explain Rotterdam --on 2026-01-01
  peildatum explain NL --since 2022-01-01 --on 2022-01-01 --known-since 2022-01-01
  peildatum explain GM0599 --on 2025-07-01 --entries --format csv
  peildatum explain GM0599 --on 2025-07-01 --chart rotterdam.svg")]
pub struct Explain {
    /// NL, a province (PV28 or Zuid-Holland) or a municipality (GM0599 or Rotterdam).
    #[arg(default_value = "NL")]
    area: String,
    /// The later reference date (peildatum): the standing at the start of that day.
    #[arg(long, value_name = "DATE")]
    on: Day,
    /// The earlier reference date. Without it: the start of the half-year that the later one closes or
    /// lies in.
    #[arg(long, value_name = "DATE")]
    since: Option<Day>,
    /// The later standing as known at a day (its start in the Netherlands), a time or a log size.
    #[arg(long, value_name = "TIME|SIZE")]
    known_at: Option<Known>,
    /// The earlier standing as known at a day, a time or a log size. Without it: as the later one.
    #[arg(long, value_name = "TIME|SIZE")]
    known_since: Option<Known>,
    /// Under a scenario, as if other entries had been recorded; `peildatum replay` says how one is written.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Also the entries behind each step, and by which rule they count.
    #[arg(long)]
    entries: bool,
    /// Also draw the steps as a waterfall, into a new file (SVG).
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Explain {
    /// Prints the explanation.
    pub fn run(self, ledger: &Path) -> Result<(), Failure> {
        let ledger = super::open(ledger, Access::MustExist, Outside::machine())?;
        let known_at = self.known_at.map_or(KnownAt::Now, |it| it.0);
        let to = ledger.as_of(ReferenceDate(self.on), known_at)?;
        let since = ReferenceDate(self.since.unwrap_or_else(|| usual_since(self.on)));
        let from = ledger.as_of(since, self.known_since.map_or(known_at, |it| it.0))?;
        let span = Span::new(from, to).map_err(|error| Failure::WrongUse(error.to_string()))?;
        let area = area(&ledger, &self.area, to)?;
        let scenario = self.scenario.as_deref().map(scenario).transpose()?;
        let under;
        let book = match &scenario {
            None => ledger.book(),
            Some(scenario) => {
                under = ledger.book().under(&ledger.changes(scenario)?);
                &under
            }
        };
        let (mut explained, explaining) = ledger.explain(book, area, span)?;
        explained.scenario = scenario.as_ref().map(|it| it.name.clone());
        if let Some(path) = &self.chart {
            let written = File::create_new(path)
                .and_then(|mut it| it.write_all(chart::waterfall(&explained).as_bytes()));
            written.map_err(|error| {
                Failure::Broken(format!("cannot write a new file {}: {error}", path.display()))
            })?;
        }
        let answer = Answer { ledger: &ledger, book, explained, explaining };
        match (self.format, self.entries) {
            (Format::Table, entries) => answer.table(entries),
            (Format::Json, false) => {
                let mut to = io::stdout().lock();
                serde_json::to_writer(&mut to, &answer.explained)?;
                Ok(writeln!(to)?)
            }
            (Format::Json, true) => answer.json_with_entries(),
            (Format::Csv, false) => Ok(audit::steps_as_csv(&answer.explained, io::stdout().lock())?),
            (Format::Csv, true) => answer.entries_as_csv(),
        }
    }
}

struct Answer<'a> {
    ledger: &'a Ledger,
    book: &'a Book<'a>,
    explained: Explained,
    explaining: Explaining<'a>,
}

impl Answer<'_> {
    fn table(&self, entries: bool) -> Result<(), Failure> {
        let mut to = io::stdout().lock();
        let explanation = &self.explained.explanation;
        to.write_all(audit::explanation_heading(&self.explained).as_bytes())?;
        let mut standing = explanation.standing_since;
        let mut cause: Option<Cause> = None;
        for (index, step) in explanation.steps.iter().enumerate() {
            if cause.replace(step.cause) != Some(step.cause) {
                to.write_all(audit::cause_heading(&self.explained, step.cause).as_bytes())?;
            }
            standing += step.change;
            to.write_all(audit::step(step, standing).as_bytes())?;
            if entries {
                for behind in self.explaining.behind(step) {
                    let entry = self.ledger.explained_entry(self.book, index, &behind)?;
                    to.write_all(audit::behind(&entry).as_bytes())?;
                }
            }
        }
        Ok(to.write_all(audit::explanation_ending(&self.explained).as_bytes())?)
    }

    fn json_with_entries(&self) -> Result<(), Failure> {
        let mut to = io::BufWriter::new(io::stdout().lock());
        let entry =
            |step, behind: &Behind| Ok::<_, Failure>(self.ledger.explained_entry(self.book, step, behind)?);
        let behind = |step: &_| self.explaining.behind(step);
        audit::explanation_as_json(&self.explained, &behind, &entry, &mut to)?;
        writeln!(to)?;
        Ok(to.flush()?)
    }

    fn entries_as_csv(&self) -> Result<(), Failure> {
        let mut rows = audit::BehindAsCsv::begin(io::stdout().lock())?;
        for (index, step) in self.explained.explanation.steps.iter().enumerate() {
            for behind in self.explaining.behind(step) {
                rows.row(step, &self.ledger.explained_entry(self.book, index, &behind)?)?;
            }
        }
        Ok(rows.end()?)
    }
}
