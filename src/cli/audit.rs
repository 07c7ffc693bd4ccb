//! `peildatum audit`.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

use clap::Args;

use super::{Failure, Format};
use crate::domain::time::{Day, RecordedAt};
use crate::report::access::{AuditRows, decision};
use crate::store::{self, AuditLine};

/// Who did what, when and from where: the decisions of a server, one by one.
///
/// `peildatum verify` says whether they are as they were written. JSON gives the lines as they are
/// stored, one a line.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum audit --since 2026-04-01 --until 2026-04-30
  peildatum audit --actor urn:nld:oin:00000001234567890000:systeem:tracking
  peildatum audit --since 2026-04-01T09:00:00Z --format csv > decisions.csv")]
pub struct Audit {
    /// From the start of this day in the Netherlands, or from this time (RFC 3339).
    #[arg(long, value_name = "DATE|TIME")]
    since: Option<Moment>,
    /// Up to the end of this day in the Netherlands, or up to this time.
    #[arg(long, value_name = "DATE|TIME")]
    until: Option<Moment>,
    /// Of this actor alone: as it is shown, or the name of its token.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// How the decisions are written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A day or a time.
#[derive(Clone, Copy)]
enum Moment {
    Day(Day),
    Time(RecordedAt),
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = text.parse().map(Self::Day);
        day.or_else(|_| text.parse().map(Self::Time))
            .map_err(|_| "is not a moment: write a day (2026-04-01) or a time (2026-04-01T09:00:00Z)")
    }
}

impl Moment {
    fn start(self) -> RecordedAt {
        match self {
            Self::Day(day) => RecordedAt::start_of(day),
            Self::Time(time) => time,
        }
    }

    fn end(self) -> RecordedAt {
        match self {
            Self::Day(day) => RecordedAt::start_of(day.plus_days(1)),
            Self::Time(time) => time,
        }
    }
}

impl Audit {
    /// Prints the decisions, one after another as they are read.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        let mut to = BufWriter::new(io::stdout().lock());
        match self.format {
            Format::Table => self.each(dir, &mut |line, _| to.write_all(decision(line).as_bytes()))?,
            Format::Json => self.each(dir, &mut |_, stored| {
                to.write_all(stored)?;
                to.write_all(b"\n")
            })?,
            Format::Csv => {
                let mut rows = AuditRows::begin(&mut to)?;
                self.each(dir, &mut |line, _| rows.add(line))?;
                rows.end()?;
            }
        }
        Ok(to.flush()?)
    }

    /// Visits the decisions that were asked for.
    fn each(
        &self,
        dir: &Path,
        visit: &mut dyn FnMut(&AuditLine, &[u8]) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let (since, until) = (self.since.map(Moment::start), self.until.map(Moment::end));
        store::read_audit(dir, since, until, |line, stored| match self.is_asked(line) {
            true => Ok(visit(line, stored)?),
            false => Ok(()),
        })
    }

    fn is_asked(&self, line: &AuditLine) -> bool {
        let Some(asked) = &self.actor else { return true };
        let is_it = |actor: &String| {
            actor == asked || actor.rsplit_once(":systeem:").is_some_and(|(_, name)| name == asked)
        };
        line.actor.as_ref().is_some_and(is_it)
    }
}
