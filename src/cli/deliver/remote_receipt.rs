//! The receipt of a file that was delivered to a server: of all its pieces, by the lines of the file.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::ServerUrl;
use super::receipt::{SHOWN, csv_record, refused_below, told_in_table};
use super::refused::Reason;
use super::remote::Reply;
use crate::cli::Format;
use crate::domain::source::{DeliveryId, EventId, Source};
use crate::domain::time::{Position, RecordedAt};
use crate::feed::acknowledged::{Gap, RowTotals};
use crate::feed::receipt::FaultInRow;
use crate::ledger::{Checkpoint, KnownAtSize};
use crate::proof::merkle::Hash;
use crate::report::number::grouped;

/// What became of one row, as the server tells it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RowTold {
    /// The line of the file that the row begins on, counted from 1.
    pub row: u64,
    /// The id of the event, where its sender gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<EventId>,
    pub outcome: OutcomeTold,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
    /// The hash of the entry, by which anybody can prove that it is in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaf_hash: Option<Hash>,
    /// The delivery that recorded it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultTold>,
    /// Where the server keeps the row, to be mended or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quarantine: Option<Uuid>,
}

/// What can become of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeTold {
    Recorded,
    KnownAlready,
    /// The same id was recorded with other content.
    Conflict,
    Refused,
}

/// A reason as the server tells it. A later server may have codes that are not known here.
#[derive(Debug, Deserialize, Serialize)]
pub struct FaultTold {
    code: String,
    #[serde(default)]
    field: String,
    problem: String,
    #[serde(default)]
    remedy: String,
}

impl From<FaultInRow> for FaultTold {
    fn from(it: FaultInRow) -> Self {
        Self { code: it.code.to_owned(), field: it.field, problem: it.problem, remedy: it.remedy }
    }
}

impl<'a> From<&'a FaultTold> for Reason<'a> {
    fn from(it: &'a FaultTold) -> Self {
        Self { code: &it.code, field: &it.field, problem: &it.problem, remedy: &it.remedy }
    }
}

impl RowTold {
    /// A row that was not sent.
    pub fn kept_back(row: u64, faults: Vec<FaultTold>) -> Self {
        let outcome = OutcomeTold::Refused;
        Self {
            row,
            id: None,
            outcome,
            position: None,
            leaf_hash: None,
            delivery: None,
            faults,
            quarantine: None,
        }
    }

    /// Whether it says where the row is recorded, or why it is not.
    pub fn is_whole(&self) -> bool {
        match self.outcome {
            OutcomeTold::Recorded | OutcomeTold::KnownAlready => self.position.is_some(),
            OutcomeTold::Conflict | OutcomeTold::Refused => !self.faults.is_empty(),
        }
    }
}

impl OutcomeTold {
    fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::KnownAlready => "known_already",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
        }
    }
}

/// The end of the receipt of one piece.
pub struct Tail {
    pub reply: Reply,
    /// Whether it arrived in an earlier run.
    pub before: bool,
}

/// One delivery of the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryTold {
    delivery: DeliveryId,
    delivered_by: Source,
    received_at: RecordedAt,
    rows: u64,
    before: bool,
}

/// The end of the receipt of the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ending<'a> {
    deliveries: &'a [DeliveryTold],
    totals: RowTotals,
    gaps: &'a [Gap],
    known_at: Option<KnownAtSize>,
    checkpoint: Option<Checkpoint>,
}

/// Writes a receipt row by row, so that the receipt of a million rows is never held.
pub struct Printer<W> {
    format: Format,
    /// The name of the file as a cell of CSV.
    file: Vec<u8>,
    to: W,
    totals: RowTotals,
    deliveries: Vec<DeliveryTold>,
    gaps: Vec<Gap>,
    last: Option<(KnownAtSize, Checkpoint)>,
}

impl<W: Write> Printer<W> {
    /// `first` says whether no receipt of this run came before, which the header of CSV stands above.
    pub fn new(format: Format, file: &str, url: &ServerUrl, first: bool, mut to: W) -> io::Result<Self> {
        match format {
            Format::Table => writeln!(to, "Receipt for {file}, delivered to\n{url}\n")?,
            Format::Json => {
                let (file, url) = (serde_json::to_string(file)?, serde_json::to_string(&url.to_string())?);
                write!(to, "{{\"file\":{file},\"to\":{url},\"rows\":[")?;
            }
            Format::Csv if first => {
                writeln!(to, "file,row,outcome,position,code,field,problem,remedy,leaf_hash,quarantine")?;
            }
            Format::Csv => {}
        }
        let mut file = csv_record([file])?;
        file.pop();
        let totals = RowTotals::default();
        Ok(Self { format, file, to, totals, deliveries: Vec::new(), gaps: Vec::new(), last: None })
    }

    /// Tells of one row.
    pub fn row(&mut self, it: &RowTold) -> io::Result<()> {
        let totals = &mut self.totals;
        totals.rows += 1;
        match it.outcome {
            OutcomeTold::Recorded => totals.recorded += 1,
            OutcomeTold::KnownAlready => totals.known_already += 1,
            OutcomeTold::Conflict => totals.conflict += 1,
            OutcomeTold::Refused => totals.refused += 1,
        }
        match self.format {
            Format::Table if self.not_recorded() > SHOWN || it.faults.is_empty() => Ok(()),
            Format::Table => it.faults.iter().try_for_each(|fault| {
                let [code, field, problem, remedy] =
                    [&fault.code, &fault.field, &fault.problem, &fault.remedy].map(|it| plain(it));
                let reason = Reason { code: &code, field: &field, problem: &problem, remedy: &remedy };
                told_in_table(&mut self.to, it.row, reason)
            }),
            Format::Json => {
                if self.totals.rows > 1 {
                    self.to.write_all(b",")?;
                }
                Ok(serde_json::to_writer(&mut self.to, it)?)
            }
            Format::Csv => self.row_in_csv(it),
        }
    }

    fn row_in_csv(&mut self, it: &RowTold) -> io::Result<()> {
        let text = |value: Option<String>| value.unwrap_or_default();
        let (row, position) = (it.row.to_string(), text(it.position.map(|it| it.to_string())));
        let leaf_hash = text(it.leaf_hash.map(|it| it.to_string()));
        let quarantine = text(it.quarantine.map(|it| it.to_string()));
        let mut line = |[code, field, problem, remedy]: [&str; 4]| {
            self.to.write_all(&self.file)?;
            self.to.write_all(b",")?;
            let cells =
                [&row, it.outcome.name(), &position, code, field, problem, remedy, &leaf_hash, &quarantine];
            self.to.write_all(&csv_record(cells)?)
        };
        match &it.faults[..] {
            [] => line([""; 4]),
            faults => faults.iter().try_for_each(|it| line([&it.code, &it.field, &it.problem, &it.remedy])),
        }
    }

    /// A piece is told of; what it said goes out.
    pub fn piece(&mut self, tail: Option<Tail>, rows: u64) -> io::Result<()> {
        if let Some(Tail { reply, before }) = tail {
            let Reply { delivery, delivered_by, received_at, gaps, known_at, checkpoint, .. } = reply;
            self.deliveries.push(DeliveryTold { delivery, delivered_by, received_at, rows, before });
            self.last = Some((known_at, checkpoint));
            // Of one source what was told last holds.
            self.gaps.retain(|known| gaps.iter().all(|gap| gap.source != known.source));
            self.gaps.extend(gaps);
        }
        self.to.flush()
    }

    /// How many rows are not recorded.
    pub fn not_recorded(&self) -> u64 {
        self.totals.conflict + self.totals.refused
    }

    /// Ends the receipt, and gives back where it was written to.
    pub fn close(mut self, refused_to: Option<&Path>) -> io::Result<W> {
        match self.format {
            Format::Csv => {}
            Format::Json => {
                let ending = Ending {
                    deliveries: &self.deliveries,
                    totals: self.totals,
                    gaps: &self.gaps,
                    known_at: self.last.map(|(known_at, _)| known_at),
                    checkpoint: self.last.map(|(_, checkpoint)| checkpoint),
                };
                writeln!(self.to, "],{}", &serde_json::to_string(&ending)?[1..])?;
            }
            Format::Table => self.close_table(refused_to)?,
        }
        self.to.flush()?;
        Ok(self.to)
    }

    fn close_table(&mut self, refused_to: Option<&Path>) -> io::Result<()> {
        let not_recorded = self.not_recorded();
        let (to, totals) = (&mut self.to, self.totals);
        refused_below(to, not_recorded, refused_to)?;
        for (count, what) in [
            (totals.recorded, "recorded"),
            (totals.known_already, "known already"),
            (totals.conflict, "in conflict with what was recorded under the same id"),
            (totals.refused, "refused"),
            (totals.rows, "rows"),
        ] {
            writeln!(to, "{:>10}  {what}", grouped(count as i64))?;
        }
        writeln!(to)?;
        let before: u64 = self.deliveries.iter().filter(|it| it.before).map(|it| it.rows).sum();
        if before > 0 {
            writeln!(to, "{} of the rows arrived in an earlier run.", grouped(before as i64))?;
        }
        match &self.deliveries[..] {
            [] => {}
            [one] => writeln!(to, "Delivery {}\nby {}", one.delivery, one.delivered_by)?,
            [first, .., last] => {
                let count = grouped(self.deliveries.len() as i64);
                writeln!(
                    to,
                    "{count} deliveries\n  {} to {}\nby {}",
                    first.delivery, last.delivery, first.delivered_by
                )?;
            }
        }
        if let Some((_, checkpoint)) = self.last {
            writeln!(to, "Log size {}, root {}", checkpoint.size, checkpoint.root)?;
        }
        for Gap { source, from, to: until } in &self.gaps {
            writeln!(to, "Missing when the piece arrived: {from} to {until} in the sequence of\n  {source}")?;
        }
        Ok(())
    }
}

/// A text of somebody else without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}
